// Ops that choose elements by whole numbers.
#include <cstring>

#include "cpu/copy.h"
#include "cpu/parallel.h"
#include "kernels/table.h"

namespace pk::cpu {
namespace {

// Indices are data, so this is where a wrong one shows. Before any work, so that tasks need not throw.
void check_indices(const KernelArgs& a, const char* op, int64_t n) {
  const TensorArg& t = a.in[1];
  for (int64_t i = 0; i < t.size; ++i) {
    const int64_t index = t.integer(i);
    if (index < 0 || index >= n)
      throw ValueError(cat("op '", op, "'", *a.scope ? cat(" of '", a.scope, "'") : "", ": index ", index,
                           " is out of range: it must be in [0, ", n, ")"));
  }
}

int64_t row_size(const Shape& s) {
  int64_t n = 1;
  for (int i = 1; i < s.rank(); ++i) n *= s[i];
  return n;
}

// params (n, …), indices (…) → (…, …)
void gather(Context& ctx, const KernelArgs& a) {
  check_indices(a, "gather", a.in[0].shape()[0]);
  const size_t bytes = static_cast<size_t>(row_size(a.in[0].shape())) * dtype_size(a.in[0].dtype());
  const char* from = a.in[0].as<char>();
  char* to = a.out[0].as<char>();
  if (bytes == 0) return;
  parallel(ctx, Split(a.in[1].size, static_cast<int64_t>(bytes / 4 + 4)), a.in[1].size,
           [&](int64_t begin, int64_t end, int64_t) {
             for (int64_t i = begin; i < end; ++i)
               std::memcpy(to + static_cast<size_t>(i) * bytes,
                           from + static_cast<size_t>(a.in[1].integer(i)) * bytes, bytes);
           });
}

// (g, indices, ~params). A task owns a range of rows of the result and takes the indices that fall into it in
// their order: every row is the same sum, however many tasks there are.
template <class T>
void gather_grad(Context& ctx, const KernelArgs& a) {
  const int64_t rows = a.out[0].shape()[0], size = row_size(a.out[0].shape()), n = a.in[1].size;
  check_indices(a, "gather_grad", rows);
  const T* g = a.in[0].as<T>();
  T* d = a.out[0].as<T>();
  Split split(rows, (rows + n) * size / std::max<int64_t>(rows, 1));
  if (split.tasks > 8) {  // each task looks at all indices
    split.step = (rows + 7) / 8;
    split.tasks = (rows + split.step - 1) / split.step;
  }
  parallel(ctx, split, rows, [&](int64_t begin, int64_t end, int64_t) {
    std::memset(d + begin * size, 0, static_cast<size_t>((end - begin) * size) * sizeof(T));
    for (int64_t i = 0; i < n; ++i) {
      const int64_t row = a.in[1].integer(i);
      if (row < begin || row >= end) continue;
      T* to = d + row * size;
      const T* from = g + i * size;
      for (int64_t k = 0; k < size; ++k) to[k] += from[k];
    }
  });
}

template <class T>
void one_hot_as(const KernelArgs& a) {
  const int64_t n = a.attr<OneHotAttrs>().n;
  T* y = a.out[0].as<T>();
  for (int64_t i = 0; i < a.in[0].size; ++i) {
    const int64_t index = a.in[0].integer(i);
    if (index >= 0 && index < n) y[i * n + index] = T(1);  // others give a line of zeros
  }
}
void one_hot(Context& ctx, const KernelArgs& a) {
  fill_zero(ctx, a.out[0].data, a.out[0].type.bytes());
  switch (a.out[0].dtype()) {
    case DType::f32:
      return one_hot_as<float>(a);
    case DType::f64:
      return one_hot_as<double>(a);
    case DType::i32:
      return one_hot_as<int32_t>(a);
    case DType::i64:
      return one_hot_as<int64_t>(a);
    case DType::u8:
    case DType::boolean:
      return one_hot_as<uint8_t>(a);
  }
}

// x (…, c), indices (…) → x[…, index]
template <class T>
void pick(Context&, const KernelArgs& a) {
  const int64_t c = a.in[0].shape().back();
  check_indices(a, "pick", c);
  for (int64_t i = 0; i < a.out[0].size; ++i)
    a.out[0].as<T>()[i] = a.in[0].as<T>()[i * c + a.in[1].integer(i)];
}

// (g, indices, ~x)
template <class T>
void pick_grad(Context& ctx, const KernelArgs& a) {
  const int64_t c = a.out[0].shape().back();
  check_indices(a, "pick_grad", c);
  fill_zero(ctx, a.out[0].data, a.out[0].type.bytes());
  for (int64_t i = 0; i < a.in[0].size; ++i)
    a.out[0].as<T>()[i * c + a.in[1].integer(i)] = a.in[0].as<T>()[i];
}

const KernelRegistrar registrar("cpu", [](KernelTable& t) {
  t.add_all("gather", gather);
  t.add("gather_grad", DType::f32, gather_grad<float>);
  t.add("gather_grad", DType::f64, gather_grad<double>);
  t.add("one_hot", DType::i32, one_hot);
  t.add("one_hot", DType::i64, one_hot);
  t.add("one_hot", DType::u8, one_hot);
  t.add("pick", DType::f32, pick<float>);
  t.add("pick", DType::f64, pick<double>);
  t.add("pick_grad", DType::f32, pick_grad<float>);
  t.add("pick_grad", DType::f64, pick_grad<double>);
});

}  // namespace
}  // namespace pk::cpu
