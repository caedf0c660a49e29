# sharks on a fresh machine: Python 3.11 or newer, a C++ compiler and make; nothing else is needed.
#
#   make demo    songs in, a new song out: demo/song.wav
#   make test    the whole test suite
#   make soak    what takes long: ten hours of audio, two hundred interrupts, half an hour of training; about an hour
#   make bench   samples per second on this machine: bench/RESULTS.md, in about eight minutes
#   make lint    style and types
#   make cuda    every CUDA kernel for all architectures; refuses warnings, spills, stacks and lost ends (needs nvcc, no GPU)
#   make sanitize-gpu   the CUDA engine on a GPU under compute-sanitizer, and with random delays
#   make bench-gpu   samples per second on this machine's GPU, beside torch with CUDA graphs
#   make test-isa   the engine on CPUs that this machine is not (needs qemu-user and an ARM compiler)
#   make sanitize   the engine under GCC's address, undefined-behaviour and thread sanitizers; about ten minutes

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

# CUDA kernels are built only where a GPU answers; SHARKS_CUDA=auto|on|off overrules.
SHARKS_CUDA ?= $(shell nvidia-smi >/dev/null 2>&1 && echo auto || echo off)
export SHARKS_CUDA

SOURCES := pyproject.toml constraints.txt $(wildcard CMakeLists.txt) \
           $(shell find csrc python -type f -not -name '*.pyc' 2>/dev/null)

.PHONY: demo test soak cuda test-isa sanitize sanitize-gpu bench bench-gpu lint clean
.DELETE_ON_ERROR:

demo: $(VENV)/all.installed
	$(BIN)/sharks demo examples/muldjord -o demo

# Two workers, a file of tests at a time, in the order that tests/conftest.py gives them; or as PYTEST_ARGS says.
test: $(VENV)/dev.installed
	$(BIN)/python -m pytest $(or $(PYTEST_ARGS),-n 2 --dist loadfile --no-loadscope-reorder)

soak: $(VENV)/dev.installed
	$(BIN)/python -m pytest tests/soak $(PYTEST_ARGS)

cuda: $(VENV)/tools.installed
	$(BIN)/python tests/rulers/spills.py

test-isa: $(VENV)/dev.installed
	$(BIN)/python -m pytest tests/isa $(PYTEST_ARGS)

sanitize: $(VENV)/dev.installed
	tests/cpp/sanitize.sh address thread

sanitize-gpu: $(VENV)/dev.installed
	tests/cpp/sanitize_gpu.sh

bench: $(VENV)/all.installed
	$(BIN)/python bench/report.py

bench-gpu: $(VENV)/all.installed
	$(BIN)/python bench/gpu.py --sharks

lint: $(VENV)/dev.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $$(git ls-files 'csrc/*.h' 'csrc/*.cpp' 'csrc/*.cu' 'tests/*.h' 'tests/*.cpp')

clean:
	rm -rf $(VENV) build dist demo

# The build tools live in the same venv, so that a change of one file compiles one file.
$(VENV)/tools.installed: constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -q -c constraints.txt scikit-build-core pybind11 cmake ninja
	touch $@

$(VENV)/%.installed: $(VENV)/tools.installed $(SOURCES)
	$(PIP) install -q --no-build-isolation -c constraints.txt '.[$*]'
	touch $@
	test $* = all || touch $(VENV)/all.installed
