#!/bin/sh
# A journal whose schema changed: every message is read with the schema of the segment it stands in.
. "$(dirname "$0")/support.sh"

# Two schemas of one file identifier that cannot stand for each other: another name and type at the
# same place.
cat >old.fbs <<'END'
table T { id: uint; speed: float; name: string; }
root_type T;
file_identifier "TTTT";
END
cat >new.fbs <<'END'
enum Mode : ubyte { Off, On }
table T { id: uint; mode: Mode; extra: double; }
root_type T;
file_identifier "TTTT";
END
for i in 1 2 3; do
    echo "{\"id\":$i,\"speed\":1.5,\"name\":\"n$i\"}"
done >old.json
for i in 4 5 6; do
    echo "{\"id\":$i,\"mode\":\"On\",\"extra\":2.5}"
done >new.json
expect 0 record -q --from json -s old.fbs -o j old.json
expect 0 record -q --from json -s new.fbs -o j new.json
expect 0 record -q --from json -s old.fbs -o j old.json
cat old.json new.json old.json >all.json

expect 0 cat j
same out all.json
expect 0 tail -n 4 j
tail -n 4 all.json >wanted
same out wanted
expect 0 replay --max --as json j
same out all.json
expect 0 grep --where 'mode == On' j
same out new.json
expect 0 grep --count --where 'speed > 1' j
has out 6
expect 0 grep --count --where 'id > 2' j
has out 5
expect 2 grep --where 'height > 1' j
has err "no field 'height'"
expect 0 cat --select id,speed,mode --range 2..4 j
has out '{"id":3,"speed":1.5,"mode":null}'
has out '{"id":4,"speed":null,"mode":"On"}'
expect 0 cat --as csv --select mode,id --range 2..4 j
has out ',3'
has out 'On,4'
expect 0 stats --json --select extra,speed j
has out '"path": "extra", "count": 3, "absent": 6'
has out '"path": "speed", "count": 6, "absent": 3'
expect 0 verify --check all j
has out 'sound: 9 messages'
expect 0 info --json j
[ "$(grep -c '"schema_hash"' out)" = 2 ] || fail 'two types'
has out '"refused": 0'
has out '"messages": 6'

# What goes on is of the newest schema.
cp -R j resumed
expect 0 record -q --from json -o resumed old.json
expect 1 record -q --from json -o resumed new.json
has err 'does not have'

# Into another journal, and through one stream.
expect 0 convert --journal --to crc32 -o k j
expect 0 cat k
same out all.json
expect 0 verify k
expect 0 info --json k
[ "$(grep -c '"schema_hash"' out)" = 2 ] || fail 'two types'

# What -s says counts for all.
echo 'table T { id: string; } root_type T; file_identifier "TTTT";' >other.fbs
expect 1 cat -s other.fbs j
[ "$(wc -l <out)" = 1 ] || fail 'one happens to fit'
[ "$(grep -c 'refused by schema' err)" = 8 ] || fail 'each is told'

# A change that comes while it is followed, with a schema that was not there.
"$tool" tail -f -n 1 j >followed 2>follow.err &
follower=$!
tail -n 1 old.json >wanted
wait_for cmp followed wanted
sed 's/extra/further/' new.fbs >third.fbs
sed 's/extra/further/' new.json >third.json
expect 0 record -q --from json -s third.fbs -o j third.json
cat third.json >>wanted
wait_for cmp followed wanted
expect 0 record -q --from json -s new.fbs -o j new.json
cat new.json >>wanted
wait_for cmp followed wanted
kill $follower
wait $follower 2>/dev/null
empty follow.err
"$tool" tail -f -n 1 --select further,id j >followed 2>follow.err &
follower=$!
wait_for test -s followed
sed 's/further/fourth/' third.fbs >fourth.fbs
sed 's/further/fourth/' third.json >fourth.json
expect 0 record -q --from json -s fourth.fbs -o j fourth.json
tail -n 1 fourth.json >/dev/null
wait_for grep -q '"further":null,"id":6' followed
kill $follower
wait $follower 2>/dev/null

# Segments of a time without any schema are read with what there is.
expect 0 cat --as delimited -o delim j
expect 0 cat --as delimited --range ..3 -o delim j
expect 0 record -q -o late delim
expect 0 record -q --from json -s old.fbs -o late old.json
expect 0 cat late
cat old.json old.json >wanted
same out wanted

# schema shows them, and compares what a journal goes on with.
expect 0 schema k
has out 'messages 0 .. 2: T, identifier TTTT, schema '
has out 'messages 3 .. 5: T'
has out 'messages 6 .. 8: T'
[ "$(grep -c '^hash ' out)" = 2 ] || fail 'both schemas'
has out 'speed'
has out 'mode'
expect 0 schema -r T k
expect 2 schema -r U k
has err "'U'"
expect 0 schema --json k
has out '"first_ordinal": 3, "end_ordinal": 6, "type": "T", "identifier": "TTTT"'
has out '"ok": true'
expect 0 schema --check k old.fbs
expect 1 schema --check k new.fbs
expect 0 schema k k
expect 0 record -q --from hex -o bare - <<END
00
END
expect 0 schema bare
has out 'messages 0 .. 0: no schema'
expect 2 schema bare old.fbs
has err 'bare has no schema'
mkdir directory
expect 3 schema directory
has err 'no journal'
