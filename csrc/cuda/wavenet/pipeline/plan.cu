// WaveNet as a pipeline of blocks that stay on the card for a whole launch, weights in shared memory: a chain of blocks
// that own runs of layers, beside them blocks that add up skips, then the head and the draw. Several pipelines play
// side by side, each 8 streams at a time.
#include <algorithm>
#include <limits>

#include "cuda/device/launch.h"
#include "cuda/wavenet/pipeline/chain.h"
#include "cuda/wavenet/pipeline/layout.h"
#include "cuda/wavenet/pipeline/tail.h"

namespace sharks::cuda::wavenet::pipeline {
namespace {

constexpr char kName[] = "pipeline";

template <typename T, bool kTapped>
struct WaveNetPipeline {
  static constexpr int kThreads = kPipelineThreads;
  WaveNetPipe<T> pipe;

  SHARKS_BOTH void operator()(const Block& block) const {
    if (!all_came(block, pipe.opening, pipe.samples.trouble)) return;
    const int pipeline = block.index / pipe.blocks;
    const Neighbourhood here{block, pipe.links, block.index % pipe.blocks};
    const Role role = pipe.roles[here.index];
    block.each(role.inbox, [&](int i) { static_cast<uint64_t*>(block.shared)[i] = 0; });
    block.sync();
    const int cluster = pipe.links.cluster;
    if (meet(block, cluster, pipe.flags, pipe.meeting, pipe.samples.trouble)) play(here, pipeline, role);
    meet(block, cluster, pipe.flags, pipe.meeting + 1, pipe.samples.trouble);
  }

 private:
  SHARKS_BOTH void play(const Neighbourhood& here, int pipeline, const Role& role) const {
    switch (role.kind) {
      case Role::kChain:
        return ChainBlock<T, kTapped>(pipe, here, role).run(pipeline);
      case Role::kHead:
        return head_block<T, kTapped>(pipe, here, pipeline, role);
      case Role::kDraw:
        return draw_block<T, kTapped>(pipe, here, pipeline, role);
      case Role::kSkip:
        return skip_block<T, kTapped>(pipe, here, pipeline, role);
      case Role::kIdle:
        return;
    }
  }
};

// How one player's pipelines stand on the card.
struct Setting {
  int pipelines = 0;
  WaveNetLayout layout;
  bool cooperative = true;

  Grid grid() const {
    return {pipelines * layout.blocks(), layout.threads, layout.shared_bytes, cooperative, layout.links.cluster};
  }
};

template <typename T>
class PipelinePlan final : public WaveNetPlan {
 public:
  PipelinePlan(const WaveNetSpec& spec, PackedWaveNet net)
      : stages_(sharks::stages(spec)),
        net_(std::move(net)),
        weights_(net_.weights),
        input_table_(net_.input_table),
        input_bias_(net_.input_bias) {}

  const char* name() const override { return kName; }
  std::unique_ptr<Stepper> stepper(const WaveNetState& state) const override;

  Cost cost() const override {
    Cost cost;
    cost.step_bytes = cost.working_set = static_cast<double>(net_.weights.size());
    cost.multiply_adds = cost.step_bytes / sizeof(T);
    return cost;
  }

  // Pipelines for so many groups, on no more than `most` blocks: near links where few groups want to be quick and
  // clusters can be had, else far ones. None where not even one pipeline fits. What is heard does not depend on it.
  Setting setting(int groups, int most = std::numeric_limits<int>::max()) const {
    if (device().capability >= 90)
      for (int cluster : {16, 8}) {
        const Setting near = clustered(groups, cluster, most);
        if (near.pipelines) return near;
      }
    Setting far;
    const std::optional<WaveNetLayout> fewest = lay_out<T>(net_, {device().shared_bytes, fewest_blocks(1, 0)});
    if (!fewest) return far;
    far.pipelines = 1;
    far.layout = *fewest;
    const int room = std::min(at_once(far.grid()), most);
    far.pipelines = std::min(room / fewest->blocks(), groups);
    if (far.pipelines) far.layout = *lay_out<T>(net_, {device().shared_bytes, room / far.pipelines});
    return far;
  }

  WaveNetPipe<T> pipe(const WaveNetState& state) const {
    WaveNetPipe<T> pipe{};
    pipe.shape = net_.shape, pipe.layer_bytes = net_.layer_bytes;
    pipe.skip = net_.skip, pipe.head = net_.head, pipe.draw = net_.draw;
    pipe.weights = weights_.data();
    pipe.input_table = input_table_.data(), pipe.input_bias = input_bias_.data();
    pipe.state = state;
    return pipe;
  }
  const std::vector<Stage>& stages() const { return stages_; }

 private:
  static constexpr int kSlots = 2;  // groups of a pipeline, at most, where links are near

  static int at_once(const Grid& grid) {
    return std::min(blocks_at_once<WaveNetPipeline<T, false>>(grid), blocks_at_once<WaveNetPipeline<T, true>>(grid));
  }

  // The least number of blocks that lay_out takes, up to all there are; more than that where none suffices.
  int fewest_blocks(int cluster, int slots) const {
    int blocks = 4;
    const auto fits = [&] { return lay_out<T>(net_, {device().shared_bytes, blocks, cluster, slots}).has_value(); };
    while (blocks <= device().processors && !fits()) ++blocks;
    return blocks;
  }

  // A pipeline is one cluster, or several whole ones.
  Setting clustered(int groups, int cluster, int most) const {
    Setting setting;
    const int blocks = (fewest_blocks(cluster, kSlots) + cluster - 1) / cluster * cluster;
    const std::optional<WaveNetLayout> layout = lay_out<T>(net_, {device().shared_bytes, blocks, cluster, kSlots});
    if (!layout || blocks > device().processors) return setting;
    setting.pipelines = 1;
    setting.layout = *layout;
    // The blocks of a cluster start together, and no more clusters are launched than run at once.
    setting.cooperative = false;
    const int room = std::min(at_once(setting.grid()), most) / blocks;
    setting.pipelines = groups <= room * kSlots ? std::min(room, groups) : 0;
    return setting;
  }

  const std::vector<Stage> stages_;
  const PackedWaveNet net_;
  const Array<unsigned char> weights_;
  const Array<float> input_table_, input_bias_;
};

template <typename T>
class PipelineStepper final : public Stepper {
 public:
  PipelineStepper(const PipelinePlan<T>& plan, const WaveNetState& state) : plan_(plan), pipe_(plan.pipe(state)) {
    pipe_.groups = (state.B + kTileColumns - 1) / kTileColumns;
    occupy(plan.setting(pipe_.groups));
  }

  bool plays(const Samples&, const std::vector<StageTap>&) const override { return setting_.pipelines > 0; }
  void settle(int64_t, Stream) override {}  // the state is played in place
  void retreat(Stream) override { occupy(plan_.setting(pipe_.groups, setting_.grid().blocks / 2)); }
  Strength strength() const override { return {setting_.pipelines, pipe_.groups, setting_.grid().blocks}; }

  // Whatever an unfinished launch has left in the words is forgotten: sequence numbers begin anew.
  void resume(int64_t, Stream stream) override {
#ifdef SHARKS_STRESS  // whoever reads what was not sent shall notice: NaN, with a number that is never waited for
    const std::vector<uint64_t> poison(words_.size(), 0x000000007FC00000u);
    words_.upload(poison.data(), stream);
#else
    words_.zero(stream);
#endif
    pipe_.sequence = 1;
  }

  void launch(const Samples& samples, const std::vector<StageTap>& taps, Stream stream) override {
    if (samples.n == 0) return;
    const uint32_t next = pipe_.sequence + static_cast<uint32_t>(samples.n);
    if (next < pipe_.sequence) resume(samples.position, stream);  // 0, what cleared words hold, is never a number
    pipe_.samples = samples;
    pipe_.opening = opening_.next(stream);
    if (taps.empty()) {
      play<false>(stream);
    } else {
      std::vector<StageOut> outs(static_cast<size_t>(2 * pipe_.shape.L + 3));
      for (const StageTap& tap : taps)
        outs[static_cast<size_t>(stage_index(pipe_.shape, find(plan_.stages(), tap.stage)))] = {tap.out, tap.count};
      taps_ = Array<StageOut>(outs);
      pipe_.taps = taps_.data();
      play<true>(stream);
    }
    pipe_.sequence += static_cast<uint32_t>(samples.n);
    pipe_.meeting += 2;
  }

 private:
  // Without memory for what it needs, it plays nothing.
  void occupy(const Setting& setting) {
    setting_.pipelines = 0;
    if (!setting.pipelines) return;
    const WaveNetLayout& layout = setting.layout;
    pipe_.pipelines = setting.pipelines;
    roles_ = Array<Role>(layout.roles);
    words_ = Array<uint64_t>(static_cast<size_t>(pipe_.groups) * layout.links.per_group);
    flags_ = Array<uint32_t>(static_cast<size_t>(setting.grid().blocks));
    pipe_.roles = roles_.data();
    pipe_.blocks = layout.blocks(), pipe_.chain_blocks = layout.chain_blocks;
    pipe_.first_draw = layout.first_draw(), pipe_.draw_blocks = layout.draw_blocks;
    pipe_.skip_chunk = layout.skip_chunk;
    pipe_.links = layout.links;
    pipe_.links.words = words_.data();
    pipe_.flags = flags_.data();
    pipe_.sequence = pipe_.meeting = 1;
    setting_ = setting;
  }

  template <bool kTapped>
  void play(Stream stream) {
    cuda::launch(setting_.grid(), WaveNetPipeline<T, kTapped>{pipe_}, stream);
  }

  const PipelinePlan<T>& plan_;
  WaveNetPipe<T> pipe_;
  Setting setting_;
  Array<Role> roles_;
  Array<uint64_t> words_;
  Array<uint32_t> flags_;
  OpeningWord opening_;
  Array<StageOut> taps_;
};

template <typename T>
std::unique_ptr<Stepper> PipelinePlan<T>::stepper(const WaveNetState& state) const {
  return std::make_unique<PipelineStepper<T>>(*this, state);
}

template <typename T>
std::unique_ptr<WaveNetPlan> make(const WaveNetSource& source) {
  std::optional<PackedWaveNet> net = pack_wavenet<T>(source);
  if (!net) return nullptr;
  auto plan = std::make_unique<PipelinePlan<T>>(source.spec, std::move(*net));
  if (!plan->setting(1).pipelines) throw NoRoom(kName);
  return plan;
}

}  // namespace

std::unique_ptr<WaveNetPlan> make_plan(const WaveNetSource& source) {
  if (source.plan != "default" && source.plan != kName && source.plan != "throughput") return nullptr;
  return source.precision == Precision::kFloat16 ? make<Half>(source) : make<float>(source);
}

}  // namespace sharks::cuda::wavenet::pipeline
