// Random draws, vectorised; the numbers are those of kernels/random.h. `from` is the number of the first
// element and a multiple of 4 (a block of Philox gives four).
#pragma once

#include <stdint.h>

#include "cpu/isa.h"

namespace pk::cpu {

enum class Draw : int { uniform, normal, truncated_normal, binomial };

struct DrawPlan {
  Draw what;
  uint64_t seed, step;
  double a, b;  // min and max - min; mean and stddev; probability
};

// clang-format off
PK_PER_ISA(void draw_f32(const DrawPlan& plan, int64_t from, int64_t n, float* y))
PK_PER_ISA(void draw_f64(const DrawPlan& plan, int64_t from, int64_t n, double* y))
// y = x·scale where the element is kept, else 0; y may be x
PK_PER_ISA(void dropout_f32(uint64_t seed, uint64_t step, float rate, double scale, int64_t from, int64_t n, const float* x, float* y))
PK_PER_ISA(void dropout_f64(uint64_t seed, uint64_t step, float rate, double scale, int64_t from, int64_t n, const double* x, double* y))
// 1 where the element is kept
PK_PER_ISA(void dropout_mask(uint64_t seed, uint64_t step, float rate, int64_t from, int64_t n, uint8_t* y))
// clang-format on

}  // namespace pk::cpu
