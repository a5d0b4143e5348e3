# What one usually wants; every target may be repeated and is instant when nothing changed. Builds go to build/<preset>.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 600
# A clone in another folder shares the compiler cache.
export CCACHE_BASEDIR ?= $(CURDIR)
export CCACHE_NOHASHDIR ?= 1
# Precompiled headers are used as they are where what they are made of is the same.
export CCACHE_SLOPPINESS ?= pch_defines,time_macros

.PHONY: help deps release debug asan tsan demo test soak lint format bench fuzz install clean

help:
	@echo 'make demo     build, then show the database at work on real data'
	@echo 'make test     lint, then every test; again under the address and the thread sanitizers'
	@echo 'make soak     the tests of crashes that draw what they do, for hours'
	@echo 'make lint     formatting and static analysis of what changed (ALL=1: of everything)'
	@echo 'make format   format every source file'
	@echo 'make bench    build, then measure beside other programs (BENCH="--quick --only scan": options of bench/bench.py)'
	@echo 'make fuzz     run each fuzz target for FUZZ_SECONDS (600); make test gives each half a minute'
	@echo 'make install  install below PREFIX (/usr/local), staged below DESTDIR if set'
	@echo 'make deps     fetch what the build needs (done by the others)'
	@echo 'make release  build only; also: debug, asan, tsan'
	@echo 'make clean    remove all builds'

deps:
	@deps/apt
	@deps/fetch

# A preset is configured when it never was, or when the presets changed; from then on ninja does it as needed.
build/%/.configured: CMakePresets.json
	@$(MAKE) --no-print-directory deps
	cmake --preset $*
	@touch $@

release debug asan tsan: %: build/%/.configured | deps
	@cmake --build --preset $* --parallel $(JOBS)

demo: release
	@tests/demo.sh

test: deps
	@.ci/test

soak: release
	@.ci/soak

lint: release
	@ALL=$(ALL) .ci/lint

format:
	@git ls-files -co --exclude-standard '*.cc' '*.h' | xargs -r clang-format-19 -i

bench: release
	@deps/bench
	@bench/peers/build
	@bench/bench.py $(BENCH)

fuzz: build/asan/.configured | deps
	@cmake --build --preset asan --parallel $(JOBS) --target fuzz_targets
	@FUZZ_SECONDS=$(FUZZ_SECONDS) JOBS=$(JOBS) .ci/fuzz

install: release
	@cmake --install build/release --prefix '$(PREFIX)'

clean:
	rm -rf build
