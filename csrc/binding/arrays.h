// numpy's arrays as the engine takes them: of the right type, layout and shape, or refused in a sentence.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>  // in every file of the folder, or its conversions would differ from file to file

#include <cstdint>
#include <string>
#include <vector>

#include "core/check.h"

namespace sharks::binding {

namespace py = pybind11;

template <typename T>
using Array = py::array_t<T, py::array::c_style>;
using Shape = std::vector<py::ssize_t>;

inline std::string text(const Shape& shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

// The array's data, after its dtype, layout and shape are what they must be; -1 leaves a dimension open.
template <typename T>
const T* checked(const py::array& array, const std::string& name, const Shape& wanted) {
  SHARKS_CHECK(py::isinstance<Array<T>>(array), name, " has dtype ", std::string(py::str(array.dtype())),
               " or is not contiguous; wanted C-contiguous ", std::string(py::str(py::dtype::of<T>())));
  const Shape got(array.shape(), array.shape() + array.ndim());
  bool same = got.size() == wanted.size();
  for (size_t i = 0; same && i < got.size(); ++i) same = wanted[i] < 0 || wanted[i] == got[i];
  SHARKS_CHECK(same, name, " has shape ", text(got), "; wanted ", text(wanted));
  return static_cast<const T*>(array.data());
}

inline void check_levels(const int32_t* levels, py::ssize_t count, int q_levels) {
  for (py::ssize_t i = 0; i < count; ++i)
    SHARKS_CHECK(levels[i] >= 0 && levels[i] < q_levels, "a level is ", levels[i], "; wanted 0 to ", q_levels - 1);
}

}  // namespace sharks::binding
