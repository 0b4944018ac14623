// The four lanes i, j, k, l of two vectors of 16 bytes, which every instruction set has; b's are 4 to 7. The
// numbers must be constants. GCC has Clang's spelling from version 12 on.
#pragma once

#include <stdint.h>

#if defined(__clang__)
#define PK_SHUFFLE4(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
typedef int32_t pk_lanes4 __attribute__((vector_size(16)));
#define PK_SHUFFLE4(a, b, i, j, k, l) __builtin_shuffle(a, b, pk_lanes4{i, j, k, l})
#endif
