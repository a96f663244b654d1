#!/bin/sh
# diff: what is missing, added and different, by bytes and by schema; damage; exit codes.
. "$(dirname "$0")/support.sh"

# numbers FROM TO: that many messages, a number each, as lines of hexadecimal digits.
numbers() {
    i=$1
    while [ "$i" -lt "$2" ]; do
        printf '%08x\n' "$i"
        i=$((i + 1))
    done
}
write() { # OUT [OPTIONS...], lines from standard input
    to=$1
    shift
    "$tool" write --from hex "$@" -o "$to" 2>err || fail "write $to"
}
numbers 0 1000 >lines
write a <lines
sed -e '16d' -e '101,110d' -e '501s/.*/ffffffff/' lines >changed
sed '801i\
abcd\
abce' changed | write b

# Equal: with itself, under another checksum, and through a pipe.
expect 0 diff a a
echo '1,000 equal, 0 different, 0 missing, 0 added' >wanted
same out wanted
empty err
write a32 -c crc32 <lines
expect 0 diff -v a a32
has err 'the checksums are xxh3 and crc32: messages are compared, not frames'
"$tool" diff a - <a32 >out || fail 'standard input as B'
same out wanted
"$tool" diff - a <a32 >out || fail 'standard input as A'
same out wanted

# What was done to it, each as what it is.
expect 1 diff a b
cat >wanted <<'END'
- 15 offset 240 (4 bytes)
- 100..110 offset 1600 (10 messages, 40 bytes)
! 500/489 byte 0: 0x00 -> 0xff
+ 800..802 offset 12800 (2 messages, 4 bytes)
988 equal, 1 different, 11 missing, 2 added
END
same out wanted
empty err
expect 1 diff b a
has out '+ 100..110 offset 1600 (10 messages, 40 bytes)'
has out '988 equal, 1 different, 2 missing, 11 added'

# The report; with a limit everything is counted nevertheless.
expect 1 diff --json a b
has out '"a": "a",'
has out '"by": null,'
has out '{"kind": "missing", "a_ordinal": 15, "a_offset": 240, "messages": 1, "payload_bytes": 4}'
has out '{"kind": "different", "a_ordinal": 500, "a_offset": 8000, "b_ordinal": 489, "b_offset": 7824, "a_bytes": 4, "b_bytes": 4, "byte": 0, "path": null, "a": null, "b": null}'
has out '{"kind": "added", "b_ordinal": 800, "b_offset": 12800, "messages": 2, "payload_bytes": 4}'
for key in '"faults": []' '"difference_count": 4' '"a_messages": 1000' '"b_messages": 991' \
    '"equal": 988' '"same_values": 0' '"different": 1' '"missing": 11' '"added": 2' \
    '"a_checksum": "xxh3"' '"b_checksum": "xxh3"' '"ok": false'; do
    has out "$key"
done
expect 1 diff -n 1 a b
cat >wanted <<'END'
- 15 offset 240 (4 bytes)
... and 3 more differences
988 equal, 1 different, 11 missing, 2 added
END
same out wanted
expect 1 diff -n 0 --json a b
has out '"differences": [],'
has out '"missing": 11,'
expect 1 diff -q a b
empty out
empty err
expect 0 diff -q a a32
empty out

# Payloads of other sizes, and one that begins as the other.
printf '61\n616263\n' | write short
printf '61\n6162636465\n' | write long
expect 1 diff short long
has out '! 1/1 byte 3: none -> 0x64, 3 -> 5 bytes'

# Nothing on one side, or on both.
: >nothing
expect 0 diff nothing nothing
has out '0 equal, 0 different, 0 missing, 0 added'
expect 1 diff a nothing
has out '- 0..1000 offset 0 (1,000 messages, 4,000 bytes)'
expect 1 diff nothing a
has out '+ 0..1000 offset 0 (1,000 messages, 4,000 bytes)'
expect 0 diff --json nothing nothing
has out '"a_checksum": null,'
has out '"ok": true'

# All unlike, far beyond what little memory can look ahead at.
numbers 100000 130000 | write left
numbers 200000 230000 | write right
expect 1 diff -v --memory 1Mi -n 2 left right
has out '! 0/0 byte 1: '
has out '... and 29,998 more differences'
has out '0 equal, 30,000 different, 0 missing, 0 added'
has err 'looked ahead at up to 2674 messages on a side'

# A gap as large as half of the memory allows, and one that is larger.
numbers 0 9000 >many
write whole <many
sed '101,2600d' many | write gap
expect 1 diff --memory 1Mi whole gap
has out '- 100..2600 offset 1600 (2,500 messages, 10,000 bytes)'
has out '6,500 equal, 0 different, 2,500 missing, 0 added'
sed '101,8600d' many | write gap
expect 1 diff whole gap
has out '- 100..8600 offset 1600 (8,500 messages, 34,000 bytes)'

# Damage: what is before is compared, and nothing behind it is called missing.
head -c 8010 a >torn
expect 1 diff a torn
has out '500 equal, 0 different, 0 missing, 0 added'
has err 'torn: offset 8000, message 500:'
has err 'a: what follows its first 500 messages was not compared'
expect 1 diff torn a
has out '500 equal, 0 different, 0 missing, 0 added'
expect 1 diff --json a torn
has out '{"side": "b", "offset": 8000, "ordinal": 500, "kind": "torn_tail",'
has out '"ok": false'
expect 1 diff b torn
has out '+ 15 offset 240 (4 bytes)'
has out '489 equal, 0 different, 0 missing, 11 added'

# By schema: the first field, and the same values in other bytes.
cat >shape.fbs <<'END'
table Part { id: uint (key); name: string; }
table Shape { size: int = 3; parts: [Part]; text: string; }
root_type Shape;
END
flatc -b --schema shape.fbs || fail 'flatc'
cat >a.json <<'END'
{"size":4,"text":"first"}
{"parts":[{"id":1,"name":"one"},{"id":2,"name":"two"}],"text":"second"}
{"text":"third","size":3}
{"text":"fourth"}
{"text":"fifth"}
END
sed -e 's/"two"/"too"/' -e 4d a.json >b.json
expect 0 write --from json -s shape.bfbs -o a.fls a.json
expect 0 write --from json --defaults -s shape.bfbs -o b.fls b.json
expect 1 diff -s shape.bfbs a.fls b.fls
cat >wanted <<'END'
! 1/1 parts[1].name: "two" -> "too"
- 3 offset 212 (36 bytes)
2 equal, 1 different, 1 missing, 0 added, 1 with the same values in other bytes
END
same out wanted
expect 1 diff -s shape.bfbs --json a.fls b.fls
has out '"path": "parts[1].name", "a": "\"two\"", "b": "\"too\""}'
expect 0 write --from json --defaults -s shape.bfbs -o again.fls a.json
expect 0 diff -s shape.bfbs a.fls again.fls
expect 1 diff a.fls again.fls
printf '00000000\n' | write unsound
head -n 1 a.json >one.json
expect 0 write --from json -s shape.bfbs -o one.fls one.json
expect 1 diff -s shape.bfbs one.fls unsound
has out "(B's is not sound: "

# By key: streams in its order, whatever else is in them; equal keys in theirs.
cat >k.fbs <<'END'
table Item { id: uint; name: string; value: double; }
root_type Item;
END
items() { # OUT ID:NAME:VALUE...
    to=$1
    shift
    for item in "$@"; do
        echo "$item" | awk -F: '{ printf "{\"id\":%s,\"name\":\"%s\",\"value\":%s}\n", $1, $2, $3 }'
    done >items.json
    expect 0 write --from json -s k.bfbs -o "$to" items.json
}
flatc -b --schema k.fbs || fail 'flatc'
items k1 1:a:1 2:b:2 3:c:3 3:d:4 5:e:5 9:i:9
items k2 2:b:2 3:c:3 3:d:5 4:x:1 6:y:1 7:z:1
expect 1 diff -s k.bfbs --by id k1 k2
sed -e 's/offset [0-9]* (.* bytes)/-/' out >got
cat >wanted <<'END'
- 0 - key 1
! 3/2 value: 4.0 -> 5.0 key 3
+ 3 - key 4
- 4 - key 5
+ 4..6 - key 6 to 7
- 5 - key 9
2 equal, 1 different, 3 missing, 3 added
END
same got wanted
expect 1 diff -s k.bfbs --by id --json k1 k2
has out '"by": "id",'
has out '"path": "value", "a": "4.0", "b": "5.0", "key": "3"}'
has out '"key": "6", "last_key": "7"}'
expect 0 diff -s k.bfbs --by name k1 k1
items k3 1:b:1 2:a:2
expect 1 diff -s k.bfbs --by name k1 k3
has err 'k3: offset 60, message 1: not in the order of name: a comes behind b (flatstream sort --by name'
expect 0 diff -s k.bfbs --by id k3 k3
expect 2 diff --by id k1 k2
has err 'needs a schema'

# Types that have different kinds of numbers there are matched as sort puts them.
printf 'table A { t: ulong; }\nroot_type A;\nfile_identifier "AAAA";\n' >ka.fbs
printf 'table B { t: double; }\nroot_type B;\nfile_identifier "BBBB";\n' >kb.fbs
printf '%s\n' '{"t":1}' '{"t":9007199254740993}' | "$tool" write --from json -s ka.fbs -o ka -
printf '%s\n' '{"t":9007199254740992.0}' '{"t":2.5}' | "$tool" write --from json -s kb.fbs -o kb -
cat ka kb >kab
expect 1 diff -s ka.fbs -s kb.fbs --by t kab kab
has err 'not in the order of t: 9007199254740992.0 comes behind 9007199254740993'
expect 0 sort -s ka.fbs -s kb.fbs --by t -o ksorted kab
expect 0 diff -s ka.fbs -s kb.fbs --by t ksorted ksorted
expect 0 sort -s ka.fbs -s kb.fbs --by t -o kleft ka
expect 1 diff -s ka.fbs -s kb.fbs --by t ksorted kleft
has out '2 missing'
expect 2 diff -s k.bfbs --by nothing k1 k2
head -c 200 k1 >cut
expect 1 diff -s k.bfbs --by id k1 cut
has out '0 different, 0 missing, 0 added'

# Journals.
expect 0 convert --journal -o journal.a a
expect 0 diff a journal.a
expect 1 diff journal.a b
has out '- 100..110 offset'

# Wrong usage, and what is not there.
expect 2 diff a
has err 'which two streams?'
expect 2 diff - -
has err 'only one of A and B can be standard input'
expect 2 diff --memory 3 a a
expect 2 diff -n x a a
expect 3 diff a none
has err 'none: No such file'
expect 3 diff none a
expect 1 diff -c crc16 a a
