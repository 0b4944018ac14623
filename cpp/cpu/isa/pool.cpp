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

// The real cells of a window: along each axis, and where its corner lies in x.
struct View {
  Cells q, v, u;
  int64_t corner;
  int64_t row, plane;  // elements from one to the next
  int64_t count() const { return (q.hi - q.lo) * (v.hi - v.lo) * (u.hi - u.lo); }
  int64_t first() const { return corner + q.lo * plane + v.lo * row; }
};

// f(offset in x) for every real cell, in row-major order.
template <class F>
PK_INLINE void each_cell(View s, int64_t c, F f) {
  for (int64_t k = s.q.lo; k < s.q.hi; ++k)
    for (int64_t i = s.v.lo; i < s.v.hi; ++i) {
      const int64_t at = s.corner + k * s.plane + i * s.row;
      for (int64_t j = s.u.lo; j < s.u.hi; ++j) f(at + j * c);
    }
}

// f(the window, its place in y, lanes) for every window and vector of channels.
template <class T, class F>
PK_INLINE void windows(const WindowGrid& w, int64_t r0, int64_t r1, F f) {
  View s;
  s.row = w.w * w.c;
  s.plane = w.h * s.row;
  for (int64_t r = r0; r < r1; ++r) {
    const int64_t plane = r / w.oh;
    s.q = cells(plane % w.od, w.sd, w.front, w.kd, w.d);
    s.v = cells(r % w.oh, w.sh, w.top, w.kh, w.h);
    const int64_t corner = (plane / w.od * w.d + s.q.start) * s.plane + s.v.start * s.row;
    for (int64_t ox = 0; ox < w.ow; ++ox) {
      s.u = cells(ox, w.sw, w.left, w.kw, w.w);
      vectors<T>(w.c, [&](int64_t c, int lanes) __attribute__((always_inline)) {
        View at = s;
        at.corner = corner + s.u.start * w.c + c;
        f(at, (r * w.ow + ox) * w.c + c, lanes);
      });
    }
  }
}

template <class T>
void max_pool(const WindowGrid& w, const T* x, T* y, int64_t r0, int64_t r1) {
  windows<T>(w, r0, r1, [&](View s, int64_t to, int lanes) __attribute__((always_inline)) {
    auto m = get(x + s.first() + s.u.lo * w.c, lanes);
    each_cell(s, w.c, [&](int64_t cell) __attribute__((always_inline)) {
      const auto e = get(x + cell, lanes);
      m = select((e > m) | (e != e), e, m);  // a NaN wins
    });
    put(y + to, m, lanes);
  });
}

template <class T>
void avg_pool(const WindowGrid& w, const T* x, T* y, int64_t r0, int64_t r1) {
  windows<T>(w, r0, r1, [&](View s, int64_t to, int lanes) __attribute__((always_inline)) {
    typename Simd<T>::vec sum = {};
    each_cell(s, w.c, [&](int64_t cell) __attribute__((always_inline)) { sum = sum + get(x + cell, lanes); });
    put(y + to, sum / T(s.count()), lanes);
  });
}

template <class T>
void max_pick(const WindowGrid& w, const T* gg, const T* x, const T* m, T* y, int64_t r0, int64_t r1) {
  windows<T>(w, r0, r1, [&](View s, int64_t to, int lanes) __attribute__((always_inline)) {
    const auto top = get(m + to, lanes);
    typename Simd<T>::vec out = {};
    auto open = top == top;  // lanes whose maximum has not been met yet
    each_cell(s, w.c, [&](int64_t cell) __attribute__((always_inline)) {
      const auto hit = open & (get(x + cell, lanes) == top);
      out = select(hit, get(gg + cell, lanes), out);
      open = open & ~hit;
    });
    put(y + to, out, lanes);
  });
}

template <class T>
PK_INLINE void zero(T* p, int64_t n) {
  if (n > 0) memset(p, 0, (size_t)n * sizeof(T));
}

// The first cell that belongs to window `out` along one axis.
PK_INLINE int64_t begin_of(int64_t out, int64_t stride, int64_t before, int64_t size) {
  const int64_t at = out * stride - before;
  return at < 0 ? 0 : at > size ? size : at;
}

// Walks the windows of rows [first, last) of one plane of windows and adds to the cells under them. Rows of
// the planes [z0, z1) are cleared just before their first window, while they are about to be in the cache
// anyway.
template <class T, class F>
PK_INLINE void scatter_plane(const WindowGrid& w, T* volume, int64_t plane, int64_t first, int64_t last,
                             int64_t z0, int64_t z1, F f) {
  const int64_t row = w.w * w.c;
  int64_t cleared = first == 0 ? 0 : begin_of(first, w.sh, w.top, w.h);
  const int64_t end = last == w.oh ? w.h : begin_of(last, w.sh, w.top, w.h);
  const auto clear = [&](int64_t until) {
    for (int64_t z = z0; z < z1; ++z) zero(volume + (z * w.h + cleared) * row, (until - cleared) * row);
    if (until > cleared) cleared = until;
  };
  for (int64_t r = first; r < last; ++r) {
    const int64_t until = r * w.sh - w.top + w.kh;
    clear(until < end ? until : end);
    windows<T>(w, plane * w.oh + r, plane * w.oh + r + 1, f);
  }
  clear(end);
}

template <class T, class F>
PK_INLINE void scatter(const WindowGrid& w, T* dx, int64_t r0, int64_t r1, F f) {
  int64_t cleared = -1;  // planes of the volume, where one call takes several
  for (int64_t r = r0; r < r1;) {
    const int64_t plane = r / w.oh, z = plane % w.od, first = r % w.oh;
    const int64_t last = r1 - r < w.oh - first ? first + (r1 - r) : w.oh;
    const int64_t z0 = cleared >= 0 ? cleared : z == 0 ? 0 : begin_of(z, w.sd, w.front, w.d);
    const int64_t reach = z * w.sd - w.front + w.kd, next = begin_of(z + 1, w.sd, w.front, w.d);
    const int64_t z1 = z + 1 == w.od ? w.d : reach < next ? next : reach < w.d ? reach : w.d;
    scatter_plane(w, dx + plane / w.od * w.d * w.h * w.w * w.c, plane, first, last, z0, z1, f);
    cleared = z1;
    r += last - first;
  }
}

template <class T>
void max_grad(const WindowGrid& w, const T* g, const T* x, const T* m, T* dx, int64_t r0, int64_t r1) {
  scatter(w, dx, r0, r1, [&](View s, int64_t to, int lanes) __attribute__((always_inline)) {
    const auto top = get(m + to, lanes), grad = get(g + to, lanes);
    const typename Simd<T>::vec none = {};
    auto open = top == top;
    each_cell(s, w.c, [&](int64_t cell) __attribute__((always_inline)) {
      const auto hit = open & (get(x + cell, lanes) == top);
      put(dx + cell, get(dx + cell, lanes) + select(hit, grad, none), lanes);
      open = open & ~hit;
    });
  });
}

template <class T>
void avg_grad(const WindowGrid& w, const T* g, T* dx, int64_t r0, int64_t r1) {
  scatter(w, dx, r0, r1, [&](View s, int64_t to, int lanes) __attribute__((always_inline)) {
    const auto share = get(g + to, lanes) / T(s.count());
    each_cell(s, w.c, [&](int64_t cell) __attribute__((always_inline)) {
      put(dx + cell, get(dx + cell, lanes) + share, lanes);
    });
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
