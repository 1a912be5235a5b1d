#!/usr/bin/env bats
# shadow-probe on the loopback: a path of one hop, and everything that can be wrong.

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

@test "a path of one hop is found and measured over IPv4 and IPv6" {
    reflector_start
    for addr in 127.0.0.1 ::1; do
        shadow-probe "$addr" --port "$port" --pairs 4 >out
        jq -se --arg addr "$addr" '
            (.[0] | .type == "path" and .hops == 1 and .reached and .far_end == "stamp"
                and .dst == $addr and .addrs == [$addr])
            and (.[1] | .type == "hop" and .hop == 1 and .received > 0 and .rtt_min_us >= 0)
            and (map(select(.type == "slot")) | length >= 8
                and all(.hop == 1 and .schedule == "chirp" and .window == 1)
                and (map(select(.on) | .pair) | sort) == (map(select(.on | not) | .pair) | sort))
            and (.[-1] | .type == "end" and .reason == "done" and .counts.windows == 1)' out
        jq -se --argjson most 3000000 '.[-1].counts.bytes < $most' out
    done
}

@test "an on slot carries its train packet by packet" {
    reflector_start
    shadow-probe 127.0.0.1 --port "$port" --pairs 4 --max-rate 20M -o slot >out
    jq -se 'map(select(.on and (.void | not))) | all(
        (.chirp | (.sent_ns | length) == (.bytes | length) and (.delay_ns | length) == (.bytes | length))
        and .load_packets == (.chirp.bytes | length) and .chirp.sent_ns[0] == 0
        and (.chirp.sent_ns | . == sort) and .load_bytes >= (.chirp.bytes | add))' out
    jq -se 'map(select(.on | not)) | all(.chirp == null and .load_packets == 0)' out
}

@test "every schedule measures, and a sham run injects nothing" {
    reflector_start
    for schedule in train poisson lockin; do
        shadow-probe ::1 --port "$port" --pairs 4 -s $schedule -r 20M -d 3s >out
        jq -se --arg s $schedule 'map(select(.type == "slot")) |
            length > 0 and all(.schedule == $s) and any(.load_packets > 0)' out
    done
    shadow-probe 127.0.0.1 --port "$port" --pairs 4 --max-rate 0 >out
    jq -se 'map(select(.type == "slot")) | length >= 8 and all(.load_packets == 0)
        and any(.on) and any(.on | not)' out
}

@test "packets authenticated with the right key are answered, with a wrong one not" {
    printf '00112233445566778899aabbccddeeff' >key
    printf '00112233445566778899aabbccddeef0' >other
    reflector_start --key key
    shadow-probe 127.0.0.1 --port "$port" --key key --pairs 4 -o path >out
    jq -se '.[0].far_end == "stamp"' out
    run -1 --separate-stderr shadow-probe 127.0.0.1 --port "$port" --key other
    [[ $stderr == *"does not answer"* || $stderr == *"nothing answers"* ]]
}

@test "the number of windows and the time are limits" {
    reflector_start
    shadow-probe 127.0.0.1 --port "$port" --pairs 4 --count 2 -r 10M >out
    jq -se '.[-1].counts.windows == 2 and (map(.window // empty) | unique) == [1, 2]' out
    shadow-probe 127.0.0.1 --port "$port" --watch -d 2s >out
    jq -se '.[-1].reason == "deadline"' out
    run -143 timeout --preserve-status -s TERM 2 shadow-probe 127.0.0.1 --port "$port" --watch
    [ "$(tail -n 1 <<<"$output" | jq -r .reason)" = signal ]
}

@test "two destinations are measured in turn, each with its own path" {
    reflector_start
    shadow-probe 127.0.0.1 ::1 --port "$port" --pairs 4 -r 10M >out
    jq -se '(map(select(.type == "path") | .path_id) | unique | length) == 2
        and (map(select(.type == "slot") | .path_id) | unique | length) == 2
        and .[-1].counts.windows == 2' out
}

@test "a closed port of the far end measures by its ICMP errors" {
    for dest in 127.0.0.1 ::1; do
        run -0 --separate-stderr timeout 30 shadow-probe $dest --protocol udp --port 9 \
            --pairs 4 -r 1M
        [ "$(head -n 1 <<<"$output" | jq -r .far_end)" = icmp ]
    done
}

@test "a far end that says nothing at all is reported with status 1" {
    for dest in 127.0.0.1 ::1; do
        # a socket that takes what comes and never answers
        perl -MIO::Socket::IP -e '$| = 1;
            my $s = IO::Socket::IP->new(LocalHost => shift, LocalPort => 0, Type => SOCK_DGRAM) or die;
            print $s->sockport, "\n"; sleep 60' $dest >mute 3>&- &
        mute=$!
        until [ -s mute ]; do sleep 0.05; done
        run --separate-stderr timeout 30 shadow-probe $dest --protocol udp --port "$(cat mute)"
        kill $mute
        rm mute
        [ "$status" = 1 ]
        [ -n "$stderr" ]
        [ "$(tail -n 1 <<<"$output" | jq -r .type)" = end ]
    done
}

@test "wrong options are named" {
    run -2 --separate-stderr shadow-probe
    [[ $stderr == *DEST* ]]
    run -2 --separate-stderr shadow-probe 127.0.0.1 --budget 1%
    [[ $stderr == *"--live"* ]]
    run -2 --separate-stderr shadow-probe 127.0.0.1 --budget lots
    [[ $stderr == *"--budget lots"* ]]
    run -2 --separate-stderr shadow-probe 127.0.0.1 --budget 1% --live nosuchif0
    [[ $stderr == *nosuchif0* ]]
    run -2 --separate-stderr shadow-probe 127.0.0.1 --source nonsense
    [[ $stderr == *"--source nonsense"* ]]
    for schedule in lockin train poisson replay; do
        echo '{"type":"shape","v":1,"ts":0,"sizes":[[100,1]],"gaps_us":[[2000,1]]}' >shape
        run -2 --separate-stderr shadow-probe 127.0.0.1 --scope -s $schedule --shape shape
        [[ $stderr == *"--scope goes with --schedule chirp only"* ]]
        [ -z "$output" ]
    done
    run -2 --separate-stderr shadow-probe 127.0.0.1 --pairs -1
    run -2 --separate-stderr shadow-probe 127.0.0.1 --max-rate NaN
    run -2 --separate-stderr shadow-probe 127.0.0.1 --schedule never
    run --separate-stderr shadow-probe 127.0.0.1 --interface nosuchif0
    [ "$status" = 4 ] || [ "$status" = 2 ]
    [[ $stderr == *nosuchif0* ]]
    run --separate-stderr shadow-probe 127.0.0.1 --key nosuchfile
    [ "$status" -ge 2 ]
    [[ $stderr == *nosuchfile* ]]
    run -1 --separate-stderr shadow-probe no.such.host.invalid
    [[ $stderr == *no.such.host.invalid* ]]
}

@test "a full disk is an error and a closed pipe is no crash" {
    reflector_start
    run -4 --separate-stderr sh -c "shadow-probe 127.0.0.1 --port $port --pairs 4 >/dev/full"
    [ -n "$stderr" ]
    shadow-probe 127.0.0.1 --port "$port" --pairs 4 | head -n 1 | jq -e '.type == "path"'
}
