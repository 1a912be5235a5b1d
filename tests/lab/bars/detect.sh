#!/usr/bin/env bash
# shadow-detect's default setting on RUNS (default 9) made series of 40 days, of three kinds, with 24
# events of 30 minutes, x0.5 and x1.5 in turn, in the last 40 %; and on the same without events.
#
# Bar: on average recall at least 0.85, at most 0.15 false episodes a day, and 0.15 alarms a day
# where there is nothing; each median delay at most 5 minutes.
set -eu
runs=${RUNS:-9} seed=${SEED:-1}
bench=$(dirname "$0")/../../bench/detect.py
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
kinds=(link requests heavy)

for run in $(seq "$seed" $((seed + runs - 1))); do
    kind=${kinds[$((run % 3))]}
    python3 "$bench" series "$kind" "$run" >"$work/series"
    python3 "$bench" inject "$work/series" mean "$run" | shadow-detect -o anomaly |
        python3 "$bench" surges "$work/series" mean "$run" >"$work/events"
    alarms=$(awk -F, 'NR > 1 { printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"a\",\"value\":%s}\n", $1, $2 }' \
        "$work/series" | shadow-detect -o anomaly | jq -s 'map(select(.state == "open")) | length')
    jq -c --arg kind "$kind" --argjson seed "$run" --argjson alarms "$alarms" \
        '{type: "run", bar: "detect", seed: $seed, kind: $kind} + . + {quiet_per_day: ($alarms / 40)}' \
        "$work/events" | tee -a "$work/runs"
done
jq -cs '{type: "bar", bar: "detect", runs: length, recall: (map(.recall) | add / length),
    delay_min: (map(.delay_min // 99) | max), false_per_day: (map(.false_per_day) | add / length),
    quiet_per_day: (map(.quiet_per_day) | add / length)}
    | .met = (.recall >= 0.85 and .delay_min <= 5 and .false_per_day <= 0.15 and .quiet_per_day <= 0.15)' \
    "$work/runs" | tee "$work/bar"
jq -e .met "$work/bar" >/dev/null
