#!/usr/bin/env bats
# shadow-probe against every kind of far end: a TWAMP-Light responder, one that does not reflect, one
# that is not there; as root and as an ordinary user.

# shellcheck disable=SC2030,SC2031,SC2154 # every test is a shell of its own; run sets stderr

bats_require_minimum_version 1.5.0

setup() {
    # shellcheck source=tests/lab/lab.bash
    . "$BATS_TEST_DIRNAME/lab.bash"
    lab_setup f
}

teardown() {
    lab_teardown
}

# bottleneck: a chain of three routers whose second link is tight, 10 Mbit/s
bottleneck() {
    shadow-lab up chain --hops 3 --bottleneck 2 --rate 10M --icmp off -l "$LAB" >plan
}

# probe OPTION…, as_user OPTION…: in c, as root and as one without any right (and no home, so that
# nobody's configuration counts)
probe() {
    node c timeout 60 shadow-probe "$@"
}

as_user() {
    node c env HOME=/nonexistent setpriv --reuid 65534 --regid 65534 --clear-groups \
        --bounding-set -all --inh-caps -all timeout 60 "$(command -v shadow-probe)" "$@"
}

# verdict PROBE OPTION…: what PROBE (one of the two) finds: "state hop" into said. A window that the
# host spoilt, or that says it does not know, is measured again: no answer is not a wrong one. A host
# that spoils every one cannot tell.
verdict() {
    for _ in 1 2 3 4 5 6; do
        "$@" >out
        said=$(shadow-gradient <out |
            jq -r 'select(.type == "verdict") | "\(.state) \(.bottleneck_hop)"')
        case $said in void* | inconclusive*) ;; *) break ;; esac
    done
    echo "# $*: $said"
    [ "${said% *}" != void ] || skip "this host stalls too often to measure"
}

path() {
    jq -r "select(.type == \"path\") | $1" out
}

# light OCTETS: a TWAMP-Light responder at s that stamps once (T3 = T2) and sends so many octets
light() {
    rm -f ready
    ip netns exec "sdw-$LAB-s" python3 -c 'import select, socket, struct, sys, time
octets, n, sockets = int(sys.argv[1]), 0, []
for family, host in (socket.AF_INET, "10.9.0.2"), (socket.AF_INET6, "fd09::2"):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.bind((host, 862))
    sockets.append(s)
print("ready", flush=True)
while True:
    for s in select.select(sockets, [], [])[0]:
        request, sender = s.recvfrom(9000)
        stamp = struct.pack("!II", int(time.time()) + 2208988800, int(time.time() % 1 * 2**32))
        reply = struct.pack("!I8sHH8s", n, stamp, 0x0a01, 0, stamp) + request[:14] + b"\0\0\xff"
        s.sendto(reply[:octets], sender)
        n += 1' "$1" >ready 3>&- &
    pids+=($!)
    until [ -s ready ]; do sleep 0.05; done
}

@test "a TWAMP-Light responder is enough for a verdict, with 38 octets and with 41, over IPv4 and IPv6" {
    bottleneck
    for octets in 38 41; do
        light $octets
        for far in 10.9.0.2 fd09::2; do
            verdict probe $far
            [ "$said" = "bottleneck 2" ]
            [ "$(path .far_end)" = twamp-light ]
            jq -se 'map(select(.type == "slot" and .hop == 4 and .received > 0)) | length > 20' out
        done
        kill "${pids[-1]}"
        wait "${pids[-1]}" || true
    done
}

@test "where nothing reflects, ICMP echo and TCP SYN find the tight hop, over IPv4 and IPv6" {
    bottleneck
    for far in 10.9.0.2 fd09::2; do
        for protocol in icmp tcp; do
            verdict probe $far --protocol $protocol -r 30M
            [ "$said" = "bottleneck 2" ]
            [ "$(path '"\(.far_end) \(.hops)"')" = "echo 4" ]
        done
    done
}

@test "a closed UDP port tells the path, over IPv4 and IPv6" {
    shadow-lab up chain --hops 2 -l "$LAB" >plan # its host limits ICMP, as hosts do
    for far in 10.9.0.2 fd09::2; do
        probe $far --protocol udp --port 9 --pairs 4 >out
        jq -se --arg far $far 'map(select(.type == "path")) | first | .far_end == "icmp"
            and .hops == 3 and .reached and .addrs[2] == $far' out
    done
}

@test "an ordinary user gets the same path and the same verdict as root" {
    command -v setpriv >/dev/null || skip "setpriv is not installed"
    bottleneck
    node s shadow-reflect >reflect.out 2>reflect.err 3>&- &
    pids+=($!)
    until [ "$(grep -c listening reflect.err)" -ge 2 ]; do sleep 0.05; done
    for far in 10.9.0.2 fd09::2; do
        verdict probe $far
        [ "$said" = "bottleneck 2" ]
        hops=$(path '.addrs | join(" ")')
        verdict as_user $far
        [ "$said" = "bottleneck 2" ]
        [ "$(path '.addrs | join(" ")')" = "$hops" ]
    done
}

@test "without rights ICMP and TCP say what is missing, and the ping group may use ICMP" {
    command -v setpriv >/dev/null || skip "setpriv is not installed"
    shadow-lab up chain --hops 2 --icmp off -l "$LAB" >plan
    node c sysctl -qw net.ipv4.ping_group_range='1 0'
    for far in 10.9.0.2 fd09::2; do
        run -4 --separate-stderr as_user $far --protocol icmp
        [[ $stderr == *ping_group_range* ]]
        run -4 --separate-stderr as_user $far --protocol tcp
        [[ $stderr == *CAP_NET_RAW* ]]
        run -0 --separate-stderr as_user $far --pairs 4
        [[ $stderr == *"does not reflect"*ping_group_range* ]]
        jq -se '.[0].far_end == "icmp"' <<<"$output"
    done
    node c sysctl -qw net.ipv4.ping_group_range='0 2147483647'
    for far in 10.9.0.2 fd09::2; do
        as_user $far --pairs 4 >out # nothing reflects: echo, by itself
        [ "$(path '"\(.far_end) \(.hops)"')" = "echo 3" ]
        as_user $far --protocol icmp --pairs 4 >out
        [ "$(path '"\(.far_end) \(.hops)"')" = "echo 3" ]
    done
}

@test "a host that is not there is told with the last router that is, and status 1" {
    shadow-lab up chain --hops 2 --icmp off -l "$LAB" >plan
    for way in "10.9.0.77 10.64.1.2" "fd09::77 fd00:6401::2"; do
        read -r far last <<<"$way"
        for protocol in auto udp icmp tcp; do
            run -1 --separate-stderr probe $far --protocol $protocol
            echo "# $protocol $far: $stderr"
            [[ $stderr == *"$far"* && $stderr == *"hop 2 ($last)"* ]]
            [ "$(tail -n 1 <<<"$output" | jq -r '.type + " " + .reason')" = "end unreachable" ]
        done
    done
}

@test "without a route, with a missing interface, or with a name that nobody knows it says so" {
    shadow-lab up chain --hops 1 --icmp off -l "$LAB" >plan
    for far in 192.0.2.1 2001:db8::1; do
        [[ $far == *:* ]] && family=-6 || family=-4
        node c ip $family route show | grep -v 'proto kernel' | while read -r prefix _; do
            node c ip $family route del "$prefix"
        done
        for protocol in udp icmp tcp; do
            run -1 --separate-stderr probe $far --protocol $protocol
            [[ $stderr == *"no way to $far from here"* ]]
            run -4 --separate-stderr probe $far -i nosuchif0 --protocol $protocol
            [[ $stderr == *nosuchif0* ]]
        done
    done
    run --separate-stderr probe no.such.host.invalid --protocol icmp
    [ "$status" = 1 ] || [ "$status" = 4 ] # there may be no name server to ask
    [[ $stderr == *no.such.host.invalid* ]]
}

@test "a neighbour is a path of one hop, by every protocol, over IPv4 and IPv6" {
    shadow-lab up chain --hops 1 --icmp off -l "$LAB" >plan
    for far in "$(node r1 ip -4 -o addr show to-c | awk '{ print $4 }')" \
        "$(node r1 ip -6 -o addr show to-c scope global | awk '{ print $4 }')"; do
        for protocol in auto udp icmp tcp; do
            probe "${far%/*}" --protocol $protocol --pairs 4 -r 1M >out
            [ "$(path '"\(.hops) \(.reached) \(.addrs | join(" "))"')" = "1 true ${far%/*}" ]
        done
    done
}
