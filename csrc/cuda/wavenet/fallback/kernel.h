// WaveNet's first light, made of fallback/block.h. The same step as the CPU's (cpu/wavenet/stepper.cpp): inputs looked
// up, skips gathered into one product off the chain of layers.
//
// Letters: R residual, D one half of the gate, S skip, E head, K filter width, L layers, Q levels, C streams of a
// block; a small p marks a padded width.
#pragma once

#include "core/wavenet/stages.h"
#include "cuda/fallback/block.h"
#include "cuda/wavenet/plans.h"

namespace sharks::cuda::wavenet::fallback {

struct Shape {
  int L, K, R, D, Q, taps;
  int Rp, Dp, Sp, Ep, Qp;
  float residual_scale;
};

// Where each row lies in a block's scratch, in floats per stream.
struct Layout {
  int window, activation, gated, residual, skip, rectified, head, logits, recent, level, partial, total;

  Layout(const Shape& s) {
    total = 0;
    const auto room = [this](int width) { return total += padded(width), total - padded(width); };
    window = room(s.K * s.Rp);
    activation = room(2 * s.Dp);
    gated = room(s.L * s.Dp);
    residual = room(s.Rp);
    skip = room(s.Sp);
    rectified = room(s.Sp);
    head = room(s.Ep);
    logits = room(s.Qp);
    recent = room(s.taps);
    level = room(1);
    partial = room(kProductThreads);
  }
};

template <typename W>
struct Layer {
  Packed<W> dilated, res;
  const float *dilated_bias, *res_bias;
  int dilation;
};

template <typename W>
struct Net {
  Shape shape;
  const Layer<W>* layers;  // [L]
  const float *input_table, *input_bias;
  Packed<W> skip, conv1, conv2;
  const float *skip_bias, *conv1_bias, *conv2_bias;
};

template <typename W, int C>
struct FirstLight {
  static constexpr int kThreads = threads_for(C);
  Net<W> net;
  WaveNetState state;
  Samples samples;
  Taps taps;
  Layout at;
  float* scratch;  // [blocks, C at.total], or null: it fits into shared memory

  SHARKS_BOTH void operator()(const Block& block) const {
    float* base = static_cast<float*>(block.shared);
    if (scratch) base = scratch + static_cast<int64_t>(block.index) * C * at.total;
    const int first = block.index * C, rest = samples.B - first;
    const Company company{first, rest < C ? rest : C};
    const Step step{*this, block, company, base};
    step.load_recent();
    for (int64_t t = 0; t < samples.n; ++t) step.play(t);
    step.store_recent();
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
    SHARKS_BOTH int32_t* recent() const { return reinterpret_cast<int32_t*>(base + C * work.at.recent); }

    SHARKS_BOTH void load_recent() const {
      const int taps = work.net.shape.taps;
      block.each(company.live * taps, [&](int i) { recent()[i] = work.state.recent[company.first * taps + i]; });
      block.sync();
    }
    SHARKS_BOTH void store_recent() const {
      const int taps = work.net.shape.taps;
      block.each(company.live * taps, [&](int i) { work.state.recent[company.first * taps + i] = recent()[i]; });
    }

    SHARKS_BOTH void play(int64_t t) const {
      const Shape& s = work.net.shape;
      const Samples& samples = work.samples;
      const Net<W>& net = work.net;
      float* partial = base + C * work.at.partial;
      const Rows<float> window = rows(work.at.window, s.K * s.Rp);
      const Rows<float> newest{window.data + (s.K - 1) * s.Rp, window.ld};
      const Rows<float> gated = rows(work.at.gated, s.L * s.Dp);
      look_up(
          block, company, s.Rp, s.taps, s.Q, net.input_table, [&](int c, int p) { return recent()[c * s.taps + p]; },
          shared_by_all(net.input_bias), newest, false);
      for (int i = 0; i < s.L; ++i) {
        const Layer<W>& layer = net.layers[i];
        const Rows<float> activation = rows(work.at.activation, 2 * s.Dp);
        gather_past(i, layer.dilation, samples.position + t, window);
        product<C>(block, company, layer.dilated, seen(window), shared_by_all(layer.dilated_bias), activation, false,
                   partial);
        const Rows<float> z{gated.data + i * s.Dp, gated.ld};
        gate_and_push(i, layer.dilation, samples.position + t, activation, newest, z);
        tap(block, company, work.taps, WaveNetStage::kGated, i, 0, t, seen(z));
        if (i + 1 == s.L) break;  // nothing reads the last layer's residual
        const Rows<float> residual = rows(work.at.residual, s.Rp);
        product<C>(block, company, layer.res, seen(z), shared_by_all(layer.res_bias), residual, false, partial);
        block.each(s.Rp * company.live, [&](int k) {
          const int r = k % s.Rp, c = k / s.Rp;
          newest[c][r] = (newest[c][r] + residual[c][r]) * s.residual_scale;
        });
        block.sync();
        tap(block, company, work.taps, WaveNetStage::kOut, i, 0, t, seen(newest));
      }
      if (samples.logits || work.taps.count || !samples.given) predict(t, gated, partial);
      int32_t* level = reinterpret_cast<int32_t*>(base + C * work.at.level);
      finish_step(block, company, samples, t, s.Q, rows(work.at.logits, s.Qp), level);
      block.each(company.live, [&](int c) {
        int32_t* mine = recent() + c * s.taps;
        for (int p = 0; p + 1 < s.taps; ++p) mine[p] = mine[p + 1];
        mine[s.taps - 1] = level[c];
      });
      block.sync();
    }

    // x[t - (K - 1) d] .. x[t - d] into the window, in front of the newest input.
    SHARKS_BOTH void gather_past(int i, int dilation, int64_t position, Rows<float> window) const {
      const Shape& s = work.net.shape;
      const int past = (s.K - 1) * s.Rp;
      const int64_t length = static_cast<int64_t>(s.K - 1) * dilation;
      const float* ring = work.state.rings + work.state.ring_start[i];
      block.each(past * company.live, [&](int k) {
        const int c = k / past, place = k % past, r = place % s.Rp;
        const int64_t row = (position + static_cast<int64_t>(place / s.Rp) * dilation) % length;
        window[c][place] = ring[((company.first + c) * length + row) * s.Rp + r];
      });
      block.sync();
    }

    // z = tanh(filter) sigmoid(gate); then the newest input takes the place of the oldest in the ring, which is read by
    // now.
    SHARKS_BOTH void gate_and_push(int i, int dilation, int64_t position, Rows<float> activation, Rows<float> newest,
                                   Rows<float> z) const {
      const Shape& s = work.net.shape;
      const int64_t length = static_cast<int64_t>(s.K - 1) * dilation;
      float* ring = work.state.rings + work.state.ring_start[i];
      block.each(s.Dp * company.live, [&](int k) {
        const int c = k / s.Dp, d = k % s.Dp;
        float filter = activation[c][d], gate = activation[c][s.Dp + d];
        if (work.state.condition && d < s.D) {
          const float* add = work.state.condition + (static_cast<int64_t>(company.first + c) * s.L + i) * 2 * s.D;
          filter += add[d];
          gate += add[s.D + d];
        }
        z[c][d] = tanhf(filter) * sigmoid(gate);
      });
      block.each(s.Rp * company.live, [&](int k) {
        const int c = k / s.Rp, r = k % s.Rp;
        ring[((company.first + c) * length + position % length) * s.Rp + r] = newest[c][r];
      });
      block.sync();
    }

    SHARKS_BOTH void predict(int64_t t, Rows<float> gated, float* partial) const {
      const Shape& s = work.net.shape;
      const Net<W>& net = work.net;
      const Rows<float> skip = rows(work.at.skip, s.Sp), rectified = rows(work.at.rectified, s.Sp);
      const Rows<float> head = rows(work.at.head, s.Ep), logits = rows(work.at.logits, s.Qp);
      product<C>(block, company, net.skip, seen(gated), shared_by_all(net.skip_bias), skip, false, partial);
      block.each(s.Sp * company.live, [&](int k) {
        const float value = skip[k / s.Sp][k % s.Sp];
        rectified[k / s.Sp][k % s.Sp] = value > 0.0f ? value : 0.0f;
      });
      block.sync();
      product<C>(block, company, net.conv1, seen(rectified), shared_by_all(net.conv1_bias), head, true, partial);
      product<C>(block, company, net.conv2, seen(head), shared_by_all(net.conv2_bias), logits, false, partial);
      tap(block, company, work.taps, WaveNetStage::kSkip, 0, 0, t, seen(skip));
      tap(block, company, work.taps, WaveNetStage::kHead, 0, 0, t, seen(head));
      tap(block, company, work.taps, WaveNetStage::kLogits, 0, 0, t, seen(logits));
    }
  };
};

}  // namespace sharks::cuda::wavenet::fallback
