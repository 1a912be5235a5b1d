#!/bin/bash
# profile.sockets: one look at 100,000 TCP sockets, told in full: CPU seconds (user and system) and
# wall seconds of shadow-profile --sockets and of `ss -tin`, in turn, best of 5. SOCKETS=n changes
# their number.
set -eu
[ -z "${BENCH:-}" ] || [[ profile.sockets == *"$BENCH"* ]] || exit 0
build=build/${MODE:-release}
sockets=${SOCKETS:-100000}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# shellcheck disable=SC2016 # expanded by the inner shell
"$build/bench/sockets" "$sockets" bash -c '
    TIMEFORMAT="%R %U %S"
    for _ in 1 2 3 4 5; do
        { time "$1/bin/shadow-profile" --sockets --interval 0 >"$2/ours.out" 2>"$2/ours.err"; } 2>>"$2/ours"
        { time ss -Htin >"$2/theirs.out"; } 2>>"$2/theirs"
    done' bash "$build" "$dir" || { cat "$dir/ours.err" >&2; exit 0; }

# Every socket was told, by both.
[ "$(grep -c '"type":"flow.update"' "$dir/ours.out")" = "$sockets" ]
[ "$(grep -c bytes_received "$dir/theirs.out")" -ge $((sockets / 2)) ]

# least FILE AWK: the least of an expression over the runs
least() {
    awk "{ print $2 }" "$1" | sort -g | head -1
}
for unit in wall_s cpu_s; do
    expression=$([ $unit = wall_s ] && echo '$1' || echo '$2 + $3')
    awk -v a="$(least "$dir/ours" "$expression")" -v b="$(least "$dir/theirs" "$expression")" \
        -v unit=$unit -v n="$sockets" 'BEGIN {
            printf "{\"type\":\"bench\",\"name\":\"profile.sockets\",\"sockets\":%d,\"ours\":%s", n, a
            printf ",\"unit\":\"%s\",\"peer\":\"ss -tin\",\"peer_value\":%s,\"ratio\":%.2f}\n", unit, b, b / a }'
done
