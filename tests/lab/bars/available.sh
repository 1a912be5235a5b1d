#!/usr/bin/env bash
# Available capacity against the truth: what the tight link carries, less what the cross traffic
# really sent through it in the verdict's own window. Poisson cross traffic of three sizes; rate
# (5-50 Mbit/s) and load (20-80 %) from the seed.
#
# The truth is counted as the queue counts, in Ethernet bytes, and stated for IP packets of 1500
# bytes as shadow-gradient states its estimate: (rate - cross) * 1500 / 1514.
#
# Bar: median error at most 5 %, 95th percentile at most 15 %, the interval holds the truth in 85 to
# 95 % of the runs (fewer than 20 runs do not judge the interval).
BAR_NAME=available
# shellcheck source=tests/lab/bars/lib.bash
. "$(dirname "$0")/lib.bash"

one() {
    local rate share
    RANDOM=$1
    draw 5 50 && rate=$drawn
    draw 20 80 && share=$drawn
    build chain --icmp off --rate "${rate}M" --buffer 80ms
    traffic x2 x3 cross --model poisson --trimodal --interval 100ms --seed "$1" \
        --rate $((rate * share * 10000))
    sleep 1
    verdict $((4 + 2 * ($1 % 2)))
    sleep 0.3
    stop_all
    [ "$(state)" != void ] || return 1
    # Each interval of the cross traffic counts by the part of it that lies within the window.
    jq -cs --slurpfile out "$work/out" --argjson rate "${rate}e6" '
        ($out | map(select(.type == "verdict")) | last) as $v
        | ($v.ts - $v.window_us) as $from
        | (map(select(.type == "traffic" and .final == false)
               | (([.ts, $v.ts] | min) - ([.ts - .duration_us, $from] | max)) as $in
               | select($in > 0)
               | (.rate_bps * .duration_us / 8e6 + .received * 14) * $in / .duration_us)
           | add) as $bytes
        | (($rate - $bytes * 8e6 / $v.window_us) * 1500 / 1514) as $true
        | {truth: {rate_mbps: ($rate / 1e6), available_bps: ($true | floor)},
           error: (if $v.available_bps.mid == null then null
                   else ($v.available_bps.mid / $true - 1) * 1e4 | round / 1e4 end),
           held: ($v.available_bps.lo != null and $v.available_bps.hi != null
                  and $v.available_bps.lo <= $true and $v.available_bps.hi >= $true)}' \
        "$work/cross.ndjson" >"$work/truth"
    run_line "$1" "$(cat "$work/truth")" "$(jq '.error != null and (.error | fabs) <= 0.15' "$work/truth")"
}

each_run
judge 0.95 '($runs | map(.error | select(. != null) | fabs) | sort) as $e
    | ($runs | map(select(.held)) | length / ($runs | length)) as $held
    | {median_error: $e[($e | length) / 2 | floor], p95_error: $e[(($e | length) * 0.95 | ceil) - 1],
       held_share: ($held * 1000 | round / 1000)}
    | .met = (.median_error <= 0.05 and (($runs | length) < 20 or ($held >= 0.85 and $held <= 0.95)))'
