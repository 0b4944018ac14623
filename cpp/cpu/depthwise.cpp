// Depthwise convolution on the CPU. A kernel (h, w, c, mult) with mult > 1 is brought to the plain case by
// repeating the channels: output channel c*mult + m reads channel c.
#include <algorithm>

#include "core/context.h"
#include "cpu/pool_types.h"
#include "kernels/geometry.h"
#include "kernels/table.h"

namespace pk::cpu {
namespace {

constexpr int64_t kSerialWork = 1 << 17;

struct Depthwise {
  WindowGrid w;  // over c*mult channels
  int64_t n, c, mult;
  int64_t image() const { return w.h * w.w * w.c; }
  int64_t row_work() const { return std::max<int64_t>(1, w.ow * w.kh * w.kw * w.c); }
};

Depthwise of(const ConvAttrs& a, const Shape& x, const Shape& k) {
  Depthwise d = {};
  d.n = x[0], d.c = x[3], d.mult = k[3];
  const Window v = conv_window(a, 0, x[1], k[0]), u = conv_window(a, 1, x[2], k[1]);
  d.w = {x[1],         x[2],         x[3] * k[3], v.out,    u.out,         k[0],         k[1],
         a.strides[0], a.strides[1], v.before,    u.before, a.dilation[0], a.dilation[1]};
  return d;
}

// f(r0, r1) over rows of about equal work.
template <class F>
void over_rows(ThreadPool& pool, int64_t rows, int64_t cost, F&& f) {
  if (rows * cost < kSerialWork) {
    if (rows > 0) f(int64_t{0}, rows);
    return;
  }
  const int64_t tasks = std::min<int64_t>(rows, std::min<int64_t>(64, rows * cost / (kSerialWork / 2)));
  pool.for_each(tasks, [&](int64_t t) { f(rows * t / tasks, rows * (t + 1) / tasks); });
}

// x (pixels, c) with every channel repeated mult times.
template <class T>
void repeat_channels(ThreadPool& pool, const T* x, int64_t pixels, int64_t c, int64_t mult, T* to) {
  over_rows(pool, pixels, c * mult, [&](int64_t p0, int64_t p1) {
    for (int64_t i = p0 * c; i < p1 * c; ++i) std::fill_n(to + i * mult, mult, x[i]);
  });
}

size_t repeated_bytes(const Depthwise& d, size_t elem) {
  return d.mult == 1 ? 0 : (static_cast<size_t>(d.n * d.image()) * elem + 63) / 64 * 64;
}

template <class T>
void forward(Context& ctx, const KernelArgs& a) {
  const Depthwise d = of(a.attr<ConvAttrs>(), a.in[0].shape(), a.in[1].shape());
  const T* x = a.in[0].as<T>();
  if (d.mult > 1) {
    repeat_channels(ctx.pool, x, d.n * d.w.h * d.w.w, d.c, d.mult, static_cast<T*>(a.workspace));
    x = static_cast<const T*>(a.workspace);
  }
  const T* k = a.in[1].as<T>();
  over_rows(ctx.pool, d.n * d.w.oh, d.row_work(), [&](int64_t r0, int64_t r1) {
    PK_TYPED(depthwise, T)(d.w, x, k, d.w.c, a.out[0].as<T>(), r0, r1);
  });
}

template <class T>
void input_grad(Context& ctx, const KernelArgs& a) {  // (g, k, ~x)
  const Depthwise d = of(a.attr<ConvAttrs>(), a.in[2].shape(), a.in[1].shape());
  const T *g = a.in[0].as<T>(), *k = a.in[1].as<T>();
  T* const out = a.out[0].as<T>();
  T* const dx = d.mult > 1 ? static_cast<T*>(a.workspace) : out;
  const WindowGrid& w = d.w;
  if (w.sh == 1 && w.sw == 1) {
    // The gradient of a stride-1 convolution is one again, with the taps in reverse order.
    const WindowGrid back = {
        w.oh, w.ow, w.c, w.h, w.w, w.kh, w.kw, 1, 1, (w.kh - 1) * w.dh - w.top, (w.kw - 1) * w.dw - w.left,
        w.dh, w.dw};
    const T* last = k + (w.kh * w.kw - 1) * w.c;
    over_rows(ctx.pool, d.n * w.h, d.row_work(),
              [&](int64_t r0, int64_t r1) { PK_TYPED(depthwise, T)(back, g, last, -w.c, dx, r0, r1); });
  } else {
    over_rows(ctx.pool, d.n * w.h, w.w * w.kh * w.kw * w.c,
              [&](int64_t r0, int64_t r1) { PK_TYPED(depthwise_input_grad, T)(w, g, k, dx, r0, r1); });
  }
  if (d.mult == 1) return;
  over_rows(ctx.pool, d.n * w.h * w.w, w.c, [&](int64_t p0, int64_t p1) {
    for (int64_t i = p0 * d.c; i < p1 * d.c; ++i) {
      T sum = dx[i * d.mult];
      for (int64_t m = 1; m < d.mult; ++m) sum += dx[i * d.mult + m];
      out[i] = sum;
    }
  });
}

// Parts of the kernel gradient, each over its own rows of windows, joined in order; their number depends on
// the shape alone.
int64_t grad_parts(const Depthwise& d) {
  const int64_t rows = d.n * d.w.oh;
  return std::max<int64_t>(1, std::min<int64_t>({16, rows, rows * d.row_work() / kSerialWork}));
}

template <class T>
void kernel_grad(Context& ctx, const KernelArgs& a) {  // (x, g, ~k)
  const Depthwise d = of(a.attr<ConvAttrs>(), a.in[0].shape(), a.in[2].shape());
  const T *x = a.in[0].as<T>(), *g = a.in[1].as<T>();
  char* room = static_cast<char*>(a.workspace);
  if (d.mult > 1) {
    T* const repeated = static_cast<T*>(a.workspace);
    repeat_channels(ctx.pool, x, d.n * d.w.h * d.w.w, d.c, d.mult, repeated);
    x = repeated;
    room += repeated_bytes(d, sizeof(T));
  }
  const int64_t size = d.w.kh * d.w.kw * d.w.c, parts = grad_parts(d), rows = d.n * d.w.oh;
  T* const dk = a.out[0].as<T>();
  T* const sums = parts == 1 ? dk : reinterpret_cast<T*>(room);
  ctx.pool.for_each(parts, [&](int64_t p) {
    std::fill_n(sums + p * size, size, T(0));
    PK_TYPED(depthwise_kernel_grad, T)(d.w, x, g, sums + p * size, rows * p / parts, rows * (p + 1) / parts);
  });
  if (parts == 1) return;
  std::copy_n(sums, size, dk);
  for (int64_t p = 1; p < parts; ++p)
    for (int64_t i = 0; i < size; ++i) dk[i] += sums[p * size + i];
}

template <class T>
void add(KernelTable& t, DType dtype) {
  Kernel k;
  k.run = forward<T>;
  k.workspace = [](const Context&, const KernelArgs& a) {
    return repeated_bytes(of(a.attr<ConvAttrs>(), a.in[0].shape(), a.in[1].shape()), sizeof(T));
  };
  t.add("depthwise_conv2d", dtype, k);
  k.run = input_grad<T>;
  k.workspace = [](const Context&, const KernelArgs& a) {
    return repeated_bytes(of(a.attr<ConvAttrs>(), a.in[2].shape(), a.in[1].shape()), sizeof(T));
  };
  t.add("depthwise_conv2d_input_grad", dtype, k);
  k.run = kernel_grad<T>;
  k.workspace = [](const Context&, const KernelArgs& a) {
    const Depthwise d = of(a.attr<ConvAttrs>(), a.in[0].shape(), a.in[2].shape());
    const int64_t parts = grad_parts(d);
    return repeated_bytes(d, sizeof(T)) +
           (parts == 1 ? 0 : static_cast<size_t>(parts * d.w.kh * d.w.kw * d.w.c) * sizeof(T));
  };
  t.add("depthwise_conv2d_kernel_grad", dtype, k);
}

const KernelRegistrar registrar("cpu", [](KernelTable& t) {
  add<float>(t, DType::f32);
  add<double>(t, DType::f64);
});

}  // namespace
}  // namespace pk::cpu
