#!/usr/bin/env bats
# The cookbook in shadow(7): the one-line recipes that need no network are run on recorded records.

bats_require_minimum_version 1.5.0

# One-line recipes; those that send packets, go on for ever, or are lines of a crontab, are left out.
recipes() {
    sed -n 's/^\.Dl //p' man/shadow.7 | sed 's/\\(dq/"/g' |
        grep -vE '^shadow-probe|^shadow-profile -i|^shadow-store serve|^[*0]|^PATH='
}

# run_recipes DIR: in order, for some go on with what those before kept
run_recipes() {
    cp -r tests/samples "$1"
    ran=0
    while IFS= read -r recipe; do
        (cd "$1" && timeout 60 sh -e -c "$recipe") >"$1.out" 2>"$1.err" </dev/null || {
            echo "failed: $recipe"
            cat "$1.err"
            return 1
        }
        [ -s "$1.err" ] && { echo "complains: $recipe"; cat "$1.err"; return 1; }
        [[ $recipe == *'>hops.csv' ]] || [ -s "$1.out" ] || [[ $recipe == *remedy* ]] ||
            { echo "prints nothing: $recipe"; return 1; }
        [[ $recipe != *"${2:-no such recipe}"* ]] || cp "$1.out" "$1.kept"
        ran=$((ran + 1))
    done < <(recipes)
}

@test "the recipes on recorded runs run and print something" {
    run_recipes "$BATS_TEST_TMPDIR/samples"
    [ "$ran" -ge 13 ]
}

@test "options in recipes that need a network exist" {
    sed -n 's/^\.Dl //p; /^\.Bd/,/^\.Ed/p' man/shadow.7 >"$BATS_TEST_TMPDIR/lines"
    cat README.md >>"$BATS_TEST_TMPDIR/lines"
    while read -r tool option; do
        "$tool" --generate json | jq -e --arg name "${option#--}" \
            '[.. | objects | .name? // empty] | index($name)' >/dev/null ||
            { echo "$tool has no $option"; false; }
    done < <(grep -oE 'shadow-[a-z]+( [a-z]+)?( --?[a-z-]+( [^-| ][^| ]*)?)*' "$BATS_TEST_TMPDIR/lines" |
        awk '{ for (i = 2; i <= NF; i++) if ($i ~ /^--/) print $1, $i }' | sort -u)
}

# kept JQ-FILTER: the output of the recipe that was kept
kept() {
    jq -ec "$1" "$BATS_TEST_TMPDIR/samples.kept" || { cat "$BATS_TEST_TMPDIR/samples.kept"; return 1; }
}

@test "who uses the link, what most, and how much of the day, is what the capture says" {
    # One flow of 17 packets within a second.
    run_recipes "$BATS_TEST_TMPDIR/samples" 'max_by(.duration_us)'
    kept '. == {"app":"TLS","src":"192.0.2.1","dst":"198.51.100.2","bytes":10900}'
    rm -r "$BATS_TEST_TMPDIR/samples"
    run_recipes "$BATS_TEST_TMPDIR/samples" mbytes
    kept '.app == "TLS" and .mbytes == 0.0109'
    rm -r "$BATS_TEST_TMPDIR/samples"
    run_recipes "$BATS_TEST_TMPDIR/samples" p95_bps
    kept '. == {"app":"TLS","p95_bps":87200}'
}

teardown() {
    [ -z "${server:-}" ] || kill "$server" 2>/dev/null || true
    [ -z "${server:-}" ] || wait "$server" 2>/dev/null || true
}

@test "Grafana gets the graph and the table of the recipes" {
    command -v curl >/dev/null || skip "curl is not installed"
    run_recipes "$BATS_TEST_TMPDIR/samples"
    cd "$BATS_TEST_TMPDIR/samples"
    # As it stands in the page, on a port that is free.
    recipe=$(sed -n 's/^\.Dl \(shadow-store serve\)/\1/p' "$OLDPWD/man/shadow.7")
    $recipe --port 0 >served 2>serve.err 3>&- &
    server=$!
    for _ in $(seq 600); do
        url=$(sed -n 's/.*listening on //p' serve.err)
        [ -z "$url" ] || break
        sleep 0.1
    done
    mapfile -t expressions < <(sed -n 's/^\.Li \(.*app!="".*\)$/\1/p' "$OLDPWD/man/shadow.7")
    [ "${#expressions[@]}" = 2 ]
    curl -s "$url/api/v1/query_range" --data-urlencode query="${expressions[0]}" -d start=1700000000 -d end=1700000060 -d step=30 >graph
    [ "$(jq -c '.data.result[] | [.metric.app, .values[-1]]' graph)" = '["TLS",[1700000060,"87200"]]' ]
    curl -s "$url/api/v1/query" --data-urlencode query="${expressions[1]}" -d time=1700000060 >table
    [ "$(jq -c '.data.result[] | [.metric.app, .value[1]]' table)" = '["TLS","87200"]' ]
}
