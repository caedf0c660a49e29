// What a step does besides arithmetic: nothing. Plays every family, type, number of streams and threads for thousands
// of steps in one run() and prints a line for each:
//
//   NAME steps=N allocations=N locks=N system_calls=N yields=N
//
// Counted are the steps from kWarmUp to the last. Where threads share single products, every thread of the process is
// counted; where each thread plays streams of its own, each of them, from its own step kWarmUp on. system_calls are
// those other than sched_yield and sleep, by which a thread that waits lets others run, and which count as yields; -1
// where the machine lets nobody count them.
//
// Lines that begin with "control" come from kernels that misbehave on purpose, once in each of N steps: they must not
// be quiet.
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

#include "cpu/simd/kernels.h"
#include "random_models.h"
#include "watch.h"

namespace {

using namespace sharks;
using namespace sharks::test;

enum class Fault { kNone, kNew, kMalloc, kFree, kLock, kNotify, kSystemCall };
constexpr std::pair<const char*, Fault> kFaults[] = {{"new", Fault::kNew},       {"malloc", Fault::kMalloc},
                                                     {"free", Fault::kFree},     {"lock", Fault::kLock},
                                                     {"notify", Fault::kNotify}, {"system-call", Fault::kSystemCall}};
constexpr int64_t kWarmUp = 20;  // by then every tier has run and every ring come round

// The scene that plays now. Written while nothing plays.
struct Scene {
  Fault fault = Fault::kNone;
  bool fault_on_server = false;  // on a thread that serves products, not on the one that leads the step
  bool team = false;
  int64_t last = 0;
  const cpu::Kernels* kernels = nullptr;
} scene;

void commit(Fault fault) {
  static std::mutex mutex;
  static std::condition_variable condition;
  void* volatile kept = nullptr;  // or the compiler leaves out what nobody sees
  switch (fault) {
    case Fault::kNone:
      return;
    case Fault::kNew:
      kept = new int;
      return delete static_cast<int*>(kept);
    case Fault::kMalloc:
      kept = std::malloc(64);
      return std::free(kept);
    case Fault::kFree:
      return std::free(kept);
    case Fault::kLock: {
      const std::lock_guard lock(mutex);
      return;
    }
    case Fault::kNotify:
      return condition.notify_all();
    case Fault::kSystemCall:
      syscall(SYS_getppid);
      return;
  }
}

const std::thread::id the_lead = std::this_thread::get_id();

// Of a scene with a fault on a serving thread: whether one was committed since the last draw, and in how many of the
// steps that are counted. Not in all: on a busy machine a team rests, and its lead does what the others should.
std::atomic<bool> fault_on_server{false};
int64_t steps_with_fault = 0;

int32_t watched_draw(const float* logits, int Q, float temperature, uint64_t seed, int64_t stream, int64_t step) {
  if (step == scene.last) close_window();
  if (fault_on_server.exchange(false) && step > kWarmUp && step <= scene.last) ++steps_with_fault;
  const int32_t level = scene.kernels->draw(logits, Q, temperature, seed, stream, step);
  if (!scene.fault_on_server) commit(scene.fault);
  if (step == kWarmUp) open_window(scene.team);
  return level;
}

void watched_product(const cpu::Packed& w, int B, const float* x, size_t ld_x, const float* init, size_t ld_init,
                     float* y, size_t ld_y, bool relu, float* scratch) {
  if (scene.fault_on_server && std::this_thread::get_id() != the_lead) {
    commit(scene.fault);
    fault_on_server = true;
  }
  scene.kernels->product(w, B, x, ld_x, init, ld_init, y, ld_y, relu, scratch);
}

void play(const char* label, const char* family, const char* isa, const char* type, int streams, int threads, int64_t n,
          Fault fault = Fault::kNone, bool on_server = false) {
  scene = {fault, on_server, threads > streams, n - 1, scene.kernels};
  const auto model = random_model(family, 320, isa, type);
  Board& seen = board();
  int64_t steps = n - 1 - kWarmUp;
  for (int attempts = 0; attempts < 100; ++attempts) {
    const auto player = started(*model, streams, threads);
    seen.allocations = seen.locks = seen.system_calls = seen.yields = steps_with_fault = 0;
    free_run(*player, n);
    if (on_server) steps = steps_with_fault;
    if (steps > 0) break;
  }
  std::printf(
      "%s/%s/%s/%s/streams-%d/threads-%d steps=%lld allocations=%lld locks=%lld system_calls=%lld yields=%lld\n", label,
      family, isa, type, streams, threads, static_cast<long long>(steps), static_cast<long long>(seen.allocations),
      static_cast<long long>(seen.locks), seen.traced ? static_cast<long long>(seen.system_calls) : -1LL,
      static_cast<long long>(seen.yields));
}

int play_all() {
  constexpr std::pair<int, int> kCompanies[] = {{1, 1}, {5, 1}, {1, 2}, {5, 2}};
  const char* const* isas = cpu::available_isas();
  const char* best = isas[0];
  for (const char* family : kFamilies)
    for (const char* type : kTypes)
      for (const auto& [streams, threads] : kCompanies) play("step", family, best, type, streams, threads, 2000);
  for (const char* const* isa = isas + 1; *isa; ++isa)
    for (const char* family : kFamilies)
      for (const char* type : kTypes) play("step", family, *isa, type, 2, 1, 100);
  for (const auto& [name, fault] : kFaults) {
    const std::string control = std::string("control-") + name;
    play(control.c_str(), "wavenet", best, "float32", 1, 1, 100, fault);
    play(control.c_str(), "samplernn", best, "int8", 5, 2, 100, fault);
    play((control + "-on-a-serving-thread").c_str(), "wavenet", best, "float32", 1, 2, 100, fault, true);
  }
  return 0;
}

}  // namespace

// The linker sends every question for kernels here (--wrap), so that a set can be watched from inside.
extern "C" const cpu::Kernels& __real__ZN6sharks3cpu7kernelsEPKc(const char* isa);
extern "C" const cpu::Kernels& __wrap__ZN6sharks3cpu7kernelsEPKc(const char* isa) {
  static cpu::Kernels watched;
  scene.kernels = &__real__ZN6sharks3cpu7kernelsEPKc(isa);
  watched = *scene.kernels;
  watched.draw = watched_draw;
  watched.product = watched_product;
  return watched;
}

int main() { return trace(play_all); }
