#!/usr/bin/env bats
# shadow-lab: what needs no rights.

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
}

refused() { # MESSAGE LINE
    echo "$2" >own
    run -3 --separate-stderr shadow-lab up own -l nowhere
    [[ $stderr == *"$1"* ]]
}

@test "bad descriptions are refused with line and field, before anything is built" {
    refused "line 1" 'not json'
    refused "line 1" '{"type":"node","v":1,"node":"a"'
    refused "node" '{"type":"node","v":1,"node":"a/b"}'
    refused "node" '{"type":"node","v":1}'
    refused "rate_bps" '{"type":"link","v":1,"a":"a","b":"b","rate_bps":-5}'
    refused "line 1" '{"type":"link","v":1,"a":"a","b":"b","rate_bps":NaN}'
    refused "rate_bps" '{"type":"link","v":1,"a":"a","b":"b","rate_bps":1e300}'
    refused "loss_share" '{"type":"link","v":1,"a":"a","b":"b","loss_share":1.5}'
    refused "no node" '{"type":"link","v":1,"a":"a","b":"b"}'
    printf '{"type":"node","v":1,"node":"a"}\n{"type":"node","v":1,"node":"a"}\n' >own
    run -3 --separate-stderr shadow-lab up own -l nowhere
    [[ $stderr == *"line 2"*"node"* ]]
    : >own
    run -3 --separate-stderr shadow-lab up own -l nowhere
    [[ $stderr == *"no node"* ]]
}

@test "usage errors name what is wrong" {
    run -2 --separate-stderr shadow-lab up ring -l nowhere
    [[ $stderr == *"chain, diamond, trap"* ]]
    run -2 --separate-stderr shadow-lab up chain --hops 3 --bottleneck 9 -l nowhere
    [[ $stderr == *"--bottleneck 9"* ]]
    run -2 --separate-stderr shadow-lab up chain --rate 10X -l nowhere
    [[ $stderr == *"--rate"* ]]
    run -2 shadow-lab up
    run -2 shadow-lab fly
    run -2 --separate-stderr shadow-lab list -l nowhere
    [[ $stderr == *"no laboratory"* ]]
    run -2 --separate-stderr shadow-lab list -l 'a/../b'
    [[ $stderr == *"--lab"* ]]
    run -2 --separate-stderr shadow-lab traffic -l nowhere --from c
    [[ $stderr == *"--to"* ]]
    run -2 --separate-stderr shadow-lab traffic -l nowhere --from c --to s --model onoff --peak 1
    [[ $stderr == *"--peak"* ]]
    run -2 --separate-stderr shadow-lab traffic -l nowhere --from c --to s --size 30
    [[ $stderr == *"--size"* ]]
}

@test "without rights it says what is missing" {
    [ "$(id -u)" = 0 ] || skip "as root only: this drops to an ordinary user"
    run -4 --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups \
        env HOME=/nonexistent PATH="$PATH" shadow-lab up chain -l nowhere
    [[ $stderr == *"root"* ]]
}
