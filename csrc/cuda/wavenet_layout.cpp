#include "cuda/wavenet_layout.h"

#include <algorithm>

#include "cuda/wavenet_chain_memory.h"
#include "cuda/wavenet_tail.h"

namespace sharks::cuda {
namespace {

constexpr int kSkipWords = 2048;          // about as many words as a skip block takes at once
constexpr size_t kSmallShare = 16 << 10;  // bytes of weights below which a block of the tail is not halved

// `total` pieces on `blocks` blocks, as evenly as can be.
void deal(std::vector<Role>& roles, Role::Kind kind, int total, int blocks) {
  for (int i = 0; i < blocks; ++i) {
    const int first = total * i / blocks;
    roles.push_back({kind, first, total * (i + 1) / blocks - first});
  }
}

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
  Planner(const PackedWaveNet& net, size_t limit) : net_(net), shape_(net.shape), limit_(limit) {
    layout_.threads = kWarp * std::clamp(shape_.gate_rows() + shape_.Rt, 8, kPipelineThreads / kWarp);
    layout_.skip_chunk = std::max(1, std::min(kSkipWords / Parcel<T>::words(shape_.Dt), shape_.L - 1));
  }

  std::optional<WaveNetLayout> layout(int most_blocks) {
    const int warps = layout_.threads / kWarp;
    Share tail[] = {share(Role::kSkip, net_.skip, warps), share(Role::kHead, net_.head, net_.head.rows),
                    share(Role::kDraw, net_.draw, net_.draw.rows)};
    for (const Share& matrix : tail)
      if (!matrix.blocks) return std::nullopt;
    const auto tail_blocks = [&] { return tail[0].blocks + tail[1].blocks + tail[2].blocks; };
    // The room for the candidates of the draw blocks is counted for the most there can be.
    int run = shape_.L;
    while (run > 0 && chain_bytes(run) > limit_) --run;
    if (!run) return std::nullopt;
    layout_.chain_blocks = (shape_.L + run - 1) / run;
    if (layout_.chain_blocks + tail_blocks() > most_blocks) return std::nullopt;
    while (layout_.chain_blocks + tail_blocks() < most_blocks) {
      Share& largest = *std::max_element(tail, tail + 3, [](const Share& a, const Share& b) { return a.bytes() < b.bytes(); });
      if (largest.bytes() <= kSmallShare || largest.blocks == largest.rows) break;
      ++largest.blocks;
    }
    deal(layout_.roles, Role::kChain, shape_.L, layout_.chain_blocks);
    for (const Share& matrix : tail) deal(layout_.roles, matrix.kind, matrix.rows, matrix.blocks);
    layout_.draw_blocks = tail[2].blocks;
    for (const Role& role : layout_.roles) layout_.shared_bytes = std::max(layout_.shared_bytes, bytes(role));
    link();
    return layout_;
  }

 private:
  size_t bytes(const Role& role) const {
    Carve carve(nullptr);
    if (role.kind == Role::kChain) return chain_bytes(role.count);
    if (role.kind == Role::kSkip) SkipMemory<T>(shape_, net_.skip, role, layout_.skip_chunk, carve);
    if (role.kind == Role::kHead) DenseMemory<T>(net_.head, role, carve);
    if (role.kind == Role::kDraw) DrawMemory<T>(net_.draw, role, carve);
    return static_cast<size_t>(carve.used());
  }

  size_t chain_bytes(int count) const {
    Carve carve(nullptr);
    ChainMemory<T>(shape_, net_.layer_bytes, count, net_.draw.rows, carve);
    return static_cast<size_t>(carve.used());
  }

  // On as few blocks as hold it, with no more than `most` rows each; on none where not even one row fits.
  Share share(Role::Kind kind, const TailMatrix& matrix, int most) const {
    int rows = std::min(most, matrix.rows);
    while (rows > 0 && bytes({kind, 0, rows}) > limit_) --rows;
    return {kind, matrix.rows, static_cast<size_t>(matrix.depth) * kTileSize * sizeof(T),
            rows ? (matrix.rows + rows - 1) / rows : 0};
  }

  void link() {
    WaveNetLinks& links = layout_.links;
    int next = 0;
    const auto take = [&](int words) { return next += words, next - words; };
    links.z_layer = Parcel<T>::words(shape_.Dt);
    take(shape_.L * links.z_layer);
    links.x_link = shape_.Rt * kOperandSize;
    links.x = take((layout_.chain_blocks - 1) * links.x_link);
    links.skip = take(Parcel<T>::words(shape_.St));
    links.head = take(Parcel<T>::words(shape_.Et));
    links.best = take(layout_.draw_blocks * kTileColumns * 2);
    links.per_group = (next + 15) / 16 * 16;
  }

  const PackedWaveNet& net_;
  const WaveNetShape& shape_;
  const size_t limit_;
  WaveNetLayout layout_;
};

}  // namespace

template <typename T>
std::optional<WaveNetLayout> lay_out(const PackedWaveNet& net, size_t shared_limit, int most_blocks) {
  return Planner<T>(net, shared_limit).layout(most_blocks);
}

template std::optional<WaveNetLayout> lay_out<float>(const PackedWaveNet& net, size_t shared_limit, int most_blocks);
template std::optional<WaveNetLayout> lay_out<Half>(const PackedWaveNet& net, size_t shared_limit, int most_blocks);

int stage_index(const WaveNetShape& shape, const Stage& stage) {
  const StageIndex index{shape.L};
  switch (stage.kind) {
    case Stage::kGated: return index.gated(stage.index);
    case Stage::kOut: return index.out(stage.index);
    case Stage::kSkip: return index.skip();
    case Stage::kHead: return index.head();
    default: return index.logits();
  }
}

}  // namespace sharks::cuda
