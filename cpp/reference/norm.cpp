// Softmax and batch normalisation.
#include <cmath>

#include "reference/common.h"

namespace pk::reference {
namespace {

// Shifted by the largest element, so that exp cannot overflow.
template <class T>
void softmax(Context&, const KernelArgs& a) {
  const T* x = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  const AxisView v(a.in[0].shape(), a.attr<AxisAttrs>().axis);
  for (int64_t o = 0; o < v.outer; ++o)
    for (int64_t i = 0; i < v.inner; ++i) {
      T top = v.n ? x[v.at(o, 0, i)] : T(0), total = 0;
      for (int64_t k = 1; k < v.n; ++k) top = std::max(top, x[v.at(o, k, i)]);
      for (int64_t k = 0; k < v.n; ++k) total += y[v.at(o, k, i)] = std::exp(x[v.at(o, k, i)] - top);
      for (int64_t k = 0; k < v.n; ++k) y[v.at(o, k, i)] /= total;
    }
}

template <class T>
void log_softmax(Context&, const KernelArgs& a) {
  const T* x = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  const AxisView v(a.in[0].shape(), a.attr<AxisAttrs>().axis);
  for (int64_t o = 0; o < v.outer; ++o)
    for (int64_t i = 0; i < v.inner; ++i) {
      T top = v.n ? x[v.at(o, 0, i)] : T(0), total = 0;
      for (int64_t k = 1; k < v.n; ++k) top = std::max(top, x[v.at(o, k, i)]);
      for (int64_t k = 0; k < v.n; ++k) total += std::exp(x[v.at(o, k, i)] - top);
      const T shift = std::log(total);
      for (int64_t k = 0; k < v.n; ++k) y[v.at(o, k, i)] = x[v.at(o, k, i)] - top - shift;
    }
}

// x, y: any shape; gamma, beta, mean, var: one number per channel (index of the axis). The variance
// is the population's. Sums in double.
template <class T>
void batch_norm_train(Context&, const KernelArgs& a) {
  const auto& n = a.attr<NormAttrs>();
  const T *x = a.in[0].as<T>(), *gamma = a.in[1].as<T>(), *beta = a.in[2].as<T>();
  T *y = a.out[0].as<T>(), *mean = a.out[1].as<T>(), *var = a.out[2].as<T>();
  const AxisView v(a.in[0].shape(), n.axis);
  const double count = static_cast<double>(v.outer * v.inner);
  for (int64_t c = 0; c < v.n; ++c) {
    double sum = 0, squares = 0;
    for (int64_t o = 0; o < v.outer; ++o)
      for (int64_t i = 0; i < v.inner; ++i) sum += static_cast<double>(x[v.at(o, c, i)]);
    const double m = sum / count;
    for (int64_t o = 0; o < v.outer; ++o)
      for (int64_t i = 0; i < v.inner; ++i) {
        const double d = static_cast<double>(x[v.at(o, c, i)]) - m;
        squares += d * d;
      }
    const double inverse = 1 / std::sqrt(squares / count + n.epsilon);
    for (int64_t o = 0; o < v.outer; ++o)
      for (int64_t i = 0; i < v.inner; ++i)
        y[v.at(o, c, i)] = static_cast<T>((static_cast<double>(x[v.at(o, c, i)]) - m) * inverse *
                                              static_cast<double>(gamma[c]) +
                                          static_cast<double>(beta[c]));
    mean[c] = static_cast<T>(m);
    var[c] = static_cast<T>(squares / count);
  }
}

// dx = γ/σ · (g - mean(g) - x̂ · mean(g·x̂)), dγ = Σ g·x̂, dβ = Σ g.
template <class T>
void batch_norm_train_grad(Context&, const KernelArgs& a) {
  const auto& n = a.attr<NormAttrs>();
  const T *g = a.in[0].as<T>(), *x = a.in[1].as<T>();
  const T *gamma = a.in[2].as<T>(), *mean = a.in[3].as<T>(), *var = a.in[4].as<T>();
  T *dx = a.out[0].as<T>(), *d_gamma = a.out[1].as<T>(), *d_beta = a.out[2].as<T>();
  const AxisView v(a.in[1].shape(), n.axis);
  const double count = static_cast<double>(v.outer * v.inner);
  for (int64_t c = 0; c < v.n; ++c) {
    const double m = static_cast<double>(mean[c]);
    const double inverse = 1 / std::sqrt(static_cast<double>(var[c]) + n.epsilon);
    double sum_g = 0, sum_gx = 0;
    for (int64_t o = 0; o < v.outer; ++o)
      for (int64_t i = 0; i < v.inner; ++i) {
        const int64_t at = v.at(o, c, i);
        sum_g += static_cast<double>(g[at]);
        sum_gx += static_cast<double>(g[at]) * (static_cast<double>(x[at]) - m) * inverse;
      }
    for (int64_t o = 0; o < v.outer; ++o)
      for (int64_t i = 0; i < v.inner; ++i) {
        const int64_t at = v.at(o, c, i);
        const double normed = (static_cast<double>(x[at]) - m) * inverse;
        dx[at] = static_cast<T>(static_cast<double>(gamma[c]) * inverse *
                                (static_cast<double>(g[at]) - sum_g / count - normed * sum_gx / count));
      }
    d_gamma[c] = static_cast<T>(sum_gx);
    d_beta[c] = static_cast<T>(sum_g);
  }
}

const KernelRegistrar registrar("reference", [](KernelTable& t) {
  PK_ADD_FLOATS(t, "softmax", softmax);
  PK_ADD_FLOATS(t, "log_softmax", log_softmax);
  PK_ADD_FLOATS(t, "batch_norm_train", batch_norm_train);
  PK_ADD_FLOATS(t, "batch_norm_train_grad", batch_norm_train_grad);
});

}  // namespace
}  // namespace pk::reference
