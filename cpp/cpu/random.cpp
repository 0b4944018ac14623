// Draws and dropout: which thread makes which elements does not matter, their numbers decide.
#include "cpu/draws.h"
#include "cpu/parallel.h"
#include "cpu/pointwise.h"
#include "kernels/geometry.h"

namespace pk::cpu {
namespace {

constexpr int64_t kWhole = 512;  // tasks begin at whole blocks of words

template <class T, Draw What>
void run_draw(Context& ctx, const KernelArgs& a) {
  const auto& r = a.attr<RandomAttrs>();
  DrawPlan plan{What, static_cast<uint64_t>(r.seed), a.step, r.a, r.b};
  if (What == Draw::uniform) plan.b = r.b - r.a;
  const int64_t n = a.out[0].size;
  T* y = a.out[0].as<T>();
  parallel(ctx, Split(n, 2, kWhole), n, [&](int64_t begin, int64_t end, int64_t) {
    PK_PICK_T(T, draw)(plan, begin, end - begin, y + begin);
  });
}

// The mask of another shape than x is drawn first, then y = select(mask, x·scale, 0).
struct Masked {
  PointwiseInstr code[2] = {pw_instr(PointwiseCode::mul, 0, 2), pw_instr(PointwiseCode::select, 1, 4, 3)};
  uint8_t output = 5;
  double scale64, zero64 = 0;
  float scale32, zero32 = 0;
  TensorArg in[4];
  KernelArgs args;
  DType dtype;
  explicit Masked(const KernelArgs& a)
      : scale64(1 / (1 - a.attr<DropoutAttrs>().rate)),
        scale32(static_cast<float>(scale64)),
        args(a),
        dtype(a.in[0].dtype()) {
    in[0] = a.in[0];
    in[1].type.dtype = DType::boolean;
    in[1].type.shape = noise_shape(a.attr<DropoutAttrs>(), a.in[0].shape());
    in[1].size = in[1].type.shape.size();
    in[1].data = a.workspace;
    in[2].size = in[3].size = 1;
    in[2].type.dtype = in[3].type.dtype = dtype;
    const bool f64 = dtype == DType::f64;
    in[2].data = f64 ? static_cast<void*>(&scale64) : &scale32;
    in[3].data = f64 ? static_cast<void*>(&zero64) : &zero32;
    args.in = in;
    args.n_in = 4;
    if (a.workspace) args.workspace = static_cast<char*>(a.workspace) + mask_bytes();
  }
  Masked(const Masked&) = delete;
  size_t mask_bytes() const { return static_cast<size_t>((in[1].size + 63) / 64 * 64); }
  PwProgram program() const { return {code, 2, &output, 1, dtype}; }
};

bool same_shape(const KernelArgs& a) {
  return noise_shape(a.attr<DropoutAttrs>(), a.in[0].shape()) == a.in[0].shape();
}

template <class T>
void run_dropout(Context& ctx, const KernelArgs& a) {
  const auto& d = a.attr<DropoutAttrs>();
  const uint64_t seed = static_cast<uint64_t>(d.seed);
  const float rate = static_cast<float>(d.rate);
  if (same_shape(a)) {
    const int64_t n = a.out[0].size;
    const T* x = a.in[0].as<T>();
    T* y = a.out[0].as<T>();
    parallel(ctx, Split(n, 2, kWhole), n, [&](int64_t begin, int64_t end, int64_t) {
      PK_PICK_T(T, dropout)(seed, a.step, rate, 1 / (1 - d.rate), begin, end - begin, x + begin, y + begin);
    });
    return;
  }
  const Masked m(a);
  const int64_t n = m.in[1].size;
  uint8_t* mask = m.in[1].as<uint8_t>();
  parallel(ctx, Split(n, 2, kWhole), n, [&](int64_t begin, int64_t end, int64_t) {
    PK_PICK(dropout_mask)(seed, a.step, rate, begin, end - begin, mask + begin);
  });
  run_pointwise(ctx, m.program(), m.args);
}

size_t dropout_workspace(const Context&, const KernelArgs& a) {
  if (same_shape(a)) return 0;
  const Masked m(a);
  return m.mask_bytes() + pointwise_workspace(m.program(), m.args);
}

const KernelRegistrar registrar("cpu", [](KernelTable& t) {
  t.add("random_uniform", DType::f32, run_draw<float, Draw::uniform>);
  t.add("random_uniform", DType::f64, run_draw<double, Draw::uniform>);
  t.add("random_normal", DType::f32, run_draw<float, Draw::normal>);
  t.add("random_normal", DType::f64, run_draw<double, Draw::normal>);
  t.add("truncated_normal", DType::f32, run_draw<float, Draw::truncated_normal>);
  t.add("truncated_normal", DType::f64, run_draw<double, Draw::truncated_normal>);
  t.add("random_binomial", DType::f32, run_draw<float, Draw::binomial>);
  t.add("random_binomial", DType::f64, run_draw<double, Draw::binomial>);
  Kernel k;
  k.workspace = dropout_workspace;
  k.run = run_dropout<float>;
  t.add("dropout", DType::f32, k);
  k.run = run_dropout<double>;
  t.add("dropout", DType::f64, k);
});

}  // namespace
}  // namespace pk::cpu
