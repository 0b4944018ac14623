// Convolutions whose results have few channels (the gradient of an image, the last layer of a generator), or
// many more pixels than their sources (the gradient of a small 'valid' layer): in the direct form they would
// use a few lanes of each vector, or multiply mostly padding. Here every source pixel is multiplied by all
// taps, one product with taps·channels columns, and what reaches a result is added up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/thread_pool.h"
#include "cpu/conv.h"
#include "cpu/gemm_types.h"
#include "cpu/spread_types.h"

namespace pk::cpu {

// x (n, z.in, y.in, x.in, depth), results (n, z.out, y.out, x.out, c). Of an image, rows are planes of one
// row.
struct NarrowShape {
  int64_t n, depth, c;
  SpreadAxis z, y, x;
  int64_t taps() const { return z.taps * y.taps * x.taps; }
  int64_t columns() const { return taps() * c; }
};

// The convolution, or the gradient of its input, in this form, where it is the faster way: that depends on
// one image alone, never on the batch.
template <class T>
std::optional<NarrowShape> narrow_forward(const ConvShape& s);
template <class T>
std::optional<NarrowShape> narrow_input_grad(const ConvShape& s);

// The kernel as the product wants it, (depth, taps·c): its bytes, the same number for every ISA.
template <class T>
size_t narrow_weight_bytes(const NarrowShape& s);
// From k (kd, kh, kw, depth, c); with `gradient` from k (kd, kh, kw, c, depth), whose taps keep their order.
template <class T>
void narrow_weights(const NarrowShape& s, const T* k, bool gradient, T* to);

template <class T>
size_t narrow_workspace(const ThreadPool& pool, const NarrowShape& s);

// y = act(conv(x) + bias) with weights that narrow_weights made.
template <class T>
void narrow_conv(ThreadPool& pool, const NarrowShape& s, const T* x, const T* weights, const T* bias,
                 const ActSpec& act, T* y, void* workspace);

}  // namespace pk::cpu
