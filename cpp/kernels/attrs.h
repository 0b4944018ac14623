// Attributes of the ops: plain structs that kernels read, each with `visit`, by which the graph
// parses keywords, prints, compares and hashes them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "core/types.h"

namespace pk {

// Up to 2·kMaxRank whole numbers held in place: axes, strides, shapes, pads.
struct Ints {
  static constexpr int kMax = 2 * kMaxRank;
  int64_t v[kMax] = {};
  int n = 0;

  Ints() = default;
  Ints(std::initializer_list<int64_t> x) {
    for (int64_t i : x) push_back(i);
  }
  template <class It>
  Ints(It first, It last) {
    for (; first != last; ++first) push_back(*first);
  }
  int size() const { return n; }
  int64_t operator[](int i) const { return v[i]; }
  int64_t& operator[](int i) { return v[i]; }
  const int64_t* begin() const { return v; }
  const int64_t* end() const { return v + n; }
  void push_back(int64_t x) {
    if (n == kMax) throw ValueError(cat("at most ", kMax, " numbers are possible here"));
    v[n++] = x;
  }
  bool contains(int64_t x) const { return std::find(begin(), end(), x) != end(); }
  bool operator==(const Ints& o) const { return n == o.n && std::equal(begin(), end(), o.begin()); }
};

enum class Padding : uint8_t { valid, same, explicit_ };

// Activation applied by a fused epilogue; alpha/beta as the op of that name takes them.
enum class Act : uint8_t {
  none,
  relu,
  leaky_relu,
  elu,
  sigmoid,
  tanh,
  hard_sigmoid,
  softplus,
  softsign,
  exp,
  clip
};

#define PK_ATTRS(...) \
  template <class V>  \
  void visit(V&& v) { \
    (void)v;          \
    __VA_ARGS__       \
  }
#define PK_FIELD(name) v(#name, name);

struct NoAttrs {
  PK_ATTRS()
};
struct AlphaAttrs {  // leaky_relu, elu and their gradients
  double alpha = 0;
  PK_ATTRS(PK_FIELD(alpha))
};
struct ClipAttrs {
  double min = 0, max = 0;
  PK_ATTRS(PK_FIELD(min) PK_FIELD(max))
};
struct CastAttrs {
  DType dtype = DType::f32;
  PK_ATTRS(PK_FIELD(dtype))
};
struct ReduceAttrs {  // axes are normalised: 0 <= axis < rank, ascending
  Ints axes;
  bool keepdims = false;
  PK_ATTRS(PK_FIELD(axes) PK_FIELD(keepdims))
};
struct AxisAttrs {
  int64_t axis = -1;
  PK_ATTRS(PK_FIELD(axis))
};
struct CumAttrs {
  int64_t axis = 0;
  bool exclusive = false, reverse = false;
  PK_ATTRS(PK_FIELD(axis) PK_FIELD(exclusive) PK_FIELD(reverse))
};
struct AxesAttrs {
  Ints axes;
  PK_ATTRS(PK_FIELD(axes))
};
struct AxisSizeAttrs {
  Ints axes;
  DType dtype = DType::f32;
  PK_ATTRS(PK_FIELD(axes) PK_FIELD(dtype))
};
struct FillAttrs {  // fill, fill_like (which ignores shape)
  Ints shape;
  double value = 0;
  DType dtype = DType::f32;
  PK_ATTRS(PK_FIELD(shape) PK_FIELD(value) PK_FIELD(dtype))
};
struct RangeAttrs {
  double start = 0, stop = 0, step = 1;
  DType dtype = DType::i32;
  PK_ATTRS(PK_FIELD(start) PK_FIELD(stop) PK_FIELD(step) PK_FIELD(dtype))
};
struct EyeAttrs {
  int64_t n = 0, m = 0;
  DType dtype = DType::f32;
  PK_ATTRS(PK_FIELD(n) PK_FIELD(m) PK_FIELD(dtype))
};
struct ShapeAttrs {  // reshape (-1 allowed), broadcast_to
  Ints shape;
  PK_ATTRS(PK_FIELD(shape))
};
struct PermAttrs {
  Ints perm;
  PK_ATTRS(PK_FIELD(perm))
};
struct ConcatPartAttrs {
  int64_t axis = 0, index = 0;
  PK_ATTRS(PK_FIELD(axis) PK_FIELD(index))
};
struct SliceAttrs {  // per axis; a mask of 1 leaves that end open
  Ints begin, end, strides, begin_mask, end_mask;
  PK_ATTRS(PK_FIELD(begin) PK_FIELD(end) PK_FIELD(strides) PK_FIELD(begin_mask) PK_FIELD(end_mask))
};
struct PadAttrs {  // per axis; crop ignores value
  Ints before, after;
  double value = 0;
  PK_ATTRS(PK_FIELD(before) PK_FIELD(after) PK_FIELD(value))
};
struct TileAttrs {
  Ints reps;
  PK_ATTRS(PK_FIELD(reps))
};
struct RepeatAttrs {
  int64_t axis = 0, n = 1;
  PK_ATTRS(PK_FIELD(axis) PK_FIELD(n))
};
struct OneHotAttrs {
  int64_t n = 0;
  DType dtype = DType::f32;
  PK_ATTRS(PK_FIELD(n) PK_FIELD(dtype))
};
struct ResizeAttrs {  // whole factors of height and width; half_pixel: see kernels/geometry.h
  Ints factors;
  bool half_pixel = false;
  PK_ATTRS(PK_FIELD(factors) PK_FIELD(half_pixel))
};
struct TopKAttrs {
  int64_t k = 1;
  PK_ATTRS(PK_FIELD(k))
};
struct MatmulAttrs {
  bool trans_a = false, trans_b = false;
  PK_ATTRS(PK_FIELD(trans_a) PK_FIELD(trans_b))
};
struct DenseAttrs {  // act(x·w + b)
  bool trans_b = false;
  Act act = Act::none;
  double alpha = 0, beta = 0;
  PK_ATTRS(PK_FIELD(trans_b) PK_FIELD(act) PK_FIELD(alpha) PK_FIELD(beta))
};
struct ConvAttrs {  // conv2d, depthwise_conv2d and their gradients; act is used by conv2d_fused
  Ints strides{1, 1};
  Padding padding = Padding::valid;
  Ints pads{0, 0, 0, 0};  // before and after, axis by axis; only with explicit padding
  Ints dilation{1, 1};
  Act act = Act::none;
  double alpha = 0, beta = 0;
  PK_ATTRS(PK_FIELD(strides) PK_FIELD(padding) PK_FIELD(pads) PK_FIELD(dilation) PK_FIELD(act) PK_FIELD(alpha)
               PK_FIELD(beta))
};
struct Conv3DAttrs : ConvAttrs {  // the same of volumes: other defaults, nothing more
  Conv3DAttrs() {
    strides = dilation = {1, 1, 1};
    pads = {0, 0, 0, 0, 0, 0};
  }
};
struct PoolAttrs {
  Ints pool{2, 2}, strides{2, 2};
  Padding padding = Padding::valid;
  PK_ATTRS(PK_FIELD(pool) PK_FIELD(strides) PK_FIELD(padding))
};
struct Pool3DAttrs : PoolAttrs {
  Pool3DAttrs() { pool = strides = {2, 2, 2}; }
};
struct NormAttrs {  // batch_norm_train and its gradient: statistics over all axes but `axis`
  int64_t axis = -1;
  double epsilon = 1e-3;
  PK_ATTRS(PK_FIELD(axis) PK_FIELD(epsilon))
};
struct PrintAttrs {
  std::string message;
  PK_ATTRS(PK_FIELD(message))
};
struct CtcBeamAttrs {  // prefixes kept from step to step, and returned
  int64_t width = 100, paths = 1;
  PK_ATTRS(PK_FIELD(width) PK_FIELD(paths))
};
struct RandomAttrs {  // a, b: min and max, or mean and stddev, or probability
  Ints shape;
  double a = 0, b = 1;
  int64_t seed = 0;
  DType dtype = DType::f32;
  PK_ATTRS(PK_FIELD(shape) PK_FIELD(a) PK_FIELD(b) PK_FIELD(seed) PK_FIELD(dtype))
};
struct DropoutAttrs {  // noise_shape: empty = the input's; -1 = the input's size on that axis
  double rate = 0;
  int64_t seed = 0;
  Ints noise_shape;
  PK_ATTRS(PK_FIELD(rate) PK_FIELD(seed) PK_FIELD(noise_shape))
};

struct RnnAttrs {  // lstm, gru and their gradients
  Act act = Act::tanh, rec_act = Act::hard_sigmoid;
  bool reset_after =
      false;             // gru: the reset gate works on the recurrent product, which has a bias of its own
  bool masked = false;   // the last input says which steps count
  bool reverse = false;  // from the last step to the first
  bool save = true;      // emit what the gradient needs
  PK_ATTRS(PK_FIELD(act) PK_FIELD(rec_act) PK_FIELD(reset_after) PK_FIELD(masked) PK_FIELD(reverse)
               PK_FIELD(save))
};

// A chain of pointwise ops in one loop. Registers 0 … n_in-1 are the inputs, each instruction
// writes the next register; `outputs` names the registers that are stored.
struct PointwiseInstr {
  uint8_t code = 0;             // a PointwiseCode of kernels/functors.h
  uint8_t a = 0, b = 0, c = 0;  // operand registers
  double p = 0, q = 0;          // parameters (alpha, min, max)
};
struct PointwiseProgram {
  std::vector<PointwiseInstr> code;
  std::vector<uint8_t> outputs;      // the register of each output
  std::vector<DType> output_dtypes;  // the compute type, or boolean (stored as bytes 0 and 1)
  int n_in = 0;
  DType compute = DType::f32;
  // A program is only made by a rewrite pass, never from keywords; it shows as text.
  std::string text;
  PK_ATTRS(PK_FIELD(text))
};

#undef PK_FIELD

// Geometry of a window along one axis, after TensorFlow's rule for 'same': the smaller half of an
// odd total goes in front.
struct Window {
  int64_t out = 0, before = 0, after = 0;
};
inline Window window(int64_t n, int64_t kernel, int64_t stride, int64_t dilation, Padding padding,
                     int64_t before, int64_t after) {
  const int64_t span = (kernel - 1) * dilation + 1;
  Window w;
  if (padding == Padding::same) {
    w.out = (n + stride - 1) / stride;
    const int64_t total = std::max<int64_t>((w.out - 1) * stride + span - n, 0);
    w.before = total / 2;
    w.after = total - w.before;
  } else {
    if (padding == Padding::explicit_) {
      w.before = before;
      w.after = after;
    }
    const int64_t room = n + w.before + w.after - span;
    w.out = room < 0 ? 0 : room / stride + 1;
  }
  return w;
}

}  // namespace pk
