// Handing out a kernel's workspace.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pk::cpu {

inline size_t round64(size_t bytes) { return (bytes + 63) / 64 * 64; }

// Memory handed out in pieces; with no base it only counts.
class Carver {
 public:
  explicit Carver(void* base) : base_(static_cast<char*>(base)) {}
  template <class T>
  T* take(int64_t n) {
    T* p = base_ ? reinterpret_cast<T*>(base_ + used_) : nullptr;
    used_ += round64(static_cast<size_t>(n) * sizeof(T));
    return p;
  }
  void* take_bytes(size_t n) { return take<char>(static_cast<int64_t>(n)); }
  size_t used() const { return used_; }

 private:
  char* base_;
  size_t used_ = 0;
};

}  // namespace pk::cpu
