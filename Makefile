# podform - `make help` lists the targets.

.DEFAULT_GOAL := all

CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
SAN     ?= 0
BUILD   ?= build/$(notdir $(CC))$(if $(filter 1,$(SAN)),-san)
VERSION := 0.1.0

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wundef -Wvla -Wconversion \
	-Wno-sign-conversion -Werror
HARDEN := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
OPT  ?= -O2 -g
ifeq ($(SAN),1)
OPT    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all
HARDEN :=
LDFLAGS += -fsanitize=address,undefined
else
LDFLAGS += -pie -Wl,-z,relro,-z,now
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
TEST_SRC  := $(wildcard tests/unit/test_*.c)
HELP_SRC  := $(filter-out $(TEST_SRC),$(wildcard tests/unit/*.c))
STORY_SRC := $(wildcard tests/simulation/*.c)
obj = $(patsubst %.c,$(BUILD)/%.o,$(1))

LIB   := $(BUILD)/libpodform.a
MODEL := $(BUILD)/libmodel.a
TESTS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(TEST_SRC))
PROGRAMS := $(if $(CLI_SRC),$(BUILD)/podform) \
	$(if $(wildcard cmd/podform-sim/main.c),$(BUILD)/podform-sim)

LIB_LIBS := -lyaml -lmd -ldl
SIM_LIBS := -ljson-c -lmicrohttpd -lmd -lpthread

all: $(PROGRAMS) ## build everything

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(LIB): $(call obj,$(LIB_SRC))
	@rm -f $@; ar rcs $@ $^
$(MODEL): $(call obj,$(MODEL_SRC))
	@rm -f $@; ar rcs $@ $^

$(BUILD)/podform: $(call obj,$(CLI_SRC)) $(LIB)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB) -Wl,--as-needed $(LIB_LIBS)
$(BUILD)/podform-sim: $(call obj,$(SIM_SRC)) $(MODEL) $(LIB)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(MODEL) $(LIB) \
		-Wl,--as-needed $(LIB_LIBS) $(SIM_LIBS)
$(BUILD)/stories: $(call obj,$(STORY_SRC)) $(MODEL) $(LIB)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(MODEL) $(LIB) \
		-Wl,--as-needed $(LIB_LIBS) $(SIM_LIBS)
$(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(call obj,$(HELP_SRC)) $(MODEL) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(MODEL) $(LIB) \
		-Wl,--as-needed -lcmocka $(LIB_LIBS) $(SIM_LIBS)

check: all $(TESTS) ## unit tests only
	@set -e; for t in $(TESTS); do echo "== $$t"; $$t; done

clean: ## remove what was built
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | \
		awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'

.PHONY: all check clean help
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
