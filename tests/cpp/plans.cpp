// How a model on the GPU chooses among plans, and a player among steppers: first light's weights are held when somebody
// wants them and not before, states change hands in order, and all work goes into one stream. The plans are stand-ins.
#include "cuda/samplernn/plans.h"

#include <algorithm>
#include <string>

#include "cpu/simd/kernels.h"
#include "cuda/cuda.h"
#include "cuda/device/trouble.h"
#include "cuda/samplernn/model.h"
#include "expect.h"
#include "random_models.h"

namespace {

using namespace sharks;
using namespace sharks::cuda;
using namespace sharks::cuda::samplernn;

int first_lights = 0, fast_plans = 0;  // made so far
bool fast_refuses = false;             // samples, whatever they are
int fast_fits = 8;                     // blocks: it asks for 8, and for less where that is too much
bool fast_is_refused = false;          // by CUDA, where it asks for too many; else too few come
int32_t fast_trouble = kNoTrouble;     // that it meets in the middle
std::vector<std::string> events;       // what was asked of steppers
std::vector<Stream> streams_used;

class StandInStepper final : public Stepper {
 public:
  explicit StandInStepper(std::string name) : name_(std::move(name)) {}
  bool plays(const Samples&, const std::vector<StageTap>&) const override {
    return name_ != "fast" || (!fast_refuses && blocks_ > 0);
  }
  void resume(int64_t, Stream stream) override { note("resume", stream); }
  void launch(const Samples& samples, const std::vector<StageTap>&, Stream stream) override {
    note("launch", stream);
    if (name_ == "fast" && blocks_ > fast_fits && fast_is_refused) throw NoRoom("too many blocks");
    if (name_ == "fast") *samples.trouble = blocks_ > fast_fits ? kTooFewCame : fast_trouble;
    if (*samples.trouble != kNoTrouble) return;
    if (samples.drawn) std::fill_n(samples.drawn, samples.B * samples.n, 5);
  }
  void settle(int64_t, Stream stream) override { note("settle", stream); }
  void retreat(Stream stream) override {
    note("retreat", stream);
    blocks_ /= 2;
  }
  Strength strength() const override { return name_ == "fast" ? Strength{blocks_, 8, blocks_} : Strength{}; }

 private:
  void note(const char* what, Stream stream) {
    events.push_back(name_ + " " + what);
    streams_used.push_back(stream);
  }
  const std::string name_;
  int blocks_ = 8;
};

class StandIn final : public SampleRNNPlan {
 public:
  explicit StandIn(const char* name) : name_(name) {}
  const char* name() const override { return name_; }
  Cost cost() const override { return {}; }
  std::unique_ptr<Stepper> stepper(const SampleRNNState&) const override {
    return std::make_unique<StandInStepper>(name_);
  }

 private:
  const char* name_;
};

}  // namespace

namespace sharks::cuda::samplernn {

std::unique_ptr<SampleRNNPlan> fallback::make_plan(const SampleRNNSource& source) {
  EXPECT(source.weights.out != nullptr && source.spec.dim == 4);
  ++first_lights;
  return std::make_unique<StandIn>("first-light");
}
std::unique_ptr<SampleRNNPlan> persistent::make_plan(const SampleRNNSource& source) {
  if (source.plan == "first-light") return nullptr;
  ++fast_plans;
  return std::make_unique<StandIn>("fast");
}
std::unique_ptr<SampleRNNPlan> throughput::make_plan(const SampleRNNSource&) { return nullptr; }

}  // namespace sharks::cuda::samplernn

namespace {

std::unique_ptr<Model> model_of(const std::string& plan) {
  static const std::vector<float> table(test::kLevels, 0.5f);
  SampleRNNSpec spec;
  spec.q_levels = test::kLevels, spec.frame_sizes = {2, 4}, spec.dim = 4, spec.layers = 1, spec.embed_dim = 3;
  first_lights = fast_plans = 0, fast_refuses = fast_is_refused = false, fast_fits = 8, fast_trouble = kNoTrouble;
  return test::with_random_weights([&](Weights& weights) {
    return make_model(spec, weights, table.data(), Precision::kFloat32, plan, sharks::cpu::kernels("auto").fold);
  });
}

void draw(Player& player, int64_t n) {
  const size_t count = static_cast<size_t>(player.streams() * n);
  std::vector<int32_t> drawn(count);
  const std::vector<float> heat(count, 1.0f);
  const std::vector<int64_t> ids(static_cast<size_t>(player.streams()));
  player.run(n, heat.data(), 1, ids.data(), drawn.data());
  EXPECT(std::count(drawn.begin(), drawn.end(), 5) == static_cast<int64_t>(count));
}

void start(Player& player) {
  const std::vector<int32_t> history(static_cast<size_t>(player.streams() * player.lookback()), 1);
  player.reset(history.data());
  events.clear();
}

void weights_are_held_once() {
  const auto model = model_of("default");
  const auto player = model->player(3, 1), other = model->player(2, 1);
  start(*player);
  draw(*player, 100);
  EXPECT(fast_plans == 1 && first_lights == 0);
  fast_refuses = true;
  draw(*player, 100);
  start(*other);
  draw(*other, 100);
  EXPECT(fast_plans == 1 && first_lights == 1);
}

void first_light_alone_is_made_once() {
  const auto model = model_of("first-light");
  EXPECT(std::string(model->plan()) == "first-light");
  const auto player = model->player(1, 1);
  start(*player);
  draw(*player, 10);
  EXPECT(fast_plans == 0 && first_lights == 1);
}

void states_change_hands_in_order() {
  const auto model = model_of("default");
  const auto player = model->player(1, 1);
  start(*player);
  draw(*player, 1);
  fast_refuses = true;
  draw(*player, 1);
  draw(*player, 1);
  fast_refuses = false;
  draw(*player, 1);
  const std::vector<std::string> want{"fast resume",        "fast launch",        "fast settle",
                                      "first-light resume", "first-light launch", "first-light launch",
                                      "first-light settle", "fast resume",        "fast launch"};
  EXPECT(events == want);
  EXPECT(player->position() == 4);
}

void a_stepper_without_room_takes_less_and_then_another_plays() {
  for (bool refused : {false, true}) {
    const auto model = model_of("default");
    const auto player = model->player(1, 1);
    start(*player);
    draw(*player, 1);
    EXPECT(player->notes().empty());
    events.clear();
    fast_fits = 2, fast_is_refused = refused;
    draw(*player, 1);
    const std::vector<std::string> less{"fast launch",  "fast retreat", "fast resume", "fast launch",
                                        "fast retreat", "fast resume",  "fast launch"};
    EXPECT(events == less && player->notes().size() == 1);
    draw(*player, 1);
    EXPECT(events.size() == less.size() + 1 && player->notes().size() == 1);  // nothing new to say
    events.clear();
    fast_fits = 0;
    draw(*player, 1);
    const std::vector<std::string> none{"fast launch",  "fast retreat",       "fast resume",       "fast launch",
                                        "fast retreat", "first-light resume", "first-light launch"};
    EXPECT(events == none && player->notes().size() == 2 && player->position() == 4);
    EXPECT(player->notes()[1].find("first light must do") != std::string::npos);
  }
}

void trouble_in_the_middle_is_an_error_until_the_state_is_set_anew() {
  const auto model = model_of("default");
  const auto player = model->player(1, 1);
  const auto fails = [&](const char* words) {
    try {
      draw(*player, 1);
    } catch (const std::exception& error) {
      return std::string(error.what()).find(words) != std::string::npos;
    }
    return false;
  };
  start(*player);
  fast_trouble = kWaitedTooLong;
  EXPECT(fails("waited for each other in vain"));
  fast_trouble = kNoTrouble;
  EXPECT(fails("failed in the middle of a step"));
  EXPECT(player->notes().empty() && first_lights == 0);
  start(*player);
  draw(*player, 1);
}

void all_work_goes_into_one_stream() {
  const auto model = model_of("default");
  const auto mine = model->player(1, 1), own = model->player(1, 1);
  void* const handle = reinterpret_cast<void*>(0x5EA);
  mine->use_queue(handle);
  EXPECT(mine->queue() == handle && own->queue() != handle && own->queue() != nullptr);
  for (Player* player : {mine.get(), own.get()}) {
    streams_used.clear();
    fast_refuses = false;
    start(*player);
    draw(*player, 1);
    fast_refuses = true;
    draw(*player, 1);
    std::vector<float> h(4);
    player->get_state("tiers.0.h", h.data());
    EXPECT(streams_used.size() == 6);
    for (Stream stream : streams_used) EXPECT(stream == player->queue());
  }
}

}  // namespace

int main() {
  weights_are_held_once();
  first_light_alone_is_made_once();
  states_change_hands_in_order();
  a_stepper_without_room_takes_less_and_then_another_plays();
  trouble_in_the_middle_is_an_error_until_the_state_is_set_anew();
  all_work_goes_into_one_stream();
  return test::failures() != 0;
}
