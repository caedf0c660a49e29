// A chain block: a run of consecutive layers, its weights in shared memory. An item comes in as z and x of the layer
// before (chain block 0: as the level just drawn) and goes through one barrier per layer; z goes to the skip blocks as
// it is made.
#pragma once

#include "cuda/wavenet/pipeline/chain_entry.h"

namespace sharks::cuda::wavenet::pipeline {

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
class ChainBlock : ChainEntry<T> {
  using Entry = ChainEntry<T>;
  using Entry::memory_, Entry::weights, Entry::warps;
  using Entry::pipe_, Entry::shape_, Entry::here_, Entry::block_, Entry::index_, Entry::first_, Entry::count_;

 public:
  SHARKS_BOTH ChainBlock(const WaveNetPipe<T>& pipe, const Neighbourhood& here, const Role& role)
      : Entry(pipe, here, role), ahead_(here.block) {}

  SHARKS_BOTH void run(int pipeline) {
    fetch(block_, memory_.layers, pipe_.weights + static_cast<int64_t>(first_) * pipe_.layer_bytes,
          count_ * pipe_.layer_bytes);
    block_.sync();
    block_.warps([&](const Warp& warp) { look_ahead(warp, 0); });
    const bool done = each_item(pipe_, pipeline, [&](const Item& item) {
      this->prepare(item);
      if (index_ > 0 ? !this->take_hop(item) : item.t > 0 && !this->take_level(item)) return false;
      if (index_ == 0) this->enter(item);
      layers(item);
      return true;
    });
    if (index_ > 0 || !done) return;
    for (int slot = 0, group = pipeline; group < pipe_.groups; ++slot, group += pipe_.pipelines) {
      const int64_t n = pipe_.samples.n;
      const Item after{{group, slot, pipe_.sequence + static_cast<uint32_t>(n)}, n};
      this->recall(after);
      block_.sync();
      if (!this->take_level(after)) return;
      this->remember(after);
      block_.sync();
    }
  }

 private:
  SHARKS_BOTH bool ends_run(int i) const { return i + 1 == count_ && index_ + 1 < pipe_.chain_blocks; }

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
    const int gates = shape_.gate_rows();
    task < gates ? gated(warp, item, i, task, sum, to) : way_on(warp, item, i, task - gates, sum, to);
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

  Registers<typename Weight<T>::Ahead> ahead_;  // of every warp's first task of the layer to come
};

}  // namespace sharks::cuda::wavenet::pipeline
