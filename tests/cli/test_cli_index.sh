#!/bin/sh
# index: made, held against the stream, used where it fits, and never anything but faster.
. "$(dirname "$0")/support.sh"

# 6000 messages of 8 to 207 bytes.
make_hex() {
    awk -v from="$1" -v to="$2" 'BEGIN {
        for (i = from; i < to; i++) {
            line = sprintf("%08x%08x", i, i * 7)
            for (j = 0; j < i % 200; j++)
                line = line sprintf("%02x", (i + j) % 256)
            print line
        }
    }'
}
make_hex 0 6000 | "$tool" write --from hex -o s 2>err || fail 'write'
size=$(size_of s)

# Made beside the stream, shown and checked.
expect 0 index s
empty out
has err 's.fli: 6,000 messages, '
expect 0 index --show s
has out 'covers     '
has out 'messages   6,000, of 8 bytes to 207 bytes'
expect 0 index --show --json s
has out '"index": "s.fli",'
has out '{"ordinal": 0, "offset": 0, "time_ns": null}'
has out '"messages": 6000,'
has out "\"covered_bytes\": $size,"
has out '"checksum": "xxh3",'
has out '"time": null,'
has out '"ok": true'
expect 0 index --check s
has err 'right'
expect 0 index --json -o other.fli --interval 4Ki s
has out '"index": "other.fli",'
has out '"interval_bytes": 4096,'
expect 0 index --check -o other.fli s
has_not out 'fault'

# With it and without it: the same bytes and the same exit code.
cp s bare
both() {
    wanted=$1
    shift
    for verb in 'cat --as hex' 'cat --as frames' ls 'ls --json' 'slice -o -'; do
        # shellcheck disable=SC2086
        "$tool" $verb "$@" bare >want 2>/dev/null
        [ $? = "$wanted" ] || fail "$verb $*, without an index: not $wanted"
        # shellcheck disable=SC2086
        "$tool" $verb "$@" -v s >got 2>err
        code=$?
        [ $code = "$wanted" ] || fail "$verb $*: exit code $code, not $wanted"
        sed 's/"file": "bare"/"file": "s"/' want >want2
        same got want2
    done
}
for range in 0..3 599..602 3000..3100 5990.. 5999..6000 6000..6010 9000.. 4000..4000 100..5999; do
    both 0 --range $range
done
both 0 --range 3000.. -n 5
has err 'by its index'
expect 0 convert --to crc32 -c xxh3 --range 5000..5010 -o c1 s
expect 0 convert --to crc32 -c xxh3 --range 5000..5010 -o c2 bare
same c1 c2
for count in 1 3 700 5999 6000 7000; do
    expect 0 tail --as hex -n $count bare
    cp out want
    expect 0 tail --as hex -n $count -v s
    same out want
done
expect 0 tail --as hex -n 3 -v s
has err 'by its index'

# A stream that grows: good for what was there, and gone on with.
make_hex 6000 9000 | "$tool" write --append --from hex -o s 2>err || fail 'append'
cp s bare
expect 0 index --show s
has out 'the stream goes on'
expect 1 index --check s
has err 'the stream goes on behind'
both 0 --range 5000..5003
both 0 --range 8990..
expect 0 tail --as hex -n 2 bare
cp out want
expect 0 tail --as hex -n 2 -v s
same out want
has err 'by its index'
cp s.fli old.fli
expect 0 index --extend -v s
has err 'goes on behind message 6000'
cp s.fli extended
expect 0 index s
same s.fli extended
expect 0 index --check s

# Damage in or behind what is asked for: the same. Before it: not met.
damage() {
    cp bare.sound "$1"
    printf '\377' | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
cp bare bare.sound
at=$(awk '$1 == 5000 {print $2 + 14}' <<END
$("$tool" ls --range 5000..5001 bare)
END
)
damage s "$at"
damage bare "$at"
both 0 --range 4000..4010
both 1 --range 4000..5001
both 1 --range 4999..
both 1 --range 5000..5001
expect 1 cat --as hex --range 8000..8002 bare
expect 0 cat --as hex --range 8000..8002 s
[ "$(wc -l <out)" -eq 2 ] || fail 'behind the damage'
expect 1 index --check s
has err 'checksum mismatch'

# Made of what is damaged: what is before it.
cp s damaged
expect 1 index --json damaged
has out '"messages": 5000,'
has out '"ok": false'
has out '"fault": "offset '
expect 0 cat --as hex --range 4990..4992 damaged

# salvage knows where messages stood, and gives the same.
expect 1 salvage -v -o saved s
has err 'its index says where'
expect 1 salvage -o saved2 bare
same saved saved2

# Cut, replaced, and an index that is damaged or none: said, and done without.
head -c $((size / 2)) bare.sound >s
cp s bare
both 0 --range 1000..1010
make_hex 100 9000 | "$tool" write --from hex -o s 2>err || fail 'write'
cp s bare
both 0 --range 8000..8003
has err 's.fli is not used: '
expect 1 index --check s
expect 1 index --show s
has err 'another stream'
expect 0 index --extend s
has err 'does not fit'
expect 0 index --check s
head -c 400 s.fli >short
mv short s.fli
both 0 --range 8000..8003
expect 1 index --show s
has out 'fault'
expect 1 index --check s
printf 'no index' >s.fli
both 0 --range 8000..8003
expect 1 index --check s
rm s.fli
mkdir s.fli
both 0 --range 8000..8003
rmdir s.fli
expect 3 index --check s
has err 's.fli'
both 0 --range 8000..8003

# The checksum that is asked for is the one of the stream.
expect 0 index s
expect 1 cat -c crc32 --as hex --range 8000..8003 s
empty out

# Times.
cat >t.fbs <<'END'
table T { stamp_ms: ulong; text: string; }
root_type T;
END
awk 'BEGIN {
    for (i = 1; i <= 3000; i++)
        printf "{\"stamp_ms\": %d, \"text\": \"%60d\"}\n", 1000000 + i, i
}' | "$tool" write --from json -s t.fbs -o t 2>err || fail 'write json'
expect 0 index -s t.fbs --time stamp_ms t
expect 0 index --show --json t
has out '"time": "stamp_ms",'
has out '"timed_messages": 3000,'
has out '"time_min_ns": 1000001000000,'
has out '"time_max_ns": 1003000000000,'
has out '{"ordinal": 0, "offset": 0, "time_ns": 1000001000000}'
expect 0 index --check -s t.fbs --time stamp_ms t
expect 0 index --check t
expect 2 index --time stamp_ms t
expect 2 index -s t.fbs --time text t

# Nothing, one message, a pipe, and what the system refuses.
: >nothing
expect 0 index nothing
expect 0 index --check nothing
expect 0 index --show --json nothing
has out '"checksum": null,'
expect 0 index --show nothing
has out 'messages   0'
has_not out 'of 0 bytes to'
expect 0 tail -n 3 --as hex nothing
printf '61\n' | "$tool" write --from hex -o one 2>err || fail 'write one'
expect 0 index one
expect 0 cat --as hex --range 0..1 one
has out 61
expect 0 cat --as hex --range 1.. one
empty out
"$tool" index - <one 2>err
[ $? = 2 ] || fail 'a pipe'
expect 3 index no-such-file
expect 3 index -o no-such-folder/x one
if [ -c /dev/full ]; then
    expect 3 index -o /dev/full s
    has err '/dev/full: no space left'
fi
expect 2 index -o one one
expect 2 index -o - one
expect 2 index --check --show one
expect 2 index --interval 63 one
expect 2 index --interval 4Ki --show one
printf 'this is no stream, whatever the checksum may be' >text
expect 1 index text
missing text.fli
exit 0
