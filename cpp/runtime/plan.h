// A bound graph made ready to run: kernels chosen, memory laid out, nothing left to decide.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "graph/rewrite.h"
#include "runtime/device.h"
#include "runtime/variable.h"

namespace pk {

class Plan {
 public:
  // `graph` is specialised and rewritten. The plan keeps device and pool for its lifetime.
  Plan(Graph graph, std::shared_ptr<Device> device, std::shared_ptr<ThreadPool> pool);
  ~Plan();

  const std::vector<TensorType>& results() const { return result_types_; }

  // Runs the steps: reads the arrays `in` (one per input of the graph), writes `out` (one per
  // result), then commits the updates of variables. `step` counts the runs of the function. Safe
  // to call from several threads; what it throws leaves every variable as it was, unless a kernel
  // of the update itself fails.
  void run(const std::vector<const void*>& in, const std::vector<void*>& out, uint64_t step);

  // The same with a clock: seconds that each step took.
  std::vector<double> profile(const std::vector<const void*>& in, const std::vector<void*>& out,
                              uint64_t step);
  // Op and scope of each step.
  std::vector<std::pair<std::string, std::string>> step_names() const;

  // The steps with shapes, places and scopes, one per line.
  std::string describe() const;

 private:
  enum class Place : uint8_t { none, arena, persistent, variable, constant, input, result };
  struct Slot {
    Place place = Place::none;
    size_t at = 0;  // offset (arena, persistent) or number (the others)
  };
  struct Step {
    NodePtr node;
    const Kernel* kernel = nullptr;
    std::unique_ptr<Plan> body;  // of a scan, which has no kernel
    std::vector<Slot> in, out;
    size_t workspace = 0;       // bytes
    size_t prepared = 0;        // offset in persistent storage
    size_t prepared_bytes = 0;  // 0: none
  };
  struct Copy {  // after the steps: a result or an update that could not be written in place
    Slot from;
    TensorType type;
    size_t to = 0;  // number of the result or of the variable
  };
  // Values that stay from run to run until a variable they come from changes.
  struct Persistent {
    std::shared_ptr<void> memory;
    std::vector<uint64_t> versions;
    uint64_t serial = 0;  // tells one from the next
  };
  struct Instance;
  struct Lease;
  class Layout;

  void execute(const Step& step, Context& ctx, const KernelArgs& args) const;
  void run_scan(const Step& step, const KernelArgs& args) const;
  void run_timed(const std::vector<const void*>& in, const std::vector<void*>& out, uint64_t step,
                 double* seconds);
  void fill_args(const Step& step, char* arena, char* persistent, std::vector<TensorArg>& storage,
                 KernelArgs& args) const;
  void* address(const Slot& slot, char* arena, char* persistent) const;
  std::unique_ptr<Instance> make_instance() const;
  std::shared_ptr<Persistent> persistent();
  std::vector<uint64_t> versions() const;

  Graph graph_;
  const std::shared_ptr<Device> device_;
  const std::shared_ptr<ThreadPool> pool_;
  std::vector<TensorType> result_types_;

  std::vector<Step> prologue_, steps_;
  std::vector<Copy> result_copies_, update_copies_;
  bool stage_updates_ = false;  // an update copies another variable that changes too (a swap)
  std::unordered_map<Value, Slot, ValueHash> slots_;  // of storage roots
  std::vector<std::shared_ptr<VariableState>> variables_;
  std::vector<std::shared_ptr<void>> variable_memory_, constant_memory_;
  std::vector<size_t> watched_;  // variables that the prologue reads
  size_t arena_bytes_ = 0, workspace_bytes_ = 0, persistent_bytes_ = 0;

  std::mutex mutex_;  // guards what follows; held briefly
  std::vector<std::unique_ptr<Instance>> idle_;
  std::shared_ptr<Persistent> persistent_;
  uint64_t persistent_serial_ = 0;
  std::mutex update_mutex_;  // one run at a time where variables change
};

}  // namespace pk
