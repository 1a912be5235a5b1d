#!/usr/bin/env bash
# The right hop by lock-in: chains of 3-5 routers; the tight hop, its rate (8-40 Mbit/s), its buffer
# and the cross traffic (20-70 % of it; Poisson, or on/off at 1.8 times the mean) drawn from the
# seed; one case in five has no bottleneck at all. IPv4 and IPv6 in turn.
#
# Bar: 95 % right, each verdict within 20 s and 3 MB.
BAR_NAME=lockin
# shellcheck source=tests/lab/bars/lib.bash
. "$(dirname "$0")/lib.bash"

# one SEED: builds the case of that seed and judges its verdict; 1 when it was void
one() {
    local hops hop rate buffer share model family from to wanted
    RANDOM=$1
    draw 3 5 && hops=$drawn
    draw 1 $((hops + 1)) && hop=$drawn
    draw 8 40 && rate=$drawn
    draw 40 120 && buffer=$drawn
    draw 20 70 && share=$drawn
    toss && model=$([ "$drawn" = 0 ] && echo poisson || echo onoff)
    draw 1 5 && wanted=$([ "$drawn" = 1 ] && echo null || echo "$hop")
    family=$((4 + 2 * ($1 % 2)))
    if [ "$wanted" = null ]; then
        build chain --icmp off --hops "$hops" --rate 0
    else
        build chain --icmp off --hops "$hops" --bottleneck "$hop" --rate "${rate}M" \
            --buffer "${buffer}ms"
    fi
    from=x$((hop - 1)) to=x$hop
    [ "$hop" -gt 1 ] || from=c
    [ "$hop" -le "$hops" ] || to=s
    traffic "$from" "$to" cross --model "$model" --trimodal --seed "$1" \
        --rate $((rate * share * 10000))
    sleep 0.5
    verdict "$family" --schedule lockin --seed "$1"
    [ "$(state)" != void ] || return 1
    run_line "$1" "$(jq -cn --argjson hops "$hops" --argjson hop "$wanted" --argjson rate "$rate" \
        --argjson share "$share" --arg model "$model" --argjson family "$family" \
        '{truth: {hops: $hops, hop: $hop, rate_mbps: $rate, share: ($share / 100),
          model: $model, family: $family}}')" "$(jq -s --argjson wanted "$wanted" --argjson took "$took_ms" '
        (map(select(.type == "verdict")) | last // {}) as $v
        | (map(select(.type == "end" and .tool == "shadow-probe")) | last) as $ended
        | (if $wanted == null then $v.state == "clear"
           else $v.state == "bottleneck" and $v.bottleneck_hop == $wanted end)
          and $took <= 20000 and ($ended.counts.bytes // 0) <= 3e6' "$work/out")"
}

each_run
judge 0.95 '{wrong_hop: ($runs | map(select(.state == "bottleneck" and .hop != .truth.hop)) | length),
    slowest_ms: ($runs | map(.took_ms) | max), most_bytes: ($runs | map(.bytes) | max)}'
