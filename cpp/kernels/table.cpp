#include "kernels/table.h"

#include <map>
#include <set>

namespace pk {

void KernelTable::add(const std::string& op, DType dtype, Kernel kernel) {
  const bool fresh = kernels_[static_cast<int>(dtype)].emplace(op, kernel).second;
  if (!fresh) throw RuntimeError(cat("kernel '", op, "' for ", dtype, " is registered twice"));
}

const Kernel* KernelTable::find(const std::string& op, DType dtype) const {
  const auto& by_name = kernels_[static_cast<int>(dtype)];
  const auto it = by_name.find(op);
  return it == by_name.end() ? nullptr : &it->second;
}

std::vector<std::string> KernelTable::names() const {
  std::set<std::string> names;
  for (const auto& by_name : kernels_)
    for (const auto& entry : by_name) names.insert(entry.first);
  return {names.begin(), names.end()};
}

KernelTable& KernelTable::of(const std::string& device) {
  static auto* tables = new std::map<std::string, KernelTable>;  // lives as long as the registrars
  return (*tables)[device];
}

}  // namespace pk
