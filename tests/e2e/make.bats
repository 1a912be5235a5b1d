#!/usr/bin/env bats
# What the Makefile promises besides building.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/e2e/build.bash
. "$BATS_TEST_DIRNAME/build.bash"

setup()
{
    cd "$BATS_TEST_DIRNAME/../.."
}

@test "install puts tools, pages and completions in place, and uninstall takes all of them away" {
    make -s install MODE="$MODE" DESTDIR="$BATS_TEST_TMPDIR/root" PREFIX=/usr >/dev/null
    cd "$BATS_TEST_TMPDIR/root/usr"
    for program in "$SDW_BUILD"/bin/*; do
        tool=${program##*/}
        [ -x "bin/$tool" ]
        [ -s "share/man/man1/$tool.1" ]
        [ -s "share/bash-completion/completions/$tool" ]
        [ -s "share/zsh/site-functions/_$tool" ]
        [ -s "share/fish/vendor_completions.d/$tool.fish" ]
    done
    [ -s share/man/man5/shadow-records.5 ]
    run -0 bin/shadow --version
    cd "$BATS_TEST_DIRNAME/../.."
    make -s uninstall MODE="$MODE" DESTDIR="$BATS_TEST_TMPDIR/root" PREFIX=/usr >/dev/null
    run find "$BATS_TEST_TMPDIR/root" -type f
    [ -z "$output" ]
}

@test "a tool whose library is missing is left out with one line" {
    cat >"$BATS_TEST_TMPDIR/pkg-config" <<'EOF'
#!/bin/sh
case "$*" in
*readline* | *libnftables*) exit 1 ;;
*) exec pkg-config "$@" ;;
esac
EOF
    chmod +x "$BATS_TEST_TMPDIR/pkg-config"
    run -0 make -n -B all MODE=cov PKG_CONFIG="$BATS_TEST_TMPDIR/pkg-config"
    [ "$(grep -c 'is left out' <<<"$output")" -eq 2 ]
    [[ $output == *'shadow is left out: libreadline-dev is missing'* ]]
    [[ $output != *lib/shell/* && $output != *lib/steer/* && $output != *cmd/shadow-steer.c* ]]
    [[ $output == *cmd/shadow-probe.c* ]]
}

@test "a change of one header rebuilds what includes it" {
    run -0 make -n MODE="$MODE" -W lib/shell/pipeline.h all
    [[ $output == *lib/shell/pipeline.c* ]]
    [[ $output != *lib/core/num.c* ]]
}
