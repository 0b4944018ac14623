// Pooling and resizing of NHWC data. Padded cells take no part: neither in a maximum nor in a mean.
#include "reference/common.h"

namespace pk::reference {
namespace {

template <class T>
void zero(const TensorArg& t) {
  for (int64_t i = 0; i < t.size; ++i) t.as<T>()[i] = T(0);
}

// Calls start(y) for every output element, then cell(y, x) for the real cells of its window in
// row-major order.
template <class S, class F>
void windows(const PoolAttrs& a, const Shape& x, const Shape& y, S&& start, F&& cell) {
  const Window v = pool_window(a, 0, x[1]), u = pool_window(a, 1, x[2]);
  const int64_t channels = x[3];
  for (int64_t n = 0; n < y[0]; ++n)
    for (int64_t oh = 0; oh < y[1]; ++oh)
      for (int64_t ow = 0; ow < y[2]; ++ow)
        for (int64_t c = 0; c < channels; ++c) {
          const int64_t iy = ((n * y[1] + oh) * y[2] + ow) * channels + c;
          start(iy);
          for (int64_t kh = 0; kh < a.pool[0]; ++kh)
            for (int64_t kw = 0; kw < a.pool[1]; ++kw) {
              const int64_t h = oh * a.strides[0] - v.before + kh, w = ow * a.strides[1] - u.before + kw;
              if (h >= 0 && h < x[1] && w >= 0 && w < x[2])
                cell(iy, ((n * x[1] + h) * x[2] + w) * channels + c);
            }
        }
}

// NaN wins, as in the other maxima.
template <class T>
void max_pool2d(Context&, const KernelArgs& a) {
  const T* x = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  bool first = true;
  windows(
      a.attr<PoolAttrs>(), a.in[0].shape(), a.out[0].shape(), [&](int64_t) { first = true; },
      [&](int64_t iy, int64_t ix) {
        if (first || x[ix] > y[iy] || x[ix] != x[ix]) y[iy] = x[ix];
        first = false;
      });
}

// (g, x, y) → dx: each g goes to the first cell of its window that holds the maximum.
template <class T>
void max_pool2d_grad(Context&, const KernelArgs& a) {
  const T *g = a.in[0].as<T>(), *x = a.in[1].as<T>(), *y = a.in[2].as<T>();
  T* dx = a.out[0].as<T>();
  zero<T>(a.out[0]);
  bool found = false;
  windows(
      a.attr<PoolAttrs>(), a.in[1].shape(), a.in[2].shape(), [&](int64_t) { found = false; },
      [&](int64_t iy, int64_t ix) {
        if (!found && x[ix] == y[iy]) {
          dx[ix] += g[iy];
          found = true;
        }
      });
}

// (gg, x, y) → the elements of gg at the maxima.
template <class T>
void max_pool2d_pick(Context&, const KernelArgs& a) {
  const T *gg = a.in[0].as<T>(), *x = a.in[1].as<T>(), *y = a.in[2].as<T>();
  T* out = a.out[0].as<T>();
  bool found = false;
  windows(
      a.attr<PoolAttrs>(), a.in[1].shape(), a.in[2].shape(),
      [&](int64_t iy) {
        found = false;
        out[iy] = T(0);
      },
      [&](int64_t iy, int64_t ix) {
        if (!found && x[ix] == y[iy]) {
          out[iy] = gg[ix];
          found = true;
        }
      });
}

// How many real cells the window of output element iy (of shape y) has.
int64_t cells(const PoolAttrs& a, const Shape& x, const Shape& y, int64_t iy) {
  const int64_t at[2] = {iy / (y[2] * y[3]) % y[1], iy / y[3] % y[2]};
  int64_t n = 1;
  for (int axis = 0; axis < 2; ++axis) {
    const int64_t from = at[axis] * a.strides[axis] - pool_window(a, axis, x[axis + 1]).before;
    n *= std::min(from + a.pool[axis], x[axis + 1]) - std::max<int64_t>(from, 0);
  }
  return n;
}

template <class T>
void avg_pool2d(Context&, const KernelArgs& a) {
  const auto& p = a.attr<PoolAttrs>();
  const T* x = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  windows(
      p, a.in[0].shape(), a.out[0].shape(), [&](int64_t iy) { y[iy] = T(0); },
      [&](int64_t iy, int64_t ix) { y[iy] += x[ix]; });
  for (int64_t iy = 0; iy < a.out[0].size; ++iy)
    y[iy] /= static_cast<T>(cells(p, a.in[0].shape(), a.out[0].shape(), iy));
}

// (g, ~x)
template <class T>
void avg_pool2d_grad(Context&, const KernelArgs& a) {
  const auto& p = a.attr<PoolAttrs>();
  const T* g = a.in[0].as<T>();
  T* dx = a.out[0].as<T>();
  zero<T>(a.out[0]);
  T share = 0;
  windows(
      p, a.out[0].shape(), a.in[0].shape(),
      [&](int64_t iy) { share = g[iy] / static_cast<T>(cells(p, a.out[0].shape(), a.in[0].shape(), iy)); },
      [&](int64_t, int64_t ix) { dx[ix] += share; });
}

// --- resizing

template <class T>
void resize_nearest(Context&, const KernelArgs& a) {
  const Ints& f = a.attr<ResizeAttrs>().factors;
  const T* x = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  const Shape &xs = a.in[0].shape(), &ys = a.out[0].shape();
  for (int64_t n = 0; n < ys[0]; ++n)
    for (int64_t h = 0; h < ys[1]; ++h)
      for (int64_t w = 0; w < ys[2]; ++w)
        for (int64_t c = 0; c < ys[3]; ++c) *y++ = x[((n * xs[1] + h / f[0]) * xs[2] + w / f[1]) * xs[3] + c];
}

// Calls f(large, small, weight) for the four small cells that each element of the large side mixes.
template <class F>
void mixtures(const ResizeAttrs& a, const Shape& small, F&& f) {
  const int64_t height = small[1] * a.factors[0], width = small[2] * a.factors[1];
  int64_t large = 0;
  for (int64_t n = 0; n < small[0]; ++n)
    for (int64_t h = 0; h < height; ++h)
      for (int64_t w = 0; w < width; ++w) {
        const Lerp v = lerp_at(h, a.factors[0], small[1], a.half_pixel);
        const Lerp u = lerp_at(w, a.factors[1], small[2], a.half_pixel);
        for (int64_t c = 0; c < small[3]; ++c, ++large) {
          const auto at = [&](int64_t y, int64_t x) {
            return ((n * small[1] + y) * small[2] + x) * small[3] + c;
          };
          f(large, at(v.low, u.low), (1 - v.t) * (1 - u.t));
          f(large, at(v.low, u.high), (1 - v.t) * u.t);
          f(large, at(v.high, u.low), v.t * (1 - u.t));
          f(large, at(v.high, u.high), v.t * u.t);
        }
      }
}

template <class T>
void resize_bilinear(Context&, const KernelArgs& a) {
  const T* x = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  zero<T>(a.out[0]);
  mixtures(a.attr<ResizeAttrs>(), a.in[0].shape(), [&](int64_t large, int64_t small, double weight) {
    y[large] += static_cast<T>(weight) * x[small];
  });
}
template <class T>
void resize_bilinear_grad(Context&, const KernelArgs& a) {
  const T* g = a.in[0].as<T>();
  T* dx = a.out[0].as<T>();
  zero<T>(a.out[0]);
  mixtures(a.attr<ResizeAttrs>(), a.out[0].shape(), [&](int64_t large, int64_t small, double weight) {
    dx[small] += static_cast<T>(weight) * g[large];
  });
}

const KernelRegistrar registrar("reference", [](KernelTable& t) {
  PK_ADD_FLOATS(t, "max_pool2d", max_pool2d);
  PK_ADD_FLOATS(t, "max_pool2d_grad", max_pool2d_grad);
  PK_ADD_FLOATS(t, "max_pool2d_pick", max_pool2d_pick);
  PK_ADD_FLOATS(t, "avg_pool2d", avg_pool2d);
  PK_ADD_FLOATS(t, "avg_pool2d_grad", avg_pool2d_grad);
  PK_ADD_TYPES(t, "resize_nearest", resize_nearest);
  PK_ADD_FLOATS(t, "resize_bilinear", resize_bilinear);
  PK_ADD_FLOATS(t, "resize_bilinear_grad", resize_bilinear_grad);
});

}  // namespace
}  // namespace pk::reference
