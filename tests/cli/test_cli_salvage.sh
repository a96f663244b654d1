#!/bin/sh
# salvage: what is sound comes out, what was lost is told byte by byte, and nothing is touched.
. "$(dirname "$0")/support.sh"

# Frames of abc, def and ghi under xxh3.
printf '616263\n646566\n676869\n' | "$tool" write --from hex -o three 2>err || fail 'write'
abc=0300000050392f89945faf78616263
def=$(dd if=three bs=1 skip=15 count=15 2>/dev/null | od -An -tx1 | tr -d ' \n')
ghi=$(dd if=three bs=1 skip=30 count=15 2>/dev/null | od -An -tx1 | tr -d ' \n')

# A sound stream comes out as it is.
expect 0 salvage -o out.fls three
same out.fls three
has err '3 messages recovered, 0 of them repaired; 0 bytes lost'
expect 0 salvage --json -o out.fls three
has out '"messages": 3,'
has out '"lost_bytes": 0,'
has out '"recovered_bytes": 45,'
has out '"ok": true'
empty err
: >nothing
expect 0 salvage --json -o out.fls nothing
has out '"stream_bytes": 0,'
empty out.fls

# A payload that was hit: that message and no other.
bytes "$abc${def%66}67$ghi" >payload
cp payload before
expect 1 salvage -o out.fls payload
has err 'payload: lost 15..30 (15 bytes): payload: checksum mismatch'
has err '2 messages recovered, 0 of them repaired; 15 bytes lost in 1 range'
same payload before
bytes "$abc$ghi" >wanted
same out.fls wanted
expect 1 salvage --json -o out.fls payload
has out '{"from": 15, "to": 30, "bytes": 15, "reason": "payload", "ordinal": 1,'
has out '"lost_ranges": 1,'
has out '"lost_bytes": 15,'
has out '"recovered_bytes": 30,'
has out '"end": "clean",'
has out '"output": "out.fls",'
has out '"ok": false'
expect 1 salvage -q -o out.fls payload
empty err

# Every bit of a length: repaired, nothing lost.
for length in 02000000 01000000 07000000 0b000000 83000000 03010000 03000001 03000080; do
    bytes "$abc$length${def#03000000}$ghi" >length
    expect 0 salvage --json -o out.fls length
    same out.fls three
    has out '{"from": 15, "to": 30, "repair": "length", "ordinal": 1}'
    has out '"repaired_messages": 1,'
    has out '"ok": true'
done

# A bit of a checksum: kept, and written with the right one.
rest=${def#????????}
flipped=$(printf '%02x' $((0x${rest%"${rest#??}"} ^ 4)))
bytes "${abc}03000000$flipped${rest#??}$ghi" >checksum
expect 0 salvage --json -o out.fls checksum
same out.fls three
has out '{"from": 15, "to": 30, "repair": "checksum", "ordinal": 1}'

# --dry-run writes nothing; what is not a file is read as well.
rm out.fls
expect 1 salvage --dry-run payload
has err 'lost 15..30'
missing out.fls
"$tool" salvage --json -o out.fls - <payload >out 2>err
[ $? = 1 ] || fail 'standard input'
same out.fls wanted
cat payload | "$tool" salvage --json -o out2.fls - >out 2>err
[ $? = 1 ] || fail 'a pipe'
same out2.fls wanted
expect 1 salvage -o - payload
same out wanted

# Garbage between frames, and tails.
bytes "$abc" >garbage
printf 'some garbage that is no frame at all' >>garbage
bytes "$def$ghi" >>garbage
expect 1 salvage --json -o out.fls garbage
same out.fls three
has out '{"from": 15, "to": 51, "bytes": 36, "reason": "framing", "ordinal": 1,'
for tail in 03 0300000050392f89945faf7861; do
    cp three torn
    bytes "$tail" >>torn
    expect 1 salvage --json -o out.fls torn
    same out.fls three
    has out '"reason": "torn_tail"'
    has out '"end": "torn_tail",'
done
cp three zero
zeros 100 >>zero
expect 1 salvage --json -o out.fls zero
same out.fls three
has out '"bytes": 100, "reason": "zero_tail"'

# Wrong usage, and a system that refuses: OUT does not appear, FILE stays.
rm -f out.fls out2.fls
expect 2 salvage payload
has err '-o OUT'
expect 2 salvage --dry-run -o out.fls payload
expect 2 salvage --json -o - payload
expect 2 salvage -o payload payload
same payload before
expect 3 salvage -o out.fls no-such-file
expect 3 salvage -o no-such-folder/out.fls payload
printf 'this is no stream, whatever the checksum may be' >text
expect 1 salvage -o out.fls text
missing no-such-folder

# Whatever -j says, the same comes out, is told, and ends so: of some 400 KiB, which threads share in
# pieces of 64 KiB.
awk 'BEGIN {
    for (i = 0; i < 2000; i++) {
        line = ""
        for (k = 0; k < 20 + i % 41; k++)
            line = line sprintf("%04x%04x", (i * 7919 + k * 104729) % 65536, (i * k) % 65536)
        print line
    }
}' >lines
for algo in xxh3 crc32 crc16 none; do
    expect 0 write --from hex -c $algo -o sound lines
    size=$(size_of sound)
    [ "$size" -gt 300000 ] || fail "only $size bytes"
    cp sound hit
    for at in 3001 70000 70100 131070 200003 299999; do
        printf '\377\001' | dd of=hit bs=1 seek=$at conv=notrunc 2>/dev/null
    done
    head -c $((size - 7)) hit >torn
    head -c 100000 sound >hole
    zeros 9000 >>hole
    tail -c +150001 sound >>hole
    zeros 700 >>hole
    for file in sound hit torn hole; do
        for options in -v '--json --keep-unanchored'; do
            rm -f out.fls
            # The words of $options are apart.
            # shellcheck disable=SC2086
            "$tool" salvage $options -c $algo -j 1 -o out.fls $file >out1 2>err1
            code1=$?
            mv out.fls out1.fls
            for j in 2 7; do
                "$tool" salvage $options -c $algo -j $j -o out.fls $file >out 2>err
                code=$?
                same out out1
                same err err1
                same out.fls out1.fls
                [ $code = $code1 ] || fail "$algo $file $options: -j $j ends with $code, not $code1"
            done
        done
        [ $code1 = 0 ] || [ $file != sound ] || fail "$algo: something was lost of what is sound"
    done
done
expect 2 salvage -j 0 -o out.fls three
exit 0
