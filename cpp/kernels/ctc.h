// Connectionist temporal classification: what the devices on the host share. The last class is the blank.
// Source: Graves, Fernández, Gomez, Schmidhuber: Connectionist Temporal Classification (2006).
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "kernels/table.h"

namespace pk::ctc {

constexpr double kImpossible = -std::numeric_limits<double>::infinity();  // log 0

// log(exp(a) + exp(b))
inline double log_add(double a, double b) {
  if (a < b) std::swap(a, b);
  return b == kImpossible ? a : a + std::log1p(std::exp(b - a));
}

template <class... What>
[[noreturn]] void fail(const KernelArgs& a, const char* op, What&&... what) {
  throw ValueError(cat("op '", op, "'", *a.scope ? cat(" of '", a.scope, "'") : "", ": ", what...));
}

// The number of frames of sample b, which are at most as many as there are time steps.
inline int64_t frames_of(const KernelArgs& a, const char* op, const TensorArg& lengths, int64_t b,
                         int64_t steps) {
  const int64_t n = lengths.integer(b);
  if (n < 0 || n > steps)
    fail(a, op, "the input length ", n, " of sample ", b, " is not in [0, ", steps,
         "], the number of time steps of the predictions");
  return n;
}

// The number of labels of sample b. Blanks behind the labels do not count, as in TensorFlow.
inline int64_t labels_of(const KernelArgs& a, const char* op, const TensorArg& labels,
                         const TensorArg& lengths, int64_t b, int64_t classes) {
  const int64_t width = labels.shape()[1], blank = classes - 1;
  int64_t n = lengths.integer(b);
  if (n < 0 || n > width)
    fail(a, op, "the label length ", n, " of sample ", b, " is not in [0, ", width,
         "], the number of columns of the labels");
  while (n > 0 && labels.integer(b * width + n - 1) == blank) --n;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t label = labels.integer(b * width + i);
    if (label < 0 || label >= blank)
      fail(a, op, "label ", label, " of sample ", b, " is not in [0, ", blank, "): the predictions have ",
           classes, " classes, and the last is the blank");
  }
  return n;
}

}  // namespace pk::ctc
