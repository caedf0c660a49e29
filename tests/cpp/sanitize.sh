#!/usr/bin/env bash
# The engine under the sanitizers of GCC: `tests/cpp/sanitize.sh address thread`, or one of them.
#
#   address  AddressSanitizer and UndefinedBehaviorSanitizer
#   thread   ThreadSanitizer
#
# Each has a build of its own in build/. In turn: mistakes made on purpose, which it must find; the C++ programs; then, in
# Python, every parity test, every player test, every test of players among threads, and those of the CUDA engine, which a
# CPU plays in this build. The interpreter itself is not instrumented, so the runtime is loaded in front of it, and its
# own leaks are not counted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
python=${PYTHON:-.venv/bin/python}
compiler=${CXX:-c++}
export PATH="$PWD/.venv/bin:$PATH" OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
export UBSAN_OPTIONS=print_stacktrace=1
still=() # ThreadSanitizer of older GCCs does not bear the address layouts of newer kernels
if setarch "$(uname -m)" -R true 2>/dev/null; then still=(setarch "$(uname -m)" -R); fi

for sanitizer in "$@"; do
  case $sanitizer in
    address) flags="-fsanitize=address,undefined -fno-sanitize-recover=all" runtime=libasan.so faults="past-the-end overflow" ;;
    thread) flags="-fsanitize=thread" runtime=libtsan.so faults="race" ;;
    *) echo "sanitizer is '$sanitizer'; wanted address or thread" >&2 && exit 2 ;;
  esac
  build=build/sanitize-$sanitizer
  echo "== $sanitizer: build"
  cmake -S . -B "$build" -G Ninja --fresh -DSHARKS_TESTS=ON -DSHARKS_CUDA=emulated -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DCMAKE_CXX_FLAGS="$flags -fno-omit-frame-pointer" -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g" \
    -DPython_EXECUTABLE="$(command -v "$python")" -Dpybind11_DIR="$("$python" -m pybind11 --cmakedir)" >/dev/null
  cmake --build "$build" --target _core faults threads play_sets

  echo "== $sanitizer: mistakes made on purpose"
  for fault in $faults; do
    if "${still[@]}" "$build/tests/cpp/faults" "$fault" >"$build/$fault.log" 2>&1; then
      echo "$fault was not found" && exit 1
    fi
    grep -q "Sanitizer\|runtime error" "$build/$fault.log"
    echo "$fault was found"
  done

  echo "== $sanitizer: threads, instruction sets"
  "${still[@]}" "$build/tests/cpp/threads"
  "${still[@]}" "$build/tests/cpp/play_sets" >/dev/null

  echo "== $sanitizer: parity"
  rm -rf "$build/package" && mkdir "$build/package" && cp -r python/sharks "$build/package/"
  cmake --install "$build" --prefix "$build/package" >/dev/null
  # Exceptions must be caught by the runtime's own wrapper, so the C++ library has to be there when it starts.
  preload="$("$compiler" -print-file-name="$runtime") $("$compiler" -print-file-name=libstdc++.so)"
  env LD_PRELOAD="$preload" ASAN_OPTIONS=detect_leaks=0 PYTHONPATH="$build/package" PYTHONDONTWRITEBYTECODE=1 \
    "${still[@]}" "$python" -m pytest -q -s -p no:cacheprovider -k "not reference- and not in_cpp" \
    tests/parity tests/engine/test_players.py tests/engine/test_threads.py tests/cuda/test_{parity,tensors,door}.py
done
