# nagoc and nago.  `make help` lists the targets; everything that is built lies under $(BUILD).

CC = gcc
BUILD = build
PREFIX = /usr/local
T = 60
ARCH := $(shell uname -m)
WARN = -Wall -Wextra -Wpedantic -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes
CFLAGS = -std=c11 -O2 -g $(WARN) $(if $(WERROR),-Werror) $(SAN)
KERNEL_OPT = -O3
KERNEL_CFLAGS = -std=gnu11 $(KERNEL_OPT) -g -ffp-contract=fast -fno-math-errno -fno-trapping-math $(WARN) -Wno-pedantic \
                $(if $(WERROR),-Werror) $(SAN)
LDLIBS = -lprotobuf-c -lsqlite3 -ltcc -ldl -lopenblas -lcjson -ljpeg -lpng -lz -lm -lpthread
# V=1 shows the commands.
Q = $(if $(V),,@echo '  $(1)  $@';)
# One more make, on all processors unless the caller has chosen.
SUBMAKE = +@$(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))

# The kernels are compiled once for each instruction set and chosen at start-up.
ISAS = $(if $(filter x86_64,$(ARCH)),avx512 avx2 base,$(if $(filter aarch64,$(ARCH)),neon,base))
ISA_FLAGS_avx512 = -march=x86-64-v4 -mprefer-vector-width=512
ISA_FLAGS_avx2 = -march=x86-64-v3

# Debian packages: for building and the demo; for the tests; for working on the code.
DEPS = gcc libc6-dev libtcc-dev libopenblas-dev libcjson-dev libjpeg62-turbo-dev libpng-dev zlib1g-dev libsqlite3-dev \
       libprotobuf-c-dev protobuf-c-compiler libonnx-dev
DEPS_CHECK = libcmocka-dev tcc graphviz python3-networkx
DEPS_EMBEDDED = gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm gcc-riscv64-unknown-elf qemu-system-misc
DEPS_DEV = clang libclang-rt-14-dev clang-format clang-tidy valgrind cppcheck bear gdb gcc-aarch64-linux-gnu \
           libc6-dev-arm64-cross qemu-user-static

object = $(patsubst %,$(BUILD)/%.o,$(basename $(1)))
kernel_objects = $(if $(wildcard runtime/kernels.c),$(ISAS:%=$(BUILD)/runtime/kernels_%.o))
compiler_objects = $(call object,$(wildcard compiler/*.c compiler/blob.S)) $(BUILD)/onnx/onnx.pb-c.o
runtime_objects = $(call object,$(filter-out runtime/kernels.c,$(wildcard runtime/*.c search/*.c)) runtime/firmware_files.S) $(kernel_objects)
cli_objects = $(call object,$(filter-out cli/nago.c cli/nagoc.c,$(wildcard cli/*.c)))
templates = $(wildcard templates/*.c templates/*.h templates/*.py)
firmware = $(wildcard examples/firmware/* examples/firmware/include/*)
programs = $(BUILD)/nagoc $(BUILD)/nago
libraries = $(BUILD)/libcli.a $(BUILD)/libnago.a $(BUILD)/libnagoc.a
tests = $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/test_*.c tests/prop_*.c))
replays = $(patsubst tests/fuzz/fuzz_%.c,$(BUILD)/tests/replay_%,$(wildcard tests/fuzz/fuzz_*.c))
benches = $(patsubst tests/bench/%.c,$(BUILD)/tests/bench/%,$(wildcard tests/bench/*.c))
fuzzers = $(patsubst tests/fuzz/%.c,$(BUILD)/tests/%,$(wildcard tests/fuzz/fuzz_*.c))
# Tests on another processor, emulated, where a compiler for it is installed.
CROSS = aarch64-linux-gnu-gcc
cross = $(if $(shell command -v $(CROSS)),$(BUILD)/tests/arm/runner)
commands = $(patsubst cli/cmd_%.c,%,$(wildcard cli/cmd_*.c))
manuals = $(patsubst %,$(BUILD)/man/%.1,nagoc nago $(commands:%=nago-%))
formatted = $(filter-out %_list.h,$(wildcard compiler/*.[ch] runtime/*.[ch] search/*.[ch] cli/*.[ch] templates/*.[ch] \
              tests/*.[ch] tests/arm/*.[ch] tests/boards/*.[ch] tests/fuzz/*.[ch] tests/bench/*.[ch]))

all: $(programs) $(BUILD)/libnagoc.a $(BUILD)/libnago.a $(manuals) ## both programs, both libraries, the manual pages

$(BUILD)/nagoc: $(BUILD)/cli/nagoc.o $(libraries)
$(BUILD)/nago: $(BUILD)/cli/nago.o $(libraries)
$(tests): $(BUILD)/tests/%: $(BUILD)/tests/%.o $(libraries)
$(benches): $(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(libraries)
$(replays): $(BUILD)/tests/replay_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay.o $(libraries)
$(fuzzers): $(BUILD)/tests/%: $(BUILD)/tests/fuzz/%.o $(libraries)
$(tests): LDLIBS += -lcmocka
$(fuzzers): LINK = -fsanitize=fuzzer
$(programs) $(tests) $(benches) $(replays) $(fuzzers):
	$(call Q,LD)$(CC) $(SAN) $(LINK) $(LDFLAGS) -o $@ $(filter %.o,$^) $(libraries) $(LDLIBS)

$(BUILD)/libnagoc.a: $(compiler_objects)
$(BUILD)/libnago.a: $(runtime_objects)
$(BUILD)/libcli.a: $(cli_objects)
$(libraries):
	$(call Q,AR)rm -f $@.new && $(AR) rcs $@.new $^ && mv $@.new $@

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call Q,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
# Vectors of 32 bytes, inside inline functions only: gcc's note on how they would be passed does not apply.
$(BUILD)/search/bnn.o: CFLAGS += -O3 -Wno-psabi
$(ISAS:%=$(BUILD)/runtime/kernels_%.o): $(BUILD)/runtime/kernels_%.o: runtime/kernels.c Makefile
	@mkdir -p $(@D)
	$(call Q,CC)$(CC) $(CPPFLAGS) $(KERNEL_CFLAGS) $(ISA_FLAGS_$*) -DNK_ISA=$* -MMD -MP -c -o $@ $<
$(BUILD)/tests/arm/runner: tests/arm/runner.c tests/arm/runner.h runtime/kernels.c $(templates) compiler/nagoc.h Makefile
	@mkdir -p $(@D)
	$(call Q,CROSS)$(CROSS) $(filter-out -fsanitize%,$(KERNEL_CFLAGS)) -O1 -DNK_ISA=neon -o $@ runtime/kernels.c $< -lm -ldl
$(BUILD)/compiler/blob.o: $(templates)
$(BUILD)/runtime/firmware_files.o: $(firmware)
$(BUILD)/%.o: %.S Makefile
	@mkdir -p $(@D)
	$(call Q,CC)$(CC) $(CPPFLAGS) -MMD -MP -c -o $@ $<
# ONNX's messages, from Debian's description of them.
ONNX_PROTO = /usr/include/onnx
$(BUILD)/onnx/onnx.pb-c.c: $(ONNX_PROTO)/onnx.proto
	@mkdir -p $(@D)
	$(call Q,PB)protoc-c --proto_path=$(ONNX_PROTO) --c_out=$(@D) onnx.proto
$(BUILD)/onnx/onnx.pb-c.o: $(BUILD)/onnx/onnx.pb-c.c
	$(call Q,CC)$(CC) -O1 $(SAN) -c -o $@ $<
$(BUILD)/compiler/emit_onnx.o $(BUILD)/tests/test_onnx.o: CPPFLAGS += -isystem $(BUILD)/onnx
$(BUILD)/compiler/emit_onnx.o $(BUILD)/tests/test_onnx.o: $(BUILD)/onnx/onnx.pb-c.c
$(BUILD)/man/nagoc.1: $(BUILD)/nagoc
	@mkdir -p $(@D)
	@$< --man > $@
$(BUILD)/man/nago.1: $(BUILD)/nago
	@mkdir -p $(@D)
	@$< --man > $@
$(BUILD)/man/nago-%.1: $(BUILD)/nago
	@mkdir -p $(@D)
	@$< $* --man > $@

deps: ## install the Debian packages that building and the demo lack
	@tests/lint/install-missing $(DEPS)
deps-embedded: ## install compilers and emulators of microcontrollers
	@tests/lint/install-missing $(DEPS_EMBEDDED)
deps-check: deps deps-embedded # what the tests need on top
	@tests/lint/install-missing $(DEPS_CHECK)
deps-dev: deps-check ## install those for developing: clang, valgrind, ...
	@tests/lint/install-missing $(DEPS_DEV)

demo: deps ## theta -> trained network -> C file -> the same accuracy, in two minutes
	$(SUBMAKE) all
	@examples/demo.sh
check: deps-check ## build and run all tests
	$(SUBMAKE) WERROR=1 all test-programs
	@BUILD=$(BUILD) tests/run
check-all: deps-check ## the long tier: more random networks, sanitizers, every oracle
	$(SUBMAKE) WERROR=1 all test-programs
	@NAGO_LONG=1 BUILD=$(BUILD) tests/run
	$(SUBMAKE) san
test-programs: $(tests) $(replays) $(benches) $(cross)
bench: deps ## measure speed against PyTorch and ONNX Runtime, TIME seconds a network (20); writes docs/benchmarks.md
	$(SUBMAKE) all benches
	@BUILD=$(BUILD) tests/bench/run $(TIME)
	$(SUBMAKE) bench-boards
bench-boards: deps-embedded ## int8 networks on emulated boards; writes docs/embedded-benchmarks.md
	$(SUBMAKE) all
	@BUILD=$(BUILD) /usr/bin/python3 -B tests/bench/boards.py
bench-search: deps ## compare the optimisers with each other and Optuna, 3 seeds; writes docs/search-benchmarks.md
	$(SUBMAKE) benches
	@BUILD=$(BUILD) /usr/bin/python3 -B tests/bench/search_bench.py 3
bench-search-full: deps ## the same over 20 seeds: half an hour of processor time
	$(SUBMAKE) benches
	@BUILD=$(BUILD) /usr/bin/python3 -B tests/bench/search_bench.py 20
board-costs: all deps-embedded ## measure the int8 kernels on emulated boards; writes compiler/target_cost_list.h
	@tests/lint/install-missing python3-numpy
	@BUILD=$(BUILD) /usr/bin/python3 -B tests/boards/kernel_costs.py
search-real: all ## random search, BOHB and MO-BOHB on CIFAR-10: hours; ARGS="--epochs 104 --seeds 1" for less
	@BUILD=$(BUILD) python3 -B tests/bench/search_real.py $(ARGS)
paper-claims: all ## variance between and within generators, noise, budgets, HNAG against RNAG; ARGS="--thetas 4"
	@BUILD=$(BUILD) python3 -B tests/bench/paper_claims.py $(ARGS)
benches: $(benches)
peers: ## get what to compare with: PyTorch, Optuna, ONNX Runtime; CMSIS_NN=DIR: its sources
	@BUILD=$(BUILD) tests/bench/install-peers
san: ## all tests under AddressSanitizer and UBSan
	$(SUBMAKE) BUILD=build/san KERNEL_OPT=-O1 SAN="-fsanitize=address,undefined -fno-omit-frame-pointer" all test-programs
	@BUILD=build/san JOB_SECONDS=3000 tests/run
fuzz: ## libFuzzer (clang) on every reader, T seconds each
	$(SUBMAKE) BUILD=build/fuzz KERNEL_OPT=-O1 CC=clang SAN="-fsanitize=address,undefined,fuzzer-no-link" fuzz-programs
	@BUILD=build/fuzz tests/fuzz/run $(T)
fuzz-programs: $(fuzzers)
golden: all ## rewrite the expected files of tests/golden and generated/sample.c
	@BUILD=$(BUILD) tests/golden/run --rewrite
format: ## clang-format every source
	clang-format -i $(formatted)
lint: all ## style, layers, limits
	@BUILD=$(BUILD) tests/lint/run
install: all ## to PREFIX (default /usr/local); DESTDIR for packagers
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/doc/nago/examples
	install $(programs) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(manuals) $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 README.md DESIGN.md LICENSE $(DESTDIR)$(PREFIX)/share/doc/nago
	install -m 644 examples/*.json $(DESTDIR)$(PREFIX)/share/doc/nago/examples
	install -d $(DESTDIR)$(PREFIX)/share/doc/nago/examples/firmware/include
	install -m 644 $(wildcard examples/firmware/*.*) examples/firmware/Makefile $(DESTDIR)$(PREFIX)/share/doc/nago/examples/firmware
	install -m 644 $(wildcard examples/firmware/include/*.h) $(DESTDIR)$(PREFIX)/share/doc/nago/examples/firmware/include
uninstall: ## what install put there
	rm -f $(programs:$(BUILD)/%=$(DESTDIR)$(PREFIX)/bin/%) $(manuals:$(BUILD)/man/%=$(DESTDIR)$(PREFIX)/share/man/man1/%)
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/nago
compile_commands.json: ## for editors
	bear -- $(MAKE) -B all test-programs
clean: ## remove everything built
	rm -rf build compile_commands.json
help: ## this list
	@awk -F ':.*## ' '/^[a-z_.-]+:.*## / { printf "  make %-22s %s\n", $$1, $$2 }' Makefile

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all deps deps-embedded deps-check deps-dev demo check check-all test-programs bench bench-search bench-search-full bench-boards board-costs search-real paper-claims benches peers san fuzz fuzz-programs golden format lint \
        install uninstall clean help
-include $(wildcard $(BUILD)/*/*.d $(BUILD)/tests/*/*.d)
