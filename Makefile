# Everything here needs only Python >= 3.10 and a C++17 compiler; the rest is fetched into .venv. Run `make` for a list.
PYTHON ?= python3

py := .venv/bin/python
pip := $(py) -m pip --quiet --disable-pip-version-check
path := PATH="$$PWD/.venv/bin:$$PATH"
# One build folder for the wheel, the C++ tests and the tools, so that the core is compiled once.
install := $(pip) install --no-build-isolation --config-settings=build-dir=build/python \
             $(if $(WERROR),--config-settings=cmake.define.PDRT_WERROR=ON)
# Other runtimes to measure beside, where pip has them. ncnn's converter, pnnx, needs nothing of what it asks for.
peers := "openvino>=2024.0" "ncnn>=1.0.20240410" "MNN>=3.0"
sources := CMakeLists.txt pyproject.toml README.md $(shell find csrc cmake python kernels tests/cpp bench -type f \
             ! -name '*.pyc' ! -path 'bench/results/*' 2>/dev/null)

# $(call sanitized,folder,sanitizers): builds under the sanitizers, then runs the C++ tests and the stored cases. OpenCL's drivers are
# not built so: their own leaks and their memory are left out.
sanitized = export LSAN_OPTIONS="suppressions=$$PWD/tests/cpp/leaks_of_drivers.txt:print_suppressions=0" \
              TSAN_OPTIONS=ignore_noninstrumented_modules=1 && \
            $(path) cmake -S . -B build/sanitize-$1 -G Ninja -DPDRT_TESTS=ON "-DPDRT_SANITIZE=$2" >/dev/null && \
            $(path) cmake --build build/sanitize-$1 && \
            $(path) ctest --test-dir build/sanitize-$1 --output-on-failure && \
            build/sanitize-$1/csrc/tools/pdrt-check build/cases

.DEFAULT_GOAL := help
.PHONY: help demo test bench lint format tidy sanitize clean
.DELETE_ON_ERROR:

help:  ## this list
	@echo "pdrt: convolutional networks that change size with their input"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

demo: .venv/demo.stamp  ## recognise digits while most of the network stays switched off
	@.venv/bin/pdrt demo

test: .venv/test.stamp  ## build, then run the C++ tests and the Python tests
	@$(path) ctest --test-dir build/python --output-on-failure
	@PDRT_BUILD=build/python $(py) -m pytest

bench: .venv/bench.stamp  ## measure beside other runtimes: speed, skipping, memory, start; BENCH=--quick for less
	@$(py) bench/run.py $(BENCH)

lint: .venv/lint.stamp  ## formatting, style and types (changes nothing)
	@git ls-files '*.cpp' '*.h' | xargs .venv/bin/clang-format --dry-run --Werror
	@$(py) -m ruff check .
	@$(py) -m mypy
	@echo "lint: clean"

format: .venv/lint.stamp  ## format the C++ sources and sort out what ruff can fix
	@git ls-files '*.cpp' '*.h' | xargs .venv/bin/clang-format -i
	@$(py) -m ruff check --fix --quiet .

tidy: .venv/tools.stamp  ## clang-tidy over the C++ core (needs clang-tidy)
	@command -v clang-tidy >/dev/null || { echo "clang-tidy not found: apt-get install clang-tidy"; exit 1; }
	@$(path) cmake -S . -B build/tidy -G Ninja -DPDRT_TESTS=OFF >/dev/null
	@# GCC's alone, and clang-tidy reads the commands as Clang would.
	@sed -i 's/ -fno-tree-loop-distribute-patterns//' build/tidy/compile_commands.json
	@find csrc -name '*.cpp' ! -path 'csrc/bindings/*' | \
	  xargs -P "$$(nproc)" -n 1 clang-tidy --quiet -p build/tidy 2>build/tidy/counts.txt
	@echo "clang-tidy: clean"

sanitize: .venv/test.stamp  ## the C++ tests and the stored cases under ASan with UBSan, then under TSan
	@$(py) tests/make_cases.py build/cases
	@$(call sanitized,address,address;undefined)
	@$(call sanitized,thread,thread)

clean:  ## remove everything that was built, .venv included
	rm -rf build dist .venv .pytest_cache .hypothesis .mypy_cache .ruff_cache bench/results

# --- what the targets above stand on ---

.venv/tools.stamp: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || \
	  { echo "pdrt needs Python >= 3.10; '$(PYTHON)' is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "This Python cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@command -v "$${CXX:-c++}" >/dev/null || \
	  { echo "No C++ compiler ('$${CXX:-c++}') found. On Debian and Ubuntu: apt-get install g++"; exit 1; }
	@echo "Setting up .venv"
	@test -x $(py) || $(PYTHON) -m venv .venv
	@$(pip) install --upgrade pip
	@$(pip) install cmake ninja "scikit-build-core>=0.10" "pybind11>=2.12" "numpy>=1.23"
	@touch $@

.venv/demo.stamp: .venv/tools.stamp $(sources)
	@echo "Building pdrt (a minute the first time, on two cores)"
	@$(install) .
	@touch $@

.venv/test.stamp: .venv/tools.stamp $(sources)
	@echo "Building pdrt and its C++ tests (two minutes the first time, on two cores)"
	@$(install) --config-settings=cmake.define.PDRT_TESTS=ON --config-settings=cmake.define.PDRT_TOOLS=ON '.[test]'
	@touch $@

.venv/bench.stamp: .venv/tools.stamp $(sources)
	@echo "Building pdrt and its benchmarks (two minutes the first time, on two cores)"
	@$(install) --config-settings=cmake.define.PDRT_BENCH=ON --config-settings=cmake.define.PDRT_TOOLS=ON '.[bench]'
	@for peer in $(peers) "--no-deps pnnx"; do \
	  $(pip) install $$peer || echo "pip does not have $$peer for this machine: measured without it"; done
	@touch $@

.venv/lint.stamp: .venv/tools.stamp $(sources)
	@$(install) '.[lint]'
	@touch $@
