#!/usr/bin/env bash
# How many new paths shadow-probe --mirror takes up: 200 flows at once, each on a path of its own,
# behind two routers that all have in common; a hundred destinations, IPv4 and IPv6. Every path costs
# these two a trace and a first ladder.
#
# Bar: the first slots of all within 12 s, at no router more than 50 packets expire in any second, and
# no more than 1 Mbit/s is injected in the mean.
BAR_NAME=mirror-burst
# shellcheck source=tests/lab/bars/lib.bash
. "$(dirname "$0")/lib.bash"

python3 - >"$work/star" <<'END'
import json
def put(**record):
    print(json.dumps({"type": record.pop("kind"), "v": 1, "ts": 0} | record))
put(kind="node", node="c", role="host", addrs=["10.8.0.2/24", "fd08::2/64"])
put(kind="node", node="r1", role="router")
put(kind="node", node="r2", role="router")
put(kind="link", a="c", b="r1")
put(kind="link", a="r1", b="r2")
for k in range(1, 101):
    put(kind="node", node=f"m{k}", role="router")
    put(kind="node", node=f"d{k}", role="host", addrs=[f"10.9.{k}.2/24", f"fd09:{k}::2/64"])
    put(kind="link", a="r2", b=f"m{k}")
    put(kind="link", a=f"m{k}", b=f"d{k}")
END

cat >"$work/tell.py" <<'END'
import json, random, socket, subprocess, sys, threading, time
draw, work = random.Random(int(sys.argv[1])), sys.argv[2]
expired = {}

def watch(family, protocol, exceeded, at):
    s = socket.socket(family, socket.SOCK_RAW, protocol)
    while True:
        packet, who = s.recvfrom(2000)
        if packet[at] == exceeded:
            expired.setdefault(who[0], []).append(time.monotonic())

for family, protocol, exceeded, at in (socket.AF_INET, socket.IPPROTO_ICMP, 11, 20), \
        (socket.AF_INET6, socket.IPPROTO_ICMPV6, 3, 0):
    threading.Thread(target=watch, args=(family, protocol, exceeded, at), daemon=True).start()

ends = [("10.8.0.2", f"10.9.{k}.2") for k in range(1, 101)] + [("fd08::2", f"fd09:{k}::2") for k in range(1, 101)]
draw.shuffle(ends)
probe = subprocess.Popen(["shadow-probe", "--mirror", "--duration", "15s"], stdin=subprocess.PIPE,
                         stdout=open(f"{work}/out", "w"), stderr=open(f"{work}/probe.err", "w"))
told = time.time()
probe.stdin.write("".join(json.dumps(
    {"type": "flow.new", "v": 1, "ts": int(told * 1e6), "flow_id": f"f{n}", "src": src, "sport": 20000 + n,
     "dst": dst, "dport": 443, "protocol": "udp"}) + "\n" for n, (src, dst) in enumerate(ends)).encode())
probe.stdin.close()
probe.wait()

paths, slots, counts = {}, {}, {}
for line in open(f"{work}/out"):
    record = json.loads(line)
    if record["type"] == "path":
        paths.setdefault(record["flow_id"], record["ts"] / 1e6 - told)
    elif record["type"] == "slot":
        slots.setdefault(record["flow_id"], (record["ts"] + record["duration_us"]) / 1e6 - told)
    elif record["type"] == "end":
        counts = record["counts"]

def busiest(times):
    first = worst = 0
    for i, t in enumerate(times):
        while times[first] < t - 1:
            first += 1
        worst = max(worst, i - first + 1)
    return worst

waits = sorted(slots.values())
within = lambda seconds: sum(wait <= seconds for wait in waits)
print(json.dumps({
    "flows": len(ends), "paths": counts["paths"], "slots_of": len(waits), "within_1s": within(1), "within_3s": within(3),
    "paths_last_ms": round(max(paths.values()) * 1e3), "slots_last_ms": round(waits[-1] * 1e3),
    "paths_per_s": round(len(waits) / waits[-1], 1),
    "expired_per_s": max(busiest(sorted(t)) for t in expired.values()),
    "injected_bps": round(counts["bytes"] * 8 / 15)}))
END

one() {
    build_bare "$work/star" --icmp off
    shadow-lab exec -l "$lab" c python3 "$work/tell.py" "$1" "$work" |
        jq -c --arg bar "$BAR_NAME" --argjson seed "$1" '
            {type: "run", v: 1, bar: $bar, seed: $seed,
             ok: (.paths >= .flows and .slots_of == .flows and .slots_last_ms <= 12000 and .expired_per_s <= 50
                  and .injected_bps <= 1e6)} + .' | tee -a "$work/runs"
}

each_run
judge 0.90 '{paths_per_s: (map(.paths_per_s) | min), slots_last_ms: (map(.slots_last_ms) | max),
    within_3s: (map(.within_3s) | min), expired_per_s: (map(.expired_per_s) | max)}'
