#!/usr/bin/env bash
# TTL-scoped load, where the answers of routers are of no use: half of the cases have routers that
# limit ICMP as Linux does by default, half have routers that say nothing at all. Hop, rate, buffer,
# cross traffic and which of the two are drawn from the seed; IPv4 and IPv6 in turn.
#
# Bar: 90 % right, each verdict within 30 s and 3 MB.
BAR_NAME=scope
# shellcheck source=tests/lab/bars/lib.bash
. "$(dirname "$0")/lib.bash"

# mute ROUTER: it answers no packet whose TTL ran out
mute() {
    shadow-lab exec -l "$lab" "$1" nft 'add table inet mute;
        add chain inet mute out { type filter hook output priority 0; };
        add rule inet mute out icmp type time-exceeded drop;
        add rule inet mute out icmpv6 type time-exceeded drop'
}

one() {
    local hops hop rate buffer share model family routers r
    RANDOM=$1
    draw 3 6 && hops=$drawn
    draw 2 "$hops" && hop=$drawn
    draw 5 50 && rate=$drawn
    draw 20 120 && buffer=$drawn
    draw 20 70 && share=$drawn
    toss && model=$([ "$drawn" = 0 ] && echo poisson || echo onoff)
    toss && routers=$([ "$drawn" = 0 ] && echo limited || echo mute)
    family=$((4 + 2 * ($1 % 2)))
    build chain --icmp default --hops "$hops" --bottleneck "$hop" --rate "${rate}M" \
        --buffer "${buffer}ms"
    for ((r = 1; r <= hops; r++)); do
        if [ "$routers" = mute ]; then
            mute "r$r"
        else
            shadow-lab exec -l "$lab" "r$r" sh -c 'echo 1000 >/proc/sys/net/ipv6/icmp/ratelimit'
        fi
    done
    traffic x$((hop - 1)) x"$hop" cross --model "$model" --trimodal --seed "$1" \
        --rate $((rate * share * 10000))
    sleep 0.5
    verdict "$family" --scope
    [ "$(state)" != void ] || return 1
    run_line "$1" "$(jq -cn --argjson hops "$hops" --argjson hop "$hop" --argjson rate "$rate" \
        --argjson share "$share" --arg model "$model" --argjson family "$family" \
        --arg routers "$routers" \
        '{truth: {hops: $hops, hop: $hop, rate_mbps: $rate, share: ($share / 100),
          model: $model, family: $family, routers: $routers}}')" \
        "$(jq -s --argjson hop "$hop" --argjson took "$took_ms" '
            map(select(.type == "verdict")) | last // {}
            | .state == "bottleneck" and .bottleneck_hop == $hop and $took <= 30000
              and (.injected_bytes // 0) <= 3e6' "$work/out")"
}

each_run
judge 0.90 '{wrong_hop: ($runs | map(select(.state == "bottleneck" and .hop != .truth.hop)) | length),
    slowest_ms: ($runs | map(.took_ms) | max), most_bytes: ($runs | map(.bytes) | max)}'
