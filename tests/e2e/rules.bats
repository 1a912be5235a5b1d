#!/usr/bin/env bats
# The rules of the house: what may include what, how big things get, what is never called.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/e2e/build.bash
. "$BATS_TEST_DIRNAME/build.bash"

setup()
{
    cd "$BATS_TEST_DIRNAME/../.."
}

# Rooms that each room may include, besides itself.
allowed()
{
    case $1 in
    core) ;;
    io | sys) echo core ;;
    rec) echo io sys core ;;
    net | model | steer | store | repl) echo rec io sys core ;;
    shell | ui) echo net model steer store repl rec io sys core ;;
    esac
}

# Lines FILE:INCLUDED of all quoted includes below the folders given.
includes()
{
    grep -rnoE --include='*.[ch]' '^#include "[^"]+"' "$@" | sed -E 's/:[0-9]+:#include "([^"]+)"/:\1/'
}

@test "arrows between rooms point down only" {
    bad=''
    while IFS=: read -r file included; do
        room=$(cut -d/ -f2 <<<"$file")
        other=${included%%/*}
        [[ $other == "$room" || " $(allowed "$room") " == *" $other "* ]] || bad+="$file includes $included"$'\n'
    done < <(includes lib)
    echo "$bad"
    [ -z "$bad" ]
}

@test "includes name their room, and the file exists" {
    while IFS=: read -r file included; do
        [ -e "lib/$included" ] || { echo "$file: $included"; false; }
    done < <(includes lib cmd)
}

@test "a library file includes its own header first" {
    for file in lib/*/*.c; do
        own=${file#lib/}
        own=${own%.c}.h
        [ -e "lib/$own" ] || continue
        first=$(grep -m1 '^#include' "$file")
        [ "$first" = "#include \"$own\"" ] || { echo "$file: $first"; false; }
    done
}

# only PATTERN ALLOWED...: system headers that match are included below ALLOWED only.
only()
{
    local pattern=$1 found
    shift
    found=$(grep -rlE --include='*.[ch]' "^#include <($pattern)" lib cmd || true)
    for place in "$@"; do
        found=$(grep -v "^$place" <<<"$found" || true)
    done
    [ -z "$found" ] || { echo "$pattern: $found"; false; }
}

@test "each outside library is included in its place only" {
    only 'jansson' lib/io/json.c
    only 'pcap|libnet\.' lib/net/
    only 'pcre2' lib/store/expression.c
    only 'ndpi' lib/net/dpi_ndpi.c
    only 'readline' lib/shell/
    only 'nftables' lib/steer/
    only 'sqlite3' lib/store/
    only 'libmnl' lib/sys/ lib/net/ lib/steer/
    only 'libnetfilter_conntrack' lib/sys/conntrack.c
    only 'maxminddb' lib/sys/geoip
    only 'net-snmp' lib/sys/snmp
    only 'curl' lib/sys/http
}

@test "model is pure: no input, output, clock, environment or hidden randomness" {
    run grep -nE '#include (<(unistd|time|fcntl|signal|sys/[a-z]+)\.h>|"(io/(line|out|tool|emit)|core/clock)|"sys/)' lib/model/*.[ch]
    echo "$output"
    [ "$status" -eq 1 ]
    run grep -nwE '(fopen|fread|fwrite|fputs|fprintf|printf|getenv|time|rand|random|drand48)\(|FILE|stderr|stdout' lib/model/*.[ch]
    echo "$output"
    [ "$status" -eq 1 ]
}

@test "a command has at most 250 lines, a library file 600" {
    for file in cmd/*.c lib/*/*.[ch]; do
        limit=600
        [[ $file == cmd/* ]] && limit=250
        long=$(wc -l <"$file")
        [ "$long" -le "$limit" ] || { echo "$file: $long lines"; false; }
    done
}

@test "a function has at most 70 lines" {
    run awk '
        FNR == 1 { open = 0 }
        /^\{/ { open = FNR }
        /^\}/ { if (open && FNR - open - 1 > 70) { print FILENAME ":" open ": " FNR - open - 1 " lines"; bad = 1 }; open = 0 }
        END { exit bad }' lib/*/*.c cmd/*.c
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "a command is a table and a loop: main only calls sdw_main" {
    for file in cmd/*.c; do
        grep -A3 '^int main' "$file" | grep -q 'return sdw_main(' || { echo "$file"; false; }
    done
}

@test "unbounded and unsafe functions are not called" {
    run grep -nE '\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atof|gets|alloca|system|mktemp|tmpnam)\(' lib/*/*.[ch] cmd/*.c
    echo "$output"
    [ "$status" -eq 1 ]
}

@test "the library does not end the process" {
    run grep -nE '\b(exit|abort|quick_exit)\(' lib/*/*.[ch]
    output=$(grep -vE '^lib/(io/tool|core/mem)\.c' <<<"$output" || true)
    echo "$output"
    [ -z "$output" ]
}

@test "records leave through the emitter, not through stdio" {
    run grep -nE '\b(printf|puts|putchar|vprintf)\(|fwrite\(.*stdout|fprintf\(stdout' lib/*/*.c cmd/*.c
    output=$(grep -vE '^lib/(io/tool\.c|ui/|shell/)' <<<"$output" || true)
    echo "$output"
    [ -z "$output" ]
}

@test "nobody sets the locale of numbers" {
    run grep -nE 'setlocale\(' lib/*/*.c cmd/*.c
    echo "$output"
    [ "$status" -eq 1 ]
}

@test "no conditional compilation inside a function" {
    run awk '
        FNR == 1 { inside = 0 }
        /^\{/ { inside = 1 }
        /^\}/ { inside = 0 }
        inside && /^#[ \t]*(if|else|elif|endif)/ { print FILENAME ":" FNR ": " $0; bad = 1 }
        END { exit bad }' lib/*/*.c cmd/*.c
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "nothing unfinished is left" {
    run grep -rnE '\b(TODO|FIXME|XXX|HACK)\b' lib cmd man Makefile
    echo "$output"
    [ "$status" -eq 1 ]
}

@test "the library has no variable that changes" {
    [ "$MODE" = release ] || skip "sanitizers add their own variables"
    # Tables of pointers are constant once relocated: .data.rel.ro. readline's callbacks take no
    # argument, so that its one user keeps the prompt in a variable.
    changing=$(find "$SDW_BUILD/lib" -name '*.o' -exec objdump -t {} + |
        awk '/file format/ { file = $1 } / O / && /\t/ && $(NF - 2) ~ /^\.(data|bss)/ && $(NF - 2) !~ /^\.data\.rel\.ro/ { print file, $NF }' |
        sed "s|^$SDW_BUILD/||; s/://" | grep -v '^lib/shell/prompt.o current$' || true)
    echo "$changing"
    [ -z "$changing" ]
}

# Shared libraries that a program needs itself (readline needs libtinfo on its own account).
needs()
{
    objdump -p "$SDW_BUILD/bin/$1" | awk '/NEEDED/ { print $2 }'
}

@test "only shadow links readline, only shadow-steer libnftables" {
    for program in "$SDW_BUILD"/bin/*; do
        tool=${program##*/}
        if needs "$tool" | grep -q libreadline; then
            [ "$tool" = shadow ]
        fi
        if needs "$tool" | grep -q libnftables; then
            [ "$tool" = shadow-steer ]
        fi
    done
}
