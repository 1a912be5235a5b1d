#!/usr/bin/env bash
# Mirroring a live flow (--flow), UDP and TCP in turn, IPv4 and IPv6 in turn: the tight hop is named
# while the flow's own application goes on. Nothing tells the prober what is available, so that its
# --max-rate is what an operator would give: the nominal rate of a link that in truth has two thirds
# of it. Hop, rate, buffer and cross traffic are drawn from the seed. The application sends numbered messages; its peer keeps what it receives.
#
# Bar: 90 % right within 20 s and 3 MB, and never an octet at the peer that was not sent to it: every
# datagram is one that was sent, once; the stream is the one that was sent.
BAR_NAME=mirror
# shellcheck source=tests/lab/bars/lib.bash
. "$(dirname "$0")/lib.bash"

# Both ends of the application: receive or send until SIGINT, then tell messages and octets and what
# was wrong with them. A message is its number and what follows from that.
cat >"$work/app.py" <<'END'
import hashlib, json, signal, socket, sys, time
role, protocol, host, port, source, source_port = sys.argv[1:]
stopped = False
def stop(*_):
    global stopped
    stopped = True
signal.signal(signal.SIGINT, stop)
signal.signal(signal.SIGTERM, stop)
family = socket.AF_INET6 if ":" in host else socket.AF_INET
kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
def message(n):
    return b"%08d" % n + hashlib.sha256(b"%d" % n).digest() * 6
s = socket.socket(family, kind)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
n = octets = wrong = 0
if role == "send":
    s.bind((source, int(source_port)))
    s.connect((host, int(port)))
    s.settimeout(1)
    while not stopped:
        try:
            if protocol == "tcp":
                s.sendall(message(n))
            else:
                s.send(message(n))
            n += 1
        except OSError:
            wrong += 1
        time.sleep(0.02)
    octets = n * len(message(0))
    s.close()
else:
    s.bind((host, int(port)))
    if protocol == "tcp":
        s.listen()
        s = s.accept()[0]
    s.settimeout(0.2)
    seen, stream, size, ended = set(), b"", len(message(0)), 0
    while not ended:
        try:
            got = s.recv(65536)
        except TimeoutError:
            ended = stopped
            continue
        octets += len(got)
        if protocol == "tcp":
            ended = not got
            stream += got
            while len(stream) >= size:
                wrong += stream[:size] != message(n)
                stream = stream[size:]
                n += 1
        else:
            number = int(got[:8]) if got[:8].isdigit() else -1
            wrong += number < 0 or got != message(number) or number in seen
            seen.add(number)
            n += 1
    wrong += len(stream)
print(json.dumps({"messages": n, "octets": octets, "wrong": wrong}), flush=True)
END

# app NODE ROLE PROTOCOL...: one end, in the background; what it tells into $work/ROLE
app() {
    ip netns exec "sdw-$lab-$1" python3 "$work/app.py" "${@:2}" >"$work/$2" 2>"$work/$2.err" &
    started+=($!)
}

one() {
    local hops hop rate buffer share model protocol from to likeness
    RANDOM=$1
    draw 3 6 && hops=$drawn
    draw 2 "$hops" && hop=$drawn
    draw 5 50 && rate=$drawn
    draw 20 120 && buffer=$drawn
    draw 20 60 && share=$drawn
    toss && model=$([ "$drawn" = 0 ] && echo poisson || echo onoff)
    protocol=$([ $(($1 / 2 % 2)) = 0 ] && echo udp || echo tcp)
    from=10.8.0.2 to=10.9.0.2
    [ $(($1 % 2)) = 0 ] || from=fd08::2 to=fd09::2
    build chain --icmp off --hops "$hops" --bottleneck "$hop" --rate "${rate}M" \
        --buffer "${buffer}ms"
    traffic x$((hop - 1)) x"$hop" cross --model "$model" --trimodal --seed "$1" \
        --rate $((rate * share * 10000))
    app s receive $protocol $to 6000 - -
    sleep 0.5
    app c send $protocol $to 6000 $from 5000
    sleep 0.5
    mirror $protocol $from $to $((rate * 1500000))
    kill -INT "${started[-1]}" # first the sender, then what is under way arrives
    wait "${started[-1]}" || true
    sleep 0.5
    kill -INT "${started[-2]}" 2>/dev/null || true
    wait "${started[-2]}" || true
    likeness=$(jq -cs '.[0] as $sent | .[1] as $got | {sent: $sent.messages, got: $got.messages,
        alien: ($got.wrong + ([$got.octets - $sent.octets, 0] | max))}' "$work/send" "$work/receive")
    [ "$(state)" != void ] || return 1
    run_line "$1" "$(jq -cn --argjson hop "$hop" --argjson rate "$rate" --argjson share "$share" \
        --arg model "$model" --arg flow "$protocol $to" --argjson app "$likeness" \
        '{truth: {hop: $hop, rate_mbps: $rate, share: ($share / 100), model: $model, flow: $flow},
          app: $app}')" \
        "$(jq -s --argjson hop "$hop" --argjson took "$took_ms" --argjson app "$likeness" '
            map(select(.type == "verdict")) | last // {}
            | .state == "bottleneck" and .bottleneck_hop == $hop and $took <= 20000
              and (.injected_bytes // 0) <= 3e6 and $app.alien == 0 and $app.got > 100' "$work/out")"
}

# mirror PROTOCOL FROM TO RATE: as verdict, of the live flow
mirror() {
    local begin flow="$2:5000-$3:6000/$1"
    [[ $2 != *:* ]] || flow="[$2]:5000-[$3]:6000/$1"
    begin=$(date +%s%N)
    shadow-lab exec -l "$lab" c timeout -s INT 120 shadow-probe --max-rate "$4" --flow "$flow" \
        2>"$work/probe.err" | shadow-gradient --keep >"$work/out" 2>"$work/gradient.err" || true
    took_ms=$((($(date +%s%N) - begin) / 1000000))
}

each_run
judge 0.90 '{wrong_hop: ($runs | map(select(.state == "bottleneck" and .hop != .truth.hop)) | length),
    alien: ($runs | map(.app.alien) | add), slowest_ms: ($runs | map(.took_ms) | max),
    most_bytes: ($runs | map(.bytes) | max), met: ($runs | all(.app.alien == 0))}'
