// One call of Python, one call of the engine: check every array, release the GIL, play.
#include "binding/player.h"

#include "binding/result.h"

namespace sharks::binding {

namespace {

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

py::array empty_like(const StateField& field) {
  const Shape shape(field.shape.begin(), field.shape.end());
  if (field.type == StateField::Type::kFloat32) return Array<float>(shape);
  if (field.type == StateField::Type::kInt32) return Array<int32_t>(shape);
  return Array<int64_t>(shape);
}

}  // namespace

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
  std::vector<Tap> taps;
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
  const float* temperatures = checked<float>(temperature, "temperature", {B, n});
  const int64_t* ids = checked<int64_t>(streams, "streams", {B});
  for (py::ssize_t b = 0; b < B; ++b)
    SHARKS_CHECK(ids[b] >= 0 && ids[b] <= UINT32_MAX, "a stream is ", ids[b], "; wanted 0 to 4294967295");
  const Result<int32_t> levels(out, Shape{B, n}, player);
  {
    py::gil_scoped_release release;
    player.run(n, temperatures, seed, ids, levels.data());
  }
  return levels.array();
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
      for (py::ssize_t i = 0; i < array.size(); ++i)
        SHARKS_CHECK(levels[i] >= field.lowest && levels[i] < player.q_levels(), "state '", field.name, "' holds ",
                     levels[i], "; wanted ", field.lowest, " to ", player.q_levels() - 1);
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

}  // namespace sharks::binding
