# What tests of shadow-store share: points to store, engines to write to, file systems to fill.

# shellcheck source=tests/e2e/web.bash
. "$BATS_TEST_DIRNAME/web.bash"

# points NAME FROM N [LABELS]: a value a minute, equal to its number
points() {
    local i
    for i in $(seq "$2" $(($2 + $3 - 1))); do
        printf '{"type":"metric","v":1,"ts":%d000000,"series":"%s"%s,"value":%d}\n' \
            $((1700000040 + i * 60)) "$1" "${4:+,\"labels\":$4}" "$i"
    done
}

# store_points NAME FROM N: in one go, into a segment of their own
store_points() {
    points "$@" >"points-$1"
    shadow-store append --log-size 1k <"points-$1" >/dev/null
}

# last TYPE FILTER <FILE: the last record of a type is as the filter says
last() {
    jq -se --arg type "$1" "map(select(.type == \$type)) | last | $2"
}

# full SIZE COMMAND: in a directory `full` with room for SIZE only, of a mount namespace of its own
full() {
    unshare -rm true 2>/dev/null || skip "no namespaces here"
    mkdir -p full
    unshare -rm bash -c "mount -t tmpfs -o size=$1 none full && $2"
}

# many_segments: a store of ten segments of two series, and its answers
many_segments() {
    for i in 0 700 1400 2100 2800 3500 4200; do
        points b "$i" 700 '{"x":"1"}' >>in
        store_points a "$i" 700
    done
    shadow-store append --log-size 20k --batch 500 <in >/dev/null
    shadow-store query '*' -o metric >before
}

# engine URL COMMAND...: an engine in the background, until it answers at URL
engine() {
    local at=$1
    shift
    "$@" >engine.log 2>&1 3>&- &
    prometheus=$!
    for _ in $(seq 600); do
        curl -sf "$at" >/dev/null && return 0
        sleep 0.1
    done
    return 1
}

# moody STATUS...: an engine in the background that answers one POST after the other with each of these,
# the last one for ever, and a GET with the first and words in JSON; its URL into url, the number of
# POSTs into the file `posts`
moody() {
    web python3 "$BATS_TEST_DIRNAME/moody.py" "$@"
    # shellcheck disable=SC2034 # for the test
    prometheus=$web
}

# serve: a server of the store in the background; its URL into url, its process into server
serve() {
    shadow-store serve --port 0 >served 2>serve.err 3>&- &
    # shellcheck disable=SC2034 # for the teardown of those who source this
    server=$!
    for _ in $(seq 600); do
        url=$(sed -n 's/.*listening on //p' serve.err)
        [ -z "$url" ] || return 0
        sleep 0.1
    done
    return 1
}
