#include "core/fork_gate.h"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace pk {

namespace {

std::atomic<int> inside{0};  // threads that hold a pass
std::atomic<int> forks{0};   // forks under way
thread_local int depth = 0;  // passes of this thread: functions of the engine call each other

void wait_a_little() { std::this_thread::sleep_for(std::chrono::microseconds(20)); }

void before_fork() {
  ++forks;
  while (inside != (depth ? 1 : 0)) wait_a_little();
}
void after_fork_in_parent() { --forks; }
void after_fork_in_child() {
  inside = depth ? 1 : 0;
  forks = 0;
}

const int registered = pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);

}  // namespace

ForkPass::ForkPass() {
  static_cast<void>(registered);
  if (depth++) return;
  for (;;) {
    ++inside;
    if (!forks) return;
    --inside;
    while (forks) wait_a_little();
  }
}

ForkPass::~ForkPass() {
  if (!--depth) --inside;
}

}  // namespace pk
