// The only file that lists the families. A new one is a row of kFamilies and the headers of its three folders.
#include "registry.h"

#include "core/check.h"
#include "cpu/codes/model.h"
#include "cpu/samplernn/model.h"
#include "cpu/wavenet/model.h"
#include "cuda/samplernn/model.h"
#include "cuda/wavenet/model.h"

namespace sharks {
namespace {

template <typename Spec>
std::unique_ptr<Model> on_cpu(Fields& fields, Weights& tensors, Weights& tables, const char* isa, cpu::Type type) {
  const Spec spec(fields);
  const float* table = tables.take(Spec::kTable, {spec.q_levels});
  return cpu::make_model(spec, tensors, table, isa, type);
}

#ifdef SHARKS_HAS_CUDA
template <typename Spec>
std::unique_ptr<Model> on_cuda(Fields& fields, Weights& tensors, Weights& tables, cuda::Precision precision,
                               const std::string& plan, Fold fold) {
  const Spec spec(fields);
  const float* table = tables.take(Spec::kTable, {spec.q_levels});
  return cuda::make_model(spec, tensors, table, precision, plan, fold);
}
#else
template <typename Spec>
std::unique_ptr<Model> on_cuda(Fields&, Weights&, Weights&, cuda::Precision, const std::string&, Fold) {
  refuse(cuda::status());
}
#endif

template <typename Spec>
constexpr Family row() {
  return {Spec::kFamily, on_cpu<Spec>, on_cuda<Spec>};
}

// Codes carry no table, and no GPU plays them yet.
std::unique_ptr<Model> codes_on_cpu(Fields& fields, Weights& tensors, Weights&, const char* isa, cpu::Type type) {
  return cpu::make_model(CodesSpec(fields), tensors, isa, type);
}

std::unique_ptr<Model> codes_on_cuda(Fields&, Weights&, Weights&, cuda::Precision, const std::string&, Fold) {
  refuse("no GPU plays codes yet; use device 'cpu'");
}

constexpr Family kFamilies[] = {
    row<SampleRNNSpec>(),
    row<WaveNetSpec>(),
    {CodesSpec::kFamily, codes_on_cpu, codes_on_cuda},
};

}  // namespace

const Family& family_of(const std::string& name) {
  std::string known;
  for (const Family& family : kFamilies) {
    if (name == family.name) return family;
    known += (known.empty() ? "" : ", ") + std::string(family.name);
  }
  refuse("family is '", name, "', which this engine does not know; known are ", known,
         ", and a newer sharks-audio may know more");
}

}  // namespace sharks
