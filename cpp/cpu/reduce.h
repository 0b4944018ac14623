// Reductions over any axes, for the ops that reduce and the gradients that undo broadcasting or repeating.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace pk::cpu {

enum class Red : int { sum, prod, max, min };

constexpr int64_t kRowChunk = 4096;  // elements of a row that are added before the sum goes to double

// The loops, per instruction set. Partial results are doubles; a row's result depends on nothing but the row.
// clang-format off
// out[r] = reduction of x[r·n … r·n + n) / divisor
PK_PER_ISA(void red_rows_f32(Red op, const float* x, int64_t rows, int64_t n, double divisor, float* out))
PK_PER_ISA(void red_rows_f64(Red op, const double* x, int64_t rows, int64_t n, double divisor, double* out))
// one partial result per kRowChunk elements of x (n)
PK_PER_ISA(void red_partials_f32(Red op, const float* x, int64_t n, double* partials))
PK_PER_ISA(void red_partials_f64(Red op, const double* x, int64_t n, double* partials))
// acc (width) = acc with the columns of x (rows, width), whose rows are `stride` apart
PK_PER_ISA(void red_cols_f32(Red op, const float* x, int64_t rows, int64_t width, int64_t stride, double* acc))
PK_PER_ISA(void red_cols_f64(Red op, const double* x, int64_t rows, int64_t width, int64_t stride, double* acc))
// first position of the largest (smallest) element, or of the first NaN, along the middle of (outer, n, inner)
PK_PER_ISA(void arg_extremum_f32(bool max, const float* x, int64_t outer, int64_t n, int64_t inner, int64_t* out))
PK_PER_ISA(void arg_extremum_f64(bool max, const double* x, int64_t outer, int64_t n, int64_t inner, int64_t* out))
// running sums or products along the middle of (outer, n, inner); y_k = a_k·y_(k-1) + b_k
PK_PER_ISA(void running_f32(bool prod, bool exclusive, bool reverse, const float* x, int64_t outer, int64_t n, int64_t inner, float* y))
PK_PER_ISA(void running_f64(bool prod, bool exclusive, bool reverse, const double* x, int64_t outer, int64_t n, int64_t inner, double* y))
PK_PER_ISA(void linear_scan_f32(bool reverse, const float* a, const float* b, int64_t outer, int64_t n, int64_t inner, float* y))
PK_PER_ISA(void linear_scan_f64(bool reverse, const double* a, const double* b, int64_t outer, int64_t n, int64_t inner, double* y))
// clang-format on

}  // namespace pk::cpu
