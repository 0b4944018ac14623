// The ops that rewrite passes make: the same computation as the simple ops they replace.
#include <array>

#include "kernels/functors.h"
#include "reference/common.h"

namespace pk::reference {
namespace {

template <class T>
T instruction(const PointwiseInstr& i, const T* r) {
  const T a = r[i.a], b = r[i.b], c = r[i.c], p = static_cast<T>(i.p), q = static_cast<T>(i.q);
  switch (static_cast<PointwiseCode>(i.code)) {
#define X(name)             \
  case PointwiseCode::name: \
    return fn::name(a, p, q);
    PK_UNARY_OPS(X)
#undef X
#define X(name)             \
  case PointwiseCode::name: \
    return fn::name(a, b, p, q);
    PK_BINARY_OPS(X)
#undef X
    case PointwiseCode::select:
      return fn::select(a, b, c);
    case PointwiseCode::count:
      break;
  }
  return T(0);
}

constexpr int kRegisters = 256;  // a register's number is one byte

// Element by element: inputs are read (broadcast) into registers, the program runs, results are stored.
template <class T>
void run_program(const KernelArgs& a, const PointwiseProgram& program) {
  const Shape& shape = a.out[0].shape();
  std::array<Strides, kRegisters> strides;
  for (int k = 0; k < a.n_in; ++k) strides[static_cast<size_t>(k)] = broadcast(a.in[k].shape(), shape);
  T r[kRegisters] = {};
  const Strides own = row_major(shape);
  for (int64_t i = 0; i < a.out[0].size; ++i) {
    for (int k = 0; k < a.n_in; ++k) {
      int64_t at = 0;
      for (size_t d = 0; d < static_cast<size_t>(shape.rank()); ++d)
        at += i / own[d] % shape[static_cast<int>(d)] * strides[static_cast<size_t>(k)][d];
      r[k] =
          a.in[k].dtype() == DType::boolean ? static_cast<T>(a.in[k].as<uint8_t>()[at]) : a.in[k].as<T>()[at];
    }
    int next = a.n_in;
    for (const PointwiseInstr& step : program.code) r[next++] = instruction(step, r);
    for (int k = 0; k < a.n_out; ++k) {
      const T value = r[program.outputs[static_cast<size_t>(k)]];
      if (a.out[k].dtype() == DType::boolean)
        a.out[k].as<uint8_t>()[i] = value != T(0);
      else
        a.out[k].as<T>()[i] = value;
    }
  }
}

void fused_pointwise(Context&, const KernelArgs& a) {
  const auto& program = a.attr<PointwiseProgram>();
  program.compute == DType::f64 ? run_program<double>(a, program) : run_program<float>(a, program);
}

template <class T>
T activate(Act act, T x, double alpha, double beta) {
  const T p = static_cast<T>(alpha), q = static_cast<T>(beta);
  switch (act) {
    case Act::none:
      return x;
    case Act::relu:
      return fn::relu(x, p, q);
    case Act::leaky_relu:
      return fn::leaky_relu(x, p, q);
    case Act::elu:
      return fn::elu(x, p, q);
    case Act::sigmoid:
      return fn::sigmoid(x, p, q);
    case Act::tanh:
      return fn::tanh(x, p, q);
    case Act::hard_sigmoid:
      return fn::hard_sigmoid(x, p, q);
    case Act::softplus:
      return fn::softplus(x, p, q);
    case Act::softsign:
      return fn::softsign(x, p, q);
    case Act::exp:
      return fn::exp(x, p, q);
    case Act::clip:
      return fn::clip(x, p, q);
  }
  return x;
}

// x (…, k), w (k, n), bias (n) → act(x·w + bias) (…, n)
template <class T>
void dense(Context&, const KernelArgs& a) {
  const auto& d = a.attr<DenseAttrs>();
  const T *x = a.in[0].as<T>(), *w = a.in[1].as<T>();
  T* y = a.out[0].as<T>();
  const int64_t k = a.in[0].shape().back(), n = a.out[0].shape().back();
  for (int64_t i = 0; i < a.out[0].size; ++i) {
    const int64_t row = i / n, column = i % n;
    T acc = 0;
    for (int64_t p = 0; p < k; ++p)
      acc += x[row * k + p] * (d.trans_b ? w[column * k + p] : w[p * n + column]);
    if (a.n_in > 2) acc += a.in[2].as<T>()[column];
    y[i] = activate(d.act, acc, d.alpha, d.beta);
  }
}

// x (n, [d,] h, w, c), kernel ([kd,] kh, kw, c, o), bias (o)
template <class T>
void conv_fused(Context& context, const KernelArgs& a) {
  const auto& c = a.attr<ConvAttrs>();
  const char* conv = a.in[0].shape().rank() == 5 ? "conv3d" : "conv2d";
  KernelTable::of("reference").find(conv, a.in[0].dtype())->run(context, a);
  T* y = a.out[0].as<T>();
  const int64_t channels = a.out[0].shape().back();
  for (int64_t i = 0; i < a.out[0].size; ++i) {
    const T bias = a.n_in > 2 ? a.in[2].as<T>()[i % channels] : T(0);
    y[i] = activate(c.act, y[i] + bias, c.alpha, c.beta);
  }
}

const KernelRegistrar registrar("reference", [](KernelTable& t) {
  t.add_all("fused_pointwise", fused_pointwise);
  PK_ADD_FLOATS(t, "dense", dense);
  PK_ADD_FLOATS(t, "conv2d_fused", conv_fused);
  PK_ADD_FLOATS(t, "conv3d_fused", conv_fused);
});

}  // namespace
}  // namespace pk::reference
