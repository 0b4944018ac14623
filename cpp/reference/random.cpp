// Draws of random numbers by the formulas of kernels/random.h.
#include "kernels/random.h"

#include "reference/common.h"

namespace pk::reference {
namespace {

// Calls f(i, block words) for every element.
template <class F>
void draw(int64_t n, int64_t seed, uint64_t step, F&& f) {
  Philox4 words{};
  for (int64_t i = 0; i < n; ++i) {
    if (i % 4 == 0) words = philox(static_cast<uint64_t>(seed), static_cast<uint64_t>(i / 4), step);
    f(i, words.v);
  }
}

template <class T>
void random_uniform(Context&, const KernelArgs& a) {
  const auto& r = a.attr<RandomAttrs>();
  const T low = static_cast<T>(r.a), width = static_cast<T>(r.b - r.a);
  draw(a.out[0].size, r.seed, a.step,
       [&](int64_t i, const uint32_t* w) { a.out[0].as<T>()[i] = uniform(w[i % 4], low, width); });
}

template <class T>
void random_normal(Context&, const KernelArgs& a) {
  const auto& r = a.attr<RandomAttrs>();
  draw(a.out[0].size, r.seed, a.step, [&](int64_t i, const uint32_t* w) {
    double pair[2];
    box_muller(w[i % 4 / 2 * 2], w[i % 4 / 2 * 2 + 1], pair[0], pair[1]);
    a.out[0].as<T>()[i] = static_cast<T>(r.a + r.b * pair[i % 2]);
  });
}

template <class T>
void truncated_normal(Context&, const KernelArgs& a) {
  const auto& r = a.attr<RandomAttrs>();
  draw(a.out[0].size, r.seed, a.step, [&](int64_t i, const uint32_t* w) {
    a.out[0].as<T>()[i] = static_cast<T>(r.a + r.b * truncated_normal01<double>(w[i % 4]));
  });
}

template <class T>
void random_binomial(Context&, const KernelArgs& a) {
  const auto& r = a.attr<RandomAttrs>();
  draw(a.out[0].size, r.seed, a.step, [&](int64_t i, const uint32_t* w) {
    a.out[0].as<T>()[i] = bernoulli(w[i % 4], static_cast<float>(r.a)) ? T(1) : T(0);
  });
}

// The mask is drawn in the noise shape and broadcast over the input.
template <class T>
void dropout(Context&, const KernelArgs& a) {
  const auto& d = a.attr<DropoutAttrs>();
  const T* x = a.in[0].as<T>();
  T* y = a.out[0].as<T>();
  const T scale = static_cast<T>(1 / (1 - d.rate));
  const float rate = static_cast<float>(d.rate);
  const Shape& shape = a.in[0].shape();
  walk(
      shape,
      [&](int64_t i, int64_t m) {
        const Philox4 words = philox(static_cast<uint64_t>(d.seed), static_cast<uint64_t>(m / 4), a.step);
        y[i] = dropout_keeps(words.v[m % 4], rate) ? x[i] * scale : T(0);
      },
      broadcast(noise_shape(d, shape), shape));
}

const KernelRegistrar registrar("reference", [](KernelTable& t) {
  PK_ADD_FLOATS(t, "random_uniform", random_uniform);
  PK_ADD_FLOATS(t, "random_normal", random_normal);
  PK_ADD_FLOATS(t, "truncated_normal", truncated_normal);
  PK_ADD_FLOATS(t, "random_binomial", random_binomial);
  PK_ADD_FLOATS(t, "dropout", dropout);
});

}  // namespace
}  // namespace pk::reference
