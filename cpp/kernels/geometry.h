// Index arithmetic that shape rules and kernels of every device share.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/attrs.h"

namespace pk {

inline int64_t normal_axis(int64_t axis, int rank) { return axis < 0 ? axis + rank : axis; }

// Which elements of an axis a slice takes: begin, begin + stride, … (count of them).
struct SliceRange {
  int64_t begin = 0, stride = 1, count = 0;
};

// NumPy's rule for x[begin:end:stride] on an axis of n elements, negative numbers included; an open
// end takes all that is there.
inline SliceRange slice_range(const SliceAttrs& a, int axis, int64_t n) {
  const auto clamp = [n](int64_t i, int64_t low, int64_t high) {
    return std::clamp(i < 0 ? i + n : i, low, high);
  };
  SliceRange r;
  r.stride = a.strides[axis];
  const bool forward = r.stride > 0;
  const int64_t low = forward ? 0 : -1, high = forward ? n : n - 1;
  r.begin = a.begin_mask[axis] ? (forward ? low : high) : clamp(a.begin[axis], low, high);
  const int64_t end = a.end_mask[axis] ? (forward ? high : low) : clamp(a.end[axis], low, high);
  const int64_t span = forward ? end - r.begin : r.begin - end, step = forward ? r.stride : -r.stride;
  r.count = span <= 0 ? 0 : (span + step - 1) / step;
  return r;
}

// The same slices with the bounds that a tensor told: begins, then ends.
inline SliceAttrs with_bounds(SliceAttrs a, const std::vector<int64_t>& bounds) {
  const int rank = a.begin.size();
  for (int i = 0; i < rank; ++i) {
    a.begin[i] = bounds[static_cast<size_t>(i)];
    a.end[i] = bounds[static_cast<size_t>(rank + i)];
  }
  return a;
}

// The shape of a draw's dropout mask: the input's, or noise_shape with -1 filled in.
inline Shape noise_shape(const DropoutAttrs& a, const Shape& x) {
  if (a.noise_shape.size() == 0) return x;
  Shape s = x;
  for (int i = 0; i < x.rank(); ++i)
    if (a.noise_shape[i] >= 0) s[i] = a.noise_shape[i];
  return s;
}

// Windows of a pooling or convolution along one spatial axis, counted from 0.
inline Window pool_window(const PoolAttrs& a, int axis, int64_t n) {
  return window(n, a.pool[axis], a.strides[axis], 1, a.padding, 0, 0);
}
inline Window conv_window(const ConvAttrs& a, int axis, int64_t n, int64_t kernel) {
  return window(n, kernel, a.strides[axis], a.dilation[axis], a.padding, a.pads[2 * axis],
                a.pads[2 * axis + 1]);
}

// One spatial axis of a convolution or pooling: `out` windows of `kernel` cells, `dilation` apart; one window
// lies `stride` cells after the other, the first begins `before` cells in front of the data.
struct SpaceAxis {
  int64_t size = 1, kernel = 1, out = 1, stride = 1, dilation = 1, before = 0;
};
// All three: images are volumes of one plane.
struct Space {
  SpaceAxis d, h, w;
  SpaceAxis& operator[](int i) { return i == 0 ? d : i == 1 ? h : w; }
};

// Of x (n, [d,] h, w, c) and a kernel ([kd,] kh, kw, …).
inline Space conv_space(const ConvAttrs& a, const Shape& x, const Shape& kernel) {
  Space s;
  const int axes = x.rank() - 2;
  for (int i = 0; i < axes; ++i) {
    const Window v = conv_window(a, i, x[i + 1], kernel[i]);
    s[3 - axes + i] = {x[i + 1], kernel[i], v.out, a.strides[i], a.dilation[i], v.before};
  }
  return s;
}
inline Space pool_space(const PoolAttrs& a, const Shape& x) {
  Space s;
  const int axes = x.rank() - 2;
  for (int i = 0; i < axes; ++i) {
    const Window v = pool_window(a, i, x[i + 1]);
    s[3 - axes + i] = {x[i + 1], a.pool[i], v.out, a.strides[i], 1, v.before};
  }
  return s;
}

// Where bilinear resizing reads for output position i: between cells `low` and `high`, `t` of the way.
// With half_pixel the centres of cells correspond (TensorFlow 2), else their first corners
// (TensorFlow 1, as in Keras 2).
struct Lerp {
  int64_t low = 0, high = 0;
  double t = 0;
};
inline Lerp lerp_at(int64_t i, int64_t factor, int64_t n, bool half_pixel) {
  const double f = static_cast<double>(factor), x = static_cast<double>(i);
  const double at = std::clamp(half_pixel ? (x + 0.5) / f - 0.5 : x / f, 0.0, static_cast<double>(n - 1));
  Lerp l;
  l.low = static_cast<int64_t>(at);
  l.high = std::min(l.low + 1, n - 1);
  l.t = at - static_cast<double>(l.low);
  return l;
}

}  // namespace pk
