#!/usr/bin/env bats
# shadow-forecast on series of days: scores, state, inputs, and input that is hard to believe.

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
}

# days N [SERIES...]: N days of 5-minute values with a day's shape and some noise
days() {
    local n=$1
    shift
    awk -v n="$n" -v names="${*:-link/a/bps}" 'BEGIN {
        m = split(names, name, " ")
        for (i = 1; i <= n * 288; i++)
            for (k = 1; k <= m; k++)
                printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"%s\",\"value\":%.3f}\n",
                    1600000200 + i * 300, name[k],
                    1000 + 500 * sin(6.2831853 * (i + 40 * k) / 288) + i * 7919 % 211
    }'
}

# Scores as jq makes them from the forecasts and the values: for each series and horizon, of the
# forecasts that came due between one score and the next.
recompute='
def mean: add / length;
def at: . / 300000000 | round;
def pinball($v; $q): ([$q | to_entries[] | (.key | tonumber) as $p | ($v - .value) as $d
    | [$p * $d, ($p - 1) * $d] | max] | mean);
(map(select(.type == "metric")) | map({key: (.ts | at | tostring), value: .value}) | from_entries) as $y
| (map(select(.type == "metric")) | [.[].value]) as $all
| (map(select(.type == "metric")) | .[0].ts | at) as $first
| [.[] | select(.type == "forecast") | (.ts | at) as $o | .horizons[] | select(.horizon_us == $h)
    | select($o % ($h / 300000000 / 2 | ceil) == 0) | {due: ($o + (.horizon_us | at)), q}] as $f
| [.[] | select(.type == "score" and .horizon_us == $h)] as $s
| range(1; $s | length) as $i
| ($s[$i - 1].ts | at) as $from | ($s[$i].ts | at) as $to
| ([range(1; $to - $first + 1) | ($all[.] - $all[. - 1]) | fabs] | mean) as $scale
| [$f[] | select(.due > $from and .due <= $to) | $y[.due | tostring] as $v
    | {e: (($v - .q["0.5"]) | fabs), b: (.q["0.5"] - $v), pin: pinball($v; .q),
       c: (if $v >= .q["0.025"] and $v <= .q["0.975"] then 1 else 0 end)}] as $x
| [($x | map(.e) | mean) / $scale - $s[$i].mase, ($x | map(.pin) | mean) / $scale - $s[$i].pinball,
   ($x | map(.b) | mean) / $scale - $s[$i].bias, ($x | map(.c) | mean) - $s[$i].cover95,
   ($x | length) - $s[$i].n]
| map(fabs) | max'

@test "scores agree with what jq makes of the forecasts to 1e-6" {
    days 5 | shadow-forecast --horizon 5m,30m,1h >out
    [ "$(grep -c '"type":"score"' out)" -ge 9 ]
    for h in 300000000 1800000000 3600000000; do
        jq -s --argjson h $h "$recompute" out >off
        [ "$(wc -l <off)" -ge 2 ]
        jq -es 'all(. < 1e-6)' off || { cat off; false; }
    done
}

@test "after kill -9 the records since the state was saved give the same bytes" {
    days 6 link/a/bps link/b/bps >in
    shadow-forecast --horizon 5m,1h --capacity 1700 <in >whole
    fed=2000
    mkfifo feed
    shadow-forecast --horizon 5m,1h --capacity 1700 --state state --save 50ms <feed >killed &
    pid=$!
    exec 9>feed
    head -1000 in >&9
    for _ in $(seq 200); do
        [ "$(grep -c '"type":"metric"' killed)" -ge 1000 ] && break
        sleep 0.05
    done
    sleep 0.1 # the next record is more than --save later
    head -$fed in | tail -n +1001 >&9
    for _ in $(seq 200); do
        [ "$(grep -c '"type":"metric"' killed)" -ge $fed ] && break
        sleep 0.05
    done
    kill -9 $pid
    exec 9>&-
    wait $pid || true
    [ -s state ]
    shadow-forecast --horizon 5m,1h --capacity 1700 --state state --save 1h -v <in >again 2>said
    from=$(sed -n 's/.*records after \([0-9]*\) us.*/\1/p' said)
    [ "$from" -gt 1600000000000000 ]
    added() { jq -c --argjson t "$from" 'select(.type != "metric" and .type != "end" and .ts > $t)' "$1"; }
    added whole >a
    added again >b
    [ -s a ]
    cmp a b
    # Only what came after is replayed: the same.
    rm state
    head -$fed in | shadow-forecast --horizon 5m,1h --capacity 1700 --state state >/dev/null
    tail -n +$((fed + 1)) in >rest
    shadow-forecast --horizon 5m,1h --capacity 1700 --state state <rest | grep -v '"end"' >b
    grep -v '"end"' whole | tail -"$(wc -l <b)" | cmp - b
}

@test "a state file that cannot be used is refused with its reason, and left alone" {
    days 1 >in
    shadow-forecast --horizon 1h --state state <in >/dev/null
    refused() { # REASON OPTION...
        cp bad copy
        run -3 --separate-stderr shadow-forecast --horizon 1h --state bad "${@:2}" <in
        [[ "$stderr" == *bad*"$1"* ]] || { echo "$stderr"; false; }
        cmp bad copy
    }
    head -c 1000 state >bad
    refused 'cut short'
    head -c 30 state >bad
    refused 'cut short'
    { cat state; echo; } >bad
    refused damaged
    { head -c 1000 state; printf x; tail -c +1002 state; } >bad
    refused damaged
    { head -c 24 state; printf '\011'; tail -c +26 state; } >bad
    refused 'another version'
    { head -c 28 state; printf '\001\002\003\004'; tail -c +33 state; } >bad
    refused 'another kind of machine'
    echo nothing >bad
    refused 'not a state file'
    cp state bad
    refused 'other settings' --step 5m
    refused 'other settings' --counters 'link/*'
}

@test "where there is no room for a state, the old one stays and no half of a new one" {
    days 1 >in
    head -2 in | shadow-forecast --state state >/dev/null
    cp state good
    run -4 --separate-stderr bash -c 'trap "" XFSZ; ulimit -f 1; shadow-forecast --state state --save 2d <in'
    [[ "$stderr" == *state* ]]
    cmp state good
    [ ! -e state.new ]
}

@test "a state that cannot be written for a while stops nothing, and is warned of once" {
    days 1 >in
    mkdir gone
    mkfifo feed
    feed() { # FROM TO: those lines, a while after the ones before
        sleep 0.03
        sed -n "$1,$2p" in >&9
        for _ in $(seq 200); do
            [ "$(grep -c '"type":"metric"' out)" -ge "$2" ] && break
            sleep 0.05
        done
    }
    shadow-forecast --state gone/state --save 10ms <feed >out 2>err &
    pid=$!
    exec 9>feed
    feed 1 50
    rm -r gone
    feed 51 100
    feed 101 150
    mkdir gone
    feed 151 200
    [ -s gone/state ]
    exec 9>&-
    wait $pid
    [ "$(wc -l <err)" -eq 1 ]
    grep -q gone/state err
    tail -1 out | jq -e '.type == "end" and .counts.values == 200 and .counts.unsaved >= 2'
    head -200 in | shadow-forecast | grep -v '"end"' >whole
    grep -v '"end"' out | cmp - whole
    rm -r gone
    run -4 --separate-stderr shadow-forecast --state gone/state <in
}

@test "one wrong clock in the far future makes nothing else old" {
    days 1 link/a/bps link/b/bps >in
    echo '{"type":"metric","v":1,"ts":4102444800000000,"series":"link/c/bps","value":1}' >wrong
    { head -400 in; cat wrong; tail -n +401 in | head -50; cat wrong wrong; } |
        shadow-forecast --state state -o end >one
    jq -e '.ts < 1700000000000000' one
    jq -e '.counts | .values == 450 and .late == 3 and .series == 2' one
    tail -n +451 in | shadow-forecast --state state -o end | jq -e '.counts | .values == 126 and .series == 2'
    # Time that goes on there is a gap: the third time is believed.
    { cat in; for i in 1 2 3 4; do sed "s/4102444800/410244480$i/" wrong; done; } |
        shadow-forecast -o end | jq -e '.counts | .values == 578 and .late == 2'
}

@test "one wrong clock in the far future changes nothing of what a replay leads to" {
    days 1 link/a/bps link/b/bps >right
    awk '{ print } NR % 80 == 0 { gsub(/"ts":1/, "\"ts\":4"); gsub(/link.[ab]/, "link/c"); print }' right >in
    shadow-forecast --horizon 5m,1h <in | grep '"forecast"' >whole
    head -405 in | shadow-forecast --horizon 5m,1h --state state >/dev/null
    shadow-forecast --horizon 5m,1h --state state <in | grep '"forecast"' >rest
    [ "$(wc -l <rest)" -gt 150 ]
    tail -"$(wc -l <rest)" whole | cmp - rest
}

@test "a state that cannot be written is an error of the system" {
    run -4 --separate-stderr shadow-forecast --horizon 1h --state none/state < <(days 1)
    [[ "$stderr" == *none/state* ]]
    [ -z "$output" ] # it is known before the first record
}

@test "values no series should have lead to no NaN, no crash and no growth" {
    one() { # EXPRESSION of i in awk
        awk 'BEGIN { for (i = 1; i <= 700; i++)
            printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"x\",\"value\":%s}\n",
                i * 300, '"$1"' }'
    }
    for values in 7 0 '"null"' '"1e308"' '"-1e308"' '(i % 2 ? "1e149" : "-1e149")' '(i % 2 ? 1 : -1)' \
        '(i % 2 ? "1e308" : "-1e308")' '(i < 350 ? 1 : "1e308")' '(i % 3 ? "5e-324" : "-0.0")' \
        '(i == 1 ? 5 : "null")' '(i % 2 ? "null" : 3)' '(i == 300 ? "1e15" : 1)' 'i * i * i * 1e9' '"1e-300"'; do
        one "$values" >in
        [[ $values == *1e308* ]] && bad=3 || bad=0
        run -$bad --separate-stderr bash -c 'shadow-forecast --horizon 5m,1h --capacity 10 <in >out'
        run ! grep -Eiq 'nan|inf|"(mean|p|0\.[0-9]+)":null' out
        grep -v -E '^\{"type":"(forecast|breach|score|end)"' out | cmp - in
    done
}

@test "a series of one point has forecasts and odds, all of them cold" {
    for value in 5 0 -1e150 1e-308; do
        echo '{"type":"metric","v":1,"ts":1000000,"series":"x","value":'$value'}' |
            shadow-forecast --horizon 1s,5m,1h --capacity 10 -o forecast,breach,score >out
        jq -es --argjson v $value 'map(.type) == ["forecast", "breach"] and all(.cold) and
            (.[0].horizons | length == 3 and all((.mean - $v | fabs) <= ($v | fabs))) and
            (.[1].horizons | all(.p >= 0 and .p < 0.1))' out
        run ! grep -Eiq 'nan|inf|"(mean|p|0\.[0-9]+)":null' out
    done
}

@test "a hundred thousand new series are capped and counted" {
    awk 'BEGIN { for (i = 1; i <= 100000; i++)
        printf "{\"type\":\"metric\",\"v\":1,\"ts\":1000000,\"series\":\"s/%d\",\"value\":1}\n", i }' |
        shadow-forecast --max-series 1000 --every 0 2>err | tail -2 >out
    grep -q -- --max-series err
    [ "$(wc -l <err)" -eq 1 ]
    jq -es '.[0].type == "loss" and .[0].records == 99000 and .[1].counts.series == 1000' out
}

@test "what an operator changes in a file of capacities holds for series that are known" {
    days 1 >in
    head -144 in >morning
    echo 'link/* 1500' >capacities
    shadow-forecast --horizon 5m --capacity ./capacities --state state <morning >/dev/null
    echo 'link/* 3000' >capacities
    shadow-forecast --horizon 5m --capacity ./capacities --state state -o breach <in | jq -es 'length == 144 and all(.capacity == 3000)'
    rm state
    # The record's own goes before, after a restart, too.
    sed 's/}$/,"limit":2000}/' morning | shadow-forecast --horizon 5m --capacity limit --state state >/dev/null
    shadow-forecast --horizon 5m --capacity ./capacities --state state -o breach <in | jq -es 'all(.capacity == 2000)'
}

@test "any JSON is read by --key and --field, with the capacity of its own" {
    awk 'BEGIN { for (i = 1; i <= 120; i++)
        printf "{\"ts\":%d000000,\"host\":\"r%d\",\"port\":%d,\"load\":%d,\"limit\":50}\n",
            i * 60, i % 2, 7, 30 + i % 5 }' >in
    shadow-forecast --key host,port --field load --capacity limit --horizon 5m -o forecast,breach <in >out
    jq -es 'map(.series) | unique == ["r0/7/load", "r1/7/load"]' out
    jq -es 'map(select(.type == "breach")) | length > 0 and all(.capacity == 50)' out
    run -3 --separate-stderr shadow-forecast --key host --field load <<<'{"ts":1,"host":"a","load":"x"}'
    [[ "$stderr" == *load* ]]
}

@test "flows, applications and gradients are series too" {
    {
        echo '{"type":"app","v":1,"ts":1000000,"app":"TLS","src":"10.0.0.1","dst":"fd09::1","current_bps":5}'
        echo '{"type":"app","v":1,"ts":1000000,"app":"TLS","current_bps":5}'
        echo '{"type":"flow.update","v":1,"ts":1000000,"flow_id":"00000000000000ff","src":"10.0.0.1","dst":"10.0.0.2","protocol":"tcp","current_bps":5}'
        echo '{"type":"gradient","v":1,"ts":1000000,"path_id":"00ff","window":1,"hop":3,"capacity_gradient":0.5,"state":"clear"}'
    } | shadow-forecast -o forecast >out
    run jq -r .series out
    [ "$output" = "app/TLS/10.0.0.1>fd09::1/bps
app/TLS/bps
flow/00000000000000ff/bps
path/00ff/hop/3/capacity_gradient" ]
}

@test "counters are forecast by their growth, over a wrap and a reset" {
    awk 'BEGIN { c = 4294900000; for (i = 1; i <= 100; i++) {
        c += 6000; if (c >= 4294967296) c -= 4294967296; if (i == 70) c = 0
        printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"link/a/octets\",\"value\":%d}\n", i * 60, c } }' |
        shadow-forecast --counters '*/octets' --horizon 1m -o forecast >out
    jq -es 'length > 50 and all(.value == 100 and .horizons[0].mean > 99 and .horizons[0].mean < 101)' out
}

@test "--levels adds intervals, --explain the weights" {
    days 1 | shadow-forecast --horizon 1h --levels 50,95 --explain -o forecast | tail -1 >out
    jq -e '.horizons[0].q | keys == ["0.025", "0.1", "0.25", "0.5", "0.75", "0.9", "0.975"]' out
    jq -e '.horizons[0].q | [.["0.025", "0.1", "0.25", "0.5", "0.75", "0.9", "0.975"]] | . == sort' out
    jq -e '.horizons[0].weights | [.[]] | length > 3 and (add - 1 | fabs) < 1e-4' out
}

@test "values more often than the step are averaged; the forecast comes when a step is over" {
    awk 'BEGIN { for (i = 0; i < 3000; i++)
        printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"x\",\"value\":%d}\n",
            i * 60, i % 5 }' | shadow-forecast --step 5m --horizon 15m -o forecast | tail -1 >out
    jq -e '.value == 2 and .horizons[0].mean > 1.9 and .horizons[0].mean < 2.1' out
}

@test "days follow the zone over the end of summer time" {
    # Values that depend on the hour of the day in Berlin, from 11 October 2020 on; summer time
    # ended on the 25th at 1:00 UTC.
    awk 'BEGIN { for (i = 0; i < 20 * 288; i++) {
        t = 1602367200 + i * 300
        hour = int((t + (t < 1603587600 ? 7200 : 3600)) % 86400 / 3600)
        printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"x\",\"value\":%d}\n",
            t, hour >= 8 ? 1000 : 100 } }' |
        shadow-forecast --tz Europe/Berlin --horizon 1h -o forecast >out
    # At half past seven on the second day after the change.
    jq -es 'map(select(.ts == 1603780200000000)) | .[0].horizons[0].q["0.5"] > 500' out
}

# parts N [LOST]: N days of two applications and their link, the link first; LOST: of the link's, not theirs
parts() {
    awk -v n="$1" -v lost="${2:-0}" 'BEGIN { for (i = 1; i <= n * 288; i++) {
        a = 1000 + 500 * sin(6.2831853 * i / 288) + i * 7919 % 211
        b = 2000 + 900 * cos(6.2831853 * i / 288) + i * 104729 % 307
        line = "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"%s\",\"value\":%.3f}\n"
        printf line, i * 300, "link/x/bps", a + b + lost
        printf line, i * 300, "app/a/bps", a
        printf line, i * 300, "app/b/bps", b } }'
}

@test "forecasts of applications add up to their link's" {
    echo '# all of it
app/*/bps link/x/bps' >parents
    gap='[.[] | select(.ts > 20000000000)] | group_by(.ts) | map(select(length == 3)
        | map({key: .series, value: .horizons[0].mean}) | from_entries
        | ((.["app/a/bps"] + .["app/b/bps"]) / .["link/x/bps"] - 1 | fabs)) | add / length'
    parts 6 | shadow-forecast --horizon 1h -o forecast | jq -s "$gap" >apart
    parts 6 | shadow-forecast --horizon 1h -o forecast --parents parents | jq -s "$gap" >together
    paste apart together
    jq -es '.[0] > 0.001 and .[1] < 0.0001' apart together
    # A link that carries more than that is left alone.
    parts 3 1500 | shadow-forecast --horizon 1h -o forecast --parents parents | jq -s "$gap" >most
    jq -e ". > 0.1" most
}

@test "who adds up to whom is what the file says after a restart" {
    parts 4 >in
    head -2703 in >begun
    echo 'app/*/bps link/x/bps' >right
    echo 'app/*/bps link/y/bps' >wrong
    go_on() { shadow-forecast --horizon 1h -o forecast --state state "$@" <in | tail -600; }
    for change in 'wrong right' 'right wrong' 'none right' 'right none'; do
        read -r before after <<<"$change"
        rm -f state none
        : >none
        shadow-forecast --horizon 1h --state state --parents "$before" <begun >/dev/null
        go_on --parents "$after" >out
        jq -s '[.[] | select(.ts > 300000000000)] | group_by(.ts) | map(map({key: .series, value: .horizons[0].mean}) | from_entries
            | ((.["app/a/bps"] + .["app/b/bps"]) / .["link/x/bps"] - 1 | fabs)) | add / length' out >gap
        if [ "$after" = right ]; then jq -e '. < 0.0001' gap; else jq -e '. > 0.001' gap; fi || { echo "$change"; false; }
    done
    # Unchanged, it goes on as if nothing had been.
    rm state
    shadow-forecast --horizon 1h --state state --parents right <begun >/dev/null
    go_on --parents right >out
    shadow-forecast --horizon 1h -o forecast --parents right <in | tail -600 | cmp - out
}

@test "--correlate says which applications drive a link" {
    awk 'BEGIN { srand(3); for (i = 1; i <= 8 * 288; i++) {
        a = rand() * 900; b = rand() * 900
        line = "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"%s\",\"value\":%.3f,\"labels\":{\"parent\":\"link/x/bps\"}}\n"
        printf line, i * 300, "app/a/bps", 1000 + a
        printf line, i * 300, "app/b/bps", 1000 + b
        printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"link/x/bps\",\"value\":%.3f}\n",
            i * 300, 5000 + a + 900 * rand() } }' >in
    shadow-forecast --horizon 1h --correlate -o correlation <in >out
    jq -es 'length > 3 and all(.series == "link/x/bps") and (map(select(.driver == "app/b/bps")) | length <= 1)' out
    jq -es 'map(select(.driver == "app/a/bps")) | length > 3 and (.[-1] | .lag_us == 0 and .p_value < 1e-6 and .correlation > 0.4)' out
    # The state has the families too.
    shadow-forecast --horizon 1h --correlate <in | grep -v '"end"' >whole
    head -3000 in | shadow-forecast --horizon 1h --correlate --state state >/dev/null
    tail -n +3001 in | shadow-forecast --horizon 1h --correlate --state state | grep -v '"end"' >rest
    tail -"$(wc -l <rest)" whole | cmp - rest
}

@test "connections have Little's law as an opinion, and their table's size as capacity" {
    awk 'BEGIN { for (i = 1; i <= 100; i++) { ts = i * 60
        line = "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"host/conntrack/%s\",\"value\":%d}\n"
        printf line, ts, "limit", 65536
        printf line, ts, "new_per_s", 100
        printf line, ts, "duration_mean_us", 120000000
        printf line, ts, "entries", 6000 } }' | shadow-forecast --horizon 2m -o forecast,breach |
        grep conntrack/entries >out
    # 6000 e^-1 + 100 * 120 (1 - e^-1)
    jq -es 'map(select(.type == "forecast")) | .[-1].horizons[0].little | . > 9792 and . < 9793' out
    jq -es 'map(select(.type == "breach")) | length > 20 and all(.capacity == 65536)' out
}

# conns N RATE: a count with limit, rate and duration a minute
conns() {
    awk -v n="$1" -v rate="$2" 'BEGIN { for (i = 1; i <= n; i++)
        printf "{\"type\":\"conn\",\"v\":1,\"ts\":%d000000,\"series\":\"nat/gw/open\",\"count\":6000,\"limit\":8000,\"new_per_s\":%d,\"duration_mean_us\":120000000}\n", i * 60, rate }'
}

@test "a conn record is a value, its limit, and what Little's law needs" {
    conns 100 100 | shadow-forecast --horizon 2m -o forecast,breach >out
    jq -es 'map(select(.type == "forecast")) | length == 100 and all(.series == "nat/gw/open" and .value == 6000)' out
    # 6000 e^-1 + 100 * 120 (1 - e^-1), from the second on
    jq -es 'map(select(.type == "forecast"))[1:] | all(.horizons[0].little | . > 9792 and . < 9793)' out
    jq -es 'map(select(.type == "breach")) | length > 20 and all(.capacity == 8000)' out
    # What stays away is not guessed at, and of no number of connections there is nothing to learn.
    conns 3 100 | sed 's/,"new_per_s.*}/}/' | shadow-forecast --horizon 2m -o forecast |
        jq -es 'length == 3 and all(.horizons[0] | has("little") | not)'
    conns 3 100 | sed 's/"count":6000/"count":null/' | shadow-forecast --horizon 2m -o forecast >out
    [ ! -s out ]
    conns 1 100 | sed 's/"count":6000/"count":-1/' >bad
    run -3 --separate-stderr shadow-forecast <bad
    # shellcheck disable=SC2154
    [[ "$stderr" == *count* ]]
}

@test "a conn record gives way to metrics of its series" {
    conns 20 100 >conns
    { jq -c '{type: "metric", v, ts, series, value: .count}' conns; cat conns; } |
        jq -sc 'sort_by(.ts)[]' | shadow-forecast --horizon 2m >out
    jq -es 'map(select(.type == "forecast")) | length == 20 and (.[-1].horizons[0] | has("little"))' out
    jq -es '.[-1].counts | .values == 20 and .duplicates == 0' out
}

@test "maintenance teaches nothing, other events are known of" {
    days 3 >in
    echo '1600200000 1600230000 maintenance link/*' >events
    jq -c 'if .ts >= 1600200000000000 and .ts <= 1600230000000000 then .value = 0 else . end' in |
        shadow-forecast --horizon 1h -o forecast --events events >down
    jq -c 'select(.ts < 1600200000000000 or .ts > 1600230000000000)' in |
        shadow-forecast --horizon 1h -o forecast >away
    cmp down away
    echo 'yesterday today' >events
    run -2 shadow-forecast --events events </dev/null
    [[ "$output" == *"line 1"* ]]
}

@test "a fall that an hour of seconds has never shown is foreseen as in the first minutes" {
    awk 'BEGIN { for (i = 1; i <= 4300; i++) {
        v = 5000000 + i * 7919 % 101 * 1000 - (i > 4000 ? 60000 * (i - 4000) : 0)
        printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"path/00ff/available_bps\",\"value\":%d}\n",
            i, v < 0 ? 0 : v } }' >in
    shadow-forecast --below 600k -o breach <in >whole
    tail -500 in | shadow-forecast --below 600k -o breach >young
    first() { jq -s '.[0].ts / 1000000 | round' "$1"; }
    [ "$(first whole)" -le 4040 ]
    [ "$(first whole)" -le $(($(first young) + 3)) ]
}

@test "a state saved between two series of one time goes on with the second" {
    for ((i = 0; i < 400; i++)); do
        for s in a b c; do
            printf '{"type":"metric","v":1,"ts":%d000000,"series":"link/%s/bps","value":%d}\n' \
                $((1600000000 + 300 * i)) $s $((1000 + (i * i + ${#s}) % 97))
        done
    done >in
    shadow-forecast --horizon 5m,1h -o forecast <in >whole
    for cut in 900 901 902 1 2; do
        rm -f state
        head -$cut in | shadow-forecast --horizon 5m,1h --state state -o forecast >one
        shadow-forecast --horizon 5m,1h --state state -o forecast <in >two
        cat one two | cmp whole -
    done
}

# The example of the page that watches this machine, on what shadow-collect says of a link that fills
# up and of one that does not; and that of a table of connections, as it stands.
@test "the page's examples of a filling link and of a NAT say so in time" {
    shadow-collect() {
        awk 'BEGIN { for (i = 1; i <= 180; i++) {
            line = "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"%s\",\"value\":%d}\n"
            printf line, 10 * i, "link/eth0/bps", 1e9 + 4.8e7 * i
            printf line, 10 * i, "link/eth1/bps", 1e9 } }'
    }
    example() { # WORD of its command
        eval "$(shadow-forecast --generate json | jq -r --arg word "$1" \
            '.examples[].command | select(contains($word))')"
    }
    example --probability >out
    jq -es 'length > 10 and all(.series == "link/eth0/bps" and .horizons[-1].p >= 0.8)' out
    jq -es '.[-1] | .horizons[0].p > 0.95 and (.eta_us.mid - 75e6 | fabs) < 5e6' out
    example nat/gw1 >out
    jq -es '.[0].horizons[-1].little > 50000
            and (.[1] | .value == 29000 and .capacity == 50000 and .horizons[-1].p > 0.5)' out
}
