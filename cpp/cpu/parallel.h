// Splitting work into tasks. How it is split depends on sizes alone, never on the number of threads, so that
// results have the same bits for any number.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <type_traits>

#include "core/context.h"
#include "cpu/isa.h"

namespace pk::cpu {

// The one of a function's two forms, name_f32 and name_f64, that works on T, of the instruction set in use.
#define PK_PICK_T(T, fn) (::pk::cpu::of_type<T>(PK_PICK(fn##_f32), PK_PICK(fn##_f64)))

template <class T, class F32, class F64>
constexpr auto of_type(F32 f32, F64 f64) {
  if constexpr (std::is_same_v<T, float>) {
    (void)f64;
    return f32;
  } else {
    (void)f32;
    return f64;
  }
}

constexpr int64_t kTaskWork = 32768;  // about as many element operations as waking a thread is worth
constexpr int64_t kMaxTasks = 64;

// Tasks for `items` pieces of `cost` element operations each, and the pieces per task.
struct Split {
  int64_t tasks = 1, step = 1;
  Split(int64_t items, int64_t cost, int64_t multiple = 1) {
    const int64_t work = items * std::max<int64_t>(cost, 1);
    tasks = std::max<int64_t>(1, std::min({kMaxTasks, work / kTaskWork, items}));
    step = (items + tasks - 1) / tasks;
    step = (step + multiple - 1) / multiple * multiple;
    tasks = step > 0 ? (items + step - 1) / step : 0;
  }
};

// f(begin, end, task) over the pieces; inline when there is one task only.
template <class F>
void parallel(Context& ctx, const Split& split, int64_t items, F&& f) {
  if (split.tasks <= 1) {
    if (items > 0) f(int64_t{0}, items, int64_t{0});
    return;
  }
  ctx.pool.for_each(split.tasks, [&](int64_t t) {
    const int64_t begin = t * split.step;
    f(begin, std::min(items, begin + split.step), t);
  });
}

// Where every piece of work needs room of its own: f(i, lane) for each of `items` numbers, with a lane, below
// `lanes`, that no other call has at the time. Which one is not determined.
template <class F>
void in_lanes(ThreadPool& pool, int64_t lanes, int64_t items, F&& f) {
  std::atomic<int64_t> next{0};
  pool.for_each(lanes, [&](int64_t lane) {
    for (int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < items;) f(i, lane);
  });
}

}  // namespace pk::cpu
