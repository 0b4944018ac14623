#include "graph/op.h"

#include <map>

namespace pk {

namespace {

std::map<std::string, OpDef>& registry() {
  static auto* ops = new std::map<std::string, OpDef>;  // never destroyed: nodes point into it
  return *ops;
}

}  // namespace

const OpDef* find_op(const std::string& name) {
  const auto it = registry().find(name);
  return it == registry().end() ? nullptr : &it->second;
}

const OpDef& get_op(const std::string& name) {
  if (const OpDef* op = find_op(name)) return *op;
  throw ValueError(cat("there is no op '", name, "'"));
}

std::vector<std::string> op_names() {
  std::vector<std::string> names;
  for (const auto& entry : registry()) names.push_back(entry.first);
  return names;
}

OpBuilder::OpBuilder(const char* name, Attrs (*parse)(const std::string&, const AttrMap&))
    : def_(registry()[name]) {
  if (!def_.name.empty()) throw RuntimeError(cat("op '", name, "' is defined twice"));
  def_.name = name;
  def_.parse = parse;
}

OpBuilder& OpBuilder::arity(int min, int max) {
  def_.min_arity = min;
  def_.max_arity = max;
  return *this;
}
OpBuilder& OpBuilder::outputs(int n) { return def_.n_outputs = n, *this; }
OpBuilder& OpBuilder::infer(InferRule f) { return def_.infer = f, *this; }
OpBuilder& OpBuilder::vjp(VjpRule f) { return def_.vjp = f, *this; }
OpBuilder& OpBuilder::decompose(Decomposition f) { return def_.decompose = f, *this; }
OpBuilder& OpBuilder::no_grad(const char* why) { return def_.no_grad = why, *this; }
OpBuilder& OpBuilder::grad_error(const char* why) { return def_.grad_error = why, *this; }
OpBuilder& OpBuilder::no_kernel(const char* why) { return def_.no_kernel = why, *this; }
OpBuilder& OpBuilder::shape_only(int i) { return def_.shape_only |= 1u << i, *this; }
OpBuilder& OpBuilder::shape_only_from(int i) { return def_.shape_only_from = i, *this; }
OpBuilder& OpBuilder::symbolic(int i) { return def_.symbolic |= 1u << i, *this; }
OpBuilder& OpBuilder::may_alias(int i) { return def_.alias = i, *this; }
OpBuilder& OpBuilder::pointwise(int code) {
  def_.pointwise = code;
  def_.in_place = true;
  return *this;
}
OpBuilder& OpBuilder::dispatch(int i) { return def_.dispatch_input = i, *this; }
OpBuilder& OpBuilder::random() { return def_.random = true, *this; }
OpBuilder& OpBuilder::effect() { return def_.effect = true, *this; }
OpBuilder& OpBuilder::in_place() { return def_.in_place = true, *this; }

std::optional<std::vector<int64_t>> InferContext::integers(int i) const {
  const HostTensor* t = known[static_cast<size_t>(i)];
  if (!t) return std::nullopt;
  const int64_t n = t->type.shape.size();
  std::vector<int64_t> out(static_cast<size_t>(n));
  for (int64_t k = 0; k < n; ++k) {
    if (t->type.dtype == DType::i32)
      out[static_cast<size_t>(k)] = t->as<int32_t>()[k];
    else if (t->type.dtype == DType::i64)
      out[static_cast<size_t>(k)] = t->as<int64_t>()[k];
    else
      fail("input ", i, " must be of an integer dtype, got ", t->type.dtype);
  }
  return out;
}

void InferContext::fail_text(const std::string& why) const {
  std::string text = cat("op '", op.name, "'");
  if (!scope.empty()) text += cat(" of '", scope, "'");
  text += ": " + why;
  if (!in.empty()) {
    text += " (input shapes:";
    for (const TensorType& t : in) text += cat(" ", t.shape, " ", t.dtype, ",");
    text.back() = ')';
  }
  throw ValueError(text);
}

void InferContext::same_dtypes() const {
  for (int i = 1; i < n_in(); ++i)
    if (!op.is_shape_only(i)) want_dtype(i, dtype(0));
}

void InferContext::want_dtype(int i, DType want) const {
  if (dtype(i) != want)
    fail("inputs must have one dtype, got ", want, " and ", dtype(i), "; convert one with K.cast");
}

void InferContext::want_float(int i) const {
  if (!is_float(dtype(i)))
    fail("input ", i, " must be of a float dtype, got ", dtype(i), "; convert it with K.cast");
}

void InferContext::want_rank(int i, int rank) const {
  if (shape(i).rank() != rank) fail("input ", i, " must have ", rank, " dimensions, got shape ", shape(i));
}

int64_t InferContext::axis(int i, int64_t a) const {
  const int rank = shape(i).rank();
  if (a < -rank || a >= rank) fail("axis ", a, " is out of range for an input of ", rank, " dimensions");
  return a < 0 ? a + rank : a;
}

}  // namespace pk
