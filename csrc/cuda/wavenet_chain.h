// A chain block: a run of consecutive layers, its weights in shared memory. An item comes in as z and x of the layer before
// (chain block 0: as the level just drawn) and goes through one barrier per layer; z goes to the skip blocks as it is made.
//
// What lies off that path is done before the item comes: products with past inputs need only what this block put into its
// rings at earlier steps, and of the levels that chain block 0 adds up only the newest is late.
#pragma once

#include "cuda/wavenet_chain_memory.h"

namespace sharks::cuda::pipeline {

// tanh(f) sigmoid(g) = (1 - e^-2f) / ((1 + e^-2f) (1 + e^-g)). Beyond the clamps both are 0 or 1 in float32.
SHARKS_BOTH float gate(float f, float g) {
  f = fminf(fmaxf(f, -10.0f), 10.0f);
  g = fminf(fmaxf(g, -30.0f), 30.0f);
#ifdef __CUDACC__
  const float e = __expf(-2.0f * f);
  return __fdividef(1.0f - e, (1.0f + e) * (1.0f + __expf(-g)));
#else
  const float e = std::exp(-2.0f * f);
  return (1.0f - e) / ((1.0f + e) * (1.0f + std::exp(-g)));
#endif
}

template <typename T, bool kTapped>
class ChainBlock {
 public:
  SHARKS_BOTH ChainBlock(const WaveNetPipe<T>& pipe, const Neighbourhood& here, const Role& role)
      : pipe_(pipe),
        shape_(pipe.shape),
        here_(here),
        block_(here.block),
        index_(here.index),
        first_(role.first),
        count_(role.count),
        carve_(block_.shared),
        memory_(pipe.shape, pipe.layer_bytes, role, pipe.draw_blocks, carve_),
        ahead_(here.block) {}

  SHARKS_BOTH void run(int pipeline) {
    fetch(block_, memory_.layers, pipe_.weights + static_cast<int64_t>(first_) * pipe_.layer_bytes,
          count_ * pipe_.layer_bytes);
    block_.sync();
    block_.warps([&](const Warp& warp) { look_ahead(warp, 0); });
    const bool done = each_item(pipe_, pipeline, [&](const Item& item) {
      prepare(item);
      if (index_ > 0 ? !take_hop(item) : item.t > 0 && !take_level(item)) return false;
      if (index_ == 0) enter(item);
      layers(item);
      return true;
    });
    if (index_ > 0 || !done) return;
    for (int slot = 0, group = pipeline; group < pipe_.groups; ++slot, group += pipe_.pipelines) {
      const int64_t n = pipe_.samples.n;
      const Item after{{group, slot, pipe_.sequence + static_cast<uint32_t>(n)}, n};
      recall(after);
      block_.sync();
      if (!take_level(after)) return;
      remember(after);
      block_.sync();
    }
  }

 private:
  SHARKS_BOTH LayerWeights<T> weights(int i) const { return {shape_, memory_.layers + i * pipe_.layer_bytes}; }
  SHARKS_BOTH bool ends_run(int i) const { return i + 1 == count_ && index_ + 1 < pipe_.chain_blocks; }
  SHARKS_BOTH int warps() const { return block_.threads / kWarp; }

  // ---- before the item comes: all that this step can know ----

  // The rings' rows were written by this block in layers() of earlier items, or by earlier launches, and the newest row is
  // written in layers() of this item; barriers lie between.
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

  // Past inputs from the rings, narrowed: a warp reads up to 32 channels of one row at a time, eight rows on the way at once.
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

  // ---- the item comes ----

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

  // Chain block 0: the level before item.t, given or drawn, goes to the caller and into the history.
  SHARKS_BOTH bool take_level(const Item& item) {
    const Samples& samples = pipe_.samples;
    const int64_t t = item.t - 1;
    const int words = pipe_.links.best.words;
    const bool came = receive(here_, pipe_.links.best, words, {item.group, item.slot, item.sequence - 1}, samples.trouble,
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
        for (int i = column; i < words / 2; i += kTileColumns)
          if (memory_.best[2 * i] > key) key = memory_.best[2 * i], level = static_cast<int32_t>(memory_.best[2 * i + 1]);
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
    bool came = receive(here_, links.x(index_ - 1), links.x_words, item, pipe_.samples.trouble, [&](int at, uint32_t bits) {
      take_x(at / kTileColumns, at % kTileColumns, bits_as<float>(bits));
    });
    came = came && receive(here_, links.hop_z(index_ - 1, first_ - 1), links.z_words, item, pipe_.samples.trouble,
                           [&](int at, uint32_t bits) { Parcel<T>::unpack(at, bits, memory_.input); });
    return block_.agree(came);
  }

  // One value of the residual stream that enters this block.
  SHARKS_BOTH void take_x(int r, int column, float value) {
    memory_.x[memory_.place_of_x(r, column)] = value;
    put(memory_.input, shape_.Dt * kTileDepth + r, column, value);
  }

  // ---- and goes through ----

  // The product behind a task of a layer: the gates of eight channels of z, or sixteen channels of the way on.
  struct Task {
    const T* tiles;
    int depth, skipped;  // how many tiles of the operand it reads, and where it begins
  };
  SHARKS_BOTH Task task_of(int i, int task) const {
    const LayerWeights<T> w = weights(i);
    const int gates = shape_.gate_rows(), depth = shape_.gate_depth(), skipped = w.head->composed ? 0 : shape_.Dt;
    if (task < gates) return {w.gate + (task * depth + skipped) * kTileSize, depth - skipped, skipped};
    return {w.res + (task - gates) * shape_.Dt * kTileSize, first_ + i > 0 ? shape_.Dt : 0, 0};
  }

  // Whether gates and ways on of a layer are computed at once; if not, the gates read what the ways on make.
  SHARKS_BOTH bool at_once(int i) const { return weights(i).head->composed || first_ + i == 0; }
  SHARKS_BOTH int tasks() const { return shape_.gate_rows() + shape_.Rt; }

  // Fetch what this warp multiplies first in layer i.
  SHARKS_BOTH void look_ahead(const Warp& warp, int i) {
    if (!at_once(i) || warp.index >= tasks()) return;
    const Task task = task_of(i, warp.index);
    Weight<T>::fetch(warp, ahead_[warp], task.tiles, task.depth);
  }

  // Reads of one input buffer and writes of the other: one barrier a layer suffices, for who writes a buffer again has
  // passed the barrier behind all its readers. x[] of a tile is touched by its own warp alone, always the same one.
  SHARKS_BOTH void layers(const Item& item) {
    const int gates = shape_.gate_rows(), size = shape_.gate_depth() * kOperandSize;
    int now = 0;
    for (int i = 0; i < count_; ++i, now ^= 1) {
      const T* from = memory_.input + now * size;
      T* to = memory_.input + (now ^ 1) * size;
      const int after = i + 1 < count_ ? i + 1 : 0;
      if (at_once(i)) {
        block_.warps([&](const Warp& warp) {
          for (int task = warp.index; task < tasks(); task += warps()) {
            Lanes<typename Weight<T>::Sum> sum;
            const Task work = task_of(i, task);
            const T* operand = from + work.skipped * kOperandSize;
            Weight<T>::clear(warp, sum);
            if (task == warp.index) {
              Weight<T>::accumulate(warp, sum, ahead_[warp], work.tiles, operand, work.depth);
              look_ahead(warp, after);
            } else {
              Weight<T>::accumulate(warp, sum, work.tiles, operand, work.depth);
            }
            use(warp, item, i, task, sum, to);
          }
        });
      } else {
        const auto phase = [&](int first, int last, const T* operand) {
          block_.warps([&](const Warp& warp) {
            for (int task = first + warp.index; task < last; task += warps()) {
              Lanes<typename Weight<T>::Sum> sum;
              const Task work = task_of(i, task);
              Weight<T>::clear(warp, sum);
              Weight<T>::accumulate(warp, sum, work.tiles, operand + work.skipped * kOperandSize, work.depth);
              use(warp, item, i, task, sum, to);
            }
          });
        };
        phase(gates, tasks(), from);
        block_.sync();
        phase(0, gates, to);
        block_.warps([&](const Warp& warp) { look_ahead(warp, after); });
      }
      block_.sync();
    }
  }

  SHARKS_BOTH void use(const Warp& warp, const Item& item, int i, int task, const Lanes<typename Weight<T>::Sum>& sums,
                       T* to) {
    Lanes<Accumulator> sum;
    Weight<T>::finish(warp, sums, sum);
    task < shape_.gate_rows() ? gated(warp, item, i, task, sum, to) : way_on(warp, item, i, task - shape_.gate_rows(), sum, to);
  }

  // Eight channels of z.
  SHARKS_BOTH void gated(const Warp& warp, const Item& item, int i, int tile, const Lanes<Accumulator>& sum, T* to) {
    const int layer = first_ + i;
    const Outlet skips(here_, pipe_.links.z(layer), item), next(here_, pipe_.links.hop_z(index_, layer), item);
    const bool hop = ends_run(i) && pipe_.links.hop_z(index_, layer).near >= 0;
    warp.lanes([&](int lane) {
      const Accumulator known =
          reinterpret_cast<const Accumulator*>(memory_.known + (i * shape_.gate_rows() + tile) * kResultSize)[lane];
      const float* a = sum[lane].value;
      const int channel = tile * 8 + lane / 4, column = lane % 4 * 2;
      const float z0 = gate(a[0] + known.value[0], a[2] + known.value[2]);
      const float z1 = gate(a[1] + known.value[1], a[3] + known.value[3]);
      put(to, channel, column, z0);
      put(to, channel, column + 1, z1);
      if (hop) Parcel<T>::send(next, channel, column, z0, z1);
      Parcel<T>::send(skips, channel, column, z0, z1);
      if (kTapped) {
        tap(pipe_, StageIndex{shape_.L}.gated(layer), item, column, shape_.D, channel, z0);
        tap(pipe_, StageIndex{shape_.L}.gated(layer), item, column + 1, shape_.D, channel, z1);
      }
    });
  }

  // Sixteen channels of x of this layer: into the ring, to the next layer, and at the end of the run to the next block.
  SHARKS_BOTH void way_on(const Warp& warp, const Item& item, int i, int tile, const Lanes<Accumulator>& sum, T* to) {
    const int layer = first_ + i;
    const float* bias = weights(i).res_bias + tile * kTileRows;
    const bool hop = ends_run(i);
    const Outlet next(here_, pipe_.links.x(index_), item);
    warp.lanes([&](int lane) {
      Accumulator& x = reinterpret_cast<Accumulator*>(memory_.x + tile * kResultSize)[lane];
      SHARKS_UNROLL()
      for (int j = 0; j < 4; ++j) {
        const Place at = place_in_c(lane, j);
        const int r = tile * kTileRows + at.row, b = item.stream(at.column);
        float& value = x.value[j];
        if (layer > 0) value = shape_.residual_scale * value + (sum[lane].value[j] + bias[at.row]);
        put(to, shape_.Dt * kTileDepth + r, at.column, value);
        if (hop) next.put(r * kTileColumns + at.column, value);
        if (r < shape_.R && b < pipe_.samples.B) memory_.rings[i].at(b, shape_.K - 1)[r] = value;
        if (kTapped && layer > 0) tap(pipe_, StageIndex{shape_.L}.out(layer - 1), item, at.column, shape_.R, r, value);
      }
    });
  }

  const WaveNetPipe<T>& pipe_;
  const WaveNetShape& shape_;
  const Neighbourhood& here_;
  const Block& block_;
  const int index_, first_, count_;
  Carve carve_;
  ChainMemory<T> memory_;
  Registers<typename Weight<T>::Ahead> ahead_;  // of every warp's first task of the layer to come
};

}  // namespace sharks::cuda::pipeline
