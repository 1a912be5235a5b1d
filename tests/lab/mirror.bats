#!/usr/bin/env bats
# shadow-probe --flow: the way of a live flow, and not an octet to its application.

# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # awk; every test is a shell of its own; run sets stderr

bats_require_minimum_version 1.5.0

setup() {
    # shellcheck source=tests/lab/lab.bash
    . "$BATS_TEST_DIRNAME/lab.bash"
    lab_setup m
}

teardown() {
    lab_teardown
}

# received NODE: UDP datagrams delivered to its sockets, and those dropped for their checksum
received() {
    node "$1" awk '/^Udp: [0-9]/ { d += $2; c += $8 }
                   $1 == "Udp6InDatagrams" { d += $2 } $1 == "Udp6InCsumErrors" { c += $2 }
                   END { print d + 0, c + 0 }' /proc/net/snmp /proc/net/snmp6
}

# hops FILE: the addresses of the hops that answered every time, in order
hops() {
    jq -r 'select(.type == "hop" and .received == .sent) | .addr' "$1" | paste -sd ' '
}

@test "a mirrored UDP flow is probed hop by hop and its application gets nothing" {
    shadow-lab up chain --hops 3 --icmp off -l "$LAB" >plan
    # The live receiver, on the very 5-tuple that is mirrored.
    ip netns exec "sdw-$LAB-s" shadow-reflect -q --bind 10.9.0.2,fd09::2 --port 6000 >app 3>&- &
    app=$!
    pids+=("$app")
    sleep 0.5
    node c shadow-probe --flow 10.8.0.2:5000-10.9.0.2:6000/udp -s train --pairs 4 >v4
    [ "$(hops v4)" = "10.64.0.2 10.64.1.2 10.64.2.2" ]
    node c shadow-probe --flow '[fd08::2]:5000-[fd09::2]:6000/udp' -s train --pairs 4 >v6
    [ "$(hops v6)" = "fd00:6400::2 fd00:6401::2 fd00:6402::2" ]
    [ "$(jq -r 'select(.type == "path") | .flow' v4)" = 10.8.0.2:5000-10.9.0.2:6000/udp ]
    [ "$(jq -s '[.[] | select(.type == "slot" and .on and .load_packets > 0)] | length' v4)" -gt 0 ]
    read -r delivered poisoned <<<"$(received s)"
    [ "$delivered" = 0 ]
    [ "$poisoned" -gt 100 ] # they did arrive, and were dropped for their checksum
    kill "$app"
    wait "$app" || true
    [ "$(jq .counts.received app)" = 0 ]
}

@test "a mirrored TCP flow never sends a segment that the connection could take" {
    shadow-lab up chain --hops 2 --icmp off -l "$LAB" >plan
    node c shadow-probe --flow 10.8.0.2:5000-10.9.0.2:6000/tcp -s train --pairs 4 >v4
    [ "$(hops v4)" = "10.64.0.2 10.64.1.2" ]
    node c shadow-probe --flow '[fd08::2]:5000-[fd09::2]:6000/tcp' -s train --pairs 4 >v6
    [ "$(hops v6)" = "fd00:6400::2 fd00:6401::2" ]
    read -r segments resets bad <<<"$(node s awk '
        /^Tcp:/ && !h { h = 1; for (i = 1; i <= NF; i++) k[i] = $i; next }
        /^Tcp:/ { for (i = 1; i <= NF; i++) v[k[i]] = $i
                  print v["InSegs"], v["OutRsts"], v["InCsumErrors"] }' /proc/net/snmp)"
    echo "# $segments segments, $bad with a wrong checksum, $resets resets"
    [ "$bad" -gt 100 ]
    [ "$segments" = "$bad" ]
    [ "$resets" = 0 ]
}

# second FILE: the address of the second hop
second() {
    jq -r 'select(.type == "path") | .addrs[1]' "$1"
}

# The live flow is what a kernel socket of that 5-tuple sends. Between namespaces a packet keeps the
# hash its socket gave it, which no wire would: sockets without one are used.
@test "a mirrored flow takes the branch that the live flow takes" {
    shadow-lab up ecmp --width 4 --icmp off -l "$LAB" >plan
    node c sysctl -qw net.ipv6.auto_flowlabels=0
    branches=()
    for port in 9001 9002 9003 9004; do
        node c shadow-probe 10.9.0.2 --source 10.8.0.2 --source-port 5000 --port $port \
            -s train --duration 400ms -o path >live
        node c shadow-probe --flow 10.8.0.2:5000-10.9.0.2:$port/udp -s train --duration 400ms \
            -o path >mirror
        [ "$(second mirror)" = "$(second live)" ]
        node c shadow-probe fd09::2 --source fd08::2 --source-port 5000 --port $port \
            -s train --duration 400ms -o path >live6
        node c shadow-probe --flow "[fd08::2]:5000-[fd09::2]:$port/udp" -s train --duration 400ms \
            -o path >mirror6
        [ "$(second mirror6)" = "$(second live6)" ]
        branches+=("$(second mirror)" "$(second mirror6)")
    done
    # Not all flows go one way, or this would have shown nothing.
    [ "$(printf '%s\n' "${branches[@]}" | sort -u | wc -l)" -gt 2 ]
}

# live PROTOCOL SPORT DPORT: a flow from c to s of 20 small packets a second; sets app and sink
live() {
    ip netns exec "sdw-$LAB-s" python3 -c 'import socket, sys
protocol, _, port = sys.argv[1:]
s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("fd09::2", int(port)))
if protocol == "tcp":
    s.listen()
    s = s.accept()[0]
while True:
    if not s.recv(2000): break' "$@" >/dev/null 3>&- &
    sink=$!
    pids+=("$sink")
    sleep 0.3
    ip netns exec "sdw-$LAB-c" python3 -c 'import socket, sys, time
protocol, source, port = sys.argv[1:]
s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)
s.bind(("fd08::2", int(source)))
s.connect(("fd09::2", int(port)))
while True:
    s.send(b"0123456789")
    time.sleep(0.05)' "$@" >/dev/null 3>&- &
    app=$!
    pids+=("$app")
    sleep 0.3
}

# branch: the router that r1 sends the most packets to within half a second
branch() {
    local before after e
    before=$(for e in e1 e2 e3 e4; do node r1 cat /sys/class/net/to-$e/statistics/tx_packets; done)
    sleep 0.5
    after=$(for e in e1 e2 e3 e4; do node r1 cat /sys/class/net/to-$e/statistics/tx_packets; done)
    paste <(printf 'e%d\n' 1 2 3 4) <(echo "$before") <(echo "$after") |
        awk '$3 - $2 > most { most = $3 - $2; name = $1 } END { print name }'
}

# Routers that hash addresses and flow label (Linux's policy 0) send two flows of the same hosts two
# ways by nothing but their labels.
@test "a mirrored IPv6 flow carries the live flow's label and goes its way" {
    shadow-lab up ecmp --width 4 --icmp off -l "$LAB" >plan
    node r1 sysctl -qw net.ipv6.fib_multipath_hash_policy=0
    node c sysctl -qw net.ipv6.auto_flowlabels=1
    branches=()
    for flow in "udp 5001 6001" "tcp 5002 6002" "udp 5003 6003" "tcp 5004 6004" "tcp 5005 6005" \
        "udp 5006 6006"; do
        read -r protocol sport dport <<<"$flow"
        live "$protocol" "$sport" "$dport"
        way=$(branch)
        node c shadow-probe --flow "[fd08::2]:$sport-[fd09::2]:$dport/$protocol" -s train \
            --duration 600ms -o path >mirror 2>err
        kill "$app" "$sink"
        wait "$app" "$sink" || true
        echo "# $flow by $way: $(jq -c '[.flow_label, .addrs[1]]' mirror) $(<err)"
        [ "$(jq -r .flow_label mirror)" -gt 0 ]
        node "$way" ip -6 -o addr | grep -qF "$(second mirror)/"
        branches+=("$way")
    done
    [ "$(printf '%s\n' "${branches[@]}" | sort -u | wc -l)" -gt 1 ]
}

@test "a mirrored IPv6 flow that is not seen is told of, and has no flow label" {
    shadow-lab up chain --hops 1 --icmp off -l "$LAB" >plan
    run -0 --separate-stderr node c shadow-probe --flow '[fd08::2]:5000-[fd09::2]:6000/udp' -s train \
        --duration 600ms -o path
    [[ $stderr == *'[fd08::2]:5000-[fd09::2]:6000/udp was not seen'* ]]
    [ "$(jq 'has("flow_label")' <<<"$output")" = false ]
    run -0 --separate-stderr node c shadow-probe --flow '10.8.0.2:5000-10.9.0.2:6000/udp' -s train \
        --duration 600ms -o path
    [ -z "$stderr" ] # IPv4 has none
}

@test "without rights it says what is missing and exits with 4" {
    command -v setpriv >/dev/null || skip "setpriv is not installed"
    run -4 --separate-stderr env HOME=/nonexistent setpriv --reuid 65534 --clear-groups --bounding-set -all \
        --inh-caps -all "$(command -v shadow-probe)" --flow 127.0.0.1:5000-127.0.0.1:6000/udp
    [[ $stderr == *CAP_NET_RAW* ]]
}

@test "ICMP echo and TCP find the path when nothing reflects" {
    shadow-lab up chain --hops 2 --icmp off -l "$LAB" >plan
    for protocol in icmp tcp; do
        node c shadow-probe 10.9.0.2 --protocol $protocol -s train --pairs 4 >v4
        [ "$(hops v4)" = "10.64.0.2 10.64.1.2 10.9.0.2" ]
        node c shadow-probe fd09::2 --protocol $protocol -s train --pairs 4 >v6
        [ "$(hops v6)" = "fd00:6400::2 fd00:6401::2 fd09::2" ]
        [ "$(jq -r 'select(.type == "path") | .far_end' v6)" = echo ]
    done
}
