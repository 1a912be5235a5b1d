# Web servers of the tests' own.

# web COMMAND...: a server that prints its port (web.py), in the background; its URL into url, its
# process into web
web() {
    rm -f port # of one before
    PYTHONPATH=$BATS_TEST_DIRNAME PYTHONDONTWRITEBYTECODE=1 "$@" >port 3>&- &
    # shellcheck disable=SC2034 # for the test
    web=$!
    for _ in $(seq 600); do
        [ -s port ] && break
        sleep 0.1
    done
    # shellcheck disable=SC2034 # for the test
    url=http://127.0.0.1:$(cat port)
}
