#!/usr/bin/env bash
# Congestion on the way back: the reverse direction of one link is full of bursts, the forward
# direction is free. Answers are late at every hop behind it, and no hop is tight.
#
# Bar: at most 1 % of the verdicts name a bottleneck.
BAR_NAME=reverse
# shellcheck source=tests/lab/bars/lib.bash
. "$(dirname "$0")/lib.bash"

one() {
    local hop rate share
    RANDOM=$1
    draw 2 4 && hop=$drawn
    draw 10 40 && rate=$drawn
    draw 60 95 && share=$drawn
    build chain --icmp off --rate 0
    shadow-lab set "r$hop-r$((hop - 1))" --rate "${rate}M" --buffer 60ms -l "$lab" >/dev/null
    traffic x"$hop" x$((hop - 1)) cross --model onoff --peak 1.8 --trimodal --seed "$1" \
        --rate $((rate * share * 10000))
    sleep 0.5
    verdict $((4 + 2 * ($1 % 2)))
    [ "$(state)" != void ] || return 1
    run_line "$1" "$(jq -cn --argjson hop "$hop" --argjson rate "$rate" --argjson share "$share" \
        '{truth: {reverse_hop: $hop, rate_mbps: $rate, share: ($share / 100)}}')" \
        "$(jq -s 'map(select(.type == "verdict")) | last // {} | .state != null and .state != "bottleneck"' "$work/out")"
}

each_run
judge 0.99
