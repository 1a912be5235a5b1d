#!/usr/bin/env bats
# shadow-profile on captures that the test writes itself.

# shellcheck disable=SC2154 # run sets stderr

# shellcheck source=tests/e2e/profile.bash
. "$BATS_TEST_DIRNAME/profile.bash"

@test "a connection is told from its first packet to its last" {
    capture connection | profile >out
    [ "$(jq -r .type out | grep -E 'flow|end' | paste -sd' ')" = "flow.new flow.app flow.end end" ]
    [ "$(of flow.new '[.src, .sport, .dst, .dport, .protocol, .midflow] | map(tostring) | join(" ")')" = \
        "192.0.2.1 40000 198.51.100.2 443 tcp false" ]
    [ "$(of flow.new .flow_id)" = "$(of flow.end .flow_id)" ]
    [ "$(of flow.end '[.reason, .packets_fwd, .packets_rev, .duration_us] | map(tostring) | join(" ")')" = \
        "closed 14 3 120000" ]
    # Frames are 14 bytes longer than their IP packets.
    [ "$(of flow.end '.bytes_fwd + .bytes_rev')" = "$(of end '.counts.bytes - 14 * .counts.packets')" ]
}

@test "segments sent again and late ones, round trips and windows are told" {
    capture connection | profile >out
    [ "$(of flow.end '[.retransmitted_fwd, .retransmitted_bytes_fwd, .reordered_fwd, .retransmitted_rev] | join(" ")')" = \
        "1 1000 1 0" ]
    [ "$(of flow.end '[.rtt_fwd_min_us, .rtt_rev_min_us, .rtt_min_us] | join(" ")')" = "10000 10000 20000" ]
    [ "$(of flow.end '[.window_fwd_bytes, .zero_windows_fwd, .tcp_confidence] | map(tostring) | join(" ")')" = \
        "128000 0 high" ]
}

@test "updates come at whole intervals of the time of the packets" {
    capture conversation | profile --interval 500ms >out
    [ "$(of flow.update .ts | sort -u | paste -sd' ')" = \
        "1700000000500000 1700000001000000 1700000001500000 1700000002000000" ]
    # Five packets of 68 bytes and five of 168 in half a second.
    [ "$(of flow.update 'select(.dport == 53) | .current_bps' | sort -u)" = 18880 ]
    [ "$(of flow.end 'select(.dport == 53) | .peak_bps')" = 18880 ]
    capture conversation | profile --interval 0 >out
    [ "$(of flow.update .ts | wc -l)" = 0 ]
    capture conversation | profile --interval 0 --active 1s >out
    [ "$(of flow.update 'select(.dport == 53) | .ts' | wc -l)" = 2 ]
}

@test "every format of captures gives the same records" {
    capture connection | profile >want
    for how in 'order=big' 'fraction=nano' 'order=big fraction=nano' 'format=pcapng' 'format=pcapng order=big'; do
        # shellcheck disable=SC2086
        capture $how connection >file
        shadow-profile -r file >got
        diff want got || { echo "$how"; false; }
    done
}

@test "every kind of link gives the same flows" {
    capture conversation | profile -o flow.new,flow.update,flow.end >want
    for link in raw cooked cooked2 loop; do
        capture link=$link conversation | profile -o flow.new,flow.update,flow.end >got
        diff want got || { echo "$link"; false; }
    done
}

@test "packets are unwrapped, and what cannot be is counted" {
    capture wrapped | profile >out
    [ "$(of flow.new '(.around // []) | join("+")' | paste -sd' ')" = "vlan vlan+qinq mpls gre vxlan" ]
    [ "$(of flow.new '[.src, .dst] | join(" ")' | sort -u)" = "192.0.2.1 192.0.2.2" ]
    [ "$(of flow.new '.vlan // empty' | paste -sd' ')" = "5 6" ]
    [ "$(of flow.new '.vni // empty')" = 42 ]
    [ "$(of end '.counts | [.packets, .flows, .other, .cut, .bad] | join(" ")')" = "9 5 1 2 1" ]
}

@test "records of a flow in a tunnel tell the packets around it, over either family" {
    capture link=raw tunnels | profile >out
    outer() { of "$1" 'select(.sport == '"$2"') | [.vni, .outer_src, .outer_sport, .outer_dst, .outer_dport, .outer_protocol] | map(. // "-") | join(" ")'; }
    for type in flow.new flow.update flow.end; do
        [ "$(outer $type 5001 | sort -u)" = "42 203.0.113.1 5555 203.0.113.2 4789 udp" ]
        [ "$(outer $type 5002 | sort -u)" = "42 2001:db8::1 5556 2001:db8::2 4789 udp" ]
        [ "$(outer $type 5003 | sort -u)" = "- 203.0.113.1 - 203.0.113.2 - gre" ]
        [ "$(outer $type 5005 | sort -u)" = "- 2001:db8::1 - 2001:db8::2 - ipip" ] # the outermost
        [ "$(outer $type 5006 | sort -u)" = "- - - - - -" ]
    done
    # First heard was the other direction: its tunnel, turned, until there is a packet of this one.
    [ "$(outer flow.new 5004)" = "42 203.0.113.1 - 203.0.113.2 - udp" ]
    [ "$(outer flow.end 5004)" = "42 203.0.113.1 5557 203.0.113.2 4789 udp" ]
    # They are hidden as all addresses are.
    capture link=raw tunnels | profile --addr trunc:16,32 >short
    [ "$(jq -r 'select(.type == "flow.end" and .outer_src) | [.outer_src, .outer_dst] | join(" ")' short | sort -u)" = \
        $'2001:db8:: 2001:db8::\n203.0.0.0 203.0.0.0' ]
}

@test "fragments count for the flow of their packet" {
    capture fragments | profile >out
    [ "$(of flow.end '[.sport, .dport, .packets_fwd, .bytes_fwd] | join(" ")')" = "5000 6000 2 3048" ]
}

@test "a connection under way is marked, and its client is the source" {
    capture midflow | profile >out
    [ "$(of flow.new '[.midflow, .src, .dport] | map(tostring) | join(" ")')" = "true 192.0.2.1 443" ]
    [ "$(of flow.end .window_fwd_bytes)" = null ]
}

@test "a flood stays below the cap, and what it pushes out is told to the flow" {
    capture flood | profile --max-flows 100 >out
    [ "$(of end .counts.flows)" = 3001 ]
    [ "$(of flow.new .flow_id | wc -l)" = 3001 ]
    diff <(of flow.new .flow_id | sort) <(of flow.end .flow_id | sort)
    evicted=$(of flow.end 'select(.reason == "evicted") | .flow_id' | wc -l)
    [ "$evicted" = 2901 ]
    [ "$(of loss 'select(.where == "table") | .records' | jq -s add)" = 2901 ]
    [ "$(of end .counts.evicted)" = 2901 ]
}

@test "addresses can be cut or hashed, everywhere" {
    head -c 32 /dev/urandom >key
    capture conversation | profile --addr trunc:24,32 >out
    [ "$(of flow.new '[.src, .dst] | .[]' | sort -u | paste -sd' ')" = "192.0.2.0 2001:db8::" ]
    capture conversation | profile --addr hash:key >out
    run -1 grep -E '192\.0\.2|2001:db8' out
    [ "$(of flow.new .src | sort -u | wc -l)" = 2 ]
    mv out first
    capture conversation | profile --addr hash:key >out
    diff first out
    run -2 --separate-stderr profile --addr all </dev/null
    [[ $stderr == *--addr*keep* ]]
    run -4 --separate-stderr profile --addr hash:missing </dev/null
}

@test "a filter restricts what is looked at" {
    capture conversation >file
    shadow-profile -r file 'udp port 53' >out
    [ "$(of flow.new .dport)" = 53 ]
    run -2 --separate-stderr shadow-profile -r file 'no such filter'
    [[ $stderr == *"'no such filter'"* ]]
}

@test "a capture that breaks off is told with its place, after all that was good of it" {
    capture connection >whole
    head -c 1000 whole >file
    run -3 --separate-stderr shadow-profile -r file -o flow.end,end
    [[ $stderr =~ ^shadow-profile:\ file:\ at\ octet\ [0-9]+:\ .*truncated ]]
    echo "$output" >out
    [ "$(of flow.end '[.packets_fwd, .packets_rev] | join(" ")')" = "2 1" ]
    [ "$(of end .reason)" = error ]
    # A length that no packet has.
    { head -c 900 whole; printf '\377%.0s' {1..64}; tail -c +1000 whole; } >file
    run -3 --separate-stderr shadow-profile -r file -o end
    [[ $stderr == *"file: at octet "* ]]
}

@test "what is no capture, and a link that cannot be decoded, are told" {
    echo no capture >file
    run -3 --separate-stderr shadow-profile -r file
    [[ $stderr == "shadow-profile: file: "* ]]
    : >file
    run -3 --separate-stderr shadow-profile -r file
    capture link=usb conversation >file
    run -3 --separate-stderr shadow-profile -r file
    [[ $stderr == *"link type USB"*"(189)"* ]]
    run -4 --separate-stderr shadow-profile -r missing
    [[ $stderr == *"cannot open missing"* ]]
}

@test "packets without a byte and packets of too many are counted, never half told" {
    capture link=raw sizes | profile >out
    [ "$(of end '.counts | [.packets, .flows, .cut, .bad] | join(" ")')" = "4 1 2 0" ]
    # What follows the IP packet in its frame is no part of it.
    [ "$(of flow.end '[.packets_fwd, .bytes_fwd] | join(" ")')" = "2 76" ]
    capture link=raw sizes | profile --snap 64 >short
    [ "$(jq -c 'select(.type == "flow.end") | [.packets_fwd, .bytes_fwd]' short)" = "[2,76]" ]
}

@test "a clock that jumps ends what there is, and time goes on from there" {
    capture jumps | profile --interval 1s >out
    [ "$(of flow.end .reason | paste -sd' ')" = "clock idle eof" ]
    [ "$(of flow.end .packets_fwd | paste -sd' ')" = "3 3 3" ]
    [ "$(of flow.new .flow_id | sort -u | wc -l)" = 3 ]
    # The records of a flow are never older than its beginning, nor longer than it was.
    [ "$(of flow.end .duration_us | sort -u)" = 200000 ]
    [ "$(of flow.update .ts | wc -l)" -le 6 ]
}

@test "either an interface or a capture is needed" {
    run -2 --separate-stderr shadow-profile
    [[ $stderr == *--interface* ]]
    run -2 shadow-profile -i lo -r file
    run -2 shadow-profile -r file --snap 10
    run -2 shadow-profile -r file --idle 0
}

@test "a file waits for its reader, and loses nothing" {
    capture flood >file
    shadow-profile -r file | { sleep 0.3; cat; } >out
    [ "$(of flow.end .flow_id | wc -l)" = 3001 ]
    [ "$(of loss . | wc -l)" = 0 ]
}

@test "records are as their tables say" {
    capture connection | profile >out
    capture wrapped | profile >>out
    capture conversation | profile >>out
    for type in flow.new flow.update flow.end; do
        shadow records --schema "$type" >schema
        jq -s --arg type "$type" --slurpfile schema schema '
            def kinds: type as $t | if $t == "number" and floor == . then ["integer", "number"] else [$t] end;
            .[] | select(.type == $type) | . as $record | $schema[0] as $s
            | ($s.required - keys)[], (keys - ($s.properties | keys))[],
              (keys[] | . as $key | select($s.properties[$key].type | arrays | . - ($record[$key] | kinds) == .))
            ' out >wrong
        [ ! -s wrong ] || { echo "$type"; cat wrong; false; }
        [ -n "$(of "$type" .ts)" ]
    done
}

@test "records can be shown as a table and as csv" {
    capture connection | profile --format table >out
    grep -qE ' 192\.0\.2\.1 +40000 +198\.51\.100\.2 +443 +tcp .* closed' out
    capture connection | profile --format csv -o flow.end >out
    [ "$(wc -l <out)" = 2 ]
}
