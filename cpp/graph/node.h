// The symbolic graph: immutable nodes that own their inputs. There is no global graph; what no
// tensor refers to any more is freed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/tensor.h"
#include "core/types.h"
#include "graph/attrs.h"

namespace pk {

struct Node;
struct OpDef;
class VariableState;  // runtime/variable.h: storage; the graph only carries it along
using NodePtr = std::shared_ptr<const Node>;

// One output of one node.
struct Value {
  NodePtr node;
  int index = 0;

  explicit operator bool() const { return node != nullptr; }
  const TensorType& type() const;
  const Shape& shape() const { return type().shape; }
  DType dtype() const { return type().dtype; }
  int rank() const { return shape().rank(); }
  bool operator==(const Value& o) const { return node == o.node && index == o.index; }
};

struct ValueHash {
  size_t operator()(const Value& v) const {
    return std::hash<const void*>()(v.node.get()) * 31 + static_cast<size_t>(v.index);
  }
};

struct Node {
  const OpDef* op = nullptr;
  Attrs attrs;
  std::vector<Value> inputs;
  std::vector<TensorType> types;            // of the outputs
  std::string scope;                        // the layer that made it, for messages
  uint64_t id = 0;                          // in order of creation
  std::shared_ptr<VariableState> variable;  // of a "variable" node
  HostTensor constant;                      // of a "constant" node

  Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node();  // releases long chains without recursion
};

inline const TensorType& Value::type() const { return node->types[static_cast<size_t>(index)]; }

bool is_op(const Value& v, const char* name);

// Makes a node: checks arity, parses nothing, infers the output types. ValueError for shapes and
// dtypes that do not fit, naming op, scope and shapes.
NodePtr make_node(const OpDef& op, std::vector<Value> inputs, Attrs attrs, const std::string& scope);

Value make_placeholder(TensorType type, const std::string& name);
Value make_constant(HostTensor data);
Value make_variable(TensorType type, const std::string& name, std::shared_ptr<VariableState> state);
Value learning_phase();  // the same value at every call: a bool that says "training"

// All nodes that `outputs` depend on, each after its inputs.
// Stops at nodes of `stop`: they are listed, what they depend on is not.
std::vector<NodePtr> topological(const std::vector<Value>& outputs,
                                 const std::unordered_set<const Node*>& stop = {});
// Those whose data somebody reads; of the others only the shape matters.
std::vector<NodePtr> topological_data(const std::vector<Value>& outputs);

}  // namespace pk
