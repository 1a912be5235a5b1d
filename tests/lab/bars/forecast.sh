#!/usr/bin/env bash
# The intervals of forecasts on made series of seven kinds (backbone link, PoP total, flow between
# two of them, users and bytes of a radio cell, requests to a web site, hourly flows), RUNS of each
# (default 2): how many values of the last 40 % are within them; and, of series that are doubled
# or halved at three quarters, how many values within those made on the second day of that.
#
# Bar: 94 to 96 % are within the 95 % interval and 79 to 81 % within the 80 % one on average, 92 to
# 98 % on each series; a day after the shift it is 90 to 99 % again on each. One day of hourly values
# is too short to tell: unshifted_least and unshifted_most are of that day of the same series without
# a shift.
set -eu
runs=${RUNS:-2} seed=${SEED:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
score="$SDW_BUILD/bench/forecast_ensemble"
steady=()
for kind in link pop flow users bytes requests hourly; do
    for ((run = seed; run < seed + runs; run++)); do
        "$SDW_BUILD/bench/forecast_made" "$kind" "$run" >"$work/$kind.$run"
        steady+=("$kind.$run=$work/$kind.$run")
        last=$(tail -n 1 "$work/$kind.$run" | cut -d ' ' -f 1)
        day=$(((last * 3 / 4 + 43200) / 86400 + 1))
        for factor in 1 0.5 2; do
            "$SDW_BUILD/bench/forecast_made" "$kind" "$run" $factor >"$work/$kind.$run.$factor"
            label=shifted
            [ "$factor" != 1 ] || label=unshifted
            "$score" --label $label --from $((day * 86400)) --to $(((day + 1) * 86400)) \
                "$kind.$run.$factor=$work/$kind.$run.$factor"
        done
    done
done >"$work/shifted"
"$score" --label steady "${steady[@]}" | grep -v '"series":"all"' >"$work/steady"
cat "$work/steady" "$work/shifted"
jq -cse 'def within($low; $high): . >= $low and . <= $high;
    map(select(.of == "steady")) as $steady | map(select(.of == "shifted") | .cover95) as $shifted
    | map(select(.of == "unshifted") | .cover95) as $unshifted
    | {type: "bar", v: 1, bar: "forecast", series: ($steady | length),
       cover95: ($steady | map(.cover95) | add / length * 100 | round / 100),
       cover80: ($steady | map(.cover80) | add / length * 100 | round / 100),
       least95: ($steady | map(.cover95) | min), most95: ($steady | map(.cover95) | max),
       shifted_least: ($shifted | min), shifted_most: ($shifted | max),
       unshifted_least: ($unshifted | min), unshifted_most: ($unshifted | max)}
    | .met = ((.cover95 | within(94; 96)) and (.cover80 | within(79; 81)) and .least95 >= 92 and .most95 <= 98
              and .shifted_least >= 90 and .shifted_most <= 99)
    | ., if .met then empty else halt_error(1) end' "$work/steady" "$work/shifted"
