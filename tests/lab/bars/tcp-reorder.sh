#!/bin/bash
# The bar on reordering: real TCP, IPv4 and IPv6 in turn, over a link that lets packets overtake each
# other, loses some, or both. shadow-profile captures in front of it and behind it, at one time; the
# truth is the order of the segments on either side, which the link notes itself (tcp-reorder.py), and
# of what was sent again also the sender's kernel (TCP_INFO): kernel_share says for how many
# connections both agree.
#
# Bar, over both sides: segments sent again exact for at least 95 % of the connections; reordered
# segments behind the link within 10 % of the truth, and none in front of it.
#   RUNS=n     runs (6); SEED=n the first seed (1); KEEP=DIR keep what was printed
set -euo pipefail
runs=${RUNS:-6} first=${SEED:-1} flows=8
dir=${KEEP:-$(mktemp -d)}
mkdir -p "$dir"
here=$(dirname "$0")
ns="sdwr$$"
started=()

stop() {
    for pid in ${started+"${started[@]}"}; do
        kill -TERM "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    started=()
}
tear_down() {
    for end in a m b; do
        ip netns del "$ns$end" 2>/dev/null || true
    done
}
trap 'stop; tear_down; [ -n "${KEEP:-}" ] || rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

# in_ns END COMMAND...: in the namespace of an end, a or b, or of the link between them, m
in_ns() {
    ip netns exec "$ns$1" "${@:2}"
}

build() {
    local end
    for end in a m b; do
        ip netns add "$ns$end" 2>/dev/null || return 1
        in_ns "$end" ip link set lo up
    done
    in_ns m sysctl -qw net.ipv6.conf.default.disable_ipv6=1
    for end in a b; do
        ip link add "w$end" netns "$ns$end" type veth peer name "m$end" netns "${ns}m" || return 1
        in_ns "$end" python3 "$here/tcp-reorder.py" plain "w$end" || return 1
        in_ns m python3 "$here/tcp-reorder.py" plain "m$end" || return 1
        in_ns "$end" ip address add "10.77.0.$([ $end = a ] && echo 1 || echo 2)/24" dev "w$end"
        in_ns "$end" ip address add "fd77::$([ $end = a ] && echo 1 || echo 2)/64" dev "w$end" nodad
        in_ns "$end" ip link set dev "w$end" up
        in_ns m ip link set dev "m$end" up
    done
}

# until_there FILE WORD: until what runs in the background says so there
until_there() {
    local i
    for ((i = 0; i < 600; i++)); do
        if grep -qs "$2" "$1"; then return 0; fi
        sleep 0.05
    done
    echo "tcp-reorder: nothing says $2" >&2
    exit 4
}

# capture SIDE INTERFACE: shadow-profile there, in the background
capture() {
    ip netns exec "${ns}m" shadow-profile -i "$2" --no-dpi --interval 0 --idle 1d --active 1d -o flow.end \
        >"$dir/$1" 2>"$dir/$1.err" &
    started+=($!)
}

# captured: how many sockets capture in m
captured() {
    in_ns m cat /proc/net/packet | tail -n +2 | wc -l
}

# one SEED: a run; its connections go to the file `all`
one() {
    local seed=$1 reorder=0 loss=0 family=4 host=10.77.0.2 sockets
    case $((seed % 3)) in
    0) reorder=0.25 ;;
    1) loss=0.01 ;;
    2) reorder=0.25 loss=0.01 ;;
    esac
    [ $((seed / 3 % 2)) = 0 ] || family=6 host=fd77::2
    build || { echo "tcp-reorder: no link can be built here" >&2; exit 4; }
    ip netns exec "${ns}m" python3 "$here/tcp-reorder.py" relay ma mb "$seed" "$reorder" "$loss" >"$dir/truth" 2>"$dir/relay" &
    local relay=$!
    started+=("$relay")
    until_there "$dir/relay" ready
    sockets=$(captured)
    capture pre ma
    capture post mb
    local i
    for ((i = 0; i < 600 && $(captured) < sockets + 2; i++)); do sleep 0.05; done
    ip netns exec "${ns}b" python3 "$here/tcp-reorder.py" serve 2>"$dir/serve" &
    started+=($!)
    until_there "$dir/serve" ready
    in_ns a timeout 120 python3 "$here/tcp-reorder.py" send "$host" "$flows" 400000 >"$dir/kernel"
    stop
    tear_down
    for side in pre post; do
        jq -c --arg side $side --argjson seed "$seed" --argjson family "$family" \
            --slurpfile truth "$dir/truth" --slurpfile kernel "$dir/kernel" '
            select(.dport == 7001) as $said
            | ($truth[] | select(.sport == $said.sport)) as $t
            | ($kernel[] | select(.sport == $said.sport)) as $k
            | {type: "run", v: 1, bar: "tcp-reorder", seed: $seed, side: $side, family: $family,
               sport: $t.sport, segments: $t.segments, lost: $t.lost,
               again: (if $side == "pre" then $t.sent_again else $t.passed_again end),
               reordered: (if $side == "pre" then 0 else $t.reordered end),
               said_again: $said.retransmitted_fwd, said_reordered: $said.reordered_fwd,
               kernel_again: $k.total_retrans, sent_again: $t.sent_again, reord_seen: $k.reord_seen}' \
            "$dir/$side" | tee -a "$dir/all"
    done
}

rm -f "$dir/all"
for ((run = 0; run < runs; run++)); do
    one $((first + run))
done

jq -cs --argjson wanted $((2 * runs * flows)) '
    def share(f): (map(select(f)) | length) / length;
    def of($side; f): map(select(.side == $side) | f) | add;
    {type: "bar", v: 1, bar: "tcp-reorder", flows: length, wanted: $wanted,
     exact_share: share(.again == .said_again), kernel_share: share(.kernel_again == .sent_again),
     sent_again: of("pre"; .again), said_again: of("pre"; .said_again),
     passed_again: of("post"; .again), said_passed_again: of("post"; .said_again),
     reordered: of("post"; .reordered), said_reordered: of("post"; .said_reordered),
     said_reordered_before: of("pre"; .said_reordered), reord_seen: of("pre"; .reord_seen)}
    | . + {ok: (.flows == .wanted and .exact_share >= 0.95 and .reordered > 0 and
                .said_reordered_before == 0 and
                ((.said_reordered - .reordered | fabs) <= 0.1 * .reordered))}' "$dir/all" | tee "$dir/bar"
jq -e .ok "$dir/bar" >/dev/null
