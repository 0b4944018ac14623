// Bias and activation become the epilogue of the convolution or product before them: the output
// is touched once, while it is still in registers or cache.
#include "graph/build.h"
#include "graph/rewrite.h"

namespace pk {

namespace {

struct Activation {
  Act act = Act::none;
  double alpha = 0, beta = 0;
};

// The activation that a node computes from its one input.
bool activation_of(const Node& node, Activation& a) {
  const std::string& name = node.op->name;
  if (name == "relu")
    a.act = Act::relu;
  else if (name == "sigmoid")
    a.act = Act::sigmoid;
  else if (name == "tanh")
    a.act = Act::tanh;
  else if (name == "hard_sigmoid")
    a.act = Act::hard_sigmoid;
  else if (name == "softplus")
    a.act = Act::softplus;
  else if (name == "softsign")
    a.act = Act::softsign;
  else if (name == "exp")
    a.act = Act::exp;
  else if (name == "leaky_relu")
    a.act = Act::leaky_relu, a.alpha = node.attrs.as<AlphaAttrs>().alpha;
  else if (name == "elu")
    a.act = Act::elu, a.alpha = node.attrs.as<AlphaAttrs>().alpha;
  else if (name == "clip") {
    a.act = Act::clip;
    a.alpha = node.attrs.as<ClipAttrs>().min;
    a.beta = node.attrs.as<ClipAttrs>().max;
  }
  return a.act != Act::none;
}

bool is_fusible(const Value& v) {
  if (is_op(v, "matmul")) return !v.node->attrs.as<MatmulAttrs>().trans_a && is_float(v.dtype());
  return is_op(v, "conv2d") || is_op(v, "conv3d");
}

bool is_fused(const Value& v) {
  return is_op(v, "dense") || is_op(v, "conv2d_fused") || is_op(v, "conv3d_fused");
}

// A bias vector of `like`'s channels, flat; empty when v is none.
Value bias_of(const Value& v, const Value& like) {
  const int64_t channels = like.shape().back();
  if (v.rank() < 1 || v.rank() > like.rank() || v.shape().size() != channels || v.shape().back() != channels)
    return {};
  if (v.rank() == 1) return v;
  ShapeAttrs flat;
  flat.shape = {channels};
  return call("reshape", {v}, flat);
}

Value fused(const Value& linear, const Value& bias, const Activation& a) {
  const Node& node = *linear.node;
  std::vector<Value> inputs = {node.inputs[0], node.inputs[1]};
  if (bias)
    inputs.push_back(bias);
  else if (node.inputs.size() == 3)
    inputs.push_back(node.inputs[2]);
  const ScopeGuard scope(node.scope);
  if (is_op(linear, "matmul") || is_op(linear, "dense")) {
    DenseAttrs attrs;
    attrs.trans_b =
        is_op(linear, "matmul") ? node.attrs.as<MatmulAttrs>().trans_b : node.attrs.as<DenseAttrs>().trans_b;
    attrs.act = a.act;
    attrs.alpha = a.alpha;
    attrs.beta = a.beta;
    return call("dense", std::move(inputs), attrs);
  }
  ConvAttrs attrs = node.attrs.as<ConvAttrs>();
  attrs.act = a.act;
  attrs.alpha = a.alpha;
  attrs.beta = a.beta;
  const bool volumes = is_op(linear, "conv3d") || is_op(linear, "conv3d_fused");
  return call(volumes ? "conv3d_fused" : "conv2d_fused", std::move(inputs), attrs);
}

Act act_of(const Value& v) {
  return is_op(v, "dense") ? v.node->attrs.as<DenseAttrs>().act : v.node->attrs.as<ConvAttrs>().act;
}

Graph fuse_epilogue(const Graph& graph) {
  const Uses uses(graph);
  std::unordered_set<Value, ValueHash> single;  // rebuilt values with one use: they may be absorbed
  return rebuild(graph, [&](const NodePtr& node, const std::vector<Value>& in) -> std::vector<Value> {
    const bool lone = uses.only_use({node, 0});
    const auto out = [&](const Value& v) {
      if (lone) single.insert(v);
      return std::vector<Value>{v};
    };
    if (node->op->name == "add")
      for (size_t side = 0; side < 2; ++side) {
        const Value &linear = in[side], &other = in[1 - side];
        if (!single.count(linear) || !is_fusible(linear) || !(linear.type() == node->types[0])) continue;
        if (const Value bias = bias_of(other, linear)) return out(fused(linear, bias, {}));
      }
    Activation a;
    if (in.size() == 1 && single.count(in[0]) && activation_of(*node, a) &&
        (is_fusible(in[0]) || (is_fused(in[0]) && act_of(in[0]) == Act::none)))
      return out(fused(in[0], {}, a));
    if (node->types.size() != 1) return {};
    bool changed = false;
    for (size_t i = 0; i < in.size(); ++i) changed = changed || !(in[i] == node->inputs[i]);
    return out(changed ? Value{make_node(*node->op, in, node->attrs, node->scope), 0} : Value{node, 0});
  });
}

const PassRegistrar registrar("fuse_epilogue", 40, fuse_epilogue);

}  // namespace
}  // namespace pk
