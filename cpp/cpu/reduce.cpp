// Reductions: which loops run over which part of the data. The parts depend on shapes alone and are joined in
// the order of their indices, so the bits are the same for any number of threads.
#include "cpu/reduce.h"

#include <cstring>

#include "cpu/parallel.h"
#include "cpu/reduce_plan.h"
#include "kernels/geometry.h"

namespace pk::cpu {

ReducePlan::ReducePlan(const int64_t* dims, const bool* gone, int n) {
  int64_t size[kMaxDims];
  bool drop[kMaxDims];
  int groups = 0;
  for (int i = 0; i < n; ++i) {
    in_size *= dims[i];
    (gone[i] ? reduced : out_size) *= dims[i];
    if (dims[i] == 1) continue;
    if (groups > 0 && drop[groups - 1] == gone[i]) {
      size[groups - 1] *= dims[i];
    } else {
      size[groups] = dims[i];
      drop[groups++] = gone[i];
    }
  }
  // From the last axis to the first: what is behind has been reduced already.
  int64_t inner = 1;
  for (int g = groups - 1; g >= 0; --g) {
    if (!drop[g]) {
      inner *= size[g];
      continue;
    }
    int64_t outer = 1;
    for (int k = 0; k < g; ++k) outer *= size[k];
    stages[n_stages++] = {outer, size[g], inner};
  }
}

namespace {

constexpr int64_t kTile = 1024;      // columns that a task takes at most
constexpr int64_t kBigRow = 131072;  // rows from this length on are divided

double start_of(Red op) {
  constexpr double inf = __builtin_inf();
  return op == Red::sum ? 0 : op == Red::prod ? 1 : op == Red::max ? -inf : inf;
}
double join(Red op, double a, double b) {
  switch (op) {
    case Red::sum:
      return a + b;
    case Red::prod:
      return a * b;
    case Red::max:
      return b > a || b != b ? b : a;
    case Red::min:
      return b < a || b != b ? b : a;
  }
  return a;
}

// How the columns of (outer, n, inner) are divided: into tiles of columns and chunks of rows.
struct ColumnSplit {
  int64_t width, tiles, rows, chunks, items;
  Split split;
  explicit ColumnSplit(const ReducePlan::Stage& s)
      : width(std::min(s.inner, kTile)),
        tiles((s.inner + width - 1) / width),
        rows(chunk_rows(s.n, width)),
        chunks((s.n + rows - 1) / rows),
        items(s.outer * tiles * chunks),
        split(items, rows * width) {}
  static int64_t chunk_rows(int64_t n, int64_t width) {
    const int64_t parts = std::clamp<int64_t>(n * width / kTaskWork, 1, kMaxTasks);
    return parts == 1 ? n : ((n + parts - 1) / parts + 63) / 64 * 64;
  }
  // Doubles: one accumulator per task, or one per item where rows are divided.
  int64_t doubles() const { return (chunks == 1 ? std::max<int64_t>(split.tasks, 1) : items) * width; }
};

int64_t stage_doubles(const ReducePlan::Stage& s) {
  if (s.inner == 1) return s.n >= kBigRow ? s.outer * ((s.n + kRowChunk - 1) / kRowChunk) : 0;
  return ColumnSplit(s).doubles();
}

size_t round_up(size_t bytes) { return (bytes + 63) / 64 * 64; }

template <class T>
void reduce_rows(Context& ctx, const ReducePlan::Stage& s, Red op, double divisor, const T* x, T* y,
                 double* partials) {
  if (s.n < kBigRow) {
    parallel(ctx, Split(s.outer, s.n), s.outer, [&](int64_t begin, int64_t end, int64_t) {
      PK_PICK_T(T, red_rows)(op, x + begin * s.n, end - begin, s.n, divisor, y + begin);
    });
    return;
  }
  const int64_t chunks = (s.n + kRowChunk - 1) / kRowChunk, items = s.outer * chunks;
  parallel(ctx, Split(items, kRowChunk), items, [&](int64_t begin, int64_t end, int64_t) {
    while (begin < end) {  // item = (row, chunk); neighbouring chunks of a row in one go
      const int64_t row = begin / chunks, first = begin % chunks,
                    last = std::min(chunks, first + end - begin);
      const int64_t n = std::min(s.n, last * kRowChunk) - first * kRowChunk;
      PK_PICK_T(T, red_partials)(op, x + row * s.n + first * kRowChunk, n, partials + begin);
      begin += last - first;
    }
  });
  for (int64_t row = 0; row < s.outer; ++row) {
    double acc = start_of(op);
    for (int64_t c = 0; c < chunks; ++c) acc = join(op, acc, partials[row * chunks + c]);
    y[row] = static_cast<T>(acc / divisor);
  }
}

template <class T>
void reduce_columns(Context& ctx, const ReducePlan::Stage& s, Red op, double divisor, const T* x, T* y,
                    double* work) {
  const ColumnSplit c(s);
  const auto store = [&](int64_t o, int64_t tile, const double* acc) {
    const int64_t first = tile * c.width, n = std::min(c.width, s.inner - first);
    T* to = y + o * s.inner + first;
    for (int64_t i = 0; i < n; ++i) to[i] = static_cast<T>(acc[i] / divisor);
  };
  parallel(ctx, c.split, c.items, [&](int64_t begin, int64_t end, int64_t task) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t chunk = item % c.chunks, tile = item / c.chunks % c.tiles, o = item / c.chunks / c.tiles;
      const int64_t first = tile * c.width, n = std::min(c.width, s.inner - first);
      const int64_t row = chunk * c.rows, rows = std::min(c.rows, s.n - row);
      double* acc = work + (c.chunks == 1 ? task : item) * c.width;
      std::fill_n(acc, n, start_of(op));
      PK_PICK_T(T, red_cols)(op, x + (o * s.n + row) * s.inner + first, rows, n, s.inner, acc);
      if (c.chunks == 1) store(o, tile, acc);
    }
  });
  if (c.chunks == 1) return;
  const int64_t results = s.outer * c.tiles;
  parallel(ctx, Split(results, c.chunks * c.width), results, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t r = begin; r < end; ++r) {
      double* acc = work + r * c.chunks * c.width;
      const int64_t n = std::min(c.width, s.inner - r % c.tiles * c.width);
      for (int64_t k = 1; k < c.chunks; ++k)
        for (int64_t i = 0; i < n; ++i) acc[i] = join(op, acc[i], acc[k * c.width + i]);
      store(r / c.tiles, r % c.tiles, acc);
    }
  });
}

}  // namespace

size_t ReducePlan::workspace(size_t item) const {
  if (in_size == 0) return 0;
  size_t doubles = 0, between = 0;
  for (int i = 0; i < n_stages; ++i) {
    doubles = std::max(doubles, static_cast<size_t>(stage_doubles(stages[i])) * sizeof(double));
    if (i + 1 < n_stages) between += round_up(static_cast<size_t>(stages[i].outer * stages[i].inner) * item);
  }
  return round_up(doubles) + between;
}

template <class T>
void reduce(Context& ctx, const ReducePlan& plan, Red op, double divisor, const T* x, T* y, void* workspace) {
  if (plan.out_size == 0) return;
  if (plan.in_size == 0) {
    for (int64_t i = 0; i < plan.out_size; ++i) y[i] = static_cast<T>(start_of(op) / divisor);
    return;
  }
  if (plan.n_stages == 0) {
    if (x != y) std::memcpy(y, x, static_cast<size_t>(plan.out_size) * sizeof(T));
    return;
  }
  size_t doubles = 0;
  for (int i = 0; i < plan.n_stages; ++i)
    doubles = std::max(doubles, static_cast<size_t>(stage_doubles(plan.stages[i])) * sizeof(double));
  char* between = static_cast<char*>(workspace) + round_up(doubles);
  for (int i = 0; i < plan.n_stages; ++i) {
    const ReducePlan::Stage& s = plan.stages[i];
    const bool last = i + 1 == plan.n_stages;
    T* to = last ? y : reinterpret_cast<T*>(between);
    double* work = static_cast<double*>(workspace);
    (s.inner == 1 ? reduce_rows<T> : reduce_columns<T>)(ctx, s, op, last ? divisor : 1.0, x, to, work);
    x = to;
    if (!last) between += round_up(static_cast<size_t>(s.outer * s.inner) * sizeof(T));
  }
}
template void reduce(Context&, const ReducePlan&, Red, double, const float*, float*, void*);
template void reduce(Context&, const ReducePlan&, Red, double, const double*, double*, void*);

namespace {

ReducePlan axes_plan(const KernelArgs& a) {
  const Shape& s = a.in[0].shape();
  bool gone[kMaxRank];
  for (int i = 0; i < s.rank(); ++i) gone[i] = a.attr<ReduceAttrs>().axes.contains(i);
  return ReducePlan(s.data(), gone, s.rank());
}

// Sums over the axes along which x (input 1) was repeated to give g (input 0).
ReducePlan like_plan(const KernelArgs& a) {
  const Shape &g = a.in[0].shape(), &x = a.out[0].shape();
  bool gone[kMaxRank];
  for (int i = 0; i < g.rank(); ++i) {
    const int k = i - (g.rank() - x.rank());
    gone[i] = k < 0 || (x[k] == 1 && g[i] != 1);
  }
  return ReducePlan(g.data(), gone, g.rank());
}

// g of a tile: each axis is (repetitions, size); of a repeat: the axis is (size, repetitions).
ReducePlan tile_plan(const KernelArgs& a) {
  const Shape& x = a.out[0].shape();
  const Ints& reps = a.attr<TileAttrs>().reps;
  int64_t dims[2 * kMaxRank];
  bool gone[2 * kMaxRank];
  for (int i = 0; i < x.rank(); ++i) {
    dims[2 * i] = reps[i];
    dims[2 * i + 1] = x[i];
    gone[2 * i] = true;
    gone[2 * i + 1] = false;
  }
  return ReducePlan(dims, gone, 2 * x.rank());
}
ReducePlan repeat_plan(const KernelArgs& a) {
  const Shape& x = a.out[0].shape();
  const auto& r = a.attr<RepeatAttrs>();
  const int axis = static_cast<int>(normal_axis(r.axis, x.rank()));
  int64_t dims[kMaxRank + 1];
  bool gone[kMaxRank + 1];
  for (int i = 0, k = 0; i < x.rank(); ++i) {
    dims[k] = x[i];
    gone[k++] = false;
    if (i != axis) continue;
    dims[k] = r.n;
    gone[k++] = true;
  }
  return ReducePlan(dims, gone, x.rank() + 1);
}

using PlanOf = ReducePlan (*)(const KernelArgs&);

template <class T, Red Op, bool Mean, PlanOf Plan>
void run_reduction(Context& ctx, const KernelArgs& a) {
  const ReducePlan plan = Plan(a);
  const double divisor = Mean ? static_cast<double>(plan.reduced) : 1.0;
  reduce(ctx, plan, Op, divisor, a.in[0].as<T>(), a.out[0].as<T>(), a.workspace);
}
template <Red Op, bool Mean, PlanOf Plan>
Kernel reduction(DType dtype) {
  Kernel k;
  k.run = dtype == DType::f64 ? run_reduction<double, Op, Mean, Plan> : run_reduction<float, Op, Mean, Plan>;
  k.workspace = [](const Context&, const KernelArgs& a) {
    return Plan(a).workspace(dtype_size(a.in[0].dtype()));
  };
  return k;
}

// any and all: bytes, a row at a time.
template <bool All>
void run_bool(Context& ctx, const KernelArgs& a) {
  const ReducePlan plan = axes_plan(a);
  const uint8_t* x = a.in[0].as<uint8_t>();
  uint8_t* y = a.out[0].as<uint8_t>();
  (void)ctx;
  if (plan.n_stages == 0 || plan.in_size == 0) {
    for (int64_t i = 0; i < plan.out_size; ++i) y[i] = plan.in_size == 0 ? All : x[i] != 0;
    return;
  }
  uint8_t* between = static_cast<uint8_t*>(a.workspace);
  for (int i = 0; i < plan.n_stages; ++i) {
    const ReducePlan::Stage& s = plan.stages[i];
    uint8_t* to = i + 1 == plan.n_stages ? y : between;
    for (int64_t o = 0; o < s.outer; ++o) {
      const uint8_t* from = x + o * s.n * s.inner;
      uint8_t* line = to + o * s.inner;
      if (s.inner == 1) {
        int64_t k = 0;
        while (k < s.n && (from[k] != 0) == All) ++k;
        *line = (k == s.n) == All;
        continue;
      }
      std::fill_n(line, s.inner, uint8_t{All});
      for (int64_t k = 0; k < s.n; ++k)
        for (int64_t c = 0; c < s.inner; ++c) {
          const uint8_t v = from[k * s.inner + c] != 0;
          line[c] = All ? line[c] & v : line[c] | v;
        }
    }
    x = to;
    between += s.outer * s.inner;
  }
}
template <bool All>
Kernel bool_reduction() {
  Kernel k;
  k.run = run_bool<All>;
  k.workspace = [](const Context&, const KernelArgs& a) {
    const ReducePlan plan = axes_plan(a);
    size_t bytes = 0;
    for (int i = 0; i + 1 < plan.n_stages; ++i)
      bytes += static_cast<size_t>(plan.stages[i].outer * plan.stages[i].inner);
    return bytes;
  };
  return k;
}

// (outer, n, inner) around an axis.
ReducePlan::Stage around(const Shape& s, int64_t axis) {
  ReducePlan::Stage v{1, 1, 1};
  const int at = static_cast<int>(normal_axis(axis, s.rank()));
  for (int i = 0; i < s.rank(); ++i) (i < at ? v.outer : i == at ? v.n : v.inner) *= s[i];
  return v;
}

template <class T, bool Max>
void run_arg(Context& ctx, const KernelArgs& a) {
  const ReducePlan::Stage s = around(a.in[0].shape(), a.attr<AxisAttrs>().axis);
  parallel(ctx, Split(s.outer, s.n * s.inner), s.outer, [&](int64_t begin, int64_t end, int64_t) {
    PK_PICK_T(T, arg_extremum)(Max, a.in[0].as<T>() + begin * s.n * s.inner, end - begin, s.n, s.inner,
                               a.out[0].as<int64_t>() + begin * s.inner);
  });
}

template <class T, bool Prod>
void run_running(Context& ctx, const KernelArgs& a) {
  const auto& c = a.attr<CumAttrs>();
  const ReducePlan::Stage s = around(a.in[0].shape(), c.axis);
  const int64_t line = s.n * s.inner;
  parallel(ctx, Split(s.outer, line), s.outer, [&](int64_t begin, int64_t end, int64_t) {
    PK_PICK_T(T, running)(Prod, c.exclusive, c.reverse, a.in[0].as<T>() + begin * line, end - begin, s.n,
                          s.inner, a.out[0].as<T>() + begin * line);
  });
}

template <class T>
void run_scan(Context& ctx, const KernelArgs& a) {
  const auto& c = a.attr<CumAttrs>();
  const ReducePlan::Stage s = around(a.in[0].shape(), c.axis);
  const int64_t line = s.n * s.inner;
  parallel(ctx, Split(s.outer, line), s.outer, [&](int64_t begin, int64_t end, int64_t) {
    PK_PICK_T(T, linear_scan)(c.reverse, a.in[0].as<T>() + begin * line, a.in[1].as<T>() + begin * line,
                              end - begin, s.n, s.inner, a.out[0].as<T>() + begin * line);
  });
}

const KernelRegistrar registrar("cpu", [](KernelTable& t) {
  for (DType d : {DType::f32, DType::f64}) {
    t.add("sum", d, reduction<Red::sum, false, axes_plan>(d));
    t.add("mean", d, reduction<Red::sum, true, axes_plan>(d));
    t.add("prod", d, reduction<Red::prod, false, axes_plan>(d));
    t.add("max", d, reduction<Red::max, false, axes_plan>(d));
    t.add("min", d, reduction<Red::min, false, axes_plan>(d));
    t.add("sum_to_like", d, reduction<Red::sum, false, like_plan>(d));
    t.add("tile_grad", d, reduction<Red::sum, false, tile_plan>(d));
    t.add("repeat_grad", d, reduction<Red::sum, false, repeat_plan>(d));
  }
  t.add("any", DType::boolean, bool_reduction<false>());
  t.add("all", DType::boolean, bool_reduction<true>());
  t.add("argmax", DType::f32, run_arg<float, true>);
  t.add("argmax", DType::f64, run_arg<double, true>);
  t.add("argmin", DType::f32, run_arg<float, false>);
  t.add("argmin", DType::f64, run_arg<double, false>);
  t.add("cumsum", DType::f32, run_running<float, false>);
  t.add("cumsum", DType::f64, run_running<double, false>);
  t.add("cumprod", DType::f32, run_running<float, true>);
  t.add("cumprod", DType::f64, run_running<double, true>);
  t.add("linear_scan", DType::f32, run_scan<float>);
  t.add("linear_scan", DType::f64, run_scan<double>);
});

}  // namespace
}  // namespace pk::cpu
