#!/bin/bash
# The bar on labels: of the flows of a directory of captures, at least 99.5 % are given the
# application that ndpiReader 4.2 gives them. CAPTURES=DIR names the directory; without it, or
# without ndpiReader or libndpi, this is skipped. VERBOSE=1 shows each difference.
#
# Flows are told apart by addresses, ports and protocol; of those that one side takes for several
# the first counts. Flows that only one side sees (in tunnels, say) are counted apart.
set -eu
export LC_ALL=C
[ -d "${CAPTURES:-}" ] || { echo "labels: skipped: CAPTURES names no directory" >&2; exit 0; }
command -v ndpiReader >/dev/null || { echo "labels: skipped: ndpiReader is missing" >&2; exit 0; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

for capture in "$CAPTURES"/*.pcap "$CAPTURES"/*.pcapng; do
    [ -e "$capture" ] || continue
    name=${capture##*/}
    rm -f "$dir/reader"
    ndpiReader -q -v 2 -i "$capture" -w "$dir/reader" >/dev/null 2>&1 || continue
    # TAB number TAB PROTOCOL ADDRESS:PORT <-> ADDRESS:PORT [proto: 7.126/HTTP.Google]...
    sed -nE "s|^\t[0-9]+\t([^ ]+) (\S+):([0-9]+) <?-> (\S+):([0-9]+) (.*)\[proto: ([A-Z]+:)?[0-9.]+/([^]]+)\].*|reader\t$name\t\L\1\E\t\2\t\3\t\4\t\5\t\8|p" \
        "$dir/reader"
    shadow-profile -r "$capture" --idle 1000d --active 1000d --interval 0 --snap 262144 \
        -o flow.app,flow.end 2>/dev/null |
        jq -r --arg name "$name" '["ours", $name, .protocol, .src, .sport, .dst, .dport,
            (if .type == "flow.app" then ([.master, .app] | map(values) | join(".")) else .app end),
            .type] | @tsv'
done >"$dir/all"
VERBOSE=${VERBOSE:-} python3 - "$dir/all" <<'END'
import os, sys
numbers = {"tcp": 6, "udp": 17, "icmp": 1, "sctp": 132, "igmp": 2, "gre": 47, "esp": 50, "ah": 51,
           "dccp": 33, "udplite": 136, "pim": 103, "ospf": 89, "vrrp": 112, "ipip": 4, "ipv6": 41,
           "icmpv6": 58}
sides = {"reader": {}, "ours": {}}
for line in open(sys.argv[1], encoding="latin-1"):
    side, name, protocol, src, sport, dst, dport, label = line.rstrip("\n").split("\t")[:8]
    # ndpiReader writes :0: as ::, whatever that makes of an IPv6 address
    ends = sorted([(src.strip("[]").replace(":0:", "::"), int(sport or 0)),
                   (dst.strip("[]").replace(":0:", "::"), int(dport or 0))])
    protocol = int(numbers.get(protocol, protocol))
    if protocol == 1 and ":" in src:
        protocol = 58
    sides[side].setdefault((name, protocol, *ends), label)
reader, ours = sides["reader"], sides["ours"]
both = [key for key in reader if key in ours]
same = sum(reader[key] == ours[key] for key in both)
if os.environ["VERBOSE"]:
    for key in both:
        if reader[key] != ours[key]:
            print("#", *key, "reader", reader[key], "ours", ours[key], file=sys.stderr)
    for key in reader:
        if key not in ours:
            print("# only reader", *key, reader[key], file=sys.stderr)
share = same / len(both) if both else 0
met = share >= 0.995
print('{"type":"bar","name":"labels","flows":%d,"same":%d,"share":%.4f,"only_reader":%d,'
      '"only_ours":%d,"met":%s}' % (len(both), same, share, len(reader) - len(both),
                                    len(ours) - len(both), str(met).lower()))
sys.exit(0 if met else 1)
END
