// The opening of a launch: all blocks come and play, or none does, however late some are; and nobody is counted in a
// launch that is not his.
#include "cuda/exchange/opening.h"

#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include "cuda/device/launch.h"
#include "expect.h"

namespace {

using namespace sharks::cuda;

constexpr int kBlocks = 6;

// Each block comes after a delay of its own, and writes down what it was told.
struct Coming {
  static constexpr int kThreads = 32;
  Opening opening;
  const int* delays;  // [blocks] microseconds
  int* played;        // [blocks] 1 or 0
  int32_t* trouble;

  void operator()(const Block& block) const {
    std::this_thread::sleep_for(std::chrono::microseconds(delays[block.index]));
    played[block.index] = all_came(block, opening, trouble);
  }
};

struct Launched {
  int played;
  int32_t trouble;
};

Launched launched(OpeningWord& word, const std::vector<int>& delays, uint64_t patience, int32_t trouble = kNoTrouble) {
  std::vector<int> played(kBlocks, -1);
  Opening opening = word.next(nullptr);
  opening.patience = patience;
  launch(Grid{kBlocks, 32, 0, true}, Coming{opening, delays.data(), played.data(), &trouble}, nullptr);
  int sum = 0;
  for (int one : played) sum += one;
  return {sum, trouble};
}

constexpr uint64_t kLong = 60'000'000'000u, kShort = 100'000'000u;

void all_play_when_all_come() {
  OpeningWord word;
  const Launched idle = launched(word, std::vector<int>(kBlocks, 0), kLong);
  EXPECT(idle.played == kBlocks && idle.trouble == kNoTrouble);
}

void none_plays_when_some_find_no_place() {
  OpeningWord word;
  for (const char* busy : {"80 16 96 5", "80 16 96 1"}) {
    setenv("SHARKS_EMULATED", busy, 1);
    const auto start = std::chrono::steady_clock::now();
    const Launched late = launched(word, std::vector<int>(kBlocks, 0), kShort);
    EXPECT(late.played == 0 && late.trouble == kTooFewCame);
    const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - start;
    EXPECT(waited.count() >= 0.1 && waited.count() < 30);  // once, not once for every block
    setenv("SHARKS_EMULATED", "80 16 96", 1);
    const Launched again = launched(word, std::vector<int>(kBlocks, 0), kLong);  // nobody is counted twice
    EXPECT(again.played == kBlocks && again.trouble == kNoTrouble);
  }
}

void a_launch_behind_one_that_failed_leaves_at_once() {
  OpeningWord word;
  for (Trouble before : {kTooFewCame, kWaitedTooLong}) {
    const Launched behind = launched(word, std::vector<int>(kBlocks, 0), kLong, before);
    EXPECT(behind.played == 0 && behind.trouble == before);
  }
}

// One block comes ever later, so that somewhere patience ends just when it comes: whoever wins, all hear the same.
void they_agree_however_close_it_is() {
  OpeningWord word;
  int played = 0;
  const int rounds = 100;
  for (int round = 0; round < rounds; ++round) {
    std::vector<int> delays(kBlocks, 0);
    delays[static_cast<size_t>(round % kBlocks)] = round * 900;
    const Launched close = launched(word, delays, 1);
    EXPECT(close.played == (close.trouble == kNoTrouble ? kBlocks : 0));
    EXPECT(close.trouble == kNoTrouble || close.trouble == kTooFewCame);
    played += close.played == kBlocks;
  }
  EXPECT(played > 0 && played < rounds);  // both happened
}

void a_grid_that_is_refused_throws() {
  setenv("SHARKS_EMULATED", "80 16 96 -5", 1);
  OpeningWord word;
  bool refused = false;
  try {
    launched(word, std::vector<int>(kBlocks, 0), kLong);
  } catch (const NoRoom&) {
    refused = true;
  }
  EXPECT(refused);
}

}  // namespace

int main() {
  unsetenv("SHARKS_EMULATED");
  all_play_when_all_come();
  none_plays_when_some_find_no_place();
  a_launch_behind_one_that_failed_leaves_at_once();
  they_agree_however_close_it_is();
  a_grid_that_is_refused_throws();
  return sharks::test::failures() != 0;
}
