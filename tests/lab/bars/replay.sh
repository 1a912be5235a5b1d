#!/usr/bin/env bash
# Load shaped like live traffic (--schedule replay): a shape record of three sizes and three gaps,
# how many of each drawn from the seed as are hop, rate and cross traffic (Poisson). IPv4 and IPv6 in
# turn.
#
# Bar: 90 % right within 60 s, that is: the verdict names the tight hop, or, as the load climbs to four
# fifths of what is available and no further, says that none felt a rate which the link does have left;
# and over all slots with load
#   sizes  the share of each is that of the record to within 0.02 and three standard errors,
#   gaps   once the stretch is taken out, 90 % are one of the record's to 10 %, or to the 100 us that
#          sending one packet may take where the sender does the work of all routers too, and the
#          share of each is that of the record to within 0.04 and three standard errors,
#   rate   the bytes sent are those of the rate aimed at to within 10 %.
BAR_NAME=replay
# shellcheck source=tests/lab/bars/lib.bash
. "$(dirname "$0")/lib.bash"

# What the load was like beside the shape: {sizes, gaps, odd_gaps, rate}, the largest differences.
compare() {
    # shellcheck disable=SC2016 # jq
    jq -s --slurpfile shapes "$work/shape" '
        def shares: (map(.[1]) | add) as $n | map([.[0], .[1] / $n]);
        def mean: (map(.[0] * .[1]) | add) / (map(.[1]) | add);
        def abs: if . < 0 then -. else . end;
        $shapes[0] as $shape
        | (($shape.sizes | mean * 8e6) / ($shape.gaps_us | mean)) as $own_bps
        | map(select(.type == "slot" and .on and (.void | not) and .hop == .hops and .chirp
                     and .reason != "abort")) as $slots
        | ($slots | map(.chirp.bytes[])) as $bytes
        | ($slots | map((.target_bps / $own_bps) as $speed | .chirp.sent_ns
            | [.[:-1], .[1:]] | transpose | .[] | (.[1] - .[0]) / 1000
            | {us: (. * $speed), late: (100 * $speed)})) as $gaps
        | ($shape.gaps_us | map(.[0])) as $known
        | ($gaps | map(. as $gap | ($known | min_by((. - $gap.us) | abs))
            | {us: ., odd: (((. - $gap.us) | abs) > ([. * 0.1, $gap.late] | max))})) as $named
        | {slots: ($slots | length), packets: ($bytes | length),
           sizes: ($shape.sizes | shares | map(. as [$size, $share]
               | ($bytes | map(select(. == $size)) | length) / ($bytes | length) - $share | abs) | max),
           odd_gaps: (($named | map(select(.odd)) | length) / ($gaps | length)),
           gaps: ($shape.gaps_us | shares | map(. as [$us, $share]
               | ($named | map(select(.us == $us)) | length) / ($gaps | length) - $share | abs) | max),
           rate: (($bytes | add) * 8e6 / ($slots | map(.target_bps * .duration_us) | add))}' "$work/out"
}

one() {
    local hops hop rate share family a b c likeness
    RANDOM=$1
    draw 3 5 && hops=$drawn
    draw 2 "$hops" && hop=$drawn
    draw 5 30 && rate=$drawn
    draw 20 60 && share=$drawn
    draw 1 6 && a=$drawn
    draw 1 6 && b=$drawn
    draw 1 6 && c=$drawn
    family=$((4 + 2 * ($1 % 2)))
    echo '{"type":"shape","v":1,"ts":1,"sizes":[[100,'"$a"'],[576,'"$b"'],[1400,'"$c"']],
        "gaps_us":[[500,'"$c"'],[1500,'"$a"'],[3000,'"$b"']]}' | jq -c . >"$work/shape"
    build chain --icmp off --hops "$hops" --bottleneck "$hop" --rate "${rate}M" --buffer 60ms
    traffic x$((hop - 1)) x"$hop" cross --model poisson --trimodal --seed "$1" \
        --rate $((rate * share * 10000))
    sleep 0.5
    verdict "$family" --schedule replay --shape "$work/shape" --seed "$1"
    [ "$(state)" != void ] || return 1
    likeness=$(compare)
    run_line "$1" "$(jq -cn --argjson hops "$hops" --argjson hop "$hop" --argjson rate "$rate" \
        --argjson share "$share" --argjson family "$family" --argjson likeness "$likeness" \
        '{truth: {hops: $hops, hop: $hop, rate_mbps: $rate, share: ($share / 100),
          family: $family}, likeness: $likeness}')" \
        "$(jq -s --argjson hop "$hop" --argjson took "$took_ms" --argjson likeness "$likeness" \
            --argjson left $((rate * (100 - share) * 10000)) '
            map(select(.type == "verdict")) | last // {}
            | ((.state == "bottleneck" and .bottleneck_hop == $hop)
               or (.state == "clear" and .available_bps.lo < $left)) and $took <= 60000
              and ($likeness | (1.5 / (.packets | sqrt)) as $chance
                   | .sizes <= 0.02 + $chance and .odd_gaps <= 0.1 and .gaps <= 0.04 + $chance
                   and .rate > 0.9 and .rate < 1.1)' "$work/out")"
}

each_run
judge 0.90 '{right_hop: ($runs | map(select(.hop == .truth.hop)) | length),
    wrong_hop: ($runs | map(select(.hop and .hop != .truth.hop)) | length),
    sizes: ($runs | map(.likeness.sizes) | max), gaps: ($runs | map(.likeness.gaps) | max),
    rate: [($runs | map(.likeness.rate) | min), ($runs | map(.likeness.rate) | max)],
    slowest_ms: ($runs | map(.took_ms) | max)}'
