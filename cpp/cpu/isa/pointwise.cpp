// The block interpreter: a pointwise program over a range of its outputs, block by block, each instruction
// one vector loop over the block. Compiled once per instruction set.
#include "cpu/isa/pointwise_ops.h"
#include "cpu/pointwise_plan.h"
#include "kernels/functors.h"

namespace pk::cpu::PK_ISA {
namespace {

// d may be one of the operands: each vector is read before it is written.
template <class T>
using Loop = void (*)(T* d, const T* a, const T* b, const T* c, int64_t n, T p, T q);

template <class T, class F>
void loop1(T* d, const T* a, const T*, const T*, int64_t n, T p, T q) {
  using V = typename Simd<T>::vec;
  constexpr int L = Simd<T>::n;
  const V vp = set1(p), vq = set1(q);
  int64_t i = 0;
  for (; i + L <= n; i += L) store(d + i, F::f(load(a + i), vp, vq));
  if (i < n)
    store_part(d + i, F::f(load_part(a + i, static_cast<int>(n - i)), vp, vq), static_cast<int>(n - i));
}
template <class T, class F>
void loop2(T* d, const T* a, const T* b, const T*, int64_t n, T p, T q) {
  using V = typename Simd<T>::vec;
  constexpr int L = Simd<T>::n;
  const V vp = set1(p), vq = set1(q);
  int64_t i = 0;
  for (; i + L <= n; i += L) store(d + i, F::f(load(a + i), load(b + i), vp, vq));
  if (i < n) {
    const int m = static_cast<int>(n - i);
    store_part(d + i, F::f(load_part(a + i, m), load_part(b + i, m), vp, vq), m);
  }
}
template <class T>
void loop_select(T* d, const T* a, const T* b, const T* c, int64_t n, T, T) {
  constexpr int L = Simd<T>::n;
  int64_t i = 0;
  for (; i + L <= n; i += L) store(d + i, select(load(a + i) != T(0), load(b + i), load(c + i)));
  if (i < n) {
    const int m = static_cast<int>(n - i);
    store_part(d + i, select(load_part(a + i, m) != T(0), load_part(b + i, m), load_part(c + i, m)), m);
  }
}

template <class T>
Loop<T> loop_of(uint8_t code) {
  static constexpr Loop<T> table[] = {
#define X(name) loop1<T, F_##name>,
      PK_UNARY_OPS(X)
#undef X
#define X(name) loop2<T, F_##name>,
          PK_BINARY_OPS(X)
#undef X
              loop_select<T>,
  };
  static_assert(sizeof(table) / sizeof(table[0]) == static_cast<unsigned>(PointwiseCode::count),
                "one loop per op");
  return table[code];
}

// To bool: not zero.
template <class To, class From>
void convert_loop(To* to, const From* from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = converted<To>(from[i]);
}
template <class From>
void convert_to_bool(uint8_t* to, const From* from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = from[i] != From(0);
}
template <class From>
void convert_from(void* to, Elem dtype, const From* from, int64_t n) {
  switch (dtype) {
    case Elem::f32:
      return convert_loop(static_cast<float*>(to), from, n);
    case Elem::f64:
      return convert_loop(static_cast<double*>(to), from, n);
    case Elem::i32:
      return convert_loop(static_cast<int32_t*>(to), from, n);
    case Elem::i64:
      return convert_loop(static_cast<int64_t*>(to), from, n);
    case Elem::u8:
      return convert_loop(static_cast<uint8_t*>(to), from, n);
    case Elem::boolean:
      return convert_to_bool(static_cast<uint8_t*>(to), from, n);
  }
}
void convert_any(void* to, Elem to_dtype, const void* from, Elem from_dtype, int64_t n) {
  switch (from_dtype) {
    case Elem::f32:
      return convert_from(to, to_dtype, static_cast<const float*>(from), n);
    case Elem::f64:
      return convert_from(to, to_dtype, static_cast<const double*>(from), n);
    case Elem::i32:
      return convert_from(to, to_dtype, static_cast<const int32_t*>(from), n);
    case Elem::i64:
      return convert_from(to, to_dtype, static_cast<const int64_t*>(from), n);
    case Elem::u8:
    case Elem::boolean:
      return convert_from(to, to_dtype, static_cast<const uint8_t*>(from), n);
  }
}

template <class T>
constexpr Elem dtype_of = sizeof(T) == 4 ? Elem::f32 : Elem::f64;

int64_t item_size(Elem t) {
  switch (t) {
    case Elem::f64:
    case Elem::i64:
      return 8;
    case Elem::u8:
    case Elem::boolean:
      return 1;
    default:
      return 4;
  }
}

// n elements of an input from element `at` of its data on, as T.
template <class T>
void copy_run(T* to, const PwInput& in, int64_t at, int64_t n) {
  const Elem t = static_cast<Elem>(in.dtype);
  const char* from = static_cast<const char*>(in.data) + at * item_size(t);
  if (t == dtype_of<T>)
    memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
  else
    convert_any(to, dtype_of<T>, from, t, n);
}
template <class T>
T element(const PwInput& in, int64_t at) {
  T v;
  copy_run(&v, in, at, 1);
  return v;
}
template <class T>
void fill_run(T* to, T v, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = v;
}

// Elements [at, at + n) of the output's range as this input sees them.
template <class T>
void load_strided(T* to, const PwInput& in, int64_t at, int64_t n) {
  int64_t index[8], offset = 0, rest = at;
  const int last = in.rank - 1;
  for (int d = last; d >= 0; --d) {
    index[d] = rest % in.dims[d];
    rest /= in.dims[d];
    offset += index[d] * in.strides[d];
  }
  const int64_t inner = in.dims[last], step = in.strides[last];
  const T* same = static_cast<Elem>(in.dtype) == dtype_of<T> ? static_cast<const T*>(in.data) : nullptr;
  while (n > 0) {
    const int64_t left = inner - index[last], run = left < n ? left : n;
    if (step == 0) {
      fill_run(to, same ? same[offset] : element<T>(in, offset), run);
    } else if (same) {  // short rows are frequent: no call for them
      for (int64_t i = 0; i < run; ++i) to[i] = same[offset + i];
    } else {
      copy_run(to, in, offset, run);
    }
    to += run;
    n -= run;
    if (n == 0) break;
    offset -= index[last] * step;
    index[last] = 0;
    for (int d = last - 1; d >= 0; --d) {
      offset += in.strides[d];
      if (++index[d] < in.dims[d]) break;
      offset -= in.dims[d] * in.strides[d];
      index[d] = 0;
    }
  }
}

template <class T>
const T* load_block(const PwInput& in, T* scratch, int64_t at, int64_t n) {
  switch (in.mode) {
    case PwLoad::direct:
      return static_cast<const T*>(in.data) + at;
    case PwLoad::convert:
      copy_run(scratch, in, at, n);
      return scratch;
    case PwLoad::scalar:
      return scratch;
    case PwLoad::repeated:
      return scratch + at % in.period;
    case PwLoad::periodic: {
      const int64_t phase = at % in.period, first = in.period - phase;
      if (n <= first && static_cast<Elem>(in.dtype) == dtype_of<T>)
        return static_cast<const T*>(in.data) + phase;
      copy_run(scratch, in, phase, first < n ? first : n);
      if (first < n) copy_run(scratch + first, in, 0, n - first);  // a block is shorter than a period
      return scratch;
    }
    case PwLoad::strided:
      load_strided(scratch, in, at, n);
      return scratch;
  }
  return nullptr;
}

// What stays the same for a whole task.
template <class T>
void load_once(const PwInput& in, T* scratch, int64_t n) {
  if (in.mode == PwLoad::scalar) {
    fill_run(scratch, element<T>(in, 0), n < kPwBlock ? n : kPwBlock);
  } else if (in.mode == PwLoad::repeated) {
    const int64_t all = in.period + kPwBlock;
    for (int64_t i = 0; i < all; i += in.period)
      copy_run(scratch + i, in, 0, all - i < in.period ? all - i : in.period);
  }
}

template <class T>
void pw_run(const PwPlan& plan, int64_t begin, int64_t end, T* scratch) {
  const T* reg[kPwMaxRegs];
  for (int k = 0; k < plan.n_in; ++k) {
    const PwInput& in = plan.in[k];
    if (in.scratch >= 0) load_once(in, scratch + in.scratch, end - begin);
  }
  // The first block is cut short where that lets all others begin at a whole vector of the output: memory of
  // NumPy is aligned to 16 bytes only, and stores across cache lines are slow.
  // A single op on whole arrays has nothing to keep in L1: longer stretches cost fewer calls.
  const int64_t block = plan.n_ops == 1 && plan.scratch == 0 ? 16 * kPwBlock : kPwBlock;
  int64_t n = block;
  if (plan.out[0].direct || static_cast<Elem>(plan.out[0].dtype) == dtype_of<T>) {
    const uintptr_t first = reinterpret_cast<uintptr_t>(static_cast<const T*>(plan.out[0].data) + begin);
    n -= static_cast<int64_t>(first % 64 / sizeof(T));
  }
  for (int64_t at = begin; at < end; at += n, n = block) {
    if (n > end - at) n = end - at;
    for (int k = 0; k < plan.n_in; ++k) {
      const PwInput& in = plan.in[k];
      reg[k] = load_block(in, in.scratch >= 0 ? scratch + in.scratch : nullptr, at, n);
    }
    for (int i = 0; i < plan.n_ops; ++i) {
      const PwOp& o = plan.ops[i];
      T* to = o.stores ? static_cast<T*>(plan.out[o.to].data) + at : scratch + o.to;
      loop_of<T>(o.code)(to, reg[o.a], reg[o.b], reg[o.c], n, static_cast<T>(o.p), static_cast<T>(o.q));
      reg[plan.n_in + i] = to;
    }
    for (int k = 0; k < plan.n_out; ++k) {
      const PwOutput& out = plan.out[k];
      if (out.direct) continue;
      const Elem t = static_cast<Elem>(out.dtype);
      char* to = static_cast<char*>(out.data) + at * item_size(t);
      if (t != dtype_of<T>)
        convert_any(to, t, reg[out.reg], dtype_of<T>, n);
      else if (to != static_cast<const void*>(reg[out.reg]))
        memcpy(to, reg[out.reg], static_cast<size_t>(n) * sizeof(T));
    }
  }
}

}  // namespace

void pw_run_f32(const PwPlan& plan, int64_t begin, int64_t end, float* scratch) {
  pw_run(plan, begin, end, scratch);
}
void pw_run_f64(const PwPlan& plan, int64_t begin, int64_t end, double* scratch) {
  pw_run(plan, begin, end, scratch);
}
void convert(void* to, int to_dtype, const void* from, int from_dtype, int64_t n) {
  convert_any(to, static_cast<Elem>(to_dtype), from, static_cast<Elem>(from_dtype), n);
}

}  // namespace pk::cpu::PK_ISA
