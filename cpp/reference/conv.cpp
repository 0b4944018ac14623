// Convolutions, seven loops: x (n, h, w, c), kernel (kh, kw, c, o), y (n, oh, ow, o); depthwise
// kernels are (kh, kw, c, m) and y's channels c·m + j.
#include "reference/common.h"

namespace pk::reference {
namespace {

// Calls f(position in x, position in y, position in the kernel) without channels: for every place
// where a kernel cell meets a real input cell, in the order of y.
template <class F>
void meetings(const ConvAttrs& a, const Shape& x, const Shape& kernel, const Shape& y, F&& f) {
  const Window v = conv_window(a, 0, x[1], kernel[0]), u = conv_window(a, 1, x[2], kernel[1]);
  for (int64_t n = 0; n < y[0]; ++n)
    for (int64_t oh = 0; oh < y[1]; ++oh)
      for (int64_t ow = 0; ow < y[2]; ++ow)
        for (int64_t kh = 0; kh < kernel[0]; ++kh)
          for (int64_t kw = 0; kw < kernel[1]; ++kw) {
            const int64_t h = oh * a.strides[0] - v.before + kh * a.dilation[0];
            const int64_t w = ow * a.strides[1] - u.before + kw * a.dilation[1];
            if (h < 0 || h >= x[1] || w < 0 || w >= x[2]) continue;
            f((n * x[1] + h) * x[2] + w, (n * y[1] + oh) * y[2] + ow, kh * kernel[1] + kw);
          }
}

template <class T>
void zero(const TensorArg& t) {
  for (int64_t i = 0; i < t.size; ++i) t.as<T>()[i] = T(0);
}

template <class T>
void conv2d(Context&, const KernelArgs& a) {
  const T *x = a.in[0].as<T>(), *k = a.in[1].as<T>();
  T* y = a.out[0].as<T>();
  const Shape& ks = a.in[1].shape();
  zero<T>(a.out[0]);
  meetings(a.attr<ConvAttrs>(), a.in[0].shape(), ks, a.out[0].shape(),
           [&](int64_t ix, int64_t iy, int64_t ik) {
             for (int64_t c = 0; c < ks[2]; ++c)
               for (int64_t o = 0; o < ks[3]; ++o)
                 y[iy * ks[3] + o] += x[ix * ks[2] + c] * k[(ik * ks[2] + c) * ks[3] + o];
           });
}

// (g, k, ~x)
template <class T>
void conv2d_input_grad(Context&, const KernelArgs& a) {
  const T *g = a.in[0].as<T>(), *k = a.in[1].as<T>();
  T* dx = a.out[0].as<T>();
  const Shape& ks = a.in[1].shape();
  zero<T>(a.out[0]);
  meetings(a.attr<ConvAttrs>(), a.out[0].shape(), ks, a.in[0].shape(),
           [&](int64_t ix, int64_t iy, int64_t ik) {
             for (int64_t c = 0; c < ks[2]; ++c)
               for (int64_t o = 0; o < ks[3]; ++o)
                 dx[ix * ks[2] + c] += g[iy * ks[3] + o] * k[(ik * ks[2] + c) * ks[3] + o];
           });
}

// (x, g, ~k)
template <class T>
void conv2d_kernel_grad(Context&, const KernelArgs& a) {
  const T *x = a.in[0].as<T>(), *g = a.in[1].as<T>();
  T* dk = a.out[0].as<T>();
  const Shape& ks = a.out[0].shape();
  zero<T>(a.out[0]);
  meetings(a.attr<ConvAttrs>(), a.in[0].shape(), ks, a.in[1].shape(),
           [&](int64_t ix, int64_t iy, int64_t ik) {
             for (int64_t c = 0; c < ks[2]; ++c)
               for (int64_t o = 0; o < ks[3]; ++o)
                 dk[(ik * ks[2] + c) * ks[3] + o] += x[ix * ks[2] + c] * g[iy * ks[3] + o];
           });
}

template <class T>
void depthwise_conv2d(Context&, const KernelArgs& a) {
  const T *x = a.in[0].as<T>(), *k = a.in[1].as<T>();
  T* y = a.out[0].as<T>();
  const Shape& ks = a.in[1].shape();
  const int64_t outputs = ks[2] * ks[3];
  zero<T>(a.out[0]);
  meetings(a.attr<ConvAttrs>(), a.in[0].shape(), ks, a.out[0].shape(),
           [&](int64_t ix, int64_t iy, int64_t ik) {
             for (int64_t o = 0; o < outputs; ++o)
               y[iy * outputs + o] += x[ix * ks[2] + o / ks[3]] * k[ik * outputs + o];
           });
}

template <class T>
void depthwise_conv2d_input_grad(Context&, const KernelArgs& a) {
  const T *g = a.in[0].as<T>(), *k = a.in[1].as<T>();
  T* dx = a.out[0].as<T>();
  const Shape& ks = a.in[1].shape();
  const int64_t outputs = ks[2] * ks[3];
  zero<T>(a.out[0]);
  meetings(a.attr<ConvAttrs>(), a.out[0].shape(), ks, a.in[0].shape(),
           [&](int64_t ix, int64_t iy, int64_t ik) {
             for (int64_t o = 0; o < outputs; ++o)
               dx[ix * ks[2] + o / ks[3]] += g[iy * outputs + o] * k[ik * outputs + o];
           });
}

template <class T>
void depthwise_conv2d_kernel_grad(Context&, const KernelArgs& a) {
  const T *x = a.in[0].as<T>(), *g = a.in[1].as<T>();
  T* dk = a.out[0].as<T>();
  const Shape& ks = a.out[0].shape();
  const int64_t outputs = ks[2] * ks[3];
  zero<T>(a.out[0]);
  meetings(a.attr<ConvAttrs>(), a.in[0].shape(), ks, a.in[1].shape(),
           [&](int64_t ix, int64_t iy, int64_t ik) {
             for (int64_t o = 0; o < outputs; ++o)
               dk[ik * outputs + o] += x[ix * ks[2] + o / ks[3]] * g[iy * outputs + o];
           });
}

const KernelRegistrar registrar("reference", [](KernelTable& t) {
  PK_ADD_FLOATS(t, "conv2d", conv2d);
  PK_ADD_FLOATS(t, "conv2d_input_grad", conv2d_input_grad);
  PK_ADD_FLOATS(t, "conv2d_kernel_grad", conv2d_kernel_grad);
  PK_ADD_FLOATS(t, "depthwise_conv2d", depthwise_conv2d);
  PK_ADD_FLOATS(t, "depthwise_conv2d_input_grad", depthwise_conv2d_input_grad);
  PK_ADD_FLOATS(t, "depthwise_conv2d_kernel_grad", depthwise_conv2d_kernel_grad);
});

}  // namespace
}  // namespace pk::reference
