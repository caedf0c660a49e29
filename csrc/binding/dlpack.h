// DLPack's layout of an array that another library owns (github.com/dmlc/dlpack, version 0 of its binary interface), as
// much as is needed to read or fill one.
#pragma once

#include <cstdint>
#include <string>

namespace sharks::dlpack {

struct Tensor {
  void* data;
  struct {
    int32_t type, id;
  } device;
  int32_t ndim;
  struct {
    uint8_t code, bits;  // code: 0 int, 1 unsigned, 2 float
    uint16_t lanes;
  } dtype;
  int64_t* shape;
  int64_t* strides;  // in elements; null where C-contiguous
  uint64_t byte_offset;
};

struct Managed {
  Tensor tensor;
  void* context;
  void (*deleter)(Managed*);
};

// numpy's name of the type, or nothing where numpy has none.
inline std::string dtype_name(const Tensor& tensor) {
  constexpr const char* kKinds[] = {"int", "uint", "float"};
  if (tensor.dtype.code > 2 || tensor.dtype.lanes != 1) return "";
  return kKinds[tensor.dtype.code] + std::to_string(tensor.dtype.bits);
}

inline bool contiguous(const Tensor& tensor) {
  int64_t stride = 1;
  for (int i = tensor.ndim - 1; tensor.strides && i >= 0; --i) {
    if (tensor.shape[i] != 1 && tensor.strides[i] != stride) return false;
    stride *= tensor.shape[i];
  }
  return true;
}

}  // namespace sharks::dlpack
