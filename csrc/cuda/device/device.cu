// The GPU through the CUDA runtime, which is linked statically: nothing of CUDA need be installed but the driver.
#include <cuda_runtime.h>
#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <stdexcept>

#include "core/check.h"
#include "cuda/cuda.h"
#include "cuda/device/device.h"
#include "cuda/device/driver.h"
#include "cuda/device/launch.h"
#include "cuda/device/trouble.h"
#include "cuda/device/visible.h"

namespace sharks::cuda {
namespace {

constexpr int kOldestCapability = 75;
constexpr char kInstead[] = "or use device=\"cpu\"";

std::string version(int number) { return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10); }

// The runtime answers alike where there is no driver and where it is too old; its library tells them apart.
std::string driver_trouble() {
  void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return std::string("this machine has no NVIDIA driver (libcuda.so.1 is not found); ") + "install version " +
           oldest_driver(CUDART_VERSION) + " or newer, " + kInstead;
  int speaks = 0;
  const auto get = reinterpret_cast<int (*)(int*)>(dlsym(library, "cuDriverGetVersion"));
  const bool known = get && get(&speaks) == 0;
  dlclose(library);
  if (known && !driver_serves(speaks, CUDART_VERSION))
    return "the NVIDIA driver speaks CUDA " + version(speaks) + ", but this build wants " + version(CUDART_VERSION) +
           "; install driver " + oldest_driver(CUDART_VERSION) + " or newer, " + kInstead;
  return "";
}

std::string find_trouble() {
  const std::string driver = driver_trouble();
  if (!driver.empty()) return driver;
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaErrorNoDevice || (status == cudaSuccess && count == 0)) {
    const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
    return std::string("the NVIDIA driver shows no GPU") +
           (visible ? std::string("; CUDA_VISIBLE_DEVICES is '") + visible + "'" : "") + "; check nvidia-smi, " +
           kInstead;
  }
  if (status != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    return std::string("CUDA does not start (") + cudaGetErrorString(status) + "); check nvidia-smi, " + kInstead;
  }
  const Device& found = device();
  if (found.capability < kOldestCapability)
    return "the " + found.name + " has compute capability " + std::to_string(found.capability / 10) + "." +
           std::to_string(found.capability % 10) + "; this engine wants 7.5 or newer, " + kInstead;
  return "";
}

int visible_gpus() {
  int count = 0;
  SHARKS_CUDA_CHECK(cudaGetDeviceCount(&count));
  return count;
}

cudaStream_t raw(Stream stream) { return static_cast<cudaStream_t>(stream); }

}  // namespace

void check_cuda(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());
  if (status == cudaErrorMemoryAllocation) throw std::bad_alloc();
  throw std::runtime_error(std::string("the GPU failed (") + cudaGetErrorString(status) + " in " + call + ")");
}

// Only what is good is remembered, and for this process alone: a driver may come to itself, and a forked child has not
// the GPU of its parent.
std::string status() {
  static std::atomic<pid_t> good{0};
  const pid_t process = getpid();
  if (good == process) return "";
  try {
    const std::string trouble = find_trouble();
    if (trouble.empty())
      good = process;
    else if (good != 0)
      return std::string("this process was forked from one that uses the GPU; start it anew (Python's \"spawn\"), ") +
             kInstead;
    return trouble;
  } catch (const std::exception& error) {
    return std::string("CUDA does not start (") + error.what() + "); check nvidia-smi, " + kInstead;
  }
}

std::string device_name() {
  if (!status().empty()) return "";
  const Device& found = device();
  const int visible = visible_gpus();
  const std::string which =
      visible > 1 ? "GPU " + std::to_string(device_index()) + " of " + std::to_string(visible) + ": " : "";
  return which + found.name + ", sm_" + std::to_string(found.capability) + ", " + std::to_string(found.processors) +
         " processors";
}

int device_index() {
  static const int index = gpu_of_process(visible_gpus(), std::getenv("LOCAL_RANK"), std::getenv("SLURM_LOCALID"));
  return index;
}

const Device& device() {
  static const Device found = [] {
    cudaDeviceProp p{};
    SHARKS_CUDA_CHECK(cudaGetDeviceProperties(&p, device_index()));
    const size_t resident = static_cast<size_t>(p.multiProcessorCount) *
                            (static_cast<size_t>(p.regsPerMultiprocessor) * 4 + p.sharedMemPerMultiprocessor);
    return Device{
        p.name, 10 * p.major + p.minor, p.multiProcessorCount, p.sharedMemPerBlockOptin, resident, kOpeningPatience,
        false};
  }();
  return found;
}

OnDevice::OnDevice() : OnDevice(device_index()) {}

OnDevice::OnDevice(int index) : index_(index) {
  SHARKS_CUDA_CHECK(cudaGetDevice(&before_));
  if (before_ != index_) SHARKS_CUDA_CHECK(cudaSetDevice(index_));
}

OnDevice::~OnDevice() {
  if (before_ != index_) static_cast<void>(cudaSetDevice(before_));
}

Memory::Memory(size_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  const OnDevice here;
  void* data = nullptr;
  SHARKS_CUDA_CHECK(cudaMalloc(&data, bytes));
  data_.reset(data);
  clear(data, bytes, nullptr);
  SHARKS_CUDA_CHECK(cudaStreamSynchronize(nullptr));  // other streams do not wait for this one
}

void Memory::Free::operator()(void* p) const { static_cast<void>(cudaFree(p)); }

void copy(void* to, const void* from, size_t bytes, Stream stream) {
  copy_rows(to, bytes, from, bytes, bytes, 1, stream);
}

void copy_rows(void* to, size_t to_stride, const void* from, size_t from_stride, size_t bytes, size_t rows,
               Stream stream) {
  if (bytes == 0 || rows == 0) return;
  const OnDevice here;
  constexpr size_t kWidest = INT32_MAX;  // stride, in bytes, that one copy of rows takes
  if (rows > 1 && to_stride <= kWidest && from_stride <= kWidest) {
    SHARKS_CUDA_CHECK(cudaMemcpy2DAsync(to, to_stride, from, from_stride, bytes, rows, cudaMemcpyDefault, raw(stream)));
  } else {
    for (size_t row = 0; row < rows; ++row)
      SHARKS_CUDA_CHECK(cudaMemcpyAsync(static_cast<char*>(to) + row * to_stride,
                                        static_cast<const char*>(from) + row * from_stride, bytes, cudaMemcpyDefault,
                                        raw(stream)));
  }
  SHARKS_CUDA_CHECK(cudaStreamSynchronize(raw(stream)));
}

void fetch(void* to, const void* from, size_t bytes) {
  if (bytes == 0) return;
  cudaPointerAttributes where{};
  SHARKS_CUDA_CHECK(cudaPointerGetAttributes(&where, from));
  const OnDevice there(where.device < 0 ? device_index() : where.device);  // whose default stream it is
  SHARKS_CUDA_CHECK(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, nullptr));
  SHARKS_CUDA_CHECK(cudaStreamSynchronize(nullptr));
}

void clear(void* data, size_t bytes, Stream stream) {
  if (bytes == 0) return;
  const OnDevice here;
  SHARKS_CUDA_CHECK(cudaMemsetAsync(data, 0, bytes, raw(stream)));
}

OwnStream::OwnStream() {
  const OnDevice here;
  cudaStream_t stream = nullptr;
  SHARKS_CUDA_CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  stream_ = stream;
}

OwnStream::~OwnStream() { static_cast<void>(cudaStreamDestroy(raw(stream_))); }

Stream callers_stream(void* handle) {
  const OnDevice here;
  int owner = 0;
  const cudaStream_t stream = handle ? raw(handle) : cudaStreamLegacy;
  SHARKS_CUDA_CHECK(cudaStreamGetDevice(stream, &owner));
  SHARKS_CHECK(owner == device_index(), "cuda_stream is one of GPU ", owner, ", but GPU ", device_index(),
               " plays; wanted a stream of that one");
  return stream;
}

}  // namespace sharks::cuda
