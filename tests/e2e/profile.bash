# shellcheck shell=bash
# shadow-profile on captures that tests/e2e/capture.py writes. Sourced; defines setup.

bats_require_minimum_version 1.5.0

setup()
{
    here=$BATS_TEST_DIRNAME
    cd "$BATS_TEST_TMPDIR"
}

capture()
{
    python3 "$here/capture.py" "$@"
}

# profile OPTION...: of the capture on standard input
profile()
{
    shadow-profile --read - "$@"
}

# of TYPE FILTER: of the records in the file out
of()
{
    jq -r "select(.type == \"$1\") | $2" out
}
