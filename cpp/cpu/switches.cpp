#include "kernels/switches.h"

#include "cpu/isa.h"
#include "cpu/peak.h"

namespace pk::cpu {
namespace {

DeviceSwitches switches() {
  DeviceSwitches s;
  s.instruction_sets = [] {
    Isa all[4];
    const int n = supported_isas(all);
    std::vector<std::string> names;
    for (int i = 0; i < n; ++i) names.push_back(isa_name(all[i]));
    return names;
  };
  s.instruction_set = [] { return std::string(isa_name(current_isa())); };
  s.set_instruction_set = [](const std::string& name) { return set_isa(name.c_str()); };
  s.fma_peak = measure_fma_peak;
  return s;
}

const SwitchesRegistrar registrar("cpu", switches());

}  // namespace
}  // namespace pk::cpu
