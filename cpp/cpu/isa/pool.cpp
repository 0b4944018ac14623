// Max and average pooling and their gradients, vectors over channels.
#include "cpu/pool_types.h"
#include "cpu/simd.h"

namespace pk::cpu::PK_ISA {
namespace {

struct Cells {  // of one window along one axis: [lo, hi) lie inside
  int64_t start, lo, hi;
};
PK_INLINE Cells cells(int64_t out, int64_t stride, int64_t before, int64_t kernel, int64_t size) {
  const int64_t start = out * stride - before;
  return {start, start < 0 ? -start : 0, size - start < kernel ? size - start : kernel};
}

// f(first channel, lanes) with a constant number of lanes where a whole vector fits.
template <class T, class F>
PK_INLINE void channels(int64_t c, F f) {
  constexpr int VL = Simd<T>::n;
  int64_t i = 0;
  for (; i + VL <= c; i += VL) f(i, VL);
  if (i < c) f(i, (int)(c - i));
}
template <class T>
PK_INLINE typename Simd<T>::vec get(const T* p, int lanes) {
  return lanes == Simd<T>::n ? load(p) : load_part(p, lanes);
}
template <class T>
PK_INLINE void put(T* p, typename Simd<T>::vec v, int lanes) {
  if (lanes == Simd<T>::n)
    store(p, v);
  else
    store_part(p, v, lanes);
}

// f(x offset of the window's corner, its cells along both axes, y offset, lanes) for every window and vector.
template <class T, class F>
PK_INLINE void windows(const WindowGrid& w, int64_t r0, int64_t r1, F f) {
  for (int64_t r = r0; r < r1; ++r) {
    const Cells v = cells(r % w.oh, w.sh, w.top, w.kh, w.h);
    const int64_t row = (r / w.oh * w.h + v.start) * w.w;
    for (int64_t ox = 0; ox < w.ow; ++ox) {
      const Cells u = cells(ox, w.sw, w.left, w.kw, w.w);
      channels<T>(w.c, [&](int64_t c, int lanes) __attribute__((always_inline)) {
        f((row + u.start) * w.c + c, v, u, (r * w.ow + ox) * w.c + c, lanes);
      });
    }
  }
}

template <class T>
void max_pool(const WindowGrid& w, const T* x, T* y, int64_t r0, int64_t r1) {
  windows<T>(w, r0, r1,
             [&](int64_t at, Cells v, Cells u, int64_t to, int lanes) __attribute__((always_inline)) {
               auto m = get(x + at + (v.lo * w.w + u.lo) * w.c, lanes);
               for (int64_t i = v.lo; i < v.hi; ++i)
                 for (int64_t j = u.lo; j < u.hi; ++j) {
                   const auto e = get(x + at + (i * w.w + j) * w.c, lanes);
                   m = select((e > m) | (e != e), e, m);  // a NaN wins
                 }
               put(y + to, m, lanes);
             });
}

template <class T>
void avg_pool(const WindowGrid& w, const T* x, T* y, int64_t r0, int64_t r1) {
  windows<T>(w, r0, r1,
             [&](int64_t at, Cells v, Cells u, int64_t to, int lanes) __attribute__((always_inline)) {
               typename Simd<T>::vec sum = {};
               for (int64_t i = v.lo; i < v.hi; ++i)
                 for (int64_t j = u.lo; j < u.hi; ++j) sum = sum + get(x + at + (i * w.w + j) * w.c, lanes);
               put(y + to, sum / T((v.hi - v.lo) * (u.hi - u.lo)), lanes);
             });
}

template <class T>
void max_pick(const WindowGrid& w, const T* gg, const T* x, const T* m, T* y, int64_t r0, int64_t r1) {
  windows<T>(w, r0, r1,
             [&](int64_t at, Cells v, Cells u, int64_t to, int lanes) __attribute__((always_inline)) {
               const auto top = get(m + to, lanes);
               typename Simd<T>::vec out = {};
               auto open = top == top;  // lanes whose maximum has not been met yet
               for (int64_t i = v.lo; i < v.hi; ++i)
                 for (int64_t j = u.lo; j < u.hi; ++j) {
                   const int64_t cell = at + (i * w.w + j) * w.c;
                   const auto hit = open & (get(x + cell, lanes) == top);
                   out = select(hit, get(gg + cell, lanes), out);
                   open = open & ~hit;
                 }
               put(y + to, out, lanes);
             });
}

template <class T>
PK_INLINE void zero(T* p, int64_t n) {
  if (n > 0) memset(p, 0, (size_t)n * sizeof(T));
}

// Walks the windows of rows [r0, r1) of one image and adds to the cells under them; image rows are cleared
// just before their first window, while they are about to be in the cache anyway.
template <class T, class F>
PK_INLINE void scatter(const WindowGrid& w, T* dx, int64_t r0, int64_t r1, F f) {
  const int64_t image = r0 / w.oh, first = r0 % w.oh, last = first + (r1 - r0);
  T* const base = dx + image * w.h * w.w * w.c;
  const auto begin_of = [&](int64_t row) {
    const int64_t at = row * w.sh - w.top;
    return at < 0 ? 0 : at > w.h ? w.h : at;
  };
  int64_t cleared = first == 0 ? 0 : begin_of(first);
  const int64_t end = last == w.oh ? w.h : begin_of(last);
  for (int64_t r = r0; r < r1; ++r) {
    int64_t until = (r % w.oh) * w.sh - w.top + w.kh;
    if (until > end) until = end;
    if (until > cleared) {
      zero(base + cleared * w.w * w.c, (until - cleared) * w.w * w.c);
      cleared = until;
    }
    windows<T>(w, r, r + 1, f);
  }
  zero(base + cleared * w.w * w.c, (end - cleared) * w.w * w.c);
}

template <class T>
void max_grad(const WindowGrid& w, const T* g, const T* x, const T* m, T* dx, int64_t r0, int64_t r1) {
  scatter(w, dx, r0, r1,
          [&](int64_t at, Cells v, Cells u, int64_t to, int lanes) __attribute__((always_inline)) {
            const auto top = get(m + to, lanes), grad = get(g + to, lanes);
            const typename Simd<T>::vec none = {};
            auto open = top == top;
            for (int64_t i = v.lo; i < v.hi; ++i)
              for (int64_t j = u.lo; j < u.hi; ++j) {
                const int64_t cell = at + (i * w.w + j) * w.c;
                const auto hit = open & (get(x + cell, lanes) == top);
                put(dx + cell, get(dx + cell, lanes) + select(hit, grad, none), lanes);
                open = open & ~hit;
              }
          });
}

template <class T>
void avg_grad(const WindowGrid& w, const T* g, T* dx, int64_t r0, int64_t r1) {
  scatter(w, dx, r0, r1,
          [&](int64_t at, Cells v, Cells u, int64_t to, int lanes) __attribute__((always_inline)) {
            const auto share = get(g + to, lanes) / T((v.hi - v.lo) * (u.hi - u.lo));
            for (int64_t i = v.lo; i < v.hi; ++i)
              for (int64_t j = u.lo; j < u.hi; ++j) {
                const int64_t cell = at + (i * w.w + j) * w.c;
                put(dx + cell, get(dx + cell, lanes) + share, lanes);
              }
          });
}

}  // namespace

#define PK_DEFINE(T, suffix)                                                                         \
  void max_pool_##suffix(const WindowGrid& w, const T* x, T* y, int64_t r0, int64_t r1) {            \
    max_pool(w, x, y, r0, r1);                                                                       \
  }                                                                                                  \
  void avg_pool_##suffix(const WindowGrid& w, const T* x, T* y, int64_t r0, int64_t r1) {            \
    avg_pool(w, x, y, r0, r1);                                                                       \
  }                                                                                                  \
  void max_pick_##suffix(const WindowGrid& w, const T* gg, const T* x, const T* m, T* y, int64_t r0, \
                         int64_t r1) {                                                               \
    max_pick(w, gg, x, m, y, r0, r1);                                                                \
  }                                                                                                  \
  void max_grad_##suffix(const WindowGrid& w, const T* g, const T* x, const T* m, T* dx, int64_t r0, \
                         int64_t r1) {                                                               \
    max_grad(w, g, x, m, dx, r0, r1);                                                                \
  }                                                                                                  \
  void avg_grad_##suffix(const WindowGrid& w, const T* g, T* dx, int64_t r0, int64_t r1) {           \
    avg_grad(w, g, dx, r0, r1);                                                                      \
  }
PK_DEFINE(float, f32)
PK_DEFINE(double, f64)

}  // namespace pk::cpu::PK_ISA
