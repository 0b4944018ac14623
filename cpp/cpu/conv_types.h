// What the per-ISA convolution helpers and their drivers share: plain data only.
#pragma once

#include <stdint.h>

#include "cpu/isa.h"

namespace pk::cpu {

// Which cells of a volume (d, h, w, c) the output pixel (z, y, x) sees: those of a grid of td·th·tw taps,
// plane z*sd + z0 + l*tz, row y*sh + y0 + i*ty, column x*sw + x0 + j*tx. Cells outside are zero. An image is
// a volume of one plane.
// Forward convolution, its input gradient (per phase of the stride) and 1x1 are all of this form.
struct TapGrid {
  int64_t d, h, w, c;
  int64_t od, oh, ow;
  int64_t sd, sh, sw, z0, y0, x0;
  int64_t td, th, tw, tz, ty, tx;
};

// Copies values [k0, k0 + kc) of the patches (k runs over taps, then channels) of `count` pixels from
// number `first` on (over batch, od, oh, ow) to rows of `stride`.
PK_PER_ISA(void pack_patches_f32(const float* x, const TapGrid& g, int64_t first, int64_t count, int64_t k0,
                                 int64_t kc, float* to, int64_t stride))
PK_PER_ISA(void pack_patches_f64(const double* x, const TapGrid& g, int64_t first, int64_t count, int64_t k0,
                                 int64_t kc, double* to, int64_t stride))

inline void pack_patches(const float* x, const TapGrid& g, int64_t first, int64_t count, int64_t k0,
                         int64_t kc, float* to, int64_t stride) {
  PK_PICK(pack_patches_f32)(x, g, first, count, k0, kc, to, stride);
}
inline void pack_patches(const double* x, const TapGrid& g, int64_t first, int64_t count, int64_t k0,
                         int64_t kc, double* to, int64_t stride) {
  PK_PICK(pack_patches_f64)(x, g, first, count, k0, kc, to, stride);
}

// out[i] = the patch of pixel first + i times b, which holds one value for each of the patch's.
PK_PER_ISA(void patch_dots_f32(const float* x, const TapGrid& g, int64_t first, int64_t count, const float* b,
                               float* out))
PK_PER_ISA(void patch_dots_f64(const double* x, const TapGrid& g, int64_t first, int64_t count,
                               const double* b, double* out))

inline void patch_dots(const float* x, const TapGrid& g, int64_t first, int64_t count, const float* b,
                       float* out) {
  PK_PICK(patch_dots_f32)(x, g, first, count, b, out);
}
inline void patch_dots(const double* x, const TapGrid& g, int64_t first, int64_t count, const double* b,
                       double* out) {
  PK_PICK(patch_dots_f64)(x, g, first, count, b, out);
}

}  // namespace pk::cpu
