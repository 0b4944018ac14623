// From a symbolic graph to a bound one: concrete shapes, one learning phase, constants folded.
#pragma once

#include "graph/rewrite.h"

namespace pk {

// `graph` with its inputs given `shapes` and the phase fixed (0 test, 1 training): equal
// computations are merged, what is known is evaluated (shape arithmetic above all), no-ops vanish.
Graph specialise(const Graph& graph, const std::vector<Shape>& shapes, int phase);

}  // namespace pk
