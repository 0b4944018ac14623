// Ops that choose elements by whole numbers.
#include <cmath>
#include <cstring>

#include "reference/common.h"

namespace pk::reference {
namespace {

// Index i of a tensor of indices; those of data are only known now, so this is where they are judged.
int64_t checked_index(const KernelArgs& a, const char* op, const TensorArg& indices, int64_t i, int64_t n) {
  const int64_t index = indices.integer(i);
  if (index < 0 || index >= n)
    throw ValueError(cat("op '", op, "'", *a.scope ? cat(" of '", a.scope, "'") : "", ": index ", index,
                         " is out of range: it must be in [0, ", n, ")"));
  return index;
}

int64_t row_size(const Shape& s) {
  int64_t n = 1;
  for (int i = 1; i < s.rank(); ++i) n *= s[i];
  return n;
}

// params (n, …), indices (…) → (…, …)
template <class T>
void gather(Context&, const KernelArgs& a) {
  const int64_t rows = a.in[0].shape()[0], size = row_size(a.in[0].shape());
  for (int64_t i = 0; i < a.in[1].size; ++i) {
    const int64_t row = checked_index(a, "gather", a.in[1], i, rows);
    if (size)
      std::memcpy(a.out[0].as<T>() + i * size, a.in[0].as<T>() + row * size,
                  static_cast<size_t>(size) * sizeof(T));
  }
}

// (g, indices, ~params): rows that were taken twice get both gradients, in the order of the indices.
template <class T>
void gather_grad(Context&, const KernelArgs& a) {
  const int64_t rows = a.out[0].shape()[0], size = row_size(a.out[0].shape());
  const T* g = a.in[0].as<T>();
  T* d = a.out[0].as<T>();
  for (int64_t i = 0; i < a.out[0].size; ++i) d[i] = T(0);
  for (int64_t i = 0; i < a.in[1].size; ++i) {
    const int64_t row = checked_index(a, "gather_grad", a.in[1], i, rows);
    for (int64_t k = 0; k < size; ++k) d[row * size + k] += g[i * size + k];
  }
}

// An index outside [0, n) gives a line of zeros.
void one_hot(Context&, const KernelArgs& a) {
  const int64_t n = a.attr<OneHotAttrs>().n;
  with_type(a.out[0].dtype(), [&](auto type) {
    using T = decltype(type);
    for (int64_t i = 0; i < a.in[0].size; ++i) {
      const int64_t index = a.in[0].integer(i);
      for (int64_t k = 0; k < n; ++k) a.out[0].as<T>()[i * n + k] = k == index ? T(1) : T(0);
    }
  });
}

// x (…, c), indices (…) → x[…, index]
template <class T>
void pick(Context&, const KernelArgs& a) {
  const int64_t c = a.in[0].shape().back();
  for (int64_t i = 0; i < a.out[0].size; ++i)
    a.out[0].as<T>()[i] = a.in[0].as<T>()[i * c + checked_index(a, "pick", a.in[1], i, c)];
}

// (g, indices, ~x)
template <class T>
void pick_grad(Context&, const KernelArgs& a) {
  const int64_t c = a.out[0].shape().back();
  T* d = a.out[0].as<T>();
  for (int64_t i = 0; i < a.out[0].size; ++i) d[i] = T(0);
  for (int64_t i = 0; i < a.in[0].size; ++i)
    d[i * c + checked_index(a, "pick_grad", a.in[1], i, c)] = a.in[0].as<T>()[i];
}

// Is the target among the k largest predictions? Ties count for it: fewer than k must be larger.
// False where the target is no class or its prediction is not finite.
template <class T>
void in_top_k(Context&, const KernelArgs& a) {
  const int64_t c = a.in[0].shape()[1], k = a.attr<TopKAttrs>().k;
  for (int64_t i = 0; i < a.out[0].size; ++i) {
    const T* line = a.in[0].as<T>() + i * c;
    const int64_t target = a.in[1].integer(i);
    bool in = target >= 0 && target < c && std::isfinite(line[target]);
    int64_t larger = 0;
    for (int64_t j = 0; in && j < c; ++j) {
      if (!std::isfinite(line[j])) in = false;
      larger += line[j] > line[target];
    }
    a.out[0].as<uint8_t>()[i] = in && larger < k;
  }
}

const KernelRegistrar registrar("reference", [](KernelTable& t) {
  PK_ADD_TYPES(t, "gather", gather);
  PK_ADD_FLOATS(t, "gather_grad", gather_grad);
  t.add_all("one_hot", one_hot);
  PK_ADD_TYPES(t, "pick", pick);
  PK_ADD_FLOATS(t, "pick_grad", pick_grad);
  PK_ADD_FLOATS(t, "in_top_k", in_top_k);
});

}  // namespace
}  // namespace pk::reference
