#!/usr/bin/env bash
# One arm of the main job: arm.sh nothing|utilisation|reactive|shadow SEED DIR
#
# Builds the diamond, starts the arm, then the live traffic, and keeps every record in DIR. What
# the scenario is comes from the environment:
#   SCENARIO  ramp (load rises to 140 % of a capacity that no counter shows), noise (it does not
#             rise, but there are bursts) or bad-standby (ramp, and the standby drops 10 %)
#   DURATION  seconds of live traffic      FAMILY  4 or 6      LAB  name of the laboratory
#   UTILISATION, REACTIVE                  settings of the two rules (rules.conf)
#   SHOW      a command that reads the shadow arm's records as they come
set -euo pipefail

arm=$1 seed=$2 dir=$3
here=$(cd "$(dirname "$0")" && pwd)
lab=${LAB:-demo} family=${FAMILY:-4} duration=${DURATION:-45} scenario=${SCENARIO:-ramp}
rival=${SDW_BUILD:?}/lab/demo/rival
true_rate=6000000

if [ "$family" = 6 ]; then
    ip=(ip -6) live=fd09::/64 by_primary=fd09:101::1 by_standby=fd09:102::1
    via_primary=fd00:6401::2 via_standby=fd00:6403::2 six=(--ipv6)
else
    ip=(ip) live=10.9.0.0/24 by_primary=10.9.101.1 by_standby=10.9.102.1
    via_primary=10.64.1.2 via_standby=10.64.3.2 six=()
fi

pids=()
on() {
    shadow-lab exec --lab "$lab" "$@"
}

finish() { # the writers first; what reads them ends for want of input
    local pid
    for pid in "${pids[@]}"; do
        kill -TERM "$pid" 2>/dev/null || true
    done
    wait || true
    if [ -f "$dir/slots.ndjson" ]; then
        jq -c 'select(.type == "end" and .tool == "shadow-probe")' "$dir/slots.ndjson" >"$dir/probed.ndjson"
        rm -f "$dir/slots.ndjson" "$dir/probing"
    fi
    shadow-lab down --lab "$lab" >/dev/null 2>&1 || true
}
trap finish EXIT
trap 'exit 130' INT TERM

rm -rf "$dir"
mkdir -p "$dir"
shadow-lab down --lab "$lab" >/dev/null
shadow-lab up "$here/diamond.ndjson" --lab "$lab" >"$dir/lab.ndjson"
if [ "$scenario" = bad-standby ]; then
    shadow-lab set --lab "$lab" b-r2 --loss 10% >/dev/null
fi

# The head-end's live prefix points at a group of next hops whose weights the rules change.
group() {
    on r1 "${ip[@]}" nexthop add id 1 via "$via_primary" dev to-p
    on r1 "${ip[@]}" nexthop add id 2 via "$via_standby" dev to-b
    on r1 ip nexthop add id 100 group 1
    on r1 "${ip[@]}" route replace "$live" nhid 100
}

: >"$dir/changes.ndjson"
: >"$dir/probed.ndjson"
case $arm in
nothing) ;;
utilisation)
    group
    # shellcheck disable=SC2086 # settings are words
    shadow-lab exec --lab "$lab" r1 "$rival" utilisation DEV=to-p NOMINAL=10000000 $UTILISATION >"$dir/changes.ndjson" &
    pids+=($!)
    ;;
reactive)
    group
    # shellcheck disable=SC2086 # settings are words
    shadow-lab exec --lab "$lab" r1 "$rival" reactive TARGET="$by_primary" $REACTIVE >"$dir/changes.ndjson" &
    pids+=($!)
    ;;
shadow)
    # shellcheck source=tests/lab/demo/pipeline.bash
    . "$here/pipeline.bash"
    ;;
*)
    echo "arm.sh: no such arm: $arm" >&2
    exit 2
    ;;
esac

traffic() {
    local name=$1
    shift
    shadow-lab traffic --lab "$lab" --name "$name" --duration "${duration}s" \
        --seed "$((seed * 100 + ${#name}))" "${six[@]}" "$@" >"$dir/$name.ndjson"
}

# Live traffic: many small UDP flows, a few bursty ones, and TCP flows of applications that write at
# their own pace, all rising together. The standby carries somebody else's megabit.
low=$((true_rate * 45 / 100)) high=$((true_rate * 140 / 100))
if [ "$scenario" = noise ]; then
    low=$((true_rate * 50 / 100)) high=$low
fi
share() {
    printf '%s' "--rate $((low * $1 / 100)) --rate-end $((high * $1 / 100)) --ramp $((duration * 2 / 3))s"
}
live=()
date +%s%6N >"$dir/started"
# shellcheck disable=SC2046 # options are words
{
    traffic live-udp --from s --to d --model poisson --trimodal --flows 40 --port 5000 $(share 60) &
    live+=($!)
    traffic live-burst --from s --to d --model onoff --trimodal --flows 6 --port 15000 $(share 30) &
    live+=($!)
    traffic live-tcp --from s --to d --model app --flows 8 --port 25000 $(share 10) &
    live+=($!)
}
if [ "$scenario" = noise ]; then # and bursts of somebody else's, on the primary
    traffic bursts --from p --to d --model onoff --peak 2 --trimodal --flows 1 --port 45000 \
        --rate 700000 &
    live+=($!)
fi
traffic standby --from b --to d --model poisson --trimodal --flows 4 --port 35000 --rate 1000000 &
live+=($!)
wait "${live[@]}"
