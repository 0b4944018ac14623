// Folds scale and shift after a convolution or product into its weights, where these do not change
// from run to run: inference through BatchNormalization costs nothing.
#include "graph/build.h"
#include "graph/rewrite.h"

namespace pk {

namespace {

bool is_linear(const Value& v) {
  return is_op(v, "conv2d") || is_op(v, "conv3d") || is_op(v, "matmul") || is_op(v, "depthwise_conv2d");
}

// Does `v` hold one number per channel (the last axis) of `like`?
bool per_channel(const Value& v, const Value& like) {
  return v.rank() >= 1 && v.rank() <= like.rank() && v.shape().back() == like.shape().back() &&
         v.shape().size() == like.shape().back();
}

Value reshaped(const Value& v, Ints shape) {
  if (v.shape() == Shape(shape.begin(), shape.end())) return v;
  ShapeAttrs to;
  to.shape = shape;
  return call("reshape", {v}, to);
}

// conv(x, k) · s as conv(x, k·s).
Value scaled(const Value& linear, const Value& scale) {
  const Node& node = *linear.node;
  const Value& k = node.inputs[1];
  const int64_t channels = linear.shape().back();
  Ints shape{channels};
  if (node.op->name == "depthwise_conv2d") shape = {k.shape()[2], k.shape()[3]};
  if (node.op->name == "matmul" && node.attrs.as<MatmulAttrs>().trans_b) shape = {channels, 1};
  const ScopeGuard scope(node.scope);
  return call(node.op->name, {node.inputs[0], k * reshaped(scale, shape)}, node.attrs);
}

Graph fold_batch_norm(const Graph& graph) {
  const std::unordered_set<const Node*> constant = run_constant_nodes(graph);
  const Uses uses(graph);
  // Rebuilt values that are run-constant (new nodes are not in `constant`).
  std::unordered_set<const Node*> fresh;
  // Rebuilt convolutions and sums that nothing else uses, so that they may change.
  std::unordered_set<Value, ValueHash> single;
  const auto fixed = [&](const Value& v) {
    return constant.count(v.node.get()) || fresh.count(v.node.get());
  };
  const auto keep = [&](const Value& v) {
    fresh.insert(v.node.get());
    return v;
  };
  const auto free_linear = [&](const Value& v) {
    return is_linear(v) && single.count(v) && fixed(v.node->inputs[1]);
  };

  return rebuild(graph, [&](const NodePtr& node, const std::vector<Value>& in) -> std::vector<Value> {
    const std::string& name = node->op->name;
    const bool lone = uses.only_use({node, 0});
    const auto out = [&](const Value& v) {
      if (lone) single.insert(v);
      return std::vector<Value>{v};
    };
    if (constant.count(node.get()) || node->inputs.empty()) return {};
    const ScopeGuard scope(node->scope);
    if (name == "mul" || name == "add" || name == "sub") {
      for (int side = 0; side < (name == "sub" ? 1 : 2); ++side) {
        const Value &x = in[static_cast<size_t>(side)], &c = in[static_cast<size_t>(1 - side)];
        if (!fixed(c) || !per_channel(c, x) || !(x.type() == node->types[0])) continue;
        const Value flat = keep(reshaped(c, {c.shape().size()}));
        if (name == "mul" && free_linear(x)) {
          const Value made = scaled(x, flat);
          fresh.insert(made.node->inputs[1].node.get());
          return out(made);
        }
        // (conv + a) · s = conv·s + a·s; (conv + a) + b = conv + (a + b)
        if (is_op(x, "add") && single.count(x) && free_linear(x.node->inputs[0]) &&
            fixed(x.node->inputs[1]) && per_channel(x.node->inputs[1], x)) {
          const Value linear = x.node->inputs[0];
          const Value a = keep(reshaped(x.node->inputs[1], {flat.shape()[0]}));
          if (name != "mul") return out(linear + keep(name == "add" ? a + flat : a - flat));
          const Value made = scaled(linear, flat);
          fresh.insert(made.node->inputs[1].node.get());
          single.insert(made);
          return out(made + keep(a * flat));
        }
        if (name == "sub" && free_linear(x)) return out(x + keep(-flat));
        if (name == "add" && free_linear(x)) return out(x + flat);  // the linear part first, a flat bias
      }
    }
    const NodePtr made = make_node(*node->op, in, node->attrs, node->scope);
    std::vector<Value> all;
    for (size_t i = 0; i < made->types.size(); ++i) all.push_back({made, static_cast<int>(i)});
    if (lone && all.size() == 1) single.insert(all[0]);
    return all;
  });
}

const PassRegistrar registrar("fold_batch_norm", 20, fold_batch_norm);

}  // namespace
}  // namespace pk
