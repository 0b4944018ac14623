// What the per-ISA pooling and depthwise kernels share with their drivers: plain data only.
#pragma once

#include <stdint.h>

#include "cpu/isa.h"

namespace pk::cpu {

// Windows of kh x kw cells, dh and dw apart, over an image (h, w, c); window (y, x) of (oh, ow) begins at row
// y*sh - top, column x*sw - left. Cells outside the image do not exist.
// Volumes are stacks of such images: kd of them to a window, sd from window to window of od.
struct WindowGrid {
  int64_t h, w, c, oh, ow;
  int64_t kh, kw, sh, sw, top, left, dh, dw;
  int64_t d = 1, od = 1, kd = 1, sd = 1, front = 0;
};

// All of these work on rows [r0, r1) of output windows, counted over the batch and depth: row r is row r % oh
// of plane r / oh, which is plane r / oh % od of volume r / oh / od. x (n, d, h, w, c), y and g (n, od, oh,
// ow, c); only the poolings know depths other than 1.
#define PK_POOL_KERNELS(T, suffix)                                                                        \
  PK_PER_ISA(void max_pool_##suffix(const WindowGrid& w, const T* x, T* y, int64_t r0, int64_t r1))       \
  PK_PER_ISA(void avg_pool_##suffix(const WindowGrid& w, const T* x, T* y, int64_t r0, int64_t r1))       \
  /* y = gg at the first cell of the window that equals the maximum m */                                  \
  PK_PER_ISA(void max_pick_##suffix(const WindowGrid& w, const T* gg, const T* x, const T* m, T* y,       \
                                    int64_t r0, int64_t r1))                                              \
  /* dx of the cells that belong to [r0, r1), which is part of one plane of windows, or all of a volume:  \
     from the first row of window row r0 (the plane's first if r0 is) to that of r1 (its last), in the    \
     planes from the first of its window plane to that of the next. Windows that overlap across rows need \
     all rows of the plane in one call, such that overlap across planes the whole volume. */              \
  PK_PER_ISA(void max_grad_##suffix(const WindowGrid& w, const T* g, const T* x, const T* m, T* dx,       \
                                    int64_t r0, int64_t r1))                                              \
  PK_PER_ISA(void avg_grad_##suffix(const WindowGrid& w, const T* g, T* dx, int64_t r0, int64_t r1))      \
  /* Depthwise: k (kh, kw, c), k_step elements from one tap to the next. */                               \
  PK_PER_ISA(void depthwise_##suffix(const WindowGrid& w, const T* x, const T* k, int64_t k_step, T* y,   \
                                     int64_t r0, int64_t r1))                                             \
  /* dx of rows [r0, r1) of the image, counted over the batch */                                          \
  PK_PER_ISA(void depthwise_input_grad_##suffix(const WindowGrid& w, const T* g, const T* k, T* dx,       \
                                                int64_t r0, int64_t r1))                                  \
  /* dk (kh, kw, c) of the window rows given, added to what is there */                                   \
  PK_PER_ISA(void depthwise_kernel_grad_##suffix(const WindowGrid& w, const T* x, const T* g, T* dk,      \
                                                 int64_t r0, int64_t r1))

PK_POOL_KERNELS(float, f32)
PK_POOL_KERNELS(double, f64)

// PK_TYPED(max_pool, T)(…) calls the kernel of the type and instruction set.
#define PK_TYPED(name, T)           \
  [](auto... args) {                \
    if constexpr (sizeof(T) == 4)   \
      PK_PICK(name##_f32)(args...); \
    else                            \
      PK_PICK(name##_f64)(args...); \
  }

}  // namespace pk::cpu
