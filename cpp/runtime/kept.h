// What stays from run to run until a variable changes: values that depend on variables alone (folded
// weights) and weights in the form a kernel wants (packed). Plans that need the same ones share them.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "graph/node.h"

namespace pk {

// One piece of memory and the versions of the variables that it was made from. A version is read before the
// variable, and before anything that is made from it: the contents are of that version or newer.
struct Kept {
  std::mutex mutex;  // held while the piece is made: whoever else needs it waits instead of making it too
  std::shared_ptr<void> memory;
  std::vector<uint64_t> versions;
  // With mutex held: is it there, and none of its variables older than that?
  bool serves(const std::vector<uint64_t>& wanted) const;
  size_t bytes = 0;
};

// The piece with this key, made at the first request and dropped with its last owner. A key says how
// the piece is computed, down to the variables: equal keys, equal contents.
std::shared_ptr<Kept> shared_piece(const std::string& key, size_t bytes);

// Bytes of all pieces that are shared at present, each counted once.
size_t shared_bytes();

// Writes the keys: the expression of a value in terms of variables and constants. Empty where it is
// not worth writing down; then the piece is not shared.
class KeyWriter {
 public:
  std::string of(const Value& v);
  // Variables that the value depends on, each once, in the order in which the key names them.
  std::vector<std::shared_ptr<VariableState>> variables(const Value& v) const;

 private:
  std::string node_key(const Node& node);
  std::unordered_map<const Node*, std::string> keys_;
};

}  // namespace pk
