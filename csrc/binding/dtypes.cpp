#include "binding/dtypes.h"

#include "core/fields.h"

namespace sharks::binding {

cpu::Type type_of(const std::string& dtype) {
  using cpu::Type;
  return one_of<Type>("dtype", dtype,
                      {{"float32", Type::kFloat32}, {"bfloat16", Type::kBfloat16}, {"int8", Type::kInt8}});
}

cuda::Precision precision_of(const std::string& dtype) {
  using cuda::Precision;
  return one_of<Precision>("dtype", dtype, {{"float32", Precision::kFloat32}, {"float16", Precision::kFloat16}});
}

}  // namespace sharks::binding
