// Lets a fork happen only while no thread is inside the engine: a child starts with free locks and whole
// weights, whatever the other threads of its parent were doing.
#pragma once

namespace pk {

// Held by a thread for as long as it is inside. A thread that comes while a fork is under way waits;
// a fork waits for those that are inside, until a plan is made or has run at the longest. Whoever holds a
// pass must not wait for Python's lock, which the thread that forks has, nor for any that somebody takes
// before a pass.
class ForkPass {
 public:
  ForkPass();
  ~ForkPass();
  ForkPass(const ForkPass&) = delete;
  ForkPass& operator=(const ForkPass&) = delete;
};

}  // namespace pk
