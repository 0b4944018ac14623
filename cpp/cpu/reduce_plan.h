// A reduction over any axes as a chain of simple ones, each along the middle of (outer, n, inner).
#pragma once

#include "cpu/reduce.h"
#include "kernels/table.h"

namespace pk::cpu {

struct ReducePlan {
  struct Stage {
    int64_t outer, n, inner;
  };
  static constexpr int kMaxDims = 2 * kMaxRank;
  Stage stages[kMaxDims];
  int n_stages = 0;
  int64_t in_size = 1, out_size = 1;
  int64_t reduced = 1;  // elements per result

  // dims[i] is reduced where gone[i]; neighbours of the same fate count as one.
  ReducePlan(const int64_t* dims, const bool* gone, int n);

  // Bytes of workspace that reduce() needs for elements of `item` bytes.
  size_t workspace(size_t item) const;
};

// `divisor`: what the result is divided by, 1 but for means.
template <class T>
void reduce(Context& ctx, const ReducePlan& plan, Red op, double divisor, const T* x, T* y, void* workspace);

}  // namespace pk::cpu
