// Stands in for the CUDA engine in a build without it.
#include "cuda/cuda.h"

#include "core/check.h"

namespace sharks::cuda {

std::string status() { return "this build has no CUDA engine; use device=\"cpu\", or install a build made with SHARKS_CUDA=on"; }

std::unique_ptr<Model> make_wavenet(const WaveNetSpec&, Weights&, const float*) { refuse(status()); }
std::unique_ptr<Model> make_samplernn(const SampleRNNSpec&, Weights&, const float*) { refuse(status()); }

}  // namespace sharks::cuda
