# Which build is tested: that of make check, or of the tree when a file is run by hand. Without it
# the programs of /bin would be taken for ours.
SDW_BUILD=${SDW_BUILD:-$(realpath "$BATS_TEST_DIRNAME/../..")/build/release}
MODE=${MODE:-release}
PATH=$SDW_BUILD/bin:$PATH
export SDW_BUILD MODE PATH
if [ ! -x "$SDW_BUILD/bin/shadow" ]; then
    echo "there is no build in $SDW_BUILD" >&2
    exit 1
fi
