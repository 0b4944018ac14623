#include "graph/rewrite.h"

#include <algorithm>
#include <map>

#include "graph/op.h"
#include "graph/scan.h"

namespace pk {

bool Graph::updates(const Value& v) const {
  return v.node->variable && std::find(updated.begin(), updated.end(), v.node->variable) != updated.end();
}

Graph rebuild(const Graph& graph, const RewriteRule& rule) {
  std::unordered_map<const Node*, std::vector<Value>> done;
  const auto mapped = [&](const Value& v) { return done.at(v.node.get())[static_cast<size_t>(v.index)]; };
  for (const NodePtr& node : topological(graph.outputs)) {
    std::vector<Value> inputs;
    inputs.reserve(node->inputs.size());
    bool changed = false;
    for (const Value& v : node->inputs) {
      inputs.push_back(mapped(v));
      changed = changed || !(inputs.back() == v);
    }
    std::vector<Value> outputs = rule(node, inputs);
    if (outputs.empty()) {
      const NodePtr same = changed ? make_node(*node->op, std::move(inputs), node->attrs, node->scope) : node;
      for (size_t i = 0; i < same->types.size(); ++i) outputs.push_back({same, static_cast<int>(i)});
    }
    done.emplace(node.get(), std::move(outputs));
  }
  Graph result = graph;
  for (Value& v : result.outputs) v = mapped(v);
  return result;
}

Uses::Uses(const Graph& graph) {
  for (const NodePtr& node : topological(graph.outputs))
    for (const Value& v : node->inputs) ++counts[v];
  for (const Value& v : graph.outputs) ++counts[v];
}

int Uses::count(const Value& v) const {
  const auto it = counts.find(v);
  return it == counts.end() ? 0 : it->second;
}

std::unordered_set<const Node*> run_constant_nodes(const Graph& graph) {
  std::unordered_set<const Node*> result;
  for (const NodePtr& node : topological(graph.outputs)) {
    const std::string& name = node->op->name;
    bool constant = !draws(*node) && !acts(*node) && name != "placeholder" && name != "learning_phase" &&
                    !(name == "variable" && graph.updates({node, 0}));
    for (size_t i = 0; constant && i < node->inputs.size(); ++i)
      constant = node->op->is_shape_only(static_cast<int>(i)) || result.count(node->inputs[i].node.get());
    if (constant) result.insert(node.get());
  }
  return result;
}

namespace {

struct Registered {
  Pass pass;
  bool on = true;
};

std::vector<Registered>& passes() {
  static auto* list = new std::vector<Registered>;
  return *list;
}

Registered& find_pass(const std::string& name) {
  for (Registered& r : passes())
    if (r.pass.name == name) return r;
  std::string all;
  for (const std::string& n : pass_names()) all += " " + n;
  throw ValueError(cat("there is no rewrite pass '", name, "'; there are:", all));
}

}  // namespace

PassRegistrar::PassRegistrar(const char* name, int order, Graph (*run)(const Graph&)) {
  auto& list = passes();
  list.push_back({{name, order, run}, true});
  std::stable_sort(list.begin(), list.end(),
                   [](const Registered& a, const Registered& b) { return a.pass.order < b.pass.order; });
}

std::vector<std::string> pass_names() {
  std::vector<std::string> names;
  for (const Registered& r : passes()) names.push_back(r.pass.name);
  return names;
}

void set_pass(const std::string& name, bool on) { find_pass(name).on = on; }
bool pass_enabled(const std::string& name) { return find_pass(name).on; }

Graph run_passes(Graph graph) {
  std::vector<TensorType> types;
  for (const Value& v : graph.outputs) types.push_back(v.type());
  for (const Registered& r : passes())
    if (r.on) {
      graph = r.pass.run(graph);
      verify(graph, types, r.pass.name);
    }
  return graph;
}

void verify(const Graph& graph, const std::vector<TensorType>& types, const std::string& after) {
  const auto fail = [&](const std::string& what) {
    throw RuntimeError(cat("internal error: rewrite pass '", after, "' broke the graph: ", what,
                           "; switch it off with set_pass('", after, "', False)"));
  };
  if (graph.outputs.size() != types.size()) fail("the number of outputs changed");
  for (size_t i = 0; i < types.size(); ++i)
    if (!(graph.outputs[i].type() == types[i]))
      fail(cat("output ", i, " became ", graph.outputs[i].shape(), " ", graph.outputs[i].dtype(), ", was ",
               types[i].shape, " ", types[i].dtype));
  for (const NodePtr& node : topological(graph.outputs)) {
    if (node->op->no_kernel.size() && node->inputs.empty()) continue;  // sources state their type
    for (const TensorType& t : node->types)
      if (!t.shape.known()) fail(cat("an output of '", node->op->name, "' has the unknown shape ", t.shape));
  }
}

}  // namespace pk
