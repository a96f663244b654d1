# A thin front for CMake: each target first makes sure that what it needs is installed (tools/deps).
#   make demo        the whole product at work on this machine's own telemetry
#   make check       build and run the tests
#   make install     PREFIX=/usr/local by default; DESTDIR is honoured

PREFIX ?= /usr/local
BUILD = build/release
STAGE = $(CURDIR)/build/stage
# A warning that only another compiler gives shall not keep anybody from building; .ci/run says ON.
WERROR ?= OFF
JOBS := $(shell nproc 2>/dev/null || echo 2)
SOURCES = $$(find include src cli tests fuzz bench examples -name '*.[ch]' \
	-o -name '*.cc' -o -name '*.cpp' -o -name '*.hpp')

# Ninja where there is one, whatever the preset says.
export DESTDIR
CONFIGURE = generator=$$(command -v ninja >/dev/null || echo '-GUnix Makefiles'); \
	cmake --preset release $${generator:+"$$generator"} -DFLS_WERROR=$(WERROR)

# What is installed needs neither cmocka nor benchmarks to build.
PRODUCT = -DFLS_BUILD_TESTS=OFF -DFLS_BUILD_FUZZ=OFF -DFLS_BUILD_EXAMPLES=OFF \
	-DFLS_BUILD_BENCH=OFF
CHECKED = -DFLS_BUILD_TESTS=ON -DFLS_BUILD_FUZZ=ON -DFLS_BUILD_EXAMPLES=ON \
	-DFLS_BUILD_BENCH=OFF

.PHONY: all demo check check-long bench fuzz install format lint clean help

all: ## build the library, the tool, the tests and the examples
	@tools/deps build check
	@$(CONFIGURE) $(CHECKED) >/dev/null
	@cmake --build $(BUILD) -j $(JOBS)

demo: ## record, kill, prove, follow, query, recover, convert and send: about half a minute
	@tools/deps build demo
	@$(CONFIGURE) $(PRODUCT) >/dev/null
	@cmake --build $(BUILD) -j $(JOBS)
	@DESTDIR= cmake --install $(BUILD) --prefix "$(STAGE)" >/dev/null
	@$(MAKE) -s -C examples PREFIX="$(STAGE)" OUTPUT=../build/examples
	@tools/demo "$(STAGE)" build/examples

check: all ## build and run the tests
	@ctest --preset release -j $(JOBS) --no-label-summary

check-long: all ## the tests that take minutes or gigabytes
	@ctest --test-dir $(BUILD) -L long --output-on-failure

bench: ## measure every layer against its limit and against the installed peers
	@tools/deps build bench
	@$(CONFIGURE) -DFLS_BUILD_BENCH=ON >/dev/null
	@cmake --build $(BUILD) -j $(JOBS)
	@$(BUILD)/bench/flatstream-bench --dir build --json build/bench.json
	@$(BUILD)/bench/flatstream-bench-peers --dir build --json build/bench-peers.json
	@$(BUILD)/bench/flatstream-bench-flatbuffers --dir build \
		--json build/bench-flatbuffers.json
	@$(BUILD)/bench/flatstream-bench-journal --dir build --json build/bench-journal.json
	@bench/grep-ratio $(BUILD)
	@bench/cores $(BUILD)
	@bench/sort-ratio $(BUILD)

fuzz: ## fuzz every target, FUZZ_SECONDS=60 each
	@tools/deps build fuzz
	@cmake --preset fuzz >/dev/null
	@cmake --build --preset fuzz -j $(JOBS)
	@tools/fuzz build/fuzz $${FUZZ_SECONDS:-60}

install: ## install tool, library, headers, pkg-config, CMake package and man pages
	@tools/deps build
	@$(CONFIGURE) $(PRODUCT) >/dev/null
	@cmake --build $(BUILD) -j $(JOBS)
	@cmake --install $(BUILD) --prefix \
		"$(if $(filter /%,$(PREFIX)),,$(CURDIR)/)$(PREFIX)"
	@if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" -eq 0 ]; then ldconfig; fi
	@if [ -n "$$SUDO_UID" ]; then chown -R "$$SUDO_UID:$$SUDO_GID" build; fi

format: ## put every source into the project's style
	@tools/deps lint
	@clang-format -i $(SOURCES)

lint: ## style, layers, headers, symbols, clang-tidy, cppcheck
	@tools/deps build check lint
	@tools/lint

clean: ## remove everything that was built
	@rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile
