#include "core/toy/spec.h"

namespace sharks {

ToySpec::ToySpec(Fields& fields)
    : q_levels(fields.integer("q_levels")), embed_dim(fields.integer("embed_dim")), hidden(fields.integer("hidden")) {
  fields.choice<int>("output", {{"categorical", 0}});
  fields.drop({"sample_rate", "codec"});  // what levels mean is the pack's tables to say
  fields.finish();
}

}  // namespace sharks
