#!/usr/bin/env bash
# Tune the rules that the demonstration compares with, over the grid and the seeds of rules.conf.
# Prints one NDJSON line a point, and last the best of each rule. JOBS points are tried at once, in
# laboratories of their own (default 1: a host that is busy with itself tunes badly).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lab/demo/rules.conf
. "$here/rules.conf"
export DURATION=${DURATION:-45}
jobs=${JOBS:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# run ARM SCENARIO SEED DIR: once more when the host was too noisy, then as it is
run() {
    local attempt
    for attempt in 1 2; do
        SCENARIO=$2 bash "$here/arm.sh" "$1" "$3" "$4" </dev/null
        if [ "$attempt" = 2 ] || bash "$here/fit.sh" "$4" >/dev/null; then
            break
        fi
    done
    jq -cs --arg arm "$1" --arg scenario "$2" --argjson started "$(cat "$4/started")" \
        --slurpfile changes "$4/changes.ndjson" \
        --slurpfile probed "$4/probed.ndjson" -f "$here/score.jq" "$4"/live-*.ndjson |
        jq -c --arg scenario "$2" '.scenario = $scenario'
}

# point RULE SETTINGS: all its runs, one line
point() {
    local scenario seed
    export UTILISATION=$2 REACTIVE=$2 LAB="tune$BASHPID"
    for seed in $TUNING_SEEDS; do
        for scenario in ramp noise; do
            run "$1" "$scenario" "$seed" "$work/$LAB"
        done
    done | jq -cs --arg rule "$1" --arg settings "$2" '
        def of($name): map(select(.scenario == $name));
        {type: "point", v: 1, rule: $rule, settings: $settings,
         lost_live: (of("ramp") | map(.lost_live) | add),
         bad_seconds: (of("ramp") | map(.bad_seconds) | add),
         moves: (of("ramp") | map(.moves) | add),
         noise_moves: (of("noise") | map(.moves) | add)}'
}

# Reads "RULE SETTINGS" lines, tries them, JOBS at once.
points() {
    local rule settings
    while read -r rule settings; do
        while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
            wait -n || true
        done
        point "$rule" "$settings" &
    done
    wait
}

best() {
    jq -rs --arg rule "$1" 'map(select(.rule == $rule))
        | sort_by(.noise_moves > 0, .lost_live, .bad_seconds, .moves)[0].settings' "$work/points"
}

for delay in $GRID_DELAY_MS; do
    for persist in $GRID_PERSIST; do
        echo "reactive SHARE=50 DELAY_MS=$delay LOSS=0.02 PERSIST=$persist HOLD=5"
    done
done | points | tee "$work/points"
first=$(best reactive)
{
    for share in $GRID_SHARE; do
        echo "utilisation SHARE=$share THRESHOLD=0.8 FOR=3 HOLD=5"
        for loss in $GRID_LOSS; do
            settings=$(sed "s/SHARE=[^ ]*/SHARE=$share/; s/LOSS=[^ ]*/LOSS=$loss/" <<<"$first")
            [ "$settings" = "$first" ] || echo "reactive $settings"
        done
    done
} | points | tee -a "$work/points"
echo "UTILISATION=\"$(best utilisation)\""
echo "REACTIVE=\"$(best reactive)\""
