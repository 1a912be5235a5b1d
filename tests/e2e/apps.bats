#!/usr/bin/env bats
# What shadow-profile says of applications: labels, the user's map, app and shape records.

# shellcheck disable=SC2154 # run sets stderr

# shellcheck source=tests/e2e/profile.bash
. "$BATS_TEST_DIRNAME/profile.bash"

@test "flows are told by their application and the name of their server" {
    capture names | profile >out
    [ "$(of flow.app 'select(.app == "DNS") | [.dport, .category, .confidence, .sni] | join(" ")')" = \
        "53 Network payload host.wiki.example" ]
    [ "$(of flow.app 'select(.dport == 8443) | [.app, .confidence, .sni] | join(" ")')" = \
        "TLS payload host.wiki.example" ]
    # Once it is known, the other records of the flow have it.
    [ "$(of flow.end 'select(.dport == 8443) | .app')" = TLS ]
    [ "$(of flow.new 'select(.dport == 8443) | .app')" = null ]
}

@test "names of servers can be kept back" {
    capture names | profile --no-sni >out
    run ! grep -q wiki out
    [ "$(of flow.app 'select(.dport == 8443) | .app')" = TLS ]
}

@test "without looking into packets ports tell" {
    capture names | profile --no-dpi >out
    [ "$(of flow.app 'select(.dport == 8443) | [.app, .confidence, .sni] | map(tostring) | join(" ")')" = \
        "TLS port null" ]
    # At once, before anything is said of the flow's payload.
    [ "$(jq -r 'select(.type | startswith("flow")) | .type' out | head -2 | paste -sd' ')" = "flow.new flow.app" ]
}

@test "the user's map goes first, and what it renames is carried by what was found" {
    printf '%s\n' '# ours' 'name wiki.example Wiki high' 'port udp/53 Names low' >map
    capture names | profile --apps map >out
    [ "$(of flow.app 'select(.dport == 8443) | [.app, .master, .confidence] | join(" ")')" = "Wiki TLS user" ]
    [ "$(of flow.new 'select(.dport == 53) | .app')" = Wiki ] || [ "$(of flow.new 'select(.dport == 53) | .app')" = Names ]
    [ "$(of app 'select(.app == "Wiki") | .sensitivity' | sort -u)" = high ]
    printf '%s\n' 'port udp/53 Names low' 'name wiki.example Wiki' 'category Web low' >map
    capture names | profile --apps map >out
    [ "$(of flow.app 'select(.dport == 53) | [.app, .master] | join(" ")')" = "Names DNS" ]
    [ "$(of app 'select(.app == "Names") | .sensitivity' | sort -u)" = low ]
    [ "$(of app 'select(.app == "Wiki") | .sensitivity' | sort -u)" = low ]
}

@test "a map with a bad line is refused, by the number of the line" {
    printf 'port 80 Web\n\nport 80000 Web\n' >map
    capture names >file
    run -2 --separate-stderr shadow-profile -r file --apps map
    [[ $stderr == *"line 3: not a port or range of ports: 80000"* ]]
    run -4 --separate-stderr shadow-profile -r file --apps missing
    [[ $stderr == *missing* ]]
}

@test "applications have rates, transfers and their sizes" {
    capture conversation | profile --no-dpi >out
    # Five packets of 68 bytes and five of 168 in half a second.
    [ "$(of app 'select(.app == "DNS") | .current_bps' | sort -un | paste -sd' ')" = "9440 18880" ]
    of app 'select(.app == "DNS")' | jq -s last >app
    [ "$(jq -r '[.src, .dst, .flows, .packets, .bytes, .forward_bytes] | join(" ")' app)" = \
        "192.0.2.1 192.0.2.53 1 50 5900 1700" ]
    # 25 packets of 40 octets one way and of 140 the other, without a pause: two transfers.
    [ "$(jq -c '[.transfers, .transfer_bytes]' app)" = "[2,[[1000,1],[3488,1]]]" ]
    [ "$(jq -c '.transfer_bytes_q["0.5"], .transfer_gap_us' app | paste -sd' ')" = "1000 [[1000,1]]" ]
}

@test "ends above the limit share a record without addresses" {
    capture flood | profile --max-pairs 10 -o app >out
    [ "$(of app 'select(.src) | .src' | sort -u | wc -l)" = 10 ]
    [ "$(of app 'select(.src | not) | .flows')" = 2991 ]
}

@test "addresses that are cut alike are counted together" {
    capture flood | profile --addr trunc:8,32 -o app >out
    [ "$(of app 'select(.src == "10.0.0.0") | .flows' | paste -sd' ')" = 3000 ]
    [ "$(capture flood | profile --addr trunc:8,32 -o shape | jq -c .pairs | sort -u)" = null ]
}

@test "the same capture gives the same records" {
    capture flood | profile >first
    capture flood | profile >second
    diff first second
}

@test "a shape has the packets of the time since the last" {
    capture conversation | profile --no-dpi -o shape --active 1s --interval 1s >out
    jq -s 'map(select(.shape == "capture") | .packets) | add' out >sum
    [ "$(cat sum)" = 75 ]
    [ "$(jq -r .shape out | sort -u | paste -sd' ')" = "DNS DNS/reverse Unknown capture" ]
    [ "$(jq -c 'select(.shape == "DNS/reverse") | [.sizes, .protocols]' out | head -1 | cut -d, -f1)" = "[[[168" ]
    [ "$(jq -r 'select(.shape == "DNS/reverse") | .pairs[0][0]' out | sort -u)" = "192.0.2.53:53-192.0.2.1:5000/udp" ]
}

@test "application and shape records are as their tables say" {
    capture names | profile >out
    capture conversation | profile >>out
    for type in flow.app app shape; do
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
