// A player as Python holds it, and what Python may ask of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "binding/arrays.h"
#include "core/engine.h"

namespace sharks::binding {

// A player and the model it reads.
struct Handle {
  std::shared_ptr<Model> model;
  std::unique_ptr<Player> player;
  bool playing = false;  // read and written with the GIL held
};

// `cuda_stream`: the handle of the caller's stream, for a player on a GPU only.
Handle make_player(const std::shared_ptr<Model>& model, int streams, int threads, std::optional<uintptr_t> cuda_stream);

// Each is refused while another thread plays, and checks what it was given; what may take long goes without the GIL.
void reset(Handle& self, const py::array& levels);
py::tuple force(Handle& self, const py::array& levels, bool want_logits, const std::vector<std::string>& stages,
                const py::object& out);
py::object run(Handle& self, py::ssize_t n, const py::array& temperature, uint64_t seed, const py::array& streams,
               const py::object& out);
py::dict get_state(Handle& self);
void set_state(Handle& self, const py::dict& state);
void set_condition(Handle& self, const py::array& vectors);

}  // namespace sharks::binding
