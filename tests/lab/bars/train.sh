#!/usr/bin/env bash
# The narrow link, by recursive trains (--schedule train): a link of 5-20 Mbit/s that carries nothing,
# right in front of one 1.5 to 3 times as fast that cross traffic leaves less of. What is narrow is
# wanted here, not what is tight. Hops, rates and cross traffic are drawn from the seed; IPv4 and
# IPv6 in turn.
#
# Bar: 90 % name the narrow link, each verdict within 20 s and 3 MB.
BAR_NAME=train
# shellcheck source=tests/lab/bars/lib.bash
. "$(dirname "$0")/lib.bash"

one() {
    local hops hop narrow wide left model family
    RANDOM=$1
    draw 3 6 && hops=$drawn
    draw 2 "$hops" && hop=$drawn # of the wide link; the narrow one leads into the hop before
    draw 5 20 && narrow=$drawn
    draw 15 30 && wide=$((narrow * drawn / 10))
    draw 50 90 && left=$drawn # per cent of the narrow rate that the wide link has left
    toss && model=$([ "$drawn" = 0 ] && echo poisson || echo onoff)
    family=$((4 + 2 * ($1 % 2)))
    build trap --icmp off --hops "$hops" --bottleneck "$hop" --rate "${wide}M" \
        --narrow "${narrow}M" --buffer 60ms
    traffic x$((hop - 1)) x"$hop" cross --model "$model" --peak 1.3 --trimodal --seed "$1" \
        --rate $((wide * 1000000 - narrow * left * 10000))
    sleep 0.5
    verdict "$family" --schedule train
    [ "$(state)" != void ] || return 1
    run_line "$1" "$(jq -cn --argjson hops "$hops" --argjson hop $((hop - 1)) \
        --argjson narrow "$narrow" --argjson wide "$wide" --argjson left "$left" \
        --arg model "$model" --argjson family "$family" \
        '{truth: {hops: $hops, hop: $hop, rate_mbps: $narrow, behind_mbps: $wide,
          left_share: ($left / 100), model: $model, family: $family}}')" \
        "$(jq -s --argjson hop $((hop - 1)) --argjson took "$took_ms" '
            map(select(.type == "verdict")) | last // {}
            | .state == "bottleneck" and .bottleneck_hop == $hop and $took <= 20000
              and (.injected_bytes // 0) <= 3e6' "$work/out")"
}

each_run
judge 0.90 '{tight: ($runs | map(select(.state == "bottleneck" and .hop == .truth.hop + 1)) | length),
    slowest_ms: ($runs | map(.took_ms) | max), most_bytes: ($runs | map(.bytes) | max)}'
