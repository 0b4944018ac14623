// K.function's engine: a symbolic graph, and a plan for each way it is called.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "runtime/plan.h"

namespace pk {

using Update = std::pair<std::shared_ptr<VariableState>, Value>;

class Function {
 public:
  // `inputs` may be any values (what lies before them is not computed), also learning_phase().
  // ValueError when a placeholder is needed that is not among them, or an update does not fit its
  // variable.
  Function(std::vector<Value> inputs, std::vector<Value> outputs, const std::vector<Update>& updates,
           std::string name);

  const std::vector<Value>& inputs() const { return graph_.inputs; }
  size_t n_results() const { return graph_.n_results(); }
  const std::string& name() const { return name_; }

  // The plan for these input shapes and phase (0 test, 1 training) on the current device; made at
  // first use, the least recently used one of more than `kMaxPlans` is dropped.
  std::shared_ptr<Plan> plan(const std::vector<Shape>& shapes, int phase);

  // Number of runs so far; the counter of random ops.
  uint64_t step() const { return step_.load(); }
  void set_step(uint64_t s) { step_.store(s); }
  uint64_t next_step() { return step_.fetch_add(1); }

  static constexpr size_t kMaxPlans = 16;

 private:
  struct Key {
    std::vector<Shape> shapes;
    int phase;
    uint64_t epoch;
    bool operator==(const Key& o) const { return phase == o.phase && epoch == o.epoch && shapes == o.shapes; }
  };
  Graph graph_;
  std::string name_;
  std::mutex mutex_;
  std::list<std::pair<Key, std::shared_ptr<Plan>>> plans_;  // most recently used first
  std::atomic<uint64_t> step_{0};
};

// Settings that plans depend on (device, threads, instruction set, passes) have changed.
void new_epoch();
uint64_t current_epoch();  // the number of such changes so far

// The value of a graph without inputs, in the test phase.
HostTensor evaluate(const Value& v);

}  // namespace pk
