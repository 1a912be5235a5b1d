# The shadow arm, sourced by arm.sh: a reflector at the far end, and the pipeline at the head-end.
# Both ways are measured by addresses that are pinned to them; the live load is what comes in from s.
# shellcheck shell=bash

shadow-lab exec --lab "${lab:?}" d shadow-reflect --quiet >"${dir:?}/reflect.ndjson" &
pids+=($!)

shadow-lab exec --lab "$lab" r1 shadow-steer plan -o unit \
    --probe "${via_primary:?}=${by_primary:?},${via_standby:?}=${by_standby:?}" "${live:?}" |
    jq -c '.load_dev = "to-s"' >"$dir/plan.ndjson"

# Shows records that come by, when $SHOW says how, and passes them on.
show() {
    if [ -n "${SHOW:-}" ]; then
        tee >($SHOW >&2)
    else
        cat
    fi
}

# All that is said is kept. When the prober is stopped, the rest ends for want of input.
mkfifo "$dir/probing"
tee "$dir/slots.ndjson" <"$dir/probing" |
    shadow-gradient 2>"$dir/gradient.err" |
    shadow-forecast --every 0 2>"$dir/forecast.err" |
    tee "$dir/records.ndjson" | show |
    shadow-lab exec --lab "$lab" r1 shadow-steer --plan "$dir/plan.ndjson" --state "$dir/state" \
        --apply 2>"$dir/steer.err" | tee "$dir/changes.ndjson" | show >/dev/null &
shadow-lab exec --lab "$lab" r1 shadow-probe --watch --live to-p,to-b --budget "${BUDGET:-2%}" \
    --seed "$seed" "$by_primary" "$by_standby" 2>"$dir/probe.err" >"$dir/probing" &
pids+=($!)
