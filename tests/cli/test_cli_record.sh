#!/bin/sh
# record: every form in, resuming, killing and ending it, what it reports, and what it refuses.
. "$(dirname "$0")/support.sh"

awk 'BEGIN { for (i = 0; i < 3000; i++) printf "%08x%s\n", i, i % 7 ? "" : "00ff00ff" }' >hex
expect 0 write --from hex -c crc16 -o stream hex
expect 0 cat --as delimited -o delim stream

# holds JOURNAL FILE: the messages of the journal, as hex lines, are those of the file.
holds() {
    expect 0 cat --as hex "$1"
    same out "$2"
    expect 0 verify "$1"
}

# Every form, from a file, a pipe, a program.
expect 0 record -o j.delimited delim
has err '3,000 messages recorded'
has err 'durable below 3,000, which is all'
empty out
holds j.delimited hex
expect 0 record --from frames -o j.frames stream
expect 0 record --from frames --frames crc16 -o j.stated stream
expect 0 record --from hex -q -o j.hex hex
empty err
"$tool" record -o j.pipe <delim 2>err || fail 'from standard input'
cat delim | "$tool" record -o j.pipe - 2>err || fail 'resumed, from a pipe'
expect 0 record --from hex -o j.program -- cat hex
cat hex hex >twice
for kind in frames stated hex program; do
    holds j.$kind hex
done
holds j.pipe twice
expect 1 record --from hex -o j.program -- sh -c 'echo 0102; exit 3'
has err 'ended with code 3'
expect 3 record -o j.program -- ./no-such-program

# Each segment is a plain stream; rotation; every checksum and every way to sync.
for sync in none interval=1ms bytes=4Ki every=100 always; do
    for sum in none crc16 crc32 xxh3; do
        [ $sync = none ] || [ $sum = xxh3 ] || continue
        expect 0 record -c $sum --sync $sync --segment-messages 1000 -o j.$sync.$sum delim
        holds j.$sync.$sum hex
        for segment in j.$sync.$sum/*.fls; do
            [ ! -s "$segment" ] || expect 0 verify -c $sum "$segment"
        done
    done
done
expect 0 info --json j.none.crc32
has out '"checksum": "crc32"'
has out '"messages": 3000'
# Neither another checksum nor another form's.
expect 2 record -c crc16 -o j.none.crc32 delim
expect 0 record -c crc32 -o j.none.crc32 delim
holds j.none.crc32 twice
expect 0 record --segment-messages 100 --retain-segments 5 -o j.short delim
expect 0 info --json j.short
has_not out '"first_ordinal": 0,'
has out '"end_ordinal": 3000'

# The report.
expect 0 record --json -o j.report delim
has out '"is_new": true'
has out '"recovered": null'
has out '"first_ordinal": 0,'
expect 0 record --json -o j.report delim
for line in '"epoch": 2' '"is_new": false' '"was_clean": true' '"messages": 3000' \
    '"bytes": 13716' '"first_ordinal": 3000' '"next_ordinal": 6000' '"durable_ordinal": 6000' \
    '"refused": 0' '"ended_by": "end"' '"ok": true'; do
    has out "$line"
done

# An input that is wrong in the middle: what was before it is durable.
{ cat delim; bytes 0500000001; } >torn
expect 1 record --json -o j.torn torn
has err 'the input ends within a message'
has out '"durable_ordinal": 3000'
has out '"ended_by": "error"'
holds j.torn hex
head -c 20000 stream >half
expect 1 record --from frames -o j.half half
expect 0 verify j.half

# What is empty or too large is not recorded, and that is known.
{ echo 0102; echo; echo 03040506; echo 07; } >mixed
expect 1 record --json --from hex --max-frame 3 -o j.mixed mixed
has out '"refused": 2'
has out '"messages": 2'
{ echo 0102; echo 07; } >kept
holds j.mixed kept
expect 0 cat -v --as hex j.mixed
has err 'missing, as the journal says itself'

# Schemas: the journal knows them, and holds messages to them if asked to.
expect 0 record -s "$FLS_TEST_SCHEMA_DIR/telemetry.bfbs" --from json -o j.typed - </dev/null
cat >json <<'JSON'
{"device_id":1,"timestamp_ns":5}
{"device_id":2,"timestamp_ns":6}
JSON
expect 0 record --from json -o j.typed json
expect 0 cat j.typed
same out json
expect 1 record --check --from hex -o j.typed hex
has err 'a message is not recorded'
expect 0 cat j.typed
same out json
expect 2 record --check --from hex -o j.hex hex
has err '--check needs a schema'
expect 2 record --from json -o j.none-yet json
missing j.none-yet

# Signals end it well, with everything that came. (SIGINT is ignored by what a script has in the
# background.)
for signal in HUP TERM; do
    mkfifo pipe.$signal
    "$tool" record --json -o j.$signal <pipe.$signal >report 2>err &
    pid=$!
    exec 3>pipe.$signal
    cat delim >&3
    wait_for sh -c "'$tool' info --json j.$signal | grep -q '\"messages\": 3000,'"
    kill -s $signal $pid
    wait $pid || fail "$signal: ended with $?"
    exec 3>&-
    has report '"ended_by": "signal"'
    has report '"durable_ordinal": 3000'
    has report '"ok": true'
    holds j.$signal hex
done

# Killed again and again: what each run said to be durable is there, in order, once.
: >told
for run in 1 2 3 4 5 6 7 8; do
    rm -f reported
    awk -v run=$run 'BEGIN { for (i = 0; i < 100000000; i++) printf "%04x%08x\n", run, i }' |
        "$tool" record --from hex --sync interval=1ms --report 1ms --segment-bytes 1Mi \
            -o j.killed - 2>reported &
    # The last of a pipeline is what $! is.
    pid=$!
    wait_for sh -c "[ \$(grep -c '^durable [1-9]' reported) -gt 20 ]"
    kill -9 $pid
    wait $pid 2>/dev/null
    sed -n 's/^durable //p' reported | tail -2 | head -1 | sed "s/^/$run /" >>told
done
expect 0 record --from hex --json -o j.killed - </dev/null
cp out report
has report '"epoch": 9'
expect 0 verify j.killed
expect 0 cat --as hex j.killed
awk 'function number(text, i, n) {
         for (i = 1; i <= length(text); i++)
             n = n * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
         return n
     }
     NR == FNR { durable[$1] = $2; next }
     {
         run = number(substr($1, 1, 4))
         if (run != last) {
             if (run != last + 1) { print "run " run " behind run " last; exit 1 }
             last = run
             next_number = 0
         }
         if (number(substr($1, 5)) != next_number++) { print "run " run ": " $1; exit 1 }
         upto[run] = ++total
     }
     END {
         for (run = 1; run <= 8; run++)
             if (durable[run] == "" || upto[run] < durable[run]) {
                 print "run " run ": durable " durable[run] ", there " upto[run]
                 exit 1
             }
     }' told out >why || fail "killed: $(cat why told)"

# A file that can grow no more, as on a full disk: what is told to be recorded is what is there.
# full_after JOURNAL COMMAND...: with such a limit, JSON in ./report; wants code 3.
full_after() {
    journal=$1
    shift
    (
        trap '' XFSZ
        ulimit -f 100 && exec "$@" >report 2>err
    )
    code=$?
    [ $code = 3 ] || fail "$*: exit code $code, not 3"
    has err 'no space left: write failed: File too large'
    has_not err 'File too large: '
    has err 'are not in the journal: there was no room for them'
    has report '"ok": false'
    has_not report '"lost_messages": 0'
    recorded=$(sed -n 's/.*"messages": \([0-9]*\).*/\1/p' report | head -1)
    [ "$recorded" -gt 1000 ] || fail "$recorded recorded"
    has report "\"next_ordinal\": $recorded,"
    has report "\"bytes\": $((recorded * 8)),"
    has err "$(echo "$recorded" | sed 's/\(...\)$/,\1/') messages recorded"
    has err "ordinals 0 to $((recorded - 1));"
    head -n "$recorded" wide >want
    holds "$journal" want
}
awk 'BEGIN { for (i = 0; i < 12000; i++) printf "%016x\n", i }' >wide
expect 0 write --from hex -c xxh3 -o wide.fls wide
for sync in none interval=1ms bytes=16Ki every=100; do
    full_after j.full.$sync "$tool" record --json --from hex --sync $sync -o j.full.$sync wide
done
full_after j.full.frames "$tool" record --json --from frames -o j.full.frames wide.fls

# One writer at a time; places where no journal can be.
mkfifo held
"$tool" record -o j.locked <held 2>err &
pid=$!
exec 3>held
wait_for test -e j.locked/journal.json
wait_for sh -c "'$tool' journal info j.locked | grep -q 'has it open'"
expect 3 record -o j.locked delim
has err 'another writer has this journal open'
exec 3>&-
wait $pid || fail 'the one that held it'
expect 0 record -o j.locked delim
holds j.locked hex
expect 3 record -o delim delim
expect 3 record -o nowhere/deeper delim
expect 3 record -o j.new no-such-input
missing j.new
expect 2 record delim
expect 2 record -o - delim
expect 2 record -o j.new delim hex
expect 2 record -o j.new --sync sometimes delim
expect 2 record -o j.new --sync interval=0 delim
expect 2 record -o j.new --segment-bytes 0 delim
expect 2 record -o j.new --segment-age soon delim
expect 2 record -o j.new --from csv delim
expect 2 record -o j.new --frames crc16 delim
expect 2 record -o j.new --peers 1 delim
expect 2 record -o j.new --listen udp://127.0.0.1:0 delim
expect 2 record -o j.new --listen nowhere
expect 2 record -c auto -o j.new delim
expect 2 record -o j.new --listen unix:s --from hex

# What cannot go well opens no journal: the next writer's epoch is the one behind the last.
untouched() { # CODE ARGUMENTS...
    cp j.report/journal.json before
    expect "$@"
    same before j.report/journal.json
    has_not err 'recorded'
}
untouched 2 record -o j.report --listen foo
untouched 2 record -o j.report --listen unix:untouched --listen foo
missing untouched
untouched 3 record -o j.report --listen unix:nowhere/socket
untouched 3 record -o j.report -- no-such-program
untouched 3 record -o j.report -- ./no-such-program
untouched 3 record -o j.report -- ./delim
has err 'ermission denied'
untouched 3 record -o j.report no-such-input
untouched 3 record -o j.report "$folder"
has err 'is a directory, not a stream or other file that record can read'
untouched 2 record --check -o j.report delim
untouched 2 record --from json -o j.report json
untouched 2 record -c crc16 -o j.report delim
untouched 2 record -o j.report --max-frame 3Gi delim
has err 'from 1 to 2147483648'
expect 2 info --max-frame 4Gi delim
has err 'from 1 to 4294967295'
expect 0 record --max-frame 2Gi -o j.large delim
holds j.large hex
printf '#!/bin/sh\ncat hex\n' >program
chmod +x program
PATH=$folder:$PATH expect 0 record --from hex -o j.path -- program
holds j.path hex

# What is not there, or not delimited, says what may be meant.
expect 1 record -o j.new json
has err '; is it of another form? --from names it'
expect 1 record -o j.torn torn
has_not err 'another form'
for zero in 0 0ms 0.0s; do
    expect 2 record -o j.new --sync interval=$zero delim
    has err 'has to be more than 0'
done
expect 2 record -o j.new --sync bytes=0Ki delim
has err 'has to be more than 0'
