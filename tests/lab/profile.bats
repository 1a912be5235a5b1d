#!/usr/bin/env bats
# shadow-profile on an interface: one end of a veth pair in a namespace of the test's own.

# shellcheck disable=SC2030,SC2031 # every test is a shell of its own

bats_require_minimum_version 1.5.0

setup()
{
    cd "$BATS_TEST_TMPDIR"
    [ "$(id -u)" = 0 ] || skip "needs root"
    NS="sdwprofile$$x$BATS_TEST_NUMBER"
    ip netns add "$NS" 2>/dev/null || skip "network namespaces may not be made here"
    here ip link add va type veth peer name vb
    here ip link set lo up
    here ip link set va up
    here ip link set vb up
    here ip address add 192.0.2.1/24 dev va
    # The far end is nobody: what is sent there is seen and goes nowhere.
    here ip neighbour add 192.0.2.2 lladdr 02:00:00:00:00:02 dev va
}

teardown()
{
    [ "$(id -u)" = 0 ] || return 0
    [ -z "${tool:-}" ] || kill "$tool" 2>/dev/null || true
    ip netns delete "$NS" 2>/dev/null || true
}

here()
{
    ip netns exec "$NS" "$@"
}

# start OPTION...: the tool on vb, records to the file out; returns once it captures
start()
{
    ip netns exec "$NS" shadow-profile -i vb "$@" >out 3>&- &
    tool=$!
    wait_until captures
}

captures()
{
    [ "$(here awk '$4 == "0003" && $6 == 1' /proc/net/packet | wc -l)" -ge 1 ]
}

# wait_until COMMAND...: at most ten seconds
wait_until()
{
    for _ in {1..200}; do
        ! "$@" || return 0
        sleep 0.05
    done
    return 1
}

# stop: with SIGTERM, and wait
stop()
{
    kill "$tool"
    wait "$tool" || [ "$?" = 143 ]
    tool=
}

# send FLOWS PACKETS: that many datagrams from each of that many ports, as fast as it goes
send()
{
    here python3 - "$@" <<'PY'
import socket, sys
flows, packets = int(sys.argv[1]), int(sys.argv[2])
for f in range(flows):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("192.0.2.1", 10000 + f))
    for p in range(packets):
        s.sendto(b"x" * 100, ("192.0.2.2", 9))
    s.close()
PY
}

count()
{
    jq -s "[.[] | select(.type == \"$1\") | select(.protocol == \"udp\")] | length" out
}

seen()
{
    [ "$(grep -c '"type":"flow.new".*"udp"' out)" -ge "$1" ]
}

@test "flows are told while they go on, and a signal ends it in order" {
    start --interval 200ms
    send 3 5
    wait_until seen 3
    stop
    [ "$(count flow.new)" = 3 ]
    [ "$(count flow.end)" = 3 ]
    [ "$(jq -s '[.[] | select(.type == "flow.end" and .protocol == "udp") | .packets_fwd] | add' out)" = 15 ]
    [ "$(tail -1 out | jq -r '[.type, .reason] | join(" ")')" = "end signal" ]
}

@test "an interface that goes away ends it in order, too, with status 4" {
    start --interval 200ms 2>err
    send 3 5
    wait_until seen 3
    here ip link delete va
    status=0
    wait "$tool" || status=$?
    tool=
    [ "$status" = 4 ]
    grep -q 'capture on vb: ' err
    [ "$(count flow.end)" = 3 ]
    [ "$(jq -s '[.[] | select(.type == "flow.end" and .protocol == "udp") | .packets_fwd] | add' out)" = 15 ]
    [ "$(tail -1 out | jq -r '[.type, .reason] | join(" ")')" = "end error" ]
}

@test "what is captured and what the kernel lost add up to what was sent" {
    start --interval 1s
    send 20 1000
    wait_until seen 20
    sleep 0.3
    stop
    packets=$(jq -s '[.[] | select(.type == "flow.end" and .protocol == "udp") | .packets_fwd] | add' out)
    lost=$(jq -s '[.[] | select(.type == "loss" and .where == "kernel") | .packets] | add // 0' out)
    echo "packets $packets lost $lost"
    [ "$((packets + lost))" = 20000 ]
    [ "$(tail -1 out | jq .counts.lost)" = "$lost" ]
}

@test "each packet at once is the same flows" {
    start --immediate
    send 3 5
    wait_until seen 3
    stop
    [ "$(count flow.end)" = 3 ]
}

@test "a flow that falls silent ends by the clock" {
    start --idle 300ms
    send 1 1
    ended()
    {
        grep -q '"type":"flow.end".*"reason":"idle"' out
    }
    wait_until ended
    stop
}

@test "a reader that does not read costs records, never packets, and every one is told" {
    mkfifo pipe
    ip netns exec "$NS" shadow-profile -i vb --interval 10ms --idle 1h >pipe 3>&- &
    tool=$!
    exec 7<pipe
    wait_until captures
    # Updates of 2000 flows, 30 times over, are more than the queue holds while nobody reads.
    for _ in {1..30}; do
        send 2000 1
    done
    cat <&7 >out &
    reader=$!
    wait_until grep -q '"type":"loss".*"queue"' out
    wait_until seen 2000
    kill "$tool"
    wait "$tool" || [ "$?" = 143 ]
    tool=
    exec 7<&-
    wait "$reader"
    [ "$(count flow.new)" = 2000 ]
    [ "$(count flow.end)" = 2000 ]
    [ "$(jq -s '[.[] | select(.type == "flow.end" and .protocol == "udp") | .packets_fwd] | add' out)" = 60000 ]
    dropped=$(jq -s '[.[] | select(.type == "loss" and .where == "queue") | .records] | add' out)
    [ "$dropped" -gt 0 ]
    [ "$(tail -1 out | jq .counts.dropped)" = "$dropped" ]
}

@test "once it captures it has no rights left" {
    start
    pid=$(ip netns pids "$NS" | head -1)
    [ "$MODE" != release ] || wait_until grep -qE '^Seccomp:\s2$' "/proc/$pid/status"
    wait_until grep -qE '^NoNewPrivs:\s1$' "/proc/$pid/status"
    grep -qE '^Uid:\s65534\s65534\s65534\s65534$' "/proc/$pid/status"
    grep -qE '^CapEff:\s0+$' "/proc/$pid/status"
    stop
}

@test "an interface that is not there is told" {
    run -4 --separate-stderr here shadow-profile -i nosuch
    [[ $stderr == *nosuch* ]]
}
