// Convolutions as plain loops: x (n, h, w, c), kernel (kh, kw, c, o), y (n, oh, ow, o), of volumes with a
// depth before each height; depthwise kernels are (kh, kw, c, m) and y's channels c·m + j.
#include "reference/common.h"

namespace pk::reference {
namespace {

// Calls f(position in x, position in y, position in the kernel) without channels: for every place
// where a kernel cell meets a real input cell, in the order of y.
template <class F>
void meetings(const ConvAttrs& a, const Shape& x, const Shape& kernel, F&& f) {
  const auto [d, h, w] = conv_space(a, x, kernel);
  const auto cell = [](const SpaceAxis& s, int64_t o, int64_t k) {
    return o * s.stride - s.before + k * s.dilation;
  };
  const auto real = [](const SpaceAxis& s, int64_t at) { return at >= 0 && at < s.size; };
  int64_t iy = 0;
  for (int64_t n = 0; n < x[0]; ++n)
    for (int64_t od = 0; od < d.out; ++od)
      for (int64_t oh = 0; oh < h.out; ++oh)
        for (int64_t ow = 0; ow < w.out; ++ow, ++iy)
          for (int64_t kd = 0; kd < d.kernel; ++kd)
            for (int64_t kh = 0; kh < h.kernel; ++kh)
              for (int64_t kw = 0; kw < w.kernel; ++kw) {
                const int64_t iz = cell(d, od, kd), ir = cell(h, oh, kh), ic = cell(w, ow, kw);
                if (real(d, iz) && real(h, ir) && real(w, ic))
                  f(((n * d.size + iz) * h.size + ir) * w.size + ic, iy,
                    (kd * h.kernel + kh) * w.kernel + kw);
              }
}

template <class T>
void zero(const TensorArg& t) {
  for (int64_t i = 0; i < t.size; ++i) t.as<T>()[i] = T(0);
}

template <class T>
void conv(Context&, const KernelArgs& a) {
  const T *x = a.in[0].as<T>(), *k = a.in[1].as<T>();
  T* y = a.out[0].as<T>();
  const Shape& ks = a.in[1].shape();
  const int64_t channels = ks[ks.rank() - 2], outputs = ks.back();
  zero<T>(a.out[0]);
  meetings(a.attr<ConvAttrs>(), a.in[0].shape(), ks, [&](int64_t ix, int64_t iy, int64_t ik) {
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t o = 0; o < outputs; ++o)
        y[iy * outputs + o] += x[ix * channels + c] * k[(ik * channels + c) * outputs + o];
  });
}

// (g, k, ~x)
template <class T>
void conv_input_grad(Context&, const KernelArgs& a) {
  const T *g = a.in[0].as<T>(), *k = a.in[1].as<T>();
  T* dx = a.out[0].as<T>();
  const Shape& ks = a.in[1].shape();
  const int64_t channels = ks[ks.rank() - 2], outputs = ks.back();
  zero<T>(a.out[0]);
  meetings(a.attr<ConvAttrs>(), a.out[0].shape(), ks, [&](int64_t ix, int64_t iy, int64_t ik) {
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t o = 0; o < outputs; ++o)
        dx[ix * channels + c] += g[iy * outputs + o] * k[(ik * channels + c) * outputs + o];
  });
}

// (x, g, ~k)
template <class T>
void conv_kernel_grad(Context&, const KernelArgs& a) {
  const T *x = a.in[0].as<T>(), *g = a.in[1].as<T>();
  T* dk = a.out[0].as<T>();
  const Shape& ks = a.out[0].shape();
  const int64_t channels = ks[ks.rank() - 2], outputs = ks.back();
  zero<T>(a.out[0]);
  meetings(a.attr<ConvAttrs>(), a.in[0].shape(), ks, [&](int64_t ix, int64_t iy, int64_t ik) {
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t o = 0; o < outputs; ++o)
        dk[(ik * channels + c) * outputs + o] += x[ix * channels + c] * g[iy * outputs + o];
  });
}

template <class T>
void depthwise_conv2d(Context&, const KernelArgs& a) {
  const T *x = a.in[0].as<T>(), *k = a.in[1].as<T>();
  T* y = a.out[0].as<T>();
  const Shape& ks = a.in[1].shape();
  const int64_t outputs = ks[2] * ks[3];
  zero<T>(a.out[0]);
  meetings(a.attr<ConvAttrs>(), a.in[0].shape(), ks, [&](int64_t ix, int64_t iy, int64_t ik) {
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
  meetings(a.attr<ConvAttrs>(), a.out[0].shape(), ks, [&](int64_t ix, int64_t iy, int64_t ik) {
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
  meetings(a.attr<ConvAttrs>(), a.in[0].shape(), ks, [&](int64_t ix, int64_t iy, int64_t ik) {
    for (int64_t o = 0; o < outputs; ++o)
      dk[ik * outputs + o] += x[ix * ks[2] + o / ks[3]] * g[iy * outputs + o];
  });
}

const KernelRegistrar registrar("reference", [](KernelTable& t) {
  PK_ADD_FLOATS(t, "conv2d", conv);
  PK_ADD_FLOATS(t, "conv2d_input_grad", conv_input_grad);
  PK_ADD_FLOATS(t, "conv2d_kernel_grad", conv_kernel_grad);
  PK_ADD_FLOATS(t, "conv3d", conv);
  PK_ADD_FLOATS(t, "conv3d_input_grad", conv_input_grad);
  PK_ADD_FLOATS(t, "conv3d_kernel_grad", conv_kernel_grad);
  PK_ADD_FLOATS(t, "depthwise_conv2d", depthwise_conv2d);
  PK_ADD_FLOATS(t, "depthwise_conv2d_input_grad", depthwise_conv2d_input_grad);
  PK_ADD_FLOATS(t, "depthwise_conv2d_kernel_grad", depthwise_conv2d_kernel_grad);
});

}  // namespace
}  // namespace pk::reference
