// Which of the visible GPUs plays, where several processes share a machine. Host code alone, so that tests can ask it.
#pragma once

#include <charconv>
#include <cstring>
#include <optional>

namespace sharks::cuda {

// What a launcher says of a process: digits and nothing else. Anything else says nothing.
inline std::optional<int> place_of_process(const char* said) {
  if (!said || *said < '0' || *said > '9') return std::nullopt;
  int place = 0;
  const char* const end = said + std::strlen(said);
  const std::from_chars_result read = std::from_chars(said, end, place);
  return read.ec == std::errc() && read.ptr == end ? std::optional(place) : std::nullopt;
}

// The GPU of this process among `visible` ones: processes are dealt to them in turn by their number on this machine,
// LOCAL_RANK (torchrun) or SLURM_LOCALID (srun). A process without a number takes the first.
inline int gpu_of_process(int visible, const char* local_rank, const char* slurm_localid) {
  std::optional<int> place = place_of_process(local_rank);
  if (!place) place = place_of_process(slurm_localid);
  return visible > 0 ? place.value_or(0) % visible : 0;
}

}  // namespace sharks::cuda
