// Pooling ops on the CPU.
#include <algorithm>
#include <string>

#include "core/context.h"
#include "cpu/pool_types.h"
#include "kernels/geometry.h"
#include "kernels/table.h"

namespace pk::cpu {
namespace {

constexpr int64_t kSerialCells = 1 << 15;  // fewer visits of cells than this are one thread's work

WindowGrid grid_of(const PoolAttrs& a, const Shape& x) {
  const auto [d, h, w] = pool_space(a, x);
  return {h.size,   w.size,   x.back(), h.out, w.out,  h.kernel, w.kernel, h.stride, w.stride,
          h.before, w.before, 1,        1,     d.size, d.out,    d.kernel, d.stride, d.before};
}

int64_t visits(const WindowGrid& w) { return w.ow * w.kd * w.kh * w.kw * w.c; }  // of one row of windows
int64_t rows(const WindowGrid& w, const Shape& x) { return x[0] * w.od * w.oh; }

// f(r0, r1) over pieces of `rows` rows, none crossing a multiple of `unit`.
template <class F>
void over_rows(ThreadPool& pool, int64_t rows, int64_t unit, int64_t cost, F&& f) {
  if (rows == 0) return;
  const int64_t units = rows / unit;
  if (units * unit * cost < kSerialCells) {
    for (int64_t i = 0; i < units; ++i) f(i * unit, (i + 1) * unit);
    return;
  }
  // Units may be joined into one task, but are still given to f one by one.
  const int64_t per =
      std::max<int64_t>(1, std::min((units + 63) / 64, kSerialCells / std::max<int64_t>(unit * cost, 1)));
  pool.for_each((units + per - 1) / per, [&](int64_t t) {
    for (int64_t i = t * per; i < std::min(units, (t + 1) * per); ++i) f(i * unit, (i + 1) * unit);
  });
}

template <class T>
void max_pool(Context& ctx, const KernelArgs& a) {
  const Shape& x = a.in[0].shape();
  const WindowGrid w = grid_of(a.attr<PoolAttrs>(), x);
  over_rows(ctx.pool, rows(w, x), 1, visits(w), [&](int64_t r0, int64_t r1) {
    PK_TYPED(max_pool, T)(w, a.in[0].as<T>(), a.out[0].as<T>(), r0, r1);
  });
}

template <class T>
void avg_pool(Context& ctx, const KernelArgs& a) {
  const Shape& x = a.in[0].shape();
  const WindowGrid w = grid_of(a.attr<PoolAttrs>(), x);
  over_rows(ctx.pool, rows(w, x), 1, visits(w), [&](int64_t r0, int64_t r1) {
    PK_TYPED(avg_pool, T)(w, a.in[0].as<T>(), a.out[0].as<T>(), r0, r1);
  });
}

template <class T>
void max_pick(Context& ctx, const KernelArgs& a) {  // (gg, x, y)
  const Shape& x = a.in[1].shape();
  const WindowGrid w = grid_of(a.attr<PoolAttrs>(), x);
  over_rows(ctx.pool, rows(w, x), 1, visits(w), [&](int64_t r0, int64_t r1) {
    PK_TYPED(max_pick, T)(w, a.in[0].as<T>(), a.in[1].as<T>(), a.in[2].as<T>(), a.out[0].as<T>(), r0, r1);
  });
}

// Rows of windows that one call must take: all of a plane where windows of different rows meet, all of a
// volume where windows of different planes do.
int64_t grad_unit(const WindowGrid& w) {
  if (w.sd < w.kd) return w.od * w.oh;
  return w.sh >= w.kh ? 1 : w.oh;
}

template <class T>
void max_grad(Context& ctx, const KernelArgs& a) {  // (g, x, y)
  const Shape& x = a.in[1].shape();
  const WindowGrid w = grid_of(a.attr<PoolAttrs>(), x);
  if (w.od * w.oh * w.ow == 0) {
    std::fill_n(a.out[0].as<T>(), a.out[0].size, T(0));
    return;
  }
  over_rows(ctx.pool, rows(w, x), grad_unit(w), visits(w), [&](int64_t r0, int64_t r1) {
    PK_TYPED(max_grad, T)(w, a.in[0].as<T>(), a.in[1].as<T>(), a.in[2].as<T>(), a.out[0].as<T>(), r0, r1);
  });
}

template <class T>
void avg_grad(Context& ctx, const KernelArgs& a) {  // (g, ~x)
  const Shape& x = a.in[1].shape();
  const WindowGrid w = grid_of(a.attr<PoolAttrs>(), x);
  if (w.od * w.oh * w.ow == 0) {
    std::fill_n(a.out[0].as<T>(), a.out[0].size, T(0));
    return;
  }
  over_rows(ctx.pool, rows(w, x), grad_unit(w), visits(w), [&](int64_t r0, int64_t r1) {
    PK_TYPED(avg_grad, T)(w, a.in[0].as<T>(), a.out[0].as<T>(), r0, r1);
  });
}

template <class T>
void add(KernelTable& t, DType d) {
  for (const std::string axes : {"2d", "3d"}) {
    t.add("max_pool" + axes, d, max_pool<T>);
    t.add("avg_pool" + axes, d, avg_pool<T>);
    t.add("max_pool" + axes + "_pick", d, max_pick<T>);
    t.add("max_pool" + axes + "_grad", d, max_grad<T>);
    t.add("avg_pool" + axes + "_grad", d, avg_grad<T>);
  }
}

const KernelRegistrar registrar("cpu", [](KernelTable& t) {
  add<float>(t, DType::f32);
  add<double>(t, DType::f64);
});

}  // namespace
}  // namespace pk::cpu
