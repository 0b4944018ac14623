// Decides a plan: the order of the steps, what stays from run to run, where every value lives.
#pragma once

#include "runtime/plan.h"

namespace pk {

class Plan::Layout {
 public:
  explicit Layout(Plan& plan) : plan_(plan), graph_(plan.graph_) {}
  void run();

 private:
  Value root(Value v) const;  // the value whose memory `v` is
  void schedule();            // order_, update nodes last
  void place_sources();
  void make_steps();
  void find_lifetimes();
  void place_results();
  void place_updates();
  void share_in_place();
  void place_arena();
  void finish_steps();
  void place_kept(Step& step);
  void share_pieces();
  bool placed(const Value& root_value) const { return plan_.slots_.count(root_value) != 0; }
  int last_read(const Value& root_value) const;
  int variable_number(const std::shared_ptr<VariableState>& state);

  Plan& plan_;
  const Graph& graph_;
  std::vector<NodePtr> order_;
  std::unordered_set<const Node*> kept_;                // run-constant nodes
  std::unordered_map<const Node*, int> step_of_;        // of the main steps
  std::unordered_map<Value, int, ValueHash> last_;      // last step that reads a root
  std::unordered_set<Value, ValueHash> read_at_end_;    // roots that a copy after the steps reads
  std::unordered_map<Value, Value, ValueHash> shares_;  // root -> the root whose buffer it takes over
};

}  // namespace pk
