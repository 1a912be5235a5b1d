#!/usr/bin/env bash
# fit.sh DIR...: was the host quiet enough to judge these arms? Reads only what the generators say
# of themselves, no result: the share of live packets that left more than 2 ms late or not at all.
# Prints one line an unfit arm; exit status 1 when there is one.
set -euo pipefail
status=0
for dir in "$@"; do
    for log in "$dir"/live-*.ndjson; do
        verdict=$(jq -rs --arg log "$log" '
            map(select(.type == "traffic" and .final and (.flow | contains("/") | not)))
            | map({late: (.late + .skipped), sent: (.sent + .skipped)})
            | {late: (map(.late) | add), sent: (map(.sent) | add)}
            | if (.sent // 0) == 0 then "\($log): nothing was sent"
              elif .late > .sent * 0.005 then
                  "\($log): \(.late) of \(.sent) packets left late or not at all"
              else empty end' "$log")
        if [ -n "$verdict" ]; then
            echo "$verdict"
            status=1
        fi
    done
done
exit $status
