#!/bin/sh
# slice, and convert --where: which messages are taken, held against awk and against the bytes of the
# stream itself; journals, damage, wrong usage, signals and full disks.
. "$(dirname "$0")/support.sh"

schemas=${FLS_SOURCE_DIR:?}/tests/schemas
cp "$schemas/telemetry.fbs" .
flatc -b --schema telemetry.fbs || fail 'flatc'

# Message i is of second i, and all of one size under the same checksum but for those with a mode.
base=1790000000
awk -v base=$base 'BEGIN {
    for (i = 1; i <= 1000; i++)
        printf "{\"timestamp_ns\":%d000000000,\"sequence\":%d%s}\n", base + i, i, i % 3 ? "" : ",\"mode\":\"Fault\""
}' >lines
expect 0 write --from json -s telemetry.bfbs -o stream lines
expect 0 ls stream
mv out frames # ordinal, offset, size, checksum

# slices AWK OPTIONS...: the frames for which awk finds its expression in i (the ordinal) and at (the
# offset) true; as they are, and with --invert the others.
slices() {
    which=$1
    shift
    for invert in '' --invert; do
        expect 0 slice -q $invert -s telemetry.bfbs "$@" -o sliced stream
        empty out
        empty err
        expect 0 cat -s telemetry.bfbs sliced
        awk -v not="$invert" "{ at = \$2; i = NR - 1 } ($which) == (not == \"\") { print NR }" frames |
            awk 'NR == FNR { take[$1] = 1; next } FNR in take' - lines >wanted
        same out wanted
    done
}
slices 'i >= 10 && i < 20' --range 10..20
slices 'i >= 990' --range 990..
slices 'i < 1' --range ..1
slices 'i < 0' --range 5..5
slices 'i < 1000' --range 0..5000
slices 'at >= 1000 && at < 20000' --bytes 1000..20k
slices 'at >= 4096' --bytes 4Ki..
slices 'at < 1' --bytes ..1
slices 'at < 0' --bytes 0..0
slices 'at < 0' --bytes 1..2
slices 'i % 3 == 2' --where 'mode == Fault'
slices 'i % 3 == 2 && at < 20000 && i >= 30' --where 'mode == Fault' --bytes ..20k --range 30..
since=2026-09-21T14:15:00Z # base + 100 seconds: i is one less than the sequence
until=2026-09-21T14:16:40Z
slices 'i >= 99' --since $since
slices 'i >= 99 && i < 199' --since $since --until $until --time timestamp_ns
slices 'i < 199 && i % 3 == 2 && i >= 9' --until $until --where 'mode == Fault' --range 9..
slices 'i < 0' --since -5m --time sequence --time-unit ns

# Byte for byte what the input has, and with --to what convert makes of it.
from=$(awk 'NR == 101 { print $2 }' frames)
to=$(awk 'NR == 201 { print $2 }' frames)
tail -c +$((from + 1)) stream | head -c $((to - from)) >wanted
expect 0 slice --range 100..200 -o sliced stream
same sliced wanted
expect 0 slice --range 100..200 stream
same out wanted
expect 0 slice --bytes "$from..$to" -o sliced - <stream
same sliced wanted
expect 0 slice --range 100.. -n 100 -o sliced stream
same sliced wanted
for sum in none crc16 crc32 xxh3; do
    expect 0 slice --range 100..200 --to $sum -o sliced stream
    expect 0 convert --range 100..200 --to $sum -o converted stream
    same sliced converted
    expect 0 slice -c $sum --where 'sequence >= 0' -s telemetry.bfbs -o again sliced
    same again sliced
done

# --limit counts what is taken, where something is sifted; nothing is read behind it.
expect 0 slice -s telemetry.bfbs --where 'mode == Fault' -n 5 -o sliced stream
expect 0 grep -s telemetry.bfbs --where 'mode == Fault' -n 5 --as frames -o wanted stream
same sliced wanted
expect 0 info --json sliced
has out '"messages": 5,'
expect 0 slice -q -n 0 -o sliced stream
empty sliced
expect 0 slice -n 2000 -o sliced stream
same sliced stream
cat stream >torn
printf x >>torn
expect 0 slice -n 1000 -o sliced torn
same sliced stream
expect 0 slice -s telemetry.bfbs --where 'sequence > 0' -n 1000 -o sliced torn
same sliced stream
expect 0 slice --bytes "..$to" -o sliced torn

# No condition: everything.
expect 0 slice -o sliced stream
same sliced stream
expect 0 slice --invert -o sliced stream
empty sliced

# Nothing: an empty stream, a note, and exit code 0. One message; no message.
expect 0 slice -s telemetry.bfbs --where 'sequence > 5000' -o sliced stream
empty sliced
has err 'nothing was selected'
head -c "$(awk 'NR == 2 { print $2 }' frames)" stream >one
expect 0 slice --range ..1 -o sliced one
same sliced one
expect 0 slice --range 1.. -o sliced one
empty sliced
: >nothing
expect 0 slice --range ..1 -o sliced nothing
empty sliced
expect 0 slice --range ..1 --to crc16 -o sliced nothing
empty sliced

# Empty messages at the end look like a zero tail to readers.
printf '\n\n\n\n\n\n' | "$tool" write --from hex -c xxh3 -o empties
expect 0 slice -c xxh3 --range ..6 --to none -o sliced empties
has err 'zero tail'
expect 0 slice -c xxh3 --range ..6 -o sliced empties
has_not err 'zero tail'
same sliced empties

# Damage: exit code 1, and nothing of it; standard output gets what was sound before.
cp stream damaged
printf '!!!' | dd of=damaged bs=1 seek=$((to + 20)) conv=notrunc 2>/dev/null
rm sliced
for options in '--range 5..' '--range 100..200 --invert' '--bytes 0..' '-n 500' '--to none --range 0..'; do
    # shellcheck disable=SC2086
    expect 1 slice $options -o sliced damaged
    has err "offset $to, message 200: checksum mismatch"
    missing sliced
done
expect 1 slice --range 100.. -o - damaged
tail -c +$((from + 1)) stream | head -c $((to - from)) | cmp - out || fail 'the sound part'
expect 0 slice --range 100..200 -o sliced damaged

# convert with a condition: what grep finds, with another checksum, padded, and as a journal.
expect 0 grep -s telemetry.bfbs --where 'mode == Fault' --as frames -o found stream
expect 0 convert --to crc32 -o wanted found
expect 0 convert --to crc32 -s telemetry.bfbs --where 'mode == Fault' -o converted stream
same converted wanted
expect 0 convert --to crc32 -s telemetry.bfbs --where 'mode == Fault' --range 100..200 -o converted stream
expect 0 slice --to crc32 -s telemetry.bfbs --where 'mode == Fault' --range 100..200 -o wanted stream
same converted wanted
expect 0 convert --to crc32 -s telemetry.bfbs --where 'mode == Fault' -n 7 -o converted stream
expect 0 convert --to crc32 --range ..7 -o wanted found
same converted wanted
expect 0 convert --align 8 -s telemetry.bfbs --where 'mode == Fault' -o converted stream
expect 0 convert --align 8 -o wanted found
same converted wanted
expect 0 convert --to none -s telemetry.bfbs --where 'sequence > 5000' -o converted stream
empty converted
expect 2 convert --to none --where 'mode == Fault' -o converted stream
expect 2 convert --to none -s telemetry.bfbs --where 'mood == Fault' -o converted stream
# What is left out is not held against the schema; what is taken is.
bytes 0c000000080008000000040008000000 >root
od -An -v -tx1 root | tr -d ' \n' >hex
echo >>hex
"$tool" write --from hex -o odd hex
cat stream odd >mixed
expect 0 convert --to none -s telemetry.bfbs --where 'sequence > 0' -o converted mixed
expect 1 convert --to none -s telemetry.bfbs --where 'sequence >= 0' -o refused mixed
has err 'message 1000'
missing refused
expect 0 convert --journal -s telemetry.bfbs --where 'mode == Fault' -o journal stream
expect 0 slice --range 0.. -o converted journal
expect 0 slice -s telemetry.bfbs --where 'mode == Fault' -o wanted stream
same converted wanted
expect 0 convert --journal --where 'sequence > 500' -n 9 -o journal2 journal
expect 0 slice --range 0.. -o converted journal2
expect 0 slice -s telemetry.bfbs --where 'mode == Fault && sequence > 500' -n 9 -o wanted stream
same converted wanted

# A journal: by ordinal, by the time of receipt, by a field, by what it knows of its types.
expect 0 record --from frames -s telemetry.bfbs --segment-bytes 8Ki -o recorded stream
expect 0 slice --range 100..200 -o sliced recorded
expect 0 slice --range 100..200 -o wanted stream
same sliced wanted
expect 0 slice --range 100..200 --invert -o sliced recorded
expect 0 slice --range 100..200 --invert -o wanted stream
same sliced wanted
expect 0 slice --where 'mode == Fault' --range 9..99 --to none -o sliced recorded
expect 0 slice --where 'mode == Fault' --range 9..99 --to none -s telemetry.bfbs -o wanted stream
same sliced wanted
expect 0 slice --since $since --until $until --time timestamp_ns -o sliced recorded
expect 0 slice --since $since --until $until -s telemetry.bfbs -o wanted stream
same sliced wanted
expect 0 slice --since -1h -o sliced recorded
same sliced stream
expect 0 slice -q --until -1h -o sliced recorded
empty sliced
expect 0 slice --until -1h --invert -o sliced recorded
same sliced stream
expect 2 slice --bytes 0..1Ki -o sliced recorded
# Damage in a journal is told and passed over.
segment=$(ls recorded/*.fls | sed -n 2p)
printf '!!!' | dd of="$segment" bs=1 seek=200 conv=notrunc 2>/dev/null
rm sliced
expect 1 slice --range 0.. -o sliced recorded
has err 'lost'
expect 0 info --json sliced
has_not out '"messages": 1000,'

# Wrong usage, and a system that refuses.
rm -f sliced
expect 2 slice --range 5..4 -o sliced stream
for bytes in 5 5..4 a..b 1..2..3 1Kib..; do
    expect 2 slice --bytes $bytes -o sliced stream
    has err 'range of offsets'
done
expect 2 slice --since -5m -o sliced stream
has err 'schema'
expect 2 slice --range ..5 --time timestamp_ns -o sliced stream
expect 2 slice --since -5m -s telemetry.bfbs --time tags -o sliced stream
expect 2 slice --where 'mode == Fault' -o sliced stream
expect 2 slice -s telemetry.bfbs --where 'mode = Fault' -o sliced stream
expect 2 slice --range ..5 --to auto -o sliced stream
expect 2 slice --range ..5 -o stream stream
expect 3 slice --range ..5 -o sliced no-such-file
expect 3 slice --range ..5 -o no-such-folder/sliced stream
missing sliced
if [ -e /dev/full ]; then
    expect 3 slice --range 0.. -o /dev/full stream
    has err 'No space left'
fi

# Ended by a signal in the middle: nothing is left.
mkfifo fifo
for signal in TERM HUP; do
    "$tool" slice -c xxh3 --range 0.. -o sliced fifo 2>err &
    pid=$!
    exec 3>fifo
    cat one >&3
    wait_for sh -c 'ls -A | grep -q "^\.sliced"'
    kill -s $signal $pid
    wait $pid
    code=$?
    exec 3>&-
    [ "$(kill -l $code)" = $signal ] || fail "slice by SIG$signal: $code"
    missing sliced
    [ -z "$(ls -A | grep '^\.sliced')" ] || fail 'something is left'
done
