#include "cpu/recurrent_gates.h"
#include "cpu/simd.h"
#include "cpu/simd_math.h"

namespace pk::cpu::PK_ISA {
namespace {

// Numbers of Act (kernels/attrs.h); cpu/recurrent.cpp asserts that they agree.
enum { kNone, kRelu, kLeaky, kElu, kSigmoid, kTanh, kHardSigmoid, kSoftplus, kSoftsign, kExp };

template <class T, class V>
PK_INLINE V activate(int act, V x) {
  const V zero = set1(T(0)), one = set1(T(1));
  switch (act) {
    case kTanh:
      return vtanh(x);
    case kHardSigmoid:
      return at_most(at_least(fma(x, set1(T(0.2)), set1(T(0.5))), zero), one);
    case kSigmoid:
      return vsigmoid(x);
    case kRelu:
      return at_least(x, zero);
    case kElu:
      return select(x < zero, vexpm1(x), x);
    case kSoftplus:
      return vsoftplus(x);
    case kSoftsign:
      return x / (vabs(x) + T(1));
    case kExp:
      return vexp(x);
    default:
      return x;
  }
}

// The derivative by the output.
template <class T, class V>
PK_INLINE V slope(int act, V y) {
  const V zero = set1(T(0)), one = set1(T(1));
  switch (act) {
    case kTanh:
      return one - y * y;
    case kHardSigmoid:
      return select((y > zero) & (y < one), set1(T(0.2)), zero);
    case kSigmoid:
      return y * (one - y);
    case kRelu:
      return select(y > zero, one, zero);
    case kElu:
      return select(y > zero, one, y + T(1));
    case kSoftplus:
      return one - vexp(-y);
    case kSoftsign: {
      const V d = one - vabs(y);
      return d * d;
    }
    case kExp:
      return y;
    default:
      return one;
  }
}

// f(j, count) over the units, a vector at a time; count < lanes only at the end.
template <class T, class F>
PK_INLINE void units(int64_t n, F f) {
  constexpr int lanes = Simd<T>::n;
  for (int64_t j = 0; j < n; j += lanes) f(j, n - j < lanes ? int(n - j) : lanes);
}

template <class T>
PK_INLINE void copy(const T* from, T* to, int64_t n) {
  if (from != to) memcpy(to, from, size_t(n) * sizeof(T));
}
template <class T>
PK_INLINE void clear(T* to, int64_t n) {
  memset(to, 0, size_t(n) * sizeof(T));
}

template <class T>
PK_INLINE void lstm_step(const LstmStep<T>& s) {
  using V = typename Simd<T>::vec;
  const int64_t n = s.n;
  for (int64_t r = 0; r < s.rows; ++r) {
    const T *x = s.xp + r * 4 * n, *p = s.rec + r * 4 * n, *c0 = s.c0 + r * n;
    T *h = s.h + r * n, *c = s.c + r * n, *g = s.gates ? s.gates + r * 4 * n : nullptr;
    const bool on = !s.mask || s.mask[r];
    units<T>(n, [&](int64_t j, int k) {
      const V i = activate<T>(s.rec_act, get(x + j, k) + get(p + j, k));
      const V f = activate<T>(s.rec_act, get(x + n + j, k) + get(p + n + j, k));
      const V w = activate<T>(s.act, get(x + 2 * n + j, k) + get(p + 2 * n + j, k));
      const V o = activate<T>(s.rec_act, get(x + 3 * n + j, k) + get(p + 3 * n + j, k));
      if (g) {
        put(g + j, i, k);
        put(g + n + j, f, k);
        put(g + 2 * n + j, w, k);
        put(g + 3 * n + j, o, k);
      }
      if (!on) return;
      const V next = fma(f, get(c0 + j, k), i * w);
      put(c + j, next, k);
      put(h + j, o * activate<T>(s.act, next), k);
    });
    if (!on) {
      copy(s.h0 + r * n, h, n);
      copy(c0, c, n);
    }
  }
}

template <class T>
PK_INLINE void lstm_step_grad(const LstmStepGrad<T>& s) {
  using V = typename Simd<T>::vec;
  const int64_t n = s.n;
  for (int64_t r = 0; r < s.rows; ++r) {
    const T *g = s.gates + r * 4 * n, *c0 = s.c0 + r * n, *c = s.c + r * n, *out = s.dh_out + r * n;
    T *dh = s.dh + r * n, *dc = s.dc + r * n, *dz = s.dz + r * 4 * n;
    const bool on = !s.mask || s.mask[r];
    units<T>(n, [&](int64_t j, int k) {
      const V total = get(dh + j, k) + get(out + j, k);
      if (!on) {
        put(dh + j, total, k);
        return;
      }
      const V i = get(g + j, k), f = get(g + n + j, k), w = get(g + 2 * n + j, k), o = get(g + 3 * n + j, k);
      const V y = activate<T>(s.act, get(c + j, k));
      const V into = fma(total * o, slope<T>(s.act, y), get(dc + j, k));
      put(dz + j, into * w * slope<T>(s.rec_act, i), k);
      put(dz + n + j, into * get(c0 + j, k) * slope<T>(s.rec_act, f), k);
      put(dz + 2 * n + j, into * i * slope<T>(s.act, w), k);
      put(dz + 3 * n + j, total * y * slope<T>(s.rec_act, o), k);
      put(dc + j, into * f, k);
      put(dh + j, set1(T(0)), k);
    });
    if (!on) clear(dz, 4 * n);
  }
}

// With reset_after the whole step; without, the gates z and r, and r·h.
template <class T>
PK_INLINE void gru_gates(const GruStep<T>& s) {
  using V = typename Simd<T>::vec;
  const int64_t n = s.n;
  for (int64_t r = 0; r < s.rows; ++r) {
    const T *x = s.xp + r * 3 * n, *p = s.rec + r * 3 * n, *h0 = s.h0 + r * n;
    T *g = s.gates + r * s.width, *h = s.h + r * n;
    const bool on = !s.mask || s.mask[r];
    units<T>(n, [&](int64_t j, int k) {
      const V z = activate<T>(s.rec_act, get(x + j, k) + get(p + j, k));
      const V q = activate<T>(s.rec_act, get(x + n + j, k) + get(p + n + j, k));
      put(g + j, z, k);
      put(g + n + j, q, k);
      const V before = get(h0 + j, k);
      if (s.rh) {
        put(s.rh + r * n + j, q * before, k);
        return;
      }
      const V inner = get(p + 2 * n + j, k);
      const V w = activate<T>(s.act, fma(q, inner, get(x + 2 * n + j, k)));
      put(g + 2 * n + j, w, k);
      put(g + 3 * n + j, inner, k);
      put(h + j, on ? fma(z, before, (T(1) - z) * w) : before, k);
    });
  }
}

template <class T>
PK_INLINE void gru_output(const GruStep<T>& s) {
  using V = typename Simd<T>::vec;
  const int64_t n = s.n;
  for (int64_t r = 0; r < s.rows; ++r) {
    const T *x = s.xp + r * 3 * n, *p = s.rec + r * 3 * n, *h0 = s.h0 + r * n;
    T *g = s.gates + r * s.width, *h = s.h + r * n;
    const bool on = !s.mask || s.mask[r];
    units<T>(n, [&](int64_t j, int k) {
      const V z = get(g + j, k), before = get(h0 + j, k);
      const V w = activate<T>(s.act, get(x + 2 * n + j, k) + get(p + 2 * n + j, k));
      put(g + 2 * n + j, w, k);
      put(h + j, on ? fma(z, before, (T(1) - z) * w) : before, k);
    });
  }
}

template <class T>
PK_INLINE void gru_output_grad(const GruStepGrad<T>& s) {
  using V = typename Simd<T>::vec;
  const int64_t n = s.n;
  for (int64_t r = 0; r < s.rows; ++r) {
    const T *g = s.gates + r * s.width, *h0 = s.h0 + r * n, *out = s.dh_out + r * n;
    T *dh = s.dh + r * n, *dz = s.dz + r * 3 * n, *dp = s.dp ? s.dp + r * 3 * n : nullptr;
    const bool on = !s.mask || s.mask[r];
    units<T>(n, [&](int64_t j, int k) {
      const V total = get(dh + j, k) + get(out + j, k);
      if (!on) {
        put(dh + j, total, k);
        return;
      }
      const V z = get(g + j, k), w = get(g + 2 * n + j, k);
      const V a = total * (get(h0 + j, k) - w) * slope<T>(s.rec_act, z);
      const V c = total * (T(1) - z) * slope<T>(s.act, w);
      put(dz + j, a, k);
      put(dz + 2 * n + j, c, k);
      put(dh + j, total * z, k);
      if (!dp) return;
      const V q = get(g + n + j, k), b = c * get(g + 3 * n + j, k) * slope<T>(s.rec_act, q);
      put(dz + n + j, b, k);
      put(dp + j, a, k);
      put(dp + n + j, b, k);
      put(dp + 2 * n + j, c * q, k);
    });
    if (!on) {
      clear(dz, 3 * n);
      if (dp) clear(dp, 3 * n);
    }
  }
}

template <class T>
PK_INLINE void gru_reset_grad(const GruStepGrad<T>& s) {
  using V = typename Simd<T>::vec;
  const int64_t n = s.n;
  for (int64_t r = 0; r < s.rows; ++r) {
    if (s.mask && !s.mask[r]) continue;
    const T *g = s.gates + r * s.width, *h0 = s.h0 + r * n, *drh = s.drh + r * n;
    T *dh = s.dh + r * n, *dz = s.dz + r * 3 * n;
    units<T>(n, [&](int64_t j, int k) {
      const V q = get(g + n + j, k), d = get(drh + j, k);
      put(dz + n + j, d * get(h0 + j, k) * slope<T>(s.rec_act, q), k);
      put(dh + j, fma(d, q, get(dh + j, k)), k);
    });
  }
}

}  // namespace

void lstm_step_f32(const LstmStep<float>& s) { lstm_step(s); }
void lstm_step_f64(const LstmStep<double>& s) { lstm_step(s); }
void lstm_step_grad_f32(const LstmStepGrad<float>& s) { lstm_step_grad(s); }
void lstm_step_grad_f64(const LstmStepGrad<double>& s) { lstm_step_grad(s); }
void gru_gates_f32(const GruStep<float>& s) { gru_gates(s); }
void gru_gates_f64(const GruStep<double>& s) { gru_gates(s); }
void gru_output_f32(const GruStep<float>& s) { gru_output(s); }
void gru_output_f64(const GruStep<double>& s) { gru_output(s); }
void gru_output_grad_f32(const GruStepGrad<float>& s) { gru_output_grad(s); }
void gru_output_grad_f64(const GruStepGrad<double>& s) { gru_output_grad(s); }
void gru_reset_grad_f32(const GruStepGrad<float>& s) { gru_reset_grad(s); }
void gru_reset_grad_f64(const GruStepGrad<double>& s) { gru_reset_grad(s); }

}  // namespace pk::cpu::PK_ISA
