// Tensors of other libraries, lent by DLPack: held while they are read or filled, and given back.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "binding/arrays.h"
#include "binding/dlpack.h"
#include "cuda/cuda.h"

namespace sharks::binding {

// An array that another library holds and hands out by DLPack, for as long as this lives. What the library has put into
// its GPU's streams before comes before what is put into `stream` from now on.
class Borrowed {
 public:
  Borrowed(const py::object& tensor, intptr_t stream) {
    py::capsule capsule = tensor.attr("__dlpack__")(py::arg("stream") = stream);
    SHARKS_CHECK(std::string(capsule.name()) == "dltensor", "the tensor hands out '", capsule.name(),
                 "', not a DLPack array");
    managed_.reset(capsule.get_pointer<Managed>());
    capsule.set_name("used_dltensor");
    SHARKS_CHECK(!dtype().empty(), "the tensor's type is not one of numpy's; convert it to float32 or int32");
    SHARKS_CHECK(dlpack::contiguous(tensor_of()), "the tensor is not contiguous; hand in its .contiguous()");
  }

  std::string dtype() const { return dlpack::dtype_name(tensor_of()); }
  Shape shape() const { return {tensor_of().shape, tensor_of().shape + tensor_of().ndim}; }
  void* data() const { return static_cast<char*>(tensor_of().data) + tensor_of().byte_offset; }

 private:
  using Managed = dlpack::Managed;
  struct Release {
    void operator()(Managed* managed) const {
      if (managed->deleter) managed->deleter(managed);
    }
  };
  const dlpack::Tensor& tensor_of() const { return managed_->tensor; }

  std::unique_ptr<Managed, Release> managed_;
};

constexpr intptr_t kDefaultStream = 1;  // what is put into it comes after what is in the others

// A copy in numpy of an array that a GPU library holds.
inline py::array to_host(const py::object& tensor) {
  const Borrowed from(tensor, kDefaultStream);
  py::array host(py::dtype(from.dtype()), from.shape());
  void* to = host.mutable_data();
  const void* data = from.data();
  const size_t bytes = static_cast<size_t>(host.nbytes());
  py::gil_scoped_release unlocked;
  cuda::fetch(to, data, bytes);
  return host;
}

}  // namespace sharks::binding
