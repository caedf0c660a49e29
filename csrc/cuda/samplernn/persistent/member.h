// One block of a pipeline: what it owns (Ownership), how its shared memory is parted (Desk), and how it exchanges
// vectors with the others (Member).
//
// A pipeline is a group of blocks that play up to 8 streams together. One team of blocks works on the frame tiers, one
// on the sample level; they may be the same blocks. The channels (rows of every D-wide vector) are dealt out in strips
// of 8 to the members of a team; whoever owns a channel computes all its gates, conditioning and sums, in all tiers. A
// product reads the whole vector, so every owner publishes its part, and everybody gathers all of it. Levels are dealt
// out likewise.
#pragma once

#include "cuda/exchange/cluster.h"
#include "cuda/samplernn/net.h"
#include "cuda/samplernn/persistent/links.h"

namespace sharks::cuda::samplernn::persistent {

// Deals out memory in pieces of 16 bytes. From null it only counts.
struct Carver {
  unsigned char* base;
  size_t used = 0;

  template <typename T>
  SHARKS_BOTH T* take(int64_t count) {
    T* piece = reinterpret_cast<T*>(base + used);
    used += (static_cast<size_t>(count) * sizeof(T) + 15) / 16 * 16;
    return piece;
  }
};

// The members first .. first + count - 1 of a pipeline's blocks. Both teams are all blocks, or they share none.
struct Team {
  int first, count;
  SHARKS_BOTH int member(int block) const { return block - first; }
  SHARKS_BOTH bool has(int block) const { return block >= first && block < first + count; }
};

// A contiguous share of `total` things: equal ones but for one.
struct Share {
  int first, count;
};
SHARKS_BOTH Share share_of(int total, int member, int members) {
  const int first = static_cast<int>(static_cast<int64_t>(total) * member / members);
  return {first, static_cast<int>(static_cast<int64_t>(total) * (member + 1) / members) - first};
}

// Who plays what: a pipeline's blocks, its two teams, and its streams. With clusters the sample team is the pipeline's
// first.
struct Crew {
  int blocks, S;  // S: of a full pipeline; the last may have fewer
  Team tier, sample;
  int cluster;  // blocks, or 1
};

// What a block owns. Shares count strips of 8 rows.
struct Ownership {
  Share channels, hidden, levels;  // of the tiers' vectors, of the sample level's, of the logits

  template <typename W>
  SHARKS_BOTH Ownership(const Net<W>& net, const Crew& crew, int block) : channels{}, hidden{}, levels{} {
    if (crew.tier.has(block)) channels = share_of(net.channel_strips(), crew.tier.member(block), crew.tier.count);
    if (!crew.sample.has(block)) return;
    hidden = share_of(net.channel_strips(), crew.sample.member(block), crew.sample.count);
    levels = share_of(net.level_strips(), crew.sample.member(block), crew.sample.count);
  }
};

struct LayerDesk {
  float *input, *recurrent;  // [G, C, S] what is known early of the gates: from the frame, from the layer's own past
  float *h, *c;              // [C, S]
};

// A block's shared memory. C: channels it owns in the tiers; vectors are [C, S], gates [G, C, S], operands see
// strips.h.
template <typename W>
struct Desk {
  uint64_t* near;                 // first, so that it lies at the same place in all members
  float *x, *y, *partial;         // operands; y is for what x must survive
  float *early, *scores, *noise;  // [S, Dp]; [levels, S]
  float *gates, *window;
  float* tiers;
  uint16_t* history;  // [S, lookback]
  Slice<W>* slices;   // [products]
  size_t used;
  int vector, operand, gate_rows, layers;  // floats of a vector, of an operand; sizes to find a tier's part

  SHARKS_BOTH Desk(void* memory, const Net<W>& net, const Ownership& own, const Links& links, bool clustered) {
    const int S = links.S;
    Carver carver{static_cast<unsigned char*>(memory)};
    near = carver.take<uint64_t>(clustered && own.hidden.count ? links.near_words() : 0);
    const int lookback = net.lookback();
    vector = own.channels.count * kStripRows * S;
    gate_rows = net.gates * vector;
    operand = own.channels.count ? operand_floats(net.Dp, S) : 0;
    layers = net.layers;
    const int levels = own.levels.count * kStripRows * S,
              y_columns = net.cell == Cell::kGruResetBefore ? net.widest() : lookback;
    x = carver.take<float>(operand_floats(net.Dp, S));
    y = carver.take<float>(own.channels.count ? operand_floats(y_columns, S) : 0);
    partial = carver.take<float>(partial_floats(S));
    early = carver.take<float>(own.hidden.count ? net.Dp * S : 0);
    scores = carver.take<float>(levels);
    noise = carver.take<float>(levels);
    gates = carver.take<float>(gate_rows);
    window = carver.take<float>(vector);
    tiers = carver.take<float>(net.tiers * tier_floats());
    history = carver.take<uint16_t>(S * lookback);
    slices = carver.take<Slice<W>>(net.products);
    used = carver.used;
  }

  SHARKS_BOTH int64_t layer_floats() const { return 2 * gate_rows + 2 * vector; }
  SHARKS_BOTH int64_t tier_floats() const { return operand + gate_rows + 2 * vector + layers * layer_floats(); }

  SHARKS_BOTH float* out(int t) const { return tiers + t * tier_floats(); }    // operand: the stack's output
  SHARKS_BOTH float* handed_down(int t) const { return out(t) + operand; }     // [row_gates, C, S]
  SHARKS_BOTH float* skip(int t) const { return handed_down(t) + gate_rows; }  // [C, S]
  SHARKS_BOTH float* expanded(int t) const { return skip(t) + vector; }        // [C, S] what is known early
  SHARKS_BOTH LayerDesk layer(int t, int k) const {
    float* at = expanded(t) + vector + k * layer_floats();
    return {at, at + gate_rows, at + 2 * gate_rows, at + 2 * gate_rows + vector};
  }
};

template <typename W>
struct Member {
  const Block& block;
  const Net<W>& net;
  const Samples& samples;
  const TapTo* taps;
  const Crew& crew;
  const Ownership own;
  const Desk<W> at;
  const Links links;
  uint64_t* words;  // the pipeline's
  int index;        // within the pipeline
  int first, S;     // its streams
  int start;        // place of the launch's first sample within the largest frame

  SHARKS_BOTH int C() const { return own.channels.count * kStripRows; }
  SHARKS_BOTH int first_channel() const { return own.channels.first * kStripRows; }
  SHARKS_BOTH bool in_tiers() const { return own.channels.count > 0; }
  SHARKS_BOTH bool in_sample() const { return own.hidden.count > 0; }

  // The level `back` samples before the one at `place` of the largest frame, back = 1 .. lookback.
  SHARKS_BOTH int level(int s, int place, int back) const {
    const int L = net.lookback(), slot = place - back;
    return at.history[s * L + (slot < 0 ? slot + L : slot)];
  }
  SHARKS_BOTH float number(int s, int place, int back) const { return net.tier_input[level(s, place, back)]; }

  // How many tiers, counted from the lowest, run at a place.
  SHARKS_BOTH int running(int place) const {
    int count = 0;
    while (count < net.tiers && place % net.tier[count].F == 0) ++count;
    return count;
  }
  // How often a tier has run in this launch before its sample t. In round 0 of a tier the state was taken up.
  SHARKS_BOTH int runs_before(int tier, int t) const {
    const int F = net.tier[tier].F;
    return (start + t + F - 1) / F - (start + F - 1) / F;
  }
  SHARKS_BOTH uint32_t tier_round(int tier, int t) const { return static_cast<uint32_t>(runs_before(tier, t)) + 2; }
  SHARKS_BOTH uint32_t sample_round(int t) const { return static_cast<uint32_t>(t) + 1; }

  SHARKS_BOTH void tell(int link, uint32_t round, int s, int channel, float value) const {
    publish(words + links.vector(link, round) + s * net.Dp + channel, value, round);
  }

  // Near words are told to every member of the cluster.
  SHARKS_BOTH bool clustered() const { return crew.cluster > 1; }
  SHARKS_BOTH void tell_near(int at_word, uint64_t word) const {
    stress();
    for (int rank = 0; rank < crew.cluster; ++rank) store_near(block, crew.cluster, rank, at.near + at_word, word);
  }

  // take(s, channel, value) for every value of a vector, as soon as its owner has told it.
  template <typename Take>
  SHARKS_BOTH bool gather(int link, uint32_t round, const Take& take) const {
    const uint64_t* from = words + links.vector(link, round);
    return gather_words(round, [&](int i) { return load_word(from + i); }, take);
  }

  template <typename Load, typename Take>
  SHARKS_BOTH bool gather_words(uint32_t round, const Load& load, const Take& take) const {
    constexpr int kAtOnce = 4;  // words whose journeys overlap
    const int lot = S * net.Dp / kAtOnce;
    bool good = true;
    block.each(lot, [&](int i) {
      uint64_t seen[kAtOnce];
      stress();
      const bool came = wait_until(
          [&] {
            bool all = true;
            SHARKS_UNROLL(kAtOnce)
            for (int j = 0; j < kAtOnce; ++j) seen[j] = load(i + j * lot);
            SHARKS_UNROLL(kAtOnce)
            for (int j = 0; j < kAtOnce; ++j) all = all && static_cast<uint32_t>(seen[j] >> 32) == round;
            return all;
          },
          samples.trouble);
      good = good && came;
      SHARKS_UNROLL(kAtOnce)
      for (int j = 0; j < kAtOnce; ++j)
        take((i + j * lot) / net.Dp, (i + j * lot) % net.Dp, bits_as<float>(static_cast<uint32_t>(seen[j])));
    });
    return block.agree(good);
  }

  SHARKS_BOTH bool gather_operand(int link, uint32_t round, float* operand) const {
    return gather(link, round, [&](int s, int channel, float value) { put<W>(operand, S, channel, s, value); });
  }

  SHARKS_BOTH void tap(int stage, int run, int s, int width, int channel, float value) const {
    if (!taps || !taps[stage].out || channel >= width) return;
    taps[stage].out[((first + s) * taps[stage].count + run) * width + channel] = value;
  }
};

}  // namespace sharks::cuda::samplernn::persistent
