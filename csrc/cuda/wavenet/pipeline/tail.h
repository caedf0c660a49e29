// The tail of the pipeline, off the chain of layers: skip blocks add up what all z give, head blocks multiply that,
// draw blocks make logits and draw. Each owns some rows of its matrix, so that how many blocks share one changes no
// sum.
#pragma once

#include "cuda/draw.h"
#include "cuda/wavenet/pipeline/pipe.h"

namespace sharks::cuda::wavenet::pipeline {

constexpr int kPartDepth = 8;  // tiles of a row that one warp multiplies; the parts of a row are added in order

// The rows of a tail matrix that a block owns, in its shared memory.
template <typename T>
struct TailRows {
  T* tiles;     // [count, depth]
  float* bias;  // [16 count]
  int first, count, depth;

  SHARKS_BOTH TailRows(const TailMatrix& matrix, const Role& role, Carve& carve)
      : first(role.first), count(role.count), depth(matrix.depth) {
    carve.take<uint64_t>(role.inbox);
    tiles = carve.take<T>(count * depth * kTileSize);
    bias = carve.take<float>(count * kTileRows);
  }

  SHARKS_BOTH void load(const Block& block, const unsigned char* weights, const TailMatrix& matrix) const {
    const int64_t row = depth * kTileSize * static_cast<int64_t>(sizeof(T));
    fetch(block, tiles, weights + matrix.tiles + first * row, static_cast<int>(count * row));
    fetch(block, bias, weights + matrix.bias + first * kTileRows * sizeof(float),
          count * kTileRows * static_cast<int>(sizeof(float)));
    block.sync();
  }
};

template <typename T>
struct SkipMemory {
  TailRows<T> rows;
  T* z;  // two operands of a chunk of layers, in turn

  SHARKS_BOTH SkipMemory(const WaveNetShape& shape, const TailMatrix& matrix, const Role& role, int chunk, Carve& carve)
      : rows(matrix, role, carve) {
    z = carve.take<T>(2 * chunk * shape.Dt * kOperandSize);
  }
};

// The layers' z come in chunks, the last layer alone, for only that one is waited for. A warp keeps the sum of its 16
// rows in registers from chunk to chunk; there are at least as many warps as tiles of rows.
template <typename T, bool kTapped>
SHARKS_BOTH void skip_block(const WaveNetPipe<T>& pipe, const Neighbourhood& here, int pipeline, const Role& role) {
  const Block& block = here.block;
  Carve carve(block.shared);
  const SkipMemory<T> memory(pipe.shape, pipe.skip, role, pipe.skip_chunk, carve);
  const TailRows<T>& rows = memory.rows;
  rows.load(block, pipe.weights, pipe.skip);
  Registers<typename Weight<T>::Sum> sums(block);
  const int L = pipe.shape.L, Dt = pipe.shape.Dt;
  int now = 0;
  each_item(pipe, pipeline, [&](const Item& item) {
    block.warps([&](const Warp& warp) { Weight<T>::clear(warp, sums[warp]); });
    for (int first = 0; first < L; now ^= 1) {
      const int left = L - 1 - first, count = left == 0 ? 1 : left < pipe.skip_chunk ? left : pipe.skip_chunk;
      // Who writes this buffer has passed the agreement behind all readers of its last use, two chunks ago.
      T* z = memory.z + now * pipe.skip_chunk * Dt * kOperandSize;
      const bool came = receive<8>(here, pipe.links.z(first), count * pipe.links.z_words, item, pipe.samples.trouble,
                                   [&](int at, uint32_t bits) { Parcel<T>::unpack(at, bits, z); });
      if (!block.agree(came)) return false;
      block.warps([&](const Warp& warp) {
        if (warp.index < rows.count)
          Weight<T>::accumulate(warp, sums[warp], rows.tiles + (warp.index * rows.depth + first * Dt) * kTileSize, z,
                                count * Dt);
      });
      first += count;
    }
    block.warps([&](const Warp& warp) {
      if (warp.index >= rows.count) return;
      Lanes<Accumulator> sum;
      Weight<T>::finish(warp, sums[warp], sum);
      const Outlet to(here, pipe.links.skip, item);
      warp.lanes([&](int lane) {
        float* y = sum[lane].value;
        SHARKS_UNROLL()
        for (int half = 0; half < 2; ++half) {
          const Place at = place_in_c(lane, 2 * half);
          const int local = warp.index * kTileRows + at.row, channel = rows.first * kTileRows + local;
          const float y0 = y[2 * half] + rows.bias[local], y1 = y[2 * half + 1] + rows.bias[local];
          if (kTapped) {
            tap(pipe, StageIndex{L}.skip(), item, at.column, pipe.shape.S, channel, y0);
            tap(pipe, StageIndex{L}.skip(), item, at.column + 1, pipe.shape.S, channel, y1);
          }
          Parcel<T>::send(to, channel, at.column, fmaxf(y0, 0.0f), fmaxf(y1, 0.0f));
        }
      });
    });
    return true;
  });
}

// What head and draw blocks have in common: one operand, and rows whose depth is shared among warps.
template <typename T>
struct DenseMemory {
  TailRows<T> rows;
  int parts;
  T* input;     // operand [depth]
  float* part;  // [count, parts] results

  SHARKS_BOTH DenseMemory(const TailMatrix& matrix, const Role& role, Carve& carve)
      : rows(matrix, role, carve), parts((matrix.depth + kPartDepth - 1) / kPartDepth) {
    input = carve.take<T>(matrix.depth * kOperandSize);
    part = carve.take<float>(role.count * parts * kResultSize);
  }
};

// Receive the input and multiply. The input is written again when all warps have passed the sync at the end of this;
// the parts, when they have passed the agreement of the next item.
template <typename T>
SHARKS_BOTH bool multiply(const Neighbourhood& here, const DenseMemory<T>& memory, const Link& link, const Item& item,
                          int32_t* trouble) {
  const Block& block = here.block;
  const TailRows<T>& rows = memory.rows;
  const bool came = receive(here, link, link.words, item, trouble,
                            [&](int at, uint32_t bits) { Parcel<T>::unpack(at, bits, memory.input); });
  if (!block.agree(came)) return false;
  block.warps([&](const Warp& warp) {
    for (int task = warp.index; task < rows.count * memory.parts; task += block.threads / kWarp) {
      const int row = task / memory.parts, first = task % memory.parts * kPartDepth;
      const int depth = rows.depth - first < kPartDepth ? rows.depth - first : kPartDepth;
      Lanes<Accumulator> sum;
      product(warp, rows.tiles + (row * rows.depth + first) * kTileSize, memory.input + first * kOperandSize, depth,
              sum);
      warp.lanes([&](int lane) { reinterpret_cast<Accumulator*>(memory.part + task * kResultSize)[lane] = sum[lane]; });
    }
  });
  block.sync();
  return true;
}

// The sum of a row's parts and its bias, for two columns of a row: value(half) of a lane, see place_in_c.
template <typename T>
SHARKS_BOTH float total(const DenseMemory<T>& memory, int row, int lane, int value) {
  float sum = memory.rows.bias[row * kTileRows + place_in_c(lane, value).row];
  for (int i = 0; i < memory.parts; ++i) sum += memory.part[(row * memory.parts + i) * kResultSize + lane * 4 + value];
  return sum;
}

template <typename T, bool kTapped>
SHARKS_BOTH void head_block(const WaveNetPipe<T>& pipe, const Neighbourhood& here, int pipeline, const Role& role) {
  const Block& block = here.block;
  Carve carve(block.shared);
  const DenseMemory<T> memory(pipe.head, role, carve);
  memory.rows.load(block, pipe.weights, pipe.head);
  each_item(pipe, pipeline, [&](const Item& item) {
    if (!multiply(here, memory, pipe.links.skip, item, pipe.samples.trouble)) return false;
    const Outlet to(here, pipe.links.head, item);
    block.each(role.count * kWarp * 2, [&](int i) {
      const int lane = i / 2 % kWarp, row = i / 2 / kWarp, value = i % 2 * 2;
      const Place at = place_in_c(lane, value);
      const int channel = (role.first + row) * kTileRows + at.row;
      const float y0 = fmaxf(total(memory, row, lane, value), 0.0f);
      const float y1 = fmaxf(total(memory, row, lane, value + 1), 0.0f);
      if (kTapped) {
        tap(pipe, StageIndex{pipe.shape.L}.head(), item, at.column, pipe.shape.E, channel, y0);
        tap(pipe, StageIndex{pipe.shape.L}.head(), item, at.column + 1, pipe.shape.E, channel, y1);
      }
      Parcel<T>::send(to, channel, at.column, y0, y1);
    });
    return true;
  });
}

template <typename T>
struct DrawMemory {
  DenseMemory<T> dense;
  float* noise;   // [8, 16 count]
  uint32_t* key;  // [8, 16 count] of the scores

  SHARKS_BOTH DrawMemory(const TailMatrix& matrix, const Role& role, Carve& carve) : dense(matrix, role, carve) {
    noise = carve.take<float>(role.count * kResultSize);
    key = carve.take<uint32_t>(role.count * kResultSize);
  }
};

// The draw (cuda/draw.h): the best of this block's levels goes to chain block 0. The noise is made before the item
// comes.
template <typename T, bool kTapped>
SHARKS_BOTH void draw_block(const WaveNetPipe<T>& pipe, const Neighbourhood& here, int pipeline, const Role& role) {
  const Block& block = here.block;
  Carve carve(block.shared);
  const DrawMemory<T> memory(pipe.draw, role, carve);
  memory.dense.rows.load(block, pipe.weights, pipe.draw);
  const Samples& samples = pipe.samples;
  const int levels = role.count * kTileRows, first = role.first * kTileRows, Q = pipe.shape.Q;
  each_item(pipe, pipeline, [&](const Item& item) {
    // Read last before the second sync of the item before; the agreement in multiply() lies before the next reading.
    if (samples.temperature)
      block.each(kTileColumns * levels / 4, [&](int i) {
        const int column = i / (levels / 4), k = i % (levels / 4) * 4, b = item.stream(column);
        if (b >= samples.B) return;
        const Noise noise = noise_of(samples, b, item.t, (first + k) / 4);
        float* to = memory.noise + column * levels + k;
        for (int j = 0; j < 4; ++j) to[j] = noise.of[j];
      });
    if (!multiply(here, memory.dense, pipe.links.head, item, samples.trouble)) return false;
    const Outlet to(here, pipe.links.best, item);
    block.each(role.count * kResultSize, [&](int i) {
      const int value = i % 4, lane = i / 4 % kWarp, row = i / kResultSize;
      const Place at = place_in_c(lane, value);
      const int local = row * kTileRows + at.row, level = first + local, b = item.stream(at.column);
      const float logit = total(memory.dense, row, lane, value);
      const bool real = level < Q && b < samples.B;
      if (kTapped) tap(pipe, StageIndex{pipe.shape.L}.logits(), item, at.column, Q, level, logit);
      if (real && samples.logits) samples.logits[(b * samples.n + item.t) * Q + level] = logit;
      const float noise = real && samples.temperature ? memory.noise[at.column * levels + local] : 0.0f;
      memory.key[at.column * levels + local] = level < Q ? key_of(logit + noise) : 0;
    });
    block.sync();
    block.warps([&](const Warp& warp) {
      for (int column = warp.index; column < kTileColumns; column += block.threads / kWarp) {
        const Lanes<uint64_t> best =
            best_rank(warp, levels, [&](int i) { return rank_of_key(memory.key[column * levels + i], first + i); });
        warp.lanes([&](int lane) {
          if (lane >= 2) return;
          const uint32_t level = static_cast<uint32_t>(level_of(best[lane]));
          to.put(((here.index - pipe.first_draw) * kTileColumns + column) * 2 + lane,
                 lane ? level : key_of_rank(best[lane]));
        });
      }
    });
    return true;
  });
}

}  // namespace sharks::cuda::wavenet::pipeline
