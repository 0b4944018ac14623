// Carries transposes downstream until they meet their inverse: a channels_first model, whose
// convolutions and poolings work on channels_last between two transposes each, keeps its data
// channels_last throughout and is transposed at the edges only.
#include <algorithm>

#include "graph/build.h"
#include "graph/op.h"
#include "graph/rewrite.h"

namespace pk {

namespace {

const Ints& perm_of(const Value& v) { return v.node->attrs.as<PermAttrs>().perm; }

Ints inverse(const Ints& perm) {
  Ints out = perm;
  for (int i = 0; i < perm.size(); ++i) out[static_cast<int>(perm[i])] = i;
  return out;
}

Value transposed(const Value& v, const Ints& perm) {
  PermAttrs a;
  a.perm = perm;
  return call("transpose", {v}, a);
}

Value reshaped(const Value& v, const Shape& shape) {
  if (v.shape() == shape) return v;
  ShapeAttrs a;
  a.shape = Ints(shape.begin(), shape.end());
  return call("reshape", {v}, a);
}

// The shape of x before it was transposed by `perm`.
Shape before(const Shape& x, const Ints& perm) {
  Shape out = x;
  for (int i = 0; i < perm.size(); ++i) out[static_cast<int>(perm[i])] = x[i];
  return out;
}

// Do the axes that a reduction keeps stay in order when the transpose is undone?
bool keeps_order(const Ints& axes, const Ints& perm) {
  int64_t last = -1;
  for (int i = 0; i < perm.size(); ++i) {
    if (axes.contains(i)) continue;
    if (perm[i] < last) return false;
    last = perm[i];
  }
  return true;
}

// A repetition of something smaller (the gradient of a mean over pixels) can be made in any order.
Value repeated_before(const Value& x, const Ints& perm) {
  const Ints& axes = x.node->attrs.as<AxesAttrs>().axes;
  if (!keeps_order(axes, perm)) return {};
  Shape narrow = x.shape();
  for (const int64_t a : axes) narrow[static_cast<int>(a)] = 1;
  const Shape wide = before(x.shape(), perm);
  ShapeAttrs to;
  to.shape = Ints(wide.begin(), wide.end());
  return call("broadcast_to", {reshaped(x.node->inputs[0], before(narrow, perm))}, to);
}

// `x` as it was before a transpose by `perm`, if that costs nothing: it is such a transpose, a
// repetition, or has at most one dimension that is not 1. Empty otherwise.
Value undone(const Value& x, const Ints& perm) {
  if (is_op(x, "transpose") && perm_of(x) == perm) return x.node->inputs[0];
  if (x.rank() > perm.size()) return {};
  if (is_op(x, "broadcast_like") && x.rank() == perm.size()) return repeated_before(x, perm);
  const bool vector =
      std::count_if(x.shape().begin(), x.shape().end(), [](int64_t d) { return d != 1; }) <= 1;
  if (!vector) return {};
  Shape wide = x.shape();
  while (wide.rank() < perm.size()) wide.insert(0, 1);
  return x.shape().size() == 1 ? x : reshaped(x, before(wide, perm));
}

Ints mapped(const Ints& axes, const Ints& perm) {
  Ints out;
  for (const int64_t a : axes) out.push_back(perm[static_cast<int>(a)]);
  std::sort(out.v, out.v + out.n);
  return out;
}

// Values of a list per axis, in the order before the transpose.
Ints unpermuted(const Ints& values, const Ints& perm) {
  Ints out = values;
  for (int i = 0; i < perm.size(); ++i) out[static_cast<int>(perm[i])] = values[i];
  return out;
}

class Mover {
 public:
  Mover(const NodePtr& node, const std::vector<Value>& in) : node_(node), in_(in), name_(node->op->name) {}

  std::vector<Value> move() const {
    if (name_ == "transpose" && is_op(in_[0], "broadcast_like")) {
      const ScopeGuard scope(node_->scope);
      const Value made = repeated_before(in_[0], inverse(node_->attrs.as<PermAttrs>().perm));
      return made ? std::vector<Value>{made} : std::vector<Value>{};
    }
    const auto found =
        std::find_if(in_.begin(), in_.end(), [](const Value& v) { return is_op(v, "transpose"); });
    if (found == in_.end()) return {};
    const Ints perm = perm_of(*found);
    const ScopeGuard scope(node_->scope);
    if (name_ == "transpose") return cancelled();
    if (node_->op->pointwise >= 0 || name_ == "cast") return pointwise(perm);
    if (name_ == "sum_to_like") return sum_to_like(perm);
    if (name_ == "batch_norm_train" || name_ == "batch_norm_train_grad") return norm(perm);
    if (!(in_[0] == *found)) return name_ == "concat" ? concat(perm) : std::vector<Value>{};
    if (name_ == "concat") return concat(perm);
    if (name_ == "sum" || name_ == "mean" || name_ == "max" || name_ == "min") return reduction(perm);
    if (name_ == "pad" || name_ == "crop") return padding(perm);
    return {};
  }

 private:
  std::vector<Value> cancelled() const {
    const Ints &outer = node_->attrs.as<PermAttrs>().perm, &inner = perm_of(in_[0]);
    return outer == inverse(inner) ? std::vector<Value>{in_[0].node->inputs[0]} : std::vector<Value>{};
  }

  // All inputs as before the transpose; empty when one cannot be had for nothing.
  std::vector<Value> all_undone(const Ints& perm, size_t count) const {
    std::vector<Value> out;
    for (size_t i = 0; i < count; ++i) {
      const Value v = undone(in_[i], perm);
      if (!v) return {};
      out.push_back(v);
    }
    return out;
  }

  std::vector<Value> pointwise(const Ints& perm) const {
    if (node_->types[0].shape.rank() != perm.size()) return {};
    const std::vector<Value> inputs = all_undone(perm, in_.size());
    if (inputs.empty()) return {};
    const Value made = call(name_, inputs, node_->attrs);
    if (made.shape() != before(node_->types[0].shape, perm)) return {};
    return {transposed(made, perm)};
  }

  std::vector<Value> sum_to_like(const Ints& perm) const {
    const Shape& to = node_->types[0].shape;
    if (!is_op(in_[0], "transpose") || to.rank() > perm.size()) return {};
    Shape wide = to;
    while (wide.rank() < perm.size()) wide.insert(0, 1);
    if (std::count_if(wide.begin(), wide.end(), [](int64_t d) { return d != 1; }) > 1) return {};
    ReduceAttrs a;
    a.keepdims = true;
    const Value x = in_[0].node->inputs[0];
    const Shape target = before(wide, perm);
    for (int i = 0; i < target.rank(); ++i)
      if (target[i] != x.shape()[i]) a.axes.push_back(i);
    return {reshaped(call("sum", {x}, a), to)};
  }

  std::vector<Value> norm(const Ints& perm) const {
    NormAttrs a = node_->attrs.as<NormAttrs>();
    const int rank = in_[0].rank();
    const size_t images = name_ == "batch_norm_train" ? 1 : 2;  // x, or the gradient and x
    for (size_t i = 0; i < images; ++i)
      if (!is_op(in_[i], "transpose") || !(perm_of(in_[i]) == perm)) return {};
    a.axis = perm[static_cast<int>(a.axis < 0 ? a.axis + rank : a.axis)];
    std::vector<Value> inputs = in_;
    for (size_t i = 0; i < images; ++i) inputs[i] = in_[i].node->inputs[0];
    std::vector<Value> out = call_all(name_, inputs, a);
    out[0] = transposed(out[0], perm);
    return out;
  }

  std::vector<Value> concat(const Ints& perm) const {
    for (const Value& v : in_)
      if (!is_op(v, "transpose") || !(perm_of(v) == perm)) return {};
    AxisAttrs a = node_->attrs.as<AxisAttrs>();
    a.axis = perm[static_cast<int>(a.axis < 0 ? a.axis + in_[0].rank() : a.axis)];
    return {transposed(call("concat", all_undone(perm, in_.size()), a), perm)};
  }

  std::vector<Value> reduction(const Ints& perm) const {
    ReduceAttrs a = node_->attrs.as<ReduceAttrs>();
    const bool ordered = keeps_order(a.axes, perm);
    a.axes = mapped(a.axes, perm);
    if (!a.keepdims && !ordered) return {};
    const Value made = call(name_, {in_[0].node->inputs[0]}, a);
    return {a.keepdims ? transposed(made, perm) : made};
  }

  std::vector<Value> padding(const Ints& perm) const {
    PadAttrs a = node_->attrs.as<PadAttrs>();
    a.before = unpermuted(a.before, perm);
    a.after = unpermuted(a.after, perm);
    return {transposed(call(name_, {in_[0].node->inputs[0]}, a), perm)};
  }

  const NodePtr& node_;
  const std::vector<Value>& in_;
  const std::string& name_;
};

Graph carry_transposes(const Graph& graph) {
  // Moved only where the graph holds inverse pairs at all: most have no transpose.
  bool any = false;
  for (const NodePtr& node : topological(graph.outputs)) any = any || node->op->name == "transpose";
  if (!any) return graph;
  return rebuild(graph,
                 [](const NodePtr& node, const std::vector<Value>& in) { return Mover(node, in).move(); });
}

const PassRegistrar registrar("carry_transposes", 12, carry_transposes);

}  // namespace
}  // namespace pk
