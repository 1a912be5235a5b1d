#!/usr/bin/env bats
# What every tool shares: help, statuses, formats, configuration, lock and deadline.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/e2e/build.bash
. "$BATS_TEST_DIRNAME/build.bash"

setup()
{
    samples="$BATS_TEST_DIRNAME/../samples"
    cd "$BATS_TEST_TMPDIR"
    export XDG_CONFIG_HOME="$BATS_TEST_TMPDIR/config" TZ=UTC LC_ALL=C.UTF-8
    unset NO_COLOR COLUMNS
    mkdir -p config/shadow-tools
}

tools()
{
    for program in "$SDW_BUILD"/bin/*; do
        echo "${program##*/}"
    done
}

@test "every tool has help, on standard output" {
    for tool in $(tools); do
        run -0 --separate-stderr "$tool" --help
        [[ $output == "$tool: "*usage:* ]]
        [ -z "$stderr" ]
        run -0 "$tool" -h
    done
}

@test "every tool has a version" {
    for tool in $(tools); do
        run -0 "$tool" --version
        [[ $output =~ ^$tool\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
        run -0 "$tool" -V
    done
}

@test "every tool refuses an unknown option with status 2 and its name" {
    for tool in $(tools); do
        run -2 --separate-stderr "$tool" --no-such-option
        [ -z "$output" ]
        [[ $stderr == "$tool: "*--no-such-option* ]]
        run -2 "$tool" -7
    done
}

@test "every tool ends in order on an empty standard input" {
    for tool in $(tools); do
        rc=0
        timeout 20 "$tool" --deadline 300ms </dev/null >/dev/null 2>err || rc=$?
        [ "$rc" -le 4 ] || { echo "$tool: $rc"; cat err; false; }
    done
}

@test "every tool reports a full disk with status 4" {
    for tool in $(tools); do
        for what in --help --version '--generate json'; do
            rc=0
            # shellcheck disable=SC2086
            "$tool" $what 2>err >/dev/full || rc=$?
            [ "$rc" -eq 4 ] || { echo "$tool $what: $rc"; false; }
            grep -q 'No space left' err
        done
    done
    rc=0
    shadow filter <"$samples/run.ndjson" 2>err >/dev/full || rc=$?
    [ "$rc" -eq 4 ]
    grep -q 'No space left' err
}

@test "a standard descriptor that is closed is an error, not another file" {
    for tool in shadow-gradient shadow-forecast shadow-detect 'shadow filter' 'shadow records' 'shadow --version' \
        'shadow -c records'; do
        run -4 --separate-stderr timeout 20 sh -c "$tool <'$samples/run.ndjson' >&-"
        [[ $stderr == *"standard output"* ]] || { echo "$tool: $stderr"; false; }
    done
    for tool in shadow-gradient shadow-forecast shadow-detect 'shadow filter'; do
        run -4 --separate-stderr timeout 20 sh -c "$tool <&-"
        [[ $stderr == *"standard input"* ]] || { echo "$tool: $stderr"; false; }
    done
    run -0 timeout 20 sh -c "shadow filter -o end 2>&- <'$samples/run.ndjson'"
    [[ $output == *'"type":"end"'* ]]
}

@test "a closed pipe ends a filter silently" {
    for _ in $(seq 300); do cat "$samples/run.ndjson"; done >big
    set +e
    # A parent that ignores SIGPIPE must not change that.
    (trap '' PIPE; shadow filter <big 2>err; echo $? >rc) | head -1 >first
    set -e
    [ "$(wc -l <first)" -eq 1 ]
    [ ! -s err ]
    [ "$(cat rc)" -eq 141 ]
}

@test "standard output is NDJSON unless it is a terminal" {
    shadow filter <"$samples/run.ndjson" >out
    cmp "$samples/run.ndjson" out
}

@test "--only prints these types alone" {
    run -0 bash -c 'shadow filter -o verdict,path <"$1" | jq -r .type | sort | uniq -c | tr -s " "' sh "$samples/run.ndjson"
    [ "$output" = " 2 path
 3 verdict" ]
}

@test "a table is aligned, with the header once" {
    shadow filter --format table -o hop <"$samples/run.ndjson" >out
    [ "$(grep -c rtt_ out)" -eq 1 ]
    grep -q '^14:46:40.001 ' out
    # Right-aligned numbers: the column of the hop ends at one place in all rows.
    [ "$(sed -n '4,$p' out | awk '{ print match($0, / [0-9] /) }' | sort -u | wc -l)" -eq 1 ]
    run grep -c $'\033' out
    [ "$output" = 0 ]
}

@test "a table shows IPv4 and IPv6 addresses whole" {
    shadow filter --format table -o hop <"$samples/run.ndjson" >out
    grep -qw '10.9.0.2' out
    grep -qw 'fd09:1::2' out
}

@test "control bytes of a record do not reach the table" {
    printf '{"type":"hop","v":1,"ts":1,"path_id":"x","hop":1,"addr":"\\u001b[2Jx"}\n' |
        shadow filter --format table -o hop >out
    run grep -c $'\033' out
    [ "$output" = 0 ]
    grep -qF '?[2Jx' out
}

@test "csv has one header, quotes what needs it and splits ranges" {
    printf '%s\n' '{"type":"verdict","v":1,"ts":5,"path_id":"a,b","state":"clear","available_bps":{"lo":1,"mid":null,"hi":3.5},"reason":"say \"no\"\n"}' |
        shadow filter --format csv -o verdict >out
    run -0 python3 -c '
import csv, sys
rows = list(csv.DictReader(open("out", newline="")))
assert len(rows) == 1, rows
row = rows[0]
assert row["path_id"] == "a,b" and row["reason"] == "say \"no\"\n", row
assert row["available_bps.lo"] == "1" and row["available_bps.mid"] == "" and row["available_bps.hi"] == "3.5", row
assert row["ts"] == "5" and row["bottleneck_hop"] == "", row'
    grep -q $'\r$' out
}

# on_terminal COLUMNS COMMAND: what the command writes to a terminal of this width, without colours
on_terminal() {
    script -qec "stty cols $1; $2" /dev/null </dev/null | sed -E 's/\x1b\[[0-9;]*m//g; s/\r//g'
}

@test "a table for a narrow terminal fits it and leaves nothing out" {
    command -v script >/dev/null || skip "script is not installed"
    head=$(jq -c 'select(.type == "verdict") | .addr = null
        | .reason = "a reason in as many words as it takes to be longer than a line"' "$samples/run.ndjson" | head -1)
    echo "$head" >in
    jq -c 'select(.type == "verdict")' "$samples/run.ndjson" >>in
    for width in 24 40 60 80; do
        on_terminal $width 'shadow filter -o verdict <in' >out
        cat out
        awk -v width=$width 'length > width { exit 1 }' out
        tr -s ' \n' ' ' <out >flat
        while read -r value; do grep -qF -- "$value" flat; done < <(jq -r '.path_id, .state, .reason,
            .bottleneck_hop, .capacity_bps, .injected_bytes, (.available_bps | "\(.mid) [\(.lo), \(.hi)]")' in)
    done
    [ "$(grep -c '^  injected_bytes 99000  reason delay rises at hop 3$' out)" = 3 ]
    on_terminal 200 'shadow filter -o verdict <in' >out
    [ "$(wc -l <out)" = 6 ] # a header of two lines, four rows
}

@test "on a terminal the output is a table, in colour unless NO_COLOR" {
    command -v script >/dev/null || skip "script is not installed"
    script -qec "shadow filter -o verdict <'$samples/run.ndjson'" /dev/null </dev/null >out
    grep -q $'\033\[31mbottleneck' out
    NO_COLOR=1 script -qec "shadow filter -o verdict <'$samples/run.ndjson'" /dev/null </dev/null >out
    run grep -c $'\033' out
    [ "$output" = 0 ]
    script -qec "shadow filter --color never -o verdict <'$samples/run.ndjson'" /dev/null </dev/null >out
    run grep -c $'\033' out
    [ "$output" = 0 ]
}

@test "--color always colours outside a terminal, even with NO_COLOR" {
    NO_COLOR=1 shadow filter --color always --format table -o verdict <"$samples/run.ndjson" >out
    grep -q $'\033' out
}

@test "flag over environment over the user's file over the default" {
    echo 'format = csv' >config/shadow-tools/config
    shadow filter -o hop <"$samples/run.ndjson" | head -1 | grep -q ^ts,
    SHADOW_FORMAT=table shadow filter -o hop <"$samples/run.ndjson" | grep -q ^14:46
    SHADOW_FORMAT=table shadow filter --format ndjson -o hop <"$samples/run.ndjson" | jq -e .ts
}

@test "a value of a configuration that is wrong is named with file and line" {
    printf '# mine\n\nformat = xml\n' >config/shadow-tools/config
    run -2 --separate-stderr shadow filter </dev/null
    [[ $stderr == *"config/shadow-tools/config:3: format: 'xml' is not valid: one of auto, ndjson, table, csv is expected"* ]]
}

@test "a variable that is wrong is named" {
    SHADOW_DEADLINE=soon run -2 --separate-stderr shadow filter </dev/null
    [[ $stderr == *"SHADOW_DEADLINE: 'soon' is not valid: a duration"* ]]
}

@test "it runs in cron's empty environment" {
    run -0 env -i "$(command -v shadow)" filter type=hop <"$samples/run.ndjson"
    [ "$(jq -r .type <<<"$output" | sort -u)" = hop ]
}

@test "--lock lets one run at a time, and a killed one does not block the next" {
    mkfifo pipe
    shadow filter --lock lock <pipe >out 3>&- &
    pid=$!
    exec 4>pipe
    echo '{"type":"x"}' >&4
    for _ in $(seq 200); do
        [ -s out ] && break # it reads: it has the lock
        sleep 0.05
    done
    run -1 --separate-stderr shadow filter --lock lock </dev/null
    [[ $stderr == *"lock is held by another process: not started"* ]]
    kill -9 "$pid"
    wait "$pid" || true
    exec 4>&-
    run -0 shadow filter --lock lock </dev/null
}

@test "a lock file that cannot be made is status 4" {
    run -4 --separate-stderr shadow filter --lock /nonexistent/lock </dev/null
    [[ $stderr == *"/nonexistent/lock"* ]]
}

@test "--deadline ends a tool that waits, with what it has written" {
    mkfifo pipe
    timeout 20 shadow filter --deadline 200ms <pipe >out 2>err 3>&- &
    pid=$!
    exec 4>pipe
    head -1 "$samples/run.ndjson" >&4
    rc=0
    wait "$pid" || rc=$?
    exec 4>&-
    [ "$rc" -eq 4 ]
    grep -q deadline err
    [ "$(wc -l <out)" -eq 1 ]
}

@test "a signal ends a filter with 128+n, its records written whole" {
    mkfifo pipe
    shadow filter <pipe >out 3>&- &
    pid=$!
    exec 4>pipe
    head -3 "$samples/run.ndjson" >&4
    for _ in $(seq 200); do
        [ "$(wc -l <out)" -eq 3 ] && break
        sleep 0.05
    done
    kill -TERM "$pid"
    rc=0
    wait "$pid" || rc=$?
    exec 4>&-
    [ "$rc" -eq 143 ]
    [ "$(wc -l <out)" -eq 3 ]
    jq -e . out >/dev/null
}

@test "bad lines are reported with their number, skipped and counted; the status is 3" {
    printf '{"type":"a"}\nnot json\n{"type":"b"}\n[1]\n{"type":"c"' >in
    run -3 --separate-stderr shadow filter <in
    [ "$output" = '{"type":"a"}
{"type":"b"}' ]
    [[ $stderr == *"line 2: "* && $stderr == *"line 4: "* && $stderr == *"line 5: "* ]]
}

@test "--strict stops at the first bad line" {
    printf '{"type":"a"}\nnot json\n{"type":"b"}\n' >in
    run -3 --separate-stderr shadow filter --strict <in
    [ "$output" = '{"type":"a"}' ]
}

@test "blank lines, CRLF and a byte order mark are taken" {
    printf '\xef\xbb\xbf{"type":"a"}\r\n\r\n\n{"type":"b"}\n' >in
    run -0 shadow filter <in
    [ "$output" = '{"type":"a"}
{"type":"b"}' ]
}

@test "a filter without arguments on a terminal says how it is used, with status 2" {
    command -v script >/dev/null || skip "script is not installed"
    rc=0
    script -qec shadow-forecast /dev/null </dev/null >out || rc=$?
    [ "$rc" -eq 2 ]
    grep -q 'usage: shadow-forecast' out
}
