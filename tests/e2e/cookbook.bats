#!/usr/bin/env bats
# The cookbook in shadow(7): the one-line recipes that need no network are run on recorded records.

bats_require_minimum_version 1.5.0

# One-line recipes; those that send packets, or are lines of a crontab, are left out.
recipes() {
    sed -n 's/^\.Dl //p' man/shadow.7 | sed 's/\\(dq/"/g' | grep -vE '^shadow-probe|^[*0]|^PATH='
}

@test "the recipes on recorded runs run and print something" {
    ran=0
    while IFS= read -r recipe; do
        dir=$BATS_TEST_TMPDIR/$ran
        cp -r tests/samples "$dir"
        (cd "$dir" && timeout 60 sh -e -c "$recipe") >"$dir.out" 2>"$dir.err" </dev/null || {
            echo "failed: $recipe"
            cat "$dir.err"
            false
        }
        [ -s "$dir.err" ] && { echo "complains: $recipe"; cat "$dir.err"; false; }
        [[ $recipe == *'>hops.csv' ]] || [ -s "$dir.out" ] || [[ $recipe == *remedy* ]] ||
            { echo "prints nothing: $recipe"; false; }
        ran=$((ran + 1))
    done < <(recipes)
    [ "$ran" -ge 8 ]
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
