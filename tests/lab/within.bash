#!/usr/bin/env bash
# For tests of what a few seconds of measuring show: a shared host stalls, and what one window says of
# a delay may be the stall. Source it.

# within N COMMAND…: COMMAND until it succeeds, N times at most. In COMMAND every condition is joined
# by &&: a shell in a condition does not stop at a failure.
within() {
    local n=$1
    shift
    while ! "$@"; do
        n=$((n - 1))
        [ "$n" -gt 0 ] || return 1
        echo "# once more: $*"
    done
}
