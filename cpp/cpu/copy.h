// Copies between strided arrays: what transposing, cutting, joining and repeating come down to.
#pragma once

#include <cstdint>

#include "core/context.h"

namespace pk::cpu {

// dims with a stride on either side, outermost first; strides in elements, 0 repeats, negative runs
// backwards.
struct CopyPlan {
  static constexpr int kMaxDims = 20;
  int rank = 0;
  int64_t dims[kMaxDims], to[kMaxDims], from[kMaxDims];

  // A dimension of `n` elements inside those added so far; joined with the last one where both sides allow
  // it.
  void add(int64_t n, int64_t to_stride, int64_t from_stride);
  int64_t size() const;
};

// Elements of 1, 4 or 8 bytes.
void copy(Context& ctx, const CopyPlan& plan, size_t item, void* to, const void* from);
void fill_zero(Context& ctx, void* to, int64_t bytes);

}  // namespace pk::cpu
