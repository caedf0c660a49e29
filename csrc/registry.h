// The families that this engine plays, each by the name that a spec gives it.
#pragma once

#include <memory>
#include <string>

#include "core/dense.h"
#include "core/engine.h"
#include "core/fields.h"
#include "core/weights.h"
#include "cpu/simd/kernels.h"
#include "cuda/cuda.h"

namespace sharks {

// How a family makes a model of a pack: its spec, its tensors, and the tables that say what its levels mean. Each takes
// what it knows and refuses what is missing or left over.
struct Family {
  const char* name;
  std::unique_ptr<Model> (*on_cpu)(Fields& spec, Weights& tensors, Weights& tables, const char* isa, cpu::Type type);
  // `plan`: "default", "throughput" (for many streams), or the name of one plan. `fold`: fast products for the folds.
  // The caller keeps tensors and tables alive as long as the model: another plan may be made of them.
  std::unique_ptr<Model> (*on_cuda)(Fields& spec, Weights& tensors, Weights& tables, cuda::Precision precision,
                                    const std::string& plan, Fold fold);
};

// The family of that name; refuses one that is not among them.
const Family& family_of(const std::string& name);

}  // namespace sharks
