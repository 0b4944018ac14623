// What the block interpreter of pointwise programs runs (cpu/isa/pointwise.cpp). Plain data only: the
// interpreter is compiled once per instruction set, the planner (cpu/pointwise.cpp) once.
#pragma once

#include <stdint.h>

#include "cpu/isa.h"

namespace pk::cpu {

constexpr int64_t kPwBlock = 512;       // elements worked on at a time: a few such blocks stay in L1
constexpr int64_t kPwMaxPeriod = 2048;  // rows up to this long are repeated into scratch
constexpr int kPwMaxRegs = 256;
constexpr int kPwMaxInputs = 64;
constexpr int kPwMaxOutputs = 32;

// DType again, for sources that must not include the standard library.
enum class Elem : uint8_t { f32, f64, i32, i64, u8, boolean };

enum class PwLoad : uint8_t {
  direct,    // the output's shape: read in place
  convert,   // the output's shape, another dtype: converted block by block
  scalar,    // one element, spread over a block once
  repeated,  // a short row that repeats: laid out once, one block longer than the row
  periodic,  // a long row that repeats: read in place, copied only where it wraps
  strided    // anything else: runs of copies and fills
};

struct PwInput {
  const void* data;
  uint8_t dtype;  // an Elem
  PwLoad mode;
  int rank;  // of the dimensions below: those of the output, collapsed for this input
  int64_t dims[8], strides[8];
  int64_t period;   // repeated, periodic
  int64_t scratch;  // where its scratch begins, in elements; -1: none
};

struct PwOp {
  uint8_t code, a, b, c;
  bool stores;  // writes straight into output `to`, else into scratch at `to`
  int64_t to;
  double p, q;
};

struct PwOutput {
  void* data;
  uint8_t dtype;
  uint8_t reg;
  bool direct;  // its op writes it; otherwise it is copied or converted from the register
};

// `regs` of the inputs come first, then one per op.
struct PwPlan {
  int n_in, n_ops, n_out;
  int64_t size;     // elements of every output
  int64_t scratch;  // elements of scratch that a task needs
  PwInput in[kPwMaxInputs];
  PwOp ops[kPwMaxRegs];
  PwOutput out[kPwMaxOutputs];
};

// Elements [begin, end) of all outputs, computed in float or double. `scratch`: plan.scratch elements.
// clang-format off
PK_PER_ISA(void pw_run_f32(const PwPlan& plan, int64_t begin, int64_t end, float* scratch))
PK_PER_ISA(void pw_run_f64(const PwPlan& plan, int64_t begin, int64_t end, double* scratch))
// Converts n elements between any two dtypes (numbers of Elem).
PK_PER_ISA(void convert(void* to, int to_dtype, const void* from, int from_dtype, int64_t n))
// clang-format on

}  // namespace pk::cpu
