// The contract of an op, stated once: arity, shape rule, gradient, traits. Never touches data.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/node.h"

namespace pk {

// What a shape rule sees. Dimensions may be unknown; the same rule runs again at bind time with
// all of them known.
struct InferContext {
  const OpDef& op;
  const std::vector<TensorType>& in;
  const Attrs& attrs;
  const std::string& scope;
  // The elements of input i where they are already known (a constant; at bind time also what
  // K.shape gives), null otherwise.
  const std::vector<const HostTensor*>& known;

  const Shape& shape(int i) const { return in[static_cast<size_t>(i)].shape; }
  DType dtype(int i) const { return in[static_cast<size_t>(i)].dtype; }
  int n_in() const { return static_cast<int>(in.size()); }
  // Whole numbers of a known integer input.
  std::optional<std::vector<int64_t>> integers(int i) const;

  template <class... Args>
  [[noreturn]] void fail(Args&&... args) const {
    fail_text(cat(std::forward<Args>(args)...));
  }
  [[noreturn]] void fail_text(const std::string& why) const;  // ValueError with op, scope and input shapes

  // Frequent checks, each failing with a message.
  void want_dtype(int i, DType want) const;  // that of another input
  void same_dtypes() const;
  void want_float(int i) const;
  void want_rank(int i, int rank) const;
  int64_t axis(int i, int64_t axis) const;  // normalised to 0 … rank-1 of input i
};

// What a gradient rule sees: builds nodes for the gradients of the inputs.
struct VjpContext {
  const NodePtr& node;
  const std::vector<Value>& grads;  // of the outputs; empty values where nothing flows

  const Value& x(int i) const { return node->inputs[static_cast<size_t>(i)]; }
  Value y(int i = 0) const { return {node, i}; }
  const Value& g(int i = 0) const { return grads[static_cast<size_t>(i)]; }
  int n_in() const { return static_cast<int>(node->inputs.size()); }
  template <class A>
  const A& attr() const {
    return node->attrs.as<A>();
  }
};

using InferRule = std::vector<TensorType> (*)(const InferContext&);
using VjpRule = std::vector<Value> (*)(const VjpContext&);  // one per input; empty = no gradient
// The same computation in simpler ops: gradients of ops without a rule of their own go through it.
using Decomposition = std::vector<Value> (*)(const NodePtr&);

struct OpDef {
  std::string name;
  int min_arity = 0, max_arity = 0;
  int n_outputs = 1;  // -1: as many as the shape rule gives
  Attrs (*parse)(const std::string&, const AttrMap&) = nullptr;
  InferRule infer = nullptr;
  VjpRule vjp = nullptr;
  Decomposition decompose = nullptr;

  // Traits.
  std::string no_grad;       // why there is no gradient (nothing flows), or empty
  std::string grad_error;    // why asking for a gradient is an error, or empty
  std::string no_kernel;     // why no device has a kernel (sources, rewritten ops), or empty
  uint32_t shape_only = 0;   // bit i: only the shape of input i matters; with bit 31: of all from kRest on
  int shape_only_from = -1;  // inputs from this one on are shape-only
  uint32_t symbolic = 0;     // bit i: input i is read by the gradient of this op only, never by its kernel
  int alias = -1;            // output 0 is input `alias` with another shape: no kernel runs at all
  int pointwise = -1;        // PointwiseCode: can take part in a fused loop
  int dispatch_input = 0;    // the input whose dtype chooses the kernel; -1: output 0
  bool random = false;       // draws: depends on the function's step
  bool effect = false;       // does something besides computing output 0 = input 0: runs in every call, once
  bool in_place = false;     // output 0 may share memory with any dead input of equal size
  bool host_only = false;    // the executor evaluates it while binding (shape arithmetic)

  bool is_shape_only(int i) const {
    return (i < 31 && ((shape_only | symbolic) >> i & 1)) || (shape_only_from >= 0 && i >= shape_only_from);
  }
  // Can a gradient flow to input i?
  bool has_data(int i) const { return !is_shape_only(i) || (i < 31 && (symbolic >> i & 1)); }
};

// Fluent definition, at namespace scope: static const Op<SoftmaxAttrs> softmax = op<…>("softmax")…
class OpBuilder {
 public:
  OpBuilder(const char* name, Attrs (*parse)(const std::string&, const AttrMap&));
  OpBuilder& arity(int n) { return arity(n, n); }
  OpBuilder& arity(int min, int max);
  OpBuilder& outputs(int n);
  OpBuilder& infer(InferRule f);
  OpBuilder& vjp(VjpRule f);
  OpBuilder& decompose(Decomposition f);
  OpBuilder& no_grad(const char* why);
  OpBuilder& grad_error(const char* why);
  OpBuilder& no_kernel(const char* why);
  OpBuilder& shape_only(int i);
  OpBuilder& shape_only_from(int i);
  OpBuilder& symbolic(int i);
  OpBuilder& may_alias(int i);
  OpBuilder& pointwise(int code);
  OpBuilder& dispatch(int i);
  OpBuilder& random();
  OpBuilder& effect();
  OpBuilder& in_place();

 private:
  OpDef& def_;
};

template <class A = NoAttrs>
OpBuilder op(const char* name) {
  return OpBuilder(name, &parse_attrs<A>);
}

const OpDef* find_op(const std::string& name);  // null if there is none
const OpDef& get_op(const std::string& name);   // ValueError if there is none
std::vector<std::string> op_names();

}  // namespace pk
