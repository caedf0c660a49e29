// Filters that Python's arrays go through.
#pragma once

#include <utility>

#include "binding/arrays.h"

namespace sharks::binding {

// Excitation float32 [B, S L], predictors float64 [B, S, order], gains float64 [B, S], past float64 [B, order] ->
// the sound float32 [B, S L], and the past after it.
std::pair<Array<float>, Array<double>> all_pole(const py::array& excitation, const py::array& predictors,
                                                const py::array& gains, const py::array& past);

}  // namespace sharks::binding
