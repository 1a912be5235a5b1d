#!/usr/bin/env bats
# shadow: dispatch, lines from -c, files and pipes, records, doctor, and under cron.

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
    bin=$(dirname "$(command -v shadow)")
}

@test "shadow TOOL is shadow-TOOL" {
    [ "$(shadow probe --version)" = "$(shadow-probe --version)" ]
    run shadow probe --no-such-option
    [ "$status" -eq 2 ]
}

@test "an unknown tool is a usage error that knows better" {
    run --separate-stderr shadow prob 192.0.2.1
    [ "$status" -eq 2 ]
    [[ "$stderr" == *"did you mean 'probe'"* ]]
    run --separate-stderr shadow zzz
    [ "$status" -eq 2 ]
    [[ "$stderr" == *"there are:"*"probe"* ]]
}

@test "-c runs pipelines of tools without the prefix" {
    echo '{"type":"hop","addr":"fd09::1"}' >in
    run shadow -c 'filter type=hop <in | jq -r .addr'
    [ "$status" -eq 0 ]
    [ "$output" = "fd09::1" ]
}

@test "quotes, substitutions and other operators are sh's" {
    run shadow -c "echo 'a | b' \"c  d\" \$(echo e)"
    [ "$output" = "a | b c  d e" ]
    run shadow -c 'false || echo yes; records path --format csv | head -1 | cut -d, -f1'
    [[ "$output" == "yes"* ]]
}

@test "it stops at the first failure, with file, line and real status" {
    printf '%s\n' '# a comment' '' 'echo one' 'sh -c "exit 7"' 'echo two' >lines
    run --separate-stderr shadow -f lines
    [ "$status" -eq 7 ]
    [ "$output" = "one" ]
    [[ "$stderr" == *"lines:4: exit status 7"* ]]
}

@test "a failing stage fails the pipeline and is named" {
    run --separate-stderr shadow -c 'sh -c "exit 5" | cat'
    [ "$status" -eq 5 ]
    [[ "$stderr" == *"exit status 5 of: sh"* ]]
}

@test "a stage that ends of SIGPIPE has not failed" {
    run shadow -c 'yes | head -1'
    [ "$status" -eq 0 ]
    [ "$output" = "y" ]
}

@test "-k goes on and tells the last failure" {
    run --separate-stderr shadow -k -c 'false
echo "open
sh -c "exit 9"
echo end'
    [ "$status" -eq 9 ]
    [ "$output" = "end" ]
    [[ "$stderr" == *"-c:1:"*"-c:2: a double quote is not closed"*"-c:3:"* ]]
}

@test "lines from a pipe: no banner, and programs do not eat the lines" {
    run --separate-stderr shadow < <(printf 'cat\necho "$((1 + 1))"\n')
    [ "$status" -eq 0 ]
    [ "$output" = "2" ]
    [ -z "$stderr" ]
}

@test "a line that cannot be understood is a usage error with its place" {
    for line in '| cat' 'cat |' 'cat >' "echo 'a" 'cat <<E' 'sleep 1 &'; do
        run --separate-stderr shadow -c "$line"
        [ "$status" -eq 2 ]
        [[ "$stderr" == "shadow: -c:1: "* ]]
    done
}

@test "a backslash at the end joins lines" {
    run shadow -f <(printf 'echo a \\\n  b\n')
    [ "$output" = "a b" ]
}

@test "exit and cd are understood" {
    run shadow -c 'cd /
pwd
exit 4
echo never'
    [ "$status" -eq 4 ]
    [ "$output" = "/" ]
    run shadow -c 'cd /no/such/directory'
    [ "$status" -eq 4 ]
}

@test "a missing file is a system error; -c and -f exclude each other" {
    run shadow -f missing
    [ "$status" -eq 4 ]
    run shadow -f x -c y
    [ "$status" -eq 2 ]
    run shadow -c 'true' operand
    [ "$status" -eq 2 ]
}

@test "no history is written but at the prompt" {
    XDG_STATE_HOME=$PWD/state shadow -c 'true'
    echo true | XDG_STATE_HOME=$PWD/state shadow
    [ ! -e state ]
}

@test "save writes a script that runs without the shell" {
    echo '{"type":"hop","hop":2}' >in
    run --separate-stderr shadow -c "filter type=hop <$PWD/in | jq .hop
save job"
    [ "$status" -eq 0 ]
    [ -x job ]
    run env -i ./job
    [ "$status" -eq 0 ]
    [ "$output" = "2" ]
    run --separate-stderr shadow -c "true
save job"
    [ "$status" -eq 2 ]
    [[ "$stderr" == *"exists"* ]]
}

@test "under cron's empty environment all works, silent on success" {
    echo '{"type":"hop","hop":2}' >in
    run env -i "$bin/shadow" -c "filter type=hop <$PWD/in >$PWD/out" </dev/null
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    cmp in out
    run env -i "$bin/shadow" filter --lock "$PWD/lock" --deadline 1m type=hop <in
    [ "$status" -eq 0 ]
}

@test "asked to stop, it ends what it runs and says so in its status" {
    timeout 60 shadow -c 'sh -c "echo \$\$ >child; exec sleep 61"' 3>&- &
    guard=$!
    for _ in $(seq 1 100); do
        [ -s child ] && break
        sleep 0.1
    done
    child=$(cat child)
    pid=$(pgrep -P $guard)
    kill -TERM "$pid"
    status=0
    wait $guard || status=$?
    echo "status $status"
    [ "$status" -eq 143 ]
    for _ in $(seq 1 50); do
        grep -qs '^State:.*[RS] ' "/proc/$child/status" || return 0
        sleep 0.1
    done
    return 1
}

@test "records: types, fields, JSON Schema" {
    shadow records | jq -e -s 'map(.name) | contains(["slot", "verdict", "end"])'
    shadow records verdict | jq -e -s 'map(select(.key == "available_bps"))[0].unit == "bit/s"'
    shadow records --schema | jq -e '.oneOf | length > 15'
    shadow records --schema hop | jq -e '.required | contains(["path_id", "hop"])'
    run shadow records nothing
    [ "$status" -eq 2 ]
}

@test "doctor: each check says ok, or what it lacks" {
    run --separate-stderr shadow doctor
    [ "$status" -le 1 ]
    jq -e -s 'length > 10 and all(.[:-1][]; .type == "check" and
        (.state == "ok" or .state == "limited" or .state == "missing"))' <<<"$output"
    jq -e -s '.[-1].type == "end" and (.[-1].counts | add) == length - 1' <<<"$output"
    jq -e -s 'map(select(.state == "ok" and .remedy != null)) == []' <<<"$output"
}

@test "the table on a terminal is of what the command is about" {
    command -v script >/dev/null || skip "script is not installed"
    script -qec 'shadow doctor --color never' /dev/null </dev/null >out || true
    grep -q '^time  *check  *state' out
    ! grep -q 'reason' out
}

@test "doctor as nobody names the commands that would allow more" {
    [ "$(id -u)" -eq 0 ] || skip "needs root to become nobody"
    install -m 755 "$bin/shadow" /tmp/shadow-doctor-test.$$
    run env HOME=/nonexistent setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all \
        --bounding-set=-all /tmp/shadow-doctor-test.$$ doctor
    rm -f /tmp/shadow-doctor-test.$$
    [ "$status" -eq 0 ]
    jq -e -s 'map(select(.check == "raw-sockets"))[0] | .state == "limited" and
        (.remedy | contains("setcap"))' <<<"$output"
}
