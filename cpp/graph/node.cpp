#include "graph/node.h"

#include <atomic>

#include "graph/op.h"

namespace pk {

namespace {

uint64_t next_id() {
  static std::atomic<uint64_t> counter{0};
  return ++counter;
}

std::vector<TensorType> no_rule(const InferContext& ctx) { ctx.fail("cannot be made by name"); }

// The sources: what a graph starts from. Their types are given, not inferred.
const OpDef& source(const char* name) { return get_op(name); }

std::shared_ptr<Node> make_source(const char* op, TensorType type, const std::string& name) {
  auto node = std::make_shared<Node>();
  node->op = &source(op);
  node->types = {type};
  node->scope = name;
  node->id = next_id();
  return node;
}

const OpBuilder placeholder_op = op("placeholder").arity(0).infer(no_rule).no_grad("source").no_kernel("fed");
const OpBuilder constant_op =
    op("constant").arity(0).infer(no_rule).no_grad("source").no_kernel("held by the plan");
const OpBuilder variable_op =
    op("variable").arity(0).infer(no_rule).no_grad("source").no_kernel("held by its state");
const OpBuilder phase_op = op("learning_phase")
                               .arity(0)
                               .infer(no_rule)
                               .no_grad("source")
                               .no_kernel("a constant of each specialised plan");

}  // namespace

Node::~Node() {
  // A chain of a hundred thousand nodes must not recurse as deep when its last owner goes: nodes
  // that only this one owns are taken apart here, one after the other.
  std::vector<NodePtr> doomed;
  const auto take = [&doomed](std::vector<Value>& from) {
    for (Value& v : from)
      if (v.node && v.node.use_count() == 1) doomed.push_back(std::move(v.node));
    from.clear();
  };
  take(inputs);
  while (!doomed.empty()) {
    NodePtr node = std::move(doomed.back());
    doomed.pop_back();
    if (node.use_count() == 1) take(const_cast<Node&>(*node).inputs);
  }
}

bool is_op(const Value& v, const char* name) { return v.node && v.node->op->name == name; }

NodePtr make_node(const OpDef& op, std::vector<Value> inputs, Attrs attrs, const std::string& scope) {
  auto node = std::make_shared<Node>();
  node->op = &op;
  node->attrs = std::move(attrs);
  node->inputs = std::move(inputs);
  node->scope = scope;
  node->id = next_id();
  std::vector<TensorType> types;
  std::vector<const HostTensor*> known;
  types.reserve(node->inputs.size());
  for (const Value& v : node->inputs) {
    types.push_back(v.type());
    known.push_back(is_op(v, "constant") ? &v.node->constant : nullptr);
  }
  const InferContext ctx{op, types, node->attrs, scope, known};
  const int n = ctx.n_in();
  if (n < op.min_arity || (op.max_arity >= 0 && n > op.max_arity))
    ctx.fail("takes ", op.min_arity, op.max_arity == op.min_arity ? "" : " or more", " inputs, got ", n);
  try {
    node->types = op.infer(ctx);
  } catch (const ValueError& e) {
    // Rules that use shared helpers (broadcasting) do not know who asks.
    const std::string text = e.what();
    if (text.find("op '") == std::string::npos) ctx.fail_text(text);
    throw;
  }
  PK_ASSERT(op.n_outputs < 0 || static_cast<int>(node->types.size()) == op.n_outputs);
  return node;
}

Value make_placeholder(TensorType type, const std::string& name) {
  return {make_source("placeholder", type, name), 0};
}

Value make_constant(HostTensor data) {
  auto node = make_source("constant", data.type, "");
  node->constant = std::move(data);
  return {node, 0};
}

Value make_variable(TensorType type, const std::string& name, std::shared_ptr<VariableState> state) {
  auto node = make_source("variable", type, name);
  node->variable = std::move(state);
  return {node, 0};
}

Value learning_phase() {
  static const auto* phase =
      new Value{make_source("learning_phase", {DType::boolean, {}}, "learning_phase"), 0};
  return *phase;
}

namespace {

// Follows the inputs of which follow(node, number) is true.
template <class Follow>
std::vector<NodePtr> in_order(const std::vector<Value>& outputs, Follow follow) {
  std::vector<NodePtr> order;
  std::unordered_set<const Node*> done;
  std::vector<std::pair<NodePtr, size_t>> stack;  // node, next input to visit
  for (const Value& out : outputs) {
    if (!out || done.count(out.node.get())) continue;
    stack.emplace_back(out.node, 0);
    while (!stack.empty()) {
      auto& [node, next] = stack.back();
      if (next == 0 && done.count(node.get())) {
        stack.pop_back();
        continue;
      }
      if (next < node->inputs.size()) {
        const size_t i = next++;
        const NodePtr child = node->inputs[i].node;
        if (!done.count(child.get()) && follow(*node, i)) stack.emplace_back(child, 0);
        continue;
      }
      if (done.insert(node.get()).second) order.push_back(node);
      stack.pop_back();
    }
  }
  return order;
}

}  // namespace

std::vector<NodePtr> topological(const std::vector<Value>& outputs,
                                 const std::unordered_set<const Node*>& stop) {
  return in_order(outputs, [&](const Node& node, size_t) { return !stop.count(&node); });
}

std::vector<NodePtr> topological_data(const std::vector<Value>& outputs) {
  return in_order(outputs,
                  [](const Node& node, size_t i) { return !node.op->is_shape_only(static_cast<int>(i)); });
}

}  // namespace pk
