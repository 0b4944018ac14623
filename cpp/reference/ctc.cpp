// Connectionist temporal classification, as the paper writes it: all in logarithms, one sample at a time.
#include "kernels/ctc.h"

#include <vector>

#include "reference/common.h"

namespace pk::reference {
namespace {

using ctc::kImpossible;
using ctc::log_add;

// One sample of (log_probs (batch, time, classes), labels, input_length, label_length). Its states are the
// labels with blanks around each: blank, first, blank, second, … blank.
template <class T>
struct Sample {
  const T* log_probs;
  int64_t classes, frames;
  std::vector<int64_t> states;

  Sample(const KernelArgs& a, const char* op, int first, int64_t b) {
    const TensorArg &x = a.in[first], &labels = a.in[first + 1];
    classes = x.shape()[2];
    log_probs = x.as<T>() + b * x.shape()[1] * classes;
    frames = ctc::frames_of(a, op, a.in[first + 2], b, x.shape()[1]);
    const int64_t n = ctc::labels_of(a, op, labels, a.in[first + 3], b, classes);
    states.assign(static_cast<size_t>(2 * n + 1), classes - 1);
    for (int64_t i = 0; i < n; ++i)
      states[static_cast<size_t>(2 * i + 1)] = labels.integer(b * labels.shape()[1] + i);
  }

  double at(int64_t t, size_t s) const { return static_cast<double>(log_probs[t * classes + states[s]]); }
  // May a path go from state s−2 to s, past the blank between? Not between equal labels.
  bool skips(size_t s) const { return s >= 2 && states[s] != classes - 1 && states[s] != states[s - 2]; }

  // alpha[t][s]: log probability of all beginnings of paths that are in state s at time t.
  std::vector<std::vector<double>> forward() const {
    const size_t n = states.size();
    std::vector<std::vector<double>> alpha(static_cast<size_t>(frames), std::vector<double>(n, kImpossible));
    for (size_t t = 0; t < alpha.size(); ++t)
      for (size_t s = 0; s < n; ++s) {
        double before = kImpossible;
        if (t == 0) {
          if (s < 2) before = 0;
        } else {
          before = alpha[t - 1][s];
          if (s >= 1) before = log_add(before, alpha[t - 1][s - 1]);
          if (skips(s)) before = log_add(before, alpha[t - 1][s - 2]);
        }
        alpha[t][s] = before + at(static_cast<int64_t>(t), s);
      }
    return alpha;
  }
  // beta[t][s]: log probability of all endings of paths after time t that are in state s then.
  std::vector<std::vector<double>> backward() const {
    const size_t n = states.size();
    std::vector<std::vector<double>> beta(static_cast<size_t>(frames), std::vector<double>(n, kImpossible));
    for (size_t t = beta.size(); t-- > 0;)
      for (size_t s = 0; s < n; ++s) {
        if (t + 1 == beta.size()) {
          if (s + 2 >= n) beta[t][s] = 0;
          continue;
        }
        const auto through = [&](size_t to) { return beta[t + 1][to] + at(static_cast<int64_t>(t) + 1, to); };
        beta[t][s] = through(s);
        if (s + 1 < n) beta[t][s] = log_add(beta[t][s], through(s + 1));
        if (s + 2 < n && skips(s + 2)) beta[t][s] = log_add(beta[t][s], through(s + 2));
      }
    return beta;
  }
  double log_likelihood(const std::vector<std::vector<double>>& alpha) const {
    const size_t n = states.size();
    if (frames == 0) return n == 1 ? 0 : kImpossible;
    const double last = alpha.back()[n - 1];
    return n == 1 ? last : log_add(last, alpha.back()[n - 2]);
  }
};

// (log_probs, labels, input_length, label_length) → (batch,)
template <class T>
void loss(Context&, const KernelArgs& a) {
  for (int64_t b = 0; b < a.out[0].size; ++b) {
    const Sample<T> sample(a, "ctc_loss", 0, b);
    a.out[0].as<T>()[b] = static_cast<T>(-sample.log_likelihood(sample.forward()));
  }
}

// (g, log_probs, labels, input_length, label_length): how likely each class is at each time, given the
// labels, times −g.
template <class T>
void loss_grad(Context&, const KernelArgs& a) {
  T* d = a.out[0].as<T>();
  for (int64_t i = 0; i < a.out[0].size; ++i) d[i] = T(0);
  for (int64_t b = 0; b < a.out[0].shape()[0]; ++b) {
    const Sample<T> sample(a, "ctc_loss_grad", 1, b);
    const auto alpha = sample.forward(), beta = sample.backward();
    const double total = sample.log_likelihood(alpha);
    if (total == kImpossible) continue;
    const double g = static_cast<double>(a.in[0].as<T>()[b]);
    for (size_t t = 0; t < alpha.size(); ++t) {
      std::vector<double> share(static_cast<size_t>(sample.classes));
      for (size_t s = 0; s < sample.states.size(); ++s)
        share[static_cast<size_t>(sample.states[s])] += std::exp(alpha[t][s] + beta[t][s] - total);
      T* to = d + (b * a.out[0].shape()[1] + static_cast<int64_t>(t)) * sample.classes;
      for (int64_t c = 0; c < sample.classes; ++c) to[c] = static_cast<T>(-g * share[static_cast<size_t>(c)]);
    }
  }
}

// (log_probs, lengths) → the best class of each frame, repetitions and blanks taken out; −Σ of their logs
template <class T>
void greedy(Context&, const KernelArgs& a) {
  const int64_t steps = a.in[0].shape()[1], classes = a.in[0].shape()[2];
  for (int64_t b = 0; b < a.in[0].shape()[0]; ++b) {
    const int64_t frames = ctc::frames_of(a, "ctc_greedy", a.in[1], b, steps);
    int64_t* to = a.out[0].as<int64_t>() + b * steps;
    for (int64_t t = 0; t < steps; ++t) to[t] = -1;
    double sum = 0;
    int64_t before = -1;
    for (int64_t t = 0; t < frames; ++t) {
      const T* line = a.in[0].as<T>() + (b * steps + t) * classes;
      const int64_t best = std::max_element(line, line + classes) - line;
      sum -= static_cast<double>(line[best]);
      if (best != before && best != classes - 1) *to++ = best;
      before = best;
    }
    a.out[1].as<T>()[b] = static_cast<T>(sum);
  }
}

// A label sequence and the log probabilities of the paths that give it: those that end with a blank, with
// its last label, and both.
struct Prefix {
  std::vector<int64_t> labels;
  double blank = kImpossible, label = kImpossible;
  double total() const { return log_add(blank, label); }
};

const Prefix* find(const std::vector<Prefix>& beam, const std::vector<int64_t>& labels) {
  for (const Prefix& p : beam)
    if (p.labels == labels) return &p;
  return nullptr;
}

// Takes `p` into the beam, in place of the worst if there is no room; the earlier of equal ones is better.
void offer(std::vector<Prefix>& beam, const Prefix& p, int64_t width) {
  if (static_cast<int64_t>(beam.size()) == width) {
    size_t worst = 0;
    for (size_t i = 1; i < beam.size(); ++i)
      if (beam[i].total() <= beam[worst].total()) worst = i;
    if (!(p.total() > beam[worst].total())) return;
    beam.erase(beam.begin() + static_cast<std::ptrdiff_t>(worst));
  }
  beam.push_back(p);
}

// One frame more. Prefix search: lengthens each kept sequence by each label, and keeps the best of them and
// of those that stay. As in TensorFlow, the best come first, and a sequence that has lost its place when its
// beginning's turn comes is not lengthened itself.
template <class T>
std::vector<Prefix> next_beam(const std::vector<Prefix>& beam, const T* line, int64_t classes,
                              int64_t width) {
  // All that gives p, followed by one more `label`: after the same label, only behind a blank.
  const auto lengthened = [&](const Prefix& p, int64_t label) {
    const bool same = !p.labels.empty() && p.labels.back() == label;
    return (same ? p.blank : p.total()) + static_cast<double>(line[label]);
  };
  std::vector<Prefix> next;
  for (const Prefix& p : beam) {
    Prefix stays = p;
    stays.blank = p.total() + static_cast<double>(line[classes - 1]);
    if (!p.labels.empty()) {
      const int64_t last = p.labels.back();
      stays.label = p.label + static_cast<double>(line[last]);
      const std::vector<int64_t> shorter(p.labels.begin(), p.labels.end() - 1);
      if (const Prefix* parent = find(beam, shorter))
        stays.label = log_add(stays.label, lengthened(*parent, last));
    }
    next.push_back(stays);
  }
  std::vector<std::vector<int64_t>> lapsed;
  for (const Prefix& p : beam) {
    if (std::find(lapsed.begin(), lapsed.end(), p.labels) != lapsed.end()) continue;
    for (int64_t c = 0; c + 1 < classes; ++c) {
      Prefix longer;
      longer.labels = p.labels;
      longer.labels.push_back(c);
      longer.label = lengthened(p, c);
      if (!find(beam, longer.labels)) {
        if (longer.label != kImpossible) offer(next, longer, width);
      } else if (!find(next, longer.labels)) {
        lapsed.push_back(longer.labels);
      }
    }
  }
  std::stable_sort(next.begin(), next.end(),
                   [](const Prefix& x, const Prefix& y) { return x.total() > y.total(); });
  return next;
}

// (log_probs, lengths) → the likeliest of the sequences in the beam.
template <class T>
void beam_search(Context&, const KernelArgs& a) {
  const auto& attrs = a.attr<CtcBeamAttrs>();
  const int64_t steps = a.in[0].shape()[1], classes = a.in[0].shape()[2];
  for (int64_t b = 0; b < a.in[0].shape()[0]; ++b) {
    const int64_t frames = ctc::frames_of(a, "ctc_beam_search", a.in[1], b, steps);
    std::vector<Prefix> beam(1);
    beam[0].blank = 0;
    for (int64_t t = 0; t < frames; ++t)
      beam = next_beam(beam, a.in[0].as<T>() + (b * steps + t) * classes, classes, attrs.width);
    for (int64_t k = 0; k < attrs.paths; ++k) {
      const Prefix* p = k < static_cast<int64_t>(beam.size()) ? &beam[static_cast<size_t>(k)] : nullptr;
      int64_t* to = a.out[k].as<int64_t>() + b * steps;
      for (int64_t t = 0; t < steps; ++t)
        to[t] = p && t < static_cast<int64_t>(p->labels.size()) ? p->labels[static_cast<size_t>(t)] : -1;
      a.out[attrs.paths].as<T>()[b * attrs.paths + k] = static_cast<T>(p ? p->total() : kImpossible);
    }
  }
}

const KernelRegistrar registrar("reference", [](KernelTable& t) {
  PK_ADD_FLOATS(t, "ctc_loss", loss);
  PK_ADD_FLOATS(t, "ctc_loss_grad", loss_grad);
  PK_ADD_FLOATS(t, "ctc_greedy", greedy);
  PK_ADD_FLOATS(t, "ctc_beam_search", beam_search);
});

}  // namespace
}  // namespace pk::reference
