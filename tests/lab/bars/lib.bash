# What the statistical bars share: a laboratory of their own, live traffic, one verdict, the count.
# Sourced with BAR_NAME set. Each bar prints a line for every run and a closing `bar` line, and
# exits with 1 when it is missed, 4 when this machine cannot run it.
#   RUNS=n     runs that are judged (a window that the host spoilt is void: it is repeated)
#   SEED=n     the first seed; run i uses SEED + i
#   KEEP=DIR   keep what the tools printed

set -euo pipefail
runs=${RUNS:-5} first=${SEED:-1}
lab=bar-$BAR_NAME-$$
work=${KEEP:-$(mktemp -d)}
mkdir -p "$work"
rm -f "$work/runs"
started=()
voids=0

clean_up() {
    local pid
    for pid in ${started+"${started[@]}"}; do
        kill "$pid" 2>/dev/null || true
    done
    wait 2>/dev/null || true
    shadow-lab down -l "$lab" >/dev/null 2>&1 || true
    [ -n "${KEEP:-}" ] || rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

if ! shadow-lab up chain --hops 1 -l "$lab" >/dev/null; then
    echo "$BAR_NAME: no laboratory can be built here" >&2
    exit 4
fi
shadow-lab down -l "$lab" >/dev/null

# draw LO HI: a whole number in [LO, HI] into drawn, the next of the sequence that RANDOM=n began
draw() {
    drawn=$(($1 + (RANDOM * 32768 + RANDOM) % ($2 - $1 + 1)))
}

# toss: 0 or 1 into drawn, evenly wherever it stands in the sequence: the lowest bit alone, which
# draw 0 1 takes, is the same for many seeds in a row in some places.
toss() {
    local high=$RANDOM low=$RANDOM
    drawn=$((0x$(echo "$high $low" | sha256sum | cut -c1-4) % 2))
}

# build_bare PLAN OPTION...: a fresh laboratory where nothing reflects
build_bare() {
    stop_all
    shadow-lab down -l "$lab" >/dev/null 2>&1 || true
    shadow-lab up "$@" -l "$lab" >"$work/plan"
}

# build PLAN OPTION...: the same with a reflector at its far end
build() {
    build_bare "$@"
    shadow-lab exec -l "$lab" s shadow-reflect >"$work/reflect" 2>&1 &
    started+=($!)
    for _ in $(seq 100); do
        [ "$(grep -c listening "$work/reflect")" -lt 2 ] || return 0
        sleep 0.02
    done
    echo "$BAR_NAME: the reflector does not start" >&2
    exit 4
}

# traffic FROM TO NAME OPTION...: live traffic in the background, until stop_all or its end
traffic() {
    local from=$1 to=$2 name=$3
    shift 3
    shadow-lab traffic -l "$lab" --from "$from" --to "$to" --name "$name" --duration 10m \
        "$@" >"$work/$name.ndjson" 2>"$work/$name.err" &
    started+=($!)
}

# Stop everything in the background but the first that was started: the reflector.
stop_traffic() {
    local pid
    for pid in "${started[@]:1}"; do
        kill -INT "$pid" 2>/dev/null || true
    done
    for pid in "${started[@]:1}"; do
        wait "$pid" 2>/dev/null || true
    done
    started=("${started[@]:0:1}")
}

stop_all() {
    [ ${#started[@]} -gt 0 ] || return 0
    stop_traffic
    kill -INT "${started[0]}" 2>/dev/null || true
    wait "${started[0]}" 2>/dev/null || true
    started=()
}

# verdict FAMILY OPTION...: one verdict of shadow-probe OPTION... into $work/out; its wall time into
# took_ms. A destination of family 4 or 6.
verdict() {
    local destination=10.9.0.2 begin
    [ "$1" = 4 ] || destination=fd09::2
    shift
    begin=$(date +%s%N)
    shadow-lab exec -l "$lab" c timeout -s INT 120 shadow-probe "$@" "$destination" \
        2>"$work/probe.err" | shadow-gradient --keep >"$work/out" 2>"$work/gradient.err" || true
    took_ms=$((($(date +%s%N) - begin) / 1000000))
}

# state of the last verdict: bottleneck clear inconclusive void, none when there is no verdict
state() {
    jq -rs 'map(select(.type == "verdict")) | last | .state // "none"' "$work/out"
}

# Print a run's line: the verdict's own words with the truth given as jq object fields.
# run_line SEED TRUTH OK
run_line() {
    jq -cs --arg bar "$BAR_NAME" --argjson seed "$1" --argjson truth "$2" --argjson ok "$3" \
        --argjson took "$took_ms" '
        (map(select(.type == "verdict")) | last // {}) as $v
        | (map(select(.type == "end" and .tool == "shadow-probe")) | last | .counts.bytes) as $bytes
        | {type: "run", v: 1, bar: $bar, seed: $seed, ok: $ok, state: ($v.state // "none"),
           hop: $v.bottleneck_hop, available_bps: $v.available_bps, took_ms: $took, bytes: $bytes,
           reason: $v.reason} + $truth' "$work/out" | tee -a "$work/runs"
    [ -z "${KEEP:-}" ] || cp "$work/out" "$work/out-$BAR_NAME-$1"
}

# each_run: `one SEED` for every run. It returns 1 for a void window: then the case is built once
# more, and left out when that is void too.
each_run() {
    local i
    for ((i = 0; i < runs; i++)); do
        one $((first + i)) && continue
        voids=$((voids + 1))
        one $((first + i)) || voids=$((voids + 1))
    done
}

# judge SHARE [FIELDS]: the closing line. The bar is missed when fewer than SHARE of the runs are
# good (fewer than 20 runs forgive one where SHARE is below 0.99), or when FIELDS, a jq object over $runs, has met: false.
judge() {
    jq -cs --arg bar "$BAR_NAME" --argjson share "$1" --argjson voids "$voids" "
        . as \$runs | (map(select(.ok)) | length) as \$good
        | (([length * (1 - \$share), if length < 20 and \$share < 0.99 then 1 else 0 end] | max) + 1e-9) as \$forgiven
        | {type: \"bar\", v: 1, bar: \$bar, runs: (\$runs | length), good: \$good,
           wanted_share: \$share, void: \$voids} + (${2:-"{}"})
        | . + {ok: (.runs > 0 and .runs - .good <= \$forgiven and .met != false)}" \
        "$work/runs" | tee "$work/bar"
    jq -e .ok "$work/bar" >/dev/null || exit 1
}
