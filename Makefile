# Tideline: `make` builds, `make demo` shows the main job, `make test` runs everything that CI runs. `make help` lists the rest.
SHELL := /bin/bash
JOBS ?= $(shell nproc)
BUILD ?= build/release
CMAKE_FLAGS ?=
export CCACHE_BASEDIR := $(CURDIR)

.PHONY: all help packages configure build unit check test demo bench bench-quick fuzz asan tsan clang lint size cross trixie package package-test container-test board board-quick board-control system conformance clean

all: build ## release build: build/release/tideline and build/release/tideline-hub

help: ## this list
	@grep -hE '^[a-z -]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

packages: ## install the Debian packages that are missing (tests/packages.txt)
	@tests/scripts/install-packages

build: packages
	@cmake -S . -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=Release $(CMAKE_FLAGS) >/dev/null
	@cmake --build $(BUILD) --target tideline tideline-hub -j $(JOBS)

unit: packages ## unit tests, simulator and kept fuzz inputs
	@cmake -S . -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=Release $(CMAKE_FLAGS) >/dev/null
	@cmake --build $(BUILD) -j $(JOBS)
	@ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

lint: ## layers, headers, sizes, words
	@python3 tests/lint/lint.py

check: lint unit ## everything fast, before a commit

system: build ## real processes: hub, agent, kill -9, outages
	@python3 tests/system/run.py --build $(BUILD)

conformance: build ## MCP with the official suite and third-party clients and servers (ONLY=part to run one)
	@cmake --build $(BUILD) --target conformance_fixture -j $(JOBS)
	@python3 tests/conformance/run.py --build $(BUILD) $(if $(ONLY),--only $(ONLY))

test: packages ## everything CI runs; ends with one line of counts
	@tests/scripts/run-tests

demo: build ## the main job from nothing, on loopback, with proof
	@python3 tests/system/demo.py --build $(BUILD)

asan: packages ## unit tests under address and undefined-behaviour sanitizers
	@cmake -S . -B build/asan -G Ninja -DCMAKE_BUILD_TYPE=Debug -DTIDELINE_SANITIZE=address,undefined $(CMAKE_FLAGS) >/dev/null
	@cmake --build build/asan -j $(JOBS)
	@ctest --test-dir build/asan --output-on-failure -j $(JOBS)

tsan: packages ## unit tests under the thread sanitizer
	@cmake -S . -B build/tsan -G Ninja -DCMAKE_BUILD_TYPE=Debug -DTIDELINE_SANITIZE=thread $(CMAKE_FLAGS) >/dev/null
	@cmake --build build/tsan -j $(JOBS)
	@ctest --test-dir build/tsan --output-on-failure -j $(JOBS)

clang: packages ## builds everything with clang, warnings are errors
	@cmake -S . -B build/clang -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER=$$(command -v clang++-14 || command -v clang++) $(CMAKE_FLAGS) >/dev/null
	@cmake --build build/clang -j $(JOBS)

bench: BENCH = --repeats 2
bench-quick: BENCH = --quick
bench bench-quick: ## every job beside its peers and limits; bench rewrites tests/bench/RESULTS.md (ONLY="edge peer_nats" runs some)
	@tests/scripts/install-packages bench
	@cmake -S . -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=Release $(CMAKE_FLAGS) >/dev/null
	@cmake --build $(BUILD) --target tideline tideline-hub benches bench_drivers -j $(JOBS)
	@cmake -S . -B build/bench -G Ninja -DCMAKE_BUILD_TYPE=MinSizeRel -DTIDELINE_LTO=ON -DTIDELINE_LINK=archives -DTIDELINE_HUB=OFF -DTIDELINE_TESTS=OFF >/dev/null
	@cmake --build build/bench -j $(JOBS)
	@python3 tests/bench/run.py --build $(BUILD) --agent build/bench $(BENCH) $(if $(ONLY),--only $(ONLY))

FUZZ_SECONDS ?= 60
fuzz: packages ## libFuzzer on every target, FUZZ_SECONDS (60) each
	@cmake -S . -B build/fuzz -G Ninja -DCMAKE_BUILD_TYPE=Release -DTIDELINE_FUZZ=ON -DCMAKE_CXX_COMPILER=$$(command -v clang++-14 || command -v clang++) $(CMAKE_FLAGS) >/dev/null
	@tests/scripts/run-fuzz build/fuzz $(FUZZ_SECONDS)

cross: ## the agent for a board, tested under emulation, as a package: make cross A=aarch64-linux-gnu (toolchains/README.md)
	@STATIC=$(STATIC) HUB=$(HUB) TESTS='$(TESTS)' JOBS=$(JOBS) toolchains/cross $(A)

package: build ## the Debian packages of this machine: build/release/packages (boards: make cross)
	@cmake --build $(BUILD) --target deb | grep -E 'package: .* generated'

package-test: package ## installs, upgrades and removes them under a real systemd in a container, as root
	@tests/scripts/install-packages packaging
	@$(if $(filter 0,$(shell id -u)),,sudo) python3 tests/packaging/run.py --build $(BUILD)

container-test: build ## the hub's container image: built with podman, an agent synced to it, as root
	@tests/scripts/install-packages container
	@$(if $(filter 0,$(shell id -u)),,sudo) python3 tests/packaging/container.py --build $(BUILD)

board: build ## the arm64 package on an emulated board under systemd: ten power cuts and a proof (tests/board/README.md)
board-quick: build ## the same with two power cuts
board-control: build ## two power cuts of an agent whose fsync does nothing: readings must be missed
board board-quick board-control:
	@tests/scripts/install-packages board
	@TESTS=0 JOBS=$(JOBS) toolchains/cross aarch64-linux-gnu
	@$(if $(filter 0,$(shell id -u)),,sudo) python3 tests/board/run.py --build $(BUILD) --deb build/cross-aarch64-linux-gnu/packages/tideline_*_arm64.deb $(subst board-quick,--quick,$(subst board-control,--without-sync,$(filter-out board,$@))) $(if $(SEED),--seed $(SEED)) $(if $(KEEP),--keep)

trixie: ## the tree on Debian trixie (g++ 14, mbedTLS 3.6): unit tests, TLS 1.3 on the wire; needs root
	@tests/scripts/run-trixie

size: build ## text, data and file size of the programs that were built here, and what each part of them weighs
	@tests/scripts/report-size $(BUILD) $(patsubst %/tideline,%,$(wildcard build/cross-*/tideline))

clean:
	rm -rf build
