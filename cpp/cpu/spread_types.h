// What the per-ISA part of the narrow convolutions and their driver share: plain data only.
#pragma once

#include <stdint.h>

#include "cpu/isa.h"

namespace pk::cpu {

// Sources spread along one axis: source s reaches, under tap t, result s*stride + t*dilation - before. The
// stride or the dilation is 1.
struct SpreadAxis {
  int64_t in, out, taps, stride, dilation, before;
};

// What reaches one result: source `source - i*dilation` under tap `tap + i*stride`, for i < count. Sources
// outside [0, in) do not exist.
struct Reaching {
  int64_t source, tap, count;
};
static inline Reaching reaching(const SpreadAxis& a, int64_t result) {
  const int64_t at = result + a.before;
  int64_t tap = at % a.stride;
  if (tap < 0) tap += a.stride;
  return {(at - tap) / a.stride, tap, tap < a.taps ? (a.taps - tap + a.stride - 1) / a.stride : 0};
}

// One row of results, `to` (x.out, c), from `n` rows of products: parts[r] + s*step holds those of source s
// with the row's taps, (x.taps, c), of which whole vectors are read. First the rows are added up, in their
// order, into v: for each source that many values, rounded up to whole vectors.
PK_PER_ISA(void spread_row_f32(const float* const* parts, int64_t n, int64_t step, const SpreadAxis& x,
                               int64_t c, float* v, float* to))
PK_PER_ISA(void spread_row_f64(const double* const* parts, int64_t n, int64_t step, const SpreadAxis& x,
                               int64_t c, double* v, double* to))

}  // namespace pk::cpu
