// Softmax over the middle of (outer, n, inner); y may be x.
#pragma once

#include <stdint.h>

#include "cpu/isa.h"

namespace pk::cpu {
// clang-format off
PK_PER_ISA(void softmax_f32(bool log, const float* x, int64_t outer, int64_t n, int64_t inner, float* y))
PK_PER_ISA(void softmax_f64(bool log, const double* x, int64_t outer, int64_t n, int64_t inner, double* y))
// clang-format on
}  // namespace pk::cpu
