// Fuses chains of pointwise ops of one shape into single loops (op fused_pointwise), also chains
// with several results: an optimizer's new slots and weight become one pass over memory.
#include <algorithm>
#include <numeric>

#include "graph/op.h"
#include "graph/rewrite.h"
#include "kernels/attrs.h"
#include "kernels/functors.h"

namespace pk {

namespace {

// Limits of a program that every device's interpreter keeps.
constexpr size_t kMaxInputs = 24, kMaxOutputs = 12, kMaxNodes = 64;

// Does nothing inside a program, where a boolean is 0 or 1 of the compute type.
bool is_bool_to_float(const Node& n) {
  return n.op->name == "cast" && is_float(n.types[0].dtype) &&
         (n.inputs[0].dtype() == DType::boolean || n.inputs[0].dtype() == n.types[0].dtype);
}

// The float type a node computes in, or none when it cannot take part.
bool compute_type(const Node& n, DType& type) {
  if (n.types.size() != 1) return false;
  if (n.op->pointwise < 0 && !is_bool_to_float(n)) return false;
  bool found = false;
  const auto see = [&](DType t) {
    if (t == DType::boolean) return true;
    if (!is_float(t) || (found && t != type)) return false;
    type = t;
    return found = true;
  };
  for (const Value& v : n.inputs)
    if (!see(v.dtype())) return false;
  return see(n.types[0].dtype) && found && n.types[0].shape.size() > 0;
}

class Fuser {
 public:
  explicit Fuser(const Graph& graph) : graph_(graph), order_(topological(graph.outputs)) {
    const size_t n = order_.size();
    group_.resize(n);
    std::iota(group_.begin(), group_.end(), size_t{0});
    members_.resize(n);
    consumers_.resize(n);
    fusible_.resize(n);
    compute_.resize(n);
    for (size_t i = 0; i < n; ++i) {
      index_[order_[i].get()] = i;
      members_[i] = {i};
      fusible_[i] = compute_type(*order_[i], compute_[i]);
      for (const Value& v : order_[i]->inputs) consumers_[index_.at(v.node.get())].push_back(i);
    }
    for (const Value& v : graph.outputs) leaves_.insert(v.node.get());
  }

  Graph run() {
    for (size_t i = 0; i < order_.size(); ++i)
      if (fusible_[i])
        for (const Value& v : order_[i]->inputs) {
          const size_t p = index_.at(v.node.get());
          if (can_merge(p, i)) merge(p, i);
        }
    return emit();
  }

 private:
  size_t find(size_t i) const { return group_[i]; }

  bool can_merge(size_t producer, size_t consumer) const {
    if (!fusible_[producer] || compute_[producer] != compute_[consumer]) return false;
    if (order_[producer]->types[0].shape != order_[consumer]->types[0].shape) return false;
    const size_t a = find(producer), b = find(consumer);
    if (a == b) return false;
    if (members_[a].size() + members_[b].size() > kMaxNodes) return false;
    std::vector<size_t> all = members_[a];
    all.insert(all.end(), members_[b].begin(), members_[b].end());
    size_t inputs = 0, outputs = 0;
    count(all, inputs, outputs);
    return inputs <= kMaxInputs && outputs <= kMaxOutputs && !path_outside(a, b);
  }

  void count(const std::vector<size_t>& all, size_t& inputs, size_t& outputs) const {
    const std::unordered_set<size_t> in_group(all.begin(), all.end());
    std::unordered_set<Value, ValueHash> in;
    for (const size_t i : all) {
      for (const Value& v : order_[i]->inputs)
        if (!in_group.count(index_.at(v.node.get()))) in.insert(v);
      outputs += needed_outside(i, in_group);
    }
    inputs = in.size();
  }

  bool needed_outside(size_t i, const std::unordered_set<size_t>& in_group) const {
    if (leaves_.count(order_[i].get())) return true;
    return std::any_of(consumers_[i].begin(), consumers_[i].end(),
                       [&](size_t c) { return !in_group.count(c); });
  }

  // Would merging groups a and b close a cycle: is there a way from one to the other through nodes
  // of neither? Groups count as one node each, since they will be.
  bool path_outside(size_t a, size_t b) const {
    size_t last = 0;
    for (const size_t g : {a, b})
      for (const size_t i : members_[g]) last = std::max(last, i);
    std::unordered_set<size_t> seen;
    std::vector<size_t> stack;
    const auto push_consumers = [&](size_t g) {
      for (const size_t i : members_[g])
        for (const size_t c : consumers_[i]) {
          const size_t to = find(c);
          if (to == g) continue;
          if ((g == a || g == b) && (to == a || to == b)) continue;  // the direct edge
          if (to == a || to == b) return true;
          if (first(to) <= last && seen.insert(to).second) stack.push_back(to);
        }
      return false;
    };
    if (push_consumers(a) || push_consumers(b)) return true;
    while (!stack.empty()) {
      const size_t g = stack.back();
      stack.pop_back();
      if (push_consumers(g)) return true;
    }
    return false;
  }

  size_t first(size_t group) const {
    return *std::min_element(members_[group].begin(), members_[group].end());
  }

  void merge(size_t producer, size_t consumer) {
    const size_t a = find(producer), b = find(consumer);
    for (const size_t i : members_[a]) group_[i] = b;
    members_[b].insert(members_[b].end(), members_[a].begin(), members_[a].end());
    members_[a].clear();
  }

  // Rebuilds the graph, each group as one node.
  Graph emit() {
    std::unordered_map<Value, Value, ValueHash> done;
    std::vector<char> emitted(order_.size(), 0);
    const auto ready = [&](size_t g, std::vector<size_t>& stack) {
      bool all = true;
      for (const size_t i : members_[g])
        for (const Value& v : order_[i]->inputs) {
          const size_t from = find(index_.at(v.node.get()));
          if (from != g && !emitted[from]) {
            stack.push_back(from);
            all = false;
          }
        }
      return all;
    };
    for (size_t i = 0; i < order_.size(); ++i) {
      std::vector<size_t> stack{find(i)};
      while (!stack.empty()) {
        const size_t g = stack.back();
        if (emitted[g]) {
          stack.pop_back();
        } else if (ready(g, stack)) {
          stack.pop_back();
          emitted[g] = 1;
          members_[g].size() == 1 ? emit_node(order_[g], done) : emit_group(members_[g], done);
        }
      }
    }
    Graph result = graph_;
    for (Value& v : result.outputs) v = done.at(v);
    return result;
  }

  void emit_node(const NodePtr& node, std::unordered_map<Value, Value, ValueHash>& done) const {
    std::vector<Value> inputs;
    bool changed = false;
    for (const Value& v : node->inputs) {
      inputs.push_back(done.at(v));
      changed = changed || !(inputs.back() == v);
    }
    const NodePtr made = changed ? make_node(*node->op, std::move(inputs), node->attrs, node->scope) : node;
    for (size_t o = 0; o < node->types.size(); ++o)
      done[{node, static_cast<int>(o)}] = {made, static_cast<int>(o)};
  }

  void emit_group(std::vector<size_t> members, std::unordered_map<Value, Value, ValueHash>& done) const {
    std::sort(members.begin(), members.end());
    const std::unordered_set<size_t> in_group(members.begin(), members.end());
    PointwiseProgram program;
    program.compute = compute_[members[0]];
    std::unordered_map<Value, int, ValueHash> reg;
    std::vector<Value> inputs;
    for (const size_t i : members)
      for (const Value& v : order_[i]->inputs)
        if (!in_group.count(index_.at(v.node.get())) && !reg.count(v)) {
          reg[v] = static_cast<int>(inputs.size());
          inputs.push_back(done.at(v));
        }
    program.n_in = static_cast<int>(inputs.size());
    std::ostringstream text;
    text.precision(17);
    text << dtype_name(program.compute) << " " << inputs.size() << " inputs";
    std::vector<size_t> outputs;
    for (const size_t i : members) {
      const Node& node = *order_[i];
      const Value v{order_[i], 0};
      if (needed_outside(i, in_group)) outputs.push_back(i);
      if (is_bool_to_float(node)) {
        reg[v] = reg.at(node.inputs[0]);
        continue;
      }
      PointwiseInstr instr;
      instr.code = static_cast<uint8_t>(node.op->pointwise);
      uint8_t* const operands[] = {&instr.a, &instr.b, &instr.c};
      for (size_t k = 0; k < node.inputs.size(); ++k)
        *operands[k] = static_cast<uint8_t>(reg.at(node.inputs[k]));
      const AttrMap attrs = node.attrs.map();
      const auto number = [&](const char* name, double& to) {
        const auto it = attrs.find(name);
        if (it != attrs.end()) to = std::get<double>(it->second);
      };
      number("alpha", instr.p);
      number("min", instr.p);
      number("max", instr.q);
      reg[v] = program.n_in + static_cast<int>(program.code.size());
      text << "; r" << reg[v] << "=" << node.op->name << "(";
      for (size_t k = 0; k < node.inputs.size(); ++k) text << (k ? "," : "") << "r" << int{*operands[k]};
      if (!attrs.empty()) text << "; " << node.attrs.str();
      text << ")";
      program.code.push_back(instr);
    }
    text << " ->";
    for (const size_t i : outputs) {
      program.outputs.push_back(static_cast<uint8_t>(reg.at({order_[i], 0})));
      program.output_dtypes.push_back(order_[i]->types[0].dtype);
      text << " r" << int{program.outputs.back()} << ":" << dtype_name(program.output_dtypes.back());
    }
    program.text = text.str();
    const NodePtr fused = make_node(get_op("fused_pointwise"), std::move(inputs), std::move(program),
                                    order_[members.back()]->scope);
    for (size_t o = 0; o < outputs.size(); ++o) done[{order_[outputs[o]], 0}] = {fused, static_cast<int>(o)};
  }

  const Graph& graph_;
  const std::vector<NodePtr> order_;
  std::unordered_map<const Node*, size_t> index_;
  std::vector<size_t> group_;                 // of each node
  std::vector<std::vector<size_t>> members_;  // of each group
  std::vector<std::vector<size_t>> consumers_;
  std::vector<char> fusible_;
  std::vector<DType> compute_;
  std::unordered_set<const Node*> leaves_;
};

Graph fuse_pointwise(const Graph& graph) { return Fuser(graph).run(); }

const PassRegistrar registrar("fuse_pointwise", 90, fuse_pointwise);

}  // namespace
}  // namespace pk
