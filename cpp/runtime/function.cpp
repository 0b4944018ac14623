#include "runtime/function.h"

#include <algorithm>

#include "core/fork_gate.h"
#include "graph/op.h"
#include "runtime/specialise.h"

namespace pk {

namespace {
std::atomic<uint64_t> epoch{0};
}

void new_epoch() { ++epoch; }
uint64_t current_epoch() { return epoch.load(); }

Function::Function(std::vector<Value> inputs, std::vector<Value> outputs, const std::vector<Update>& updates,
                   std::string name)
    : name_(std::move(name)) {
  graph_.inputs = std::move(inputs);
  graph_.outputs = std::move(outputs);
  for (const auto& [state, value] : updates) {
    const TensorType& want = state->type();
    if (value.dtype() != want.dtype || !compatible(value.shape(), want.shape))
      throw ValueError(cat("the update of variable '", state->name(), "' has shape ", value.shape(),
                           " and dtype ", value.dtype(), ", the variable ", want.shape, " and ", want.dtype));
    // Two updates of one variable (a BatchNormalization called twice): the later one counts.
    const auto earlier = std::find(graph_.updated.begin(), graph_.updated.end(), state);
    if (earlier != graph_.updated.end()) {
      graph_.outputs[n_results() + static_cast<size_t>(earlier - graph_.updated.begin())] = value;
      continue;
    }
    graph_.updated.push_back(state);
    graph_.outputs.push_back(value);
  }
  std::unordered_set<const Node*> fed;
  for (const Value& v : graph_.inputs) fed.insert(v.node.get());
  for (const NodePtr& node : topological(graph_.outputs, fed))
    if (node->op->name == "placeholder" && !fed.count(node.get()))
      throw ValueError(cat("placeholder '", node->scope, "' of shape ", node->types[0].shape,
                           " must be fed: add it to the inputs of the function"));
}

std::shared_ptr<Plan> Function::plan(const std::vector<Shape>& shapes, int phase) {
  const ForkPass pass;
  Key key{shapes, phase, epoch.load()};
  std::lock_guard<std::mutex> lock(mutex_);
  for (auto it = plans_.begin(); it != plans_.end(); ++it)
    if (it->first == key) {
      if (it != plans_.begin()) plans_.splice(plans_.begin(), plans_, it);
      return plans_.front().second;
    }
  for (size_t i = 0; i < shapes.size(); ++i)
    if (!compatible(shapes[i], graph_.inputs[i].shape()))
      throw ValueError(cat("input ", i, " ('", graph_.inputs[i].node->scope, "') of function '", name_,
                           "' expects shape ", graph_.inputs[i].shape(), ", got an array of shape ",
                           shapes[i]));
  auto made =
      std::make_shared<Plan>(run_passes(specialise(graph_, shapes, phase)), current_device(), thread_pool());
  plans_.remove_if([&](const auto& entry) { return entry.first.epoch != key.epoch; });
  plans_.emplace_front(std::move(key), made);
  if (plans_.size() > kMaxPlans) plans_.pop_back();
  return made;
}

HostTensor evaluate(const Value& v) {
  Function f({}, {v}, {}, "evaluate");
  const auto plan = f.plan({}, 0);
  HostTensor out(plan->results()[0]);
  plan->run({}, {out.data.get()}, f.next_step());
  return out;
}

}  // namespace pk
