#pragma once

#include <stdint.h>

#include "cpu/isa.h"

#if defined(__aarch64__)
#define PK_VREG "w"
#elif defined(__AVX512F__)
#define PK_VREG "v"
#else
#define PK_VREG "x"
#endif

namespace pk::cpu {

// Runs `rounds` rounds of vector fma on registers and returns how many float32 operations that was.
// sink: at least 16 floats.
PK_PER_ISA(double fma_burn(int64_t rounds, float* sink))

}  // namespace pk::cpu
