// The loop over a sequence: one body graph, run for every step of the leading axis.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "graph/rewrite.h"

namespace pk {

// Op "scan": inputs are the initial carries, then sequences (time first), then constants of the
// loop. Outputs are the last carries, then one sequence per value that the body emits, then (with
// `save`) the sequences of carries that the steps began with.
// The body's inputs are the carries, one element of each sequence, and the constants; its outputs
// the next carries and what it emits.
struct ScanAttrs {
  std::shared_ptr<const Graph> body;
  int64_t n_carry = 0, n_xs = 0;
  bool reverse = false;  // from the last element to the first; emitted sequences keep the order of time
  bool save = true;
  std::string text;  // tells bodies apart
  template <class V>
  void visit(V&& v) {
    v("body", text);
    v("n_carry", n_carry);
    v("n_xs", n_xs);
    v("reverse", reverse);
    v("save", save);
  }
};

// Makes a scan. `carry` and `x` are the placeholders that `next` (the new carries) and `emit` were
// built from; whatever else these depend on, and that does not change from step to step, becomes a
// constant of the loop. Random draws belong to the steps, but for nodes older than `since` and for what
// `fixed` values depend on: those are drawn once. Returns the last carries, then the emitted sequences.
// ValueError when a new carry's shape or dtype differs from its initial value's.
std::vector<Value> make_scan(const std::vector<Value>& carry, const std::vector<Value>& x,
                             const std::vector<Value>& next, const std::vector<Value>& emit,
                             const std::vector<Value>& initial, const std::vector<Value>& sequences,
                             bool reverse, const std::string& scope, uint64_t since = 0,
                             const std::vector<Value>& fixed = {});

// Does a node draw random numbers, itself or in its body?
bool draws(const Node& node);

// Does a node do something besides computing (print), itself or in its body?
bool acts(const Node& node);

// The values with other values put in the place of some; ops are kept, types inferred anew.
std::vector<Value> substitute(const std::vector<Value>& values,
                              const std::unordered_map<Value, Value, ValueHash>& replacements);

}  // namespace pk
