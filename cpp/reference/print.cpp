// Printing while a graph runs. The same on every device that works on the host's memory.
#include <cstdio>
#include <cstring>
#include <sstream>

#include "reference/common.h"

namespace pk::reference {
namespace {

constexpr int64_t kShown = 3;  // elements of each axis, as TensorFlow shows

template <class T>
void write(std::ostream& out, const TensorArg& x, int axis, int64_t at) {
  const Shape& s = x.shape();
  if (axis == s.rank()) {
    if (x.dtype() == DType::boolean)
      out << (x.as<uint8_t>()[at] ? "True" : "False");
    else
      out << +x.as<T>()[at];  // the plus makes a number of a byte
    return;
  }
  int64_t step = 1;
  for (int i = axis + 1; i < s.rank(); ++i) step *= s[i];
  out << "[";
  for (int64_t i = 0; i < s[axis] && i < kShown; ++i) {
    if (i) out << " ";
    write<T>(out, x, axis + 1, at + i * step);
  }
  out << (s[axis] > kShown ? " ...]" : "]");
}

// x → x. One write per call, so that lines of several threads do not mix.
void print(Context&, const KernelArgs& a) {
  if (a.out[0].data != a.in[0].data && a.in[0].size)
    std::memcpy(a.out[0].data, a.in[0].data, static_cast<size_t>(a.in[0].type.bytes()));
  std::ostringstream text;
  text << a.attr<PrintAttrs>().message;
  with_type(a.in[0].dtype(), [&](auto type) {
    text.precision(sizeof(type) == 8 ? 15 : 7);
    write<decltype(type)>(text, a.in[0], 0, 0);
  });
  text << "\n";
  const std::string line = text.str();
  std::fwrite(line.data(), 1, line.size(), stderr);
}

const KernelRegistrar registrar("reference", [](KernelTable& t) { t.add_all("print", print); });

}  // namespace
}  // namespace pk::reference
