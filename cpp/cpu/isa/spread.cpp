// The sums of the narrow convolutions: every source has been multiplied by all taps, and what reaches a
// result is added up.
#include "cpu/simd.h"
#include "cpu/spread_types.h"

namespace pk::cpu::PK_ISA {
namespace {

// v, `width` values for each source, (+)= the sum of R parts.
template <class T, int R>
void sum_parts(const T* const* parts, int64_t step, int64_t sources, int64_t width, bool add, T* v) {
  constexpr int VL = Simd<T>::n;
  for (int64_t s = 0; s < sources; ++s)
    for (int64_t i = 0; i < width; i += VL, v += VL) {
      auto sum = load(parts[0] + s * step + i);
      if (add) sum = load(v) + sum;
#pragma GCC unroll 4
      for (int r = 1; r < R; ++r) sum = sum + load(parts[r] + s * step + i);
      store(v, sum);
    }
}

// Results have few channels: 16 bytes of them at a time, which every instruction set has vectors for.
template <class T>
struct Piece {
  typedef T type __attribute__((vector_size(16)));
};

// Results first, first + stride, … of a row of C channels (0: any number). Their sources are neighbours.
template <class T, int C>
void gather(const SpreadAxis& x, int64_t first, int64_t any, int64_t width, const T* v, T* to) {
  using P = typename Piece<T>::type;
  constexpr int64_t n = sizeof(P) / sizeof(T);
  const int64_t c = C > 0 ? C : any;
  const Reaching at = reaching(x, first);
  const int64_t results = (x.out - first + x.stride - 1) / x.stride;
  const int64_t hop = x.stride * c - x.dilation * width;  // from one term of a sum to the next
  for (int64_t m = 0; m < results; ++m) {
    // Terms [i0, i1) exist.
    const int64_t last = at.source + m, spare = last - (x.in - 1);
    const int64_t i0 = spare <= 0 ? 0 : (spare + x.dilation - 1) / x.dilation;
    int64_t i1 = at.count;
    if (last < (i1 - 1) * x.dilation) i1 = last < 0 ? 0 : last / x.dilation + 1;
    const T* from = v + last * width + at.tap * c;
    T* result = to + (first + m * x.stride) * c;
    int64_t j = 0;
    for (; j + n <= c; j += n) {
      P sum = {}, term;
      for (int64_t i = i0; i < i1; ++i) memcpy(&term, from + i * hop + j, sizeof term), sum += term;
      memcpy(result + j, &sum, sizeof sum);
    }
    for (; j < c; ++j) {
      T sum = T(0);
      for (int64_t i = i0; i < i1; ++i) sum += from[i * hop + j];
      result[j] = sum;
    }
  }
}

template <class T>
void spread_row(const T* const* parts, int64_t n, int64_t step, const SpreadAxis& x, int64_t c, T* v, T* to) {
  constexpr int VL = Simd<T>::n;
  if (n == 0) {
    for (int64_t i = 0; i < x.out * c; ++i) to[i] = T(0);
    return;
  }
  const int64_t width = (x.taps * c + VL - 1) / VL * VL;
  for (int64_t r = 0; r < n; r += 4) {
    const auto sum = n - r >= 4   ? sum_parts<T, 4>
                     : n - r == 3 ? sum_parts<T, 3>
                     : n - r == 2 ? sum_parts<T, 2>
                                  : sum_parts<T, 1>;
    sum(parts + r, step, x.in, width, r > 0, v);
  }
  const auto phase = c == 1 ? gather<T, 1> : c == 2 ? gather<T, 2> : c == 3 ? gather<T, 3> : gather<T, 0>;
  for (int64_t first = 0; first < x.stride && first < x.out; ++first) phase(x, first, c, width, v, to);
}

}  // namespace

void spread_row_f32(const float* const* parts, int64_t n, int64_t step, const SpreadAxis& x, int64_t c,
                    float* v, float* to) {
  spread_row(parts, n, step, x, c, v, to);
}
void spread_row_f64(const double* const* parts, int64_t n, int64_t step, const SpreadAxis& x, int64_t c,
                    double* v, double* to) {
  spread_row(parts, n, step, x, c, v, to);
}

}  // namespace pk::cpu::PK_ISA
