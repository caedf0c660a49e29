// SampleRNN's persistent plan on the host: how many blocks and streams make a pipeline, and what each launch needs.
//
// The state is read when a launch begins and written when it ends; in between all that follows from it is worked out
// again. So a stepper keeps nothing, and a run in pieces is the run in one.
//
// More streams than the pipelines hold are played by several launches, one after the other. Where a later one finds too
// few blocks, those before it have moved their streams on: the state is kept beforehand, and put back.
#include <algorithm>
#include <optional>

#include "cuda/samplernn/parts.h"
#include "cuda/samplernn/persistent/kept_state.h"
#include "cuda/samplernn/persistent/launch.h"
#include "cuda/samplernn/taps.h"

namespace sharks::cuda::samplernn::persistent {
namespace {

constexpr char kPersistent[] = "persistent";

// How many blocks run at once: any, and in clusters of kCluster.
struct Room {
  int blocks, clustered;
};
constexpr int kCluster = 16;

Crew everyone(int blocks, int S) { return {blocks, S, {0, blocks}, {0, blocks}, 1}; }

// The first cluster plays the sample level, as many of the others as there are channels the tiers.
Crew apart(int blocks, int S, int channel_strips) {
  return {blocks, S, {kCluster, std::min(blocks - kCluster, channel_strips)}, {0, kCluster}, kCluster};
}

template <typename W>
Links links_of(const Net<W>& net, const Crew& crew) {
  return {net.Dp, net.layers, net.tiers, net.hidden_count, crew.S, crew.sample.count};
}

template <typename W>
bool fits(const Net<W>& net, const Crew& crew, size_t shared_bytes) {
  for (int block = 0; block < crew.blocks; ++block) {
    const Ownership own(net, crew, block);
    if (Desk<W>(nullptr, net, own, links_of(net, crew), crew.cluster > 1).used > shared_bytes) return false;
  }
  return true;
}

struct Layout {
  Crew crew;
  int pipelines;  // at once
  int wanted;

  int streams() const { return crew.S * pipelines; }  // of one launch
  int blocks() const { return crew.blocks * pipelines; }
};

// Up to 8 streams to a pipeline and all blocks busy; more blocks to a pipeline, then fewer streams, where their vectors
// would not fit. Clusters where every pipeline gets two and more. None where not even one stream fits. Who plays what
// cannot be heard, so all this may depend on the number of streams.
template <typename W>
std::optional<Layout> layout_for(const Net<W>& net, int streams, const Room& room, size_t shared_bytes) {
  const int strips = net.channel_strips(), most = std::min(room.blocks, strips);
  if (most < 1) return std::nullopt;
  for (int S = std::min(streams, kStripStreams); S >= 1; --S) {
    const int wanted = (streams + S - 1) / S, each = room.clustered / wanted / kCluster * kCluster;
    const int spread = std::min(each, kCluster + (strips + kCluster - 1) / kCluster * kCluster);
    if (strips >= kCluster && spread >= 2 * kCluster) {
      const Crew crew = apart(spread, S, strips);
      if (fits(net, crew, shared_bytes)) return Layout{crew, wanted, wanted};
    }
    for (int members = std::clamp(room.blocks / wanted, 1, most);; members = std::min(2 * members, most)) {
      const Crew crew = everyone(members, S);
      if (fits(net, crew, shared_bytes)) return Layout{crew, std::min(wanted, room.blocks / members), wanted};
      if (members == most) break;
    }
  }
  return std::nullopt;
}

// Clusters within what the GPU runs at once need no cooperative launch.
Grid grid_of(int blocks, int cluster) { return {blocks, kStripThreads, device().shared_bytes, cluster == 1, cluster}; }

class PersistentPlan final : public SampleRNNPlan {
 public:
  PersistentPlan(const SampleRNNSource& source, const Room& room) : parts_(source), room_(room) {}
  const char* name() const override { return kPersistent; }
  Cost cost() const override { return parts_.cost(); }
  std::unique_ptr<Stepper> stepper(const SampleRNNState& state) const override;

  const Parts& parts() const { return parts_; }
  const Room& room() const { return room_; }

 private:
  const Parts parts_;
  const Room room_;
};

template <typename W>
class PersistentStepper final : public Stepper {
 public:
  PersistentStepper(const PersistentPlan& plan, const SampleRNNState& state)
      : net_(plan.parts().net<W>()),
        state_(state),
        room_(plan.room()),
        before_(net_, state),
        taps_(plan.parts().spec()) {
    occupy();
  }

  bool plays(const Samples&, const std::vector<StageTap>&) const override { return layout_.has_value(); }
  void resume(int64_t, Stream) override {}
  void settle(int64_t, Stream) override {}
  Strength strength() const override {
    return layout_ ? Strength{layout_->pipelines, layout_->wanted, layout_->blocks()} : Strength{};
  }

  void launch(const Samples& samples, const std::vector<StageTap>& taps, Stream stream) override {
    const TapTo* list = taps_.list(taps);
    const Crew& crew = layout_->crew;
    if (layout_->streams() < samples.B) before_.keep(stream);
    for (int first = 0; first < samples.B; first += layout_->streams()) {
      const int pipelines = std::min(layout_->pipelines, (samples.B - first + crew.S - 1) / crew.S);
      forget_words(stream);
      const Grid grid = grid_of(pipelines * crew.blocks, crew.cluster);
      const Persistent<W> work{
          net_,          state_, samples,          list, crew, opening_.next(stream), words_.data(),
          flags_.data(), first,  grid.shared_bytes};
      launch_persistent(grid, work, stream);
    }
  }

  void retreat(Stream stream) override {
    if (layout_->streams() < state_.B) before_.put_back(stream);
    const int half = layout_->blocks() / 2;
    room_ = {std::min(room_.blocks, half), std::min(room_.clustered, half)};
    occupy();
  }

 private:
  // Without memory for what it needs, it plays nothing.
  void occupy() {
    layout_.reset();
    const std::optional<Layout> layout = layout_for(net_, state_.B, room_, device().shared_bytes);
    if (!layout) return;
    const size_t pipelines = static_cast<size_t>(layout->pipelines);
    words_ = Array<uint64_t>(static_cast<size_t>(links_of(net_, layout->crew).words()) * pipelines);
    flags_ = Array<uint32_t>(static_cast<size_t>(layout->blocks()));
    layout_ = layout;
  }

  // Words of an earlier launch count the same rounds, and must not be taken for this one's.
  void forget_words(Stream stream) {
    flags_.zero(stream);
#ifdef SHARKS_STRESS  // NaN, of a round that does not come
    words_.upload(std::vector<uint64_t>(words_.size(), ~uint64_t{0}).data(), stream);
#else
    words_.zero(stream);
#endif
  }

  const Net<W> net_;
  const SampleRNNState state_;
  Room room_;
  std::optional<Layout> layout_;
  KeptState before_;
  Array<uint64_t> words_;
  Array<uint32_t> flags_;
  OpeningWord opening_;
  TapList taps_;
};

std::unique_ptr<Stepper> PersistentPlan::stepper(const SampleRNNState& state) const {
  if (parts_.precision() == Precision::kFloat16) return std::make_unique<PersistentStepper<Half>>(*this, state);
  return std::make_unique<PersistentStepper<float>>(*this, state);
}

// A narrower model's products are done before a word has crossed the GPU: one block plays it as fast.
constexpr int kWorthManyBlocks = 256;

template <typename W>
std::unique_ptr<SampleRNNPlan> persistent_if_it_fits(const SampleRNNSource& source) {
  const Room room{persistent_blocks_at_once<W>(grid_of(1, 1)),
                  device().capability >= 90 ? persistent_blocks_at_once<W>(grid_of(kCluster, kCluster)) : 0};
  if (room.blocks == 0) throw NoRoom(kPersistent);
  auto plan = std::make_unique<PersistentPlan>(source, room);
  if (!layout_for(plan->parts().net<W>(), 1, room, device().shared_bytes)) throw NoRoom(kPersistent);
  return plan;
}

}  // namespace

std::unique_ptr<SampleRNNPlan> make_plan(const SampleRNNSource& source) {
  const bool suits = source.plan == "default" || source.plan == "throughput";
  const bool wanted = source.plan == kPersistent || (suits && source.spec.dim >= kWorthManyBlocks);
  if (!wanted) return nullptr;
  return source.precision == Precision::kFloat16 ? persistent_if_it_fits<Half>(source)
                                                 : persistent_if_it_fits<float>(source);
}

}  // namespace sharks::cuda::samplernn::persistent
