# What the scripts beside this one share. Sourced; needs FLS_TOOL_PATH. Each script runs in an empty
# folder of its own, which goes away with it.
set -u
LC_ALL=C
export LC_ALL
tool=${FLS_TOOL_PATH:?}
folder=$(mktemp -d) || exit 1
# Some shells know of no jobs in a substitution: it is a process of its own.
trap 'jobs -p >"$folder/jobs"; kill $(cat "$folder/jobs") 2>/dev/null; cd /; rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM HUP
cd "$folder" || exit 1

fail() {
    echo "FAILED: $*" >&2
    [ ! -s err ] || sed 's/^/  stderr: /' err >&2
    exit 1
}

# expect CODE ARGUMENTS...: runs the tool, output in ./out and ./err, and wants that exit code.
expect() {
    wanted=$1
    shift
    "$tool" "$@" >out 2>err
    code=$?
    [ "$code" = "$wanted" ] || fail "flatstream $*: exit code $code, not $wanted"
}

# has FILE TEXT: some line of FILE holds TEXT.
has() {
    grep -q -F -e "$2" "$1" || {
        sed 's/^/  has: /' "$1" >&2
        fail "$1 does not have: $2"
    }
}

# wait_for COMMAND...: until it succeeds.
wait_for() {
    tries=0
    until "$@" 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -lt 3000 ] || fail "waited in vain for: $*"
        sleep 0.01
    done
}

has_not() {
    ! grep -q -F -e "$2" "$1" || fail "$1 has: $2"
}

same() {
    cmp "$1" "$2" >&2 || fail "$1 and $2 differ"
}

empty() {
    [ ! -s "$1" ] || fail "$1 is not empty: $(head -c 200 "$1")"
}

missing() {
    [ ! -e "$1" ] || fail "$1 is there"
}

# only FILES...: nothing else lies in this folder, such as a temporary file.
only() {
    for name in * .[!.]*; do
        case $name in
        out | err | '.[!.]*') continue ;;
        esac
        case " $* " in
        *" $name "*) ;;
        *) fail "$name was left behind" ;;
        esac
    done
}

size_of() {
    wc -c <"$1" | tr -d ' '
}

# bytes HEX: those bytes.
bytes() {
    digits=$1
    while [ -n "$digits" ]; do
        rest=${digits#??}
        # shellcheck disable=SC2059
        printf "\\$(printf %03o "0x${digits%"$rest"}")"
        digits=$rest
    done
}

# zeros COUNT: so many zero bytes.
zeros() {
    head -c "$1" /dev/zero
}
