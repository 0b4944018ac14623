// Ops that move elements; the reshaping ones are copies here and usually not run at all.
#include <cstring>

#include "reference/common.h"

namespace pk::reference {
namespace {

template <class T>
void copy(Context&, const KernelArgs& a) {
  if (a.out[0].data != a.in[0].data)
    std::memcpy(a.out[0].data, a.in[0].data, static_cast<size_t>(a.out[0].size) * sizeof(T));
}

template <class T>
void zero(const TensorArg& t) {
  for (int64_t i = 0; i < t.size; ++i) t.as<T>()[i] = T(0);
}

template <class T>
void transpose(Context&, const KernelArgs& a) {
  const Ints& perm = a.attr<PermAttrs>().perm;
  const T* x = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  const Strides own = row_major(a.in[0].shape());
  Strides s{};
  for (int i = 0; i < perm.size(); ++i) s[static_cast<size_t>(i)] = own[static_cast<size_t>(perm[i])];
  walk(a.out[0].shape(), [&](int64_t i, int64_t from) { y[i] = x[from]; }, s);
}

template <class T>
void concat(Context&, const KernelArgs& a) {
  const int64_t axis = a.attr<AxisAttrs>().axis;
  T* y = a.out[0].as<T>();
  const AxisView to(a.out[0].shape(), axis);
  int64_t start = 0;
  for (int part = 0; part < a.n_in; ++part) {
    const AxisView from(a.in[part].shape(), axis);
    for (int64_t o = 0; o < from.outer; ++o)
      for (int64_t k = 0; k < from.n; ++k)
        for (int64_t i = 0; i < from.inner; ++i)
          y[to.at(o, start + k, i)] = a.in[part].as<T>()[from.at(o, k, i)];
    start += from.n;
  }
}

// The part of g that came from input `index` of a concat.
template <class T>
void concat_part(Context&, const KernelArgs& a) {
  const auto& c = a.attr<ConcatPartAttrs>();
  const T* g = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  const AxisView from(a.in[0].shape(), c.axis), to(a.out[0].shape(), c.axis);
  int64_t start = 0;
  for (int part = 0; part < c.index; ++part) start += AxisView(a.in[part + 1].shape(), c.axis).n;
  for (int64_t o = 0; o < to.outer; ++o)
    for (int64_t k = 0; k < to.n; ++k)
      for (int64_t i = 0; i < to.inner; ++i) y[to.at(o, k, i)] = g[from.at(o, start + k, i)];
}

// Where the elements of a slice lie in the whole: a first offset, and strides.
struct SliceMap {
  int64_t first = 0;
  Strides strides{};

  SliceMap(const SliceAttrs& s, const Shape& whole) {
    const Strides own = row_major(whole);
    for (int i = 0; i < whole.rank(); ++i) {
      const SliceRange r = slice_range(s, i, whole[i]);
      first += r.begin * own[static_cast<size_t>(i)];
      strides[static_cast<size_t>(i)] = r.stride * own[static_cast<size_t>(i)];
    }
  }
};

template <class T>
void slice(Context&, const KernelArgs& a) {
  const SliceMap map(a.attr<SliceAttrs>(), a.in[0].shape());
  const T* x = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  walk(a.out[0].shape(), [&](int64_t i, int64_t at) { y[i] = x[map.first + at]; }, map.strides);
}

template <class T>
void slice_grad(Context&, const KernelArgs& a) {
  const SliceMap map(a.attr<SliceAttrs>(), a.out[0].shape());
  const T* g = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  zero<T>(a.out[0]);
  walk(a.in[0].shape(), [&](int64_t i, int64_t at) { y[map.first + at] = g[i]; }, map.strides);
}

// Offset of the element that has `before` elements in front of it on each axis.
int64_t corner(const Ints& before, const Shape& whole) {
  const Strides own = row_major(whole);
  int64_t at = 0;
  for (int i = 0; i < whole.rank(); ++i) at += before[i] * own[static_cast<size_t>(i)];
  return at;
}

template <class T>
void pad(Context&, const KernelArgs& a) {
  const auto& p = a.attr<PadAttrs>();
  const T* x = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  for (int64_t i = 0; i < a.out[0].size; ++i) y[i] = static_cast<T>(p.value);
  const int64_t first = corner(p.before, a.out[0].shape());
  walk(a.in[0].shape(), [&](int64_t i, int64_t at) { y[first + at] = x[i]; }, row_major(a.out[0].shape()));
}

template <class T>
void crop(Context&, const KernelArgs& a) {
  const T* x = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  const int64_t first = corner(a.attr<PadAttrs>().before, a.in[0].shape());
  walk(a.out[0].shape(), [&](int64_t i, int64_t at) { y[i] = x[first + at]; }, row_major(a.in[0].shape()));
}

// Calls f(large, small) for each element of the tiled shape and the element it repeats.
template <class F>
void tiles(const Shape& small, const Shape& large, F&& f) {
  // Each axis as (repetition, index): the repetition does not move the small offset.
  Shape pairs;
  Strides from{};
  const Strides own = row_major(small);
  for (int i = 0; i < small.rank(); ++i) {
    if (large[i] == small[i]) {
      from[static_cast<size_t>(pairs.rank())] = own[static_cast<size_t>(i)];
      pairs.push_back(small[i]);
      continue;
    }
    if (pairs.rank() + 2 > kMaxRank) throw ValueError("tile: too many dimensions are repeated at once");
    pairs.push_back(small[i] ? large[i] / small[i] : 0);
    from[static_cast<size_t>(pairs.rank())] = own[static_cast<size_t>(i)];
    pairs.push_back(small[i]);
  }
  walk(pairs, f, from);
}

template <class T>
void tile(Context&, const KernelArgs& a) {
  const T* x = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  tiles(a.in[0].shape(), a.out[0].shape(), [&](int64_t i, int64_t at) { y[i] = x[at]; });
}
template <class T>
void tile_grad(Context&, const KernelArgs& a) {
  const T* g = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  zero<T>(a.out[0]);
  tiles(a.out[0].shape(), a.in[0].shape(), [&](int64_t i, int64_t at) { y[at] += g[i]; });
}

template <class T>
void repeat(Context&, const KernelArgs& a) {
  const auto& r = a.attr<RepeatAttrs>();
  const AxisView v(a.in[0].shape(), r.axis);
  for (int64_t o = 0; o < v.outer; ++o)
    for (int64_t k = 0; k < v.n * r.n; ++k)
      for (int64_t i = 0; i < v.inner; ++i)
        a.out[0].as<T>()[(o * v.n * r.n + k) * v.inner + i] = a.in[0].as<T>()[v.at(o, k / r.n, i)];
}
template <class T>
void repeat_grad(Context&, const KernelArgs& a) {
  const auto& r = a.attr<RepeatAttrs>();
  const AxisView v(a.out[0].shape(), r.axis);
  zero<T>(a.out[0]);
  for (int64_t o = 0; o < v.outer; ++o)
    for (int64_t k = 0; k < v.n * r.n; ++k)
      for (int64_t i = 0; i < v.inner; ++i)
        a.out[0].as<T>()[v.at(o, k / r.n, i)] += a.in[0].as<T>()[(o * v.n * r.n + k) * v.inner + i];
}

template <class T>
void reverse(Context&, const KernelArgs& a) {
  const T* x = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  const Shape& shape = a.in[0].shape();
  Strides s = row_major(shape);
  int64_t first = 0;
  for (int64_t axis : a.attr<AxesAttrs>().axes) {
    int64_t& stride = s[static_cast<size_t>(axis)];
    first += (shape[static_cast<int>(axis)] - 1) * stride;
    stride = -stride;
  }
  walk(shape, [&](int64_t i, int64_t at) { y[i] = x[first + at]; }, s);
}

const KernelRegistrar registrar("reference", [](KernelTable& t) {
  for (const char* name : {"reshape", "reshape_like", "flatten_from", "expand_dims", "squeeze"}) {
    PK_ADD_TYPES(t, name, copy);
  }
  PK_ADD_TYPES(t, "transpose", transpose);
  PK_ADD_TYPES(t, "concat", concat);
  PK_ADD_TYPES(t, "concat_part", concat_part);
  PK_ADD_TYPES(t, "slice", slice);
  PK_ADD_TYPES(t, "slice_grad", slice_grad);
  PK_ADD_TYPES(t, "pad", pad);
  PK_ADD_TYPES(t, "crop", crop);
  PK_ADD_TYPES(t, "tile", tile);
  PK_ADD_FLOATS(t, "tile_grad", tile_grad);
  PK_ADD_TYPES(t, "repeat", repeat);
  PK_ADD_FLOATS(t, "repeat_grad", repeat_grad);
  PK_ADD_TYPES(t, "reverse", reverse);
});

}  // namespace
}  // namespace pk::reference
