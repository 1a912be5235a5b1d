#!/usr/bin/env bats
# shadow-probe --mirror --tunnel vxlan: shadows of live flows through a tunnel of the prober's own,
# inside it and on its outer packets.

# shellcheck disable=SC2016,SC2034,SC2030,SC2031,SC2154 # awk; every test is a shell of its own; run sets stderr

bats_require_minimum_version 1.5.0

setup() {
    # shellcheck source=tests/lab/lab.bash
    . "$BATS_TEST_DIRNAME/lab.bash"
    # shellcheck source=tests/lab/mirror.bash
    . "$BATS_TEST_DIRNAME/mirror.bash"
    lab_setup u
    unshare -n ip link add vx1 type vxlan id 1 remote 192.0.2.1 dstport 4789 2>/dev/null ||
        skip "VXLAN devices may not be made here"
}

teardown() {
    exec 7>&- || true
    lab_teardown
}

# chain: c, three routers, s; in s the far ends of two tunnels, one over each family
chain() {
    shadow-lab up chain --hops 3 --icmp off -l "$LAB" >plan
    far 42 10.9.0.2 10.8.0.2 172.31.9.2/24
    far 43 fd09::2 fd08::2 fd31:8::2/64
}

# far VNI LOCAL REMOTE INNER
far() {
    node s ip link add "vx$1" type vxlan id "$1" local "$2" remote "$3" dstport 4789
    node s ip addr add "$4" dev "vx$1" nodad 2>/dev/null
    node s ip link set "vx$1" up
}

reflect() {
    ip netns exec "sdw-$LAB-s" shadow-reflect -q >reflect 2>&1 3>&- &
    pids+=("$!")
    sleep 0.3
}

v4=(--tunnel vxlan --vni 42 --remote 10.9.0.2 --inner 172.31.9.1/24 --inner-remote 172.31.9.2)
v6=(--tunnel vxlan --vni 43 --remote fd09::2 --inner fd31:8::1/64 --inner-remote fd31:8::2)

# flow TYPE ID SPORT [MORE]: a record of a flow of users
flow() {
    printf '{"type":"flow.%s","v":1,"ts":1,"flow_id":"%s","src":"192.0.2.7","sport":%d,"dst":"198.51.100.9","dport":443,"protocol":"tcp"%s}\n' \
        "$1" "$2" "$3" "${4:-}"
}

# outer SRC DST SPORT: of a flow whose packets went from SRC to DST in a VXLAN
outer() {
    printf ',"around":["vxlan"],"vni":7,"outer_src":"%s","outer_sport":%d,"outer_dst":"%s","outer_dport":4789,"outer_protocol":"udp"' \
        "$1" "$3" "$2"
}

# left: what a tunnel could leave behind where it is made: devices, and names of namespaces
left() {
    node c ip -o link | awk '{ print $2 }' | sort
    printf "%s\n" /run/netns/*"$LAB"*
}

@test "each flow has two paths and slots of both under its id, over either family outside and inside" {
    chain
    reflect
    for way in v4 v6; do
        declare -n options=$way
        { flow new a 5000 && flow new b 5001; } >flows
        node c shadow-probe --mirror "${options[@]}" --source-port 50505 --duration 9s <flows >$way
        jq -se 'map(select(.type == "path")) | map(.flow_id) | sort == ["a", "a", "b", "b"]' $way
        # One path inside, one outside, which both flows share; the outer packets are the tunnel's.
        jq -se 'map(select(.type == "path")) | (map(.path_id) | unique | length) == 2
            and (map(select(.flow == null)) | length == 2 and all(.reached and .hops == 1 and .far_end == "stamp"))
            and (map(select(.flow != null)) | length == 2 and all(.reached | not) and all(.sport == 50505 and .dport == 4789))' $way
        jq -se 'map(select(.type == "path" and .flow_id == "a") | .path_id) as $paths
            | map(select(.type == "slot" and .shared != true)) as $slots
            | $paths | all(. as $p | $slots | map(select(.path_id == $p))
                | any(.flow_id == "a") and any(.flow_id == "b") and any(.load_packets > 0) and any(.on | not)
                and all(.void or .sent > 0))' $way
        jq -se 'map(select(.type == "mirror")) | (map([.flow_id, .part, .state]) | sort) ==
            [["a", "inside", "closed"], ["a", "inside", "opened"], ["a", "outer", "closed"], ["a", "outer", "opened"],
             ["b", "inside", "closed"], ["b", "inside", "opened"], ["b", "outer", "closed"], ["b", "outer", "opened"]]' $way
        jq -se '.[-1].counts | .flows == 2 and .most_shadows == 2 and .paths == 2 and .traces == 2' $way
    done
    jq -se 'map(select(.type == "path")) | all(.tunnel == "vxlan/42/10.9.0.2")
        and any(.addrs == ["172.31.9.2"]) and any(.addrs == ["10.64.0.2", "10.64.1.2", "10.64.2.2"])' v4
    jq -se 'map(select(.type == "path")) | all(.tunnel == "vxlan/43/fd09::2")
        and any(.addrs == ["fd31:8::2"]) and any(.addrs == ["fd00:6400::2", "fd00:6401::2", "fd00:6402::2"])' v6
    # What reflects tells the load packet by packet, to the last link.
    jq -se 'map(select(.type == "slot" and .shared != true and .hops == 1 and .load_packets > 0))
        | any(.chirp.delay_ns | length > 0 and all(. == null or (. > -5e6 and . < 5e7)))' v4
}

@test "a flow in a tunnel to the same far end is probed on its own outer packets' tuple" {
    chain
    reflect
    {
        flow new own 5000 "$(outer 10.8.0.2 10.9.0.2 55001)"
        flow new back 5001 "$(outer 10.9.0.2 10.8.0.2 55002)" # its other direction is not known
        flow new other 5002 "$(outer 10.8.0.2 10.9.0.77 55003)"
        flow new gre 5003 ',"around":["gre"],"outer_src":"10.8.0.2","outer_dst":"10.9.0.2","outer_protocol":"gre"'
        flow new odd 5004 "$(outer 10.8.0.2 fd09::2 55004)"
        flow new plain 5005
        printf '{"type":"flow.new","v":1,"ts":1,"flow_id":"probe","src":"172.31.9.1","sport":9,"dst":"172.31.9.2","dport":862,"protocol":"udp"}\n'
        # What is no IP inside is seen as the tunnel's own UDP packets.
        printf '{"type":"flow.new","v":1,"ts":1,"flow_id":"arp","src":"10.8.0.2","sport":50505,"dst":"10.9.0.2","dport":4789,"protocol":"udp"}\n'
        printf '{"type":"flow.new","v":1,"ts":1,"flow_id":"ping","src":"172.31.9.7","dst":"172.31.9.2","protocol":"icmp"}\n'
        flow new later 5006
        flow app later 5006 "$(outer 10.8.0.2 10.9.0.2 55007)"
    } >flows
    node c shadow-probe --mirror "${v4[@]}" --source 10.8.0.2 --source-port 50505 'flow_id!=later' <flows >out
    jq -se 'map(select(.type == "path" and .flow != null) | {(.flow_id): .flow}) | add == {
        "own": "10.8.0.2:55001-10.9.0.2:4789/udp", "back": "10.8.0.2:50505-10.9.0.2:4789/udp",
        "plain": "10.8.0.2:50505-10.9.0.2:4789/udp"}' out
    [ "$(jq -r 'select(.state == "refused") | .flow_id + ": " + .reason' out)" = \
        "other: in a tunnel to another far end
gre: in a tunnel of another kind
odd: no outer addresses of one family
probe: it is the tunnel's own
arp: it is the tunnel's own
ping: neither TCP nor UDP" ]
    # Each record names the live flow.
    [ "$(jq -r 'select(.type == "mirror" and .flow_id == "own") | .flow' out | sort -u)" = 192.0.2.7:5000-198.51.100.9:443/tcp ]
    # Wanted by what only its application's record tells: that has the outer tuple too.
    node c shadow-probe --mirror "${v4[@]}" 'flow_id=later' 'type=flow.app' <flows >out
    [ "$(jq -r 'select(.type == "path" and .flow != null) | .flow' out)" = 10.8.0.2:55007-10.9.0.2:4789/udp ]
}

@test "a live flow in a VXLAN, profiled, is mirrored in one pipe on the 5-tuple of its outer packets" {
    chain
    reflect
    for end in "c 10.8.0.2 10.9.0.2 1" "s 10.9.0.2 10.8.0.2 2"; do
        read -r name local remote host <<<"$end"
        node "$name" ip link add users type vxlan id 7 local "$local" remote "$remote" dstport 4789
        node "$name" ip addr add "192.168.7.$host/24" dev users
        node "$name" ip link set users up
    done
    ip netns exec "sdw-$LAB-c" python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.168.7.1", 5555))
while True:
    s.sendto(b"0123456789", ("192.168.7.2", 9))
    time.sleep(0.02)' 3>&- &
    pids+=("$!")
    node c sh -c "shadow-profile -i to-r1 --immediate --duration 8s 2>profile.err |
        shadow-probe --mirror ${v4[*]} --source 10.8.0.2 outer_dst=10.9.0.2 protocol=udp >out 2>err"
    flow=$(jq -rs 'map(select(.type == "flow.new" and .sport == 5555))[0] | "\(.flow_id) \(.outer_src):\(.outer_sport)-\(.outer_dst):\(.outer_dport)/udp"' out)
    echo "# $flow"
    read -r id tuple <<<"$flow"
    [ "$(jq -r --arg id "$id" 'select(.type == "path" and .flow_id == $id and .flow != null) | .flow' out)" = "$tuple" ]
    jq -se --arg id "$id" 'map(select(.type == "slot" and .flow_id == $id) | .hops) | unique == [1, 3]' out
    # The packets of its own that come by are none of users'.
    jq -se '[.[] | select(.type == "mirror" and .state == "opened") | .flow_id] | unique | length == 1' out
    jq -se 'map(select(.type == "mirror" and .state == "refused") | .reason) | unique - ["it is the tunnel\u0027s own"] == []' out
}

# elsewhere: in c the routes send what goes to the far end another way, where nothing answers
elsewhere() {
    node c sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.to-r1.rp_filter=0
    node c ip link add elsewhere type veth peer name nowhere
    node c ip addr add 10.77.0.1/24 dev elsewhere
    node c ip link set nowhere up
    node c ip link set elsewhere up
    node c ip route add 10.9.0.2 via 10.77.0.2
}

@test "what goes inside and the outer packets leave by the interface that is asked for" {
    chain
    reflect
    elsewhere
    flow new a 5000 >flows
    node c shadow-probe --mirror "${v4[@]}" --interface to-r1 --source 10.8.0.2 <flows >out
    jq -c 'select(.type == "path" or .state == "suspended") | [.tunnel, .flow, .addrs, .reason]' out | sed 's/^/# /'
    jq -se 'map(select(.type == "path")) | any(.addrs == ["172.31.9.2"] and .reached)
        and any(.addrs == ["10.64.0.2", "10.64.1.2", "10.64.2.2"])' out
}

@test "no host gets a packet of a shadow but the reflector, and live traffic beside it loses nothing" {
    chain
    reflect
    shadow-lab traffic -l "$LAB" --from c --to s --rate 160k --size 200 --port 9100 --name victim \
        --duration 12s >victim 2>&1 3>&- &
    victim=$!
    pids+=("$victim")
    for i in $(seq 40); do flow new "f$i" $((5000 + i)) "$(outer 10.8.0.2 10.9.0.2 $((55000 + i)))"; done >flows
    node s ip -s -j link show dev vx42 | jq '.[0].stats64.rx.packets' >before
    node c shadow-probe --mirror "${v4[@]}" --duration 10s <flows >out
    wait "$victim"
    echo "# $(jq -c 'select(.final and .flow == "victim") | [.sent, .lost]' victim)"
    [ "$(jq 'select(.final and .flow == "victim") | .lost' victim)" = 0 ]
    # What came out of the tunnel there is what was sent inside, and what the kernel's device needs to
    # know addresses; the reflector got all of it.
    inside=$(jq -s 'map(select(.type == "slot" and .shared != true and .hops == 1) | .sent + .load_packets) | add' out)
    arrived=$(($(node s ip -s -j link show dev vx42 | jq '.[0].stats64.rx.packets') - $(<before)))
    echo "# $inside sent inside, $arrived arrived there"
    [ "$inside" -gt 0 ]
    [ "$arrived" -le $((inside + 15)) ]
    kill "${pids[0]}"
    wait "${pids[0]}" || true
    [ "$(jq .counts.received reflect)" -ge "$inside" ]
    [ "$(jq .counts.received reflect)" -le $((inside + 1)) ] # one found it
    jq -se '.[-1].counts.most_shadows == 40' out
}

@test "where nothing reflects echo is measured, and a far end that is not there is waited for" {
    chain
    mirror "${v4[@]}" --duration 40s
    flow new a 5000 >&7
    await 5 'any(.type == "path" and .far_end == "echo" and .flow_id == "a" and .protocol == "icmp")'
    await 5 'any(.type == "slot" and .hops == 1 and .received == .sent)'
    kill "$probe"
    wait "$probe" || true
    exec 7>&-
    node s ip link set vx42 down
    mirror "${v4[@]}" --duration 40s
    flow new a 5000 >&7
    await 5 'any(.type == "mirror" and .part == "inside" and .state == "suspended"
        and .reason == "the far end of the tunnel does not answer")'
    await 5 'any(.type == "slot" and .hops == 3)' # outside it goes on
    node s ip link set vx42 up
    reflect
    await 25 'any(.type == "path" and .far_end == "stamp") and any(.type == "slot" and .hops == 1 and .received == .sent)'
    jq -se 'any(.type == "slot" and .hops == 1 and .received < .sent) | not' out
    kill "$probe"
    wait "$probe" || true
    # Asked not to, it sends no echo, and the other way round.
    flow new a 5000 >flows
    node c shadow-probe --mirror "${v4[@]}" --protocol icmp <flows >out
    jq -se 'map(select(.type == "path" and .reached)) | length == 1 and .[0].far_end == "echo"' out
}

@test "a far end that stops to reflect is measured by echo, and one that is gone is found again" {
    chain
    reflect
    mirror "${v4[@]}" --duration 90s
    { flow new a 5000 && flow app a 5000 ',"app":"Zoom","category":"VoIP"'; } >&7
    await 6 'any(.type == "slot" and .hops == 1 and .received == .sent)'
    kill "${pids[0]}"
    await 30 'any(.type == "path" and .far_end == "echo" and .reason == "change")'
    await 6 '(map(select(.far_end == "echo"))[0].path_id) as $p | any(.type == "slot" and .path_id == $p and .received == .sent)'
    node s ip link set vx42 down
    await 30 'any(.type == "mirror" and .part == "inside" and .state == "suspended")'
    node s ip link set vx42 up
    reflect
    await 30 'map(select(.type == "path" and .reached) | .far_end) == ["stamp", "echo", "stamp"]'
    kill "$probe"
    wait "$probe" || true
    # All the time the outer path was the same one.
    jq -se 'map(select(.type == "path" and (.reached | not))) | length == 1' out
}

@test "shadows close with their flows, both of each, also those that nothing is heard of" {
    chain
    mirror "${v4[@]}" --idle 3s --duration 60s
    for id in a b c; do flow new $id 5000 >&7; done
    await 6 'map(select(.type == "mirror" and .state == "opened")) | length == 6'
    flow end a 5000 ',"reason":"closed"' >&7
    await 3 'map(select(.type == "mirror" and .state == "closed" and .flow_id == "a") | [.part, .reason]) | sort
        == [["inside", "flow ended"], ["outer", "flow ended"]]'
    for _ in $(seq 8); do # b goes on
        flow update b 5000 >&7
        sleep 0.5
    done
    await 3 'map(select(.type == "mirror" and .state == "closed" and .flow_id == "c") | [.part, .reason]) | sort
        == [["inside", "idle"], ["outer", "idle"]]'
    jq -se 'any(.type == "mirror" and .state == "closed" and .flow_id == "b") | not' out
    node s ip link set vx42 down # nor with a far end that is gone
    flow end b 5000 ',"reason":"closed"' >&7
    flow new d 5000 >&7
    flow end d 5000 ',"reason":"closed"' >&7
    await 3 'map(select(.type == "mirror" and .state == "closed" and .flow_id == "d")) | length == 2'
    exec 7>&-
    kill "$probe"
    wait "$probe" || true
    jq -se '.[-1].counts | .flows == 4 and .most_shadows == 3' out
}

@test "nothing is left of it: after its end, SIGTERM and kill -9" {
    chain
    reflect
    left >before
    for signal in TERM KILL; do
        mirror "${v4[@]}"
        flow new a 5000 >&7
        await 5 'map(select(.type == "path")) | length == 2'
        kill -$signal "$probe"
        wait "$probe" || true
        exec 7>&-
        left >after
        diff before after
        # The next one starts at once: a leftover would hold the identifier.
        flow new a 5000 >flows
        node c shadow-probe --mirror "${v4[@]}" <flows >again
        [ "$(grep -c '"path"' again)" = 2 ]
    done
    left >after
    diff before after
}

@test "what is missing or does not go together is said" {
    chain
    refused() {
        run -2 --separate-stderr node c shadow-probe --mirror "${@:2}" </dev/null
        echo "# $stderr"
        [[ $stderr == *"$1"* ]]
    }
    refused --inner-remote --tunnel vxlan --remote 10.9.0.2 --inner 172.31.9.1/24
    refused "not an address" "${v4[@]}" --source nowhere
    refused "two addresses" --tunnel vxlan --remote 10.9.0.2 --inner 10.9.0.1/24 --inner-remote 10.9.0.2
    refused --remote --tunnel vxlan --inner 172.31.9.1/24 --inner-remote 172.31.9.2
    refused --inner --tunnel vxlan --remote 10.9.0.2 --inner-remote 172.31.9.2
    for option in "--inner 172.31.9.1/24" "--remote 10.9.0.2" "--inner-remote 172.31.9.2" "--key k" "--source 10.8.0.2" \
        "--source-port 5" "--interface to-r1" "--protocol icmp"; do
        # shellcheck disable=SC2086 # an option and its value
        refused --tunnel $option
    done
    refused "--protocol tcp" "${v4[@]}" --protocol tcp
    refused "--scope" "${v4[@]}" --scope
    run -2 --separate-stderr node c shadow-probe "${v4[@]}" 172.31.9.2
    [[ $stderr == *--inner-remote* ]]
    # What would measure this end itself, or groups of hosts.
    refused "--inner-remote 172.31.9.1: " "${v4[@]}" --inner-remote 172.31.9.1
    refused "--inner-remote fd31:8::1: " "${v6[@]}" --inner-remote fd31:8::1
    refused "--inner-remote ff05::1: " "${v6[@]}" --inner-remote ff05::1
    refused "--remote 239.1.1.1: " "${v4[@]}" --remote 239.1.1.1 --interface to-r1
    # An address that is not inside, and an identifier that is in use.
    run -1 --separate-stderr node c shadow-probe --mirror "${v4[@]}" --inner-remote 172.31.10.2 </dev/null
    [[ $stderr == *172.31.10.2* ]]
    for _ in $(seq 60); do # those that were refused are gone soon
        node c ip link add busy type vxlan id 42 local 10.8.0.2 remote 10.9.0.2 dstport 4789 2>/dev/null && break
        sleep 0.05
    done
    run -4 --separate-stderr node c shadow-probe --mirror "${v4[@]}" </dev/null
    [[ $stderr == *"VNI 42"* ]]
    run -4 --separate-stderr node c env HOME=/nonexistent setpriv --reuid 65534 --clear-groups --bounding-set -all \
        --inh-caps -all "$(command -v shadow-probe)" --mirror "${v4[@]}" </dev/null
    [[ $stderr == *"run as root"* ]]
}

# last_link: what is judged of a path whose last link has 6 of 10 Mbit/s left
last_link() {
    shadow-lab traffic -l "$LAB" --from c --to s --rate 4M --model poisson --port 9200 --duration 60s \
        >cross 2>&1 3>&- &
    local cross=$!
    pids+=("$cross")
    sleep 0.5
    { flow new a 5000 && flow app a 5000 ',"app":"Zoom","category":"VoIP"'; } |
        node c shadow-probe --mirror "${v4[@]}" --duration 54s >out
    kill "$cross"
    wait "$cross" || true
    shadow-gradient <out >verdicts
    jq -c 'select(.type == "verdict") | [.path_id, .state, .available_bps]' verdicts | sed 's/^/# /'
    jq -se '(map(select(.type == "path" and .reached))[0].path_id) as $inside
        | map(select(.type == "verdict" and .window == 1)) | length == 2
        and (map(select(.path_id == $inside))[0]
             | IN(.state; "inconclusive", "void") or (.state == "bottleneck" and .bottleneck_hop == 1
               and (.available_bps | . == null or (.lo < 8e6 and .hi > 4e6))))
        and (map(select(.path_id != $inside))[0] | .state != "bottleneck")' verdicts
}

@test "the last link, which no router answers behind, is judged by what goes inside, and never wrongly" {
    shadow-lab up chain --hops 2 --bottleneck 3 --rate 10M --buffer 100ms --icmp off -l "$LAB" >plan
    far 42 10.9.0.2 10.8.0.2 172.31.9.2/24
    reflect
    last_link
}
