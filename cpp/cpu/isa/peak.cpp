#include "cpu/isa/peak.h"

#include "cpu/simd.h"

namespace pk::cpu::PK_ISA {

// So many independent chains hide the latency of fma on every machine we know (four cycles times four units
// on ARM) and still have registers. Without FMA the multiplication and the addition count as the two
// operations that they are.
#if defined(__aarch64__)
constexpr int kChains = 20;
#else
constexpr int kChains = 12;
#endif
double fma_burn(int64_t rounds, float* sink) {
  vf32 acc[kChains];
#pragma GCC unroll 20
  for (int i = 0; i < kChains; ++i) acc[i] = set1((float)i);
  const vf32 a = set1(0.999999f), b = set1(1e-6f);
  for (int64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 20
    for (int i = 0; i < kChains; ++i) {
      acc[i] = fma(acc[i], a, b);
      __asm__ volatile("" : "+" PK_VREG(acc[i]));  // keeps the chains apart: no merging, no reordering
    }
  }
  vf32 sum = acc[0];
#pragma GCC unroll 20
  for (int i = 1; i < kChains; ++i) sum = sum + acc[i];
  store(sink, sum);
  return 2.0 * kChains * Simd<float>::n * (double)rounds;
}

}  // namespace pk::cpu::PK_ISA
