#!/usr/bin/env bats
# shadow-forecast: what comes with the values of a series.

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
}

# made KIND SEED: eight days of a link on a path whose delay, as slots measure it, either leads the
# link's load by half an hour or has nothing to do with it
made() {
    python3 - "$1" "$2" <<'PY'
import math, random, sys
kind, r = sys.argv[1], random.Random(int(sys.argv[2]))
delay = other = 0.0
past = [0.0] * 6
for i in range(1, 8 * 288 + 1):
    delay = 0.9 * delay + r.gauss(0, 1)
    other = 0.9 * other + r.gauss(0, 1)
    past.append(delay)
    load = past[-7] if kind == "lead" else other
    value = 1000 * math.exp(0.3 * math.sin(2 * math.pi * i / 288) + 0.15 * load + 0.02 * r.gauss(0, 1))
    print('{"type":"slot","v":1,"ts":%d000000,"path_id":"00ff","window":1,"slot":%d,"pair":1,"hop":3,'
          '"schedule":"lockin","on":false,"sent":10,"received":%d,"delay_mean_us":%d}'
          % (300 * i - 20, i, 10 - (r.random() < 0.1), 500 * math.exp(0.5 * delay)))
    print('{"type":"metric","v":1,"ts":%d000000,"series":"link/x/bps","value":%.2f,"path":"00ff"}'
          % (300 * i, value))
PY
}

# pinball [ARG...]: of the forecasts half an hour ahead, over the last day
pinball() {
    shadow-forecast --horizon 5m,30m,1h -o score "$@" |
        jq -s 'map(select(.horizon_us == 1800000000).pinball) | .[-1]'
}

# nameless: the same records, but no path is named
nameless() {
    sed 's/,"path":"00ff"//'
}

@test "the delay of a path that leads the load of a link is used" {
    for seed in 1 2; do
        made lead "$seed" >in
        with=$(pinball <in)
        without=$(nameless <in | pinball)
        jq -en "$with < 0.6 * $without" || { echo "$seed: $with $without"; false; }
    done
}

@test "the delay of a path that has nothing to do with a link does no harm" {
    for seed in 1 2 3; do
        made noise "$seed" >in
        with=$(pinball <in)
        without=$(nameless <in | pinball)
        jq -en "$with < 1.02 * $without" || { echo "$seed: $with $without"; false; }
    done
}

@test "a path that nothing is heard of changes next to nothing" {
    made noise 1 | grep '"metric"' >in
    with=$(pinball <in)
    without=$(nameless <in | pinball)
    jq -en "$with < 1.005 * $without" || { echo "$with $without"; false; }
}

@test "the path of a flow is the one that was traced for it" {
    made lead 1 >whole
    head -1200 whole | sed 's/,"path":"00ff"//; s,link/x/bps,flow/ab12/bps,' >in
    { echo '{"type":"path","v":1,"ts":1,"path_id":"00ff","dst":"fd09::1","flow_id":"ab12"}'; cat in; } |
        shadow-forecast --horizon 30m -o forecast,end >traced
    sed 's,"series":"flow/ab12/bps",&\,"path":"00ff",' in | shadow-forecast --horizon 30m -o forecast,end |
        cmp - traced
    run ! cmp traced <(shadow-forecast --horizon 30m -o forecast,end <in)
}

@test "what is known of paths survives a restart" {
    made lead 3 >in
    shadow-forecast --horizon 30m <in | grep -v '"end"' >whole
    head -1501 in | shadow-forecast --horizon 30m --state state >/dev/null
    shadow-forecast --horizon 30m --state state <in | grep '"forecast"' >rest
    grep '"forecast"' whole | tail -"$(wc -l <rest)" | cmp - rest
    [ "$(wc -l <rest)" -gt 1500 ]
}

@test "a slot that is void, or of a hop before the furthest, tells nothing" {
    made lead 1 >whole
    head -1200 whole >in
    shadow-forecast --horizon 30m -o forecast <in >clean
    awk '{ print } NR > 3 && /"slot",/ { sub(/"delay_mean_us":[0-9]*/, "\"delay_mean_us\":900000")
        s = $0; sub(/}$/, ",\"void\":true}", s); print s; sub(/"hop":3/, "\"hop\":2"); print }' in | shadow-forecast --horizon 30m -o forecast | cmp - clean
    # A bad one is named, as soon as slots are of use.
    { head -2 in; echo '{"type":"slot","v":1,"ts":1,"path_id":"00ff"}'; } >bad
    run -3 --separate-stderr shadow-forecast <bad
    # shellcheck disable=SC2154
    [[ "$stderr" == *"line 3"*window* ]]
}

# verdicts N: of as many paths, one a second, each with a capacity
verdicts() {
    awk -v n="$1" 'BEGIN { for (i = 1; i <= n; i++)
        printf "{\"type\":\"verdict\",\"v\":1,\"ts\":%d000000,\"path_id\":\"%016x\",\"state\":\"clear\",\"capacity_bps\":1e9}\n", i, i }'
}

@test "a million paths take no more memory than those of the time that is kept" {
    [ "$MODE" = release ] || skip "memory is not measured under a sanitizer"
    # peak N: kilobytes at most
    peak() {
        shadow-forecast --ttl 1h < <(verdicts "$1") >/dev/null 3>&- &
        while kill -0 $! 2>/dev/null; do
            grep VmHWM "/proc/$!/status" 2>/dev/null || true
            sleep 0.02
        done | awk '$2 > most { most = $2 } END { print most }'
        wait $!
    }
    few=$(peak 50000)
    many=$(peak 1000000)
    echo "$few $many"
    [ "$many" -lt $((few + few / 4 + 500)) ]
}

@test "a capacity is kept as long as a series needs it" {
    {
        verdicts 1
        for i in $(seq 2 2000); do
            echo '{"type":"metric","v":1,"ts":'"$i"'000000,"series":"path/0000000000000001/available_bps","value":'$((900000000 - i * 100000))'}'
        done
    } | shadow-forecast --ttl 1m --horizon 1m --below 90% -o breach | tail -1 >last
    jq -e '.capacity == 900000000' last
}
