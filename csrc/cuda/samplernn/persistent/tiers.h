// The frame tiers: what a member of a pipeline's tier team does. At a frame's boundary only this waits for the newest
// level: one column of the frame's product, a product and a hop per layer, and the first vector to hand down. All else
// was done before, while other words were on their way: the products of the layers' own past (remember), of the samples
// known early (read_frame), and of the later vectors to hand down (prepare).
#pragma once

#include "cuda/samplernn/persistent/member.h"

namespace sharks::cuda::samplernn::persistent {

template <typename W>
class TierWork {
 public:
  SHARKS_BOTH explicit TierWork(const Member<W>& member) : m(member), net(member.net), at(member.at), S(member.S) {}

  // Take the state up, and work out all that follows from it.
  SHARKS_BOTH bool rebuild(const SampleRNNState& state) const {
    for (int t = 0; t < net.tiers; ++t) {
      for (int k = 0; k < net.layers; ++k) {
        const LayerDesk layer = at.layer(t, k);
        const auto stored = [&](int s, int channel) {
          return ((static_cast<int64_t>(t) * state.B + m.first + s) * net.layers + k) * net.Dp + channel;
        };
        m.block.each(m.C() * S, [&](int i) {
          const int64_t from = stored(i % S, m.first_channel() + i / S);
          layer.h[i] = state.h[from];
          layer.c[i] = state.c ? state.c[from] : 0.0f;
        });
        float* h = net.skips || k + 1 < net.layers ? at.x : at.out(t);
        m.block.each(net.Dp * S, [&](int i) { put<W>(h, S, i / S, i % S, state.h[stored(i % S, i / S)]); });
        start_from(layer.input, net.part(t, k).bias);
        m.block.sync();
        remember(t, k, h);
        if (net.skips) add_skip(t, k, h);
      }
      if (net.skips) {
        tell_skip(t, 1);
        if (!m.gather_operand(m.links.out(t), 1, at.out(t))) return false;
      }
    }
    return true;
  }

  // Write the state back.
  SHARKS_BOTH void settle(const SampleRNNState& state) const {
    for (int t = 0; t < net.tiers; ++t)
      for (int k = 0; k < net.layers; ++k) {
        const LayerDesk layer = at.layer(t, k);
        m.block.each(m.C() * S, [&](int i) {
          const int64_t to = ((static_cast<int64_t>(t) * state.B + m.first + i % S) * net.layers + k) * net.Dp +
                             m.first_channel() + i / S;
          state.h[to] = layer.h[i];
          if (state.c) state.c[to] = layer.c[i];
        });
      }
    if (m.index != m.crew.tier.first) return;
    const int L = net.lookback();
    m.block.each(L * S, [&](int i) { state.history[static_cast<int64_t>(m.first) * L + i] = at.history[i]; });
  }

  // All that the step at `place` (sample t of the launch) needs and that does not need the level before it. Exactly one
  // tier has a vector to hand down: the lowest that does not run itself.
  SHARKS_BOTH void prepare(int place, int t) const {
    const int running = m.running(place);
    if (running < net.tiers) hand_down(running, place / net.tier[running].below % slots(running));
    m.block.each(m.C() * S, [&](int i) {
      const int s = i % S, channel = m.first_channel() + i / S, F = net.F();
      float sum = 0.0f;
      SHARKS_UNROLL(4)
      for (int p = 0; p + 1 < F; ++p) sum += net.table_value(p, m.level(s, place, F - p), channel);
      at.window[i] = sum;
    });
    if (running == 0) tell_early(t);
    for (int tier = 0; tier < running; ++tier) read_frame(tier, place);
  }

  // The step's tiers, from the top one that runs down.
  SHARKS_BOTH bool run(int place, int t) const {
    const int running = m.running(place);
    for (int tier = running - 1; tier >= 0; --tier)
      if (!run_tier(tier, place, t)) return false;
    if (running) tell_early(t);
    return true;
  }

  // Off the path: the last layers of the tiers that ran; the others were remembered while their vectors travelled.
  SHARKS_BOTH void catch_up(int place) const {
    for (int tier = 0; tier < m.running(place) && !net.skips; ++tier) remember(tier, net.layers - 1, at.out(tier));
  }

 private:
  SHARKS_BOTH const Slice<W>& slice(int product) const { return at.slices[product]; }
  SHARKS_BOTH int slots(int tier) const { return net.tier[tier].F / net.tier[tier].below; }
  SHARKS_BOTH bool top(int tier) const { return tier + 1 == net.tiers; }
  SHARKS_BOTH int gate_at(int gate, int channel, int s) const { return (gate * m.C() + channel) * S + s; }
  SHARKS_BOTH int bias_at(int gate, int channel) const { return gate * net.Dp + m.first_channel() + channel; }

  template <typename Finish>
  SHARKS_BOTH void product(int which, const float* operand, const Finish& finish) const {
    multiply(m.block, slice(which), operand, S, at.partial, finish);
  }

  SHARKS_BOTH void start_from(float* gates, const float* bias) const {
    m.block.each(net.gates * m.C() * S, [&](int i) {
      const int s = i % S, channel = i / S % m.C(), gate = i / S / m.C();
      gates[gate_at(gate, channel, s)] = bias[bias_at(gate, channel)];
    });
  }

  // What a layer's own state adds to its next step.
  SHARKS_BOTH void remember(int t, int k, const float* h) const {
    const LayerParts& part = net.part(t, k);
    float* recurrent = at.layer(t, k).recurrent;
    product(part.recurrent, h, [&](int gate, int channel, int s, float sum) {
      recurrent[gate_at(gate, channel, s)] = sum + part.recurrent_bias[bias_at(gate, channel)];
    });
  }

  SHARKS_BOTH void add_skip(int t, int k, const float* h) const {
    const float* bias = net.tier[t].skip_bias;
    float* skip = at.skip(t);
    product(net.part(t, k).skip, h, [&](int, int channel, int s, float sum) {
      const int i = channel * S + s;
      skip[i] = sum + (k ? skip[i] : bias[m.first_channel() + channel]);
    });
  }

  SHARKS_BOTH void tell_skip(int t, uint32_t round) const {
    m.block.each(m.C() * S,
                 [&](int i) { m.tell(m.links.out(t), round, i % S, m.first_channel() + i / S, at.skip(t)[i]); });
  }

  // One vector for the tier below, its biases and what its reader would do to it included.
  SHARKS_BOTH void hand_down(int t, int slot) const {
    const TierParts& part = net.tier[t];
    float* to = at.handed_down(t);
    const float* bias = part.upsample_bias + static_cast<int64_t>(slot) * part.row_gates * net.Dp;
    const int which = slot ? part.upsample_rest + slot - 1 : part.upsample;
    product(which, at.out(t), [&](int gate, int channel, int s, float sum) {
      to[gate_at(gate, channel, s)] = sum + bias[bias_at(gate, channel)];
    });
  }

  // What the sample level adds its newest level to.
  SHARKS_BOTH void tell_early(int t) const {
    m.block.each(m.C() * S, [&](int i) {
      m.tell(m.links.early(), m.sample_round(t), i % S, m.first_channel() + i / S, at.window[i] + at.handed_down(0)[i]);
    });
  }

  // The frame that ends at `place`, all but its last sample.
  SHARKS_BOTH void read_frame(int t, int place) const {
    const TierParts& part = net.tier[t];
    const int F = part.F;
    m.block.each(steps_of(F) * kStepColumns * S, [&](int i) {
      const int s = i % S, column = i / S;
      put<W>(at.y, S, column, s, column + 1 < F ? m.number(s, place, F - column) : 0.0f);
    });
    m.block.sync();
    if (part.expand != kNone) {
      product(part.expand, at.y, [&](int, int channel, int s, float sum) {
        at.expanded(t)[channel * S + s] = sum + (top(t) ? part.expand_bias[m.first_channel() + channel] : 0.0f);
      });
      return;
    }
    for (int k = 0; k < net.layers; ++k)
      if (net.part(t, k).frame != kNone) read_into(t, k, at.y, k > 0 || top(t));
  }

  // What a layer reads of its tier's input.
  SHARKS_BOTH void read_into(int t, int k, const float* operand, bool biased) const {
    const LayerParts& part = net.part(t, k);
    float* input = at.layer(t, k).input;
    product(part.frame, operand, [&](int gate, int channel, int s, float sum) {
      input[gate_at(gate, channel, s)] = sum + (biased ? part.bias[bias_at(gate, channel)] : 0.0f);
    });
  }

  SHARKS_BOTH bool run_tier(int t, int place, int sample) const {
    const uint32_t round = m.tier_round(t, sample);
    const bool expands = net.tier[t].expand != kNone;
    if (expands && !expand(t, place, round)) return false;
    for (int k = 0; k < net.layers; ++k) {
      add_gates(t, k, place);
      if (!cell(t, k, sample, round)) return false;
      // While h travels: the layer below still lies in x, or the expanded frame.
      for (int j = 1; j < net.layers && expands && k == 0; ++j) read_into(t, j, at.x, true);
      if (k > 0) pass_on(t, k - 1);
      float* h = net.skips || k + 1 < net.layers ? at.x : at.out(t);
      if (!m.gather_operand(m.links.state(t, k), round, h)) return false;
    }
    if (net.skips) {
      add_skip(t, net.layers - 1, at.x);
      tell_skip(t, round);
      remember(t, net.layers - 1, at.x);
      if (!m.gather_operand(m.links.out(t), round, at.out(t))) return false;
    }
    hand_down(t, 0);
    return true;
  }

  // What else is made of a layer's new state, which lies in x.
  SHARKS_BOTH void pass_on(int t, int k) const {
    remember(t, k, at.x);
    if (net.skips) add_skip(t, k, at.x);
  }

  SHARKS_BOTH bool expand(int t, int place, uint32_t round) const {
    const int last = net.tier[t].F - 1, link = m.links.expanded(t);
    m.block.each(m.C() * S, [&](int i) {
      const int s = i % S, channel = i / S;
      const float newest = weight(slice(net.tier[t].expand), 0, channel, last) * m.number(s, place, 1);
      m.tell(link, round, s, m.first_channel() + channel,
             at.expanded(t)[i] + newest + (top(t) ? 0.0f : at.handed_down(t + 1)[i]));
    });
    if (!m.gather_operand(link, round, at.x)) return false;
    read_into(t, 0, at.x, true);
    return true;
  }

  // A layer's gates, but for what its own past adds.
  SHARKS_BOTH void add_gates(int t, int k, int place) const {
    const LayerParts& part = net.part(t, k);
    const float* input = at.layer(t, k).input;
    const bool expands = net.tier[t].expand != kNone;
    const auto late = [&](int gate, int channel, int s) {
      const int i = gate_at(gate, channel, s);
      float sum = input[i];
      if (part.frame != kNone && !expands)
        sum += weight(slice(part.frame), gate, channel, net.tier[t].F - 1) * m.number(s, place, 1);
      return k == 0 && !expands && !top(t) ? sum + at.handed_down(t + 1)[i] : sum;
    };
    if (k > 0) {
      product(part.below, at.x, [&](int gate, int channel, int s, float sum) {
        at.gates[gate_at(gate, channel, s)] = sum + late(gate, channel, s);
      });
      return;
    }
    m.block.each(net.gates * m.C() * S, [&](int i) {
      const int s = i % S, channel = i / S % m.C(), gate = i / S / m.C();
      at.gates[i] = late(gate, channel, s);
    });
    m.block.sync();
  }

  // From gates to the new state, told to all.
  SHARKS_BOTH bool cell(int t, int k, int sample, uint32_t round) const {
    const LayerDesk layer = at.layer(t, k);
    const int vector = m.C() * S;
    const auto gates = [&](int i) {
      Gates sums = {};
      SHARKS_UNROLL(4)
      for (int gate = 0; gate < 4; ++gate) {
        if (gate < net.gates) {
          sums.input[gate] = at.gates[gate * vector + i];
          sums.past[gate] = layer.recurrent[gate * vector + i];
        }
      }
      return sums;
    };
    if (net.cell == Cell::kGruResetBefore) {
      const int link = m.links.reset(t, k);
      m.block.each(vector, [&](int i) {
        m.tell(link, round, i % S, m.first_channel() + i / S, reset_state(gates(i), layer.h[i]));
      });
      if (!m.gather_operand(link, round, at.y)) return false;
      product(net.part(t, k).candidate, at.y,
              [&](int, int channel, int s, float sum) { at.gates[gate_at(2, channel, s)] += sum; });
    }
    m.block.each(vector, [&](int i) {
      const float h = layer.h[i] = next_state(net.cell, gates(i), layer.h[i], layer.c[i]);
      const int channel = m.first_channel() + i / S;
      m.tell(m.links.state(t, k), round, i % S, channel, h);
      m.tap(t * net.layers + k, m.runs_before(t, sample), i % S, net.D, channel, h);
    });
    return true;
  }

  const Member<W>& m;
  const Net<W>& net;
  const Desk<W>& at;
  const int S;
};

}  // namespace sharks::cuda::samplernn::persistent
