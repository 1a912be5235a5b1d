#!/usr/bin/env bats
# shadow-profile --sockets: this machine's own connections, over the loopback.

# shellcheck disable=SC2154 # run sets stderr

bats_require_minimum_version 1.5.0

setup()
{
    cd "$BATS_TEST_TMPDIR"
    mkfifo hold
    started=()
}

teardown()
{
    exec 9>&- 8>&-
    for pid in ${started+"${started[@]}"}; do
        kill "$pid" 2>/dev/null || true
    done
    wait
}

# talk: a connection over the loopback, 5000 octets one way, open until descriptor 9 closes; its
# ports in the file ports
talk()
{
    python3 - 3>&- <<'END' &
import socket
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
client.sendall(b"x" * 5000)
left = 5000
while left:
    left -= len(server.recv(left))
with open("ports.new", "w") as file:
    print(client.getsockname()[1], listener.getsockname()[1], file=file)
import os
os.rename("ports.new", "ports")
open("hold").read()
END
    started+=($!)
    exec 9>hold
    wait_for test -e ports
    read -r client server <ports
}

# wait_for COMMAND...: until it succeeds, ten seconds at most
wait_for()
{
    for _ in {1..500}; do
        "$@" && return
        sleep 0.02
    done
    echo "not in time: $*"
    return 1
}

# ours FILTER: of the records about our connection in the file out
ours()
{
    jq -r "select(.sport == $client and .dport == $server) | $1" out
}

has()
{
    [ -n "$(ours "select(.type == \"$1\") | .ts" 2>/dev/null)" ]
}

@test "one look tells each connection once, from both of its ends" {
    talk
    shadow-profile --sockets --interval 0 >out
    # Both ends are here: both name the end that did not listen as the source.
    [ "$(ours '[.type, .src, .dst, .protocol] | join(" ")' | sort -u)" = "flow.update 127.0.0.1 127.0.0.1 tcp" ]
    [ "$(ours .flow_id | sort -u | wc -l)" = 2 ]
    # The payload, its headers, and the SYN.
    [ "$(ours 'select(.rtt_fwd_us) | .bytes_fwd > 5000 + 2 * 52 and .bytes_fwd < 6000' | head -1)" = true ]
    [ "$(ours 'select(.rtt_fwd_us) | .rtt_fwd_min_us > 0 and .window_fwd_bytes > 0 and .retransmitted_fwd == 0')" = true ]
    # Each end knows its own way out only.
    [ "$(ours 'select(.rtt_fwd_us) | .retransmitted_rev')" = null ]
    [ "$(ours 'select(.rtt_rev_us) | .retransmitted_fwd')" = null ]
    [ "$(jq -r 'select(.type == "end") | .reason' out)" = "done" ]
}

@test "a connection is told as it is found, and its end as it closes" {
    talk
    shadow-profile --sockets --interval 1h >out 3>&- 9>&- &
    started+=($!)
    wait_for has flow.update
    [ "$(ours 'select(.type == "flow.new") | .midflow' | sort -u)" = true ]
    exec 9>&-
    wait_for has flow.end
    [ "$(ours 'select(.type == "flow.end") | .reason' | sort -u)" = closed ]
}

@test "a connection between two looks is told from its end" {
    shadow-profile --sockets --interval 1h >out 3>&- 9>&- &
    started+=($!)
    # The first look is over once what it found is told.
    talk
    exec 9>&-
    client_first=$client
    wait_for has flow.end
    rm ports
    talk
    exec 9>&-
    [ "$client" != "$client_first" ]
    wait_for has flow.end
    [ "$(ours 'select(.type == "flow.new") | .midflow' | sort -u)" = false ]
    [ "$(ours 'select(.type == "flow.end") | .bytes_fwd > 5000' | sort -u)" = true ]
}

@test "the user's map names connections too, and addresses can be cut" {
    talk
    echo "port $server Ours" >map
    shadow-profile --sockets --interval 0 --apps map --addr trunc:8,8 >out
    [ "$(ours '[.app, .src] | join(" ")' | sort -u)" = "Ours 127.0.0.0" ]
}

@test "sockets go without a capture" {
    run -2 --separate-stderr shadow-profile --sockets -i lo
    [[ $stderr == *--sockets* ]]
    run -2 shadow-profile --sockets 'port 80'
}
