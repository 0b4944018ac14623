// Reverse-mode differentiation of any sub-graph; the result is a graph again, so it can be
// differentiated again.
#pragma once

#include <vector>

#include "graph/node.h"

namespace pk {

// d(sum of ys)/dx for every x of `xs`, weighted by `grad_ys` where given (same shapes as ys).
// xs may be any values, not only sources. Empty values where no x is reached. ValueError when ys
// are not of a float dtype.
std::vector<Value> gradients(const std::vector<Value>& ys, const std::vector<Value>& xs,
                             const std::vector<Value>& grad_ys = {});

}  // namespace pk
