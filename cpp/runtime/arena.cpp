#include "runtime/arena.h"

#include <algorithm>
#include <numeric>

#include "core/tensor.h"

namespace pk {

size_t plan_arena(std::vector<Lifetime>& buffers) {
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return buffers[a].bytes > buffers[b].bytes; });
  std::vector<size_t> placed;  // by offset
  size_t total = 0;
  for (const size_t i : order) {
    Lifetime& b = buffers[i];
    const size_t bytes = (b.bytes + kAlignment - 1) / kAlignment * kAlignment;
    size_t offset = 0;
    for (const size_t j : placed) {
      const Lifetime& other = buffers[j];
      if (other.last < b.first || other.first > b.last) continue;
      if (offset + bytes <= other.offset) break;
      offset = std::max(offset, other.offset + (other.bytes + kAlignment - 1) / kAlignment * kAlignment);
    }
    b.offset = offset;
    total = std::max(total, offset + bytes);
    const auto at = std::upper_bound(placed.begin(), placed.end(), offset,
                                     [&](size_t o, size_t j) { return o < buffers[j].offset; });
    placed.insert(at, i);
  }
  return total;
}

}  // namespace pk
