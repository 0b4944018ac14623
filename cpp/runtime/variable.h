// Storage of a variable: one array on one device, moved when another device asks for it.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "core/tensor.h"
#include "graph/node.h"
#include "runtime/device.h"

namespace pk {

class VariableState {
 public:
  VariableState(TensorType type, std::string name) : type_(type), name_(std::move(name)) {}

  const TensorType& type() const { return type_; }
  const std::string& name() const { return name_; }

  void get(void* host);  // copies type().bytes() bytes, row major
  // type().bytes() bytes, row major. A run that reads the variable meanwhile may see some of the old value
  // and some of the new one; what is kept from that is made again.
  void set(const void* host);
  // The value is computed from `initial` when it is first needed, unless set() comes before.
  void set_initializer(Value initial);

  // Its memory on `device`, initialised; stays valid and in place while the variable lives on it.
  std::shared_ptr<void> on(const std::shared_ptr<Device>& device);

  // Grows with every change of the value, so that what was derived from it can be renewed.
  uint64_t version() const { return version_.load(std::memory_order_acquire); }
  void changed() { version_.fetch_add(1, std::memory_order_acq_rel); }

 private:
  void ensure();  // with mutex_ held
  const TensorType type_;
  const std::string name_;
  std::recursive_mutex mutex_;  // an initializer may read other variables, and K.get_value them
  std::shared_ptr<Device> device_;
  std::shared_ptr<void> data_;
  Value initial_;
  std::atomic<uint64_t> version_{0};
};

}  // namespace pk
