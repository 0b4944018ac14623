// Sparse matrices as kernels see them: compressed rows. What the devices on the host share.
#pragma once

#include "core/error.h"
#include "kernels/table.h"

namespace pk {

// Row r has the elements indptr[r] … indptr[r + 1] − 1: value data[i] in column indices[i], in any order;
// what is named twice adds up. Behind indptr[rows] the arrays may go on, with anything.
template <class T>
struct Csr {
  const T* data;
  const int32_t* indices;
  const int64_t* indptr;
  int64_t rows, columns;
};

// The matrix that inputs first … first + 3 describe (cpp/ops/sparse.cpp). Places are data, so this is where
// they are judged.
template <class T>
Csr<T> csr(const KernelArgs& a, const char* op, int first = 0) {
  const TensorArg* in = a.in + first;
  const Csr<T> m{in[0].as<T>(), in[1].as<int32_t>(), in[2].as<int64_t>(), in[2].size - 1, in[3].shape()[1]};
  bool good = m.indptr[0] == 0 && m.indptr[m.rows] <= in[0].size;
  for (int64_t r = 0; good && r < m.rows; ++r) good = m.indptr[r] <= m.indptr[r + 1];
  for (int64_t i = 0; good && i < m.indptr[m.rows]; ++i) good = m.indices[i] >= 0 && m.indices[i] < m.columns;
  if (!good)
    throw ValueError(cat("op '", op, "'", *a.scope ? cat(" of '", a.scope, "'") : "",
                         ": the sparse matrix is damaged: a place lies outside its ", m.rows, " rows and ",
                         m.columns, " columns"));
  return m;
}

}  // namespace pk
