#include "core/weights.h"

#include "core/check.h"

namespace sharks {
namespace {

std::string text(const std::vector<int64_t>& shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

}  // namespace

void Weights::add(const std::string& name, std::vector<int64_t> shape, const float* data) {
  const bool fresh = tensors_.emplace(name, Tensor{std::move(shape), data, false}).second;
  SHARKS_CHECK(fresh, "tensor '", name, "' is given twice");
}

const float* Weights::take(const std::string& name, const std::vector<int64_t>& shape) {
  const auto found = tensors_.find(name);
  SHARKS_CHECK(found != tensors_.end(), "tensor '", name, "' is missing; wanted shape ", text(shape));
  Tensor& tensor = found->second;
  SHARKS_CHECK(tensor.shape == shape, "tensor '", name, "' has shape ", text(tensor.shape), "; wanted ", text(shape));
  SHARKS_CHECK(!tensor.taken, "tensor '", name, "' is taken twice");
  tensor.taken = true;
  return tensor.data;
}

void Weights::finish() const {
  for (const auto& [name, tensor] : tensors_)
    SHARKS_CHECK(tensor.taken, "tensor '", name, "' ", text(tensor.shape), " belongs to no part of this model");
}

}  // namespace sharks
