#!/bin/sh
# Several threads on a file with an index beside it, which says where to split it: whatever is in that, a
# verb gives the same bytes, says the same on standard error and ends with the same code as one thread
# without it.
. "$(dirname "$0")/support.sh"

cp "${FLS_SOURCE_DIR:?}/tests/schemas/telemetry.fbs" .
flatc -b --schema --bfbs-builtins telemetry.fbs || fail 'flatc'

. "$(dirname "$0")/telemetry_streams.sh"

# Messages that the schema refuses, in the middle and early.
printf '00112233445566778899aabbccddeeff00112233\n' >hex
expect 0 write --from hex -o bad hex
cat sound bad sound bad >refused
expect 0 convert --to crc16 -o narrow sound
expect 0 convert --to none -o bare sound

# The index of a stream says where to split it, and nothing else: whatever it is, all is as without.
mkdir plain with
cp telemetry.bfbs plain
cp telemetry.bfbs with
one='stats -s telemetry.bfbs --select sequence,battery.cell_mv[*]'
two='grep -s telemetry.bfbs --where sequence>700'
three=info
four='convert --to none -o -'
runs=0
# joins WHAT: with/s is read as plain/s, which has no index.
joins() {
    for arguments in 'verify --json' 'cat --as raw' "$one"; do
        cd plain || exit 1
        # shellcheck disable=SC2086
        "$tool" $arguments -j 1 s >../out1 2>../err1
        code1=$?
        cd ../with || exit 1
        # shellcheck disable=SC2086
        "$tool" $arguments -j 3 s >../out 2>../err
        code=$?
        cd ..
        cmp out1 out >&2 || fail "$arguments: something else ($1)"
        cmp err1 err >&2 || fail "$arguments: says something else ($1)"
        [ $code = $code1 ] || fail "$arguments: ends with $code, not $code1 ($1)"
        runs=$((runs + 1))
    done
    five=$one
    one=$two
    two=$three
    three=$four
    four=$five
}
# index_of FILE [OPTIONS]: its index beside with/s.
index_of() {
    expect 0 index -o with/s.fli "$@"
}
# both FILE: is what there is to read.
both() {
    cp "$1" plain/s
    cp "$1" with/s
}
for interval in 4Ki 10000 64Ki 150000; do
    both sound
    index_of sound --interval $interval
    joins "right, $interval"
done
expect 0 verify -v -j 2 with/s
has err 'split for cores by its index'
expect 0 verify -v -j 1 with/s
has_not err 'index'
for file in hit length torn zero refused narrow bare; do # of what they were made of, and their own
    both $file
    index_of sound
    joins "of another, $file"
    "$tool" index with/s >out 2>err
    joins "its own, $file"
done
# Turned round but for the end: the index fits by its proof, and nearly all of its places are wrong.
expect 0 ls --range 900..901 sound
middle=$(awk 'NR == 1 { print $2 }' out | tr -d ,)
expect 0 ls --range 2400..2401 sound
last=$(awk 'NR == 1 { print $2 }' out | tr -d ,)
{
    head -c "$last" sound | tail -c +$((middle + 1))
    head -c "$middle" sound
    tail -c +$((last + 1)) sound
} >turned
[ "$(size_of turned)" = "$(size_of sound)" ] || fail 'turned round'
both turned
for interval in 4Ki 64Ki; do
    index_of sound --interval $interval
    expect 0 verify -v -j 2 with/s
    has err 'split for cores by its index'
    joins "wrong, $interval"
done
# Grown, shortened, and an index that is damaged, cut, or something else.
cat sound sound >twice
both twice
index_of sound
joins grown
head -c $((half + 1000)) sound >short
both short
joins shortened
both sound
index_of sound --interval 4Ki
for at in 5 30 100 700 1500; do
    cp with/s.fli whole
    put with/s.fli $at 5a5a5a
    joins "index damaged at $at"
    head -c $at whole >with/s.fli
    joins "index cut at $at"
    mv whole with/s.fli
done
rm with/s.fli
mkdir with/s.fli
joins 'a directory'
rmdir with/s.fli
mkfifo with/s.fli
joins 'a pipe'
rm with/s.fli

[ $runs -ge 90 ] || fail "only $runs runs"
exit 0
