// Convolution of images (NHWC, kernels HWIO) and volumes (NDHWC, DHWIO) on the CPU, float and double:
// implicit matrix products, no im2col in memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/thread_pool.h"
#include "cpu/conv_types.h"
#include "cpu/gemm_types.h"

namespace pk::cpu {

// x (n, d, h, w, c), kernel (kd, kh, kw, c, co), y (n, od, oh, ow, co); front, top and left are the zeros
// before the data. An image has d = kd = od = 1.
struct ConvShape {
  int64_t n, c, co;
  int64_t d, h, w, kd, kh, kw, od, oh, ow;
  int64_t sd, sh, sw, front, top, left, dd, dh, dw;
  int64_t taps() const { return kd * kh * kw; }
  int64_t pixels() const { return n * od * oh * ow; }
  int64_t macs() const { return pixels() * co * taps() * c; }
  bool is_matmul() const {
    return taps() == 1 && sd == 1 && sh == 1 && sw == 1 && front == 0 && top == 0 && left == 0 && od == d &&
           oh == h && ow == w;
  }
};

inline TapGrid forward_grid(const ConvShape& s) {
  return {s.d,      s.h,    s.w,     s.c,  s.od, s.oh, s.ow, s.sd, s.sh, s.sw,
          -s.front, -s.top, -s.left, s.kd, s.kh, s.kw, s.dd, s.dh, s.dw};
}

// y = act(conv(x, k) + bias). Each image's result is independent of its batch, and of the number of threads.
// The kernel may have been packed before: conv_packed_bytes tells how large that form is (0 where the kernel
// is read as it is), and `packed` whether it will be there.
template <class T>
size_t conv_packed_bytes(const ConvShape& s);
template <class T>
void conv_pack(ThreadPool& pool, const ConvShape& s, const T* k, T* to);
template <class T>
size_t conv_workspace(const ThreadPool& pool, const ConvShape& s, bool packed);
template <class T>
void conv(ThreadPool& pool, const ConvShape& s, const T* x, const T* k, const T* packed_k, const T* bias,
          const ActSpec& act, T* y, void* workspace);

// dx (n, d, h, w, c) from g (n, od, oh, ow, co)
template <class T>
size_t conv_input_grad_workspace(const ThreadPool& pool, const ConvShape& s);
template <class T>
void conv_input_grad(ThreadPool& pool, const ConvShape& s, const T* g, const T* k, T* dx, void* workspace);

// dk (kd, kh, kw, c, co) from x and g; sums over the batch in an order that the shape alone decides.
template <class T>
size_t conv_kernel_grad_workspace(const ThreadPool& pool, const ConvShape& s);
template <class T>
void conv_kernel_grad(ThreadPool& pool, const ConvShape& s, const T* x, const T* g, T* dk, void* workspace);

}  // namespace pk::cpu
