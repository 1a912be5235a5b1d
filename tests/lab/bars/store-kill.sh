#!/usr/bin/env bash
# A writer of a store killed with SIGKILL at RUNS random moments (default 20), while it appends,
# turns logs into segments, and goes on in the store that the one before left.
#
# Bar: nothing acknowledged is lost, shadow-store check finds no damage, the store opens again
# within 1 s.
set -u
runs=${RUNS:-20}
seed=${SEED:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
store=$work/store
lost=0 damaged=0 slow=0 next=0 slowest=0 count=0
RANDOM=$seed

# feed FROM: three series, one value each a second, equal to its number, until the reader is gone
feed() {
    awk -v i="$1" 'BEGIN {
        for (;; i++) {
            printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"a\",\"value\":%d}\n", 1600000000 + i, i
            for (s = 0; s < 2; s++)
                printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"b\",\"labels\":{\"n\":\"%d\"},\"value\":%.2f}\n", 1600000000 + i, s, 50 + i % 97 / 100
        } }'
}

for run in $(seq "$runs"); do
    mkfifo "$work/pipe"
    feed "$next" >"$work/pipe" 2>/dev/null &
    feeder=$!
    shadow-store append -s "$store" --batch 300 --log-size 100k -o stored <"$work/pipe" >"$work/out" 2>"$work/err" &
    writer=$!
    sleep "0.$(printf %03d $((50 + RANDOM % 700)))"
    kill -9 "$writer"
    wait "$writer" 2>/dev/null
    kill "$feeder" 2>/dev/null
    wait "$feeder" 2>/dev/null
    rm "$work/pipe"
    acknowledged=$(grep '^{.*}$' "$work/out" | tail -n 1 | jq '.points - .replaced')
    begin=$(date +%s%N)
    have=$(shadow-store query -s "$store" a --agg last -o metric | jq .value)
    took=$((($(date +%s%N) - begin) / 1000000))
    least=$((count + ${acknowledged:-0}))
    count=$(shadow-store query -s "$store" '*' --agg count -o metric | jq -s 'map(.value) | add // 0')
    # Values count from 0 without a gap, and each comes with two others.
    if [ "$count" -lt "$least" ] || [ $((${have:--1} * 3)) -gt "$count" ]; then
        lost=$((lost + 1))
    fi
    shadow-store check -s "$store" >/dev/null 2>&1 || damaged=$((damaged + 1))
    [ "$took" -le 1000 ] || slow=$((slow + 1))
    [ "$took" -le "$slowest" ] || slowest=$took
    # Go on with whole numbers only: the same points again replace those that are there.
    next=$((count / 3))
    printf '{"type":"run","bar":"store-kill","kill":%d,"acknowledged":%s,"points":%s,"open_ms":%d}\n' \
        "$run" "${acknowledged:-0}" "$count" "$took"
done
met=false
[ $((lost + damaged + slow)) -gt 0 ] || met=true
printf '{"type":"bar","bar":"store-kill","runs":%d,"lost":%d,"damaged":%d,"slow":%d,"slowest_ms":%d,"points":%d,"segments":%d,"met":%s}\n' \
    "$runs" "$lost" "$damaged" "$slow" "$slowest" "$count" "$(find "$store" -name 'seg-*' | wc -l)" "$met"
[ "$met" = true ]
