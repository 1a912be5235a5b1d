#!/usr/bin/env bats
# shadow-detect as a filter.

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
}

# wave SERIES N: N values five minutes apart, a wave of a day
wave() {
    awk -v s="$1" -v n="$2" 'BEGIN { srand(1); for (i = 0; i < n; i++)
        printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"%s\",\"value\":%d}\n", 1000000 + i * 300, s,
            1000000 * exp(0.7 * sin(i * 2 * 3.14159265 / 288) + 0.02 * (rand() - 0.5)) }'
}

# value SERIES I VALUE: the I-th value
value() {
    printf '{"type":"metric","v":1,"ts":%d000000,"series":"%s","value":%s}\n' $((1000000 + $2 * 300)) "$1" "$3"
}

@test "every record is passed on byte for byte and in order" {
    {
        printf '{"type":"unknown","x":1.10,"y":[1, 2,{"a":"\\u00e9"}],"type":"unknown"}\n'
        wave a 600
        value a 600 1
        printf '{ "type" : "hop", "v":1,"extra":30.922999999999998 }\n'
        printf '{"no_type":true}\n'
        printf '{"type":"event","v":1,"ts":9,"kind":"degradation","failure":"dead","severity":3}\n'
    } >in
    shadow-detect --scores <in >out
    grep -vE '^\{"type":"(anomaly|anomaly.score|surge|end)"' out >passed
    cmp in passed
    grep -q '"type":"anomaly"' out
}

@test "an anomaly and a surge follow the value that caused them, at once" {
    { wave link/a/bps 600; value link/a/bps 600 4000000; } | shadow-detect >out
    run jq -r .type <(tail -4 out)
    [ "$output" = "metric
anomaly
surge
end" ]
    tail -3 out | head -1 >anomaly
    jq -e '.state == "open" and .kind == "novel" and .severity >= 3 and .value == 4000000' anomaly
    jq -e '.lo < .expected and .expected < .hi and .hi < .value and .p < 0.005' anomaly
    jq -e '.score > 0.5 and .score <= 1 and .parent == "link/a" and .members == ["link/a/bps"]' anomaly
    tail -2 out | head -1 | jq -e '.ratio > 2 and .severity >= 3 and .incident != null'
}

@test "--scores writes one score for each value, whatever it is" {
    {
        wave a 300
        value a 299 5
        value a 100 5
        value a 301 null
        value a 302 1e308
    } | shadow-detect --scores -o anomaly.score >out
    [ "$(wc -l <out)" -eq 304 ]
    jq -es 'all(.[]; .score >= 0 and .score <= 1)' out
    jq -es '.[300:303] | map(.score) == [0, 0, 0]' out
    tail -1 out | jq -e '.score > 0.9'
}

@test "another metric of the same link raises the grade" {
    {
        wave link/a/bps 600
        wave link/a/loss 600
    } | sort -s -t: -k4,4n >in
    { cat in; value link/a/bps 600 200000; } | shadow-detect -o anomaly >alone
    { cat in; value link/a/loss 600 9000000; value link/a/bps 600 200000; } | shadow-detect -o anomaly >both
    alone=$(jq 'select(.series == "link/a/bps").severity' alone)
    both=$(jq 'select(.series == "link/a/bps").severity' both)
    [ "$both" -eq $((alone + 1)) ]
    jq -es 'map(.incident) | unique | length == 1' both
    jq -es '.[1].members == ["link/a/loss", "link/a/bps"] and .[1].parent == "link/a"' both
}

@test "an event on 50 series is one incident" {
    for s in $(seq 50); do wave "pop/x/link/$s/bps" 400; done | sort -s -t: -k4,4n >in
    { cat in; for s in $(seq 50); do value "pop/x/link/$s/bps" 400 100000; done; } |
        shadow-detect -o anomaly >out
    jq -es 'map(select(.state == "open")) | length == 50 and (map(.incident) | unique | length) == 1' out
    jq -es 'last | .parent == "pop/x/link" and (.members | length) == 50' out
}

@test "maintenance is left alone, and judged again when it is over" {
    event='{"type":"event","v":1,"ts":1179999000000,"kind":"%s","failure":"maintenance","link":"a","severity":1}\n'
    {
        wave link/a/bps 600
        # shellcheck disable=SC2059
        printf "$event" degradation
        value link/a/bps 600 10
        # shellcheck disable=SC2059
        printf "$event" recovery
        value link/a/bps 601 10
    } | shadow-detect >out
    jq -es 'map(select(.type == "anomaly")) | map(.ts) == [1180300000000]' out
    tail -1 out | jq -e '.counts.hushed == 1'
}

@test "the same input gives the same bytes" {
    { wave a 600; value a 600 1; value a 601 1; } >in
    shadow-detect --scores <in >one
    shadow-detect --scores <in >two
    cmp one two
}

@test "--method zscore is the pseudocode: difference over deviation against a threshold" {
    for i in $(seq 20); do value a "$i" $((i % 2 ? 9 : 11)); done >in
    # Mean 10, sample deviation sqrt(20/19) = 1.026: 13.07 is 2.99 deviations, 13.09 is 3.01.
    { cat in; value a 21 13.07; } | shadow-detect --method zscore -o anomaly >below
    { cat in; value a 21 13.09; } | shadow-detect --method zscore -o anomaly >above
    [ ! -s below ]
    jq -e '.kind == "spike" and .expected == 10' above
    { cat in; value a 21 6.9; } | shadow-detect -m zscore --baseline 20 --sigma 2 -o anomaly >drop
    jq -e '.kind == "drop"' drop
}

@test "--method mad and ewma judge by their own baselines" {
    for i in $(seq 20); do value a "$i" $((i % 2 ? 9 : 11)); done >in
    for method in mad ewma; do
        { cat in; value a 21 30; } | shadow-detect --method "$method" -o anomaly | jq -e '.kind == "spike"'
    done
    # Only zscore has a baseline that stands still.
    { cat in; for i in $(seq 21 60); do value a "$i" 20; done; } >shifted
    for method in mad ewma; do
        shadow-detect --method "$method" --scores <shifted >one
        shadow-detect --method "$method" --baseline 20 --scores <shifted | cmp one -
    done
}

@test "--method holtwinters knows the season, and asks for seven of nine values" {
    awk 'BEGIN { for (i = 0; i < 1740; i++) printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d,\"series\":\"a\",\"value\":%.6f}\n",
        i * 300e6, 200 + 100 * sin(i * 3.14159265358979 / 144) + (int(i / 288) + i) % 2 + (i >= 1728 ? 60 : 0) }' >in
    shadow-detect --method holtwinters -o anomaly <in >out
    jq -es 'map(select(.state == "open")) | length == 1 and .[0].ts == 1734 * 300e6 and .[0].kind == "spike"' out
    shadow-detect --method holtwinters --delta 1000 -o anomaly <in >out
    [ ! -s out ]
    shadow-detect --method holtwinters -o anomaly <in >whole
    head -1700 in | shadow-detect --method holtwinters --state state >/dev/null
    shadow-detect --method holtwinters --state state -o anomaly <in | cmp whole -
}

@test "a bad value is passed on, named with line and field, and sets the status" {
    {
        value a 1 1
        echo '{"type":"metric","v":1,"ts":2000000,"series":"a","value":"3"}'
        echo '{"type":"metric","v":1,"ts":2000000,"series":7,"value":3}'
        echo '{"type":"metric","v":1,"series":"a","value":3}'
        echo '{"type":"event","v":1,"ts":3,"kind":"party","severity":1}'
        echo '{"type":"metric","v":1,"ts":2000000,"series":"a","value":1e999}'
    } >in
    run --separate-stderr shadow-detect <in
    [ "$status" -eq 3 ]
    [[ "$stderr" == *"line 2"*value* ]]
    [[ "$stderr" == *"line 3"*series* ]]
    [[ "$stderr" == *"line 4"*ts* ]]
    [[ "$stderr" == *"line 5"*kind* ]]
    [[ "$stderr" == *"line 6"*value* ]]
    [ "$(grep -c '"metric"' <<<"$output")" -eq 5 ]
}

@test "hard series leave no number that is none" {
    for i in $(seq 700); do
        value constant "$i" 5
        value zero "$i" 0
        value missing "$i" null
        value huge "$i" $((i % 2 ? 1 : -1))e308
        value alternating "$i" $((i % 2 ? 1 : -1))
    done >in
    value one 701 3 >>in
    for method in zscore mad ewma holtwinters; do
        shadow-detect --method $method --season none --scores <in >out
        run ! grep -aiE 'nan|inf[^a-z]' out
        jq -e . out >/dev/null
    done
    shadow-detect --scores <in >out
    run ! grep -aiE 'nan|inf[^a-z]' out
    # The only nulls are of what was not judged: null values, and series that were not expected.
    jq -e . out >/dev/null
    jq -es 'map(select(.type == "anomaly" and (.series | IN("constant", "zero", "alternating", "one"))))
        | length == 0' out
}

@test "the time of the records is survived: duplicates, late values, a clock set back" {
    {
        wave a 20
        value a 19 5
        value a 10 5
        value a 11 5
        value a 12 5
        value a 13 5
    } | shadow-detect >out
    jq -es 'last.counts | .duplicates == 1 and .late == 2 and .values == 22' out
}

@test "one wrong clock in the far future makes nothing else old or missing" {
    { wave a 300; wave b 300; } | sort -s -t: -k4,4n >in
    echo '{"type":"metric","v":1,"ts":4102444800000000,"series":"c","value":1}' >wrong
    { head -500 in; cat wrong; tail -n +501 in | head -50; cat wrong wrong; } |
        shadow-detect --scores --state state -o anomaly.score,anomaly,end >out
    jq -es 'map(select(.type == "anomaly.score")) | length == 553' out
    jq -es 'map(select(.type == "anomaly")) | length == 0' out
    tail -1 out | jq -e '.ts < 4102444800000000 and (.counts | .values == 550 and .late == 3 and .series == 2)'
    tail -n +551 in | shadow-detect --state state -o end | jq -e '.counts | .values == 50 and .series == 2'
    # Time that goes on there is a gap: the third time is believed.
    { cat in; for i in 1 2 3 4; do sed "s/4102444800/410244480$i/" wrong; done; } |
        shadow-detect -o end | jq -e '.counts | .values == 602 and .late == 2'
}

@test "stopped between two series of one time, it goes on with the other" {
    for i in $(seq 60); do value a "$i" $((i % 7)); value b "$i" $((i % 5 + i / 50 * 90)); done >in
    shadow-detect --scores --min-history 20 -o anomaly,anomaly.score <in >whole
    for lines in 61 100 101; do
        rm -f state
        head -n "$lines" in | shadow-detect --scores --min-history 20 --state state -o anomaly,anomaly.score >first
        cp state before
        shadow-detect --scores --min-history 20 --state state -o anomaly,anomaly.score <in | cat first - | cmp whole -
        tail -n "+$((lines + 1))" in |
            shadow-detect --scores --min-history 20 --state before -o anomaly,anomaly.score | cat first - | cmp whole -
    done
}

@test "a state that cannot be written is known before the first record" {
    run -4 --separate-stderr shadow-detect --state none/state < <(wave a 3)
    [[ "$stderr" == *none/state* ]]
    [ -z "$output" ]
}

@test "100,000 new series are capped, counted and cost no more" {
    [ "${MODE:-release}" = asan ] && limit=unlimited || limit=400000 # the sanitizer maps terabytes
    awk 'BEGIN { for (i = 0; i < 100000; i++)
        printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d,\"series\":\"s/%d\",\"value\":1}\n", i, i }' >in
    run --separate-stderr bash -c "ulimit -v $limit; shadow-detect --max-series 1000 -o loss,end <in"
    [ "$status" -eq 0 ]
    [[ "$stderr" == *--max-series* ]]
    jq -es '.[0].records == 99000 and .[1].counts.series == 1000' <<<"$output"
}

@test "IPv6 and IPv4 paths are judged apart" {
    awk 'BEGIN { for (i = 1; i <= 400; i++) {
        printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"path/4444/rtt_us\",\"value\":%d,\"labels\":{\"dst\":\"10.9.1.1\"}}\n", i, 1000 + i % 7
        printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"path/6666/rtt_us\",\"value\":%d,\"labels\":{\"dst\":\"fd09::1\"}}\n", i, i == 400 ? 90000 : 1000 + i % 7 } }' |
        shadow-detect -o anomaly >out
    run jq -r .series out
    [ "$output" = path/6666/rtt_us ]
}

@test "a verdict counts until its series comes itself" {
    {
        echo '{"type":"verdict","v":1,"ts":1,"path_id":"00ff","state":"clear","available_bps":{"lo":1,"mid":2,"hi":3}}'
        echo '{"type":"metric","v":1,"ts":2,"series":"path/00ff/available_bps","value":5}'
        echo '{"type":"verdict","v":1,"ts":3,"path_id":"00ff","state":"clear","available_bps":{"lo":1,"mid":2,"hi":3}}'
    } | shadow-detect | tail -1 | jq -e '.counts.values == 2 and .counts.series == 1'
}

@test "flows, applications and gradients are series too" {
    {
        echo '{"type":"flow.update","v":1,"ts":1,"flow_id":"00000000000000aa","src":"10.0.0.1","dst":"10.0.0.2","protocol":"udp","packets":1,"bytes":1,"current_bps":7}'
        echo '{"type":"app","v":1,"ts":1,"app":"TLS","src":"10.0.0.0/24","dst":"fd09::/48","current_bps":7}'
        echo '{"type":"gradient","v":1,"ts":1,"path_id":"00ff","hop":3,"state":"clear","capacity_gradient":0.5}'
    } | shadow-detect --scores -o anomaly.score >out
    run jq -r .series out
    [ "$output" = "flow/00000000000000aa/bps
app/TLS/10.0.0.0/24>fd09::/48/bps
path/00ff/hop/3/capacity_gradient" ]
}

@test "options that make no sense are refused by name" {
    run shadow-detect --method magic </dev/null
    [ "$status" -eq 2 ]
    [[ "$output" == *--method*magic* ]]
    run shadow-detect --threshold 0 </dev/null
    [ "$status" -eq 2 ]
    [[ "$output" == *--threshold* ]]
    run shadow-detect --budget -1 </dev/null
    [ "$status" -eq 2 ]
    run shadow-detect --ttl 0 </dev/null
    [ "$status" -eq 2 ]
}

@test "--series looks only at what matches" {
    { value a/x 1 1; value b/x 1 1; } | shadow-detect --series 'a/*' | tail -1 | jq -e '.counts.series == 1'
}

# days N FILE: N values of each of two series with an event in them
days() {
    { wave link/a/bps "$1"; wave link/b/bps "$1"; } | sort -s -t: -k4,4n |
        awk -v n="$1" 'NR > 1.6 * n && NR < 1.61 * n { sub(/"value":/, "&9") } { print }' >"$2"
}

@test "killed and started again with --state, it goes on to the same bytes" {
    days 900 in
    shadow-detect --scores <in | grep -v '"end"' >whole
    # The feeder waits after the 1500th line until the state is there and the tool is killed.
    mkfifo pipe
    shadow-detect --scores --state state --save 50ms <pipe >first 2>err &
    pid=$!
    exec 5>pipe
    head -1480 in >&5
    for _ in $(seq 100); do [ "$(wc -l <first)" -lt 2960 ] || break; sleep 0.1; done
    sleep 0.1 # the next record is more than --save later
    head -1500 in | tail -20 >&5
    for _ in $(seq 100); do [ ! -s state ] || [ "$(wc -l <first)" -lt 3000 ] || break; sleep 0.1; done
    kill -9 "$pid"
    exec 5>&-
    wait "$pid" || true
    shadow-detect --scores --state state -o anomaly,anomaly.score,surge <in >second
    [ -s second ]
    [ "$(wc -l <second)" -lt 500 ]
    grep -vE '"type":"metric"' whole | tail -n "$(wc -l <second)" | cmp - second
    grep -q '"anomaly"' <(grep -vE '"type":"metric"' whole | head -n "-$(wc -l <second)")
}

@test "a clock that is a life ahead changes nothing of what a replay leads to" {
    wave a 300 | awk '{ print } NR % 40 == 0 { sub(/"ts":/, "\"ts\":4"); sub(/"a"/, "\"b\""); print }' >in
    shadow-detect --scores -o anomaly.score <in | grep -v '"b"' >whole
    head -200 in | shadow-detect --state state >/dev/null
    shadow-detect --scores --state state -o anomaly.score <in | grep -v '"b"' >rest
    [ "$(wc -l <rest)" -gt 90 ]
    tail -n "$(wc -l <rest)" whole | cmp - rest
}

@test "a state that cannot be written for a while stops no detection, and is warned of once" {
    wave a 60 >in
    mkdir gone
    mkfifo feed
    shadow-detect --state gone/state --save 10ms <feed >out 2>err &
    pid=$!
    exec 5>feed
    for to in 20 40 60; do
        [ "$to" -ne 40 ] || rm -r gone
        [ "$to" -ne 60 ] || mkdir gone
        sleep 0.03 # the next record is more than --save later
        head -"$to" in | tail -20 >&5
        for _ in $(seq 100); do [ "$(wc -l <out)" -lt "$to" ] || break; sleep 0.1; done
    done
    [ -s gone/state ]
    exec 5>&-
    wait "$pid"
    [ "$(wc -l <err)" -eq 1 ]
    grep -q gone/state err
    tail -1 out | jq -e '.counts.values == 60 and .counts.unsaved >= 1'
    rm -r gone
    run -4 --separate-stderr shadow-detect --state gone/state <in
}

@test "an open alarm, its incident and maintenance outlive a restart" {
    { wave link/a/bps 600; value link/a/bps 600 10; } >in
    echo '{"type":"event","v":1,"ts":1179999000000,"kind":"prediction","failure":"maintenance","link":"b","severity":1}' >>in
    shadow-detect --state state -o anomaly <in >before
    { value link/a/bps 601 9000000; value link/b/bps 601 9; } | shadow-detect --state state >after
    jq -es 'map(select(.type == "anomaly")) | .[0].state == "update"' after
    [ "$(jq -r .incident before)" = "$(jq -r 'select(.type == "anomaly").incident' after)" ]
    tail -1 after | jq -e '.counts.hushed == 1'
}

@test "a state that is cut, damaged, of another version, machine or of other settings is refused by name" {
    wave a 30 >in
    shadow-detect --state state <in >/dev/null
    refused() { # REASON OPTION...
        cp bad copy
        run -3 --separate-stderr shadow-detect --state bad "${@:2}" <in
        [[ "$stderr" == *bad*"$1"* ]] || { echo "$stderr"; false; }
        cmp bad copy
    }
    head -c 300 state >bad
    refused 'cut short'
    head -c 30 state >bad
    refused 'cut short'
    { head -c 200 state; printf '\377\377'; tail -c +203 state; } >bad
    refused damaged
    { head -c 24 state; printf '\011'; tail -c +26 state; } >bad
    refused 'another version'
    { head -c 28 state; printf '\001\002\003\004'; tail -c +33 state; } >bad
    refused 'another kind of machine'
    cp state bad
    refused 'other settings' --season week
    refused 'other settings' --method ewma
    echo junk >bad
    refused 'not a state file'
}

# foreseen I MEDIAN WIDTH HORIZON: what is forecast of link/a/bps after the I-th value
foreseen() {
    printf '{"type":"forecast","v":1,"ts":%d000000,"series":"link/a/bps","horizons":[{"horizon_us":%d000000,"mean":1,"q":{"0.025":%d,"0.5":%d,"0.975":%d}},{"horizon_us":86400000000,"mean":1}],"n":600,"cold":%s}\n' \
        $((1000000 + $1 * 300)) "$4" $(($2 - $3)) "$2" $(($2 + $3)) "${5:-false}"
}

@test "a value that was forecast is no anomaly, one that was not is" {
    wave link/a/bps 600 >in
    value link/a/bps 600 4000000 >out_of_line
    cat in out_of_line | shadow-detect -o anomaly >alone
    [ -s alone ]
    { cat in; foreseen 599 4000000 200000 300; cat out_of_line; } | shadow-detect --scores -o anomaly,anomaly.score |
        tail -1 | jq -e '.type == "anomaly.score" and .expected > 3990000 and .expected < 4010000'
    # A forecast of another time, from long before, of another series, or of too few values is none.
    for other in '599 4000000 200000 900' '597 4000000 200000 900' '598 4000000 200000 300' '599 4000000 200000 300 true'; do
        # shellcheck disable=SC2086
        { cat in; foreseen $other; cat out_of_line; } | shadow-detect -o anomaly | cmp - alone
    done
    { cat in; foreseen 599 4000000 200000 300 | sed 's,link/a,link/b,'; cat out_of_line; } |
        shadow-detect -o anomaly | cmp - alone
    # What was to rise and did not is a drop.
    { cat in; foreseen 599 9000000 200000 300; value link/a/bps 600 1000000; } | shadow-detect -o anomaly |
        jq -e '.kind == "drop" and .expected > 1000000'
}

@test "shadow-forecast and shadow-detect are one pipe, over a restart too" {
    { wave link/a/bps 900; value link/a/bps 900 6000000; wave link/a/bps 960 | tail -59; } |
        shadow-forecast --horizon 5m,1h >in
    shadow-detect <in | grep -v '"end"' >whole
    jq -es 'map(select(.type == "anomaly" and .state == "open")) | length == 1 and .[0].kind != "drop"' whole
    line=$(grep -n '"metric"' in | sed -n '700p' | cut -d: -f1)
    head -"$((line - 1))" in | shadow-detect --scores --state state >/dev/null
    tail -n +"$line" in | shadow-detect --scores --state state -o anomaly.score >rest
    shadow-detect --scores -o anomaly.score <in | tail -"$(wc -l <rest)" | cmp - rest
}

@test "a forecast of how a counter grows is none of the counter" {
    awk 'BEGIN { srand(2); c = 1e9; for (i = 1; i < 900; i++) { c += int(3e7 * (1 + 0.05 * rand()))
        printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"c\",\"value\":%.0f}\n", i * 300, c } }' >in
    shadow-detect -o anomaly,surge <in >alone
    shadow-forecast --counters c --horizon 5m <in >with
    jq -es 'map(select(.type == "forecast")) | length > 800' with
    shadow-detect -o anomaly,surge <with | cmp alone -
}

@test "a forecast without sense is named" {
    {
        wave a 2
        echo '{"type":"forecast","v":1,"ts":1000300000000,"series":"a","horizons":{"x":1}}'
        echo '{"type":"forecast","v":1,"ts":1000300000000,"series":"a","horizons":[{"horizon_us":-1}]}'
        echo '{"type":"forecast","v":1,"ts":1000300000000,"series":"a","horizons":[{"horizon_us":5,"q":{"0.5":1}}]}'
        echo '{"type":"forecast","v":1,"ts":1000300000000,"series":"a"}'
    } >in
    run -3 --separate-stderr shadow-detect <in
    # shellcheck disable=SC2154
    [[ "$stderr" == *"line 3"*horizons* && "$stderr" == *"line 4"*horizons* && "$stderr" == *"line 6"*horizons* ]]
    [[ "$stderr" != *"line 5"* ]]
}

@test "alarms over the budget are counted, and not told" {
    awk 'BEGIN { srand(2); for (i = 0; i < 288 * 12; i++)
        printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"link/a/bps\",\"value\":%d}\n", (i + 1) * 300,
            1000000 * exp(0.02 * (rand() - 0.5)) * (i > 1440 && i % 24 == 7 ? 3 + i / 1000 + rand() : 1) }' >in
    shadow-detect --budget 0 -o anomaly,surge,end <in >all
    shadow-detect --budget 1 -o anomaly,surge,end <in >few
    jq -es '.[-1].counts.over_budget == 0' all
    jq -es '.[-1].counts.over_budget > 3' few
    # Within a day of the first there is no second.
    jq -es 'map(select(.state == "open" and .severity < 5).ts) | . as $ts
        | [range(1; length)] | all($ts[.] - $ts[. - 1] >= 86400000000)' few
    jq -es 'map(select(.state == "open").ts) as $open | map(select(.state == "close").ts) as $close
        | ($open | length) - ($close | length) | . == 0 or . == 1' few
    # Surges are.
    jq -es '(map(select(.type == "surge")) | length) > (map(select(.state == "open")) | length)' few
}
