#!/bin/bash
# record.filter, record.pass, record.typed: CPU seconds (user and system) for 1.5 million records of
# about 243 bytes, best of 3, ours and jq in turn. RECORDS=n changes their number.
set -eu
build=build/${MODE:-release}
records=${RECORDS:-1500000}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$build/bench/record_gen" "$records" 1 >"$dir/in"

# seconds COMMAND: its CPU seconds, with the records on standard input
seconds() {
    local TIMEFORMAT='%U %S'
    { time bash -c "exec $1" <"$dir/in" >/dev/null; } 2>&1 | awk '{ printf "%.3f\n", $1 + $2 }'
}

least() {
    printf '%s\n' "$@" | sort -g | head -1
}

# compare NAME OURS THEIRS
compare() {
    [ -z "${BENCH:-}" ] || [[ $1 == *"$BENCH"* ]] || return 0
    local ours=() theirs=() a b
    for _ in 1 2 3; do
        ours+=("$(seconds "$2")")
        theirs+=("$(seconds "$3")")
    done
    a=$(least "${ours[@]}")
    b=$(least "${theirs[@]}")
    awk -v name="$1" -v a="$a" -v b="$b" -v peer="$(jq --version)" 'BEGIN {
        printf "{\"type\":\"bench\",\"name\":\"%s\",\"ours\":%s,\"unit\":\"cpu_s\"", name, a
        printf ",\"peer\":\"%s\",\"peer_value\":%s,\"ratio\":%.1f}\n", peer, b, b / a }'
}

compare record.filter "$build/bin/shadow filter 'rtt_us>20000'" "jq -c 'select(.rtt_us > 20000)'"
compare record.pass "$build/bin/shadow filter 'rtt_us>=0'" "jq -c 'select(.rtt_us >= 0)'"
compare record.typed "$build/bench/record_typed" \
    "jq -c '{type: \"reply\", v: 1, ts, src, dst, hop, addr, seq, rtt_us, gap_us}'"
