#!/usr/bin/env bats
# shadow-gradient on slot files made by a simulated prober.

bats_require_minimum_version 1.5.0
# shellcheck source=tests/e2e/build.bash
. "$BATS_TEST_DIRNAME/build.bash"

setup() {
    cd "$BATS_TEST_TMPDIR"
}

# slots SEED HOPS TIGHT PREFIX WINDOWS [sham]
slots() {
    "$SDW_BUILD/bench/chirp" slots "$@"
}

# plain FAMILY WINDOW SLOTS [EXTRA]: slots by hand, load adds 2 ms at the second of two hops
plain() {
    local i hop on added addr
    for ((i = 0; i < $3; i++)); do
        on=$([ $((i % 2)) = 1 ] && echo true || echo false)
        for hop in 1 2; do
            added=$([ "$on$hop" = true2 ] && echo 2000 || echo $((3 + i % 3)))
            addr=$([ "$1" = 4 ] && echo "10.9.0.$hop" || echo "fd09::$hop")
            printf '{"type":"slot","v":1,"ts":%d,"path_id":"00ab","window":%d,"slot":%d,"pair":%d,"hop":%d,"addr":"%s","schedule":"lockin","on":%s,"hops":2,"achieved_bps":%d,"load_bytes":125000,"sent":8,"received":8,"duration_us":200000,"delay_mean_us":%d,"increment_mean_us":%d%s}\n' \
                $((1700000000000000 + $2 * 60000000 + i * 200000)) "$2" $i $((i / 2)) $hop "$addr" \
                "$on" "$([ "$on" = true ] && echo 5000000 || echo 0)" "$added" "$added" "${4:-}"
        done
    done
}

last_verdict() {
    jq -rs 'map(select(.type == "verdict")) | last | [.state, .bottleneck_hop, .addr] | map(. // "-") | join(" ")'
}

@test "the tight hop is named, IPv4 and IPv6 alike" {
    run bash -c 'slots() { "$SDW_BUILD/bench/chirp" slots "$@"; }; slots 7 5 3 10.9.0. 1 | shadow-gradient >out; slots 7 5 3 fd09:: 1 | shadow-gradient >out6'
    [ "$status" -eq 0 ]
    [ "$(last_verdict <out)" = "bottleneck 3 10.9.0.3" ]
    [ "$(last_verdict <out6)" = "bottleneck 3 fd09::3" ]
    [ "$(jq -s 'map(select(.type == "gradient")) | length' out)" -eq 5 ]
    jq -es 'map(select(.type == "verdict"))[0].available_bps | .lo < .mid and .mid < .hi' out
    [ "$(tail -n1 out | jq -r '.type + " " + .tool + " " + .reason')" = "end shadow-gradient eof" ]
}

@test "without injection no hop is named" {
    slots 7 5 3 10.9.0. 2 sham | shadow-gradient >out
    run jq -rs 'map(select(.type == "verdict" and .state == "bottleneck")) | length' out
    [ "$output" = 0 ]
}

@test "available capacity is a series, live and with intervals" {
    slots 3 4 2 fd09:: 1 | shadow-gradient -o metric >out
    run jq -s 'map(select(.series == "path/00000000000000aa/available_bps")) | length > 20 and all(.interval.lo <= .value)' out
    [ "$output" = true ]
    run jq -s 'map(select(.series == "path/00000000000000aa/capacity_bps")) | length >= 1 and all(.value > 19e6 and .value < 21e6)' out
    [ "$output" = true ]
}

@test "the same file gives the same bytes" {
    slots 9 3 1 10.9.0. 2 >in
    shadow-gradient <in >one
    shadow-gradient <in >two
    cmp one two
}

@test "slots are consumed, all else passes byte for byte; --keep passes slots too" {
    {
        printf '{"type":"unknown","x":1.10,"y":[1, 2]}\n'
        plain 4 0 20
        printf '{ "type" : "hop", "v":1,"extra":30.922999999999998 }\n{"no_type":true}\n'
    } >in
    shadow-gradient <in >out
    grep -v '"type":"slot"' in >rest
    grep -vE '^\{"type":"(gradient|verdict|metric|event|end)"' out >passed
    cmp rest passed
    shadow-gradient --keep <in | grep -vE '^\{"type":"(gradient|verdict|metric|event|end)"' >kept
    cmp in kept
}

@test "a window is judged when the next one begins, before its records pass" {
    { plain 6 0 24; plain 6 1 24 ',"void":true'; } | shadow-gradient >out
    run jq -r 'select(.type == "verdict") | [.window, .state, .void_slots] | join(" ")' out
    [ "$output" = "0 bottleneck 0
1 void 24" ]
}

@test "windows of several paths may come interleaved" {
    plain 4 0 24 >a
    plain 6 0 24 | sed 's/00ab/00cd/' >b
    paste -d '\n' a b | shadow-gradient -o verdict >out
    run jq -rs 'map([.path_id, .state, .addr] | join(" ")) | sort | join(",")' out
    [ "$output" = "00ab bottleneck 10.9.0.2,00cd bottleneck fd09::2" ]
}

@test "a path change voids the window, and the verdict comes before the path record" {
    {
        printf '{"type":"path","v":1,"ts":1,"path_id":"00ab","dst":"fd09::2"}\n'
        plain 6 0 24
        printf '{"type":"path","v":1,"ts":2,"path_id":"00cd","dst":"fd09::2","reason":"change"}\n'
    } | shadow-gradient >out
    run jq -rs 'map(select(.type == "verdict" or .type == "path") | .type + (.state // "")) | join(" ")' out
    [ "$output" = "path verdictvoid path" ]
}

@test "--threshold raises an event and the exit status says so" {
    plain 4 0 24 >in
    run -1 --separate-stderr shadow-gradient --threshold 100 <in
    [ "$(grep -c '"type":"event"' <<<"$output")" -eq 1 ]
    run jq -r 'select(.type == "event") | [.kind, .failure, .hop] | join(" ")' <<<"$output"
    [ "$output" = "prediction capacity-gradient 2" ]
    run -0 shadow-gradient --threshold 1e6 <in
}

@test "the weights of the capacity gradient are declared and obeyed" {
    plain 4 0 24 | shadow-gradient --delay-weight 3 --loss-weight 0 -o gradient >out
    run jq -s 'all(.delay_weight == 3 and .loss_weight == 0 and ((.capacity_gradient - 3 * .delay_gradient_us_per_mbps) | fabs) < 1e-3 * (.capacity_gradient | fabs) + 1e-9)' out
    [ "$output" = true ]
}

@test "--window judges after so many pairs" {
    plain 4 0 60 | shadow-gradient --window 10 -o verdict >out
    [ "$(wc -l <out)" -eq 3 ]
}

@test "no input is no verdict: only the end" {
    run shadow-gradient </dev/null
    [ "$status" -eq 0 ]
    [ "$(jq -r .type <<<"$output")" = end ]
}

@test "what is cut off in the middle is judged if it can be" {
    slots 5 4 2 10.9.0. 1 | head -n 150 | head -c -40 >in
    run -3 --separate-stderr shadow-gradient -o verdict <in
    [ "$(last_verdict <<<"$output")" = "bottleneck 2 10.9.0.2" ]
    plain 4 0 6 | shadow-gradient -o verdict >out
    [ "$(jq -r '.state + ": " + .reason' out)" = "inconclusive: too few pairs of slots to judge" ]
}

@test "bad slots are named with line and field, and the rest is judged" {
    {
        plain 4 0 24
        printf '{"type":"slot","v":1,"ts":1,"path_id":"00ab","window":0,"slot":0,"pair":0,"hop":0,"schedule":"lockin","on":true}\n'
        printf '{"type":"slot","v":1,"ts":1,"path_id":"00ab","window":0,"slot":0,"pair":0,"hop":300,"schedule":"lockin","on":true}\n'
        printf '{"type":"slot","v":1,"ts":1,"path_id":"00ab","window":0,"slot":0,"pair":0,"hop":1,"schedule":"surge","on":true}\n'
        printf '{"type":"slot","v":1,"ts":1,"path_id":"00ab","window":0,"slot":0,"pair":0,"hop":1,"schedule":"lockin","on":true,"increment_mean_us":NaN}\n'
        printf '{"type":"slot","v":1,"ts":1,"path_id":"00ab","window":0,"slot":0,"pair":0,"hop":1,"schedule":"lockin","on":true,"achieved_bps":-5}\n'
        printf '{"type":"slot","v":1,"ts":1,"path_id":"00ab","window":0,"slot":0,"pair":0,"hop":1,"schedule":"lockin","on":true,"achieved_bps":"10M"}\n'
        printf '{"type":"slot","v":1,"ts":1,"path_id":"","window":0,"slot":0,"pair":0,"hop":1,"schedule":"lockin","on":true}\n'
        printf '{"type":"slot","v":1,"ts":1,"path_id":"00ab","window":0,"slot":0,"pair":0,"hop":1,"schedule":"chirp","on":true,"chirp":{"sent_ns":[0,9,5],"bytes":[99,99,99],"delay_ns":[1,2,3]}}\n'
        printf '{"type":"slot","v":1,"ts":1,"path_id":"00ab","window":0,"slot":0,"pair":0,"hop":1,"schedule":"chirp","on":true,"chirp":{"sent_ns":[0,9],"bytes":[99,99],"delay_ns":[1]}}\n'
        printf 'not json\n{"type":"slot"'
    } >in
    run -3 --separate-stderr shadow-gradient -o verdict <in
    for said in 'line 49: hop' 'line 50: hop' 'line 51: schedule' 'line 52: not JSON' \
        'line 53: achieved_bps' 'line 54: achieved_bps' 'line 55: path_id' 'line 56: chirp.sent_ns' \
        'line 57: chirp.delay_ns' 'line 58' 'line 59'; do
        grep -qF "$said" <<<"$stderr" || { echo "missing: $said in $stderr"; false; }
    done
    [ "$(last_verdict <<<"$output")" = "bottleneck 2 10.9.0.2" ]
    run -3 shadow-gradient --strict <in
}

@test "keys given twice, huge numbers and a clock gone back do no harm" {
    {
        plain 6 3 24 ',"hop":2,"hop":2' | grep '"hop":2,"addr"'
        plain 6 3 24
        printf '{"type":"slot","v":1,"ts":-9007199254740992,"path_id":"00ab","window":9007199254740992,"slot":1000000000,"pair":1000000000,"hop":255,"schedule":"poisson","on":false,"hops":255,"duration_us":1000000000000}\n'
        plain 6 0 24
    } | shadow-gradient >out
    run jq -es 'map(select(.type == "verdict")) | length >= 2 and all(.window_us >= 0)' out
    [ "$status" -eq 0 ]
    run ! grep -qiE 'nan|inf' out
}

@test "options out of range say so" {
    run -2 shadow-gradient --alpha 70% </dev/null
    [[ "$output" == *--alpha* ]]
    run -2 shadow-gradient --threshold -1 </dev/null
    [[ "$output" == *--threshold* ]]
    run -2 shadow-gradient --threshold 5ms </dev/null
    run -2 shadow-gradient --level 0% </dev/null
    run -2 shadow-gradient --packet-size 1 </dev/null
}

@test "a full disk and a closed pipe end it" {
    plain 4 0 24 >in
    run -4 bash -c 'shadow-gradient <in >/dev/full'
    run bash -c 'set -o pipefail; shadow-gradient --keep <in | head -n 1'
    [ "${#lines[@]}" -eq 1 ]
}
