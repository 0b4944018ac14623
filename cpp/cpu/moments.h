// Sums per channel for batch normalisation: a channel is a column of rows that follow each other (channels
// last), or a line of its own (channels first). Results are doubles.
#pragma once

#include <stdint.h>

#include "cpu/isa.h"

namespace pk::cpu {
// clang-format off
// Means and sums of squared deviations of the columns of x (rows, channels).
PK_PER_ISA(void column_moments_f32(const float* x, int64_t rows, int64_t channels, double* mean, double* squares))
PK_PER_ISA(void column_moments_f64(const double* x, int64_t rows, int64_t channels, double* mean, double* squares))
// The same of one line.
PK_PER_ISA(void line_moments_f32(const float* x, int64_t n, double* mean, double* squares))
PK_PER_ISA(void line_moments_f64(const double* x, int64_t n, double* mean, double* squares))
// Sums of g and of g·(x - mean) over the columns of g, x (rows, channels).
PK_PER_ISA(void column_products_f32(const float* g, const float* x, const float* mean, int64_t rows, int64_t channels, double* sum, double* products))
PK_PER_ISA(void column_products_f64(const double* g, const double* x, const double* mean, int64_t rows, int64_t channels, double* sum, double* products))
PK_PER_ISA(void line_products_f32(const float* g, const float* x, float mean, int64_t n, double* sum, double* products))
PK_PER_ISA(void line_products_f64(const double* g, const double* x, double mean, int64_t n, double* sum, double* products))
// clang-format on
}  // namespace pk::cpu
