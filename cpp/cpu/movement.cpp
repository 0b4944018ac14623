// Ops that move elements, each as one strided copy (or one per part).
#include <cstring>

#include "cpu/copy.h"
#include "cpu/parallel.h"
#include "kernels/geometry.h"
#include "kernels/table.h"

namespace pk::cpu {
namespace {

struct Strides {
  int64_t v[kMaxRank] = {};
  explicit Strides(const Shape& s) {
    int64_t step = 1;
    for (int i = s.rank() - 1; i >= 0; --i) {
      v[i] = step;
      step *= s[i];
    }
  }
  int64_t operator[](int i) const { return v[i]; }
};

size_t item(const TensorArg& t) { return dtype_size(t.dtype()); }
void* at(const TensorArg& t, int64_t element) {
  return t.as<char>() + element * static_cast<int64_t>(item(t));
}

void transpose(Context& ctx, const KernelArgs& a) {
  const Ints& perm = a.attr<PermAttrs>().perm;
  const Strides from(a.in[0].shape()), to(a.out[0].shape());
  CopyPlan p;
  for (int i = 0; i < perm.size(); ++i) p.add(a.out[0].shape()[i], to[i], from[static_cast<int>(perm[i])]);
  copy(ctx, p, item(a.out[0]), a.out[0].data, a.in[0].data);
}

// Rows of `outer` that take `row` elements at a time of a side where they are `to` or `from` apart.
CopyPlan rows(int64_t outer, int64_t row, int64_t to, int64_t from) {
  CopyPlan p;
  p.add(outer, to, from);
  p.add(row, 1, 1);
  return p;
}

int64_t product(const Shape& s, int from, int to) {
  int64_t n = 1;
  for (int i = from; i < to; ++i) n *= s[i];
  return n;
}

void concat(Context& ctx, const KernelArgs& a) {
  const Shape& whole = a.out[0].shape();
  const int axis = static_cast<int>(normal_axis(a.attr<AxisAttrs>().axis, whole.rank()));
  const int64_t outer = product(whole, 0, axis), line = product(whole, axis, whole.rank());
  int64_t start = 0;
  for (int i = 0; i < a.n_in; ++i) {
    const int64_t row = product(a.in[i].shape(), axis, whole.rank());
    copy(ctx, rows(outer, row, line, row), item(a.out[0]), at(a.out[0], start), a.in[i].data);
    start += row;
  }
}

void concat_part(Context& ctx, const KernelArgs& a) {
  const auto& c = a.attr<ConcatPartAttrs>();
  const Shape& whole = a.in[0].shape();
  const int axis = static_cast<int>(normal_axis(c.axis, whole.rank()));
  const int64_t outer = product(whole, 0, axis), line = product(whole, axis, whole.rank());
  const int64_t row = product(a.out[0].shape(), axis, whole.rank());
  int64_t start = 0;
  for (int i = 0; i < c.index; ++i) start += product(a.in[i + 1].shape(), axis, whole.rank());
  copy(ctx, rows(outer, row, row, line), item(a.out[0]), a.out[0].data, at(a.in[0], start));
}

// Where a slice lies in the whole.
struct SliceMap {
  int64_t first = 0;
  int64_t strides[kMaxRank] = {};
  SliceMap(const SliceAttrs& s, const Shape& whole) {
    const Strides own(whole);
    for (int i = 0; i < whole.rank(); ++i) {
      const SliceRange r = slice_range(s, i, whole[i]);
      first += r.begin * own[i];
      strides[i] = r.stride * own[i];
    }
  }
};

void slice(Context& ctx, const KernelArgs& a) {
  if (a.out[0].size == 0) return;
  const SliceMap map(a.attr<SliceAttrs>(), a.in[0].shape());
  const Shape& part = a.out[0].shape();
  const Strides to(part);
  CopyPlan p;
  for (int i = 0; i < part.rank(); ++i) p.add(part[i], to[i], map.strides[i]);
  copy(ctx, p, item(a.out[0]), a.out[0].data, at(a.in[0], map.first));
}

void slice_grad(Context& ctx, const KernelArgs& a) {
  fill_zero(ctx, a.out[0].data, a.out[0].type.bytes());
  if (a.in[0].size == 0) return;
  const SliceMap map(a.attr<SliceAttrs>(), a.out[0].shape());
  const Shape& part = a.in[0].shape();
  const Strides from(part);
  CopyPlan p;
  for (int i = 0; i < part.rank(); ++i) p.add(part[i], map.strides[i], from[i]);
  copy(ctx, p, item(a.out[0]), at(a.out[0], map.first), a.in[0].data);
}

int64_t corner(const Ints& before, const Shape& whole) {
  const Strides own(whole);
  int64_t first = 0;
  for (int i = 0; i < whole.rank(); ++i) first += before[i] * own[i];
  return first;
}

template <class T>
void pad(Context& ctx, const KernelArgs& a) {
  const auto& attr = a.attr<PadAttrs>();
  const Shape &part = a.in[0].shape(), &whole = a.out[0].shape();
  T* y = a.out[0].as<T>();
  const T value = static_cast<T>(attr.value);
  parallel(ctx, Split(a.out[0].size, 1, 64), a.out[0].size,
           [&](int64_t begin, int64_t end, int64_t) { std::fill(y + begin, y + end, value); });
  if (a.in[0].size == 0) return;
  const Strides to(whole), from(part);
  CopyPlan p;
  for (int i = 0; i < part.rank(); ++i) p.add(part[i], to[i], from[i]);
  copy(ctx, p, sizeof(T), y + corner(attr.before, whole), a.in[0].data);
}

void crop(Context& ctx, const KernelArgs& a) {
  if (a.out[0].size == 0) return;
  const Shape &part = a.out[0].shape(), &whole = a.in[0].shape();
  const Strides to(part), from(whole);
  CopyPlan p;
  for (int i = 0; i < part.rank(); ++i) p.add(part[i], to[i], from[i]);
  copy(ctx, p, item(a.out[0]), a.out[0].data, at(a.in[0], corner(a.attr<PadAttrs>().before, whole)));
}

// Each axis of the result as (repetition, index).
void tile(Context& ctx, const KernelArgs& a) {
  const Shape& x = a.in[0].shape();
  const Strides from(x), to(a.out[0].shape());
  const Ints& reps = a.attr<TileAttrs>().reps;
  CopyPlan p;
  for (int i = 0; i < x.rank(); ++i) {
    p.add(reps[i], to[i] * x[i], 0);
    p.add(x[i], to[i], from[i]);
  }
  copy(ctx, p, item(a.out[0]), a.out[0].data, a.in[0].data);
}

void repeat(Context& ctx, const KernelArgs& a) {
  const auto& r = a.attr<RepeatAttrs>();
  const Shape& x = a.in[0].shape();
  const int axis = static_cast<int>(normal_axis(r.axis, x.rank()));
  const int64_t inner = product(x, axis + 1, x.rank());
  CopyPlan p;
  p.add(product(x, 0, axis) * x[axis], inner * r.n, inner);
  p.add(r.n, inner, 0);
  p.add(inner, 1, 1);
  copy(ctx, p, item(a.out[0]), a.out[0].data, a.in[0].data);
}

void reverse(Context& ctx, const KernelArgs& a) {
  if (a.out[0].size == 0) return;
  const Shape& x = a.in[0].shape();
  const Strides own(x);
  const Ints& axes = a.attr<AxesAttrs>().axes;
  CopyPlan p;
  int64_t first = 0;
  for (int i = 0; i < x.rank(); ++i) {
    const bool back = axes.contains(i);
    if (back) first += (x[i] - 1) * own[i];
    p.add(x[i], own[i], back ? -own[i] : own[i]);
  }
  copy(ctx, p, item(a.out[0]), a.out[0].data, at(a.in[0], first));
}

// `small` has the result's rank, with ones where it repeats.
void broadcast(Context& ctx, const KernelArgs& a, const Shape& small) {
  const Shape& large = a.out[0].shape();
  const Strides from(small), to(large);
  CopyPlan p;
  for (int i = 0; i < large.rank(); ++i) p.add(large[i], to[i], small[i] == 1 ? 0 : from[i]);
  copy(ctx, p, item(a.out[0]), a.out[0].data, a.in[0].data);
}

void broadcast_to(Context& ctx, const KernelArgs& a) {
  const Shape& x = a.in[0].shape();
  const int extra = a.out[0].shape().rank() - x.rank();
  Shape small;
  for (int i = 0; i < extra; ++i) small.push_back(1);
  for (int64_t d : x) small.push_back(d);
  broadcast(ctx, a, small);
}

void broadcast_like(Context& ctx, const KernelArgs& a) {
  Shape small = a.out[0].shape();
  for (int64_t axis : a.attr<AxesAttrs>().axes) small[static_cast<int>(axis)] = 1;
  broadcast(ctx, a, small);
}

void resize_nearest(Context& ctx, const KernelArgs& a) {
  const Ints& f = a.attr<ResizeAttrs>().factors;
  const Shape& x = a.in[0].shape();
  const int64_t c = x[3], row = x[2] * c, wide = row * f[1];
  CopyPlan p;
  p.add(x[0] * x[1], wide * f[0], row);
  p.add(f[0], wide, 0);
  p.add(x[2], c * f[1], c);
  p.add(f[1], c, 0);
  p.add(c, 1, 1);
  copy(ctx, p, item(a.out[0]), a.out[0].data, a.in[0].data);
}

// --- bilinear resizing: rows of the large side mix two rows of the small one

template <class T>
void resize_bilinear(Context& ctx, const KernelArgs& a) {
  const auto& attr = a.attr<ResizeAttrs>();
  const Shape &small = a.in[0].shape(), &large = a.out[0].shape();
  const int64_t c = small[3], row = small[2] * c;
  parallel(ctx, Split(large[0] * large[1], 4 * large[2] * c), large[0] * large[1],
           [&](int64_t begin, int64_t end, int64_t) {
             for (int64_t r = begin; r < end; ++r) {
               const Lerp v = lerp_at(r % large[1], attr.factors[0], small[1], attr.half_pixel);
               const T* image = a.in[0].as<T>() + r / large[1] * small[1] * row;
               const T *low = image + v.low * row, *high = image + v.high * row;
               T* y = a.out[0].as<T>() + r * large[2] * c;
               for (int64_t w = 0; w < large[2]; ++w, y += c) {
                 const Lerp u = lerp_at(w, attr.factors[1], small[2], attr.half_pixel);
                 const T k[4] = {static_cast<T>((1 - v.t) * (1 - u.t)), static_cast<T>((1 - v.t) * u.t),
                                 static_cast<T>(v.t * (1 - u.t)), static_cast<T>(v.t * u.t)};
                 const int64_t l = u.low * c, h = u.high * c;
                 for (int64_t i = 0; i < c; ++i)
                   y[i] = k[0] * low[l + i] + k[1] * low[h + i] + k[2] * high[l + i] + k[3] * high[h + i];
               }
             }
           });
}

// Images are independent; within one the rows add up in order.
template <class T>
void resize_bilinear_grad(Context& ctx, const KernelArgs& a) {
  const auto& attr = a.attr<ResizeAttrs>();
  const Shape &small = a.out[0].shape(), &large = a.in[0].shape();
  const int64_t c = small[3], row = small[2] * c;
  parallel(ctx, Split(large[0], 4 * large[1] * large[2] * c), large[0],
           [&](int64_t begin, int64_t end, int64_t) {
             for (int64_t n = begin; n < end; ++n) {
               T* image = a.out[0].as<T>() + n * small[1] * row;
               std::memset(image, 0, static_cast<size_t>(small[1] * row) * sizeof(T));
               const T* g = a.in[0].as<T>() + n * large[1] * large[2] * c;
               for (int64_t r = 0; r < large[1]; ++r) {
                 const Lerp v = lerp_at(r, attr.factors[0], small[1], attr.half_pixel);
                 T *low = image + v.low * row, *high = image + v.high * row;
                 for (int64_t w = 0; w < large[2]; ++w, g += c) {
                   const Lerp u = lerp_at(w, attr.factors[1], small[2], attr.half_pixel);
                   const T k[4] = {static_cast<T>((1 - v.t) * (1 - u.t)), static_cast<T>((1 - v.t) * u.t),
                                   static_cast<T>(v.t * (1 - u.t)), static_cast<T>(v.t * u.t)};
                   const int64_t l = u.low * c, h = u.high * c;
                   for (int64_t i = 0; i < c; ++i) {
                     low[l + i] += k[0] * g[i];
                     low[h + i] += k[1] * g[i];
                     high[l + i] += k[2] * g[i];
                     high[h + i] += k[3] * g[i];
                   }
                 }
               }
             }
           });
}

const KernelRegistrar registrar("cpu", [](KernelTable& t) {
  t.add_all("transpose", transpose);
  t.add_all("concat", concat);
  t.add_all("concat_part", concat_part);
  t.add_all("slice", slice);
  t.add_all("slice_grad", slice_grad);
  t.add("pad", DType::f32, pad<float>);
  t.add("pad", DType::f64, pad<double>);
  t.add("pad", DType::i32, pad<int32_t>);
  t.add("pad", DType::i64, pad<int64_t>);
  t.add("pad", DType::u8, pad<uint8_t>);
  t.add("pad", DType::boolean, pad<uint8_t>);
  t.add_all("crop", crop);
  t.add_all("tile", tile);
  t.add_all("repeat", repeat);
  t.add_all("reverse", reverse);
  t.add_all("broadcast_to", broadcast_to);
  t.add_all("broadcast_like", broadcast_like);
  t.add_all("resize_nearest", resize_nearest);
  t.add("resize_bilinear", DType::f32, resize_bilinear<float>);
  t.add("resize_bilinear", DType::f64, resize_bilinear<double>);
  t.add("resize_bilinear_grad", DType::f32, resize_bilinear_grad<float>);
  t.add("resize_bilinear_grad", DType::f64, resize_bilinear_grad<double>);
});

}  // namespace
}  // namespace pk::cpu
