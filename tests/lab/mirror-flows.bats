#!/usr/bin/env bats
# shadow-probe --mirror: shadows of the flows that records tell of.

# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # awk; every test is a shell of its own; run sets stderr

bats_require_minimum_version 1.5.0

setup() {
    # shellcheck source=tests/lab/lab.bash
    . "$BATS_TEST_DIRNAME/lab.bash"
    # shellcheck source=tests/lab/mirror.bash
    . "$BATS_TEST_DIRNAME/mirror.bash"
    lab_setup n
}

teardown() {
    exec 7>&- || true
    lab_teardown
}

# flow TYPE ID SPORT DPORT PROTOCOL [MORE]: a record of a flow from c to s; ID begins with 6: IPv6
flow() {
    local src=10.8.0.2 dst=10.9.0.2
    [[ $2 != 6* ]] || src=fd08::2 dst=fd09::2
    printf '{"type":"flow.%s","v":1,"ts":1,"flow_id":"%s","src":"%s","sport":%d,"dst":"%s","dport":%d,"protocol":"%s"%s}\n' \
        "$1" "$2" "$src" "$3" "$dst" "$4" "$5" "${6:-}"
}

# received NODE: UDP datagrams delivered to its sockets; what has a wrong checksum, TCP and UDP
received() {
    node "$1" awk '/^Udp: [0-9]/ { d += $2; c += $8 }
                   /^Tcp: [0-9]/ { c += $15 }
                   $1 == "Udp6InDatagrams" { d += $2 } $1 == "Udp6InCsumErrors" { c += $2 }
                   END { print d + 0, c + 0 }' /proc/net/snmp /proc/net/snmp6
}

# answers NODE: ICMP messages that it has sent
answers() {
    node "$1" awk '/^Icmp: [0-9]/ { print $16 }' /proc/net/snmp
}

@test "every flow gets its path and slots under its own id, and its application gets nothing" {
    shadow-lab up chain --hops 3 --icmp off -l "$LAB" >plan
    ip netns exec "sdw-$LAB-s" shadow-reflect -q --bind 10.9.0.2,fd09::2 --port 6000 >app 3>&- &
    pids+=("$!")
    sleep 0.3
    {
        flow new 4a 5000 6000 udp
        flow new 4b 5001 6000 tcp
        flow new 6a 5000 6000 udp ',"flow_label":7'
        flow new 6b 5001 6000 tcp
    } >flows
    node c shadow-probe --mirror --duration 9s <flows >out
    [ "$(jq -r 'select(.type == "path") | .flow_id' out | sort | paste -sd ' ')" = "4a 4b 6a 6b" ]
    jq -se 'map(select(.type == "path")) | all(.reason == "new" and .src != null and (.flow | test("-")))
        and (map(select(.flow_id == "4a"))[0] | .addrs == ["10.64.0.2", "10.64.1.2", "10.64.2.2"])
        and (map(select(.flow_id == "6a"))[0] | .flow_label == 7
             and .addrs == ["fd00:6400::2", "fd00:6401::2", "fd00:6402::2"])
        and (map(.path_id) | unique | length) == 2' out
    # Each has a slot of its own packets in time, at each hop, and there is load in some.
    jq -se 'map(select(.type == "slot" and .shared != true)) | (map(.flow_id) | unique) == ["4a", "4b", "6a", "6b"]
        and all(.hops == 3 and .sent > 0) and any(.load_packets > 0) and any(.on | not)' out
    jq -se '.[-1] | .type == "end" and .reason == "deadline" and .counts.most_shadows == 4' out
    read -r delivered poisoned <<<"$(received s)"
    echo "# $delivered delivered, $poisoned with a wrong checksum"
    [ "$delivered" = 0 ]
    # All that reached the host is what found the ends of two paths.
    [ "$poisoned" -gt 0 ]
    [ "$poisoned" -le 6 ]
}

@test "a shadow closes with its flow, one of a known path is there at once, and what is odd is counted" {
    shadow-lab up chain --hops 2 --icmp off -l "$LAB" >plan
    mirror
    flow new a 5000 6000 udp >&7
    await 5 'any(.type == "slot")'
    flow new a 5000 6000 udp >&7                # again
    flow end z 5009 6000 udp ',"reason":"idle"' >&7 # never heard of
    printf 'nonsense\n{"type":"flow.new","v":1}\n\n{"type":"other","x":1.50}\n' >&7
    flow new b 5001 6001 tcp >&7
    await 5 'any(.type == "slot" and .flow_id == "b")'
    flow end a 5000 6000 udp ',"reason":"closed"' >&7
    await 5 'any(.type == "mirror" and .flow_id == "a" and .state == "closed" and .reason == "flow ended")'
    exec 7>&-
    wait "$probe" && status=0 || status=$?
    [ "$status" = 3 ] # two lines were bad
    [ "$(grep -c 'line' err)" -ge 2 ]
    jq -se '.[-1] | .reason == "eof" and (.counts | .flows == 2 and .repeated == 1 and .unknown == 1
        and .most_shadows == 2 and .traces == 1 and .paths == 1)' out
    grep -qxF '{"type":"other","x":1.50}' out # passed on, byte for byte
    grep -qxF "$(flow new b 5001 6001 tcp)" out
    # The second flow needed no trace: its destination was known.
    jq -se 'map(select(.type == "mirror" and .state == "closed") | .flow_id) == ["a", "b"]' out
}

@test "only flows that meet the conditions are mirrored, also once their application is known" {
    shadow-lab up chain --hops 1 --icmp off -l "$LAB" >plan
    {
        flow new a 5000 443 tcp
        flow new b 5001 80 tcp
        flow new c 5002 80 tcp
        flow app c 5002 80 tcp ',"app":"Zoom","category":"Video"'
    } >flows
    node c shadow-probe --mirror 'dport=443' <flows >out
    [ "$(jq -r 'select(.type == "path") | .flow_id' out)" = a ]
    node c shadow-probe --mirror 'app=Zoom' <flows >out
    [ "$(jq -r 'select(.type == "path") | .flow_id' out)" = c ]
    run -2 --separate-stderr node c shadow-probe --mirror 'dport~(' <flows
    [[ $stderr == *"dport~("* ]]
}

@test "flows on branches of equal cost are on different paths, each the one that it takes" {
    shadow-lab up ecmp --width 4 --icmp off -l "$LAB" >plan
    for port in $(seq 9001 9012); do flow new "p$port" 5000 "$port" udp; done >flows
    for port in $(seq 9001 9006); do flow new "6p$port" 5000 "$port" tcp; done >>flows
    node c shadow-probe --mirror --duration 6s <flows >out
    jq -se 'map(select(.type == "path")) | (map(.addrs[1]) | unique | length) > 2' out
    # The last record of a flow says where it is; --flow sees the same way.
    for port in 9001 9002 9003 9004; do
        node c shadow-probe --flow 10.8.0.2:5000-10.9.0.2:$port/udp -s train --duration 400ms -o path >one
        [ "$(jq -r '.addrs[1]' one)" = \
            "$(jq -rs --arg id p$port 'map(select(.type == "path" and .flow_id == $id)) | last | .addrs[1]' out)" ]
    done
    # Only slots that were measured without another flow's way are told.
    jq -se 'map(select(.type == "slot")) | length > 0' out
}

@test "flows that are routed another way move to another path, and say so" {
    shadow-lab up diamond --icmp off -l "$LAB" >plan
    from=s
    mirror
    flow new a 5000 6000 udp >&7
    flow new b 5001 6000 tcp >&7
    await 5 '(map(select(.type == "slot") | .flow_id) | unique | length) == 2'
    before=$(jq -rs 'map(select(.type == "path"))[0].addrs[1]' out)
    node r1 ip route replace 10.9.0.0/24 via "$(jq -r 'select(.type == "link" and .link == "r1-b") | .b_addrs[0] | split("/")[0]' plan)"
    await 20 'map(select(.type == "mirror" and .state == "moved") | .flow_id) | unique == ["a", "b"]'
    after=$(jq -rs 'map(select(.type == "path" and .reason == "change"))[0].addrs[1]' out)
    [ "$before" != "$after" ]
    await 5 'map(select(.type == "path" and .reason == "change"))[0].path_id as $p
        | any(.type == "slot" and .path_id == $p and .void == false)'
}

@test "a flow that this host sends out by another interface is followed there" {
    shadow-lab up diamond --icmp off -l "$LAB" >plan
    from=r1
    mirror
    printf '{"type":"flow.new","v":1,"ts":1,"flow_id":"%s","src":"%s","sport":5000,"dst":"%s","dport":9,"protocol":"udp"}\n' \
        4a 10.64.0.2 10.9.0.2 6a fd00:6400::2 fd09::2 >&7
    await 5 '(map(select(.type == "slot") | .flow_id) | unique | length) == 2'
    jq -se 'map(select(.type == "path") | .addrs[0]) | sort == ["10.64.1.2", "fd00:6401::2"]' out
    node r1 ip route del 10.9.0.0/24 via 10.64.1.2 # the other way stays
    node r1 ip route del fd09::/64 via fd00:6401::2
    await 20 'map(select(.type == "path" and .reason == "change") | .addrs[0]) | sort == ["10.64.3.2", "fd00:6403::2"]'
}

@test "a destination with no router in front gets one trace, not one of each flow" {
    shadow-lab up chain --hops 1 --icmp off -l "$LAB" >plan
    for i in $(seq 30); do
        printf '{"type":"flow.new","v":1,"ts":1,"flow_id":"f%d","src":"10.9.0.1","sport":%d,"dst":"10.9.0.2","dport":53,"protocol":"udp"}\n' "$i" "$((5000 + i))"
    done >flows
    head -n 20 flows >first
    from=r1
    mirror --duration 4s
    cat first >&7
    await 3 'map(select(.type == "mirror" and .state == "suspended")) | length == 20'
    tail -n 10 flows >&7
    wait "$probe"
    jq -se 'map(select(.type == "mirror" and .state == "suspended") | .reason) | length == 30
        and all(. == "no router of its path answers")' out
    jq -se '.[-1].counts.traces == 1' out
    read -r delivered poisoned <<<"$(received s)"
    [ "$delivered $poisoned" = "0 3" ]
}

@test "a trace ends where packets go round in a circle" {
    shadow-lab up chain --hops 2 --icmp off -l "$LAB" >plan
    # What r2 has no other way for goes back to r1, which sends it to r2 again.
    node r1 ip route add 203.0.113.0/24 via 10.64.1.2
    node r2 ip route add 203.0.113.0/24 via 10.64.1.1
    for i in $(seq 60); do
        printf '{"type":"flow.new","v":1,"ts":1,"flow_id":"f%d","src":"10.8.0.2","sport":5000,"dst":"203.0.113.%d","dport":9,"protocol":"udp"}\n' "$i" "$i"
    done >flows
    before=$(answers r1)
    node c shadow-probe --mirror --duration 4s --ttl-rate 20 <flows >out
    after=$(answers r1)
    echo "# r1 was asked $((after - before)) times in 4 s, paths $(jq -c 'select(.type == "path") | .addrs' out | sort | uniq -c)"
    [ "$((after - before))" -le 100 ] # 20 a second, and the first ones at once
    jq -se 'map(select(.type == "path") | .addrs | length) | length > 0 and all(. <= 3)' out
}

@test "an address that answers at two hops is asked no more often for it" {
    shadow-lab up chain --hops 3 --icmp off -l "$LAB" >plan
    for r in 1 2; do # both answer from one address, as the two halves of a pair may
        node r$r ip addr add 10.99.0.1/32 dev lo
        node r$r sysctl -qw net.ipv4.conf.all.accept_local=1 net.ipv4.conf.all.rp_filter=0
        route=$(node r$r ip route show 10.8.0.0/24)
        # shellcheck disable=SC2086 # words of a route
        node r$r ip route change $route src 10.99.0.1
    done
    for i in $(seq 120); do
        printf '{"type":"flow.new","v":1,"ts":1,"flow_id":"f%d","src":"10.8.0.2","sport":5000,"dst":"10.9.0.%d","dport":9,"protocol":"udp"}\n' "$i" "$((i + 9))"
    done >flows
    before=$(($(answers r1) + $(answers r2)))
    node c shadow-probe --mirror --duration 6s --ttl-rate 20 <flows >out
    after=$(($(answers r1) + $(answers r2)))
    echo "# asked $((after - before)) times in 6 s, paths $(jq -c 'select(.type == "path") | .addrs' out | sort | uniq -c)"
    jq -se 'map(select(.type == "path")) | length > 0 and all(.addrs[:2] == ["10.99.0.1", "10.99.0.1"])' out
    [ "$((after - before))" -le 140 ] # 20 a second, and the first ones at once
}

# Load for one path dies at the router that traces of others have yet to find on their way.
busiest_second() {
    ip netns exec "sdw-$LAB-c" tshark -l -i to-r1 -f 'icmp[0] = 11 and src 10.64.1.2' -T fields \
        -e frame.time_epoch >seen 2>tap 3>&- &
    local tap=$! i
    pids+=("$tap")
    for i in $(seq 100); do
        ! grep -q Capturing tap || break
        sleep 0.1
    done
    {
        printf '{"type":"flow.new","v":1,"ts":1,"flow_id":"near","src":"10.8.0.2","sport":7,"dst":"10.64.2.2","dport":9,"protocol":"udp"}\n'
        printf '{"type":"flow.app","v":1,"ts":1,"flow_id":"near","src":"10.8.0.2","sport":7,"dst":"10.64.2.2","dport":9,"protocol":"udp","app":"Zoom","category":"VoIP"}\n'
        for i in $(seq 240); do
            [ "$((i % 40))" != 1 ] || sleep 2
            printf '{"type":"flow.new","v":1,"ts":1,"flow_id":"f%d","src":"10.8.0.2","sport":7,"dst":"10.9.0.%d","dport":9,"protocol":"udp"}\n' "$i" "$i"
        done
    } | node c shadow-probe --mirror --duration 14s >out
    kill "$tap"
    wait "$tap" || true
    awk '{ t[NR] = $1; while (t[NR] - t[first + 1] > 1) first++; n = NR - first; if (n > most) most = n }
         END { print most + 0 }' seen >most
    jq -c 'select(.type == "end") | .counts | {paths, traces, slots}' out
    echo "# $(<most) in the busiest second, $(jq -s 'map(select(.type == "slot" and .load_packets > 0 and .hop == 2 and .hops == 2)) | length' out) trains"
    jq -se 'any(.type == "slot" and .load_packets > 0 and .hops == 2)' out && [ "$(<most)" -gt 20 ] &&
        [ "$(<most)" -le 50 ]
}

@test "a router that load dies at and that traces find on their way answers no more than it may" {
    shadow-lab up chain --hops 3 --icmp off -l "$LAB" >plan
    within 3 busiest_second
    jq -se '.[-1].counts.traces > 100' out
}

@test "routers that limit their answers are asked no more than they give" {
    shadow-lab up chain --hops 2 -l "$LAB" >plan # Linux: one a second
    mirror
    for i in $(seq 20); do flow new "f$i" $((5000 + i)) 6000 udp >&7; done
    await 5 'any(.type == "slot")'
    sleep 12
    exec 7>&-
    wait "$probe"
    # After the first dozen questions, no more than one a second.
    jq -se '(map(select(.type == "slot" and .hop == 1 and .shared != true)) | sort_by(.ts)) as $s
        | ($s | last | .ts) as $newest | ($s | map(select(.ts > $newest - 6e6))) as $late
        | ($late | map(.sent) | add) <= 7' out
    # Where only the last router could have answered load, none goes on for long.
    jq -se 'map(select(.type == "slot" and .load_packets > 0 and .hop == .hops)) | length <= 2' out
}

@test "a path that load would hurt gets no more of it for a while, and the victim loses nothing" {
    shadow-lab up chain --hops 2 --bottleneck 2 --rate 10M --buffer 100ms --icmp off -l "$LAB" >plan
    shadow-lab traffic -l "$LAB" --from x1 --to x2 --rate 9800k --model poisson --duration 25s >cross 2>&1 3>&- &
    pids+=("$!")
    shadow-lab traffic -l "$LAB" --from c --to s --rate 100k --size 200 --port 9100 --name victim \
        --duration 20s >victim 2>&1 3>&- &
    victim=$!
    pids+=("$victim")
    mirror --duration 18s
    flow new a 5000 6000 udp >&7
    flow app a 5000 6000 udp ',"app":"Zoom","category":"VoIP"' >&7
    wait "$probe" && status=0 || status=$?
    wait "$victim" || true
    [ "$status" = 0 ]
    jq -se '.[-1].counts | .slots >= 4' out
    # Between an abort and the next load lie ten seconds, then twenty.
    jq -se '[.[] | select(.type == "slot" and .hop == .hops and .load_packets > 0)] as $loads
        | [range(1; $loads | length) | select($loads[. - 1].reason == "abort")
           | $loads[.].ts - $loads[. - 1].ts] | all(. >= 9.9e6)' out
    echo "# $(jq -c 'select(.final and .flow == "victim") | [.sent, .lost]' victim)"
    [ "$(jq -s '[.[] | select(.final)] | last | .lost' victim)" -le 20 ] # what the cross traffic alone makes it lose
}

@test "flows of sensitive applications are measured more often, and told by app records too" {
    shadow-lab up ecmp --width 2 --icmp off -l "$LAB" >plan
    {
        flow new h 5000 9001 udp ',"app":"Calls"'
        flow new 6l 5000 9001 udp ',"app":"Backup"'
        printf '{"type":"app","v":1,"ts":1,"app":"Calls","sensitivity":"high","current_bps":1}\n'
        printf '{"type":"app","v":1,"ts":1,"app":"Backup","sensitivity":"low","current_bps":1}\n'
    } >flows
    node c shadow-probe --mirror --duration 13s <flows >out
    jq -se 'def n($id): [.[] | select(.type == "slot" and .hop == 1 and .shared != true and .flow_id == $id)] | length;
        n("h") >= 5 and n("6l") >= 1 and n("6l") <= 4' out
    [ "$(jq -rs 'map(select(.type == "mirror" and .flow_id == "h")) | last | .sensitivity' out)" = high ]
}

@test "a flow that nothing more is heard of closes" {
    shadow-lab up chain --hops 1 --icmp off -l "$LAB" >plan
    mirror --idle 2s
    flow new a 5000 6000 udp >&7
    flow new b 5001 6000 udp >&7
    for _ in 1 2 3 4; do
        sleep 1
        flow update b 5001 6000 udp >&7
    done
    await 5 'any(.type == "mirror" and .flow_id == "a" and .state == "closed" and .reason == "idle")'
    jq -se 'any(.type == "mirror" and .flow_id == "b" and .state == "closed") | not' out
}

@test "what cannot be mirrored is refused, with the reason" {
    shadow-lab up chain --hops 1 --icmp off -l "$LAB" >plan
    {
        printf '{"type":"flow.new","v":1,"ts":1,"flow_id":"i","src":"10.8.0.2","dst":"10.9.0.2","protocol":"icmp"}\n'
        printf '{"type":"flow.new","v":1,"ts":1,"flow_id":"m","src":"10.8.0.2","sport":1,"dst":"239.1.1.1","dport":2,"protocol":"udp"}\n'
        printf '{"type":"flow.new","v":1,"ts":1,"flow_id":"n","src":"10.8.0.2","sport":1,"dst":"203.0.113.1","dport":2,"protocol":"udp"}\n'
        printf '{"type":"flow.new","v":1,"ts":1,"flow_id":"x","src":"x","sport":1,"dst":"10.9.0.2","dport":2,"protocol":"udp"}\n'
        flow new t 5000 6000 udp ',"around":["vxlan"],"vni":5'
        flow new l 5000 6000 tcp ',"around":["vlan"],"vlan":5'
    } >flows
    node c ip route add unreachable 203.0.113.0/24
    node c shadow-probe --mirror <flows >out
    [ "$(jq -r 'select(.state == "refused") | .flow_id + ":" + .reason' out)" = \
        "i:neither TCP nor UDP
m:a group has no one path
n:no route from here
x:no addresses and ports of one family
t:inside a tunnel" ]
    [ "$(jq -r 'select(.type == "path") | .flow_id' out)" = l ]
}

@test "a flow towards this host is mirrored in the direction that leaves it" {
    shadow-lab up chain --hops 1 --icmp off -l "$LAB" >plan
    printf '{"type":"flow.new","v":1,"ts":1,"flow_id":"a","src":"10.9.0.2","sport":1000,"dst":"10.8.0.2","dport":22,"protocol":"tcp"}\n{"type":"flow.new","v":1,"ts":1,"flow_id":"b","src":"fd09::2","sport":1000,"dst":"fd08::2","dport":22,"protocol":"tcp"}\n' >flows
    node c shadow-probe --mirror <flows >out
    [ "$(jq -r 'select(.type == "path") | .flow' out)" = "10.8.0.2:22-10.9.0.2:1000/tcp
[fd08::2]:22-[fd09::2]:1000/tcp" ]
}

@test "a reader that does not read stops neither the probing nor the end" {
    shadow-lab up chain --hops 1 --icmp off -l "$LAB" >plan
    mkfifo slow
    for i in $(seq 400); do flow new "f$i" $((5000 + i)) 6000 udp; done >flows
    ip netns exec "sdw-$LAB-c" shadow-probe --mirror --duration 60s <flows >slow 2>err 3>&- &
    probe=$!
    pids+=("$probe")
    exec 8<slow
    sleep 3
    before=$(answers r1)
    sleep 6
    [ "$(answers r1)" -gt "$before" ]
    kill -TERM "$probe"
    for _ in $(seq 60); do
        kill -0 "$probe" 2>/dev/null || break
        sleep 0.1
    done
    run kill -0 "$probe"
    [ "$status" -ne 0 ]
    exec 8<&-
}

@test "live traffic, profiled, mirrored and judged in one pipe: its own shadow is no traffic of the flow" {
    shadow-lab up chain --hops 2 --icmp off -l "$LAB" >plan
    shadow-lab traffic -l "$LAB" --from c --to s --rate 200k --size 200 --port 9100 --duration 5s >live 2>&1 3>&- &
    pids+=("$!")
    node c sh -c 'timeout -s INT 30 shadow-profile -i to-r1 --idle 3s --duration 14s 2>profile.err |
        shadow-probe --mirror protocol=udp 2>probe.err | shadow-gradient --keep 2>gradient.err >out'
    jq -se 'any(.type == "flow.new" and .dport == 9100)
        and any(.type == "slot") and any(.type == "verdict")
        and (map(select(.type == "end") | .tool) | unique | length) == 3' out
    # The flow ended and stayed so, although its shadow went on for a while.
    [ "$(jq -s 'map(select(.type == "flow.new" and .dport == 9100)) | length' out)" = 1 ]
    jq -se 'any(.type == "flow.end" and .dport == 9100 and .reason == "idle")' out
    jq -se 'any(.type == "mirror" and .state == "closed" and .reason == "flow ended")' out
    [ "$(jq -s 'map(select(.type == "end" and .tool == "shadow-profile"))[0].counts.mirrored' out)" -gt 0 ]
}

@test "without rights it says what is missing, and options of other modes are refused" {
    command -v setpriv >/dev/null || skip "setpriv is not installed"
    run -4 --separate-stderr env HOME=/nonexistent setpriv --reuid 65534 --clear-groups --bounding-set -all \
        --inh-caps -all "$(command -v shadow-probe)" --mirror </dev/null
    [[ $stderr == *CAP_NET_RAW* ]]
    for option in --scope --watch "--protocol icmp" "-s train" "--flow 10.8.0.2:1-10.9.0.2:2/udp"; do
        # shellcheck disable=SC2086 # an option and its value
        run -2 --separate-stderr shadow-probe --mirror $option </dev/null
        [[ $stderr == *--mirror* ]]
    done
}
