#!/usr/bin/env bash
# No reflector: shadow-probe as it is called first, towards a host that runs nothing for it. Routers
# and that host limit ICMP as the kernel does by default. Hops, the tight one, its rate and the cross
# traffic are drawn from the seed; IPv4 and IPv6 in turn.
#
# Bar: 90 % right, each verdict within 30 s and 3 MB.
BAR_NAME=no-reflector
# shellcheck source=tests/lab/bars/lib.bash
. "$(dirname "$0")/lib.bash"

one() {
    local hops hop rate buffer share model family protocol
    RANDOM=$1
    draw 3 7 && hops=$drawn
    draw 2 "$hops" && hop=$drawn
    draw 5 50 && rate=$drawn
    draw 20 120 && buffer=$drawn
    draw 20 70 && share=$drawn
    toss && model=$([ "$drawn" = 0 ] && echo poisson || echo onoff)
    family=$((4 + 2 * ($1 % 2)))
    build_bare chain --icmp default --hops "$hops" --bottleneck "$hop" --rate "${rate}M" \
        --buffer "${buffer}ms"
    traffic x$((hop - 1)) x"$hop" cross --model "$model" --trimodal --seed "$1" \
        --rate $((rate * share * 10000))
    sleep 0.5
    verdict "$family"
    [ "$(state)" != void ] || return 1
    protocol=$(jq -rs 'map(select(.type == "path")) | last | .protocol // "none"' "$work/out")
    run_line "$1" "$(jq -cn --argjson hops "$hops" --argjson hop "$hop" --argjson rate "$rate" \
        --argjson share "$share" --arg model "$model" --argjson family "$family" \
        --arg protocol "$protocol" \
        '{truth: {hops: $hops, hop: $hop, rate_mbps: $rate, share: ($share / 100),
          model: $model, family: $family}, protocol: $protocol}')" \
        "$(jq -s --argjson hop "$hop" --argjson took "$took_ms" '
            map(select(.type == "verdict")) | last // {}
            | .state == "bottleneck" and .bottleneck_hop == $hop and $took <= 30000
              and (.injected_bytes // 0) <= 3e6' "$work/out")"
}

each_run
judge 0.90 '{wrong_hop: ($runs | map(select(.state == "bottleneck" and .hop != .truth.hop)) | length),
    slowest_ms: ($runs | map(.took_ms) | max), most_bytes: ($runs | map(.bytes) | max)}'
