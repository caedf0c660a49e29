#!/usr/bin/env bash
# The CUDA engine on a GPU under compute-sanitizer, then built with random delays at every exchange between blocks.
# Wants a GPU, nvcc and compute-sanitizer; about fifteen minutes.
#
#     tests/cpp/sanitize_gpu.sh [memcheck] [synccheck] [initcheck] [stress]      all of them, where none is named
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

python=${PYTHON:-.venv/bin/python}
some="every_stage and (gru-graves or lstm-learned or 3-frame-tiers or r9y9 or filter-3 or preset)" # sanitizers are slow

# A build of its own beside the source tree's package: `build NAME [CMake option ...]`. Where CUDAARCHS is set, for these
# architectures alone.
build() {
  local folder=$PWD/build/$1
  cmake -S . -B "$folder" -DSHARKS_CUDA=on "${@:2}" -DPython_EXECUTABLE="$(command -v "$python")" \
    -Dpybind11_DIR="$("$python" -m pybind11 --cmakedir)"
  cmake --build "$folder" --target _core --parallel
  mkdir -p "$folder/python"
  cp -r python/sharks "$folder/python/"
  cp "$folder"/_core*.so "$folder/python/sharks/"
  export PYTHONPATH="$folder/python"
}

for what in "${@:-memcheck synccheck initcheck stress}"; do
  for tool in $what; do
    echo "== $tool"
    if [ "$tool" = stress ]; then # delays, and patience for them
      build stress -DSHARKS_STRESS=ON
      "$python" -m pytest -m cuda tests/cuda tests/engine/test_players.py
    else # sanitizers look at what is played, and are slow enough without delays
      build sanitized
      compute-sanitizer --tool "$tool" --error-exitcode 1 "$python" -m pytest -m cuda -k "$some" tests/cuda
    fi
  done
done
