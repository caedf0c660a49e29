// Crews, teams and players among threads: what they compute, that they can be used again, and what happens when a job
// throws. Short enough for ThreadSanitizer, which should find nothing.
#include "core/threads/threads.h"

#include <sys/resource.h>

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/threads/team.h"
#include "expect.h"
#include "random_models.h"

namespace {

using namespace sharks;
using namespace sharks::test;

template <typename Work>
std::string refusal_of(const Work& work) {
  try {
    work();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

void a_crew_does_each_job_once_on_every_thread() {
  for (int size : {1, 2, 5}) {
    Crew crew(size);
    std::vector<int> times(static_cast<size_t>(size));
    std::vector<std::thread::id> threads(static_cast<size_t>(size));
    for (int round = 0; round < 200; ++round)
      crew.run([&](int i) {
        ++times[static_cast<size_t>(i)];
        threads[static_cast<size_t>(i)] = std::this_thread::get_id();
      });
    for (int n : times) EXPECT(n == 200);
    for (size_t i = 1; i < threads.size(); ++i) EXPECT(threads[i] != threads[i - 1]);
    EXPECT(threads[0] == std::this_thread::get_id());
  }
}

void what_a_job_throws_comes_out_and_the_crew_goes_on() {
  Crew crew(3);
  for (int culprit = 0; culprit < 3; ++culprit) {
    std::atomic<int> others{0};
    const auto job = [&](int i) {
      if (i == culprit) throw std::runtime_error("mine");
      ++others;
    };
    EXPECT(refusal_of([&] { crew.run(job); }) == "mine");
    EXPECT(others == 2);
  }
  EXPECT(refusal_of([&] { crew.run([](int) { throw std::runtime_error("all of us"); }); }) == "all of us");
  EXPECT(refusal_of([&] { crew.run([](int) {}); }).empty());
}

// Sums that only come right if every part sees what the lead wrote before, and the lead what every part wrote.
void a_team_shares_what_the_lead_has_written() {
  for (int size : {2, 4}) {
    Team team(size);
    std::vector<long> input(static_cast<size_t>(size)), output(static_cast<size_t>(size));
    long total = 0, wanted = 0;
    const auto walk = [&] {
      for (int step = 0; step < 300; ++step) {
        for (long& value : input) value = step + total % 7, wanted += 2 * value;
        auto part = [&](int i) noexcept { output[static_cast<size_t>(i)] = 2 * input[static_cast<size_t>(i)]; };
        team.share(part);
        for (long value : output) total += value;
      }
    };
    for (int session = 0; session < 5; ++session) team.session(walk);
    walk();  // outside a session the caller does every part
    EXPECT(total == wanted);
    team.session([] {});  // and one in which nothing is shared
  }
}

void what_a_session_throws_comes_out_and_the_team_goes_on() {
  Team team(3);
  for (int shares = 0; shares < 3; ++shares) {
    const auto work = [&] {
      std::atomic<int> parts{0};
      auto part = [&](int) noexcept { ++parts; };
      for (int i = 0; i < shares; ++i) team.share(part);
      EXPECT(parts == 3 * shares);
      throw std::runtime_error("in the middle");
    };
    EXPECT(refusal_of([&] { team.session(work); }) == "in the middle");
  }
}

// A member that comes late has lost its core: then the lead does every part alone, for ten times as long as it waited.
void a_team_rests_when_a_member_comes_late() {
  Team team(2);
  const std::thread::id lead = std::this_thread::get_id();
  int alone = 0, sum = 0;
  std::thread::id second;
  bool late = true;
  auto part = [&](int i) noexcept {
    if (i == 0) return;
    if (late) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    second = std::this_thread::get_id();
    ++sum;
  };
  team.session([&] {
    team.share(part);
    EXPECT(second != lead);
    late = false;
    const auto start = std::chrono::steady_clock::now();
    const auto passed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
    for (team.share(part); second == lead && passed() < 30; team.share(part)) ++alone;
    EXPECT(passed() > 0.4 && passed() < 30);
  });
  EXPECT(alone > 1000);
  EXPECT(sum == alone + 2);
}

// Two threads on one core: each product is late by little, and is counted with those just before it.
void a_team_rests_when_members_are_late_by_little_but_always() {
  Team team(2);
  const std::thread::id lead = std::this_thread::get_id();
  int together = 0;
  bool alone = false;
  auto part = [&](int i) noexcept {
    if (i == 0) return;
    alone = std::this_thread::get_id() == lead;
    if (!alone) std::this_thread::sleep_for(std::chrono::microseconds(100));
  };
  team.session([&] {
    for (team.share(part); !alone && together < 1000; team.share(part)) ++together;
  });
  EXPECT(alone && together < 1000);
}

// Nobody is called to a session that begins while the team rests.
void a_resting_team_leaves_a_session_to_its_lead() {
  Team team(2);
  const std::thread::id lead = std::this_thread::get_id();
  std::thread::id second;
  auto part = [&](int i) noexcept {
    if (i == 0) return;
    second = std::this_thread::get_id();
    if (second != lead) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  };
  team.session([&] { team.share(part); });
  EXPECT(second != lead);
  team.session([&] { team.share(part); });
  EXPECT(second == lead);
  std::this_thread::sleep_for(std::chrono::milliseconds(600));  // the rest is over
  team.session([&] { team.share(part); });
  EXPECT(second != lead);
}

void a_clip_does_not_depend_on_threads() {
  constexpr int64_t kSteps = 60;
  for (const char* family : kFamilies)
    for (const char* type : kTypes) {
      const auto model = random_model(family, 320, "auto", type);
      const auto clips = [&](int streams, int threads) {
        const auto player = started(*model, streams, threads);
        std::vector<int32_t> levels;
        for (int64_t n : {kSteps / 3, int64_t{0}, kSteps - kSteps / 3}) {  // several sessions
          const std::vector<int32_t> piece = free_run(*player, n);
          levels.insert(levels.end(), piece.begin(), piece.end());
        }
        return levels;
      };
      for (int streams : {1, 5})
        for (int threads : {2, 3}) EXPECT(clips(streams, threads) == clips(streams, 1));
    }
}

// A state put back in the middle of a frame is followed by products while the team is asleep.
void products_outside_a_session_need_no_team() {
  const auto model = random_model("samplernn", 320, "auto", "float32");
  const auto one = started(*model, 1, 1), two = started(*model, 1, 2);
  free_run(*one, 5), free_run(*two, 5);
  two->state_changed();
  EXPECT(free_run(*one, 20) == free_run(*two, 20));
}

void eight_threads_play_one_model() {
  for (const char* family : kFamilies) {
    const auto model = random_model(family, 48, "auto", "float32");
    const auto clip = [&](int64_t stream) { return free_run(*started(*model, 2, 1 + stream % 2), 200, stream); };
    std::vector<std::vector<int32_t>> clips(8);
    std::vector<std::thread> threads;
    for (int64_t i = 0; i < 8; ++i) threads.emplace_back([&, i] { clips[static_cast<size_t>(i)] = clip(i); });
    for (std::thread& thread : threads) thread.join();
    for (int64_t i = 0; i < 8; ++i) EXPECT(clips[static_cast<size_t>(i)] == clip(i));
    EXPECT(clips[0] != clips[1]);
  }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // whose own memory has no such limit
void too_many_threads_are_refused() {
  long pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  rlimit old{};
  getrlimit(RLIMIT_AS, &old);
  const rlimit tight{static_cast<rlim_t>(pages * 4096 + (64 << 20)), old.rlim_max};
  setrlimit(RLIMIT_AS, &tight);
  const std::string refusal = refusal_of([] { Crew crew(64); });
  setrlimit(RLIMIT_AS, &old);
  EXPECT(refusal.find("threads is 64") != std::string::npos);
}
#else
void too_many_threads_are_refused() {}
#endif

}  // namespace

int main() {
  too_many_threads_are_refused();
  a_crew_does_each_job_once_on_every_thread();
  what_a_job_throws_comes_out_and_the_crew_goes_on();
  a_team_shares_what_the_lead_has_written();
  what_a_session_throws_comes_out_and_the_team_goes_on();
  a_team_rests_when_a_member_comes_late();
  a_team_rests_when_members_are_late_by_little_but_always();
  a_resting_team_leaves_a_session_to_its_lead();
  a_clip_does_not_depend_on_threads();
  products_outside_a_session_need_no_team();
  eight_threads_play_one_model();
  return failures() ? 1 : 0;
}
