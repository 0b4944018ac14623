#include "cpu/peak.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "cpu/isa/peak.h"

namespace pk::cpu {

double measure_fma_peak(int threads) {
  using Clock = std::chrono::steady_clock;
  const auto best_rate = [](double* rate) {
    float sink[64];
    const auto burn = PK_PICK(fma_burn);
    const auto end = Clock::now() + std::chrono::milliseconds(100);
    for (auto from = Clock::now(); from < end; from = Clock::now()) {
      const double flops = burn(20000, sink);
      *rate = std::max(*rate, flops / std::chrono::duration<double>(Clock::now() - from).count());
    }
  };
  std::vector<double> rates(static_cast<size_t>(std::max(1, threads)), 0.0);
  std::vector<std::thread> helpers;
  for (size_t i = 1; i < rates.size(); ++i) helpers.emplace_back(best_rate, &rates[i]);
  best_rate(&rates[0]);
  for (auto& t : helpers) t.join();
  double sum = 0;
  for (double r : rates) sum += r;
  return sum;
}

}  // namespace pk::cpu
