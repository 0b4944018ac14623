#include "cpu/isa/gemm_impl.h"

namespace pk::cpu::PK_ISA {

const GemmKernels<double>& gemm_f64() {
  static const GemmKernels<double> kernels = make_gemm<double>();
  return kernels;
}

}  // namespace pk::cpu::PK_ISA
