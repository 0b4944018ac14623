// How a device offers its kernels. A kernel sees concrete shapes, pointers and attributes; it
// never sees a graph, never allocates and never throws for a shape (those were checked before).
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/context.h"
#include "core/types.h"
#include "kernels/attrs.h"

namespace pk {

struct TensorArg {
  // Dense, row major; aligned to 64 bytes inside a plan, but only to the element where the memory
  // belongs to a NumPy array (inputs and results of a function).
  void* data = nullptr;
  TensorType type;
  int64_t size = 0;  // elements

  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
  const Shape& shape() const { return type.shape; }
  DType dtype() const { return type.dtype; }
  // Element i of a tensor of whole numbers.
  int64_t integer(int64_t i) const {
    if (type.dtype == DType::i64) return as<int64_t>()[i];
    if (type.dtype == DType::i32) return as<int32_t>()[i];
    return as<uint8_t>()[i];
  }
};

struct KernelArgs {
  const TensorArg* in = nullptr;
  int n_in = 0;
  const TensorArg* out = nullptr;
  int n_out = 0;
  const void* attrs = nullptr;
  void* workspace = nullptr;       // as many bytes as Kernel::workspace asked for, 64-byte aligned
  const void* prepared = nullptr;  // what Kernel::prepare wrote, or null: then the kernel does without
  bool keeps_prepared = false;     // asked by Kernel::workspace: will `prepared` be there?
  uint64_t step = 0;               // run number of the function: the counter of random ops
  const char* scope = "";          // the layer this step belongs to, for messages

  template <class A>
  const A& attr() const {
    return *static_cast<const A*>(attrs);
  }
};

// In `workspace`, `prepared_bytes` and `prepare` the data pointers of outputs and of inputs other
// than `prepare_input` may be null; in `run` that of `prepare_input`, where `prepared` is given. What
// `prepare` writes depends on the attributes, that input and the number of bytes, on no other shape: it
// is shared between batch sizes.
struct Kernel {
  void (*run)(Context&, const KernelArgs&) = nullptr;
  size_t (*workspace)(const Context&, const KernelArgs&) = nullptr;
  // A second form of one input (packed weights), made anew only when that input has changed.
  // Used where the input is the same from run to run; 0 bytes: not worth it for these shapes.
  int prepare_input = -1;
  size_t (*prepared_bytes)(const KernelArgs&) = nullptr;
  void (*prepare)(Context&, const KernelArgs&, void* to) = nullptr;
};

// Kernels of one device by op name and dtype. The dtype is that of input 0 (of output 0 where an
// op has no inputs), unless the op's definition names another input for this.
class KernelTable {
 public:
  void add(const std::string& op, DType dtype, Kernel kernel);
  void add(const std::string& op, DType dtype, void (*run)(Context&, const KernelArgs&)) {
    Kernel k;
    k.run = run;
    add(op, dtype, k);
  }
  // The kernel runs for every dtype (it looks at sizes only, or switches itself).
  void add_all(const std::string& op, void (*run)(Context&, const KernelArgs&)) {
    for (int d = 0; d < kDTypes; ++d) add(op, static_cast<DType>(d), run);
  }
  const Kernel* find(const std::string& op, DType dtype) const;
  std::vector<std::string> names() const;

  // The table of a device by name ("cpu", "reference", …), made at first use.
  static KernelTable& of(const std::string& device);

 private:
  std::unordered_map<std::string, Kernel> kernels_[kDTypes];
};

// At namespace scope: static const KernelRegistrar registrar("cpu", [](KernelTable& t) { t.add(…); });
struct KernelRegistrar {
  KernelRegistrar(const char* device, void (*add)(KernelTable&)) { add(KernelTable::of(device)); }
};

}  // namespace pk
