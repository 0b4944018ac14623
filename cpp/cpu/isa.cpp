#include "cpu/isa.h"

#include <atomic>
#include <cstdlib>
#include <cstring>

#if defined(PK_X86)
#include <cpuid.h>
#endif

namespace pk::cpu {
namespace {

constexpr Isa kAll[] = {Isa::baseline, Isa::avx2, Isa::avx512, Isa::neon};

#if defined(PK_X86)
// Which register files the operating system saves on a context switch; without them the CPU flags mean
// nothing.
unsigned long long xcr0() {
  unsigned lo = 0, hi = 0;
  __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
  return (static_cast<unsigned long long>(hi) << 32) | lo;
}

Isa detect() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return Isa::baseline;
  const bool osxsave = c & (1u << 27), avx = c & (1u << 28), fma = c & (1u << 12);
  if (!(osxsave && avx && fma) || (xcr0() & 0x6) != 0x6) return Isa::baseline;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return Isa::baseline;
  if (!(b & (1u << 5))) return Isa::baseline;  // AVX2
  const unsigned f = 1u << 16, dq = 1u << 17, bw = 1u << 30, vl = 1u << 31, all = f | dq | bw | vl;
  if ((b & all) == all && (xcr0() & 0xe6) == 0xe6) return Isa::avx512;
  return Isa::avx2;
}
#elif defined(PK_ARM64)
Isa detect() { return Isa::neon; }
#else
Isa detect() { return Isa::baseline; }
#endif

Isa best() {
  static const Isa value = detect();
  return value;
}

// An unknown or unsupported name in the environment is ignored here: `isa()` shows what is really in use.
Isa initial() {
  const char* forced = std::getenv("PYKERAS_FORCE_ISA");
  if (forced != nullptr) {
    for (Isa isa : kAll) {
      if (std::strcmp(forced, isa_name(isa)) == 0 && isa_supported(isa)) return isa;
    }
  }
  return best();
}

std::atomic<Isa>& current() {
  static std::atomic<Isa> value{initial()};
  return value;
}

}  // namespace

const char* isa_name(Isa isa) {
  static const char* const names[] = {"baseline", "avx2", "avx512", "neon"};
  return names[static_cast<int>(isa)];
}

bool isa_supported(Isa isa) {
  if (best() == Isa::neon) return isa == Isa::neon;
  return isa != Isa::neon && static_cast<int>(isa) <= static_cast<int>(best());
}

Isa current_isa() { return current().load(std::memory_order_relaxed); }

bool set_isa(const char* name) {
  if (std::strcmp(name, "auto") == 0) {
    current().store(best(), std::memory_order_relaxed);
    return true;
  }
  for (Isa isa : kAll) {
    if (std::strcmp(name, isa_name(isa)) == 0 && isa_supported(isa)) {
      current().store(isa, std::memory_order_relaxed);
      return true;
    }
  }
  return false;
}

int supported_isas(Isa* out) {
  int n = 0;
  for (Isa isa : kAll) {
    if (isa_supported(isa)) out[n++] = isa;
  }
  return n;
}

}  // namespace pk::cpu
