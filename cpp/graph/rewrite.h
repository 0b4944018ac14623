// Rewrite passes: pure functions from graph to graph. They see a bound graph: every shape known,
// the learning phase resolved. Each can be switched off by name; after each the graph is verified.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "graph/node.h"

namespace pk {

struct Graph {
  std::vector<Value> inputs;   // placeholders, in the order they are fed
  std::vector<Value> outputs;  // what a call returns, then the new values of `updated`
  std::vector<std::shared_ptr<VariableState>> updated;
  size_t n_results() const { return outputs.size() - updated.size(); }
  bool updates(const Value& variable) const;  // is it a variable that a run changes?
};

// Rebuilds a graph bottom up. For each node, `rule` gets the node and its rebuilt inputs and
// returns its new outputs, or an empty vector to keep the op as it is.
using RewriteRule = std::function<std::vector<Value>(const NodePtr& node, const std::vector<Value>& inputs)>;
Graph rebuild(const Graph& graph, const RewriteRule& rule);

// Who uses each value, and whether it leaves the graph.
struct Uses {
  explicit Uses(const Graph& graph);
  int count(const Value& v) const;  // uses by nodes plus by the graph's outputs
  bool only_use(const Value& v) const { return count(v) == 1; }
  std::unordered_map<Value, int, ValueHash> counts;
};

// Values that are the same from run to run: computed from constants and variables that the graph
// does not update, without random ops and prints.
std::unordered_set<const Node*> run_constant_nodes(const Graph& graph);

struct Pass {
  std::string name;
  int order;  // smaller runs first
  Graph (*run)(const Graph&);
};

struct PassRegistrar {
  PassRegistrar(const char* name, int order, Graph (*run)(const Graph&));
};

std::vector<std::string> pass_names();
void set_pass(const std::string& name, bool on);  // ValueError for an unknown name
bool pass_enabled(const std::string& name);

// Runs every pass that is on, verifying the graph after each.
Graph run_passes(Graph graph);

// Every node's types are those its rule infers, and the outputs' types are `types`; RuntimeError
// naming the pass otherwise.
void verify(const Graph& graph, const std::vector<TensorType>& types, const std::string& after);

}  // namespace pk
