#include "graph/scan.h"

#include <atomic>

#include "graph/autodiff.h"
#include "graph/build.h"
#include "graph/op.h"

namespace pk {

namespace {

// Is `is` true for the node's op or for one of its body?
bool any_inside(const Node& node, bool (*is)(const OpDef&)) {
  if (is(*node.op)) return true;
  if (node.op->name != "scan") return false;
  for (const NodePtr& inner : topological(node.attrs.as<ScanAttrs>().body->outputs))
    if (any_inside(*inner, is)) return true;
  return false;
}

std::string next_body_name() {
  static std::atomic<uint64_t> counter{0};
  return cat("body ", ++counter);
}

Shape with_time(int64_t steps, const Shape& element) {
  Shape s = element;
  s.insert(0, steps);
  return s;
}

Shape without_time(const Shape& sequence) {
  Shape s = sequence;
  s.erase(0);
  return s;
}

// The body's outputs for these types of its inputs.
std::vector<Value> body_outputs(const Graph& body, const std::vector<TensorType>& types,
                                std::vector<Value>& inputs) {
  std::unordered_map<Value, Value, ValueHash> map;
  for (size_t i = 0; i < body.inputs.size(); ++i) {
    const bool same = body.inputs[i].type() == types[i];
    inputs.push_back(same ? body.inputs[i] : make_placeholder(types[i], body.inputs[i].node->scope));
    if (!same) map[body.inputs[i]] = inputs.back();
  }
  return map.empty() ? body.outputs : substitute(body.outputs, map);
}

std::vector<TensorType> scan_types(const InferContext& ctx) {
  const auto& a = ctx.attrs.as<ScanAttrs>();
  const Graph& body = *a.body;
  const int n_carry = static_cast<int>(a.n_carry), n_loop = n_carry + static_cast<int>(a.n_xs);
  if (ctx.n_in() != static_cast<int>(body.inputs.size()))
    ctx.fail("takes ", body.inputs.size(), " inputs, got ", ctx.n_in());
  int64_t steps = kUnknown;
  std::vector<TensorType> types = ctx.in;
  for (int i = n_carry; i < n_loop; ++i) {
    if (ctx.shape(i).rank() == 0) ctx.fail("a sequence must have at least one dimension");
    const int64_t n = ctx.shape(i)[0];
    if (steps != kUnknown && n != kUnknown && n != steps)
      ctx.fail("the sequences have different lengths: ", steps, " and ", n);
    if (n != kUnknown) steps = n;
    types[static_cast<size_t>(i)].shape = without_time(ctx.shape(i));
  }
  std::vector<Value> inputs;
  const std::vector<Value> outputs = body_outputs(body, types, inputs);
  std::vector<TensorType> out;
  for (size_t i = 0; i < outputs.size(); ++i) {
    TensorType t = outputs[i].type();
    if (i < static_cast<size_t>(n_carry)) {
      if (t.dtype != types[i].dtype || !compatible(t.shape, types[i].shape))
        ctx.fail("state ", i, " starts with shape ", types[i].shape, " ", types[i].dtype, " and becomes ",
                 t.shape, " ", t.dtype, "; both must be the same");
      t.shape = types[i].shape;
    } else {
      t.shape = with_time(steps, t.shape);
    }
    out.push_back(t);
  }
  if (a.save)
    for (int i = 0; i < n_carry; ++i)
      out.push_back(
          {types[static_cast<size_t>(i)].dtype, with_time(steps, types[static_cast<size_t>(i)].shape)});
  return out;
}

// The body for computing its values again: what it prints was printed the first time.
Graph without_effects(const Graph& body) {
  return rebuild(body, [](const NodePtr& node, const std::vector<Value>& in) -> std::vector<Value> {
    if (node->op->effect) return {in[0]};
    if (node->op->name != "scan" || !acts(*node)) return {};
    ScanAttrs a = node->attrs.as<ScanAttrs>();
    a.body = std::make_shared<Graph>(without_effects(*a.body));
    a.text = next_body_name();
    const ScopeGuard scope(node->scope);
    return call_all("scan", in, a);
  });
}

// The gradient is the scan in the other direction. Its steps compute the body again from the saved
// carries; the gradients of the loop's constants are carries that add up.
std::vector<Value> scan_vjp(const VjpContext& ctx) {
  const auto& a = ctx.attr<ScanAttrs>();
  const Graph body = without_effects(*a.body);
  const size_t n_carry = static_cast<size_t>(a.n_carry), n_loop = n_carry + static_cast<size_t>(a.n_xs);
  const size_t n_in = body.inputs.size(), n_emit = body.outputs.size() - n_carry;
  PK_ASSERT(a.save);

  // Fresh placeholders: the forward body's own must not be shared with another loop.
  std::unordered_map<Value, Value, ValueHash> map;
  std::vector<Value> inputs;
  for (const Value& v : body.inputs)
    map[v] = (inputs.push_back(make_placeholder(v.type(), v.node->scope)), inputs.back());
  const std::vector<Value> outputs = substitute(body.outputs, map);

  std::vector<Value> carry, initial, x, sequences, ys, gys;
  for (size_t i = 0; i < n_carry; ++i) {  // gradients of the carries
    if (!is_float(outputs[i].dtype())) continue;
    carry.push_back(make_placeholder(inputs[i].type(), "gradient"));
    initial.push_back(ctx.g(static_cast<int>(i)) ? ctx.g(static_cast<int>(i))
                                                 : zeros_like(ctx.y(static_cast<int>(i))));
    ys.push_back(outputs[i]);
    gys.push_back(carry.back());
  }
  for (size_t e = 0; e < n_emit; ++e) {  // gradients of what was emitted
    const Value& g = ctx.g(static_cast<int>(n_carry + e));
    if (!g) continue;
    x.push_back(make_placeholder(outputs[n_carry + e].type(), "gradient"));
    sequences.push_back(g);
    ys.push_back(outputs[n_carry + e]);
    gys.push_back(x.back());
  }
  for (size_t i = 0; i < n_carry; ++i) {  // and of the saved carries: a second derivative reads them
    const Value& g = ctx.g(static_cast<int>(n_carry + n_emit + i));
    if (!g) continue;
    x.push_back(make_placeholder(inputs[i].type(), "gradient"));
    sequences.push_back(g);
    ys.push_back(inputs[i]);
    gys.push_back(x.back());
  }
  std::vector<Value> wanted;
  std::vector<size_t> which;
  for (size_t i = 0; i < n_in; ++i)
    if (is_float(inputs[i].dtype())) {
      wanted.push_back(inputs[i]);
      which.push_back(i);
    }
  const std::vector<Value> grads = gradients(ys, wanted, gys);

  for (size_t i = 0; i < n_loop; ++i) {  // what the steps began with
    x.push_back(inputs[i]);
    sequences.push_back(i < n_carry ? ctx.y(static_cast<int>(n_carry + n_emit + i))
                                    : ctx.x(static_cast<int>(i)));
  }
  std::vector<Value> next, emit, added;
  std::vector<int> from(n_in, -1);  // the output of the new scan that is the gradient of input i
  for (size_t k = 0; k < which.size(); ++k)
    if (which[k] < n_carry) {
      from[which[k]] = static_cast<int>(next.size());
      next.push_back(grads[k] ? grads[k] : zeros_like(inputs[which[k]]));
    }
  for (size_t k = 0; k < which.size(); ++k)
    if (which[k] >= n_loop && grads[k]) {
      const Value sum = make_placeholder(inputs[which[k]].type(), "gradient");
      from[which[k]] = static_cast<int>(next.size());
      carry.push_back(sum);
      initial.push_back(zeros_like(ctx.x(static_cast<int>(which[k]))));
      next.push_back(sum + grads[k]);
    }
  for (size_t k = 0; k < which.size(); ++k)
    if (which[k] >= n_carry && which[k] < n_loop && grads[k]) {
      from[which[k]] = -2 - static_cast<int>(emit.size());
      emit.push_back(grads[k]);
    }
  // The loop's constants: bound to the outer values again.
  std::unordered_map<Value, Value, ValueHash> constants;
  std::vector<Value> fixed;
  for (size_t i = n_loop; i < n_in; ++i) {
    fixed.push_back(ctx.x(static_cast<int>(i)));
    constants[inputs[i]] = fixed.back();
  }
  next = substitute(next, constants);
  emit = substitute(emit, constants);

  const std::vector<Value> result =
      make_scan(carry, x, next, emit, initial, sequences, !a.reverse, ctx.node->scope, 0, fixed);
  std::vector<Value> dx(n_in);
  for (size_t i = 0; i < n_in; ++i) {
    if (from[i] >= 0) dx[i] = result[static_cast<size_t>(from[i])];
    if (from[i] <= -2) dx[i] = result[next.size() + static_cast<size_t>(-2 - from[i])];
  }
  return dx;
}

const OpBuilder scan_op = op<ScanAttrs>("scan")
                              .arity(1, -1)
                              .outputs(-1)
                              .infer(scan_types)
                              .vjp(scan_vjp)
                              .no_kernel("its body is a plan of its own");

// Without a gradient nobody reads what a loop saves for it.
Graph prune_saved(const Graph& graph) {
  const Uses uses(graph);
  return rebuild(graph, [&](const NodePtr& node, const std::vector<Value>& in) -> std::vector<Value> {
    const std::string& name = node->op->name;
    Attrs attrs;
    size_t kept = 0;  // outputs that stay
    if (name == "scan") {
      ScanAttrs a = node->attrs.as<ScanAttrs>();
      if (!a.save) return {};
      kept = a.body->outputs.size();
      a.save = false;
      attrs = a;
    } else if (name == "lstm" || name == "gru") {
      RnnAttrs a = node->attrs.as<RnnAttrs>();
      if (!a.save) return {};
      kept = name == "lstm" ? 2 : 1;
      a.save = false;
      attrs = a;
    } else {
      return {};
    }
    for (size_t i = kept; i < node->types.size(); ++i)
      if (uses.count({node, static_cast<int>(i)})) return {};
    const NodePtr made = make_node(*node->op, in, attrs, node->scope);
    std::vector<Value> out;
    for (size_t i = 0; i < node->types.size(); ++i) out.push_back({made, static_cast<int>(i < kept ? i : 0)});
    return out;
  });
}

const PassRegistrar registrar("prune_saved", 5, prune_saved);

}  // namespace

bool draws(const Node& node) {
  return any_inside(node, [](const OpDef& op) { return op.random; });
}

bool acts(const Node& node) {
  return any_inside(node, [](const OpDef& op) { return op.effect; });
}

std::vector<Value> substitute(const std::vector<Value>& values,
                              const std::unordered_map<Value, Value, ValueHash>& replacements) {
  std::unordered_set<const Node*> stop;
  for (const auto& entry : replacements) stop.insert(entry.first.node.get());
  std::unordered_map<Value, Value, ValueHash> done = replacements;
  const auto mapped = [&](const Value& v) {
    const auto it = done.find(v);
    return it == done.end() ? v : it->second;
  };
  for (const NodePtr& node : topological(values, stop)) {
    std::vector<Value> inputs;
    bool changed = false;
    for (const Value& v : node->inputs) {
      inputs.push_back(mapped(v));
      changed = changed || !(inputs.back() == v);
    }
    if (!changed || stop.count(node.get())) continue;
    const NodePtr made = make_node(*node->op, std::move(inputs), node->attrs, node->scope);
    for (size_t i = 0; i < node->types.size(); ++i)
      done[{node, static_cast<int>(i)}] = {made, static_cast<int>(i)};
  }
  std::vector<Value> result;
  for (const Value& v : values) result.push_back(mapped(v));
  return result;
}

std::vector<Value> make_scan(const std::vector<Value>& carry, const std::vector<Value>& x,
                             const std::vector<Value>& next, const std::vector<Value>& emit,
                             const std::vector<Value>& initial, const std::vector<Value>& sequences,
                             bool reverse, const std::string& scope, uint64_t since,
                             const std::vector<Value>& fixed) {
  if (carry.size() != next.size() || carry.size() != initial.size() || x.size() != sequences.size())
    throw ValueError(cat("a scan has ", carry.size(), " states, ", next.size(), " new ones and ",
                         initial.size(), " initial ones; ", x.size(), " elements of ", sequences.size(),
                         " sequences"));
  if (sequences.empty()) throw ValueError("a scan needs a sequence to run over");
  std::vector<Value> outputs = next;
  outputs.insert(outputs.end(), emit.begin(), emit.end());

  // What changes from step to step: whatever depends on the body's inputs, and the body's random draws
  // and prints.
  std::unordered_set<const Node*> changing, inside, outside;
  for (const auto* list : {&carry, &x})
    for (const Value& v : *list) inside.insert(v.node.get());
  for (const Value& v : fixed) outside.insert(v.node.get());
  const auto stays_inside = [](const Value& v) {
    return is_op(v, "learning_phase") || (is_op(v, "constant") && v.node->constant.type.bytes() <= 64);
  };
  std::vector<Value> captured;
  std::unordered_map<Value, Value, ValueHash> replaced;
  const auto capture = [&](const Value& v) {
    if (changing.count(v.node.get()) || stays_inside(v) || replaced.count(v)) return;
    captured.push_back(v);
    replaced[v] = make_placeholder(v.type(), v.node->scope);
  };
  std::unordered_set<const Node*> ends = inside;
  ends.insert(outside.begin(), outside.end());
  const std::vector<NodePtr> order = topological(outputs, ends);
  for (const NodePtr& node : order) {
    if (outside.count(node.get())) continue;
    bool changes = ((node->op->random || node->op->effect) && node->id >= since) || inside.count(node.get());
    if (!inside.count(node.get()))
      for (const Value& v : node->inputs) changes = changes || changing.count(v.node.get());
    if (changes) changing.insert(node.get());
  }
  for (const NodePtr& node : order)
    if (changing.count(node.get()) && !inside.count(node.get()))
      for (const Value& v : node->inputs) capture(v);
  for (const Value& v : outputs) capture(v);

  Graph body;
  body.inputs = carry;
  body.inputs.insert(body.inputs.end(), x.begin(), x.end());
  for (const Value& v : captured) body.inputs.push_back(replaced[v]);
  body.outputs = substitute(outputs, replaced);

  ScanAttrs attrs;
  attrs.body = std::make_shared<Graph>(std::move(body));
  attrs.n_carry = static_cast<int64_t>(carry.size());
  attrs.n_xs = static_cast<int64_t>(x.size());
  attrs.reverse = reverse;
  attrs.text = next_body_name();
  std::vector<Value> inputs = initial;
  inputs.insert(inputs.end(), sequences.begin(), sequences.end());
  inputs.insert(inputs.end(), captured.begin(), captured.end());
  const ScopeGuard guard(scope);
  std::vector<Value> all = call_all("scan", std::move(inputs), attrs);
  all.resize(outputs.size());
  return all;
}

}  // namespace pk
