#include "graph/autodiff.h"

#include <unordered_map>
#include <unordered_set>

#include "graph/build.h"

namespace pk {

namespace {

// Gradients collected for each output of a node.
using Pending = std::unordered_map<const Node*, std::vector<Value>>;

void accumulate(Pending& pending, const Value& to, const Value& g) {
  auto& slots = pending[to.node.get()];
  slots.resize(to.node->types.size());
  Value& slot = slots[static_cast<size_t>(to.index)];
  slot = slot ? slot + g : g;
}

using Nodes = std::unordered_set<const Node*>;

std::vector<Value> gradients_down_to(const Nodes& leaves, const std::vector<Value>& ys,
                                     const std::vector<Value>& xs, const std::vector<Value>& grad_ys);

// Gradients of one node's inputs, through its rule or, without one, through its decomposition.
std::vector<Value> backward(const NodePtr& node, const std::vector<Value>& grads,
                            const std::vector<bool>& wanted) {
  const OpDef& op = *node->op;
  if (!op.grad_error.empty()) throw ValueError(cat("op '", op.name, "' has no gradient: ", op.grad_error));
  if (op.vjp) {
    std::vector<Value> result = op.vjp({node, grads});
    PK_ASSERT(result.size() <= node->inputs.size());
    result.resize(node->inputs.size());
    return result;
  }
  PK_ASSERT(op.decompose);
  std::vector<Value> xs, ys, gs;
  for (size_t i = 0; i < node->inputs.size(); ++i)
    if (wanted[i]) xs.push_back(node->inputs[i]);
  const std::vector<Value> simple = op.decompose(node);
  for (size_t i = 0; i < simple.size() && i < grads.size(); ++i)
    if (grads[i]) {
      ys.push_back(simple[i]);
      gs.push_back(grads[i]);
    }
  // The same value twice among the inputs: its whole gradient is booked once.
  std::vector<Value> result(node->inputs.size());
  // What lies behind the inputs is not part of this: one input may depend on another.
  Nodes leaves;
  for (const Value& v : node->inputs) leaves.insert(v.node.get());
  const std::vector<Value> dx = gradients_down_to(leaves, ys, xs, gs);
  size_t k = 0;
  std::unordered_set<Value, ValueHash> seen;
  for (size_t i = 0; i < node->inputs.size(); ++i)
    if (wanted[i]) {
      if (seen.insert(node->inputs[i]).second) result[i] = dx[k];
      ++k;
    }
  return result;
}

// As `gradients`, but nothing is followed through the nodes `leaves`.
std::vector<Value> gradients_down_to(const Nodes& leaves, const std::vector<Value>& ys,
                                     const std::vector<Value>& xs, const std::vector<Value>& grad_ys) {
  const std::vector<NodePtr> order = topological(ys);
  Nodes in_order;
  for (const NodePtr& n : order) in_order.insert(n.get());

  // Only nodes on a path from some x need a gradient.
  std::unordered_set<Value, ValueHash> targets(xs.begin(), xs.end());
  Nodes on_path;
  const auto reaches = [&](const Value& v) {
    return is_float(v.dtype()) && (targets.count(v) || on_path.count(v.node.get()));
  };
  for (const NodePtr& n : order) {
    if (!n->op->no_grad.empty() || leaves.count(n.get())) continue;
    for (size_t i = 0; i < n->inputs.size(); ++i)
      if (n->op->has_data(static_cast<int>(i)) && reaches(n->inputs[i])) {
        on_path.insert(n.get());
        break;
      }
  }

  Pending pending;
  for (size_t i = 0; i < ys.size(); ++i) {
    if (!is_float(ys[i].dtype()))
      throw ValueError(cat("only tensors of a float dtype have gradients, got ", ys[i].dtype()));
    Value g = i < grad_ys.size() ? grad_ys[i] : Value{};
    if (!g) {
      FillAttrs one;
      one.value = 1;
      one.dtype = ys[i].dtype();
      g = ys[i].rank() == 0 ? scalar(1, ys[i]) : call("fill_like", {ys[i]}, one);
    }
    accumulate(pending, ys[i], g);
  }

  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    const NodePtr& node = *it;
    if (!on_path.count(node.get())) continue;
    const auto found = pending.find(node.get());
    if (found == pending.end()) continue;
    const std::vector<Value> grads = found->second;
    const ScopeGuard scope(node->scope);
    std::vector<bool> wanted(node->inputs.size());
    for (size_t i = 0; i < wanted.size(); ++i)
      wanted[i] = node->op->has_data(static_cast<int>(i)) && reaches(node->inputs[i]);
    const std::vector<Value> dx = backward(node, grads, wanted);
    for (size_t i = 0; i < dx.size(); ++i)
      if (dx[i] && wanted[i]) {
        PK_ASSERT(compatible(dx[i].shape(), node->inputs[i].shape()));
        accumulate(pending, node->inputs[i], dx[i]);
      }
  }

  std::vector<Value> result;
  for (const Value& x : xs) {
    const auto found = pending.find(x.node.get());
    const bool any = found != pending.end() && in_order.count(x.node.get());
    result.push_back(any ? found->second[static_cast<size_t>(x.index)] : Value{});
  }
  return result;
}

}  // namespace

std::vector<Value> gradients(const std::vector<Value>& ys, const std::vector<Value>& xs,
                             const std::vector<Value>& grad_ys) {
  return gradients_down_to({}, ys, xs, grad_ys);
}

}  // namespace pk
