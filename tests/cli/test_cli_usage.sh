#!/bin/sh
# Help, man pages, and what is answered to a wrong command line: exit code 2 and a hint.
. "$(dirname "$0")/support.sh"

verbs='info verify ls cat write recover salvage diff convert slice split merge sort grep stats schema record tail replay journal
    index send recv bench version help'

expect 2
has err 'flatstream --help'
expect 0 --help
expect 0 -h
for verb in $verbs; do
    has out "  $verb "
done
for verb in $verbs; do
    expect 0 "$verb" --help
    empty err
    has out "Usage: flatstream $verb"
    has out 'Exit codes:'
    has out 'Examples:'
    cp out help
    expect 0 "$verb" -h
    same out help
    expect 0 help "$verb"
    same out help
    ! grep -q '.\{101\}' out || fail "a line of $verb's help is too long"
done

expect 0 help --scdoc-list
# shellcheck disable=SC2086
set -- $verbs
[ "$(wc -l <out)" -eq $(($# + 1)) ] || fail 'a page is missing, or a verb in this test'
cp out pages
while read -r page; do
    expect 0 help --scdoc "$page"
    has out "$page(1)"
    if command -v scdoc >/dev/null; then
        scdoc <out >page 2>err || fail "scdoc refuses $page"
    fi
done <pages
expect 2 help --scdoc flatstream-nothing
expect 2 help nothing

expect 0 version
has out "flatstream "
expect 0 --version
expect 0 version --json
has out '"version": "'
has out '"kernels": "'
expect 2 version more

expect 2 verfy
has err "did you mean 'verify'?"
expect 2 xyzzy
has_not err 'did you mean'
for verb in serve export publish; do
    expect 2 "$verb" file
    has err "'$verb' is not in this version"
done

: >file
expect 2 info --jsn file
has err 'did you mean --json?'
expect 2 info --json=yes file
expect 2 info -x file
has err 'no option -x'
expect 2 cat --as
has err '--as needs a value'
expect 2 cat --as json file
has err '--as json needs a schema'
expect 2 cat --as nothing file
expect 3 verify -s schema.bfbs file
expect 3 verify --schema schema.bfbs file
expect 2 verify --root Type file
expect 2 verify --check utf8 file
expect 2 verify --check utf9 -s schema.bfbs file
expect 2 recover -s schema.bfbs file
has err 'there is no option -s'
expect 2 write --from json -o x file
has err '--from json needs a schema'
expect 2 write --from hex --lenient -o x file
expect 2 cat --since -5m file
expect 2 info -c md5 file
expect 2 info -c custom file
expect 2 write -c auto --from hex -o x file
expect 2 convert --to auto -o x file
expect 2 convert -o x file
expect 2 convert --align 3 -o x file
expect 2 convert --align 128 -o x file
expect 2 info --max-frame 0 file
expect 2 info --max-frame 5Gi file
expect 2 info --max-frame 1Q file
expect 0 info --max-frame 64Ki file
expect 0 info --max-frame 2G file
expect 2 cat --range 5 file
expect 2 cat --range 5..3 file
expect 2 cat --range a..b file
expect 2 cat -n -1 file
expect 2 verify -j 0 file
expect 0 verify -j 4 file
expect 2 info file file
expect 2 recover --discard file
expect 2 recover --truncate -
expect 2 write -o x
expect 2 write --append --from hex
expect 2 write --discard --from hex -o x file
expect 2 send file
expect 2 send file nowhere
expect 2 send file http://host:1
expect 2 send --timeout never file unix:x
expect 2 recv unix:x
expect 2 recv -o x nowhere
expect 2 recv -o x
expect 2 bench file

# Options may stand anywhere, and -- ends them.
expect 0 info file --json
expect 0 info --json -- file
: >--json
expect 0 info -- --json
rm -- --json
only file help page pages
