// The frame tiers in the persistent kernel: what one block does for them, sample after sample.
//
// A block computes its own channels of a vector, publishes them, and polls until the other blocks have published theirs
// (member.h); that exchange through L2 takes far longer than the arithmetic. So the work of a frame is cut in two.
//   - Late (run): what needs the level drawn last. One column of the product with the frame, then per layer one product
//     and one exchange, then the first of the vectors that condition the tier below.
//   - Early (prepare, catch_up): all else, done while words of others are on their way. The products of the layers' own
//     state (remember), the product with the frame but for its last column (read_frame), and the later vectors for the
//     tier below (hand_down).
#pragma once

#include "cuda/samplernn/persistent/member.h"

namespace sharks::cuda::samplernn::persistent {

template <typename W>
class TierWork {
 public:
  SHARKS_BOTH explicit TierWork(const Member<W>& member)
      : member_(member), net_(member.net), desk_(member.at), S_(member.S) {}

  // Take the state up, and work out all that follows from it.
  SHARKS_BOTH bool rebuild(const SampleRNNState& state) const {
    for (int t = 0; t < net_.tiers; ++t) {
      for (int k = 0; k < net_.layers; ++k) {
        const LayerDesk layer = desk_.layer(t, k);
        const auto stored = [&](int s, int channel) {
          return ((static_cast<int64_t>(t) * state.B + member_.first + s) * net_.layers + k) * net_.Dp + channel;
        };
        member_.block.each(member_.C() * S_, [&](int i) {
          const int64_t from = stored(i % S_, member_.first_channel() + i / S_);
          layer.h[i] = state.h[from];
          layer.c[i] = state.c ? state.c[from] : 0.0f;
        });
        float* h = net_.skips || k + 1 < net_.layers ? desk_.x : desk_.out(t);
        member_.block.each(net_.Dp * S_,
                           [&](int i) { put<W>(h, S_, i / S_, i % S_, state.h[stored(i % S_, i / S_)]); });
        start_from(layer.input, net_.part(t, k).bias);
        member_.block.sync();
        remember(t, k, h);
        if (net_.skips) add_skip(t, k, h);
      }
      if (net_.skips) {
        tell_skip(t, 1);
        if (!member_.gather_operand(member_.links.out(t), 1, desk_.out(t))) return false;
      }
    }
    return true;
  }

  // Write the state back.
  SHARKS_BOTH void settle(const SampleRNNState& state) const {
    for (int t = 0; t < net_.tiers; ++t)
      for (int k = 0; k < net_.layers; ++k) {
        const LayerDesk layer = desk_.layer(t, k);
        member_.block.each(member_.C() * S_, [&](int i) {
          const int64_t to =
              ((static_cast<int64_t>(t) * state.B + member_.first + i % S_) * net_.layers + k) * net_.Dp +
              member_.first_channel() + i / S_;
          state.h[to] = layer.h[i];
          if (state.c) state.c[to] = layer.c[i];
        });
      }
    if (member_.index != member_.crew.tier.first) return;
    const int L = net_.lookback();
    member_.block.each(L * S_,
                       [&](int i) { state.history[static_cast<int64_t>(member_.first) * L + i] = desk_.history[i]; });
  }

  // All that the step at `place` (sample t of the launch) needs and that does not need the level before it. Exactly one
  // tier has a vector to hand down: the lowest that does not run itself.
  SHARKS_BOTH void prepare(int place, int t) const {
    const int running = member_.running(place);
    if (running < net_.tiers) hand_down(running, place / net_.tier[running].below % slots(running));
    member_.block.each(member_.C() * S_, [&](int i) {
      const int s = i % S_, channel = member_.first_channel() + i / S_, F = net_.F();
      float sum = 0.0f;
      SHARKS_UNROLL(4)
      for (int p = 0; p + 1 < F; ++p) sum += net_.table_value(p, member_.level(s, place, F - p), channel);
      desk_.window[i] = sum;
    });
    if (running == 0) tell_early(t);
    for (int tier = 0; tier < running; ++tier) read_frame(tier, place);
  }

  // The step's tiers, from the top one that runs down.
  SHARKS_BOTH bool run(int place, int t) const {
    const int running = member_.running(place);
    for (int tier = running - 1; tier >= 0; --tier)
      if (!run_tier(tier, place, t)) return false;
    if (running) tell_early(t);
    return true;
  }

  // Off the path: the last layers of the tiers that ran; the others were remembered while their vectors travelled.
  SHARKS_BOTH void catch_up(int place) const {
    for (int tier = 0; tier < member_.running(place) && !net_.skips; ++tier)
      remember(tier, net_.layers - 1, desk_.out(tier));
  }

 private:
  SHARKS_BOTH const Slice<W>& slice(int product) const { return desk_.slices[product]; }
  SHARKS_BOTH int slots(int tier) const { return net_.tier[tier].F / net_.tier[tier].below; }
  SHARKS_BOTH bool top(int tier) const { return tier + 1 == net_.tiers; }
  SHARKS_BOTH int gate_at(int gate, int channel, int s) const { return (gate * member_.C() + channel) * S_ + s; }
  SHARKS_BOTH int bias_at(int gate, int channel) const { return gate * net_.Dp + member_.first_channel() + channel; }

  template <typename Finish>
  SHARKS_BOTH void product(int which, const float* operand, const Finish& finish) const {
    multiply(member_.block, slice(which), operand, S_, desk_.partial, finish);
  }

  SHARKS_BOTH void start_from(float* gates, const float* bias) const {
    member_.block.each(net_.gates * member_.C() * S_, [&](int i) {
      const int s = i % S_, channel = i / S_ % member_.C(), gate = i / S_ / member_.C();
      gates[gate_at(gate, channel, s)] = bias[bias_at(gate, channel)];
    });
  }

  // What a layer's own state adds to its next step.
  SHARKS_BOTH void remember(int t, int k, const float* h) const {
    const LayerParts& part = net_.part(t, k);
    float* recurrent = desk_.layer(t, k).recurrent;
    product(part.recurrent, h, [&](int gate, int channel, int s, float sum) {
      recurrent[gate_at(gate, channel, s)] = sum + part.recurrent_bias[bias_at(gate, channel)];
    });
  }

  SHARKS_BOTH void add_skip(int t, int k, const float* h) const {
    const float* bias = net_.tier[t].skip_bias;
    float* skip = desk_.skip(t);
    product(net_.part(t, k).skip, h, [&](int, int channel, int s, float sum) {
      const int i = channel * S_ + s;
      skip[i] = sum + (k ? skip[i] : bias[member_.first_channel() + channel]);
    });
  }

  SHARKS_BOTH void tell_skip(int t, uint32_t round) const {
    member_.block.each(member_.C() * S_, [&](int i) {
      member_.tell(member_.links.out(t), round, i % S_, member_.first_channel() + i / S_, desk_.skip(t)[i]);
    });
  }

  // One vector for the tier below, its biases and what its reader would do to it included.
  SHARKS_BOTH void hand_down(int t, int slot) const {
    const TierParts& part = net_.tier[t];
    float* to = desk_.handed_down(t);
    const float* bias = part.upsample_bias + static_cast<int64_t>(slot) * part.row_gates * net_.Dp;
    const int which = slot ? part.upsample_rest + slot - 1 : part.upsample;
    product(which, desk_.out(t), [&](int gate, int channel, int s, float sum) {
      to[gate_at(gate, channel, s)] = sum + bias[bias_at(gate, channel)];
    });
  }

  // What the sample level adds its newest level to.
  SHARKS_BOTH void tell_early(int t) const {
    member_.block.each(member_.C() * S_, [&](int i) {
      member_.tell(member_.links.early(), member_.sample_round(t), i % S_, member_.first_channel() + i / S_,
                   desk_.window[i] + desk_.handed_down(0)[i]);
    });
  }

  // The frame that ends at `place`, all but its last sample.
  SHARKS_BOTH void read_frame(int t, int place) const {
    const TierParts& part = net_.tier[t];
    const int F = part.F;
    member_.block.each(steps_of(F) * kStepColumns * S_, [&](int i) {
      const int s = i % S_, column = i / S_;
      put<W>(desk_.y, S_, column, s, column + 1 < F ? member_.number(s, place, F - column) : 0.0f);
    });
    member_.block.sync();
    if (part.expand != kNone) {
      product(part.expand, desk_.y, [&](int, int channel, int s, float sum) {
        desk_.expanded(t)[channel * S_ + s] =
            sum + (top(t) ? part.expand_bias[member_.first_channel() + channel] : 0.0f);
      });
      return;
    }
    for (int k = 0; k < net_.layers; ++k)
      if (net_.part(t, k).frame != kNone) read_into(t, k, desk_.y, k > 0 || top(t));
  }

  // What a layer reads of its tier's input.
  SHARKS_BOTH void read_into(int t, int k, const float* operand, bool biased) const {
    const LayerParts& part = net_.part(t, k);
    float* input = desk_.layer(t, k).input;
    product(part.frame, operand, [&](int gate, int channel, int s, float sum) {
      input[gate_at(gate, channel, s)] = sum + (biased ? part.bias[bias_at(gate, channel)] : 0.0f);
    });
  }

  SHARKS_BOTH bool run_tier(int t, int place, int sample) const {
    const uint32_t round = member_.tier_round(t, sample);
    const bool expands = net_.tier[t].expand != kNone;
    if (expands && !expand(t, place, round)) return false;
    for (int k = 0; k < net_.layers; ++k) {
      add_gates(t, k, place);
      if (!cell(t, k, sample, round)) return false;
      // While h travels: the layer below still lies in x, or the expanded frame.
      for (int j = 1; j < net_.layers && expands && k == 0; ++j) read_into(t, j, desk_.x, true);
      if (k > 0) pass_on(t, k - 1);
      float* h = net_.skips || k + 1 < net_.layers ? desk_.x : desk_.out(t);
      if (!member_.gather_operand(member_.links.state(t, k), round, h)) return false;
    }
    if (net_.skips) {
      add_skip(t, net_.layers - 1, desk_.x);
      tell_skip(t, round);
      remember(t, net_.layers - 1, desk_.x);
      if (!member_.gather_operand(member_.links.out(t), round, desk_.out(t))) return false;
    }
    hand_down(t, 0);
    return true;
  }

  // What else is made of a layer's new state, which lies in x.
  SHARKS_BOTH void pass_on(int t, int k) const {
    remember(t, k, desk_.x);
    if (net_.skips) add_skip(t, k, desk_.x);
  }

  SHARKS_BOTH bool expand(int t, int place, uint32_t round) const {
    const int last = net_.tier[t].F - 1, link = member_.links.expanded(t);
    member_.block.each(member_.C() * S_, [&](int i) {
      const int s = i % S_, channel = i / S_;
      const float newest = weight(slice(net_.tier[t].expand), 0, channel, last) * member_.number(s, place, 1);
      member_.tell(link, round, s, member_.first_channel() + channel,
                   desk_.expanded(t)[i] + newest + (top(t) ? 0.0f : desk_.handed_down(t + 1)[i]));
    });
    if (!member_.gather_operand(link, round, desk_.x)) return false;
    read_into(t, 0, desk_.x, true);
    return true;
  }

  // A layer's gates, but for what its own past adds.
  SHARKS_BOTH void add_gates(int t, int k, int place) const {
    const LayerParts& part = net_.part(t, k);
    const float* input = desk_.layer(t, k).input;
    const bool expands = net_.tier[t].expand != kNone;
    const auto late = [&](int gate, int channel, int s) {
      const int i = gate_at(gate, channel, s);
      float sum = input[i];
      if (part.frame != kNone && !expands)
        sum += weight(slice(part.frame), gate, channel, net_.tier[t].F - 1) * member_.number(s, place, 1);
      return k == 0 && !expands && !top(t) ? sum + desk_.handed_down(t + 1)[i] : sum;
    };
    if (k > 0) {
      product(part.below, desk_.x, [&](int gate, int channel, int s, float sum) {
        desk_.gates[gate_at(gate, channel, s)] = sum + late(gate, channel, s);
      });
      return;
    }
    member_.block.each(net_.gates * member_.C() * S_, [&](int i) {
      const int s = i % S_, channel = i / S_ % member_.C(), gate = i / S_ / member_.C();
      desk_.gates[i] = late(gate, channel, s);
    });
    member_.block.sync();
  }

  // From gates to the new state, told to all.
  SHARKS_BOTH bool cell(int t, int k, int sample, uint32_t round) const {
    const LayerDesk layer = desk_.layer(t, k);
    const int vector = member_.C() * S_;
    const auto gates = [&](int i) {
      Gates sums = {};
      SHARKS_UNROLL(4)
      for (int gate = 0; gate < 4; ++gate) {
        if (gate < net_.gates) {
          sums.input[gate] = desk_.gates[gate * vector + i];
          sums.past[gate] = layer.recurrent[gate * vector + i];
        }
      }
      return sums;
    };
    if (net_.cell == Cell::kGruResetBefore) {
      const int link = member_.links.reset(t, k);
      member_.block.each(vector, [&](int i) {
        member_.tell(link, round, i % S_, member_.first_channel() + i / S_, reset_state(gates(i), layer.h[i]));
      });
      if (!member_.gather_operand(link, round, desk_.y)) return false;
      product(net_.part(t, k).candidate, desk_.y,
              [&](int, int channel, int s, float sum) { desk_.gates[gate_at(2, channel, s)] += sum; });
    }
    member_.block.each(vector, [&](int i) {
      const float h = layer.h[i] = next_state(net_.cell, gates(i), layer.h[i], layer.c[i]);
      const int channel = member_.first_channel() + i / S_;
      member_.tell(member_.links.state(t, k), round, i % S_, channel, h);
      member_.tap(t * net_.layers + k, member_.runs_before(t, sample), i % S_, net_.D, channel, h);
    });
    return true;
  }

  const Member<W>& member_;
  const Net<W>& net_;
  const Desk<W>& desk_;
  const int S_;
};

}  // namespace sharks::cuda::samplernn::persistent
