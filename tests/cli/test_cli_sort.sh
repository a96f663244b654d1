#!/bin/sh
# sort: held against sort(1) on the lines that the stream was made of; every kind of value, little
# memory, inputs of every form, damage, full disks, signals; and nothing is left behind.
. "$(dirname "$0")/support.sh"

schema=$FLS_TEST_SCHEMA_DIR/telemetry.bfbs

# Fields for sort(1), with | between them, then the message. sequence says where it was.
awk 'BEGIN {
    srand(5)
    for (i = 1; i <= 4000; i++) {
        device = int(7 * rand()) + 1
        time = int(1000000 * rand()) + 1
        current = int(2000 * rand()) - 1000.5
        tag = sprintf("%c%s", 97 + int(3 * rand()), substr("a long tail of a name", 1, 1 + int(20 * rand())))
        printf "%d|%d|%s|%s|{\"device_id\":%d,\"timestamp_ns\":%d,\"sequence\":%d", device, time, current, tag,
            device, time, i
        printf ",\"battery\":{\"current_a\":%s},\"tags\":[\"%s\"]}\n", current, tag
    }
}' >fields
cut -d'|' -f5 fields >lines
expect 0 write --from json -s "$schema" -o stream lines
expect 0 cat -s "$schema" stream
same out lines

# sorted PATH KEY...: by the path as sort(1) does by the key; forwards, backwards, in files, in memory.
sorted() {
    path=$1
    key=$2
    sort -s -t'|' -k"$key" fields | cut -d'|' -f5 >wanted
    sort -s -t'|' -k"${key}r" fields | cut -d'|' -f5 >reversed
    for memory in 256Ki 64Mi; do
        expect 0 sort --by "$path" -s "$schema" --memory $memory -o result stream
        empty err
        expect 0 cat -s "$schema" result
        same out wanted
        expect 0 sort --by "$path" --reverse -s "$schema" --memory $memory -o result stream
        expect 0 cat -s "$schema" result
        same out reversed
    done
    expect 0 sort --by "$path" -s "$schema" -v --memory 256Ki -o result stream
    has err 'runs in temporary files'
    has_not err ' 0 runs'
    only fields lines stream wanted reversed result
}
sorted device_id 1,1n
sorted timestamp_ns 2,2n
sorted battery.current_a 3,3n
sorted 'tags[0]' 4,4

# What is in order already is copied; a path that nothing has leaves the order as it was.
expect 0 sort --by sequence -s "$schema" -o result stream
same result stream
expect 0 sort --by raw.length -s "$schema" --reverse -o result stream
same result stream
expect 0 sort --by 'raw[0]' -s "$schema" --reverse -o result stream
same result stream
expect 0 sort --by sequence --reverse -s "$schema" -o result stream
expect 0 sort --by sequence -s "$schema" -o again result
same again stream
rm again

# Absent ones, enumerators and NaN; -0 is 0.
cat >few <<'END'
{"sequence":1,"mode":"Fault","battery":{"current_a":2.5}}
{"sequence":2,"mode":"Drive"}
{"sequence":3,"mode":"Charge","battery":{"current_a":"nan"}}
{"sequence":4,"battery":{"current_a":0.0}}
{"sequence":5,"mode":"Drive","battery":{"current_a":-0.0}}
{"sequence":6,"battery":{"current_a":"-inf"}}
END
# order PATH WANTED OPTIONS...: the numbers of the messages, one behind another.
order() {
    path=$1
    numbers=$2
    shift 2
    expect 0 sort --by "$path" -s "$schema" "$@" -o result few.fls
    expect 0 cat --as csv --select sequence -s "$schema" result
    [ "$(sed 1d out | tr -d '\n')" = "$numbers" ] || fail "--by $path $*: $(sed 1d out | tr '\n' ' ')"
}
expect 0 write --from json -s "$schema" -o few.fls few
order mode 462531
order mode 132546 --reverse
order battery.current_a 645132
order battery.current_a 145632 --reverse

# Empty, one message, standard input and output, a pipe, another checksum, a range.
: >nothing
expect 0 sort --by mode -s "$schema" -o result nothing
empty result
head -n 1 lines >first
expect 0 write --from json -s "$schema" -o one first
expect 0 sort --by mode -s "$schema" -o result one
same result one
expect 0 sort --by timestamp_ns -s "$schema" --memory 256Ki -o wanted stream
"$tool" sort --by timestamp_ns -s "$schema" -o - - <stream >out 2>err || fail 'standard input'
same out wanted
# shellcheck disable=SC2002
cat stream | TMPDIR=. "$tool" sort --by timestamp_ns -s "$schema" --memory 256Ki >out 2>err || fail 'a pipe'
same out wanted
expect 0 convert --to crc16 -o narrow stream
expect 0 sort --by timestamp_ns -s "$schema" -o result narrow
same result wanted
expect 0 sort --by timestamp_ns -s "$schema" --to crc16 -o result stream
expect 0 verify -c crc16 result
expect 0 sort --by timestamp_ns -s "$schema" --range 10..20 -o result stream
expect 0 cat -s "$schema" result
[ "$(wc -l <out | tr -d ' ')" = 10 ] || fail '--range'

# A message larger than the memory, behind a smaller time than the first.
awk 'BEGIN {
    printf "{\"timestamp_ns\":5,\"raw\":[1"
    for (i = 0; i < 400000; i++)
        printf ",7"
    print "]}"
}' >large
cat lines large first >mixed
expect 0 write --from json -s "$schema" -o huge mixed
expect 0 sort --by timestamp_ns -s "$schema" --memory 256Ki -o result huge
expect 0 cat -s "$schema" --as frames -n 1 result
[ "$(size_of out)" -gt 400000 ] || fail 'the large message comes first'
expect 0 sort --by timestamp_ns -s "$schema" -o wanted2 huge
same result wanted2

# A journal, whose types it knows itself.
expect 0 cat --as delimited -o delimited stream
expect 0 record -s "$schema" --segment-messages 900 -o journal delimited
expect 0 sort --by timestamp_ns --memory 256Ki -o result journal
same result wanted

# Damage: no result, also where the order breaks first.
cp stream hit
printf 'XX' | dd of=hit bs=1 seek=20000 conv=notrunc 2>dd.err
expect 1 sort --by timestamp_ns -s "$schema" -o none hit
has err 'hit: offset'
missing none
cp wanted hit
printf 'XX' | dd of=hit bs=1 seek=20000 conv=notrunc 2>dd.err
expect 1 sort --by timestamp_ns -s "$schema" -o none hit
missing none
head -c 30000 stream >hit
expect 1 sort --by timestamp_ns -s "$schema" -o none hit
missing none

# Wrong usage.
expect 2 sort -s "$schema" -o none stream
has err '--by PATH'
expect 2 sort --by timestamp_ns -o none stream
expect 2 sort --by no_such -s "$schema" -o none stream
expect 2 sort --by battery -s "$schema" -o none stream
expect 2 sort --by 'tags[*]' -s "$schema" -o none stream
has err 'many values'
expect 2 sort --by mode --memory 1Ki -s "$schema" -o none stream
expect 2 sort --by mode --to sum -s "$schema" -o none stream
expect 2 sort --by mode -s "$schema" -o stream stream
same stream stream
expect 3 sort --by mode -s "$schema" -o none no-such
expect 3 sort --by mode -s "$schema" -o no-such/none stream
expect 3 sort --by timestamp_ns --memory 256Ki --temporary no-such -s "$schema" -o none stream
has err 'no-such'
has err 'temporary file'
missing none

# Strings in one type, numbers in another: there is no order. Two kinds of numbers have one.
cat >two.fbs <<'END'
table A { v: long; } root_type A; file_identifier "AAAA";
END
cat >three.fbs <<'END'
table B { v: double; w: string; } root_type B; file_identifier "BBBB";
END
cat >four.fbs <<'END'
table C { v: string; } root_type C; file_identifier "CCCC";
END
expect 2 sort --by v -s two.fbs -s four.fbs -o none stream
has err 'a string in one type'
{
    printf '{"v":%s}\n' 9007199254740993 3 -9223372036854775808
} >a.json
{
    printf '{"v":%s}\n' 9007199254740992.0 3.5 2.5
    printf '{"w":"no"}\n'
} >b.json
expect 0 write --from json -s two.fbs -o a.fls a.json
expect 0 write --from json -s three.fbs -o b.fls b.json
cat a.fls b.fls >ab.fls
expect 0 sort --by v -s two.fbs -s three.fbs -o result ab.fls
expect 0 cat --as csv --select v -s two.fbs -s three.fbs result
[ "$(sed 1d out | tr '\n' ' ')" = '-9223372036854775808 0.0 2.5 3 3.5 9007199254740992.0 9007199254740993 ' ] ||
    fail "numbers of two kinds: $(sed 1d out | tr '\n' ' ')"

# Ended by a signal in the middle: nothing is left.
mkdir place
mkfifo fifo
for signal in TERM HUP; do
    "$tool" sort --by timestamp_ns -s "$schema" -c xxh3 --memory 256Ki --temporary place -o none fifo 2>err &
    pid=$!
    exec 3>fifo
    cat stream >&3
    wait_for sh -c 'find . -name ".none*" | grep -q .'
    kill -s $signal $pid
    wait $pid
    code=$?
    exec 3>&-
    [ "$(kill -l $code)" = $signal ] || fail "ended by SIG$signal: $code"
    missing none
    [ -z "$(ls -A place)" ] || fail 'something was left in the place of temporary files'
    [ -z "$(find . -name '.none*')" ] || fail 'an unfinished file was left'
done
exit 0
