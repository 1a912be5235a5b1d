#!/usr/bin/env bats
# Damage to a store: it costs what it hit and nothing else, and check --repair puts it aside.

bats_require_minimum_version 1.5.0
# shellcheck source=tests/e2e/store.bash
. "$BATS_TEST_DIRNAME/store.bash"

setup() {
    cd "$BATS_TEST_TMPDIR"
    export SHADOW_STORE=store
}

teardown() {
    [ -z "${server:-}" ] || kill "$server" 2>/dev/null || true
    [ -z "${server:-}" ] || wait "$server" 2>/dev/null || true
}

# spoil FILE OFFSET: changes one byte
spoil() {
    printf 'X' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# two_series: 300 points of a and of b, of which 289 each are in chunks of one segment, a's first
two_series() {
    points a 0 300 >in
    points b 0 300 >>in
    shadow-store append --log-size 1k <in >/dev/null
}

# count SERIES: how many points of it are there
count() {
    shadow-store query "$1" -o metric 2>/dev/null | wc -l
}

@test "a damaged chunk costs its points, not the query: the end record says so, status 3" {
    two_series
    spoil store/seg-00000001 40
    run -3 --separate-stderr shadow-store query a b --agg p50
    [[ $stderr == *"a: seg-00000001 at byte 16: a chunk is damaged"* ]]
    [ "$(jq -c 'select(.type == "metric") | [.series, .value]' <<<"$output" | tail -n 1)" = '["b",149.5]' ]
    last end '.reason == "damage" and .counts == {damaged_chunks: 1, damaged_points: 289, damaged_segments: 0,
        damaged_log_bytes: 0, missing_logs: 0}' <<<"$output"
    run -0 --separate-stderr shadow-store query b
    last end '.reason == "done"' <<<"$output"
    # What the index knows of the chunk is not damaged.
    run -0 --separate-stderr shadow-store query a --agg max -o metric
    [ "$(jq .value <<<"$output")" = 299 ]
}

@test "a segment without an index, or that is missing, is done without, and points go on being taken" {
    two_series
    cp -r store whole
    for way in cut missing; do
        rm -rf store
        cp -r whole store
        [ "$way" = missing ] || truncate -s -50 store/seg-00000001
        [ "$way" = cut ] || rm store/seg-00000001
        run -3 --separate-stderr shadow-store query b
        [ "$(grep -c metric <<<"$output")" = 11 ] # those in the log
        last end '.reason == "damage" and .counts.damaged_segments == 1' <<<"$output"
        [[ $stderr == *"seg-00000001"*"left out (check --repair puts it aside)"* ]]
        points b 300 5 | shadow-store append -o stored 2>err | last stored '.points == 5'
        grep -q 'seg-00000001.*left out' err
        [ "$(count b)" = 16 ]
        run -0 --separate-stderr shadow-store query b --from 1700017400
    done
}

@test "serve answers with what is not damaged, and a warning" {
    two_series
    spoil store/seg-00000001 40
    serve
    ask() { curl -s -G "$url/api/v1/query" --data-urlencode "query=$1" --data-urlencode time=1700018000; }
    ask '{__name__=~"a|b"}[1d]' >answer
    jq -e '.status == "success" and (.warnings | length) == 1' answer
    jq -e '[.data.result[] | [.metric.__name__, (.values | length)]] == [["a", 11], ["b", 300]]' answer
    ask 'b[1d]' | jq -e '.status == "success" and .warnings == null'
}

@test "repair puts damaged chunks aside, says exactly what is lost, and the store is good again" {
    two_series
    spoil store/seg-00000001 40
    cp store/seg-00000001 before
    run -1 --separate-stderr shadow-store check --repair
    [[ $stderr == *"store was damaged in 1 parts: 289 points are lost"* ]]
    last hole '.series == "a" and .points == 289 and .from_us == 1700000040000000 and
        .to_us == 1700017320000000 and .level == 0 and .kept == "quarantine/seg-00000001"' <<<"$output"
    last end '.reason == "repaired" and .counts == {repaired: 1, lost_points: 289, damaged_logs: 0, rows: 0}' <<<"$output"
    jq -se 'map(select(.kind == "quarantine")) | length == 1 and .[0].series == 1 and .[0].points == 289' <<<"$output"
    [ "$(jq -r 'select(.type == "part" and .kind != "quarantine") | .state' <<<"$output" | sort -u)" = good ]
    # The bytes of the chunk are kept as they were.
    n=$(($(stat -c %s store/quarantine/seg-00000001) - 16 - 80 - 32))
    cmp <(tail -c +17 store/quarantine/seg-00000001 | head -c "$n") <(tail -c +17 before | head -c "$n")
    run -0 --separate-stderr shadow-store check
    run -0 --separate-stderr shadow-store query a b
    [ "$(grep -c '"series":"a"' <<<"$output") $(grep -c '"series":"b"' <<<"$output")" = "11 300" ]
    # A second time there is nothing to do, and what is aside stays.
    run -0 --separate-stderr shadow-store check --repair
    last end '.reason == "done" and .counts == {repaired: 0, lost_points: 0, damaged_logs: 0, rows: 0}' <<<"$output"
    points b 300 5 | shadow-store append | last stored '.points == 5'
    shadow-store compact >/dev/null
    [ -s store/quarantine/seg-00000001 ]
    [ "$(count b)" = 305 ]
}

@test "repair moves a segment without an index aside whole, and gives up one that is missing" {
    two_series
    cp -r store whole
    truncate -s -50 store/seg-00000001
    run -1 --separate-stderr shadow-store check --repair
    last hole '.series == null and .points == 578 and .from_us == 1700000040000000' <<<"$output"
    cmp <(head -c 100 store/quarantine/seg-00000001) <(head -c 100 whole/seg-00000001)
    [ ! -e store/seg-00000001 ]
    run -0 --separate-stderr shadow-store check
    [ "$(count a)" = 11 ]
    rm -r store
    cp -r whole store
    rm store/seg-00000001
    run -1 --separate-stderr shadow-store check --repair
    last hole '.points == 578 and .kept == null' <<<"$output"
    run -0 --separate-stderr shadow-store check
}

@test "repair keeps a copy of a damaged log, and what could be read of it" {
    for i in 0 5 10 15; do points a "$i" 5 >five && shadow-store append <five >/dev/null; done
    log=$(basename store/wal-*)
    cp -r store whole
    for at in 3 30; do # in the header; in the first frame
        rm -rf store
        cp -r whole store
        spoil "store/$log" "$at"
        cp "store/$log" before
        run -1 --separate-stderr shadow-store check --repair
        jq -se --arg part "quarantine/$log" 'map(select(.part == $part))[0].reason | test("bytes of the log are damaged")' <<<"$output"
        cmp "store/quarantine/$log" before
        run -0 --separate-stderr shadow-store check
        [ "$(count a)" = $((at == 3 ? 20 : 15)) ]
    done
}

@test "a log of which nothing can be read costs its points alone, and repair keeps a copy" {
    two_series
    log=$(basename store/wal-*)
    cp -r store whole
    for size in 8 1000; do # only its header; frames, too
        rm -rf store
        cp -r whole store
        head -c "$size" /dev/zero >"store/$log"
        cp "store/$log" before
        run -3 --separate-stderr shadow-store query a b
        last end ".reason == \"damage\" and .counts.damaged_log_bytes == $size" <<<"$output"
        [[ $stderr == *"$size bytes of the log are damaged"* ]]
        [ "$(grep -c metric <<<"$output")" = 578 ]
        points b 300 5 | shadow-store append -o stored 2>/dev/null | last stored '.points == 5'
        [ "$(count b)" = 294 ]
        cmp <(head -c "$size" "store/$log") before
        run -1 --separate-stderr shadow-store check --repair
        cmp <(head -c "$size" "store/quarantine/$log") before
        run -0 --separate-stderr shadow-store check
        [ "$(count b)" = 294 ]
        cp before "store/$(basename store/wal-*)"
        run -1 --separate-stderr shadow-store check --repair # nothing else is in the log
        run -0 --separate-stderr shadow-store check
    done
}

@test "a log that is missing or empty is told of by every command, and never taken for good" {
    two_series
    log=$(basename store/wal-*)
    cp -r store whole
    for way in missing empty; do
        rm -rf store
        cp -r whole store
        rm "store/$log"
        [ "$way" = missing ] || : >"store/$log"
        run -1 --separate-stderr shadow-store check
        last part ".part == \"$log\" and .state == \"damaged\"" <<<"$output"
        run -3 --separate-stderr shadow-store query a b
        [[ $stderr == *"the log 2 is missing: its points are lost"* ]]
        [ "$(grep -c metric <<<"$output")" = 578 ]
        last end '.reason == "damage" and .counts.missing_logs == 1' <<<"$output"
        cp -r store other
        points b 300 5 | shadow-store append -s other -o stored 2>err | last stored '.points == 5'
        grep -q 'the log 2 is missing: its points are lost' err
        rm -r other
        run -1 --separate-stderr shadow-store check --repair
        [[ $stderr == *"damaged in 1 parts: 0 points are lost, besides those of logs"* ]]
        jq -se --arg log "$log" 'map(select(.part == $log))[0] | .state == "damaged" and .reason == "the log is missing"' <<<"$output"
        run -0 --separate-stderr shadow-store check
        run -0 --separate-stderr shadow-store query a b
    done
    # A store whose maker was killed before it had made the log, and took no points, lost nothing.
    shadow-store append -s new </dev/null >/dev/null
    rm new/wal-*
    run -0 --separate-stderr shadow-store check -s new
    run -0 --separate-stderr shadow-store append -s new </dev/null
}

@test "check takes nothing for damage that a writer replaces meanwhile" {
    awk 'BEGIN { for (i = 0; i < 120000; i++) printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"a%d\",\"value\":%d}\n",
        1600000040 + int(i / 3) * 60, i % 3, i * 7919 % 100003 }' >in
    shadow-store append --log-size 10k --batch 500 <in >/dev/null 2>&1 3>&- &
    server=$!
    until compgen -G 'store/seg-*' >seen; do sleep 0.01; done
    for _ in $(seq 40); do
        shadow-store check >checked 2>&1 || { cat checked; false; }
    done
    kill "$server" 2>/dev/null || true
}

@test "what the catalogue has wrong about a segment is corrected" {
    command -v python3 >/dev/null || skip "python3 is needed"
    two_series
    python3 -c 'import sqlite3; c = sqlite3.connect("store/catalog.sqlite")
c.execute("UPDATE segment SET points = 1"); c.commit()'
    run -1 --separate-stderr shadow-store check
    run -1 --separate-stderr shadow-store check --repair
    last end '.counts == {repaired: 1, lost_points: 0, damaged_logs: 0, rows: 0}' <<<"$output"
    run -0 --separate-stderr shadow-store check
    [ "$(count a)" = 300 ]
    # Nothing else has the names: a catalogue is not repaired, and nothing is touched.
    printf 'XXXX' | dd of=store/catalog.sqlite bs=1 seek=4100 conv=notrunc status=none
    ls store >before
    run -3 --separate-stderr shadow-store check --repair
    [[ $stderr == *"catalogue"* ]]
    ls store | cmp - before
}

@test "compaction goes on around damage, and leaves its bytes as they are" {
    many_segments
    # Two segments more, of a day that no other reaches into: it begins with point 18826.
    for from in 18126 18827 19127; do
        points c "$from" $((from == 18126 ? 701 : 300)) >later
        shadow-store append --log-size 1k --window 1s <later >/dev/null
    done
    segment=$(shadow-store check -o part | jq -rs 'map(select(.kind == "segment") | .day = (.to_us / 86400e6 | floor)) |
        map(select(.day == 19678)) | .[0].part')
    spoil "store/$segment" 40
    cp "store/$segment" bytes
    shadow-store query '*' -o metric >before 2>/dev/null || [ $? = 3 ]
    run -3 --separate-stderr shadow-store compact --points 1000d
    [[ $stderr == *"damaged segments that are left as they are: 1"* ]]
    last end '.reason == "damage" and (.counts | .damaged == 1 and .merged == 3 and .into == 8 and .rows > 9000)' <<<"$output"
    cmp "store/$segment" bytes
    shadow-store query '*' -o metric 2>/dev/null | cmp - before
    run -3 --separate-stderr shadow-store compact
    last end '.counts.merged == 0' <<<"$output" # once is enough
    run -1 --separate-stderr shadow-store check --repair
    shadow-store query '*' -o metric | cmp - before
    run -0 --separate-stderr shadow-store compact
    shadow-store query '*' -o metric | cmp - before
    shadow-store check >/dev/null
}

@test "killed by SIGKILL in the middle of a repair, the next one finishes it, and good points stay" {
    many_segments
    for segment in store/seg-*; do spoil "$segment" 40; done
    truncate -s -50 "$segment"
    cp -r store whole
    run -1 --separate-stderr shadow-store check --repair
    shadow-store query '*' -o metric >before
    lost=$(jq -s 'map(select(.type == "end"))[0].counts.lost_points' <<<"$output")
    [ "$lost" -gt 0 ]
    [ $((lost + $(wc -l <before))) = 9800 ]
    (cd store/quarantine && sha256sum -- *) >aside
    for try in $(seq 12); do
        rm -rf store
        cp -r whole store
        shadow-store check --repair >/dev/null 2>&1 3>&- &
        pid=$!
        sleep "0.0$(printf %02d $((try * 2)))"
        kill -9 "$pid" 2>/dev/null || true
        wait "$pid" || true
        shadow-store check --repair >/dev/null 2>&1 || [ $? = 1 ]
        shadow-store check >/dev/null
        shadow-store query '*' -o metric | cmp - before
        (cd store/quarantine && sha256sum -- *) | cmp - aside
    done
}

@test "a repair without room says so, status 4, and changes nothing" {
    awk 'BEGIN { for (i = 0; i < 60000; i++)
        printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"a\",\"value\":%d}\n", 1700000040 + i * 60, i * 7919 % 100003 }' >in
    shadow-store append --log-size 100k --batch 5000 <in >/dev/null
    spoil store/seg-00000001 40
    full 600k '
        cp -r store full/s; rm full/s/lock
        shadow-store query -s full/s a -o metric >before 2>/dev/null
        head -c 1M /dev/zero >full/rest 2>/dev/null; truncate -s -8192 full/rest
        shadow-store check -s full/s --repair >/dev/null 2>err; echo $? >status
        find full/s -name "seg-*" | sort >files
        shadow-store query -s full/s a -o metric 2>/dev/null | cmp - before; echo $? >>status
        rm full/rest
        shadow-store check -s full/s --repair >/dev/null 2>>err; echo $? >>status
        shadow-store check -s full/s >/dev/null; echo $? >>status
        shadow-store query -s full/s a -o metric 2>/dev/null | cmp - before; echo $? >>status'
    [ "$(xargs <status)" = "4 0 1 0 0" ]
    grep -q 'No space left on device\|disk is full' err
    [ "$(grep -c seg- files)" = "$(ls store/seg-* | wc -l)" ]
}

@test "a segment that can be neither repaired nor moved aside stays where it is" {
    two_series
    truncate -s -50 store/seg-00000001
    cp store/seg-00000001 before
    # Onto another file system nothing is moved.
    [ "$(stat -c %d /dev/shm)" != "$(stat -c %d .)" ] || skip "no other file system here"
    elsewhere=$(mktemp -d /dev/shm/shadow-store.XXXXXX)
    ln -s "$elsewhere" store/quarantine
    run -4 --separate-stderr shadow-store check --repair
    rm -r "$elsewhere" store/quarantine
    [[ $stderr == *"cannot move seg-00000001"* ]]
    points b 300 5 | shadow-store append 2>/dev/null | last stored '.points == 5'
    cmp store/seg-00000001 before
    # Without room for the catalogue, neither.
    full 200k '
        cp -r store full/s; rm -f full/s/lock; mkdir full/s/quarantine; echo >full/s/lock
        head -c 1M /dev/zero >full/rest 2>/dev/null
        shadow-store check -s full/s --repair >/dev/null 2>err; echo $? >status
        cmp full/s/seg-00000001 before; echo $? >>status
        rm full/rest
        shadow-store check -s full/s --repair >said 2>>err; echo $? >>status
        cmp full/s/quarantine/seg-00000001 before; echo $? >>status'
    [ "$(xargs <status)" = "4 0 1 0" ]
    last hole '.kept == "quarantine/seg-00000001"' <said
}

@test "rollups that were damaged are made again while what they stand for is there" {
    local day
    for day in 0 1 2 3 4 5 6; do
        awk -v day="$day" 'BEGIN { for (i = day * 1440; i < day * 1440 + 1440; i++)
            printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"a\",\"value\":%d}\n", 1700006400 + i * 60, i % 977 }' >in
        shadow-store append --log-size 1k --window 1s <in >/dev/null
        shadow-store rollup >/dev/null
    done
    shadow-store query a --agg sum --step 1d -o metric >before
    cp -r store whole
    spoiled=$(shadow-store check -o part | jq -rs 'map(select(.level == 1))[2].part')
    for way in chunk index; do
        rm -rf store
        cp -r whole store
        if [ "$way" = chunk ]; then spoil "store/$spoiled" 40; else truncate -s -50 "store/$spoiled"; fi
        run -1 --separate-stderr shadow-store check --repair
        last end '.counts | .repaired == 1 and .rows == .lost_points and .rows > 1000' <<<"$output"
        run -0 --separate-stderr shadow-store check --repair
        last end '.counts.rows == 0' <<<"$output"
        shadow-store compact --points 2d -o end | last end '.counts.dropped > 3'
        shadow-store query a --agg sum --step 1d -o metric | cmp - before
        run -0 --separate-stderr shadow-store check
    done
}
