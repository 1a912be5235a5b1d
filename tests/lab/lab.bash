#!/usr/bin/env bash
# One laboratory a test, and what every test of one needs. Source it in setup.
#
# lab_setup and lab_teardown do what their names say: LAB is the laboratory's name, pids are the
# processes that end with the test.

# lab_setup LETTER: the letter is the file's own
lab_setup() {
    LAB="$1$$x$BATS_TEST_NUMBER"
    pids=()
    cd "$BATS_TEST_TMPDIR" || exit
    [ "$(id -u)" = 0 ] || skip "needs root"
    unshare -n true 2>/dev/null || skip "network namespaces may not be made here"
}

lab_teardown() {
    for pid in ${pids+"${pids[@]}"}; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    [ "$(id -u)" != 0 ] || shadow-lab down -l "$LAB" >/dev/null 2>&1 || true
}

# node NAME COMMAND…: COMMAND in that namespace
node() {
    local name=$1
    shift
    ip netns exec "sdw-$LAB-$name" "$@"
}

# within N COMMAND…: COMMAND until it succeeds, N times at most: a shared host stalls, and what a few
# seconds say of a delay may be the stall. In COMMAND every condition is joined by &&: a shell in a
# condition does not stop at a failure.
within() {
    local n=$1
    shift
    while ! "$@"; do
        n=$((n - 1))
        [ "$n" -gt 0 ] || return 1
        echo "# once more: $*"
    done
}
