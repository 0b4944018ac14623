#include "runtime/specialise.h"

#include <algorithm>

#include "graph/build.h"
#include "graph/op.h"
#include "graph/scan.h"
#include "kernels/geometry.h"
#include "runtime/device.h"

namespace pk {

namespace {

constexpr int64_t kFoldBytes = 4096;  // what is larger, or made of larger ones, the plan computes, once

std::vector<Value> outputs_of(const NodePtr& node) {
  std::vector<Value> out;
  for (size_t i = 0; i < node->types.size(); ++i) out.push_back({node, static_cast<int>(i)});
  return out;
}

// Evaluates a node whose inputs are constants; empty if it cannot be.
std::vector<Value> fold(const NodePtr& node) {
  const OpDef& op = *node->op;
  if (op.random || op.effect || !op.no_kernel.empty()) return {};
  // Floats repeated over a shape stay a node: the simplifier replaces them by what they repeat.
  static const std::unordered_set<std::string> repeating{"fill", "fill_like", "broadcast_like",
                                                         "broadcast_to"};
  if (repeating.count(op.name) && is_float(node->types[0].dtype) && node->types[0].shape.size() > 1)
    return {};
  for (const TensorType& t : node->types)
    if (!t.shape.known() || t.bytes() > kFoldBytes) return {};
  for (size_t i = 0; i < node->inputs.size(); ++i)
    if (!op.is_shape_only(static_cast<int>(i)) && node->inputs[i].type().bytes() > kFoldBytes) return {};
  std::vector<TensorArg> in, out;
  for (size_t i = 0; i < node->inputs.size(); ++i) {
    const Value& v = node->inputs[i];
    TensorArg arg;
    arg.type = v.type();
    arg.size = v.shape().size();
    if (is_op(v, "constant"))
      arg.data = v.node->constant.data.get();
    else if (!op.is_shape_only(static_cast<int>(i)))
      return {};
    in.push_back(arg);
  }
  if (op.alias >= 0) {
    HostTensor t = node->inputs[static_cast<size_t>(op.alias)].node->constant;
    if (!t.data) return {};
    t.type = node->types[0];
    return {make_constant(std::move(t))};
  }
  const DType dtype = op.dispatch_input < 0 || in.empty()
                          ? node->types[0].dtype
                          : in[static_cast<size_t>(op.dispatch_input)].type.dtype;
  const Kernel* kernel = folding_kernel(op.name, dtype);
  if (!kernel) return {};
  std::vector<HostTensor> results;
  for (const TensorType& t : node->types) {
    results.emplace_back(t);
    TensorArg arg;
    arg.type = t;
    arg.data = results.back().data.get();
    arg.size = t.shape.size();
    out.push_back(arg);
  }
  const auto pool = thread_pool();
  Context ctx{*pool};
  KernelArgs args;
  args.in = in.data();
  args.n_in = static_cast<int>(in.size());
  args.out = out.data();
  args.n_out = static_cast<int>(out.size());
  args.attrs = node->attrs.data();
  args.scope = node->scope.c_str();
  std::shared_ptr<void> workspace;
  if (kernel->workspace) {
    workspace = aligned_buffer(kernel->workspace(ctx, args));
    args.workspace = workspace.get();
  }
  kernel->run(ctx, args);
  std::vector<Value> constants;
  for (HostTensor& t : results) constants.push_back(make_constant(std::move(t)));
  return constants;
}

bool truth(const Value& constant) { return *constant.node->constant.as<uint8_t>() != 0; }

// Ops that hand on an input once the shapes are known.
bool is_no_op(const Node& node) {
  static const std::unordered_set<std::string> resizing{"sum_to_like", "broadcast_like", "broadcast_to",
                                                        "reshape", "reshape_like"};
  static const std::unordered_set<std::string> always{"identity", "stop_gradient"};
  const std::string& name = node.op->name;
  if (always.count(name)) return true;
  if (name == "cast") return node.inputs[0].dtype() == node.types[0].dtype;
  return resizing.count(name) && node.inputs[0].type() == node.types[0];
}

class Specialiser {
 public:
  Specialiser(const Graph& graph, const std::vector<Shape>& shapes, int phase)
      : graph_(graph), phase_(phase) {
    for (size_t i = 0; i < graph.inputs.size(); ++i) {
      const Value& in = graph.inputs[i];
      Value fed = is_op(in, "learning_phase") ? phase_value()
                                              : make_placeholder({in.dtype(), shapes[i]}, in.node->scope);
      new_inputs_.push_back(fed);
      done_[in.node.get()].resize(in.node->types.size());
      done_[in.node.get()][static_cast<size_t>(in.index)] = fed;
      fed_.insert(in.node.get());
    }
  }

  Graph run() {
    for (const NodePtr& node : topological(graph_.outputs, fed_))
      if (!fed_.count(node.get())) done_[node.get()] = specialise_node(node);
    Graph result = graph_;
    result.inputs = new_inputs_;
    for (Value& v : result.outputs) v = mapped(v);
    return result;
  }

 private:
  Value phase_value() const { return scalar(phase_, DType::boolean); }

  Value mapped(const Value& v) const {
    const Value& m = done_.at(v.node.get())[static_cast<size_t>(v.index)];
    if (!m) throw ValueError(cat("an output of '", v.node->scope, "' is needed besides the one that is fed"));
    return m;
  }

  std::vector<Value> specialise_node(const NodePtr& node) {
    const std::string& name = node->op->name;
    if (name == "learning_phase") return {phase_value()};
    if (name == "placeholder")
      throw ValueError(
          cat("placeholder '", node->scope, "' must be fed: add it to the inputs of the function"));
    if (name == "constant") return outputs_of(merged_constant(node));
    if (node->op->no_kernel.size() && node->inputs.empty()) return outputs_of(node);  // variables
    // Only the branch of this phase is looked at.
    if (name == "phase_select") return {mapped(node->inputs[phase_ ? 0 : 1])};
    std::vector<Value> inputs;
    for (const Value& v : node->inputs) inputs.push_back(mapped(v));
    if (name == "select" && is_op(inputs[0], "constant") && inputs[0].rank() == 0) {
      const Value& chosen = truth(inputs[0]) ? inputs[1] : inputs[2];
      if (chosen.shape() == broadcast_shapes(inputs[1].shape(), inputs[2].shape())) return {chosen};
    }
    Attrs attrs = name == "scan" ? specialise_body(node->attrs.as<ScanAttrs>(), inputs) : node->attrs;
    const size_t own_inputs = name == "slice" ? 1 : 2;  // of a slice; what follows them tells its bounds
    if ((name == "slice" || name == "slice_grad") && inputs.size() > own_inputs &&
        is_op(inputs[own_inputs], "constant")) {
      const HostTensor& told = inputs[own_inputs].node->constant;
      const auto* bounds = told.as<int64_t>();
      attrs = with_bounds(attrs.as<SliceAttrs>(), {bounds, bounds + told.type.shape.size()});
      inputs.resize(own_inputs);
    }
    const NodePtr made = make_node(*node->op, std::move(inputs), std::move(attrs), node->scope);
    if (!compatible(made->types[0].shape, node->types[0].shape))
      throw RuntimeError(cat("internal error: '", name, "' inferred ", node->types[0].shape, " and then ",
                             made->types[0].shape));
    for (const TensorType& t : made->types)
      if (!t.shape.known())
        throw ValueError(cat("op '", name, "'", node->scope.empty() ? "" : cat(" of '", node->scope, "'"),
                             ": the shape of the result, ", t.shape,
                             ", must follow from the shapes of the inputs, but it depends on their values"));
    if (is_no_op(*made)) return {made->inputs[0]};
    if (std::vector<Value> constants = fold(made); !constants.empty()) {
      for (Value& c : constants) c.node = merged_constant(c.node);
      return constants;
    }
    return outputs_of(merged(made));
  }

  // The body of a loop for the shapes that it will see.
  Attrs specialise_body(ScanAttrs a, const std::vector<Value>& inputs) const {
    std::vector<Shape> shapes;
    for (size_t i = 0; i < inputs.size(); ++i) {
      shapes.push_back(inputs[i].shape());
      if (static_cast<int64_t>(i) >= a.n_carry && static_cast<int64_t>(i) < a.n_carry + a.n_xs)
        shapes.back().erase(0);
      a.text += shapes.back().str();
    }
    a.body = std::make_shared<Graph>(specialise(*a.body, shapes, phase_));
    return a;
  }

  // The node that computes the same already, if there is one.
  NodePtr merged(const NodePtr& node) {
    if (acts(*node)) return node;
    std::string key = node->op->name;
    for (const Value& v : node->inputs) key += cat(" ", v.node->id, ".", v.index);
    key += " " + node->attrs.str();
    return seen_.emplace(std::move(key), node).first->second;
  }

  // Small constants of equal bytes count as one, or equal formulas would not be found equal.
  NodePtr merged_constant(const NodePtr& node) {
    const HostTensor& c = node->constant;
    if (c.type.bytes() > 64) return node;
    std::string key = cat("constant ", c.type.dtype, c.type.shape);
    key.append(static_cast<const char*>(c.data.get()), static_cast<size_t>(c.type.bytes()));
    return seen_.emplace(std::move(key), node).first->second;
  }

  const Graph& graph_;
  const int phase_;
  std::vector<Value> new_inputs_;
  std::unordered_set<const Node*> fed_;
  std::unordered_map<const Node*, std::vector<Value>> done_;
  std::unordered_map<std::string, NodePtr> seen_;
};

}  // namespace

Graph specialise(const Graph& graph, const std::vector<Shape>& shapes, int phase) {
  return Specialiser(graph, shapes, phase).run();
}

}  // namespace pk
