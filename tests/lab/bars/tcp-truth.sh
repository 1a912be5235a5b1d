#!/bin/bash
# The bar on TCP: connections through an emulated link, captured in front of it (NAME.pre.pcap) and
# behind it (NAME.post.pcap), against what the sender's own kernel (TCP_INFO) and the emulator counted
# (NAME.truth.json). TRUTH=DIR names the directory; without it this is skipped.
#
# Bar, over both sides: segments sent again exact for at least 95 % of the connections; reordered
# segments behind the link within 10 % of those the emulator let others overtake, and none in front
# of it; the median of the least round trips of each capture within 1 % of the kernels'. rtt_share is
# of the connections for which their own are (a kernel's least may be one that it took from a segment
# sent twice, and less than the link's delay).
set -euo pipefail
[ -d "${TRUTH:-}" ] || { echo "tcp-truth: skipped: TRUTH names no directory" >&2; exit 0; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

for truth in "$TRUTH"/*.truth.json; do
    for side in pre post; do
        shadow-profile -r "${truth%.truth.json}.$side.pcap" --interval 0 --idle 1d --active 1d -o flow.end |
            jq -c --arg side $side --slurpfile truth "$truth" '
                . as $said | $truth[0] as $truth
                | $truth.flows[] | select(.sport == $said.sport)
                | {side: $side, name: $truth.name, overtaken: $truth.relay.delayed_out_of_order,
                   exact: (.total_retrans == $said.retransmitted_fwd),
                   reordered: $said.reordered_fwd,
                   rtt_us: $said.rtt_min_us, truth_us: .min_rtt_us,
                   close: ((($said.rtt_min_us // 0) - .min_rtt_us | fabs) <= 0.01 * .min_rtt_us)}'
    done
done >"$dir/all"

jq -cs '
    def share(f): (map(select(f)) | length) / length;
    def median: sort | .[length / 2 | floor];
    def near($a; $b): ($a - $b | fabs) <= 0.01 * $b;
    (group_by([.side, .name]) | map({side: .[0].side, overtaken: .[0].overtaken,
                                     reordered: (map(.reordered) | add),
                                     near: near(map(.rtt_us) | median; map(.truth_us) | median)})) as $captures
    | {type: "bar", v: 1, bar: "tcp-truth", flows: length, exact_share: share(.exact),
       rtt_share: share(.close), rtt_medians_near: ($captures | all(.near)),
       overtaken: ($captures | map(select(.side == "post").overtaken) | add),
       reordered: ($captures | map(select(.side == "post").reordered) | add),
       reordered_before: ($captures | map(select(.side == "pre").reordered) | add)}
    | . + {ok: (.flows > 0 and .exact_share >= 0.95 and .rtt_medians_near and .reordered_before == 0 and
                ((.reordered - .overtaken | fabs) <= 0.1 * .overtaken))}' "$dir/all" | tee "$dir/bar"
jq -e .ok "$dir/bar" >/dev/null
