#!/usr/bin/env bats
# shadow-lab on the real kernel.

bats_require_minimum_version 1.5.0

setup() {
    # shellcheck source=tests/lab/lab.bash
    . "$BATS_TEST_DIRNAME/lab.bash"
    lab_setup t
}

teardown() {
    lab_teardown
}

up() {
    shadow-lab up "$@" -l "$LAB" >plan
}

in_node() {
    shadow-lab exec -l "$LAB" "$@"
}

@test "a chain forwards IPv4 and IPv6 from end to end" {
    up chain --hops 3
    in_node c ping -q -c 3 -i 0.05 -W 2 10.9.0.2
    in_node c ping -q -c 3 -i 0.05 -W 2 fd09::2
    run in_node c ping -c 1 -t 3 -W 2 10.9.0.2
    [[ $output == *"10.64.2.2"*"exceeded"* ]]
    run in_node c ping -c 1 -t 2 -W 2 fd09::2
    [[ $output == *"fd00:6401::2"*"exceeded"* ]]
}

@test "a second laboratory of the same name is refused and the first left alone" {
    up chain --hops 1
    run -2 --separate-stderr shadow-lab up diamond -l "$LAB"
    [[ $stderr == *"stands already"* ]]
    in_node c ping -q -c 1 -W 2 10.9.0.2
}

@test "down takes down what carries its name and nothing else" {
    up chain --hops 1
    shadow-lab up chain --hops 1 -l "$LAB-other" >/dev/null
    ip netns add "sdw-${LAB}x-r1"
    shadow-lab down -l "$LAB"
    [ "$(ip netns | grep -c "^sdw-$LAB-other-")" = 4 ]
    [ "$(ip netns | grep -c "^sdw-${LAB}x-r1")" = 1 ]
    [ "$(ip netns | grep -c "^sdw-$LAB-[a-z0-9]*\( \|$\)")" = 0 ]
    ip netns del "sdw-${LAB}x-r1"
    shadow-lab down -l "$LAB-other"
}

@test "nothing is left after kill -9 of up and a down" {
    for delay in 0.001 0.003 0.006 0.01 0.02; do
        shadow-lab up chain --hops 20 -l "$LAB" >/dev/null 3>&- &
        pid=$!
        sleep "$delay"
        kill -9 $pid 2>/dev/null || true
        wait $pid 2>/dev/null || true
        shadow-lab down -l "$LAB"
        [ "$(ip netns | grep -c "^sdw-$LAB-")" = 0 ]
        [ -z "$(find /run/shadow-lab -name "$LAB.*" 2>/dev/null)" ]
    done
    up chain --hops 2
}

@test "down ends the processes inside" {
    up chain --hops 1
    shadow-lab exec -l "$LAB" r1 sleep 300 3>&- &
    pid=$!
    for _ in $(seq 50); do
        [ "$(readlink /proc/$pid/exe)" != "${BASH:-}" ] && ip netns pids "sdw-$LAB-r1" | grep -qx $pid && break
        sleep 0.05
    done
    run -0 shadow-lab down -l "$LAB"
    [ "$(jq .counts.processes <<<"$output")" = 1 ]
    ! kill -0 $pid 2>/dev/null
}

@test "exec gives the command its streams, its signals and its exit status" {
    up chain --hops 1
    run -7 in_node c sh -c 'exit 7'
    run -0 in_node c cat <<<"through"
    [ "$output" = through ]
    run -2 in_node nowhere true
    run -2 in_node c no-such-program
    run -143 in_node c sh -c 'kill -TERM $$'
}

@test "the tight link has its rate and counts what it drops" {
    up chain --rate 4M --buffer 30ms
    shadow-lab traffic -l "$LAB" --from c --to s --rate 8M --size 1000 --duration 2s >out
    jq -se 'map(select(.final)) | length == 1 and .[0].sent > 500' out
    sent=$(jq 'select(.final) | .sent' out) lost=$(jq 'select(.final) | .lost' out)
    drops=$(shadow-lab counters r2-r3 -l "$LAB" | jq 'select(.series == "link/r2-r3/drops").value')
    [ "$drops" -eq "$lost" ]
    # No more than the rate and the buffer let through, whatever the host did.
    [ $(((sent - lost) * 1014 * 8)) -le $((4000000 * 21 / 10 + 30 * 4000 + 2 * 1514 * 8)) ]
    jq -se 'map(select(.final))[0] | .delay_max_us > 20000 and .delay_p50_us <= .delay_p99_us' out
}

@test "every model of traffic gets through, over IPv4 and IPv6" {
    up chain --hops 2 --bottleneck 2
    for family in "" --ipv6; do
        for model in cbr poisson onoff app bulk; do
            shadow-lab traffic -l "$LAB" --from c --to s --model $model --flows 2 --rate 2M \
                --duration 600ms --interval 200ms $family >out
            jq -se --arg m $model 'map(select(.type == "traffic"))
                | all(.model == $m) and (map(select(.final)) | length == 3)
                and (map(select(.final)) | last | .sent > 0 and .received > 0
                     and .lost == 0 and .reordered == 0 and .duplicated == 0)' out
        done
    done
}

@test "random loss is on no counter of the sender and can be ended" {
    up chain --hops 2 --bottleneck 2 --loss 50%
    shadow-lab traffic -l "$LAB" --from c --to s --rate 4M --size 200 --duration 1s --ipv6 >out
    jq -se 'map(select(.final))[0] | .lost > .sent * 0.3 and .lost < .sent * 0.7' out
    [ "$(shadow-lab counters r1-r2 -l "$LAB" | jq 'select(.series == "link/r1-r2/drops").value')" = 0 ]
    shadow-lab set r1-r2 --no-loss -l "$LAB" | jq -se '.[0] | has("loss_share") | not'
    shadow-lab traffic -l "$LAB" --from c --to s --rate 1M --duration 500ms >out
    jq -se 'map(select(.final))[0].lost == 0' out
}

@test "a link can be changed in both directions while it stands" {
    up chain --hops 2 --bottleneck 2 --rate 10M
    shadow-lab set r1-r2 --rate 5M -l "$LAB" | jq -se '.[0] | .rate_bps == 5000000 and .buffer_bytes == 50000'
    shadow-lab set r2-r1 --rate 3M --buffer 20ms -l "$LAB" | jq -se '.[0].rate_back_bps == 3000000'
    in_node r1 tc qdisc show dev to-r2 | grep -q 'rate 5Mbit'
    in_node r2 tc qdisc show dev to-r1 | grep -q 'rate 3Mbit'
    shadow-lab list -l "$LAB" | jq -se 'map(select(.link == "r1-r2"))[0] | .rate_bps == 5000000'
    run -2 shadow-lab set r1-r9 --rate 3M -l "$LAB"
    run -1 shadow-lab counters c-r1 -l "$LAB"
}

@test "htb shapes too" {
    up chain --hops 2 --bottleneck 2 --rate 6M --shaper htb
    in_node r1 tc class show dev to-r2 | grep -q 'rate 6Mbit'
    in_node c ping -q -c 1 -W 2 fd09::2
    shadow-lab set r1-r2 --rate 7M -l "$LAB"
    in_node r1 tc class show dev to-r2 | grep -q 'rate 7Mbit'
}

@test "the listed plan builds the same laboratory again" {
    up diamond --loss 1% --nominal 30M
    shadow-lab list -l "$LAB" >first
    shadow-lab down -l "$LAB"
    shadow-lab up first -l "$LAB" >second
    diff <(jq -c 'del(.ts)' first) <(jq -c 'del(.ts)' second)
    in_node s ping -q -c 1 -W 2 10.9.102.1
    in_node s ping -q -c 1 -W 2 fd09:101::1
}

@test "equal-cost branches carry flows apart, each flow on one" {
    up ecmp --width 2 --rate 50M
    shadow-lab traffic -l "$LAB" --from c --to s --flows 32 --rate 4M --duration 1s >out
    jq -se 'map(select(.final)) | last | .lost == 0 and .reordered == 0' out
    one=$(in_node e1 cat /sys/class/net/to-r2/statistics/tx_packets)
    two=$(in_node e2 cat /sys/class/net/to-r2/statistics/tx_packets)
    [ "$one" -gt 50 ]
    [ "$two" -gt 50 ]
}

@test "limits on ICMP answers are the kernel's own unless they are off" {
    up chain --hops 1
    [ "$(in_node r1 cat /proc/sys/net/ipv4/icmp_ratelimit)" = 1000 ]
    shadow-lab down -l "$LAB"
    up chain --hops 1 --icmp off
    [ "$(in_node r1 cat /proc/sys/net/ipv4/icmp_ratelimit)" = 0 ]
    [ "$(in_node r1 cat /proc/sys/net/ipv6/icmp/ratelimit)" = 0 ]
}

@test "a description of one's own is built, with its sysctls" {
    cat >own <<'EOF'
{"type":"node","v":1,"node":"left","role":"host","addrs":["192.0.2.1/24","2001:db8:1::1/64"]}
{"type":"node","v":1,"node":"mid","sysctls":{"net.ipv4.ip_default_ttl":99}}
{"type":"node","v":1,"node":"right","role":"host","addrs":["198.51.100.1/24","2001:db8:2::1/64"]}
{"type":"link","v":1,"a":"left","b":"mid","rate_bps":10000000}
{"type":"link","v":1,"a":"mid","b":"right"}
EOF
    up own
    in_node left ping -q -c 1 -W 2 198.51.100.1
    in_node right ping -q -c 1 -W 2 2001:db8:1::1
    [ "$(in_node mid cat /proc/sys/net/ipv4/ip_default_ttl)" = 99 ]
}

@test "a setting that the kernel does not have is refused and nothing is left" {
    echo '{"type":"node","v":1,"node":"a","sysctls":{"net.ipv4.no_such":1}}' >own
    run -1 --separate-stderr shadow-lab up own -l "$LAB"
    [[ $stderr == *"net.ipv4.no_such"* ]]
    ! ip netns | grep -q "^sdw-$LAB-"
}

@test "the plan on a full disk or a closed pipe is an error, the laboratory stands" {
    run -4 --separate-stderr bash -c "shadow-lab up chain --hops 1 -l $LAB >/dev/full"
    [[ $stderr == *"space"* ]]
    in_node c ping -q -c 1 -W 2 10.9.0.2
}

@test "it works in a user namespace without root" {
    unshare -Urnm true 2>/dev/null || skip "user namespaces may not be made here"
    run -0 setpriv --reuid 65534 --regid 65534 --clear-groups \
        env HOME=/nonexistent PATH="$PATH" unshare -Urnm sh -ec '
        shadow-lab up chain --hops 2 --bottleneck 2 -l u >/dev/null
        shadow-lab exec -l u c ping -q -c 1 -W 2 10.9.0.2
        shadow-lab exec -l u c ping -q -c 1 -W 2 fd09::2
        shadow-lab traffic -l u --from c --to s --rate 1M --duration 300ms | jq -se "map(select(.final))[0].received > 0"
        shadow-lab down -l u'
}
