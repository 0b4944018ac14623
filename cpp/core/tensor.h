// Data on the host: what crosses to and from Python, constants, initial values.
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "core/types.h"

namespace pk {

constexpr size_t kAlignment = 64;  // a cache line, and the widest vector

// Memory aligned to kAlignment, freed with its last owner. std::bad_alloc when there is none.
inline std::shared_ptr<void> aligned_buffer(size_t bytes) {
  const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  void* p = std::aligned_alloc(kAlignment, rounded ? rounded : kAlignment);
  if (!p) throw std::bad_alloc();
  return std::shared_ptr<void>(p, std::free);
}

// A dense row-major array in host memory; copies share it.
struct HostTensor {
  TensorType type;
  std::shared_ptr<void> data;

  HostTensor() = default;
  explicit HostTensor(TensorType t) : type(t), data(aligned_buffer(static_cast<size_t>(t.bytes()))) {}
  HostTensor(TensorType t, const void* from) : HostTensor(t) {
    if (t.bytes()) std::memcpy(data.get(), from, static_cast<size_t>(t.bytes()));
  }
  template <class T>
  T* as() const {
    return static_cast<T*>(data.get());
  }
};

}  // namespace pk
