#!/bin/sh
# Damage in a journal: every verb tells what is lost and where, gives everything else, and ends with 1.
. "$(dirname "$0")/support.sh"

awk 'BEGIN { for (i = 0; i < 200; i++) printf "%064x\n", i + 1 }' >hex
expect 0 record -q --from hex --segment-messages 50 -o j hex
cp -R j broken
# The frames have 44 bytes each: message 52, the last one of a segment, and the last one of all.
for place in 00000000000000000050.fls:100 00000000000000000100.fls:2180 \
    00000000000000000150.fls:2180; do
    printf XXXX | dd of="broken/${place%:*}" bs=1 seek="${place#*:}" conv=notrunc 2>dd.err
done
sed '53d;150d;200d' hex >wanted

# told: the three places, each once, in err.
told() {
    [ "$(grep -c 'checksum mismatch' err)" = "${1:-3}" ] || fail 'not told once each'
    has err 'broken/00000000000000000050.fls: offset 88 to 132: message 52 is lost: checksum'
}
expect 1 cat --as hex broken
same out wanted
told
expect 1 cat --as hex -q broken
same out wanted
told
expect 1 cat --as hex -o file broken
same file wanted
told
expect 1 cat --as frames -o frames broken
expect 0 cat --as hex frames
same out wanted
expect 0 cat --as hex --range 60..140 broken
[ "$(wc -l <out)" = 80 ] || fail 'beside the damage'
expect 1 cat --as hex --range 52..53 broken
empty out
expect 1 cat --as hex --range 51..53 broken
[ "$(wc -l <out)" = 1 ] || fail 'before the damage'
expect 1 tail -n 50 --as hex broken
[ "$(wc -l <out)" = 49 ] || fail 'tail'
expect 1 tail -n 1 --as hex broken
empty out
expect 1 ls broken
[ "$(wc -l <out)" = 197 ] || fail 'ls'
told
expect 1 ls --json broken
has out '"messages": 197'
has out '"ok": false'
expect 1 replay --max --as hex broken
same out wanted
expect 1 convert --to crc16 -o stream broken
expect 0 cat --as hex stream
same out wanted
expect 1 info --json broken
told
has out '"messages": 197'
has out '"lost_messages": 3'
has out '"end": "damaged"'
has out '"offset": 88'
has out '"ok": false'
expect 1 info broken
has out '3 messages are lost by damage in 3 places'
expect 1 verify broken
has out '197 sound messages, 3 lost'

# To a peer.
"$tool" recv -q -o received unix:socket &
wait_for test -S socket
expect 1 send broken unix:socket
told
wait
expect 0 cat --as hex received
same out wanted
rm -f socket
"$tool" recv -q -o replayed unix:socket &
wait_for test -S socket
expect 1 replay --max -o unix:socket broken
wait
same received replayed

# Into another journal, which says that there were more.
expect 1 convert --journal --to none -o copy broken
told
expect 0 verify copy
expect 0 cat --as hex -v copy
same out wanted
has err 'before message 52: 1 message missing'

# By their fields: queries count what is there.
expect 0 write --from json -s "$FLS_TEST_SCHEMA_DIR/telemetry.bfbs" -o telemetry - <<END
{"device_id":1,"sequence":1}
{"device_id":2,"sequence":2}
{"device_id":1,"sequence":3}
END
expect 0 convert --journal -s "$FLS_TEST_SCHEMA_DIR/telemetry.bfbs" -o t telemetry
expect 0 ls --json t
second=$(awk -F'"offset": ' '/"ordinal": 1,/ { split($2, rest, ","); print rest[1] }' out)
printf XXXX | dd of=t/00000000000000000000.fls bs=1 seek=$((second + 20)) conv=notrunc 2>dd.err
expect 1 grep --count --where 'device_id == 1' t
has out 2
expect 1 grep --count --where 'device_id == 2' t
has out 0
expect 1 grep --where 'device_id == 2' t
expect 1 stats --json --select sequence t
has out '"count": 2'
has out '"ok": false'
expect 1 stats --json --select sequence -o report t
same out /dev/null
has report '"count": 2'

# A message that its schema refuses is passed over too.
expect 0 cat --as delimited --range ..1 -o delim telemetry
printf '\004\000\000\000abcd' >>delim
expect 0 cat --as delimited --range 2.. -o rest telemetry
cat rest >>delim
expect 0 record -q -s "$FLS_TEST_SCHEMA_DIR/telemetry.bfbs" -o refused delim
expect 1 cat refused
[ "$(wc -l <out)" = 2 ] || fail 'the others'
has err 'message 1: refused by schema'

# Followed, beside the damage.
"$tool" tail -f -n 55 --as hex broken >followed 2>follow.err &
follower=$!
tail -n 53 wanted >expected
wait_for cmp followed expected
kill $follower
wait $follower 2>/dev/null
[ "$(grep -c 'is lost' follow.err)" = 2 ] || fail 'told while followed'
