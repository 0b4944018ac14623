// conv2d, conv3d, their fused forms and gradients, as ops.
#include <initializer_list>

#include "cpu/conv.h"
#include "cpu/gemm.h"
#include "cpu/packed.h"
#include "kernels/geometry.h"
#include "kernels/table.h"

namespace pk::cpu {
namespace {

ConvShape shape_of(const ConvAttrs& a, const Shape& x, const Shape& k) {
  const auto [d, h, w] = conv_space(a, x, k);
  ConvShape s = {};
  s.n = x[0], s.c = x.back(), s.co = k.back();
  s.d = d.size, s.h = h.size, s.w = w.size;
  s.kd = d.kernel, s.kh = h.kernel, s.kw = w.kernel;
  s.od = d.out, s.oh = h.out, s.ow = w.out;
  s.sd = d.stride, s.sh = h.stride, s.sw = w.stride;
  s.front = d.before, s.top = h.before, s.left = w.before;
  s.dd = d.dilation, s.dh = h.dilation, s.dw = w.dilation;
  return s;
}

ConvShape forward_shape(const KernelArgs& a) {
  return shape_of(a.attr<ConvAttrs>(), a.in[0].shape(), a.in[1].shape());
}
ConvShape input_grad_shape(const KernelArgs& a) {  // (g, k, ~x)
  return shape_of(a.attr<ConvAttrs>(), a.in[2].shape(), a.in[1].shape());
}
ConvShape kernel_grad_shape(const KernelArgs& a) {  // (x, g, ~k)
  return shape_of(a.attr<ConvAttrs>(), a.in[0].shape(), a.in[2].shape());
}

template <class T>
Kernel forward() {
  Kernel k;
  k.run = [](Context& ctx, const KernelArgs& a) {
    const auto& t = a.attr<ConvAttrs>();
    conv(ctx.pool, forward_shape(a), a.in[0].as<T>(), a.in[1].as<T>(), unpack_header<T>(a.prepared),
         a.n_in > 2 ? a.in[2].as<T>() : static_cast<const T*>(nullptr), act_spec(t.act, t.alpha, t.beta),
         a.out[0].as<T>(), a.workspace);
  };
  k.workspace = [](const Context& ctx, const KernelArgs& a) {
    return conv_workspace<T>(ctx.pool, forward_shape(a), a.keeps_prepared);
  };
  k.prepare_input = 1;
  k.prepared_bytes = [](const KernelArgs& a) {
    const size_t bytes = conv_packed_bytes<T>(forward_shape(a));
    return bytes ? bytes + kPackedHeader : 0;
  };
  k.prepare = [](Context& ctx, const KernelArgs& a, void* to) {
    conv_pack(ctx.pool, forward_shape(a), static_cast<const T*>(a.in[1].as<T>()), write_header<T>(to));
  };
  return k;
}

template <class T>
Kernel input_grad() {
  Kernel k;
  k.run = [](Context& ctx, const KernelArgs& a) {
    conv_input_grad<T>(ctx.pool, input_grad_shape(a), a.in[0].as<T>(), a.in[1].as<T>(), a.out[0].as<T>(),
                       a.workspace);
  };
  k.workspace = [](const Context& ctx, const KernelArgs& a) {
    return conv_input_grad_workspace<T>(ctx.pool, input_grad_shape(a));
  };
  return k;
}

template <class T>
Kernel kernel_grad() {
  Kernel k;
  k.run = [](Context& ctx, const KernelArgs& a) {
    conv_kernel_grad<T>(ctx.pool, kernel_grad_shape(a), a.in[0].as<T>(), a.in[1].as<T>(), a.out[0].as<T>(),
                        a.workspace);
  };
  k.workspace = [](const Context& ctx, const KernelArgs& a) {
    return conv_kernel_grad_workspace<T>(ctx.pool, kernel_grad_shape(a));
  };
  return k;
}

const KernelRegistrar registrar("cpu", [](KernelTable& t) {
  for (const char* name : {"conv2d", "conv2d_fused", "conv3d", "conv3d_fused"}) {
    t.add(name, DType::f32, forward<float>());
    t.add(name, DType::f64, forward<double>());
  }
  for (const char* name : {"conv2d_input_grad", "conv3d_input_grad"}) {
    t.add(name, DType::f32, input_grad<float>());
    t.add(name, DType::f64, input_grad<double>());
  }
  for (const char* name : {"conv2d_kernel_grad", "conv3d_kernel_grad"}) {
    t.add(name, DType::f32, kernel_grad<float>());
    t.add(name, DType::f64, kernel_grad<double>());
  }
});

}  // namespace
}  // namespace pk::cpu
