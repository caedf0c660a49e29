// A model on the GPU: the plans that can play it, the preferred one first and first light last.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/check.h"
#include "cuda/notes.h"
#include "cuda/plan.h"

namespace sharks::cuda {

template <typename State>
using Plans = std::vector<std::unique_ptr<Plan<State>>>;

// What plays, and what to say of it.
template <typename State>
struct Choice {
  Plans<State> plans;
  std::vector<std::string> notes;
};

template <typename State>
class DeviceModel : public Model {
 public:
  const char* isa() const final { return isa_.c_str(); }
  const char* plan() const final { return plans_[0]->name(); }
  int q_levels() const final { return q_levels_; }
  Cost cost() const final { return plans_[0]->cost(); }
  std::vector<std::string> notes() const final { return notes_; }

 protected:
  DeviceModel(int q_levels, Choice<State> choice)
      : plans_(std::move(choice.plans)),
        notes_(std::move(choice.notes)),
        q_levels_(q_levels),
        isa_(device().emulated ? "emulated" : "sm_" + std::to_string(device().capability)) {}

  const Plans<State> plans_;

 private:
  const std::vector<std::string> notes_;
  const int q_levels_;
  const std::string isa_;
};

// The first plan that one of `candidates` gives, then first light, for what that one refuses.
template <typename State, typename Source>
Choice<State> choose_plans(const Source& source,
                           const std::vector<std::unique_ptr<Plan<State>> (*)(const Source&)>& candidates) {
  Choice<State> choice;
  Plans<State>& plans = choice.plans;
  for (const auto& candidate : candidates) {
    if (!plans.empty()) break;
    try {
      if (auto plan = candidate(source)) plans.push_back(std::move(plan));
    } catch (const NoRoom& plan) {
      choice.notes = {too_small_for(plan.what())};
    }
  }
  if (!plans.empty()) choice.notes.clear();
  plans.push_back(first_light(source));
  const bool by_name = source.plan != "default" && source.plan != "throughput";
  SHARKS_CHECK(!by_name || source.plan == plans[0]->name(), "plan is '", source.plan,
               "', which cannot play this model here; wanted default, throughput or ", plans[0]->name());
  return choice;
}

}  // namespace sharks::cuda
