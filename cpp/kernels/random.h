// From random words to draws, for host and device: what every kernel of the random ops computes.
//
// Element i of a draw belongs to block i/4, which is philox(seed, i/4, step), and to its word i%4.
// Uniforms, Bernoulli draws and dropout masks have the same bits on every device and instruction
// set; normals agree within rounding.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/philox.h"

namespace pk {

// Uniform in [0, 1): a multiple of 2^-24, exact in float.
template <class T>
PK_HOST_DEVICE inline T uniform01(uint32_t word) {
  return static_cast<T>(philox_uniform(word));
}

// Uniform in [low, low + width). The product of a 24-bit fraction and a float is exact in double, so
// a compiler that fuses it with the sum (or does not) gets the same float.
PK_HOST_DEVICE inline float uniform(uint32_t word, float low, float width) {
  return static_cast<float>(static_cast<double>(low) +
                            static_cast<double>(philox_uniform(word)) * static_cast<double>(width));
}
PK_HOST_DEVICE inline double uniform(uint32_t word, double low, double width) {
  return low + static_cast<double>(philox_uniform(word)) * width;
}

// Does dropout keep the element (probability 1 - rate)? Compared in float on purpose: a fixed rule.
PK_HOST_DEVICE inline bool dropout_keeps(uint32_t word, float rate) { return philox_uniform(word) >= rate; }

// Is a Bernoulli draw of probability p a 1?
PK_HOST_DEVICE inline bool bernoulli(uint32_t word, float p) { return philox_uniform(word) < p; }

// Two standard normals of two words (Box-Muller): elements 4b and 4b+1 come from words 0 and 1 of
// block b, elements 4b+2 and 4b+3 from words 2 and 3; the cosine first. The first word gives the
// radius by a uniform in (0, 1], so the logarithm is finite: no normal is beyond 5.8.
template <class T>
PK_HOST_DEVICE inline void box_muller(uint32_t w0, uint32_t w1, T& first, T& second) {
  const T u = (static_cast<T>(w0 >> 8) + T(1)) * T(0x1p-24);
  const T angle = T(6.283185307179586) * static_cast<T>(philox_uniform(w1));
  const T radius = std::sqrt(T(-2) * std::log(u));
  first = radius * std::cos(angle);
  second = radius * std::sin(angle);
}

// A standard normal truncated to (-2, 2), by the inverse of its distribution function:
// x = sqrt(2) erfinv(v erf(sqrt(2))), v uniform in (-1, 1). No rejection, so it vectorises.
// erfinv after M. Giles, "Approximating the erfinv function" (GPU Computing Gems 2, 2011): the
// argument stays below 0.9545, where one polynomial in w = -log(1 - v²) is enough.
template <class T>
PK_HOST_DEVICE inline T truncated_normal01(uint32_t word) {
  // (2·(w + ½) - 2^24)·2^-24: whole numbers until the one product, so symmetric about 0.
  const T v = static_cast<T>(2 * static_cast<int32_t>(word >> 8) + 1 - (1 << 24)) * T(0x1p-24) *
              T(0.9544997361036416);
  const T w = -std::log((T(1) - v) * (T(1) + v)) - T(2.5);
  T p = T(2.81022636e-08);
  p = T(3.43273939e-07) + p * w;
  p = T(-3.5233877e-06) + p * w;
  p = T(-4.39150654e-06) + p * w;
  p = T(0.00021858087) + p * w;
  p = T(-0.00125372503) + p * w;
  p = T(-0.00417768164) + p * w;
  p = T(0.246640727) + p * w;
  p = T(1.50140941) + p * w;
  return T(1.4142135623730951) * p * v;
}

}  // namespace pk
