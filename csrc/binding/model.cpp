// A model is made without the GIL, of arrays checked while it was held.
#include "binding/model.h"

#include <vector>

#include "binding/specs.h"
#include "core/weights.h"
#include "cpu/cpu.h"
#include "cuda/cuda.h"

namespace sharks::binding {

namespace {

// A model with Python's arrays, which it may read again. Let go by Python alone, which holds the GIL.
struct Bound {
  std::vector<py::array> arrays;
  std::shared_ptr<Model> model;
};

}  // namespace

std::shared_ptr<Model> make_model(const py::dict& spec, const py::dict& tensors, const py::dict& tables,
                                  const std::string& isa, const std::string& device, const std::string& dtype,
                                  const std::string& plan) {
  Weights weights;
  const auto bound = std::make_shared<Bound>();
  for (const auto& [key, value] : tensors) {
    const auto name = key.cast<std::string>();
    const auto array = value.cast<py::array>();
    const Shape any(static_cast<size_t>(array.ndim()), -1);
    weights.add(name, {array.shape(), array.shape() + array.ndim()}, checked<float>(array, name, any));
    bound->arrays.push_back(array);
  }
  const bool wavenet = choice<bool>(spec, "family", {{"wavenet", true}, {"samplernn", false}});
  const char* needed = wavenet ? "decode" : "tier_input";
  const auto table = tables[needed].cast<py::array>();
  const float* numbers = checked<float>(table, needed, {spec["q_levels"].cast<py::ssize_t>()});
  bound->arrays.push_back(table);
  const bool cuda = one_of<bool>("device", device, {{"cuda", true}, {"cpu", false}});
  SHARKS_CHECK(cuda || plan == "default", "plan is '", plan, "'; the CPU has one plan, default");
  const Fold fold = cpu::kernels(isa.c_str()).fold;
  const auto make = [&](const auto& known_spec, auto make_cuda, auto make_cpu) -> std::shared_ptr<Model> {
    if (cuda) {
      const auto precision = precision_of(dtype);
      py::gil_scoped_release release;
      bound->model = make_cuda(known_spec, weights, numbers, precision, plan, fold);
      return {bound, bound->model.get()};
    }
    const auto type = type_of(dtype);
    py::gil_scoped_release release;
    return make_cpu(known_spec, weights, numbers, isa.c_str(), type);
  };
  return wavenet ? make(wavenet_spec(spec), cuda::make_wavenet, cpu::make_wavenet)
                 : make(samplernn_spec(spec), cuda::make_samplernn, cpu::make_samplernn);
}

}  // namespace sharks::binding
