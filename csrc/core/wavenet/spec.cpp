#include "core/wavenet/spec.h"

namespace sharks {

WaveNetSpec::WaveNetSpec(Fields& fields)
    : q_levels(fields.integer("q_levels")),
      input(fields.choice<Input>(
          "input", {{"one-hot", Input::kOneHot}, {"embedding", Input::kEmbedding}, {"scalar", Input::kScalar}})),
      embed_dim(fields.integer("embed_dim")),
      input_filter_width(fields.integer("input_filter_width")),
      input_bias(fields.flag("input_bias")),
      filter_width(fields.integer("filter_width")),
      dilations(fields.integers("dilations")),
      residual(fields.integer("residual")),
      dilation(fields.integer("dilation")),
      skip(fields.integer("skip")),
      head(fields.integer("head")),
      bias(fields.flag("bias")),
      head_bias(fields.flag("head_bias")),
      last_residual(fields.flag("last_residual")),
      residual_scale(fields.number("residual_scale")),
      skip_scale(fields.number("skip_scale")),
      global_channels(fields.integer("global_channels")),
      global_classes(fields.integer("global_classes")) {
  fields.choice<int>("output", {{"categorical", 0}});
  SHARKS_CHECK(fields.integer("local_channels") == 0,
               "wavenet spec: field 'local_channels' is not 0, but this engine plays no local conditioning");
  // What levels mean lies in the pack's tables; how a free run begins is the caller's to play.
  fields.drop({"sample_rate", "codec", "start"});
  fields.finish();
}

}  // namespace sharks
