#!/bin/bash
# forecast.parts: forecasts and odds of a breach on two parts of all the series there are: constants
#   are chosen on the part `tune`, what they are worth is said of the part `report`. A line for each
#   series, then the means, for each part.
# tune:   the M4 series whose name has an even checksum, made series (forecast_made.c) of seeds 1 to
#         4, the first half of isp_eu_5m.
# report: the other M4 series, made ones of seeds 11 to 14, everything else in SERIES and in the
#         folders of its nab.
# SPLIT=tune or report: only that part. SERIES=DIR: the series (../shared/data/series).
set -eu
[ -z "${BENCH:-}" ] || [[ forecast.parts == *"$BENCH"* ]] || exit 0
build=build/${MODE:-release} series=${SERIES:-../shared/data/series}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/all" "$dir/tune" "$dir/report"

for folder in "$series" "$series"/nab/*/; do
    [ ! -d "$folder" ] || IDS=all python3 tests/bench/forecast_series.py "$folder" "$dir/all"
done
for path in "$dir"/all/*; do
    [ -e "$path" ] || continue
    name=${path##*/}
    part=report
    if [[ $name == m4_hourly_* ]] && (($(printf %s "${name##*_}" | cksum | cut -d ' ' -f 1) % 2 == 0)); then
        part=tune
    elif [ "$name" = isp_eu_5m ]; then
        head -n "$(($(wc -l <"$path") / 2))" "$path" >"$dir/tune/$name.first"
    fi
    mv "$path" "$dir/$part/$name"
done
for kind in link pop flow users bytes requests hourly; do
    for seed in 1 2 3 4; do
        "$build/bench/forecast_made" "$kind" "$seed" >"$dir/tune/made_$kind.$seed"
        "$build/bench/forecast_made" "$kind" "$((10 + seed))" >"$dir/report/made_$kind.$((10 + seed))"
    done
done

for part in ${SPLIT:-tune report}; do
    all=()
    for path in "$dir/$part"/*; do
        all+=("${path##*/}=$path")
    done
    "$build/bench/forecast_ensemble" --label "$part" "${all[@]}"
    "$build/bench/forecast_odds" "${all[@]}" | jq -c --arg part "$part" '. + {of: $part}'
done
