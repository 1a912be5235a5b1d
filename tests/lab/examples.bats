#!/usr/bin/env bats
# The examples of the man pages that need a network, each in a laboratory of its own.
bats_require_minimum_version 1.5.0

setup()
{
    [ "$(id -u)" = 0 ] || skip "needs to be root to make network namespaces"
    LAB=examples$$
    shadow-lab up chain -l "$LAB" >/dev/null || skip "network namespaces cannot be made here"
    cp -r "$BATS_TEST_DIRNAME/../samples" "$BATS_TEST_TMPDIR/here"
    cd "$BATS_TEST_TMPDIR/here"
}

teardown()
{
    [ "$(id -u)" = 0 ] || return 0
    shadow-lab down -l "$LAB"
    shadow-lab down -l man
}

@test "every example that needs a network runs in one" {
    for program in "$SDW_BUILD"/bin/*; do
        while IFS= read -r command; do
            [ -n "$command" ] || continue
            rc=0
            case $command in
            shadow-lab*) timeout 60 sh -c "$command" >out 2>err </dev/null || rc=$? ;;
            *) timeout -k 10 -s INT 12 shadow-lab exec -l "$LAB" c sh -c "$command" >out 2>err </dev/null || rc=$? ;;
            esac
            # 1: the answer is no; the rest: it would go on for ever.
            case $rc in
            0 | 1 | 124 | 130) ;;
            *) echo "exit $rc from: $command"; cat err; false ;;
            esac
        done < <("${program##*/}" --generate json | jq -r '.examples[] | select(.needs == "lab").command')
    done
}
