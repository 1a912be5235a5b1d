# shadow: build, check, install. Non-recursive; one archive a room, one program a file in cmd/.
#
#   make              build everything into build/release
#   make check        run all tests (make check MODE=asan: under address and UB sanitizers)
#   make demo         the main job, live, in a laboratory of network namespaces
#   make bench        benchmarks, one NDJSON line each (BENCH=name: one of them)
#   make bars         the statistical bars, in the laboratory (RUNS=n; BAR=name: one of them)
#   make lint fuzz install uninstall dist generated deps clean

VERSION := 0.1.0
DATE    := November 20, 2026
MODE    ?= release
B       := build/$(MODE)
PREFIX  ?= /usr/local
Q       := $(if $(V),,@)

WARN := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
        -Wvla -Wformat=2 -Wcast-qual -Wundef -Wwrite-strings
ifneq ($(CI)$(DEV),)
WARN += -Werror
endif

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

OPT.release := -O2 -g -D_FORTIFY_SOURCE=2
OPT.asan    := -O1 -g $(SANITIZE)
OPT.cov     := -O0 -g --coverage
OPT.fuzz    := -O1 -g $(SANITIZE) -fsanitize=fuzzer-no-link
OPT.analyze := -O1 -g -fanalyzer

CPPFLAGS += -D_GNU_SOURCE -Ilib -DSDW_VERSION='"$(VERSION)"' -DSDW_DATADIR='"$(PREFIX)/share/shadow-tools"'
CFLAGS   += -std=c11 $(WARN) $(OPT.$(MODE)) -fPIE
LDFLAGS  += $(OPT.$(MODE)) -pie -Wl,--as-needed

PKG_CONFIG ?= pkg-config
pkg  = $(shell $(PKG_CONFIG) --libs $(1) 2>/dev/null)
have = $(shell $(PKG_CONFIG) --exists $(1) 2>/dev/null && echo yes)

# What a room of lib/ needs; --as-needed drops what a program does not use.
LIBS       = $(call pkg,jansson) -lm
LIBS.net   = -lpcap $(if $(filter yes,$(NDPI)),-lndpi) $(shell libnet-config --libs 2>/dev/null || echo -lnet) $(call pkg,libsodium)
LIBS.sys   = $(call pkg,libmnl) $(call pkg,libseccomp) $(call pkg,libmaxminddb)
LIBS.steer = $(call pkg,libnftables)
LIBS.shell = $(call pkg,readline)
LIBS.store = $(call pkg,sqlite3 libcurl libpcre2-8)
LIBS.collect = $(call pkg,libnetfilter_conntrack netsnmp libcurl)

# A tool whose own library is missing is left out, with its room.
ABSENT :=
ifeq ($(call have,readline),)
ABSENT += shell
$(info shadow is left out: libreadline-dev is missing (make deps))
endif
ifeq ($(call have,libnftables),)
ABSENT += steer
$(info shadow-steer is left out: libnftables-dev is missing (make deps))
endif
ifeq ($(call have,sqlite3 libcurl libpcre2-8),)
ABSENT += store
$(info shadow-store is left out: libsqlite3-dev, libcurl4-openssl-dev or libpcre2-dev is missing (make deps))
endif
# libndpi's interface changes from one minor version to the next: only the one we know is taken.
# NDPI=no does without it.
NDPI ?= $(shell $(PKG_CONFIG) --exists 'libndpi >= 4.2 libndpi < 4.3' 2>/dev/null && echo yes)
ifneq ($(NDPI),yes)
$(info deep packet inspection is left out, ports and names are used: libndpi 4.2 is missing (make deps))
endif
NOT_BUILT := lib/net/$(if $(filter yes,$(NDPI)),dpi_hints,dpi_ndpi).c
NOT_BUILT += $(if $(call have,libcurl),,lib/sys/http.c)
NOT_BUILT += lib/sys/$(if $(call have,libmaxminddb),geoip_none,geoip_mmdb).c
ifeq ($(call have,libmaxminddb),)
$(info regions of addresses are left out: libmaxminddb-dev is missing (make deps))
endif

# A tool whose libraries nothing else needs is left out with the files that include them.
COLLECT := libnetfilter_conntrack netsnmp libcurl
ifneq ($(foreach p,$(COLLECT),$(call have,$(p))),$(COLLECT:%=yes))
NOT_BUILT += cmd/shadow-collect.c lib/sys/conntrack.c lib/net/collect_connections.c \
    lib/sys/snmp.c lib/net/collect_snmp.c lib/net/collect_prometheus.c
$(info shadow-collect is left out: libnetfilter-conntrack-dev, libsnmp-dev or \
    libcurl4-openssl-dev is missing (make deps))
endif
TOOL_OF.shell := cmd/shadow.c
TOOL_OF.steer := cmd/shadow-steer.c
TOOL_OF.store := cmd/shadow-store.c
absent_tests   = $(if $(ABSENT),$(shell grep -l $(ABSENT:%=-e '"%/') $(1) /dev/null))

SRC  := $(foreach s,$(filter-out $(NOT_BUILT),$(sort $(wildcard lib/*/*.c))),$(if $(filter $(ABSENT),$(word 2,$(subst /, ,$(s)))),,$(s)))
OBJ  := $(SRC:%.c=$(B)/%.o)
CMD  := $(filter-out $(NOT_BUILT) $(foreach r,$(ABSENT),$(TOOL_OF.$(r))),$(sort $(wildcard cmd/*.c)))
BIN  := $(CMD:cmd/%.c=$(B)/bin/%)
UNIT_SRC := $(sort $(wildcard tests/unit/*.c))
UNIT := $(patsubst tests/%.c,$(B)/%,$(filter-out $(call absent_tests,$(UNIT_SRC)),$(UNIT_SRC)))
FUZZ_SRC := $(filter-out tests/fuzz/replay.c,$(sort $(wildcard tests/fuzz/*.c)))
FUZZ := $(patsubst tests/%.c,$(B)/%,$(filter-out $(call absent_tests,$(FUZZ_SRC)),$(FUZZ_SRC)))
BENCH_SRC := $(sort $(wildcard tests/bench/*.c))
BENCH_BIN := $(patsubst tests/%.c,$(B)/%,$(filter-out $(call absent_tests,$(BENCH_SRC)),$(BENCH_SRC)))
LAB_BIN := $(patsubst tests/%.c,$(B)/%,$(sort $(wildcard tests/lab/demo/*.c)))

all:

# --- programs -------------------------------------------------------------------------------

.PHONY: libraries
libraries:
	@$(PKG_CONFIG) --exists jansson libpcap libmnl && command -v libnet-config >/dev/null || \
	    { echo "libraries are missing: run 'make deps'" >&2; exit 1; }

$(B)/%.o: %.c Makefile | libraries
	@mkdir -p $(@D)
	@echo "cc $<"
	$Q$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The models look at no errno and at no floating-point exception: so square roots and roundings
# are instructions, and loops over vectors may be vectorised.
$(B)/lib/model/%.o: CFLAGS += -fno-math-errno -fno-trapping-math

# One archive a room, so that a program links only the rooms (and their libraries) it uses.
ROOMS := shell ui net model steer store rec io sys core
room_objects = $(filter $(B)/lib/$(1)/%,$(OBJ))
define room_rule
$(B)/lib$(1).a: $(call room_objects,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	@ar rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(if $(call room_objects,$(r)),$(eval $(call room_rule,$(r)))))
ARCHIVES := $(foreach r,$(ROOMS),$(if $(call room_objects,$(r)),$(B)/lib$(r).a))
LINK = $(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(ARCHIVES) $(LIBS.net) $(LIBS.sys) $(LIBS)

$(B)/bin/%: $(B)/cmd/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	@echo "ld $@"
	$Q$(LINK)
$(B)/bin/shadow: LIBS += $(LIBS.shell)
$(B)/bin/shadow-steer: LIBS += $(LIBS.steer)
$(B)/bin/shadow-store: LIBS += $(LIBS.store)
$(B)/bin/shadow-collect: LIBS += $(LIBS.collect)

all: $(ARCHIVES) $(BIN)

# --- tests ----------------------------------------------------------------------------------

$(B)/unit/% $(B)/fuzz/% $(B)/bench/%: LIBS += $(LIBS.shell) $(LIBS.steer) $(LIBS.store)
$(B)/unit/%: $(B)/tests/unit/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	@echo "ld $@"
	$Q$(LINK)
$(B)/bench/%: $(B)/tests/bench/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	@echo "ld $@"
	$Q$(LINK)
$(B)/lab/demo/%: $(B)/tests/lab/demo/%.o
	@mkdir -p $(@D)
	@echo "ld $@"
	$Q$(CC) $(LDFLAGS) -o $@ $<
$(B)/tests/%.o: CPPFLAGS += -Itests

ifeq ($(MODE),fuzz)
FUZZ_MAIN :=
$(B)/fuzz/%: LDFLAGS += -fsanitize=fuzzer
else
FUZZ_MAIN := $(B)/tests/fuzz/replay.o
endif
$(B)/fuzz/%: $(B)/tests/fuzz/%.o $(FUZZ_MAIN) $(ARCHIVES)
	@mkdir -p $(@D)
	@echo "ld $@"
	$Q$(LINK)

# What prove runs: TESTS='tests/e2e/opt.bats build/release/unit/num' runs only these.
# LAB_TESTS= leaves out those in laboratories of namespaces, which take two thirds of the time.
LAB_TESTS ?= $(sort $(wildcard tests/lab/*.bats))
TESTS ?= $(UNIT) $(FUZZ) $(sort $(wildcard tests/e2e/*.bats)) $(LAB_TESTS)
RUN_ENV = PATH="$(CURDIR)/$(B)/bin:$$PATH" SDW_BUILD="$(CURDIR)/$(B)" MODE=$(MODE)

.PHONY: all unit check check-run fuzz fuzz-run bench bars demo clean
.SECONDARY:
unit: $(UNIT) all
	$(RUN_ENV) prove -e tests/run $(UNIT)

check: need-build need-test
	@$(MAKE) --no-print-directory check-run
check-run: all $(UNIT) $(FUZZ) $(BENCH_BIN) $(LAB_BIN)
	$(RUN_ENV) prove -f --comments -e tests/run $(TESTS)

# Look for new faults at the parsers, FUZZ_SECONDS each; FUZZ_TARGETS='rec scan' only at these.
FUZZ_SECONDS ?= 20
FUZZ_TARGETS ?= $(notdir $(FUZZ))
fuzz: need-build need-lint
	@$(MAKE) --no-print-directory MODE=fuzz CC=clang fuzz-run
fuzz-run: $(FUZZ_TARGETS:%=$(B)/fuzz/%)
	@for t in $(FUZZ_TARGETS); do \
	    mkdir -p $(B)/found/$$t tests/fuzz/corpus/$$t && echo "fuzz $$t" && \
	    $(B)/fuzz/$$t -max_total_time=$(FUZZ_SECONDS) -verbosity=0 -print_final_stats=1 \
	        -artifact_prefix=$(B)/found/ $(B)/found/$$t tests/fuzz/corpus/$$t || exit 1; done

bench: need-build need-test need-bench
	@$(MAKE) --no-print-directory bench-run
.PHONY: bench-run bars-run
bench-run: all $(BENCH_BIN)
	@$(RUN_ENV) BENCH="$(BENCH)" tests/bench/run

bars: need-build need-test
	@$(MAKE) --no-print-directory bars-run
bars-run: all $(BENCH_BIN) $(LAB_BIN)
	@status=0; for bar in $(if $(BAR),tests/lab/bars/$(BAR).sh,$(sort $(wildcard tests/lab/bars/*.sh))); do \
	    $(RUN_ENV) bash $$bar || status=1; done; exit $$status

.PHONY: demo-run
demo: need-build need-demo
	@$(MAKE) --no-print-directory demo-run
demo-run: all $(LAB_BIN)
	@$(RUN_ENV) bash tests/lab/demo/run.sh

# --- lint -----------------------------------------------------------------------------------

C_FILES  := $(sort $(wildcard lib/*/*.[ch] cmd/*.c tests/*/*.[ch] tests/*/*/*.[ch]))
SH_FILES := $(sort .ci/run tests/run $(wildcard tests/bench/run tests/*/*.sh tests/*/*/*.sh tests/*/*.bats tests/*/*.bash))
TIDY     := $(SRC:%.c=build/tidy/%.ok) $(CMD:%.c=build/tidy/%.ok)
ANALYZED := $(patsubst %.c,build/analyze/%.o,$(SRC) $(CMD))

build/tidy/%.ok: %.c .clang-tidy $(wildcard lib/*/*.h)
	@mkdir -p $(@D)
	@clang-tidy --quiet --warnings-as-errors='*' $< -- -std=c11 $(CPPFLAGS) 2>$@.log || \
	    { grep -v 'warnings generated' $@.log; exit 1; }
	@touch $@

.PHONY: lint lint-run lint-format lint-tidy lint-cppcheck lint-analyze lint-text
lint: need-build need-test need-lint
	@$(MAKE) --no-print-directory -k lint-run
	@echo "lint: clean"
lint-run: lint-format lint-text lint-cppcheck lint-analyze lint-tidy
lint-format:
	clang-format --dry-run -Werror $(C_FILES)
lint-tidy: $(TIDY)
lint-cppcheck:
	cppcheck -q -j2 --std=c11 --enable=warning,performance,portability --inline-suppr \
	    --suppress=missingIncludeSystem --suppress=legacyUninitvar --error-exitcode=1 -Ilib lib cmd
lint-analyze:
	@$(MAKE) --no-print-directory -s MODE=analyze DEV=1 $(ANALYZED)
lint-text:
	shellcheck -x -S warning $(SH_FILES) $(wildcard completions/bash/*)
	mandoc -Tlint -Wwarning $(wildcard man/*.[157])
	codespell -q 3 --ignore-words-list=$(CODESPELL_IGNORE) lib cmd man/*.in man/*.awk tests README.md CHANGELOG.md Makefile
CODESPELL_IGNORE := fo,ect,nd,upto,iif

# --- generated files ------------------------------------------------------------------------

# Pages and completions come from the tools' own tables (GENERATED_TO=DIR: into another tree).
GENERATED_TO ?= .
.PHONY: generated
generated: all
	@mkdir -p $(addprefix $(GENERATED_TO)/,man completions/bash completions/zsh completions/fish)
	@set -e; for t in $(notdir $(BIN)); do \
	    for shell in bash/$$t zsh/_$$t fish/$$t.fish; do \
	        $(B)/bin/$$t --generate $${shell%%/*} > $(GENERATED_TO)/completions/$$shell; done; \
	    $(B)/bin/$$t --generate mdoc | \
	        awk -v IN=man/$$t.1.in -v DATE='$(DATE)' -f man/page.awk > $(GENERATED_TO)/man/$$t.1; \
	done
ifneq ($(filter shadow,$(notdir $(BIN))),)
	@$(B)/bin/shadow records --mdoc | \
	    sed -e '/^@RECORDS@$$/{r /dev/stdin' -e 'd}' -e 's/@DATE@/$(DATE)/' man/shadow-records.5.in \
	        > $(GENERATED_TO)/man/shadow-records.5
endif

# --- install --------------------------------------------------------------------------------

BINDIR  := $(DESTDIR)$(PREFIX)/bin
MANDIR  := $(DESTDIR)$(PREFIX)/share/man
BASHDIR := $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSHDIR  := $(DESTDIR)$(PREFIX)/share/zsh/site-functions
FISHDIR := $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
PAGES    = $(wildcard man/*.[157])

.PHONY: install uninstall dist
install: all
	install -d $(BINDIR) $(MANDIR)/man1 $(MANDIR)/man5 $(MANDIR)/man7 $(BASHDIR) $(ZSHDIR) $(FISHDIR)
	install $(BIN) $(BINDIR)
	for page in $(PAGES); do install -m 644 $$page $(MANDIR)/man$${page##*.} || exit 1; done
	for t in $(notdir $(BIN)); do \
	    install -m 644 completions/bash/$$t $(BASHDIR) && \
	    install -m 644 completions/zsh/_$$t $(ZSHDIR) && \
	    install -m 644 completions/fish/$$t.fish $(FISHDIR) || exit 1; done

uninstall:
	rm -f $(addprefix $(BINDIR)/,$(notdir $(BIN)))
	for page in $(PAGES); do rm -f $(MANDIR)/man$${page##*.}/$${page##*/}; done
	rm -f $(foreach t,$(notdir $(BIN)),$(BASHDIR)/$(t) $(ZSHDIR)/_$(t) $(FISHDIR)/$(t).fish)

dist:
	mkdir -p dist
	git archive --prefix=shadow-$(VERSION)/ HEAD | gzip -n9 > dist/shadow-$(VERSION).tar.gz

clean:
	rm -rf build dist

# --- packages -------------------------------------------------------------------------------

APT.build := gcc libc6-dev pkg-config libpcap-dev libnet1-dev libjansson-dev libreadline-dev \
             libmnl-dev libnftables-dev libsodium-dev libseccomp-dev libndpi-dev libsqlite3-dev \
             libnetfilter-conntrack-dev libsnmp-dev libcurl4-openssl-dev libpcre2-dev \
             libmaxminddb-dev
APT.demo  := iproute2 nftables jq gawk procps
APT.test  := $(APT.demo) perl python3 iputils-ping bats mandoc tmux tshark strace bc zsh fish \
             conntrack softflowd snmpd snmp pmacct prometheus mtr-tiny iperf3 curl sqlite3 \
             victoria-metrics openssl ca-certificates
APT.bench := r-base-core r-cran-forecast
APT.lint  := clang clang-format clang-tidy cppcheck shellcheck codespell

# Install what is missing of $(1) where that is allowed, otherwise say how.
define install_packages
@missing=$$(for p in $(1); do \
    dpkg-query -Wf '$${db:Status-Status}\n' $$p 2>/dev/null | grep -qx installed || echo $$p; done); \
missing=$$(echo $$missing); \
if [ -z "$$missing" ] || ! command -v apt-get >/dev/null; then :; \
elif [ "$$(id -u)" = 0 ]; then \
    apt-get update -q && DEBIAN_FRONTEND=noninteractive \
        apt-get install -qy --no-install-recommends $$missing; \
else echo "packages are missing; to install them: sudo apt-get install $$missing"; fi
endef

.PHONY: deps
deps:
	$(call install_packages,$(APT.build) $(APT.test) $(APT.bench) $(APT.lint))
need-%:
	$(call install_packages,$(APT.$*))

-include $(shell find build -name '*.d' 2>/dev/null)
