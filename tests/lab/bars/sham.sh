#!/usr/bin/env bash
# Sham: no load is injected, or next to none (5 % of what is free), while the cross traffic bursts
# at four times its mean. Whatever delay there is, the prober did not cause it. Cases in turn:
# nothing injected, 5 % of free; IPv4, IPv6.
#
# Bar: at most 1 % of the verdicts are wrong. Wrong is any bottleneck where nothing was injected,
# and a hop that is not the tight one otherwise.
BAR_NAME=sham
# shellcheck source=tests/lab/bars/lib.bash
. "$(dirname "$0")/lib.bash"

one() {
    local hop rate share free most=0
    RANDOM=$1
    draw 2 4 && hop=$drawn
    draw 10 40 && rate=$drawn
    draw 20 50 && share=$drawn
    free=$((rate * (100 - share) * 10000))
    [ $(($1 / 2 % 2)) = 0 ] || most=$((free / 20))
    build chain --icmp off --bottleneck "$hop" --rate "${rate}M" --buffer 60ms
    traffic x$((hop - 1)) x"$hop" cross --model onoff --peak 4 --trimodal --seed "$1" \
        --rate $((rate * share * 10000))
    sleep 0.5
    verdict $((4 + 2 * ($1 % 2))) --max-rate "$most"
    [ "$(state)" != void ] || return 1
    run_line "$1" "$(jq -cn --argjson hop "$hop" --argjson most "$most" '{truth: {hop: $hop, max_bps: $most}}')" \
        "$(jq -s --argjson hop "$hop" --argjson most "$most" '
            map(select(.type == "verdict")) | last // {}
            | .state != null and (.state != "bottleneck" or ($most > 0 and .bottleneck_hop == $hop))' "$work/out")"
}

each_run
judge 0.99
