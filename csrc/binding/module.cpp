// The module sharks._core: what Python sees of the engine, and its names; python/sharks/_core.pyi says the types.
#include "binding/borrowed.h"
#include "binding/filters.h"
#include "binding/model.h"
#include "binding/player.h"
#include "binding/probes.h"
#include "binding/proofs.h"
#include "cpu/simd/kernels.h"
#include "cuda/cuda.h"

namespace binding = sharks::binding;
namespace py = pybind11;
using sharks::Model;
using sharks::binding::Handle;

PYBIND11_MODULE(_core, m) {
  m.doc() = "The compiled engine. Use sharks.generate, sharks.stream and sharks.logits; engine/door.py is the door.";
  m.def("isas", &binding::isas, "Instruction sets that this build holds and this CPU runs, best first.");
  m.def("isa", [] { return sharks::cpu::kernels("auto").isa; }, "The set that \"auto\" means; SHARKS_ISA forces one.");
  m.def("product", &binding::product, py::arg("weights"), py::arg("inputs"), py::arg("dtype") = "float32",
        py::arg("isa") = "auto", "weights float32 [M, N], inputs float32 [B, N] -> float32 [B, M]; for proof.");
  m.def("gumbel", &binding::gumbel, py::arg("seed"), py::arg("stream"), py::arg("step"), py::arg("q"),
        py::arg("isa") = "auto",
        "The noise of one draw, float32 [q]; equals sharks.levels.sampling.gumbel to the bit.");
  m.def("all_pole", &binding::all_pole, py::arg("excitation"), py::arg("predictors"), py::arg("gains"), py::arg("past"),
        "Sound through a filter that changes from segment to segment, and the filter's past after it.");
  m.def(
      "probe_read", &binding::probe_read, py::arg("bytes"), py::arg("rounds") = 5,
      "Seconds that one thread needs to read so many bytes once, over and over: what weights of that size can reach.");
  m.def("probe_multiply", &binding::probe_multiply, py::arg("dtype") = "float32", py::arg("rounds") = 5,
        "Multiply-adds per second of one thread on registers alone.");
  m.def("cuda_status", sharks::cuda::status, "Empty when a GPU can play, else why not.");
  m.def("cuda_device", sharks::cuda::device_name, "The GPU that plays, for people; empty where none can.");
  m.def("probe_gpu", &binding::probe_gpu,
        "What this GPU needs, in clocks, for steps that wait for each other; clock: how many of them a second has.");
  m.def("to_host", &binding::to_host, py::arg("tensor"),
        "A numpy copy of a contiguous array on a GPU that speaks DLPack.");

  py::class_<Model, std::shared_ptr<Model>>(m, "Model", py::module_local(),
                                            "Constant, prepared weights; shared by any number of players.")
      .def(py::init(&binding::make_model), py::arg("spec"), py::arg("tensors"), py::arg("tables"),
           py::arg("isa") = "auto", py::arg("device") = "cpu", py::arg("dtype") = "float32",
           py::arg("plan") = "default")
      .def_property_readonly("isa", &Model::isa)
      .def_property_readonly("plan", &Model::plan)
      .def_property_readonly("notes", &Model::notes, "Sentences: why it plays slower than it might.")
      .def_property_readonly(
          "cost",
          [](const Model& self) {
            const sharks::Cost cost = self.cost();
            return py::dict(py::arg("step_bytes") = cost.step_bytes, py::arg("frame_bytes") = cost.frame_bytes,
                            py::arg("working_set") = cost.working_set, py::arg("multiply_adds") = cost.multiply_adds);
          })
      .def("player", &binding::make_player, py::arg("streams"), py::arg("threads") = 1,
           py::arg("cuda_stream") = py::none(),
           "cuda_stream: the handle of the caller's stream, into which all work of a player on a GPU goes.");

  py::class_<Handle>(m, "Player", py::module_local(), "The state of B streams. Not to be used by two threads at once.")
      .def_property_readonly("streams", [](const Handle& self) { return self.player->streams(); })
      .def_property_readonly("position", [](const Handle& self) { return self.player->position(); })
      .def_property_readonly(
          "notes", [](const Handle& self) { return self.player->notes(); }, "As the model's.")
      .def("reset", &binding::reset, py::arg("levels"),
           "levels int32 [B, lookback]: the history; everything else is forgotten.")
      .def("force", &binding::force, py::arg("levels"), py::arg("want_logits") = true,
           py::arg("stages") = std::vector<std::string>{}, py::arg("out") = py::none(),
           "levels int32 [B, T] -> (logits float32 [B, T, Q] or None, {stage: float32 [B, count, width]}). out: where "
           "the logits shall lie.")
      .def("run", &binding::run, py::arg("n"), py::arg("temperature"), py::arg("seed"), py::arg("streams"),
           py::arg("out") = py::none(),
           "temperature float32 [B, n], streams int64 [B] -> drawn levels int32 [B, n], in `out` where it is given.")
      .def("get_state", &binding::get_state, "The state by the arrays that the spec lists, streams first.")
      .def("set_state", &binding::set_state, py::arg("state"))
      .def("set_condition", &binding::set_condition, py::arg("vectors"), "Global conditioning, float32 [B, G].");
}
