// Parts of the engine on their own, for whoever wants proof of them.
#pragma once

#include <cstdint>
#include <string>

#include "binding/arrays.h"

namespace sharks::binding {

// W x for B inputs, as every layer computes it.
Array<float> product(const py::array& weights, const py::array& inputs, const std::string& dtype,
                     const std::string& isa);

// The noise of one draw.
Array<float> gumbel(uint64_t seed, int64_t stream, int64_t step, int q, const std::string& isa);

}  // namespace sharks::binding
