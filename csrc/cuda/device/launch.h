// Puts stage code to work: a kernel is a plain struct whose operator()(const Block&) runs on every block of a grid.
//
// What such a struct is handed has plain public names, and may have the letters that its file declares at the top; a
// class with a state of its own calls its members name_, here as everywhere.
#pragma once

#include <string>

#include "cuda/device/device.h"
#include "cuda/device/portable.h"

#ifdef __CUDACC__
#include <cuda_runtime.h>
#else
#include <algorithm>

#include "core/threads/threads.h"
#endif

namespace sharks::cuda {

struct Grid {
  int blocks, threads;  // threads: a multiple of 32
  size_t shared_bytes = 0;
  bool cooperative = false;  // all blocks run at once, for they wait for each other
  int cluster = 1;           // blocks that share their shared memory (sm_90)
};

#ifdef __CUDACC__

// Throws std::runtime_error with the failing call unless `status` is success.
void check_cuda(cudaError_t status, const char* call);
#define SHARKS_CUDA_CHECK(call) ::sharks::cuda::check_cuda((call), #call)

template <typename Work, int kThreads, int kBlocksPerProcessor>
__global__ void __launch_bounds__(kThreads, kBlocksPerProcessor) work_kernel(const __grid_constant__ Work work) {
  extern __shared__ __align__(16) unsigned char shared[];
  work(Block{static_cast<int>(blockIdx.x), static_cast<int>(gridDim.x), static_cast<int>(blockDim.x), shared});
}

// A kernel may ask for all the shared memory that a block can have: said once, for the limit is the process's, and
// players in different threads launch one kernel with layouts of different sizes.
template <typename Work>
auto kernel_of() {
  const auto kernel = work_kernel<Work, Work::kThreads, 1>;
  static const bool all_of_it = [&] {
    SHARKS_CUDA_CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                           static_cast<int>(device().shared_bytes)));
    return true;
  }();
  static_cast<void>(all_of_it);
  return kernel;
}

// Work::kThreads bounds the threads of a block, which bounds the registers of each. Throws NoRoom where CUDA refuses a
// grid as too large to run at once; what else keeps its blocks away they find out themselves (opening.h).
template <typename Work>
void launch(const Grid& grid, const Work& work, Stream stream) {
  const OnDevice here;
  const auto kernel = kernel_of<Work>();
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(static_cast<unsigned>(grid.blocks));
  config.blockDim = dim3(static_cast<unsigned>(grid.threads));
  config.dynamicSmemBytes = grid.shared_bytes;
  config.stream = static_cast<cudaStream_t>(stream);
  cudaLaunchAttribute attributes[2] = {};
  if (grid.cooperative) {
    attributes[config.numAttrs].id = cudaLaunchAttributeCooperative;
    attributes[config.numAttrs++].val.cooperative = 1;
  }
  if (grid.cluster > 1) {
    attributes[config.numAttrs].id = cudaLaunchAttributeClusterDimension;
    attributes[config.numAttrs++].val.clusterDim = {static_cast<unsigned>(grid.cluster), 1, 1};
    if (grid.cluster > 8)
      SHARKS_CUDA_CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeNonPortableClusterSizeAllowed, 1));
  }
  config.attrs = attributes;
  const cudaError_t status = cudaLaunchKernelEx(&config, kernel, work);
  if (status == cudaErrorCooperativeLaunchTooLarge) {
    static_cast<void>(cudaGetLastError());
    throw NoRoom(cudaGetErrorString(status));
  }
  check_cuda(status, "cudaLaunchKernelEx(&config, kernel, work)");
}

// How many blocks (of whole clusters) of such a grid the GPU runs at once. A cooperative grid may have no more.
template <typename Work>
int blocks_at_once(const Grid& grid) {
  const OnDevice here;
  const auto kernel = kernel_of<Work>();
  int count = 0;
  if (grid.cluster == 1) {
    SHARKS_CUDA_CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&count, kernel, grid.threads, grid.shared_bytes));
    return count * device().processors;
  }
  if (grid.cluster > 8)
    SHARKS_CUDA_CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeNonPortableClusterSizeAllowed, 1));
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(static_cast<unsigned>(grid.cluster));
  config.blockDim = dim3(static_cast<unsigned>(grid.threads));
  config.dynamicSmemBytes = grid.shared_bytes;
  cudaLaunchAttribute attribute = {};
  attribute.id = cudaLaunchAttributeClusterDimension;
  attribute.val.clusterDim = {static_cast<unsigned>(grid.cluster), 1, 1};
  config.attrs = &attribute;
  config.numAttrs = 1;
  if (cudaOccupancyMaxActiveClusters(&count, kernel, &config) != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    return 0;
  }
  return count * grid.cluster;
}

#else  // on the host blocks run in turn, or, where they wait for each other, each on its own thread

// How many blocks of a grid whose blocks wait really run at once on the emulated GPU, whatever blocks_at_once() says:
// fewer than that on a busy one. What is negative refuses larger grids.
int free_blocks();

template <typename Work>
void launch(const Grid& grid, const Work& work, Stream) {
  const size_t lines = grid.shared_bytes / sizeof(std::max_align_t) + 1;
  std::vector<std::max_align_t> memory(lines * grid.blocks);
  std::memset(memory.data(), 0xCD, memory.size() * sizeof(std::max_align_t));  // as good as never cleared
  std::vector<void*> shared;
  for (int index = 0; index < grid.blocks; ++index) shared.push_back(&memory[lines * index]);
  const auto run = [&](int index) { work(Block{index, grid.blocks, grid.threads, shared[index], shared.data()}); };
  if (!grid.cooperative && grid.cluster == 1) {
    for (int index = 0; index < grid.blocks; ++index) run(index);
    return;
  }
  const int free = free_blocks();
  if (free < 0 && grid.blocks > -free) throw NoRoom("too many blocks in cooperative launch");
  const int clusters = std::min(free < 0 ? grid.blocks : free, grid.blocks) / grid.cluster;
  const int together = std::max(clusters, 1) * grid.cluster;
  Crew(together).run([&](int first) {  // whoever finds no place starts when another has left
    for (int index = first; index < grid.blocks; index += together) run(index);
  });
}

template <typename Work>
int blocks_at_once(const Grid& grid) {
  return device().processors / grid.cluster * grid.cluster;
}

#endif

}  // namespace sharks::cuda
