// What the reference kernels share: strides, walks over all elements, and registration by dtype.
// Nothing here is tuned: these kernels are the readable definition of the ops.
#pragma once

#include <array>
#include <cstdint>
#include <tuple>

#include "core/error.h"
#include "kernels/geometry.h"
#include "kernels/table.h"

namespace pk::reference {

// Elements to step for one more along each axis.
using Strides = std::array<int64_t, kMaxRank>;

inline Strides row_major(const Shape& s) {
  Strides out{};
  int64_t step = 1;
  for (int i = s.rank() - 1; i >= 0; --i) {
    out[static_cast<size_t>(i)] = step;
    step *= s[i];
  }
  return out;
}

// Strides that read `in` while walking over `out`: NumPy broadcasting, 0 where it repeats.
inline Strides broadcast(const Shape& in, const Shape& out) {
  const Strides own = row_major(in);
  Strides s{};
  const int extra = out.rank() - in.rank();
  for (int i = 0; i < in.rank(); ++i)
    if (in[i] != 1) s[static_cast<size_t>(i + extra)] = own[static_cast<size_t>(i)];
  return s;
}

// Calls f(i, offset0, offset1, …) for every element of `shape` in row-major order: i counts them,
// each offset is the dot product of the index with the strides given.
template <class F, class... S>
void walk(const Shape& shape, F&& f, const S&... strides) {
  constexpr size_t kN = sizeof...(S);
  const std::array<const Strides*, kN> all{&strides...};
  std::array<int64_t, kN> at{};
  int64_t index[kMaxRank] = {};
  const int64_t n = shape.size();
  for (int64_t i = 0; i < n; ++i) {
    std::apply([&](auto... offset) { f(i, offset...); }, at);
    for (int d = shape.rank() - 1; d >= 0; --d) {
      const size_t axis = static_cast<size_t>(d);
      if (++index[d] < shape[d]) {
        for (size_t k = 0; k < kN; ++k) at[k] += (*all[k])[axis];
        break;
      }
      for (size_t k = 0; k < kN; ++k) at[k] -= (shape[d] - 1) * (*all[k])[axis];
      index[d] = 0;
    }
  }
}

// An axis of row-major data: element (o, k, i) is at (o * n + k) * inner + i.
struct AxisView {
  int64_t outer = 1, n = 1, inner = 1;

  AxisView(const Shape& s, int64_t axis) {
    const int at = static_cast<int>(normal_axis(axis, s.rank()));
    for (int i = 0; i < at; ++i) outer *= s[i];
    n = s[at];
    for (int i = at + 1; i < s.rank(); ++i) inner *= s[i];
  }
  int64_t at(int64_t o, int64_t k, int64_t i) const { return (o * n + k) * inner + i; }
};

// Calls f(T()) with the C++ type of a dtype.
template <class F>
void with_type(DType dtype, F&& f) {
  switch (dtype) {
    case DType::f32:
      return f(float());
    case DType::f64:
      return f(double());
    case DType::i32:
      return f(int32_t());
    case DType::i64:
      return f(int64_t());
    case DType::u8:
    case DType::boolean:
      return f(uint8_t());  // a bool is a byte, 0 or 1
  }
}

// Register a kernel template for several dtypes.
#define PK_ADD_FLOATS(table, name, kernel)      \
  (table).add(name, DType::f32, kernel<float>); \
  (table).add(name, DType::f64, kernel<double>)
#define PK_ADD_INTS(table, name, kernel)          \
  (table).add(name, DType::i32, kernel<int32_t>); \
  (table).add(name, DType::i64, kernel<int64_t>); \
  (table).add(name, DType::u8, kernel<uint8_t>)
#define PK_ADD_NUMBERS(table, name, kernel) \
  PK_ADD_FLOATS(table, name, kernel);       \
  PK_ADD_INTS(table, name, kernel)
// A bool is moved about as the byte that it is.
#define PK_ADD_TYPES(table, name, kernel) \
  PK_ADD_NUMBERS(table, name, kernel);    \
  (table).add(name, DType::boolean, kernel<uint8_t>)

}  // namespace pk::reference
