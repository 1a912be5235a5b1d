#!/usr/bin/env bash
# The main job on RUNS seeds (default 5): what the shadow arm lost against the best of the rules of
# today, with a capacity that no counter shows; then NOISE runs in which nothing has to be done, and
# BAD runs in which the standby drops 10 %.
#
# Bar: lost live packets at most a tenth of the best rival's in 9 of 10 seeds, none at all in 7 of
# 10; no move on noise alone; with a bad standby no move, or one that helps. A seed on which
# the host was too noisy is void (read from the generators' logs before any result); more than 30 %
# of them fail the run.
set -euo pipefail
demo=$(cd "$(dirname "$0")/../demo" && pwd)
runs=${RUNS:-5} first=${SEED:-1} noise=${NOISE:-$(((runs + 1) / 2))} bad=${BAD:-$(((runs + 3) / 4))}
# shellcheck source=tests/lab/demo/rules.conf
. "$demo/rules.conf"
export UTILISATION REACTIVE DURATION=${DURATION:-45} LAB=${LAB:-bar}
work=${KEEP:-$(mktemp -d)}
mkdir -p "$work"
trap '[ -n "${KEEP:-}" ] || rm -rf "$work"' EXIT

score() {
    jq -cs --arg arm "$2" --argjson started "$(cat "$1/$2/started")" \
        --slurpfile changes "$1/$2/changes.ndjson" \
        --slurpfile probed "$1/$2/probed.ndjson" -f "$demo/score.jq" \
        "$1/$2"/live-*.ndjson
}

# seed SCENARIO SEED ARM...: one line for the seed, void or judged
seed() {
    local scenario=$1 number=$2 arm dir="$work/$1-$2"
    shift 2
    for arm in "$@"; do
        SCENARIO=$scenario bash "$demo/arm.sh" "$arm" "$number" "$dir/$arm" </dev/null
    done
    if ! bash "$demo/fit.sh" "${@/#/$dir/}" >&2; then
        jq -cn --arg scenario "$scenario" --argjson seed "$number" \
            '{type: "run", v: 1, bar: "main-job", scenario: $scenario, seed: $seed, void: true}'
        return
    fi
    for arm in "$@"; do
        score "$dir" "$arm"
    done | jq -cs --arg scenario "$scenario" --argjson seed "$number" '
        def of($name): map(select(.arm == $name))[0];
        of("shadow") as $ours
        | {type: "run", v: 1, bar: "main-job", scenario: $scenario, seed: $seed, void: false,
           lost: (map({key: .arm, value: .lost_live}) | from_entries),
           bad_seconds: (map({key: .arm, value: .bad_seconds}) | from_entries),
           moves: $ours.moves, sent: $ours.sent,
           shadow_share: (if $ours.shadow_bytes then $ours.shadow_bytes / $ours.live_bytes
                          else null end)}
        | .best_rival = (.lost | del(.shadow) | [.[]] | min)'
}

{
    for ((i = first; i < first + runs; i++)); do
        seed ramp "$i" nothing utilisation reactive shadow
    done
    for ((i = first; i < first + noise; i++)); do
        seed noise "$i" shadow
    done
    for ((i = first; i < first + bad; i++)); do
        seed bad-standby "$i" nothing shadow
    done
} | tee "$work/runs.ndjson"

jq -cs '
    def judged($scenario): map(select(.scenario == $scenario and (.void | not)));
    judged("ramp") as $ramp | judged("noise") as $noise | judged("bad-standby") as $bad
    | {type: "bar", v: 1, name: "main-job",
       seeds: (map(select(.scenario == "ramp")) | length), judged: ($ramp | length),
       tenth: ($ramp | map(select(.lost.shadow <= .best_rival / 10)) | length),
       none: ($ramp | map(select(.lost.shadow == 0)) | length),
       lost: ($ramp | map(.lost.shadow) | add), best_rival: ($ramp | map(.best_rival) | add),
       nothing: ($ramp | map(.lost.nothing) | add),
       noise_runs: ($noise | length), noise_moves: ($noise | map(.moves) | add // 0),
       bad_runs: ($bad | length),
       bad_worse: ($bad | map(select(.moves > 0 and .lost.shadow > .lost.nothing)) | length)}
    | .met = (.judged >= .seeds * 0.7 and .tenth >= .judged * 0.9 and .none >= .judged * 0.7
              and .noise_moves == 0 and .bad_worse == 0)' "$work/runs.ndjson" | tee "$work/bar"
jq -e .met "$work/bar" >/dev/null
