#!/usr/bin/env bats
# What is generated and what is written by hand say the same.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/e2e/build.bash
. "$BATS_TEST_DIRNAME/build.bash"

setup()
{
    cd "$BATS_TEST_DIRNAME/../.."
    export LC_ALL=C.UTF-8
}

tools()
{
    for program in "$SDW_BUILD"/bin/*; do
        echo "${program##*/}"
    done
}

# Own, sub-commands' and common options of a tool, long names.
options()
{
    "$1" --generate json | jq -r '[.common, (.. | .options? // empty)] | flatten | .[].name' | sort -u
}

@test "make generated changes nothing" {
    make -s generated MODE="$MODE" GENERATED_TO="$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/log" 2>&1 || {
        cat "$BATS_TEST_TMPDIR/log"
        false
    }
    diff -r "$BATS_TEST_TMPDIR/completions" completions
    for page in "$BATS_TEST_TMPDIR"/man/*; do
        diff "$page" "man/${page##*/}"
    done
}

@test "every tool has a description and a page" {
    for tool in $(tools); do
        [ -s "man/$tool.1.in" ] || { echo "man/$tool.1.in is missing"; false; }
        grep -q '^\.Sh DESCRIPTION' "man/$tool.1.in"
        [ -s "man/$tool.1" ]
    done
}

@test "no completion or page is left of a tool that is gone" {
    for file in completions/bash/*; do
        [ -x "$SDW_BUILD/bin/${file##*/}" ] || { echo "$file"; false; }
    done
    for file in man/*.1; do
        page=${file##*/}
        [ -x "$SDW_BUILD/bin/${page%.1}" ] || { echo "$file"; false; }
    done
}

@test "every option is in its tool's page, help and completions" {
    for tool in $(tools); do
        for option in $(options "$tool"); do
            grep -qE "Fl -$option( |\$)" "man/$tool.1" || { echo "$tool: --$option not in its page"; false; }
            grep -qE -- "--$option\b" "completions/bash/$tool" || { echo "$tool: --$option not in bash"; false; }
            grep -qE -- "--$option\b" "completions/zsh/_$tool" || { echo "$tool: --$option not in zsh"; false; }
            grep -qE -- "-l $option\b" "completions/fish/$tool.fish" || { echo "$tool: --$option not in fish"; false; }
        done
    done
}

@test "no option of a tool is used twice, and letters do not clash with the common ones" {
    for tool in $(tools); do
        clash=$("$tool" --generate json | jq -r '
            .common as $common
            | .. | .options? // empty
            | . + $common
            | ([.[].name] | group_by(.) | map(select(length > 1)[0])),
              ([.[].letter | values] | group_by(.) | map(select(length > 1)[0]))
            | .[]')
        [ -z "$clash" ] || { echo "$tool: $clash"; false; }
    done
}

@test "help fits 80 columns, apart from examples" {
    for tool in $(tools); do
        wide=$(COLUMNS=80 "$tool" --help | sed '/^Examples:/,$d' | awk 'length > 80' || true)
        [ -z "$wide" ] || { echo "$tool: $wide"; false; }
    done
}

@test "the synopsis of the page and the usage of the help name the same operands" {
    for tool in $(tools); do
        page=$(sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/p' "man/$tool.1" |
            sed -nE 's/^\.(Op )?Ar ([^ ]+).*/\2/p' | sort | tr '\n' ' ')
        usage=$("$tool" --generate json | jq -r '.. | .operands? // empty | .[].name' | sort | tr '\n' ' ')
        [ "$page" = "$usage" ] || { echo "$tool: '$page' in the page, '$usage' in the table"; false; }
    done
}

@test "pages are clean for mandoc" {
    command -v mandoc >/dev/null || skip "mandoc is not installed"
    run mandoc -Tlint -Wwarning man/*.[157]
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "every page referred to exists" {
    known=' awk 1 bash 1 cron 8 crontab 5 ip 8 jq 1 man 1 mtr 8 nft 8 ping 8 ping 1 ping6 8 prove 1 sh 1 ss 8 sysctl 8 tc 8 tcpdump 1 tcpdump 8 traceroute 8 traceroute 1 tshark 1 '
    known+='namespaces 7 network_namespaces 7 user_namespaces 7 capabilities 7 ip 7 ipv6 7 icmp 7 udp 7 tcp 7 raw 7 packet 7 socket 7 netlink 7 rtnetlink 7 signal 7 pcap 3 flock 2 flock 1 readline 3 ip-netns 8 ip-route 8 ip-nexthop 8 tc-tbf 8 tc-htb 8 bash-completion 7 regex 7 '
    bad=''
    while read -r file name section; do
        [ -e "man/$name.$section" ] || [[ $known == *" $name $section "* ]] || bad+="$file: $name($section)"$'\n'
    done < <(grep -HoE '\.Xr [^ ]+ [0-9]' man/*.[157] | sed -E 's/^([^:]+):\.Xr/\1/' | sort -u)
    echo "$bad"
    [ -z "$bad" ]
}

@test "every example of a page runs" {
    ran=0
    for tool in $(tools); do
        while IFS= read -r example; do
            [ -n "$example" ] || continue
            needs=$(jq -r '.needs // ""' <<<"$example")
            [ -z "$needs" ] || continue
            command=$(jq -r .command <<<"$example")
            dir="$BATS_TEST_TMPDIR/example-$tool-$ran"
            cp -r tests/samples "$dir"
            (cd "$dir" && timeout 60 sh -e -c "$command") >"$dir.out" 2>"$dir.err" </dev/null || {
                rc=$?
                [ "$rc" -ne 1 ] || continue # the answer is no
                echo "$tool: exit $rc from: $command"
                cat "$dir.err"
                false
            }
            ran=$((ran + 1))
        done < <("$tool" --generate json | jq -c '.examples[]')
    done
    echo "# $ran examples ran" >&3
}

@test "completions of bash complete options, values and sub-commands" {
    for tool in $(tools); do
        run -0 bash -c '
            source "completions/bash/$1"
            COMP_WORDS=("$1" --) COMP_CWORD=1
            "_${1//-/_}"
            printf "%s\n" "${COMPREPLY[@]}"' bash "$tool"
        grep -qx -- --deadline <<<"$output" || { echo "$tool: $output"; false; }
        run -0 bash -c '
            source "completions/bash/$1"
            COMP_WORDS=("$1" --format = t) COMP_CWORD=3
            "_${1//-/_}"
            printf "%s\n" "${COMPREPLY[@]}"' bash "$tool"
        [ "$output" = table ] || { echo "$tool: $output"; false; }
    done
}

# after_tab LINE...: what zsh makes of each line at a press of TAB, a line each
after_tab()
{
    cat >"$BATS_TEST_TMPDIR/zshrc" <<EOF
fpath=($PWD/completions/zsh \$fpath)
autoload -Uz compinit
compinit -u -D
tell() { print -r -- "\$BUFFER" >>"$BATS_TEST_TMPDIR/told"; BUFFER=; }
zle -N tell
bindkey '^T' tell
bindkey '^I' complete-word
EOF
    : >"$BATS_TEST_TMPDIR/told"
    timeout 60 zsh -f -c '
        zmodload zsh/zpty
        zpty child zsh -f -i
        zpty -w child "source $1"
        for line in "${@[2,-1]}"; do
            zpty -n -w child "$line"$'"'\t\x14'"'
        done
        zpty -w child exit
        while zpty -r child line; do :; done' zsh "$BATS_TEST_TMPDIR/zshrc" "$@"
    sed 's/ *$//' "$BATS_TEST_TMPDIR/told"
}

@test "completions of zsh complete options, values and sub-commands" {
    command -v zsh >/dev/null || skip "zsh is not installed"
    for file in completions/zsh/*; do
        zsh -n "$file"
    done
    for tool in $(tools); do
        run -0 after_tab "$tool --deadl" "$tool --format=t" "$tool -o verd"
        [ "$output" = "$tool --deadline=
$tool --format=table
$tool -o verdict" ] || { echo "$tool: $output"; false; }
    done
    run -0 after_tab 'shadow filter --stri' 'shadow records verd'
    [ "$output" = "shadow filter --strict
shadow records verdict" ]
}

@test "behind shadow, the tool's own completion completes in all three shells" {
    local line=('shadow prob' 'shadow probe --sch' 'shadow --format table probe --schedule lock' 'shadow lab u')
    local word=(probe --schedule lockin up) nr
    for nr in "${!line[@]}"; do
        run -0 bash -c '
            source completions/bash/shadow
            read -ra COMP_WORDS <<<"$1"
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _shadow
            printf "%s\n" "${COMPREPLY[@]}"' bash "${line[nr]}"
        [ "$output" = "${word[nr]}" ] || { echo "bash: ${line[nr]}: $output"; false; }
    done
    if command -v fish >/dev/null; then
        export HOME=$BATS_TEST_TMPDIR
        for nr in "${!line[@]}"; do
            run -0 fish -c "for file in completions/fish/*; source \$file; end; complete -C '${line[nr]}'"
            [ "${output%%$'\t'*}" = "${word[nr]}" ] || { echo "fish: ${line[nr]}: $output"; false; }
        done
    fi
    if command -v zsh >/dev/null; then
        run -0 after_tab "${line[@]}"
        [ "$output" = "shadow probe
shadow probe --schedule=
shadow --format table probe --schedule lockin
shadow lab up" ] || { echo "zsh: $output"; false; }
    fi
}

@test "completions of fish complete options and values" {
    command -v fish >/dev/null || skip "fish is not installed"
    export HOME=$BATS_TEST_TMPDIR
    for tool in $(tools); do
        fish -n "completions/fish/$tool.fish"
        run -0 fish -c "source completions/fish/$tool.fish; complete -C '$tool --deadl'; complete -C '$tool --format t'"
        [[ $output == *--deadline* && $output == *table* ]] || { echo "$tool: $output"; false; }
    done
}
