// What the recurrent kernels of every device share: which argument is what, and the order of time.
#pragma once

#include "kernels/table.h"

namespace pk {

// Sizes and arguments of lstm, gru and their gradients. `x` is the number of the input xp.
struct RnnSizes {
  int64_t steps, batch, units;
  bool reverse;
  const uint8_t* mask;  // (T, B) or null

  RnnSizes(const KernelArgs& a, int x)
      : steps(a.in[x].shape()[0]),
        batch(a.in[x].shape()[1]),
        units(a.in[x + 1].shape()[0]),
        reverse(a.attr<RnnAttrs>().reverse),
        mask(a.attr<RnnAttrs>().masked ? a.in[a.n_in - 1].as<uint8_t>() : nullptr) {}

  int64_t time(int64_t k) const { return reverse ? steps - 1 - k : k; }  // of the k-th step that is run
  const uint8_t* mask_at(int64_t t) const { return mask ? mask + t * batch : nullptr; }
};

// The derivative of an activation by its output y. alpha of elu is 1.
template <class T>
inline T act_slope(Act act, T y) {
  switch (act) {
    case Act::relu:
      return y > T(0) ? T(1) : T(0);
    case Act::sigmoid:
      return y * (T(1) - y);
    case Act::tanh:
      return T(1) - y * y;
    case Act::hard_sigmoid:
      return y > T(0) && y < T(1) ? T(0.2) : T(0);
    case Act::elu:
      return y > T(0) ? T(1) : y + T(1);
    case Act::softsign: {
      const T d = T(1) - (y < T(0) ? -y : y);
      return d * d;
    }
    case Act::exp:
      return y;
    default:
      return T(1);  // softplus is handled by its callers: 1 - exp(-y)
  }
}

}  // namespace pk
