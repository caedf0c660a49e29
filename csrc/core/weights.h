// Named read-only tensors of a pack. A model takes each by name and shape; finish() refuses what is left over.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sharks {

class Weights {
 public:
  // The caller keeps `data` (row-major, float32) alive until the model is made; for a GPU, as long as the model lives.
  void add(const std::string& name, std::vector<int64_t> shape, const float* data);

  // The tensor's values; throws unless it is here, with this shape, and not taken before.
  const float* take(const std::string& name, const std::vector<int64_t>& shape);

  void finish() const;

 private:
  struct Tensor {
    std::vector<int64_t> shape;
    const float* data;
    bool taken;
  };
  std::map<std::string, Tensor> tensors_;
};

}  // namespace sharks
