#!/usr/bin/env bats
# shadow-probe --tunnel vxlan: inside a tunnel of the prober's own and on its outer packets, and
# nothing left of it.

# shellcheck disable=SC2030,SC2031,SC2154 # every test is a shell of its own; run sets stderr

bats_require_minimum_version 1.5.0

setup() {
    # shellcheck source=tests/lab/lab.bash
    . "$BATS_TEST_DIRNAME/lab.bash"
    lab_setup t
    unshare -n ip link add vx1 type vxlan id 1 remote 192.0.2.1 dstport 4789 2>/dev/null ||
        skip "VXLAN devices may not be made here"
    shadow-lab up chain --hops 3 --icmp off -l "$LAB" >plan
    # The far end: a tunnel for each family outside, with both inside, and a reflector.
    far 42 10.9.0.2 10.8.0.2 172.31.9.2/24 fd31:9::2/64
    far 43 fd09::2 fd08::2 172.31.8.2/24 fd31:8::2/64
    ip netns exec "sdw-$LAB-s" shadow-reflect -q >reflect 2>&1 3>&- &
    pids+=("$!")
    sleep 0.5
}

teardown() {
    [ -z "${probe:-}" ] || kill -9 "$probe" 2>/dev/null || true
    lab_teardown
}

# far VNI LOCAL REMOTE INNER...
far() {
    local vni=$1
    node s ip link add "vx$vni" type vxlan id "$vni" local "$2" remote "$3" dstport 4789
    for inner in "${@:4}"; do node s ip addr add "$inner" dev "vx$vni" nodad 2>/dev/null; done
    node s ip link set "vx$vni" up
}

# What a tunnel could leave behind where it is made: devices, and names of namespaces.
left() {
    node c ip -o link | awk '{ print $2 }' | sort
    printf "%s\n" /run/netns/*"$LAB"*
}

@test "inside the path is one hop, outside its routers, over either family and inside either" {
    node c shadow-probe --tunnel vxlan --vni 42 --remote 10.9.0.2 --source 10.8.0.2 \
        --inner 172.31.9.1/24 --pairs 4 172.31.9.2 >v4
    node c shadow-probe --tunnel vxlan --vni 43 --remote fd09::2 --source fd08::2 \
        --inner fd31:8::1/64 --pairs 4 fd31:8::2 >v6
    jq -se 'map(select(.type == "path")) | length == 2 and all(.tunnel == "vxlan/42/10.9.0.2")
        and (.[] | select(.flow == null)) .addrs == ["172.31.9.2"]
        and (.[] | select(.flow != null) | .addrs == ["10.64.0.2", "10.64.1.2", "10.64.2.2"]
             and (.flow | test("^10.8.0.2:[0-9]+-10.9.0.2:4789/udp$")))' v4
    jq -se 'map(select(.type == "path")) | length == 2 and all(.tunnel == "vxlan/43/fd09::2")
        and (.[] | select(.flow == null)) .addrs == ["fd31:8::2"]
        and (.[] | select(.flow != null) | .addrs == ["fd00:6400::2", "fd00:6401::2", "fd00:6402::2"])' v6
    for out in v4 v6; do # both are measured, with load
        jq -se '[.[] | select(.type == "slot" and .load_packets > 0)] | map(.path_id) | unique | length == 2' $out
        jq -se '.[-1].counts.windows == 2' $out
    done
}

@test "what is sent inside has the outer 5-tuple that is asked on the way" {
    ip netns exec "sdw-$LAB-c" shadow-probe --tunnel vxlan --vni 42 --remote 10.9.0.2 \
        --source 10.8.0.2 --source-port 50505 --inner 172.31.9.1/24 --watch 172.31.9.2 >out 3>&- &
    probe=$!
    node r2 timeout 40 tshark -c 60 -i to-r3 -f 'src host 10.8.0.2 and udp dst port 4789' \
        -T fields -E occurrence=f -e ip.src -e udp.srcport >seen 2>/dev/null
    kill -9 "$probe"
    wait "$probe" || true
    probe=
    [ "$(sort -u seen)" = $'10.8.0.2\t50505' ] # tunnelled and mirrored, all of it is one flow
    [ "$(grep '"path"' out | jq -r 'select(.flow != null) | .flow')" = 10.8.0.2:50505-10.9.0.2:4789/udp ]
}

@test "nothing is left of it: after its end, SIGTERM and kill -9" {
    left >before
    node c shadow-probe --tunnel vxlan --vni 42 --remote 10.9.0.2 --inner 172.31.9.1/24 \
        --pairs 4 172.31.9.2 >out
    for signal in TERM KILL; do
        ip netns exec "sdw-$LAB-c" shadow-probe --tunnel vxlan --vni 42 --remote 10.9.0.2 \
            --inner 172.31.9.1/24 --watch 172.31.9.2 >out 2>err 3>&- &
        probe=$!
        for _ in $(seq 100); do
            [ "$(grep -c '"path"' out)" -lt 2 ] || break
            sleep 0.05
        done
        [ "$(grep -c '"path"' out)" = 2 ]
        node c ip -o link | awk '{ print $2 }' | sort >during # the device is in no namespace of ours
        cmp during <(head -n "$(wc -l <during)" before)
        kill -$signal "$probe"
        wait "$probe" || true
        probe=
        left >after
        diff before after
        # The next one starts at once: a leftover would hold the identifier.
        node c shadow-probe --tunnel vxlan --vni 42 --remote 10.9.0.2 --inner 172.31.9.1/24 \
            --duration 1s 172.31.9.2 >again
        grep -q '"path"' again
    done
}

@test "an identifier that is given up is waited for" {
    node c ip link add busy type vxlan id 42 local 10.8.0.2 remote 10.9.0.2 dstport 4789
    { sleep 0.5 && node c ip link del busy; } 3>&- &
    node c shadow-probe --tunnel vxlan --vni 42 --remote 10.9.0.2 --inner 172.31.9.1/24 \
        --duration 1s 172.31.9.2 >out
    wait "$!"
    grep -q '"path"' out
}

@test "a port that devices of another kind or programs have is named, and others of its kind share it" {
    one() {
        node c shadow-probe --tunnel vxlan --vni 42 --remote 10.9.0.2 --inner 172.31.9.1/24 --duration 1s "$@" 172.31.9.2
    }
    node c ip link add plain type vxlan id 7 local 10.8.0.2 remote 10.9.0.2 dstport 4789
    node c ip link set plain up
    one >out
    grep -q '"path"' out
    node c ip link del plain
    ip netns exec "sdw-$LAB-c" python3 -c 'import socket, time
for _ in range(100):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        s.bind(("0.0.0.0", 4789))
        break
    except OSError: # the device is gone soon
        time.sleep(0.05)
print("bound", flush=True)
time.sleep(60)' >bound 3>&- &
    pids+=("$!")
    for _ in $(seq 100); do
        ! grep -q bound bound || break
        sleep 0.05
    done
    run -4 --separate-stderr one
    echo "# $stderr"
    [[ $stderr == *"UDP port 4789 is in use here"*--remote-port* ]]
    node s ip link add vx44 type vxlan id 44 local 10.9.0.2 remote 10.8.0.2 dstport 4790
    node s ip addr add 172.31.9.2/24 dev vx44
    node s ip link set vx42 down
    node s ip link set vx44 up
    one --vni 44 --remote-port 4790 >out
    jq -se 'any(.type == "path" and .reached)' out
}

@test "live traffic beside it loses nothing" {
    shadow-lab traffic -l "$LAB" --from c --to s --rate 160k --size 200 --port 9100 --name victim \
        --duration 8s >victim 2>&1 3>&- &
    victim=$!
    node c shadow-probe --tunnel vxlan --vni 42 --remote 10.9.0.2 --inner 172.31.9.1/24 \
        --duration 6s --watch 172.31.9.2 >out || true
    wait "$victim"
    [ "$(jq 'select(.final and .flow == "victim") | .lost' victim)" = 0 ]
}

@test "what is missing or wrong is said, and what the kernel refuses too" {
    run -2 --separate-stderr node c shadow-probe --tunnel vxlan --inner 172.31.9.1/24 172.31.9.2
    [[ $stderr == *--remote* ]]
    run -2 --separate-stderr node c shadow-probe --tunnel vxlan --remote 10.9.0.2 172.31.9.2
    [[ $stderr == *--inner* ]]
    run -2 --separate-stderr node c shadow-probe --tunnel vxlan --remote 10.9.0.2 --inner 172.31.9.1 172.31.9.2
    [[ $stderr == *"prefix length"* ]]
    run -2 --separate-stderr node c shadow-probe --tunnel vxlan --remote fd09::2 --source 10.8.0.2 \
        --inner 172.31.9.1/24 172.31.9.2
    [[ $stderr == *"one family"* ]]
    run -2 --separate-stderr node c shadow-probe --tunnel vxlan --remote 10.9.0.2 --inner 172.31.9.1/24
    [[ $stderr == *DEST* ]]
    run -2 --separate-stderr node c shadow-probe --remote 10.9.0.2 172.31.9.2
    [[ $stderr == *--tunnel* ]]
    run -2 --separate-stderr node c shadow-probe --mirror --tunnel vxlan </dev/null
    [[ $stderr == *--inner-remote* ]]
    for none in 10.8.0.2 10.64.0.1 127.0.0.1 0.0.0.0 fd08::2 :: 239.1.1.1 ff05::1 255.255.255.255 fe80::1%to-r1; do
        run -2 --separate-stderr node c shadow-probe --tunnel vxlan --remote "$none" --interface to-r1 \
            --inner 172.31.9.1/24 172.31.9.2
        echo "# $stderr"
        [[ $stderr == *"--remote $none: "* ]]
    done
    for none in 172.31.9.1 127.0.0.9 0.0.0.0 239.1.1.1 ::1; do
        run -2 --separate-stderr node c shadow-probe --tunnel vxlan --remote 10.9.0.2 --inner 172.31.9.1/24 "$none"
        echo "# $stderr"
        [[ $stderr == *"$none: "*"far end" ]]
    done
    run -2 --separate-stderr node c shadow-probe --tunnel vxlan --remote 10.9.0.2 --inner 172.31.9.1/24 \
        --source-port 65535 172.31.9.2
    [[ $stderr == *"--source-port 65535"* ]]
    for other in 10.8.0.99 10.9.0.2 fd08::99; do # whoever has it would get the answers
        run -2 --separate-stderr node c shadow-probe --tunnel vxlan --remote 10.9.0.2 --inner 172.31.9.1/24 \
            --source "$other" --interface to-r1 172.31.9.2
        [[ $stderr == *"--source $other: no address of this host"* ]]
    done
    run -2 --separate-stderr node c shadow-probe --tunnel vxlan --remote 10.9.0.2 --inner 172.31.9.1/24 \
        --mark 5 172.31.9.2
    [[ $stderr == *"--mark"*"--interface"* ]]
    for _ in $(seq 60); do # those that were refused are gone soon
        node c ip link add busy type vxlan id 42 local 10.8.0.2 remote 10.9.0.2 dstport 4789 2>/dev/null && break
        sleep 0.05
    done
    run -4 --separate-stderr node c shadow-probe --tunnel vxlan --vni 42 --remote 10.9.0.2 \
        --inner 172.31.9.1/24 172.31.9.2
    [[ $stderr == *"VNI 42"* ]]
    run -4 --separate-stderr node c env HOME=/nonexistent setpriv --reuid 65534 --clear-groups --bounding-set -all \
        --inh-caps -all "$(command -v shadow-probe)" --tunnel vxlan --remote 10.9.0.2 --inner 172.31.9.1/24 172.31.9.2
    echo "# $stderr"
    [[ $stderr == *"run as root"* ]]
}
