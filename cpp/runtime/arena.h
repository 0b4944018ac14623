// Static memory planning: places for buffers whose lifetimes are known.
#pragma once

#include <cstddef>
#include <vector>

namespace pk {

struct Lifetime {
  size_t bytes = 0;
  int first = 0, last = 0;  // steps that write it first and read it last, both included
  size_t offset = 0;        // the answer
};

// Gives every buffer an offset (a multiple of 64) such that buffers alive at the same step do not
// overlap; returns the bytes needed. Largest first, each at the lowest place that is free.
size_t plan_arena(std::vector<Lifetime>& buffers);

}  // namespace pk
