#!/usr/bin/env bash
# The main job, as `make demo` runs it: one network, one seed, four arms, and a table.
#
# Exit status: 0 when the shadow arm lost no more than a tenth of the live packets that the best of
# the others lost; 1 when it did not; 4 when this machine could not run it or was too noisy to judge.
# (make itself exits with 2 when it was not 0, and names the status in its last lines.)
#   SEED      of traffic (default 1)      DURATION  seconds an arm (default 45)
#   FAMILY    4 or 6                      KEEP      a directory to keep all records in
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
seed=${SEED:-1}
export LAB=${LAB:-demo} DURATION=${DURATION:-45} FAMILY=${FAMILY:-4}
# shellcheck source=tests/lab/demo/rules.conf
. "$here/rules.conf"
export UTILISATION REACTIVE

say() {
    printf '%s\n' "$*"
}

# The settings that stand in the way of user namespaces here, as sysctl takes them.
forbidden() {
    local setting file
    for setting in kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0 \
        user.max_user_namespaces=1000; do
        file=/proc/sys/${setting%=*}
        file=${file//./\/}
        [ -r "$file" ] || continue
        case $setting in
        user.*) [ "$(cat "$file")" != 0 ] || printf ' %s' "$setting" ;;
        *) [ "$(cat "$file")" = "${setting#*=}" ] || printf ' %s' "$setting" ;;
        esac
    done
}

# Without the rights for namespaces: what is missing, and a recorded run to look at.
cannot() {
    local settings
    settings=$(forbidden)
    say "make demo: this machine does not let this user build a network: $1"
    say "  What would: run it as root (sudo make demo)${settings:+, or allow user namespaces:}"
    [ -z "$settings" ] || say "  sysctl -w$settings"
    say "What follows was not measured here: it is a recorded run of the last arm. What shadow-gradient"
    say "said then goes through the shadow-forecast of this build; the moves are those made then."
    say
    shadow-forecast --every 0 <"$here/recorded.ndjson" | jq -nr -f "$here/show.jq"
    say
    say "make demo: nothing was measured: $1"
    exit 4
}

for tool in ip jq unshare shadow-lab shadow-probe shadow-gradient shadow-forecast shadow-steer; do
    if ! command -v "$tool" >/dev/null; then
        say "make demo: $tool is missing" >&2
        exit 4
    fi
done
if [ "$(id -u)" != 0 ]; then
    why=$(unshare -Urnm true 2>&1) || cannot "${why:-no user namespaces}"
    # Inside it root is nobody else's: what the laboratory keeps in /run is kept in a /run of its own.
    # shellcheck disable=SC2016 # the inner shell expands them
    exec unshare -Urnm "$BASH" -c 'mount -t tmpfs none /run && exec "$BASH" "$0"' "$0"
fi
why=$(shadow-lab down --lab "$LAB" 2>&1 >/dev/null && shadow-lab up "$here/diamond.ndjson" --lab "$LAB" 2>&1 >/dev/null) ||
    cannot "$why"
shadow-lab down --lab "$LAB" >/dev/null

work=${KEEP:-$(mktemp -d)}
trap '[ -n "${KEEP:-}" ] || rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

arms=(nothing utilisation reactive shadow)
declare -A title=(
    [nothing]="nothing" [utilisation]="80 % of nominal" [reactive]="tuned reactive" [shadow]="shadow")

run_arms() {
    local arm
    for arm in "${arms[@]}"; do
        say "  arm: ${title[$arm]} (${DURATION} s)"
        if [ "$arm" = shadow ]; then
            SHOW="jq -nr --unbuffered -f $here/show.jq" bash "$here/arm.sh" "$arm" "$seed" "$1/$arm"
        else
            bash "$here/arm.sh" "$arm" "$seed" "$1/$arm"
        fi
    done
}

score() {
    local dir=$1 arm=$2
    jq -cs --arg arm "$arm" --argjson started "$(cat "$dir/$arm/started")" \
        --slurpfile changes "$dir/$arm/changes.ndjson" \
        --slurpfile probed "$dir/$arm/probed.ndjson" -f "$here/score.jq" \
        "$dir/$arm"/live-*.ndjson
}

say "A network of namespaces: s - r1 =(p | b)= r2 - d. Traffic from s to d takes the way by p, of
nominally 10 Mbit/s; its true capacity of 6 Mbit/s is behind p, on no counter that r1 can read.
The load rises to 8.4 Mbit/s. The way by b has 8 Mbit/s, and carries somebody else's megabit."
fit=no
for attempt in 1 2; do
    rm -rf "${work:?}/$attempt"
    run_arms "$work/$attempt"
    if why=$(bash "$here/fit.sh" "${arms[@]/#/$work/$attempt/}"); then
        fit=yes
        break
    fi
    say "  This host was too noisy to judge (read before any result):"
    sed 's|^.*/\([^/]*: \)|    \1|' <<<"$why"
done
if [ $fit = no ]; then
    say "make demo: twice too noisy: no verdict is better than a wrong one. Try again when it is quiet."
    exit 4
fi
for arm in "${arms[@]}"; do
    score "$work/$attempt" "$arm"
done >"$work/arms.ndjson"
jq -rs -f "$here/table.jq" "$work/arms.ndjson"
jq -es -f "$here/verdict.jq" "$work/arms.ndjson" >/dev/null
