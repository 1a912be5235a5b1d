#!/bin/bash
# forecast.rate: CPU microseconds a value of the book at 12 horizons, learning only and with each
# forecast written as a record (bars: 15 and 40); forecasts a second beside R's thetaf on two weeks
# of the same values (bar: 500 times; none without R and its forecast package); bytes a series.
# forecast.tool: the same of the whole tool, from standard input to the records. COUNT=n, default
# 100000, for the memory; best of 3.
set -eu
build=build/${MODE:-release}
[ -z "${BENCH:-}" ] || [[ "forecast.rate forecast.tool" == *"$BENCH"* ]] || exit 0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# of_book SERIES STEPS SAY: the least microseconds of three
of_book() {
    for _ in 1 2 3; do "$build/bench/forecast_book" "$@"; done | sort -g | head -1 | cut -d' ' -f1
}

thetaf() {
    Rscript -e 'suppressMessages(library(forecast)); set.seed(1); n <- 14 * 288
        y <- ts(1000 + 500 * sin(2 * pi * (1:n) / 288) + rnorm(n, sd = 50), frequency = 288)
        b <- proc.time()[[1]]; for (i in 1:5) thetaf(y, h = 12); cat((proc.time()[[1]] - b) / 5)' 2>/dev/null
}

learn=$(of_book 10 3000 0)
say=$(of_book 10 3000 1)
bytes=$("$build/bench/forecast_book" "${COUNT:-100000}" 56 0 | cut -d' ' -f2)
peer=$(thetaf || true)
awk -v learn="$learn" -v say="$say" -v bytes="$bytes" -v peer="${peer:-0}" 'BEGIN {
    printf "{\"type\":\"bench\",\"name\":\"forecast.rate\",\"learn_us\":%s,\"record_us\":%s", learn, say
    printf ",\"bytes_a_series\":%s,\"unit\":\"cpu_us\"", bytes
    if (peer > 0)
        printf ",\"peer\":\"R thetaf\",\"peer_value\":%.0f,\"ratio\":%.0f", peer * 1e6, peer * 1e6 / say
    print "}" }'

awk 'BEGIN { srand(1); for (i = 1; i <= 3000; i++) for (k = 0; k < 10; k++)
    printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"link/%d/bps\",\"value\":%d}\n",
        i * 300, k, 1000 + 500 * sin((i + k) / 45.8) + 100 * rand() }' >"$dir/in"
horizons=5m,10m,15m,20m,25m,30m,35m,40m,45m,50m,55m,60m
# tool OPTION...: the least microseconds of three
tool() {
    local TIMEFORMAT='%U %S'
    for _ in 1 2 3; do
        { time "$build/bin/shadow-forecast" -H $horizons "$@" <"$dir/in" >/dev/null; } 2>&1
    done | awk '{ print ($1 + $2) * 1e6 / 30000 }' | sort -g | head -1
}
printf '{"type":"bench","name":"forecast.tool","learn_us":%s,"record_us":%s,"breach_us":%s,"unit":"cpu_us"}\n' \
    "$(tool --every 0)" "$(tool)" "$(tool --every 0 --capacity 1600 -o breach)"
