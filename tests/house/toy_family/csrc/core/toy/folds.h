// The toy's weights with everything folded that can be, in double precision: the embedding and the product that reads
// it become a table of rows to look up. `Packing` says how a backend keeps matrices. Letters: Q levels, E embedding, H
// hidden; a small p marks a padded width.
#pragma once

#include "core/dense.h"
#include "core/engine.h"
#include "core/toy/weights.h"

namespace sharks {

template <typename Packing>
struct FoldedToy {
  using Matrix = typename Packing::Matrix;
  using Floats = typename Packing::Floats;

  FoldedToy(const ToySpec& spec, const ToyWeights& weights, const Packing& packing)
      : packing(packing), spec(spec), Hp(Packing::padded(spec.hidden)) {
    const int Q = spec.q_levels, E = spec.embed_dim, H = spec.hidden;
    input_table = Floats(static_cast<size_t>(Q) * Hp);
    for (int level = 0; level < Q; ++level)
      for (int h = 0; h < H; ++h) {
        double sum = 0;
        for (int e = 0; e < E; ++e) sum += static_cast<double>(weights.w_ih[h * E + e]) * weights.embed[level * E + e];
        input_table[static_cast<size_t>(level) * Hp + h] = static_cast<float>(sum);
      }
    input_bias = padded_copy<Packing>(weights.b_ih, H);
    recurrent = packing.matrix(Dense(Hp, Hp).add(0, 0, weights.w_hh, H, H, H));
    out = packing.matrix(Dense(Q, Hp).add(0, 0, weights.out, Q, H, H));
    out_bias = padded_copy<Packing>(weights.out_bias, Q);
  }

  Cost cost() const {
    Cost cost;
    for (const Matrix* matrix : {&recurrent, &out}) add(cost, *matrix);
    return cost;
  }

  Packing packing;
  ToySpec spec;
  int Hp;
  Floats input_table, input_bias;  // [Q, Hp], [Hp]
  Matrix recurrent, out;           // [Hp, Hp], [Q, Hp]
  Floats out_bias;
};

}  // namespace sharks
