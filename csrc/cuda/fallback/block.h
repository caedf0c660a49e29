// What the kernels of plan first-light are made of, in every family: one block plays up to C streams, all weights come
// from memory (as a rule from L2), nothing needs another block. Every sum runs in one fixed order, whatever C is.
//
// Each function is a phase that ends with a sync: what it wrote, every thread may read.
#pragma once

#include "core/stages.h"
#include "cuda/device/half.h"
#include "cuda/device/portable.h"
#include "cuda/draw.h"
#include "cuda/products/matrix.h"

namespace sharks::cuda {

// Threads of a block that plays C streams: more streams want more registers each.
constexpr int threads_for(int C) { return C == 1 ? kProductThreads : kProductThreads / 2; }

// The streams of a block: first .. first + live - 1.
struct Company {
  int first, live;
};

// One row of values per stream of the company, `ld` apart; 0 where all share one.
template <typename T>
struct Rows {
  T* data;
  int64_t ld;
  SHARKS_BOTH T* operator[](int c) const { return data + c * ld; }
};

// Eight neighbours, read 16 bytes at a time.
template <typename W>
struct Group {
  static constexpr int kUnit = 16 / sizeof(W);
  struct alignas(16) Unit {
    W value[kUnit];
  };
  float value[kGroupColumns];

  SHARKS_BOTH Group(const W* from, int64_t stride) {  // from one unit to the next
    for (int u = 0; u < kGroupColumns / kUnit; ++u) {
      const Unit unit = *reinterpret_cast<const Unit*>(from + u * stride);
      for (int j = 0; j < kUnit; ++j) value[u * kUnit + j] = to_float(unit.value[j]);
    }
  }
};

// y = init + W x for every stream, then ReLU if asked. init: null for zero; y itself to accumulate. `partial` has room
// for C kProductThreads sums.
template <int C, typename W>
SHARKS_BOTH void product(const Block& block, const Company& company, const Packed<W>& w, Rows<const float> x,
                         Rows<const float> init, Rows<float> y, bool relu, float* partial) {
  const int groups = w.cols / kGroupColumns, rows = w.rows;
  const auto finish = [&](int c, int row, float sum) {
    if (init.data) sum += init[c][row];
    y[c][row] = relu && !(sum > 0.0f) ? 0.0f : sum;
  };
  block.each(rows * w.parts, [&](int i) {
    const int row = i % rows, part = i / rows;
    float sum[C] = {};
    SHARKS_UNROLL(C == 1 ? 4 : 1)  // more weights under way, or more streams: registers pay for either
    for (int g = groups * part / w.parts; g < groups * (part + 1) / w.parts; ++g) {
      const W* at = w.data + static_cast<int64_t>(g) * kGroupColumns * rows + row * Group<W>::kUnit;
      const Group<W> weights(at, static_cast<int64_t>(rows) * Group<W>::kUnit);
      for (int c = 0; c < C; ++c) {
        const Group<float> values(x[c < company.live ? c : 0] + g * kGroupColumns, Group<float>::kUnit);
        for (int j = 0; j < kGroupColumns; ++j) sum[c] = fmaf(weights.value[j], values.value[j], sum[c]);
      }
    }
    for (int c = 0; c < C; ++c)
      if (w.parts > 1)
        partial[(part * C + c) * rows + row] = sum[c];
      else if (c < company.live)
        finish(c, row, sum[c]);
  });
  block.sync();
  if (w.parts == 1) return;
  block.each(rows * company.live, [&](int i) {
    const int row = i % rows, c = i / rows;
    float sum = 0.0f;
    for (int part = 0; part < w.parts; ++part) sum += partial[(part * C + c) * rows + row];
    finish(c, row, sum);
  });
  block.sync();
}

// y = init + the sum over p < N of table[p][levels[p]], table [N, Q, width]; level(c, p) < 0 adds nothing.
template <typename Level>
SHARKS_BOTH void look_up(const Block& block, const Company& company, int width, int N, int Q, const float* table,
                         const Level& level, Rows<const float> init, Rows<float> y, bool relu) {
  block.each(width * company.live, [&](int i) {
    const int at = i % width, c = i / width;
    float sum = init[c][at];
    for (int p = 0; p < N; ++p) {
      const int32_t k = level(c, p);
      if (k >= 0) sum += table[(static_cast<int64_t>(p) * Q + k) * width + at];
    }
    y[c][at] = relu && !(sum > 0.0f) ? 0.0f : sum;
  });
  block.sync();
}

SHARKS_BOTH float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

// A stage to copy out, as kernels see it: [B, count, width].
struct DeviceTap {
  int kind;
  int index, layer;
  int64_t count, width;
  float* out;
};
struct Taps {
  const DeviceTap* list;
  int count;  // 0 in a free run
};

// Copy a stage's values to those who asked; `run`: how often it has run before in this launch.
SHARKS_BOTH void tap(const Block& block, const Company& company, const Taps& taps, int kind, int index, int layer,
                     int64_t run, Rows<const float> values) {
  if (taps.count == 0) return;
  for (int k = 0; k < taps.count; ++k) {
    const DeviceTap& to = taps.list[k];
    if (to.kind != kind || to.index != index || to.layer != layer) continue;
    const int width = static_cast<int>(to.width);
    block.each(width * company.live, [&](int i) {
      const int at = i % width, c = i / width;
      to.out[((company.first + c) * to.count + run) * width + at] = values[c][at];
    });
  }
  block.sync();  // before anybody overwrites them
}

// The level of every stream from its logits, which become scores. `level` [C].
SHARKS_BOTH void draw(const Block& block, const Company& company, const Samples& samples, int64_t t, int Q,
                      Rows<float> logits, int32_t* level) {
  const int quads = (Q + 3) / 4;
  block.each(quads * company.live, [&](int i) {
    const int quad = i % quads, c = i / quads;
    const Noise noise = noise_of(samples, company.first + c, t, quad);
    for (int j = 0; j < 4; ++j)
      if (4 * quad + j < Q) logits[c][4 * quad + j] += noise.of[j];
  });
  block.sync();
  block.warps([&](const Warp& warp) {
    for (int c = warp.index; c < company.live; c += block.threads / kWarp) {
      const Lanes<uint64_t> best = best_rank(warp, Q, [&](int k) { return ranked(logits[c][k], k); });
      warp.lanes([&](int lane) {
        if (lane == 0) level[c] = level_of(best[lane]);
      });
    }
  });
  block.sync();
}

// What ends every step: hand out the logits, then the level that comes next, given or drawn, in level [C].
SHARKS_BOTH void finish_step(const Block& block, const Company& company, const Samples& samples, int64_t t, int Q,
                             Rows<float> logits, int32_t* level) {
  if (samples.logits) {
    block.each(Q * company.live, [&](int i) {
      const int k = i % Q, c = i / Q;
      samples.logits[((company.first + c) * samples.n + t) * Q + k] = logits[c][k];
    });
    block.sync();
  }
  if (!samples.given) draw(block, company, samples, t, Q, logits, level);
  block.each(company.live, [&](int c) {
    const int64_t at = (company.first + c) * samples.n + t;
    if (samples.given)
      level[c] = samples.given[at];
    else
      samples.drawn[at] = level[c];
  });
  block.sync();
}

}  // namespace sharks::cuda
