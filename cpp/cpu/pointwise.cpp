// Pointwise ops and fused chains of them: plans a program for the block interpreter and runs it in parallel.
#include "cpu/pointwise.h"

#include "cpu/parallel.h"
#include "cpu/pointwise_plan.h"

namespace pk::cpu {
namespace {

static_assert(static_cast<int>(Elem::f32) == static_cast<int>(DType::f32) &&
                  static_cast<int>(Elem::f64) == static_cast<int>(DType::f64) &&
                  static_cast<int>(Elem::i32) == static_cast<int>(DType::i32) &&
                  static_cast<int>(Elem::i64) == static_cast<int>(DType::i64) &&
                  static_cast<int>(Elem::u8) == static_cast<int>(DType::u8) &&
                  static_cast<int>(Elem::boolean) == static_cast<int>(DType::boolean),
              "Elem mirrors DType");

int arity(uint8_t code) {
  enum {
#define X(name) unary_##name,
    PK_UNARY_OPS(X) n_unary
#undef X
  };
  enum {
#define X(name) binary_##name,
    PK_BINARY_OPS(X) n_binary
#undef X
  };
  return code < n_unary ? 1 : code < n_unary + n_binary ? 2 : 3;
}

bool overlap(const TensorArg& a, const TensorArg& b) {
  const char* pa = static_cast<const char*>(a.data);
  const char* pb = static_cast<const char*>(b.data);
  return pa < pb + b.type.bytes() && pb < pa + a.type.bytes();
}

// How `in` is walked while the output is written front to back.
void plan_input(PwInput& to, const TensorArg& in, const TensorArg& out, DType compute) {
  to.data = in.data;
  to.dtype = static_cast<uint8_t>(in.dtype());
  to.scratch = -1;
  to.rank = 0;
  to.period = 1;
  if (in.size == out.size) {  // broadcasting never keeps the size but by adding ones
    to.mode = in.dtype() == compute ? PwLoad::direct : PwLoad::convert;
    return;
  }
  if (in.size == 1) {
    to.mode = PwLoad::scalar;
    return;
  }
  const Shape &os = out.shape(), &is = in.shape();
  int64_t stride = 1;
  int64_t dims[kMaxRank], strides[kMaxRank];  // innermost first
  for (int d = os.rank() - 1, k = is.rank() - 1; d >= 0; --d, --k) {
    const int64_t n = os[d], m = k >= 0 ? is[k] : 1;
    if (n == 1) continue;
    const int64_t s = m == 1 ? 0 : stride;
    stride *= m;
    const int last = to.rank - 1;
    if (last >= 0 && s == dims[last] * strides[last]) {
      dims[last] *= n;
    } else {
      dims[to.rank] = n;
      strides[to.rank++] = s;
    }
  }
  for (int d = 0; d < to.rank; ++d) {
    to.dims[d] = dims[to.rank - 1 - d];
    to.strides[d] = strides[to.rank - 1 - d];
  }
  to.mode = PwLoad::strided;
  if (to.rank == 2 && to.strides[0] == 0 && to.strides[1] == 1) {
    to.period = to.dims[1];
    to.mode = to.period <= kPwMaxPeriod ? PwLoad::repeated : PwLoad::periodic;
  }
}

// `pessimistic`: before the pointers are known, every result is assumed to need scratch.
void make_plan(PwPlan& plan, const PwProgram& program, const KernelArgs& a, bool pessimistic) {
  PK_ASSERT(a.n_in <= kPwMaxInputs && a.n_out <= kPwMaxOutputs && a.n_in + program.n_code <= kPwMaxRegs);
  plan.n_in = a.n_in;
  plan.n_ops = program.n_code;
  plan.n_out = program.n_outputs;
  plan.size = a.out[0].size;
  plan.scratch = 0;
  for (int k = 0; k < a.n_in; ++k) {
    PwInput& in = plan.in[k];
    plan_input(in, a.in[k], a.out[0], program.compute);
    if (in.mode == PwLoad::direct) continue;
    in.scratch = plan.scratch;
    plan.scratch += kPwBlock + (in.mode == PwLoad::repeated ? (in.period + 15) / 16 * 16 : 0);
  }

  constexpr int kNever = -1, kAlways = kPwMaxRegs;
  int last_use[kPwMaxRegs];
  const int n_regs = a.n_in + program.n_code;
  std::fill_n(last_use, n_regs, kNever);
  for (int i = 0; i < program.n_code; ++i) {
    const PointwiseInstr& c = program.code[i];
    const int n = arity(c.code);
    last_use[c.a] = i;
    if (n > 1) last_use[c.b] = i;
    if (n > 2) last_use[c.c] = i;
  }

  // Which results go straight to memory. An output may share memory with an input of its size; then what
  // is written must not be read as the input any more.
  int16_t direct_to[kPwMaxRegs];
  std::fill_n(direct_to, n_regs, int16_t{-1});
  for (int o = 0; o < program.n_outputs; ++o) {
    const int reg = program.outputs[o];
    PwOutput& out = plan.out[o];
    out.data = a.out[o].data;
    out.dtype = static_cast<uint8_t>(a.out[o].dtype());
    out.reg = static_cast<uint8_t>(reg);
    out.direct = !pessimistic && reg >= a.n_in && direct_to[reg] < 0 && a.out[o].dtype() == program.compute;
    for (int k = 0; k < a.n_in && out.direct; ++k) {
      bool stored = false;
      for (int other = 0; other < program.n_outputs; ++other) stored = stored || program.outputs[other] == k;
      if (overlap(a.out[o], a.in[k])) out.direct = !stored && last_use[k] <= reg - a.n_in;
    }
    if (out.direct) direct_to[reg] = static_cast<int16_t>(o);
  }
  for (int o = 0; o < program.n_outputs; ++o)
    if (!plan.out[o].direct) last_use[program.outputs[o]] = kAlways;

  int64_t spare[kPwMaxRegs], slot[kPwMaxRegs];  // blocks that can be used again; a register's own
  int n_spare = 0;
  for (int i = 0; i < program.n_code; ++i) {
    const PointwiseInstr& c = program.code[i];
    const int n = arity(c.code), reg = a.n_in + i;
    const auto release = [&](int r) {
      if (r >= a.n_in && last_use[r] == i && direct_to[r] < 0) {
        spare[n_spare++] = slot[r];
        last_use[r] = kNever;  // an operand may come twice
      }
    };
    release(c.a);
    if (n > 1) release(c.b);
    if (n > 2) release(c.c);
    PwOp& op = plan.ops[i];
    op.code = c.code;
    op.a = c.a;
    op.b = n > 1 ? c.b : c.a;
    op.c = n > 2 ? c.c : c.a;
    op.p = c.p;
    op.q = c.q;
    op.stores = direct_to[reg] >= 0;
    if (op.stores) {
      op.to = direct_to[reg];
      continue;
    }
    if (n_spare > 0) {
      op.to = spare[--n_spare];
    } else {
      op.to = plan.scratch;
      plan.scratch += kPwBlock;
    }
    slot[reg] = op.to;
    if (last_use[reg] == kNever) spare[n_spare++] = op.to;  // a result that nobody wants
  }
}

Split split_of(int64_t size) { return Split(size, 1, kPwBlock); }

}  // namespace

void run_pointwise(Context& ctx, const PwProgram& program, const KernelArgs& a) {
  if (a.out[0].size == 0) return;
  PwPlan plan;
  make_plan(plan, program, a, false);
  parallel(ctx, split_of(plan.size), plan.size, [&](int64_t begin, int64_t end, int64_t task) {
    if (program.compute == DType::f64)
      PK_PICK(pw_run_f64)(plan, begin, end, static_cast<double*>(a.workspace) + task * plan.scratch);
    else
      PK_PICK(pw_run_f32)(plan, begin, end, static_cast<float*>(a.workspace) + task * plan.scratch);
  });
}

size_t pointwise_workspace(const PwProgram& program, const KernelArgs& a) {
  if (a.out[0].size == 0) return 0;
  PwPlan plan;
  make_plan(plan, program, a, true);
  return static_cast<size_t>(split_of(plan.size).tasks * plan.scratch) * dtype_size(program.compute);
}

namespace {

PwProgram fused_program(const KernelArgs& a) {
  const PointwiseProgram& p = a.attr<PointwiseProgram>();
  return {p.code.data(), static_cast<int>(p.code.size()), p.outputs.data(),
          static_cast<int>(p.outputs.size()), p.compute};
}

struct OneOp {
  PointwiseInstr instr;
  uint8_t output;
  DType compute;
  PwProgram program() const { return {&instr, 1, &output, 1, compute}; }
};

template <PointwiseCode C>
OneOp one_op(const KernelArgs& a) {
  OneOp op;
  op.instr.code = static_cast<uint8_t>(C);
  op.instr.b = 1;
  op.instr.c = 2;
  op.output = static_cast<uint8_t>(a.n_in);
  const DType t = a.in[C == PointwiseCode::select ? 1 : 0].dtype();
  op.compute = t == DType::f64 ? DType::f64 : DType::f32;  // booleans are worked on as 0.0f and 1.0f
  if (C == PointwiseCode::leaky_relu || C == PointwiseCode::elu || C == PointwiseCode::leaky_relu_grad ||
      C == PointwiseCode::elu_grad) {
    op.instr.p = a.attr<AlphaAttrs>().alpha;
  } else if (C == PointwiseCode::clip || C == PointwiseCode::clip_grad) {
    op.instr.p = a.attr<ClipAttrs>().min;
    op.instr.q = a.attr<ClipAttrs>().max;
  }
  return op;
}

template <PointwiseCode C>
Kernel one_op_kernel() {
  Kernel k;
  k.run = [](Context& ctx, const KernelArgs& a) {
    const OneOp op = one_op<C>(a);
    run_pointwise(ctx, op.program(), a);
  };
  k.workspace = [](const Context&, const KernelArgs& a) {
    const OneOp op = one_op<C>(a);
    return pointwise_workspace(op.program(), a);
  };
  return k;
}

void run_cast(Context& ctx, const KernelArgs& a) {
  const TensorArg &in = a.in[0], &out = a.out[0];
  const size_t from = dtype_size(in.dtype()), to = dtype_size(out.dtype());
  parallel(ctx, split_of(out.size), out.size, [&](int64_t begin, int64_t end, int64_t) {
    PK_PICK(convert)(out.as<char>() + static_cast<size_t>(begin) * to, static_cast<int>(out.dtype()),
                     in.as<char>() + static_cast<size_t>(begin) * from, static_cast<int>(in.dtype()),
                     end - begin);
  });
}

const KernelRegistrar registrar("cpu", [](KernelTable& t) {
#define X(name) \
  for (DType d : {DType::f32, DType::f64}) t.add(#name, d, one_op_kernel<PointwiseCode::name>());
  PK_UNARY_OPS(X)
  PK_BINARY_OPS(X)
  PK_TERNARY_OPS(X)
#undef X
  t.add("logical_not", DType::boolean, one_op_kernel<PointwiseCode::logical_not>());
  t.add("logical_and", DType::boolean, one_op_kernel<PointwiseCode::logical_and>());
  t.add("logical_or", DType::boolean, one_op_kernel<PointwiseCode::logical_or>());
  Kernel fused;
  fused.run = [](Context& ctx, const KernelArgs& a) { run_pointwise(ctx, fused_program(a), a); };
  fused.workspace = [](const Context&, const KernelArgs& a) {
    return pointwise_workspace(fused_program(a), a);
  };
  for (int d = 0; d < kDTypes; ++d) t.add("fused_pointwise", static_cast<DType>(d), fused);
  t.add_all("cast", run_cast);
});

}  // namespace
}  // namespace pk::cpu
