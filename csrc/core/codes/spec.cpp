#include "core/codes/spec.h"

namespace sharks {

CodesSpec::CodesSpec(Fields& fields)
    : q_levels(fields.integer("q_levels")),
      books(fields.integer("books")),
      dims(fields.integer("dims")),
      frame(fields.integer("pair") * fields.integer("bands")),
      hidden(fields.integer("hidden")),
      layers(fields.integer("layers")),
      width(fields.integer("width")) {
  fields.choice<int>("output", {{"categorical", 0}});
  fields.drop({"sample_rate", "codec", "window", "hop", "floor", "voice", "order"});  // the tokenizer's and the voice's
  fields.finish();
}

}  // namespace sharks
