#include "runtime/variable.h"

#include "core/fork_gate.h"
#include "runtime/function.h"

namespace pk {

void VariableState::get(void* host) {
  const ForkPass pass;
  std::lock_guard<std::recursive_mutex> lock(mutex_);
  ensure();
  device_->copy_out(host, data_.get(), static_cast<size_t>(type_.bytes()));
}

void VariableState::set(const void* host) {
  const ForkPass pass;
  std::lock_guard<std::recursive_mutex> lock(mutex_);
  if (!data_) {
    device_ = current_device();
    data_ = device_->allocate(static_cast<size_t>(type_.bytes()));
  }
  device_->copy_in(data_.get(), host, static_cast<size_t>(type_.bytes()));
  initial_ = {};
  changed();
}

void VariableState::set_initializer(Value initial) {
  const ForkPass pass;
  std::lock_guard<std::recursive_mutex> lock(mutex_);
  if (initial.dtype() != type_.dtype || !compatible(initial.shape(), type_.shape))
    throw ValueError(cat("the initial value of variable '", name_, "' has shape ", initial.shape(),
                         " and dtype ", initial.dtype(), ", the variable ", type_.shape, " and ",
                         type_.dtype));
  initial_ = std::move(initial);
  data_.reset();
  changed();
}

void VariableState::ensure() {
  if (data_) return;
  if (!initial_) throw RuntimeError(cat("variable '", name_, "' has no value yet"));
  const Value initial = std::move(initial_);
  initial_ = {};  // an initial value that reads the variable itself finds none
  HostTensor value;
  try {
    value = evaluate(initial);
    if (value.type.shape != type_.shape)
      throw ValueError(cat("the initializer of variable '", name_, "' gave shape ", value.type.shape,
                           ", wanted ", type_.shape));
  } catch (...) {
    initial_ = initial;
    throw;
  }
  if (!current_device()->shares_host_memory()) return set(value.data.get());
  device_ = current_device();
  data_ = value.data;  // made for this, so nobody else has it
  changed();
}

std::shared_ptr<void> VariableState::on(const std::shared_ptr<Device>& device) {
  const ForkPass pass;
  std::lock_guard<std::recursive_mutex> lock(mutex_);
  ensure();
  if (device_ != device) {
    // Devices that work on host memory share it as it is.
    if (!(device_->shares_host_memory() && device->shares_host_memory())) {
      HostTensor host(type_);
      device_->copy_out(host.data.get(), data_.get(), static_cast<size_t>(type_.bytes()));
      data_ = device->allocate(static_cast<size_t>(type_.bytes()));
      device->copy_in(data_.get(), host.data.get(), static_cast<size_t>(type_.bytes()));
      changed();
    }
    device_ = device;
  }
  return data_;
}

}  // namespace pk
