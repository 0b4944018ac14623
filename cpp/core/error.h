// Errors that cross the boundary to Python.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace pk {

// A wrong shape, dtype, name or value that the caller can mend; becomes ValueError.
struct ValueError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A fault of the device or of our own; becomes RuntimeError.
struct RuntimeError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Joins its arguments with operator<<.
template <class... Args>
std::string cat(Args&&... args) {
  std::ostringstream out;
  (out << ... << std::forward<Args>(args));
  return out.str();
}

// Our own bugs only: a broken invariant, never a user's mistake.
#define PK_ASSERT(condition)                                                                                \
  do {                                                                                                      \
    if (!(condition))                                                                                       \
      throw ::pk::RuntimeError(::pk::cat("internal error: ", #condition, " at ", __FILE__, ":", __LINE__)); \
  } while (0)

}  // namespace pk
