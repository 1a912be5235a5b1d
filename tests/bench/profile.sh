#!/bin/bash
# profile.mix: million packets a CPU second (user and system) of shadow-profile over a capture of 1 GB
#   (MIX_BYTES=n) made of those in CAPTURES=DIR, against ndpiReader (ratio 2.5 is the bar) and, over
#   the first 200,000 packets, tshark (10).
# profile.syn: the same over 5 million SYNs of 200,000 random flows, against softflowd (2).
# profile.rss: MB of memory at most in profile.mix; the bar is 250 (ratio > 1: within it).
# CPU time is the least of TIMES=n (3) runs, ours and the peer's in turn.
# Peers that are not installed, and profile.mix without captures, are left out.
set -eu
build=build/${MODE:-release}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# cpu COMMAND...: its CPU seconds, and the most memory it had in KB
cpu() {
    python3 - "$@" <<'PY'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
PY
}

# compare NAME PACKETS FILE PEER COMMAND...: of shadow-profile over FILE and of the peer; the most
# memory that ours had, in KB, into memory
compare() {
    local name=$1 packets=$2 file=$3 peer=$4 ours theirs
    shift 4
    command -v "$peer" >/dev/null || return 0
    rm -f "$dir/ours" "$dir/theirs"
    for _ in $(seq "${TIMES:-3}"); do
        cpu "$build/bin/shadow-profile" -r "$file" >>"$dir/ours"
        cpu "$peer" "$@" >>"$dir/theirs"
    done
    ours=$(cut -d' ' -f1 "$dir/ours" | sort -g | head -1)
    theirs=$(cut -d' ' -f1 "$dir/theirs" | sort -g | head -1)
    memory=$(cut -d' ' -f2 "$dir/ours" | sort -g | tail -1)
    awk -v name="$name" -v n="$packets" -v a="$ours" -v b="$theirs" -v peer="$peer" 'BEGIN {
        printf "{\"type\":\"bench\",\"name\":\"%s\",\"ours\":%.3f,\"unit\":\"Mpps\",\"peer\":\"%s\"", name, n / a / 1e6, peer
        printf ",\"peer_value\":%.3f,\"ratio\":%.2f}\n", n / b / 1e6, b / a }'
}

wanted() {
    [ -z "${BENCH:-}" ] || [[ $1 == *"$BENCH"* ]] || [[ $BENCH == *profile.sh* ]]
}

packets_of() {
    "$build/bin/shadow-profile" -r "$1" --no-dpi -o end | jq .counts.packets
}

if wanted profile.mix && [ -n "${CAPTURES:-}" ]; then
    "$build/bench/profile_mix" "$CAPTURES" "${MIX_BYTES:-1G}" >"$dir/mix"
    packets=$(packets_of "$dir/mix")
    compare profile.mix "$packets" "$dir/mix" ndpiReader -i "$dir/mix" -q
    [ -z "${memory:-}" ] || awk -v kb="$memory" 'BEGIN {
        printf "{\"type\":\"bench\",\"name\":\"profile.rss\",\"ours\":%.0f,\"unit\":\"MB\",\"peer\":\"bar\"", kb / 1000
        printf ",\"peer_value\":250,\"ratio\":%.2f}\n", 250000 / kb }'
    if command -v editcap >/dev/null; then
        editcap -r "$dir/mix" "$dir/slice" 1-200000
        compare profile.mix.tshark 200000 "$dir/slice" tshark -r "$dir/slice" -q -z conv,tcp
    fi
    rm -f "$dir/mix" "$dir/slice"
fi

if wanted profile.syn; then
    "$build/bench/profile_syn" 5000000 200000 1 >"$dir/syn"
    compare profile.syn 5000000 "$dir/syn" softflowd -r "$dir/syn" -n 127.0.0.1:9 -v 9
fi
