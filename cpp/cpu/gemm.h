// Matrix products on the CPU: c = act(op(a)·op(b) + bias), float and double, row major.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/thread_pool.h"
#include "cpu/gemm_types.h"

namespace pk::cpu {

template <class T>
struct Gemm {
  int64_t m = 0, n = 0, k = 0;
  const T* a = nullptr;  // (m, k), rows lda apart; trans_a: (k, m)
  int64_t lda = 0;
  bool trans_a = false;
  const T* b = nullptr;  // (k, n), rows ldb apart; trans_b: (n, k)
  int64_t ldb = 0;
  bool trans_b = false;
  const T* packed_b = nullptr;  // what pack_b_whole wrote under the ISA now in use, or null
  T* c = nullptr;               // (m, n), rows ldc apart; must not overlap a or b
  int64_t ldc = 0;
  const T* bias = nullptr;  // n values, or null
  ActSpec act;
};

// Room for all of op(b), (k, n), in panels: the same number for every ISA.
template <class T>
size_t packed_b_bytes(int64_t k, int64_t n);

template <class T>
void pack_b_whole(ThreadPool& pool, const T* b, int64_t ldb, bool trans_b, int64_t k, int64_t n, T* to);

// Bytes of workspace that `gemm` needs for these sizes when no packed b is given.
template <class T>
size_t gemm_workspace(int64_t m, int64_t n, int64_t k, bool trans_a, bool trans_b);

// Row i of c depends on row i of op(a) and on b only: not on m, on i, or on the number of threads.
template <class T>
void gemm(ThreadPool& pool, const Gemm<T>& g, void* workspace);

}  // namespace pk::cpu
