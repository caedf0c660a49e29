// WaveNet on the CPU: one cached step per sample, all streams of a thread together.
//
// The skips are gathered: a product over the gated outputs of a run of layers takes their sum off the chain of layers.
// With a team, the others add up the skips while the lead still goes along the chain. (Past taps could be multiplied
// ahead as well: handing their sums from core to core takes longer than the lead needs for them.)
#include <algorithm>
#include <atomic>

#include "core/check.h"
#include "core/wavenet/stages.h"
#include "core/wavenet/state.h"
#include "cpu/player.h"
#include "cpu/wavenet/model.h"
#include "cpu/wavenet/net.h"

namespace sharks::cpu {
namespace {

class WaveNetStepper final : public Stepper {
 public:
  WaveNetStepper(const WaveNet& net, int B, int threads);

  int lookback() const override { return 1; }
  void reset(const int32_t* levels) override;
  void get_state(const std::string& name, void* out) const override;
  void set_state(const std::string& name, const void* in) override;
  void state_changed() override {}
  void set_condition(const float* vectors, int64_t width) override;

 protected:
  void predict(bool want_logits) override;
  void consume(const int32_t* levels) override;
  StageSource stage_source(const std::string& stage) const override;

 private:
  // The inputs of one dilated layer, kept for (K - 1) d steps; row `next` is the oldest and is overwritten next.
  struct Ring {
    Floats rows;  // [length, B, Rp]
    int length = 0, next = 0;
  };
  struct Layer {
    Ring ring;
    Floats window;     // [B, K Rp]: the past taps, oldest first, then the newest input
    Floats condition;  // [B, 2 Dp]: dilated bias plus global conditioning, if there is any
  };

  float* newest(Layer& layer) { return layer.window.data() + (net_.spec.filter_width - 1) * net_.Rp; }
  size_t ld_window() const { return static_cast<size_t>(net_.spec.filter_width) * net_.Rp; }
  void follow_chain();
  void add_skips(int member) noexcept;
  std::vector<int> share_skips() const;
  int runs() const { return static_cast<int>(net_.skips.size()); }
  const float* gated_of(int run) const { return gated_.data() + run * net_.run_layers * net_.Dp; }
  const float* skip_init(int run) const { return run ? skip_.data() : net_.skip_bias.data(); }
  void gather_past(Layer& layer, int dilation);
  void push(Ring& ring, const float* rows, size_t ld);

  const WaveNet& net_;
  const size_t ld_gated_;
  std::vector<Layer> layers_;
  std::vector<int32_t> recent_;  // [B, taps] levels, oldest first, the last not fed yet; -1: nothing
  Floats activation_, gated_, residual_, skip_, skip_rectified_, head_;
  std::vector<int> shares_;  // of the skip rows: member m adds up the groups shares_[m] .. shares_[m + 1] - 1
  alignas(64) std::atomic<int> layers_done_{0};  // of this step's chain; the others spin on it
};

// Bytes of weights that could be read while the latencies of a layer pass, some tenths of a microsecond.
constexpr double kLayerBytes = 12 << 10;

WaveNetStepper::WaveNetStepper(const WaveNet& net, int B, int threads)
    : Stepper(net.packing.kernels, B, net.spec.q_levels, state_of(net.spec, B), net.widest(), net.heaviest(), threads),
      net_(net),
      ld_gated_(static_cast<size_t>(net.spec.layers()) * net.Dp),
      recent_(static_cast<size_t>(B) * net.taps, -1),
      activation_(static_cast<size_t>(B) * 2 * net.Dp),
      gated_(B * ld_gated_),
      residual_(static_cast<size_t>(B) * net.Rp),
      skip_(static_cast<size_t>(B) * net.Sp),
      skip_rectified_(static_cast<size_t>(B) * net.Sp),
      head_(static_cast<size_t>(B) * net.Ep) {
  for (int i = 0; i < net.spec.layers(); ++i) {
    Layer layer;
    layer.ring.length = static_cast<int>(net.spec.ring_length(i));
    layer.ring.rows = Floats(static_cast<size_t>(layer.ring.length) * B * net.Rp);
    layer.window = Floats(B * ld_window());
    layers_.push_back(std::move(layer));
  }
  // Heavy layers are shared one by one instead.
  if (team() && !worth_sharing(net.blocks[0].dilated)) shares_ = share_skips();
}

void WaveNetStepper::reset(const int32_t* levels) {
  std::fill(recent_.begin(), recent_.end(), -1);
  for (int b = 0; b < B_; ++b) recent_[(b + 1) * net_.taps - 1] = levels[b];
  for (Layer& layer : layers_) {
    layer.ring.rows.zero();
    layer.ring.next = 0;
  }
  position_ = step_ = 0;
}

void WaveNetStepper::predict(bool want_logits) {
  const int Sp = net_.Sp, Ep = net_.Ep;
  if (!want_logits) return follow_chain();
  layers_done_.store(0, std::memory_order_relaxed);
  if (!shares_.empty()) {
    auto skips_of = [&](int member) noexcept { add_skips(member); };
    team()->start(skips_of);
    follow_chain();
    skips_of(0);
    team()->finish(skips_of);
  } else {
    follow_chain();
    for (int run = 0; run < runs(); ++run)
      multiply(net_.skips[run], gated_of(run), ld_gated_, skip_init(run), run ? Sp : 0, skip_.data(), Sp, false);
  }
  kernels_.rectify(B_, Sp, skip_.data(), Sp, skip_rectified_.data(), Sp);
  multiply(net_.conv1, skip_rectified_.data(), Sp, net_.conv1_bias.data(), 0, head_.data(), Ep, true);
  multiply(net_.conv2, head_.data(), Ep, net_.conv2_bias.data(), 0, logits_.data(), ld_logits_, false);
}

// The lookup, then layer after layer: each needs the one before.
void WaveNetStepper::follow_chain() {
  const int L = net_.spec.layers(), Rp = net_.Rp, Dp = net_.Dp;
  for (int b = 0; b < B_; ++b)
    kernels_.look_up(Rp, net_.taps, Q_, net_.input_table.data(), &recent_[b * net_.taps], net_.input_bias.data(),
                     newest(layers_[0]) + b * ld_window(), false);
  for (int i = 0; i < L; ++i) {
    Layer& layer = layers_[i];
    const WaveNet::Block& block = net_.blocks[i];
    gather_past(layer, net_.spec.dilations[i]);
    push(layer.ring, newest(layer), ld_window());
    const bool conditioned = layer.condition.size() > 0;
    multiply(block.dilated, layer.window.data(), ld_window(),
             conditioned ? layer.condition.data() : block.dilated_bias.data(), conditioned ? 2 * Dp : 0,
             activation_.data(), 2 * Dp, false);
    float* gated = gated_.data() + i * Dp;
    kernels_.gate(B_, Dp, activation_.data(), 2 * Dp, gated, ld_gated_);
    layers_done_.store(i + 1, std::memory_order_release);
    if (i + 1 == L) break;  // nothing reads the last layer's residual
    multiply(block.res, gated, ld_gated_, block.res_bias.data(), 0, residual_.data(), Rp, false);
    kernels_.residual(B_, Rp, newest(layer), ld_window(), residual_.data(), Rp,
                      static_cast<float>(net_.spec.residual_scale), newest(layers_[i + 1]), ld_window());
  }
}

// A member's rows of the skips, run after run, each as soon as the chain has come past it.
void WaveNetStepper::add_skips(int member) noexcept {
  const int from = shares_[member], to = shares_[member + 1];
  for (int run = 0; run < runs() && from < to; ++run) {
    const int wanted = std::min((run + 1) * net_.run_layers, net_.spec.layers());
    spin_until([&] { return layers_done_.load(std::memory_order_acquire) >= wanted; });
    multiply_rows(net_.skips[run], from, to, member, gated_of(run), ld_gated_, skip_init(run), run ? net_.Sp : 0,
                  skip_.data(), net_.Sp, false);
  }
}

// The first group of skip rows of each member, so that all read about as many bytes in a step: the lead, which has the
// chain, gets the fewest rows.
std::vector<int> WaveNetStepper::share_skips() const {
  double chain = 0, skips = 0;
  for (const WaveNet::Block& block : net_.blocks)
    chain += kLayerBytes + static_cast<double>(packed_bytes(block.dilated) + packed_bytes(block.res));
  for (const Matrix& run : net_.skips) skips += static_cast<double>(packed_bytes(run));
  const int groups = groups_of(net_.skips[0]), others = team()->size() - 1;
  const int mine = static_cast<int>(groups * std::max(0.0, (chain + skips) / team()->size() - chain) / skips);
  std::vector<int> shares{0};
  for (int member = 0; member <= others; ++member) shares.push_back(mine + (groups - mine) * member / others);
  return shares;
}

// Copy x[t - 2d] and x[t - d], as many as the filter has, in front of the newest input. The ring's next row is
// x[t - (K - 1) d].
void WaveNetStepper::gather_past(Layer& layer, int dilation) {
  const Ring& ring = layer.ring;
  for (int k = 0; k + 1 < net_.spec.filter_width; ++k) {
    const int row = (ring.next + k * dilation) % ring.length;
    const float* from = ring.rows.data() + static_cast<size_t>(row) * B_ * net_.Rp;
    kernels_.copy(B_, net_.Rp, from, net_.Rp, layer.window.data() + k * net_.Rp, ld_window());
  }
}

void WaveNetStepper::push(Ring& ring, const float* rows, size_t ld) {
  float* to = ring.rows.data() + static_cast<size_t>(ring.next) * B_ * net_.Rp;
  kernels_.copy(B_, net_.Rp, rows, ld, to, net_.Rp);
  if (++ring.next == ring.length) ring.next = 0;
}

void WaveNetStepper::consume(const int32_t* levels) {
  for (int b = 0; b < B_; ++b) {
    int32_t* mine = &recent_[b * net_.taps];
    std::copy(mine + 1, mine + net_.taps, mine);
    mine[net_.taps - 1] = levels[b];
  }
  ++position_;
}

StageSource WaveNetStepper::stage_source(const std::string& name) const {
  const Stage stage = find(stages(net_.spec), name);
  switch (stage.kind) {
    case WaveNetStage::kGated:
      return {gated_.data() + stage.index * net_.Dp, ld_gated_, stage.width, 1};
    case WaveNetStage::kOut: {
      const Layer& after = layers_[stage.index + 1];
      return {after.window.data() + (net_.spec.filter_width - 1) * net_.Rp, ld_window(), stage.width, 1};
    }
    case WaveNetStage::kSkip:
      return {skip_.data(), static_cast<size_t>(net_.Sp), stage.width, 1};
    case WaveNetStage::kHead:
      return {head_.data(), static_cast<size_t>(net_.Ep), stage.width, 1};
    default:
      return {logits_.data(), ld_logits_, stage.width, 1};
  }
}

void WaveNetStepper::get_state(const std::string& name, void* out) const {
  if (get_counter(name, out)) return;
  const int taps = net_.taps, R = net_.spec.residual;
  if (name == "levels" || name == "input.levels") {
    const int from = name == "levels" ? taps - 1 : 0, count = name == "levels" ? 1 : taps - 1;
    for (int b = 0; b < B_; ++b) std::copy_n(&recent_[b * taps + from], count, static_cast<int32_t*>(out) + b * count);
    return;
  }
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (name != "rings." + std::to_string(i)) continue;
    const Ring& ring = layers_[i].ring;
    for (int b = 0; b < B_; ++b)
      for (int j = 0; j < ring.length; ++j)
        std::copy_n(ring.rows.data() + (static_cast<size_t>((ring.next + j) % ring.length) * B_ + b) * net_.Rp, R,
                    static_cast<float*>(out) + (static_cast<size_t>(b) * ring.length + j) * R);
    return;
  }
  refuse("state '", name, "' is unknown in this WaveNet");
}

void WaveNetStepper::set_state(const std::string& name, const void* in) {
  if (set_counter(name, in)) return;
  const int taps = net_.taps, R = net_.spec.residual;
  if (name == "levels" || name == "input.levels") {
    const int to = name == "levels" ? taps - 1 : 0, count = name == "levels" ? 1 : taps - 1;
    for (int b = 0; b < B_; ++b)
      std::copy_n(static_cast<const int32_t*>(in) + b * count, count, &recent_[b * taps + to]);
    return;
  }
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (name != "rings." + std::to_string(i)) continue;
    Ring& ring = layers_[i].ring;
    ring.next = 0;
    for (int b = 0; b < B_; ++b)
      for (int j = 0; j < ring.length; ++j)
        std::copy_n(static_cast<const float*>(in) + (static_cast<size_t>(b) * ring.length + j) * R, R,
                    ring.rows.data() + (static_cast<size_t>(j) * B_ + b) * net_.Rp);
    return;
  }
  refuse("state '", name, "' is unknown in this WaveNet");
}

void WaveNetStepper::set_condition(const float* vectors, int64_t width) {
  const int G = net_.spec.global_channels, Gp = padded(G), Dp = net_.Dp;
  SHARKS_CHECK(G > 0 && width == G, "condition has ", width, " channels; this model wants ", G);
  Floats padded_vectors(static_cast<size_t>(B_) * Gp);
  for (int b = 0; b < B_; ++b) std::copy_n(vectors + b * G, G, padded_vectors.data() + b * Gp);
  for (size_t i = 0; i < layers_.size(); ++i) {
    layers_[i].condition = Floats(static_cast<size_t>(B_) * 2 * Dp);
    multiply(net_.blocks[i].gcond, padded_vectors.data(), Gp, net_.blocks[i].dilated_bias.data(), 0,
             layers_[i].condition.data(), 2 * Dp, false);
  }
}

class WaveNetModel final : public Model {
 public:
  WaveNetModel(const WaveNetSpec& spec, const WaveNetWeights& weights, const float* decode, const Kernels& kernels,
               Type type)
      : net_(spec, weights, decode, Packing{kernels, type}) {}
  const char* isa() const override { return net_.packing.kernels.isa; }
  int q_levels() const override { return net_.spec.q_levels; }
  Cost cost() const override { return net_.cost(); }
  std::unique_ptr<Player> player(int streams, int threads) const override {
    return split_streams(streams, threads,
                         [&](int B, int team) { return std::make_unique<WaveNetStepper>(net_, B, team); });
  }

 private:
  WaveNet net_;
};

}  // namespace

std::unique_ptr<Model> make_model(const WaveNetSpec& spec, Weights& weights, const float* decode, const char* isa,
                                  Type type) {
  return std::make_unique<WaveNetModel>(spec, WaveNetWeights(spec, weights), decode, kernels(isa), type);
}

}  // namespace sharks::cpu
