// Python's door to the engine: check every array, release the GIL, call. The only file that knows pybind11.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "core/check.h"
#include "cpu/kernels.h"
#include "cpu/matrix.h"
#include "cpu/models.h"
#include "cuda/cuda.h"
#include "dlpack.h"

namespace py = pybind11;

namespace {

using sharks::Model;
using sharks::Player;
using sharks::SampleRNNSpec;
using sharks::StateField;
using sharks::WaveNetSpec;

template <typename T>
using Array = py::array_t<T, py::array::c_style>;
using Shape = std::vector<py::ssize_t>;

std::string text(const Shape& shape) {
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

void check_levels(const int32_t* levels, py::ssize_t count, int q_levels) {
  for (py::ssize_t i = 0; i < count; ++i)
    SHARKS_CHECK(levels[i] >= 0 && levels[i] < q_levels, "a level is ", levels[i], "; wanted 0 to ", q_levels - 1);
}

template <typename T>
T one_of(const char* field, const std::string& value, std::initializer_list<std::pair<const char*, T>> known) {
  for (const auto& [name, result] : known)
    if (value == name) return result;
  sharks::refuse(field, " is '", value, "', which this engine does not know");
}

template <typename T>
T choice(const py::dict& spec, const char* field, std::initializer_list<std::pair<const char*, T>> known) {
  return one_of<T>(field, spec[field].cast<std::string>(), known);
}

WaveNetSpec wavenet_spec(const py::dict& d) {
  using Input = WaveNetSpec::Input;
  WaveNetSpec s;
  s.q_levels = d["q_levels"].cast<int>();
  s.input = choice<Input>(
      d, "input", {{"one-hot", Input::kOneHot}, {"embedding", Input::kEmbedding}, {"scalar", Input::kScalar}});
  s.embed_dim = d["embed_dim"].cast<int>();
  s.input_filter_width = d["input_filter_width"].cast<int>();
  s.input_bias = d["input_bias"].cast<bool>();
  s.filter_width = d["filter_width"].cast<int>();
  s.dilations = d["dilations"].cast<std::vector<int>>();
  s.residual = d["residual"].cast<int>();
  s.dilation = d["dilation"].cast<int>();
  s.skip = d["skip"].cast<int>();
  s.head = d["head"].cast<int>();
  s.bias = d["bias"].cast<bool>();
  s.head_bias = d["head_bias"].cast<bool>();
  s.last_residual = d["last_residual"].cast<bool>();
  s.residual_scale = d["residual_scale"].cast<double>();
  s.skip_scale = d["skip_scale"].cast<double>();
  s.global_channels = d["global_channels"].cast<int>();
  s.global_classes = d["global_classes"].cast<int>();
  return s;
}

SampleRNNSpec samplernn_spec(const py::dict& d) {
  using Cell = SampleRNNSpec::Cell;
  using Skip = SampleRNNSpec::Skip;
  SampleRNNSpec s;
  s.q_levels = d["q_levels"].cast<int>();
  s.frame_sizes = d["frame_sizes"].cast<std::vector<int>>();
  s.dim = d["dim"].cast<int>();
  s.layers = d["layers"].cast<int>();
  s.cell = choice<Cell>(
      d, "cell", {{"gru", Cell::kGru}, {"gru-reset-before", Cell::kGruResetBefore}, {"lstm", Cell::kLstm}});
  s.skip = choice<Skip>(d, "skip", {{"none", Skip::kNone}, {"graves", Skip::kGraves}, {"prism", Skip::kPrism}});
  s.skip_bias_all = choice<bool>(d, "skip_bias", {{"first", false}, {"all", true}});
  s.expand_top = d["expand_top"].cast<bool>();
  s.upsample_bias = d["upsample_bias"].cast<bool>();
  s.learned_state = choice<bool>(d, "initial_state", {{"zeros", false}, {"learned", true}});
  s.embed_dim = d["embed_dim"].cast<int>();
  s.relu_before_hidden = d["relu_before_hidden"].cast<bool>();
  s.hidden_layers = d["hidden_layers"].cast<int>();
  s.relu_logits = d["relu_logits"].cast<bool>();
  return s;
}

sharks::cpu::Type type_of(const std::string& dtype) {
  using sharks::cpu::Type;
  return one_of<Type>("dtype", dtype,
                      {{"float32", Type::kFloat32}, {"bfloat16", Type::kBfloat16}, {"int8", Type::kInt8}});
}

sharks::cuda::Precision precision_of(const std::string& dtype) {
  using sharks::cuda::Precision;
  return one_of<Precision>("dtype", dtype, {{"float32", Precision::kFloat32}, {"float16", Precision::kFloat16}});
}

// A model with Python's arrays, which it may read again. Let go by Python alone, which holds the GIL.
struct Bound {
  std::vector<py::array> arrays;
  std::shared_ptr<Model> model;
};

std::shared_ptr<Model> make_model(const py::dict& spec, const py::dict& tensors, const py::dict& tables,
                                  const std::string& isa, const std::string& device, const std::string& dtype,
                                  const std::string& plan) {
  sharks::Weights weights;
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
  const sharks::Fold fold = sharks::cpu::kernels(isa.c_str()).fold;
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
  return wavenet ? make(wavenet_spec(spec), sharks::cuda::make_wavenet, sharks::cpu::make_wavenet)
                 : make(samplernn_spec(spec), sharks::cuda::make_samplernn, sharks::cpu::make_samplernn);
}

// A player and the model it reads.
struct Handle {
  std::shared_ptr<Model> model;
  std::unique_ptr<Player> player;
  bool playing = false;  // read and written with the GIL held
};

// One thread's turn on a player. A second thread is refused, for while the first plays without the GIL it would meet a
// state half made.
class Turn {
 public:
  explicit Turn(Handle& handle) : handle_(handle) {
    SHARKS_CHECK(!handle.playing, "this player is playing in another thread; give each thread a player of its own");
    handle.playing = true;
  }
  ~Turn() { handle_.playing = false; }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Handle& handle_;
};

Handle make_player(const std::shared_ptr<Model>& model, int streams, int threads,
                   std::optional<uintptr_t> cuda_stream) {
  SHARKS_CHECK(streams >= 1 && streams <= 1 << 20, "streams is ", streams, "; wanted 1 to 1048576");
  SHARKS_CHECK(threads >= 1 && threads <= 1024, "threads is ", threads, "; wanted 1 to 1024");
  std::unique_ptr<Player> player;
  {
    py::gil_scoped_release release;
    player = model->player(streams, threads);
  }
  if (cuda_stream) {
    SHARKS_CHECK(player->queue(), "cuda_stream is given, but a CPU plays; leave it out");
    player->use_queue(reinterpret_cast<void*>(*cuda_stream));
  }
  player->between_chunks([] {  // Ctrl-C
    py::gil_scoped_acquire acquire;
    if (PyErr_CheckSignals()) throw py::error_already_set();
  });
  return {model, std::move(player)};
}

// An array that another library holds and hands out by DLPack, for as long as this lives. What the library has put into
// its GPU's streams before comes before what is put into `stream` from now on.
class Borrowed {
 public:
  Borrowed(const py::object& tensor, intptr_t stream) {
    py::capsule capsule = tensor.attr("__dlpack__")(py::arg("stream") = stream);
    SHARKS_CHECK(std::string(capsule.name()) == "dltensor", "the tensor hands out '", capsule.name(), "', not a DLPack array");
    managed_.reset(capsule.get_pointer<Managed>());
    capsule.set_name("used_dltensor");
    SHARKS_CHECK(!dtype().empty(), "the tensor's type is not one of numpy's; convert it to float32 or int32");
    SHARKS_CHECK(sharks::dlpack::contiguous(tensor_of()), "the tensor is not contiguous; hand in its .contiguous()");
  }

  std::string dtype() const { return sharks::dlpack::dtype_name(tensor_of()); }
  Shape shape() const { return {tensor_of().shape, tensor_of().shape + tensor_of().ndim}; }
  void* data() const { return static_cast<char*>(tensor_of().data) + tensor_of().byte_offset; }

 private:
  using Managed = sharks::dlpack::Managed;
  struct Release {
    void operator()(Managed* managed) const {
      if (managed->deleter) managed->deleter(managed);
    }
  };
  const sharks::dlpack::Tensor& tensor_of() const { return managed_->tensor; }

  std::unique_ptr<Managed, Release> managed_;
};

constexpr intptr_t kDefaultStream = 1;  // what is put into it comes after what is in the others

// A copy in numpy of an array that a GPU library holds.
py::array to_host(const py::object& tensor) {
  const Borrowed from(tensor, kDefaultStream);
  py::array host(py::dtype(from.dtype()), from.shape());
  void* to = host.mutable_data();
  const void* data = from.data();
  const size_t bytes = static_cast<size_t>(host.nbytes());
  py::gil_scoped_release unlocked;
  sharks::cuda::fetch(to, data, bytes);
  return host;
}

// Where a result goes: a new numpy array, or the caller's `out`, a numpy array or a tensor on the GPU that plays, which
// must be just what the new one would be.
template <typename T>
class Result {
 public:
  Result(const py::object& out, const Shape& shape, const Player& player) : array_(out) {
    if (out.is_none()) array_ = Array<T>(shape);
    if (py::isinstance<py::array>(array_)) {
      auto array = py::reinterpret_borrow<py::array>(array_);
      checked<T>(array, "out", shape);
      SHARKS_CHECK(array.writeable(), "out can only be read; wanted an array that may be written");
      data_ = static_cast<T*>(array.mutable_data());
    } else {
      borrow(shape, player);
    }
  }

  T* data() const { return data_; }
  const py::object& array() const { return array_; }

 private:
  void borrow(const Shape& shape, const Player& player) {
    constexpr int kGpu = 2, kManaged = 13;  // as DLPack numbers where memory is
    std::pair<int, int> place{0, 0};
    if (py::hasattr(array_, "__dlpack_device__"))
      place = array_.attr("__dlpack_device__")().template cast<std::pair<int, int>>();
    SHARKS_CHECK(place.first == kGpu || place.first == kManaged, "out is a ", std::string(py::str(py::type::of(array_))),
                 "; wanted a numpy array, or a tensor on the GPU that plays");
    SHARKS_CHECK(player.queue(), "out lies on a GPU, but a CPU plays; wanted a numpy array");
    const int playing = sharks::cuda::device_index();
    SHARKS_CHECK(place.second == playing, "out lies on GPU ", place.second, ", but GPU ", playing,
                 " plays; wanted a tensor on that one");
    borrowed_.emplace(array_, reinterpret_cast<intptr_t>(player.queue()));
    const std::string wanted = py::str(py::dtype::of<T>());
    SHARKS_CHECK(borrowed_->dtype() == wanted, "out has dtype ", borrowed_->dtype(), "; wanted ", wanted);
    SHARKS_CHECK(borrowed_->shape() == shape, "out has shape ", text(borrowed_->shape()), "; wanted ", text(shape));
    data_ = static_cast<T*>(borrowed_->data());
  }

  py::object array_;
  std::optional<Borrowed> borrowed_;
  T* data_ = nullptr;
};

void reset(Handle& self, const py::array& levels) {
  const Turn turn(self);
  Player& player = *self.player;
  const int32_t* history = checked<int32_t>(levels, "levels", {player.streams(), player.lookback()});
  check_levels(history, levels.size(), player.q_levels());
  py::gil_scoped_release release;
  player.reset(history);
}

py::tuple force(Handle& self, const py::array& levels, bool want_logits, const std::vector<std::string>& stages,
                const py::object& out) {
  const Turn turn(self);
  Player& player = *self.player;
  const py::ssize_t B = player.streams();
  const int32_t* data = checked<int32_t>(levels, "levels", {B, -1});
  check_levels(data, levels.size(), player.q_levels());
  const py::ssize_t T = levels.shape(1);
  SHARKS_CHECK(want_logits || out.is_none(), "out is for logits, but want_logits is False; leave one of them out");
  std::optional<Result<float>> logits;
  if (want_logits) logits.emplace(out, Shape{B, T, player.q_levels()}, player);
  std::vector<sharks::Tap> taps;
  py::dict values;
  for (const std::string& stage : stages) {
    const int64_t count = player.stage_count(stage, T);
    Array<float> array(Shape{B, count, player.stage_width(stage)});
    taps.push_back({stage, array.mutable_data(), count});
    values[stage.c_str()] = array;
  }
  {
    py::gil_scoped_release release;
    player.force(data, T, logits ? logits->data() : nullptr, taps);
  }
  return py::make_tuple(logits ? logits->array() : py::none(), values);
}

py::object run(Handle& self, py::ssize_t n, const py::array& temperature, uint64_t seed, const py::array& streams,
               const py::object& out) {
  const Turn turn(self);
  Player& player = *self.player;
  const py::ssize_t B = player.streams();
  SHARKS_CHECK(n >= 0, "n is ", n, "; wanted 0 or more");
  const float* heat = checked<float>(temperature, "temperature", {B, n});
  const int64_t* ids = checked<int64_t>(streams, "streams", {B});
  for (py::ssize_t b = 0; b < B; ++b)
    SHARKS_CHECK(ids[b] >= 0 && ids[b] <= UINT32_MAX, "a stream is ", ids[b], "; wanted 0 to 4294967295");
  const Result<int32_t> levels(out, Shape{B, n}, player);
  {
    py::gil_scoped_release release;
    player.run(n, heat, seed, ids, levels.data());
  }
  return levels.array();
}

py::array empty_like(const StateField& field) {
  const Shape shape(field.shape.begin(), field.shape.end());
  if (field.type == StateField::Type::kFloat32) return Array<float>(shape);
  if (field.type == StateField::Type::kInt32) return Array<int32_t>(shape);
  return Array<int64_t>(shape);
}

py::dict get_state(Handle& self) {
  const Turn turn(self);
  py::dict state;
  for (const StateField& field : self.player->state_fields()) {
    py::array array = empty_like(field);
    self.player->get_state(field.name, array.mutable_data());
    state[field.name.c_str()] = array;
  }
  return state;
}

void set_state(Handle& self, const py::dict& state) {
  const Turn turn(self);
  Player& player = *self.player;
  const std::vector<StateField> fields = player.state_fields();
  SHARKS_CHECK(state.size() == fields.size(), "the state has ", state.size(), " arrays; wanted ", fields.size());
  std::vector<const void*> data;  // all are checked before any is set
  for (const StateField& field : fields) {
    SHARKS_CHECK(state.contains(field.name.c_str()), "the state lacks '", field.name, "'");
    const auto array = state[field.name.c_str()].cast<py::array>();
    const Shape shape(field.shape.begin(), field.shape.end());
    if (field.type == StateField::Type::kFloat32) {
      data.push_back(checked<float>(array, field.name, shape));
    } else if (field.type == StateField::Type::kInt64) {
      data.push_back(checked<int64_t>(array, field.name, shape));
    } else {
      const int32_t* levels = checked<int32_t>(array, field.name, shape);
      const int32_t lowest = field.name == "input.levels" ? -1 : 0;  // -1: an empty place
      for (py::ssize_t i = 0; i < array.size(); ++i)
        SHARKS_CHECK(levels[i] >= lowest && levels[i] < player.q_levels(), "state '", field.name, "' holds ", levels[i],
                     "; wanted ", lowest, " to ", player.q_levels() - 1);
      data.push_back(levels);
    }
  }
  for (size_t i = 0; i < fields.size(); ++i) player.set_state(fields[i].name, data[i]);
  py::gil_scoped_release release;
  player.state_changed();
}

void set_condition(Handle& self, const py::array& vectors) {
  const Turn turn(self);
  const float* data = checked<float>(vectors, "condition", {self.player->streams(), -1});
  self.player->set_condition(data, vectors.shape(1));
}

// W x for B inputs, as every layer computes it.
Array<float> product(const py::array& weights, const py::array& inputs, const std::string& dtype,
                     const std::string& isa) {
  using sharks::cpu::padded;
  const float* w = checked<float>(weights, "weights", {-1, -1});
  const int rows = static_cast<int>(weights.shape(0)), cols = static_cast<int>(weights.shape(1));
  const float* x = checked<float>(inputs, "inputs", {-1, cols});
  const int B = static_cast<int>(inputs.shape(0));
  const sharks::cpu::Matrix matrix(sharks::Dense(rows, cols).add(0, 0, w, rows, cols, cols), type_of(dtype));
  sharks::cpu::Floats in(static_cast<size_t>(B) * padded(cols)), out(static_cast<size_t>(B) * padded(rows));
  sharks::cpu::Floats scratch(sharks::cpu::scratch_size(B, padded(cols)));
  for (int b = 0; b < B; ++b) std::copy_n(x + b * cols, cols, in.data() + b * padded(cols));
  sharks::cpu::kernels(isa.c_str()).product(matrix, B, in.data(), padded(cols), nullptr, 0, out.data(), padded(rows),
                                            false, scratch.data());
  Array<float> result(Shape{B, rows});
  for (int b = 0; b < B; ++b) std::copy_n(out.data() + b * padded(rows), rows, result.mutable_data() + b * rows);
  return result;
}

Array<float> gumbel(uint64_t seed, int64_t stream, int64_t step, int q, const std::string& isa) {
  SHARKS_CHECK(q >= 1 && q <= 65536, "q is ", q, "; wanted 1 to 65536");
  Array<float> noise(Shape{q});
  sharks::cpu::kernels(isa.c_str()).gumbel(q, seed, stream, step, noise.mutable_data());
  return noise;
}

template <typename Work>
double best_of(int rounds, const Work& work) {
  double best = 1e30;
  for (int i = 0; i < rounds; ++i) {
    const auto start = std::chrono::steady_clock::now();
    volatile float used = work();
    static_cast<void>(used);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

// Seconds to read `bytes` of memory once, the best of `rounds` passes.
double probe_read(size_t bytes, int rounds) {
  const size_t count = std::max<size_t>(bytes / sizeof(float) / 128, 1) * 128;
  const sharks::cpu::Kernels& kernels = sharks::cpu::kernels("auto");
  py::gil_scoped_release release;
  sharks::cpu::Floats data(count);
  const size_t passes = std::max<size_t>(1, (size_t{8} << 20) / (count * sizeof(float)));  // more than the clock's grain
  const double seconds = best_of(rounds, [&] {
    float sum = 0;
    for (size_t i = 0; i < passes; ++i) sum += kernels.read_all(data.data(), count);
    return sum;
  });
  return seconds / passes * bytes / (count * sizeof(float));
}

// Multiply-adds per second on registers alone, the best of `rounds` tries.
double probe_multiply(const std::string& dtype, int rounds) {
  constexpr size_t kTurns = 200000;
  const sharks::cpu::Type type = type_of(dtype);
  const sharks::cpu::Kernels& kernels = sharks::cpu::kernels("auto");
  py::gil_scoped_release release;
  const double seconds = best_of(rounds, [&] { return kernels.multiply(type, kTurns); });
  const int lanes = sharks::cpu::kPanelRows * sharks::cpu::columns_per_unit(type);
  return kTurns * sharks::cpu::kProbeSums * lanes / seconds;
}

std::vector<std::string> isas() {
  std::vector<std::string> names;
  for (const char* const* name = sharks::cpu::available_isas(); *name; ++name) names.emplace_back(*name);
  return names;
}

}  // namespace

PYBIND11_MODULE(_core, m) {
  m.doc() = "The compiled engine. Use sharks.generate, sharks.stream and sharks.logits; engine.py is the door.";
  m.def("isas", isas, "Instruction sets that this build holds and this CPU runs, best first.");
  m.def("isa", [] { return sharks::cpu::kernels("auto").isa; }, "The set that \"auto\" means; SHARKS_ISA forces one.");
  m.def("product", &product, py::arg("weights"), py::arg("inputs"), py::arg("dtype") = "float32",
        py::arg("isa") = "auto", "weights float32 [M, N], inputs float32 [B, N] -> float32 [B, M]; for proof.");
  m.def("gumbel", &gumbel, py::arg("seed"), py::arg("stream"), py::arg("step"), py::arg("q"), py::arg("isa") = "auto",
        "The noise of one draw, float32 [q]; equals sharks.sampling.gumbel to the bit.");
  m.def("probe_read", &probe_read, py::arg("bytes"), py::arg("rounds") = 5,
        "Seconds that one thread needs to read so many bytes once, over and over: what weights of that size can reach.");
  m.def("probe_multiply", &probe_multiply, py::arg("dtype") = "float32", py::arg("rounds") = 5,
        "Multiply-adds per second of one thread on registers alone.");
  m.def("cuda_status", sharks::cuda::status, "Empty when a GPU can play, else why not.");
  m.def("cuda_device", sharks::cuda::device_name, "The GPU that plays, for people; empty where none can.");
  m.def(
      "probe_gpu",
      [] {
        const auto found = [] {
          py::gil_scoped_release release;
          return sharks::cuda::probe();
        }();
        return py::dict(py::arg("shared_load") = found.shared_load, py::arg("barrier") = found.barrier,
                        py::arg("tile") = found.tile, py::arg("hop") = found.hop, py::arg("clock") = found.clock);
      },
      "What this GPU needs, in clocks, for steps that wait for each other; clock: how many of them a second has.");
  m.def("to_host", &to_host, py::arg("tensor"), "A numpy copy of a contiguous array on a GPU that speaks DLPack.");

  py::class_<Model, std::shared_ptr<Model>>(m, "Model", py::module_local(),
                                            "Constant, prepared weights; shared by any number of players.")
      .def(py::init(&make_model), py::arg("spec"), py::arg("tensors"), py::arg("tables"), py::arg("isa") = "auto",
           py::arg("device") = "cpu", py::arg("dtype") = "float32", py::arg("plan") = "default")
      .def_property_readonly("isa", &Model::isa)
      .def_property_readonly("plan", &Model::plan)
      .def_property_readonly("notes", &Model::notes, "Sentences: why it plays slower than it might.")
      .def_property_readonly("cost",
                             [](const Model& self) {
                               const sharks::Cost cost = self.cost();
                               return py::dict(py::arg("step_bytes") = cost.step_bytes, py::arg("frame_bytes") = cost.frame_bytes,
                                               py::arg("working_set") = cost.working_set,
                                               py::arg("multiply_adds") = cost.multiply_adds);
                             })
      .def("player", &make_player, py::arg("streams"), py::arg("threads") = 1, py::arg("cuda_stream") = py::none(),
           "cuda_stream: the handle of the caller's stream, into which all work of a player on a GPU goes.");

  py::class_<Handle>(m, "Player", py::module_local(), "The state of B streams. Not to be used by two threads at once.")
      .def_property_readonly("streams", [](const Handle& self) { return self.player->streams(); })
      .def_property_readonly("position", [](const Handle& self) { return self.player->position(); })
      .def_property_readonly("notes", [](const Handle& self) { return self.player->notes(); }, "As the model's.")
      .def("reset", &reset, py::arg("levels"), "levels int32 [B, lookback]: the history; everything else is forgotten.")
      .def("force", &force, py::arg("levels"), py::arg("want_logits") = true,
           py::arg("stages") = std::vector<std::string>{}, py::arg("out") = py::none(),
           "levels int32 [B, T] -> (logits float32 [B, T, Q] or None, {stage: float32 [B, count, width]}). out: where "
           "the logits shall lie.")
      .def("run", &run, py::arg("n"), py::arg("temperature"), py::arg("seed"), py::arg("streams"),
           py::arg("out") = py::none(),
           "temperature float32 [B, n], streams int64 [B] -> drawn levels int32 [B, n], in `out` where it is given.")
      .def("get_state", &get_state, "The state by spec.state_tensors, streams first.")
      .def("set_state", &set_state, py::arg("state"))
      .def("set_condition", &set_condition, py::arg("vectors"), "Global conditioning, float32 [B, G].");
}
