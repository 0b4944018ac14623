#include "core/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "core/fork_gate.h"

namespace pk {

namespace {
thread_local bool in_task = false;  // nested calls run inline

// The steps of a plan follow each other within microseconds, a wake-up by the kernel costs more:
// both sides look around for about this many pauses before they sleep.
constexpr int kSpins = 1000;

inline void pause_cpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");  // about as long as x86's pause; "yield" is over at once on most cores
#endif
}

template <class Ready>
void spin_until(Ready ready) {
  for (int i = 0; i < kSpins && !ready(); ++i) pause_cpu();
}
}  // namespace

struct ThreadPool::State {
  std::mutex owner;  // held by the caller whose job runs
  std::mutex mutex;  // guards what follows
  std::condition_variable wake, done;
  std::vector<std::thread> workers;
  // Written with the mutex held; atomic so that waiting sides may look without it.
  std::atomic<uint64_t> job{0};  // counts jobs; a worker sleeps until it changes
  std::atomic<int> active{0};    // workers inside the current job
  bool stop = false;

  void (*fn)(void*, int64_t) = nullptr;
  void* arg = nullptr;
  int64_t n_tasks = 0;
  std::atomic<int64_t> next{0};
  std::exception_ptr error;

  void work() {
    in_task = true;
    for (int64_t t; (t = next.fetch_add(1, std::memory_order_relaxed)) < n_tasks;) {
      try {
        fn(arg, t);
      } catch (...) {
        std::lock_guard<std::mutex> lock(mutex);
        if (!error) error = std::current_exception();
        next.store(n_tasks, std::memory_order_relaxed);
      }
    }
    in_task = false;
  }

  void loop() {
    uint64_t seen = 0;
    std::unique_lock<std::mutex> lock(mutex);
    for (;;) {
      if (job == seen && !stop) {
        lock.unlock();
        spin_until([&] { return job != seen; });
        lock.lock();
      }
      wake.wait(lock, [&] { return stop || job != seen; });
      if (stop) return;
      seen = job;
      // A worker that wakes after its job has ended must not touch the next one's counters half
      // set up: they are written under this mutex, and an ended job has no task left.
      ++active;
      lock.unlock();
      work();
      lock.lock();
      if (--active == 0) done.notify_one();
    }
  }
};

namespace {

// Every live pool, so that a forked child can give each a fresh start. Never destroyed: pools may
// outlive static destruction.
std::vector<ThreadPool*>& live_pools() {
  static auto* pools = new std::vector<ThreadPool*>;
  return *pools;
}

std::mutex& live_pools_mutex() {
  static auto* mutex = new std::mutex;
  return *mutex;
}

}  // namespace

// Runs in the child, which has one thread and none of the pool's workers; mutexes may be held by
// threads that are gone, so the old state is left behind on purpose.
void ThreadPool::after_fork() {
  in_task = false;
  for (ThreadPool* pool : live_pools()) {
    static_cast<void>(pool->state_.release());
    pool->state_.reset(new State);
  }
}

const int ThreadPool::registered_ = pthread_atfork(nullptr, nullptr, after_fork);

ThreadPool::ThreadPool(int threads) : threads_(std::max(1, threads)), state_(new State) {
  static_cast<void>(registered_);
  const ForkPass pass;  // or the child could find the list half changed
  std::lock_guard<std::mutex> lock(live_pools_mutex());
  live_pools().push_back(this);
}

ThreadPool::~ThreadPool() {
  {
    const ForkPass pass;
    std::lock_guard<std::mutex> lock(live_pools_mutex());
    auto& pools = live_pools();
    pools.erase(std::find(pools.begin(), pools.end(), this));
  }
  {
    std::lock_guard<std::mutex> lock(state_->mutex);
    state_->stop = true;
  }
  state_->wake.notify_all();
  for (auto& w : state_->workers) w.join();
}

void ThreadPool::parallel_for(int64_t n_tasks, void (*fn)(void*, int64_t), void* arg) {
  if (n_tasks <= 0) return;
  const auto inline_run = [&] {
    for (int64_t t = 0; t < n_tasks; ++t) fn(arg, t);
  };
  if (threads_ == 1 || n_tasks == 1 || in_task) return inline_run();
  State& s = *state_;
  std::unique_lock<std::mutex> owner(s.owner, std::try_to_lock);
  if (!owner.owns_lock()) return inline_run();
  const int helpers = static_cast<int>(std::min<int64_t>(threads_, n_tasks)) - 1;
  {
    std::unique_lock<std::mutex> lock(s.mutex);
    s.done.wait(lock, [&] { return s.active == 0; });
    s.fn = fn;
    s.arg = arg;
    s.n_tasks = n_tasks;
    s.error = nullptr;
    s.next.store(0, std::memory_order_relaxed);
    ++s.job;
    while (static_cast<int>(s.workers.size()) < threads_ - 1) s.workers.emplace_back([&s] { s.loop(); });
  }
  if (helpers >= threads_ - 1)
    s.wake.notify_all();
  else
    for (int i = 0; i < helpers; ++i) s.wake.notify_one();
  s.work();
  spin_until([&] { return s.active == 0; });
  std::exception_ptr error;
  {
    std::unique_lock<std::mutex> lock(s.mutex);
    s.done.wait(lock, [&] { return s.active == 0; });
    error = s.error;
    s.error = nullptr;
  }
  if (error) std::rethrow_exception(error);
}

namespace {

// CPUs' worth of quota of this process's control group, or 0 when unlimited or unknown.
int cgroup_limit() {
  double quota = 0, period = 0;
  if (FILE* f = std::fopen("/sys/fs/cgroup/cpu.max", "r")) {
    const int n = std::fscanf(f, "%lf %lf", &quota, &period);  // "max 100000" leaves n at 0
    std::fclose(f);
    if (n == 2 && period > 0) return std::max(1, static_cast<int>(quota / period + 0.5));
  }
  const auto read = [](const char* path) {
    double v = 0;
    if (FILE* f = std::fopen(path, "r")) {
      if (std::fscanf(f, "%lf", &v) != 1) v = 0;
      std::fclose(f);
    }
    return v;
  };
  quota = read("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  period = read("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  return quota > 0 && period > 0 ? std::max(1, static_cast<int>(quota / period + 0.5)) : 0;
}

}  // namespace

int default_threads() {
  if (const char* env = std::getenv("PYKERAS_NUM_THREADS")) {
    const int n = std::atoi(env);
    if (n > 0) return n;
  }
  int n = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) n = std::max(1, CPU_COUNT(&set));
#endif
  const int limit = cgroup_limit();
  return limit > 0 ? std::min(n, limit) : n;
}

}  // namespace pk
