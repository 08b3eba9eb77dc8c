# podform - `make help` lists the targets.

.DEFAULT_GOAL := all

CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
SAN     ?= 0
BUILD   ?= build/$(notdir $(CC))$(if $(filter 1,$(SAN)),-san)
VERSION := 0.1.0
PREFIX  ?= /usr/local
JOBS    ?= $(shell nproc 2>/dev/null || echo 2)
SEEDS   ?= 20000
MINUTES ?= 1

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wundef -Wvla -Wconversion \
	-Wno-sign-conversion -Wno-string-conversion -Werror
# What makes a hole hard to use; tests/integration/hardening_test.sh looks for
# it in the programs.
HARDEN := -fstack-protector-strong -fstack-clash-protection \
	-D_FORTIFY_SOURCE=2 -fPIE \
	$(if $(filter x86_64,$(shell uname -m)),-fcf-protection=full)
OPT  ?= -O2 -g
ifeq ($(SAN),1)
OPT    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all
HARDEN :=
LDFLAGS += -fsanitize=address,undefined
else
LDFLAGS += -pie -Wl,-z,relro,-z,now,-z,noexecstack
endif
CPPFLAGS += -D_GNU_SOURCE -DPODFORM_VERSION='"$(VERSION)"' -Ipkg -I.
CFLAGS   += -std=c17 $(WARN) $(OPT) $(HARDEN) $(EXTRA_CFLAGS)

# What each program is made of.  The core and the edges make one archive,
# from which the linker takes what a program uses; the model of the cloud is
# another, so that podform itself cannot know of it.
LIB_SRC   := $(filter-out pkg/model/%,$(wildcard pkg/*/*.c pkg/*/*/*.c))
MODEL_SRC := $(wildcard pkg/model/*.c)
CLI_SRC   := $(wildcard cmd/podform/*.c)
SIM_SRC   := $(wildcard cmd/podform-sim/*.c)
STANDIN_SRC := $(wildcard cmd/podform-sim/runner/*.c)
SSH_SRC   := $(wildcard cmd/podform-ssh/*.c)
TEST_SRC  := $(wildcard tests/unit/test_*.c)
HELP_SRC  := $(filter-out $(TEST_SRC) tests/unit/cmd_%, \
	$(wildcard tests/unit/*.c))
STORY_SRC := $(filter-out tests/simulation/crash_%, \
	$(wildcard tests/simulation/*.c))
STORY_OWN := $(addprefix tests/simulation/,main.c program.c meter.c)
CRASH_SRC := $(filter-out tests/simulation/main.c,$(STORY_SRC)) \
	$(wildcard tests/simulation/crash_*.c)
BENCH_SRC := $(wildcard tests/bench/*.c)
FUZZ_SRC  := $(wildcard tests/fuzz/fuzz_*.c)
obj = $(patsubst %.c,$(BUILD)/%.o,$(1))

LIB   := $(BUILD)/libpodform.a
MODEL := $(BUILD)/libmodel.a
COMMANDS := $(BUILD)/libcommands.a
TESTS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(TEST_SRC))
PROGRAMS := $(if $(CLI_SRC),$(BUILD)/podform) \
	$(if $(wildcard cmd/podform-sim/main.c),$(BUILD)/podform-sim) \
	$(if $(wildcard cmd/podform-ssh/main.c),$(BUILD)/podform-ssh)

LIB_LIBS := -lyaml -lmd -ldl
SIM_LIBS := -ljson-c -lmicrohttpd -lmd -lpthread

all: $(PROGRAMS) ## build everything

# One short line for each step; all of it with V=1.
Q := $(if $(V),,@)
quiet = $(findstring s,$(filter-out --%,$(firstword $(MAKEFLAGS))))
say = $(if $(or $(V),$(quiet)),,@echo "  $(1)  $@")

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC  )
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(LIB): $(call obj,$(LIB_SRC))
	$(call say,AR  )
	$(Q)rm -f $@; ar rcs $@ $^
$(MODEL): $(call obj,$(MODEL_SRC))
	$(call say,AR  )
	$(Q)rm -f $@; ar rcs $@ $^
# For tests of podform's commands.
$(COMMANDS): $(call obj,$(filter-out cmd/podform/main.c,$(CLI_SRC)))
	$(call say,AR  )
	$(Q)rm -f $@; ar rcs $@ $^

# The archives come in the order in which they need one another.
link = $(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) \
	-Wl,--as-needed
$(BUILD)/podform: $(call obj,$(CLI_SRC)) $(LIB)
	$(call say,LINK)
	$(Q)$(link) $(LIB_LIBS)
# Speaks SSH for podform, in processes of its own.
$(BUILD)/podform-ssh: $(call obj,$(SSH_SRC)) $(LIB)
	$(call say,LINK)
	$(Q)$(link) -lssh2 -lcrypto -lmd
# The stand-in for GitHub's runner travels inside podform-sim.  It stands on
# libc alone and is never built with sanitizers: it runs in pods.
$(BUILD)/standin: $(STANDIN_SRC) $(wildcard cmd/podform-sim/runner/*.h)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(CPPFLAGS) -std=c17 $(WARN) -Os -s -o $@ $(STANDIN_SRC)
$(BUILD)/standin.o: $(BUILD)/standin
	$(call say,LD  )
	$(Q)cd $(@D) && ld -r -b binary -z noexecstack -o $(@F) standin
$(BUILD)/podform-sim: $(call obj,$(SIM_SRC)) $(BUILD)/standin.o $(MODEL) \
		$(LIB)
	$(call say,LINK)
	$(Q)$(link) $(LIB_LIBS) $(SIM_LIBS)
comma := ,
# The stories run the commands themselves; what these call of the outside is
# given to them by tests/simulation/program.c, and memory by meter.c.
STORY_WRAPS := io_fs io_clock io_chance write getenv isatty access faccessat \
	app_connect app_new_session app_open_session app_open_writer \
	io_world_take_signals ssh_world_load_keys ssh_world_check_keys ssh_world_keys \
	ssh_keys_make ssh_keys_public holder_list session_plan \
	session_plan_to_apply session_apply \
	malloc calloc realloc reallocarray strdup free
STORY_PARTS := $(STORY_SRC) $(filter-out cmd/podform/main.c,$(CLI_SRC))
$(BUILD)/stories: $(call obj,$(STORY_PARTS)) $(MODEL) $(LIB)
	$(call say,LINK)
	$(Q)$(link) $(addprefix -Wl$(comma)--wrap=,$(STORY_WRAPS)) \
		$(LIB_LIBS) $(SIM_LIBS)
CRASH_PARTS := $(CRASH_SRC) $(filter-out cmd/podform/main.c,$(CLI_SRC))
$(BUILD)/crashes: $(call obj,$(CRASH_PARTS)) $(MODEL) $(LIB)
	$(call say,LINK)
	$(Q)$(link) $(addprefix -Wl$(comma)--wrap=,$(STORY_WRAPS)) \
		$(LIB_LIBS) $(SIM_LIBS)
$(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(call obj,$(HELP_SRC)) \
		$(MODEL) $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(link) $(UNIT_LINK) -lcmocka $(LIB_LIBS) $(SIM_LIBS)
# Libraries that fail, in the place of those that are there.
$(BUILD)/unit/test_library_failing: UNIT_LINK := \
	$(addprefix -Wl$(comma)--wrap=,dlopen dlsym getrandom)
# And calls of the system.
$(BUILD)/unit/test_io_failing: UNIT_LINK := $(addprefix -Wl$(comma)--wrap=, \
	socket connect getsockopt recv send read epoll_ctl pipe2 poll waitpid \
	eventfd signalfd fchmod fstat fsync unlink fdopendir readdir \
	posix_spawn_file_actions_init posix_spawnattr_init \
	posix_spawn_file_actions_addopen posix_spawn_file_actions_adddup2 \
	posix_spawn_file_actions_addclosefrom_np posix_spawnattr_setflags \
	pthread_create getaddrinfo clock_gettime)
$(BUILD)/unit/test_ssh_reach: UNIT_LINK := $(addprefix -Wl$(comma)--wrap=, \
	socket connect getsockopt eventfd pthread_create socketpair \
	posix_spawn sendmsg getaddrinfo)
$(BUILD)/unit/test_ssh_keys_failing: UNIT_LINK := \
	$(addprefix -Wl$(comma)--wrap=,mkdtemp pipe2 posix_spawnp)
$(BUILD)/unit/test_cmd_%: $(BUILD)/tests/unit/test_cmd_%.o \
		$(call obj,$(wildcard tests/unit/cmd_*.c) $(HELP_SRC)) \
		$(COMMANDS) $(MODEL) $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(link) -lcmocka $(LIB_LIBS) $(SIM_LIBS)

# What podform is measured against stands on the bare libraries; link.c is
# podform's own side of SSH.
BENCHES := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(BENCH_SRC))
$(filter-out %/link,$(BENCHES)): $(BUILD)/bench/%: $(BUILD)/tests/bench/%.o
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< -Wl,--as-needed -lyaml -lcurl -ljson-c \
		-lpthread
$(BUILD)/bench/link: $(BUILD)/tests/bench/link.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(link) $(LIB_LIBS)

# What takes bytes of chance, for tools/fuzz, which says with what flags.  Of
# the archives each takes what it uses, and is the faster for it.
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/%,$(FUZZ_SRC))
FUZZ_PARTS := $(call obj,tests/unit/jsonc_oracle.c \
	$(filter-out $(STORY_OWN), \
	$(STORY_SRC)))
$(BUILD)/libfuzz.a: $(FUZZ_PARTS)
	$(call say,AR  )
	$(Q)rm -f $@; ar rcs $@ $^
$(FUZZERS): $(BUILD)/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/libfuzz.a \
		$(MODEL) $(LIB)
	$(call say,LINK)
	$(Q)$(link) -fsanitize=fuzzer $(FUZZ_LINK) $(LIB_LIBS) $(SIM_LIBS)
fuzzers: $(FUZZERS)
# The worker's sockets, clock and end are the target's own.
comma := ,
$(BUILD)/libworker.a: $(call obj,$(filter-out %/main.c %/confine.c \
		%/library.c %/keystream.c,$(SSH_SRC)))
	$(call say,AR  )
	$(Q)rm -f $@; ar rcs $@ $^
$(BUILD)/fuzz_sessions: FUZZ_LINK := -Wl$(comma)--wrap=connect \
	-Wl$(comma)--wrap=poll
$(BUILD)/fuzz_worker: $(BUILD)/libworker.a
$(BUILD)/fuzz_worker: FUZZ_LINK := $(BUILD)/libworker.a -lssh2 -lcrypto \
	$(addprefix -Wl$(comma)--wrap=,malloc calloc realloc reallocarray \
	free recv send poll accept4 clock_gettime malloc_trim _exit \
	wire_send wire_receive libssh2_session_init_ex)

# Everything that the tests run, and then the tests.
STORIES := $(if $(wildcard tests/simulation/main.c),$(BUILD)/stories)
CRASHES := $(BUILD)/crashes
programs: $(PROGRAMS) $(STORIES) $(CRASHES) $(TESTS) $(BENCHES)

check: programs ## unit tests only
	@tests/run $(BUILD) unit

test: setup-test ## install what is needed, build, and pass everything
	@$(MAKE) -s -j$(JOBS) programs
	@tools/fuzz --build
	@CC=$(CC) SEEDS=$(SEEDS) tests/run $(BUILD)

demo: setup-demo ## watch podform work, on a pretended RunPod
	@$(MAKE) -s -j$(JOBS) all
	@tools/demo $(BUILD)

# make sim: SEEDS stories from seed 1.  make sim SEED=7: that one, told; SIM
# is more for the program that tells them, such as '--only F20'.
sim: $(STORIES) ## simulated stories; SEED=n replays one, told in full
ifdef SEED
	@$(BUILD)/stories --seed $(SEED) --trace $(SIM)
else
	@$(BUILD)/stories --seeds $(SEEDS)
endif

campaign: $(STORIES) $(CRASHES) ## stories of chance for MINUTES, all crashes
	@tools/campaign $(BUILD) $(MINUTES)
	@$(BUILD)/crashes --all --jobs $(JOBS)

mutants: setup-test ## bugs put in, to see who finds them: MUTANTS=n, SEED=n
	@$(MAKE) -s -j$(JOBS) programs
	@BUILD=$(BUILD) CC="$(CC)" tests/simulation/mutants.sh

fuzz: setup-test ## bytes of chance for the parsers, until interrupted
	@tools/fuzz

bench: setup-test ## measure, as ratios to a floor of the same run
	@$(MAKE) -s -j$(JOBS) all $(BENCHES)
	@CC=$(CC) tests/bench/run $(BUILD)

coverage: setup-test ## lines and branches the tests have run
	@tools/coverage

analyse: setup-lint ## -fanalyzer and clang-tidy over all; lint: what changed
	@tools/analyse

lint: setup-lint ## layers, warnings of two compilers, cppcheck, links ...
	@tools/lint

format: ## lay out the C files that you changed (clang-format)
	@git diff --name-only --diff-filter=d HEAD -- '*.[ch]' | \
		xargs -r clang-format -i

compdb: export FLAGS = $(CPPFLAGS) $(CFLAGS)
compdb: ## write compile_commands.json for editors
	@CC=$(CC) tools/compdb $(LIB_SRC) $(MODEL_SRC) $(CLI_SRC) $(SIM_SRC) $(STANDIN_SRC) $(SSH_SRC) \
		$(sort $(STORY_SRC) $(CRASH_SRC)) $(BENCH_SRC) $(wildcard tests/unit/*.c) \
		>compile_commands.json

setup: ## install what building needs (Debian 12, root or sudo)
	@tools/setup build
setup-demo: ## ... and what the demo needs
	@tools/setup demo
setup-test: ## ... and what the tests need
	@tools/setup test
setup-lint: ## ... and what lint needs
	@tools/setup lint

install: all ## copy the programs to DESTDIR/PREFIX (/usr/local)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/doc/podform
	install $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -m 644 README.md LICENSE $(DESTDIR)$(PREFIX)/share/doc/podform

clean: ## remove what was built
	rm -rf build

help: ## this list
	@echo "Targets (SAN=1: under sanitizers; CC=clang: by another compiler):"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | \
		awk -F'|' '{ printf "  make %-12s %s\n", $$1, $$2 }'

.PHONY: all programs check test demo sim campaign mutants fuzz fuzzers bench \
	coverage analyse lint format compdb setup setup-demo setup-test setup-lint \
	install clean help
.SECONDARY:
.DELETE_ON_ERROR:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
