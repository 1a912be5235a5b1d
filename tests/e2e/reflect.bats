#!/usr/bin/env bats
# shadow-reflect on the loopback, asked by hand.

# shellcheck disable=SC2030,SC2031,SC2154 # every test is a shell of its own; run sets stderr

bats_require_minimum_version 1.5.0

setup() {
    # shellcheck source=tests/e2e/reflector.bash
    . "$BATS_TEST_DIRNAME/reflector.bash"
    cd "$BATS_TEST_TMPDIR" || exit
}

teardown() {
    reflector_stop
}

# finish: ends the reflector and sets end to its last record
finish() {
    reflector_stop
    end=$(tail -n 1 reflect.out)
}

count() {
    jq -r ".counts.$1" <<<"$end"
}

# ask ADDR HEX: sends the octets, prints those of the reply, or nothing within a second
ask() {
    exec 3<>"/dev/udp/$1/$port"
    octets "$2" >&3
    timeout "${WAIT:-5}" dd bs=9000 count=1 <&3 2>/dev/null | od -An -v -tx1 | tr -d ' \n' || true
    exec 3<&-
}

# octets HEX: the octets themselves, in one write
octets() {
    # shellcheck disable=SC2001
    printf '%b' "$(sed 's/../\\x&/g' <<<"$1")" | dd bs=65536 iflag=fullblock 2>/dev/null
}

# spaced HEX: octets apart, as text2pcap wants them
spaced() {
    # shellcheck disable=SC2001
    sed 's/../ &/g' <<<"$1"
}

zeros() {
    printf '%0*d' $(($1 * 2)) 0
}

# A request: sequence number 5, T1 2026-01-01 00:00:00.5 UTC, error estimate, SSID
request="00000005""ed00378080000000""8a01""00c8""$(zeros 28)"

@test "a request is answered over IPv4 and IPv6, field by field" {
    reflector_start
    for addr in 127.0.0.1 ::1; do
        reply=$(ask $addr "$request")
        [ "${#reply}" -eq 88 ]
        [ "${reply:0:8}" = 00000000 ]   # the reflector's own number
        [ "${reply:28:4}" = 00c8 ]      # SSID
        [ "${reply:48:8}" = 00000005 ]  # what the sender wrote
        [ "${reply:56:16}" = ed00378080000000 ]
        [ "${reply:72:4}" = 8a01 ]
        [ "${reply:80:2}" = 40 ]        # TTL 64
        [ "${reply:32:16}" != "${reply:8:16}" ] # T2 is not T3
    done
    finish
    [ "$(count reflected)" = 2 ]
    [ "$(count reflected_bytes)" = 88 ]
}

@test "tshark reads every field as it was meant" {
    command -v tshark text2pcap >/dev/null || skip "tshark is not installed"
    reflector_start
    for addr in 127.0.0.1 ::1; do
        before=$(date +%s)
        reply=$(ask $addr "$request")
        after=$(date +%s)
        version=4
        [ $addr = 127.0.0.1 ] || version=6
        {
            printf '0000'
            spaced "$request"
            printf '0000'
            spaced "$reply"
        } | text2pcap -q -$version "$addr,$addr" -u 862,5000 - one.pcap 2>/dev/null
        fields=$(tshark -r one.pcap -Y frame.number==2 -d udp.port==862,twamp.test -T fields \
            -e twamp.test.seq_number -e twamp.test.sender_seq_number \
            -e twamp.test.sender_timestamp -e twamp.test.sender_error_estimate \
            -e twamp.test.sender_ttl -e twamp.test.timestamp -e twamp.test.receive_timestamp \
            -e twamp.test.error_estimate.multiplier -E separator='|' 2>/dev/null)
        echo "# $fields"
        IFS='|' read -r seq sender_seq sender_time sender_error ttl t3 t2 multiplier <<<"$fields"
        [ "$seq" = 0 ]
        [ "$sender_seq" = 5 ]
        [[ $sender_time == "Jan  1, 2026 00:00:00.500000000 UTC" ]]
        [ "$sender_error" = $((0x8a01)) ]
        [ "$ttl" = 64 ]
        [ "${multiplier%,*}" -gt 0 ]
        t2=$(date -d "${t2/,/}" +%s.%N)
        t3=$(date -d "${t3/,/}" +%s.%N)
        jq -en "$before <= $t2 and $t2 < $t3 and $t3 <= $after + 1"
    done
    finish
}

@test "an unknown TLV comes back flagged U, a malformed one M" {
    reflector_start
    reply=$(ask 127.0.0.1 "${request}80630002abcd")
    [ "${reply:88}" = 80630002abcd ]
    reply=$(ask ::1 "${request}80040003abcdef")
    [ "${reply:88}" = 40040003abcdef ]
    finish
}

@test "a session counts its replies, and a follow-up tells when the one before was sent" {
    reflector_start
    exec 4<>"/dev/udp/127.0.0.1/$port"
    for i in 0 1; do
        octets "${request}80070010$(zeros 16)" >&4
        reply=$(timeout 5 dd bs=9000 count=1 <&4 2>/dev/null | od -An -v -tx1 | tr -d ' \n')
        [ "${reply:0:8}" = 0000000$i ]
        follow_up=${reply:96:32}
        [ $i = 1 ] || first=${reply:8:16}
    done
    exec 4<&-
    [ "${follow_up:0:8}" = 00000000 ]
    [[ ${follow_up:8:16} > $first ]] # the kernel sent it after T3 was read
    [ "${follow_up:24:2}" = 02 ]
    finish
    [ "$(count sessions)" = 1 ]
}

@test "what is too short, too long or not authenticated gets no answer and is counted" {
    reflector_start
    [ -z "$(WAIT=0.3 ask 127.0.0.1 "${request:0:80}")" ]
    [ -z "$(WAIT=0.3 ask ::1 "${request}$(zeros 9200)")" ]
    reply=$(ask ::1 "${request:0:82}")
    [ "${#reply}" -eq 82 ] # never larger than the request
    finish
    [ "$(count too_short)" = 1 ]
    [ "$(count oversized)" = 1 ]
    [ "$(count reflected)" = 1 ]

    echo 00112233445566778899aabbccddeeff >key
    reflector_start --key key
    [ -z "$(WAIT=0.3 ask 127.0.0.1 "$request$(zeros 68)")" ]
    [ -z "$(WAIT=0.3 ask ::1 "$request")" ]
    finish
    [ "$(count unauthenticated)" = 1 ]
    [ "$(count too_short)" = 1 ]
}

@test "an authenticated request gets an authenticated reply" {
    command -v openssl >/dev/null || skip "openssl is not installed"
    key=00112233445566778899aabbccddeeff
    mac() {
        octets "$1" | openssl dgst -sha256 -mac HMAC -macopt hexkey:$key -r | cut -c 1-32
    }
    echo $key >key
    reflector_start --key key
    base="00000007$(zeros 12)ed003780800000008a010001$(zeros 68)"
    for addr in 127.0.0.1 ::1; do
        reply=$(ask $addr "$base$(mac "$base")")
        [ "${#reply}" -eq 224 ]
        [ "${reply:96:8}" = 00000007 ]
        [ "${reply:192}" = "$(mac "${reply:0:192}")" ]
    done
    finish
}

@test "a sender may ask for a reply shorter than its request" {
    reflector_start
    reply=$(ask 127.0.0.1 "${request}800c0008""0038""0001""00000000""80010100$(zeros 256)")
    [ "${#reply}" -eq 112 ]
    reply=$(ask ::1 "${request}800c0008""ffff""00ff""00000000""80010100$(zeros 256)")
    [ "${#reply}" -eq $(((44 + 12 + 260) * 2)) ] # nor a longer one
    finish
    [ "$(count reflected)" = 2 ]
}

@test "a sender written from the RFCs alone finds every field of every reply right" {
    key=00112233445566778899aabbccddeeff
    echo $key >key
    for how in "" "--stateless" "--key key" "--stateless --key key"; do
        # shellcheck disable=SC2086 # options
        reflector_start $how
        for addr in 127.0.0.1 ::1; do
            set -- $addr "$port"
            [[ $how != *stateless* ]] || set -- "$@" stateless
            [[ $how != *key* ]] || set -- "$@" $key
            run -0 python3 "$BATS_TEST_DIRNAME/stamp-sender.py" "$@"
            echo "# $how: $output"
        done
        finish
        [ "$(count reflected)" -ge 28 ]
    done
}

@test "over its cap a source gets no answers" {
    reflector_start --rate-cap 1
    exec 4<>"/dev/udp/127.0.0.1/$port"
    for _ in $(seq 60); do octets "$request" >&4; done
    sleep 0.5
    exec 4<&-
    finish
    [ "$(count received)" = 60 ]
    [ "$(count reflected)" -lt 50 ]
    [ $(($(count reflected) + $(count capped) + $(count unsent))) = 60 ]
}

@test "it ends by itself after --duration and after --count" {
    run -0 shadow-reflect -q -b 127.0.0.1 -p 0 --duration 100ms
    [ "$(jq -r .reason <<<"$output")" = 'done' ]
    reflector_start --count 1
    reply=$(ask 127.0.0.1 "$request")
    [ -n "$reply" ]
    wait "$pid"
    pid=
    [ "$(jq -r .counts.reflected reflect.out)" = 1 ]
}

@test "a signal ends it with its counts and 128 + n" {
    reflector_start
    kill -TERM "$pid"
    local status=0
    wait "$pid" || status=$?
    pid=
    [ "$status" = 143 ]
    [ "$(jq -r .reason reflect.out)" = signal ]
}

@test "it gives up its rights once it listens" {
    [ "$(id -u)" = 0 ] || skip "needs to be root to have rights to give up"
    reflector_start
    sleep 0.2
    grep -q '^Uid:.*65534.*65534.*65534.*65534' /proc/"$pid"/status
    grep -q '^CapEff:[[:space:]]*0000000000000000$' /proc/"$pid"/status
    grep -q '^NoNewPrivs:[[:space:]]*1$' /proc/"$pid"/status
    if [ "${MODE:-release}" = release ]; then
        grep -q '^Seccomp:[[:space:]]*2$' /proc/"$pid"/status
    fi
    finish
}

@test "without the right to the standard port it says what to do" {
    [ "$(sysctl -n net.ipv4.ip_unprivileged_port_start)" -gt 862 ] || skip "the port is open to all"
    command -v setpriv >/dev/null || skip "setpriv is not installed"
    local drop=()
    [ "$(id -u)" != 0 ] || drop=(setpriv --reuid 65534 --clear-groups)
    run -4 --separate-stderr env HOME=/nonexistent "${drop[@]}" "$(command -v shadow-reflect)" \
        -b 127.0.0.1
    [[ $stderr == *"port 862"*CAP_NET_BIND_SERVICE* ]]
}

@test "in a user namespace that maps no other user it runs without capabilities" {
    unshare -Urn true 2>/dev/null || skip "user namespaces may not be made here"
    # shellcheck disable=SC2016
    run -0 --separate-stderr unshare -Urn sh -c 'ip link set lo up && shadow-reflect -v --duration 50ms'
    [[ $stderr == *"not mapped here"* ]]
}

@test "bad places, keys, users and outputs are named" {
    run -2 --separate-stderr shadow-reflect --bind nowhere
    [[ $stderr == *"nowhere is not an IPv4 or IPv6 address"* ]]
    run -4 --separate-stderr shadow-reflect --bind 192.0.2.1 --port 8620
    [[ $stderr == *"192.0.2.1 port 8620"* ]]
    run -2 --separate-stderr shadow-reflect --bind 1.1.1.1,1.1.1.2,1.1.1.3
    run -2 --separate-stderr shadow-reflect --port 70000
    [[ $stderr == *port* ]]
    run -4 --separate-stderr shadow-reflect -p 0 --key missing
    [[ $stderr == *missing* ]]
    echo short >key
    run -2 --separate-stderr shadow-reflect -p 0 --key key
    [[ $stderr == *hexadecimal* ]]
    if [ "$(id -u)" = 0 ]; then
        run -2 --separate-stderr shadow-reflect -b 127.0.0.1 -p 0 --user nosuchuser
        [[ $stderr == *nosuchuser* ]]
    fi
    run -4 bash -c 'shadow-reflect -b 127.0.0.1 -p 0 --duration 50ms >/dev/full'
}
