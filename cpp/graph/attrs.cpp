#include "graph/attrs.h"

namespace pk {
namespace detail {

namespace {

[[noreturn]] void mismatch(const std::string& name, const char* wanted) {
  throw ValueError(cat("attribute '", name, "' must be ", wanted));
}

constexpr const char* kPadding[] = {"valid", "same", "explicit"};
constexpr const char* kAct[] = {"none",         "relu",     "leaky_relu", "elu", "sigmoid", "tanh",
                                "hard_sigmoid", "softplus", "softsign",   "exp", "clip"};

template <class E, int N>
E from_name(const std::string& name, const AttrValue& from, const char* const (&names)[N]) {
  if (const auto* s = std::get_if<std::string>(&from))
    for (int i = 0; i < N; ++i)
      if (*s == names[i]) return static_cast<E>(i);
  std::string all;
  for (const char* n : names) all += all.empty() ? n : std::string(", ") + n;
  mismatch(name, ("one of " + all).c_str());
}

}  // namespace

void read_attr(const std::string& name, const AttrValue& from, bool& to) {
  if (const auto* b = std::get_if<bool>(&from))
    to = *b;
  else if (const auto* i = std::get_if<int64_t>(&from))
    to = *i != 0;
  else
    mismatch(name, "True or False");
}
void read_attr(const std::string& name, const AttrValue& from, int64_t& to) {
  if (const auto* i = std::get_if<int64_t>(&from))
    to = *i;
  else if (const auto* b = std::get_if<bool>(&from))
    to = *b;
  else
    mismatch(name, "a whole number");
}
void read_attr(const std::string& name, const AttrValue& from, double& to) {
  if (const auto* d = std::get_if<double>(&from))
    to = *d;
  else if (const auto* i = std::get_if<int64_t>(&from))
    to = static_cast<double>(*i);
  else if (const auto* b = std::get_if<bool>(&from))
    to = *b;
  else
    mismatch(name, "a number");
}
void read_attr(const std::string& name, const AttrValue& from, std::string& to) {
  if (const auto* s = std::get_if<std::string>(&from))
    to = *s;
  else
    mismatch(name, "a string");
}
void read_attr(const std::string& name, const AttrValue& from, DType& to) {
  if (const auto* s = std::get_if<std::string>(&from))
    to = dtype_from_name(*s);
  else
    mismatch(name, "the name of a dtype");
}
void read_attr(const std::string& name, const AttrValue& from, Padding& to) {
  to = from_name<Padding>(name, from, kPadding);
}
void read_attr(const std::string& name, const AttrValue& from, Act& to) {
  to = from_name<Act>(name, from, kAct);
}
void read_attr(const std::string& name, const AttrValue& from, Ints& to) {
  const auto* v = std::get_if<std::vector<int64_t>>(&from);
  if (v) {
    to = Ints(v->begin(), v->end());
    return;
  }
  const auto* d = std::get_if<std::vector<double>>(&from);
  if (!d || !d->empty()) mismatch(name, "a list of whole numbers");
  to = Ints();
}

AttrValue write_attr(bool x) { return x; }
AttrValue write_attr(int64_t x) { return x; }
AttrValue write_attr(double x) { return x; }
AttrValue write_attr(const std::string& x) { return x; }
AttrValue write_attr(DType x) { return std::string(dtype_name(x)); }
AttrValue write_attr(Padding x) { return std::string(kPadding[static_cast<int>(x)]); }
AttrValue write_attr(Act x) { return std::string(kAct[static_cast<int>(x)]); }
AttrValue write_attr(const Ints& x) { return std::vector<int64_t>(x.begin(), x.end()); }

namespace {

template <class T>
std::string list_text(const std::vector<T>& v) {
  std::ostringstream out;
  out.precision(17);
  out << "[";
  for (size_t i = 0; i < v.size(); ++i) out << (i ? ", " : "") << v[i];
  out << "]";
  return out.str();
}

}  // namespace
}  // namespace detail

std::string Attrs::str() const {
  std::ostringstream out;
  out.precision(17);  // enough to tell any two doubles apart: str() decides equality
  bool first = true;
  for (const auto& [name, value] : map()) {
    out << (first ? "" : ", ") << name << "=";
    first = false;
    if (const auto* b = std::get_if<bool>(&value))
      out << (*b ? "True" : "False");
    else if (const auto* i = std::get_if<int64_t>(&value))
      out << *i;
    else if (const auto* d = std::get_if<double>(&value))
      out << *d;
    else if (const auto* s = std::get_if<std::string>(&value))
      out << *s;
    else if (const auto* v = std::get_if<std::vector<int64_t>>(&value))
      out << detail::list_text(*v);
    else
      out << detail::list_text(std::get<std::vector<double>>(value));
  }
  return out.str();
}

}  // namespace pk
