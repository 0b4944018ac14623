// Convolution with 3x3 kernels by Winograd's F(2x2, 3x3): 16 products of small matrices with less than half
// of the multiplications.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/thread_pool.h"
#include "cpu/conv.h"
#include "cpu/gemm_types.h"

namespace pk::cpu {

// x (n, h, w, c), y (n, oh, ow, co); output pixel (i, j) sees the rows from i - top on, the columns from
// j - left on. Cells outside the image are zero.
struct WinogradShape {
  int64_t n, h, w, c, oh, ow, co, top, left;
  int64_t patch_rows() const { return (oh + 1) / 2; }
  int64_t patch_columns() const { return (ow + 1) / 2; }
  int64_t patches() const { return n * patch_rows() * patch_columns(); }
};

// The convolution, or its gradients, in this form: 3x3 kernels of stride 1 on images, where it is the faster
// way. For the first two that depends on the size of one image and on the channels, never on the batch: an
// image's bits must not depend on its company.
std::optional<WinogradShape> winograd_forward(const ConvShape& s);
std::optional<WinogradShape> winograd_input_grad(const ConvShape& s);  // x is the gradient of y, y that of x
std::optional<WinogradShape> winograd_kernel_grad(const ConvShape& s);

// The kernels in the form that the products want: their bytes, the same number for every ISA.
template <class T>
size_t winograd_weight_bytes(const WinogradShape& s);
// From k (3, 3, c, co); with `gradient` from k (3, 3, co, c), turned by 180 degrees, as the input's gradient
// needs it.
template <class T>
void winograd_weights(ThreadPool& pool, const WinogradShape& s, const T* k, bool gradient, T* u);

// A kernel as winograd_weights made it, or, where `packed` is null, as it comes.
template <class T>
struct WinogradKernel {
  const T* packed;
  const T* k = nullptr;
  bool gradient = false;
};

// y = act(conv(x) + bias): the same bits from either form of the kernel. The room is for the patches of as
// many threads as the pool has, and for the kernel if it comes unpacked.
template <class T>
size_t winograd_workspace(const ThreadPool& pool, const WinogradShape& s, bool packed);
template <class T>
void winograd(ThreadPool& pool, const WinogradShape& s, const T* x, const WinogradKernel<T>& kernel,
              const T* bias, const ActSpec& act, T* y, void* workspace);

// dk (3, 3, c, co) of y = conv(x) from the gradient g of y: the adjoint of the same products, summed over the
// patches of the batch in their order.
template <class T>
size_t winograd_kernel_grad_workspace(const ThreadPool& pool, const WinogradShape& s);
template <class T>
void winograd_kernel_grad(ThreadPool& pool, const WinogradShape& s, const T* x, const T* g, T* dk,
                          void* workspace);

}  // namespace pk::cpu
