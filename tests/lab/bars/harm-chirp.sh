#!/usr/bin/env bash
# What watching costs the users of a path: shadow-probe --watch with a budget of 1 % of the live
# traffic, for WATCH seconds (default 100), beside a victim flow and live traffic; and the same
# traffic without it.
#
# Bar: no packet of the victim lost that was not lost without, no drop more at the tight queue,
# 99th percentile of its delay at most 5 ms more; probe bytes at most 1 % of the live bytes in the
# mean and 2 % in the worst 10 s, the first ones included, in which the prober learns a path that it
# knows nothing of (start_share: they alone).
BAR_NAME=harm-chirp
# shellcheck source=tests/lab/bars/lib.bash
. "$(dirname "$0")/lib.bash"
# shellcheck source=tests/lab/bars/harm.bash
. "$(dirname "$0")/harm.bash"
watch=${WATCH:-100}

# Count what c sends: the prober's packets and all of them, once a second.
count_bytes() {
    shadow-lab exec -l "$lab" c nft -f - <<'EOF'
table inet bar {
    counter probe { }
    counter sent { }
    chain out {
        type filter hook output priority 0
        counter name sent
        udp dport 862 counter name probe
    }
}
EOF
}

sample() {
    shadow-lab exec -l "$lab" c nft -j list counters |
        jq -c '[.nftables[].counter // empty] | map({(.name): .bytes}) | add' >>"$work/bytes"
}

prober() {
    local pid i
    : >"$work/bytes"
    sample
    shadow-lab exec -l "$lab" c shadow-probe --watch --budget 1% --live to-r1 --seed "$seed" \
        "$destination" >"$work/out" 2>"$work/probe.err" &
    pid=$!
    for ((i = 0; i < watch; i++)); do
        sleep 1
        sample
    done
    kill -INT $pid
    wait $pid || true
    sample
}

one() {
    seed=$1 destination=10.9.0.2
    [ $((seed / 2 % 2)) = 0 ] || destination=fd09::2
    build chain --icmp off --bottleneck 3 --rate 20M --buffer 80ms
    count_bytes
    both "$watch" prober
    took_ms=$((watch * 1000))
    jq -cs --slurpfile with "$work/phase-with" --slurpfile without "$work/phase-without" '
        . as $s | $with[0] as $a | $without[0] as $b
        | ($s | length) as $n
        | def share($i; $j): ($s[$j].probe - $s[$i].probe) as $p
            | ($s[$j].sent - $s[$i].sent - $p) as $live | if $live > 0 then $p / $live else 0 end;
        {with: $a, without: $b, p99_growth_us: ($a.p99_us - $b.p99_us),
         start_share: (share(0; [10, $n - 1] | min) * 1e5 | round / 1e5),
         share: (share(0; $n - 1) * 1e5 | round / 1e5),
         worst_share: ([range(0; [$n - 10, 1] | max) | share(.; [. + 10, $n - 1] | min)] | max * 1e5 | round / 1e5)}
        | .unfit = ($a.late + $b.late > 0.02 * ($a.sent + $b.sent))' "$work/bytes" >"$work/harm"
    [ "$(jq .unfit "$work/harm")" = false ] || return 1
    run_line "$1" "$(cat "$work/harm")" "$(jq '
        .with.lost <= .without.lost and .with.drops <= .without.drops and .p99_growth_us <= 5000
        and .share <= 0.01 and .worst_share <= 0.02 and .share > 0' "$work/harm")"
}

each_run
judge 1 '{p99_growth_us: ($runs | map(.p99_growth_us) | sort | {median: .[length / 2 | floor], max: max}),
    lost: ($runs | map(.with.lost) | add), drops: ($runs | map(.with.drops) | add),
    share: ($runs | map(.share) | add / length), worst_share: ($runs | map(.worst_share) | max),
    start_share: ($runs | map(.start_share) | max)}'
