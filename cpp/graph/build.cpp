#include "graph/build.h"

namespace pk {

namespace {
thread_local std::string scope_now;
}

ScopeGuard::ScopeGuard(const std::string& scope) : saved_(std::move(scope_now)) { scope_now = scope; }
ScopeGuard::~ScopeGuard() { scope_now = std::move(saved_); }
const std::string& current_scope() { return scope_now; }

std::vector<Value> call_all(const std::string& op, std::vector<Value> inputs, Attrs attrs) {
  const OpDef& def = get_op(op);
  const NodePtr node = make_node(def, std::move(inputs), std::move(attrs), scope_now);
  std::vector<Value> out;
  for (size_t i = 0; i < node->types.size(); ++i) out.push_back({node, static_cast<int>(i)});
  return out;
}

Value call(const std::string& op, std::vector<Value> inputs, Attrs attrs) {
  return call_all(op, std::move(inputs), std::move(attrs))[0];
}

Value scalar(double value, DType dtype) {
  HostTensor t(TensorType{dtype, {}});
  switch (dtype) {
    case DType::f32:
      *t.as<float>() = static_cast<float>(value);
      break;
    case DType::f64:
      *t.as<double>() = value;
      break;
    case DType::i32:
      *t.as<int32_t>() = static_cast<int32_t>(value);
      break;
    case DType::i64:
      *t.as<int64_t>() = static_cast<int64_t>(value);
      break;
    case DType::u8:
      *t.as<uint8_t>() = static_cast<uint8_t>(value);
      break;
    case DType::boolean:
      *t.as<uint8_t>() = value != 0;
      break;
  }
  return make_constant(std::move(t));
}

Value operator+(const Value& a, const Value& b) { return call("add", {a, b}); }
Value operator-(const Value& a, const Value& b) { return call("sub", {a, b}); }
Value operator*(const Value& a, const Value& b) { return call("mul", {a, b}); }
Value operator/(const Value& a, const Value& b) { return call("div", {a, b}); }
Value operator-(const Value& a) { return call("neg", {a}); }

Value zeros_like(const Value& x) {
  FillAttrs a;
  a.dtype = x.dtype();
  return call("fill_like", {x}, a);
}

Value cast(const Value& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  CastAttrs a;
  a.dtype = dtype;
  return call("cast", {x}, a);
}

Value sum(const Value& x, Ints axes, bool keepdims) {
  ReduceAttrs a;
  a.axes = axes;
  a.keepdims = keepdims;
  return call("sum", {x}, a);
}

Value sum_to_like(const Value& g, const Value& x) {
  if (g.shape() == x.shape() && g.shape().known()) return g;
  // Equal unknown dimensions of the same axis may still differ at run time (one of them a 1), so
  // a node stays; binding removes it where the concrete shapes agree.
  return call("sum_to_like", {g, x});
}

Value broadcast_like(const Value& g, const Value& x, Ints axes) {
  AxesAttrs a;
  a.axes = axes;
  return call("broadcast_like", {g, x}, a);
}

Value select(const Value& condition, const Value& a, const Value& b) {
  return call("select", {condition, a, b});
}

}  // namespace pk
