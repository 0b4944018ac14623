// Softmax and batch normalisation: how the work is divided, and batch normalisation's small vectors.
#include <cmath>
#include <limits>

#include "cpu/moments.h"
#include "cpu/parallel.h"
#include "cpu/pointwise.h"
#include "cpu/softmax.h"
#include "kernels/geometry.h"

namespace pk::cpu {
namespace {

// Row-major data around an axis.
struct View {
  int64_t outer = 1, n = 1, inner = 1;
  View(const Shape& s, int64_t axis) {
    const int at = static_cast<int>(normal_axis(axis, s.rank()));
    for (int i = 0; i < s.rank(); ++i) (i < at ? outer : i == at ? n : inner) *= s[i];
  }
};

template <class T, bool Log>
void run_softmax(Context& ctx, const KernelArgs& a) {
  const View v(a.in[0].shape(), a.attr<AxisAttrs>().axis);
  const int64_t line = v.n * v.inner;
  if (line == 0) return;
  parallel(ctx, Split(v.outer, line * 4), v.outer, [&](int64_t begin, int64_t end, int64_t) {
    PK_PICK_T(T, softmax)(Log, a.in[0].as<T>() + begin * line, end - begin, v.n, v.inner,
                          a.out[0].as<T>() + begin * line);
  });
}

// --- batch normalisation

// Each part of the work leaves two doubles per channel; channels last: parts are ranges of rows, channels
// first: each (batch, channel) line is one.
struct Parts {
  View v;
  bool last;      // channels last
  int64_t items;  // rows, or lines
  Split split;
  Parts(const Shape& s, int64_t axis)
      : v(s, axis),
        last(v.inner == 1),
        items(last ? v.outer : v.outer * v.n),
        split(items, 2 * (last ? v.n : v.inner), last ? 64 : 1) {}
  int64_t pairs() const { return last ? std::max<int64_t>(split.tasks, 1) * v.n : items; }
  double count() const { return static_cast<double>(v.outer * v.inner); }

  // Runs columns(first row, rows, to, to2) or line(index, to, to2) for each part.
  template <class C, class L>
  void run(Context& ctx, double* work, C columns, L line) const {
    double* second = work + pairs();
    parallel(ctx, split, items, [&](int64_t begin, int64_t end, int64_t task) {
      if (last)
        columns(begin, end - begin, work + task * v.n, second + task * v.n);
      else
        for (int64_t i = begin; i < end; ++i) line(i, work + i, second + i);
    });
  }
  // Calls f(part's first double, its second, elements) for the parts of a channel, in order.
  template <class F>
  void each(const double* work, int64_t channel, F f) const {
    const double* second = work + pairs();
    const int64_t parts = last ? std::max<int64_t>(split.tasks, 1) : v.outer;
    for (int64_t p = 0; p < parts; ++p) {
      const int64_t at = p * v.n + channel;
      const int64_t n = !last              ? v.inner
                        : split.tasks <= 1 ? items
                                           : std::min(items, (p + 1) * split.step) - p * split.step;
      f(work[at], second[at], static_cast<double>(n));
    }
  }
};

struct Bytes {  // parts of a workspace, each aligned
  size_t used = 0;
  size_t take(size_t bytes) {
    const size_t at = used;
    used += (bytes + 63) / 64 * 64;
    return at;
  }
};

// A per-channel vector as an operand that broadcasts over x.
TensorArg per_channel(void* data, DType dtype, const Shape& x, int64_t axis, int64_t n) {
  TensorArg t;
  t.data = data;
  t.type.dtype = dtype;
  t.type.shape.push_back(n);
  for (int i = static_cast<int>(normal_axis(axis, x.rank())) + 1; i < x.rank(); ++i)
    t.type.shape.push_back(1);
  t.size = n;
  return t;
}

// y = (x - mean)·scale + beta
constexpr int kForwardInputs = 4;
struct Forward {
  PointwiseInstr code[3] = {pw_instr(PointwiseCode::sub, 0, 1), pw_instr(PointwiseCode::mul, 4, 2),
                            pw_instr(PointwiseCode::add, 5, 3)};
  uint8_t output = 6;
  DType dtype;
  TensorArg in[kForwardInputs];
  KernelArgs args;
  Forward(const KernelArgs& a, void* scale, void* workspace) : dtype(a.in[0].dtype()), args(a) {
    const Shape& x = a.in[0].shape();
    const int64_t axis = a.attr<NormAttrs>().axis, n = a.in[1].size;
    in[0] = a.in[0];
    in[1] = per_channel(a.out[1].data, dtype, x, axis, n);
    in[2] = per_channel(scale, dtype, x, axis, n);
    in[3] = per_channel(a.in[2].data, dtype, x, axis, n);
    args.in = in;
    args.n_in = kForwardInputs;
    args.n_out = 1;
    args.workspace = workspace;
  }
  PwProgram program() const { return {code, 3, &output, 1, dtype}; }
};

// dx = k·((g - c1) - (x - mean)·c2)
constexpr int kBackwardInputs = 6;
struct Backward {
  PointwiseInstr code[5] = {pw_instr(PointwiseCode::sub, 1, 2), pw_instr(PointwiseCode::mul, 6, 4),
                            pw_instr(PointwiseCode::sub, 0, 3), pw_instr(PointwiseCode::sub, 8, 7),
                            pw_instr(PointwiseCode::mul, 9, 5)};
  uint8_t output = 10;
  DType dtype;
  TensorArg in[kBackwardInputs];
  KernelArgs args;
  Backward(const KernelArgs& a, void* c1, void* c2, void* k, void* workspace)
      : dtype(a.in[1].dtype()), args(a) {
    const Shape& x = a.in[1].shape();
    const int64_t axis = a.attr<NormAttrs>().axis, n = a.in[2].size;
    in[0] = a.in[0];
    in[1] = a.in[1];
    in[2] = per_channel(a.in[3].data, dtype, x, axis, n);
    in[3] = per_channel(c1, dtype, x, axis, n);
    in[4] = per_channel(c2, dtype, x, axis, n);
    in[5] = per_channel(k, dtype, x, axis, n);
    args.in = in;
    args.n_in = kBackwardInputs;
    args.n_out = 1;
    args.workspace = workspace;
  }
  PwProgram program() const { return {code, 5, &output, 1, dtype}; }
};

template <class T>
void run_batch_norm(Context& ctx, const KernelArgs& a) {
  const auto& attr = a.attr<NormAttrs>();
  const Parts parts(a.in[0].shape(), attr.axis);
  const View& v = parts.v;
  const T *x = a.in[0].as<T>(), *gamma = a.in[1].as<T>();
  T *mean = a.out[1].as<T>(), *var = a.out[2].as<T>();
  if (a.in[0].size == 0) {
    std::fill_n(mean, v.n, std::numeric_limits<T>::quiet_NaN());
    std::fill_n(var, v.n, std::numeric_limits<T>::quiet_NaN());
    return;
  }
  char* base = static_cast<char*>(a.workspace);
  Bytes bytes;
  double* work =
      reinterpret_cast<double*>(base + bytes.take(static_cast<size_t>(2 * parts.pairs()) * sizeof(double)));
  T* scale = reinterpret_cast<T*>(base + bytes.take(static_cast<size_t>(v.n) * sizeof(T)));
  parts.run(
      ctx, work,
      [&](int64_t row, int64_t rows, double* m, double* s) {
        PK_PICK_T(T, column_moments)(x + row * v.n, rows, v.n, m, s);
      },
      [&](int64_t line, double* m, double* s) {
        PK_PICK_T(T, line_moments)(x + line * v.inner, v.inner, m, s);
      });
  for (int64_t c = 0; c < v.n; ++c) {
    double m = 0, squares = 0, before = 0;
    parts.each(work, c, [&](double part_mean, double part_squares, double n) {
      const double delta = part_mean - m, all = before + n;
      m += delta * (n / all);
      squares += part_squares + delta * delta * (before * n / all);
      before = all;
    });
    const double variance = squares / parts.count();
    mean[c] = static_cast<T>(m);
    var[c] = static_cast<T>(variance);
    scale[c] = static_cast<T>(static_cast<double>(gamma[c]) / std::sqrt(variance + attr.epsilon));
  }
  const Forward last(a, scale, base + bytes.used);
  run_pointwise(ctx, last.program(), last.args);
}

template <class T>
void run_batch_norm_grad(Context& ctx, const KernelArgs& a) {
  const auto& attr = a.attr<NormAttrs>();
  const Parts parts(a.in[1].shape(), attr.axis);
  const View& v = parts.v;
  const T *g = a.in[0].as<T>(), *x = a.in[1].as<T>(), *gamma = a.in[2].as<T>();
  const T *mean = a.in[3].as<T>(), *var = a.in[4].as<T>();
  T *d_gamma = a.out[1].as<T>(), *d_beta = a.out[2].as<T>();
  if (a.in[1].size == 0) {
    std::fill_n(d_gamma, v.n, T(0));
    std::fill_n(d_beta, v.n, T(0));
    return;
  }
  char* base = static_cast<char*>(a.workspace);
  Bytes bytes;
  double* work =
      reinterpret_cast<double*>(base + bytes.take(static_cast<size_t>(2 * parts.pairs()) * sizeof(double)));
  const size_t vector = static_cast<size_t>(v.n) * sizeof(T);
  T* c1 = reinterpret_cast<T*>(base + bytes.take(vector));
  T* c2 = reinterpret_cast<T*>(base + bytes.take(vector));
  T* k = reinterpret_cast<T*>(base + bytes.take(vector));
  parts.run(
      ctx, work,
      [&](int64_t row, int64_t rows, double* s, double* p) {
        PK_PICK_T(T, column_products)(g + row * v.n, x + row * v.n, mean, rows, v.n, s, p);
      },
      [&](int64_t line, double* s, double* p) {
        PK_PICK_T(T, line_products)(g + line * v.inner, x + line * v.inner, mean[line % v.n], v.inner, s, p);
      });
  for (int64_t c = 0; c < v.n; ++c) {
    double sum = 0, products = 0;
    parts.each(work, c, [&](double s, double p, double) {
      sum += s;
      products += p;
    });
    const double inverse = 1 / std::sqrt(static_cast<double>(var[c]) + attr.epsilon);
    d_beta[c] = static_cast<T>(sum);
    d_gamma[c] = static_cast<T>(products * inverse);
    c1[c] = static_cast<T>(sum / parts.count());
    c2[c] = static_cast<T>(products * inverse * inverse / parts.count());
    k[c] = static_cast<T>(static_cast<double>(gamma[c]) * inverse);
  }
  const Backward last(a, c1, c2, k, base + bytes.used);
  run_pointwise(ctx, last.program(), last.args);
}

template <bool Grad>
size_t workspace(const Context&, const KernelArgs& a) {
  const TensorArg& x = a.in[Grad ? 1 : 0];
  const Parts parts(x.shape(), a.attr<NormAttrs>().axis);
  Bytes bytes;
  bytes.take(static_cast<size_t>(2 * parts.pairs()) * sizeof(double));
  for (int i = 0; i < (Grad ? 3 : 1); ++i) bytes.take(static_cast<size_t>(parts.v.n) * dtype_size(x.dtype()));
  size_t last;
  if constexpr (Grad) {
    const Backward b(a, nullptr, nullptr, nullptr, nullptr);
    last = pointwise_workspace(b.program(), b.args);
  } else {
    const Forward f(a, nullptr, nullptr);
    last = pointwise_workspace(f.program(), f.args);
  }
  return bytes.used + last;
}

Kernel with_workspace(void (*run)(Context&, const KernelArgs&),
                      size_t (*bytes)(const Context&, const KernelArgs&)) {
  Kernel k;
  k.run = run;
  k.workspace = bytes;
  return k;
}

const KernelRegistrar registrar("cpu", [](KernelTable& t) {
  t.add("softmax", DType::f32, run_softmax<float, false>);
  t.add("softmax", DType::f64, run_softmax<double, false>);
  t.add("log_softmax", DType::f32, run_softmax<float, true>);
  t.add("log_softmax", DType::f64, run_softmax<double, true>);
  t.add("batch_norm_train", DType::f32, with_workspace(run_batch_norm<float>, workspace<false>));
  t.add("batch_norm_train", DType::f64, with_workspace(run_batch_norm<double>, workspace<false>));
  t.add("batch_norm_train_grad", DType::f32, with_workspace(run_batch_norm_grad<float>, workspace<true>));
  t.add("batch_norm_train_grad", DType::f64, with_workspace(run_batch_norm_grad<double>, workspace<true>));
});

}  // namespace
}  // namespace pk::cpu
