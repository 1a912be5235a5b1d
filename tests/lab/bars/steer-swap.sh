#!/usr/bin/env bash
# Bar: breach line in -> first packet on the new path (unit armed) p50 <= 250 us, 0 packets lost and
# 0 reordered. RUNS is the number of swaps for each family (default 100; the bar is 1000), PPS the
# packets a second (20000). One line a family, then the bar; exit 1 when it is missed.
set -u
RUNS=${RUNS:-100} PPS=${PPS:-20000} FLOWS=${FLOWS:-50}
[ "$RUNS" -ge 2 ] || RUNS=100
# shellcheck source=tests/lab/two-ways.bash
. "$(dirname "$0")/../two-ways.bash"
[ "$(id -u)" = 0 ] || { echo "steer-swap: needs root" >&2; exit 4; }
trap two_ways_down EXIT
two_ways_up || exit 4

# The median of a figure of the shifts that shadow-steer wrote.
median() {
    jq -s --arg key "$1" 'map(select(.type == "change" and .state == "SHIFTING") | .[$key]) | sort
                          | if length > 0 then .[length / 2 | floor] else -1 end' "$WORK/out"
}

missed=0
one() { # family prefix address
    make_plan "$2" >"$WORK/plan"
    in_a "$SDW_BUILD/bench/steer_swap" "/run/netns/$S" "/run/netns/$B" "$3" sha "$RUNS" "$PPS" "$FLOWS" \
        "$WORK/report" |
        in_a shadow-steer --plan "$WORK/plan" --apply --state "$WORK/state" --dwell 0 \
            --max-changes 1024 >"$WORK/out"
    local inside call
    inside=$(median latency_us)
    call=$(median call_us)
    jq -c --arg family "$1" --argjson inside "$inside" --argjson call "$call" \
        '{type: "run", bar: "steer-swap", family: $family} + . + {steer_p50_us: $inside, call_p50_us: $call,
          met: (.p50_us >= 0 and .p50_us <= 250 and .lost == 0 and .reordered == 0
                and .seen * 2 == .swaps)}' "$WORK/report" | tee "$WORK/line"
    grep -q '"met":true' "$WORK/line" || missed=$((missed + 1))
}
one IPv4 10.77.9.0/24 10.77.9.1
one IPv6 fd77:9::/64 fd77:9::1
echo "{\"type\":\"bar\",\"bar\":\"steer-swap\",\"swaps\":$((RUNS * 2)),\"missed\":$missed}"
[ "$missed" = 0 ]
