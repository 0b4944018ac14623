#pragma once

namespace pk::cpu {

// The float32 fused multiply-adds that this machine can do with the instruction set in use, in operations per
// second (a multiply-add counts as two), on `threads` threads: the best of many short runs, about 0.1 s in
// all. What benchmarks compare with.
double measure_fma_peak(int threads);

}  // namespace pk::cpu
