#!/usr/bin/env bats
# shadow-probe in laboratories of namespaces: what it sees of routers, and what it does to others.

# shellcheck disable=SC2030,SC2031,SC2154 # every test is a shell of its own; run sets stderr

bats_require_minimum_version 1.5.0

setup() {
    # shellcheck source=tests/lab/lab.bash
    . "$BATS_TEST_DIRNAME/lab.bash"
    lab_setup p
}

teardown() {
    lab_teardown
}

# reflect NODE: a reflector, listening
reflect() {
    shadow-lab exec -l "$LAB" "$1" shadow-reflect >reflect.out 2>reflect.err 3>&- &
    pids+=($!)
    for _ in $(seq 200); do
        [ "$(grep -c listening reflect.err)" -ge 2 ] && break
        sleep 0.05
    done
}

# up OPTION…: a chain with a reflector at its far end
up() {
    shadow-lab up chain "$@" -l "$LAB" >plan
    reflect s
}

probe() {
    shadow-lab exec -l "$LAB" c timeout 60 shadow-probe "$@"
}

@test "every router of a path is named over IPv4 and IPv6" {
    up --hops 3 --icmp off
    probe 10.9.0.2 --pairs 4 -o path,hop >out4
    jq -se '.[0] | .hops == 4 and .reached and .far_end == "stamp"
        and .addrs == ["10.64.0.2", "10.64.1.2", "10.64.2.2", "10.9.0.2"]' out4
    jq -se 'map(select(.type == "hop")) | map(.hop) == [1, 2, 3, 4]
        and all(.received > 0 and .rtt_min_us >= 0 and (.icmp_limited | not))' out4
    probe fd09::2 --pairs 4 -o path >out6
    jq -se '.[0] | .hops == 4 and .addrs[-1] == "fd09::2" and (.addrs | all(. != null))' out6
}

# loaded DST: what load at the third of four links does to each hop
loaded() {
    probe "$1" --pairs 8 -o slot >out &&
        jq -se 'def inc($h; $on): map(select(.hop == $h and .on == $on and (.void | not))
                | .increment_mean_us // empty) | sort | .[length / 2 | floor];
            inc(3; true) > 300 and inc(3; false) < 200 and inc(2; true) < 200
            and inc(4; true) < 300' out
}

@test "load delays the tight hop and those behind it, not those in front" {
    up --hops 4 --bottleneck 3 --rate 10M --icmp off
    for dst in 10.9.0.2 fd09::2; do
        within 5 loaded $dst
    done
}

# scoped: the same from the far end alone. What load finds is no queue, and every slot that the host
# left alone tells it, with load or without.
scoped() {
    probe 10.9.0.2 --scope --pairs 10 >out &&
        jq -se 'map(select(.type == "path"))[0] | .hops == 5
            and .addrs == [null, null, null, null, "10.9.0.2"]' out &&
        jq -se 'def delay($h): map(select(.type == "slot" and .on and .load_hop == $h and (.void | not))
                    | .delay_p50_us // empty) | sort | .[length / 2 | floor];
            delay(2) < 300 and delay(3) > 500 and delay(4) > 500' out &&
        jq -se 'map(select(.type == "slot" and (.void | not)) | .delay_before_us) | length > 10
            and all(. != null) and (sort | .[length / 2 | floor] < 300)' out
}

@test "TTL-scoped load is felt from the tight hop on, without any answer of a router" {
    up --hops 4 --bottleneck 3 --rate 10M
    for router in r1 r2 r3 r4; do # no router says anything
        shadow-lab exec -l "$LAB" $router nft add table inet mute
        shadow-lab exec -l "$LAB" $router nft \
            'add chain inet mute out { type filter hook output priority 0; }'
        shadow-lab exec -l "$LAB" $router nft \
            'add rule inet mute out icmp type time-exceeded drop'
    done
    within 5 scoped
}

@test "a router that limits ICMP is found out and asked about once a second" {
    up --hops 2
    probe 10.9.0.2 --pairs 12 >out
    jq -se 'map(select(.type == "hop" and .hop <= 2)) | all(.icmp_limited)' out
    jq -se 'map(select(.type == "slot" and .hop == 1)) as $s
        | ($s | length) <= 8 and ($s | map(.pair) | unique | all(. % 3 == 0))
        and ([$s[:-1], $s[1:]] | transpose | all(.[1].ts - .[0].ts > 900000))' out
}

# echoed DST: a path whose host reflects nothing and limits its ICMP errors, as Linux does, is
# measured by echo. A wrong hop is never an answer; that a window tells nothing may be.
echoed() {
    run -0 --separate-stderr probe "$1" -r 30M
    [[ $stderr == *"$1 does not reflect: measured by ICMP echo"* ]] || wrong=1
    jq -se 'map(select(.type == "path")) | length == 1 and (.[0] | .protocol == "icmp"
        and .far_end == "echo" and .hops == 5 and .reached)' <<<"$output" || wrong=1
    shadow-gradient <<<"$output" | jq -r 'select(.type == "verdict")
        | "\(.state) \(.bottleneck_hop)"' >judged
    case $(tail -n 1 judged) in
        "" | void* | inconclusive*) return 1 ;;
        "bottleneck 3") ;;
        *) wrong=1 ;;
    esac
}

@test "without a reflector the tight hop is found by echo, and one path is told" {
    shadow-lab up chain --hops 4 --bottleneck 3 --rate 10M -l "$LAB" >plan
    wrong=0
    for dst in 10.9.0.2 fd09::2; do
        within 6 echoed $dst
        [ $wrong = 0 ]
    done
}

@test "a far end that drops what it does not know is measured by echo, too" {
    shadow-lab up chain --hops 2 --icmp off -l "$LAB" >plan
    shadow-lab exec -l "$LAB" s nft 'add table inet wall;
        add chain inet wall in { type filter hook input priority 0; };
        add rule inet wall in meta l4proto udp drop'
    for dst in 10.9.0.2 fd09::2; do
        probe $dst --pairs 4 -o path,slot >out
        jq -se '(.[0] | .protocol == "icmp" and .far_end == "echo" and .hops == 3)
            and any(.type == "slot" and .hop == 3 and .received > 0)' out
    done
}

@test "a far end that answers at times is neither gone nor another path" {
    shadow-lab up chain --hops 3 -l "$LAB" >plan
    for dst in 10.9.0.2 fd09::2; do # newer kernels limit ICMPv6 less
        shadow-lab exec -l "$LAB" s sh -c 'echo 1000 >/proc/sys/net/ipv6/icmp/ratelimit'
        probe $dst --protocol udp --pairs 12 >out
        jq -se '(map(select(.type == "path")) | length == 1 and (.[0] | .far_end == "icmp"
                and .hops == 4))
            and (map(select(.type == "slot")) | length > 20 and all(.reason != "path change"))
            and (.[-1] | .reason == "done" and .counts.windows == 1
                and .counts.path_changes == 0)' out
    done
}

@test "a new path is told and begins a new window" {
    shadow-lab up diamond -l "$LAB" --icmp off >plan
    reflect d
    for way in "-4 10.9.0.2 10.9.0.0/24" "-6 fd09::2 fd09::/64"; do
        read -r family far prefix <<<"$way"
        shadow-lab exec -l "$LAB" s timeout 60 shadow-probe "$far" --watch -d 8s >out 3>&- &
        probe=$!
        for _ in $(seq 100); do # until it measures
            [ "$(grep -c '"slot"' out)" -ge 8 ] && break
            sleep 0.05
        done
        shadow-lab exec -l "$LAB" r1 ip "$family" route del "$prefix" dev to-p
        wait $probe
        jq -se 'map(select(.type == "path")) as $p | ($p | length) >= 2
            and $p[0].reason == "new" and $p[1].reason == "change"
            and $p[0].path_id != $p[1].path_id and $p[0].hops == $p[1].hops' out
        jq -se 'map(select(.type == "slot")) as $s
            | ($s | group_by(.path_id) | length) >= 2
            and ($s | group_by(.window) | all(map(select(.void | not) | .path_id) | unique | length <= 1))
            and (map(select(.type == "end"))[0].counts.path_changes >= 1)' out
    done
}

@test "no router is asked more often than --ttl-rate allows" {
    up --hops 2 --icmp off
    for way in "-s chirp" "-s lockin" "-s poisson"; do
        echo "# $way"
        # shellcheck disable=SC2086 # a way is two words
        probe 10.9.0.2 $way -r 5M --ttl-rate 3 --watch -d 10s -o slot >out
        # What the first slots sent is not spread over anything yet.
        jq -se 'map(select(.hop == 1)) | length >= 3 and
            (.[2:] | map(.sent) | add) <= 3 * (.[-1].ts - .[0].ts) / 1e6' out
    done
}

@test "a path that goes on to change ends the run without an answer" {
    shadow-lab up diamond -l "$LAB" --icmp off >plan
    reflect d
    shadow-lab exec -l "$LAB" s timeout 60 shadow-probe 10.9.0.2 >out 2>err 3>&- &
    probe=$!
    way=$(shadow-lab exec -l "$LAB" r1 ip route show 10.9.0.0/24 | head -1)
    for _ in $(seq 40); do
        kill -0 "$probe" 2>/dev/null || break
        shadow-lab exec -l "$LAB" r1 ip route del 10.9.0.0/24 dev to-p || true
        sleep 0.7
        # shellcheck disable=SC2086 # a route is several words
        shadow-lab exec -l "$LAB" r1 ip route add $way || true
        sleep 0.7
    done
    status=0
    wait "$probe" || status=$?
    [ "$status" = 1 ]
    jq -se '.[-1].reason == "unstable" and .[-1].counts.path_changes >= 3' out
    grep -q 'changed 3 times' err
}

@test "a new path is told where nothing reflects" {
    shadow-lab up diamond -l "$LAB" --icmp off >plan
    for way in "-4 10.9.0.2 10.9.0.0/24" "-6 fd09::2 fd09::/64"; do
        read -r family far prefix <<<"$way"
        shadow-lab exec -l "$LAB" s timeout 60 shadow-probe "$far" --watch -d 8s >out 3>&- &
        probe=$!
        for _ in $(seq 100); do # until it measures
            [ "$(grep -c '"slot"' out)" -ge 8 ] && break
            sleep 0.05
        done
        shadow-lab exec -l "$LAB" r1 ip "$family" route del "$prefix" dev to-p
        wait $probe
        jq -se 'map(select(.type == "path")) as $p | ($p | length) >= 2
            and ($p | all(.protocol == "icmp" and .far_end == "echo"))
            and $p[1].reason == "change" and $p[0].path_id != $p[1].path_id' out
    done
}

@test "the load stops when the far end falls silent, and goes on when it is back" {
    up --hops 1 --bottleneck 1 --rate 20M --icmp off
    reflector=$(pgrep -P "${pids[0]}" || echo "${pids[0]}")
    shadow-lab exec -l "$LAB" c timeout 60 shadow-probe 10.9.0.2 --watch -d 12s >out 3>&- &
    probe=$!
    for _ in $(seq 100); do
        [ "$(grep -c '"slot"' out)" -ge 8 ] && break
        sleep 0.05
    done
    kill -STOP "$reflector"
    sleep 3
    before=$(shadow-lab exec -l "$LAB" c cat /sys/class/net/to-r1/statistics/tx_bytes)
    sleep 2
    after=$(shadow-lab exec -l "$LAB" c cat /sys/class/net/to-r1/statistics/tx_bytes)
    kill -CONT "$reflector"
    wait $probe
    [ $((after - before)) -lt 20000 ] # ladders that look for it, no load
    jq -se '.[-1].type == "end" and (map(select(.type == "slot" and .on)) | last | .load_lost) < 5' out
}

# The ways to probe, one a line: every schedule, every carrier.
ways() {
    cat <<'END'
10.9.0.2
fd09::2 --scope
10.9.0.2 -s lockin
fd09::2 -s train
10.9.0.2 -s poisson
fd09::2 -s replay --shape shape
10.9.0.2 --protocol icmp
fd09::2 --protocol icmp
10.9.0.2 --port 9
fd09::2 --port 9
10.9.0.2 --protocol tcp
fd09::2 --protocol tcp
--flow 10.8.0.2:5000-10.9.0.2:6000/udp
--flow [fd08::2]:5000-[fd09::2]:6000/tcp
10.9.0.2 --live to-r1 --budget 50%
END
}

@test "while it measures it is nobody, without capabilities, and lacks no system call it makes" {
    up --hops 2 --icmp off
    echo '{"type":"shape","v":1,"ts":0,"sizes":[[100,1],[600,1]],"gaps_us":[[2000,1]]}' >shape
    status=$(shadow-lab exec -l "$LAB" c sh -c 'shadow-probe 10.9.0.2 --watch -q >out & probe=$!
        until [ -s out ]; do sleep 0.05; done
        sleep 1
        cat /proc/$probe/status
        kill $probe; wait $probe || true')
    grep -q '^Uid:.*65534.*65534.*65534.*65534' <<<"$status"
    [ "$(grep -c '^Cap[IPEA][a-z]*:[[:space:]]*0000000000000000$' <<<"$status")" = 4 ]
    grep -q '^NoNewPrivs:[[:space:]]*1$' <<<"$status"
    [ "${MODE:-release}" = release ] || return 0
    grep -q '^Seccomp:[[:space:]]*2$' <<<"$status"
    shadow-lab traffic -l "$LAB" --from c --to s --rate 5M --duration 5m >live </dev/null &
    live=$! # what --live counts
    while read -r way; do
        echo "# $way"
        # shellcheck disable=SC2086 # a way is several words
        shadow-lab exec -l "$LAB" c strace -o calls "$(command -v shadow-probe)" -d 3s -r 5M $way \
            >out </dev/null
        grep -q 'PR_SET_NO_NEW_PRIVS' calls
        sed '1,/PR_SET_NO_NEW_PRIVS/d' calls | grep EPERM && false
        jq -se 'any(.type == "slot") and .[-1].type == "end"
            and (.[-1].reason | . == "deadline" or . == "done" or . == "budget")' out
    done < <(ways)
    kill "$live"
    wait "$live" || true
}

@test "confined as it is, it ends by the signal it gets, its last record written" {
    up --hops 1 --icmp off
    for signal in INT:130 TERM:143 HUP:129; do
        run -"${signal#*:}" shadow-lab exec -l "$LAB" c timeout --preserve-status \
            -s "${signal%:*}" 2 shadow-probe 10.9.0.2 --watch
        [ "$(tail -n 1 <<<"$output" | jq -r '.type + " " + .reason')" = "end signal" ]
    done
    run -138 shadow-lab exec -l "$LAB" c timeout --preserve-status -s USR1 2 \
        shadow-probe 10.9.0.2 --watch
}
