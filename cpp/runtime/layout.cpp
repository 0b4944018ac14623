#include "runtime/layout.h"

#include <algorithm>

#include "graph/op.h"
#include "graph/scan.h"
#include "runtime/arena.h"
#include "runtime/function.h"

namespace pk {

namespace {

bool is_source(const Node& node) { return node.inputs.empty() && !node.op->no_kernel.empty(); }
bool is_alias(const Node& node) { return node.op->alias >= 0; }

size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

size_t bytes_of(const Value& v) { return static_cast<size_t>(v.type().bytes()); }

}  // namespace

void Plan::Layout::run() {
  schedule();
  kept_ = run_constant_nodes(graph_);
  place_sources();
  make_steps();
  find_lifetimes();
  place_results();
  place_updates();
  share_in_place();
  place_arena();
  finish_steps();
}

Value Plan::Layout::root(Value v) const {
  while (is_alias(*v.node)) v = v.node->inputs[static_cast<size_t>(v.node->op->alias)];
  return v;
}

// Nodes that make a new value of a variable come last: then every other reader of the old value
// has run, and most of them can write straight into the variable.
void Plan::Layout::schedule() {
  std::unordered_set<const Node*> last;
  std::vector<Value> before(graph_.outputs.begin(),
                            graph_.outputs.begin() + static_cast<long>(graph_.n_results()));
  for (size_t i = graph_.n_results(); i < graph_.outputs.size(); ++i) {
    const NodePtr node = root(graph_.outputs[i]).node;
    last.insert(node.get());
    before.insert(before.end(), node->inputs.begin(), node->inputs.end());
  }
  std::unordered_set<const Node*> needed;
  for (const NodePtr& n : topological_data(graph_.outputs)) needed.insert(n.get());
  std::unordered_set<const Node*> done;
  for (const auto& values : {before, graph_.outputs})
    for (const NodePtr& n : topological(values))
      if (needed.count(n.get()) && done.insert(n.get()).second) order_.push_back(n);
}

int Plan::Layout::variable_number(const std::shared_ptr<VariableState>& state) {
  auto& all = plan_.variables_;
  const auto it = std::find(all.begin(), all.end(), state);
  if (it != all.end()) return static_cast<int>(it - all.begin());
  all.push_back(state);
  plan_.variable_memory_.push_back(state->on(plan_.device_));
  return static_cast<int>(all.size()) - 1;
}

void Plan::Layout::place_sources() {
  for (size_t i = 0; i < graph_.inputs.size(); ++i)
    if (is_op(graph_.inputs[i], "placeholder")) plan_.slots_[graph_.inputs[i]] = {Place::input, i};
  for (const NodePtr& node : order_) {
    const Value v{node, 0};
    if (node->op->name == "variable") {
      plan_.slots_[v] = {Place::variable, static_cast<size_t>(variable_number(node->variable))};
    } else if (node->op->name == "constant") {
      const HostTensor& c = node->constant;
      std::shared_ptr<void> memory = c.data;
      if (!plan_.device_->shares_host_memory()) {
        memory = plan_.device_->allocate(bytes_of(v));
        plan_.device_->copy_in(memory.get(), c.data.get(), bytes_of(v));
      }
      plan_.slots_[v] = {Place::constant, plan_.constant_memory_.size()};
      plan_.constant_memory_.push_back(std::move(memory));
    }
  }
  for (const auto& state : graph_.updated) variable_number(state);
}

void Plan::Layout::make_steps() {
  for (const NodePtr& node : order_) {
    const OpDef& op = *node->op;
    if (is_source(*node) || is_alias(*node)) continue;
    Step step;
    step.node = node;
    const DType dtype = op.dispatch_input < 0 || node->inputs.empty()
                            ? node->types[0].dtype
                            : node->inputs[static_cast<size_t>(op.dispatch_input)].dtype();
    if (op.name == "scan")
      step.body =
          std::make_unique<Plan>(run_passes(*node->attrs.as<ScanAttrs>().body), plan_.device_, plan_.pool_);
    else
      step.kernel = plan_.device_->kernel(op.name, dtype);
    if (!step.kernel && !step.body)
      throw RuntimeError(cat("op '", op.name, "' of '", node->scope, "' has no kernel for ", dtype,
                             " on device '", plan_.device_->name(), "'"));
    if (kept_.count(node.get())) {
      place_kept(step);
      plan_.prologue_.push_back(std::move(step));
    } else {
      step_of_[node.get()] = static_cast<int>(plan_.steps_.size());
      plan_.steps_.push_back(std::move(step));
    }
  }
}

// The outputs of one step of the prologue are one piece.
void Plan::Layout::place_kept(Step& step) {
  Piece piece;
  for (size_t i = 0; i < step.node->types.size(); ++i) {
    const Value v{step.node, static_cast<int>(i)};
    plan_.slots_[v] = {Place::kept, plan_.pieces_.size(), piece.bytes};
    piece.bytes += std::max(aligned(bytes_of(v)), kAlignment);
  }
  plan_.pieces_.push_back(std::move(piece));
}

void Plan::Layout::find_lifetimes() {
  for (size_t s = 0; s < plan_.steps_.size(); ++s) {
    const Node& node = *plan_.steps_[s].node;
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (!node.op->is_shape_only(static_cast<int>(i))) last_[root(node.inputs[i])] = static_cast<int>(s);
  }
}

int Plan::Layout::last_read(const Value& r) const {
  const auto it = last_.find(r);
  return it == last_.end() ? -1 : it->second;
}

// A result that a step computes is written straight to the caller's array; the second result with
// the same value, and one that is an input, variable or constant, is copied at the end.
void Plan::Layout::place_results() {
  for (size_t k = 0; k < graph_.n_results(); ++k) {
    const Value r = root(graph_.outputs[k]);
    if (!placed(r)) {
      plan_.slots_[r] = {Place::result, k};
      continue;
    }
    plan_.result_copies_.push_back({plan_.slots_[r], graph_.outputs[k].type(), k});
    read_at_end_.insert(r);
  }
}

// An update is written in place when its step is the last reader of the old value and may
// overwrite what it reads (or does not read it at all).
void Plan::Layout::place_updates() {
  // An update that is another variable's old value reads it after the steps.
  for (size_t k = graph_.n_results(); k < graph_.outputs.size(); ++k)
    if (const Value r = root(graph_.outputs[k]); placed(r)) read_at_end_.insert(r);
  std::vector<std::pair<Value, size_t>> copied;
  for (size_t k = 0; k < graph_.updated.size(); ++k) {
    const Value value = graph_.outputs[graph_.n_results() + k];
    const Value r = root(value);
    const size_t variable = static_cast<size_t>(variable_number(graph_.updated[k]));
    const auto step = step_of_.find(r.node.get());
    bool in_place = !placed(r) && step != step_of_.end();
    // All nodes of this variable (there is one per K.variable, but nothing forbids more).
    for (const NodePtr& node : order_) {
      if (!in_place) break;
      const Value old{node, 0};
      if (node->variable != graph_.updated[k]) continue;
      if (read_at_end_.count(old)) in_place = false;
      const int last = last_read(old);
      if (last > step->second) in_place = false;
      if (last == step->second) {
        const Node& maker = *r.node;
        if (!maker.op->in_place) in_place = false;
        for (const Value& v : maker.inputs)
          if (root(v) == old && !(v.type() == r.type())) in_place = false;
      }
    }
    if (in_place)
      plan_.slots_[r] = {Place::variable, variable};
    else
      copied.emplace_back(r, variable);
  }
  for (const auto& [r, variable] : copied) {
    read_at_end_.insert(r);
    plan_.update_copies_.push_back({placed(r) ? plan_.slots_[r] : Slot{}, r.type(), variable});
    if (r.node->variable && graph_.updates(r)) plan_.stage_updates_ = true;
  }
}

// Pointwise steps write over an input that nobody needs any more.
void Plan::Layout::share_in_place() {
  std::unordered_set<Value, ValueHash> taken;
  for (size_t s = 0; s < plan_.steps_.size(); ++s) {
    const NodePtr& node = plan_.steps_[s].node;
    if (!node->op->in_place) continue;
    for (size_t o = 0; o < node->types.size(); ++o) {
      const Value out{node, static_cast<int>(o)};
      if (placed(out)) continue;
      for (size_t i = 0; i < node->inputs.size(); ++i) {
        const Value& in = node->inputs[i];
        const Value r = root(in);
        if (node->op->is_shape_only(static_cast<int>(i)) || placed(r) || !step_of_.count(r.node.get()) ||
            read_at_end_.count(r) || last_read(r) != static_cast<int>(s) || !(in.type() == out.type()) ||
            taken.count(r))
          continue;
        taken.insert(r);
        shares_[out] = r;
        break;
      }
    }
  }
}

void Plan::Layout::place_arena() {
  const int end = static_cast<int>(plan_.steps_.size());
  std::vector<Lifetime> buffers;
  std::unordered_map<Value, size_t, ValueHash> buffer_of;
  for (int s = 0; s < end; ++s) {
    const NodePtr& node = plan_.steps_[static_cast<size_t>(s)].node;
    for (size_t o = 0; o < node->types.size(); ++o) {
      const Value v{node, static_cast<int>(o)};
      if (placed(v)) continue;
      const int last = read_at_end_.count(v) ? end : std::max(s, last_read(v));
      const auto shared = shares_.find(v);
      if (shared != shares_.end()) {
        const size_t b = buffer_of.at(shared->second);
        buffers[b].last = std::max(buffers[b].last, last);
        buffer_of[v] = b;
        continue;
      }
      buffer_of[v] = buffers.size();
      buffers.push_back({std::max(bytes_of(v), size_t{1}), s, last, 0});
    }
  }
  plan_.arena_bytes_ = plan_arena(buffers);
  for (const auto& [value, b] : buffer_of) plan_.slots_[value] = {Place::arena, buffers[b].offset};
  // Updates that are copied from a place that was not known before.
  for (size_t k = 0, c = 0; k < graph_.updated.size(); ++k) {
    const Value r = root(graph_.outputs[graph_.n_results() + k]);
    const size_t variable = static_cast<size_t>(variable_number(graph_.updated[k]));
    if (c < plan_.update_copies_.size() && plan_.update_copies_[c].to == variable)
      plan_.update_copies_[c++].from = plan_.slots_.at(r);
  }
}

void Plan::Layout::finish_steps() {
  const auto slot = [&](const Value& v) { return plan_.slots_.at(root(v)); };
  Context ctx{*plan_.pool_};
  const auto finish = [&](Step& step) {
    const Node& node = *step.node;
    for (size_t i = 0; i < node.inputs.size(); ++i)
      step.in.push_back(node.op->is_shape_only(static_cast<int>(i)) ? Slot{} : slot(node.inputs[i]));
    for (size_t i = 0; i < node.types.size(); ++i) step.out.push_back(slot({step.node, static_cast<int>(i)}));
    if (step.body) {  // two buffers for each carry
      for (int64_t i = 0; i < node.attrs.as<ScanAttrs>().n_carry; ++i)
        step.workspace += 2 * aligned(bytes_of(node.inputs[static_cast<size_t>(i)]));
      plan_.workspace_bytes_ = std::max(plan_.workspace_bytes_, step.workspace);
      return;
    }
    const Kernel& k = *step.kernel;
    std::vector<TensorArg> storage;
    KernelArgs args;
    plan_.fill_args(step, nullptr, nullptr, storage, args);
    if (k.prepare_input >= 0 && step_of_.count(step.node.get()) &&
        kept_.count(root(node.inputs[static_cast<size_t>(k.prepare_input)]).node.get())) {
      if (const size_t bytes = k.prepared_bytes(args)) {
        args.keeps_prepared = true;
        step.prepared = static_cast<int>(plan_.pieces_.size());
        plan_.pieces_.push_back({&step, true, bytes, {}, nullptr});
      }
    }
    if (k.workspace) step.workspace = aligned(k.workspace(ctx, args));
    plan_.workspace_bytes_ = std::max(plan_.workspace_bytes_, step.workspace);
  };
  for (size_t i = 0; i < plan_.prologue_.size(); ++i) {  // the first pieces are those of the prologue
    finish(plan_.prologue_[i]);
    plan_.pieces_[i].maker = &plan_.prologue_[i];
  }
  for (Step& step : plan_.steps_) finish(step);
  share_pieces();
}

// What the main steps read is kept and shared; what is only a stage on the way to that is not kept.
void Plan::Layout::share_pieces() {
  std::vector<bool> needed(plan_.pieces_.size());
  const auto need = [&](const Slot& slot) {
    if (slot.place == Place::kept) needed[slot.at] = true;
  };
  for (const Step& step : plan_.steps_) {
    if (step.prepared >= 0) needed[static_cast<size_t>(step.prepared)] = true;
    for (size_t i = 0; i < step.in.size(); ++i)
      if (step.prepared < 0 || static_cast<int>(i) != step.kernel->prepare_input) need(step.in[i]);
  }
  for (const Copy& copy : plan_.result_copies_) need(copy.from);
  for (const Copy& copy : plan_.update_copies_) need(copy.from);

  KeyWriter keys;
  auto& watched = plan_.watched_;
  for (size_t i = 0; i < plan_.pieces_.size(); ++i) {
    Piece& piece = plan_.pieces_[i];
    const NodePtr& node = piece.maker->node;
    const Value from = piece.prepared ? node->inputs[static_cast<size_t>(piece.maker->kernel->prepare_input)]
                                      : Value{node, 0};
    for (const auto& state : keys.variables(from)) {
      const size_t variable = static_cast<size_t>(variable_number(state));
      const auto place = std::find(watched.begin(), watched.end(), variable);
      piece.watched.push_back(static_cast<size_t>(place - watched.begin()));
      if (place == watched.end()) watched.push_back(variable);
    }
    if (!needed[i]) continue;
    std::string key = keys.of(from);
    if (key.empty()) {
      piece.shared = std::make_shared<Kept>();
      continue;
    }
    // Another device or instruction set makes other pieces.
    key = cat(current_epoch(), " ", plan_.device_->name(), " ", key);
    if (piece.prepared)
      key = cat("for ", node->op->name, "(", node->attrs.str(), ") ", key, from.shape(), piece.bytes);
    piece.shared = shared_piece(key, piece.bytes);
  }
}

}  // namespace pk
