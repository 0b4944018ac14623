// Instruction sets: what this machine has, which one the kernels use, and how a kernel is picked.
//
// Sources under cpp/cpu/isa/ are compiled once per instruction set with PK_ISA naming a namespace; each
// defines the same functions there. Everything else is compiled once, for the baseline, and calls through
// PK_PICK.
#pragma once

#if defined(__x86_64__) || defined(_M_X64)
#define PK_X86 1
#elif defined(__aarch64__)
#define PK_ARM64 1
#endif

namespace pk::cpu {

enum class Isa : int { baseline = 0, avx2 = 1, avx512 = 2, neon = 3 };

const char* isa_name(Isa isa);
bool isa_supported(Isa isa);  // compiled in, and usable on this CPU under this operating system

// The one in use: the best supported, unless PYKERAS_FORCE_ISA or set_isa say otherwise.
Isa current_isa();

// Chooses by name ("baseline", "avx2", "avx512", "neon", or "auto" for the best). False: unknown or
// unsupported.
bool set_isa(const char* name);

// All supported ones, from slow to fast; returns how many were written (at most 4).
int supported_isas(Isa* out);

}  // namespace pk::cpu

// Declares a function that every instruction set defines: PK_PER_ISA(void scale(float* x, long n, float f));
// PK_PICK(scale)(x, n, f) then calls the one in use.
#if defined(PK_X86)
#define PK_PER_ISA(decl) \
  namespace baseline {   \
  decl;                  \
  }                      \
  namespace avx2 {       \
  decl;                  \
  }                      \
  namespace avx512 {     \
  decl;                  \
  }
#define PK_PICK(fn)                                   \
  (::pk::cpu::current_isa() == ::pk::cpu::Isa::avx512 \
       ? ::pk::cpu::avx512::fn                        \
       : (::pk::cpu::current_isa() == ::pk::cpu::Isa::avx2 ? ::pk::cpu::avx2::fn : ::pk::cpu::baseline::fn))
#elif defined(PK_ARM64)
#define PK_PER_ISA(decl) \
  namespace neon {       \
  decl;                  \
  }
#define PK_PICK(fn) (::pk::cpu::neon::fn)
#else
#define PK_PER_ISA(decl) \
  namespace baseline {   \
  decl;                  \
  }
#define PK_PICK(fn) (::pk::cpu::baseline::fn)
#endif
