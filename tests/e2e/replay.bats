#!/usr/bin/env bats
# shadow-probe --schedule replay: load shaped like live traffic.

# shellcheck disable=SC2030,SC2031,SC2154 # every test is a shell of its own; run sets stderr

bats_require_minimum_version 1.5.0

setup() {
    # shellcheck source=tests/e2e/reflector.bash
    . "$BATS_TEST_DIRNAME/reflector.bash"
    cd "$BATS_TEST_TMPDIR" || exit
}

teardown() {
    reflector_stop
}

@test "load has the sizes of the shape, over IPv4 and IPv6" {
    reflector_start
    echo '{"type":"shape","v":1,"ts":1,"sizes":[[300,1],[700,1]],"gaps_us":[[100,3],[2000,1]]}' >shape
    for to in 127.0.0.1 ::1; do
        shadow-probe $to --port "$port" --schedule replay --shape shape --pairs 4 --max-rate 20M \
            --duration 3s >probe
        jq -e -s '[.[] | select(.type == "slot" and .on and .load_packets > 0)] |
            length > 0 and all(.schedule == "replay")' probe
        jq -r 'select(.type == "slot" and .on) | .chirp.bytes[]?' probe | sort -n | uniq >sizes
        [ "$(paste -sd ' ' sizes)" = "300 700" ]
    done
}

@test "a shape is read from standard input, and bad ones are named with line and field" {
    good='{"type":"shape","v":1,"ts":1,"sizes":[[300,1]],"gaps_us":[[100,3]]}'
    run -2 --separate-stderr shadow-probe --shape - <<<"$good"
    [[ $stderr == *DEST* ]]
    run -2 --separate-stderr shadow-probe ::1 --schedule replay
    [[ $stderr == *--shape* ]]
    run -3 --separate-stderr shadow-probe ::1 --schedule replay --shape - <<<'{"type":"hop"}'
    [[ $stderr == *"no shape record"* ]]
    printf '{"type":"hop"}\n%s\n' "${good/100,3/100,-3}" >bad
    run -3 --separate-stderr shadow-probe 127.0.0.1 --schedule replay --shape bad
    [[ $stderr == *"line 2"*gaps_us* ]]
    run -4 --separate-stderr shadow-probe 127.0.0.1 --schedule replay --shape missing
    [[ $stderr == *missing* ]]
}
