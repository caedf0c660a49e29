// Which drivers serve a build. Host code alone, so that tests can ask it.
#pragma once

namespace sharks::cuda {

// Versions of CUDA as CUDA numbers them: 1000 major + 10 minor. A driver serves every build of its own major version,
// whatever the minor ones, and of those before it (the guide to CUDA's compatibility). What of a minor version a driver
// lacks, CUDA reports where it is asked for.
inline bool driver_serves(int speaks, int built) { return speaks / 1000 >= built / 1000; }

// The oldest driver for a build, by its release for Linux: 13 wants 580, and 12 wants 525.
inline const char* oldest_driver(int built) { return built / 1000 >= 13 ? "580" : "525"; }

}  // namespace sharks::cuda
