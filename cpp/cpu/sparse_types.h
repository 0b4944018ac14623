// Products of sparse matrices: what cpp/cpu/sparse.cpp asks of each instruction set.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace pk::cpu {

// Compressed rows beside a dense matrix of n columns.
template <class T>
struct SparseProduct {
  const T* data;
  const int32_t* indices;
  const int64_t* indptr;
  const T* dense;
  T* out;
  int64_t n;
};

// Rows [r0, r1) of out = x · dense.
PK_PER_ISA(void sparse_product_f32(const SparseProduct<float>& p, int64_t r0, int64_t r1))
PK_PER_ISA(void sparse_product_f64(const SparseProduct<double>& p, int64_t r0, int64_t r1))
// Columns [c0, c1) of out += xᵀ · dense, for the first `rows` rows.
PK_PER_ISA(void sparse_transposed_f32(const SparseProduct<float>& p, int64_t rows, int64_t c0, int64_t c1))
PK_PER_ISA(void sparse_transposed_f64(const SparseProduct<double>& p, int64_t rows, int64_t c0, int64_t c1))

}  // namespace pk::cpu
