#include "core/samplernn/spec.h"

namespace sharks {

SampleRNNSpec::SampleRNNSpec(Fields& fields)
    : q_levels(fields.integer("q_levels")),
      frame_sizes(fields.integers("frame_sizes")),
      dim(fields.integer("dim")),
      layers(fields.integer("layers")),
      cell(fields.choice<Cell>(
          "cell", {{"gru", Cell::kGru}, {"gru-reset-before", Cell::kGruResetBefore}, {"lstm", Cell::kLstm}})),
      skip(fields.choice<Skip>("skip", {{"none", Skip::kNone}, {"graves", Skip::kGraves}, {"prism", Skip::kPrism}})),
      skip_bias_all(fields.choice<bool>("skip_bias", {{"first", false}, {"all", true}})),
      expand_top(fields.flag("expand_top")),
      upsample_bias(fields.flag("upsample_bias")),
      learned_state(fields.choice<bool>("initial_state", {{"zeros", false}, {"learned", true}})),
      embed_dim(fields.integer("embed_dim")),
      relu_before_hidden(fields.flag("relu_before_hidden")),
      hidden_layers(fields.integer("hidden_layers")),
      relu_logits(fields.flag("relu_logits")) {
  fields.choice<int>("output", {{"categorical", 0}});
  // What levels mean lies in the pack's tables; lower tiers always expand.
  fields.drop({"sample_rate", "codec", "tier_input", "expand_lower"});
  fields.finish();
}

}  // namespace sharks
