// Products of many streams on tensor cores, by all blocks of a grid: weights in half precision in the strips of
// strips.h, inputs rounded to halves, float32 sums. Every sum runs over the columns in order, whatever the number of
// streams.
//
// An input of a batch lies in device memory as A's fragments (mma.h): [tiles of 16 streams][k_steps][32 lanes][8
// halves]. A block's tile is 64 streams by 128 rows: 8 warps of 32 by 32.
#pragma once

#include "cuda/exchange/exchange.h"
#include "cuda/products/strips.h"

namespace sharks::cuda {

constexpr int kTileStreams = 64, kTileStrips = 16;
constexpr int kWarpTiles = 2, kWarpStrips = 4;  // of 16 streams, of 8 rows

SHARKS_BOTH constexpr int64_t batch_halves(int columns, int B) {
  return static_cast<int64_t>((B + kTileStreams - 1) / kTileStreams) * kTileStreams * steps_of(columns) * kStepColumns;
}

SHARKS_BOTH void put_in_batch(Half* batch, int k_steps, int column, int64_t b, float value) {
  const int row = static_cast<int>(b % kTileRows), k = column % kStepColumns;
  const int lane = row % 8 * 4 + k % 8 / 2, pair = row / 8 + k / 8 * 2;
  batch[((b / kTileRows * k_steps + column / kStepColumns) * kWarp + lane) * 8 + pair * 2 + k % 2] = to_half(value);
}

// Where the sums of a product go: to[b ld + row] = bias + sum, on top of what is there if `add`, and into a batch.
struct Sink {
  float* to;
  int64_t ld;
  int width;  // rows of `to`
  const float* bias;
  bool add, relu;
  Half* batch;  // or null
  int batch_steps;
};

struct TileSums {
  Lanes<Accumulator> of[kWarpTiles][kWarpStrips];
};

// What a warp multiplies in one step, read while those before it are multiplied.
constexpr int kStepsAhead = 4;
struct TileStep {
  Lanes<FragmentA> inputs[kWarpTiles];
  Lanes<FragmentB> weights[kWarpStrips];
};

// One warp's part of a tile.
SHARKS_CALLED void multiply_tile(Warp warp, const Half* strips, int strip_count, int k_steps, const Half* x, int tile_b,
                                 int tile_strip, int B, Sink sink) {
  const int b0 = tile_b * kTileStreams + warp.index % 2 * kWarpTiles * kTileRows;
  const int s0 = tile_strip * kTileStrips + warp.index / 2 * kWarpStrips;
  if (b0 >= B || s0 >= strip_count) return;
  const int count = strip_count - s0 < kWarpStrips ? strip_count - s0 : kWarpStrips;
  TileSums sums = {};
  const auto fetch = [&](int step, TileStep& into) {  // strips behind the last are that of the first, and not kept
    warp.lanes([&](int lane) {
      SHARKS_UNROLL(kWarpTiles)
      for (int i = 0; i < kWarpTiles; ++i)
        into.inputs[i][lane] =
            fragment_a(x, (static_cast<int64_t>(b0 / kTileRows + i) * k_steps + step) * kWarp + lane);
      SHARKS_UNROLL(kWarpStrips)
      for (int j = 0; j < kWarpStrips; ++j)
        into.weights[j][lane] =
            fragment_b(strips, (static_cast<int64_t>(s0 + (j < count ? j : 0)) * k_steps + step) * kWarp + lane);
    });
  };
  TileStep ahead[kStepsAhead];  // step k lies in k % kStepsAhead; what is fetched behind the last step is not used
  SHARKS_UNROLL(kStepsAhead)
  for (int k = 0; k < kStepsAhead; ++k) fetch(k < k_steps ? k : 0, ahead[k]);
  for (int step = 0; step < k_steps; step += kStepsAhead) {
    SHARKS_UNROLL(kStepsAhead)
    for (int k = 0; k < kStepsAhead; ++k) {
      if (step + k < k_steps) {
        SHARKS_UNROLL(kWarpStrips)
        for (int j = 0; j < kWarpStrips; ++j) SHARKS_UNROLL(kWarpTiles)
        for (int i = 0; i < kWarpTiles; ++i) mma(sums.of[i][j], ahead[k].inputs[i], ahead[k].weights[j]);
        const int next = step + k + kStepsAhead;
        fetch(next < k_steps ? next : 0, ahead[k]);
      }
    }
  }
  SHARKS_UNROLL(kWarpTiles)
  for (int i = 0; i < kWarpTiles; ++i) SHARKS_UNROLL(kWarpStrips)
  for (int j = 0; j < kWarpStrips; ++j) SHARKS_UNROLL(4)
  for (int v = 0; v < 4; ++v)
    warp.lanes([&](int lane) {
      const Place place = place_in_c(lane, v);
      const int b = b0 + i * kTileRows + place.row, row = (s0 + j) * kStripRows + place.column;
      if (j >= count || b >= B) return;
      float sum = sums.of[i][j][lane].value[v];
      const bool kept = sink.to && row < sink.width;
      if (sink.bias && (!sink.to || kept)) sum += sink.bias[row];
      if (kept && sink.add) sum += sink.to[b * sink.ld + row];
      if (sink.relu && !(sum > 0.0f)) sum = 0.0f;
      if (kept) sink.to[b * sink.ld + row] = sum;
      if (sink.batch) put_in_batch(sink.batch, sink.batch_steps, row, b, sum);
    });
}

// A grid whose blocks work phase by phase: what one phase wrote, the next may read on every block.
//
// meet(): every block raises its flag with the number of the meeting, block 0 waits for all of them and raises one
// more, for which the others wait. Numbers grow, so nobody can miss one.
class Phases {
 public:
  SHARKS_BOTH Phases(const Block& block, uint32_t* flags, int32_t* trouble)
      : block_(block), flags_(flags), trouble_(trouble) {}

  SHARKS_BOTH bool meet() {
    ++meetings_;
    turn_ = 0;
    block_.sync();
    block_.each(1, [&](int) { raise(flags_ + block_.index, meetings_); });
    bool good = true;
    if (block_.index == 0) {
      block_.each(block_.blocks, [&](int i) { good = await_raised(flags_ + i, meetings_, trouble_) && good; });
      block_.sync();
      block_.each(1, [&](int) { raise(flags_ + block_.blocks, meetings_); });
    }
    block_.each(1, [&](int) { good = await_raised(flags_ + block_.blocks, meetings_, trouble_) && good; });
    return block_.agree(good);
  }

  // f(0) .. f(n - 1), by all blocks together.
  template <typename F>
  SHARKS_BOTH void each(int64_t n, const F& f) const {
    const int64_t share = (n + block_.blocks - 1) / block_.blocks, first = share * block_.index;
    const int64_t left = n - first < share ? n - first : share;
    block_.each(static_cast<int>(left > 0 ? left : 0), [&](int i) { f(first + i); });
  }

  // f(warp, 0) .. f(warp, n - 1), one warp each.
  template <typename F>
  SHARKS_BOTH void each_warp(int n, const F& f) const {
    block_.warps([&](const Warp& warp) {
      for (int i = block_.index * kStripWarps + warp.index; i < n; i += block_.blocks * kStripWarps) f(warp, i);
    });
  }

  // A product of the whole batch; several of one phase are dealt out one after the other.
  SHARKS_BOTH void multiply(const Half* strips, int strip_count, int k_steps, const Half* x, int B, const Sink& sink) {
    const int across = (strip_count + kTileStrips - 1) / kTileStrips;
    const int tiles = (B + kTileStreams - 1) / kTileStreams * across;
    for (int tile = (block_.index + block_.blocks - turn_) % block_.blocks; tile < tiles; tile += block_.blocks)
      block_.warps([&](const Warp& warp) {
        multiply_tile(warp, strips, strip_count, k_steps, x, tile / across, tile % across, B, sink);
      });
    turn_ = (turn_ + tiles) % block_.blocks;
  }

 private:
  const Block& block_;
  uint32_t* flags_;  // [blocks + 1], zero
  int32_t* trouble_;
  uint32_t meetings_ = 0;
  int turn_ = 0;  // the block whose turn it is
};

}  // namespace sharks::cuda
