# What the two harm bars share: the same live traffic twice, once alone and once beside the prober,
# in an order drawn from the seed. Sourced after lib.bash.
#   a victim: 100 small packets a second from c to s, through the tight link of 20 Mbit/s
#   live: Poisson, from c to s; cross: Poisson, through the tight link only

# phase NAME SECONDS [COMMAND...]: live traffic for so long, or until the command has ended
phase() {
    local name=$1 seconds=$2 before
    shift 2
    before=$(drops)
    traffic c s victim --rate 160k --size 200 --port 9100 --seed "$seed"
    traffic c s live --model poisson --trimodal --flows 8 --rate 5M --port 9200 --seed "$seed"
    traffic x2 x3 cross --model poisson --trimodal --rate 5M --port 9300 --seed "$seed"
    sleep 1
    if [ $# -gt 0 ]; then "$@"; else sleep "$seconds"; fi
    stop_traffic
    jq -cs --argjson drops $(($(drops) - before)) '
        map(select(.final and .flow == "victim")) | last
        | {sent, lost, late: (.late + .skipped), p50_us: .delay_p50_us, p99_us: .delay_p99_us,
           drops: $drops}' "$work/victim.ndjson" >"$work/phase-$name"
}

drops() {
    shadow-lab counters r2-r3 -l "$lab" | jq 'select(.series == "link/r2-r3/drops").value'
}

# The two phases of a run, with or without the prober first. both SECONDS COMMAND...
both() {
    local seconds=$1
    shift
    if [ $((seed % 2)) = 0 ]; then
        phase without "$seconds"
        phase with "$seconds" "$@"
    else
        phase with "$seconds" "$@"
        phase without "$seconds"
    fi
}
