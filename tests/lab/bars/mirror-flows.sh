#!/usr/bin/env bash
# Shadows of a thousand live flows (shadow-probe --mirror) over forty paths: one router, then twenty
# branches, IPv4 and IPv6. Flows are told of at a rate drawn from the seed, then a hundred at once;
# nothing ends before the last second. A victim crosses a branch of 20 Mbit/s beside Poisson traffic
# of 12, before and while shadows are there.
#
# Bar: 1,000 shadows at one time over 20 paths or more that are measured with load, each with its first slot within 1 s of its
# flow.new where the path to its destination was known, else within 3 s; at no router more than 50
# packets expire in any second; no more than 1 Mbit/s is injected in the mean; no victim's packet is
# lost and no queue drops one.
#
# CARRIER=vxlan: the same through one tunnel (--tunnel vxlan) to a reflector behind two fans of branches
# of equal cost. A third of the flows have outer packets of their own, which are each to be traced; the
# others share the tunnel's. A flow has its first slot when it has one inside and one outside, and its
# path is known when both are. The victim crosses the last link, of 20 Mbit/s.
BAR_NAME=mirror-flows
# shellcheck source=tests/lab/bars/lib.bash
. "$(dirname "$0")/lib.bash"

branches=20 flows=1040 carrier=${CARRIER:-tuple}
case $carrier in
tuple) narrow=r2-m1 victim_end=d1 ;;
vxlan) narrow=r4-s victim_end=s ;;
*)
    echo "$BAR_NAME: CARRIER is tuple or vxlan" >&2
    exit 2
    ;;
esac
python3 - $branches "$carrier" >"$work/star" <<'END'
import json, sys
def put(**record):
    print(json.dumps({"type": record.pop("kind"), "v": 1, "ts": 0} | record))
put(kind="node", node="c", role="host", addrs=["10.8.0.2/24", "fd08::2/64"])
put(kind="node", node="r1", role="router")
put(kind="node", node="r2", role="router")
put(kind="link", a="c", b="r1")
put(kind="link", a="r1", b="r2")
narrow = {"rate_bps": 20e6, "buffer_bytes": 100000, "shaper": "tbf"}
tunnel = sys.argv[2] == "vxlan"
def fan(a, b, name, n):
    put(kind="node", node=b, role="router")
    for k in range(1, n + 1):
        put(kind="node", node=f"{name}{k}", role="router")
        put(kind="link", a=a, b=f"{name}{k}")
        put(kind="link", a=f"{name}{k}", b=b)

if tunnel:  # two fans make more than the sixteen branches that a router may have
    fan("r2", "r3", "m", 16)
    fan("r3", "r4", "n", 11)
    put(kind="node", node="s", role="host", addrs=["10.9.0.2/24", "fd09::2/64"])
    put(kind="link", a="r4", b="s", **narrow)
for k in range(1, 0 if tunnel else int(sys.argv[1]) + 1):
    put(kind="node", node=f"m{k}", role="router")
    put(kind="node", node=f"d{k}", role="host", addrs=[f"10.9.{k}.2/24", f"fd09:{k}::2/64"])
    put(kind="link", a="r2", b=f"m{k}", **(narrow if k == 1 else {}))
    put(kind="link", a=f"m{k}", b=f"d{k}")
END

# Tells the prober of flows, and watches: when each gets its first slot, and what the routers answer.
cat >"$work/tell.py" <<'END'
import json, random, socket, subprocess, sys, threading, time
seed, flows, branches, work = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
tunnel = sys.argv[5] == "vxlan"
draw = random.Random(seed)
rate = draw.uniform(15, 40)
through = ["--tunnel", "vxlan", "--vni", "42", "--remote", "10.9.0.2", "--source", "10.8.0.2", "--inner",
           "172.31.9.1/24", "--inner-remote", "172.31.9.2"] if tunnel else []
probe = subprocess.Popen(["shadow-probe", "--mirror"] + through, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=open(f"{work}/probe.err", "w"))
told, known, slot, reached, open_now, most = {}, {}, {}, set(), set(), 0
paths, loaded, inside, expired, counts = set(), set(), set(), {}, {}

def watch_icmp(family, protocol, exceeded, at):
    s = socket.socket(family, socket.SOCK_RAW, protocol)
    while True:
        packet, who = s.recvfrom(2000)
        if packet[at] == exceeded:
            expired.setdefault(who[0], []).append(time.monotonic())

def watch_records():
    global most
    with open(f"{work}/out", "w") as out:
        for line in probe.stdout:
            now, record = time.monotonic(), json.loads(line)
            out.write(line.decode())
            flow = record.get("flow_id")
            if record["type"] == "path":
                reached.add(record["dst"])
                paths.add(record["path_id"])
                if record["reached"]:
                    inside.add(record["path_id"])
            elif record["type"] == "slot":
                slot.setdefault((flow, record["path_id"] in inside), now)
                if record["load_packets"] and not record["void"]:
                    loaded.add(record["path_id"])
            elif record["type"] == "mirror" and record["state"] == "opened":
                open_now.add(flow)
                most = max(most, len(open_now))
            elif record["type"] == "mirror" and record["state"] == "closed":
                open_now.discard(flow)
            elif record["type"] == "end":
                counts.update(record["counts"])

for family, protocol, exceeded, at in (socket.AF_INET, socket.IPPROTO_ICMP, 11, 20), \
        (socket.AF_INET6, socket.IPPROTO_ICMPV6, 3, 0):
    threading.Thread(target=watch_icmp, args=(family, protocol, exceeded, at), daemon=True).start()
reader = threading.Thread(target=watch_records)
reader.start()
begun = time.monotonic()

def tell(kind, flow, **more):
    record = {"type": kind, "v": 1, "ts": time.time_ns() // 1000, "flow_id": flow} | more
    probe.stdin.write((json.dumps(record) + "\n").encode())
    probe.stdin.flush()

tuples = {}
for i in range(flows):
    k, v6 = i % branches + 1, i // branches % 2
    tuples[f"f{i}"] = {"src": "fd08::2" if v6 else "10.8.0.2", "sport": 20000 + i,
                       "dst": f"fd09:{k}::2" if v6 else f"10.9.{k}.2", "dport": 443,
                       "protocol": draw.choice(["tcp", "udp"])}
    if tunnel and i % 3 == 0:
        tuples[f"f{i}"] |= {"outer_src": "10.8.0.2", "outer_sport": 50000 + i, "outer_dst": "10.9.0.2",
                            "outer_dport": 4789, "outer_protocol": "udp"}
names = list(tuples)
draw.shuffle(names)
for n, name in enumerate(names):
    known[name] = tuples[name]["dst"] in reached
    if tunnel:
        known[name] = {"10.9.0.2", "172.31.9.2"} <= reached and "outer_src" not in tuples[name]
    told[name] = time.monotonic()
    tell("flow.new", name, **tuples[name])
    if n < flows - 100:  # the last hundred come at once
        time.sleep(draw.expovariate(rate))
time.sleep(8)
for name in names:
    tell("flow.end", name, reason="closed", **tuples[name])
probe.stdin.close()
reader.join()
took = time.monotonic() - begun

def busiest(times):
    first = worst = 0
    for i, t in enumerate(times):
        while times[first] < t - 1:
            first += 1
        worst = max(worst, i - first + 1)
    return worst

def first(name):
    return max(slot.get((name, part), begun + 1e6) for part in {False, tunnel})

waits = {k: sorted(first(n) - told[n] for n in names if known[n] == k) for k in (True, False)}
print(json.dumps({
    "flows_per_s": round(rate, 1), "most_shadows": most, "paths": len(paths),
    "loaded_paths": len(loaded),
    "known": len(waits[True]), "known_p50_ms": round(waits[True][len(waits[True]) // 2] * 1e3),
    "known_most_ms": round(max(waits[True]) * 1e3), "new": len(waits[False]),
    "new_most_ms": round(max(waits[False]) * 1e3),
    "expired_per_s": max(busiest(sorted(t)) for t in expired.values()),
    "injected_bps": round(counts["bytes"] * 8 / took), "slots": counts["slots"],
    "void_slots": counts["void_slots"], "traces": counts["traces"], "aborts": counts["aborts"]}))
END

drops() {
    shadow-lab counters $narrow -l "$lab" | jq "select(.series == \"link/$narrow/drops\").value"
}

# victim NAME: what the victim has lost, and what queues have dropped, since the last stop
victim() {
    stop_all
    jq -cs --argjson drops $(($(drops) - dropped)) 'map(select(.final and .flow == "victim")) | last
        | {lost, p50_us: .delay_p50_us, p99_us: .delay_p99_us, drops: $drops}' \
        "$work/victim.ndjson" >"$work/$1"
}

live() {
    dropped=$(drops)
    traffic c "$victim_end" victim --rate 160k --size 200 --port 9100 --seed "$1"
    traffic c "$victim_end" live --model poisson --trimodal --flows 8 --rate 12M --port 9200 --seed "$1"
    sleep 1
}

# The far end of the tunnel, which reflects inside.
far_end() {
    shadow-lab exec -l "$lab" s ip link add vx42 type vxlan id 42 local 10.9.0.2 remote 10.8.0.2 dstport 4789
    shadow-lab exec -l "$lab" s ip addr add 172.31.9.2/24 dev vx42
    shadow-lab exec -l "$lab" s ip link set vx42 up
    shadow-lab exec -l "$lab" s shadow-reflect -q >"$work/reflect" 2>&1 &
    reflector=$!
}

one() {
    build_bare "$work/star" --icmp off
    [ "$carrier" = tuple ] || far_end
    live "$1"
    sleep 20
    victim without
    live "$1"
    shadow-lab exec -l "$lab" c python3 "$work/tell.py" "$1" $flows $branches "$work" "$carrier" >"$work/told"
    victim with
    [ "$carrier" = tuple ] || { kill "$reflector" && wait "$reflector"; } || true
    jq -cs --arg bar "$BAR_NAME" --argjson seed "$1" --arg carrier "$carrier" '
        .[0] as $told | .[1] as $without | .[2] as $with
        | {type: "run", v: 1, bar: $bar, seed: $seed, carrier: $carrier,
           ok: ($told.most_shadows >= 1000 and $told.loaded_paths >= 20 and $told.known_most_ms <= 1000
                and $told.new_most_ms <= 3000 and $told.expired_per_s <= 50
                and $told.injected_bps <= 1e6 and $with.lost <= $without.lost
                and $with.drops <= $without.drops)}
          + $told + {victim: {$without, $with}}' "$work/told" "$work/without" "$work/with" |
        tee -a "$work/runs"
}

each_run
judge 0.90 '{fewest_shadows: (map(.most_shadows) | min), known_most_ms: (map(.known_most_ms) | max),
    new_most_ms: (map(.new_most_ms) | max), expired_per_s: (map(.expired_per_s) | max),
    injected_bps: (map(.injected_bps) | max)}'
