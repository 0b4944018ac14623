#include "cpu/copy.h"

#include <cstring>

#include "cpu/parallel.h"
#include "cpu/shuffle.h"

namespace pk::cpu {

void CopyPlan::add(int64_t n, int64_t to_stride, int64_t from_stride) {
  if (n == 1) return;
  if (rank > 0 && to[rank - 1] == n * to_stride && from[rank - 1] == n * from_stride) {
    dims[rank - 1] *= n;
    to[rank - 1] = to_stride;
    from[rank - 1] = from_stride;
    return;
  }
  dims[rank] = n;
  to[rank] = to_stride;
  from[rank++] = from_stride;
}

int64_t CopyPlan::size() const {
  int64_t n = 1;
  for (int i = 0; i < rank; ++i) n *= dims[i];
  return n;
}

namespace {

template <class E>
void copy_line(E* to, int64_t to_stride, const E* from, int64_t from_stride, int64_t n) {
  if (to_stride == 1 && from_stride == 1) {
    if (n * static_cast<int64_t>(sizeof(E)) > 64) {
      std::memcpy(to, from, static_cast<size_t>(n) * sizeof(E));
    } else {  // cheaper than a call
      for (int64_t i = 0; i < n; ++i) to[i] = from[i];
    }
  } else if (to_stride == 1 && from_stride == 0) {
    std::fill_n(to, n, *from);
  } else {
    for (int64_t i = 0; i < n; ++i) to[i * to_stride] = from[i * from_stride];
  }
}

// to[i·ti + k] = from[i + k·fk] for 4 by 4 elements. Vectors of 16 bytes: every CPU has those.
typedef uint32_t Four __attribute__((vector_size(16)));
inline Four load4(const uint32_t* p) {
  Four v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline void store4(uint32_t* p, Four v) { std::memcpy(p, &v, sizeof v); }
inline void transpose_4x4(uint32_t* to, int64_t ti, const uint32_t* from, int64_t fk) {
  const Four r0 = load4(from), r1 = load4(from + fk), r2 = load4(from + 2 * fk), r3 = load4(from + 3 * fk);
  const Four a = PK_SHUFFLE4(r0, r1, 0, 4, 1, 5), b = PK_SHUFFLE4(r0, r1, 2, 6, 3, 7);
  const Four c = PK_SHUFFLE4(r2, r3, 0, 4, 1, 5), d = PK_SHUFFLE4(r2, r3, 2, 6, 3, 7);
  store4(to, PK_SHUFFLE4(a, c, 0, 1, 4, 5));
  store4(to + ti, PK_SHUFFLE4(a, c, 2, 3, 6, 7));
  store4(to + 2 * ti, PK_SHUFFLE4(b, d, 0, 1, 4, 5));
  store4(to + 3 * ti, PK_SHUFFLE4(b, d, 2, 3, 6, 7));
}

// The same for ni by nk: by strips that keep the lines of both sides in the cache while they are in use.
template <class E>
void transpose_block(E* to, int64_t ti, const E* from, int64_t fk, int64_t ni, int64_t nk) {
  constexpr int64_t kWide = 64, kHigh = 16, kStep = sizeof(E) == 4 ? 4 : 1;
  for (int64_t i0 = 0; i0 < ni; i0 += kWide)
    for (int64_t k0 = 0; k0 < nk; k0 += kHigh) {
      const int64_t i1 = std::min(ni, i0 + kWide), k1 = std::min(nk, k0 + kHigh);
      int64_t i = i0;
      for (; i + kStep <= i1; i += kStep) {
        int64_t k = k0;
        if constexpr (kStep == 4)
          for (; k + 4 <= k1; k += 4) transpose_4x4(to + i * ti + k, ti, from + i + k * fk, fk);
        for (; k < k1; ++k)
          for (int64_t l = 0; l < kStep; ++l) to[(i + l) * ti + k] = from[i + l + k * fk];
      }
      for (; i < i1; ++i)
        for (int64_t k = k0; k < k1; ++k) to[i * ti + k] = from[i + k * fk];
    }
}

// Walks the dimensions before `inner`, calling f(to offset, from offset) for items [begin, end).
template <class F>
void walk(const CopyPlan& p, int inner, int64_t begin, int64_t end, F&& f) {
  int64_t index[CopyPlan::kMaxDims], at_to = 0, at_from = 0, rest = begin;
  for (int d = inner - 1; d >= 0; --d) {
    index[d] = rest % p.dims[d];
    rest /= p.dims[d];
    at_to += index[d] * p.to[d];
    at_from += index[d] * p.from[d];
  }
  for (int64_t i = begin; i < end; ++i) {
    f(at_to, at_from);
    for (int d = inner - 1; d >= 0; --d) {
      at_to += p.to[d];
      at_from += p.from[d];
      if (++index[d] < p.dims[d]) break;
      at_to -= p.dims[d] * p.to[d];
      at_from -= p.dims[d] * p.from[d];
      index[d] = 0;
    }
  }
}

template <class E>
void copy_as(Context& ctx, CopyPlan p, E* to, const E* from) {
  if (p.rank == 0) {
    *to = *from;
    return;
  }
  int last = p.rank - 1;
  int other = -1;  // the dimension along which the source is dense, when that is not the last
  if (p.to[last] == 1 && p.from[last] != 1 && p.from[last] != 0)
    for (int d = 0; d < last; ++d)
      if (p.from[d] == 1 && p.dims[d] > 1) other = d;
  if (other >= 0) {
    // The two dense dimensions go last; the order of the others does not matter.
    const int64_t n = p.dims[other], t = p.to[other];
    for (int d = other; d + 1 < last; ++d) {
      p.dims[d] = p.dims[d + 1];
      p.to[d] = p.to[d + 1];
      p.from[d] = p.from[d + 1];
    }
    p.dims[last - 1] = n;
    p.to[last - 1] = t;
    p.from[last - 1] = 1;
    // An item is a strip of a plane: some positions along `other`, all along the last.
    constexpr int64_t kStrip = 64;
    const int64_t strips = (n + kStrip - 1) / kStrip;
    int64_t planes = 1;
    for (int d = 0; d < last - 1; ++d) planes *= p.dims[d];
    parallel(ctx, Split(planes * strips, std::min(n, kStrip) * p.dims[last]), planes * strips,
             [&](int64_t begin, int64_t end, int64_t) {
               while (begin < end) {
                 const int64_t plane = begin / strips, first = begin % strips;
                 const int64_t count = std::min(strips - first, end - begin), i0 = first * kStrip;
                 walk(p, last - 1, plane, plane + 1, [&](int64_t at_to, int64_t at_from) {
                   transpose_block(to + at_to + i0 * t, t, from + at_from + i0, p.from[last],
                                   std::min(n - i0, count * kStrip), p.dims[last]);
                 });
                 begin += count;
               }
             });
    return;
  }
  if (p.rank == 1) {
    parallel(ctx, Split(p.dims[0], 1, 64), p.dims[0], [&](int64_t begin, int64_t end, int64_t) {
      copy_line(to + begin * p.to[0], p.to[0], from + begin * p.from[0], p.from[0], end - begin);
    });
    return;
  }
  int64_t items = 1;
  for (int d = 0; d < last; ++d) items *= p.dims[d];
  parallel(ctx, Split(items, p.dims[last]), items, [&](int64_t begin, int64_t end, int64_t) {
    walk(p, last, begin, end, [&](int64_t at_to, int64_t at_from) {
      copy_line(to + at_to, p.to[last], from + at_from, p.from[last], p.dims[last]);
    });
  });
}

}  // namespace

void copy(Context& ctx, const CopyPlan& plan, size_t item, void* to, const void* from) {
  if (plan.size() == 0) return;
  if (item == 8)
    copy_as(ctx, plan, static_cast<uint64_t*>(to), static_cast<const uint64_t*>(from));
  else if (item == 4)
    copy_as(ctx, plan, static_cast<uint32_t*>(to), static_cast<const uint32_t*>(from));
  else
    copy_as(ctx, plan, static_cast<uint8_t*>(to), static_cast<const uint8_t*>(from));
}

void fill_zero(Context& ctx, void* to, int64_t bytes) {
  parallel(ctx, Split(bytes, 1, 4096), bytes, [&](int64_t begin, int64_t end, int64_t) {
    std::memset(static_cast<char*>(to) + begin, 0, static_cast<size_t>(end - begin));
  });
}

}  // namespace pk::cpu
