// Runs a pointwise program; for the pointwise ops and for kernels whose last step is one.
#pragma once

#include "kernels/functors.h"
#include "kernels/table.h"

namespace pk::cpu {

// Registers 0 … n_in-1 are the inputs, which broadcast to the outputs' one shape; each instruction writes the
// next; outputs name the registers that are stored. compute: float32 or float64.
struct PwProgram {
  const PointwiseInstr* code;
  int n_code;
  const uint8_t* outputs;
  int n_outputs;
  DType compute;
};

// Uses in, out and workspace of `a`; the workspace has as many bytes as pointwise_workspace says.
void run_pointwise(Context& ctx, const PwProgram& program, const KernelArgs& a);
size_t pointwise_workspace(const PwProgram& program, const KernelArgs& a);

inline PointwiseInstr pw_instr(PointwiseCode code, int a, int b, int c = 0) {
  PointwiseInstr i;
  i.code = static_cast<uint8_t>(code);
  i.a = static_cast<uint8_t>(a);
  i.b = static_cast<uint8_t>(b);
  i.c = static_cast<uint8_t>(c);
  return i;
}

}  // namespace pk::cpu
