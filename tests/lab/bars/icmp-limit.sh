#!/usr/bin/env bash
# Routers that limit their ICMP answers as Linux does by default (one a second for each prober,
# after a first burst of six; IPv6 as in Linux 6.1 the same, newer kernels allow ten). Hop, rate and cross traffic are drawn as in the bar `hop`.
#
# Bar: 90 % right, each verdict within 30 s, and no router sent more than its first burst and one
# answer a second.
BAR_NAME=icmp-limit
# shellcheck source=tests/lab/bars/lib.bash
. "$(dirname "$0")/lib.bash"

# answers ROUTER: time-exceeded messages that it has sent, IPv4 and IPv6
answers() {
    shadow-lab exec -l "$lab" "$1" sh -c '
        awk "/^Icmp:/ { if (n++) print \$o; else for (o = 1; \$o != \"OutTimeExcds\"; o++); }" /proc/net/snmp
        awk "\$1 == \"Icmp6OutTimeExcds\" { print \$2 }" /proc/net/snmp6' | awk '{ n += $1 } END { print n + 0 }'
}

one() {
    local hops hop rate share model family from to most=0 r
    RANDOM=$1
    draw 3 6 && hops=$drawn
    draw 2 "$hops" && hop=$drawn
    draw 5 50 && rate=$drawn
    draw 20 70 && share=$drawn
    toss && model=$([ "$drawn" = 0 ] && echo poisson || echo onoff)
    family=$((4 + 2 * ($1 % 2)))
    build chain --icmp default --hops "$hops" --bottleneck "$hop" --rate "${rate}M" --buffer 60ms
    for ((r = 1; r <= hops; r++)); do
        shadow-lab exec -l "$lab" "r$r" sh -c 'echo 1000 >/proc/sys/net/ipv6/icmp/ratelimit'
    done
    traffic x$((hop - 1)) x"$hop" cross --model "$model" --trimodal --seed "$1" \
        --rate $((rate * share * 10000))
    sleep 0.5
    verdict "$family"
    [ "$(state)" != void ] || return 1
    for ((r = 1; r <= hops; r++)); do
        from=$(answers "r$r")
        [ "$from" -le "$most" ] || most=$from
    done
    to=$((6 + took_ms / 1000 + 1))
    run_line "$1" "$(jq -cn --argjson hop "$hop" --argjson rate "$rate" --argjson share "$share" \
        --arg model "$model" --argjson answers "$most" --argjson allowed "$to" \
        '{truth: {hop: $hop, rate_mbps: $rate, share: ($share / 100), model: $model},
          answers: $answers, allowed: $allowed}')" \
        "$(jq -s --argjson hop "$hop" --argjson took "$took_ms" --argjson answers "$most" \
            --argjson allowed "$to" 'map(select(.type == "verdict")) | last // {}
            | .state == "bottleneck" and .bottleneck_hop == $hop and $took <= 30000
              and $answers <= $allowed' "$work/out")"
}

each_run
judge 0.90 '{slowest_ms: ($runs | map(.took_ms) | max), most_answers: ($runs | map(.answers) | max)}'
