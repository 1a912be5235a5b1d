#!/usr/bin/env bats
# From live traffic to its shape, to traffic made from the shape, and to the shape of that. Gaps are
# stretched to the rate that is injected, and the host adds its own: tests/unit/shapebook.c compares
# them on a clock without stalls.

bats_require_minimum_version 1.5.0

setup() {
    # shellcheck source=tests/lab/lab.bash
    . "$BATS_TEST_DIRNAME/lab.bash"
    lab_setup h
}

teardown() {
    lab_teardown
}

# send COUNT PORT: packets of 428, 828 and 1228 octets, three, four and three in ten
send() {
    node c python3 - "$@" <<'END'
import socket, sys, time
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(int(sys.argv[1])):
    sender.sendto(bytes((400, 800, 1200, 800, 400, 1200, 800, 400, 1200, 800)[i % 10]), ("10.9.0.2", int(sys.argv[2])))
    time.sleep(0.001)
END
}

# profile FILE: the large packets that c sends, until `stop`; ready once it has seen one
profile() {
    ip netns exec "sdw-$LAB-c" shadow-profile -i "$interface" --user root 'udp and dst 10.9.0.2 and greater 400' \
        >"$1" 2>"$1.err" 3>&- &
    profiler=$!
    pids+=("$profiler")
    for _ in {1..100}; do
        send 1 9
        ! grep -q flow.new "$1" || return 0
    done
    cat "$1.err"
    false
}

stop() {
    kill -INT "$profiler"
    wait "$profiler" || true
}

# quantiles FILE: 0.1, 0.3, 0.5, 0.7 and 0.9 of the sizes in the shape of the link
quantiles() {
    jq -c --arg link "$interface" 'select(.type == "shape" and .shape == $link) | .sizes
        | (map(.[1]) | add) as $all
        | [reduce .[] as [$size, $n] ([]; . + [[$size, $n + (.[-1][1] // 0)]])
           | . as $upto | (0.1, 0.3, 0.5, 0.7, 0.9) as $q
           | first($upto[] | select(.[1] >= $q * $all))[0]]' "$1" | tail -1
}

@test "traffic made from the shape of live traffic has packets like it" {
    shadow-lab up chain --hops 2 -l "$LAB" >plan
    interface=$(node c ip -j route get 10.9.0.2 | jq -r '.[0].dev')
    profile live
    send 1000 7000
    stop
    [ "$(quantiles live)" = "[428,428,828,828,1228]" ] || [ "$(quantiles live)" = "[428,828,828,828,1228]" ]
    jq -c --arg link "$interface" 'select(.type == "shape" and .shape == $link)' live | tail -1 >shape

    ip netns exec "sdw-$LAB-s" shadow-reflect -q >reflect 2>&1 3>&- &
    pids+=($!)
    profile again
    node c shadow-probe --schedule replay --shape shape --pairs 10 10.9.0.2 >probe
    stop
    sent=$(jq -r --arg link "$interface" 'select(.type == "shape" and .shape == $link) | .packets' again | tail -1)
    [ "$sent" -gt 200 ]
    # As often as they were seen, within what drawing a few hundred of them leaves to chance.
    jq -n --argjson live "$(jq -c .sizes shape)" --argjson again "$(jq -c --arg link "$interface" \
        'select(.type == "shape" and .shape == $link) | .sizes' again | tail -1)" '
        def shares: (map(.[1]) | add) as $all | map({key: (.[0] | tostring), value: (.[1] / $all)}) | from_entries;
        ($live | shares) as $a | ($again | shares) as $b
        | [$a | keys[] | ($a[.] - ($b[.] // 0)) | if . < 0 then -. else . end] | max' >difference
    [ "$(jq '. < 0.1' difference)" = true ] || { cat difference; quantiles again; false; }
}
