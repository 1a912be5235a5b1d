#!/bin/bash
# A plan of UNITS units (10000), without and with the kernel; needs root.
# steer.decide: length of the decision when one record makes all of them move, dry, against the goal
#   of 50 ms; steer.single: of one that concerns a single unit.
# steer.apply: changes a second that shadow-steer makes when one record moves all units, by its own
#   latencies, against the same replacements of a group through `ip -batch` in the same namespace.
set -eu
[ "$(id -u)" = 0 ] || { echo "steer_units: needs root" >&2; exit 0; }
units=${UNITS:-10000} rounds=${ROUNDS:-10}
# shellcheck source=tests/lab/two-ways.bash
. tests/lab/two-ways.bash
trap two_ways_down EXIT
two_ways_up

# plan: as shadow-steer plan writes it for the routes below, with path ids and a load.
for ((i = 0; i < units; i++)); do
    net=10.$((100 + i / 256)).$((i % 256)).0/24
    echo "route add $net via 10.77.1.2"
    echo "route add $net via 10.77.2.2 metric 100"
done >"$WORK/routes"
ip -n "$A" -batch "$WORK/routes"
in_a shadow-steer plan -o unit | jq -c 'select(.type == "unit" and (.unit | startswith("10.1")))
    | .primary.path_id = "P" | .shadows[0].path_id = "B" | .load_bps = 1e5 | del(.load_dev)' >"$WORK/plan"
units=$(wc -l <"$WORK/plan")

metrics() { # time
    printf '{"type":"metric","v":1,"ts":%s,"series":"path/P/available_bps","value":1e10}\n' "$1"
    printf '{"type":"metric","v":1,"ts":%s,"series":"path/B/available_bps","value":1e10}\n' "$1"
}
dead() { # time key value
    printf '{"type":"event","v":1,"ts":%s,"kind":"degradation","failure":"dead","%s":"%s","severity":5}\n' \
        "$1" "$2" "$3"
}

# us_of RECORDS: how long a dry shadow-steer takes for them, us of processor time
us_of() {
    local TIMEFORMAT='%U %S'
    { time shadow-steer --plan "$WORK/plan" --replay --cycle 1h <"$1" >"$WORK/dry"; } 2>&1 |
        awk '{ printf "%d\n", ($1 + $2) * 1e6 }'
}

say() { # name ours unit peer peer_value ratio
    jq -cn --arg name "$1" --argjson ours "$2" --arg unit "$3" --arg peer "$4" --argjson value "$5" \
        --argjson ratio "$6" --argjson units "$units" \
        '{type: "bench", name: $name, ours: $ours, unit: $unit, peer: $peer, peer_value: $value,
          ratio: $ratio, units: $units}'
}
quotient() { awk -v a="$1" -v b="$2" -v n="${3:-3}" 'BEGIN { printf "%.*f\n", n, a / (b > 0 ? b : 1e-9) }'; }

now=1700000000000000
metrics $now >"$WORK/none"
{ metrics $now
  for ((i = 0; i < rounds; i++)); do
      dead $now path_id P
      dead $now path_id B
  done; } >"$WORK/all"
{ metrics $now
  jq -r .unit "$WORK/plan" | while read -r unit; do dead $now unit "$unit"; done; } >"$WORK/each"
base=$(us_of "$WORK/none") all=$(us_of "$WORK/all") each=$(us_of "$WORK/each")
all_ms=$(quotient $((all - base)) $((rounds * 2 * 1000)) 1)
say steer.decide "$all_ms" "CPU ms a record for all units" goal 50 "$(quotient 50 "$all_ms" 2)"
each_us=$(quotient $((each - base)) "$units" 1)
of_all_us=$(quotient $((all - base)) $((rounds * 2 * units)) 1)
say steer.single "$each_us" "CPU us a record for one unit" "a record for all, each unit" "$of_all_us" \
    "$(quotient "$of_all_us" "$each_us" 2)"

# peer: group replacements a second through ip -batch, of a group that a route uses
peer() {
    local start
    start=$(date +%s%N)
    ip -n "$A" -batch "$WORK/replace"
    awk -v n="$units" -v ns="$(($(date +%s%N) - start))" 'BEGIN { printf "%d\n", n * 1e9 / ns }'
}
ip -n "$A" nexthop add id 1 via 10.77.1.2 dev pri
ip -n "$A" nexthop add id 2 via 10.77.2.2 dev sha
ip -n "$A" nexthop add id 10 group 1,200
ip -n "$A" route add 10.90.0.0/24 nhid 10
for ((i = 0; i < units; i++)); do
    echo "nexthop replace id 10 group $([ $((i % 2)) = 0 ] && echo 1,100/2,100 || echo 1,200)"
done >"$WORK/replace"

# ours: changes a second, from the record read to the last change made
ours() {
    local steer i
    rm -rf "$WORK/state" "$WORK/out"
    mkfifo "$WORK/feed"
    ip netns exec "$A" shadow-steer --plan "$WORK/plan" --apply --state "$WORK/state" --on-eof undo \
        <"$WORK/feed" >"$WORK/out" &
    steer=$!
    exec 8>"$WORK/feed"
    for ((i = 0; i < 300; i++)); do
        [ "$(grep -c '"state":"ARMED"' "$WORK/out")" -lt "$units" ] || break
        sleep 0.2
    done
    now=${EPOCHREALTIME/[.,]/}
    metrics "$now" >&8
    dead "$now" path_id P >&8
    for ((i = 0; i < 300; i++)); do
        [ "$(grep -c '"state":"SHIFTING"' "$WORK/out")" -lt "$units" ] || break
        sleep 0.2
    done
    exec 8>&-
    wait $steer || true
    rm "$WORK/feed"
    jq -s --argjson units "$units" 'map(select(.type == "change" and .state == "SHIFTING" and .applied))
        | if length == $units then $units * 1e6 / (map(.latency_us) | max) | floor else 0 end' "$WORK/out"
}
best=0 other=0
for _ in 1 2; do
    value=$(peer)
    [ "$value" -le "$other" ] || other=$value
    value=$(ours)
    [ "$value" -le "$best" ] || best=$value
done
say steer.apply "$best" changes/s "ip -batch" "$other" "$(quotient "$best" "$other")"
