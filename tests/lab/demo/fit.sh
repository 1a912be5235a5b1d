#!/usr/bin/env bash
# fit.sh DIR...: was the host quiet enough to judge these arms? Reads only what the generators say
# of themselves, no result: the share of live packets that left more than 2 ms late or not at all.
# Prints one line an unfit arm; exit status 1 when there is one.
set -euo pipefail
status=0
for dir in "$@"; do
    verdict=$(cat "$dir"/live-*.ndjson | jq -rs --arg dir "$dir" '
        map(select(.type == "traffic" and .final and (.flow | contains("/") | not)))
        | (map(.late + .skipped) | add // 0) as $late
        | (map(.sent + .skipped) | add // 0) as $sent
        | if $sent == 0 then "\($dir): nothing was sent"
          elif $late > $sent * 0.005 then
              "\($dir): \($late) of \($sent) packets left late or not at all"
          else empty end')
    if [ -n "$verdict" ]; then
        echo "$verdict"
        status=1
    fi
done
exit $status
