#include "runtime/kept.h"

#include <algorithm>
#include <functional>

#include "graph/op.h"

namespace pk {

namespace {

// Longer expressions are rare, and where a value is used again and again in them the text doubles each time.
constexpr size_t kLongestKey = 2000;
constexpr int64_t kLongestConstant = 64;  // bytes that are written out; larger ones are told apart by address

struct Pieces {
  std::mutex mutex;
  std::unordered_map<std::string, std::weak_ptr<Kept>> by_key;
  size_t sweep_at = 64;  // entries at which those without an owner are thrown out
};

Pieces& pieces() {
  static auto* all = new Pieces;  // outlives the last plan
  return *all;
}

std::string hex(const void* data, size_t n) {
  static const char kDigits[] = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < n; ++i) {
    const unsigned char c = static_cast<const unsigned char*>(data)[i];
    text += kDigits[c >> 4];
    text += kDigits[c & 15];
  }
  return text;
}

}  // namespace

bool Kept::serves(const std::vector<uint64_t>& wanted) const {
  return memory && std::equal(versions.begin(), versions.end(), wanted.begin(), wanted.end(),
                              std::greater_equal<uint64_t>());
}

std::shared_ptr<Kept> shared_piece(const std::string& key, size_t bytes) {
  Pieces& all = pieces();
  std::lock_guard<std::mutex> lock(all.mutex);
  std::weak_ptr<Kept>& place = all.by_key[key];
  std::shared_ptr<Kept> piece = place.lock();
  if (piece) return piece;
  piece = std::make_shared<Kept>();
  piece->bytes = bytes;
  place = piece;
  if (all.by_key.size() >= all.sweep_at) {
    for (auto it = all.by_key.begin(); it != all.by_key.end();)
      it = it->second.expired() ? all.by_key.erase(it) : std::next(it);
    all.sweep_at = 2 * all.by_key.size() + 64;
  }
  return piece;
}

size_t shared_bytes() {
  Pieces& all = pieces();
  std::lock_guard<std::mutex> lock(all.mutex);
  size_t bytes = 0;
  for (const auto& [key, place] : all.by_key)
    if (const auto piece = place.lock()) bytes += piece->bytes;
  return bytes;
}

std::string KeyWriter::of(const Value& v) {
  const auto known = keys_.find(v.node.get());
  if (known == keys_.end()) {
    for (const NodePtr& node : topological_data({v}))
      if (!keys_.count(node.get())) keys_[node.get()] = node_key(*node);
  }
  const std::string& key = keys_[v.node.get()];
  return key.empty() || v.index == 0 ? key : cat(key, "#", v.index);
}

std::string KeyWriter::node_key(const Node& node) {
  if (node.variable) return cat("variable ", static_cast<const void*>(node.variable.get()));
  if (node.op->name == "constant") {
    const TensorType& type = node.types[0];
    if (type.bytes() > kLongestConstant)
      return cat("constant ", static_cast<const void*>(node.constant.data.get()));
    return cat(type.dtype, type.shape, hex(node.constant.data.get(), static_cast<size_t>(type.bytes())));
  }
  if (node.op->name == "scan") return "";  // its attributes are a graph, which has no text
  std::string key = cat(node.op->name, "(", node.attrs.str());
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const Value& in = node.inputs[i];
    if (node.op->is_shape_only(static_cast<int>(i))) {
      key += cat("; ", in.dtype(), in.shape());
      continue;
    }
    const std::string& inner = keys_[in.node.get()];
    if (inner.empty()) return "";
    key += cat("; ", inner, "#", in.index);
  }
  return key.size() < kLongestKey ? key + ")" : "";
}

std::vector<std::shared_ptr<VariableState>> KeyWriter::variables(const Value& v) const {
  std::vector<std::shared_ptr<VariableState>> found;
  for (const NodePtr& node : topological_data({v}))
    if (node->variable && std::find(found.begin(), found.end(), node->variable) == found.end())
      found.push_back(node->variable);
  return found;
}

}  // namespace pk
