#!/bin/bash
# store.append: points a second that the library makes durable, COUNT (10,000) series a minute for
#   MINUTES (1,440), each minute synced; bar 2,000,000 (ratio 1).
# store.bytes: bytes a point in segments after compact, against VictoriaMetrics' data (without its index) of the
#   same points after a forced merge; bar 1.15 times its (ratio 0.87).
# store.rows: points a second against a table of rows in SQLite (series, time, value), synced once a
#   minute, for SQLITE_MINUTES (30); bar 20 times.
# store.ndjson: points a second of shadow-store append, MINUTES / 20 of them; no bar.
# store.day, store.hour: milliseconds for one series' day and for the last hour of all series; bars
#   1 and 50. store.hour.compact: the latter after compact. store.open: for opening the store; bar
#   1,000.
# store.append.cpu, store.rows.cpu: as store.append and store.rows, but by the processor's time, which
#   other loads on the machine and its disk change less.
# The best of 3 for times. Where VictoriaMetrics is not installed its lines are left out.
set -eu
load=$SDW_BUILD/bench/store_load
series=${COUNT:-10000} minutes=${MINUTES:-1440} sqlite_minutes=${SQLITE_MINUTES:-30}
dir=$(mktemp -d)
vm=
clean_up() {
    [ -z "$vm" ] || kill "$vm" 2>/dev/null || true
    [ -z "$vm" ] || wait "$vm" 2>/dev/null || true
    rm -rf "$dir"
}
trap clean_up EXIT

wanted() {
    [ -z "${BENCH:-}" ] || [[ $1 == *"$BENCH"* ]] || [ "$BENCH" = store ]
}

# line NAME VALUE UNIT PEER PEER_VALUE RATIO
line() {
    wanted "$1" || return 0
    printf '{"type":"bench","name":"%s","ours":%s,"unit":"%s","peer":"%s","peer_value":%s,"ratio":%.3g}\n' "$@"
}

ratio() {
    awk -v a="$1" -v b="$2" 'BEGIN { print a / b }'
}

# --- appending, size, queries
best=0 best_cpu=0
for _ in 1 2 3; do
    rm -rf "$dir/ours"
    "$load" write "$dir/ours" "$series" "$minutes" >"$dir/write"
    value=$(jq .points_s "$dir/write")
    [ "$value" -le "$best" ] || best=$value
    value=$(jq .points_cpu_s "$dir/write")
    [ "$value" -le "$best_cpu" ] || best_cpu=$value
    "$load" read "$dir/ours" >>"$dir/read"
done
line store.append "$best" points/s "the bar" 2000000 "$(ratio "$best" 2000000)"
line store.append.cpu "$best_cpu" points/s "the bar" 2000000 "$(ratio "$best_cpu" 2000000)"
least() {
    jq -s "map(.$1) | min" "$dir/read"
}
line store.day "$(least series_day_points_ms)" ms "the bar" 1 "$(ratio 1 "$(least series_day_points_ms)")"
line store.hour "$(least all_last_hour_ms)" ms "the bar" 50 "$(ratio 50 "$(least all_last_hour_ms)")"
line store.open "$(least open_ms)" ms "the bar" 1000 "$(ratio 1000 "$(least open_ms)")"
shadow-store compact -s "$dir/ours" >/dev/null
for _ in 1 2 3; do
    "$load" read "$dir/ours"
done >"$dir/read"
line store.hour.compact "$(least all_last_hour_ms)" ms "the bar" 50 "$(ratio 50 "$(least all_last_hour_ms)")"
bytes=$(shadow-store check -s "$dir/ours" -o part | jq -s 'map(select(.kind == "segment")) | (map(.bytes) | add) / (map(.points) | add) * 1e4 | round / 1e4')

# --- VictoriaMetrics
if wanted store.bytes && command -v victoria-metrics >/dev/null; then
    port=${VM_PORT:-18428}
    url=http://127.0.0.1:$port
    victoria-metrics -storageDataPath="$dir/vm" -httpListenAddr="127.0.0.1:$port" \
        -retentionPeriod=100y >"$dir/vm.log" 2>&1 &
    vm=$!
    for _ in $(seq 100); do
        curl -sf "$url/health" >/dev/null && break
        sleep 0.1
    done
    "$load" prom "$series" "$minutes" >"$dir/prom"
    begin=$(date +%s%N)
    curl -sf -T "$dir/prom" -X POST "$url/api/v1/import/prometheus"
    curl -sf "$url/internal/force_flush"
    rate=$(awk -v n=$((series * minutes)) -v t=$(($(date +%s%N) - begin)) 'BEGIN { printf "%d", n / t * 1e9 }')
    curl -sf "$url/internal/force_merge"
    sleep 5
    rows=$(curl -sf "$url/metrics" | awk '/^vm_rows\{type="storage/ { s += $2 } END { print s }')
    [ "$rows" = $((series * minutes)) ] || { echo "VictoriaMetrics has $rows points" >&2; exit 1; }
    size=$(curl -sf "$url/metrics" | awk -v n="$rows" '/^vm_data_size_bytes\{type="storage/ { s += $2 } END { printf "%.4f", s / n }')
    line store.bytes "$bytes" bytes/point "victoria-metrics" "$size" "$(ratio "$size" "$bytes")"
    line store.append.vm "$best" points/s "victoria-metrics" "$rate" "$(ratio "$best" "$rate")"
    rm "$dir/prom"
fi

# --- rows in SQLite
if wanted store.rows && command -v sqlite3 >/dev/null; then
    "$load" sql "$series" "$sqlite_minutes" >"$dir/sql"
    TIMEFORMAT='%R %U %S'
    { time sqlite3 "$dir/rows.sqlite" <"$dir/sql" >/dev/null; } 2>"$dir/time"
    read -r wall user system <"$dir/time"
    rate=$(awk -v n=$((series * sqlite_minutes)) -v t="$wall" 'BEGIN { printf "%d", n / t }')
    line store.rows "$best" points/s "sqlite rows" "$rate" "$(ratio "$best" "$rate")"
    rate=$(awk -v n=$((series * sqlite_minutes)) -v t="$user" -v s="$system" 'BEGIN { printf "%d", n / (t + s) }')
    line store.rows.cpu "$best_cpu" points/s "sqlite rows" "$rate" "$(ratio "$best_cpu" "$rate")"
fi

# --- NDJSON
if wanted store.ndjson; then
    "$load" ndjson "$series" $((minutes / 20)) >"$dir/ndjson"
    begin=$(date +%s%N)
    shadow-store append -s "$dir/text" <"$dir/ndjson" >/dev/null
    rate=$(awk -v n=$((series * (minutes / 20))) -v t=$(($(date +%s%N) - begin)) 'BEGIN { printf "%d", n / t * 1e9 }')
    line store.ndjson "$rate" points/s "none" 0 0
fi
