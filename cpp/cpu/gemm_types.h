// What the per-ISA matrix kernels and their drivers share: plain data only, no standard library.
#pragma once

#include <stdint.h>

#include "cpu/isa.h"

namespace pk::cpu {

// k is summed in blocks of this many bytes of elements, each block from zero, and the block sums are added in
// order. The same for every ISA, shape and path, or a row's bits would depend on the path its batch took.
constexpr int64_t kBlockBytes = 1024;
template <class T>
constexpr int64_t kBlockK = kBlockBytes / int64_t(sizeof(T));
// Stride of the rows of a packed A tile: a constant, so that rows are displacements and need no registers;
// one cache line more than the block, so that rows fall into different cache sets.
template <class T>
constexpr int64_t kRowStride = kBlockK<T> + 64 / int64_t(sizeof(T));

constexpr int kMaxMr = 14;  // rows of the largest tile of any ISA
constexpr int kMaxVl = 16;  // lanes of the widest vector
constexpr int kMaxNr = 32;  // columns of the largest tile

// One tile: c[i][j] (+)= sum over q, r, k of a(i, q, r, k) * b[q*b_plane + r*b_run + k*ldb + j], for i < MR
// and j < n <= NR.
template <class T>
struct TileArgs {
  int64_t planes = 1;  // k runs over this many times
  int64_t nrun, run;   // nrun pieces of `run`
  const T* a;          // from a + q*a_plane + r*a_run on, row layout: i*stride + k; column layout: k*a_ks + i
  int64_t a_ks, a_run;  // row layout with a run-time stride: a_ks is that stride
  int64_t a_plane;
  const T* b;
  int64_t ldb, b_run, b_plane;
  T* c;
  int64_t ldc;
  const int64_t* c_off;  // offsets of the rows in c, or null: i*ldc
  int64_t n;             // columns to store
  const T* bias;         // n values added after the sum, or null
  bool add;              // add to c instead of replacing it
  bool relu;             // after the bias
};
template <class T>
using TileFn = void (*)(const TileArgs<T>&);

// How the activations of a fused epilogue are passed down: Act of kernels/attrs.h by number.
struct ActSpec {
  int act = 0;
  double alpha = 0, beta = 0;
};

// How a kernel finds the rows of A.
enum class Rows { packed, columns, strided };

// Rows that are read where they lie should not all fall into the same cache sets, as rows a page apart do.
template <class T>
constexpr bool spreads(int64_t stride) {
  return stride * int64_t(sizeof(T)) % 4096 != 0;
}

template <class T>
struct GemmKernels {
  int mr, vl, nr;  // nr = 2*vl
  // [masked][vectors - 1][rows]: masked reads of b stop at column n, the others read whole vectors.
  TileFn<T> row[2][2][kMaxMr + 1];      // A packed in rows of kRowStride
  TileFn<T> col[2][2][kMaxMr + 1];      // A in columns, k-stride a_ks
  TileFn<T> strided[2][2][kMaxMr + 1];  // rows of run-time stride a_ks
  TileFn<T> small[4][5];    // up to 4 rows of run-time stride; [log2 vectors][rows]; some are null
  TileFn<T> small_part[5];  // the same for less than one vector of columns; [rows]
  // Packs b(k, n) into panels of nr columns (the last one 1 or 2 vectors wide, zero-padded): panel j begins
  // at to + j*nr*k_total; this call fills rows [k_at, k_at + k) of panels [p0, p1). trans: b is stored (n,
  // k).
  void (*pack_b)(const T* b, int64_t ld, bool trans, int64_t k, int64_t n, int64_t p0, int64_t p1, T* to,
                 int64_t k_total, int64_t k_at);
  // Copies k values of each of `rows` rows, ld apart, to rows of kRowStride.
  void (*pack_rows)(const T* a, int64_t ld, int64_t rows, int64_t k, T* to);
  // Copies k rows of `cols` values (cols <= kMaxVl), ld apart, to rows of kMaxVl; does not read past a row.
  void (*pack_cols)(const T* a, int64_t ld, int64_t cols, int64_t k, T* to);
  // Applies an activation in place to rows of n values.
  void (*activate)(T* c, int64_t ldc, const int64_t* c_off, int64_t rows, int64_t n, const ActSpec& act);
};

PK_PER_ISA(const GemmKernels<float>& gemm_f32())
PK_PER_ISA(const GemmKernels<double>& gemm_f64())

template <class T>
const GemmKernels<T>& gemm_kernels();
template <>
inline const GemmKernels<float>& gemm_kernels<float>() {
  return PK_PICK(gemm_f32)();
}
template <>
inline const GemmKernels<double>& gemm_kernels<double>() {
  return PK_PICK(gemm_f64)();
}

}  // namespace pk::cpu
