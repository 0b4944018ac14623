// Kernel gradient: dk(tap, c, co) = sum over pixels of x(pixel + tap, c) * g(pixel, co), a product whose long
// side, the pixels, is summed. Both operands are read where they lie.
#include <algorithm>
#include <optional>
#include <utility>

#include "cpu/conv.h"
#include "cpu/gemm_block.h"
#include "cpu/parallel.h"
#include "cpu/winograd.h"

namespace pk::cpu {
namespace {

// Pixels per pass: the rows of x and g that they cover stay in the second-level cache while all tiles pass
// by.
constexpr int64_t kGroupPixels = 384;
constexpr int64_t kPackedBytes = 384 << 10;  // of g, packed, at most
constexpr int64_t kPackHeights = 8;          // tiles that pay for packing

// Below this many channels a tile of one tap would be too low: one of whole patches is made then.
constexpr int64_t kFewChannels = 8;
constexpr int64_t kPatchRoom = 16384;  // values of a block of patches, on the stack
constexpr int64_t kColumnRoom = 8192;  // values of interleaved rows, on the stack
constexpr int64_t kMostPlaces = 512;   // values of their patches

bool few_channels(const ConvShape& s) {
  return s.c < kFewChannels && s.taps() > 1 && s.taps() * s.c <= kPatchRoom / 16;
}
bool interleaves(const ConvShape& s) {
  return few_channels(s) && s.dw == 1 && s.sw <= s.kw && s.taps() * s.c <= kMostPlaces;
}

// A gradient of still fewer channels takes the part of the image, and the image that of the gradient: under
// taps that run backwards. This is that convolution, if it is of use.
std::optional<ConvShape> turned(const ConvShape& s) {
  if (s.co >= s.c || s.sd * s.sh * s.sw > 1) return std::nullopt;
  const ConvShape t = {s.n,
                       s.co,
                       s.c,
                       s.od,
                       s.oh,
                       s.ow,
                       s.kd,
                       s.kh,
                       s.kw,
                       s.d,
                       s.h,
                       s.w,
                       1,
                       1,
                       1,
                       (s.kd - 1) * s.dd - s.front,
                       (s.kh - 1) * s.dh - s.top,
                       (s.kw - 1) * s.dw - s.left,
                       s.dd,
                       s.dh,
                       s.dw};
  return interleaves(t) ? std::optional(t) : std::nullopt;
}

// Parts whose sums are joined in order, so that few-channel gradients (a small product over many pixels) can
// use several threads: their number depends on the shape alone.
int64_t patch_parts(const ConvShape& s) {
  return std::min<int64_t>(std::max<int64_t>(s.macs() >> 20, 1), 16);
}

// Output positions along one axis whose input cell under tap `i` lies inside the image.
struct Range {
  int64_t begin, end;
};
Range inside(int64_t out, int64_t size, int64_t stride, int64_t offset) {
  const int64_t begin = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
  const int64_t end = size - offset <= 0 ? 0 : (size - offset - 1) / stride + 1;
  return {std::min(begin, out), std::max(std::min(begin, out), std::min(end, out))};
}

// One product of tiles for every tap, whose rows are channels of x and columns those of g. x is read in
// place, and so is g where few tiles use it; else some of its columns are packed, for they would share few
// cache sets.
template <class T>
class ChannelTiles {
 public:
  ChannelTiles(const ConvShape& shape, int threads) : g_(gemm_kernels<T>()), s_(shape) {
    if (s_.d == 1 && s_.od == 1 && s_.kd == 1 && s_.front == 0) {  // images are the planes of one volume
      s_.d = s_.od = s_.n;
      s_.n = s_.sd = 1;
    }
    if (s_.is_matmul()) {  // whose pixels are one row
      s_.w = s_.ow = s_.pixels();
      s_.n = s_.d = s_.od = s_.h = s_.oh = 1;
    }
    // A single output channel would fill one lane: then x takes the part of g, and g that of x.
    swapped_ = s_.co == 1;
    columns_ = swapped_ ? s_.c : s_.co;
    low_ = swapped_ ? 1 : (s_.c + g_.mr - 1) / g_.mr;  // tiles over the channels, of even heights
    heights_ = s_.taps() * low_;
    panels_ = (columns_ + g_.nr - 1) / g_.nr;
    // A group is a part of a row, a band of rows of one plane, or a few small planes of one volume; all about
    // as large.
    const auto share = [](int64_t n, int64_t pixels) {  // of n pieces of so many pixels
      const int64_t groups = std::clamp<int64_t>((n * pixels + kGroupPixels / 2) / kGroupPixels, 1, n);
      return (n + groups - 1) / groups;
    };
    width_ = share(s_.ow, 1);
    rows_ = width_ < s_.ow ? 1 : share(s_.oh, s_.ow);
    planes_ = rows_ < s_.oh || width_ < s_.ow ? 1 : share(s_.od, s_.oh * s_.ow);
    // Threads share out the columns, then the rows.
    const bool scattered = g_.nr * int64_t(sizeof(T)) >= 64 || !spreads<T>(s_.co);  // a panel, over the cache
    packs_ = panels_ > 1 && !swapped_ && heights_ >= kPackHeights && scattered;
    const int64_t panel = planes_ * rows_ * width_ * g_.nr * int64_t(sizeof(T));
    blocks_ = packs_ ? (panels_ * panel + kPackedBytes - 1) / kPackedBytes : 1;
    blocks_ = std::min(blocks_, panels_);
    const int64_t wanted = shape.macs() < kSerialWork || threads == 1 ? 1 : 2 * threads;
    while (blocks_ < wanted && blocks_ * 8 <= panels_) blocks_ *= 2;
    ranges_ = std::min((wanted + blocks_ - 1) / blocks_, heights_);
    while (blocks_ * ranges_ < wanted && blocks_ * 2 <= panels_) blocks_ *= 2;
    lanes_ = std::min<int64_t>(threads, blocks_ * ranges_);
  }

  size_t bytes() const { return packs_ ? static_cast<size_t>(lanes_ * lane()) * sizeof(T) : 0; }

  void run(ThreadPool& pool, const T* x, const T* grad, T* dk, T* workspace) const {
    const auto one = [&](int64_t task, int64_t lane_number) {
      const int64_t p = task % blocks_, r = task / blocks_;
      block(x, grad, dk, panels_ * p / blocks_, panels_ * (p + 1) / blocks_, heights_ * r / ranges_,
            heights_ * (r + 1) / ranges_, workspace + (packs_ ? lane_number * lane() : 0));
    };
    if (blocks_ * ranges_ == 1 || s_.macs() < kSerialWork)
      for (int64_t task = 0; task < blocks_ * ranges_; ++task) one(task, 0);
    else
      in_lanes(pool, lanes_, blocks_ * ranges_, one);
  }

 private:
  struct Group {  // of pixels of g: from (image, z, y, x) on
    int64_t image, z, y, x, planes, rows, width;
  };

  int64_t lane() const { return planes_ * rows_ * width_ * g_.nr * ((panels_ + blocks_ - 1) / blocks_); }

  void block(const T* x, const T* grad, T* dk, int64_t p0, int64_t p1, int64_t h0, int64_t h1,
             T* room) const {
    bool add = false;
    Group at = {};
    for (at.image = 0; at.image < s_.n; ++at.image)
      for (at.z = 0; at.z < s_.od; at.z += planes_)
        for (at.y = 0; at.y < s_.oh; at.y += rows_)
          for (at.x = 0; at.x < s_.ow; at.x += width_, add = true) {
            at.planes = std::min(planes_, s_.od - at.z);
            at.rows = std::min(rows_, s_.oh - at.y);
            at.width = std::min(width_, s_.ow - at.x);
            group(x, grad, dk, at, p0, p1, h0, h1, room, add);
          }
  }

  void group(const T* x, const T* grad, T* dk, const Group& at, int64_t p0, int64_t p1, int64_t h0,
             int64_t h1, T* room, bool add) const {
    const int64_t first = ((at.image * s_.od + at.z) * s_.oh + at.y) * s_.ow + at.x;
    const int64_t count = at.planes * at.rows * at.width;
    if (packs_)
      g_.pack_b(grad + first * s_.co + p0 * g_.nr, s_.co, false, count, s_.co - p0 * g_.nr, 0, p1 - p0, room,
                count, 0);
    for (int64_t height = h0; height < h1; ++height) {
      const int64_t part = height % low_, tap = height / low_;
      const int64_t c0 = s_.c * part / low_, rows = swapped_ ? 1 : s_.c * (part + 1) / low_ - c0;
      const int64_t dz = tap / s_.kw / s_.kh * s_.dd - s_.front, dy = tap / s_.kw % s_.kh * s_.dh - s_.top;
      const int64_t dx = tap % s_.kw * s_.dw - s_.left;
      const Range q = inside(s_.od, s_.d, s_.sd, dz), v = inside(s_.oh, s_.h, s_.sh, dy),
                  u = inside(s_.ow, s_.w, s_.sw, dx);
      const int64_t za = std::max(q.begin, at.z), ya = std::max(v.begin, at.y), xa = std::max(u.begin, at.x);
      TileArgs<T> t = {};
      t.add = add;
      t.planes = std::max<int64_t>(std::min(q.end, at.z + at.planes) - za, 0);
      t.nrun = std::max<int64_t>(std::min(v.end, at.y + at.rows) - ya, 0);
      t.run = std::max<int64_t>(std::min(u.end, at.x + at.width) - xa, 0);
      t.a = x;
      int64_t pixel = 0;  // of the group, the first that sees the tap
      if (t.planes == 0 || t.nrun == 0 || t.run == 0) {
        if (add) continue;
        t.planes = 0;
      } else {
        const int64_t plane = at.image * s_.d + za * s_.sd + dz;
        t.a = x + ((plane * s_.h + ya * s_.sh + dy) * s_.w + xa * s_.sw + dx) * s_.c + c0;
        pixel = ((za - at.z) * s_.oh + ya - at.y) * s_.ow + xa - at.x;
      }
      t.a_ks = s_.sw * s_.c;
      t.a_run = s_.sh * s_.w * s_.c;
      t.a_plane = s_.sd * s_.h * s_.w * s_.c;
      t.ldc = s_.co;
      for (int64_t p = p0; p < p1; ++p) {
        const int64_t j0 = p * g_.nr;
        t.n = std::min<int64_t>(g_.nr, columns_ - j0);
        t.ldb = !packs_ ? s_.co : t.n <= g_.vl ? g_.vl : g_.nr;
        t.b = (packs_ ? room + (p - p0) * g_.nr * count : grad + first * s_.co + j0) + pixel * t.ldb;
        t.b_run = s_.ow * t.ldb;
        t.b_plane = s_.oh * t.b_run;
        t.c = dk + (tap * s_.c + c0) * s_.co + j0;
        if (!swapped_) {
          g_.col[!packs_ && t.n % g_.vl != 0][t.n > g_.vl][rows](t);
          continue;
        }
        TileArgs<T> turned = t;
        turned.a = grad + first + pixel;
        turned.b = t.a + j0;
        std::swap(turned.a_ks, turned.ldb);
        std::swap(turned.a_run, turned.b_run);
        std::swap(turned.a_plane, turned.b_plane);
        g_.col[t.n % g_.vl != 0][t.n > g_.vl][1](turned);
      }
    }
  }

  const GemmKernels<T>& g_;
  ConvShape s_;
  bool swapped_, packs_;
  int64_t columns_, panels_, low_,
      heights_;                      // columns and their panels; tiles of a tap's rows, and of all taps'
  int64_t planes_, rows_, width_;    // of a group
  int64_t blocks_, ranges_, lanes_;  // of panels; of tiles; tasks under way at once
};

// The patches themselves, for what has no such order.
template <class T>
void patch_sums(const ConvShape& s, const T* x, const T* grad, int64_t begin, int64_t end, T* to) {
  const GemmKernels<T>& g = gemm_kernels<T>();
  const TapGrid grid = forward_grid(s);
  const int64_t m = s.taps() * s.c, block = std::min<int64_t>(kPatchRoom / m, 256);
  const int64_t panels = (s.co + g.nr - 1) / g.nr;
  alignas(64) T patches[kPatchRoom];
  TileArgs<T> t = {};
  t.nrun = 1;
  t.ldb = s.co;
  t.ldc = s.co;
  t.a_ks = m;
  for (int64_t first = begin; first == begin || first < end; first += block) {
    t.run = std::min(block, end - first);
    t.add = first > begin;
    if (t.run > 0) pack_patches(x, grid, first, t.run, 0, m, patches, m);
    for (int64_t i0 = 0; i0 < m; i0 += g.mr) {
      for (int64_t p = 0; p < panels; ++p) {
        t.a = patches + i0;
        t.b = grad + first * s.co + p * g.nr;
        t.c = to + i0 * s.co + p * g.nr;
        t.n = std::min<int64_t>(g.nr, s.co - p * g.nr);
        g.col[t.n % g.vl != 0][t.n <= g.vl ? 0 : 1][std::min<int64_t>(g.mr, m - i0)](t);
      }
    }
  }
}

// The cells of image row `from` (null: zeros) from column `left` on, C values (0: any number) every `apart`.
template <class T, int C>
void scatter_cells(const T* from, int64_t w, int64_t any, int64_t left, int64_t count, int64_t apart, T* to) {
  const int64_t c = C > 0 ? C : any;
  const int64_t begin = from ? std::clamp<int64_t>(-left, 0, count) : count;
  const int64_t end = from ? std::clamp<int64_t>(w - left, begin, count) : count;
  const auto zeros = [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) std::fill_n(to + i * apart, c, T(0));
  };
  zeros(0, begin);
  zeros(end, count);
  if (begin == end) return;
  from += (left + begin) * c;
  T* cell = to + begin * apart;
  for (int64_t i = begin; i < end; ++i, from += c, cell += apart)
#pragma GCC unroll 4
    for (int64_t j = 0; j < c; ++j) cell[j] = from[j];
}

// Few channels, neighbouring taps: the rows of x that one row of g meets are interleaved, so that a column of
// all of them is one piece of memory, and so is a patch; neighbouring patches share their columns.
template <class T>
class ColumnSums {
 public:
  ColumnSums(const ConvShape& s, const T* x, const T* grad)
      : g_(gemm_kernels<T>()), s_(s), x_(x), grad_(grad), column_(s.kd * s.kh * s.c), m_(s.kw * column_) {
    const int64_t fitting = (kColumnRoom / column_ - s.kw) / s.sw + 1;  // pixels
    pieces_ = (s.ow + fitting - 1) / fitting;
    rows_ = pieces_ > 1 ? 1 : kColumnRoom / (width(s.ow) * column_);
    for (int64_t i = 0; i < m_; ++i) {
      const int64_t tap = i % column_ / s.c * s.kw + i / column_;
      places_[i] = (tap * s.c + i % s.c) * s.co;
    }
  }

  int64_t items() const { return s_.n * s_.od * s_.oh * pieces_; }

  // to = the sum over pieces [begin, end) of rows of g, counted over the batch.
  void run(int64_t begin, int64_t end, T* to) const {
    alignas(64) T columns[kColumnRoom];
    if (begin == end) std::fill_n(to, m_ * s_.co, T(0));
    TileArgs<T> t = {};
    t.ldb = s_.co;
    t.a_ks = s_.sw * column_;
    t.b_run = s_.ow * s_.co;
    for (int64_t item = begin; item < end; item += t.nrun) {
      const int64_t row = item / pieces_, left = s_.ow * (item % pieces_) / pieces_;
      t.nrun = std::min(rows_, end - item);
      t.run = s_.ow * (item % pieces_ + 1) / pieces_ - left;
      t.a_run = width(t.run) * column_;
      for (int64_t r = 0; r < t.nrun; ++r) fill(row + r, left, t.run, columns + r * t.a_run);
      t.add = item > begin;
      multiply(columns, grad_ + (row * s_.ow + left) * s_.co, t, to);
    }
  }

 private:
  int64_t width(int64_t pixels) const { return (pixels - 1) * s_.sw + s_.kw; }

  void fill(int64_t row, int64_t left, int64_t pixels, T* to) const {
    const int64_t z = row / s_.oh % s_.od * s_.sd - s_.front, y = row % s_.oh * s_.sh - s_.top;
    const auto copy = s_.c == 1   ? scatter_cells<T, 1>
                      : s_.c == 3 ? scatter_cells<T, 3>
                      : s_.c == 4 ? scatter_cells<T, 4>
                                  : scatter_cells<T, 0>;
    const T* const volume = x_ + row / s_.oh / s_.od * s_.d * s_.h * s_.w * s_.c;
    for (int64_t l = 0; l < s_.kd; ++l)
      for (int64_t i = 0; i < s_.kh; ++i, to += s_.c) {
        const int64_t plane = z + l * s_.dd, line = y + i * s_.dh;
        const bool inside = plane >= 0 && plane < s_.d && line >= 0 && line < s_.h;
        const T* const from = inside ? volume + (plane * s_.h + line) * s_.w * s_.c : nullptr;
        copy(from, s_.w, s_.c, left * s_.sw - s_.left, width(pixels), column_, to);
      }
  }

  void multiply(const T* columns, const T* grad, TileArgs<T>& t, T* to) const {
    const int64_t tiles = (m_ + g_.mr - 1) / g_.mr;
    for (int64_t j = 0; j < s_.co; j += g_.nr) {
      t.n = std::min<int64_t>(g_.nr, s_.co - j);
      t.b = grad + j;
      t.c = to + j;
      for (int64_t tile = 0; tile < tiles; ++tile) {
        const int64_t i = m_ * tile / tiles;
        t.a = columns + i;
        t.c_off = places_ + i;
        g_.col[t.n % g_.vl != 0][t.n <= g_.vl ? 0 : 1][m_ * (tile + 1) / tiles - i](t);
      }
    }
  }

  const GemmKernels<T>& g_;
  const ConvShape& s_;
  const T *const x_, *const grad_;
  const int64_t column_, m_;     // values of a column, and of a patch
  int64_t pieces_, rows_;        // of a row, that fit; rows that fit
  int64_t places_[kMostPlaces];  // in dk, of the values of a patch
};

// sum(begin, end, to) over parts of the items, joined in their order; value i goes to dk[place(i)].
template <class T, class Sum, class Place>
void join_parts(ThreadPool& pool, const ConvShape& s, int64_t items, T* dk, T* parts, Sum&& sum,
                Place&& place) {
  const int64_t n = patch_parts(s), size = s.taps() * s.c * s.co;
  const auto run = [&](int64_t p) { sum(items * p / n, items * (p + 1) / n, parts + p * size); };
  if (s.macs() < kSerialWork)
    for (int64_t p = 0; p < n; ++p) run(p);
  else
    pool.for_each(n, run);
  for (int64_t i = 0; i < size; ++i) {
    T total = parts[i];
    for (int64_t p = 1; p < n; ++p) total += parts[p * size + i];
    dk[place(i)] = total;
  }
}

template <class T>
void few_channels_grad(ThreadPool& pool, const ConvShape& s, const T* x, const T* grad, T* dk, T* parts) {
  const auto same = [](int64_t i) { return i; };
  if (const auto t = turned(s)) {
    const ColumnSums<T> columns(*t, grad, x);
    const auto sum = [&](int64_t begin, int64_t end, T* to) { columns.run(begin, end, to); };
    join_parts(pool, *t, columns.items(), dk, parts, sum, [&](int64_t i) {  // (taps, co, c) backwards
      const int64_t tap = s.taps() - 1 - i / s.c / s.co;
      return (tap * s.c + i % s.c) * s.co + i / s.c % s.co;
    });
  } else if (interleaves(s)) {
    const ColumnSums<T> columns(s, x, grad);
    const auto sum = [&](int64_t begin, int64_t end, T* to) { columns.run(begin, end, to); };
    join_parts(pool, s, columns.items(), dk, parts, sum, same);
  } else {
    const auto sum = [&](int64_t begin, int64_t end, T* to) { patch_sums(s, x, grad, begin, end, to); };
    join_parts(pool, s, s.pixels(), dk, parts, sum, same);
  }
}

}  // namespace

template <class T>
size_t conv_kernel_grad_workspace(const ThreadPool& pool, const ConvShape& s) {
  if (s.macs() == 0) return 0;
  if (const auto w = winograd_kernel_grad(s)) return winograd_kernel_grad_workspace<T>(pool, *w);
  const auto t = turned(s);
  if (!t && !few_channels(s)) return ChannelTiles<T>(s, pool.size()).bytes();
  return static_cast<size_t>(patch_parts(t ? *t : s) * s.taps() * s.c * s.co) * sizeof(T);
}

template <class T>
void conv_kernel_grad(ThreadPool& pool, const ConvShape& s, const T* x, const T* g, T* dk, void* workspace) {
  const int64_t size = s.taps() * s.c * s.co;
  if (size == 0) return;
  if (s.pixels() == 0) return std::fill(dk, dk + size, T(0));
  if (const auto w = winograd_kernel_grad(s)) return winograd_kernel_grad(pool, *w, x, g, dk, workspace);
  if (turned(s) || few_channels(s)) return few_channels_grad(pool, s, x, g, dk, static_cast<T*>(workspace));
  ChannelTiles<T>(s, pool.size()).run(pool, x, g, dk, static_cast<T*>(workspace));
}

template size_t conv_kernel_grad_workspace<float>(const ThreadPool&, const ConvShape&);
template size_t conv_kernel_grad_workspace<double>(const ThreadPool&, const ConvShape&);
template void conv_kernel_grad(ThreadPool&, const ConvShape&, const float*, const float*, float*, void*);
template void conv_kernel_grad(ThreadPool&, const ConvShape&, const double*, const double*, double*, void*);

}  // namespace pk::cpu
