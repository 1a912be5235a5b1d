#!/usr/bin/env bash
# Bar: kill -9 of shadow-steer at 200 points: the kernel's state equals the journal within 1 s of a
# restart, or the guardian has acted; nothing is left over, 0 packets lost. RUNS is the number of
# kills (default 20), half of them with a successor, half left to the guardian. Exit 1 when missed.
set -u
RUNS=${RUNS:-20}
# shellcheck source=tests/lab/two-ways.bash
. "$(dirname "$0")/../two-ways.bash"
[ "$(id -u)" = 0 ] || { echo "steer-kill: needs root" >&2; exit 4; }
trap two_ways_down EXIT
two_ways_up || exit 4

# Records that shift and take back as fast as they can, for two units at once.
feed() {
    local ts
    while :; do
        ts=${EPOCHREALTIME/[.,]/}
        printf '%s\n' \
            "{\"type\":\"event\",\"v\":1,\"ts\":$ts,\"kind\":\"recovery\",\"failure\":\"dead\",\"path_id\":\"B\",\"severity\":0}" \
            "{\"type\":\"metric\",\"v\":1,\"ts\":$ts,\"series\":\"path/P/available_bps\",\"value\":1e6}" \
            "{\"type\":\"metric\",\"v\":1,\"ts\":$ts,\"series\":\"path/B/available_bps\",\"value\":4e7}" \
            "{\"type\":\"breach\",\"v\":1,\"ts\":$ts,\"series\":\"path/P/available_bps\",\"value\":1e6,\"capacity\":9e5,\"direction\":\"below\",\"severity\":4,\"horizons\":[{\"horizon_us\":1000000,\"p\":0.9}],\"eta_us\":{\"lo\":1e6,\"mid\":2e6,\"hi\":4e6},\"path_id\":\"P\"}"
        sleep 0.004
        ts=${EPOCHREALTIME/[.,]/}
        printf '%s\n' "{\"type\":\"event\",\"v\":1,\"ts\":$ts,\"kind\":\"degradation\",\"failure\":\"dead\",\"path_id\":\"B\",\"severity\":5}" ||
            return
        sleep 0.004
    done 2>/dev/null
}

steer() {
    exec ip netns exec "$A" shadow-steer --plan "$WORK/plan" --apply --state "$WORK/state" \
        --dwell 0 --max-changes 1024 --at-once 100% --grace 150ms >"$WORK/out" 2>"$WORK/err"
}

traffic() { # address report
    exec ip netns exec "$A" "$SDW_BUILD/bench/steer_swap" "/run/netns/$S" "/run/netns/$B" "$1" sha 1000000 2000 50 \
        "$2" >/dev/null
}

# Kernel and journal agree, within 1 s.
agrees() {
    local try
    for try in 1 2 3 4 5 6 7 8 9 10; do
        in_a shadow-steer status --state "$WORK/state" >"$WORK/status" 2>&1 && return 0
        sleep 0.1
    done
    return "$try"
}

make_plan 10.77.9.0/24 fd77:9::/64 >"$WORK/plan"
traffic 10.77.9.1 "$WORK/traffic4" &
four=$!
traffic fd77:9::1 "$WORK/traffic6" &
six=$!
sleep 0.6

bad=0 moved=0
for ((i = 0; i < RUNS; i++)); do
    mkfifo "$WORK/fifo$i"
    feed >"$WORK/fifo$i" &
    feeder=$!
    steer <"$WORK/fifo$i" &
    victim=$!
    sleep "0.$(printf '%03d' $((RANDOM % 250)))"
    kill -9 "$victim"
    wait "$victim" 2>/dev/null
    kill "$feeder" 2>/dev/null
    wait "$feeder" 2>/dev/null
    grep -q SHIFTING "$WORK/out" && moved=$((moved + 1))
    what=guardian
    if [ $((i % 2)) = 0 ]; then
        what=successor
        : | in_a shadow-steer --plan "$WORK/plan" --apply --state "$WORK/state" --on-eof undo \
            >"$WORK/out2" 2>"$WORK/err2"
    else
        sleep 0.5
    fi
    agrees || {
        bad=$((bad + 1))
        echo "{\"type\":\"run\",\"bar\":\"steer-kill\",\"kill\":$i,\"by\":\"$what\",\"agrees\":false}"
        cat "$WORK/status" >&2
    }
done
kill "$four" "$six"
wait "$four" "$six"
in_a shadow-steer undo --state "$WORK/state" --force >/dev/null || bad=$((bad + 1))
left=$(in_a ip nexthop show proto 93 | wc -l)
lost=$(($(jq .lost "$WORK/traffic4") + $(jq .lost "$WORK/traffic6")))
sent=$(($(jq .sent "$WORK/traffic4") + $(jq .sent "$WORK/traffic6")))
met=true
[ "$bad" = 0 ] && [ "$left" = 0 ] && [ "$lost" = 0 ] || met=false
echo "{\"type\":\"bar\",\"bar\":\"steer-kill\",\"kills\":$RUNS,\"after_a_shift\":$moved,\"disagreed\":$bad,\"left_over\":$left,\"sent\":$sent,\"lost\":$lost,\"met\":$met}"
[ "$met" = true ]
