#!/usr/bin/env bash
# Namespaces $S (a host), $A (its head-end) and $B, with two ways between $A and $B; 10.77.9.0/24 and
# fd77:9::/64 are in $B. For the bars and the tests of shadow-steer: source it, two_ways_up, and
# two_ways_down at the end. $WORK is a directory that goes away with them.
S=sdwst$$s A=sdwst$$a B=sdwst$$b

two_ways_down() {
    ip netns del "$S" 2>/dev/null
    ip netns del "$A" 2>/dev/null
    ip netns del "$B" 2>/dev/null
    rm -rf "$WORK"
}

two_ways_up() {
    WORK=$(mktemp -d)
    ip netns add "$S" && ip netns add "$A" && ip netns add "$B" || return 4
    for ns in "$S" "$A" "$B"; do
        ip netns exec "$ns" sysctl -qw net.ipv6.conf.default.accept_dad=0
    done
    ip -n "$S" link add live type veth peer name edge netns "$A"
    ip -n "$S" link set live up
    ip -n "$A" link set edge up
    ip -n "$S" addr add 10.77.8.2/24 dev live
    ip -n "$S" -6 addr add fd77:8::2/64 dev live nodad
    ip -n "$A" addr add 10.77.8.1/24 dev edge
    ip -n "$A" -6 addr add fd77:8::1/64 dev edge nodad
    ip -n "$S" route add default via 10.77.8.1
    ip -n "$S" -6 route add default via fd77:8::1
    local n=0 ns host way
    for way in pri sha; do
        n=$((n + 1))
        ip -n "$A" link add "$way" type veth peer name "$way" netns "$B"
        for ns in "$A" "$B"; do
            host=1
            [ "$ns" = "$A" ] || host=2
            ip -n "$ns" link set lo up
            ip -n "$ns" link set "$way" up
            ip -n "$ns" addr add "10.77.$n.$host/24" dev "$way"
            ip -n "$ns" -6 addr add "fd77:$n::$host/64" dev "$way" nodad
        done
    done
    ip -n "$B" addr add 10.77.9.1/32 dev lo
    ip -n "$B" -6 addr add fd77:9::1/128 dev lo nodad
    ip -n "$A" route add 10.77.9.0/24 via 10.77.1.2
    ip -n "$A" route add 10.77.9.0/24 via 10.77.2.2 metric 100
    ip -n "$A" -6 route add fd77:9::/64 via fd77:1::2 metric 1024
    ip -n "$A" -6 route add fd77:9::/64 via fd77:2::2 metric 2048
    ip -n "$B" route add 10.77.8.0/24 via 10.77.1.1
    ip -n "$B" -6 route add fd77:8::/64 via fd77:1::1
    for ns in "$A" "$B"; do
        ip netns exec "$ns" sysctl -qw net.ipv4.fib_multipath_hash_policy=1 \
            net.ipv6.fib_multipath_hash_policy=1 net.ipv4.conf.all.rp_filter=0 \
            net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    done
}

in_a() { ip netns exec "$A" "$@"; }

# The plan of prefixes, with path ids P and B, and a load of 10 Mbit/s each.
make_plan() {
    in_a shadow-steer plan "$@" -o unit |
        jq -c '.primary.path_id = "P" | .shadows[0].path_id = "B" | .load_bps = 1e7
               | del(.load_dev)'
}
