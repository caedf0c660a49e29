// The links between the blocks of a pipeline: words {value, sequence} (exchange.h), one set per group of 8 streams. A
// word is far, in device memory, where all its readers look; or near, in the shared memory of each reader, which blocks
// of one cluster reach into (sm_90). A link is near where all blocks at both its ends are of one cluster.
//
// Who reads before whom writes. Every word is written once per step of its group, with the number of that step, and
// there is one place for it: the word of step s + 1 overwrites that of step s. That is safe because all links of a
// group lie on one circle. Let W be any word of step s.
//   z       read by all skip blocks and, at the end of a run of layers, by the next chain block
//   x       read by the next chain block
//   skip    read by all head blocks
//   head    read by all draw blocks
//   best    read by chain block 0
// Each reader reads all words of the link, meets the others of its block at a barrier (agree), and only then writes
// what it makes of them; what it makes is read in the same way by the next, and so round to chain block 0, which begins
// step s + 1 of this group when it has read `best` of step s from every draw block (while forcing, too: it then ignores
// what was drawn). Nobody writes a word of step s + 1 before he has read one that follows from that beginning. So W of
// step s + 1 is written after every reader has read W of step s. At the end of a launch chain block 0 reads the last
// `best`; the next launch begins after that. Sequence numbers go on from launch to launch, so no far word of an earlier
// one is taken for new. Near words are cleared at the beginning of a launch; the cluster meets before the first is
// written, and before any block leaves.
#pragma once

#include "cuda/exchange/cluster.h"
#include "cuda/wavenet/pipeline/shape.h"

namespace sharks::cuda::wavenet::pipeline {

struct Link {
  int far;             // where its words begin within a group, in device memory
  int near;            // where they begin in a reader's shared memory, or -1
  int words;           // per group
  int first, readers;  // blocks of the pipeline, neighbours
};

struct WaveNetLinks {
  uint64_t* words;  // [groups, per_group] far words
  int per_group;
  int cluster, slots;  // blocks; groups of a pipeline that have near words of their own. cluster 1: all is far
  int layers, x_words, z_words, far_x;
  Link last_z, skip, head, best;

  SHARKS_BOTH bool together(int first, int last) const { return cluster > 1 && first / cluster == last / cluster; }

  // From chain block c to the next, and what a layer sends to the skip blocks. A far z serves both.
  SHARKS_BOTH Link x(int c) const { return {far_x + c * x_words, together(c, c + 1) ? 0 : -1, x_words, c + 1, 1}; }
  SHARKS_BOTH Link hop_z(int c, int layer) const {
    return {layer * z_words, together(c, c + 1) ? slots * x_words : -1, z_words, c + 1, 1};
  }
  SHARKS_BOTH Link z(int layer) const {
    return layer + 1 < layers ? Link{layer * z_words, -1, z_words, last_z.first, last_z.readers} : last_z;
  }
};

// A block's place among the others.
struct Neighbourhood {
  const Block& block;
  const WaveNetLinks& links;
  int index;  // within the pipeline
};

// Which words: the group's, as device memory and as near memory count it, and the step's number.
struct Address {
  int group, slot;
  uint32_t sequence;
};

// Where a block writes a link's words for one address.
class Outlet {
 public:
  SHARKS_BOTH Outlet(const Neighbourhood& here, const Link& link, const Address& to)
      : here_(here),
        far_(here.links.words + static_cast<int64_t>(to.group) * here.links.per_group + link.far),
        near_(link.near < 0 ? -1 : link.near + to.slot * link.words),
        first_(link.first),
        readers_(link.readers),
        sequence_(to.sequence) {}

  SHARKS_BOTH void put(int at, uint32_t value) const {
    if (near_ < 0) return publish(far_ + at, bits_as<float>(value), sequence_);
    stress();
    const int cluster = here_.links.cluster;
    uint64_t* place = static_cast<uint64_t*>(here_.block.shared) + near_ + at;
    const uint64_t word = word_of(bits_as<float>(value), sequence_);
    for (int i = 0; i < readers_; ++i) store_near(here_.block, cluster, (first_ + i) % cluster, place, word);
  }
  SHARKS_BOTH void put(int at, float value) const { put(at, bits_as<uint32_t>(value)); }

 private:
  const Neighbourhood& here_;
  uint64_t* far_;
  int near_, first_, readers_;
  uint32_t sequence_;
};

// Wait for the first `n` words of a link and hand each to take(index, bits). Every thread asks for several at once, so
// that their ways overlap. False: give up, after block.agree().
template <int kAtOnce = 4, typename Take>
SHARKS_BOTH bool receive(const Neighbourhood& here, const Link& link, int n, const Address& from, int32_t* trouble,
                         const Take& take) {
  const uint64_t* far = here.links.words + static_cast<int64_t>(from.group) * here.links.per_group + link.far;
  const uint64_t* near = static_cast<const uint64_t*>(here.block.shared) + link.near + from.slot * link.words;
  const int lanes = (n + kAtOnce - 1) / kAtOnce;
  bool all = true;
  here.block.each(lanes, [&](int first) {
    uint64_t seen[kAtOnce] = {};
    const auto came = [&] {
      bool ready = true;
      SHARKS_UNROLL()
      for (int i = 0; i < kAtOnce; ++i)
        if (first + i * lanes < n)
          seen[i] = link.near < 0 ? load_word(far + first + i * lanes) : load_near(near + first + i * lanes);
      SHARKS_UNROLL()
      for (int i = 0; i < kAtOnce; ++i)
        if (first + i * lanes < n) ready = ready && seen[i] >> 32 == from.sequence;
      return ready;
    };
    stress();
    all = all && wait_until(came, trouble);
    if (!all) return;
    SHARKS_UNROLL()
    for (int i = 0; i < kAtOnce; ++i)
      if (first + i * lanes < n) take(first + i * lanes, static_cast<uint32_t>(seen[i]));
  });
  return all;
}

// How values of a [width, 8] block travel: two halves, or one float32, to a word.
template <typename T>
struct Parcel {
  static constexpr int kValues = sizeof(T) == 2 ? 2 : 1;
  static SHARKS_BOTH int words(int tiles) { return tiles * kOperandSize / kValues; }

  // The values of (channel, column) and (channel, column + 1), column even.
  static SHARKS_BOTH void send(const Outlet& to, int channel, int column, float first, float second) {
    const int at = (channel * kTileColumns + column) / kValues;
    if (kValues == 2) return to.put(at, pack_halves(first, second));
    to.put(at, first);
    to.put(at + 1, second);
  }

  // Write what word `at` brought into an operand.
  static SHARKS_BOTH void unpack(int at, uint32_t bits, T* operand);
};

template <>
SHARKS_BOTH void Parcel<Half>::unpack(int at, uint32_t bits, Half* operand) {
  const int channel = at / (kTileColumns / 2), column = at % (kTileColumns / 2) * 2;
  operand[Weight<Half>::in_operand(channel, column)] = Half{static_cast<uint16_t>(bits)};
  operand[Weight<Half>::in_operand(channel, column + 1)] = Half{static_cast<uint16_t>(bits >> 16)};
}

template <>
SHARKS_BOTH void Parcel<float>::unpack(int at, uint32_t bits, float* operand) {
  operand[Weight<float>::in_operand(at / kTileColumns, at % kTileColumns)] = bits_as<float>(bits);
}

}  // namespace sharks::cuda::wavenet::pipeline
