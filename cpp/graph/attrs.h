// Type-erased attributes: one of the structs of kernels/attrs.h, or none.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "kernels/attrs.h"

namespace pk {

using AttrValue = std::variant<bool, int64_t, double, std::string, std::vector<int64_t>, std::vector<double>>;
using AttrMap = std::map<std::string, AttrValue>;

namespace detail {

// One overload pair per field type: reading a keyword into the field, and the reverse.
void read_attr(const std::string& name, const AttrValue& from, bool& to);
void read_attr(const std::string& name, const AttrValue& from, int64_t& to);
void read_attr(const std::string& name, const AttrValue& from, double& to);
void read_attr(const std::string& name, const AttrValue& from, std::string& to);
void read_attr(const std::string& name, const AttrValue& from, DType& to);
void read_attr(const std::string& name, const AttrValue& from, Padding& to);
void read_attr(const std::string& name, const AttrValue& from, Act& to);
void read_attr(const std::string& name, const AttrValue& from, Ints& to);
AttrValue write_attr(bool x);
AttrValue write_attr(int64_t x);
AttrValue write_attr(double x);
AttrValue write_attr(const std::string& x);
AttrValue write_attr(DType x);
AttrValue write_attr(Padding x);
AttrValue write_attr(Act x);
AttrValue write_attr(const Ints& x);

struct Holder {
  virtual ~Holder() = default;
  virtual const void* data() const = 0;
  virtual AttrMap map() const = 0;
};

template <class A>
struct HolderOf final : Holder {
  A value;
  explicit HolderOf(A v) : value(std::move(v)) {}
  const void* data() const override { return &value; }
  AttrMap map() const override {
    AttrMap m;
    A copy = value;
    copy.visit([&](const char* name, auto& field) { m[name] = write_attr(field); });
    return m;
  }
};

}  // namespace detail

class Attrs {
 public:
  Attrs() : Attrs(NoAttrs{}) {}
  template <class A, class = std::enable_if_t<!std::is_same_v<std::decay_t<A>, Attrs>>>
  Attrs(A value) : holder_(std::make_shared<detail::HolderOf<A>>(std::move(value))) {}  // NOLINT: implicit

  template <class A>
  const A& as() const {
    return *static_cast<const A*>(holder_->data());
  }
  const void* data() const { return holder_->data(); }
  AttrMap map() const { return holder_->map(); }
  std::string str() const;  // "axis=1, keepdims=True"; also what equality and hashing go by
  bool operator==(const Attrs& o) const { return holder_ == o.holder_ || str() == o.str(); }

 private:
  std::shared_ptr<const detail::Holder> holder_;
};

// Builds the struct A from keywords: absent ones keep their default, unknown ones are an error.
template <class A>
Attrs parse_attrs(const std::string& op, const AttrMap& map) {
  A value;
  size_t used = 0;
  std::string known;
  value.visit([&](const char* name, auto& field) {
    known += known.empty() ? name : std::string(", ") + name;
    const auto it = map.find(name);
    if (it == map.end()) return;
    ++used;
    detail::read_attr(name, it->second, field);
  });
  if (used != map.size())
    for (const auto& entry : map) {
      bool found = false;
      value.visit([&](const char* name, auto&) { found = found || entry.first == name; });
      if (!found)
        throw ValueError(cat("op '", op, "' has no attribute '", entry.first, "'; it has: ", known));
    }
  return Attrs(std::move(value));
}

}  // namespace pk
