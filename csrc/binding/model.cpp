// A model is made without the GIL, of arrays checked while it was held.
#include "binding/model.h"

#include <vector>

#include "binding/dtypes.h"
#include "core/fields.h"
#include "core/weights.h"
#include "registry.h"

namespace sharks::binding {

namespace {

// A model with Python's arrays, which it may read again. Let go by Python alone, which holds the GIL.
struct Bound {
  std::vector<py::array> arrays;
  std::shared_ptr<Model> model;
};

// The value as the first type that it is without a conversion; a bool is no number here.
template <typename First, typename... Others>
Fields::Value value_of(const std::string& name, py::handle value) {
  py::detail::make_caster<First> caster;
  if (caster.load(value, false)) return py::detail::cast_op<First>(caster);
  if constexpr (sizeof...(Others) > 0) {
    return value_of<Others...>(name, value);
  } else {
    refuse("spec field '", name, "' is ", std::string(py::repr(value)),
           "; wanted true or false, a number, a word, or a list of whole numbers");
  }
}

Fields fields_of(const std::string& family, const py::dict& spec) {
  Fields fields(family);
  for (const auto& [key, value] : spec) {
    const auto name = key.cast<std::string>();
    if (name != "family") fields.add(name, value_of<bool, int64_t, double, std::string, std::vector<int>>(name, value));
  }
  return fields;
}

// Python's arrays by name; `kept` holds them from now on.
Weights weights_of(const py::dict& arrays, std::vector<py::array>& kept) {
  Weights weights;
  for (const auto& [key, value] : arrays) {
    const auto name = key.cast<std::string>();
    const auto array = value.cast<py::array>();
    const Shape any(static_cast<size_t>(array.ndim()), -1);
    weights.add(name, {array.shape(), array.shape() + array.ndim()}, checked<float>(array, name, any));
    kept.push_back(array);
  }
  return weights;
}

}  // namespace

std::shared_ptr<Model> make_model(const py::dict& spec, const py::dict& tensors, const py::dict& tables,
                                  const std::string& isa, const std::string& device, const std::string& dtype,
                                  const std::string& plan) {
  SHARKS_CHECK(spec.contains("family") && py::isinstance<py::str>(spec["family"]),
               "the spec names no family; wanted one that sharks wrote");
  const auto name = spec["family"].cast<std::string>();
  const Family& family = family_of(name);
  const auto bound = std::make_shared<Bound>();
  Fields fields = fields_of(name, spec);
  Weights weights = weights_of(tensors, bound->arrays), level_tables = weights_of(tables, bound->arrays);
  const bool cuda = one_of<bool>("device", device, {{"cuda", true}, {"cpu", false}});
  SHARKS_CHECK(cuda || plan == "default", "plan is '", plan, "'; the CPU has one plan, default");
  if (cuda) {
    const auto precision = precision_of(dtype);
    const Fold fold = cpu::kernels(isa.c_str()).fold;
    py::gil_scoped_release release;
    bound->model = family.on_cuda(fields, weights, level_tables, precision, plan, fold);
    return {bound, bound->model.get()};
  }
  const auto type = type_of(dtype);
  py::gil_scoped_release release;
  return family.on_cpu(fields, weights, level_tables, isa.c_str(), type);
}

}  // namespace sharks::binding
