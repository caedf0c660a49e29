// Where a result is put: into an array of its own, or into one of the caller's, on the host or on the GPU that plays.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "binding/arrays.h"
#include "binding/borrowed.h"
#include "core/engine.h"
#include "cuda/cuda.h"

namespace sharks::binding {

// A new numpy array, or the caller's `out`, a numpy array or a tensor on the GPU that plays, which must be just what
// the new one would be.
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
    SHARKS_CHECK(place.first == kGpu || place.first == kManaged, "out is a ",
                 std::string(py::str(py::type::of(array_))),
                 "; wanted a numpy array, or a tensor on the GPU that plays");
    SHARKS_CHECK(player.queue(), "out lies on a GPU, but a CPU plays; wanted a numpy array");
    const int playing = cuda::device_index();
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

}  // namespace sharks::binding
