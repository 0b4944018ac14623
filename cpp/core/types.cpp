#include "core/types.h"

#include <algorithm>

namespace pk {

namespace {
struct DTypeInfo {
  const char* name;
  size_t size;
};
constexpr DTypeInfo kInfo[kDTypes] = {{"float32", 4}, {"float64", 8}, {"int32", 4},
                                      {"int64", 8},   {"uint8", 1},   {"bool", 1}};
}  // namespace

size_t dtype_size(DType t) { return kInfo[static_cast<int>(t)].size; }
const char* dtype_name(DType t) { return kInfo[static_cast<int>(t)].name; }

DType dtype_from_name(const std::string& name) {
  for (int i = 0; i < kDTypes; ++i)
    if (name == kInfo[i].name) return static_cast<DType>(i);
  throw ValueError(
      cat("dtype '", name, "' is not supported: use float32, float64, int32, int64, uint8 or bool"));
}

void Shape::insert(int at, int64_t d) {
  push_back(d);
  for (int i = rank_ - 1; i > at; --i) std::swap(dims_[i], dims_[i - 1]);
}

void Shape::erase(int at) {
  for (int i = at; i + 1 < rank_; ++i) dims_[i] = dims_[i + 1];
  --rank_;
  dims_[rank_] = 0;
}

bool Shape::known() const {
  return std::all_of(begin(), end(), [](int64_t d) { return d >= 0; });
}

int64_t Shape::size() const {
  int64_t n = 1;
  for (int64_t d : *this) {
    PK_ASSERT(d >= 0);
    if (__builtin_mul_overflow(n, d, &n)) throw ValueError(cat("a tensor of shape ", str(), " is too large"));
  }
  return n;
}

bool Shape::operator==(const Shape& o) const {
  return rank_ == o.rank_ && std::equal(begin(), end(), o.begin());
}

std::string Shape::str() const {
  std::string s = "(";
  for (int i = 0; i < rank_; ++i) {
    if (i) s += ", ";
    s += dims_[i] == kUnknown ? "None" : std::to_string(dims_[i]);
  }
  return s + (rank_ == 1 ? ",)" : ")");
}

Shape broadcast_shapes(const Shape& a, const Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  Shape out;
  for (int i = 0; i < rank; ++i) {
    const int ia = i - (rank - a.rank()), ib = i - (rank - b.rank());
    const int64_t da = ia < 0 ? 1 : a[ia], db = ib < 0 ? 1 : b[ib];
    if (da == db || db == 1)
      out.push_back(da);
    else if (da == 1 || da == kUnknown)
      out.push_back(db);
    else if (db == kUnknown)
      out.push_back(da);
    else
      throw ValueError(cat("operands could not be broadcast together with shapes ", a, " ", b));
  }
  return out;
}

bool compatible(const Shape& a, const Shape& b) {
  if (a.rank() != b.rank()) return false;
  for (int i = 0; i < a.rank(); ++i)
    if (a[i] != b[i] && a[i] != kUnknown && b[i] != kUnknown) return false;
  return true;
}

}  // namespace pk
