// Sparse matrices, in compressed rows.
#include "kernels/sparse.h"

#include "reference/common.h"

namespace pk::reference {
namespace {

// (data, indices, indptr, ~width, w (columns, n)) → (rows, n)
template <class T>
void matmul(Context&, const KernelArgs& a) {
  const Csr<T> x = csr<T>(a, "sparse_matmul");
  const int64_t n = a.out[0].shape()[1];
  for (int64_t r = 0; r < x.rows; ++r)
    for (int64_t k = 0; k < n; ++k) {
      T sum = T(0);
      for (int64_t i = x.indptr[r]; i < x.indptr[r + 1]; ++i)
        sum += x.data[i] * a.in[4].as<T>()[x.indices[i] * n + k];
      a.out[0].as<T>()[r * n + k] = sum;
    }
}

// (data, indices, indptr, ~width, g (rows, n)) → (columns, n)
template <class T>
void matmul_grad(Context&, const KernelArgs& a) {
  const Csr<T> x = csr<T>(a, "sparse_matmul_grad");
  const int64_t n = a.out[0].shape()[1];
  T* d = a.out[0].as<T>();
  for (int64_t i = 0; i < a.out[0].size; ++i) d[i] = T(0);
  for (int64_t r = 0; r < x.rows; ++r)
    for (int64_t i = x.indptr[r]; i < x.indptr[r + 1]; ++i)
      for (int64_t k = 0; k < n; ++k) d[x.indices[i] * n + k] += x.data[i] * a.in[4].as<T>()[r * n + k];
}

// (data, indices, indptr, ~width) → (rows, columns)
template <class T>
void to_dense(Context&, const KernelArgs& a) {
  const Csr<T> x = csr<T>(a, "sparse_to_dense");
  T* d = a.out[0].as<T>();
  for (int64_t i = 0; i < a.out[0].size; ++i) d[i] = T(0);
  for (int64_t r = 0; r < x.rows; ++r)
    for (int64_t i = x.indptr[r]; i < x.indptr[r + 1]; ++i) {
      T& to = d[r * x.columns + x.indices[i]];
      to = static_cast<T>(to + x.data[i]);
      if (a.out[0].dtype() == DType::boolean) to = to != T(0);
    }
}

// Writes the elements of a matrix, one after the other.
template <class T>
struct Writer {
  T* data;
  int32_t* indices;
  int64_t* indptr;
  int64_t n = 0;

  explicit Writer(const KernelArgs& a)
      : data(a.out[0].as<T>()), indices(a.out[1].as<int32_t>()), indptr(a.out[2].as<int64_t>()) {
    for (int64_t i = 0; i < a.out[0].size; ++i) {  // room behind the elements
      data[i] = T(0);
      indices[i] = 0;
    }
    *indptr++ = 0;
  }
  void add(T value, int64_t column) {
    data[n] = value;
    indices[n++] = static_cast<int32_t>(column);
  }
  void add_row(const Csr<T>& x, int64_t r, int64_t offset) {
    for (int64_t i = x.indptr[r]; i < x.indptr[r + 1]; ++i) add(x.data[i], x.indices[i] + offset);
  }
  void end_row() { *indptr++ = n; }
};

// Two matrices → one
template <class T>
void concat(Context&, const KernelArgs& a) {
  const Csr<T> x = csr<T>(a, "sparse_concat"), y = csr<T>(a, "sparse_concat", 4);
  const bool below = a.attr<AxisAttrs>().axis == 0;
  Writer<T> out(a);
  for (int64_t r = 0; r < x.rows; ++r) {
    out.add_row(x, r, 0);
    if (!below) out.add_row(y, r, x.columns);
    out.end_row();
  }
  for (int64_t r = 0; below && r < y.rows; ++r) {
    out.add_row(y, r, 0);
    out.end_row();
  }
}

// (x (rows, n), lengths (rows,)): the first elements of each row
template <class T>
void rows(Context&, const KernelArgs& a) {
  const int64_t width = a.in[0].shape()[1];
  Writer<T> out(a);
  for (int64_t r = 0; r < a.in[0].shape()[0]; ++r) {
    const int64_t count = a.in[1].integer(r);
    if (count < 0 || count > width)
      throw ValueError(cat("op 'sparse_rows'", *a.scope ? cat(" of '", a.scope, "'") : "", ": the length ",
                           count, " of row ", r, " is not in [0, ", width, "]"));
    for (int64_t i = 0; i < count; ++i) out.add(a.in[0].as<T>()[r * width + i], i);
    out.end_row();
  }
}

const KernelRegistrar registrar("reference", [](KernelTable& t) {
  PK_ADD_FLOATS(t, "sparse_matmul", matmul);
  PK_ADD_FLOATS(t, "sparse_matmul_grad", matmul_grad);
  PK_ADD_TYPES(t, "sparse_to_dense", to_dense);
  PK_ADD_TYPES(t, "sparse_concat", concat);
  PK_ADD_TYPES(t, "sparse_rows", rows);
});

}  // namespace
}  // namespace pk::reference
