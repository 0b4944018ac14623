#include "kernels/switches.h"

#include <map>

namespace pk {

namespace {
std::map<std::string, DeviceSwitches>& all_switches() {
  static auto* all = new std::map<std::string, DeviceSwitches>;  // lives as long as the registrars
  return *all;
}
}  // namespace

const DeviceSwitches* DeviceSwitches::of(const std::string& device) {
  const auto it = all_switches().find(device);
  return it == all_switches().end() ? nullptr : &it->second;
}

SwitchesRegistrar::SwitchesRegistrar(const char* device, DeviceSwitches switches) {
  all_switches()[device] = switches;
}

}  // namespace pk
