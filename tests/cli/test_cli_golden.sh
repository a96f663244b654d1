#!/bin/sh
# Golden frames of every checksum, written and read in each form; what one verb writes another reads.
. "$(dirname "$0")/support.sh"

# Frames of "abc", of an empty message and of the bytes 00 ff, as docs/FORMAT.md lays them out.
bytes 03000000616263 >one.none
bytes 03000000d69d616263 >one.crc16
bytes 03000000c2412435616263 >one.crc32
bytes 0300000050392f89945faf78616263 >one.xxh3
bytes 00000000 >empty.none
bytes 000000000000 >empty.crc16
bytes 0000000000000000 >empty.crc32
bytes 00000000c294d3380580062d >empty.xxh3

printf '616263\n' >one.hex
printf '616263\n\n616263\n' >three.hex
printf 'abcabc' >three.raw
bytes 0300000061626300000000 >three.delimited
bytes 03000000616263 >>three.delimited

for sum in none crc16 crc32 xxh3; do
    cat "one.$sum" "empty.$sum" "one.$sum" >"three.$sum"

    expect 0 write --from hex -c $sum -o written one.hex
    same written "one.$sum"
    expect 0 write --from hex -c $sum -o written three.hex
    same written "three.$sum"
    expect 0 write --from delimited -c $sum -o written three.delimited
    same written "three.$sum"
    "$tool" write --from delimited -c $sum <three.delimited >written || fail 'from stdin to stdout'
    same written "three.$sum"

    expect 0 cat --as hex -c $sum "three.$sum"
    same out three.hex
    expect 0 cat -c $sum "three.$sum"
    same out three.hex
    expect 0 cat --as raw -c $sum "three.$sum"
    same out three.raw
    expect 0 cat --as delimited -c $sum "three.$sum"
    same out three.delimited
    expect 0 cat --as frames -c $sum "three.$sum"
    same out "three.$sum"
    "$tool" cat --as frames -c $sum - <"three.$sum" | "$tool" cat -c $sum | cmp - three.hex ||
        fail "through pipes with $sum"

    expect 0 info -c $sum --json "three.$sum"
    has out "\"checksum\": \"$sum\""
    has out '"messages": 3,'
    expect 0 verify -c $sum "three.$sum"
done

for from in none crc16 crc32 xxh3; do
    for to in none crc16 crc32 xxh3; do
        expect 0 convert -c $from --to $to -o converted "three.$from"
        empty out
        empty err
        same converted "three.$to"
    done
done

# Which of them it is, by proof. One frame that ends where the file ends is enough for each.
for sum in none crc16 crc32 xxh3; do
    for file in "one.$sum" "three.$sum"; do
        expect 0 info -v --json "$file"
        has out "\"checksum\": \"$sum\""
        expect 0 cat -v "$file"
        has err "the checksum is $sum"
    done
    expect 0 convert --to none -o converted "three.$sum"
    same converted three.none
done

# Nothing is proven by bytes that fit nothing.
bytes ffffff7f0102030405 >noise
for verb in info verify ls cat recover; do
    expect 1 $verb noise
    has err 'checksum could not be proven'
    has err '-c ALGO'
done
expect 1 convert --to none -o converted.noise noise
missing converted.noise
expect 1 info --json noise
has out '"checksum": null'
has out '"ok": false'

# A stream of no bytes is clean under every checksum.
: >nothing
for sum in auto none crc16 crc32 xxh3; do
    expect 0 info -c $sum nothing
    expect 0 verify -c $sum nothing
    expect 0 recover -c $sum nothing
    expect 0 cat -c $sum nothing
    empty out
    expect 0 convert -c $sum --to crc16 -o converted nothing
    empty converted
done
expect 0 info --json nothing
has out '"checksum": null'
has out '"messages": 0,'
has out '"end": "clean"'
has out '"size_min": null'
expect 0 info --json -c crc32 nothing
has out '"checksum": "crc32"'
expect 0 write --from hex -o written nothing
empty written
expect 0 write --from delimited -o written nothing
empty written
