// Connectionist temporal classification on the CPU: samples in parallel, each thread with a part of the
// workspace of its own. In logarithms, and in double precision: a path over a thousand frames would lose its
// digits.
#include "kernels/ctc.h"

#include "cpu/carver.h"
#include "cpu/parallel.h"

namespace pk::cpu {
namespace {

using ctc::kImpossible;
using ctc::log_add;

double log_add(double a, double b, double c) {
  const double most = std::max({a, b, c});
  if (most == kImpossible) return a + b + c;  // max does not see a NaN behind it
  return most + std::log(std::exp(a - most) + std::exp(b - most) + std::exp(c - most));
}

// How many samples are worked on at once, a batch being worth `split.tasks` threads' work.
int64_t lanes_of(const Context& ctx, const Split& split) {
  return std::min<int64_t>(ctx.pool.size(), split.tasks);
}

// Sizes of (log_probs, labels, input_length, label_length), which begin at input `first`.
struct Sizes {
  int64_t batch, steps, classes, width, states;
  Sizes(const KernelArgs& a, int first)
      : batch(a.in[first].shape()[0]),
        steps(a.in[first].shape()[1]),
        classes(a.in[first].shape()[2]),
        width(a.in[first + 1].shape()[1]),
        states(2 * width + 1) {}
  Split split() const { return Split(batch, steps * states * 16); }
};

// The states of one sample, blank, label, blank, … blank, and room for the passes over them.
struct Lattice {
  int32_t* states = nullptr;  // the class of each
  bool* skips = nullptr;      // may a path come from two states before?
  double* alpha = nullptr;    // (rows, states)
  double* beta = nullptr;     // (2, states)
  double* share = nullptr;    // (classes)
  int64_t n = 0, rows = 0;

  // `all`: keep alpha of each time, and room for the way back.
  Lattice(void* base, const Sizes& sizes, bool all) : rows(all ? sizes.steps : 2) {
    Carver room(base);
    states = room.take<int32_t>(sizes.states);
    skips = room.take<bool>(sizes.states);
    alpha = room.take<double>(rows * sizes.states);
    if (all) beta = room.take<double>(2 * sizes.states);
    if (all) share = room.take<double>(sizes.classes);
    bytes = room.used();
  }
  size_t bytes = 0;

  void fill(const TensorArg& labels, int64_t b, int64_t count, int64_t classes) {
    n = 2 * count + 1;
    for (int64_t s = 0; s < n; ++s) {
      states[s] = static_cast<int32_t>(s % 2 ? labels.integer(b * labels.shape()[1] + s / 2) : classes - 1);
      skips[s] = s % 2 && s > 1 && states[s] != states[s - 2];
    }
  }

  // The first and last state that a path can be in at time t and still begin and end where it must.
  int64_t first(int64_t t, int64_t frames) const { return std::max<int64_t>(0, n - 2 * (frames - t)); }
  int64_t last(int64_t t) const { return std::min(n - 1, 2 * t + 1); }

  // Log probability of the labels; alpha (t, s): of all beginnings that are in state s at time t.
  template <class T>
  double forward(const T* log_probs, int64_t frames, int64_t classes) {
    if (frames == 0) return n == 1 ? 0 : kImpossible;
    for (int64_t t = 0; t < frames; ++t) {
      const T* line = log_probs + t * classes;
      double* now = alpha + t % rows * n;
      const double* before = alpha + (t + rows - 1) % rows * n;
      std::fill(now, now + n, kImpossible);
      for (int64_t s = first(t, frames); s <= last(t); ++s) {
        double sum;
        if (t == 0)
          sum = 0;
        else if (skips[s])
          sum = log_add(before[s], before[s - 1], before[s - 2]);
        else
          sum = s ? ctc::log_add(before[s], before[s - 1]) : before[s];
        now[s] = sum + static_cast<double>(line[states[s]]);
      }
    }
    const double* end = alpha + (frames - 1) % rows * n;
    return n == 1 ? end[0] : ctc::log_add(end[n - 1], end[n - 2]);
  }

  // d (frames, classes) = −g · probability of each class at each time, given the labels.
  template <class T>
  void backward(const T* log_probs, int64_t frames, int64_t classes, double total, double g, T* d) {
    for (int64_t t = frames - 1; t >= 0; --t) {
      // beta (t, s): of all endings after time t of paths that are in state s then.
      double *now = beta + t % 2 * n, *after = beta + (t + 1) % 2 * n;
      const double* begun = alpha + t * n;
      std::fill(share, share + classes, 0.0);
      std::fill(now, now + n, kImpossible);
      if (t + 1 < frames)  // with the emission, for the sums below
        for (int64_t s = 0; s < n; ++s)
          after[s] += static_cast<double>(log_probs[(t + 1) * classes + states[s]]);
      for (int64_t s = first(t, frames); s <= last(t); ++s) {
        if (t + 1 == frames)
          now[s] = 0;
        else if (s + 2 < n && skips[s + 2])
          now[s] = log_add(after[s], after[s + 1], after[s + 2]);
        else
          now[s] = s + 1 < n ? ctc::log_add(after[s], after[s + 1]) : after[s];
        share[states[s]] += std::exp(begun[s] + now[s] - total);
      }
      for (int64_t c = 0; c < classes; ++c) d[t * classes + c] = static_cast<T>(-g * share[c]);
    }
  }
};

template <bool All>
size_t lattice_workspace(const Context& ctx, const KernelArgs& a) {
  const Sizes sizes(a, All ? 1 : 0);
  return Lattice(nullptr, sizes, All).bytes * static_cast<size_t>(lanes_of(ctx, sizes.split()));
}

// f(lattice, b, frames) for each sample, its states filled in.
template <class F>
void each_sample(Context& ctx, const KernelArgs& a, const char* op, bool all, F&& f) {
  const int first = all ? 1 : 0;
  const Sizes sizes(a, first);
  const TensorArg& labels = a.in[first + 1];
  const size_t bytes = Lattice(nullptr, sizes, all).bytes;
  in_lanes(ctx.pool, lanes_of(ctx, sizes.split()), sizes.batch, [&](int64_t b, int64_t lane) {
    Lattice lattice(static_cast<char*>(a.workspace) + static_cast<size_t>(lane) * bytes, sizes, all);
    const int64_t frames = ctc::frames_of(a, op, a.in[first + 2], b, sizes.steps);
    const int64_t count = ctc::labels_of(a, op, labels, a.in[first + 3], b, sizes.classes);
    lattice.fill(labels, b, count, sizes.classes);
    f(lattice, b, frames);
  });
}

// (log_probs, labels, input_length, label_length) → (batch,)
template <class T>
void loss(Context& ctx, const KernelArgs& a) {
  const Sizes sizes(a, 0);
  each_sample(ctx, a, "ctc_loss", false, [&](Lattice& lattice, int64_t b, int64_t frames) {
    const T* x = a.in[0].as<T>() + b * sizes.steps * sizes.classes;
    a.out[0].as<T>()[b] = static_cast<T>(-lattice.forward(x, frames, sizes.classes));
  });
}

// (g, log_probs, labels, input_length, label_length)
template <class T>
void loss_grad(Context& ctx, const KernelArgs& a) {
  const Sizes sizes(a, 1);
  const int64_t size = sizes.steps * sizes.classes;
  each_sample(ctx, a, "ctc_loss_grad", true, [&](Lattice& lattice, int64_t b, int64_t frames) {
    const T* x = a.in[1].as<T>() + b * size;
    T* d = a.out[0].as<T>() + b * size;
    const double total = lattice.forward(x, frames, sizes.classes);
    const int64_t used = total == kImpossible ? 0 : frames;
    if (used) lattice.backward(x, frames, sizes.classes, total, static_cast<double>(a.in[0].as<T>()[b]), d);
    std::fill(d + used * sizes.classes, d + size, T(0));
  });
}

// Prefix beam search. The prefixes form a tree that is never cut back, so that one which drops out of the
// beam and comes again is the same node, and its children are still its children.
struct Beam {
  struct Node {
    int32_t parent, symbol, child, sibling;  // child: the first of a list; −1: none
    int32_t at;                              // its place in the beam, or −1
  };
  struct Entry {
    double blank, label, total;  // of the paths that end with a blank, with the last label, and of both
    int64_t order;               // the earlier one wins where totals are equal
    int32_t node, symbol;        // symbol >= 0: the child of `node` by that label
  };
  Node* nodes;
  Entry *beam, *next;
  int32_t* taken;      // (width, classes): the place of that child if it is in the beam itself, or −1
  bool *out, *lapsed;  // (width): has a prefix lost its place in this step? Is it not to be lengthened?
  size_t bytes;
  int64_t width, classes, n_nodes = 0, n = 0, n_next = 0;

  Beam(void* base, int64_t width_, int64_t steps, int64_t classes_) : width(width_), classes(classes_) {
    Carver room(base);
    nodes = room.take<Node>(steps * width + 1);
    beam = room.take<Entry>(width);
    next = room.take<Entry>(width);
    taken = room.take<int32_t>(width * classes);
    out = room.take<bool>(width);
    lapsed = room.take<bool>(width);
    bytes = room.used();
  }

  static bool better(const Entry& x, const Entry& y) {
    return x.total != y.total ? x.total > y.total : x.order < y.order;
  }

  // Keeps the best `width` of what it is offered; the worst of them is on top of the heap.
  void offer(Entry e) {
    e.total = log_add(e.blank, e.label);
    if (n_next < width) {
      next[n_next++] = e;
      std::push_heap(next, next + n_next, better);
    } else if (better(e, next[0])) {
      std::pop_heap(next, next + n_next, better);
      if (const Entry& worst = next[n_next - 1]; worst.symbol < 0) out[nodes[worst.node].at] = true;
      next[n_next - 1] = e;
      std::push_heap(next, next + n_next, better);
    }
  }

  int32_t child(int32_t parent, int32_t symbol) {
    for (int32_t c = nodes[parent].child; c >= 0; c = nodes[c].sibling)
      if (nodes[c].symbol == symbol) return c;
    const auto made = static_cast<int32_t>(n_nodes++);
    nodes[made] = {parent, symbol, -1, nodes[parent].child, -1};
    nodes[parent].child = made;
    return made;
  }

  void start() {
    nodes[0] = {-1, -1, -1, -1, -1};
    n_nodes = n = 1;
    beam[0] = {0, kImpossible, 0, 0, 0, -1};
  }

  template <class T>
  void step(const T* line) {
    const int64_t blank = classes - 1;
    // All of `e`, followed by one more `symbol`: after the same label, only behind a blank.
    const auto lengthened = [&](const Entry& e, int64_t symbol) {
      return (nodes[e.node].symbol == symbol ? e.blank : e.total) + static_cast<double>(line[symbol]);
    };
    for (int64_t p = 0; p < n; ++p) nodes[beam[p].node].at = static_cast<int32_t>(p);
    std::fill(taken, taken + n * classes, -1);
    std::fill(out, out + n, false);
    std::fill(lapsed, lapsed + n, false);
    int64_t order = 0;
    n_next = 0;
    for (int64_t p = 0; p < n; ++p) {
      const Entry& e = beam[p];
      const Node& node = nodes[e.node];
      Entry stays{e.total + static_cast<double>(line[blank]), kImpossible, 0, order++, e.node, -1};
      if (node.parent >= 0) {
        stays.label = e.label + static_cast<double>(line[node.symbol]);
        if (const int32_t at = nodes[node.parent].at; at >= 0) {
          taken[at * classes + node.symbol] = static_cast<int32_t>(p);
          stays.label = log_add(stays.label, lengthened(beam[at], node.symbol));
        }
      }
      offer(stays);
    }
    const double most = blank ? static_cast<double>(*std::max_element(line, line + blank)) : kImpossible;
    for (int64_t p = 0; p < n; ++p) {
      // The beam is in descending order: what cannot get in here cannot get in later.
      if (n_next == width && beam[p].total + most < next[0].total) break;
      if (lapsed[p]) continue;
      for (int64_t c = 0; c < blank; ++c) {
        if (const int32_t q = taken[p * classes + c]; q >= 0) {
          // As in TensorFlow: who has lost its place when its beginning's turn comes is not lengthened.
          if (out[q]) lapsed[q] = true;
          continue;
        }
        const double label = lengthened(beam[p], c);
        if (label != kImpossible)
          offer({kImpossible, label, 0, order, beam[p].node, static_cast<int32_t>(c)});
        ++order;
      }
    }
    for (int64_t p = 0; p < n; ++p) nodes[beam[p].node].at = -1;
    std::sort_heap(next, next + n_next, better);
    for (int64_t p = 0; p < n_next; ++p)
      if (next[p].symbol >= 0) {
        next[p].node = child(next[p].node, next[p].symbol);
        next[p].symbol = -1;
      }
    std::swap(beam, next);
    n = n_next;
  }

  // Writes the labels of the prefix at place p, and how many they are.
  void write(int64_t p, int64_t* to, int64_t steps) const {
    int64_t length = 0;
    if (p < n)
      for (int32_t i = beam[p].node; nodes[i].parent >= 0; i = nodes[i].parent) ++length;
    std::fill(to + length, to + steps, int64_t{-1});
    if (p < n)
      for (int32_t i = beam[p].node; nodes[i].parent >= 0; i = nodes[i].parent)
        to[--length] = nodes[i].symbol;
  }
};

Split beam_split(const KernelArgs& a) {
  const Shape& x = a.in[0].shape();
  return Split(x[0], x[1] * x[2] * a.attr<CtcBeamAttrs>().width);
}

// (log_probs, lengths) → labels (batch, time) of each path; log probabilities (batch, paths)
template <class T>
void beam_search(Context& ctx, const KernelArgs& a) {
  const auto& attrs = a.attr<CtcBeamAttrs>();
  const int64_t batch = a.in[0].shape()[0], steps = a.in[0].shape()[1], classes = a.in[0].shape()[2];
  const size_t bytes = Beam(nullptr, attrs.width, steps, classes).bytes;
  in_lanes(ctx.pool, lanes_of(ctx, beam_split(a)), batch, [&](int64_t b, int64_t lane) {
    Beam beam(static_cast<char*>(a.workspace) + static_cast<size_t>(lane) * bytes, attrs.width, steps,
              classes);
    const int64_t frames = ctc::frames_of(a, "ctc_beam_search", a.in[1], b, steps);
    beam.start();
    for (int64_t t = 0; t < frames; ++t) beam.step(a.in[0].as<T>() + (b * steps + t) * classes);
    for (int64_t k = 0; k < attrs.paths; ++k) {
      beam.write(k, a.out[k].as<int64_t>() + b * steps, steps);
      a.out[attrs.paths].as<T>()[b * attrs.paths + k] =
          static_cast<T>(k < beam.n ? beam.beam[k].total : kImpossible);
    }
  });
}

// (log_probs, lengths) → labels (batch, time), −Σ of the greatest log probabilities (batch, 1)
template <class T>
void greedy(Context& ctx, const KernelArgs& a) {
  const int64_t batch = a.in[0].shape()[0], steps = a.in[0].shape()[1], classes = a.in[0].shape()[2];
  parallel(ctx, Split(batch, steps * classes), batch, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t b = begin; b < end; ++b) {
      const int64_t frames = ctc::frames_of(a, "ctc_greedy", a.in[1], b, steps);
      int64_t *to = a.out[0].as<int64_t>() + b * steps, *stop = to + steps;
      double sum = 0;
      for (int64_t t = 0, before = -1; t < frames; ++t) {
        const T* line = a.in[0].as<T>() + (b * steps + t) * classes;
        const int64_t best = std::max_element(line, line + classes) - line;
        sum -= static_cast<double>(line[best]);
        if (best != before && best != classes - 1) *to++ = best;
        before = best;
      }
      std::fill(to, stop, int64_t{-1});
      a.out[1].as<T>()[b] = static_cast<T>(sum);
    }
  });
}

template <class T>
void add(KernelTable& t, DType dtype) {
  Kernel k;
  k.run = loss<T>;
  k.workspace = lattice_workspace<false>;
  t.add("ctc_loss", dtype, k);
  k.run = loss_grad<T>;
  k.workspace = lattice_workspace<true>;
  t.add("ctc_loss_grad", dtype, k);
  k.run = beam_search<T>;
  k.workspace = [](const Context& ctx, const KernelArgs& a) {
    const Shape& x = a.in[0].shape();
    const size_t one = Beam(nullptr, a.attr<CtcBeamAttrs>().width, x[1], x[2]).bytes;
    return one * static_cast<size_t>(lanes_of(ctx, beam_split(a)));
  };
  t.add("ctc_beam_search", dtype, k);
  t.add("ctc_greedy", dtype, greedy<T>);
}

const KernelRegistrar registrar("cpu", [](KernelTable& t) {
  add<float>(t, DType::f32);
  add<double>(t, DType::f64);
});

}  // namespace
}  // namespace pk::cpu
