// Algebra that changes no bit of a result: neutral elements, broadcasts that the next pointwise op
// does by itself, transposes that a product takes as a flag.
#include "graph/build.h"
#include "graph/rewrite.h"

namespace pk {

namespace {

// Is it a constant all of whose elements are `x`?
bool is_number(const Value& v, double x) {
  if (!is_op(v, "constant") || v.shape().size() != 1) return false;
  const HostTensor& c = v.node->constant;
  if (v.dtype() == DType::f32) return *c.as<float>() == static_cast<float>(x);
  if (v.dtype() == DType::f64) return *c.as<double>() == x;
  return false;
}

// What `v` repeats, in a shape that broadcasts to v's; empty when v repeats nothing.
Value before_broadcast(const Value& v) {
  const Node& node = *v.node;
  const std::string& name = node.op->name;
  if (name == "fill" || name == "fill_like") return scalar(node.attrs.as<FillAttrs>().value, v.dtype());
  if (name == "broadcast_to") return node.inputs[0];
  if (name != "broadcast_like") return {};
  Ints shape;
  const Ints& axes = node.attrs.as<AxesAttrs>().axes;
  for (int i = 0; i < v.rank(); ++i) shape.push_back(axes.contains(i) ? 1 : v.shape()[i]);
  const Shape want(shape.begin(), shape.end());
  if (node.inputs[0].shape() == want) return node.inputs[0];
  ShapeAttrs to;
  to.shape = shape;
  return call("reshape", {node.inputs[0]}, to);
}

// The operand of a swap of the last two axes (or of all axes of a matrix).
Value before_transpose(const Value& v) {
  if (!is_op(v, "transpose")) return {};
  const Ints& perm = v.node->attrs.as<PermAttrs>().perm;
  const int n = perm.size();
  if (n < 2 || perm[n - 1] != n - 2 || perm[n - 2] != n - 1) return {};
  for (int i = 0; i + 2 < n; ++i)
    if (perm[i] != i) return {};
  return v.node->inputs[0];
}

std::vector<Value> simplify_node(const NodePtr& node, const std::vector<Value>& in) {
  const std::string& name = node->op->name;
  const TensorType& type = node->types[0];
  const auto same = [&](const Value& v) { return v.type() == type; };

  // relu before a clip that does the same.
  if (name == "clip" && is_op(in[0], "relu") && node->attrs.as<ClipAttrs>().min == 0) {
    const ScopeGuard scope(node->scope);
    return {call("clip", {in[0].node->inputs[0]}, node->attrs)};
  }
  if (name == "mul" || name == "add") {
    const double neutral = name == "mul" ? 1 : 0;
    // x + 0 keeps x but for -0, which no result of training or prediction depends on.
    if (is_number(in[1], neutral) && same(in[0])) return {in[0]};
    if (is_number(in[0], neutral) && same(in[1])) return {in[1]};
  }
  if ((name == "div" && is_number(in[1], 1) && same(in[0])) ||
      (name == "sub" && is_number(in[1], 0) && same(in[0])))
    return {in[0]};
  if (name == "pow" && is_number(in[1], 2) && same(in[0])) return {call("square", {in[0]})};
  if (name == "neg" && is_op(in[0], "neg")) return {in[0].node->inputs[0]};

  if (node->op->pointwise >= 0 && node->inputs.size() >= 2) {
    std::vector<Value> inputs = in;
    bool changed = false;
    for (size_t i = 0; i < inputs.size(); ++i) {
      const Value small = before_broadcast(inputs[i]);
      if (!small || small.shape() == inputs[i].shape()) continue;
      // Only where another operand already has the full shape.
      Shape shape = small.shape();
      for (size_t k = 0; k < inputs.size(); ++k)
        if (k != i) shape = broadcast_shapes(shape, inputs[k].shape());
      if (shape != type.shape) continue;
      inputs[i] = small;
      changed = true;
    }
    // Gradient helpers want equal shapes.
    if (changed && node->op->name.find("_grad") == std::string::npos) {
      const ScopeGuard scope(node->scope);
      // A neutral element may have come to light.
      const Value made = call(name, inputs, node->attrs);
      const std::vector<Value> again = simplify_node(made.node, inputs);
      return again.empty() ? std::vector<Value>{made} : again;
    }
  }

  if (name == "matmul" || name == "batch_matmul") {
    MatmulAttrs attrs = node->attrs.as<MatmulAttrs>();
    Value a = before_transpose(in[0]), b = before_transpose(in[1]);
    if (!a && !b) return {};
    attrs.trans_a = attrs.trans_a != static_cast<bool>(a);
    attrs.trans_b = attrs.trans_b != static_cast<bool>(b);
    const ScopeGuard scope(node->scope);
    return {call(name, {a ? a : in[0], b ? b : in[1]}, attrs)};
  }
  if (name == "transpose" && is_op(in[0], "transpose")) {
    const Ints &outer = node->attrs.as<PermAttrs>().perm, &inner = in[0].node->attrs.as<PermAttrs>().perm;
    PermAttrs both;
    bool identity = true;
    for (int i = 0; i < outer.size(); ++i) {
      both.perm.push_back(inner[static_cast<int>(outer[i])]);
      identity = identity && both.perm[i] == i;
    }
    if (identity) return {in[0].node->inputs[0]};
    const ScopeGuard scope(node->scope);
    return {call("transpose", {in[0].node->inputs[0]}, both)};
  }
  return {};
}

Graph simplify(const Graph& graph) { return rebuild(graph, simplify_node); }

const PassRegistrar registrar("simplify", 10, simplify);

}  // namespace
}  // namespace pk
