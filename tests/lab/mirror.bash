#!/usr/bin/env bash
# shadow-probe --mirror with flows told by hand. Source it in setup, after lab.bash.

# shellcheck disable=SC2034,SC2154 # probe is for those who source this; LAB and pids are lab.bash's

# mirror OPTION...: shadows of what is written to descriptor 7, into out and err; sets probe
mirror() {
    rm -f in
    mkfifo in
    ip netns exec "sdw-$LAB-${from:-c}" shadow-probe --mirror "$@" <in >out 2>err 3>&- &
    probe=$!
    pids+=("$probe")
    exec 7>in
}

# await SECONDS FILTER: until the records written so far meet the jq filter, which gets them as array
await() {
    local i
    for ((i = 0; i < $1 * 20; i++)); do
        jq -se "$2" out >/dev/null 2>&1 && return 0
        sleep 0.05
    done
    echo "# never: $2 $(<err)"
    return 1
}
