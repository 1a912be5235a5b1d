#!/usr/bin/env bats
# shadow-collect on this machine, in namespaces of its own.

# shellcheck disable=SC2154 # run sets stderr

bats_require_minimum_version 1.5.0
# shellcheck source=tests/e2e/web.bash
. "$BATS_TEST_DIRNAME/web.bash"

setup() {
    cd "$BATS_TEST_TMPDIR" || exit
    ns="sdwc$$"
}

teardown() {
    for process in ${pid:-} ${agent:-}; do
        kill "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    ip netns del "${ns}a" 2>/dev/null || true
    ip netns del "${ns}b" 2>/dev/null || true
}

# confined: the tool has no way back to rights, and few system calls left (not so in sanitizer builds)
confined() {
    grep -qE '^NoNewPrivs:\s1$' "/proc/$pid/status"
    grep -qE '^CapEff:\s0+$' "/proc/$pid/status"
    [ "$MODE" != release ] || grep -qE '^Seccomp:\s2$' "/proc/$pid/status"
}

# pair: two namespaces with a link in between on which nothing moves by itself; in sets the first
pair() {
    ip netns add "${ns}a" 2>/dev/null || skip "namespaces may not be made here"
    ip netns add "${ns}b"
    in=(ip netns exec "${ns}a")
    for side in a b; do
        ip netns exec "$ns$side" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 \
            net.ipv6.conf.default.disable_ipv6=1
    done
    ip -n "${ns}a" link add v0 address 02:00:00:00:00:01 type veth \
        peer name v0 netns "${ns}b" address 02:00:00:00:00:02
    ip -n "${ns}b" link set v0 up
    ip -n "${ns}a" link set v0 up
    ip -n "${ns}a" addr add 10.1.1.1/24 dev v0
    ip -n "${ns}a" neigh add 10.1.1.2 lladdr 02:00:00:00:00:02 dev v0 nud permanent
}

# collect: in the first namespace, in the background, until it has read once
collect() {
    "${in[@]}" shadow-collect --linux --interval 100ms >out 2>err &
    pid=$!
    until_seen 'select(.series == "host/conntrack/entries" or .series == "link/v0/bps")' 1
}

# until_seen FILTER N: wait until at least N records pass
until_seen() {
    for _ in $(seq 400); do
        [ "$(grep '}$' out 2>/dev/null | jq -c "$1" 2>/dev/null | wc -l)" -ge "$2" ] && return
        sleep 0.05
    done
    cat out err
    false
}

# two more readings, so that all that happened before has been told
settle() {
    n=$(jq -c 'select(.series == "host/memory/available_bytes")' out | wc -l)
    until_seen 'select(.series == "host/memory/available_bytes")' $((n + 2))
}

finish() {
    kill "$pid"
    wait "$pid" || true
    pid=
}

# total SERIES: a rate times the time it holds for, added up, as a whole number
total() {
    jq -s --arg series "$1" '
        (map(select(.series == "host/memory/available_bytes").ts) | unique) as $times
        | [.[] | select(.series == $series) | . as $m
            | $m.value * ($m.ts - ($times | map(select(. < $m.ts)) | max)) / 1e6]
        | add | round' out
}

# send N BYTES: datagrams to the other side, from one port each
send() {
    "${in[@]}" python3 -c '
import socket, sys
n, size = int(sys.argv[1]), int(sys.argv[2])
for i in range(n):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("10.1.1.1", 20000 + i))
    s.sendto(b"x" * size, ("10.1.1.2", 9))
' "$1" "$2"
}

@test "rates of a link add up to what was sent on it" {
    pair
    collect
    settle
    send 50 958
    settle
    finish
    [ "$(total link/v0/pps)" = 50 ]
    bits=$(total link/v0/bps)
    [ "$((bits > 399600 && bits < 400400))" = 1 ] # times of records are whole microseconds
    [ "$(total link/v0/rx_bps)" = 0 ]
}

@test "drops of a queue are those that tc counts" {
    pair
    "${in[@]}" tc qdisc add dev v0 root tbf rate 64kbit burst 2000 limit 4000
    collect
    settle
    send 60 958
    settle
    finish
    drops=$("${in[@]}" tc -s -j qdisc show dev v0 | jq '.[0].drops')
    [ "$drops" -gt 0 ]
    [ "$(total link/v0/queue_drops_per_s)" = "$drops" ]
    [ "$(jq -s 'map(select(.series == "link/v0/backlog_bytes").value) | max > 0' out)" = true ]
}

@test "connections that come and go are counted, with how long they were kept" {
    pair
    "${in[@]}" nft 'add table inet t; add chain inet t c { type filter hook output priority 0; }; add rule inet t c ct state new counter'
    collect
    settle
    send 30 100
    settle
    "${in[@]}" conntrack -F 2>/dev/null
    settle
    finish
    [ "$(total host/conntrack/new_per_s)" = 30 ]
    [ "$(total host/conntrack/ended_per_s)" = 30 ]
    [ "$(jq -s 'map(select(.series == "host/conntrack/entries").value) | max' out)" = 30 ]
    [ "$(jq -s 'map(select(.series == "host/conntrack/duration_mean_us").value) | length == 1 and .[0] >= 100000 and .[0] < 60e6' out)" = true ]
    # Each interval's numbers are one record, too, which has the table's size.
    limit=$("${in[@]}" cat /proc/sys/net/netfilter/nf_conntrack_max)
    jq -es --argjson limit "$limit" '
        def values(name): map(select(.type == "metric" and .series == "host/conntrack/" + name).value);
        map(select(.type == "conn")) as $conn
        | ($conn | all(.series == "host/conntrack/entries" and .limit == $limit))
        and ($conn | map(.count)) == values("entries")
        and ($conn | map(.new_per_s // empty)) == values("new_per_s")
        and ($conn | map(.duration_mean_us // empty)) == values("duration_mean_us")' out
    # So one stream of it is enough to say how full the table will be; nothing counts twice.
    shadow-forecast --horizon 1s --above 90% -o forecast,end <out >foreseen
    jq -es 'map(select(.series == "host/conntrack/entries")) | length as $n | $n > 3 and .[-1].n == $n' foreseen
    jq -c 'select(.type == "conn")' out | shadow-forecast --horizon 1s -o forecast >alone
    jq -c 'select(.series == "host/conntrack/entries" and .type == "forecast") | [.ts, .value]' foreseen >one
    jq -c '[.ts, .value]' alone | cmp - one
}

@test "an event tells when the far end of a link goes, and when it is back" {
    pair
    collect
    settle
    ip -n "${ns}b" link set v0 down
    until_seen 'select(.type == "event")' 1
    ip -n "${ns}b" link set v0 up
    until_seen 'select(.type == "event")' 2
    finish
    [ "$(jq -c 'select(.type == "event") | [.kind, .failure, .link, .severity]' out | tr '\n' ' ')" = \
        '["degradation","dead","v0",4] ["recovery","dead","v0",0] ' ]
}

@test "an interface that is made anew does not bring the counters of the old one" {
    pair
    send 50 958
    collect
    settle
    ip -n "${ns}a" link del v0
    settle
    ip -n "${ns}a" link add v0 type veth peer name v1
    settle
    finish
    [ "$(jq -s 'map(select(.series == "link/v0/bps").value) | min >= 0 and max == 0' out)" = true ]
}

@test "only the interfaces asked for are read" {
    pair
    run -0 --separate-stderr "${in[@]}" shadow-collect --linux -i 'l*' --interval 20ms --count 2
    [ "$(jq -r 'select(.series and (.series | startswith("link/"))).series | split("/")[1]' <<<"$output" | sort -u)" = lo ]
    [ "$(jq -r 'select(.type == "end").reason' <<<"$output")" = 'done' ]
}

@test "shares are shares, and the load of this machine is read" {
    run -0 --separate-stderr shadow-collect --linux --interval 200ms --count 1
    [ "$(jq -s 'map(select(.series and (.series | endswith("_share"))).value) | length > 3 and min >= 0 and max <= 1' <<<"$output")" = true ]
    for series in host/cpu/busy_share host/memory/available_bytes host/softnet/dropped_per_s; do
        grep -q "\"$series\"" <<<"$output"
    done
}

# capture FILE [TRAILERS]: 300 packets of IPv4 and IPv6, TCP and UDP, over 20 flows, and some more
# to 10.8.8.8; says how many bytes and packets of IPv4, then of all, but the latter
capture() {
    python3 - "$1" 300 "${2:-0}" <<'EOF'
import struct, sys
sent = {4: [0, 0], 6: [0, 0]}
with open(sys.argv[1], "wb") as out:
    out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
    for i in range(int(sys.argv[2])):
        flow, size, now = i % 20, i * 37 % 1300, 1700000000 + i // 100
        ports = struct.pack("!HH", 2000 + flow, 443)
        tcp = flow % 3 == 0
        body = ports + (struct.pack("!IIHHHH", i, 0, 0x5010, 900, 0, 0) if tcp else struct.pack("!HH", 8 + size, 0))
        body += bytes(size)
        if flow % 2:
            ip = struct.pack("!IHBB", 6 << 28, len(body), 6 if tcp else 17, 64) + b"\xfd" + bytes(14) + bytes([flow]) + b"\xfd" + bytes(15) + body
        else:
            ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 1, 0, 64, 6 if tcp else 17, 0, bytes([10, 0, 0, flow]), bytes([10, 9, 9, 9])) + body
        sent[6 if flow % 2 else 4][0] += len(ip)
        sent[6 if flow % 2 else 4][1] += 1
        frame = bytes(12) + (b"\x86\xdd" if flow % 2 else b"\x08\x00") + ip
        out.write(struct.pack("<IIII", now, 1000 * (i % 100), len(frame), len(frame)) + frame)
    for i in range(int(sys.argv[3])):
        ip = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 28, 1, 0, 64, 17, 0, bytes([10, 0, 0, 1]), bytes([10, 8, 8, 8])) + struct.pack('!HHHH', 1, 2, 8, 0)
        out.write(struct.pack('<IIII', now + 1, i, 42, 42) + bytes(12) + b'\x08\x00' + ip)
print(*sent[4], sent[4][0] + sent[6][0], sent[4][1] + sent[6][1])
EOF
}

# listen OPTION…: collect from exporters on the loopback; sets pid and port
listen() {
    rm -f out err # of a run before: what it said must not be taken for the new one's
    shadow-collect --interval 50ms --bind 127.0.0.1 "$@" >out 2>err &
    pid=$!
    for _ in $(seq 400); do
        grep -qs listening err && break
        sleep 0.05
    done
    port=$(sed -n 's/.*127.0.0.1 port //p' err)
    [ -n "$port" ]
}

# sums: bytes and packets of all flow records
sums() {
    jq -s 'map(select(.type == "flow.update" and .dst != "10.8.8.8")) | "\(map(.bytes_fwd + .bytes_rev) | add) \(map(.packets_fwd + .packets_rev) | add)"' -r out
}

@test "what softflowd exports adds up to the byte: NetFlow v5, v9, IPFIX" {
    command -v softflowd >/dev/null || skip "softflowd is not installed"
    read -r bytes4 packets4 bytes packets < <(capture in.pcap)
    for version in 5 9 10; do
        [ $version = 5 ] || { bytes4=$bytes packets4=$packets; }
        listen --netflow 0
        softflowd -r in.pcap -n "127.0.0.1:$port" -v $version -d >/dev/null 2>&1
        until_seen 'select(.type == "flow.update")' $((version == 5 ? 10 : 20))
        finish
        [ "$(sums)" = "$bytes4 $packets4" ]
        counts=$(jq -c 'select(.type == "end").counts' out)
        [ "$(jq '.netflow_lost + .netflow_absurd + .netflow_bad + .netflow_untemplated' <<<"$counts")" = 0 ]
        [ "$(jq '.netflow_bytes' <<<"$counts")" = "$bytes4" ]
    done
}

@test "the sampling rate of softflowd is applied and told" {
    command -v softflowd >/dev/null || skip "softflowd is not installed"
    capture in.pcap
    for version in 5 9 10; do
        listen --ipfix 0
        softflowd -r in.pcap -n "127.0.0.1:$port" -v $version -s 10 -d >/dev/null 2>&1
        until_seen 'select(.type == "flow.update")' 1
        finish
        [ "$(jq -s 'map(select(.type == "flow.update")) | all(.sampling == 10 and .packets_fwd % 10 == 0)' out)" = true ]
    done
}

@test "what the sFlow probe of pmacct samples, one in one, adds up to the byte" {
    command -v pmacctd >/dev/null || skip "pmacct is not installed"
    # The probe repeats or loses the last of its packets when the file ends: those are trailers.
    read -r _ _ bytes packets < <(capture in.pcap 500)
    listen --sflow 0
    cat >pmacct.conf <<EOF
daemonize: false
pcap_savefile: $PWD/in.pcap
plugins: sfprobe
sfprobe_receiver: 127.0.0.1:$port
sampling_rate: 1
EOF
    timeout 20 pmacctd -f pmacct.conf >pmacct.log 2>&1 || true
    finish
    [ "$(sums)" = "$bytes $packets" ]
    [ "$(jq 'select(.type == "end").counts | .sflow_lost + .sflow_absurd + .sflow_bad + .sflow_other' out)" = 0 ]
}

@test "what the probe of pmacct exports as IPFIX adds up to the byte" {
    command -v pmacctd >/dev/null || skip "pmacct is not installed"
    read -r _ _ bytes packets < <(capture in.pcap 500)
    listen --ipfix 0
    cat >pmacct.conf <<EOF
daemonize: false
pcap_savefile: $PWD/in.pcap
plugins: nfprobe
nfprobe_receiver: 127.0.0.1:$port
nfprobe_version: 10
aggregate: src_host, dst_host, src_port, dst_port, proto, tos
EOF
    timeout 20 pmacctd -f pmacct.conf >pmacct.log 2>&1 || true
    finish
    [ "$(sums)" = "$bytes $packets" ]
    [ "$(jq 'select(.type == "end").counts | .netflow_lost + .netflow_absurd + .netflow_bad + .netflow_untemplated' out)" = 0 ]
}

@test "the counters of an sFlow agent become rates by its own clock" {
    listen --sflow 0
    python3 - "$port" <<'EOF'
import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n, (uptime, octets) in enumerate([(60000, 1000), (70000, 1251000), (80000, 500)]):
    counters = struct.pack("!IIQIIQIIIIIIQIIIIIII", 7, 6, 10**9, 1, 3, octets, 0, 0, 0, 0, 0, 0, 2 * octets, 0, 0, 0, 0, 0, 0, 0)[:88]
    sample = struct.pack("!III", 1, 7, 1) + struct.pack("!II", 1, len(counters)) + counters
    s.sendto(struct.pack("!IIIIIII", 5, 1, 0xc0000201, 0, n + 1, uptime, 1) + struct.pack("!II", 2, len(sample)) + sample, ("127.0.0.1", int(sys.argv[1])))
EOF
    until_seen 'select(.series == "link/192.0.2.1:7/capacity_bps" and .value == 1000000000)' 3
    finish
    # 1.25 MB in 10 s; the third reading is of a counter that began again
    [ "$(jq -c 'select(.series == "link/192.0.2.1:7/rx_bps").value' out)" = 1000000 ]
    [ "$(jq -c 'select(.series == "link/192.0.2.1:7/bps").value' out)" = 2000000 ]
}

@test "bad datagrams are told once an interval, and the exit status says so" {
    # no version; a v9 template that announces more fields than there are; a set without a length
    mkfifo ask
    python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
port = int(input())
for octets in ("0001",
               "0009000100000001650000000000000100000000" "0000000c012cffff00080004",
               "000a0014650000000000000000000001" "012c0000"):
    s.sendto(bytes.fromhex(octets), ("127.0.0.1", port))' <ask &
    exec 5>ask
    shadow-collect --netflow 0 --bind 127.0.0.1 --interval 3s --count 1 >out 2>err &
    pid=$!
    for _ in $(seq 400); do
        grep -qs listening err && break
        sleep 0.05
    done
    sed -n 's/.*127.0.0.1 port //p' err >&5
    exec 5>&-
    wait "$pid" && status=0 || status=$?
    pid=
    cat out err
    [ "$status" -eq 3 ]
    [ "$(grep -c 'a bad datagram from 127.0.0.1' err)" = 1 ]
    [ "$(jq 'select(.type == "end").counts.netflow_bad' out)" = 3 ]
    [ "$(jq 'select(.type == "end").counts.netflow_bad_templates' out)" = 1 ]
}

# agent: Debian's snmpd in the first namespace; credentials in the files v2c, v3 and wrong
agent() {
    command -v snmpd >/dev/null || skip "snmpd is not installed"
    "${in[@]}" ip link set lo up
    mkdir persistent
    cat >snmpd.conf <<'EOF'
rwcommunity sesame 127.0.0.1
createUser operator SHA-256 "open the door" AES "keep it shut"
rouser operator priv
EOF
    SNMP_PERSISTENT_DIR=$PWD/persistent "${in[@]}" snmpd -f -Lo -C -c snmpd.conf udp:127.0.0.1:1161 >snmpd.log 2>&1 &
    agent=$!
    for _ in $(seq 400); do
        "${in[@]}" ss -lun | grep -q :1161 && break
        sleep 0.05
    done
    printf '%s\n' '# read only' 'community sesame' >v2c
    printf '%s\n' 'user operator' 'auth-protocol SHA-256' 'auth-passphrase open the door' \
        'priv-protocol AES' 'priv-passphrase keep it shut' >v3
    sed 's/door/window/' v3 >wrong
    chmod 600 v2c v3 wrong
}

@test "an SNMP agent tells its links, memory and their names, by version 2c and 3" {
    pair
    agent
    for auth in v2c v3; do
        run -0 --separate-stderr "${in[@]}" shadow-collect --snmp 127.0.0.1:1161 --snmp-auth $auth --interval 50ms -n 1
        [ -z "$stderr" ]
        [ "$(jq -s 'map(select(.series == "link/127.0.0.1:1161:v0/up").value) == [1, 1]' <<<"$output")" = true ]
        [ "$(jq -s 'map(select(.series == "link/127.0.0.1:1161:v0/rx_bps").value) | length == 1 and .[0] >= 0' <<<"$output")" = true ]
        [ "$(jq -s 'map(select(.series == "host/127.0.0.1:1161/memory/available_share").value) | .[0] > 0 and .[0] <= 1' <<<"$output")" = true ]
        [ "$(jq -c 'select(.type == "end").counts | [.snmp_readings, .snmp_unanswered]' <<<"$output")" = '[2,0]' ]
    done
}

@test "rates of an SNMP agent follow its counters" {
    pair
    agent
    # what the agent may have read a while ago is as old as a second at most
    "${in[@]}" snmpset -v2c -c sesame -On 127.0.0.1:1161 .1.3.6.1.4.1.8072.1.5.3.1.2.1.3.6.1.2.1.2.2 i 1 >/dev/null
    "${in[@]}" shadow-collect --snmp 127.0.0.1:1161 --snmp-auth v2c --interval 500ms >out 2>err &
    pid=$!
    until_seen 'select(.series == "link/127.0.0.1:1161:v0/pps")' 2
    confined
    send 50 958
    until_seen 'select(.series == "link/127.0.0.1:1161:v0/pps" and .value > 0)' 1
    finish
    [ "$(jq -s '(map(select(.series == "link/127.0.0.1:1161:v0/bps").value) | add) as $bits
        | (map(select(.series == "link/127.0.0.1:1161:v0/pps").value) | add) as $packets
        | $bits / $packets / 8 | . > 900 and . < 1100' out)" = true ]
}

@test "an SNMP agent that refuses or does not answer is an event, and status 1" {
    pair
    agent
    run -1 --separate-stderr "${in[@]}" shadow-collect --snmp 127.0.0.1:1161 --snmp-auth wrong --interval 50ms -n 1
    [[ $stderr == *'refuses who asks'* ]]
    [ "$(jq -c 'select(.type == "event") | [.kind, .failure, .link]' <<<"$output")" = '["degradation","dead","127.0.0.1:1161"]' ]
    run -1 --separate-stderr "${in[@]}" shadow-collect --snmp 127.0.0.1:1162 --snmp-auth v3 --interval 50ms -n 1
    [[ $stderr == *'127.0.0.1:1162 does not answer'* ]]
}

@test "credentials of SNMP come from a file that is checked" {
    run -2 --separate-stderr shadow-collect --snmp 127.0.0.1
    [[ $stderr == *'--snmp needs --snmp-auth FILE'* ]]
    printf '%s\n' 'community a' 'user b' >both
    run -2 --separate-stderr shadow-collect --snmp 127.0.0.1 --snmp-auth both
    [[ $stderr == *'either a community (version 2c) or a user (3)'* ]]
    printf '%s\n' 'user b' 'auth-protocol SHA' 'auth-passphrase short' >short
    run -2 --separate-stderr shadow-collect --snmp 127.0.0.1 --snmp-auth short
    [[ $stderr == *'at least 8 characters'* ]]
    printf '%s\n' 'user b' 'pass word' >unknown
    run -2 --separate-stderr shadow-collect --snmp 127.0.0.1 --snmp-auth unknown
    [[ $stderr == *'unknown: line 2: not one of community'* ]]
}

@test "points of a Prometheus server become metrics, each once" {
    command -v prometheus >/dev/null || skip "prometheus is not installed"
    pair
    "${in[@]}" ip link set lo up
    cat >prometheus.yml <<'EOF'
global: {scrape_interval: 1s}
scrape_configs: [{job_name: self, static_configs: [{targets: ['127.0.0.1:9090']}]}]
EOF
    "${in[@]}" prometheus --config.file=prometheus.yml --storage.tsdb.path=tsdb \
        --web.listen-address=127.0.0.1:9090 >prometheus.log 2>&1 &
    agent=$!
    url=http://127.0.0.1:9090
    for _ in $(seq 100); do
        "${in[@]}" shadow-collect --prometheus $url --query up --since 10s --step 1s --once >out 2>err || true
        grep -q '"series":"up{' out && break
        sleep 0.2
    done
    rm -f out err
    "${in[@]}" shadow-collect --prometheus $url --query 'up{job="self"}' --since 10s --step 1s --interval 500ms >out 2>err &
    pid=$!
    until_seen 'select(.series == "up{instance=\"127.0.0.1:9090\",job=\"self\"}" and .labels.job == "self" and .value == 1)' 3
    confined
    finish
    [ "$(jq -s 'map(select(.type == "metric").ts) | . == unique' out)" = true ]
    run -2 --separate-stderr "${in[@]}" shadow-collect --prometheus $url --query 'up{' --once
    [[ $stderr == *'the query was refused'*'parse error'* ]]
    run -1 --separate-stderr "${in[@]}" shadow-collect --prometheus http://127.0.0.1:9091 --query up --once
    [[ $stderr == *'http://127.0.0.1:9091/'*connect* ]]
    run -2 --separate-stderr shadow-collect --prometheus $url
    [[ $stderr == *'--prometheus needs --query'* ]]
}

@test "a Prometheus server that has too much to do is asked again, for all that was missed, in parts" {
    cat >server.py <<'END'
import json, urllib.parse, web
def answer(asked):
    of = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(asked.path).query))
    start, end, step = float(of['start']), float(of['end']), float(of['step'])
    if asked.before < 2:
        status, body = 503, {"status": "error", "errorType": "timeout", "error": "query timed out"}
    elif (end - start) / step > 11000:
        status, body = 400, {"status": "error", "errorType": "bad_data", "error": "exceeded maximum resolution"}
    else:
        status, body = 200, {"status": "success", "data": {"resultType": "matrix", "result": [
            {"metric": {"__name__": "up"}, "values": [[start, "1"], [end, "1"]]}]}}
    return status, json.dumps(body).encode()
web.serve(answer)
END
    web python3 server.py
    agent=$web
    # 25,000 steps of 10 s, when the third request is answered.
    run -0 --separate-stderr shadow-collect --prometheus "$url" --query up \
        --since 250000s --step 10s --interval 20ms -n 3
    [ "$(grep -c 'HTTP status 503' <<<"$stderr")" = 1 ]
    [ "$(jq -s 'map(select(.type == "metric").ts) | (.[-1] - .[0]) / 1e7 | floor' <<<"$output")" -ge 25000 ]
    [ "$(jq -sc 'map(select(.type == "metric").ts / 1e7) | [.[2] - .[1], .[4] - .[3]]' <<<"$output")" = '[1,1]' ]
}

@test "a Prometheus server is found by its name and known by its certificate, with few rights left" {
    command -v openssl >/dev/null || skip "openssl is not installed"
    pair
    "${in[@]}" ip link set lo up
    for who in authority stranger; do
        openssl req -x509 -newkey rsa:2048 -nodes -keyout $who.key -out $who -days 2 \
            -subj /CN=metrics.test -addext subjectAltName=DNS:metrics.test 2>openssl.log
    done
    echo '127.0.0.1 metrics.test' >hosts
    cat >server.py <<'EOF'
import http.server, ssl
class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up"},"values":[[1700000000,"1"]]}]}}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("authority", "authority.key")
server = http.server.HTTPServer(("127.0.0.1", 9443), Server)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
EOF
    "${in[@]}" python3 server.py 2>server.log &
    agent=$!
    for _ in $(seq 200); do
        "${in[@]}" ss -ltn | grep -q :9443 && break
        sleep 0.05
    done
    ask='mount --bind hosts /etc/hosts && mount --bind "$1" /etc/ssl/certs/ca-certificates.crt &&
        exec shadow-collect --prometheus https://metrics.test:9443 --query up --interval 50ms -n 1'
    run -0 --separate-stderr "${in[@]}" unshare -m bash -c "$ask" bash authority
    [ "$(jq -c 'select(.type == "metric") | [.series, .value]' <<<"$output" | head -1)" = '["up",1]' ]
    run -1 --separate-stderr "${in[@]}" unshare -m bash -c "$ask" bash stranger
    [[ $stderr == *certificate* ]]
}

@test "events of gnmic become rates of links and other numbers, at the device's time" {
    cat >gnmic.json <<'EOF'
[
  {"name":"s","timestamp":1700000000000000000,"tags":{"interface_name":"eth1","source":"r1:57400","subscription-name":"s"},
   "values":{"/interfaces/interface/state/counters/in-octets":"1000","/interfaces/interface/state/mtu":1500,"/interfaces/interface/state/oper-status":"UP"}},
  {"name":"s","timestamp":1700000010000000000,"tags":{"interface_name":"eth1","source":"r1:57400","subscription-name":"s"},
   "values":{"/interfaces/interface/state/counters/in-octets":"2251000"}},
  {"name":"s","timestamp":1700000020000000000,"tags":{"source":"r1:57400"},"deletes":["/a"]}
]
EOF
    run -0 --separate-stderr shadow-collect --gnmic <gnmic.json
    [ "$(jq -c 'select(.type == "metric") | [.ts, .series, .value]' <<<"$output")" = \
        '[1700000000000000,"gnmi/r1:57400/interfaces/interface/state/mtu[interface_name=eth1]",1500]
[1700000010000000,"link/r1:57400:eth1/rx_bps",1800000]' ]
    [ "$(jq -c 'select(.type == "end") | [.reason, .counts.gnmic_ignored]' <<<"$output")" = '["eof",1]' ]
    run -3 --separate-stderr shadow-collect --gnmic <<<'{"tags":{}}'
    [[ $stderr == *'line 1: not an event of gnmic'* ]]
}

@test "reports of mtr become metrics, several to one input" {
    pair
    command -v mtr >/dev/null || skip "mtr is not installed"
    "${in[@]}" ip link set lo up
    "${in[@]}" mtr --json -n -c 2 -i 0.1 127.0.0.1 127.0.0.1 >mtr.json
    run -0 --separate-stderr shadow-collect import mtr --at 1000 mtr.json
    [ "$(jq -c 'select(.series == "mtr/127.0.0.1/1/loss_share") | [.ts, .value]' <<<"$output" | uniq -c | tr -s ' ')" = ' 2 [1000000000,0]' ]
    avg=$(jq '.report.hubs[0].Avg * 1000 | round' mtr.json | head -n 1)
    [ "$(jq 'select(.series == "mtr/127.0.0.1/1/rtt_avg_us").value | round' <<<"$output" | head -n 1)" = "$avg" ]
}

@test "tests of iperf3 become metrics at the time of their intervals, client's and server's" {
    pair
    command -v iperf3 >/dev/null || skip "iperf3 is not installed"
    "${in[@]}" ip link set lo up
    "${in[@]}" iperf3 --server -1 --json --forceflush >server.json &
    for _ in $(seq 400); do
        "${in[@]}" ss -ltn | grep -q :5201 && break
        sleep 0.05
    done
    "${in[@]}" iperf3 -c 127.0.0.1 -u -b 2M -t 1 -i 0.5 --json >client.json
    wait
    for side in client server; do
        run -0 --separate-stderr shadow-collect import iperf3 $side.json
        [ "$(jq -s 'map(select(.series == "iperf3/127.0.0.1/bps")) | length >= 1 and all(.value >= 0)' <<<"$output")" = true ]
        start=$(jq .start.timestamp.timesecs $side.json)
        [ "$(jq -s "map(select(.type == \"metric\").ts) | min > ${start}000000 and max < (${start} + 30) * 1000000" <<<"$output")" = true ]
        [ "$(jq 'select(.series == "iperf3/127.0.0.1/mean_bps").value > 1e6' <<<"$output")" = true ]
    done
    "${in[@]}" iperf3 -c 127.0.0.1 -t 1 --json >failed.json || true
    run -0 --separate-stderr shadow-collect import iperf3 failed.json
    [ "$(jq -r 'select(.type == "event").reason' <<<"$output")" = "$(jq -r .error failed.json)" ]
}

@test "interfaces as ip prints them become counters" {
    pair
    "${in[@]}" ip link set lo up
    "${in[@]}" ping -c 2 -i 0.1 127.0.0.1 >/dev/null
    "${in[@]}" ip -j -s link >link.json
    run -0 --separate-stderr shadow-collect import ip link.json
    [ "$(jq 'select(.series == "link/lo/packets").value' <<<"$output")" = "$(jq '.[] | select(.ifname == "lo").stats64.tx.packets' link.json)" ]
}

@test "what other tools get wrong in JSON is mended, what cannot be is told with its line" {
    cat >broken.json <<'EOF'
{"start":{"connecting_to":{"host":"h"},"timestamp":{"timesecs":1700000000},"target_bitrate":0,"target_bitrate":0},
 "intervals":[{"sum":{"start":0,"end":1,"bits_per_second":-nan,"jitter_ms":0,"lost_percent":-nan,"packets":0}},
  {"sum":{"start":1,"end":2,"bits_per_second":"8000","retransmits":"3"}}],
 "end":{}}
mtr: something went wrong
EOF
    run -3 --separate-stderr shadow-collect import iperf3 <broken.json
    [ "$(jq -c 'select(.type == "metric") | [.ts, .series, .value]' <<<"$output")" = \
        '[1700000001000000,"iperf3/h/jitter_us",0]
[1700000002000000,"iperf3/h/bps",8000]
[1700000002000000,"iperf3/h/retransmits",3]' ]
    [[ $stderr == *'standard input: line 5: not JSON'* ]]
    echo '{"report":{"mtr":{"dst":"b"},"hubs":[{"count":"1","host":"x","Loss%":"50%","Avg":"2.5",}
        {"count":"2","host":"???","Loss%":"100.0","Avg":"0.0"}]}}' >mtr.json
    run -0 --separate-stderr shadow-collect import mtr mtr.json
    [ "$(jq -c 'select(.type == "metric") | [.series, .value]' <<<"$output" | tr '\n' ' ')" = \
        '["mtr/b/1/loss_share",0.5] ["mtr/b/1/rtt_avg_us",2500] ["mtr/b/2/loss_share",1] ' ]
}

@test "results of RIPE Atlas and scamper tell loss and round trips at their own time" {
    cat >atlas.json <<'EOF'
[{"type":"ping","msm_id":1001,"prb_id":7,"timestamp":1700000000,"sent":4,"rcvd":3,"min":1.5,"avg":2,"max":4,"dst_addr":"192.0.2.1"},
 {"type":"ping","msm_id":1001,"prb_id":8,"timestamp":1700000001,"sent":3,"rcvd":0,"min":-1,"avg":-1,"max":-1},
 {"type":"traceroute","msm_id":5,"prb_id":7,"timestamp":1700000002,"result":[{"hop":1,"result":[{"from":"10.0.0.1","rtt":1.25},{"x":"*"}]}]}]
EOF
    run -0 --separate-stderr shadow-collect import atlas <atlas.json
    [ "$(jq -c 'select(.type == "metric") | [.ts / 1000000, .series, .value]' <<<"$output")" = \
        '[1700000000,"atlas/1001/7/loss_share",0.25]
[1700000000,"atlas/1001/7/rtt_min_us",1500]
[1700000000,"atlas/1001/7/rtt_avg_us",2000]
[1700000000,"atlas/1001/7/rtt_max_us",4000]
[1700000001,"atlas/1001/8/loss_share",1]
[1700000002,"atlas/5/7/1/loss_share",0.5]
[1700000002,"atlas/5/7/1/rtt_min_us",1250]' ]
    cat >scamper.json <<'EOF'
{"type":"cycle-start", "list_name":"default", "id":0}
{"type":"ping", "dst":"192.0.2.1", "start":{"sec":1700000000,"usec":500000}, "ping_sent":2, "responses":[{"rtt":1.5}]}
{"type":"trace", "dst":"192.0.2.1", "start":{"sec":1700000001,"usec":0}, "hops":[{"addr":"10.0.0.1","probe_ttl":1,"rtt":0.25}]}
EOF
    run -0 --separate-stderr shadow-collect import scamper <scamper.json
    [ "$(jq -c 'select(.type == "metric") | [.ts, .series, .value]' <<<"$output")" = \
        '[1700000000500000,"scamper/192.0.2.1/loss_share",0.5]
[1700000000500000,"scamper/192.0.2.1/rtt_min_us",1500]
[1700000000500000,"scamper/192.0.2.1/rtt_avg_us",1500]
[1700000000500000,"scamper/192.0.2.1/rtt_max_us",1500]
[1700000001000000,"scamper/192.0.2.1/1/rtt_us",250]' ]
    [ "$(jq 'select(.type == "end").counts.ignored' <<<"$output")" = 1 ]
}

@test "a document comes out as soon as it is whole" {
    mkfifo in
    shadow-collect import atlas <in >out 2>err &
    pid=$!
    exec 5>in
    echo '[{"type":"ping","msm_id":1,"prb_id":7,"sent":4,"rcvd":3},' >&5
    until_seen 'select(.series == "atlas/1/7/loss_share")' 1
    exec 5>&-
    wait "$pid"
    pid=
}

@test "an unknown format is a mistake in the command line" {
    run -2 --separate-stderr shadow-collect import nonsense
    [[ $stderr == *'not one of mtr, iperf3, atlas, scamper, ip'* ]]
}

@test "nothing to collect from is a mistake in the command line" {
    run -2 --separate-stderr shadow-collect
    [[ $stderr == *'nothing to collect from'* ]]
}
