#!/bin/sh
# What info, verify, ls and recover say about sound and damaged streams, from a file and a pipe.
. "$(dirname "$0")/support.sh"

frame=0300000050392f89945faf78616263 # "abc" under xxh3, 15 bytes

# stream NAME HEX: four sound frames with something behind or among them.
bytes "$frame$frame$frame$frame" >sound
bytes "$frame$frame${frame%63}64$frame" >mismatch # last byte of the third payload
bytes "$frame$frame" >torn
bytes "${frame%6263}" >>torn
bytes "$frame$frame" >length
bytes 0300 >>length
bytes "$frame$frame" >oversize
bytes ffffffff0000000000000000 >>oversize
bytes "$frame$frame" >zero
zeros 4096 >>zero
bytes "$frame$frame" >flipped # a bit of the third frame's length: sound frames follow
bytes "03004000${frame#03000000}$frame" >>flipped
bytes "$frame$frame" >partial # the payload of the last frame was never written
bytes 0008000050392f89945faf78616263 >>partial
zeros 2500 >>partial

# report FILE EXIT MESSAGES END GOOD SIZE: all verbs agree, from a file and from a pipe.
report() {
    file=$1 code=$2 messages=$3 end=$4 good=$5 size=$6
    ok=$([ "$code" = 0 ] && echo true || echo false)
    expect "$code" info -c xxh3 "$file"
    has out "end          $end"
    expect "$code" info --json -c xxh3 "$file"
    has out "\"messages\": $messages,"
    has out "\"payload_bytes\": $((messages * 3)),"
    has out "\"stream_bytes\": $size,"
    has out "\"end\": \"$end\","
    has out "\"last_good_offset\": $good,"
    has out "\"ok\": $ok"
    sed 1,2d out >info.file
    "$tool" info --json -c xxh3 - <"$file" | sed 1,2d >info.redirected
    same info.redirected info.file
    cat "$file" | "$tool" info --json -c xxh3 - | sed 1,2d >info.pipe
    same info.pipe info.file
    expect "$code" info --json "$file"
    sed 1,2d out >info.auto
    same info.auto info.file

    expect "$code" recover --json -c xxh3 "$file"
    has out "\"frames\": $messages,"
    has out "\"last_good_offset\": $good,"
    has out "\"end\": \"$end\","
    has out '"truncated_bytes": 0,'
    has out "\"ok\": $ok"
    sed 1,2d out >recover.file
    cat "$file" | "$tool" recover --json -c xxh3 - | sed 1,2d >recover.pipe
    same recover.pipe recover.file

    expect "$code" verify --json -c xxh3 "$file"
    has out "\"end\": \"$end\","
    has out "\"last_good_offset\": $good,"
    has out "\"stream_bytes\": $size,"
    has out "\"ok\": $ok"
    sed 1,2d out >verify.file
    cat "$file" | "$tool" verify --json -c xxh3 - | sed 1,2d >verify.pipe
    same verify.pipe verify.file

    # cat prints what was sound before; ls lists it.
    expect "$code" cat -c xxh3 "$file"
    [ "$(grep -c '^616263$' out)" = "$messages" ] || fail "cat of $file"
    [ "$code" = 0 ] || has err "flatstream: $file: offset $good, message $messages: "
    expect "$code" ls -c xxh3 "$file"
    [ "$(wc -l <out)" -eq "$messages" ] || fail "ls of $file"
    expect "$code" ls --json -c xxh3 "$file"
    has out "\"messages\": $messages,"
    has out "\"ok\": $ok"
}

report sound 0 4 clean 60 60
report mismatch 1 2 damaged 30 60
report torn 1 2 torn_tail 30 43
report length 1 2 torn_tail 30 32
report oversize 1 2 damaged 30 42
report zero 1 2 zero_tail 30 4126
report flipped 1 2 damaged 30 60
report partial 1 2 zero_tail 30 2545

# verify goes on behind a wrong checksum, and says where it could not.
expect 1 verify --json mismatch
has out '{"offset": 30, "ordinal": 2, "kind": "checksum_mismatch", "detail": "'
has out '"messages": 3,'
has out '"fault_count": 1,'
has out '"unchecked_bytes": 0,'
expect 1 verify mismatch
has out '          30          2  checksum_mismatch'
[ "$(wc -l <out)" -eq 2 ] || fail 'one fault, one line, and a summary'
expect 1 verify -q mismatch
empty out
expect 0 verify -q sound
empty out
expect 1 verify --json oversize
has out '"kind": "invalid_frame"'
has out '"unchecked_bytes": 12,'
expect 1 verify --json torn
has out '"kind": "torn_tail"'
expect 1 verify --json zero
has out '"kind": "zero_tail"'
expect 1 verify --json partial
has out '"kind": "zero_tail"'
has out '"fault_count": 1,'
expect 1 verify --json flipped
has out '"kind": "unexpected_eof"'
expect 1 recover --json flipped
has out '"proof_offset": 30,' # with its length repaired

# Many faults: every one has its line.
i=0
: >many
while [ $i -lt 10 ]; do
    cat sound mismatch >>many
    i=$((i + 1))
done
expect 1 verify many
[ "$(grep -c checksum_mismatch out)" = 10 ] || fail 'ten faults'
expect 1 verify --json many
has out '"fault_count": 10,'
has out '"messages": 70,'

# Payloads that are no FlatBuffers.
expect 1 verify --table-root --json sound
has out '"kind": "validation_failed"'
has out '"fault_count": 4,'
has out '"messages": 0,'
has out '"end": "damaged",'
printf '0c000000080008000000040008000000\n' | "$tool" write --from hex -o table || fail write
expect 0 verify --table-root table

# A limit on frames.
expect 1 info --max-frame 2 --json -c xxh3 sound
has out '"end": "damaged",'
has out '"kind": "invalid_frame"'
expect 0 info --max-frame 3 -c xxh3 sound

# Sizes: 1 to 100 bytes.
i=1
line=
: >sizes.hex
while [ $i -le 100 ]; do
    line="${line}5a"
    echo "$line" >>sizes.hex
    i=$((i + 1))
done
expect 0 write --from hex -o sizes sizes.hex
expect 0 info --json sizes
has out '"size_min": 1,'
has out '"size_median": 50,'
has out '"size_p99": 99,'
has out '"size_max": 100,'
has out '{"from": 64, "to": 127, "messages": 37}'
expect 0 info sizes
has out 'min 1, median 50, p99 99, max 100 bytes'

# Ranges.
expect 0 cat --range 10..12 sizes
sed -n 11,12p sizes.hex | cmp - out || fail 'range 10..12'
expect 0 cat --range ..3 sizes
head -3 sizes.hex | cmp - out || fail 'range ..3'
expect 0 cat --range 97.. sizes
tail -3 sizes.hex | cmp - out || fail 'range 97..'
expect 0 cat --range 97.. -n 2 sizes
sed -n 98,99p sizes.hex | cmp - out || fail 'range and limit'
expect 0 cat -n 0 sizes
empty out
expect 0 cat --range 1000.. sizes
empty out
expect 0 ls -n 5 sizes
[ "$(wc -l <out)" -eq 5 ] || fail 'ls -n 5'
# What was not asked for is not looked at.
expect 0 cat -n 2 mismatch
expect 1 cat -n 3 mismatch

# Missing files, folders and unreadable ones are the operating system's refusals.
for verb in info verify ls cat recover; do
    expect 3 $verb nowhere
    has err 'nowhere: No such file'
    empty out
    expect 3 $verb .
    has err 'directory'
done
if [ "$(id -u)" != 0 ]; then
    : >locked
    chmod 0 locked
    expect 3 info locked
fi
