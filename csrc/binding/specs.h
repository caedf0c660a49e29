// What Python says of a model in words, as the engine's own types: specs, and how weights are stored.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>

#include "binding/arrays.h"
#include "core/spec.h"
#include "cpu/simd/kernels.h"
#include "cuda/cuda.h"

namespace sharks::binding {

template <typename T>
T one_of(const char* field, const std::string& value, std::initializer_list<std::pair<const char*, T>> known) {
  for (const auto& [name, result] : known)
    if (value == name) return result;
  refuse(field, " is '", value, "', which this engine does not know");
}

template <typename T>
T choice(const py::dict& spec, const char* field, std::initializer_list<std::pair<const char*, T>> known) {
  return one_of<T>(field, spec[field].cast<std::string>(), known);
}

WaveNetSpec wavenet_spec(const py::dict& d);
SampleRNNSpec samplernn_spec(const py::dict& d);

cpu::Type type_of(const std::string& dtype);
cuda::Precision precision_of(const std::string& dtype);

}  // namespace sharks::binding
