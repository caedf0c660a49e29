#include "cuda/wavenet/pipeline/layout.h"

#include <algorithm>

#include "cuda/wavenet/pipeline/chain_memory.h"
#include "cuda/wavenet/pipeline/tail.h"

namespace sharks::cuda::wavenet::pipeline {
namespace {

constexpr int kSkipWords = 2048;          // about as many words as a skip block takes at once
constexpr size_t kSmallShare = 16 << 10;  // bytes of weights below which a block of the tail is not relieved

// One matrix of the tail while its blocks are counted.
struct Share {
  Role::Kind kind;
  int rows;  // in tiles
  size_t row_bytes;
  int blocks;
  size_t bytes() const { return static_cast<size_t>((rows + blocks - 1) / blocks) * row_bytes; }
};

template <typename T>
class Planner {
 public:
  Planner(const PackedWaveNet& net, const WaveNetLimits& limits) : net_(net), shape_(net.shape), limits_(limits) {
    layout_.threads = kWarp * std::clamp(shape_.gate_rows() + shape_.Rt, 8, kPipelineThreads / kWarp);
    layout_.skip_chunk = std::max(1, std::min(kSkipWords / Parcel<T>::words(shape_.Dt), shape_.L - 1));
  }

  std::optional<WaveNetLayout> layout() {
    int run = shape_.L;
    while (run > 0 && bytes(role(Role::kChain, 0, run)) > limits_.shared_bytes) --run;
    Share tail[] = {share(Role::kHead, net_.head, net_.head.rows), share(Role::kDraw, net_.draw, net_.draw.rows),
                    share(Role::kSkip, net_.skip, layout_.threads / kWarp)};
    if (!run || !tail[0].blocks || !tail[1].blocks || !tail[2].blocks) return std::nullopt;
    const int chain = (shape_.L + run - 1) / run;
    const auto blocks = [&] { return chain + tail[0].blocks + tail[1].blocks + tail[2].blocks; };
    if (blocks() > limits_.blocks) return std::nullopt;
    const auto less = [](const Share& a, const Share& b) { return a.bytes() < b.bytes(); };
    while (blocks() < limits_.blocks) {
      Share& largest = *std::max_element(tail, tail + 3, less);
      if (largest.bytes() <= kSmallShare || largest.blocks == largest.rows) break;
      ++largest.blocks;
    }
    deal(Role::kChain, shape_.L, chain);
    for (const Share& matrix : tail) deal(matrix.kind, matrix.rows, matrix.blocks);
    while (layout_.blocks() % limits_.cluster) layout_.roles.push_back({Role::kIdle, 0, 0, 0});
    layout_.chain_blocks = chain, layout_.head_blocks = tail[0].blocks;
    layout_.draw_blocks = tail[1].blocks, layout_.skip_blocks = tail[2].blocks;
    for (const Role& role : layout_.roles) layout_.shared_bytes = std::max(layout_.shared_bytes, bytes(role));
    link();
    return layout_;
  }

 private:
  // `total` pieces on `blocks` blocks, as evenly as can be.
  void deal(Role::Kind kind, int total, int blocks) {
    for (int i = 0; i < blocks; ++i) {
      const int first = total * i / blocks;
      layout_.roles.push_back(role(kind, first, total * (i + 1) / blocks - first));
    }
  }

  Role role(Role::Kind kind, int first, int count) const {
    if (limits_.cluster == 1) return {kind, first, count, 0};
    const int z = Parcel<T>::words(shape_.Dt), x = shape_.Rt * kOperandSize;
    const int words = kind == Role::kChain  ? (first == 0 ? std::max(best_words(net_.draw.rows), x + z) : x + z)
                      : kind == Role::kSkip ? z
                                            : Parcel<T>::words(kind == Role::kHead ? shape_.St : shape_.Et);
    return {kind, first, count, words * limits_.slots};
  }

  static int best_words(int draw_blocks) { return draw_blocks * kTileColumns * 2; }

  size_t bytes(const Role& role) const {
    Carve carve(nullptr);
    switch (role.kind) {
      case Role::kChain:
        ChainMemory<T>(shape_, net_.layer_bytes, role, net_.draw.rows, carve);
        break;
      case Role::kHead:
        DenseMemory<T>(net_.head, role, carve);
        break;
      case Role::kDraw:
        DrawMemory<T>(net_.draw, role, carve);
        break;
      case Role::kSkip:
        SkipMemory<T>(shape_, net_.skip, role, layout_.skip_chunk, carve);
        break;
      case Role::kIdle:
        break;
    }
    return static_cast<size_t>(carve.used());
  }

  // On as few blocks as hold it, with no more than `most` rows each; on none where not even one row fits.
  Share share(Role::Kind kind, const TailMatrix& matrix, int most) const {
    int rows = std::min(most, matrix.rows);
    while (rows > 0 && bytes(role(kind, 0, rows)) > limits_.shared_bytes) --rows;
    return {kind, matrix.rows, static_cast<size_t>(matrix.depth) * kTileSize * sizeof(T),
            rows ? (matrix.rows + rows - 1) / rows : 0};
  }

  // Where words lie, and which links are near.
  void link() {
    WaveNetLinks& links = layout_.links;
    links.cluster = limits_.cluster, links.slots = limits_.slots, links.layers = shape_.L;
    int far = 0;
    const auto take = [&](int words) { return far += words, far - words; };
    links.z_words = Parcel<T>::words(shape_.Dt);
    take(shape_.L * links.z_words);
    links.x_words = shape_.Rt * kOperandSize;
    links.far_x = take((layout_.chain_blocks - 1) * links.x_words);
    const int head = layout_.chain_blocks, draw = layout_.first_draw(), skip = draw + layout_.draw_blocks;
    const int end = skip + layout_.skip_blocks;
    const auto link = [&](int first_end, int last_end, int at, int words, int reader, int readers) {
      return Link{at, links.together(first_end, last_end) ? 0 : -1, words, reader, readers};
    };
    links.last_z = link(head - 1, end - 1, (shape_.L - 1) * links.z_words, links.z_words, skip, layout_.skip_blocks);
    const int skip_words = Parcel<T>::words(shape_.St), head_words = Parcel<T>::words(shape_.Et);
    links.skip = link(head, end - 1, take(skip_words), skip_words, head, layout_.head_blocks);
    links.head = link(head, skip - 1, take(head_words), head_words, draw, layout_.draw_blocks);
    links.best = link(0, skip - 1, take(best_words(layout_.draw_blocks)), best_words(layout_.draw_blocks), 0, 1);
    links.per_group = (far + 15) / 16 * 16;
  }

  const PackedWaveNet& net_;
  const WaveNetShape& shape_;
  const WaveNetLimits limits_;
  WaveNetLayout layout_;
};

}  // namespace

template <typename T>
std::optional<WaveNetLayout> lay_out(const PackedWaveNet& net, const WaveNetLimits& limits) {
  return Planner<T>(net, limits).layout();
}

template std::optional<WaveNetLayout> lay_out<float>(const PackedWaveNet& net, const WaveNetLimits& limits);
template std::optional<WaveNetLayout> lay_out<Half>(const PackedWaveNet& net, const WaveNetLimits& limits);

int stage_index(const WaveNetShape& shape, const Stage& stage) {
  const StageIndex index{shape.L};
  switch (stage.kind) {
    case WaveNetStage::kGated:
      return index.gated(stage.index);
    case WaveNetStage::kOut:
      return index.out(stage.index);
    case WaveNetStage::kSkip:
      return index.skip();
    case WaveNetStage::kHead:
      return index.head();
    default:
      return index.logits();
  }
}

}  // namespace sharks::cuda::wavenet::pipeline
