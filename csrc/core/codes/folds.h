// A prior's weights with everything folded that can be, in double precision, where no activation lies between: a code
// enters by what its entry becomes, so that nothing of `dims` numbers is ever added up while it plays.
//   - The input layer becomes a table of rows to add, one per code of the last two frames: of the frame before the last
//     -B e, of the last one (A + B) e, where A reads what it sounded like and B the difference, both already scaled.
//   - What a book hears of the books before it becomes such a table, too, one for each book.
//   - The layers between norm and logits are one product for all books, taken once per frame.
//
// `Packing` says how a backend keeps matrices; see core/wavenet/folds.h. Letters: H hidden, W width of a head, D dims,
// K entries of a book; a small p marks a padded width.
#pragma once

#include <algorithm>
#include <vector>

#include "core/codes/weights.h"
#include "core/dense.h"
#include "core/engine.h"

namespace sharks {

template <typename Packing>
struct FoldedCodes {
  using Matrix = typename Packing::Matrix;
  using Floats = typename Packing::Floats;

  FoldedCodes(const CodesSpec& spec, const CodesWeights& weights, const Packing& packing);

  Packing packing;
  CodesSpec spec;
  int Hp, Wp;
  Floats in_table, in_bias;  // [2 books, K, Hp]; [Hp]
  struct Layer {
    Matrix below, recurrent;      // [3 Hp, Hp]
    Floats bias, recurrent_bias;  // [3 Hp]
  };
  std::vector<Layer> layers;
  Floats norm, norm_bias;      // [H]
  Matrix heads;                // [books Wp, Hp]
  Floats heads_bias;           // [books Wp]
  std::vector<Floats> tables;  // of each book but the first: [books before it, K, Wp]
  std::vector<Matrix> out;     // [K, Wp]
  std::vector<Floats> out_bias;

  Cost cost() const;

 private:
  static int padded(int n) { return Packing::padded(n); }
  Matrix gate_rows(const float* source) const;
  Floats gate_bias(const float* source) const;
  Floats table(const std::vector<Dense>& maps, const float* books, int width) const;
  void fold_input(const CodesWeights& weights);
  void bind_head(const CodesWeights& weights, int q, Dense& hidden);
};

template <typename Packing>
FoldedCodes<Packing>::FoldedCodes(const CodesSpec& spec, const CodesWeights& weights, const Packing& packing)
    : packing(packing),
      spec(spec),
      Hp(padded(spec.hidden)),
      Wp(padded(spec.width)),
      norm(padded_copy<Packing>(weights.norm, spec.hidden)),
      norm_bias(padded_copy<Packing>(weights.norm_bias, spec.hidden)),
      heads_bias(static_cast<size_t>(spec.books) * Wp) {
  fold_input(weights);
  for (const CodesWeights::Layer& from : weights.layers)
    layers.push_back({gate_rows(from.w_ih), gate_rows(from.w_hh), gate_bias(from.b_ih), gate_bias(from.b_hh)});
  Dense hidden(spec.books * Wp, Hp);
  for (int q = 0; q < spec.books; ++q) bind_head(weights, q, hidden);
  heads = packing.matrix(hidden);
}

// The rows of three gates of a [3 H, H] tensor, each gate padded to Hp rows.
template <typename Packing>
auto FoldedCodes<Packing>::gate_rows(const float* source) const -> Matrix {
  const int H = spec.hidden;
  Dense dense(3 * Hp, Hp);
  for (int g = 0; g < 3; ++g) dense.add(g * Hp, 0, source + static_cast<size_t>(g) * H * H, H, H, H);
  return packing.matrix(dense);
}

template <typename Packing>
auto FoldedCodes<Packing>::gate_bias(const float* source) const -> Floats {
  Floats bias(static_cast<size_t>(3) * Hp);
  for (int g = 0; g < 3; ++g) std::copy_n(source + g * spec.hidden, spec.hidden, bias.data() + g * Hp);
  return bias;
}

// Each map [width, D] of what every entry of a book is: the maps' count of books, one after the other and anew.
template <typename Packing>
auto FoldedCodes<Packing>::table(const std::vector<Dense>& maps, const float* books, int width) const -> Floats {
  const size_t K = spec.q_levels, D = spec.dims;
  Floats rows(maps.size() * K * width);
  for (size_t p = 0; p < maps.size(); ++p) {
    const float* book = books + p % spec.books * K * D;
    for (size_t k = 0; k < K; ++k)
      for (int o = 0; o < maps[p].rows(); ++o) {
        double sum = 0;
        for (size_t d = 0; d < D; ++d) sum += maps[p].at(o, static_cast<int>(d)) * book[k * D + d];
        rows.data()[(p * K + k) * width + o] = static_cast<float>(sum);
      }
  }
  return rows;
}

template <typename Packing>
void FoldedCodes<Packing>::fold_input(const CodesWeights& weights) {
  const int H = spec.hidden, D = spec.dims;
  Dense before(H, D), last(H, D);
  for (int o = 0; o < H; ++o)
    for (int d = 0; d < D; ++d) {
      const double sound = static_cast<double>(weights.in[o * 2 * D + d]) * weights.scale[d];
      const double difference = static_cast<double>(weights.in[o * 2 * D + D + d]) * weights.scale[D + d];
      before.at(o, d) = -difference;
      last.at(o, d) = sound + difference;
    }
  std::vector<Dense> maps(static_cast<size_t>(spec.books), before);
  maps.resize(static_cast<size_t>(2) * spec.books, last);
  in_table = table(maps, weights.books, Hp);
  in_bias = padded_copy<Packing>(weights.in_bias, H);
}

template <typename Packing>
void FoldedCodes<Packing>::bind_head(const CodesWeights& weights, int q, Dense& hidden) {
  const CodesWeights::Head& from = weights.heads[q];
  const int K = spec.q_levels, D = spec.dims, W = spec.width;
  hidden.add(q * Wp, 0, from.hidden, W, spec.hidden, spec.hidden);
  std::copy_n(from.hidden_bias, W, heads_bias.data() + static_cast<size_t>(q) * Wp);
  const std::vector<Dense> maps(static_cast<size_t>(q), q ? Dense(W, D).add(0, 0, from.partial, W, D, D) : Dense(0, 0));
  tables.push_back(table(maps, weights.books, Wp));
  out.push_back(packing.matrix(Dense(K, Wp).add(0, 0, from.out, K, W, W)));
  out_bias.push_back(padded_copy<Packing>(from.out_bias, K));
}

// A book's logits are used in one step of each frame, as all else that is no row of a table.
template <typename Packing>
Cost FoldedCodes<Packing>::cost() const {
  Cost cost;
  const double share = 1.0 / spec.books;
  for (const Layer& layer : layers)
    for (const Matrix* matrix : {&layer.below, &layer.recurrent}) add(cost, *matrix, share);
  add(cost, heads, share);
  for (const Matrix& matrix : out) add(cost, matrix, share);
  return cost;
}

}  // namespace sharks
