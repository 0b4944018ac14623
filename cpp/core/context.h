// What a kernel may use of the process while it runs.
#pragma once

#include "core/thread_pool.h"

namespace pk {

struct Context {
  ThreadPool& pool;
};

}  // namespace pk
