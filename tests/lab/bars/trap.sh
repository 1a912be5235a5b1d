#!/usr/bin/env bash
# The trap: a narrow but idle link of 20 Mbit/s just before a tight one of 30 Mbit/s that carries
# 22 Mbit/s of cross traffic. What is narrow is not what is tight. IPv4 and IPv6, Poisson and
# on/off cross traffic in turn.
#
# Bar: 95 % name the tight link.
BAR_NAME="trap"
# shellcheck source=tests/lab/bars/lib.bash
. "$(dirname "$0")/lib.bash"

one() {
    local model=poisson
    [ $(($1 / 2 % 2)) = 0 ] || model=onoff
    build trap --icmp off --rate 30M --narrow 20M
    traffic x3 x4 cross --model $model --peak 1.3 --trimodal --rate 22M --seed "$1"
    sleep 0.5
    verdict $((4 + 2 * ($1 % 2)))
    [ "$(state)" != void ] || return 1
    run_line "$1" "$(jq -cn --arg model $model '{truth: {hop: 4, model: $model}}')" \
        "$(jq -s 'map(select(.type == "verdict")) | last | .state == "bottleneck" and .bottleneck_hop == 4' "$work/out")"
}

each_run
judge 0.95 '{narrow: ($runs | map(select(.hop == 3)) | length)}'
