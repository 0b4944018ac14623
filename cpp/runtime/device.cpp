#include "runtime/device.h"

#include <cstring>
#include <mutex>

#include "core/tensor.h"

namespace pk {

namespace {

// Kernels over host memory. What a device has no kernel of its own for, the plain scalar one does.
class HostDevice final : public Device {
 public:
  HostDevice(std::string name, std::string fallback)
      : name_(std::move(name)), table_(KernelTable::of(name_)) {
    if (!fallback.empty()) fallback_ = &KernelTable::of(fallback);
  }
  const std::string& name() const override { return name_; }
  std::shared_ptr<void> allocate(size_t bytes) override { return aligned_buffer(bytes); }
  void copy_in(void* to, const void* from, size_t bytes) override { copy(to, from, bytes); }
  void copy_out(void* to, const void* from, size_t bytes) override { copy(to, from, bytes); }
  void copy(void* to, const void* from, size_t bytes) override {
    if (bytes) std::memmove(to, from, bytes);
  }
  bool shares_host_memory() const override { return true; }
  const Kernel* kernel(const std::string& op, DType dtype) const override {
    const Kernel* k = table_.find(op, dtype);
    return k || !fallback_ ? k : fallback_->find(op, dtype);
  }

 private:
  std::string name_;
  const KernelTable& table_;
  const KernelTable* fallback_ = nullptr;
};

struct State {
  std::mutex mutex;
  std::vector<std::shared_ptr<Device>> devices{std::make_shared<HostDevice>("cpu", "reference"),
                                               std::make_shared<HostDevice>("reference", "")};
  std::shared_ptr<Device> current = devices[0];
  std::shared_ptr<ThreadPool> pool = std::make_shared<ThreadPool>(default_threads());
};

State& state() {
  static auto* s = new State;
  return *s;
}

}  // namespace

std::shared_ptr<Device> device_by_name(const std::string& name) {
  std::string all;
  for (const auto& d : state().devices) {
    if (d->name() == name) return d;
    all += " " + d->name();
  }
  throw ValueError(cat("there is no device '", name, "'; there are:", all));
}

std::vector<std::string> device_names() {
  std::vector<std::string> names;
  for (const auto& d : state().devices) names.push_back(d->name());
  return names;
}

std::shared_ptr<Device> current_device() {
  std::lock_guard<std::mutex> lock(state().mutex);
  return state().current;
}

void set_current_device(const std::string& name) {
  auto device = device_by_name(name);
  std::lock_guard<std::mutex> lock(state().mutex);
  state().current = std::move(device);
}

const DeviceSwitches& device_switches() {
  if (const DeviceSwitches* s = DeviceSwitches::of(current_device()->name())) return *s;
  for (const std::string& name : device_names())
    if (const DeviceSwitches* s = DeviceSwitches::of(name)) return *s;
  throw RuntimeError("no device of this build has instruction sets to choose from");
}

std::shared_ptr<ThreadPool> thread_pool() {
  std::lock_guard<std::mutex> lock(state().mutex);
  return state().pool;
}

void set_num_threads(int n) {
  if (n < 0) throw ValueError(cat("the number of threads must be 0 (automatic) or more, got ", n));
  auto pool = std::make_shared<ThreadPool>(n == 0 ? default_threads() : n);
  std::lock_guard<std::mutex> lock(state().mutex);
  state().pool.swap(pool);  // the old one goes when the lock is free again
}

const Kernel* folding_kernel(const std::string& op, DType dtype) {
  return KernelTable::of("reference").find(op, dtype);
}

}  // namespace pk
