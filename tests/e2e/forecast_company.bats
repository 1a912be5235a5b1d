#!/usr/bin/env bats
# shadow-forecast: what comes with the values of a series.

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
}

# made KIND SEED: eight days of a link on a path whose delay, as slots measure it, either leads the
# link's load by half an hour or has nothing to do with it
made() {
    python3 - "$1" "$2" <<'PY'
import math, random, sys
kind, r = sys.argv[1], random.Random(int(sys.argv[2]))
delay = other = 0.0
past = [0.0] * 6
for i in range(1, 8 * 288 + 1):
    delay = 0.9 * delay + r.gauss(0, 1)
    other = 0.9 * other + r.gauss(0, 1)
    past.append(delay)
    load = past[-7] if kind == "lead" else other
    value = 1000 * math.exp(0.3 * math.sin(2 * math.pi * i / 288) + 0.15 * load + 0.02 * r.gauss(0, 1))
    print('{"type":"slot","v":1,"ts":%d000000,"path_id":"00ff","window":1,"slot":%d,"pair":1,"hop":3,'
          '"schedule":"lockin","on":false,"sent":10,"received":%d,"delay_mean_us":%d}'
          % (300 * i - 20, i, 10 - (r.random() < 0.1), 500 * math.exp(0.5 * delay)))
    print('{"type":"metric","v":1,"ts":%d000000,"series":"link/x/bps","value":%.2f,"path":"00ff"}'
          % (300 * i, value))
PY
}

# pinball: of the forecasts half an hour ahead, over the last day
pinball() {
    shadow-forecast --horizon 5m,30m,1h -o score |
        jq -s 'map(select(.horizon_us == 1800000000).pinball) | .[-1]'
}

# nameless: the same records, but no path is named
nameless() {
    sed 's/,"path":"00ff"//'
}

@test "the delay of a path that leads the load of a link is used" {
    for seed in 1 2; do
        made lead "$seed" >in
        with=$(pinball <in)
        without=$(nameless <in | pinball)
        jq -en "$with < 0.6 * $without" || { echo "$seed: $with $without"; false; }
    done
}

@test "the delay of a path that has nothing to do with a link does no harm" {
    for seed in 1 2 3; do
        made noise "$seed" >in
        with=$(pinball <in)
        without=$(nameless <in | pinball)
        jq -en "$with < 1.02 * $without" || { echo "$seed: $with $without"; false; }
    done
}

@test "a path that nothing is heard of changes next to nothing" {
    made noise 1 | grep '"metric"' >in
    with=$(pinball <in)
    without=$(nameless <in | pinball)
    jq -en "$with < 1.005 * $without" || { echo "$with $without"; false; }
}

@test "a path that is not one of the network is none" {
    made lead 1 >whole
    sed 's,"path":"00ff","path":"/var/log",' whole | shadow-forecast --horizon 30m -o forecast >named
    nameless <whole | shadow-forecast --horizon 30m -o forecast | cmp - named
}

@test "the path of a flow is the one that was traced for it" {
    made lead 1 >whole
    head -1200 whole | sed 's/,"path":"00ff"//; s,link/x/bps,flow/ab12/bps,' >in
    { echo '{"type":"path","v":1,"ts":1,"path_id":"00ff","dst":"fd09::1","flow_id":"ab12"}'; cat in; } |
        shadow-forecast --horizon 30m -o forecast,end >traced
    sed 's,"series":"flow/ab12/bps",&\,"path":"00ff",' in | shadow-forecast --horizon 30m -o forecast,end |
        cmp - traced
    run ! cmp traced <(shadow-forecast --horizon 30m -o forecast,end <in)
}

@test "flows, however many, take no place of what is known of paths" {
    flows() { # FROM TO
        for i in $(seq "$1" "$2"); do
            echo '{"type":"path","v":1,"ts":'"$i"'000000,"path_id":"00ff","dst":"fd09::1","flow_id":"f'"$i"'"}'
        done
    }
    {
        flows 1 30
        verdicts 40 | tail -9 | sed 's/"path_id":"[0-9a-f]*"/"path_id":"00aa"/; s/}$/,"available_bps":{"lo":1e8,"mid":3e8,"hi":5e8}}/'
    } | shadow-forecast --max-series 20 -o breach >out
    jq -es 'length == 9 and all(.capacity == 1e8)' out
}

@test "what is known of paths survives a restart" {
    made lead 3 >in
    shadow-forecast --horizon 30m <in | grep -v '"end"' >whole
    head -1501 in | shadow-forecast --horizon 30m --state state >/dev/null
    shadow-forecast --horizon 30m --state state <in | grep '"forecast"' >rest
    grep '"forecast"' whole | tail -"$(wc -l <rest)" | cmp - rest
    [ "$(wc -l <rest)" -gt 1500 ]
}

@test "a slot that is void, or of a hop before the furthest, tells nothing" {
    made lead 1 >whole
    head -1200 whole >in
    shadow-forecast --horizon 30m -o forecast <in >clean
    awk '{ print } NR > 3 && /"slot",/ { sub(/"delay_mean_us":[0-9]*/, "\"delay_mean_us\":900000")
        s = $0; sub(/}$/, ",\"void\":true}", s); print s; sub(/"hop":3/, "\"hop\":2"); print }' in | shadow-forecast --horizon 30m -o forecast | cmp - clean
    # A bad one is named, as soon as slots are of use.
    { head -2 in; echo '{"type":"slot","v":1,"ts":1,"path_id":"00ff"}'; } >bad
    run -3 --separate-stderr shadow-forecast <bad
    # shellcheck disable=SC2154
    [[ "$stderr" == *"line 3"*window* ]]
}

# verdicts N: of as many paths, one a second, each with a capacity
verdicts() {
    awk -v n="$1" 'BEGIN { for (i = 1; i <= n; i++)
        printf "{\"type\":\"verdict\",\"v\":1,\"ts\":%d000000,\"path_id\":\"%016x\",\"state\":\"clear\",\"capacity_bps\":1e9}\n", i, i }'
}

@test "a million paths take no more memory than those of the time that is kept" {
    [ "$MODE" = release ] || skip "memory is not measured under a sanitizer"
    # peak N: kilobytes at most
    peak() {
        shadow-forecast --ttl 1h < <(verdicts "$1") >/dev/null 3>&- &
        while kill -0 $! 2>/dev/null; do
            grep VmHWM "/proc/$!/status" 2>/dev/null || true
            sleep 0.02
        done | awk '$2 > most { most = $2 } END { print most }'
        wait $!
    }
    few=$(peak 50000)
    many=$(peak 1000000)
    echo "$few $many"
    [ "$many" -lt $((few + few / 4 + 500)) ]
}

@test "a capacity is kept as long as a series needs it" {
    {
        verdicts 1
        for i in $(seq 2 2000); do
            echo '{"type":"metric","v":1,"ts":'"$i"'000000,"series":"path/0000000000000001/available_bps","value":'$((900000000 - i * 100000))'}'
        done
    } | shadow-forecast --ttl 1m --horizon 1m --below 90% -o breach | tail -1 >last
    jq -e '.capacity == 900000000' last
}

# regional SEED: six days of four flows to one country, driven by what the whole country does: two
# of them an hour before the others
regional() {
    python3 - "$1" <<'PY'
import math, random, sys
r = random.Random(int(sys.argv[1]))
country = 0.0
past = [0.0] * 12
for i in range(1, 6 * 288 + 1):
    country = 0.95 * country + r.gauss(0, 1)
    past.append(country)
    for k in range(4):
        drive = past[-1] if k < 3 else past[-13]
        value = 1000 * math.exp(0.3 * math.sin(2 * math.pi * i / 288) + 0.2 * drive + 0.05 * r.gauss(0, 1))
        address = "203.0.113.%d" % k if k % 2 else "2001:db8::%d" % k
        print('{"type":"app","v":1,"ts":%d000000,"app":"a%d","src":"198.51.100.7","dst":"%s","current_bps":%d}'
              % (300 * i, k, address, value))
PY
}

# mmdb FILE: IPv4 and IPv6, 203.0.113.0/24 and 2001:db8::/32 are in DE, 198.51.100.0/24 in Europe
mmdb() {
    python3 - "$1" <<'PY'
import ipaddress, sys

def text(s): return bytes([0x40 | len(s)]) + s.encode()
def u16(n): return b"\xa2" + n.to_bytes(2, "big")
def u32(n): return b"\xc4" + n.to_bytes(4, "big")
def u64(n): return b"\x08\x02" + n.to_bytes(8, "big")
def table(d): return bytes([0xe0 | len(d)]) + b"".join(text(k) + v for k, v in d.items())

entries = [table({"country": table({"iso_code": text("DE")})}),
           table({"continent": table({"code": text("EU")})})]
nets = [("::203.0.113.0/120", 0), ("2001:db8::/32", 0), ("::198.51.100.0/120", 1)]
nodes = [[None, None]]
for net, entry in nets:
    net = ipaddress.ip_network(net)
    at = 0
    for bit in range(net.prefixlen):
        side = int(net.network_address) >> (127 - bit) & 1
        if bit == net.prefixlen - 1:
            nodes[at][side] = ("entry", entry)
        else:
            if nodes[at][side] is None:
                nodes.append([None, None])
                nodes[at][side] = len(nodes) - 1
            at = nodes[at][side]
n, data, where = len(nodes), b"", []
for e in entries:
    where.append(len(data))
    data += e
def record(r): return n if r is None else r if isinstance(r, int) else n + 16 + where[r[1]]
tree = b"".join(record(r).to_bytes(3, "big") for node in nodes for r in node)
meta = table({"node_count": u32(n), "record_size": u16(24), "ip_version": u16(6),
              "database_type": text("Country"), "languages": b"\x00\x04",
              "binary_format_major_version": u16(2), "binary_format_minor_version": u16(0),
              "build_epoch": u64(1), "description": table({})})
open(sys.argv[1], "wb").write(tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + meta)
PY
    run shadow-forecast --geoip "$1" </dev/null
    [[ "$output" != *"without libmaxminddb"* ]] || skip "built without libmaxminddb"
}

# last_pinball NAME: an hour ahead, over the last day
last_pinball() {
    jq -s --arg name "$1" 'map(select(.horizon_us == 3600000000 and (.series | startswith($name))).pinball) | .[-1]'
}

@test "what the whole region does is used where it leads" {
    regional 1 >in
    jq -c '.destination_region = "DE"' in | shadow-forecast --horizon 1h -o score >with
    shadow-forecast --horizon 1h -o score <in >without
    late=$(last_pinball app/a3 <with) alone=$(last_pinball app/a3 <without)
    echo "$late $alone"
    jq -en "$late < 0.7 * $alone"
    # Of the others the region tells little more than they tell themselves.
    one=$(last_pinball app/a0 <with) alone=$(last_pinball app/a0 <without)
    echo "$one $alone"
    jq -en "$one < 1.03 * $alone"
}

@test "a member of a region whose clock was set back leaves the others their sum" {
    regional 1 | jq -c '.destination_region = "DE"' >in
    awk -F'[:,]' '{ print } /"a3"/ { ts = $6; if (++n < 288) ts += 3600000000; sub(/"ts":[0-9]*/, sprintf("\"ts\":%d", ts))
        sub(/"a3"/, "\"a4\""); sub(/"current_bps":[0-9]*/, "\"current_bps\":" 1000 + n * 7919 % 211); print }' in >with
    together=$(shadow-forecast --horizon 1h -o score <with | last_pinball app/a3)
    alone=$(jq -c 'del(.destination_region)' in | shadow-forecast --horizon 1h -o score | last_pinball app/a3)
    echo "$together $alone"
    jq -en "$together < 0.75 * $alone"
}

@test "regions of addresses are those that were named by hand" {
    shadow-forecast --help | grep -q geoip
    mmdb country.mmdb
    regional 2 | head -2000 >in || true
    run -0 shadow-forecast --geoip country.mmdb --horizon 1h -o forecast <in
    echo "$output" >found
    jq -c '.destination_region = "DE" | .source_region = "EU"' in | shadow-forecast --horizon 1h -o forecast |
        cmp - found
    run ! cmp found <(shadow-forecast --horizon 1h -o forecast <in)
    # Without an address in the file nothing changes.
    sed -E 's/198.51.100/192.0.2/; s/203.0.113|2001:db8/10.0.0/' in >elsewhere
    shadow-forecast --horizon 1h -o forecast <elsewhere >without
    shadow-forecast --geoip country.mmdb --horizon 1h -o forecast <elsewhere | cmp - without
}

@test "regions survive a restart" {
    regional 3 | jq -c '.destination_region = "DE"' >in
    shadow-forecast --horizon 1h <in | grep '"forecast"' >whole
    head -4000 in | shadow-forecast --horizon 1h --state state >/dev/null
    shadow-forecast --horizon 1h --state state <in | grep '"forecast"' >rest
    tail -"$(wc -l <rest)" whole | cmp - rest
    [ "$(wc -l <rest)" -gt 2700 ]
}

@test "a geoip file that is missing, cut short, damaged or of another kind is named" {
    mmdb country.mmdb
    run -2 shadow-forecast --geoip none.mmdb </dev/null
    [[ "$output" == *none.mmdb* ]]
    size=$(stat -c %s country.mmdb)
    for keep in 0 1 $((size / 4)) $((size / 2)) $((size - 20)); do
        head -c "$keep" country.mmdb >short.mmdb
        run shadow-forecast --geoip short.mmdb </dev/null
        [[ "$status" == [23] && "$output" == *short.mmdb* ]] || { echo "$keep: $status $output"; false; }
    done
    # The first record of the tree points far behind the data.
    { printf '\xff\xff\xf0'; tail -c +4 country.mmdb; } >wild.mmdb
    run -3 shadow-forecast --geoip wild.mmdb </dev/null
    [[ "$output" == *wild.mmdb*node\ 0* ]]
    head -c 5000 /dev/zero >zero.mmdb
    run -3 shadow-forecast --geoip zero.mmdb </dev/null
    [[ "$output" == *zero.mmdb* ]]
    run shadow-forecast --geoip . </dev/null
    [[ "$status" == [23] ]]
}
