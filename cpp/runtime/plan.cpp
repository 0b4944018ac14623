#include "runtime/plan.h"

#include <algorithm>
#include <chrono>

#include "core/fork_gate.h"
#include "graph/op.h"
#include "graph/scan.h"
#include "runtime/arena.h"
#include "runtime/layout.h"

namespace pk {

// One set of memory and resolved arguments: as many runs may go on at once as there are instances.
struct Plan::Instance {
  std::shared_ptr<void> memory;  // arena, then workspace
  std::vector<std::vector<TensorArg>> storage;
  std::vector<KernelArgs> args;  // per step
  // Arguments whose address a run decides.
  struct Patch {
    TensorArg* arg;
    Slot slot;
  };
  std::vector<Patch> inputs, results, kept;
  std::vector<size_t> prepared;  // steps with prepared weights
  std::vector<size_t> random;    // steps that want the run's number
  uint64_t bound = 0;            // serial of the kept pieces it points into
};

// Takes an instance and gives it back, also when a kernel throws.
struct Plan::Lease {
  Plan& plan;
  std::unique_ptr<Instance> instance;
  explicit Lease(Plan& p) : plan(p) {
    {
      std::lock_guard<std::mutex> lock(plan.mutex_);
      if (!plan.idle_.empty()) {
        instance = std::move(plan.idle_.back());
        plan.idle_.pop_back();
      }
    }
    if (!instance) instance = plan.make_instance();
  }
  ~Lease() {
    std::lock_guard<std::mutex> lock(plan.mutex_);
    plan.idle_.push_back(std::move(instance));
  }
};

Plan::Plan(Graph graph, std::shared_ptr<Device> device, std::shared_ptr<ThreadPool> pool)
    : graph_(std::move(graph)), device_(std::move(device)), pool_(std::move(pool)) {
  for (size_t i = 0; i < graph_.n_results(); ++i) result_types_.push_back(graph_.outputs[i].type());
  Layout(*this).run();
}

Plan::~Plan() = default;

void* Plan::address(const Slot& s, char* arena, const Persistent* kept) const {
  switch (s.place) {
    case Place::arena:
      return arena + s.at;
    case Place::kept:
      return kept && kept->memory[s.at] ? static_cast<char*>(kept->memory[s.at].get()) + s.offset : nullptr;
    case Place::variable:
      return variable_memory_[s.at].get();
    case Place::constant:
      return constant_memory_[s.at].get();
    case Place::none:
    case Place::input:
    case Place::result:
      return nullptr;
  }
  return nullptr;
}

void Plan::fill_args(const Step& step, char* arena, const Persistent* kept, std::vector<TensorArg>& storage,
                     KernelArgs& args) const {
  const Node& node = *step.node;
  storage.resize(step.in.size() + step.out.size());
  for (size_t i = 0; i < step.in.size(); ++i) {
    storage[i].type = node.inputs[i].type();
    storage[i].data = address(step.in[i], arena, kept);
  }
  for (size_t i = 0; i < step.out.size(); ++i) {
    TensorArg& arg = storage[step.in.size() + i];
    arg.type = node.types[i];
    arg.data = address(step.out[i], arena, kept);
  }
  for (TensorArg& arg : storage) arg.size = arg.type.shape.size();
  args.in = storage.data();
  args.n_in = static_cast<int>(step.in.size());
  args.out = storage.data() + step.in.size();
  args.n_out = static_cast<int>(step.out.size());
  args.attrs = node.attrs.data();
  args.scope = node.scope.c_str();
}

std::unique_ptr<Plan::Instance> Plan::make_instance() const {
  auto inst = std::make_unique<Instance>();
  inst->memory = device_->allocate(arena_bytes_ + workspace_bytes_);
  char* arena = static_cast<char*>(inst->memory.get());
  inst->storage.resize(steps_.size());
  inst->args.resize(steps_.size());
  for (size_t s = 0; s < steps_.size(); ++s) {
    const Step& step = steps_[s];
    fill_args(step, arena, nullptr, inst->storage[s], inst->args[s]);
    if (step.workspace) inst->args[s].workspace = arena + arena_bytes_;
    const auto note = [&](const Slot& slot, TensorArg* arg) {
      if (slot.place == Place::input) inst->inputs.push_back({arg, slot});
      if (slot.place == Place::result) inst->results.push_back({arg, slot});
      if (slot.place == Place::kept) inst->kept.push_back({arg, slot});
    };
    for (size_t i = 0; i < step.in.size(); ++i) note(step.in[i], &inst->storage[s][i]);
    for (size_t i = 0; i < step.out.size(); ++i) note(step.out[i], &inst->storage[s][step.in.size() + i]);
    if (step.prepared >= 0) inst->prepared.push_back(s);
    if (draws(*step.node)) inst->random.push_back(s);
  }
  return inst;
}

std::shared_ptr<Plan::Persistent> Plan::persistent() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (persistent_) {
    bool same = true;
    for (size_t i = 0; same && i < watched_.size(); ++i)
      same = variables_[watched_[i]]->version() == persistent_->versions[i];
    if (same) return persistent_;
  }
  auto fresh = std::make_shared<Persistent>();
  for (const size_t v : watched_) fresh->versions.push_back(variables_[v]->version());
  fresh->serial = ++persistent_serial_;
  fresh->memory.resize(pieces_.size());
  persistent_.reset();
  for (size_t i = 0; i < pieces_.size(); ++i)
    if (pieces_[i].shared) provide(i, *fresh);
  for (size_t i = 0; i < pieces_.size(); ++i)
    if (!pieces_[i].shared) fresh->memory[i].reset();
  persistent_ = std::move(fresh);
  return persistent_;
}

// Takes a piece that is up to date already, here or in another plan, or makes it.
void Plan::provide(size_t i, Persistent& fresh) const {
  if (fresh.memory[i]) return;
  const Piece& piece = pieces_[i];
  if (!piece.shared) {
    fresh.memory[i] = make_piece(piece, fresh);
    return;
  }
  // Pieces that this one is made from are locked while it is: always in that order, so nobody waits in a
  // circle.
  std::lock_guard<std::mutex> lock(piece.shared->mutex);
  // The versions are those from before this round began: what a variable becomes meanwhile may be in this
  // piece and not in one that it is made from.
  std::vector<uint64_t> wanted;
  for (const size_t w : piece.watched) wanted.push_back(fresh.versions[w]);
  if (!piece.shared->serves(wanted)) {
    piece.shared->memory.reset();
    piece.shared->memory = make_piece(piece, fresh);
    piece.shared->versions = std::move(wanted);
  }
  fresh.memory[i] = piece.shared->memory;
}

std::shared_ptr<void> Plan::make_piece(const Piece& piece, Persistent& fresh) const {
  const Step& step = *piece.maker;
  const int wanted = piece.prepared ? step.kernel->prepare_input : -1;
  for (size_t k = 0; k < step.in.size(); ++k)
    if (step.in[k].place == Place::kept && (wanted < 0 || wanted == static_cast<int>(k)))
      provide(step.in[k].at, fresh);
  std::shared_ptr<void> memory = device_->allocate(piece.bytes);
  std::vector<TensorArg> storage;
  KernelArgs args;
  fill_args(step, nullptr, &fresh, storage, args);
  Context ctx{*pool_};
  if (piece.prepared) {
    step.kernel->prepare(ctx, args, memory.get());
    return memory;
  }
  for (size_t k = 0; k < step.out.size(); ++k)
    storage[step.in.size() + k].data = static_cast<char*>(memory.get()) + step.out[k].offset;
  std::shared_ptr<void> workspace;
  if (step.workspace) args.workspace = (workspace = device_->allocate(step.workspace)).get();
  execute(step, ctx, args);
  return memory;
}

void Plan::execute(const Step& step, Context& ctx, const KernelArgs& args) const {
  if (step.kernel)
    step.kernel->run(ctx, args);
  else
    run_scan(step, args);
}

// Carries go straight from one step's output to the next one's input: through the saved sequence
// where there is one, else through two buffers in turn.
void Plan::run_scan(const Step& step, const KernelArgs& args) const {
  const auto& a = step.node->attrs.as<ScanAttrs>();
  const size_t n_carry = static_cast<size_t>(a.n_carry), n_loop = n_carry + static_cast<size_t>(a.n_xs);
  const size_t n_in = static_cast<size_t>(args.n_in), n_out = step.body->results().size();
  const int64_t steps = args.in[n_carry].shape()[0];
  const auto bytes = [&](size_t i) { return static_cast<size_t>(args.in[i].type.bytes()); };
  std::vector<const void*> in(n_in);
  std::vector<void*> out(n_out);
  std::vector<char*> turn[2];
  char* workspace = static_cast<char*>(args.workspace);
  for (size_t i = 0; i < n_carry; ++i)
    for (auto& buffers : turn) {
      buffers.push_back(workspace);
      workspace += (bytes(i) + kAlignment - 1) / kAlignment * kAlignment;
    }
  for (size_t i = n_loop; i < n_in; ++i) in[i] = args.in[i].data;
  for (size_t i = 0; i < n_carry; ++i) in[i] = args.in[i].data;
  const auto saved = [&](size_t i, int64_t t) {
    return args.out[n_out + i].as<char>() + static_cast<size_t>(t) * bytes(i);
  };
  for (int64_t k = 0; k < steps; ++k) {
    const int64_t t = a.reverse ? steps - 1 - k : k, after = a.reverse ? t - 1 : t + 1;
    const bool last = k + 1 == steps;
    if (k == 0 && a.save)
      for (size_t i = 0; i < n_carry; ++i) device_->copy(saved(i, t), in[i], bytes(i));
    for (size_t i = n_carry; i < n_loop; ++i)
      in[i] = args.in[i].as<char>() + static_cast<size_t>(t) * (bytes(i) / static_cast<size_t>(steps));
    for (size_t i = 0; i < n_carry; ++i)
      out[i] = last ? args.out[i].data : a.save ? saved(i, after) : turn[k % 2][i];
    for (size_t i = n_carry; i < n_out; ++i)
      out[i] = args.out[i].as<char>() +
               static_cast<size_t>(t) * static_cast<size_t>(step.body->results()[i].bytes());
    // Every step of every run draws other numbers; a gradient's reversed loop draws them again.
    step.body->run(in, out, (args.step << 20) + static_cast<uint64_t>(t));
    for (size_t i = 0; i < n_carry; ++i) in[i] = out[i];
  }
  if (steps == 0)
    for (size_t i = 0; i < n_carry; ++i) device_->copy(args.out[i].data, in[i], bytes(i));
}

void Plan::run(const std::vector<const void*>& in, const std::vector<void*>& out, uint64_t step) {
  run_timed(in, out, step, nullptr);
}

std::vector<double> Plan::profile(const std::vector<const void*>& in, const std::vector<void*>& out,
                                  uint64_t step) {
  std::vector<double> seconds(steps_.size());
  run_timed(in, out, step, seconds.data());
  return seconds;
}

std::vector<std::pair<std::string, std::string>> Plan::step_names() const {
  std::vector<std::pair<std::string, std::string>> names;
  for (const Step& s : steps_) names.emplace_back(s.node->op->name, s.node->scope);
  return names;
}

void Plan::run_timed(const std::vector<const void*>& in, const std::vector<void*>& out, uint64_t step,
                     double* seconds) {
  const ForkPass pass;
  std::unique_lock<std::mutex> updating;
  if (!graph_.updated.empty()) updating = std::unique_lock<std::mutex>(update_mutex_);
  std::shared_ptr<Persistent> kept;
  if (!pieces_.empty()) kept = persistent();
  const Lease lease(*this);
  Instance& inst = *lease.instance;
  if (kept && inst.bound != kept->serial) {
    for (const auto& p : inst.kept) p.arg->data = address(p.slot, nullptr, kept.get());
    for (const size_t s : inst.prepared)
      inst.args[s].prepared = kept->memory[static_cast<size_t>(steps_[s].prepared)].get();
    inst.bound = kept->serial;
  }
  for (const auto& p : inst.inputs) p.arg->data = const_cast<void*>(in[p.slot.at]);
  for (const auto& p : inst.results) p.arg->data = out[p.slot.at];
  for (const size_t s : inst.random) inst.args[s].step = step;

  Context ctx{*pool_};
  const size_t n = steps_.size();
  if (!seconds) {
    for (size_t s = 0; s < n; ++s) execute(steps_[s], ctx, inst.args[s]);
  } else {
    using Clock = std::chrono::steady_clock;
    for (size_t s = 0; s < n; ++s) {
      const Clock::time_point begin = Clock::now();
      execute(steps_[s], ctx, inst.args[s]);
      seconds[s] = std::chrono::duration<double>(Clock::now() - begin).count();
    }
  }

  char* arena = static_cast<char*>(inst.memory.get());
  const auto source = [&](const Slot& s) -> const void* {
    if (s.place == Place::input) return in[s.at];
    if (s.place == Place::result) return out[s.at];
    return address(s, arena, kept.get());
  };
  for (const Copy& c : result_copies_)
    device_->copy(out[c.to], source(c.from), static_cast<size_t>(c.type.bytes()));
  const auto commit = [&](const Copy& c, const void* from) {
    device_->copy(variable_memory_[c.to].get(), from, static_cast<size_t>(c.type.bytes()));
  };
  if (stage_updates_) {
    std::vector<std::shared_ptr<void>> staged;
    for (const Copy& c : update_copies_) {
      staged.push_back(device_->allocate(static_cast<size_t>(c.type.bytes())));
      device_->copy(staged.back().get(), source(c.from), static_cast<size_t>(c.type.bytes()));
    }
    for (size_t i = 0; i < staged.size(); ++i) commit(update_copies_[i], staged[i].get());
  } else {
    for (const Copy& c : update_copies_) commit(c, source(c.from));
  }
  for (const auto& v : graph_.updated) v->changed();
}

std::string Plan::describe() const {
  static const char* const kPlaces[] = {"-", "arena", "kept", "variable", "constant", "input", "result"};
  std::ostringstream text;
  size_t kept = 0;
  for (const Piece& p : pieces_)
    if (p.shared) kept += p.bytes;
  text << "device " << device_->name() << ", " << pool_->size() << " threads, " << steps_.size()
       << " steps after " << prologue_.size() << " kept from run to run; arena " << arena_bytes_
       << " bytes, workspace " << workspace_bytes_ << ", kept " << kept << "\n";
  const auto place = [&](const Slot& s) {
    text << kPlaces[static_cast<int>(s.place)];
    if (s.place != Place::none) text << "@" << s.at;
    if (s.offset) text << "+" << s.offset;
  };
  const auto show = [&](const Step& step, const char* mark) {
    text << mark << step.node->op->name << "(";
    const std::string attrs = step.node->attrs.str();
    for (size_t i = 0; i < step.in.size(); ++i) {
      text << (i ? ", " : "") << step.node->inputs[i].shape() << " ";
      place(step.in[i]);
    }
    text << (attrs.empty() ? "" : "; ") << attrs << ") ->";
    for (size_t i = 0; i < step.out.size(); ++i) {
      text << " " << step.node->types[i].shape << " ";
      place(step.out[i]);
    }
    if (step.prepared >= 0)
      text << " [prepared " << pieces_[static_cast<size_t>(step.prepared)].bytes << " bytes]";
    if (!step.node->scope.empty()) text << "  # " << step.node->scope;
    text << "\n";
    if (step.body) text << "      each step: " << step.body->describe() << "      end of the loop\n";
  };
  for (const Step& s : prologue_) show(s, "once  ");
  for (const Step& s : steps_) show(s, "      ");
  text << result_copies_.size() << " results copied, " << update_copies_.size() << " of "
       << graph_.updated.size() << " updates copied\n";
  return text.str();
}

}  // namespace pk
