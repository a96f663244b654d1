#!/bin/sh
# Several threads on one file: whatever -j says, a verb gives the same bytes, says the same on standard
# error and ends with the same code as with one; of sound streams and of all sorts of others.
. "$(dirname "$0")/support.sh"

cp "${FLS_SOURCE_DIR:?}/tests/schemas/telemetry.fbs" .
flatc -b --schema --bfbs-builtins telemetry.fbs || fail 'flatc'
cat >other.fbs <<'END'
table Note { at_ms: ulong; text: string; }
file_identifier "NOTE";
root_type Note;
END
flatc -b --schema --bfbs-builtins other.fbs || fail 'flatc'

. "$(dirname "$0")/telemetry_streams.sh"

# Messages that the schema refuses, in the middle and early; empty ones; frames longer than a piece.
printf '00112233445566778899aabbccddeeff00112233\n' >hex
expect 0 write --from hex -o bad hex
cat sound bad sound bad >refused
head -c 2400 /dev/zero | tr '\0' '\n' >hex
expect 0 write --from hex -c xxh3 -o none hex
cat none sound none >empty
i=0
while [ $i -lt 5 ]; do
    head -c $((70000 + i * 30000)) sound | od -An -v -tx1 | tr -d ' \n'
    echo
    i=$((i + 1))
done >hex
expect 0 write --from hex -o long hex
cat long sound long >large

# Two types, and a checksum that takes a chain of frames to find a piece's beginning.
awk 'BEGIN { for (i = 0; i < 3000; i++) printf "{\"at_ms\":%d,\"text\":\"note %d\"}\n", i, i }' >notes
expect 0 write --from json -s other.bfbs -o other notes
cat sound other sound >types
expect 0 convert --to crc16 -o narrow sound
expect 0 convert --to none -o bare sound

# agree ARGUMENTS...: with -j 1, -j 2 and -j 5.
runs=0
agree() {
    "$tool" "$@" -j 1 >out1 2>err1
    code1=$?
    for j in 2 5; do
        "$tool" "$@" -j $j >out 2>err
        code=$?
        cmp out1 out >&2 || fail "$*: -j $j gives something else"
        cmp err1 err >&2 || fail "$*: -j $j says something else"
        [ $code = $code1 ] || fail "$*: -j $j ends with $code, not $code1"
    done
    runs=$((runs + 1))
}

columns='timestamp_ns,pose.position.x,battery.cell_mv.length,tags[0]'
numbers='pose.position.x,pose.position.z,battery.cell_mv[*],sequence'
for file in sound hit length torn zero refused empty large narrow bare types; do
    agree verify $file
    agree info $file
    agree cat --as hex $file
    agree cat --as raw $file
    agree cat --as frames $file
    agree convert --to crc32 -o - $file
    agree convert -v --align 8 -o - $file
    set -- -s telemetry.bfbs $file
    agree verify --json "$@"
    agree info --json "$@"
    agree cat "$@"
    agree grep --count --json --where 'sequence > 700' "$@"
    agree stats --json --select "$numbers" "$@"
done
for file in sound refused length; do
    set -- -s telemetry.bfbs $file
    agree cat --as delimited $file
    agree cat --as csv --select "$columns" "$@"
    agree cat --defaults --enum-numbers --typed "$@"
    agree grep --where 'mode == Drive && sequence > 20' "$@"
    agree grep --invert --as frames --where 'sequence != 77' "$@"
    agree grep -n 900 --where 'mode == Drive' "$@"
    agree stats --every 10ms --plot --select "$numbers" --where 'mode != Idle' "$@"
    agree convert --to none -o - "$@"
    agree convert --to none --where 'sequence > 1000' -o - "$@"
    agree convert --align 16 --where 'sequence > 1000' -o - "$@"
    agree cat --range 100..2400 "$@"
    agree cat -n 2000 "$@"
done
set -- -s telemetry.bfbs -s other.bfbs types
agree cat --typed "$@"
agree info --json "$@"
agree verify "$@"
agree grep --where 'sequence == 7' "$@"
agree grep --where 'nothing == 7' "$@"
agree cat -c crc32 --as hex sound
agree cat --max-frame 1k -s telemetry.bfbs large
[ $runs -ge 170 ] || fail "only $runs runs"

# A file appears whole or not at all, as with one thread; a pipe is read by one.
expect 0 convert --to crc16 -j 3 -o made sound
same made narrow
expect 1 convert --to crc16 -j 3 -o not-made hit
missing not-made
cat sound | "$tool" cat -s telemetry.bfbs -j 4 - >out
"$tool" cat -s telemetry.bfbs -j 1 sound >out1
same out out1
expect 2 cat -j 0 --as hex sound
expect 2 grep -j many --where true -s telemetry.bfbs sound

# Nobody reads on.
"$tool" cat -s telemetry.bfbs -j 3 refused 2>err | head -n 1 >out
[ "$(wc -l <out)" -eq 1 ] || fail 'a broken pipe'
exit 0
