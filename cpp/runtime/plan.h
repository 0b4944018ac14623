// A bound graph made ready to run: kernels chosen, memory laid out, nothing left to decide.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "graph/rewrite.h"
#include "runtime/device.h"
#include "runtime/kept.h"
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
  enum class Place : uint8_t { none, arena, kept, variable, constant, input, result };
  struct Slot {
    Place place = Place::none;
    size_t at = 0;      // offset (arena) or number (the others)
    size_t offset = 0;  // within a kept piece
  };
  struct Step {
    NodePtr node;
    const Kernel* kernel = nullptr;
    std::unique_ptr<Plan> body;  // of a scan, which has no kernel
    std::vector<Slot> in, out;
    size_t workspace = 0;  // bytes
    int prepared = -1;     // number of the kept piece, -1: none
  };
  struct Copy {  // after the steps: a result or an update that could not be written in place
    Slot from;
    TensorType type;
    size_t to = 0;  // number of the result or of the variable
  };
  // The outputs of a step of the prologue, or the prepared weights of a main step.
  struct Piece {
    const Step* maker = nullptr;
    bool prepared = false;
    size_t bytes = 0;
    std::vector<size_t> watched;   // places in watched_ of the variables that it comes from
    std::shared_ptr<Kept> shared;  // null: no main step reads it, it is only there while others are made
  };
  // The pieces of one state of the variables; runs that are under way hold on to theirs.
  struct Persistent {
    std::vector<std::shared_ptr<void>> memory;  // per piece
    std::vector<uint64_t> versions;             // of watched_, read before any piece was made or taken
    uint64_t serial = 0;                        // tells one from the next
  };
  struct Instance;
  struct Lease;
  class Layout;

  void execute(const Step& step, Context& ctx, const KernelArgs& args) const;
  void run_scan(const Step& step, const KernelArgs& args) const;
  void run_timed(const std::vector<const void*>& in, const std::vector<void*>& out, uint64_t step,
                 double* seconds);
  void fill_args(const Step& step, char* arena, const Persistent* kept, std::vector<TensorArg>& storage,
                 KernelArgs& args) const;
  void* address(const Slot& slot, char* arena, const Persistent* kept) const;
  std::unique_ptr<Instance> make_instance() const;
  std::shared_ptr<Persistent> persistent();
  void provide(size_t piece, Persistent& fresh) const;
  std::shared_ptr<void> make_piece(const Piece& piece, Persistent& fresh) const;

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
  std::vector<Piece> pieces_;
  std::vector<size_t> watched_;  // numbers of the variables that some piece comes from
  size_t arena_bytes_ = 0, workspace_bytes_ = 0;

  std::mutex mutex_;  // guards what follows; held briefly, or while pieces are made
  std::vector<std::unique_ptr<Instance>> idle_;
  std::shared_ptr<Persistent> persistent_;
  uint64_t persistent_serial_ = 0;
  std::mutex update_mutex_;  // one run at a time where variables change
};

}  // namespace pk
