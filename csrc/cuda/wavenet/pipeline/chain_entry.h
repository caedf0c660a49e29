// What a chain block does before an item goes through its layers. Most of it before the item comes: products with past
// inputs need only what this block put into its rings at earlier steps, and of the levels that chain block 0 adds up
// only the newest is late.
#pragma once

#include "cuda/wavenet/pipeline/chain_memory.h"

namespace sharks::cuda::wavenet::pipeline {

template <typename T>
class ChainEntry {
 public:
  SHARKS_BOTH ChainEntry(const WaveNetPipe<T>& pipe, const Neighbourhood& here, const Role& role)
      : pipe_(pipe),
        shape_(pipe.shape),
        here_(here),
        block_(here.block),
        index_(here.index),
        first_(role.first),
        count_(role.count),
        carve_(block_.shared),
        memory_(pipe.shape, pipe.layer_bytes, role, pipe.draw_blocks, carve_) {}

 protected:
  SHARKS_BOTH LayerWeights<T> weights(int i) const { return {shape_, memory_.layers + i * pipe_.layer_bytes}; }
  SHARKS_BOTH int warps() const { return block_.threads / kWarp; }

  // The rings' rows were written by this block in layers() of earlier items, or by earlier launches, and the newest row
  // is written in layers() of this item; barriers lie between.
  SHARKS_BOTH void prepare(const Item& item) {
    block_.each(count_, [&](int i) {
      const LayerHead& head = *weights(i).head;
      RingNow& ring = memory_.rings[i];
      const int64_t newest = (pipe_.samples.position + item.t) % head.ring_length;
      ring.streams = pipe_.state.rings + pipe_.state.ring_start[first_ + i];
      ring.stride = static_cast<int64_t>(head.ring_length) * shape_.ring_width;
      for (int tap = 0; tap < shape_.K; ++tap)  // tap K - 1 is the newest, which goes over the oldest
        ring.row[tap] = (newest + static_cast<int64_t>(tap) * head.dilation) % head.ring_length * shape_.ring_width;
    });
    if (index_ == 0) recall(item);
    block_.sync();
    gather(item);
    if (index_ == 0) add_older_levels(item);
    block_.sync();
    multiply_past(item);
  }

  // Chain block 0: the level before item.t, given or drawn, goes to the caller and into the history.
  SHARKS_BOTH bool take_level(const Item& item) {
    const Samples& samples = pipe_.samples;
    const int64_t t = item.t - 1;
    const int words = pipe_.links.best.words;
    const Address before{item.group, item.slot, item.sequence - 1};
    const bool came = receive(here_, pipe_.links.best, words, before, samples.trouble,
                              [&](int at, uint32_t bits) { memory_.best[at] = bits; });
    if (!block_.agree(came)) return false;
    block_.each(kTileColumns, [&](int column) {
      const int b = item.stream(column);
      if (b >= samples.B) return;
      int32_t level = 0;
      if (samples.given) {
        level = samples.given[b * samples.n + t];
      } else {
        uint32_t key = 0;  // levels ascend: of equal scores the first stays
        for (int i = column; i < words / 2; i += kTileColumns) {
          const uint32_t* candidate = memory_.best + 2 * i;
          if (candidate[0] > key) key = candidate[0], level = static_cast<int32_t>(candidate[1]);
        }
        samples.drawn[b * samples.n + t] = level;
      }
      memory_.levels[(column + 1) * shape_.taps - 1] = level;
    });
    block_.sync();
    return true;
  }

  // Chain block 0: x_0 is whole with the newest level.
  SHARKS_BOTH void enter(const Item& item) {
    const int R = shape_.Rt * kTileDepth;
    block_.each(kTileColumns * R, [&](int i) {
      const int r = i % R, column = i / R;
      take_x(r, column, memory_.x[memory_.place_of_x(r, column)] + input(shape_.taps - 1, column, r));
    });
    remember(item);
    block_.sync();
  }

  // Other chain blocks: x and z of the layer before their first. x was sent a layer earlier, so it is here when z is.
  SHARKS_BOTH bool take_hop(const Item& item) {
    const WaveNetLinks& links = pipe_.links;
    int32_t* trouble = pipe_.samples.trouble;
    bool came = receive(here_, links.x(index_ - 1), links.x_words, item, trouble, [&](int at, uint32_t bits) {
      take_x(at / kTileColumns, at % kTileColumns, bits_as<float>(bits));
    });
    came = came && receive(here_, links.hop_z(index_ - 1, first_ - 1), links.z_words, item, trouble,
                           [&](int at, uint32_t bits) { Parcel<T>::unpack(at, bits, memory_.input); });
    return block_.agree(came);
  }

  // Chain block 0: the group's last levels. From the second step on they move up, and the newest is yet to come.
  SHARKS_BOTH void recall(const Item& item) {
    const int taps = shape_.taps, shift = item.t > 0;
    block_.each(kTileColumns * taps, [&](int i) {
      const int column = i / taps, tap = i % taps, b = item.stream(column);
      const bool known = b < pipe_.samples.B && tap + shift < taps;
      memory_.levels[i] = known ? pipe_.state.recent[static_cast<int64_t>(b) * taps + tap + shift] : -1;
    });
  }

  // recall() reads before this writes: barriers lie between, and it is one block that does both.
  SHARKS_BOTH void remember(const Item& item) {
    const int taps = shape_.taps;
    block_.each(kTileColumns * taps, [&](int i) {
      const int b = item.stream(i / taps);
      if (b < pipe_.samples.B) pipe_.state.recent[static_cast<int64_t>(b) * taps + i % taps] = memory_.levels[i];
    });
  }

  const WaveNetPipe<T>& pipe_;
  const WaveNetShape& shape_;
  const Neighbourhood& here_;
  const Block& block_;
  const int index_, first_, count_;
  Carve carve_;
  ChainMemory<T> memory_;

 private:
  // Past inputs from the rings, narrowed: a warp reads up to 32 channels of one row at a time, eight rows on the way at
  // once.
  SHARKS_BOTH void gather(const Item& item) {
    constexpr int kAtOnce = 8;
    const int taps = shape_.K - 1, pieces = (shape_.Rt + 1) / 2, R = shape_.Rt * kTileDepth;
    const int tasks = count_ * taps * pieces * kTileColumns;
    block_.warps([&](const Warp& warp) {
      for (int start = warp.index * kAtOnce; start < tasks; start += warps() * kAtOnce)
        warp.lanes([&](int lane) {
          float value[kAtOnce];
          const auto place = [&](int task, int& layer, int& tap, int& r) {
            const int row = task / kTileColumns / pieces;
            layer = row / taps, tap = row % taps;
            r = task / kTileColumns % pieces * kWarp + lane;
          };
          SHARKS_UNROLL()
          for (int i = 0; i < kAtOnce; ++i) {
            int layer, tap, r;
            place(start + i, layer, tap, r);
            const int b = item.stream((start + i) % kTileColumns);
            const bool real = start + i < tasks && r < shape_.R && b < pipe_.samples.B;
            value[i] = 0.0f;
            if (real) value[i] = memory_.rings[layer].at(b, tap)[r];
          }
          SHARKS_UNROLL()
          for (int i = 0; i < kAtOnce; ++i) {
            int layer, tap, r;
            place(start + i, layer, tap, r);
            if (start + i < tasks && r < R)
              put(memory_.past + layer * shape_.past_depth() * kOperandSize, tap * R + r, (start + i) % kTileColumns,
                  value[i]);
          }
        });
    });
  }

  SHARKS_BOTH void multiply_past(const Item& item) {
    const int depth = shape_.past_depth(), rows = shape_.gate_rows();
    block_.warps([&](const Warp& warp) {
      for (int task = warp.index; task < count_ * rows; task += warps()) {
        const int layer = task / rows, tile = task % rows;
        const LayerWeights<T> w = weights(layer);
        Lanes<Accumulator> sum;
        product(warp, w.past + tile * depth * kTileSize, memory_.past + layer * depth * kOperandSize, depth, sum);
        warp.lanes([&](int lane) {
          Accumulator& to = reinterpret_cast<Accumulator*>(memory_.known + task * kResultSize)[lane];
          SHARKS_UNROLL()
          for (int j = 0; j < 4; ++j) {
            const Place at = place_in_c(lane, j);
            to.value[j] = sum[lane].value[j] + w.bias[tile * kTileRows + at.row] +
                          conditioned(item.stream(at.column), first_ + layer, tile, at.row);
          }
        });
      }
    });
  }

  SHARKS_BOTH float conditioned(int b, int layer, int tile, int row) const {
    const int channel = tile * 8 + row % 8, D = shape_.D;
    if (!pipe_.state.condition || b >= pipe_.samples.B || channel >= D) return 0.0f;
    return pipe_.state.condition[(static_cast<int64_t>(b) * shape_.L + layer) * 2 * D + row / 8 * D + channel];
  }

  SHARKS_BOTH float input(int tap, int column, int r) const {
    const int level = memory_.levels[column * shape_.taps + tap];
    if (level < 0) return 0.0f;
    return pipe_.input_table[(static_cast<int64_t>(tap) * shape_.Q + level) * shape_.Rt * kTileDepth + r];
  }

  SHARKS_BOTH void add_older_levels(const Item&) {
    const int R = shape_.Rt * kTileDepth;
    block_.each(kTileColumns * R, [&](int i) {
      float sum = pipe_.input_bias[i % R];
      for (int tap = 0; tap + 1 < shape_.taps; ++tap) sum += input(tap, i / R, i % R);
      memory_.x[memory_.place_of_x(i % R, i / R)] = sum;
    });
  }

  // One value of the residual stream that enters this block.
  SHARKS_BOTH void take_x(int r, int column, float value) {
    memory_.x[memory_.place_of_x(r, column)] = value;
    put(memory_.input, shape_.Dt * kTileDepth + r, column, value);
  }
};

}  // namespace sharks::cuda::wavenet::pipeline
