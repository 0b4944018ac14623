// What tests and benchmarks may turn on a device: the form its kernels take, and what it could do at best.
#pragma once

#include <string>
#include <vector>

namespace pk {

struct DeviceSwitches {
  // Instruction sets that kernels exist for and that this machine has, from slow to fast; the one in use.
  std::vector<std::string> (*instruction_sets)() = nullptr;
  std::string (*instruction_set)() = nullptr;
  bool (*set_instruction_set)(const std::string& name) = nullptr;  // false: unknown or not supported
  // Measured float32 multiply-adds per second on `threads` threads, each counted as two operations.
  double (*fma_peak)(int threads) = nullptr;

  // The switches of a device by name, null where it has none.
  static const DeviceSwitches* of(const std::string& device);
};

// At namespace scope, like KernelRegistrar.
struct SwitchesRegistrar {
  SwitchesRegistrar(const char* device, DeviceSwitches switches);
};

}  // namespace pk
