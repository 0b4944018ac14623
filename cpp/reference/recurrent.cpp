// lstm, gru and their gradients, one loop over time and rows each. The meaning of inputs and
// outputs is that of cpp/ops/recurrent.cpp.
#include "kernels/recurrent.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/functors.h"
#include "reference/common.h"

namespace pk::reference {
namespace {

template <class T>
T activate(Act act, T x) {
  switch (act) {
    case Act::relu:
      return fn::relu(x, T(0), T(0));
    case Act::sigmoid:
      return fn::sigmoid(x, T(0), T(0));
    case Act::tanh:
      return std::tanh(x);
    case Act::hard_sigmoid:
      return fn::hard_sigmoid(x, T(0), T(0));
    case Act::elu:
      return fn::elu(x, T(1), T(0));
    case Act::softplus:
      return fn::softplus(x, T(0), T(0));
    case Act::softsign:
      return fn::softsign(x, T(0), T(0));
    case Act::exp:
      return std::exp(x);
    default:
      return x;
  }
}

template <class T>
T slope(Act act, T y) {
  return act == Act::softplus ? T(1) - std::exp(-y) : act_slope(act, y);
}

// to[j] += sum over k of h[k]·u[k][column + j], for j < n.
template <class T>
void add_product(const T* h, const T* u, int64_t units, int64_t ld, int64_t column, int64_t n, T* to) {
  for (int64_t k = 0; k < units; ++k)
    for (int64_t j = 0; j < n; ++j) to[j] += h[k] * u[k * ld + column + j];
}

// to[k] += sum over j of d[j]·u[k][column + j].
template <class T>
void add_transposed(const T* d, const T* u, int64_t units, int64_t ld, int64_t column, int64_t n, T* to) {
  for (int64_t k = 0; k < units; ++k)
    for (int64_t j = 0; j < n; ++j) to[k] += d[j] * u[k * ld + column + j];
}

// du[k][column + j] += h[k]·d[j].
template <class T>
void add_outer(const T* h, const T* d, int64_t units, int64_t ld, int64_t column, int64_t n, T* du) {
  for (int64_t k = 0; k < units; ++k)
    for (int64_t j = 0; j < n; ++j) du[k * ld + column + j] += h[k] * d[j];
}

template <class T>
void lstm(Context&, const KernelArgs& a) {
  const RnnSizes s(a, 0);
  const auto& attrs = a.attr<RnnAttrs>();
  const int64_t n = s.units;
  const T *xp = a.in[0].as<T>(), *u = a.in[1].as<T>();
  T *hs = a.out[0].as<T>(), *last_c = a.out[1].as<T>();
  std::vector<T> z(static_cast<size_t>(4 * n));
  std::copy_n(a.in[3].as<T>(), s.batch * n, last_c);
  for (int64_t k = 0; k < s.steps; ++k) {
    const int64_t t = s.time(k);
    for (int64_t b = 0; b < s.batch; ++b) {
      const T* h = (k ? hs + s.time(k - 1) * s.batch * n : a.in[2].as<T>()) + b * n;
      T *c = last_c + b * n, *out = hs + (t * s.batch + b) * n;
      std::copy_n(xp + (t * s.batch + b) * 4 * n, 4 * n, z.data());
      add_product(h, u, n, 4 * n, 0, 4 * n, z.data());
      const bool on = !s.mask || s.mask_at(t)[b];
      for (int64_t j = 0; j < n; ++j) {
        const size_t i = static_cast<size_t>(j), w = static_cast<size_t>(n);
        z[i] = activate(attrs.rec_act, z[i]);
        z[i + w] = activate(attrs.rec_act, z[i + w]);
        z[i + 2 * w] = activate(attrs.act, z[i + 2 * w]);
        z[i + 3 * w] = activate(attrs.rec_act, z[i + 3 * w]);
        const T next = z[i + w] * c[j] + z[i] * z[i + 2 * w];
        out[j] = on ? z[i + 3 * w] * activate(attrs.act, next) : h[j];
        if (on) c[j] = next;
      }
      if (!attrs.save) continue;
      std::copy_n(c, n, a.out[2].as<T>() + (t * s.batch + b) * n);
      std::copy_n(z.data(), 4 * n, a.out[3].as<T>() + (t * s.batch + b) * 4 * n);
    }
  }
}

template <class T>
void lstm_grad(Context&, const KernelArgs& a) {
  const RnnSizes s(a, 2);
  const auto& attrs = a.attr<RnnAttrs>();
  const int64_t n = s.units;
  const T *dhs = a.in[0].as<T>(), *u = a.in[3].as<T>(), *hs = a.in[6].as<T>(), *cs = a.in[7].as<T>();
  T *dxp = a.out[0].as<T>(), *du = a.out[1].as<T>(), *dh = a.out[2].as<T>(), *dc = a.out[3].as<T>();
  std::fill_n(du, a.out[1].size, T(0));
  std::fill_n(dh, a.out[2].size, T(0));
  std::copy_n(a.in[1].as<T>(), s.batch * n, dc);
  std::vector<T> total(static_cast<size_t>(n));
  for (int64_t k = s.steps - 1; k >= 0; --k) {
    const int64_t t = s.time(k);
    for (int64_t b = 0; b < s.batch; ++b) {
      const int64_t before = k ? (s.time(k - 1) * s.batch + b) * n : b * n;
      const T *h0 = (k ? hs : a.in[4].as<T>()) + before, *c0 = (k ? cs : a.in[5].as<T>()) + before;
      const T *c = cs + (t * s.batch + b) * n, *g = a.in[8].as<T>() + (t * s.batch + b) * 4 * n;
      T *d = dxp + (t * s.batch + b) * 4 * n, *dh_b = dh + b * n, *dc_b = dc + b * n;
      for (int64_t j = 0; j < n; ++j)
        total[static_cast<size_t>(j)] = dh_b[j] + dhs[(t * s.batch + b) * n + j];
      if (s.mask && !s.mask_at(t)[b]) {
        std::copy(total.begin(), total.end(), dh_b);
        std::fill_n(d, 4 * n, T(0));
        continue;
      }
      for (int64_t j = 0; j < n; ++j) {
        const T i = g[j], f = g[n + j], w = g[2 * n + j], o = g[3 * n + j], y = activate(attrs.act, c[j]);
        const T out = total[static_cast<size_t>(j)];
        const T into = dc_b[j] + out * o * slope(attrs.act, y);
        d[j] = into * w * slope(attrs.rec_act, i);
        d[n + j] = into * c0[j] * slope(attrs.rec_act, f);
        d[2 * n + j] = into * i * slope(attrs.act, w);
        d[3 * n + j] = out * y * slope(attrs.rec_act, o);
        dc_b[j] = into * f;
      }
      std::fill_n(dh_b, n, T(0));
      add_transposed(d, u, n, 4 * n, 0, 4 * n, dh_b);
      add_outer(h0, d, n, 4 * n, 0, 4 * n, du);
    }
  }
}

template <class T>
void gru(Context&, const KernelArgs& a) {
  const RnnSizes s(a, 0);
  const auto& attrs = a.attr<RnnAttrs>();
  const int64_t n = s.units, saved = attrs.reset_after ? 4 * n : 3 * n;
  const T *xp = a.in[0].as<T>(), *u = a.in[1].as<T>();
  const T* bias = attrs.reset_after ? a.in[3].as<T>() : nullptr;
  T* hs = a.out[0].as<T>();
  std::vector<T> p(static_cast<size_t>(3 * n)), gates(static_cast<size_t>(4 * n)), rh(static_cast<size_t>(n));
  T *const q = p.data(), *const g = gates.data();
  for (int64_t k = 0; k < s.steps; ++k) {
    const int64_t t = s.time(k);
    for (int64_t b = 0; b < s.batch; ++b) {
      const T* h = (k ? hs + s.time(k - 1) * s.batch * n : a.in[2].as<T>()) + b * n;
      const T* x = xp + (t * s.batch + b) * 3 * n;
      T* out = hs + (t * s.batch + b) * n;
      for (int64_t j = 0; j < 3 * n; ++j) q[j] = bias ? bias[j] : T(0);
      add_product(h, u, n, 3 * n, 0, attrs.reset_after ? 3 * n : 2 * n, q);
      for (int64_t j = 0; j < 2 * n; ++j) g[j] = activate(attrs.rec_act, x[j] + q[j]);
      if (attrs.reset_after) {
        for (int64_t j = 0; j < n; ++j) {
          g[3 * n + j] = q[2 * n + j];
          q[2 * n + j] *= g[n + j];
        }
      } else {
        for (int64_t j = 0; j < n; ++j) rh[static_cast<size_t>(j)] = g[n + j] * h[j];
        add_product(rh.data(), u, n, 3 * n, 2 * n, n, q + 2 * n);
      }
      for (int64_t j = 0; j < n; ++j) g[2 * n + j] = activate(attrs.act, x[2 * n + j] + q[2 * n + j]);
      const bool on = !s.mask || s.mask_at(t)[b];
      for (int64_t j = 0; j < n; ++j) out[j] = on ? g[j] * h[j] + (T(1) - g[j]) * g[2 * n + j] : h[j];
      if (attrs.save) std::copy_n(g, saved, a.out[1].as<T>() + (t * s.batch + b) * saved);
    }
  }
}

template <class T>
void gru_grad(Context&, const KernelArgs& a) {
  const RnnSizes s(a, 1);
  const auto& attrs = a.attr<RnnAttrs>();
  const bool after = attrs.reset_after;
  const int64_t n = s.units, saved = after ? 4 * n : 3 * n;
  const int at_h = after ? 5 : 4;
  const T *dhs = a.in[0].as<T>(), *u = a.in[2].as<T>(), *hs = a.in[at_h].as<T>();
  T *dxp = a.out[0].as<T>(), *du = a.out[1].as<T>(), *dh = a.out[2].as<T>();
  T* dbias = after ? a.out[3].as<T>() : nullptr;
  std::fill_n(du, a.out[1].size, T(0));
  std::fill_n(dh, a.out[2].size, T(0));
  if (dbias) std::fill_n(dbias, 3 * n, T(0));
  std::vector<T> total(static_cast<size_t>(n)), dp(static_cast<size_t>(3 * n)), rh(static_cast<size_t>(n)),
      drh(static_cast<size_t>(n));
  for (int64_t k = s.steps - 1; k >= 0; --k) {
    const int64_t t = s.time(k);
    for (int64_t b = 0; b < s.batch; ++b) {
      const T* h = k ? hs + (s.time(k - 1) * s.batch + b) * n : a.in[3].as<T>() + b * n;
      const T* g = a.in[at_h + 1].as<T>() + (t * s.batch + b) * saved;
      T *d = dxp + (t * s.batch + b) * 3 * n, *dh_b = dh + b * n, *q = dp.data(), *out = total.data();
      for (int64_t j = 0; j < n; ++j) out[j] = dh_b[j] + dhs[(t * s.batch + b) * n + j];
      if (s.mask && !s.mask_at(t)[b]) {
        std::copy_n(out, n, dh_b);
        std::fill_n(d, 3 * n, T(0));
        continue;
      }
      for (int64_t j = 0; j < n; ++j) {
        const T z = g[j], w = g[2 * n + j];
        d[j] = out[j] * (h[j] - w) * slope(attrs.rec_act, z);
        d[2 * n + j] = out[j] * (T(1) - z) * slope(attrs.act, w);
        dh_b[j] = out[j] * z;
      }
      if (after) {
        for (int64_t j = 0; j < n; ++j) {
          const T r = g[n + j];
          d[n + j] = d[2 * n + j] * g[3 * n + j] * slope(attrs.rec_act, r);
          q[j] = d[j];
          q[n + j] = d[n + j];
          q[2 * n + j] = d[2 * n + j] * r;
        }
        add_transposed(q, u, n, 3 * n, 0, 3 * n, dh_b);
        add_outer(h, q, n, 3 * n, 0, 3 * n, du);
        for (int64_t j = 0; j < 3 * n; ++j) dbias[j] += q[j];
      } else {
        std::fill(drh.begin(), drh.end(), T(0));
        add_transposed(d + 2 * n, u, n, 3 * n, 2 * n, n, drh.data());
        for (int64_t j = 0; j < n; ++j) {
          const size_t i = static_cast<size_t>(j);
          const T r = g[n + j];
          d[n + j] = drh[i] * h[j] * slope(attrs.rec_act, r);
          dh_b[j] += drh[i] * r;
          rh[i] = r * h[j];
        }
        add_transposed(d, u, n, 3 * n, 0, 2 * n, dh_b);
        add_outer(h, d, n, 3 * n, 0, 2 * n, du);
        add_outer(rh.data(), d + 2 * n, n, 3 * n, 2 * n, n, du);
      }
    }
  }
}

const KernelRegistrar registrar("reference", [](KernelTable& t) {
  t.add("lstm", DType::f32, lstm<float>);
  t.add("lstm", DType::f64, lstm<double>);
  t.add("lstm_grad", DType::f32, lstm_grad<float>);
  t.add("lstm_grad", DType::f64, lstm_grad<double>);
  t.add("gru", DType::f32, gru<float>);
  t.add("gru", DType::f64, gru<double>);
  t.add("gru_grad", DType::f32, gru_grad<float>);
  t.add("gru_grad", DType::f64, gru_grad<double>);
});

}  // namespace
}  // namespace pk::reference
