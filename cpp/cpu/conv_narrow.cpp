#include "cpu/conv_narrow.h"

#include <algorithm>

#include "cpu/carver.h"
#include "cpu/gemm.h"
#include "cpu/gemm_block.h"
#include "cpu/parallel.h"

namespace pk::cpu {
namespace {

constexpr int64_t kMostRows = 64;  // rows of taps, over all planes

template <class T>
int64_t whole_vectors(int64_t n) {
  const int64_t vl = gemm_kernels<T>().vl;
  return (n + vl - 1) / vl * vl;
}

// An axis of a forward convolution with stride 1: its taps, seen from the sources, run backwards.
SpreadAxis backwards(int64_t in, int64_t out, int64_t taps, int64_t dilation, int64_t before) {
  return {in, out, taps, 1, dilation, (taps - 1) * dilation - before};
}

bool plain(const SpreadAxis& a) { return a.in == 1 && a.out == 1 && a.taps == 1 && a.before == 0; }

template <class T>
std::optional<NarrowShape> faster(NarrowShape s) {
  for (const SpreadAxis* a : {&s.z, &s.y, &s.x})
    if (a->stride > 1 && a->dilation > 1) return std::nullopt;
  if (s.z.taps * s.y.taps > kMostRows) return std::nullopt;
  // Multiply-adds of vectors, and the sums in units of them.
  const int64_t vl = gemm_kernels<T>().vl;
  const int64_t sources = s.z.in * s.y.in * s.x.in, results = s.z.out * s.y.out * s.x.out;
  const int64_t strides = s.z.stride * s.y.stride * s.x.stride;
  const int64_t direct = results * s.taps() * s.depth * ((s.c + vl - 1) / vl) / strides;
  const int64_t sums = 3 * s.z.taps * s.y.taps * (whole_vectors<T>(s.x.taps * s.c) / vl) + 2 * s.x.taps * s.c;
  const int64_t spread = sources * (s.depth * (whole_vectors<T>(s.columns()) / vl) + sums);
  if (spread == 0 || spread * 4 > direct * 3) return std::nullopt;
  if (plain(s.z)) std::swap(s.z, s.y);
  return s;
}

// How the planes of the results are dealt out, and what one thread needs.
template <class T>
struct Bands {
  int64_t planes, per_image, tasks;  // planes of one task; tasks of an image and in all
  int64_t step, ring, plane;         // values of a source's products; source planes kept, and values of one
  int64_t lanes;

  Bands(const NarrowShape& s, int threads) {
    step = whole_vectors<T>(s.columns());
    ring = (s.z.taps - 1) * s.z.dilation / s.z.stride + 1;
    plane = s.y.in * s.x.in * step;
    // A band's first results need products that the band before has made as well.
    const int64_t wanted = threads > 1 ? (4 * threads + s.n - 1) / std::max<int64_t>(s.n, 1) : 1;
    planes = std::max((s.z.out + wanted - 1) / wanted, std::min(s.z.out, 4 * ring * s.z.stride));
    per_image = (s.z.out + planes - 1) / planes;
    tasks = s.n * per_image;
    lanes = std::min<int64_t>(threads, tasks);
  }
  int64_t products() const { return ring * plane + kMaxVl; }  // a row of taps is read in whole vectors
  int64_t sums(const NarrowShape& s) const { return s.x.in * whole_vectors<T>(s.x.taps * s.c); }
  size_t lane_bytes(const NarrowShape& s) const {
    Carver room(nullptr);
    room.take<T>(products());
    room.take<T>(sums(s));
    return room.used();
  }
};

template <class T>
class Narrow {
 public:
  Narrow(const NarrowShape& s, const Bands<T>& bands, const T* x, const T* weights, const T* bias,
         const ActSpec& act, T* y)
      : g_(gemm_kernels<T>()), s_(s), b_(bands), x_(x), weights_(weights), bias_(bias), act_(act), y_(y) {}

  void run(int64_t task, char* room) const {
    Carver carver(room);
    T* const products = carver.take<T>(b_.products());
    T* const sums = carver.take<T>(b_.sums(s_));
    const int64_t image = task / b_.per_image, z0 = task % b_.per_image * b_.planes;
    const int64_t z1 = std::min(s_.z.out, z0 + b_.planes);
    int64_t made = 0;  // source planes before this one are in the ring, or not needed any more
    for (int64_t z = z0; z < z1; ++z) {
      const Reaching at = reaching(s_.z, z);
      const int64_t first = at.source - (at.count - 1) * s_.z.dilation;
      for (made = std::max(made, first); made <= at.source && made < s_.z.in; ++made)
        if (at.count > 0) multiply(image, made, products);
      for (int64_t y = 0; y < s_.y.out; ++y) add_up(image, z, y, at, products, sums);
    }
  }

 private:
  T* ring(T* products, int64_t plane) const { return products + plane % b_.ring * b_.plane; }

  // The products of one plane of sources.
  void multiply(int64_t image, int64_t plane, T* products) const {
    const int64_t pixels = s_.y.in * s_.x.in, tiles = (pixels + g_.mr - 1) / g_.mr;
    const T* const from = x_ + (image * s_.z.in + plane) * pixels * s_.depth;
    T* const to = ring(products, plane);
    TileArgs<T> t = {};
    t.nrun = 1;
    t.a_ks = s_.depth;
    t.ldc = b_.step;
    for (int64_t tile = 0; tile < tiles; ++tile) {
      const int64_t i = pixels * tile / tiles, rows = pixels * (tile + 1) / tiles - i;
      // Pixels of few channels are over before the processor's own prefetching has noticed them.
      constexpr int64_t kLine = 64 / int64_t(sizeof(T));
      if (tile + 1 < tiles && s_.depth <= 16 * kLine)
        for (const T *next = from + (i + rows) * s_.depth, *end = next + rows * s_.depth; next < end;
             next += kLine)
          __builtin_prefetch(next);
      for (int64_t j = 0; j < b_.step; j += g_.nr) {
        t.n = t.ldb = std::min<int64_t>(g_.nr, b_.step - j);
        t.c = to + i * b_.step + j;
        for (int64_t k = 0; k < s_.depth; k += kBlockK<T>) {
          t.run = std::min(kBlockK<T>, s_.depth - k);
          t.add = k > 0;
          t.a = from + i * s_.depth + k;
          t.b = weights_ + j * s_.depth + k * t.ldb;
          g_.strided[0][t.n > g_.vl][rows](t);
        }
      }
    }
  }

  void add_up(int64_t image, int64_t z, int64_t y, const Reaching& planes, T* products, T* sums) const {
    const T* parts[kMostRows];
    int64_t n = 0;
    const Reaching rows = reaching(s_.y, y);
    for (int64_t l = 0; l < planes.count; ++l) {
      const int64_t plane = planes.source - l * s_.z.dilation;
      if (plane < 0 || plane >= s_.z.in) continue;
      for (int64_t i = 0; i < rows.count; ++i) {
        const int64_t row = rows.source - i * s_.y.dilation;
        if (row < 0 || row >= s_.y.in) continue;
        const int64_t tap = (planes.tap + l * s_.z.stride) * s_.y.taps + rows.tap + i * s_.y.stride;
        parts[n++] = ring(products, plane) + row * s_.x.in * b_.step + tap * s_.x.taps * s_.c;
      }
    }
    const int64_t values = s_.x.out * s_.c;
    T* const to = y_ + ((image * s_.z.out + z) * s_.y.out + y) * values;
    PK_PICK_T(T, spread_row)(parts, n, b_.step, s_.x, s_.c, sums, to);
    if (bias_)
      for (int64_t i = 0; i < values; i += s_.c)
        for (int64_t j = 0; j < s_.c; ++j) to[i + j] += bias_[j];
    if (act_.act) g_.activate(to, values, nullptr, 1, values, act_);
  }

  const GemmKernels<T>& g_;
  const NarrowShape& s_;
  const Bands<T>& b_;
  const T *const x_, *const weights_, *const bias_;
  const ActSpec& act_;
  T* const y_;
};

}  // namespace

template <class T>
std::optional<NarrowShape> narrow_forward(const ConvShape& s) {
  if (s.sd * s.sh * s.sw > 1) return std::nullopt;
  return faster<T>({s.n, s.c, s.co, backwards(s.d, s.od, s.kd, s.dd, s.front),
                    backwards(s.h, s.oh, s.kh, s.dh, s.top), backwards(s.w, s.ow, s.kw, s.dw, s.left)});
}

template <class T>
std::optional<NarrowShape> narrow_input_grad(const ConvShape& s) {
  return faster<T>({s.n, s.co, s.c, SpreadAxis{s.od, s.d, s.kd, s.sd, s.dd, s.front},
                    SpreadAxis{s.oh, s.h, s.kh, s.sh, s.dh, s.top},
                    SpreadAxis{s.ow, s.w, s.kw, s.sw, s.dw, s.left}});
}

template <class T>
size_t narrow_weight_bytes(const NarrowShape& s) {
  return packed_b_bytes<T>(s.depth, s.columns());
}

template <class T>
void narrow_weights(const NarrowShape& s, const T* k, bool gradient, T* to) {
  const GemmKernels<T>& g = gemm_kernels<T>();
  const int64_t columns = whole_vectors<T>(s.columns());
  for (int64_t j = 0; j < columns; ++j) {
    const int64_t panel = j / g.nr * g.nr, width = std::min<int64_t>(g.nr, columns - panel);
    T* const column = to + panel * s.depth + j - panel;
    const int64_t tap = gradient ? j / s.c : s.taps() - 1 - j / s.c;
    const T* const from = gradient ? k + j * s.depth : k + tap * s.depth * s.c + j % s.c;
    const int64_t apart = gradient ? 1 : s.c;
    for (int64_t i = 0; i < s.depth; ++i) column[i * width] = j < s.columns() ? from[i * apart] : T(0);
  }
}

template <class T>
size_t narrow_workspace(const ThreadPool& pool, const NarrowShape& s) {
  const Bands<T> bands(s, pool.size());
  return static_cast<size_t>(bands.lanes) * bands.lane_bytes(s);
}

template <class T>
void narrow_conv(ThreadPool& pool, const NarrowShape& s, const T* x, const T* weights, const T* bias,
                 const ActSpec& act, T* y, void* workspace) {
  const Bands<T> bands(s, pool.size());
  const Narrow<T> job(s, bands, x, weights, bias, act, y);
  const int64_t work = s.n * s.z.in * s.y.in * s.x.in * s.depth * bands.step;
  const auto one = [&](int64_t task, int64_t lane) {
    job.run(task, static_cast<char*>(workspace) + static_cast<size_t>(lane) * bands.lane_bytes(s));
  };
  if (work < kSerialWork)
    for (int64_t task = 0; task < bands.tasks; ++task) one(task, 0);
  else
    in_lanes(pool, bands.lanes, bands.tasks, one);
}

#define PK_INSTANTIATE(T)                                                                                  \
  template std::optional<NarrowShape> narrow_forward<T>(const ConvShape&);                                 \
  template std::optional<NarrowShape> narrow_input_grad<T>(const ConvShape&);                              \
  template size_t narrow_weight_bytes<T>(const NarrowShape&);                                              \
  template void narrow_weights(const NarrowShape&, const T*, bool, T*);                                    \
  template size_t narrow_workspace<T>(const ThreadPool&, const NarrowShape&);                              \
  template void narrow_conv(ThreadPool&, const NarrowShape&, const T*, const T*, const T*, const ActSpec&, \
                            T*, void*);
PK_INSTANTIATE(float)
PK_INSTANTIATE(double)

}  // namespace pk::cpu
