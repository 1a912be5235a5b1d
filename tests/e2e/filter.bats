#!/usr/bin/env bats
# shadow filter: the fast path for big files.

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
}

@test "lines that pass are passed byte for byte" {
    printf '%s\n' '{ "type" : "hop","addr":"10.9.0.2", "x":1.10 , "y":[1, {"z":null}]}' \
        '{"type":"hop","addr":"fd09::2","n":18446744073709551615,"t":"\u00e9\ud83d\ude00"}' \
        '{"type":"slot"}' >in
    head -2 in >want
    shadow filter type=hop <in >out
    cmp out want
}

@test "IPv4 and IPv6 addresses are text" {
    printf '%s\n' '{"addr":"10.9.0.2"}' '{"addr":"fd09::2"}' >in
    run --separate-stderr shadow filter addr=10.9.0.2 <in
    [ "$output" = '{"addr":"10.9.0.2"}' ]
    run --separate-stderr shadow filter 'addr~^fd09:' <in
    [ "$output" = '{"addr":"fd09::2"}' ]
}

@test "it agrees with jq on generated records" {
    for i in $(seq 1 200); do
        printf '{"type":"hop","hop":%d,"rtt_us":%d,"share":%d.%d}\n' $((i % 7)) $((i * 37 % 1000)) \
            $((i % 3)) $((i % 10))
    done >in
    shadow filter 'rtt_us>500' 'hop!=3' 'share<=1.5' <in | jq -c . >ours
    jq -c 'select(.rtt_us > 500 and .hop != 3 and .share <= 1.5)' in >theirs
    [ -s ours ]
    cmp ours theirs
}

@test "a bad line is named, skipped and counted: status 3" {
    printf '%s\n' '{"a":2}' '{"a":' 'nonsense' '{"a":NaN}' '{"a":-}' '' '{"a":3}' >in
    run --separate-stderr shadow filter 'a>1' <in
    [ "$status" -eq 3 ]
    [ "$output" = '{"a":2}
{"a":3}' ]
    [[ "$stderr" == *"line 2: "* ]]
    [[ "$stderr" == *"line 3: "* ]]
    [[ "$stderr" == *"line 4: "* ]]
    [[ "$stderr" == *"line 5: "* ]]
    [[ "$stderr" == *"4 bad input lines skipped"* ]]
}

@test "a number no double can hold is bad where it is compared" {
    run --separate-stderr shadow filter 'a>1' <<<'{"a":1e999}'
    [ "$status" -eq 3 ]
    [[ "$stderr" == *"line 1: a: "* ]]
}

@test "--strict stops at the first bad line" {
    run --separate-stderr shadow filter --strict 'a>1' < <(printf '%s\n' '{"a":2}' x '{"a":3}')
    [ "$status" -eq 3 ]
    [ "$output" = '{"a":2}' ]
}

@test "CRLF, a byte order mark and a missing last newline are read" {
    printf '\xef\xbb\xbf{"a":1}\r\n{"a":2}' | shadow filter 'a>=1' >out
    printf '{"a":1}\n{"a":2}\n' >want
    cmp out want
}

@test "a bad condition is a usage error that names it" {
    run --separate-stderr shadow filter 'rtt_us>soon' </dev/null
    [ "$status" -eq 2 ]
    [[ "$stderr" == *"rtt_us>soon"*"duration"* ]]
    run --separate-stderr shadow filter 'a~(' </dev/null
    [ "$status" -eq 2 ]
    run --separate-stderr shadow filter 'loss_share<-5kg' </dev/null
    [ "$status" -eq 2 ]
}

@test "a full disk is an error, a closed pipe is not told" {
    run --separate-stderr bash -c 'shadow filter <<<"{}" >/dev/full'
    [ "$status" -eq 4 ]
    [[ "$stderr" == *"No space left"* ]]
    for i in $(seq 1 3000); do echo "{\"i\":$i,\"pad\":\"$(printf '%100d' 0)\"}"; done >in
    shadow filter <in 2>err | head -1 >out
    [ ! -s err ]
}

@test "a line of a slow stream comes out before the next is read" {
    mkfifo in
    timeout 60 shadow filter type=hop <in >out 3>&- &
    pid=$!
    exec 7>in
    echo '{"type":"hop"}' >&7
    for _ in $(seq 1 100); do
        [ -s out ] && break
        sleep 0.1
    done
    [ -s out ]
    exec 7>&-
    wait $pid
}

@test "the last of duplicate keys counts, as in jq" {
    echo '{"a":1,"a":2}' >in
    [ "$(shadow filter a=2 <in)" = "$(jq -c 'select(.a == 2)' in >/dev/null && cat in)" ]
    [ -z "$(shadow filter a=1 <in)" ]
}

@test "each record is written before the next read that may block" {
    command -v strace >/dev/null || skip "strace is not installed"
    strace -o trace -e trace=read,write true 2>/dev/null || skip "strace may not trace here"
    for i in 1 2 3 4 5; do
        echo "{\"i\":$i}"
        sleep 0.2
    done | ASAN_OPTIONS=detect_leaks=0 strace -e trace=read,write -o trace shadow filter 'i>0' >out
    [ "$(wc -l <out)" -eq 5 ]
    # Of reads of standard input and writes of standard output: no two reads that brought
    # something without a write in between.
    run awk '/^read\(0,/ && !/= 0$/ { if (held) bad++; held = 1 }
        /^write\(1,/ { held = 0; writes++ }
        END { print bad + 0, writes }' trace
    [ "${output%% *}" -eq 0 ]
    [ "${output##* }" -ge 3 ]
}
