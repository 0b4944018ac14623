// Drops what is multiplied by zeros that differentiation left behind. The branch of another learning
// phase gets a gradient of zeros: everything computed from it is zero too, and the branch itself is
// needed no more. (A batch normalization would otherwise be computed twice in every training step.)
#include <unordered_map>

#include "graph/build.h"
#include "graph/rewrite.h"
#include "graph/scan.h"

namespace pk {

namespace {

bool is_zeros(const Value& v) {
  return (is_op(v, "fill") || is_op(v, "fill_like")) && v.node->attrs.as<FillAttrs>().value == 0;
}

// Ops that are linear in some of their inputs: zeros there give zeros.
struct Linear {
  int input;  // -1: any input
};

const Linear* linear(const std::string& name) {
  static const std::unordered_map<std::string, Linear> table = [] {
    std::unordered_map<std::string, Linear> t;
    for (const char* op : {"mul", "matmul", "batch_matmul"}) t[op] = {-1};
    for (const char* op : {"conv2d_kernel_grad", "conv3d_kernel_grad", "depthwise_conv2d_kernel_grad"})
      t[op] = {1};
    for (const char* op : {"neg",
                           "div",
                           "sum",
                           "mean",
                           "cast",
                           "reshape",
                           "reshape_like",
                           "flatten_from",
                           "expand_dims",
                           "squeeze",
                           "transpose",
                           "broadcast_to",
                           "broadcast_like",
                           "sum_to_like",
                           "slice",
                           "slice_grad",
                           "crop",
                           "reverse",
                           "repeat",
                           "repeat_grad",
                           "tile",
                           "tile_grad",
                           "concat_part",
                           "gather_grad",
                           "pick_grad",
                           "relu_grad",
                           "leaky_relu_grad",
                           "elu_grad",
                           "tanh_grad",
                           "sigmoid_grad",
                           "hard_sigmoid_grad",
                           "softplus_grad",
                           "softsign_grad",
                           "clip_grad",
                           "conv2d_input_grad",
                           "conv3d_input_grad",
                           "depthwise_conv2d_input_grad",
                           "max_pool2d_grad",
                           "avg_pool2d_grad",
                           "max_pool3d_grad",
                           "avg_pool3d_grad",
                           "resize_bilinear_grad",
                           "batch_norm_train_grad",
                           "dropout"})
      t[op] = {0};
    return t;
  }();
  const auto it = table.find(name);
  return it == table.end() ? nullptr : &it->second;
}

std::vector<Value> zeros_of(const Node& node) {
  const ScopeGuard scope(node.scope);
  std::vector<Value> zeros;
  for (const TensorType& type : node.types) {
    FillAttrs attrs;
    attrs.shape = Ints(type.shape.begin(), type.shape.end());
    attrs.dtype = type.dtype;
    zeros.push_back(call("fill", {}, attrs));
  }
  return zeros;
}

std::vector<Value> drop_node(const NodePtr& node, const std::vector<Value>& in) {
  const std::string& name = node->op->name;
  const TensorType& type = node->types[0];
  if (name == "add" || name == "sub") {
    if (is_zeros(in[1]) && in[0].type() == type) return {in[0]};
    if (is_zeros(in[0]) && in[1].type() == type) {
      if (name == "add") return {in[1]};
      const ScopeGuard scope(node->scope);
      return {-in[1]};
    }
  }
  const Linear* rule = linear(name);
  if (!rule || (node->types[0].dtype != DType::f32 && node->types[0].dtype != DType::f64)) return {};
  for (size_t i = 0; i < in.size(); ++i)
    if ((rule->input < 0 || rule->input == static_cast<int>(i)) && is_zeros(in[i])) return zeros_of(*node);
  return {};
}

Graph drop_zeros(const Graph& graph) {
  // What prints stays, and with it what is computed from it.
  std::unordered_set<const Node*> printing;
  for (const NodePtr& node : topological(graph.outputs)) {
    bool prints = acts(*node);
    for (const Value& v : node->inputs) prints = prints || printing.count(v.node.get());
    if (prints) printing.insert(node.get());
  }
  return rebuild(graph, [&](const NodePtr& node, const std::vector<Value>& in) {
    return printing.count(node.get()) ? std::vector<Value>{} : drop_node(node, in);
  });
}

const PassRegistrar registrar("drop_zeros", 5, drop_zeros);

}  // namespace
}  // namespace pk
