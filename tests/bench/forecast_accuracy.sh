#!/bin/bash
# forecast.accuracy: how well series are forecast, by one protocol (see forecast_ensemble.c): each of
#   R's forecast package, of rrdtool's and Prometheus' formulas and of shadow-forecast; then the
#   ensemble alone, and without each of its experts in turn; last, ours against the best of the
#   others on each series in hindsight. Ratios to the naive forecast: lower is better.
# SERIES=DIR: the series (../shared/data/series); PEERS="naive thetaf": of the others only these;
# ROWS=DIR: keep what the others said there and do not ask them again (nor need R for it).
set -eu
series=${SERIES:-../shared/data/series}
peers=${PEERS:-naive snaive thetaf ets auto.arima stlf fourier.arima tbats rrdtool prometheus linear.30m linear.1h linear.4h}
build=build/${MODE:-release}
[ -d "$series" ] || { echo "forecast.accuracy: no series in $series (SERIES=DIR)" >&2; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rows=${ROWS:-$work/rows}
mkdir -p "$work/series" "$rows"
python3 tests/bench/forecast_series.py "$series" "$work/series"

with_R=$(Rscript -e 'cat(requireNamespace("forecast", quietly = TRUE))' 2>/dev/null || true)
if [[ $with_R != *TRUE* ]]; then
    echo "forecast.accuracy: R's forecast package is missing (r-cran-forecast): only what ROWS has is scored" >&2
fi

# ask_peers NAME: what each of the others forecasts for a series, unless it is known
ask_peers() {
    local peer missing=()
    mkdir -p "$rows/$1"
    for peer in $peers; do
        [ -s "$rows/$1/$peer" ] || missing+=("$peer")
    done
    [ ${#missing[@]} -eq 0 ] || [[ $with_R != *TRUE* ]] ||
        Rscript tests/bench/forecast_peers.R "$work/series/$1" "$rows/$1" "${missing[@]}" >>"$rows/$1/seconds"
}

# ask_tool NAME: what shadow-forecast forecasts for a series, every step of an hour, or of a day
ask_tool() {
    local step horizons
    step=$(awk 'NR == 2 { print $1 - last } { last = $1 }' "$work/series/$1")
    horizons=$(awk -v step="$step" 'BEGIN { n = step >= 3600 ? 24 : 3600 / step
        for (i = 1; i <= n; i++) printf "%s%ds", (i > 1 ? "," : ""), i * step }')
    jq -Rc 'split(" ") | {type: "metric", v: 1, ts: (.[0] | tonumber * 1000000), series: "bench",
        value: (.[1] | tonumber)}' "$work/series/$1" |
        shadow-forecast --step "${step}s" --season day,week --horizon "$horizons" -o forecast |
        jq -r --argjson step "$step" '.ts as $t | .horizons[] | [$t / 1e6, .horizon_us / 1e6 / $step,
            .q["0.025"], .q["0.1"], .q["0.5"], .q["0.9"], .q["0.975"]] | map(tostring) | join(" ")' >"$work/tool"
}

all=()
for path in "$work"/series/*; do
    name=${path##*/}
    all+=("$name=$path")
    ask_peers "$name"
    for peer in $peers; do
        [ ! -s "$rows/$name/$peer" ] || "$build/bench/forecast_ensemble" --label "$peer" --rows "$rows/$name/$peer" "$name=$path"
    done | tee -a "$work/theirs"
    if shadow-forecast --help | grep -q -- --step && ask_tool "$name" && [ -s "$work/tool" ]; then
        "$build/bench/forecast_ensemble" --label shadow-forecast --rows "$work/tool" "$name=$path"
    fi
done
"$build/bench/forecast_ensemble" "${all[@]}" | tee "$work/ours"
for expert in naive damped profile seasonal regression autoregression recurrent; do
    "$build/bench/forecast_ensemble" --label "without $expert" --without "$expert" "${all[@]}" | tail -1
done
if [ -s "$work/theirs" ]; then
    jq -cs 'def mean: map(log) | add / length | exp;
        group_by(.series) | map(select(any(.of == "ensemble") and length > 1) |
            (map(select(.of == "ensemble"))[0]) as $ours | map(select(.of != "ensemble")) as $others |
            {series: $ours.series, peer: ($others | min_by(.pinball).of)} + (["pinball", "mase", "wape15"] | map({key: ., value:
                ($ours[.] / ([$others[][.]] | min))}) | from_entries)) |
        (.[] | {type: "bench", name: "forecast.accuracy.best_peer"} + .),
        {type: "bench", name: "forecast.accuracy.best_peer", series: "all", pinball: (map(.pinball) | mean),
         mase: (map(.mase) | mean), wape15: (map(.wape15) | mean), worst_pinball: (map(.pinball) | max)}' \
        "$work/ours" "$work/theirs"
fi
