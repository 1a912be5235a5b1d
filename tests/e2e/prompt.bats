#!/usr/bin/env bats
# The prompt of shadow, in a terminal of its own (tmux). Each step waits for what it must cause.

bats_require_minimum_version 1.5.0

setup() {
    command -v tmux >/dev/null || skip "tmux is not installed"
    cd "$BATS_TEST_TMPDIR"
    export XDG_STATE_HOME=$PWD/state
    server=shadow-prompt-$$-$BATS_TEST_NUMBER
    tmux -L "$server" -f /dev/null new-session -d -x 100 -y 40 -s t \
        "env PATH='$PATH' XDG_STATE_HOME='$XDG_STATE_HOME' TERM=screen INPUTRC=/dev/null shadow; echo left with \$?; sleep 600"
    see 'shadow> $'
}

teardown() {
    if [ -n "$server" ]; then tmux -L "$server" kill-server 2>/dev/null || true; fi
}

screen() {
    tmux -L "$server" capture-pane -p -t t | sed -e 's/ *$//' -e '/^$/d'
}

# see REGEX: wait until the screen has such a line (a prompt ends in "> ", which screen trims)
see() {
    local pattern=${1/> \$/>\$}
    for _ in $(seq 1 100); do
        screen | grep -qE -- "$pattern" && return 0
        sleep 0.1
    done
    echo "never seen: $1"
    screen
    return 1
}

# ready TEXT: wait until TEXT was printed and the prompt is the last line again
ready() {
    see "^$1\$"
    for _ in $(seq 1 100); do
        [ "$(screen | tail -1)" = 'shadow>' ] && return 0
        sleep 0.1
    done
    screen
    return 1
}

keys() {
    tmux -L "$server" send-keys -t t -- "$@"
}

@test "a pipeline is run and the prompt comes back" {
    keys 'records verdict --format ndjson | jq -r .key | head -1' Enter
    see '^path_id$'
    see '^shadow>$'
}

@test "the exit status is shown until the next line" {
    keys 'sh -c "exit 7"' Enter
    see '^shadow \[7\]>$'
    keys 'true' Enter
    see '^shadow>$'
}

@test "TAB completes tools, options, types and fields" {
    keys 'rec' Tab
    see '^shadow> records$'
    keys 'verd' Tab
    see '^shadow> records verdict$'
    keys '--sch' Tab
    see '^shadow> records verdict --schema$'
    keys C-c 'filter type=verd' Tab
    see 'filter type=verdict$'
    keys C-c 'filter capacity_g' Tab
    see 'filter capacity_gradient$'
    keys C-c "jq '.bottleneck_" Tab
    see "jq '.bottleneck_hop"
    keys C-c 'filter --format nd' Tab
    see 'filter --format ndjson$'
}

@test "TAB completes hosts seen, IPv4 and IPv6" {
    keys 'echo 198.51.100.77 fd09:77::1' Enter
    ready '198.51.100.77 fd09:77::1'
    keys 'probe 198' Tab
    see 'probe 198.51.100.77'
    keys C-c 'probe fd' Tab
    see 'probe fd09:77::1'
}

@test "? explains what can come next, and is a letter inside words" {
    keys '?'
    see '^ +filter +pass the records'
    keys 'filter --for?'
    see '^ +--format FORMAT'
    keys C-c "echo 'a?'" Enter
    see '^a\?$'
}

@test "Ctrl-C ends the pipeline, not the shell" {
    keys 'sh -c "echo started; exec sleep 300" | cat' Enter
    see '^started$'
    keys C-c
    see '^shadow \[130\]>$'
    keys 'echo still here' Enter
    see '^still here$'
}

@test "Ctrl-Z stops neither what runs nor the shell" {
    keys 'sh -c "echo started; exec sleep 300"' Enter
    see '^started$'
    keys C-z
    see '\^Z'
    keys C-c
    see '^shadow \[130\]>$'
    keys 'echo half'
    see '^shadow> echo half$|^shadow \[130\]> echo half$'
    keys C-z
    keys '-way' Enter
    see '^half-way$'
}

@test "Ctrl-C forgets the line" {
    keys 'echo never' C-c 'echo typed' Enter
    see '^typed$'
    run screen
    ! grep -q '^never$' <<<"$output"
}

@test "background output appears above the line being typed" {
    mkfifo go
    keys 'sh -c "read x <go; echo said" &' Enter
    see 'stop 1 ends it'
    keys 'echo unfin'
    see '^shadow> echo unfin$'
    echo x >go
    see '^said$'
    see '^\[1\] ended, exit status 0'
    [ "$(screen | tail -1)" = "shadow> echo unfin" ]
    keys 'ished' Enter
    see '^unfinished$'
}

@test "output without a newline does not swallow the prompt" {
    keys 'printf abc' Enter
    ready abc%
}

@test "history is kept for the owner only, without lines that begin with a blank" {
    keys 'echo kept' Enter
    ready kept
    keys ' echo secret' Enter
    ready secret
    keys C-d
    see 'left with 0'
    [ "$(stat -c %a state/shadow-tools/history)" = 600 ]
    [ "$(stat -c %a state/shadow-tools)" = 700 ]
    grep -qx 'echo kept' state/shadow-tools/history
    ! grep -q secret state/shadow-tools/history
}

@test "save writes the last pipeline as a script" {
    keys 'records --format ndjson | jq -r .name | head -1' Enter
    ready path
    keys 'save first' Enter
    see 'saved as ./first'
    run env -i ./first
    [ "$output" = "path" ]
}

@test "exit leaves with the status asked for" {
    keys 'exit 5' Enter
    see 'left with 5'
}
