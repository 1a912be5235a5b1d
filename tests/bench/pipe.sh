#!/bin/bash
# pipe.delay: median time a record takes through three tools at 100 records a second, against three
# cats; in turn, best of 3. The bar is a ratio of at least 0.33 (three times the cats' delay).
set -eu
build=build/${MODE:-release}
export PATH=$PWD/$build/bin:$PATH

delay() {
    "$build/bench/pipe_delay" "${COUNT:-200}" 10 "$1"
}

ours=() theirs=()
for _ in 1 2 3; do
    ours+=("$(delay "shadow filter 'seq>=-9' | shadow-gradient | shadow-forecast")")
    theirs+=("$(delay 'cat | cat | cat')")
done
a=$(printf '%s\n' "${ours[@]}" | sort -g | head -1)
b=$(printf '%s\n' "${theirs[@]}" | sort -g | head -1)
awk -v a="$a" -v b="$b" 'BEGIN {
    printf "{\"type\":\"bench\",\"name\":\"pipe.delay\",\"ours\":%s,\"unit\":\"us\"", a
    printf ",\"peer\":\"three cats\",\"peer_value\":%s,\"ratio\":%.2f}\n", b, b / a }'
