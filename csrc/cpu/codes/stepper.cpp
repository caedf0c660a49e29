// A prior over codes on the CPU: its recurrent layers step once per frame, a book's head once per code, all streams of
// a thread together.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/check.h"
#include "core/codes/stages.h"
#include "core/codes/state.h"
#include "cpu/codes/model.h"
#include "cpu/codes/net.h"
#include "cpu/player.h"

namespace sharks::cpu {
namespace {

constexpr double kNormEpsilon = 1e-5;

class CodesStepper final : public Stepper {
 public:
  CodesStepper(const Codes& net, int B, int threads);

  int lookback() const override { return net_.spec.lookback(); }
  void reset(const int32_t* levels) override;
  void get_state(const std::string& name, void* out) const override;
  void set_state(const std::string& name, const void* in) override;
  void state_changed() override;
  void set_condition(const float*, int64_t) override {
    refuse("a model of codes takes no global condition; leave it out");
  }

 protected:
  void predict(bool want_logits) override;
  void consume(const int32_t* levels) override;
  StageSource stage_source(const std::string& stage) const override;

 private:
  const int32_t* history(int b, int count) const { return &history_[static_cast<size_t>(b) * reach_ + end_ - count]; }
  int book() const { return static_cast<int>(position_ % net_.spec.books); }
  void enter();
  void run_layers();
  void speak();
  void set_history(const int32_t* levels);

  const Codes& net_;
  const int reach_;  // places per stream in history_, a few lookbacks, so that it is rarely moved
  int end_ = 0;      // one past the newest code
  std::vector<int32_t> history_;
  std::vector<Floats> h_;     // per layer [B, Hp]
  Floats entering_;           // [B, Hp] the last frames as the layers hear them
  Floats gates_, recurrent_;  // [B, 3 Hp]
  Floats said_;               // [B, Hp] what the layers say, normed
  Floats heads_;              // [B, books Wp] and what each book's head makes of that alone
  Floats head_;               // [B, Wp]
};

CodesStepper::CodesStepper(const Codes& net, int B, int threads)
    : Stepper(net.packing.kernels, B, net.spec.q_levels, state_of(net.spec, B), net.widest(), net.heaviest(), threads),
      net_(net),
      reach_(4 * net.spec.lookback() + 64),
      history_(static_cast<size_t>(B) * reach_),
      entering_(static_cast<size_t>(B) * net.Hp),
      gates_(static_cast<size_t>(B) * 3 * net.Hp),
      recurrent_(static_cast<size_t>(B) * 3 * net.Hp),
      said_(static_cast<size_t>(B) * net.Hp),
      heads_(static_cast<size_t>(B) * net.spec.books * net.Wp),
      head_(static_cast<size_t>(B) * net.Wp) {
  for (int k = 0; k < net.spec.layers; ++k) h_.emplace_back(static_cast<size_t>(B) * net.Hp);
}

void CodesStepper::reset(const int32_t* levels) {
  set_history(levels);
  for (Floats& h : h_) std::fill_n(h.data(), static_cast<size_t>(B_) * net_.Hp, 0.0f);
  position_ = step_ = 0;
}

void CodesStepper::predict(bool want_logits) {
  const int q = book(), Wp = net_.Wp;
  if (q == 0) {
    enter();
    run_layers();
    speak();
  }
  if (!want_logits) return;
  const size_t ld = static_cast<size_t>(net_.spec.books) * Wp;
  for (int b = 0; b < B_; ++b)
    kernels_.look_up(Wp, q, Q_, net_.tables[q].data(), history(b, q), heads_.data() + b * ld + q * Wp,
                     head_.data() + b * Wp, true);
  multiply(net_.out[q], head_.data(), Wp, net_.out_bias[q].data(), 0, logits_.data(), ld_logits_, false);
}

// What the layers hear: the codes of the two whole frames before this one.
void CodesStepper::enter() {
  const int Hp = net_.Hp, Q = net_.spec.books, now = book();
  for (int b = 0; b < B_; ++b)
    kernels_.look_up(Hp, 2 * Q, Q_, net_.in_table.data(), history(b, 2 * Q + now), net_.in_bias.data(),
                     entering_.data() + b * Hp, false);
}

void CodesStepper::run_layers() {
  const int Hp = net_.Hp;
  const size_t ld = static_cast<size_t>(3) * Hp;
  const float* x = entering_.data();
  for (size_t k = 0; k < h_.size(); ++k) {
    const Codes::Layer& layer = net_.layers[k];
    multiply(layer.below, x, Hp, layer.bias.data(), 0, gates_.data(), ld, false);
    multiply(layer.recurrent, h_[k].data(), Hp, layer.recurrent_bias.data(), 0, recurrent_.data(), ld, false);
    kernels_.gru(B_, Hp, gates_.data(), recurrent_.data(), ld, h_[k].data(), Hp);
    x = h_[k].data();
  }
}

// The layers' last word and their input, normed over the channels; then what every book's head makes of it.
void CodesStepper::speak() {
  const int H = net_.spec.hidden, Hp = net_.Hp;
  for (int b = 0; b < B_; ++b) {
    const float *h = h_.back().data() + b * Hp, *x = entering_.data() + b * Hp;
    float* said = said_.data() + b * Hp;
    double sum = 0, squares = 0;
    for (int i = 0; i < H; ++i) sum += said[i] = h[i] + x[i];
    const double mean = sum / H;
    for (int i = 0; i < H; ++i) squares += (said[i] - mean) * (said[i] - mean);
    const double scale = 1 / std::sqrt(squares / H + kNormEpsilon);
    for (int i = 0; i < H; ++i)
      said[i] = static_cast<float>((said[i] - mean) * scale * net_.norm.data()[i] + net_.norm_bias.data()[i]);
  }
  multiply(net_.heads, said_.data(), Hp, net_.heads_bias.data(), 0, heads_.data(),
           static_cast<size_t>(net_.spec.books) * net_.Wp, false);
}

void CodesStepper::consume(const int32_t* levels) {
  if (end_ == reach_) {  // out of room: move the last lookback to the front
    const int lookback = net_.spec.lookback();
    for (int b = 0; b < B_; ++b)
      std::copy_n(history(b, lookback), lookback, &history_[static_cast<size_t>(b) * reach_]);
    end_ = lookback;
  }
  for (int b = 0; b < B_; ++b) history_[static_cast<size_t>(b) * reach_ + end_] = levels[b];
  ++end_;
  ++position_;
}

StageSource CodesStepper::stage_source(const std::string& name) const {
  const Stage stage = find(stages(net_.spec), name);
  const size_t Hp = static_cast<size_t>(net_.Hp), Wp = static_cast<size_t>(net_.Wp);
  switch (stage.kind) {
    case CodesStage::kRnn:
      return {h_[stage.layer].data(), Hp, stage.width, stage.period};
    case CodesStage::kNorm:
      return {said_.data(), Hp, stage.width, stage.period};
    case CodesStage::kHead:
      return {head_.data(), Wp, stage.width, 1};
    default:
      return {logits_.data(), ld_logits_, stage.width, 1};
  }
}

void CodesStepper::set_history(const int32_t* levels) {
  const int lookback = net_.spec.lookback();
  for (int b = 0; b < B_; ++b) std::copy_n(levels + b * lookback, lookback, &history_[static_cast<size_t>(b) * reach_]);
  end_ = lookback;
}

void CodesStepper::get_state(const std::string& name, void* out) const {
  if (get_counter(name, out)) return;
  const int L = net_.spec.layers, H = net_.spec.hidden, lookback = net_.spec.lookback();
  if (name == "levels") {
    for (int b = 0; b < B_; ++b) std::copy_n(history(b, lookback), lookback, static_cast<int32_t*>(out) + b * lookback);
    return;
  }
  if (name != "prior.h") refuse("state '", name, "' is unknown in this model of codes");
  for (int k = 0; k < L; ++k)
    for (int b = 0; b < B_; ++b)
      std::copy_n(h_[k].data() + static_cast<size_t>(b) * net_.Hp, H, static_cast<float*>(out) + (b * L + k) * H);
}

void CodesStepper::set_state(const std::string& name, const void* in) {
  if (set_counter(name, in)) return;
  if (name == "levels") return set_history(static_cast<const int32_t*>(in));
  if (name != "prior.h") refuse("state '", name, "' is unknown in this model of codes");
  const int L = net_.spec.layers, H = net_.spec.hidden;
  for (int k = 0; k < L; ++k)
    for (int b = 0; b < B_; ++b)
      std::copy_n(static_cast<const float*>(in) + (b * L + k) * H, H, h_[k].data() + static_cast<size_t>(b) * net_.Hp);
}

// In the middle of a frame what the layers said is in use; it follows from their hidden vectors and the codes before.
void CodesStepper::state_changed() {
  if (book() == 0) return;
  enter();
  speak();
}

class CodesModel final : public Model {
 public:
  CodesModel(const CodesSpec& spec, const CodesWeights& weights, const Kernels& kernels, Type type)
      : net_(spec, weights, Packing{kernels, type}) {}
  const char* isa() const override { return net_.packing.kernels.isa; }
  int q_levels() const override { return net_.spec.q_levels; }
  Cost cost() const override { return net_.cost(); }
  std::unique_ptr<Player> player(int streams, int threads) const override {
    return split_streams(streams, threads,
                         [&](int B, int team) { return std::make_unique<CodesStepper>(net_, B, team); });
  }

 private:
  Codes net_;
};

}  // namespace

std::unique_ptr<Model> make_model(const CodesSpec& spec, Weights& weights, const char* isa, Type type) {
  return std::make_unique<CodesModel>(spec, CodesWeights(spec, weights), kernels(isa), type);
}

}  // namespace sharks::cpu
