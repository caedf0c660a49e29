// WaveNet as a pipeline of blocks that stay on the card for a whole launch, weights in shared memory: a chain of blocks that
// own runs of layers, beside them blocks that add up skips, then the head and the draw. Several pipelines play side by
// side, each 8 streams at a time.
#include <algorithm>

#include "core/stages.h"
#include "cuda/launch.h"
#include "cuda/wavenet_chain.h"
#include "cuda/wavenet_layout.h"
#include "cuda/wavenet_tail.h"

namespace sharks::cuda {
namespace {

constexpr char kPipeline[] = "pipeline";

template <typename T, bool kTapped>
struct WaveNetPipeline {
  static constexpr int kThreads = kPipelineThreads;
  WaveNetPipe<T> pipe;

  SHARKS_BOTH void operator()(const Block& block) const {
    const int pipeline = block.index / pipe.blocks, index = block.index % pipe.blocks;
    const Role role = pipe.roles[index];
    switch (role.kind) {
      case Role::kChain: return ChainBlock<T, kTapped>(pipe, block, index).run(pipeline);
      case Role::kSkip: return skip_block<T, kTapped>(pipe, block, pipeline, role);
      case Role::kHead: return head_block<T, kTapped>(pipe, block, pipeline, role);
      case Role::kDraw:
        return draw_block<T, kTapped>(pipe, block, pipeline, role, index - (pipe.blocks - pipe.draw_blocks));
    }
  }
};

template <typename T>
class Plan final : public WaveNetPlan {
 public:
  Plan(const WaveNetSpec& spec, PackedWaveNet net, const WaveNetLayout& smallest)
      : stages_(sharks::stages(spec)),
        net_(std::move(net)),
        smallest_(smallest),
        weights_(net_.weights),
        input_table_(net_.input_table),
        input_bias_(net_.input_bias) {}

  const char* name() const override { return kPipeline; }
  std::unique_ptr<Stepper> stepper(const WaveNetState& state) const override;

  Cost cost() const override {
    Cost cost;
    cost.step_bytes = cost.working_set = static_cast<double>(net_.weights.size());
    cost.multiply_adds = cost.step_bytes / sizeof(T);
    return cost;
  }

  // As many pipelines as there are groups and room; on what room is left, wider tails.
  int pipelines(int groups) const { return std::clamp(room() / smallest_.blocks(), 1, groups); }
  WaveNetLayout layout(int pipelines) const {
    return *lay_out<T>(net_, device().shared_bytes, std::max(room() / pipelines, smallest_.blocks()));
  }
  int room() const {
    return blocks_at_once<WaveNetPipeline<T, false>>({1, smallest_.threads, smallest_.shared_bytes, true});
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
  const std::vector<Stage> stages_;
  const PackedWaveNet net_;
  const WaveNetLayout smallest_;
  const Array<unsigned char> weights_;
  const Array<float> input_table_, input_bias_;
};

template <typename T>
class PipelineStepper final : public Stepper {
 public:
  PipelineStepper(const Plan<T>& plan, const WaveNetState& state)
      : plan_(plan), pipe_(plan.pipe(state)) {
    pipe_.groups = (state.B + kTileColumns - 1) / kTileColumns;
    pipe_.pipelines = plan.pipelines(pipe_.groups);
    layout_ = plan.layout(pipe_.pipelines);
    roles_ = Array<Role>(layout_.roles);
    words_ = Array<uint64_t>(static_cast<size_t>(pipe_.groups) * layout_.links.per_group);
    pipe_.roles = roles_.data();
    pipe_.blocks = layout_.blocks(), pipe_.chain_blocks = layout_.chain_blocks, pipe_.draw_blocks = layout_.draw_blocks;
    pipe_.skip_chunk = layout_.skip_chunk;
    pipe_.links = layout_.links;
    pipe_.links.words = words_.data();
    pipe_.sequence = 1;
  }

  bool plays(const Samples&, const std::vector<StageTap>&) const override { return true; }
  void settle(int64_t, Stream) override {}  // the state is played in place

  // Whatever an unfinished launch has left in the words is forgotten: sequence numbers begin anew.
  void resume(int64_t, Stream stream) override {
    words_.zero(stream);
    pipe_.sequence = 1;
  }

  void launch(const Samples& samples, const std::vector<StageTap>& taps, Stream stream) override {
    if (samples.n == 0) return;
    pipe_.samples = samples;
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
  }

 private:
  template <bool kTapped>
  void play(Stream stream) {
    const Grid grid{pipe_.pipelines * pipe_.blocks, layout_.threads, layout_.shared_bytes, true};
    cuda::launch(grid, WaveNetPipeline<T, kTapped>{pipe_}, stream);
  }

  const Plan<T>& plan_;
  WaveNetPipe<T> pipe_;
  WaveNetLayout layout_;
  Array<Role> roles_;
  Array<uint64_t> words_;
  Array<StageOut> taps_;
};

template <typename T>
std::unique_ptr<Stepper> Plan<T>::stepper(const WaveNetState& state) const {
  return std::make_unique<PipelineStepper<T>>(*this, state);
}

template <typename T>
std::unique_ptr<WaveNetPlan> make(const WaveNetSource& source) {
  std::optional<PackedWaveNet> net = pack_wavenet<T>(source);
  if (!net) return nullptr;
  const std::optional<WaveNetLayout> layout = lay_out<T>(*net, device().shared_bytes, device().processors);
  if (!layout) return nullptr;
  return std::make_unique<Plan<T>>(source.spec, std::move(*net), *layout);
}

}  // namespace

std::unique_ptr<WaveNetPlan> wavenet_pipeline(const WaveNetSource& source) {
  if (source.plan != "default" && source.plan != kPipeline && source.plan != "throughput") return nullptr;
  return source.precision == Precision::kFloat16 ? make<Half>(source) : make<float>(source);
}

}  // namespace sharks::cuda
