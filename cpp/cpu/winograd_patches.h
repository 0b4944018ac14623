// What both ways through Winograd's convolution are made of: patches of the image, their outputs, and the
// kernel's points. A point's values lie `step` elements from those of the point before.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/gemm.h"
#include "cpu/pool_types.h"
#include "cpu/winograd.h"
#include "cpu/winograd_types.h"

namespace pk::cpu {

// A step for n values: a line more, so that the 16 points, which are written together, fall into different
// cache sets.
template <class T>
int64_t winograd_step(int64_t n) {
  constexpr int64_t kLine = 64 / int64_t(sizeof(T));
  return (n + kLine - 1) / kLine * kLine + kLine;
}

template <class T>
int64_t winograd_weight_step(const WinogradShape& s) {
  return winograd_step<T>(static_cast<int64_t>(packed_b_bytes<T>(s.c, s.co) / sizeof(T)));
}

template <class T>
class WinogradPatches {
 public:
  // zeros: s.c of them, for what lies outside the image.
  WinogradPatches(const WinogradShape& s, const T* x, const T* bias, const ActSpec& act, T* y, const T* zeros)
      : s_(s),
        rows_(s.patch_rows()),
        columns_(s.patch_columns()),
        x_(x),
        bias_(bias),
        act_(act),
        y_(y),
        zeros_(zeros) {}

  // v: the points of patch t, s.c values each.
  void gather(int64_t t, T* v, int64_t step) const {
    const Tile at = tile(t);
    const T* pixels[kWinogradPoints];
    for (int i = 0; i < 4; ++i) {
      const int64_t row = at.y - s_.top + i;
      for (int j = 0; j < 4; ++j) {
        const int64_t column = at.x - s_.left + j;
        const bool inside = row >= 0 && row < s_.h && column >= 0 && column < s_.w;
        pixels[4 * i + j] = inside ? x_ + ((at.image * s_.h + row) * s_.w + column) * s_.c : zeros_;
      }
    }
    PK_TYPED(winograd_input, T)(static_cast<const T* const*>(pixels), s_.c, v, step);
  }

  // Channels [j0, j1) of patch t's outputs, from the sums of its points.
  void scatter(int64_t t, int64_t j0, int64_t j1, const T* m, int64_t step) const {
    const Tile at = tile(t);
    T* outputs[4];
    for (int k = 0; k < 4; ++k) {
      const int64_t row = at.y + k / 2, column = at.x + k % 2;
      const bool inside = row < s_.oh && column < s_.ow;
      outputs[k] = inside ? y_ + ((at.image * s_.oh + row) * s_.ow + column) * s_.co + j0 : nullptr;
    }
    PK_TYPED(winograd_output, T)
    (m, step, j1 - j0, bias_ ? bias_ + j0 : static_cast<const T*>(nullptr), act_.act == 1,
     static_cast<T* const*>(outputs));
    if (act_.act > 1)
      for (T* to : outputs)
        if (to) gemm_kernels<T>().activate(to, 0, nullptr, 1, j1 - j0, act_);
  }

 private:
  struct Tile {
    int64_t image, y, x;  // of its first output pixel
  };
  Tile tile(int64_t t) const {
    const int64_t row = t / columns_;
    return {row / rows_, row % rows_ * 2, t % columns_ * 2};
  }

  const WinogradShape& s_;
  const int64_t rows_, columns_;  // of patches
  const T *const x_, *const bias_;
  const ActSpec& act_;
  T* const y_;
  const T* const zeros_;
};

// The points of panel p of the kernel, input channels [row0, row1), as the matrix kernels read them: u + row
// * width for channel row0 + row. See winograd_weights for k and `gradient`.
template <class T>
void winograd_panel_weights(const WinogradShape& s, const T* k, bool gradient, int64_t p, int64_t row0,
                            int64_t row1, T* u, int64_t step) {
  const GemmKernels<T>& g = gemm_kernels<T>();
  const int64_t j0 = p * g.nr, width = s.co - j0 <= g.vl ? g.vl : g.nr, tap = s.c * s.co;
  if (!gradient && s.co - j0 >= width) {
    for (int64_t row = row0; row < row1; ++row, u += width)
      PK_TYPED(winograd_weights, T)(k + row * s.co + j0, tap, width, u, step);
    return;
  }
  constexpr int64_t kRows = 8;  // at a time: their taps, packed
  T taps[9 * kRows * kMaxNr];
  for (int64_t row = row0; row < row1; row += kRows) {
    const int64_t rows = std::min(kRows, row1 - row), n = rows * width;
    for (int t = 0; t < 9; ++t) {
      const T* from = k + (gradient ? 8 - t : t) * tap + (gradient ? row : row * s.co);
      g.pack_b(from, gradient ? s.c : s.co, gradient, rows, s.co, p, p + 1, taps + t * n, 0, 0);
    }
    PK_TYPED(winograd_weights, T)(static_cast<const T*>(taps), n, n, u, step);
    u += n;
  }
}

// The way for large kernels; the same bits as the other.
bool winograd_by_pieces(const WinogradShape& s);
template <class T>
size_t winograd_pieces_workspace(const ThreadPool& pool, const WinogradShape& s);
template <class T>
void winograd_pieces(ThreadPool& pool, const WinogradShape& s, const T* x, const WinogradKernel<T>& kernel,
                     const T* bias, const ActSpec& act, T* y, void* workspace);

}  // namespace pk::cpu
