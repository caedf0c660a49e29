// SampleRNN for many streams at once: every layer is one product of all streams on tensor cores, every step a handful
// of phases that all blocks go through together (batches.h). The state is played in place; h also as an operand.
//
// Who reads before whom writes: no phase reads what it writes itself, but for own elements, and between any two phases
// all blocks meet.
#pragma once

#include "cuda/draw.h"
#include "cuda/products/batches.h"
#include "cuda/samplernn/net.h"

namespace sharks::cuda::samplernn::throughput {

// Device memory beside the state. G gates, R rows that a tier hands down in one frame.
struct BatchMemory {
  float *input, *past;        // [layers, B, G Dp] sums of the gates of the tier at work
  float* const* handed_down;  // [tiers] -> [B, R]
  float* wide;                // [B, Dp] an expanded frame, or the sum of skips
  float* logits;              // [B, Q]
  Half* const* h;             // [tiers, layers] -> batch
  Half* frame;                // batch [B, F]
  Half *x, *y;                // batches [B, Dp]: an expanded frame or a stack's output; a reset state; hidden vectors
  uint32_t* flags;            // [blocks + 1], zero
};

struct Batch {
  static constexpr int kThreads = kStripThreads;

  Net<Half> net;
  SampleRNNState state;
  Samples samples;
  const TapTo* taps;
  Opening opening;
  BatchMemory at;

  SHARKS_BOTH void operator()(const Block& block) const {
    if (!all_came(block, opening, samples.trouble)) return;
    Phases phases(block, at.flags, samples.trouble);
    const int L = net.lookback(), start = static_cast<int>(samples.position % L), n = static_cast<int>(samples.n);
    if (!take_up(phases, start)) return;
    for (int t = 0, place = start; t < n; ++t, place = place + 1 == L ? 0 : place + 1) {
      for (int tier = running(place) - 1; tier >= 0; --tier)
        if (!run_tier(phases, tier, place, (start + t) / F(tier) - (start + F(tier) - 1) / F(tier))) return;
      read_levels(phases, place, t);
      if (!phases.meet() || !run_hidden(phases, t)) return;
      draw(phases, place, t);
      if (!phases.meet()) return;
    }
  }

 private:
  SHARKS_BOTH int F(int tier) const { return net.tier[tier].F; }
  SHARKS_BOTH int gate_rows() const { return net.gates * net.Dp; }
  SHARKS_BOTH int steps() const { return steps_of(net.Dp); }
  SHARKS_BOTH bool top(int tier) const { return tier + 1 == net.tiers; }
  SHARKS_BOTH bool expands(int tier) const { return net.tier[tier].expand != kNone; }
  SHARKS_BOTH int handed_rows(int tier) const {
    return F(tier) / net.tier[tier].below * net.tier[tier].row_gates * net.Dp;
  }
  SHARKS_BOTH int running(int place) const {
    int count = 0;
    while (count < net.tiers && place % F(count) == 0) ++count;
    return count;
  }
  SHARKS_BOTH int level(int64_t b, int place, int back) const {
    const int L = net.lookback(), slot = place - back;
    return state.history[b * L + (slot < 0 ? slot + L : slot)];
  }
  SHARKS_BOTH int64_t state_at(int tier, int64_t b, int k, int channel) const {
    return ((static_cast<int64_t>(tier) * state.B + b) * net.layers + k) * net.Dp + channel;
  }
  SHARKS_BOTH float* sums(float* of_layers, int k) const {
    return of_layers + static_cast<int64_t>(k) * state.B * gate_rows();
  }

  SHARKS_BOTH void product(Phases& phases, int which, const Half* x, const Sink& sink) const {
    const Product& w = net.product[which];
    phases.multiply(static_cast<const Half*>(w.weights), w.gates * w.gate_stride, w.k_steps, x, state.B, sink);
  }
  // Sums of a product as they are, in rows of `width`.
  SHARKS_BOTH Sink into(float* to, int width, const float* bias, bool add = false) const {
    return {to, width, width, bias, add, false, nullptr, 0};
  }

  // What follows from the state: its operands, and the rows that tiers in the middle of a frame have handed down.
  SHARKS_BOTH bool take_up(Phases& phases, int start) const {
    for (int tier = 0; tier < net.tiers; ++tier)
      for (int k = 0; k < net.layers; ++k)
        phases.each(static_cast<int64_t>(state.B) * net.Dp, [&](int64_t i) {
          const int channel = static_cast<int>(i % net.Dp);
          put_in_batch(at.h[tier * net.layers + k], steps(), channel, i / net.Dp,
                       state.h[state_at(tier, i / net.Dp, k, channel)]);
        });
    if (!phases.meet()) return false;
    for (int tier = running(start); tier < net.tiers; ++tier)
      if (!hand_down(phases, tier)) return false;
    return true;
  }

  SHARKS_BOTH bool run_tier(Phases& phases, int tier, int place, int run) const {
    phases.each(static_cast<int64_t>(state.B) * F(tier), [&](int64_t i) {
      const int column = static_cast<int>(i % F(tier));
      put_in_batch(at.frame, steps_of(F(tier)), column, i / F(tier),
                   net.tier_input[level(i / F(tier), place, F(tier) - column)]);
    });
    if (!phases.meet()) return false;
    if (expands(tier) && !expand(phases, tier, place)) return false;
    const Half* x = expands(tier) ? at.x : at.frame;
    for (int k = 0; k < net.layers; ++k) {
      const LayerParts& part = net.part(tier, k);
      product(phases, part.recurrent, at.h[tier * net.layers + k],
              Sink{sums(at.past, k), gate_rows(), gate_rows(), part.recurrent_bias, false, false, nullptr, 0});
      if (part.frame != kNone) {
        const bool biased = k > 0 || top(tier) || expands(tier);
        product(phases, part.frame, x, into(sums(at.input, k), gate_rows(), biased ? part.bias : nullptr));
      }
    }
    if (!phases.meet()) return false;
    for (int k = 0; k < net.layers; ++k) {
      const LayerParts& part = net.part(tier, k);
      if (k > 0) {
        const bool first = part.frame == kNone;
        product(phases, part.below, at.h[tier * net.layers + k - 1],
                into(sums(at.input, k), gate_rows(), first ? part.bias : nullptr, !first));
        if (!phases.meet()) return false;
      }
      if (!step_cell(phases, tier, k, place, run)) return false;
    }
    return hand_down(phases, tier);
  }

  // The row of the tier above that this step starts from.
  SHARKS_BOTH const float* from_above(int tier, int64_t b, int place) const {
    const TierParts& above = net.tier[tier + 1];
    const int slot = place / F(tier) % (above.F / above.below);
    return at.handed_down[tier + 1] + b * handed_rows(tier + 1) + static_cast<int64_t>(slot) * above.row_gates * net.Dp;
  }

  SHARKS_BOTH bool expand(Phases& phases, int tier, int place) const {
    const TierParts& part = net.tier[tier];
    product(phases, part.expand, at.frame, into(at.wide, net.Dp, top(tier) ? part.expand_bias : nullptr));
    if (!phases.meet()) return false;
    phases.each(static_cast<int64_t>(state.B) * net.Dp, [&](int64_t i) {
      const int channel = static_cast<int>(i % net.Dp);
      const float value = at.wide[i] + (top(tier) ? 0.0f : from_above(tier, i / net.Dp, place)[channel]);
      put_in_batch(at.x, steps(), channel, i / net.Dp, value);
    });
    return phases.meet();
  }

  SHARKS_BOTH Gates gates(int tier, int k, int64_t b, int channel, int place) const {
    const bool adds = k == 0 && !top(tier) && !expands(tier);
    const int64_t row = b * gate_rows() + channel;
    Gates sum = {};
    SHARKS_UNROLL(4)
    for (int gate = 0; gate < 4; ++gate) {
      if (gate < net.gates) {
        sum.input[gate] = sums(at.input, k)[row + gate * net.Dp] +
                          (adds ? from_above(tier, b, place)[gate * net.Dp + channel] : 0.0f);
        sum.past[gate] = sums(at.past, k)[row + gate * net.Dp];
      }
    }
    return sum;
  }

  SHARKS_BOTH bool step_cell(Phases& phases, int tier, int k, int place, int run) const {
    const int64_t all = static_cast<int64_t>(state.B) * net.Dp;
    const bool reset_before = net.cell == Cell::kGruResetBefore;
    if (reset_before) {
      phases.each(all, [&](int64_t i) {
        const int channel = static_cast<int>(i % net.Dp);
        const float h = state.h[state_at(tier, i / net.Dp, k, channel)];
        put_in_batch(at.y, steps(), channel, i / net.Dp, reset_state(gates(tier, k, i / net.Dp, channel, place), h));
      });
      if (!phases.meet()) return false;
      Sink candidate = into(sums(at.input, k) + 2 * net.Dp, net.Dp, nullptr, true);
      candidate.ld = gate_rows();
      product(phases, net.part(tier, k).candidate, at.y, candidate);
      if (!phases.meet()) return false;
    }
    phases.each(all, [&](int64_t i) {
      const int channel = static_cast<int>(i % net.Dp);
      const int64_t b = i / net.Dp, own = state_at(tier, b, k, channel);
      float c = state.c ? state.c[own] : 0.0f;
      const float h = next_state(net.cell, gates(tier, k, b, channel, place), state.h[own], c);
      state.h[own] = h;
      if (state.c) state.c[own] = c;
      put_in_batch(at.h[tier * net.layers + k], steps(), channel, b, h);
      tap(tier * net.layers + k, run, b, net.D, channel, h);
    });
    return phases.meet();
  }

  // The stack's output, and all rows for the steps below at once.
  SHARKS_BOTH bool hand_down(Phases& phases, int tier) const {
    const TierParts& part = net.tier[tier];
    const Half* out = at.h[tier * net.layers + net.layers - 1];
    for (int k = 0; k < net.layers && net.skips; ++k) {
      Sink sink = into(at.wide, net.Dp, k ? nullptr : part.skip_bias, k > 0);
      if (k + 1 == net.layers) sink.batch = at.x, sink.batch_steps = steps();
      product(phases, net.part(tier, k).skip, at.h[tier * net.layers + k], sink);
      if (!phases.meet()) return false;
      out = at.x;
    }
    const Product& slot = net.product[part.upsample];
    phases.multiply(static_cast<const Half*>(slot.weights), handed_rows(tier) / kStripRows, slot.k_steps, out, state.B,
                    into(at.handed_down[tier], handed_rows(tier), part.upsample_bias));
    return phases.meet();
  }

  SHARKS_BOTH void read_levels(Phases& phases, int place, int t) const {
    const int rows = handed_rows(0), window = F(0);
    phases.each(static_cast<int64_t>(state.B) * net.Dp, [&](int64_t i) {
      const int channel = static_cast<int>(i % net.Dp);
      const int64_t b = i / net.Dp;
      float sum = at.handed_down[0][b * rows + place % window * net.Dp + channel];
      SHARKS_UNROLL(4)
      for (int p = 0; p < window; ++p) sum += net.table_value(p, level(b, place, window - p), channel);
      const float value = sum > 0.0f ? sum : 0.0f;
      put_in_batch(at.x, steps(), channel, b, value);
      if (net.hidden_count == 0) tap(net.tiers * net.layers, t, b, net.D, channel, value);
    });
  }

  SHARKS_BOTH bool run_hidden(Phases& phases, int t) const {
    Half *x = at.x, *y = at.y;
    for (int i = 0; i < net.hidden_count; ++i) {
      Sink sink{nullptr, 0, 0, net.hidden_bias[i], false, true, y, steps()};
      const TapTo* last = taps && i + 1 == net.hidden_count ? taps + net.tiers * net.layers : nullptr;
      if (last && last->out) sink.to = last->out + t * net.D, sink.ld = last->count * net.D, sink.width = net.D;
      product(phases, i, x, sink);
      if (!phases.meet()) return false;
      Half* const swap = x;
      x = y;
      y = swap;
    }
    Sink sink = into(at.logits, net.Q, net.out_bias);
    sink.relu = net.relu_logits;
    product(phases, net.hidden_count, x, sink);
    return phases.meet();
  }

  // A level per stream; a warp per stream.
  SHARKS_BOTH void draw(Phases& phases, int place, int t) const {
    phases.each_warp(state.B, [&](const Warp& warp, int b) {
      const float* logits = at.logits + static_cast<int64_t>(b) * net.Q;
      const Lanes<uint64_t> best = best_rank(warp, (net.Q + 3) / 4, [&](int quad) {
        const Noise noise = noise_of(samples, b, t, quad);
        uint64_t rank = 0;
        SHARKS_UNROLL(4)
        for (int j = 0; j < 4; ++j) {
          const int k = quad * 4 + j;
          if (k >= net.Q) continue;
          rank = better(rank, ranked(logits[k] + noise.of[j], k));
          if (samples.logits) samples.logits[(b * samples.n + t) * net.Q + k] = logits[k];
          tap(net.tiers * net.layers + 1, t, b, net.Q, k, logits[k]);
        }
        return rank;
      });
      warp.lanes([&](int lane) {
        if (lane != 0) return;
        const int64_t now = b * samples.n + t;
        const int32_t drawn = samples.given ? samples.given[now] : level_of(best[lane]);
        state.history[static_cast<int64_t>(b) * net.lookback() + place] = drawn;
        if (!samples.given) samples.drawn[now] = drawn;
      });
    });
  }

  SHARKS_BOTH void tap(int stage, int run, int64_t b, int width, int channel, float value) const {
    if (!taps || !taps[stage].out || channel >= width) return;
    taps[stage].out[(b * taps[stage].count + run) * width + channel] = value;
  }
};

}  // namespace sharks::cuda::samplernn::throughput
