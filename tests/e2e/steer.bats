#!/usr/bin/env bats
# shadow-steer without touching anything: what it decides on recorded input.

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
    NOW=1700000000000000
    unit u4 10.9.0.0/24 10.0.1.2 10.0.2.2 P B >plan
}

# unit NAME PREFIX VIA VIA PATH PATH [LOAD]
unit() {
    printf '{"type":"unit","v":1,"ts":1,"unit":"%s","match":{"prefix":"%s"},' "$1" "$2"
    printf '"primary":{"via":"%s","dev":"none0","path_id":"%s","capacity_bps":null},' "$3" "$5"
    printf '"shadows":[{"via":"%s","dev":"none1","path_id":"%s","capacity_bps":null}],' "$4" "$6"
    printf '"watch":[],"load_bps":%s}\n' "${7:-5000000}"
}

at() { # seconds: sets the time of the records that follow
    TS=$((NOW + $1 * 1000000))
}

metric() { # path quantity value
    printf '{"type":"metric","v":1,"ts":%s,"series":"path/%s/%s","value":%s}\n' "$TS" "$1" "$2" "$3"
}

breach() { # path severity [p]
    printf '{"type":"breach","v":1,"ts":%s,"series":"path/%s/available_bps","value":1000000,' "$TS" "$1"
    printf '"capacity":600000,"direction":"below","severity":%s,' "$2"
    printf '"horizons":[{"horizon_us":5000000,"p":%s}],"eta_us":{"lo":1e6,"mid":4e6,"hi":8e6}}\n' \
        "${3:-0.9}"
}

event() { # kind failure key value severity
    printf '{"type":"event","v":1,"ts":%s,"kind":"%s","failure":"%s","%s":"%s","severity":%s}\n' \
        "$TS" "$1" "$2" "$3" "$4" "$5"
}

steer() {
    shadow-steer --plan plan --replay "$@"
}

shifts() {
    jq -c 'select(.type == "change" and .state == "SHIFTING")'
}

@test "a breach moves the excess to a verified standby, and says it was not applied" {
    at 0
    { metric P available_bps 1000000; metric B available_bps 8000000; breach P 4; } |
        steer >out
    shifts <out >moved
    [ "$(wc -l <moved)" = 1 ]
    jq -e '.applied == false and .unit == "u4" and .cause.type == "breach"
           and .to["10.0.2.2%none1"] > 0.1 and .to["10.0.2.2%none1"] < 0.6
           and .to["10.0.1.2%none0"] > 0.4 and .moved_bps > 500000' moved
    tail -n 1 out | jq -e '.type == "end" and .tool == "shadow-steer" and .counts.moves == 1'
}

@test "IPv6 units move the same way" {
    unit u6 fd09::/64 fd01::2 fd02::2 P B >plan
    at 0
    { metric P available_bps 1000000; metric B available_bps 8000000; breach P 4; } | steer >out
    shifts <out | jq -e '.to["fd02::2%none1"] > 0.1 and .to["fd01::2%none0"] > 0.4'
}

@test "a breach that expects the impossible moves no more than for growth by a quarter" {
    at 0
    { metric P available_bps 5000000; metric B available_bps 90000000; breach P 4; } >plain
    sed 's/"value":1000000/"value":1e300/' <plain >huge
    steer <huge | shifts | jq -e '.to["10.0.1.2%none0"] > 0.5'
}

@test "without a measured standby it holds, alerts, asks for capacity, and exits 1" {
    at 0
    run -1 steer < <(metric P available_bps 1000000; breach P 4)
    [[ $output == *'"guard":"standby-unverified"'* ]]
    [[ $output == *'"type":"alert"'* && $output == *'"type":"request"'* ]]
    [[ $output != *SHIFTING* ]]
}

@test "a standby that was measured too long ago is no standby" {
    at 0
    run -1 steer < <(metric B available_bps 8000000; at 60; metric P available_bps 1000000; breach P 4)
    [[ $output == *'"guard":"standby-unverified"'* && $output == *"too long ago"* ]]
}

@test "a standby that loses packets is no standby" {
    at 0
    run -1 steer < <(metric B available_bps 8000000; metric B loss_share 0.1; breach P 4)
    [[ $output == *'"guard":"standby-unverified"'* && $output == *"loses packets"* ]]
    run -0 steer < <(metric B available_bps 8000000; metric B loss_share 0.001; breach P 4)
    [[ $output == *SHIFTING* ]]
}

@test "a standby for which a breach is forecast is no standby" {
    at 0
    run -1 steer < <(metric B available_bps 8000000; breach B 3; breach P 4)
    [[ $output == *'"guard":"standby-unverified"'* ]]
}

@test "a full standby: nothing moves, the missing capacity is stated" {
    at 0
    run -1 --separate-stderr steer < <(metric P available_bps 0; metric B available_bps 0; breach P 5)
    [[ $output == *'"guard":"no-room"'* ]]
    jq -se 'map(select(.type == "request"))[0].wanted_bps > 100000' <<<"$output"
}

@test "no more moves than the standby has room for" {
    at 0
    { metric P available_bps 0; metric B available_bps 700000; breach P 5; } | steer >out
    shifts <out | jq -e '.to["10.0.2.2%none1"] <= 0.12'
    jq -se 'any(.type == "request")' out
}

@test "the seed's rule: 10 to 50 per cent by severity" {
    for pair in 1:0.1 3:0.3 5:0.5; do
        at 0
        { metric B available_bps 90000000; breach P "${pair%:*}"; } | steer --policy seed >out
        shifts <out | jq -e --argjson want "${pair#*:}" '.to["10.0.2.2%none1"] == $want'
    done
}

# gradient PATH HOP STATE CAPACITY_GRADIENT [LOSS_GRADIENT]
gradient() {
    printf '{"type":"gradient","v":1,"ts":%s,"path_id":"%s","hop":%s,"state":"%s",' "$TS" "$1" "$2" "$3"
    printf '"capacity_gradient":%s,"delay_gradient_us_per_mbps":10,"delay_weight":1,' "$4"
    printf '"loss_weight":1000,"loss_gradient_per_mbps":%s}\n' "${5:-0}"
}

@test "a tight hop is no reason to move by itself" {
    at 0
    for policy in excess seed; do
        { metric P available_bps 1000000; metric B available_bps 90000000
          gradient P 3 tight 42; } | steer --policy "$policy" >out
        jq -se 'all(.type != "held" and .state != "SHIFTING")' out
    done
}

@test "a tight hop bears out a breach: the why names it, and it is an anomaly to the seed's rule" {
    at 0
    { metric P available_bps 1000000; metric B available_bps 90000000
      gradient P 3 tight 42; gradient P 5 clear 0.1; breach P 4; } | steer >out
    shifts <out | jq -e '.why | endswith("; hop 3 of its path is tight, Capacity Gradient 42")'
    { metric B available_bps 90000000; gradient P 3 tight 42; breach P 1; } | steer --policy seed >out
    shifts <out | jq -e '.to["10.0.2.2%none1"] == 0.2'
    { metric B available_bps 90000000; gradient P 3 tight 42 0.5; breach P 1; } | steer --policy seed >out
    shifts <out | jq -e '.to["10.0.2.2%none1"] == 0.3'
    { metric B available_bps 90000000; gradient P 3 tight 42; event degradation loss path_id P 2
    } | steer --policy seed >out
    shifts <out | jq -e '.to["10.0.2.2%none1"] == 0.2'
}

@test "a tight hop counts no more: cleared, recovered, too old, void, or of another path" {
    for after in 'gradient P 3 clear 0.1' 'event recovery congestion path_id P 0' \
        'at 40; metric B available_bps 90000000'; do
        at 0
        { metric B available_bps 90000000; gradient P 3 tight 42; at 2; eval "$after"; breach P 2
        } | steer --policy seed >out
        shifts <out | jq -e '.to["10.0.2.2%none1"] == 0.2 and (.why | contains("tight") | not)'
    done
    at 0
    { metric B available_bps 90000000; gradient P 3 void null; gradient B 3 tight 42
      gradient Q 3 tight 42; breach P 2; } | steer --policy seed >out
    shifts <out | jq -e '.to["10.0.2.2%none1"] == 0.2 and (.why | contains("tight") | not)'
}

@test "odds that were never high take nothing back: a tight hop stays tight" {
    at 0
    { metric B available_bps 90000000; gradient P 3 tight 42; at 1; breach P 0 0.01; breach P 1; } |
        steer --policy seed >out
    shifts <out | jq -e '.why | contains("tight")'
    at 0
    { metric B available_bps 90000000; breach P 2 0.2; gradient P 3 tight 42; at 1; breach P 0 0.01
      at 2; breach P 1; } | steer --policy seed >out
    shifts <out | jq -e '.why | contains("tight") | not'
}

@test "only the limit whose breach was likely takes it back, and no cold series does" {
    # cold or another direction, limit or series: the hop stays tight
    for other in 's/}$/,"cold":true}/' 's/below/above/; s/600000/2000000/' 's,available_bps,loss_share,' \
        's/600000/300000/'; do
        at 0
        { metric B available_bps 90000000; breach P 2 0.2; breach P 0 0.01 | sed "$other"; gradient P 3 tight 42
          at 1; breach P 0 0.01 | sed "$other"; breach P 2 0.2; at 2; breach P 1; } | steer --policy seed >out
        shifts <out | jq -e '.why | contains("tight")' || { echo "$other"; false; }
    done
}

@test "a breach that is unlikely, far away or taken back moves nothing" {
    at 0
    { metric B available_bps 8000000; breach P 4 0.2; breach P 0 0.9; } | steer >out
    [ -z "$(shifts <out)" ]
}

@test "a path that is reported dead is left altogether" {
    at 0
    { metric B available_bps 8000000; event degradation dead path_id P 5; } | steer >out
    shifts <out | jq -e '.to == {"10.0.2.2%none1": 1}'
}

@test "of ten units no more than three are away at once" {
    ten_units
    at 0
    { metric P available_bps 100000; metric B available_bps 80000000
      for s in 0 3 6 9 12; do at $s; metric B available_bps 80000000; breach P 5; done; } | steer >out
    [ "$(shifts <out | jq -r .unit | sort -u | wc -l)" -le 3 ]
    jq -se 'any(.type == "held" and .guard == "blast-radius")' out
}

ten_units() {
    local i
    rm plan
    for i in 0 1 2 3 4 5 6 7 8 9; do
        unit "u$i" "10.9.$i.0/24" 10.0.1.2 10.0.2.2 P B 500000 >>plan
    done
}

@test "a report of a dead path, or a forecast of one, passes no guard: ten units, standby never measured" {
    ten_units
    at 0
    for kind in prediction degradation; do
        run -1 steer < <(event $kind dead path_id P 1)
        [[ $output == *'"guard":"standby-unverified"'* && $output != *SHIFTING* ]]
    done
}

@test "a report of a dead path, or a forecast of one, moves no more than three of ten units at once" {
    ten_units
    at 0
    for kind in prediction degradation; do
        { metric B available_bps 80000000; event $kind dead path_id P 5; } | steer >out
        [ "$(shifts <out | jq -r .unit | sort -u | wc -l)" = 3 ]
        jq -se 'any(.type == "held" and .guard == "blast-radius")' out
    done
}

@test "a report of a dead path moves no more than the standby has room for" {
    at 0
    { metric B available_bps 700000; event degradation dead path_id P 5; } | steer >out
    shifts <out | jq -e '.to["10.0.2.2%none1"] <= 0.12'
}

@test "a forecast of a dead path is as any other: no more than the excess moves" {
    at 0
    { metric P available_bps 1000000; metric B available_bps 8000000
      event prediction dead path_id P 5; } | steer >out
    shifts <out | jq -e '.to["10.0.1.2%none0"] > 0.4'
}

@test "a shadow that is reported dead while its link is up gives nothing to a full primary" {
    at 0
    { metric P available_bps 1000; metric B available_bps 8000000; breach P 5
      at 5; metric P available_bps 1000; event degradation dead path_id B 5; } | steer >out
    jq -se 'any(.type == "held" and .guard == "no-way-back")' out
    jq -se 'map(select(.type == "change")) | last | .state != "ARMED"' out
}

@test "a unit comes back by one per cent a cycle, after the primary was good for long enough" {
    at 0
    { metric P available_bps 1000000; metric B available_bps 8000000; breach P 4
      for ((s = 5; s < 140; s++)); do
          at $s; metric P available_bps 9000000; metric B available_bps 8000000
      done; } | steer --stable 60s >out
    jq -s 'map(select(.type == "change"))' out >changes
    jq -e 'map(.state) | index("SHIFTED") < index("HOLD") and index("HOLD") < index("RETURNING")' changes
    jq -e 'map(select(.state == "RETURNING" and .moved_bps > 0)) | length > 5
           and all(.moved_bps < 60000)' changes
    jq -e '(map(select(.state == "HOLD"))[0].ts + 60000000)
           <= map(select(.state == "RETURNING"))[0].ts' changes
}

@test "a forecast that swings every 30 s for an hour reverses a unit at most twice" {
    at 0
    { for ((s = 0; s < 3600; s += 3)); do
          at $s; metric B available_bps 8000000
          if ((s / 30 % 2 == 0)); then metric P available_bps 1000000; breach P 4
          else metric P available_bps 9000000; fi
      done; } | steer >out
    [ "$(jq -r 'select(.type == "change") | .state' out | grep -c RETURNING)" -le 2 ]
    [ "$(shifts <out | wc -l)" -le 10 ]
}

@test "a new path that is not seen healthy is left again" {
    at 0
    { metric P available_bps 1000000; metric B available_bps 8000000; breach P 4
      for ((s = 1; s < 40; s++)); do at $s; metric P available_bps 9000000; done; } | steer >out
    jq -se 'map(select(.type == "change")) | last | .state == "ARMED"
            and (.to | keys) == ["10.0.1.2%none0"]' out
}

@test "but not when the primary is full" {
    at 0
    run steer < <(metric P available_bps 1000; metric B available_bps 8000000; breach P 5
        for ((s = 1; s < 60; s++)); do at $s; metric P available_bps 1000; done)
    [[ $output == *'"guard":"no-way-back"'* ]]
    [[ $output == *'stays there'* ]]
    [[ $output != *'"state":"ARMED","from":{"10.0.1.2%none0":0.'* ]]
}

@test "the probed address joins a path id to a way" {
    jq -c '.primary.path_id = null | .primary.probe = "10.9.101.1" | .shadows[0].path_id = null
           | .shadows[0].probe = "10.9.102.1"' plan >plan2
    mv plan2 plan
    at 0
    { printf '{"type":"path","v":1,"ts":%s,"path_id":"aa","dst":"10.9.101.1"}\n' "$TS"
      printf '{"type":"path","v":1,"ts":%s,"path_id":"bb","dst":"10.9.102.1"}\n' "$TS"
      metric aa available_bps 1000000; metric bb available_bps 8000000; breach aa 4; } | steer >out
    [ "$(shifts <out | wc -l)" = 1 ]
}

@test "an old record is rejected unless it is a replay" {
    at 0
    run -0 shadow-steer --plan plan < <(metric B available_bps 8000000; breach P 4)
    [[ $output == *'"type":"reject"'*"too old"* ]]
    [[ $output != *SHIFTING* ]]
}

@test "a record from the future and one without time are rejected" {
    run -0 shadow-steer --plan plan < <(printf '{"type":"breach","v":1,"ts":%s,"series":"path/P/available_bps","capacity":1,"direction":"below","severity":4,"horizons":[{"horizon_us":1,"p":1}]}\n' 9000000000000000)
    [[ $output == *'"type":"reject"'*"future"* ]]
}

@test "an event about a unit that is not in the plan is rejected" {
    at 0
    run -0 steer < <(event degradation loss unit nobody 3)
    [[ $output == *'"type":"reject"'*'"field":"unit"'* ]]
}

@test "bad lines are reported with line and field, skipped, and make exit 3" {
    at 0
    run -3 --separate-stderr steer < <(
        echo 'no json'
        echo '{"type":"breach","v":1,"ts":1}'
        echo "{\"type\":\"event\",\"v\":1,\"ts\":$TS,\"kind\":\"prediction\",\"unit\":\"u4\",\"severity\":9}"
        echo "{\"type\":\"metric\",\"v\":1,\"ts\":$TS,\"series\":\"path/P/available_bps\",\"value\":NaN}"
        echo "{\"type\":\"breach\",\"v\":1,\"ts\":$TS,\"series\":\"path/P/available_bps\",\"capacity\":1,\"direction\":\"below\",\"severity\":4,\"horizons\":[{\"p\":2}]}"
        metric B available_bps 8000000
        breach P 4)
    [[ $stderr == *"line 1:"* && $stderr == *"line 2: series"* && $stderr == *"line 3: severity"* ]]
    [[ $stderr == *"line 4:"* && $stderr == *"line 5: horizons"* ]]
    [[ $output == *SHIFTING* ]]
    run -3 steer --strict < <(echo '{"type":"breach","v":1,"ts":1}')
}

@test "unknown types are passed over, its own records only are written" {
    at 0
    { echo '{"type":"other","v":1,"ts":1,"x":{"y":[1,2]}}'; metric B available_bps 8000000; } |
        steer >out
    jq -se 'all(.type == "change" or .type == "end")' out
}

@test "a closed pipe and a full disk end with 4, and a stalled reader delays nothing" {
    at 0
    run bash -c "{ sleep 0.2; $(declare -f metric); NOW=$NOW TS=$TS; metric B available_bps 1; } |
        { shadow-steer --plan plan --replay; echo \"status \$?\" >status; } | true"
    grep -q 'status 4' status
    run -4 bash -c 'shadow-steer --plan plan --replay </dev/null >/dev/full'
    mkfifo out
    exec 7<>out
    { at 0; metric B available_bps 8000000; for ((i = 0; i < 20000; i++)); do
        echo '{"type":"event","v":1,"ts":1,"kind":"prediction","unit":"nobody","severity":1}'
      done; } >many
    run timeout 20 bash -c 'shadow-steer --plan plan --replay <many >out 7<&-'
    [ "$status" = 4 ]
    [[ $output == *"not read"* ]]
}

@test "usage: what is missing or contradicts itself is said" {
    run -2 shadow-steer </dev/null
    [[ $output == *"--plan"* ]]
    run -2 shadow-steer --plan plan --apply --replay </dev/null
    [[ $output == *"exclude each other"* ]]
    run -4 shadow-steer --plan nowhere </dev/null
    [[ $output == *"nowhere"* ]]
    : >empty
    run -3 shadow-steer --plan empty </dev/null
    [[ $output == *"no unit record"* ]]
    run -2 shadow-steer --plan plan --windows 0 </dev/null
    for pair in cycle:50ms window:100ms fresh:100ms max-age:100ms lookahead:100ms step:0.5% limit:1%; do
        run -2 shadow-steer --plan plan "--${pair%:*}" 0 </dev/null
        [[ $output == *"--${pair%:*}: '0' is not valid"*"at least ${pair#*:} is expected"* ]]
        run -0 shadow-steer --plan plan "--${pair%:*}" "${pair#*:}" </dev/null
    done
    sed 's/10.9.0.0/10.9.0.1/' plan >bad
    run -3 shadow-steer --plan bad </dev/null
    [[ $output == *"line 1: match"* ]]
}

@test "root's state directory does not hang on the environment" {
    [ "$(id -u)" = 0 ] || skip "needs to be root"
    XDG_STATE_HOME=$PWD run -2 shadow-steer status nobody
    [[ $output == *"the journal in /var/lib/shadow-tools/steer"* ]]
}

@test "nothing but the command line turns on what changes routes" {
    : >none
    run -2 env SHADOW_APPLY=1 shadow-steer --plan plan --replay --apply <none
    [[ $output == *"exclude each other"* ]]
    run -0 env SHADOW_APPLY=1 shadow-steer --plan plan --replay <none
    mkdir -p config/shadow-tools
    for name in apply force orphans; do
        echo "steer.$name = true" >config/shadow-tools/config
        sub=run
        [ "$name" = apply ] || sub=undo
        run -2 env XDG_CONFIG_HOME="$PWD/config" shadow-steer $sub --state "$PWD/state" <none
        [[ $output == *"'$name' goes on the command line only"* ]]
    done
}

@test "without the right to change routes it says so and changes nothing" {
    command -v setpriv >/dev/null || skip "needs setpriv"
    [ "$(id -u)" = 0 ] || skip "needs to be root to have rights to give up"
    unshare -n true 2>/dev/null || skip "network namespaces may not be made here"
    mkdir -m 777 state
    chmod 755 "$BATS_TEST_TMPDIR"
    sed 's/none0/lo/; s/none1/lo/' plan >/tmp/sdw-steer-plan.$$
    chmod 644 /tmp/sdw-steer-plan.$$
    STATE=$(mktemp -d)
    chmod 777 "$STATE"
    run unshare -n sh -c "ip link set lo up; ip route add 10.9.0.0/24 dev lo
        exec setpriv --reuid 65534 --clear-groups --bounding-set=-all --inh-caps=-all \
        $(command -v shadow-steer) --plan /tmp/sdw-steer-plan.$$ --apply --state $STATE </dev/null"
    rm -rf /tmp/sdw-steer-plan.$$ "$STATE"
    [[ $output == *'"type":"held"'* || $status = 4 ]]
    [[ $output != *'"applied":true'* ]]
}
