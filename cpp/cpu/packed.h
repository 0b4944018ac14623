// What kernels with prepared (packed) weights and fused epilogues share.
#pragma once

#include <cstddef>

#include "core/error.h"
#include "cpu/gemm_types.h"
#include "cpu/isa.h"
#include "kernels/attrs.h"

namespace pk::cpu {

// The layout of packed weights depends on the instruction set; the header says for which it was made, so that
// weights packed before a switch are not misread after it.
constexpr size_t kPackedHeader = 64;

template <class T>
T* write_header(void* to) {
  *static_cast<Isa*>(to) = current_isa();
  return reinterpret_cast<T*>(static_cast<char*>(to) + kPackedHeader);
}

// The packed values, or null if there are none. A plan is made for one instruction set, so the header only
// differs where somebody chose another one while the plan was running.
template <class T>
const T* unpack_header(const void* prepared) {
  if (!prepared) return nullptr;
  if (*static_cast<const Isa*>(prepared) != current_isa())
    throw RuntimeError("the instruction set was changed while a function was running");
  return reinterpret_cast<const T*>(static_cast<const char*>(prepared) + kPackedHeader);
}

// The per-ISA code knows the activations by number.
static_assert(int(Act::none) == 0 && int(Act::relu) == 1 && int(Act::leaky_relu) == 2 && int(Act::elu) == 3 &&
                  int(Act::sigmoid) == 4 && int(Act::tanh) == 5 && int(Act::hard_sigmoid) == 6 &&
                  int(Act::softplus) == 7 && int(Act::softsign) == 8 && int(Act::exp) == 9 &&
                  int(Act::clip) == 10,
              "gemm_impl.h switches over these numbers");

inline ActSpec act_spec(Act act, double alpha, double beta) { return {static_cast<int>(act), alpha, beta}; }

}  // namespace pk::cpu
