#!/bin/sh
# convert --align: payloads lie aligned, the messages are the same but for zeros behind them.
. "$(dirname "$0")/support.sh"

# FlatBuffers, an empty table each, of sixteen bytes and more.
table=0c000000080008000000040008000000
printf '%s\n%s\n%s\n%s\n' $table ${table}0000 ${table}00 ${table}0000000000 >hex
for sum in none crc16 crc32 xxh3; do
    expect 0 write --from hex -c $sum -o stream hex
    for align in 2 4 8 16 32 64; do
        expect 0 convert --align $align -o aligned stream
        has err "payloads begin at multiples of $align"
        expect 0 info --json aligned
        has out "\"checksum\": \"$sum\","
        has out '"messages": 4,'
        expect 0 verify --table-root aligned
        expect 0 ls aligned
        case $sum in
        none) header=4 ;;
        crc16) header=6 ;;
        crc32) header=8 ;;
        xxh3) header=12 ;;
        esac
        line=0
        while read -r ordinal offset size checksum; do
            [ "$line" = 0 ] || [ $(((offset + header) % align)) = 0 ] ||
                fail "message $ordinal ($size bytes, $checksum) of $sum is not aligned to $align"
            line=$((line + 1))
        done <out
        [ $line = 4 ] || fail 'four messages'
        # The same messages, with zeros behind them.
        expect 0 cat aligned
        paste out hex | while read -r padded original; do
            rest=${padded#"$original"}
            [ "$padded" != "$rest" ] && [ -z "$(printf %s "$rest" | tr -d 0)" ] ||
                fail "$original became $padded"
        done || exit 1
    done
done

expect 0 convert --align 8 --to crc16 -o aligned stream
expect 0 info --json aligned
has out '"checksum": "crc16",'
expect 0 convert -q --align 8 -o aligned stream
empty err

# A payload without a table root is refused, and nothing appears.
printf '%s\n616263\n' $table >hex
expect 0 write --from hex -o stream hex
expect 1 convert --align 8 -o refused stream
has err 'offset 28, message 1: '
missing refused

# A part of a stream.
expect 0 convert --to none --range 1..2 -o part stream
bytes 03000000616263 | cmp - part || fail 'a part'
