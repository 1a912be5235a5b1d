# shellcheck shell=bash
# A reflector on the loopback, for the tests of both ends. The test calls reflector_stop in its
# teardown.

# reflector_start [OPTION…]: on a free port of both loopbacks; sets pid and port. What it writes is in
# reflect.out and reflect.err.
reflector_start() {
    shadow-reflect --bind 127.0.0.1,::1 --port 0 "$@" >reflect.out 2>reflect.err 3>&- &
    pid=$!
    for _ in $(seq 200); do
        [ "$(grep -c listening reflect.err)" -ge 2 ] && break
        sleep 0.05
    done
    port=$(sed -n 's/.*127.0.0.1 port //p' reflect.err)
    [ -n "$port" ]
}

# reflector_stop: ends it, if it runs
reflector_stop() {
    [ -n "${pid:-}" ] || return 0
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    pid=
}
