// The links between the blocks of a pipeline: words {value, sequence} in device memory, one set per group of 8 streams.
//
// Who reads before whom writes. Every word is written once per step of its group, with the number of that step, and there
// is one place for it: the word of step s + 1 overwrites that of step s. That is safe because all links of a group lie on
// one circle. Let W be any word of step s.
//   z       read by all skip blocks and, at the end of a run of layers, by the next chain block
//   x       read by the next chain block
//   skip    read by all head blocks
//   head    read by all draw blocks
//   best    read by chain block 0
// Each reader reads all words of the link, meets the others of its block at a barrier (agree), and only then writes what it
// makes of them; what it makes is read in the same way by the next, and so round to chain block 0, which begins step s + 1 of
// this group when it has read `best` of step s from every draw block (while forcing, too: it then ignores what was drawn).
// Nobody writes a word of step s + 1 before he has read one that follows from that beginning. So W of step s + 1 is written
// after every reader has read W of step s. At the end of a launch chain block 0 reads the last `best`; the next launch begins
// after that. Sequence numbers go on from launch to launch, so no word of an earlier one is taken for new.
#pragma once

#include "cuda/exchange.h"
#include "cuda/wavenet_shape.h"

namespace sharks::cuda {

// How values of a [width, 8] block travel: two halves, or one float32, to a word.
template <typename T>
struct Parcel {
  static constexpr int kValues = sizeof(T) == 2 ? 2 : 1;
  static SHARKS_BOTH int words(int tiles) { return tiles * kOperandSize / kValues; }

  // The values of (channel, column) and (channel, column + 1), column even.
  static SHARKS_BOTH void send(uint64_t* words, int channel, int column, float first, float second, uint32_t sequence) {
    const int at = (channel * kTileColumns + column) / kValues;
    if (kValues == 2) {
      publish(words + at, bits_as<float>(pack_halves(first, second)), sequence);
    } else {
      publish(words + at, first, sequence);
      publish(words + at + 1, second, sequence);
    }
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

// Where the words of each link begin within a group.
struct WaveNetLinks {
  uint64_t* words;  // [groups, per_group]
  int per_group;
  int z_layer;         // words of one layer's z; layer l begins at l * z_layer
  int x, x_link;       // of the link behind chain block c: x + c * x_link
  int skip, head, best;  // best: [draw blocks, 8 columns, {key, level}]

  SHARKS_BOTH uint64_t* group(int index) const { return words + static_cast<int64_t>(index) * per_group; }
};

// Wait for `n` words of this sequence and hand each to take(index, bits). Every thread asks for four at once, so that their
// ways through L2 overlap. False: give up, after block.agree().
template <typename Take>
SHARKS_BOTH bool receive(const Block& block, const uint64_t* words, int n, uint32_t sequence, int32_t* trouble,
                         const Take& take) {
  constexpr int kAtOnce = 4;
  const int lanes = (n + kAtOnce - 1) / kAtOnce;
  bool all = true;
  block.each(lanes, [&](int first) {
    uint64_t seen[kAtOnce] = {};
    stress();
    all = all && wait_until(
                     [&] {
                       bool ready = true;
                       SHARKS_UNROLL()
                       for (int i = 0; i < kAtOnce; ++i)
                         if (first + i * lanes < n) seen[i] = load_word(words + first + i * lanes);
                       SHARKS_UNROLL()
                       for (int i = 0; i < kAtOnce; ++i)
                         if (first + i * lanes < n) ready = ready && seen[i] >> 32 == sequence;
                       return ready;
                     },
                     trouble);
    if (!all) return;
    SHARKS_UNROLL()
    for (int i = 0; i < kAtOnce; ++i)
      if (first + i * lanes < n) take(first + i * lanes, static_cast<uint32_t>(seen[i]));
  });
  return all;
}

}  // namespace sharks::cuda
