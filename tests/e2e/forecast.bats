#!/usr/bin/env bats
# shadow-forecast as a filter.

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
}

# ramp FROM STEP N: a series falling by STEP a second
ramp() {
    local i
    for i in $(seq 1 "$3"); do
        printf '{"type":"metric","v":1,"ts":%d000000,"series":"path/00ff/available_bps","value":%d}\n' \
            "$i" $(($1 - $2 * i))
    done
}

@test "every record is passed on byte for byte and in order" {
    {
        printf '{"type":"unknown","x":1.10,"y":[1, 2,{"a":"\\u00e9"}],"type":"unknown"}\n'
        ramp 4000000 100000 3
        printf '{ "type" : "hop", "v":1,"extra":30.922999999999998 }\n'
        printf '{"no_type":true}\n'
        printf '{"type":"verdict","v":1,"ts":9,"path_id":"00ff","state":"clear","odd":1e3}\n'
        printf '{"type":"slot","addr":"fd09::1","v":1}\n'
    } >in
    shadow-forecast <in >out
    grep -vE '^\{"type":"(forecast|breach|end)"' out >passed
    cmp in passed
}

@test "a forecast follows the record that caused it" {
    ramp 4000000 100000 2 | shadow-forecast >out
    run jq -r .type out
    [ "$output" = "metric
forecast
breach
metric
forecast
breach
end" ]
}

@test "a ramp to the limit is a breach with odds, time and severity" {
    {
        echo '{"type":"verdict","v":1,"ts":1,"path_id":"00ff","state":"clear","capacity_bps":6000000}'
        ramp 4000000 200000 14
    } | shadow-forecast -o breach >out
    tail -1 out >last
    [ "$(jq -r .series last)" = path/00ff/available_bps ]
    [ "$(jq -r .path_id last)" = 00ff ]
    [ "$(jq .capacity last)" = 600000 ]
    [ "$(jq -r .direction last)" = below ]
    [ "$(jq .severity last)" = 5 ]
    jq -e '.eta_us.lo <= .eta_us.mid and .eta_us.mid > 2000000 and .eta_us.mid < 4000000' last
    jq -e '[.horizons[].p] | . == sort and .[0] > 0.5' last
    jq -e '.horizons | map(.horizon_us) == [5000000, 15000000, 60000000]' last
}

@test "the same input gives the same bytes" {
    ramp 4000000 150000 40 >in
    shadow-forecast <in >one
    shadow-forecast <in >two
    cmp one two
}

@test "odds are told of every value from the first on, and a cold series gives nothing to act on" {
    for i in {1..40}; do
        printf '{"type":"metric","v":1,"ts":%d000000,"series":"link/a-b/bps","value":%d}\n' "$i" $((9000 + i % 2))
    done >in
    shadow-forecast --horizon 5s,1m --capacity 8k -o breach <in >out
    jq -es 'length == 40 and all(.[]; .horizons[1].p >= 0 and .horizons[1].p <= 1)
            and (.[0] | .cold and .severity == 0) and (.[39] | (.cold | not) and .severity == 5)' out
    shadow-forecast --horizon 5s,1m --capacity 20k -o breach <in >out
    jq -es 'length == 40 and all(.[]; .severity == 0)' out
    shadow-forecast --horizon 5s,1m --capacity 20k --probability 0.5 -o breach <in >out
    [ ! -s out ]
}

@test "IPv6 and IPv4 paths are forecast apart" {
    for i in $(seq 1 12); do
        printf '{"type":"metric","v":1,"ts":%d000000,"series":"path/4444444444444444/available_bps","value":5000000,"labels":{"dst":"10.9.101.1"}}\n' "$i"
        printf '{"type":"metric","v":1,"ts":%d000000,"series":"path/6666666666666666/available_bps","value":%d,"labels":{"dst":"fd09:101::1"}}\n' \
            "$i" $((4000000 - i * 280000))
    done | shadow-forecast -o breach >out
    [ "$(jq -s 'map(.path_id) | group_by(.) | map(length)' out | jq -c .)" = '[12,12]' ]
    run jq -r 'select(.severity > 0) | .path_id' out
    [ "$(sort -u <<<"$output")" = 6666666666666666 ]
}

@test "a bad value is passed on, named with line and field, and sets the status" {
    {
        ramp 4000000 1 1
        echo '{"type":"metric","v":1,"ts":2000000,"series":"a","value":"3"}'
        echo '{"type":"metric","v":1,"ts":2000000,"series":7,"value":3}'
        echo '{"type":"metric","v":1,"ts":-1.5,"series":"a","value":3}'
        echo '{"type":"metric","v":1,"ts":2000000,"value":3}'
        echo '{"type":"metric","v":1,"ts":2000000,"series":"a","value":1e999}'
        echo '{"type":"metric","v":1,"ts":2000000,"series":"a","value":-1e308}'
    } >in
    run --separate-stderr shadow-forecast <in
    [ "$status" -eq 3 ]
    [[ "$stderr" == *"line 2"*value* ]]
    [[ "$stderr" == *"line 3"*series* ]]
    [[ "$stderr" == *"line 4"*ts* ]]
    [[ "$stderr" == *"line 5"*series* ]]
    [[ "$stderr" == *"line 6"*value* ]]
    [[ "$stderr" == *"line 7"*value*1e150* ]]
    [ "$(grep -c '"metric"' <<<"$output")" -eq 7 ]
}

@test "null, duplicates, late values and a clock set back are survived" {
    {
        ramp 5000000 1 12
        echo '{"type":"metric","v":1,"ts":13000000,"series":"path/00ff/available_bps","value":null}'
        ramp 5000000 1 12 | tail -1
        ramp 5000000 1 12 | tail -2 | head -1
        ramp 5000000 1 6
    } | shadow-forecast >out
    jq -es '.[-1].counts | .duplicates == 1 and .late == 3 and .values == 16' out
}

@test "a malformed or cut line is reported and skipped" {
    run --separate-stderr shadow-forecast <<<'{"type":"metric","v":1,"ts":1'
    [ "$status" -eq 3 ]
    [[ "$stderr" == *"line 1"* ]]
    [ "$(jq -r .type <<<"$output")" = end ]
}

@test "--strict stops at the first bad line" {
    run shadow-forecast --strict <<<'{"type":"metric","v":1,"ts":1,"series":1}'
    [ "$status" -eq 3 ]
    [[ "$output" != *'"end"'* ]]
}

@test "options that make no sense are refused by name" {
    run shadow-forecast --horizon 15s,5s </dev/null
    [ "$status" -eq 2 ]
    [[ "$output" == *--horizon*5s* ]]
    run shadow-forecast --below plenty </dev/null
    [ "$status" -eq 2 ]
    [[ "$output" == *--below*plenty* ]]
    for bad in '--above much' '--levels -5' '--levels 100' '--step 3w' '--season moon' '--key a' \
        '--tz Nowhere/Town' '--tz Europe' '--tz ../etc' '--capacity ./none' '--capacity 0' '--capacity 8x' '--capacity 1e' '--step 1s --horizon 9d'; do
        # shellcheck disable=SC2086
        run shadow-forecast $bad </dev/null
        [ "$status" -eq 2 ] || { echo "$bad: $status $output"; false; }
        [[ "$output" == *"${bad%% *}"* || "$output" == *steps* ]] || { echo "$bad: $output"; false; }
    done
}

@test "a table tells what is expected, and with a limit the odds" {
    for i in {1..60}; do
        printf '{"type":"metric","v":1,"ts":%d,"series":"link/a-b/bps","value":%d}\n' \
            $((i * 1000000)) $((5000000000 + i % 3 * 1000000))
    done >in
    shadow-forecast --horizon 5s,1m --format table <in >out
    head -1 out | grep -q '^time  *series  *value  *horizons  *n  *cold$'
    tail -1 out | grep -Eq '5 s 5G \[[45](\.[0-9]+)?G, 5(\.[0-9]+)?G\]; 1 min 5G \['
    shadow-forecast --horizon 5s,1m --capacity 8e9 --format table <in >out
    grep -q '^time .*capacity  *direction  *severity  *horizons  *eta_us$' out
    tail -1 out | grep -Eq ' 8000000000  above  *0  5 s [0-9.e-]+; 1 min [0-9.e-]+ '
}

@test "more series than --max-series are counted as lost" {
    {
        for i in 1 2 3; do
            printf '{"type":"metric","v":1,"ts":1000000,"series":"s/%d","value":1}\n' "$i"
        done
    } >in
    run --separate-stderr shadow-forecast --max-series 2 <in
    [ "$status" -eq 0 ]
    [[ "$stderr" == *--max-series* ]]
    jq -es 'map(select(.type == "loss")) | .[0].records == 1' <<<"$output"
}

@test "series that --series leaves out take no place of others" {
    for i in $(seq 20); do
        echo '{"type":"metric","v":1,"ts":'"$i"',"series":"flow/'"$i"'/bps","value":1}'
    done >in
    echo '{"type":"metric","v":1,"ts":21,"series":"link/a/bps","value":1}' >>in
    shadow-forecast --series 'link/*' --max-series 10 --horizon 1m -o forecast,loss,end <in >out
    jq -es 'map(.type) == ["forecast", "end"] and .[1].counts.series == 1' out
}

@test "a full disk is an error" {
    [ -e /dev/full ] || skip "no /dev/full here"
    run bash -c 'echo "{\"type\":\"a\"}" | shadow-forecast >/dev/full'
    [ "$status" -eq 4 ]
}

@test "a closed pipe ends it quietly" {
    run bash -c 'ramp() { yes "{\"type\":\"x\"}" | head -200000; }; ramp | shadow-forecast | head -1'
    [ "$status" -eq 0 ]
    [ "$output" = '{"type":"x"}' ]
}
