// From a pack's spec, tensors and tables to the model that a device plays.
#pragma once

#include <memory>
#include <string>

#include "binding/arrays.h"
#include "core/engine.h"

namespace sharks::binding {

// The arrays must be float32 and contiguous; a model that may read them again keeps them.
std::shared_ptr<Model> make_model(const py::dict& spec, const py::dict& tensors, const py::dict& tables,
                                  const std::string& isa, const std::string& device, const std::string& dtype,
                                  const std::string& plan);

}  // namespace sharks::binding
