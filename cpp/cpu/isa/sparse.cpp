// Products of sparse matrices with dense ones: vectors over the columns of the dense one.
#include "cpu/simd.h"
#include "cpu/sparse_types.h"

namespace pk::cpu::PK_ISA {
namespace {

// V vectors of one row, the last of `lanes` lanes: sums stay in registers over all elements of the row.
template <class T, int V>
PK_INLINE void piece(const SparseProduct<T>& p, int64_t row, int64_t c, int lanes) {
  constexpr int N = Simd<T>::n;
  typename Simd<T>::vec acc[V];
#pragma GCC unroll 8
  for (int v = 0; v < V; ++v) acc[v] = typename Simd<T>::vec{};
  for (int64_t i = p.indptr[row]; i < p.indptr[row + 1]; ++i) {
    const auto x = set1(p.data[i]);
    const T* from = p.dense + p.indices[i] * p.n + c;
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) acc[v] = fma(x, get(from + v * N, v + 1 < V ? N : lanes), acc[v]);
  }
#pragma GCC unroll 8
  for (int v = 0; v < V; ++v) put(p.out + row * p.n + c + v * N, acc[v], v + 1 < V ? N : lanes);
}

template <class T>
PK_INLINE void product(const SparseProduct<T>& p, int64_t r0, int64_t r1) {
  constexpr int N = Simd<T>::n;
  for (int64_t r = r0; r < r1; ++r) {
    int64_t c = 0;
    for (; c + 8 * N <= p.n; c += 8 * N) piece<T, 8>(p, r, c, N);
    for (; c + 2 * N <= p.n; c += 2 * N) piece<T, 2>(p, r, c, N);
    for (; c < p.n; c += N) piece<T, 1>(p, r, c, p.n - c < N ? static_cast<int>(p.n - c) : N);
  }
}

template <class T>
PK_INLINE void transposed(const SparseProduct<T>& p, int64_t rows, int64_t c0, int64_t c1) {
  constexpr int N = Simd<T>::n;
  for (int64_t r = 0; r < rows; ++r) {
    const T* from = p.dense + r * p.n;
    for (int64_t i = p.indptr[r]; i < p.indptr[r + 1]; ++i) {
      const auto x = set1(p.data[i]);
      T* to = p.out + p.indices[i] * p.n;
      int64_t c = c0;
      for (; c + N <= c1; c += N) store(to + c, fma(x, load(from + c), load(to + c)));
      if (const int lanes = static_cast<int>(c1 - c))
        store_part(to + c, fma(x, load_part(from + c, lanes), load_part(to + c, lanes)), lanes);
    }
  }
}

}  // namespace

void sparse_product_f32(const SparseProduct<float>& p, int64_t r0, int64_t r1) { product(p, r0, r1); }
void sparse_product_f64(const SparseProduct<double>& p, int64_t r0, int64_t r1) { product(p, r0, r1); }
void sparse_transposed_f32(const SparseProduct<float>& p, int64_t rows, int64_t c0, int64_t c1) {
  transposed(p, rows, c0, c1);
}
void sparse_transposed_f64(const SparseProduct<double>& p, int64_t rows, int64_t c0, int64_t c1) {
  transposed(p, rows, c0, c1);
}

}  // namespace pk::cpu::PK_ISA
