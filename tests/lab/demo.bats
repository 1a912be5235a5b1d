#!/usr/bin/env bats
# Every arm of the main job runs and says what happened, over IPv4 and IPv6. Nothing here depends
# on what a loaded host lets through in time.

bats_require_minimum_version 1.5.0

setup() {
    [ "$(id -u)" = 0 ] || skip "needs root for network namespaces"
    demo="$BATS_TEST_DIRNAME/demo"
    [ -x "${SDW_BUILD:?}/lab/demo/rival" ] || skip "the harness is not built"
    cd "$BATS_TEST_TMPDIR"
    export LAB="bats-demo$BATS_TEST_NUMBER" DURATION=5
    export UTILISATION="SHARE=50 THRESHOLD=0.0001 FOR=1" REACTIVE="SHARE=50 DELAY_MS=0 PERSIST=1"
}

teardown() {
    [ -z "${LAB:-}" ] || shadow-lab down --lab "$LAB" >/dev/null 2>&1 || true
}

score() {
    jq -cs --arg arm "$1" --argjson started "$(cat arm/started)" --slurpfile changes arm/changes.ndjson \
        --slurpfile probed arm/probed.ndjson -f "$demo/score.jq" arm/live-*.ndjson
}

@test "traffic flows when nothing is done, and nothing moves" {
    timeout 60 bash "$demo/arm.sh" nothing 1 arm
    score nothing | jq -e '.sent > 100 and .moves == 0'
}

@test "both rules move traffic by a next-hop group, IPv4 and IPv6" {
    for family in 4 6; do
        for arm in utilisation reactive; do
            FAMILY=$family timeout 60 bash "$demo/arm.sh" $arm 1 arm
            score $arm | jq -e '.sent > 100 and .moves >= 1'
        done
    done
}

@test "the pipeline measures both ways and arms the unit, IPv4 and IPv6" {
    for family in 4 6; do
        FAMILY=$family timeout 60 bash "$demo/arm.sh" shadow 1 arm
        [ "$(jq -s 'map(select(.type == "path")) | length' arm/records.ndjson)" -ge 2 ]
        jq -es 'map(select(.type == "change" and .state == "ARMED" and .applied)) | length >= 1' arm/changes.ndjson
        jq -es '.[-1].type == "end"' arm/changes.ndjson
        score shadow | jq -e '.sent > 100 and .shadow_bytes > 0'
    done
}

@test "nothing is left behind by an arm that is interrupted" {
    bash "$demo/arm.sh" shadow 1 arm &
    pid=$!
    for _ in $(seq 100); do
        [ -s arm/started ] && break
        sleep 0.1
    done
    kill -TERM $pid
    wait $pid || true
    run ! grep -q "sdw-$LAB-" < <(ip netns list)
}
