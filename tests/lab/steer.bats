#!/usr/bin/env bats
# shadow-steer on the real kernel, in namespaces of its own.

# shellcheck disable=SC2016
bats_require_minimum_version 1.5.0

setup() {
    [ "$(id -u)" = 0 ] || skip "needs root"
    unshare -n true 2>/dev/null || skip "network namespaces may not be made here"
    # shellcheck source=tests/lab/two-ways.bash
    . "$BATS_TEST_DIRNAME/two-ways.bash"
    STEER=
    two_ways_up
    cd "$WORK"
    make_plan 10.77.9.0/24 fd77:9::/64 >plan
    in_a ip route show 10.77.9.0/24 >routes4
    in_a ip -6 route show fd77:9::/64 >routes6
}

teardown() {
    [ "$(id -u)" = 0 ] || return 0
    exec 8>&-
    [ -z "$STEER" ] || kill -9 "$STEER" 2>/dev/null || true
    ! mountpoint -q "$WORK/state" || umount -l "$WORK/state"
    cd /
    two_ways_down
}

steer() { # options
    mkfifo feed 2>/dev/null || true
    ip netns exec "$A" shadow-steer --plan plan --apply --state state --at-once 100% --dwell 0 \
        --max-changes 1000 "$@" <feed >out 2>err 8>&- 3>&- &
    STEER=$!
    exec 8>feed
}

# Wait up to 15 s until the command succeeds.
until_true() {
    local i
    for ((i = 0; i < 150; i++)); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    echo "never: $*" >&2
    cat out err >&2
    return 1
}

said() { grep -q -- "$1" out; }
now() { printf '%s' "${EPOCHREALTIME/[.,]/}"; }

metric() { # path value
    printf '{"type":"metric","v":1,"ts":%s,"series":"path/%s/available_bps","value":%s}\n' "$(now)" "$1" "$2" >&8
}

breach() {
    printf '{"type":"breach","v":1,"ts":%s,"series":"path/P/available_bps","value":1000000,"capacity":900000,"direction":"below","severity":4,"horizons":[{"horizon_us":1000000,"p":0.9}],"eta_us":{"lo":1e6,"mid":2e6,"hi":4e6},"path_id":"P"}\n' "$(now)" >&8
}

event() { # kind path
    printf '{"type":"event","v":1,"ts":%s,"kind":"%s","failure":"dead","path_id":"%s","severity":5}\n' "$(now)" "$1" "$2" >&8
}

shift_both() {
    metric P 1000000
    metric B 90000000
    breach
    until_true sh -c '[ "$(grep -c SHIFTING out)" -ge 2 ]'
}

# Nothing of ours, and the routes of before.
clean() {
    [ -z "$(in_a ip nexthop show proto 93)" ] &&
        ! in_a ip rule show | grep -q 'proto 93' &&
        [ "$(in_a ip route show 10.77.9.0/24)" = "$(cat routes4)" ] &&
        [ "$(in_a ip -6 route show fd77:9::/64)" = "$(cat routes6)" ]
}

# The end of the input; it must exit with that status (0).
finish() {
    exec 8>&-
    FINISHED=0
    wait "$STEER" || FINISHED=$?
    STEER=
    [ "$FINISHED" = "${1:-0}" ]
}

ways4() { in_a ip route show 10.77.9.0/24 proto 93; }
ways6() { in_a ip -6 route show fd77:9::/64 proto 93; }

@test "a plan names the ways that the kernel's routes know, IPv4 and IPv6" {
    jq -se 'map(.unit) == ["10.77.9.0/24", "fd77:9::/64"]' plan
    jq -se 'map(.primary.via) == ["10.77.1.2", "fd77:1::2"]' plan
    jq -se 'map(.shadows[0].dev) == ["sha", "sha"]' plan
    in_a ip route add 10.78.0.0/24 via 10.77.1.2
    if command -v script >/dev/null; then # the table shows it too
        script -qec "ip netns exec $A shadow-steer plan --color never" /dev/null </dev/null | grep -q '^time  *unit  '
    fi
    run -1 in_a shadow-steer plan 10.78.0.0/24
    [[ $output == *"--shadow"* ]]
    in_a shadow-steer plan 10.78.0.0/24 --shadow 10.77.2.2%sha -o unit | jq -e '.shadows[0].via == "10.77.2.2"'
    run -2 in_a shadow-steer plan 10.79.0.0/24
    run -2 in_a shadow-steer plan 10.78.0.0/24 --shadow 10.77.2.2%nodev
}

@test "arming moves nothing, and an end without a shift leaves nothing" {
    steer
    until_true sh -c '[ "$(grep -c ARMED out)" = 2 ]'
    [[ $(ways4) == *"via 10.77.1.2 dev pri"* && $(ways4) != *sha* ]]
    [[ $(ways6) == *"via fd77:1::2 dev pri"* && $(ways6) != *sha* ]]
    finish
    clean
    tail -n 1 out | jq -e '.type == "end"'
}

@test "a breach shifts, the old routes stay, status agrees, undo takes all of it back" {
    steer
    shift_both
    [[ $(ways4) == *pri* && $(ways4) == *sha* ]]
    [[ $(ways6) == *pri* && $(ways6) == *sha* ]]
    [ "$(in_a ip route show 10.77.9.0/24 | grep -v -e 'proto 93' -e nexthop)" = "$(cat routes4)" ]
    finish
    in_a shadow-steer status --state state | grep SHIFT
    [[ $(ways4) == *sha* ]]
    in_a shadow-steer undo --state state
    clean
    in_a shadow-steer status --state state | grep PRIMARY
    in_a shadow-steer log --state state | jq -se 'map(select(.type == "change")) | length > 4'
}

# Next hops of the IPv6 unit's group, one a line.
members6() {
    in_a ip -j nexthop show proto 93 | jq -r --argjson id $((0x5d000000 + 128)) \
        '.[] | select(.id == $id) | .group[].id'
}

@test "an IPv6 group that changes shares no next hop with what it was: none that is in use is let go" {
    steer
    until_true sh -c '[ "$(grep -c ARMED out)" = 2 ]'
    members6 >before
    shift_both
    members6 >after
    [ -s before ] && [ -s after ]
    [ -z "$(grep -Fx -f before after)" ]
    finish
    in_a shadow-steer undo --state state
    clean
}

@test "the input ends before a move was seen healthy: home, where the primary has room" {
    steer
    shift_both
    sleep 3.2 # figures of the time before are not used
    event recovery P
    metric P 90000000
    finish
    [ "$(grep -c 'ARMED.*the end comes before the new path was seen healthy' out)" = 2 ]
    clean
}

@test "the input ends before a move was seen healthy, with the primary full: it stays, with an alert" {
    steer
    shift_both
    finish
    grep '"alert"' out | grep -q 'the end comes before the new path was seen healthy'
    [[ $(ways4) == *sha* && $(ways6) == *sha* ]]
}

@test "undo at the end of the input" {
    steer --on-eof undo
    shift_both
    finish
    clean
}

@test "a signal ends it like the end of the input" {
    steer
    shift_both
    kill -TERM "$STEER"
    finish 143
    [[ $(ways4) == *sha* ]]
    in_a shadow-steer status --state state
}

@test "killed before anything moved: the guardian takes it out of the kernel" {
    steer --grace 100ms
    until_true sh -c '[ "$(grep -c ARMED out)" = 2 ]'
    kill -9 "$STEER"
    until_true clean
    in_a shadow-steer status --state state
}

@test "killed with the primary full: the guardian leaves traffic where it is" {
    steer --grace 100ms
    shift_both
    kill -9 "$STEER"
    logged() { in_a shadow-steer log --state state >said_log && grep -q guardian said_log; }
    until_true logged
    [[ $(ways4) == *sha* ]]
    in_a shadow-steer status --state state
    in_a shadow-steer undo --state state
    clean
}

@test "killed with room on the primary: the guardian takes traffic home" {
    steer --grace 100ms
    shift_both
    sleep 3.2
    event recovery P
    metric P 90000000
    sleep 2.5
    kill -9 "$STEER"
    until_true clean
    in_a shadow-steer status --state state
}

@test "a long cycle is no silence: the guardian lets a healthy shadow-steer live" {
    steer --cycle 1h --window 1s --windows 1
    shift_both
    sleep 12 # longer than the silence that the guardian bears once a move should be confirmed
    kill -0 "$STEER"
    finish
    in_a shadow-steer undo --state state
    clean
}

@test "a successor adopts what the kernel has" {
    steer --grace 5s
    shift_both
    kill -9 "$STEER"
    wait "$STEER" || true
    exec 8>&-
    before=$(ways4)
    steer --on-eof undo
    until_true sh -c "in_a() { ip netns exec $A \"\$@\"; }; in_a shadow-steer log --state state | grep -q 'found in the kernel'"
    [ "$(ways4)" = "$before" ]
    finish
    clean
}

@test "a successor that finds the routes changed leaves what it finds where it is, and says so" {
    steer
    shift_both
    kill -9 "$(pgrep -P "$STEER")"
    kill -9 "$STEER"
    wait "$STEER" || true
    exec 8>&-
    in_a ip route del 10.77.9.0/24 via 10.77.1.2
    before=$(ways4)
    steer --stable 1s --cycle 200ms --window 200ms
    until_true grep -q '"alert".*10.77.9.0/24.*make the plan again' out
    said '"guard":"plan-digest"'
    # The other unit goes home step by step.
    returning() {
        metric P 90000000
        metric B 90000000
        event recovery P
        said '"unit":"fd77:9::/64","state":"RETURNING"'
    }
    until_true returning
    said '"unit":"10.77.9.0/24","state":"RETURNING"' && false
    [ "$(ways4)" = "$before" ]
    in_a shadow-steer undo --state state
    until_true sh -c "[ -z \"\$(ip -n $A route show 10.77.9.0/24 proto 93)\" ]"
    finish
    [ -z "$(in_a ip nexthop show proto 93)" ]
}

@test "a second shadow-steer on the same state waits, then refuses" {
    steer
    until_true said ARMED
    run -4 in_a timeout 20 shadow-steer --plan plan --apply --state state </dev/null
    [[ $output == *"another shadow-steer"* ]]
    finish
    clean
}

@test "another state directory in one network namespace is refused while a shadow-steer runs" {
    steer
    until_true sh -c '[ "$(grep -c ARMED out)" = 2 ]'
    ways4 >before
    run -4 in_a timeout 20 shadow-steer --plan plan --apply --state other </dev/null
    [[ $output == *"another shadow-steer works in this network namespace"* ]]
    run -4 in_a shadow-steer undo --orphans --state other
    [ "$(ways4)" = "$(cat before)" ]
    run -4 in_a shadow-steer undo --orphans --state state
    [[ $output == *"a shadow-steer runs on state"* ]]
    finish
    clean
}

@test "next hops that the journal does not have armed are not taken over: undo --orphans first" {
    steer
    shift_both
    finish
    ways4 >before
    mv state/journal lost
    for state in other state; do
        run -4 in_a timeout 20 shadow-steer --plan plan --apply --state "$state" </dev/null
        [[ $output == *"next hop $((0x5d000000)) and more"*"undo --orphans first"* ]]
        [ "$(ways4)" = "$(cat before)" ]
    done
    in_a shadow-steer undo --orphans --state state
    clean
    steer
    until_true sh -c '[ "$(grep -c ARMED out)" = 2 ]'
    finish
}

@test "undo --orphans leaves what the journal has armed, says so, and deletes all of the rest" {
    steer
    shift_both
    finish
    ways6 >before
    # Of slots that no unit has: more than one message of the kernel's holds.
    for ((i = 0; i < 1500; i++)); do
        echo "nexthop add id $((0x5d001000 + i)) via 10.77.1.2 dev pri proto 93"
    done | in_a ip -batch -
    run -0 in_a shadow-steer undo -n --orphans --state state 10.77.9.0/24
    [[ $output == *"would delete next hop $((0x5d001000))"* ]]
    [ "$(in_a ip nexthop show proto 93 | wc -l)" -gt 1500 ]
    run -0 in_a shadow-steer undo --orphans --state state 10.77.9.0/24
    [[ $output == *"skipped"* ]]
    [ -z "$(ways4)" ]
    [ "$(ways6)" = "$(cat before)" ]
    in_a shadow-steer status --state state
    [ "$(in_a ip nexthop show proto 93 | wc -l)" -lt 10 ]
    in_a shadow-steer undo --state state
    clean
}

@test "an id that somebody else's next hop has is left to it" {
    for id in $((0x5d000000 + 1)) $((0x5d000000 + 128)); do
        in_a ip nexthop add id "$id" via 10.77.2.2 dev sha proto static
        steer
        until_true said "is not of shadow-steer"
        until_true said ARMED
        finish 1
        [ "$(in_a ip nexthop show id "$id" | grep -c 'proto static')" = 1 ]
        in_a ip nexthop del id "$id"
        rm -r state
        clean
    done
}

@test "carrier loss of the primary: everything moves; the next hop is put back with the link" {
    steer
    until_true said ARMED
    metric B 90000000
    ip -n "$B" link set pri down
    until_true sh -c '[ "$(grep -c "link of the primary is down" out)" -ge 2 ]'
    [[ $(ways4) == *sha* && $(ways6) == *sha* ]]
    ip -n "$B" link set pri up
    until_true sh -c "ip -n $A nexthop show proto 93 | grep -q 'via 10.77.1.2 dev pri'"
    until_true sh -c "ip -n $A nexthop show proto 93 | grep -q 'via fd77:1::2 dev pri'"
    in_a shadow-steer status --state state
    finish
}

@test "carrier loss of the primary passes the guards: no standby was measured, only one unit may be away" {
    steer --at-once 0 --dwell 1h --max-changes 1
    until_true sh -c '[ "$(grep -c ARMED out)" = 2 ]'
    event degradation P
    until_true said '"guard":"standby-unverified"'
    [ -z "$(grep SHIFTING out)" ]
    ip -n "$B" link set pri down
    until_true sh -c '[ "$(grep -c "SHIFTING.*link of the primary is down" out)" -ge 2 ]'
    [[ $(ways4) == *sha* && $(ways6) == *sha* ]]
    finish
}

@test "carrier loss of the shadow: home, and the shadow is ready again with its link" {
    steer
    shift_both
    ip -n "$B" link set sha down
    until_true sh -c "! ip -n $A route show 10.77.9.0/24 proto 93 | grep -q sha"
    until_true said 'its link is down'
    ip -n "$B" link set sha up
    until_true sh -c "ip -n $A nexthop show proto 93 | grep -q 'via 10.77.2.2 dev sha'"
    finish
    clean
}

@test "routes that are not those of the plan: refused" {
    in_a ip route add 10.77.9.0/24 via 10.77.2.2 metric 300
    steer
    until_true said '"guard":"plan-digest"'
    [ -z "$(ways4)" ]
    finish 1
}

@test "a route that the operator takes away takes ours with it" {
    steer
    until_true sh -c '[ "$(grep -c ARMED out)" = 2 ]'
    in_a ip route del 10.77.9.0/24 via 10.77.1.2
    in_a ip route del 10.77.9.0/24 via 10.77.2.2
    until_true sh -c "[ -z \"\$(ip -n $A route show 10.77.9.0/24)\" ]"
    [[ -n $(ways6) ]]
    finish 1
}

# Two ways between $A and $B beside those of the plan, for a primary of two next hops.
third_way() {
    ip -n "$A" link add ter type veth peer name ter netns "$B"
    local ns host
    for ns in "$A" "$B"; do
        host=1
        [ "$ns" = "$A" ] || host=2
        ip -n "$ns" link set ter up
        ip -n "$ns" addr add "10.77.3.$host/24" dev ter
        ip -n "$ns" -6 addr add "fd77:3::$host/64" dev ter nodad
    done
    in_a ip route del 10.77.9.0/24 via 10.77.1.2
    in_a ip -6 route del fd77:9::/64 via fd77:1::2
}

plan_again() {
    make_plan 10.77.9.0/24 fd77:9::/64 >plan
    in_a ip route show 10.77.9.0/24 >routes4
    in_a ip -6 route show fd77:9::/64 >routes6
    in_a ip nexthop show >nexthops
}

# The interface that each of 200 flows takes, IPv4 and IPv6.
flows() {
    local port
    for ((port = 1000; port < 1100; port++)); do
        echo "route get 10.77.9.1 from 10.77.8.2 iif edge ipproto udp sport $port dport 9"
        echo "route get fd77:9::1 from fd77:8::2 iif edge ipproto udp sport $port dport 9"
    done | in_a ip -batch - | grep -o 'dev [a-z]*'
}

# A unit whose primary is pri and ter: armed, moved, taken home.
steer_several() {
    plan_again
    jq -se 'map([.primary.hops[].dev] == ["pri", "ter"] and [.primary.hops[].weight] == [1, 3]) == [true, true]' plan
    jq -se 'map(.shadows | map(.dev)) == [["sha"], ["sha"]]' plan
    flows >before
    steer
    until_true sh -c '[ "$(grep -c ARMED out)" = 2 ]'
    flows >armed
    cmp before armed
    shift_both
    flows >moved
    grep -q sha moved
    # What has not moved is where it was.
    paste -d ' ' before moved | awk '$4 != "sha" && $2 != $4 { exit 1 }'
    paste -d ' ' before moved | grep -q 'dev pri dev sha'
    paste -d ' ' before moved | grep -q 'dev ter dev sha'
    finish
    in_a shadow-steer status --state state
    in_a shadow-steer undo --state state
    clean
    in_a ip nexthop show | cmp - nexthops
    flows | cmp - before
}

@test "a primary of several next hops: each gives its part, and undo leaves the route as it was" {
    third_way
    in_a ip route add 10.77.9.0/24 nexthop via 10.77.1.2 weight 1 nexthop via 10.77.3.2 weight 3
    in_a ip -6 route add fd77:9::/64 metric 1024 \
        nexthop via fd77:1::2 weight 1 nexthop via fd77:3::2 weight 3
    steer_several
}

@test "a primary that is a foreign next-hop group: the same, and the group is not touched" {
    third_way
    in_a ip nexthop add id 1 via 10.77.1.2 dev pri
    in_a ip nexthop add id 2 via 10.77.3.2 dev ter
    in_a ip nexthop add id 3 via fd77:1::2 dev pri
    in_a ip nexthop add id 4 via fd77:3::2 dev ter
    in_a ip nexthop add id 10 group 1,1/2,3
    in_a ip nexthop add id 11 group 3,1/4,3
    in_a ip route add 10.77.9.0/24 nhid 10
    in_a ip -6 route add fd77:9::/64 nhid 11 metric 1024
    steer_several
    in_a sysctl -qw net.ipv4.nexthop_compat_mode=0
    in_a shadow-steer plan 10.77.9.0/24 -o unit | jq -e '[.primary.hops[].weight] == [1, 3]'
}

@test "one of several next hops loses its link: the shadow keeps its share, and all comes back" {
    third_way
    in_a ip route add 10.77.9.0/24 nexthop via 10.77.1.2 nexthop via 10.77.3.2
    in_a ip -6 route add fd77:9::/64 metric 1024 nexthop via fd77:1::2 nexthop via fd77:3::2
    plan_again
    steer
    shift_both
    in_a shadow-steer status --state state >status
    ip -n "$B" link set ter down
    until_true sh -c "! ip -n $A nexthop show proto 93 | grep -q 'dev ter'"
    until_true sh -c "ip netns exec $A shadow-steer status --state state"
    ip -n "$B" link set ter up
    until_true sh -c "[ \$(ip -n $A nexthop show proto 93 | grep -c 'dev ter') = 3 ]"
    until_true sh -c "ip -n $A route show 10.77.9.0/24 proto 93 | grep -q 'dev ter'"
    until_true sh -c "ip -n $A -6 route show fd77:9::/64 proto 93 | grep -q 'dev ter'"
    in_a shadow-steer status --state state
    finish
}

@test "what cannot be armed is said: other next hops than the plan's, metric 1, no interface" {
    in_a ip route del 10.77.9.0/24 via 10.77.1.2
    in_a ip route add 10.77.9.0/24 nexthop via 10.77.1.2 nexthop via 10.77.2.2
    in_a ip -6 route del fd77:9::/64 via fd77:1::2
    in_a ip -6 route add fd77:9::/64 via fd77:1::2 metric 1
    make_plan fd77:9::/64 >>plan2
    sed '1!d; s/"digest":"[0-9a-f]*",\?//' <plan >>plan2
    sed '1!d; s/"pri"/"nodev0"/; s/10.77.9.0/10.77.10.0/g' <plan >>plan2
    mv plan2 plan
    steer
    until_true said "does not go by the plan's primary"
    until_true said 'has metric 1'
    until_true said 'nodev0 is missing'
    finish 1
    [ -z "$(in_a ip nexthop show proto 93)" ]
}

@test "orders for a unit that the journal does not know are refused, with and without a run" {
    steer
    until_true sh -c '[ "$(grep -c ARMED out)" = 2 ]'
    for order in undo freeze thaw; do
        run -2 in_a shadow-steer "$order" --state state nosuch
        [[ $output == *"nosuch: the journal in state knows no unit of that name"* ]]
    done
    [ ! -e state/orders ]
    run -2 in_a shadow-steer log --state state nosuch
    finish
    run -2 in_a shadow-steer freeze --state state 10.77.9.0/24 nosuch
    [ ! -e state/orders ]
    in_a shadow-steer freeze --state state
    run -2 in_a shadow-steer thaw --state state 10.77.9.0/24
    [[ $output == *"thaw without a name"* ]]
    in_a shadow-steer thaw --state state
    in_a shadow-steer freeze --state state 10.77.9.0/24
    mv state/journal lost
    in_a shadow-steer thaw --state state 10.77.9.0/24
    [ ! -s state/orders ]
}

@test "an interface that the plan names and that is missing is said, and makes exit 1" {
    for change in '.primary.dev = "nodev0"' '.shadows[0].dev = "nodev0"' '.load_dev = "nodev0"'; do
        make_plan 10.77.9.0/24 | jq -c "$change | del(.digest)" >plan
        steer
        until_true said '"alert".*nodev0'
        until_true said '"guard":"interface"'
        finish 1
        clean
    done
}

@test "an answer that could not be written is no answer: status 4" {
    steer
    shift_both
    finish
    in_a ip nexthop del id $((0x5d000000))
    run -1 in_a shadow-steer status --state state
    run -4 in_a sh -c 'shadow-steer status --state state >/dev/full'
    in_a shadow-steer undo --state state
}

@test "freeze stops moves, thaw allows them, undo brings a running one home" {
    steer
    until_true sh -c '[ "$(grep -c ARMED out)" = 2 ]'
    in_a shadow-steer freeze --state state 10.77.9.0/24
    until_true said FROZEN
    metric P 1000000
    metric B 90000000
    breach
    until_true said '"guard":"frozen"'
    until_true said SHIFTING
    [[ $(ways4) != *sha* && $(ways6) == *sha* ]]
    in_a shadow-steer thaw --state state 10.77.9.0/24
    until_true sh -c '[ "$(grep -c "10.77.9.0.*ARMED" out)" -ge 2 ]'
    metric P 1000000
    breach
    until_true sh -c '[ "$(grep -c SHIFTING out)" -ge 2 ]'
    run -0 in_a shadow-steer undo -n --state state
    [[ $output == *'"applied":false'* && $output != *'"applied":true'* ]]
    [[ $(ways4) == *sha* && $(ways6) == *sha* ]]
    [ ! -s state/orders ]
    run -0 in_a shadow-steer undo --state state
    [[ $output == *"all units are frozen"*"until shadow-steer thaw"* ]]
    [[ $(ways4) != *sha* && $(ways6) != *sha* ]]
    until_true sh -c "[ \$(ip netns exec $A shadow-steer status --state state | grep -c FROZEN) = 2 ]"
    in_a shadow-steer thaw --state state
    until_true sh -c "[ \$(ip netns exec $A shadow-steer status --state state | grep -c ARMED) = 2 ]"
    finish
    clean
}

@test "undo of a running one whose primary is down needs --force, and then follows the old routes" {
    steer
    shift_both
    ip -n "$B" link set pri down
    until_true sh -c "! ip -n $A route show 10.77.9.0/24 proto 93 | grep -q 'dev pri'"
    run -1 in_a shadow-steer undo --state state 10.77.9.0/24
    [[ $output == *"--force"* ]]
    [[ $(ways4) == *sha* ]]
    in_a shadow-steer undo --force --state state 10.77.9.0/24
    [[ -z $(ways4) && $(ways6) == *sha* ]]
    ip -n "$B" link set pri up
    finish
}

flow_plan() {
    jq -c '.match = {flow: (if .unit == "10.77.9.0/24" then "10.77.8.2:4000-10.77.9.1:5000/udp"
                            else "[fd77:8::2]:4000-[fd77:9::1]:5000/udp" end)} | del(.digest)' plan >plan2
    mv plan2 plan
}

@test "single flows, IPv4 and IPv6, move by mark and leave nothing" {
    command -v nft >/dev/null || skip "needs nft"
    flow_plan
    steer
    shift_both
    in_a nft list map inet shadow_steer flows4 | grep -q '10.77.8.2 . 4000 . 10.77.9.1 . 5000'
    in_a nft list map inet shadow_steer flows6 | grep -q 'fd77:8::2 . 4000 . fd77:9::1 . 5000'
    mark4=$(in_a nft list map inet shadow_steer flows4 | grep -o '0x5d[0-9a-f]*')
    mark6=$(in_a nft list map inet shadow_steer flows6 | grep -o '0x5d[0-9a-f]*')
    in_a ip route get 10.77.9.1 from 10.77.8.2 iif edge mark "$mark4" | grep -q 'dev sha'
    in_a ip route get fd77:9::1 from fd77:8::2 iif edge mark "$mark6" | grep -q 'dev sha'
    in_a ip route get 10.77.9.1 from 10.77.8.2 iif edge | grep -q 'dev pri'
    finish
    in_a shadow-steer status --state state
    in_a shadow-steer undo --state state
    clean
    run -1 in_a nft list table inet shadow_steer
}

@test "undo --orphans clears single flows too, but for those that the journal has armed" {
    command -v nft >/dev/null || skip "needs nft"
    flow_plan
    steer
    shift_both
    finish
    in_a shadow-steer undo --orphans --state state 10.77.9.0/24
    in_a nft list map inet shadow_steer flows6 | grep -q 'fd77:8::2 . 4000 . fd77:9::1 . 5000'
    in_a shadow-steer status --state state
    mv state/journal lost
    run -4 in_a timeout 20 shadow-steer --plan plan --apply --state state </dev/null
    [[ $output == *"a rule for mark"*"undo --orphans first"* ]]
    in_a shadow-steer undo --orphans --state state
    clean
    in_a ip -6 rule show | grep -q 'proto 93' && false
    [ -z "$(in_a ip -6 route show table all proto 93)" ]
    run -1 in_a nft list table inet shadow_steer
}

@test "a journal that cannot be written: nothing is changed" {
    mkdir state
    mount -t tmpfs -o size=16k tmpfs state || skip "tmpfs may not be mounted here"
    steer
    until_true sh -c '[ "$(grep -c ARMED out)" = 2 ]'
    head -c 20000 /dev/zero >state/fill 2>/dev/null || true
    for _ in $(seq 20); do
        event recovery B
        metric P 1000000
        metric B 90000000
        breach
        event degradation B
    done
    until_true said '"guard":"journal"'
    finish
    rm state/fill
    in_a shadow-steer --plan plan --apply --state state --on-eof undo </dev/null
    in_a shadow-steer status --state state
    clean
    umount state
}

@test "a reader that stalls does not delay a shift" {
    mkfifo stuck
    exec 9<>stuck
    mkfifo feed
    ip netns exec "$A" shadow-steer --plan plan --apply --state state --at-once 100% \
        <feed >stuck 2>err 8>&- 3>&- &
    STEER=$!
    exec 8>feed
    # Far more than a pipe holds, none of it read.
    for i in $(seq 3000); do event prediction nobody; done
    head -c 300000 /dev/zero | tr '\0' 'x' | fold -w 100 >&8
    metric P 1000000
    metric B 90000000
    breach
    until_true sh -c "ip -n $A route show 10.77.9.0/24 proto 93 | grep -q sha"
    exec 8>&-
    exec 9>&-
    wait "$STEER" || true
    STEER=
}
