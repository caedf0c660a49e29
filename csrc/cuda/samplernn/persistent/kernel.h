// The persistent kernel: pipelines of blocks that play up to 8 streams each, sample after sample, and wait for nobody
// but one another.
//
// Why two slots per vector are enough, whoever is slow. Round s of a sample vector is sample s of the launch, round s
// of a tier's vector the tier's run s. Write X for who writes a word, Y for who reads it.
//   - Every member of the tier team owns channels, so it publishes into every vector of every run of a tier, and into
//     early(s) for every sample; every member of the sample team publishes into every hidden vector and a candidate
//     for every sample. Everybody gathers every vector that its team reads, and the candidates of every sample, given
//     or drawn.
//   - A tier's run s + 1 gathers some vector that every Y published in that run, after all its gathers of run s. X
//     writes run s + 2 after that: all have read run s. (Taking up the state counts as a run that gathers `out` alone,
//     if at all.)
//   - early(s + 2) is written after X heard the candidates of s; every Y published its own after it heard early(s).
//   - hidden(s + 2) is written after X heard the candidates of s + 1; every Y published its own after it heard
//     hidden(s + 1).
//   - candidate(s + 2) is written after X heard early(s + 2), which every tier member tells after it heard the
//     candidates of s; and after X heard the candidates of s + 1, which every sample member tells after it heard those
//     of s.
// No wait can be circular: within a sample, the tiers' vectors come in the order from the top down, then early, hidden,
// candidates, and each member publishes its part of one before it waits for a later one.
#pragma once

#include "cuda/samplernn/persistent/residence.h"
#include "cuda/samplernn/persistent/sample.h"
#include "cuda/samplernn/persistent/tiers.h"

namespace sharks::cuda::samplernn::persistent {

template <typename W>
struct Persistent {
  static constexpr int kThreads = kStripThreads;

  Net<W> net;
  SampleRNNState state;
  Samples samples;
  const TapTo* taps;
  Crew crew;
  Opening opening;
  uint64_t* words;  // of all pipelines
  uint32_t* flags;  // [blocks of the grid], zero: where the host's clusters meet
  int first;        // stream of the first pipeline
  size_t shared_bytes;

  SHARKS_BOTH void operator()(const Block& block) const {
    if (!all_came(block, opening, samples.trouble)) return;
    const int index = block.index % crew.blocks, pipeline = block.index / crew.blocks;
    const int stream = first + pipeline * crew.S, left = samples.B - stream;
    const int S = left < crew.S ? left : crew.S, lookback = net.lookback();
    const Links links{net.Dp, net.layers, net.tiers, net.hidden_count, S, crew.sample.count};
    const Links full{net.Dp, net.layers, net.tiers, net.hidden_count, crew.S, crew.sample.count};
    const Ownership own(net, crew, index);
    const Desk<W> desk(block.shared, net, own, links, crew.cluster > 1);
    const Member<W> member{block,
                           net,
                           samples,
                           taps,
                           crew,
                           own,
                           desk,
                           links,
                           words + pipeline * full.words(),
                           index,
                           stream,
                           S,
                           static_cast<int>(samples.position % lookback)};
    settle_in(member);
    // Near words are cleared before another member tells any, and stay until the last has been told.
    if (meet(block, crew.cluster, flags, 1, samples.trouble) && play(member) && member.in_tiers())
      TierWork<W>(member).settle(state);
    meet(block, crew.cluster, flags, 2, samples.trouble);
  }

 private:
  // Clear the desk, look up the own slices of all products, keep those in shared memory that find room, take up the
  // levels.
  SHARKS_BOTH void settle_in(const Member<W>& m) const {
    const Block& block = m.block;
    block.each(static_cast<int>(m.at.used / 16), [&](int i) { static_cast<Four*>(block.shared)[i] = Four{}; });
    block.sync();
    look_up_slices(block, net, m.own, m.at);
    block.each(m.S * net.lookback(), [&](int i) {
      m.at.history[i] = static_cast<uint16_t>(state.history[static_cast<int64_t>(m.first) * net.lookback() + i]);
    });
    block.sync();
    keep_slices(block, net, m.at, shared_bytes);
    block.sync();
  }

  // False when something did not come.
  SHARKS_BOTH bool play(const Member<W>& m) const {
    if (!m.in_tiers() && !m.in_sample()) return true;  // a cluster has members to spare
    const TierWork<W> tiers(m);
    const SampleWork<W> sample(m);
    const int n = static_cast<int>(samples.n), lookback = net.lookback();
    if (m.in_tiers()) {
      if (!tiers.rebuild(state)) return false;
      tiers.prepare(m.start, 0);
    }
    int place = m.start;
    bool heard = false;  // this sample's early vector
    for (int t = 0; t < n; ++t) {
      const int next = place + 1 == lookback ? 0 : place + 1;
      const bool last = t + 1 == n;
      if (m.in_tiers() && !tiers.run(place, t)) return false;
      if (m.in_sample()) {
        if (!heard && !sample.hear_early(t)) return false;
        sample.read_level(place, t);
        if (net.hidden_count > 0) sample.tell_hidden(0, t);
        sample.make_noise(t);
      }
      if (m.in_tiers()) {  // while the hidden vector travels
        tiers.catch_up(place);
        if (!last) tiers.prepare(next, t + 1);
      }
      if (m.in_sample()) {
        for (int i = 0; i < net.hidden_count; ++i) {
          if (!sample.hear_hidden(i, t)) return false;
          if (i + 1 < net.hidden_count) sample.tell_hidden(i + 1, t);
        }
        sample.tell_best(t);
        heard = !last && m.running(next) == 0;  // while the candidates travel
        if (heard && !sample.hear_early(t + 1)) return false;
      }
      if (!hear_level(m, place, t)) return false;
      place = next;
    }
    return true;
  }
};

}  // namespace sharks::cuda::samplernn::persistent
