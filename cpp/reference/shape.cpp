// Broadcasting and its adjoint, and data made from shapes.
#include "reference/common.h"

namespace pk::reference {
namespace {

// Every element of g is added to the element of x's shape that broadcasting would read for it.
template <class T>
void sum_to_like(Context&, const KernelArgs& a) {
  const T* g = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  for (int64_t i = 0; i < a.out[0].size; ++i) y[i] = T(0);
  walk(
      a.in[0].shape(), [&](int64_t i, int64_t to) { y[to] = static_cast<T>(y[to] + g[i]); },
      broadcast(a.out[0].shape(), a.in[0].shape()));
}

template <class T>
void broadcast_like(Context&, const KernelArgs& a) {
  const Ints& axes = a.attr<AxesAttrs>().axes;
  const T* g = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  const Shape& shape = a.out[0].shape();
  Shape kept = shape;  // g's shape with ones at the axes
  for (int64_t axis : axes) kept[static_cast<int>(axis)] = 1;
  walk(shape, [&](int64_t i, int64_t from) { y[i] = g[from]; }, broadcast(kept, shape));
}

template <class T>
void broadcast_to(Context&, const KernelArgs& a) {
  const T* x = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  const Shape& shape = a.out[0].shape();
  walk(shape, [&](int64_t i, int64_t from) { y[i] = x[from]; }, broadcast(a.in[0].shape(), shape));
}

template <class T>
void axis_size(Context&, const KernelArgs& a) {
  int64_t n = 1;
  for (int64_t axis : a.attr<AxisSizeAttrs>().axes) n *= a.in[0].shape()[static_cast<int>(axis)];
  *a.out[0].as<T>() = static_cast<T>(n);
}

void shape(Context&, const KernelArgs& a) {
  for (int i = 0; i < a.in[0].shape().rank(); ++i)
    a.out[0].as<int32_t>()[i] = static_cast<int32_t>(a.in[0].shape()[i]);
}

// fill and fill_like: both know their shape by now.
template <class T>
void fill(Context&, const KernelArgs& a) {
  const T value = static_cast<T>(a.attr<FillAttrs>().value);
  for (int64_t i = 0; i < a.out[0].size; ++i) a.out[0].as<T>()[i] = value;
}
void fill_bool(Context&, const KernelArgs& a) {
  const uint8_t value = a.attr<FillAttrs>().value != 0;
  for (int64_t i = 0; i < a.out[0].size; ++i) a.out[0].as<uint8_t>()[i] = value;
}

template <class T>
void range(Context&, const KernelArgs& a) {
  const auto& r = a.attr<RangeAttrs>();
  for (int64_t i = 0; i < a.out[0].size; ++i)
    a.out[0].as<T>()[i] = static_cast<T>(r.start + static_cast<double>(i) * r.step);
}

template <class T>
void eye(Context&, const KernelArgs& a) {
  const int64_t m = a.attr<EyeAttrs>().m;
  for (int64_t i = 0; i < a.out[0].size; ++i) a.out[0].as<T>()[i] = i / m == i % m ? T(1) : T(0);
}

const KernelRegistrar registrar("reference", [](KernelTable& t) {
  PK_ADD_NUMBERS(t, "sum_to_like", sum_to_like);
  PK_ADD_TYPES(t, "broadcast_like", broadcast_like);
  PK_ADD_TYPES(t, "broadcast_to", broadcast_to);
  PK_ADD_NUMBERS(t, "axis_size", axis_size);
  t.add("shape", DType::i32, shape);
  for (const char* name : {"fill", "fill_like"}) {
    PK_ADD_NUMBERS(t, name, fill);
    t.add(name, DType::boolean, fill_bool);
  }
  PK_ADD_NUMBERS(t, "range", range);
  PK_ADD_TYPES(t, "eye", eye);
});

}  // namespace
}  // namespace pk::reference
