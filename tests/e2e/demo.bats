#!/usr/bin/env bats
# How the main job is judged: whether the host was fit, what an arm lost, and who won.

bats_require_minimum_version 1.5.0
# shellcheck source=tests/e2e/build.bash
. "$BATS_TEST_DIRNAME/build.bash"

setup() {
    demo="$BATS_TEST_DIRNAME/../lab/demo"
    cd "$BATS_TEST_TMPDIR"
    mkdir -p arm
}

# traffic FINAL SENT LOST RETRANSMITTED P50 P99 LATE SKIPPED [TS]
traffic() {
    printf '{"type":"traffic","v":1,"ts":%s,"flow":"live-udp","protocol":"udp","final":%s,"duration_us":1000000,"rate_bps":8000,"sent":%s,"lost":%s,"retransmitted":%s,"delay_p50_us":%s,"delay_p99_us":%s,"late":%s,"skipped":%s}\n' \
        "${9:-5000000}" "$1" "$2" "$3" "$4" "$5" "$6" "$7" "$8"
}

@test "a host whose generators were late is not fit, whatever the result" {
    traffic true 1000 0 0 1 1 3 3 >arm/live-udp.ndjson
    run "$demo/fit.sh" arm
    [ "$status" -eq 1 ]
    [[ "$output" == *"6 of 1003"* ]]
}

@test "a host is fit at five late packets in a thousand, and with any loss" {
    traffic true 1000 900 900 1 1 5 0 >arm/live-udp.ndjson
    run "$demo/fit.sh" arm
    [ "$status" -eq 0 ]
    [ -z "$output" ]
}

@test "generators that sent nothing are not fit" {
    : >arm/live-udp.ndjson
    run "$demo/fit.sh" arm
    [ "$status" -eq 1 ]
}

@test "an arm's score counts losses, retransmissions, bad seconds and moves" {
    {
        traffic false 10 0 0 100 200 0 0 1500000
        traffic false 10 1 0 100 20101 0 0 2500000
        traffic false 10 2 1 100 20100 0 0 3500000
        traffic true 30 3 1 100 200 0 0 4000000
    } >arm/live-udp.ndjson
    {
        echo '{"type":"change","ts":1000001,"from":{},"to":{"p":1},"applied":true}'
        echo '{"type":"change","ts":1700000,"from":{"p":1},"to":{"p":0.5,"b":0.5},"applied":true}'
        echo '{"type":"change","ts":1800000,"from":{"p":0.5},"to":{"p":0.5},"applied":true}'
        echo '{"type":"change","ts":1900000,"from":{"p":1},"to":{"p":0},"applied":false}'
    } >changes
    echo '{"type":"end","counts":{"bytes":77}}' >probed
    jq -cs --arg arm x --argjson started 1000000 --slurpfile changes changes --slurpfile probed probed \
        -f "$demo/score.jq" arm/live-udp.ndjson >score
    jq -e '.lost_live == 4 and .sent == 30 and .bad_seconds == 1 and .moves == 1' score
    jq -e '.first_move_us == 700000 and .first_hurt_us == 1500000 and .shadow_bytes == 77' score
}

@test "the demonstration is passed at a tenth of the best rival's loss, not above" {
    arms() {
        printf '{"arm":"nothing","lost_live":900}{"arm":"utilisation","lost_live":90}{"arm":"reactive","lost_live":%s}{"arm":"shadow","lost_live":%s}' "$1" "$2"
    }
    arms 50 5 | jq -es -f "$demo/verdict.jq"
    run jq -es -f "$demo/verdict.jq" < <(arms 50 6)
    [ "$status" -eq 1 ]
    arms 0 0 | jq -es -f "$demo/verdict.jq"
    run jq -es -f "$demo/verdict.jq" < <(arms 0 1)
    [ "$status" -eq 1 ]
}

@test "the table has a line for each arm" {
    for arm in nothing utilisation reactive shadow; do
        printf '{"arm":"%s","sent":100,"lost_live":3,"bad_seconds":2,"moves":1,"first_move_us":1000000,"first_hurt_us":3000000,"live_bytes":1000,"shadow_bytes":10}\n' $arm
    done | jq -rs -f "$demo/table.jq" >table
    grep -q '^80 % of nominal  *3 of 100 (3.00 %)  *2  *2.0 s  *1  *1.00 %$' table
    [ "$(grep -c '3 of 100' table)" -eq 4 ]
}

@test "the recorded run goes through shadow-forecast and shows breaches and moves" {
    shadow-forecast --every 0 <"$demo/recorded.ndjson" | jq -nr -f "$demo/show.jq" >shown
    grep -q 'breach of 10.9.101.1' shown
    grep -q '>>> SHIFTING' shown
}

@test "who may not make namespaces is told what would help, and shown a recorded run" {
    [ -x "${SDW_BUILD:?}/lab/demo/rival" ] || skip "the harness is not built"
    mkdir shim
    printf '%s\n' '#!/bin/sh' 'echo 1000' >shim/id
    printf '%s\n' '#!/bin/sh' 'echo "unshare: not permitted" >&2; exit 1' >shim/unshare
    chmod +x shim/*
    PATH="$PWD/shim:$PATH" run bash "$demo/run.sh"
    [ "$status" -eq 4 ]
    [[ "${lines[0]}" == *"unshare: not permitted" ]]
    [[ "$output" == *"sudo make demo"*"was not measured here"*">>> SHIFTING"* ]]
    [[ "${lines[-1]}" == "make demo: nothing was measured: unshare: not permitted" ]]
}

@test "the rules of today refuse settings that are none" {
    rival="${SDW_BUILD:?}/lab/demo/rival"
    [ -x "$rival" ] || skip "the harness is not built"
    run "$rival" utilisation NOMINAL=fast
    [ "$status" -eq 2 ]
    run "$rival" magic
    [ "$status" -eq 2 ]
    run "$rival" reactive TARGET=nowhere
    [ "$status" -eq 2 ]
}
