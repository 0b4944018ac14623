// Element types, shapes and the type (dtype + shape) of a tensor.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <string>
#include <vector>

#include "core/error.h"

namespace pk {

enum class DType : uint8_t { f32, f64, i32, i64, u8, boolean };

constexpr int kDTypes = 6;

size_t dtype_size(DType t);
const char* dtype_name(DType t);                 // NumPy's name: "float32" …
DType dtype_from_name(const std::string& name);  // ValueError for an unknown one
inline bool is_float(DType t) { return t == DType::f32 || t == DType::f64; }
inline std::ostream& operator<<(std::ostream& out, DType t) { return out << dtype_name(t); }

constexpr int64_t kUnknown = -1;  // a dimension that only a run decides (the batch, mostly)
constexpr int kMaxRank = 8;

// Dimensions of a tensor, at most kMaxRank of them; kUnknown where not known yet. Held in place:
// shapes are copied a lot while a graph is built and bound.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : Shape(dims.begin(), dims.end()) {}
  explicit Shape(const std::vector<int64_t>& dims) : Shape(dims.begin(), dims.end()) {}
  template <class It>
  Shape(It first, It last) {
    for (; first != last; ++first) push_back(*first);
  }

  int rank() const { return rank_; }
  int64_t operator[](int i) const { return dims_[i]; }
  int64_t& operator[](int i) { return dims_[i]; }
  int64_t back() const { return dims_[rank_ - 1]; }
  const int64_t* begin() const { return dims_; }
  const int64_t* end() const { return dims_ + rank_; }
  const int64_t* data() const { return dims_; }
  void push_back(int64_t d) {
    if (rank_ == kMaxRank) throw ValueError(cat("tensors have at most ", kMaxRank, " dimensions"));
    dims_[rank_++] = d;
  }
  void insert(int at, int64_t d);
  void erase(int at);
  std::vector<int64_t> vec() const { return {begin(), end()}; }

  bool known() const;    // no unknown dimension
  int64_t size() const;  // number of elements; the shape must be known
  bool operator==(const Shape& o) const;
  bool operator!=(const Shape& o) const { return !(*this == o); }
  std::string str() const;  // "(None, 28, 28)"

 private:
  int64_t dims_[kMaxRank] = {};
  int rank_ = 0;
};

inline std::ostream& operator<<(std::ostream& out, const Shape& s) { return out << s.str(); }

struct TensorType {
  DType dtype = DType::f32;
  Shape shape;
  int64_t bytes() const { return shape.size() * static_cast<int64_t>(dtype_size(dtype)); }
  bool operator==(const TensorType& o) const { return dtype == o.dtype && shape == o.shape; }
};

// Shape of NumPy broadcasting `a` with `b`; ValueError when they do not fit. An unknown dimension
// against n > 1 gives n (the run checks), against 1 stays unknown.
Shape broadcast_shapes(const Shape& a, const Shape& b);

// Is there a concrete shape that both describe (equal rank, equal where both are known)?
bool compatible(const Shape& a, const Shape& b);

}  // namespace pk
