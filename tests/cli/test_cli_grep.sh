#!/bin/sh
# grep: which messages are found, held against awk on the lines that the stream was made of; the forms
# they are printed in, exit codes, several types, damage, and what is said about wrong conditions.
. "$(dirname "$0")/support.sh"

schemas=${FLS_SOURCE_DIR:?}/tests/schemas
cp "$schemas/telemetry.fbs" .
flatc -b --schema telemetry.fbs || fail 'flatc'

# Line i says all that awk needs to know at its start: "sequence":i.
awk 'BEGIN {
    split("Idle Drive Charge Fault", modes, " ")
    for (i = 0; i < 2000; i++) {
        printf "{\"device_id\":%d,\"timestamp_ns\":%d,\"sequence\":%d", i % 7, i * 1000, i
        if (i % 4 != 0) # as printed: Idle is the default
            printf ",\"mode\":\"%s\"", modes[i % 4 + 1]
        if (i % 3 == 0)
            printf ",\"battery\":{\"cell_mv\":[%d,%d],\"current_a\":%d.5}", i, 2 * i, i - 1000
        if (i % 5 == 0)
            printf ",\"tags\":[\"tag%d\",\"even, \\\"odd\\\"\"]", i
        if (i % 6 == 1)
            printf ",\"extra_type\":\"Radio\",\"extra\":{\"rssi_dbm\":%d,\"peer\":\"10.0.%d\"}", -i, i
        print "}"
    }
}' | sed 's/"device_id":0,//; s/"timestamp_ns":0,//; s/"sequence":0,*//' >lines
expect 0 write --from json -s telemetry.bfbs -o stream lines
expect 0 cat -s telemetry.bfbs stream
same out lines

# finds CONDITION AWK: the lines for which awk finds its expression in i true.
finds() {
    awk "{ i = NR - 1 } $2" lines >wanted
    [ -s wanted ] || fail "nothing is to be found: $1"
    expect 0 grep -s telemetry.bfbs --where "$1" stream
    same out wanted
    expect 0 grep -s telemetry.bfbs --count --where "$1" - <stream
    [ "$(cat out)" = "$(wc -l <wanted | tr -d ' ')" ] || fail "count of $1"
    awk "{ i = NR - 1 } !($2)" lines >wanted
    expect "$([ -s wanted ] && echo 0 || echo 4)" grep -s telemetry.bfbs --invert --where "$1" stream
    same out wanted
}
finds 'sequence == 77' 'i == 77'
finds 'sequence in 500..1499 && device_id != 3' 'i >= 500 && i <= 1499 && i % 7 != 3'
finds 'timestamp_ns > 1998e3' 'i > 1998'
finds 'timestamp_ns >= 1500 && sequence < 3' 'i == 2'
finds 'mode == Fault || mode == "Charge"' 'i % 4 >= 2'
finds 'mode in {Idle, Drive}' 'i % 4 < 2'
finds 'battery.cell_mv[*] > 3900' 'i % 3 == 0 && 2 * i > 3900'
finds 'battery.cell_mv[-1] == battery.cell_mv[0]' 'i == 0'
finds 'all(battery.cell_mv, @ < 100)' 'i % 3 == 0 && 2 * i < 100'
finds 'battery.current_a < 0' 'i % 3 == 0 && i < 1000'
finds '!(battery.current_a < 0)' '!(i % 3 == 0 && i < 1000)'
finds 'battery.current_a != 0.5' 'i % 3 == 0'
finds 'battery.soc == 1' 'i % 3 == 0'
finds 'has(battery)' 'i % 3 == 0'
finds 'tags[0] == "tag55"' 'i == 55'
finds "tags[*] contains 'g199'" 'i % 5 == 0 && i ~ /^199/'
finds 'tags.length == 2' 'i % 5 == 0'
finds 'extra.Radio.peer starts_with "10.0.1"' 'i % 6 == 1 && i ~ /^1/'
finds 'extra.Radio.rssi_dbm < -1990' 'i % 6 == 1 && i > 1990'
finds 'extra_type == Radio && extra.Radio.peer ends_with "3"' 'i % 6 == 1 && i ~ /3$/'
finds 'true' '1'

# Forms, --limit as a number of matches, --range, -o.
expect 0 grep -s telemetry.bfbs --where 'mode == Drive' -n 2 stream
sed -n '2p;6p' lines >wanted
same out wanted
expect 0 grep -s telemetry.bfbs --where 'mode == Drive' --range 4..10 --select sequence,mode stream
printf '{"sequence":5,"mode":"Drive"}\n{"sequence":9,"mode":"Drive"}\n' >wanted
same out wanted
expect 0 grep -s telemetry.bfbs --where 'sequence in 4..6' --as csv --select 'sequence,tags[1]' stream
printf 'sequence,tags[1]\n4,\n5,"even, ""odd"""\n6,\n' >wanted
same out wanted
expect 0 grep -s telemetry.bfbs --where 'mode == Drive' --as frames -o found stream
expect 0 cat -s telemetry.bfbs found
awk '(NR - 1) % 4 == 1' lines >wanted
same out wanted
expect 0 grep -s telemetry.bfbs --where 'mode == Drive' --as hex stream
mv out wanted
expect 0 cat --as hex found
same out wanted
expect 0 grep -s telemetry.bfbs --where 'mode == Drive' --as delimited stream
mv out wanted
expect 0 cat --as delimited found
same out wanted
rm found wanted

# Counting, which goes by whole batches where it can: counts NUMBER OPTION...
counts() {
    number=$1
    shift
    expect 0 grep -s telemetry.bfbs --count --where 'sequence >= 500' "$@" stream
    [ "$(cat out)" = "$number" ] || fail "count with $*: $(cat out)"
}
counts 1500
counts 500 --invert
counts 800 --range 250..1300
counts 250 --range 250..1300 --invert
counts 7 -n 7
counts 7 -n 7 --invert

# Nothing found.
expect 4 grep -s telemetry.bfbs --where 'sequence == 2000' stream
empty out
expect 4 grep -s telemetry.bfbs --count --where 'sequence == 2000' stream
[ "$(cat out)" = 0 ] || fail 'count of nothing'
expect 4 grep -s telemetry.bfbs -n 0 --where true stream
empty out
expect 0 grep -s telemetry.bfbs --count --json --where 'sequence < 10' stream
has out '"messages": 2000,'
has out '"matches": 10,'
has out '"ok": true'

# Wrong conditions, with the place.
expect 2 grep -s telemetry.bfbs --where 'sequence == 1 && mod == Fault' stream
has err "grep: --where: there is no field 'mod'; did you mean 'mode'?"
has err '  sequence == 1 && mod == Fault'
grep -q '^                   ^$' err || fail 'the mark is not below the place'
expect 2 grep -s telemetry.bfbs --where 'mode = Fault' stream
has err 'equal is =='
expect 2 grep -s telemetry.bfbs --where 'tags == "a"' stream
has err 'this is a vector'
expect 2 grep -s telemetry.bfbs stream
has err 'which messages? --where EXPR'
expect 2 grep --where true stream
has err '--where needs a schema'
expect 2 grep -s telemetry.bfbs --where true --json stream
expect 2 grep -s telemetry.bfbs --where true --count --as hex stream

# A match that is not sound is not printed; one that is not printed by its fields is.
size=$(size_of stream)
expect 0 convert --to none -o plain stream
expect 0 cat --as delimited --range 5..6 stream
cp out five
length=$(($(size_of five) - 4))
# The first string's terminator made a letter.
LC_ALL=C sed 's/tag5\x00/tag5x/' five >broken
[ "$(size_of broken)" -eq "$(size_of five)" ] || fail "sed and zero bytes: $length"
cmp -s broken five && fail 'nothing was broken'
expect 0 write --from delimited -o bad broken
expect 1 grep -s telemetry.bfbs --where 'sequence == 5' bad
empty out
has err 'tags[0]: a string without a terminating zero'
expect 0 grep -s telemetry.bfbs --count --where 'sequence == 5' bad
expect 0 grep -s telemetry.bfbs --as raw --where 'sequence == 5' bad
expect 4 grep -s telemetry.bfbs --where 'sequence == 6' bad

# Damage in the stream: what was before is printed, and the exit code is 1.
head -c $((size - 3)) stream >torn
expect 1 grep -s telemetry.bfbs --where 'sequence in {1, 1999}' torn
sed -n 2p lines >wanted
same out wanted
has err 'torn: offset '
expect 1 grep -s telemetry.bfbs --where 'sequence == 1' -o whole torn
missing whole

# Two types: a condition on a field that only one has.
cat >two.fbs <<'END'
table Other { sequence: int; note: string; }
root_type Other;
file_identifier "OTHR";
END
flatc -b --schema two.fbs || fail 'flatc'
printf '{"sequence":-5,"note":"here"}\n' >note
expect 0 write --from json -s two.bfbs -o mixed note
head -n 2 lines >first
expect 0 write --from json -s telemetry.bfbs -o more first
cat more >>mixed
expect 0 grep -s two.bfbs -s telemetry.bfbs --where 'sequence < 1' mixed
cat note >wanted
head -n 1 lines >>wanted
same out wanted
expect 0 grep -s two.bfbs -s telemetry.bfbs --where 'note == "here"' mixed
same out note
expect 0 grep -s two.bfbs -s telemetry.bfbs --where 'device_id == 1 || sequence > 100' mixed
sed -n 2p lines >wanted
same out wanted
expect 0 grep -s two.bfbs -s telemetry.bfbs --count --where 'device_id == 1 || sequence > 100' mixed
[ "$(cat out)" = 1 ] || fail 'count in two types'
expect 0 grep -s two.bfbs -s telemetry.bfbs --count --invert --where 'note == "here"' mixed
[ "$(cat out)" = 2 ] || fail 'inverted count in two types'
expect 2 grep -s two.bfbs -s telemetry.bfbs --where 'nothing == 1' mixed
expect 0 grep -s two.bfbs -s telemetry.bfbs --select note,mode --where 'sequence != 0' mixed
printf '{"note":"here","mode":null}\n{"note":null,"mode":"Drive"}\n' >wanted
same out wanted
