#include "cpu/isa/peak.h"

#include "cpu/simd.h"

namespace pk::cpu::PK_ISA {

// Twelve independent chains hide the latency of fma on every machine we know; without FMA the multiplication
// and the addition count as the two operations that they are.
double fma_burn(int64_t rounds, float* sink) {
  vf32 acc[12];
#pragma GCC unroll 12
  for (int i = 0; i < 12; ++i) acc[i] = set1((float)i);
  const vf32 a = set1(0.999999f), b = set1(1e-6f);
  for (int64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) {
      acc[i] = fma(acc[i], a, b);
      __asm__ volatile("" : "+" PK_VREG(acc[i]));  // keeps the chains apart: no merging, no reordering
    }
  }
  vf32 sum = acc[0];
#pragma GCC unroll 12
  for (int i = 1; i < 12; ++i) sum = sum + acc[i];
  store(sink, sum);
  return 2.0 * 12 * Simd<float>::n * (double)rounds;
}

}  // namespace pk::cpu::PK_ISA
