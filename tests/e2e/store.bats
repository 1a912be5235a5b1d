#!/usr/bin/env bats
# shadow-store: what is stored is there, and comes back as asked.

bats_require_minimum_version 1.5.0
# shellcheck source=tests/e2e/store.bash
. "$BATS_TEST_DIRNAME/store.bash"

setup() {
    cd "$BATS_TEST_TMPDIR"
    export SHADOW_STORE=store
}

@test "what is appended is acknowledged and comes back, exactly" {
    {
        points a 0 3
        echo '{"type":"metric","v":1,"ts":1700000040000001,"series":"b","labels":{"z":"1","a":"é"},"value":0.1}'
        echo '{"type":"metric","v":1,"ts":1700000040000002,"series":"b","labels":{"a":"é","z":"1"},"value":-1.7976931348623157e308}'
    } | shadow-store append >out
    last stored '.points == 5 and .series == 2' <out
    shadow-store query '*' -o metric >back
    diff back - <<'END'
{"type":"metric","v":1,"ts":1700000040000000,"series":"a","value":0}
{"type":"metric","v":1,"ts":1700000100000000,"series":"a","value":1}
{"type":"metric","v":1,"ts":1700000160000000,"series":"a","value":2}
{"type":"metric","v":1,"ts":1700000040000001,"series":"b","labels":{"a":"é","z":"1"},"value":0.1}
{"type":"metric","v":1,"ts":1700000040000002,"series":"b","labels":{"a":"é","z":"1"},"value":-1.7976931348623157e+308}
END
}

@test "other records are passed on byte for byte, and stored ones only with --keep" {
    {
        echo '{"type":"hop","v":1, "ts":1,"x":[1.10]}'
        points a 0 1
        echo '{"no_type":true}'
    } >in
    shadow-store append <in | grep -vE '"type":"(stored|end)"' >passed
    diff passed <(grep -v metric in)
    shadow-store append --keep <in | grep -vE '"type":"(stored|end)"' >passed
    cmp passed in
}

@test "the rate of an application is a series" {
    echo '{"type":"app","v":1,"ts":1700000040000000,"app":"TLS","category":"Web","src":"::1","dst":"::2","current_bps":800}' >in
    shadow-store append <in >out
    run ! grep '"type":"app"' out
    run -0 --separate-stderr shadow-store query '{app="TLS"}' -o metric
    [ "$output" = '{"type":"metric","v":1,"ts":1700000040000000,"series":"app/TLS/::1>::2/bps","labels":{"app":"TLS","category":"Web","dst":"::2","src":"::1"},"value":800}' ]
    shadow-store append --keep <in | grep -vE '"type":"(stored|end)"' | cmp - in
    run -3 --separate-stderr shadow-store append <<<'{"type":"app","v":1,"ts":1,"app":7,"current_bps":1}'
    [[ $stderr == *"line 1: app:"* ]]
}

@test "an acknowledgement comes before waiting for more input" {
    mkfifo pipe
    shadow-store append -o stored <pipe >out 3>&- &
    pid=$!
    exec 9>pipe
    points a 0 2 >&9
    for _ in $(seq 600); do
        [ -s out ] && break
        sleep 0.1
    done
    jq -e '.points == 2' out
    run -0 --separate-stderr shadow-store query a --agg count -o metric
    jq -e '.value == 2' <<<"$output"
    exec 9>&-
    wait "$pid"
}

@test "killed by SIGKILL, the store has all that was acknowledged" {
    mkfifo pipe
    shadow-store append -o stored <pipe >out 3>&- &
    pid=$!
    exec 9>pipe
    points a 0 500 >&9
    for _ in $(seq 600); do
        [ "$(tail -n 1 out | jq .points)" = 500 ] && break
        sleep 0.1
    done
    kill -9 "$pid"
    exec 9>&-
    wait "$pid" || true
    run -0 --separate-stderr shadow-store query a --agg count -o metric
    jq -e '.value == 500' <<<"$output"
    shadow-store check
}

@test "a point of the same time replaces, a late one is refused and counted" {
    points a 0 30 | shadow-store append >/dev/null
    {
        points a 25 1 | sed 's/"value":.*/"value":7}/'
        points a 2 2
    } | shadow-store append >out
    last stored '.points == 1 and .replaced == 1 and .refused == 2' <out
    last loss '.records == 2 and .where == "window"' <out
    run -0 --separate-stderr shadow-store query a --agg sum -o metric
    jq -e '.value == 435 - 25 + 7' <<<"$output"
}

@test "a point in the future is refused: it would make all others late" {
    {
        points a 0 1
        echo '{"type":"metric","v":1,"ts":9000000000000000,"series":"a","value":1}'
        points a 1 1
    } | shadow-store append >out 2>err
    grep -q 'line 2 is in the future' err
    last loss '.records == 1 and .where == "clock"' <out
    run -0 --separate-stderr shadow-store query a --agg count -o metric
    jq -e '.value == 2' <<<"$output"
}

@test "segments and log answer together" {
    for i in 0 100 200; do
        store_points a "$i" 100
    done
    [ -e store/seg-00000002 ]
    run -0 --separate-stderr shadow-store query a -o metric
    [ "$(jq .value <<<"$output")" = "$(seq 0 299)" ]
    run -0 --separate-stderr shadow-store query a --step 1h --agg max -o metric
    [ "$(jq -c '[(.ts / 1e6 % 3600), .value]' <<<"$output")" = '[0,45]
[0,105]
[0,165]
[0,225]
[0,285]
[0,299]' ]
}

@test "selectors, ranges and aggregates" {
    points up 0 10 '{"host":"a"}' >in
    points up 0 10 '{"host":"b"}' >>in
    points down 0 10 >>in
    shadow-store append <in >/dev/null
    run -0 --separate-stderr shadow-store query 'up{host=~"b|c"}' down --agg count -o metric
    [ "$(jq -r '.series + (.labels.host // "")' <<<"$output")" = "down
upb" ]
    run -0 --separate-stderr shadow-store query up --from -2m --to 2023-11-14T22:23:00Z -o metric
    [ "$(jq .value <<<"$output")" = "7
8
7
8" ]
    run -0 --separate-stderr shadow-store query down --agg p50 -o metric
    jq -e '.value == 4.5' <<<"$output"
    run -0 --separate-stderr shadow-store query down --agg rate --from 1700000100 -o metric
    jq -e '.value * 60 | . > 0.999999 and . < 1.000001' <<<"$output"
}

@test "a query that matches nothing has status 1, a bad one 2" {
    points a 0 1 | shadow-store append >/dev/null
    run -1 shadow-store query b
    run -2 --separate-stderr shadow-store query 'a{'
    [[ $stderr == *"selector, character 3"* ]]
    run -2 --separate-stderr shadow-store query a --agg mean
    [[ $stderr == *"--agg: mean"* ]]
    run -2 --separate-stderr shadow-store query a --from soon
    [[ $stderr == *"--from: soon is no time"* ]]
    run -2 --separate-stderr shadow-store query -s nowhere a
    [[ $stderr == *"there is no store nowhere"* ]]
    [ ! -e nowhere ]
    run -2 --separate-stderr shadow-store append -s "$PWD" </dev/null
    [[ $stderr == *"is not a store"* ]]
    run -2 --separate-stderr env -u SHADOW_STORE shadow-store query a
    [[ $stderr == *"SHADOW_STORE"* ]]
}

@test "a compacted store gives the same answers from fewer segments" {
    for i in 0 700 1400 2100; do
        store_points a "$i" 700
    done
    shadow-store query a >before
    run -0 --separate-stderr shadow-store compact
    jq -e '.counts.rows == 0 and .counts.merged >= 4' <<<"$output"
    shadow-store query a >after
    cmp before after
    run -0 --separate-stderr shadow-store check -o part
    [ "$(jq -s 'map(select(.kind == "segment" and .level == 0)) | length' <<<"$output")" = 3 ]
    run -0 --separate-stderr shadow-store rollup
    jq -e '.counts.rows > 2700' <<<"$output"
    run -0 --separate-stderr shadow-store rollup
    jq -e '.counts.rows == 0' <<<"$output"
}

@test "a point of the log stays when it has been rolled up, for readers and the next writer" {
    # Not at the beginning of a minute, where a rollup of one point looks like the point.
    points a 0 101 | sed 's/000000,/500000,/' >in
    head -n 100 in | shadow-store append >/dev/null
    run -0 --separate-stderr shadow-store rollup
    jq -e '.counts.rows > 80' <<<"$output"
    tail -n 1 in | shadow-store append >/dev/null
    shadow-store compact >/dev/null
    shadow-store query a -o metric | cmp - in
}

@test "rollups stand for points that are no longer kept" {
    for i in 0 2000 4000; do
        store_points a "$i" 2000
    done
    shadow-store query a --step 1d --agg sum >before
    run -0 --separate-stderr shadow-store compact --points 2d
    jq -e '.counts.dropped >= 1' <<<"$output"
    shadow-store query a --step 1d --agg sum >after
    cmp before after
    run -0 --separate-stderr shadow-store query a --step 1d --agg p50 -o metric
    [[ $stderr == *"percentiles need points"* ]]
    run -2 --separate-stderr shadow-store compact --minutes 1h
    [[ $stderr == *"--minutes: must be 2 days or longer"* ]]
    run -2 --separate-stderr shadow-store compact -s nowhere
    [ ! -e nowhere ]
}

teardown() {
    for pid in "${server:-}" "${prometheus:-}"; do
        [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
        [ -z "$pid" ] || wait "$pid" 2>/dev/null || true
    done
}

# ask PATH [NAME=VALUE...]: the answer of the server
ask() {
    local path=$1 args=()
    shift
    for value in "$@"; do
        args+=(--data-urlencode "$value")
    done
    curl -s -G "$url/api/v1/$path" "${args[@]}"
}

@test "serve answers as a data source of Grafana asks" {
    command -v curl >/dev/null || skip "curl is not installed"
    points link/a-b/bps 0 10 '{"host":"a"}' | shadow-store append >/dev/null
    serve
    [ "$(ask query query=1+1 time=7 | jq -c .data)" = '{"resultType":"scalar","result":[7,"2"]}' ]
    [ "$(ask labels | jq -c .data)" = '["__name__","host"]' ]
    [ "$(ask label/__name__/values | jq -c .data)" = '["link/a-b/bps"]' ]
    [ "$(ask label/host/values 'match[]={host!="a"}' | jq -c .data)" = '[]' ]
    [ "$(ask series 'match[]=link/*' | jq -c .data)" = '[{"__name__":"link/a-b/bps","host":"a"}]' ]
    [ "$(ask query_range query=link/a-b/bps start=1700000040 end=2023-11-14T22:16:00Z step=60 | jq -c '.data.result[0].values')" = \
        '[[1700000040,"0"],[1700000100,"1"],[1700000160,"2"]]' ]
    [ "$(curl -s "$url/api/v1/query" -d query=link/a-b/bps -d time=1700000130.5 | jq -c '.data.result[0].value')" = '[1700000130.5,"1"]' ]
    [ "$(ask query query='stddev(x)' | jq -r .errorType)" = bad_data ]
    [ "$(ask query_range query=a start=0 end=1e9 step=1 | jq -r .status)" = error ]
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/nothing")" = 404 ]
    [ "$(curl -s -o /dev/null -w '%{http_code}' -H 'Host: example.org' "$url/-/ready")" = 403 ]
    [ "$(curl -s -o /dev/null -w '%{http_code}' -X DELETE "$url/-/ready")" = 405 ]
}

# post PATH BODY: the answer to a form
post() {
    curl -s "$url/api/v1/$1" -H 'Content-Type: application/x-www-form-urlencoded' -d "$2"
}

@test "serve answers all that Grafana asks of a data source, and graphs of groups and top lists" {
    command -v curl >/dev/null || skip "curl is not installed"
    {
        points app/web/1\>2/bps 0 60 '{"app":"web","src":"1"}'
        points app/web/3\>2/bps 0 60 '{"app":"web","src":"3"}'
        points app/dns/1\>2/bps 0 50 '{"app":"dns","src":"1"}'
    } | shadow-store append >/dev/null
    serve
    # Saving the data source, and opening its page.
    [ "$(post query 'query=1%2B1&time=1700000000.5' | jq -c .data.result)" = '[1700000000.5,"2"]' ]
    [ "$(curl -s "$url/api/v1/status/buildinfo" | jq -r .status)" = success ]
    # The query builder: names, their kind, labels and values of those that match.
    [ "$(ask metadata limit=1000 | jq -c .)" = '{"status":"success","data":{}}' ]
    [ "$(ask label/__name__/values start=1700000000 end=1700003600 | jq '.data | length')" = 3 ]
    [ "$(post labels 'match%5B%5D=%7Bapp%3D%22web%22%7D&start=1700000000&end=1700003600' | jq -c .data)" = '["__name__","app","src"]' ]
    [ "$(ask label/app/values 'match[]={src="1"}' start=1700000000 end=1700003600 | jq -c .data)" = '["dns","web"]' ]
    [ "$(post series 'match%5B%5D=%7Bapp%3D%22dns%22%7D' | jq -c .data)" = '[{"__name__":"app/dns/1>2/bps","app":"dns","src":"1"}]' ]
    # A graph, a table, and what Grafana asks for beside them.
    post query_range 'query=sum+by+(app)+(avg_over_time(%7Bapp!%3D%22%22%7D%5B1m%5D))&start=1700000040&end=1700000160&step=60' >graph
    [ "$(jq -c '.data.result[] | [.metric.app, (.values | map(.[1]) | join(" "))]' graph)" = '["dns","0 1 2"]
["web","0 2 4"]' ]
    [ "$(ask query 'query=topk(1, sum by (app) (sum_over_time({app!=""}[1h])))' time=1700003640 |
        jq -c '.data.result[] | [.metric, .value[1]]')" = '[{"app":"web"},"3540"]' ]
    # A series may have as many labels as are allowed, and is aggregated as others are.
    points most 0 1 "$(jq -nc '[range(64) | {"l\(.)": "x"}] | add')" | shadow-store append >/dev/null
    [ "$(ask query 'query=sum by (l0) (most)' time=1700000040 | jq -c '.data.result[] | [.metric, .value[1]]')" = '[{"l0":"x"},"0"]' ]
    points more 0 1 "$(jq -nc '[range(65) | {"l\(.)": "x"}] | add')" >too-many
    run -3 --separate-stderr shadow-store append <too-many
    [[ $stderr == *"labels: more than 64"* ]]
    [ "$(ask query_exemplars query=x start=1700000000 end=1700000060 | jq -c .data)" = '[]' ]
    [ "$(ask rules | jq -c .data)" = '{"groups":[]}' ]
}

@test "serve answers requests that come together one by one, and keeps no more than one answer for each client" {
    awk 'BEGIN { for (i = 0; i < 20000; i++)
        printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"a\",\"value\":%d}\n", 1700000040 + i, i }' |
        shadow-store append >/dev/null
    serve
    cat >together.py <<'END'
import re, socket, sys, urllib.parse
address = urllib.parse.urlsplit(sys.argv[1])
s = socket.create_connection((address.hostname, address.port))
ask = lambda path: b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
large = ask(b"/api/v1/query?query=a[1d]&time=1700020040")
s.sendall(large * 300 + ask(b"/api/v1/labels") + ask(b"/-/healthy"))
stream, bodies = s.makefile("rb"), []
for _ in range(302):
    while (line := stream.readline()) != b"\r\n":
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    bodies.append(stream.read(length))
    if len(bodies) == 1:
        memory = int(re.search(r"VmRSS:\s+(\d+)", open("/proc/%s/status" % sys.argv[2]).read())[1])
print(len(set(bodies[:300])), len(bodies[0]) > 300000, bodies[300].decode(), bodies[301].decode(), memory < 60000)
END
    [ "$(python3 together.py "$url" "$server")" = '1 True {"status":"success","data":["__name__"]} {"status":"success"} True' ]
}

@test "serve sees at once what is appended while it runs" {
    command -v curl >/dev/null || skip "curl is not installed"
    points a 0 1 | shadow-store append >/dev/null
    serve
    [ "$(ask query 'query=count_over_time(a[1d])' time=1700003600 | jq -r '.data.result[0].value[1]')" = 1 ]
    points a 1 50 | shadow-store append --log-size 1k >/dev/null
    points b 0 1 | shadow-store append >/dev/null
    [ "$(ask query 'query=count_over_time(a[1d])' time=1700003600 | jq -r '.data.result[0].value[1]')" = 51 ]
    [ "$(ask label/__name__/values | jq -c .data)" = '["a","b"]' ]
    kill "$server"
    status=0
    wait "$server" || status=$?
    server=
    [ "$status" = 143 ]
}

@test "its values are those of Prometheus" {
    command -v promtool >/dev/null && command -v prometheus >/dev/null || skip "prometheus is not installed"
    # A counter that restarts and a gauge, at uneven times, with holes; none at the very beginning of
    # a range, where Prometheus 3 differs from Prometheus 2.
    awk 'BEGIN {
        srand(7); t = 1700000040
        for (i = 0; i < 400; i++) {
            t += 5 + int(rand() * 30)
            if (i % 90 == 0) t += 700
            c = i % 120 == 50 ? 3 : c + int(rand() * 1000)
            printf "%d %d %.2f\n", t, c, 50 + 20 * rand()
        } }' >data
    awk '{ printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d500000,\"series\":\"c\",\"labels\":{\"x\":\"1\"},\"value\":%d}\n", $1, $2
           printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d500000,\"series\":\"c\",\"labels\":{\"x\":\"2\",\"y\":\"b\"},\"value\":%d}\n", $1, $2 * 2 + 1
           printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d500000,\"series\":\"g\",\"value\":%s}\n", $1, $3 }' data |
        shadow-store append >/dev/null
    {
        awk '{ print "c{x=\"1\"}", $2, $1 ".5" }' data
        awk '{ print "c{x=\"2\",y=\"b\"}", $2 * 2 + 1, $1 ".5" }' data
        awk '{ print "g", $3, $1 ".5" }' data
        echo '# EOF'
    } >openmetrics
    promtool tsdb create-blocks-from openmetrics openmetrics tsdb >/dev/null
    echo '{}' >prometheus.yml
    port=$((20000 + $$ % 10000))
    prometheus --config.file=prometheus.yml --storage.tsdb.path=tsdb --storage.tsdb.retention.time=100y \
        --web.listen-address="127.0.0.1:$port" >prometheus.log 2>&1 3>&- &
    prometheus=$!
    for _ in $(seq 600); do
        curl -sf "http://127.0.0.1:$port/-/ready" >/dev/null && break
        sleep 0.1
    done
    serve
    ours=$url
    for query in 'c{x=~"1|2"}' 'rate(c[5m])' 'increase(c{x="1"}[90s])' 'avg_over_time(g[10m])' \
        'min_over_time(g[3m])' 'max_over_time(g[3m])' 'sum_over_time(g[1m30s])' 'count_over_time(g[5m])' \
        'last_over_time(g[1h])' 'quantile_over_time(0.9, g[15m])' g '2' \
        'sum by (x) (rate(c[5m]))' 'sum(c)' 'avg without (y, z) (c)' 'max(c) by (y)' 'count (c)' \
        'topk(1, sum by (x, y) (increase(c[5m])))' 'bottomk(1, c)' 'min by () (last_over_time({x=~"[(1)2]"}[7m]))' \
        'count(sum by (x) (c))'; do
        for step in 17 60; do
            for url in "$ours" "http://127.0.0.1:$port"; do
                ask query_range query="$query" start=1700000000 end=1700009000 step=$step |
                    jq -c '.data.result[].values[] | [.[0], (.[1] | tonumber * 1e6 + 0.2 | floor)]' |
                    sort >"values-${url##*:}" # of equal values topk may take any
            done
            [ -s "values-${ours##*:}" ]
            cmp "values-${ours##*:}" "values-$port" || { echo "$query"; diff "values-${ours##*:}" "values-$port" | head; false; }
        done
    done
}

@test "export writes to Prometheus, and what cannot be sent waits in the spool" {
    command -v prometheus >/dev/null && command -v curl >/dev/null || skip "prometheus is not installed"
    port=$((20000 + $$ % 10000))
    to=http://127.0.0.1:$port
    points link/a-b/bps 0 20 '{"host":"a"}' >in
    run -1 --separate-stderr shadow-store export --to "$to" --spool spool --linger 0s <in
    [[ $stderr == *"1 batches wait in spool"* ]]
    jq -e 'select(.type == "end") | .counts.sent == 0 and .counts.waiting == 1' <<<"$output"
    echo '{}' >prometheus.yml
    engine "$to/-/ready" prometheus --config.file=prometheus.yml --web.enable-remote-write-receiver \
        --storage.tsdb.path=tsdb --storage.tsdb.retention.time=100y --web.listen-address="127.0.0.1:$port"
    points link/a-b/bps 20 5 '{"host":"a"}' | shadow-store export --to "$to" --spool spool >out
    last end '.counts.sent == 25 and .counts.waiting == 0' <out
    [ -z "$(ls spool)" ]
    url=$to
    ask query 'query=sum_over_time(link_a_b_bps{host="a",series="link/a-b/bps"}[1h])' time=1700001600 >answer
    [ "$(jq -r '.data.result[0].value[1]' answer)" = 300 ]
    # A point that is older than what is there is refused for good.
    points link/a-b/bps 0 1 '{"host":"a"}' | sed 's/"ts":17/"ts":16/' |
        shadow-store export --to "$to" --spool spool >out 2>err
    grep -q 'points are refused: .*status 400' err
    last loss '.records == 1 and .where == "engine"' <out
}

@test "export writes to VictoriaMetrics" {
    command -v victoria-metrics >/dev/null && command -v curl >/dev/null || skip "victoria-metrics is not installed"
    port=$((20000 + $$ % 10000))
    url=http://127.0.0.1:$port
    engine "$url/health" victoria-metrics -storageDataPath=vm -httpListenAddr="127.0.0.1:$port" -retentionPeriod=100y
    points link/a-b/bps 0 20 '{"host":"a"}' | shadow-store export --to "$url" --engine victoria >out
    last stored '.points == 20' <out
    curl -sf "$url/internal/force_flush"
    [ "$(curl -s -G "$url/api/v1/export" --data-urlencode 'match={__name__="link/a-b/bps",host="a"}' |
        jq -c '[(.values | add), .timestamps[1]]')" = '[190,1700000100000]' ]
}

# ask_both URL: questions have the same answers, whether the store is asked or the engine at URL
ask_both() {
    local line selectors option options from='2023-11-14T22:15:30Z' to=1700016000.5
    while read -r line; do
        read -ra selectors <<<"$line"
        for option in '' '--step 7m --agg max' '--agg sum' '--step 10m --agg p95' '--step 1h --agg last' \
            '--step 5m'; do
            read -ra options <<<"--from $from --to $to $option"
            shadow-store query -o metric "${options[@]}" "${selectors[@]}" >local
            shadow-store query -o metric --url "$1" "${options[@]}" "${selectors[@]}" >remote
            [ -s local ]
            for side in local remote; do
                jq -c '[.ts, .series, .labels, (.value * 1e6 | round)]' "$side" >"$side.json"
            done
            diff local.json remote.json || { echo "$line $option"; false; }
        done
    done <<'END'
link/*
up 9x
*
{host=~"a|b"}
link/a-b/bps{host!="a"}
{__name__=~"l.*"}
END
}

# many_points: of names that engines allow and of others, with labels that need quotes
many_points() {
    points link/a-b/bps 0 300 '{"host":"a","if":"e\"0"}'
    points link/a-b/bps 0 300 '{"host":"b"}'
    points up 5 100
    points 9x 7 50
}

@test "a query of Prometheus gives what the store would" {
    command -v prometheus >/dev/null && command -v curl >/dev/null || skip "prometheus is not installed"
    port=$((20000 + $$ % 10000))
    url=http://127.0.0.1:$port
    echo '{}' >prometheus.yml
    engine "$url/-/ready" prometheus --config.file=prometheus.yml --web.enable-remote-write-receiver \
        --storage.tsdb.path=tsdb --storage.tsdb.retention.time=100y --web.listen-address="127.0.0.1:$port"
    many_points >in
    shadow-store append <in >/dev/null
    shadow-store export --to "$url" <in >/dev/null
    ask_both "$url"
    # More steps than an engine gives at a time.
    run -0 --separate-stderr shadow-store query up --url "$url" --from 1700000000 --to 1700030000 --step 1s --agg last -o metric
    [ "$(jq .value <<<"$output")" = "$(seq 5 104)" ]
    run -1 --separate-stderr shadow-store query down --url "$url" --from 1700000000
    [[ $stderr == *"no series matches"* ]]
}

@test "a query of VictoriaMetrics gives what the store would" {
    command -v victoria-metrics >/dev/null && command -v curl >/dev/null || skip "victoria-metrics is not installed"
    port=$((20000 + $$ % 10000))
    url=http://127.0.0.1:$port
    engine "$url/health" victoria-metrics -storageDataPath=vm -httpListenAddr="127.0.0.1:$port" -retentionPeriod=100y
    many_points >in
    shadow-store append <in >/dev/null
    shadow-store export --to "$url" --engine victoria <in >/dev/null
    curl -sf "$url/internal/force_flush"
    ask_both "$url"
}

@test "a query of our own server gives what the store would, and says what that does not answer" {
    many_points >in
    shadow-store append <in >/dev/null
    serve
    ask_both "$url"
    run -2 --separate-stderr shadow-store query 'up{a.b="1"}' --url "$url" --from -5m
    [[ $stderr == *"an engine has no label a.b"* ]]
    run -2 --separate-stderr shadow-store query up --url "$url"
    [[ $stderr == *"--url needs --from"* ]]
    run -2 --separate-stderr shadow-store query up --url "$url" --from -5m --step 1500us
    [[ $stderr == *"--step: engines know no less than a millisecond"* ]]
    run -2 --separate-stderr shadow-store query up --url "$url" --from 2000 --to 1000
    [[ $stderr == *"--from is not before --to"* ]]
    run -1 --separate-stderr shadow-store query up --url http://127.0.0.1:1 --from -5m
    [[ $stderr == *"http://127.0.0.1:1/api/v1/label"*connect* ]]
    run -2 --separate-stderr shadow-store query up --url file:///etc/passwd --from -5m
}

@test "an engine that has too much to do does not answer, one that refuses says why" {
    moody 503
    run -1 --separate-stderr shadow-store query up --url "$url" --from -5m
    [[ $stderr == *"HTTP status 503"* ]]
    kill "$prometheus"
    moody 422
    run -2 --separate-stderr shadow-store query up --url "$url" --from -5m
    [[ $stderr == *"the query was refused: no"* ]]
}

@test "export tries again after 429 and 5xx, and gives up what is malformed" {
    moody 503 429 204
    points a 0 3 | shadow-store export --to "$url" --linger 1m >out 2>err
    last end '.counts.sent == 3 and .counts.refused == 0' <out
    [ "$(cat posts)" = 3 ]
    [ "$(grep -c 'status 503.*will be tried again' err)" = 1 ]
    kill "$prometheus"
    for status in 400 422; do
        moody "$status"
        points a 0 3 | shadow-store export --to "$url" --spool spool >out 2>err
        last end '.counts.sent == 0 and .counts.refused == 3 and .counts.waiting == 0' <out
        grep -q "points are refused: .*status $status" err
        [ "$(cat posts)" = 1 ]
        kill "$prometheus"
    done
}

@test "a wrong path or token costs no points: they wait, and it is said what to put right" {
    for answer in 401 403 404; do
        moody "$answer"
        run -1 --separate-stderr shadow-store export --to "$url" --spool "spool$answer" --linger 2s < <(points a 0 3)
        last end '.counts.sent == 0 and .counts.refused == 0 and .counts.waiting == 1' <<<"$output"
        [ "$(grep -c "status $answer.*(--to.*will be tried again" <<<"$stderr")" = 1 ]
        [ "$(cat posts)" -ge 2 ]
        kill "$prometheus"
        moody 204
        shadow-store export --to "$url" --spool "spool$answer" </dev/null | last end '.counts.sent == 3 and .counts.waiting == 0'
        kill "$prometheus"
    done
    # Another fault than the one before is told of, too.
    moody 503 404 204
    points a 0 3 | shadow-store export --to "$url" --spool spool >out 2>err
    last end '.counts.sent == 3' <out
    [ "$(grep -c 'status 503.*will be tried again\|status 404.*will be tried again' err)" = 2 ]
    kill "$prometheus"
    # A token that is put right is taken up without a restart.
    echo old >token
    TOKEN=new moody 204
    (sleep 1.5 && echo new >token) 3>&- &
    points a 0 3 | shadow-store export --to "$url" --spool spool --token-file token --linger 1m >out 2>err
    last end '.counts.sent == 3' <out
    grep -q 'status 401.*(--token-file)' err
}

@test "real engines that are not set up to take points lose none" {
    command -v victoria-metrics >/dev/null && command -v prometheus >/dev/null || skip "engines are not installed"
    port=$((20000 + $$ % 10000))
    url=http://127.0.0.1:$port
    engine "$url/health" victoria-metrics -storageDataPath=vm -httpListenAddr="127.0.0.1:$port" \
        -retentionPeriod=100y -httpAuth.username=u -httpAuth.password=p
    run -1 --separate-stderr shadow-store export --to "$url" --engine victoria --spool spool --linger 0s < <(points a 0 20)
    [[ $stderr == *"status 401"*"(--token-file)"* ]]
    kill "$prometheus" && wait "$prometheus" || true
    engine "$url/health" victoria-metrics -storageDataPath=vm -httpListenAddr="127.0.0.1:$port" -retentionPeriod=100y
    run -1 --separate-stderr shadow-store export --to "$url/wrong" --engine victoria --spool spool --linger 0s </dev/null
    [[ $stderr == *"status 400"*"unsupported path"*"(--to, --engine)"* ]]
    shadow-store export --to "$url" --engine victoria --spool spool </dev/null | last end '.counts.sent == 20'
    kill "$prometheus" && wait "$prometheus" || true
    echo '{}' >prometheus.yml
    options=(--config.file=prometheus.yml --storage.tsdb.path=tsdb --storage.tsdb.retention.time=100y
        --web.listen-address="127.0.0.1:$port")
    engine "$url/-/ready" prometheus "${options[@]}"
    run -1 --separate-stderr shadow-store export --to "$url" --spool spool --linger 0s < <(points a 0 20)
    [[ $stderr == *"status 404: remote write receiver needs to be enabled"* ]]
    kill "$prometheus" && wait "$prometheus" || true
    engine "$url/-/ready" prometheus --web.enable-remote-write-receiver "${options[@]}"
    shadow-store export --to "$url" --spool spool </dev/null | last end '.counts.sent == 20 and .counts.waiting == 0'
}

@test "batches that wait for another engine are told of, status 1, and sent by a run with that one" {
    run -1 --separate-stderr shadow-store export --to http://127.0.0.1:1 --spool spool --linger 0s < <(points a 0 20)
    moody 204
    run -1 --separate-stderr shadow-store export --to "$url" --engine victoria --spool spool < <(points a 0 5)
    [[ $stderr == *"1 batches for another --engine wait in spool: only a run with that sends them"* ]]
    last end '.counts.sent == 5 and .counts.waiting == 0' <<<"$output"
    shadow-store export --to "$url" --spool spool </dev/null | last end '.counts.sent == 20'
    [ -z "$(ls spool)" ]
}

@test "a full spool gives up the oldest batches and counts them; nobody else may use it meanwhile" {
    run -1 --separate-stderr shadow-store export --to http://127.0.0.1:1 --spool spool --spool-size 100 \
        --linger 0s --batch 2 < <(points a 0 10)
    jq -se 'map(select(.type == "loss" and .where == "spool"))[0].records > 0' <<<"$output"
    jq -se 'map(select(.type == "end"))[0].counts | .dropped + 2 * .waiting == 10' <<<"$output"
    waiting=$(find spool -type f | wc -l)
    [ "$waiting" -gt 0 ]
    [ "$(cat spool/* | wc -c)" -le 100 ]
    # Killed or not, the next run sends what waits.
    moody 204
    shadow-store export --to "$url" --spool spool </dev/null >out
    last end ".counts.sent == 2 * $waiting" <out
    mkfifo pipe
    shadow-store export --to http://127.0.0.1:1 --spool spool --linger 0s <pipe >out 2>err 3>&- &
    pid=$!
    exec 9>pipe
    points a 0 2 >&9
    for _ in $(seq 600); do
        [ -n "$(ls spool)" ] && break
        sleep 0.1
    done
    run -4 --separate-stderr shadow-store export --to "$url" --spool spool </dev/null
    [[ $stderr == *"the spool spool is used by another process"* ]]
    kill -9 "$pid"
    exec 9>&-
    wait "$pid" || true
    shadow-store export --to "$url" --spool spool </dev/null >out
    last end '.counts.sent == 2' <out
}

@test "export says what it cannot do" {
    run -2 --separate-stderr shadow-store export </dev/null
    [[ $stderr == *"--to needs a URL"* ]]
    run -2 --separate-stderr shadow-store export --to ftp://localhost </dev/null
    run -4 --separate-stderr shadow-store export --to http://localhost:1 --token-file nowhere </dev/null
    [[ $stderr == *"cannot read nowhere"* ]]
}

@test "a second writer is told of the first, status 4" {
    mkfifo pipe
    shadow-store append <pipe >out 3>&- &
    pid=$!
    exec 9>pipe
    points a 0 1 >&9
    for _ in $(seq 600); do
        [ -s out ] && break
        sleep 0.1
    done
    run -4 --separate-stderr shadow-store append </dev/null
    [[ $stderr == *"is being written by process $pid"* ]]
    for what in compact rollup; do
        run -4 --separate-stderr shadow-store "$what"
        [[ $stderr == *"is being written by process $pid"* ]]
    done
    run -0 --separate-stderr shadow-store check -o part
    exec 9>&-
    wait "$pid"
}

@test "a full disk: a clear message, status 4, and all that was acknowledged" {
    points a 0 1 | shadow-store append >/dev/null
    points a 1 3000 >in
    run -4 --separate-stderr bash -c "trap '' XFSZ; ulimit -f 20; shadow-store append --batch 50 -o stored <in >out"
    [[ $stderr == *"cannot write the log: File too large"* ]]
    [[ $stderr == *"50 points since the last acknowledgement are not stored"* ]]
    acknowledged=$(tail -n 1 out | jq .points)
    [ "$acknowledged" -gt 500 ]
    run -0 --separate-stderr shadow-store query a --agg count -o metric
    jq -e ".value == $acknowledged + 1" <<<"$output"
    shadow-store check >/dev/null
}

@test "a full file system: what was acknowledged is there, also after compact and rollup failed" {
    points a 0 3 >three
    awk 'BEGIN { for (i = 0; i < 200000; i++)
        printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"a\",\"value\":%d}\n", 1700000040 + i * 60, i * 7919 % 100003 }' >in
    full 400k '
        shadow-store append -s full/s --batch 500 --log-size 100k -o stored <in >out 2>err; echo $? >status
        cp -r full/s before
        shadow-store compact -s full/s >/dev/null 2>>err; echo $? >>status
        shadow-store rollup -s full/s >/dev/null 2>>err; echo $? >>status
        shadow-store query -s full/s a --agg count -o metric >count
        shadow-store check -s full/s >/dev/null; echo $? >>status
        rm full/s/lock; head -c 1M /dev/zero >full/rest; truncate -s -4096 full/rest
        shadow-store append -s full/none <three >/dev/null 2>>err; echo $? >>status
        cp -r full/none never'
    [ "$(xargs <status)" = "4 4 4 0 4" ]
    [ "$(grep -c 'No space left on device\|disk is full' err)" -ge 4 ]
    acknowledged=$(tail -n 1 out | jq .points)
    [ "$acknowledged" -gt 10000 ]
    jq -e ".value == $acknowledged" count
    # With room again the next writer goes on, also where a store could not even be made.
    run -2 --separate-stderr shadow-store query -s never '*'
    [[ $stderr == *"the catalogue is empty"* ]]
    shadow-store append -s never <three | last stored '.points == 3'
    points b 0 3 | shadow-store append -s before >/dev/null
    run -0 --separate-stderr shadow-store compact -s before
    run -0 --separate-stderr shadow-store query -s before a b --agg count -o metric
    [ "$(jq .value <<<"$output" | xargs)" = "$acknowledged 3" ]
}

@test "on a disk without any room compact drops what is too old before it writes" {
    awk 'BEGIN { for (i = 0; i < 40000; i++)
        printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"a\",\"value\":%d}\n", 1700000040 + i * 60, i * 7919 % 100003 }' >in
    shadow-store append --log-size 50k --batch 5000 <in >/dev/null
    shadow-store rollup >/dev/null && shadow-store compact >/dev/null
    shadow-store query a --agg count --from 2023-11-20 -o metric >before
    full 1M '
        cp -r store full/s
        head -c 2M /dev/zero >full/rest 2>/dev/null
        { echo "{\"type\":\"metric\",\"v\":1,\"ts\":1702400100000000,\"series\":\"b\",\"value\":1}"; } |
            shadow-store append -s full/s >/dev/null 2>err; echo $? >status
        shadow-store compact -s full/s --points 20d 2>>err | jq .counts.dropped >dropped; echo ${PIPESTATUS[0]} >>status
        shadow-store check -s full/s >/dev/null; echo $? >>status
        shadow-store query -s full/s a --agg count --from 2023-11-20 -o metric >after; echo $? >>status'
    [ "$(xargs <status)" = "4 0 0 0" ]
    grep -q 'No space left on device\|disk is full' err
    [ "$(cat dropped)" -gt 0 ]
    cmp before after
}

@test "what a full spool gave up is counted, too, when it cannot be written later" {
    points a 0 1600 >in
    # Names that nothing makes shorter: their batch is larger than the disk.
    awk 'BEGIN { srand(1); for (i = 0; i < 100; i++) { name = ""; while (length(name) < 500) name = name sprintf("%08x", rand() * 2 ^ 32)
        printf "{\"type\":\"metric\",\"v\":1,\"ts\":1700000040000000,\"series\":\"%s\",\"value\":1}\n", name } }' >>in
    full 32k 'cat in |
        shadow-store export --to http://127.0.0.1:1 --spool full/x --spool-size 4k --linger 0s --batch 100 >out 2>err
        echo $? >status'
    [ "$(cat status)" = 4 ]
    grep -q 'cannot write the spool' err
    last loss '.where == "spool" and .records >= 100 and .records % 100 == 0' <out
}

@test "a spool without room: a clear message, status 4, and all that was kept is sent later" {
    points a 0 400 >in
    full 32k 'for n in 1 2 3 4; do
            shadow-store export --to http://127.0.0.1:1 --spool full/x --linger 0s --batch 100 <in
        done >out 2>err; echo $? >status; cp -r full/x kept'
    [ "$(cat status)" = 4 ]
    grep -q 'cannot write the spool full/x: No space left on device' err
    grep -q ' 100 points are neither sent nor kept' err
    [ ! -e kept/new ]
    waiting=$(find kept -type f | wc -l)
    [ "$waiting" -gt 0 ]
    moody 204
    shadow-store export --to "$url" --spool kept </dev/null | last end ".counts.sent == 100 * $waiting"
}

@test "a clock that jumps back: the points are refused and counted until it has caught up" {
    points a 0 100 | shadow-store append >/dev/null
    # An hour back, and then on for two hours.
    points a 40 120 | shadow-store append >out
    last loss '.where == "window" and .records == 49' <out
    last stored '.points == 71 and .replaced == 11 and .refused == 49' <out
    run -0 --separate-stderr shadow-store query a --agg count -o metric
    jq -e '.value == 160' <<<"$output"
}

@test "a clock that jumps ahead for a while costs only what was stored meanwhile" {
    now=$(date +%s)
    for shift in 0 86400 60; do
        printf '{"type":"metric","v":1,"ts":%d000000,"series":"a","value":1}\n' $((now + shift))
    done | shadow-store append >out 2>err
    grep -q 'line 2 is in the future: refused (--ahead)' err
    last stored '.points == 2 and .refused == 1' <out
}

@test "killed by SIGKILL in the middle of compact or rollup, nothing is lost and the next one goes on" {
    many_segments
    cp -r store whole
    for try in $(seq 12); do
        rm -rf store
        cp -r whole store
        what=compact
        [ $((try % 3)) -gt 0 ] || what=rollup
        options=()
        [ $((try % 3)) -ne 1 ] || options=(--points 10d)
        shadow-store "$what" "${options[@]}" >/dev/null 2>&1 3>&- &
        pid=$!
        sleep "0.0$(printf %02d $((try * 3)))"
        kill -9 "$pid" 2>/dev/null || true
        wait "$pid" || true
        shadow-store check >/dev/null
        shadow-store query '*' -o metric | cmp - before
        shadow-store "$what" "${options[@]}" >/dev/null
        shadow-store check >/dev/null
        shadow-store query '*' -o metric | cmp - before
    done
}

@test "readers have the same answer all the while a writer compacts and appends" {
    many_segments
    shadow-store query a b --to 1700270000 -o metric >before
    (
        while [ ! -e finished ]; do
            shadow-store query a b --to 1700270000 -o metric | cmp - before || touch differs
            echo >>asked
        done
    ) 3>&- &
    reader=$!
    for i in 5000 5100; do
        points c "$i" 100 | shadow-store append --log-size 1k >/dev/null
        shadow-store compact >/dev/null
        shadow-store rollup >/dev/null
    done
    touch finished
    wait "$reader"
    [ -s asked ]
    [ ! -e differs ]
}

@test "each level is kept for its own time, and answers for what is older below" {
    # 200 days of a value every 10 minutes.
    awk 'BEGIN { for (i = 0; i < 28800; i++)
        printf "{\"type\":\"metric\",\"v\":1,\"ts\":%d000000,\"series\":\"a\",\"value\":%d}\n", 1699920000 + i * 600, i }' >in
    for part in $(seq 0 9); do
        sed -n "$((part * 2880 + 1)),$((part * 2880 + 2880))p" in | shadow-store append --log-size 10k >/dev/null
    done
    shadow-store query a --step 1d --agg max -o metric >before
    [ "$(wc -l <before)" = 200 ]
    run -0 --separate-stderr shadow-store compact --points 3d --minutes 10d --hours 90d --days forever
    jq -e '.counts.dropped_points > 28000' <<<"$output"
    shadow-store query a --step 1d --agg max -o metric | cmp - before
    shadow-store check -o part | jq -s 'map(select(.kind == "segment")) | group_by(.level) |
        map({key: (.[0].level | tostring), value: (((map(.to_us) | max) - (map(.from_us) | min)) / 864e8)}) | from_entries' >kept
    cat kept
    jq -e '."0" >= 2.5 and ."0" < 5 and ."1" >= 9.5 and ."1" < 12 and ."2" >= 89 and ."2" < 150 and ."3" > 195' kept
    run -0 --separate-stderr shadow-store query a --agg count -o metric
    jq -e '.value == 28800' <<<"$output"
    # What is remembered holds for the next compact, too, and `forever` ends a limit.
    run -0 --separate-stderr shadow-store compact
    jq -e '.counts.dropped == 0' <<<"$output"
    run -2 --separate-stderr shadow-store compact --points soon
    [[ $stderr == *"--points: soon"* ]]
}

@test "a segment or log that was cut off is named" {
    store_points a 0 300
    points a 300 5 >five # a file: one batch, and so one piece of the log
    shadow-store append <five >/dev/null
    cp -r store whole
    truncate -s -50 store/seg-00000001
    run -3 --separate-stderr shadow-store query a
    [[ $stderr == *"seg-00000001: not a whole segment"* ]]
    run -1 --separate-stderr shadow-store check -o part
    jq -se 'map(select(.part == "seg-00000001"))[0].state == "damaged"' <<<"$output"
    rm -r store
    cp -r whole store
    log=$(basename store/wal-*)
    truncate -s -3 "store/$log"
    run -0 --separate-stderr shadow-store check -o part
    jq -se --arg log "$log" 'map(select(.part == $log))[0].state == "torn"' <<<"$output"
    run -0 --separate-stderr shadow-store query a --agg count -o metric
    [ "$(jq .value <<<"$output")" = 300 ]
}

@test "hostile names and numbers are kept as they are, or refused by name" {
    {
        echo '{"type":"metric","v":1,"ts":1,"series":"../../etc/passwd","value":1}'
        echo '{"type":"metric","v":1,"ts":1,"series":"a\nb\t\"","value":2}'
        echo "{\"type\":\"metric\",\"v\":1,\"ts\":1,\"series\":\"'; DROP TABLE series; --\",\"value\":3}"
        echo '{"type":"metric","v":1,"ts":1,"series":"big","value":1e308}'
        echo '{"type":"metric","v":1,"ts":2,"series":"big","value":1e308}'
        echo '{"type":"metric","v":1,"ts":1,"series":"zero","value":-0.0}'
        echo '{"type":"metric","v":1,"ts":1,"series":"tiny","value":5e-324}'
    } >good
    {
        echo '{"type":"metric","v":1,"ts":1,"series":"a\u0000b","value":1}'
        echo '{"type":"metric","v":1,"ts":1,"series":"\ud800","value":1}'
        printf '{"type":"metric","v":1,"ts":1,"series":"\xff","value":1}\n'
        echo '{"type":"metric","v":1,"ts":1,"series":"inf","value":1e999}'
        echo '{"type":"metric","v":1,"ts":1,"series":"nan","value":NaN}'
        echo '{"type":"metric","v":1,"ts":1e300,"series":"late","value":1}'
        echo '{"type":"metric","v":1,"ts":-9007199254740993,"series":"early","value":1}'
        printf '{"type":"metric","v":1,"ts":1,"series":"%01024d","value":1}\n' 0
        printf '{"type":"metric","v":1,"ts":1,"series":"x","labels":{"y":"%01024d"},"value":1}\n' 0
    } >bad
    run -3 --separate-stderr shadow-store append -o stored < <(cat good bad)
    [ "$(jq .points <<<"$output")" = 7 ]
    for line in $(seq 8 16); do
        grep -q "line $line: " <<<"$stderr" || { echo "line $line is not named"; false; }
    done
    run -0 --separate-stderr shadow-store query '*' -o metric
    [ "$(jq -c '[.series, .value]' <<<"$output" | sort)" = "$(jq -c '[.series, .value]' good | sort)" ]
    [ -z "$(find . -name passwd)" ]
    # An average that no double holds is no value.
    run -0 --separate-stderr shadow-store query big --agg sum -o metric
    [ -z "$output" ]
    run -0 --separate-stderr shadow-store query '{__name__="a\nb\t\""}' --agg max -o metric
    jq -e '.value == 2' <<<"$output"
}

@test "check finds a changed byte in a segment, the log and the catalogue, and names the file" {
    store_points a 0 300
    points a 300 5 | shadow-store append >/dev/null
    shadow-store check >out
    [ "$(jq -r 'select(.type == "part") | .state' out | sort -u)" = good ]
    segment=$(basename store/seg-*) log=$(basename store/wal-*)
    cp -r store whole
    for part in "$segment" "$log"; do
        rm -rf store
        cp -r whole store
        printf 'X' | dd of="store/$part" bs=1 seek=40 conv=notrunc status=none
        run -1 --separate-stderr shadow-store check
        jq -se --arg part "$part" 'map(select(.part == $part))[0] | .state == "damaged" and .reason != null' <<<"$output"
    done
    printf 'XXXX' | dd of=store/catalog.sqlite bs=1 seek=4100 conv=notrunc status=none
    run ! shadow-store check
}

@test "a bad record is named, skipped and sets status 3" {
    {
        points a 0 1
        echo '{"type":"metric","v":1,"ts":1,"series":"a","value":"x"}'
        echo '{"type":"metric","v":1,"ts":1,"series":"a","labels":{"x":[1]},"value":1}'
        echo '{"type":"metric","v":1,"ts":1,"series":"","value":1}'
        echo '{"type":"metric"'
        points a 1 1
    } >in
    run -3 --separate-stderr shadow-store append -o stored <in
    [[ $stderr == *"line 2: value"* && $stderr == *"line 3: labels"* && $stderr == *"line 4: series"* ]]
    [ "$(tail -n 1 <<<"$output" | jq .points)" = 2 ]
}
