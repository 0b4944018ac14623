#include "cpu/isa/gemm_impl.h"

namespace pk::cpu::PK_ISA {

const GemmKernels<float>& gemm_f32() {
  static const GemmKernels<float> kernels = make_gemm<float>();
  return kernels;
}

}  // namespace pk::cpu::PK_ISA
