// Where data lives and which kernels run. The plan and the executor know a device only through
// this interface.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernels/switches.h"
#include "kernels/table.h"

namespace pk {

class Device {
 public:
  virtual ~Device() = default;
  virtual const std::string& name() const = 0;
  // Memory aligned to 64 bytes, freed with its last owner.
  virtual std::shared_ptr<void> allocate(size_t bytes) = 0;
  virtual void copy_in(void* device, const void* host, size_t bytes) = 0;
  virtual void copy_out(void* host, const void* device, size_t bytes) = 0;
  virtual void copy(void* to, const void* from, size_t bytes) = 0;
  // Can kernels read arrays of the host, and write them, where they are?
  virtual bool shares_host_memory() const = 0;
  // The kernel for an op and dtype, null where the device has none.
  virtual const Kernel* kernel(const std::string& op, DType dtype) const = 0;
};

// ValueError naming the known ones for an unknown name.
std::shared_ptr<Device> device_by_name(const std::string& name);
std::vector<std::string> device_names();

// The device on which functions run that are called from now on.
std::shared_ptr<Device> current_device();
void set_current_device(const std::string& name);

// The switches of the current device or, where it has none, of the first device that has some.
// RuntimeError where no device has any.
const DeviceSwitches& device_switches();

// The thread pool that every device uses on the host.
std::shared_ptr<ThreadPool> thread_pool();
void set_num_threads(int n);  // 0: as many as the process may use; ValueError below 0

// The kernel that folds constants while binding: plain, on host memory, null where there is none.
const Kernel* folding_kernel(const std::string& op, DType dtype);

}  // namespace pk
