#!/bin/bash
# forecast.breach: the odds of a breach within an hour on series of SERIES (a folder, default
# ../shared/data/series), scored by SCORE (default ../shared/bench/score.py), beside a rule that
# warns from 80 % of the capacity on. Capacity: the 98th percentile of what is scored. One line a
# series, then their means. Bars: average precision 0.65, Brier skill 0.40, precision 0.65, recall
# 0.80, lead 30 min.
set -eu
build=build/${MODE:-release}
[ -z "${BENCH:-}" ] || [[ forecast.breach == *"$BENCH"* ]] || exit 0
series=${SERIES:-../shared/data/series} score=${SCORE:-../shared/bench/score.py}
if [ ! -d "$series" ] || [ ! -e "$score" ]; then
    echo "forecast.breach: no series in $series" >&2
    exit 0
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# one NAME FILE OPTION...
one() {
    local name=$1 file=$2
    shift 2
    [ -e "$file" ] || return 0
    python3 "$score" export "$file" "$@" >"$dir/in"
    capacity=$(python3 "$score" capacity "$file" --pct 98 "$@")
    "$build/bin/shadow-forecast" -H 15m,1h --capacity "$capacity" -o breach <"$dir/in" |
        python3 "$score" breach "$file" --pct 98 "$@" >"$dir/ours"
    jq -c --argjson c "$capacity" '{type: "breach", ts,
        horizons: [{horizon_us: 3600000000, p: ([.value / (1.6 * $c), 1] | min)}]}' "$dir/in" |
        python3 "$score" breach "$file" --pct 98 "$@" >"$dir/rule"
    jq -cs --arg name "$name" '{type: "bench", name: "forecast.breach", series: $name} + .[0]
        + {rule_80: .[1] | {average_precision, precision, recall, lead_min, episodes}}' "$dir/ours" "$dir/rule" |
        tee -a "$dir/all"
}

one isp_eu_5m "$series/isp_eu_5m.csv"
one wc98_req_1m_a "$series/wc98_req_1m_a.csv" --agg sum
[ ! -s "$dir/all" ] || jq -cs 'def mean(f): map(f) | add / length;
    {type: "bench", name: "forecast.breach", series: "mean", average_precision: mean(.average_precision),
     brier_skill: mean(.brier_skill), precision: mean(.precision), recall: mean(.recall), lead_min: mean(.lead_min)}' "$dir/all"
