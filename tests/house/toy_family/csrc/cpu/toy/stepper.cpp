// The toy on the CPU: a row looked up and two products, all streams of a thread together.
#include <algorithm>
#include <vector>

#include "core/check.h"
#include "core/toy/stages.h"
#include "core/toy/state.h"
#include "cpu/player.h"
#include "cpu/toy/model.h"
#include "cpu/toy/net.h"

namespace sharks::cpu {
namespace {

class ToyStepper final : public Stepper {
 public:
  ToyStepper(const Toy& net, int B, int threads)
      : Stepper(net.packing.kernels, B, net.spec.q_levels, state_of(net.spec, B), net.Hp, net.heaviest(), threads),
        net_(net),
        newest_(static_cast<size_t>(B)),
        hidden_(static_cast<size_t>(B) * net.Hp),
        next_(static_cast<size_t>(B) * net.Hp) {}

  int lookback() const override { return 1; }

  void reset(const int32_t* levels) override {
    std::copy_n(levels, B_, newest_.begin());
    hidden_.zero();
    position_ = step_ = 0;
  }

  void get_state(const std::string& name, void* out) const override {
    if (get_counter(name, out)) return;
    if (name == "levels") {
      std::copy(newest_.begin(), newest_.end(), static_cast<int32_t*>(out));
      return;
    }
    check_hidden(name);
    const int H = net_.spec.hidden;
    for (int b = 0; b < B_; ++b) std::copy_n(hidden_.data() + b * ld(), H, static_cast<float*>(out) + b * H);
  }

  void set_state(const std::string& name, const void* in) override {
    if (set_counter(name, in)) return;
    if (name == "levels") {
      std::copy_n(static_cast<const int32_t*>(in), B_, newest_.begin());
      return;
    }
    check_hidden(name);
    const int H = net_.spec.hidden;
    for (int b = 0; b < B_; ++b) std::copy_n(static_cast<const float*>(in) + b * H, H, hidden_.data() + b * ld());
  }

  void state_changed() override {}
  void set_condition(const float*, int64_t) override { refuse("a toy takes no global condition; leave it out"); }

 protected:
  void predict(bool want_logits) override {
    for (int b = 0; b < B_; ++b)
      kernels_.look_up(net_.Hp, 1, Q_, net_.input_table.data(), &newest_[b], net_.input_bias.data(),
                       next_.data() + b * ld(), false);
    multiply(net_.recurrent, hidden_.data(), ld(), next_.data(), ld(), next_.data(), ld(), true);
    kernels_.copy(B_, net_.Hp, next_.data(), ld(), hidden_.data(), ld());
    if (want_logits)
      multiply(net_.out, hidden_.data(), ld(), net_.out_bias.data(), 0, logits_.data(), ld_logits_, false);
  }

  void consume(const int32_t* levels) override {
    std::copy_n(levels, B_, newest_.begin());
    ++position_;
  }

  StageSource stage_source(const std::string& name) const override {
    const Stage stage = find(stages(net_.spec), name);
    if (stage.kind == ToyStage::kHidden) return {hidden_.data(), ld(), stage.width, 1};
    return {logits_.data(), ld_logits_, stage.width, 1};
  }

 private:
  size_t ld() const { return static_cast<size_t>(net_.Hp); }
  static void check_hidden(const std::string& name) {
    SHARKS_CHECK(name == "h", "state '", name, "' is unknown in a toy");
  }

  const Toy& net_;
  std::vector<int32_t> newest_;  // [B]
  Floats hidden_, next_;         // [B, Hp]
};

class ToyModel final : public Model {
 public:
  ToyModel(const ToySpec& spec, const ToyWeights& weights, const Kernels& kernels, Type type)
      : net_(spec, weights, Packing{kernels, type}) {}
  const char* isa() const override { return net_.packing.kernels.isa; }
  int q_levels() const override { return net_.spec.q_levels; }
  Cost cost() const override { return net_.cost(); }
  std::unique_ptr<Player> player(int streams, int threads) const override {
    return split_streams(streams, threads,
                         [&](int B, int team) { return std::make_unique<ToyStepper>(net_, B, team); });
  }

 private:
  Toy net_;
};

}  // namespace

std::unique_ptr<Model> make_model(const ToySpec& spec, Weights& weights, const float*, const char* isa, Type type) {
  return std::make_unique<ToyModel>(spec, ToyWeights(spec, weights), kernels(isa), type);
}

}  // namespace sharks::cpu
