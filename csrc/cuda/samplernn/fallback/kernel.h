// SampleRNN's first light, made of fallback/block.h. The same step as the CPU's (cpu/samplernn/stepper.cpp): tiers step
// once per own frame, the highest first, the sample level once per sample.
//
// Letters: D dim, F samples per frame, G gates, Q levels, C streams of a block; a small p marks a padded width.
#pragma once

#include "core/samplernn/stages.h"
#include "cuda/fallback/block.h"
#include "cuda/samplernn/plans.h"

namespace sharks::cuda::samplernn::fallback {

struct Shape {
  int tiers, layers, gates, hidden, Q, lookback, lowest_frame, widest_frame;
  int Dp, Qp;
  SampleRNNSpec::Cell cell;
  bool skips, relu_before_hidden, relu_logits;
};

// Where each row lies in a block's scratch, in floats per stream.
struct Layout {
  int frame, x, gates, recurrent, reset, stack, sample, last, logits, level, partial, total;

  Layout(const Shape& s) {
    total = 0;
    const auto room = [this](int width) { return total += padded(width), total - padded(width); };
    frame = room(s.widest_frame);
    x = room(s.Dp);
    gates = room(s.gates * s.Dp);
    recurrent = room(s.gates * s.Dp);
    reset = room(s.Dp);
    stack = room(s.Dp);
    sample = room(s.Dp);
    last = room(s.Dp);
    logits = room(s.Qp);
    level = room(1);
    partial = room(kProductThreads);
  }
};

template <typename W>
struct Layer {
  Packed<W> below, frame, recurrent, candidate, skip;
  const float *bias, *recurrent_bias;
};

template <typename W>
struct Tier {
  int frame, ratio, row;  // samples; rows handed down per step, and their width
  int64_t conditioning;   // where they lie: [B, ratio, row] from here on
  bool expands;
  Packed<W> expand, upsample;
  const float *expand_bias, *upsample_bias, *skip_bias;
};

template <typename W>
struct Hidden {
  Packed<W> weights;
  const float* bias;
};

template <typename W>
struct Net {
  Shape shape;
  const Tier<W>* tiers;     // [tiers]
  const Layer<W>* layers;   // [tiers, layers]
  const Hidden<W>* hidden;  // [hidden], the first left out where it is folded
  const float *tier_input, *sample_table;
  Packed<W> out;
  const float* out_bias;
};

template <typename W, int C>
struct FirstLight {
  static constexpr int kThreads = threads_for(C);
  Net<W> net;
  SampleRNNState state;
  float* conditioning;  // of all tiers
  Samples samples;
  bool rebuild;  // play nothing: restore the conditioning that is in use in the middle of a frame
  Taps taps;
  Layout at;
  float* scratch;  // [blocks, C at.total], or null: it fits into shared memory

  SHARKS_BOTH void operator()(const Block& block) const {
    float* base = static_cast<float*>(block.shared);
    if (scratch) base = scratch + static_cast<int64_t>(block.index) * C * at.total;
    const int first = block.index * C, rest = samples.B - first;
    const Company company{first, rest < C ? rest : C};
    const Step step{*this, block, company, base};
    if (rebuild) {
      for (int t = net.shape.tiers - 1; t >= 0; --t)
        if (samples.position % net.tiers[t].frame) step.upsample(t);
      return;
    }
    for (int64_t t = 0; t < samples.n; ++t) step.play(t);
  }

 private:
  struct Step {
    const FirstLight& work;
    const Block& block;
    const Company& company;
    float* base;

    SHARKS_BOTH Rows<float> rows(int offset, int width) const { return {base + C * offset, width}; }
    SHARKS_BOTH static Rows<const float> seen(Rows<float> rows) { return {rows.data, rows.ld}; }
    SHARKS_BOTH static Rows<const float> shared_by_all(const float* data) { return {data, 0}; }
    SHARKS_BOTH Rows<float> of_state(float* vectors, int t, int k) const {
      const int64_t ld = static_cast<int64_t>(work.net.shape.layers) * work.net.shape.Dp;
      return {vectors + (static_cast<int64_t>(t) * work.samples.B + company.first) * ld + k * work.net.shape.Dp, ld};
    }
    SHARKS_BOTH Rows<float> handed_down(int t, int phase) const {
      const Tier<W>& tier = work.net.tiers[t];
      const int64_t ld = static_cast<int64_t>(tier.ratio) * tier.row;
      return {work.conditioning + tier.conditioning + company.first * ld + phase * tier.row, ld};
    }
    // The level `back` places before the current position.
    SHARKS_BOTH int32_t heard(int64_t position, int c, int back) const {
      const int lookback = work.net.shape.lookback;
      return work.state.history[(company.first + c) * lookback + (position - back + lookback) % lookback];
    }
    SHARKS_BOTH void multiply(const Packed<W>& w, Rows<const float> x, Rows<const float> init, Rows<float> y,
                              bool relu) const {
      product<C>(block, company, w, x, init, y, relu, base + C * work.at.partial);
    }

    SHARKS_BOTH void play(int64_t t) const {
      const Shape& s = work.net.shape;
      const Samples& samples = work.samples;
      const int64_t position = samples.position + t;
      for (int tier = s.tiers - 1; tier >= 0; --tier)
        if (position % work.net.tiers[tier].frame == 0) run_tier(tier, position);
      if (samples.logits || work.taps.count || !samples.given) predict(t, position);
      int32_t* level = reinterpret_cast<int32_t*>(base + C * work.at.level);
      finish_step(block, company, samples, t, s.Q, rows(work.at.logits, s.Qp), level);
      block.each(company.live, [&](int c) {
        work.state.history[(company.first + c) * s.lookback + position % s.lookback] = level[c];
      });
      block.sync();
    }

    SHARKS_BOTH void predict(int64_t t, int64_t position) const {
      const Shape& s = work.net.shape;
      const int F = s.lowest_frame;
      const Rows<float> sample = rows(work.at.sample, s.Dp), reset = rows(work.at.reset, s.Dp);
      const Rows<float> last = rows(work.at.last, s.Dp), logits = rows(work.at.logits, s.Qp);
      // The hidden layers take turns between buffers and end in `last`.
      Rows<float> from = s.hidden ? sample : last;
      look_up(
          block, company, s.Dp, F, s.Q, work.net.sample_table, [&](int c, int p) { return heard(position, c, F - p); },
          seen(handed_down(0, static_cast<int>(position % F))), from, s.relu_before_hidden);
      for (int i = 0; i < s.hidden; ++i) {
        const Rows<float> to = i + 1 == s.hidden ? last : reset;
        multiply(work.net.hidden[i].weights, seen(from), shared_by_all(work.net.hidden[i].bias), to, true);
        from = to;
      }
      multiply(work.net.out, seen(last), shared_by_all(work.net.out_bias), logits, s.relu_logits);
      tap(block, company, work.taps, SampleRNNStage::kHidden, 0, 0, t, seen(last));
      tap(block, company, work.taps, SampleRNNStage::kLogits, 0, 0, t, seen(logits));
    }

    SHARKS_BOTH void run_tier(int t, int64_t position) const {
      const Shape& s = work.net.shape;
      const Tier<W>& tier = work.net.tiers[t];
      const Layer<W>* layers = work.net.layers + t * s.layers;
      const int F = tier.frame, Fp = (F + 7) / 8 * 8;
      const Rows<float> frame = rows(work.at.frame, Fp), expanded = rows(work.at.x, s.Dp);
      block.each(Fp * company.live, [&](int i) {
        const int c = i / Fp, place = i % Fp;
        frame[c][place] = place < F ? work.net.tier_input[heard(position, c, F - place)] : 0.0f;
      });
      block.sync();
      // What this step's input starts from: the row of the tier above, which holds the biases as well, or the biases.
      Rows<const float> init = shared_by_all(tier.expands ? tier.expand_bias : layers[0].bias);
      if (t + 1 < s.tiers) {
        const int phase = static_cast<int>(position / F % work.net.tiers[t + 1].ratio);
        init = seen(handed_down(t + 1, phase));
      }
      Rows<const float> x = seen(frame);
      if (tier.expands) {
        multiply(tier.expand, x, init, expanded, false);
        x = seen(expanded);
        init = shared_by_all(layers[0].bias);
      }
      const int64_t run = runs(F, work.samples.position, position - work.samples.position);
      for (int k = 0; k < s.layers; ++k) {
        run_layer(t, k, x, init);
        tap(block, company, work.taps, SampleRNNStage::kRnn, t, k, run, seen(of_state(work.state.h, t, k)));
        if (k + 1 < s.layers) init = shared_by_all(layers[k + 1].bias);
      }
      upsample(t);
    }

    SHARKS_BOTH void run_layer(int t, int k, Rows<const float> x, Rows<const float> init) const {
      const Shape& s = work.net.shape;
      const Layer<W>& layer = work.net.layers[t * s.layers + k];
      const Rows<float> h = of_state(work.state.h, t, k), gates = rows(work.at.gates, s.gates * s.Dp);
      const Rows<float> recurrent = rows(work.at.recurrent, s.gates * s.Dp), reset = rows(work.at.reset, s.Dp);
      const int Dp = s.Dp;
      if (layer.below.rows) {
        multiply(layer.below, seen(of_state(work.state.h, t, k - 1)), init, gates, false);
        init = seen(gates);
      }
      if (layer.frame.rows) {
        multiply(layer.frame, x, init, gates, false);
        init = seen(gates);
      }
      if (s.cell == SampleRNNSpec::Cell::kGru) {
        multiply(layer.recurrent, seen(h), shared_by_all(layer.recurrent_bias), recurrent, false);
        each_unit([&](int c, int d) {
          const float* in = gates[c];
          const float* own = recurrent[c];
          const float r = sigmoid(in[d] + own[d]), z = sigmoid(in[Dp + d] + own[Dp + d]);
          const float n = tanhf(in[2 * Dp + d] + r * own[2 * Dp + d]);
          h[c][d] = (1.0f - z) * n + z * h[c][d];
        });
        return;
      }
      multiply(layer.recurrent, seen(h), init, gates, false);  // before a reset the rows r and z alone
      if (s.cell == SampleRNNSpec::Cell::kLstm) {
        const Rows<float> cell = of_state(work.state.c, t, k);
        each_unit([&](int c, int d) {
          const float* a = gates[c];
          const float in = sigmoid(a[d]) * tanhf(a[2 * Dp + d]);
          cell[c][d] = sigmoid(a[Dp + d]) * cell[c][d] + in;
          h[c][d] = sigmoid(a[3 * Dp + d]) * tanhf(cell[c][d]);
        });
        return;
      }
      each_unit([&](int c, int d) { reset[c][d] = sigmoid(gates[c][d]) * h[c][d]; });
      const Rows<float> candidate{gates.data + 2 * Dp, gates.ld};
      multiply(layer.candidate, seen(reset), seen(candidate), candidate, false);
      each_unit([&](int c, int d) {
        const float z = sigmoid(gates[c][Dp + d]);
        h[c][d] = (1.0f - z) * tanhf(candidate[c][d]) + z * h[c][d];
      });
    }

    template <typename F>
    SHARKS_BOTH void each_unit(const F& f) const {
      const int Dp = work.net.shape.Dp;
      block.each(Dp * company.live, [&](int i) { f(i / Dp, i % Dp); });
      block.sync();
    }

    // The stack's output from the hidden vectors, then one conditioning row per step of the tier below.
    SHARKS_BOTH void upsample(int t) const {
      const Shape& s = work.net.shape;
      const Tier<W>& tier = work.net.tiers[t];
      const Rows<float> stack = rows(work.at.stack, s.Dp);
      for (int k = 0; k < s.layers && s.skips; ++k)
        multiply(work.net.layers[t * s.layers + k].skip, seen(of_state(work.state.h, t, k)),
                 k ? seen(stack) : shared_by_all(tier.skip_bias), stack, false);
      const Rows<float> out = s.skips ? stack : of_state(work.state.h, t, s.layers - 1);
      multiply(tier.upsample, seen(out), shared_by_all(tier.upsample_bias), handed_down(t, 0), false);
    }
  };
};

}  // namespace sharks::cuda::samplernn::fallback
