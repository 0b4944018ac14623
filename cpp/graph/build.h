// Building expressions, for gradient rules and rewrite passes: add(x, y), x * y, scalar(2, x) …
#pragma once

#include <string>
#include <vector>

#include "graph/op.h"

namespace pk {

// The scope given to nodes made while it lives (gradients inherit that of the node they belong to).
class ScopeGuard {
 public:
  explicit ScopeGuard(const std::string& scope);
  ~ScopeGuard();

 private:
  std::string saved_;
};
const std::string& current_scope();

// Node by op name; `call` for one output, `call_all` for all of them.
std::vector<Value> call_all(const std::string& op, std::vector<Value> inputs, Attrs attrs = {});
Value call(const std::string& op, std::vector<Value> inputs, Attrs attrs = {});

Value scalar(double value, DType dtype);  // rank-0 constant
inline Value scalar(double value, const Value& like) { return scalar(value, like.dtype()); }

Value operator+(const Value& a, const Value& b);
Value operator-(const Value& a, const Value& b);
Value operator*(const Value& a, const Value& b);
Value operator/(const Value& a, const Value& b);
Value operator-(const Value& a);
Value zeros_like(const Value& x);
Value cast(const Value& x, DType dtype);  // x itself when it has that dtype
Value sum(const Value& x, Ints axes, bool keepdims = false);
Value sum_to_like(const Value& g, const Value& x);  // g itself when the shapes are known to agree
Value broadcast_like(const Value& g, const Value& x, Ints axes);
Value select(const Value& condition, const Value& a, const Value& b);

}  // namespace pk
