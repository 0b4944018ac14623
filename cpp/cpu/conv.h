// Convolution on the CPU, NHWC with HWIO kernels, float and double: implicit matrix products, no im2col in
// memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/thread_pool.h"
#include "cpu/conv_types.h"
#include "cpu/gemm_types.h"

namespace pk::cpu {

// x (n, h, w, c), kernel (kh, kw, c, co), y (n, oh, ow, co); top and left are the zeros in front.
struct ConvShape {
  int64_t n, h, w, c, kh, kw, co, oh, ow;
  int64_t sh, sw, top, left, dh, dw;
  int64_t macs() const { return n * oh * ow * co * kh * kw * c; }
  bool is_matmul() const {
    return kh == 1 && kw == 1 && sh == 1 && sw == 1 && top == 0 && left == 0 && oh == h && ow == w;
  }
};

// y = act(conv(x, k) + bias). Each image's result is independent of its batch, and of the number of threads.
template <class T>
size_t conv_workspace(const ConvShape& s);
template <class T>
void conv(ThreadPool& pool, const ConvShape& s, const T* x, const T* k, const T* packed_k, const T* bias,
          const ActSpec& act, T* y, void* workspace);

// dx (n, h, w, c) from g (n, oh, ow, co)
template <class T>
size_t conv_input_grad_workspace(const ConvShape& s);
template <class T>
void conv_input_grad(ThreadPool& pool, const ConvShape& s, const T* g, const T* k, T* dx, void* workspace);

// dk (kh, kw, c, co) from x and g; sums over the batch in an order that the shape alone decides.
template <class T>
size_t conv_kernel_grad_workspace(const ConvShape& s);
template <class T>
void conv_kernel_grad(ThreadPool& pool, const ConvShape& s, const T* x, const T* g, T* dk, void* workspace);

}  // namespace pk::cpu
