// What the per-ISA transforms of Winograd's convolution and their driver share: plain data only.
#pragma once

#include <stdint.h>

#include "cpu/isa.h"

namespace pk::cpu {

// F(2x2, 3x3): four outputs from a patch of 4x4 inputs by 16 products instead of 36.
constexpr int kWinogradPoints = 16;

#define PK_WINOGRAD_KERNELS(T, suffix)                                                                    \
  /* u[p*step + i] for the 16 points p of n kernels: taps[t*apart + i], tap t at row t/3, column t%3. */  \
  PK_PER_ISA(void winograd_weights_##suffix(const T* taps, int64_t apart, int64_t n, T* u, int64_t step)) \
  /* v[p*step + i], i < c, from the 16 pixels of a patch, row by row, c values each. */                   \
  PK_PER_ISA(void winograd_input_##suffix(const T* const* pixels, int64_t c, T* v, int64_t step))         \
  /* The 2x2 outputs of n values each from m[p*step + i], plus bias (n values or null); relu asked for or \
     not. A null output lies outside the image. */                                                        \
  PK_PER_ISA(void winograd_output_##suffix(const T* m, int64_t step, int64_t n, const T* bias, bool relu, \
                                           T* const* outputs))                                            \
  /* The adjoint of the outputs: w[p*step + i], i < n, from the gradients of the 2x2 outputs. */          \
  PK_PER_ISA(                                                                                             \
      void winograd_output_adjoint_##suffix(const T* const* gradients, int64_t n, T* w, int64_t step))    \
  /* The adjoint of the weights: taps[t][i], i < n, for the 9 taps from u[p*step + i]. */                 \
  PK_PER_ISA(void winograd_weights_adjoint_##suffix(const T* u, int64_t step, int64_t n, T* const* taps))

PK_WINOGRAD_KERNELS(float, f32)
PK_WINOGRAD_KERNELS(double, f64)

}  // namespace pk::cpu
