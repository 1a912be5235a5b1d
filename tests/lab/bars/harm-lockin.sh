#!/usr/bin/env bash
# What a verdict by lock-in costs the users of a path, and that it stops when it must: the victim's
# loss and delay while shadow-probe --schedule lockin runs, and without it.
#
# Bar: the right hop in 95 % of the runs, each within 20 s and 3 MB; at most 0.1 % of the victim's packets lost beyond what is lost without, 99th percentile of
# its delay at most 20 ms more; after a slot whose p95 is more than 20 ms above the base, the load
# stops: no slot at that rate or above follows.
BAR_NAME=harm-lockin
# shellcheck source=tests/lab/bars/lib.bash
. "$(dirname "$0")/lib.bash"
# shellcheck source=tests/lab/bars/harm.bash
. "$(dirname "$0")/harm.bash"

prober() {
    verdict "$family" --schedule lockin --seed "$seed"
}

one() {
    seed=$1 family=$((4 + 2 * ($1 / 2 % 2)))
    build chain --icmp off --bottleneck 3 --rate 20M --buffer 80ms
    both 25 prober
    jq -cs --slurpfile with "$work/phase-with" --slurpfile without "$work/phase-without" '
        map(select(.type == "slot" and (.void | not))) as $slots | $with[0] as $a | $without[0] as $b
        | (map(select(.type == "verdict")) | last // {}) as $v
        | (map(select(.type == "end" and .tool == "shadow-probe")) | last) as $ended
        | ($slots | map(.hops) | max) as $far
        | ($slots | map(select(.on and .hop == $far))) as $on
        | {with: $a, without: $b, p99_growth_us: ($a.p99_us - $b.p99_us),
           named: ($v.state == "bottleneck" and $v.bottleneck_hop == 3),
           probed: $ended.counts.bytes,
           added_loss: (([$a.lost / $a.sent - $b.lost / $b.sent, 0] | max) * 1e5 | round / 1e5),
           beyond: ([range(0; $on | length) as $i
                     | select($on[$i].delay_p95_us > 20000)
                     | select(any($on[$i + 1:][]; .target_bps >= $on[$i].target_bps))] | length)}
        | .unfit = ($a.late + $b.late > 0.02 * ($a.sent + $b.sent))' "$work/out" >"$work/harm"
    [ "$(jq .unfit "$work/harm")" = false ] || return 1
    run_line "$1" "$(cat "$work/harm")" \
        "$(jq --argjson took "$took_ms" '
            .added_loss <= 0.001 and .p99_growth_us <= 20000 and .beyond == 0
            and $took <= 20000 and .probed <= 3e6' "$work/harm")"
}

each_run
judge 1 '{p99_growth_us: ($runs | map(.p99_growth_us) | sort | {median: .[length / 2 | floor], max: max}),
    met: (($runs | map(select(.named | not)) | length) <= ([0.05 * ($runs | length), 1] | max)),
    added_loss: ($runs | map(.added_loss) | max),
    named: ($runs | map(select(.named)) | length),
    slowest_ms: ($runs | map(.took_ms) | max), most_bytes: ($runs | map(.bytes) | max)}'
