#!/bin/sh
# write: wrong input is named with its place and leaves nothing; files as messages; appending.
. "$(dirname "$0")/support.sh"

# wrong FORM INPUT MESSAGE: refused, and no output appears.
wrong() {
    printf "$2" >in
    expect 1 write --from "$1" -o result in
    has err "$3"
    missing result
    expect 1 write --from "$1" -o result <in
    has err "flatstream: standard input: $3"
    missing result
}

wrong hex '6162\n6x62\n' "line 2, column 2: 'x' is no hex digit"
wrong hex '616\n' 'line 1, column 3: an odd number of digits'
wrong hex '61\n\n616' 'line 3, column 3: an odd number of digits'
wrong hex '61 62\n' 'line 1, column 3: byte 0x20 is no hex digit'
wrong hex '61\r62\n' 'line 1, column 3: byte 0x0d is no hex digit'
wrong hex '0x61\n' "line 1, column 2: 'x' is no hex digit"
wrong delimited '\003\000\000\000ab' 'offset 0: the input ends within a message: 2 bytes there, 3 expected'
wrong delimited '\001\000\000\000a\001\000' 'offset 5: the input ends within a length: 2 bytes there, 4 expected'
wrong delimited '\377\377\377\377' 'offset 0: a message of 4294967295 bytes or more, over the limit'
wrong delimited '\377\377\377\177abc' 'offset 0: the input ends within a message: 3 bytes there, 2147483647 expected'

printf '616263\n' >in
expect 1 write --max-frame 2 --from hex -o result in
has err 'line 1: '
missing result
printf '\003\000\000\000abc' >in.delimited
expect 1 write --max-frame 2 --from delimited -o result in.delimited
expect 1 write --max-frame 2 -o result in
expect 0 write --max-frame 3 --from delimited -o result in.delimited
rm result in.delimited

# An existing result stays as it is when the input is wrong, and keeps its mode when it is not.
echo before >result
chmod 640 result
cp result kept
printf '6\n' >in
expect 1 write --from hex -o result in
same result kept
printf 'ABcdEF\r\n61' >in
expect 0 write --from hex -c none -o result in
bytes 03000000abcdef0100000061 >kept
same result kept
[ "$(ls -l result | cut -c1-10)" = -rw-r----- ] || fail 'the mode changed'

# A large message, in pieces of every reader's buffer.
head -c 3000000 /dev/urandom >large
expect 0 write -o result large in large
expect 0 cat --as raw --range 0..1 -o back result
same back large
expect 0 cat --as delimited -o delimited result
expect 0 write --from delimited -o again delimited
same again result
expect 0 cat --as hex -o hex result
expect 0 write --from hex -o again hex
same again result
[ "$(wc -l <hex)" -eq 3 ] || fail 'three lines'
"$tool" write large - in <large >again || fail 'a file from standard input'
"$tool" cat --as raw --range 1..2 again | cmp - large || fail 'the message from standard input'
rm -f back delimited hex again kept

# Files: a missing one is found before anything is written, an empty one is no message.
expect 3 write -o nothing in nowhere
has err 'nowhere: No such file'
expect 3 write -o nothing in .
: >none
expect 1 write -o nothing in none
missing nothing

# A stream of empty messages at its end is told about.
printf '61\n\n\n\n\n' >in
expect 0 write --from hex -c none -o nothing in
has err 'zero tail'
expect 0 write --from hex -c xxh3 -o nothing in
empty err
rm nothing none large result

# Appending: a new file, one that is there, one with a torn tail.
printf '616263\n' >in
printf '646566\n' >in2
expect 0 write --append --from hex log in
expect 0 write --append --from hex -o log in2
expect 0 write --append --from hex log <in
expect 0 cat log
printf '616263\n646566\n616263\n' | cmp - out || fail 'appended'
expect 2 write --append --from hex log log
expect 2 write --append --from hex -o log log
expect 1 write --append -c crc32 --from hex log in
has err xxh3
expect 0 verify log
cp log sound
bytes 0300000050 >>log
cp log torn
expect 0 write --append --from hex log in2
has err 'torn_tail of 5 bytes was cut off, and kept as log.cut-45'
bytes 0300000050 | cmp - log.cut-45 || fail 'what was cut'
cp sound want
expect 0 write --append --from hex want in2
same log want
cp torn log
expect 0 write --append --discard --from hex log in2
missing log.cut-45.1
same log want
cp torn log
expect 0 write --append --quiet --from hex log in2
empty err
[ -e log.cut-45.1 ] || fail 'a second cut file'

# -c auto takes the stream's own.
expect 0 convert --to crc16 -o log16 log
expect 0 write --append -c auto --from hex log16 in
expect 0 info --json log16
has out '"checksum": "crc16"'
has out '"messages": 5,'

# A damaged stream is refused and left alone; wrong input keeps what came before it.
bytes 0300000050392f89945faf78616263 >damaged
bytes 0300000050392f89945faf78616264 >>damaged
bytes 0300000050392f89945faf78616263 >>damaged
cp damaged copy
expect 1 write --append --from hex damaged in
has err 'offset 15, message 1: '
same damaged copy
cp sound log
printf '616263\n6\n' >in
expect 1 write --append --from hex log in
has err 'line 2'
expect 0 info --json log
has out '"messages": 4,'
only in in2 log log16 log.cut-45 log.cut-45.1 damaged copy sound torn want
