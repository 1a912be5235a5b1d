# shadow: build, check, install. Non-recursive; one static library, one program a file in cmd/.
#
#   make            build everything into build/release
#   make check      run all tests (make check MODE=asan: under address and UB sanitizers)
#   make lint fuzz bench demo install uninstall dist generated deps

VERSION := 0.1.0
MODE    ?= release
B       := build/$(MODE)
PREFIX  ?= /usr/local

WARN := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
        -Wvla -Wformat=2 -Wcast-qual -Wundef -Wwrite-strings
ifneq ($(CI)$(DEV),)
WARN += -Werror
endif

OPT.release := -O2 -g -D_FORTIFY_SOURCE=2
OPT.asan    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT.cov     := -O0 -g --coverage

CPPFLAGS += -D_GNU_SOURCE -Ilib -DSDW_VERSION='"$(VERSION)"' -DSDW_DATADIR='"$(PREFIX)/share/shadow-tools"'
CFLAGS   += -std=c11 $(WARN) $(OPT.$(MODE)) -fPIE
LDFLAGS  += $(OPT.$(MODE)) -pie -Wl,--as-needed

PKG_CONFIG ?= pkg-config
pkg = $(shell $(PKG_CONFIG) --libs $(1) 2>/dev/null)

# What a room of lib/ needs; --as-needed drops what a program does not use.
LIBS := $(call pkg,jansson) -lm
LIBS.net   := -lpcap $(shell libnet-config --libs 2>/dev/null || echo -lnet) $(call pkg,libsodium)
LIBS.sys   := $(call pkg,libmnl) $(call pkg,libseccomp)
LIBS.steer := $(call pkg,libnftables)
LIBS.shell := -lreadline

SRC  := $(sort $(wildcard lib/*/*.c))
OBJ  := $(SRC:%.c=$(B)/%.o)
CMD  := $(sort $(wildcard cmd/*.c))
BIN  := $(CMD:cmd/%.c=$(B)/bin/%)
UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(sort $(wildcard tests/unit/*.c)))

all:

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# One archive a room, so that a program links only the rooms (and their libraries) it uses.
ROOMS := shell ui net model steer rec io sys core
room_objects = $(filter $(B)/lib/$(1)/%,$(OBJ))
define room_rule
$(B)/lib$(1).a: $(call room_objects,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	ar rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(if $(call room_objects,$(r)),$(eval $(call room_rule,$(r)))))
ARCHIVES := $(foreach r,$(ROOMS),$(if $(call room_objects,$(r)),$(B)/lib$(r).a))
LINK = $(CC) $(LDFLAGS) -o $@ $< $(ARCHIVES) $(LIBS.net) $(LIBS.sys) $(LIBS)

$(B)/bin/%: $(B)/cmd/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(LINK)
$(B)/bin/shadow: LIBS += $(LIBS.shell)
$(B)/bin/shadow-steer: LIBS += $(LIBS.steer)

$(B)/unit/%: $(B)/tests/unit/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(LINK)
$(B)/tests/unit/%.o: CPPFLAGS += -Itests

all: $(ARCHIVES) $(BIN)

.PHONY: all unit clean
.SECONDARY:
unit: $(UNIT) all
	prove -e '' $(UNIT)

clean:
	rm -rf build

-include $(shell find build -name '*.d' 2>/dev/null)
