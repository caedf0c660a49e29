// A CPU that plays the GPU, for the tests: the same stage code, packers, plans and player, compiled by the host's
// compiler.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <mutex>
#include <new>

#include "cuda/cuda.h"
#include "cuda/device/device.h"
#include "cuda/device/launch.h"
#include "cuda/device/trouble.h"

namespace sharks::cuda {

std::string status() { return ""; }
std::string device_name() { return device().name; }
int device_index() { return 0; }
void fetch(void* to, const void* from, size_t bytes) { std::memcpy(to, from, bytes); }

// SHARKS_EMULATED="CAPABILITY PROCESSORS KIBIBYTES FREE PATIENCE LATER" asks for another GPU: its capability, how many
// processors it has, and how much shared memory a block of it may take. FREE makes it a busy one, see free_blocks() in
// launch.h; PATIENCE is how many milliseconds blocks then wait for the others to come, and LATER how many launches it
// plays before it is busy.
namespace {

constexpr int kAll = std::numeric_limits<int>::max();
using Kind = std::array<int, 6>;

Kind wanted_kind() {
  Kind kind{80, 16, 96, kAll, static_cast<int>(kPatience / 1000000), 0};
  if (const char* wanted = std::getenv("SHARKS_EMULATED"))
    std::sscanf(wanted, "%d %d %d %d %d %d", &kind[0], &kind[1], &kind[2], &kind[3], &kind[4], &kind[5]);
  return kind;
}

}  // namespace

int free_blocks() {
  static std::mutex mutex;
  static std::map<Kind, int> launches;
  const Kind kind = wanted_kind();
  const std::lock_guard lock(mutex);
  return launches[kind]++ < kind[5] ? kAll : kind[3];
}

const Device& device() {
  static std::mutex mutex;
  static std::map<Kind, Device> known;
  const Kind kind = wanted_kind();
  const std::lock_guard lock(mutex);
  const Device emulated{"emulated on the CPU",
                        kind[0],
                        kind[1],
                        static_cast<size_t>(kind[2]) << 10,
                        4 << 20,
                        static_cast<uint64_t>(kind[4]) * 1000000u,
                        true};
  return known.emplace(kind, emulated).first->second;
}

OnDevice::OnDevice() : OnDevice(device_index()) {}
OnDevice::OnDevice(int index) : index_(index) {}
OnDevice::~OnDevice() = default;

Memory::Memory(size_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  data_.reset(std::aligned_alloc(256, (bytes + 255) / 256 * 256));
  if (!data_) throw std::bad_alloc();
  std::memset(data_.get(), 0, bytes);
}

void Memory::Free::operator()(void* p) const { std::free(p); }

void copy(void* to, const void* from, size_t bytes, Stream) {
  if (bytes) std::memcpy(to, from, bytes);
}
void copy_rows(void* to, size_t to_stride, const void* from, size_t from_stride, size_t bytes, size_t rows,
               Stream stream) {
  for (size_t row = 0; row < rows; ++row)
    copy(static_cast<char*>(to) + row * to_stride, static_cast<const char*>(from) + row * from_stride, bytes, stream);
}
void clear(void* data, size_t bytes, Stream) {
  if (bytes) std::memset(data, 0, bytes);
}

OwnStream::OwnStream() : stream_(this) {}  // any name of its own
OwnStream::~OwnStream() = default;
Stream callers_stream(void* handle) { return handle ? handle : reinterpret_cast<Stream>(1); }

}  // namespace sharks::cuda
