#!/bin/bash
# detect.nab: NAB v1.1 scores (standard and low-FP) of shadow-detect's default setting on the files of
#   SERIES/nab, beside the textbook's EWMA, robust z and RRDtool's Holt-Winters on the same files, in
#   halves and in all; the bars are 65 and 58.
# detect.surges: recall, median delay and false episodes a day of the same setting on events of 30
#   minutes, x1.5 and x0.5, put into real series; the bars are 0.85, 5 minutes and 0.15.
# detect.rate: CPU per value, 100 series and one line each; the bar is 10 us with --scores.
# SERIES=dir names the folder of series, SEEDS="7 1 2" those of the events.
set -eu
series=${SERIES:-../shared/data/series}
seeds=${SEEDS:-7 1 2 3}
here=$(dirname "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

want() {
    [ -z "${BENCH:-}" ] || [[ $1 == *"$BENCH"* ]]
}

# nab METHOD: the scores of all files into $dir/METHOD
nab() {
    local file
    mkdir -p "$dir/$1"
    while read -r file; do
        python3 "$here/detect.py" rows "$series/nab/$file" |
            shadow-detect --method "$1" --scores -o anomaly.score |
            jq .score >"$dir/$1/${file//\//:}"
    done < <(cd "$series/nab" && find . -name '*.csv' -printf '%P\n' | sort)
}

if want detect.nab && [ -e "$series/nab/windows.json" ]; then
    for method in forecast ewma mad holtwinters; do
        nab $method
    done
    for half in all even odd; do
        for method in forecast ewma mad holtwinters; do
            python3 "$here/detect.py" nab "$series/nab" $half "$dir/$method"
        done | jq -cs --arg half $half '{type: "bench", name: "detect.nab", files: ($half + " (\(.[0].files))"),
            ours: .[0].standard, ours_low_fp: .[0].low_fp, unit: "NAB score", peer: "EWMA z",
            peer_value: .[1].standard, peer_low_fp: .[1].low_fp, robust_z: .[2].standard,
            robust_z_low_fp: .[2].low_fp, holtwinters: .[3].standard, holtwinters_low_fp: .[3].low_fp, ratio: (.[0].standard / 65 * 1000 | round / 1000)}'
    done
fi

# surges FILE AGG METHOD OPTION...: the mean over the seeds
surges() {
    local file=$1 agg=$2 seed
    shift 2
    for seed in $seeds; do
        python3 "$here/detect.py" inject "$series/$file" "$agg" "$seed" |
            shadow-detect --method "$@" -o anomaly |
            python3 "$here/detect.py" surges "$series/$file" "$agg" "$seed"
    done | jq -s 'map(.recall) as $r | {recall: ($r | add / length * 1000 | round / 1000),
        delay_min: (map(.delay_min // 99) | max),
        false_per_day: (map(.false_per_day) | add / length * 1000 | round / 1000)}'
}

if want detect.surges; then
    while read -r file agg; do
        [ -e "$series/$file" ] || continue
        { surges "$file" "$agg" forecast; surges "$file" "$agg" ewma; surges "$file" "$agg" mad
            surges "$file" "$agg" holtwinters; } |
            jq -cs --arg file "$file" '{type: "bench", name: "detect.surges", series: $file, ours: .[0].recall,
                unit: "recall", delay_min: .[0].delay_min, false_per_day: .[0].false_per_day,
                peer: "EWMA z>3", peer_value: .[1].recall, peer_false_per_day: .[1].false_per_day,
                robust_z: .[2].recall, robust_z_false_per_day: .[2].false_per_day,
                holtwinters: .[3].recall, holtwinters_false_per_day: .[3].false_per_day,
                ratio: (.[0].recall / 0.85 * 1000 | round / 1000)}'
    done <<'LIST'
isp_eu_5m.csv mean
wc98_req_1m_a.csv sum
LIST
fi

# cpu FILE COMMAND...: CPU seconds of the user
cpu() {
    local file=$1
    shift
    bash -c 'TIMEFORMAT=%U; time "$@" <"$0" >/dev/null' "$file" "$@" 2>&1
}

if want detect.rate; then
    awk 'BEGIN { for (t = 0; t < 5000; t++) for (s = 0; s < 100; s++)
        printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d,\"series\":\"link/%d/bps\",\"value\":%d}\n",
            (1000000 + t * 300) * 1000000, s, 1000000 + 500000 * sin(t / 45.8) + 10000 * sin(t * s) }' >"$dir/values"
    detect=$(cpu "$dir/values" shadow-detect --scores)
    pass=$(cpu "$dir/values" shadow-detect --series none)
    jq -cn --argjson detect "$detect" --argjson pass "$pass" '{type: "bench", name: "detect.rate",
        ours: ($detect / 500000 * 1e6 * 100 | round / 100), unit: "us CPU/value, JSON in and score out",
        pass_only: ($pass / 500000 * 1e6 * 100 | round / 100), peer: "bar", peer_value: 10,
        ratio: (10 / ($detect / 500000 * 1e6) * 100 | round / 100)}'
fi
