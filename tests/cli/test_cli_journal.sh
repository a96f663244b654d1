#!/bin/sh
# Journals as the input of every verb, which has to say what it says of the same plain stream; and
# looking after them: journal, index, convert in and out.
. "$(dirname "$0")/support.sh"
schema=$FLS_TEST_SCHEMA_DIR/telemetry.bfbs

awk 'BEGIN {
    for (i = 0; i < 2000; i++)
        printf "{\"device_id\":%d,\"timestamp_ns\":%d,\"sequence\":%d,\"battery\":{\"soc\":0.%d}}\n",
            i % 5 + 1, 1790000000000000000 + i * 1000000, i + 1, i % 9 + 1
}' >json
expect 0 write --from json -s "$schema" -o stream json
expect 0 cat --as delimited -o delim stream
expect 0 record -s "$schema" --segment-messages 300 -o j delim

# Without -s on the journal, with it on the stream.
# equal VERB ARGUMENTS...
equal() {
    verb=$1
    shift
    expect 0 "$verb" -s "$schema" "$@" stream
    sed 's/"file": "stream"/"file": "j"/' out >wanted
    expect 0 "$verb" "$@" j
    same out wanted
    expect 0 "$verb" -s "$schema" "$@" j
    same out wanted
}
equal cat
equal cat -n 3 --defaults
equal cat --range 299..303
equal cat --as csv --select sequence,battery.soc --range 1990..
equal cat --as frames
equal cat --as delimited --range ..700
equal grep --where 'device_id == 3'
equal grep --count --json --where 'sequence in 100..200'
equal stats --json --select battery.soc,sequence
equal stats --select battery.soc --every 500ms
equal tail -n 5
equal tail
expect 0 cat --as hex stream
cp out wanted
expect 0 cat --as hex --durable j
same out wanted
expect 4 grep --where 'sequence == 5000' j
expect 0 ls --range 298..302 j
[ "$(wc -l <out)" = 4 ] || fail 'ls'
expect 0 verify j
has out 'j: sound: 2,000 messages'
expect 0 verify --json -s "$schema" --table-root j
has out '"messages": 2000'
has out '"ok": true'
expect 0 convert --to crc32 -o j.crc32 j
expect 0 convert --to crc32 -o stream.crc32 stream
same j.crc32 stream.crc32
expect 0 replay --max j
same out stream
expect 0 replay --max --as json j
expect 2 replay stream
expect 0 replay --max stream

# info: what it says of a stream, and the journal.
expect 0 info --json -s "$schema" stream
grep -v -e '"file"' -e '"types"' -e 'schema' -e '^  "ok"' -e '"time"' out >wanted
expect 0 info --json j
while read -r line; do
    has out "$line"
done <wanted
has out '"segments": 7'
has out '"end_ordinal": 2000'
has out '"durable_ordinal": 2000'
expect 0 info j
has out 'durable      all'

# The pace: messages that came within a moment do not take long; two that came a second apart do.
{ cat delim; sleep 1; cat delim; } | "$tool" record -q -o paced || fail 'paced'
expect 0 cat --as hex paced
cp out wanted
before=$(date +%s%N)
expect 0 replay --as hex paced
after=$(date +%s%N)
same out wanted
[ $((after - before)) -ge 300000000 ] || fail 'replay does not wait'

# By time of receipt.
expect 0 ls --json paced
since=$(awk -F'"time_ns": ' '/time_ns/ { split($2, rest, "[^0-9]"); t = rest[1]
    if (last && t - last > 300000000) { printf "%.0f\n", t - 100000000 } last = t }' out)
moment=$(date -u -d "@${since%?????????}" +%Y-%m-%dT%H:%M:%S).$(printf '%s' "$since" | tail -c 9)Z
expect 0 cat --as hex --since "$moment" paced
sed 1,2000d wanted >second
same out second
expect 0 cat --as hex --until "$moment" paced
sed 2000q wanted >first
same out first
expect 0 cat --as hex --since -1h -n 2 paced
[ "$(wc -l <out)" = 2 ] || fail 'since -1h'
expect 0 cat --as hex --until -1h paced
empty out
expect 2 cat --since -5m stream
has err 'times of receipt'
expect 2 cat --since yesterday j
expect 2 cat --since 2026-02-30T00:00:00Z j
expect 2 cat --since 2026-01-01 j

# Into a journal and out of it: messages, times, schemas.
expect 0 convert --journal -s "$schema" -o j2 stream
expect 0 cat j2
same out json
expect 0 convert --journal --to crc16 --segment-messages 777 -o j3 paced
expect 0 ls --json paced
sed 's/"offset": [0-9]*, //; s/"checksum": "[0-9a-z]*"//' out | grep '"ordinal"' >wanted
expect 0 ls --json j3
sed 's/"offset": [0-9]*, //; s/"checksum": "[0-9a-z]*"//' out | grep '"ordinal"' >got
same got wanted
expect 0 convert --journal -o j4 j
expect 0 cat j4
same out json
expect 3 convert --journal -o j4 j
expect 2 convert --journal -o stream stream
expect 2 convert --journal --align 8 -o j5 stream
expect 2 convert --segment-bytes 5 --to none -o j5 stream
missing j5

# Looking after it.
expect 0 journal info j
has out '00000000000000000300.fls'
expect 0 journal info --json j
has out '"segment_list": ['
has out '"segments": 7'
expect 0 index j
has out '00000000000000000300.fls'
expect 0 index --check j
expect 0 journal check --json j
has out '"fault_count": 0'
expect 0 journal seal j
if "$tool" journal compress j >out 2>err; then
    has err '7 segments compressed'
    expect 0 cat j
    same out json
    expect 0 verify j
else
    has err 'not supported'
fi
expect 0 journal cursors j
empty out
expect 0 journal cursors --set reader.1=700 j
expect 0 journal cursors j
has out 'reader.1'
expect 0 journal cursors --json j
has out '"ordinal": 700'
expect 2 journal cursors --set reader=5000 j
expect 2 journal cursors --set reader j
expect 0 journal prune --before 1500 --dry-run j
has err '2 segments would go'
has err 'the cursor reader.1 holds'
expect 0 journal prune --json --before 1500 j
has out '"first_ordinal": 600'
has out '"holder": "reader.1"'
expect 0 journal cursors --remove reader.1 j
expect 3 journal cursors --remove reader.1 j
expect 0 journal prune --before 1500 j
expect 0 cat j
sed 1,1500d json >wanted
same out wanted
expect 0 cat -n 2 j
sed 2q wanted >two
same out two
expect 0 tail -n 500 j
same out wanted
expect 0 info j

# Lost marks and manifest.
expect 0 journal rebuild j2
expect 0 cat j2
same out json
rm j2/journal.json j2/*.flm
expect 0 cat --as hex j2
expect 0 journal rebuild j2
expect 0 cat --as hex j2
expect 0 cat --as hex stream
cp out wanted
expect 0 cat --as hex j2
same out wanted

# Damage is told with its place, and what is before it is there.
cp -R j4 broken
printf 'XXXX' | dd of="$(ls broken/*00.fls | head -1)" bs=1 seek=5000 conv=notrunc 2>dd.err
expect 1 verify broken
has out 'checksum_mismatch'
has out '.fls'
has out '1 fault'
expect 1 verify --json broken
has out '"file": "00000000000000000000.fls"'
has out '"fault_count": 1'
expect 1 cat broken
[ -s out ] || fail 'nothing before the damage'
has err 'broken'
expect 1 info broken
has out 'damaged'

# An empty journal, and directories that are none.
expect 0 record -q -o empty - </dev/null
for verb in info verify ls cat tail 'journal info' 'journal check' index; do
    # shellcheck disable=SC2086
    expect 0 $verb empty
done
mkdir directory
for verb in info verify ls 'cat --as hex' tail 'journal info' 'journal check' 'journal seal' \
    'journal rebuild' 'journal compress' 'journal cursors' index 'index --build'; do
    # shellcheck disable=SC2086
    expect 3 $verb directory
    has err 'no journal'
done
[ -z "$(ls -A directory)" ] || fail 'something was made in it'
for verb in recover 'write --append --from hex -o' ; do
    # shellcheck disable=SC2086
    expect 3 $verb j </dev/null
done
expect 3 journal info nowhere
expect 3 journal info stream
expect 2 index --extend j
has err 'makes its index itself'
expect 2 journal
expect 2 journal inf j
has err "did you mean 'info'"
expect 2 journal info j j
expect 2 journal prune j
expect 2 journal info --force j
expect 2 journal compress --level 0 j
expect 2 index --build --check j

# Each part has its own help, and options.
expect 0 journal --help
for part in info check seal compress prune cursors rebuild; do
    has out "flatstream journal $part"
done
expect 0 journal prune --help
has out '--before'
has_not out '--level'
expect 0 journal compress -h
has out '--level'
has_not out '--before'
cp out wanted
expect 0 help journal compress
same out wanted
expect 2 help journal nothing
expect 2 journal compress --before 5 j
has err 'journal compress: there is no option --before'
expect 0 journal --json info j
has out '"segment_list"'
expect 2 journal cursors --set a=1 --remove b j
expect 2 journal seal --json j
expect 0 help --scdoc flatstream-journal
has out 'JOURNAL PRUNE'
has out 'level'
