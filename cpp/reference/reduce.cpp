// Reductions, running sums and products, positions of extrema.
#include <limits>

#include "reference/common.h"

namespace pk::reference {
namespace {

// A shape split in two: the axes that stay and those that are reduced, with the input's strides.
struct Split {
  Shape kept, gone;
  Strides kept_strides{}, gone_strides{};

  Split(const Shape& s, const Ints& axes) {
    const Strides own = row_major(s);
    for (int i = 0; i < s.rank(); ++i) {
      Shape& shape = axes.contains(i) ? gone : kept;
      (axes.contains(i) ? gone_strides : kept_strides)[static_cast<size_t>(shape.rank())] =
          own[static_cast<size_t>(i)];
      shape.push_back(s[i]);
    }
  }
};

// y = finish(the fold of f over the reduced elements, in order, from `start`); Acc: the accumulator's type.
template <class T, class Acc, class F, class G>
void fold(const KernelArgs& a, Acc start, F&& f, G&& finish) {
  const T* x = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  const Split s(a.in[0].shape(), a.attr<ReduceAttrs>().axes);
  walk(
      s.kept,
      [&](int64_t o, int64_t base) {
        Acc acc = start;
        walk(
            s.gone, [&](int64_t, int64_t at) { acc = static_cast<Acc>(f(acc, x[base + at])); },
            s.gone_strides);
        y[o] = static_cast<T>(finish(acc));
      },
      s.kept_strides);
}
template <class T, class F>
void fold(const KernelArgs& a, T start, F&& f) {
  fold<T, T>(a, start, f, [](T acc) { return acc; });
}

template <class T>
void sum(Context&, const KernelArgs& a) {
  fold<T>(a, T(0), [](T acc, T x) { return acc + x; });
}

// In double, whatever the type: other devices are measured by this.
template <class T>
void mean(Context&, const KernelArgs& a) {
  const double n = static_cast<double>(Split(a.in[0].shape(), a.attr<ReduceAttrs>().axes).gone.size());
  fold<T, double>(
      a, 0.0, [](double acc, T x) { return acc + static_cast<double>(x); },
      [n](double acc) { return acc / n; });
}

template <class T>
void prod(Context&, const KernelArgs& a) {
  fold<T>(a, T(1), [](T acc, T x) { return acc * x; });
}

// NaN wins: a broken loss must show.
template <class T>
void max(Context&, const KernelArgs& a) {
  using L = std::numeric_limits<T>;
  fold<T>(a, L::has_infinity ? -L::infinity() : L::lowest(),
          [](T acc, T x) { return x > acc || x != x ? x : acc; });
}
template <class T>
void min(Context&, const KernelArgs& a) {
  using L = std::numeric_limits<T>;
  fold<T>(a, L::has_infinity ? L::infinity() : L::max(),
          [](T acc, T x) { return x < acc || x != x ? x : acc; });
}

void any(Context&, const KernelArgs& a) {
  fold<uint8_t>(a, 0, [](uint8_t acc, uint8_t x) { return acc || x; });
}
void all(Context&, const KernelArgs& a) {
  fold<uint8_t>(a, 1, [](uint8_t acc, uint8_t x) { return acc && x; });
}

// The first position of the extremum, or of the first NaN.
template <class T, class Better>
void arg_extremum(const KernelArgs& a, Better&& better) {
  const T* x = a.in[0].as<T>();
  int64_t* y = a.out[0].as<int64_t>();
  const AxisView v(a.in[0].shape(), a.attr<AxisAttrs>().axis);
  for (int64_t o = 0; o < v.outer; ++o)
    for (int64_t i = 0; i < v.inner; ++i) {
      int64_t best = 0;
      for (int64_t k = 1; k < v.n; ++k) {
        const T candidate = x[v.at(o, k, i)], now = x[v.at(o, best, i)];
        if (better(candidate, now) || (candidate != candidate && now == now)) best = k;
      }
      y[o * v.inner + i] = best;
    }
}
template <class T>
void argmax(Context&, const KernelArgs& a) {
  arg_extremum<T>(a, [](T x, T best) { return x > best; });
}
template <class T>
void argmin(Context&, const KernelArgs& a) {
  arg_extremum<T>(a, [](T x, T best) { return x < best; });
}

// Calls f(at, first) for the elements of each line along the axis, in the order of CumAttrs.
template <class F>
void along(const AxisView& v, bool reverse, F&& f) {
  for (int64_t o = 0; o < v.outer; ++o)
    for (int64_t i = 0; i < v.inner; ++i)
      for (int64_t step = 0; step < v.n; ++step) f(v.at(o, reverse ? v.n - 1 - step : step, i), step == 0);
}

template <class T, class F>
void cumulative(const KernelArgs& a, T start, F&& f) {
  const auto& c = a.attr<CumAttrs>();
  const T* x = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  T acc = start;
  along(AxisView(a.in[0].shape(), c.axis), c.reverse, [&](int64_t at, bool first) {
    if (first) acc = start;
    const T before = acc;
    acc = static_cast<T>(f(acc, x[at]));
    y[at] = c.exclusive ? before : acc;
  });
}
template <class T>
void cumsum(Context&, const KernelArgs& a) {
  cumulative<T>(a, T(0), [](T acc, T x) { return acc + x; });
}
template <class T>
void cumprod(Context&, const KernelArgs& a) {
  cumulative<T>(a, T(1), [](T acc, T x) { return acc * x; });
}

// y_k = a_k · y_(k-1) + b_k, y before the first being 0.
template <class T>
void linear_scan(Context&, const KernelArgs& a) {
  const auto& c = a.attr<CumAttrs>();
  const T *factor = a.in[0].as<T>(), *b = a.in[1].as<T>();
  T* y = a.out[0].as<T>();
  T last = 0;
  along(AxisView(a.in[0].shape(), c.axis), c.reverse, [&](int64_t at, bool first) {
    last = first ? b[at] : factor[at] * last + b[at];
    y[at] = last;
  });
}

const KernelRegistrar registrar("reference", [](KernelTable& t) {
  PK_ADD_NUMBERS(t, "sum", sum);
  PK_ADD_FLOATS(t, "mean", mean);
  PK_ADD_NUMBERS(t, "prod", prod);
  PK_ADD_NUMBERS(t, "max", max);
  PK_ADD_NUMBERS(t, "min", min);
  t.add("any", DType::boolean, any);
  t.add("all", DType::boolean, all);
  PK_ADD_TYPES(t, "argmax", argmax);
  PK_ADD_TYPES(t, "argmin", argmin);
  PK_ADD_NUMBERS(t, "cumsum", cumsum);
  PK_ADD_NUMBERS(t, "cumprod", cumprod);
  PK_ADD_FLOATS(t, "linear_scan", linear_scan);
});

}  // namespace
}  // namespace pk::reference
