#include "core/stages.h"

#include "core/check.h"

namespace sharks {

const Stage& find(const std::vector<Stage>& stages, const std::string& name) {
  for (const Stage& stage : stages)
    if (stage.name == name) return stage;
  refuse("stage '", name, "' is unknown in this model of ", stages.size(), " stages");
}

}  // namespace sharks
