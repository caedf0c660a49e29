// The sample level in the persistent kernel: what one block does for it at every sample. With one hidden product left
// (folds.h) a sample costs two exchanges: a hidden vector goes to all blocks of the team, then every block's best level
// goes to all blocks of the pipeline, each of which takes the best of the best.
#pragma once

#include "cuda/draw.h"
#include "cuda/samplernn/persistent/member.h"

namespace sharks::cuda::samplernn::persistent {

// The best of a member's levels as it travels: {level, sequence, key of the score}, 16 bits of each of the first two.
SHARKS_BOTH uint64_t candidate_of(uint64_t rank, uint32_t round) {
  return static_cast<uint64_t>(level_of(rank)) << 48 | static_cast<uint64_t>(round & 0xFFFFu) << 32 | key_of_rank(rank);
}
SHARKS_BOTH bool candidate_is_of(uint64_t candidate, uint32_t round) {
  return (candidate >> 32 & 0xFFFFu) == (round & 0xFFFFu);
}
SHARKS_BOTH uint64_t rank_of_candidate(uint64_t candidate) {
  return rank_of_key(static_cast<uint32_t>(candidate), static_cast<int>(candidate >> 48));
}

template <typename W>
class SampleWork {
 public:
  SHARKS_BOTH explicit SampleWork(const Member<W>& member)
      : member_(member), net_(member.net), desk_(member.at), S_(member.S) {}

  // What the tiers know of this sample.
  SHARKS_BOTH bool hear_early(int t) const {
    return member_.gather(member_.links.early(), member_.sample_round(t),
                          [&](int s, int channel, float value) { desk_.early[s * net_.Dp + channel] = value; });
  }

  // The newest level's row on top of it; every member for itself, four channels to a thread.
  SHARKS_BOTH void read_level(int place, int t) const {
    struct alignas(4 * sizeof(W)) Quad {
      W value[4];
    };
    const int64_t first_row = static_cast<int64_t>(net_.F() - 1) * net_.Q;
    member_.block.each(net_.Dp / 4 * S_, [&](int i) {
      const int s = i / (net_.Dp / 4), channel = i % (net_.Dp / 4) * 4;
      const W* row = net_.sample_table + (first_row + member_.level(s, place, 1)) * net_.Dp;
      const Quad quad = *reinterpret_cast<const Quad*>(row + channel);
      SHARKS_UNROLL(4)
      for (int j = 0; j < 4; ++j) {
        const float sum = desk_.early[i * 4 + j] + to_float(quad.value[j]), value = sum > 0.0f ? sum : 0.0f;
        put<W>(desk_.x, S_, channel + j, s, value);
        if (net_.hidden_count == 0 && member_.index == member_.crew.sample.first)
          member_.tap(last_hidden(), t, s, net_.D, channel + j, value);
      }
    });
    member_.block.sync();
  }

  // The own rows of hidden vector i, from the one below in x.
  SHARKS_BOTH void tell_hidden(int i, int t) const {
    const float* bias = net_.hidden_bias[i];
    const int first = member_.own.hidden.first * kStripRows;
    const uint32_t round = member_.sample_round(t);
    multiply(member_.block, desk_.slices[i], desk_.x, S_, desk_.partial, [&](int, int row, int s, float sum) {
      const int channel = first + row;
      const float biased = sum + bias[channel], value = biased > 0.0f ? biased : 0.0f;
      if (member_.clustered())
        member_.tell_near(member_.links.near_hidden(i, round) + s * net_.Dp + channel, word_of(value, round));
      else
        member_.tell(member_.links.hidden(i), round, s, channel, value);
      if (i + 1 == net_.hidden_count) member_.tap(last_hidden(), t, s, net_.D, channel, value);
    });
  }
  SHARKS_BOTH bool hear_hidden(int i, int t) const {
    const uint32_t round = member_.sample_round(t);
    if (!member_.clustered()) return member_.gather_operand(member_.links.hidden(i), round, desk_.x);
    const uint64_t* from = desk_.near + member_.links.near_hidden(i, round);
    return member_.gather_words(
        round, [&](int word) { return load_near(from + word); },
        [&](int s, int channel, float value) { put<W>(desk_.x, S_, channel, s, value); });
  }

  // The noise of the own levels; nothing where levels are given.
  SHARKS_BOTH void make_noise(int t) const {
    const Samples& samples = member_.samples;
    if (samples.given) return;
    const int first = member_.own.levels.first * kStripRows;
    member_.block.each(member_.own.levels.count * kStripRows / 4 * S_, [&](int i) {
      const int s = i % S_, row = i / S_ * 4;
      const Noise noise = noise_of(samples, member_.first + s, t, (first + row) / 4);
      for (int j = 0; j < 4; ++j) desk_.noise[(row + j) * S_ + s] = noise.of[j];
    });
  }

  // The own logits from the last hidden vector in x, and the best score among them.
  SHARKS_BOTH void tell_best(int t) const {
    const Samples& samples = member_.samples;
    const int first = member_.own.levels.first * kStripRows, padded_rows = member_.own.levels.count * kStripRows;
    const int rows = first + padded_rows < net_.Q ? padded_rows : net_.Q - first;  // of real levels
    multiply(member_.block, desk_.slices[net_.hidden_count], desk_.x, S_, desk_.partial,
             [&](int, int row, int s, float sum) {
               const int k = first + row;
               if (k >= net_.Q) return;
               const float biased = sum + net_.out_bias[k],
                           logit = net_.relu_logits && !(biased > 0.0f) ? 0.0f : biased;
               desk_.scores[row * S_ + s] = samples.given ? logit : logit + desk_.noise[row * S_ + s];
               if (samples.logits) samples.logits[((member_.first + s) * samples.n + t) * net_.Q + k] = logit;
               member_.tap(last_hidden() + 1, t, s, net_.Q, k, logit);
             });
    const uint32_t round = member_.sample_round(t);
    const int own_words = member_.crew.sample.member(member_.index) * S_;
    uint64_t* to = member_.words + member_.links.candidate(round) + own_words;
    member_.block.warps([&](const Warp& warp) {
      for (int s = warp.index; s < S_; s += kStripWarps) {
        const Lanes<uint64_t> best =
            best_rank(warp, rows, [&](int row) { return ranked(desk_.scores[row * S_ + s], first + row); });
        warp.lanes([&](int lane) {
          if (lane != 0) return;
          const uint64_t word = candidate_of(best[lane], round);
          if (member_.clustered()) member_.tell_near(member_.links.near_candidate(round) + own_words + s, word);
          stress();
          store_word(to + s, word);
        });
      }
    });
  }

 private:
  SHARKS_BOTH int last_hidden() const { return net_.tiers * net_.layers; }

  const Member<W>& member_;
  const Net<W>& net_;
  const Desk<W>& desk_;
  const int S_;
};

// Every member, of whichever team: wait for all candidates of sample t; the level of `place` is the best of them, or
// the given one.
template <typename W>
SHARKS_BOTH bool hear_level(const Member<W>& m, int place, int t) {
  const uint32_t round = m.sample_round(t);
  const uint64_t* from = m.words + m.links.candidate(round);
  const bool near = m.clustered() && m.in_sample();
  const uint64_t* here = m.at.near + m.links.near_candidate(round);
  const Samples& samples = m.samples;
  bool good = true;
  m.block.warps([&](const Warp& warp) {
    for (int s = warp.index; s < m.S; s += kStripWarps) {
      Lanes<uint64_t> best;
      warp.lanes([&](int lane) {
        constexpr int kAtOnce = 4;  // words whose journeys overlap
        best[lane] = 0;
        for (int member = lane; member < m.crew.sample.count; member += kAtOnce * kWarp) {
          uint64_t word[kAtOnce];
          stress();
          const bool came = wait_until(
              [&] {
                bool all = true;
                SHARKS_UNROLL(kAtOnce)
                for (int j = 0; j < kAtOnce; ++j) {
                  const int which = member + j * kWarp < m.crew.sample.count ? member + j * kWarp : member;
                  word[j] = near ? load_near(here + which * m.S + s) : load_word(from + which * m.S + s);
                }
                SHARKS_UNROLL(kAtOnce)
                for (int j = 0; j < kAtOnce; ++j) all = all && candidate_is_of(word[j], round);
                return all;
              },
              samples.trouble);
          good = good && came;
          SHARKS_UNROLL(kAtOnce)
          for (int j = 0; j < kAtOnce; ++j) best[lane] = better(best[lane], rank_of_candidate(word[j]));
        }
      });
      agree_on_best(warp, best);
      warp.lanes([&](int lane) {
        if (lane != 0) return;
        const int64_t at = (m.first + s) * samples.n + t;
        const int level = samples.given ? samples.given[at] : level_of(best[lane]);
        m.at.history[s * m.net.lookback() + place] = static_cast<uint16_t>(level);
        if (!samples.given && m.index == m.crew.sample.first) samples.drawn[at] = level;
      });
    }
  });
  return m.block.agree(good);
}

}  // namespace sharks::cuda::samplernn::persistent
