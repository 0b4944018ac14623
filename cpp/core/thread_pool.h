// The one thread pool: fork-join over numbered tasks, no spinning when idle, usable after fork.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

namespace pk {

class ThreadPool {
 public:
  // At most `threads` threads work at once, the caller included. Workers start with the first
  // parallel call, so a program that only imports the package has none.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return threads_; }

  // Runs fn(arg, t) for t in [0, n_tasks). The caller takes part and returns when all are done.
  // Which thread runs a task is not determined, so a task must not depend on it. A call from
  // inside a task, and one made while another thread holds the pool, runs inline: never a
  // deadlock. An exception thrown by a task is rethrown to the caller (the first one).
  void parallel_for(int64_t n_tasks, void (*fn)(void* arg, int64_t task), void* arg);

  template <class F>
  void for_each(int64_t n_tasks, F&& f) {
    using Fn = std::remove_reference_t<F>;
    parallel_for(
        n_tasks, [](void* arg, int64_t task) { (*static_cast<Fn*>(arg))(task); },
        const_cast<void*>(static_cast<const void*>(&f)));
  }

 private:
  struct State;
  static void after_fork();
  static const int registered_;  // with the system, to be called in the child
  const int threads_;
  std::unique_ptr<State> state_;
};

// Threads this process may use: the smallest of CPU affinity, the cgroup's quota and PYKERAS_NUM_THREADS.
int default_threads();

}  // namespace pk
