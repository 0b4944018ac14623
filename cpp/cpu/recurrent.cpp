// lstm, gru and their gradients on the CPU. The rows of a batch are independent of each other, so each task
// takes some rows through the whole sequence: no thread waits for another between the steps. How many rows
// depends on nothing but a constant, and a row's bits not even on that.
#include "kernels/recurrent.h"

#include <algorithm>
#include <cstring>

#include "cpu/carver.h"
#include "cpu/gemm.h"
#include "cpu/packed.h"
#include "cpu/parallel.h"
#include "cpu/recurrent_gates.h"

namespace pk::cpu {
namespace {

constexpr int64_t kRows =
    16;  // of the batch per task: enough for the products' tiles, few enough to share out

static_assert(int(Act::none) == 0 && int(Act::relu) == 1 && int(Act::elu) == 3 && int(Act::sigmoid) == 4 &&
                  int(Act::tanh) == 5 && int(Act::hard_sigmoid) == 6 && int(Act::softplus) == 7 &&
                  int(Act::softsign) == 8 && int(Act::exp) == 9,
              "cpu/isa/recurrent.cpp switches over these numbers");

int64_t tasks_of(int64_t batch) { return (batch + kRows - 1) / kRows; }

// One recurrent weight matrix, or some of its columns, packed for products with a few rows.
template <class T>
struct Weights {
  const T* packed;
  int64_t k, n;
  // c = a·weights; a has rows of k, c rows ldc apart.
  void product(ThreadPool& pool, const T* a, int64_t lda, int64_t rows, T* c, int64_t ldc) const {
    Gemm<T> g;
    g.m = rows;
    g.n = n;
    g.k = k;
    g.a = a;
    g.lda = lda;
    g.packed_b = packed;
    g.b = nullptr;
    g.ldb = n;
    g.c = c;
    g.ldc = ldc;
    gemm(pool, g, nullptr);
  }
};

template <class T>
Weights<T> pack(ThreadPool& pool, Carver& room, const T* u, int64_t ld, bool trans, int64_t k, int64_t n) {
  T* to = static_cast<T*>(room.take_bytes(packed_b_bytes<T>(k, n)));
  if (u) pack_b_whole(pool, u, ld, trans, k, n, to);
  return {to, k, n};
}

// to (+)= sum over steps of a_t' · d_t, where the rows of a are the states that the steps began with.
template <class T>
void weight_gradient(ThreadPool& pool, const RnnSizes& s, const T* first, const T* states, const T* d,
                     int64_t ldd, int64_t columns, T* to, int64_t ldto, T* extra, void* workspace) {
  const int64_t n = s.units, rows = s.batch;
  const auto product = [&](const T* a, const T* b, int64_t m, T* c, int64_t ldc) {
    Gemm<T> g;
    g.m = n;
    g.n = columns;
    g.k = m;
    g.a = a;
    g.lda = n;
    g.trans_a = true;
    g.b = b;
    g.ldb = ldd;
    g.c = c;
    g.ldc = ldc;
    gemm(pool, g, workspace);
  };
  // The first step began with the initial state, the others with what the step before them made.
  const int64_t steps = s.steps, begin = s.time(0);
  product(first, d + begin * rows * ldd, rows, to, ldto);
  if (steps == 1) return;
  const T* a = s.reverse ? states + rows * n : states;
  const T* b = s.reverse ? d : d + rows * ldd;
  product(a, b, (steps - 1) * rows, extra, columns);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < columns; ++j) to[i * ldto + j] += extra[i * columns + j];
}

template <class T>
size_t weight_gradient_workspace(const RnnSizes& s, int64_t columns) {
  return std::max(
      gemm_workspace<T>(s.units, columns, s.batch, true, false),
      gemm_workspace<T>(s.units, columns, std::max<int64_t>(1, s.steps - 1) * s.batch, true, false));
}

// Calls f(first row, rows, task) for every group of rows.
template <class F>
void for_rows(Context& ctx, int64_t batch, F&& f) {
  const auto one = [&](int64_t t) { f(t * kRows, std::min(kRows, batch - t * kRows), t); };
  if (tasks_of(batch) == 1)
    one(0);
  else
    ctx.pool.for_each(tasks_of(batch), one);
}

const uint8_t* mask_of(const RnnSizes& s, int64_t t, int64_t row) {
  return s.mask ? s.mask_at(t) + row : nullptr;
}

// ---- LSTM

template <class T>
struct LstmRoom {
  Carver room;
  Weights<T> u{};
  T *rec, *c;  // of each task: (kRows, 4n); without save the cell state lives in the output
  LstmRoom(void* base, ThreadPool* pool, const KernelArgs& a, const RnnSizes& s) : room(base) {
    const T* prepared = unpack_header<T>(a.prepared);
    if (prepared)
      u = {prepared, s.units, 4 * s.units};
    else if (pool)
      u = pack(*pool, room, a.in[1].as<T>(), 4 * s.units, false, s.units, 4 * s.units);
    else if (!a.keeps_prepared)
      room.take_bytes(packed_b_bytes<T>(s.units, 4 * s.units));
    rec = room.template take<T>(tasks_of(s.batch) * kRows * 4 * s.units);
  }
};

template <class T>
void lstm(Context& ctx, const KernelArgs& a) {
  const RnnSizes s(a, 0);
  const auto& attrs = a.attr<RnnAttrs>();
  const int64_t n = s.units;
  const LstmRoom<T> room(a.workspace, &ctx.pool, a, s);
  const T *xp = a.in[0].as<T>(), *h0 = a.in[2].as<T>(), *c0 = a.in[3].as<T>();
  T *hs = a.out[0].as<T>(), *last_c = a.out[1].as<T>();
  T *cs = attrs.save ? a.out[2].as<T>() : nullptr, *gates = attrs.save ? a.out[3].as<T>() : nullptr;
  for_rows(ctx, s.batch, [&](int64_t row, int64_t rows, int64_t task) {
    T* rec = room.rec + task * kRows * 4 * n;
    LstmStep<T> step{};
    step.rows = rows;
    step.n = n;
    step.act = static_cast<int>(attrs.act);
    step.rec_act = static_cast<int>(attrs.rec_act);
    step.rec = rec;
    step.h0 = h0 + row * n;
    step.c0 = c0 + row * n;
    for (int64_t k = 0; k < s.steps; ++k) {
      const int64_t t = s.time(k), at = t * s.batch + row;
      room.u.product(ctx.pool, step.h0, n, rows, rec, 4 * n);
      step.mask = mask_of(s, t, row);
      step.xp = xp + at * 4 * n;
      step.h = hs + at * n;
      step.c = cs ? cs + at * n : last_c + row * n;
      step.gates = gates ? gates + at * 4 * n : nullptr;
      PK_PICK_T(T, lstm_step)(step);
      step.h0 = step.h;
      step.c0 = step.c;
    }
    if (step.c0 != last_c + row * n)
      std::memcpy(last_c + row * n, step.c0, static_cast<size_t>(rows * n) * sizeof(T));
  });
}

template <class T>
struct LstmGradRoom {
  Carver room;
  Weights<T> ut{};  // transposed
  T *part, *extra;
  void* products;
  LstmGradRoom(void* base, ThreadPool* pool, const KernelArgs& a, const RnnSizes& s) : room(base) {
    ut = pack(*pool, room, base ? a.in[3].as<T>() : nullptr, 4 * s.units, true, 4 * s.units, s.units);
    part = room.template take<T>(tasks_of(s.batch) * kRows * s.units);
    extra = room.template take<T>(s.units * 4 * s.units);
    products = room.take_bytes(weight_gradient_workspace<T>(s, 4 * s.units));
  }
};

template <class T>
void add_rows(const T* from, int64_t count, T* to) {
  for (int64_t i = 0; i < count; ++i) to[i] += from[i];
}

template <class T>
void lstm_grad(Context& ctx, const KernelArgs& a) {
  const RnnSizes s(a, 2);
  const auto& attrs = a.attr<RnnAttrs>();
  const int64_t n = s.units;
  const LstmGradRoom<T> room(a.workspace, &ctx.pool, a, s);
  const T *dhs = a.in[0].as<T>(), *h0 = a.in[4].as<T>(), *c0 = a.in[5].as<T>();
  const T *hs = a.in[6].as<T>(), *cs = a.in[7].as<T>(), *gates = a.in[8].as<T>();
  T *dxp = a.out[0].as<T>(), *du = a.out[1].as<T>(), *dh = a.out[2].as<T>(), *dc = a.out[3].as<T>();
  std::memset(dh, 0, static_cast<size_t>(a.out[2].type.bytes()));
  std::memcpy(dc, a.in[1].data, static_cast<size_t>(a.out[3].type.bytes()));
  if (s.steps == 0) {
    std::memset(du, 0, static_cast<size_t>(a.out[1].type.bytes()));
    return;
  }
  for_rows(ctx, s.batch, [&](int64_t row, int64_t rows, int64_t task) {
    T* part = room.part + task * kRows * n;
    LstmStepGrad<T> step{};
    step.rows = rows;
    step.n = n;
    step.act = static_cast<int>(attrs.act);
    step.rec_act = static_cast<int>(attrs.rec_act);
    step.dh = dh + row * n;
    step.dc = dc + row * n;
    for (int64_t k = s.steps - 1; k >= 0; --k) {
      const int64_t t = s.time(k), at = t * s.batch + row;
      step.mask = mask_of(s, t, row);
      step.gates = gates + at * 4 * n;
      step.c = cs + at * n;
      step.c0 = k ? cs + (s.time(k - 1) * s.batch + row) * n : c0 + row * n;
      step.dh_out = dhs + at * n;
      step.dz = dxp + at * 4 * n;
      PK_PICK_T(T, lstm_step_grad)(step);
      room.ut.product(ctx.pool, step.dz, 4 * n, rows, part, n);
      add_rows(part, rows * n, step.dh);
    }
  });
  weight_gradient(ctx.pool, s, h0, hs, dxp, 4 * n, 4 * n, du, 4 * n, room.extra, room.products);
}

// ---- GRU

template <class T>
struct GruRoom {
  Carver room;
  Weights<T> u{}, inner{};  // all columns, or those of z and r; those of the candidate
  T *rec, *rh, *gates;
  int64_t width;
  GruRoom(void* base, ThreadPool* pool, const KernelArgs& a, const RnnSizes& s) : room(base) {
    const auto& attrs = a.attr<RnnAttrs>();
    const T* from = base ? a.in[1].as<T>() : nullptr;
    const int64_t n = s.units;
    width = attrs.reset_after ? 4 * n : 3 * n;
    u = pack(*pool, room, from, 3 * n, false, n, attrs.reset_after ? 3 * n : 2 * n);
    if (!attrs.reset_after) inner = pack(*pool, room, from ? from + 2 * n : nullptr, 3 * n, false, n, n);
    const int64_t rows = tasks_of(s.batch) * kRows;
    rec = room.template take<T>(rows * 3 * n);
    rh = room.template take<T>(rows * n);
    gates = attrs.save ? nullptr : room.template take<T>(rows * width);
  }
};

template <class T>
void gru(Context& ctx, const KernelArgs& a) {
  const RnnSizes s(a, 0);
  const auto& attrs = a.attr<RnnAttrs>();
  const int64_t n = s.units;
  const GruRoom<T> room(a.workspace, &ctx.pool, a, s);
  const T *xp = a.in[0].as<T>(), *bias = attrs.reset_after ? a.in[3].as<T>() : nullptr;
  T *hs = a.out[0].as<T>(), *saved = attrs.save ? a.out[1].as<T>() : nullptr;
  for_rows(ctx, s.batch, [&](int64_t row, int64_t rows, int64_t task) {
    T *rec = room.rec + task * kRows * 3 * n, *rh = room.rh + task * kRows * n;
    GruStep<T> step{};
    step.rows = rows;
    step.n = n;
    step.act = static_cast<int>(attrs.act);
    step.rec_act = static_cast<int>(attrs.rec_act);
    step.width = room.width;
    step.rec = rec;
    step.rh = attrs.reset_after ? nullptr : rh;
    step.h0 = a.in[2].as<T>() + row * n;
    for (int64_t k = 0; k < s.steps; ++k) {
      const int64_t t = s.time(k), at = t * s.batch + row;
      step.mask = mask_of(s, t, row);
      step.xp = xp + at * 3 * n;
      step.h = hs + at * n;
      step.gates = saved ? saved + at * room.width : room.gates + task * kRows * room.width;
      room.u.product(ctx.pool, step.h0, n, rows, rec, 3 * n);
      if (bias)
        for (int64_t r = 0; r < rows; ++r) add_rows(bias, 3 * n, rec + r * 3 * n);
      PK_PICK_T(T, gru_gates)(step);
      if (!attrs.reset_after) {
        room.inner.product(ctx.pool, rh, n, rows, rec + 2 * n, 3 * n);
        PK_PICK_T(T, gru_output)(step);
      }
      step.h0 = step.h;
    }
  });
}

template <class T>
struct GruGradRoom {
  Carver room;
  Weights<T> ut{}, inner_t{};
  T *part, *drh, *dp, *rh, *extra;
  void* products;
  GruGradRoom(void* base, ThreadPool* pool, const KernelArgs& a, const RnnSizes& s) : room(base) {
    const bool after = a.attr<RnnAttrs>().reset_after;
    const T* from = base ? a.in[2].as<T>() : nullptr;
    const int64_t n = s.units, rows = tasks_of(s.batch) * kRows;
    ut = pack(*pool, room, from, 3 * n, true, after ? 3 * n : 2 * n, n);
    if (!after) inner_t = pack(*pool, room, from ? from + 2 * n : nullptr, 3 * n, true, n, n);
    part = room.template take<T>(rows * n);
    drh = room.template take<T>(rows * n);
    dp = after ? room.template take<T>(s.steps * s.batch * 3 * n) : nullptr;
    rh = after ? nullptr : room.template take<T>(s.steps * s.batch * n);
    extra = room.template take<T>(n * 3 * n);
    products = room.take_bytes(std::max(
        weight_gradient_workspace<T>(s, after ? 3 * n : 2 * n),
        after ? size_t{0} : gemm_workspace<T>(n, n, std::max<int64_t>(1, s.steps) * s.batch, true, false)));
  }
};

template <class T>
void gru_grad(Context& ctx, const KernelArgs& a) {
  const RnnSizes s(a, 1);
  const auto& attrs = a.attr<RnnAttrs>();
  const bool after = attrs.reset_after;
  const int64_t n = s.units, width = after ? 4 * n : 3 * n;
  const GruGradRoom<T> room(a.workspace, &ctx.pool, a, s);
  const int at_h = after ? 5 : 4;
  const T *dhs = a.in[0].as<T>(), *h0 = a.in[3].as<T>(), *hs = a.in[at_h].as<T>(),
          *gates = a.in[at_h + 1].as<T>();
  T *dxp = a.out[0].as<T>(), *du = a.out[1].as<T>(), *dh = a.out[2].as<T>();
  std::memset(dh, 0, static_cast<size_t>(a.out[2].type.bytes()));
  if (after) std::memset(a.out[3].data, 0, static_cast<size_t>(a.out[3].type.bytes()));
  if (s.steps == 0) {
    std::memset(du, 0, static_cast<size_t>(a.out[1].type.bytes()));
    return;
  }
  for_rows(ctx, s.batch, [&](int64_t row, int64_t rows, int64_t task) {
    T *part = room.part + task * kRows * n, *drh = room.drh + task * kRows * n;
    GruStepGrad<T> step{};
    step.rows = rows;
    step.n = n;
    step.act = static_cast<int>(attrs.act);
    step.rec_act = static_cast<int>(attrs.rec_act);
    step.width = width;
    step.dh = dh + row * n;
    step.drh = drh;
    for (int64_t k = s.steps - 1; k >= 0; --k) {
      const int64_t t = s.time(k), at = t * s.batch + row;
      step.mask = mask_of(s, t, row);
      step.gates = gates + at * width;
      step.h0 = k ? hs + (s.time(k - 1) * s.batch + row) * n : h0 + row * n;
      step.dh_out = dhs + at * n;
      step.dz = dxp + at * 3 * n;
      step.dp = after ? room.dp + at * 3 * n : nullptr;
      PK_PICK_T(T, gru_output_grad)(step);
      if (after) {
        room.ut.product(ctx.pool, step.dp, 3 * n, rows, part, n);
      } else {
        room.inner_t.product(ctx.pool, step.dz + 2 * n, 3 * n, rows, drh, n);
        PK_PICK_T(T, gru_reset_grad)(step);
        room.ut.product(ctx.pool, step.dz, 3 * n, rows, part, n);
        // r·h of every step, for the weights' gradient.
        for (int64_t r = 0; r < rows; ++r)
          for (int64_t j = 0; j < n; ++j)
            room.rh[(at + r) * n + j] = gates[(at + r) * width + n + j] * step.h0[r * n + j];
      }
      add_rows(part, rows * n, step.dh);
    }
  });
  if (after) {
    weight_gradient(ctx.pool, s, h0, hs, static_cast<const T*>(room.dp), 3 * n, 3 * n, du, 3 * n, room.extra,
                    room.products);
    T* db = a.out[3].as<T>();
    for (int64_t i = 0; i < s.steps * s.batch; ++i) add_rows(room.dp + i * 3 * n, 3 * n, db);
    return;
  }
  weight_gradient(ctx.pool, s, h0, hs, static_cast<const T*>(dxp), 3 * n, 2 * n, du, 3 * n, room.extra,
                  room.products);
  Gemm<T> g;
  g.m = n;
  g.n = n;
  g.k = s.steps * s.batch;
  g.a = room.rh;
  g.lda = n;
  g.trans_a = true;
  g.b = dxp + 2 * n;
  g.ldb = 3 * n;
  g.c = du + 2 * n;
  g.ldc = 3 * n;
  gemm(ctx.pool, g, room.products);
}

// ---- registration

// Packing wants a pool even where the room is only counted; then nothing is packed.
template <class Room, int X>
size_t count(const Context& ctx, const KernelArgs& a) {
  return Room(nullptr, &ctx.pool, a, RnnSizes(a, X)).room.used();
}

template <class T>
Kernel lstm_kernel() {
  Kernel k;
  k.run = lstm<T>;
  k.workspace = [](const Context&, const KernelArgs& a) {
    return LstmRoom<T>(nullptr, nullptr, a, RnnSizes(a, 0)).room.used();
  };
  k.prepare_input = 1;
  k.prepared_bytes = [](const KernelArgs& a) {
    const int64_t n = a.in[1].shape()[0];
    return packed_b_bytes<T>(n, 4 * n) + kPackedHeader;
  };
  k.prepare = [](Context& ctx, const KernelArgs& a, void* to) {
    const int64_t n = a.in[1].shape()[0];
    pack_b_whole(ctx.pool, a.in[1].as<T>(), 4 * n, false, n, 4 * n, write_header<T>(to));
  };
  return k;
}

template <class T>
Kernel kernel(void (*run)(Context&, const KernelArgs&),
              size_t (*workspace)(const Context&, const KernelArgs&)) {
  Kernel k;
  k.run = run;
  k.workspace = workspace;
  return k;
}

template <class T>
void add(KernelTable& t, DType d) {
  t.add("lstm", d, lstm_kernel<T>());
  t.add("lstm_grad", d, kernel<T>(lstm_grad<T>, count<LstmGradRoom<T>, 2>));
  t.add("gru", d, kernel<T>(gru<T>, count<GruRoom<T>, 0>));
  t.add("gru_grad", d, kernel<T>(gru_grad<T>, count<GruGradRoom<T>, 1>));
}

const KernelRegistrar registrar("cpu", [](KernelTable& t) {
  add<float>(t, DType::f32);
  add<double>(t, DType::f64);
});

}  // namespace
}  // namespace pk::cpu
