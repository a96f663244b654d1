#!/bin/sh
# How a recording ends, where it may be made, and values of options that make no sense.
. "$(dirname "$0")/support.sh"

awk 'BEGIN { for (i = 0; i < 3000; i++) printf "%08x\n", i }' >hex

# recorded JOURNAL COUNT WHY: so many messages, the first of hex, and the end that is told.
recorded() {
    has out "\"ended_by\": \"$3\""
    has out '"ok": true'
    [ "$(sed -n 's/^  "messages": \([0-9]*\),$/\1/p' out)" = "$2" ] || fail 'messages'
    "$tool" cat --as hex "$1" >got || fail "cat $1"
    sed "$2q" hex >wanted
    same got wanted
    rm -r "$1"
}
# Enough messages, from each kind of input; refused ones do not count.
expect 0 record --json --from hex -n 1500 -o j hex
recorded j 1500 limit
"$tool" record --json --from hex --limit 5 -o j <hex >out 2>err || fail 'a pipe'
recorded j 5 limit
expect 0 record --json --from hex -n 3000 -o j hex
recorded j 3000 limit
expect 0 record --json --from hex -n 3001 -o j hex
recorded j 3000 end
expect 0 write --from hex -o stream hex
expect 0 record --json --from frames -n 700 -o j stream
recorded j 700 limit
expect 0 record --json --from hex -n 7 -o j -- sh -c 'cat hex; exec sleep 1000'
recorded j 7 limit
{ echo; cat hex; } >refused
expect 1 record --json --from hex -n 4 -o j refused
has out '"messages": 4'
has out '"refused": 1'
rm -r j
"$tool" record --json -n 10 --listen unix:socket -o j >out 2>err &
recorder=$!
wait_for test -S socket
"$tool" send stream unix:socket 2>/dev/null
wait $recorder || fail 'listening'
recorded j 10 limit

# Nothing came for a while, and a time is over.
mkfifo pipe
"$tool" record --json --from hex --idle 100ms -o j pipe >out 2>err &
recorder=$!
exec 3>pipe
cat hex >&3
wait $recorder || fail 'idle'
exec 3>&-
recorded j 3000 idle
expect 0 record --json --listen unix:socket --idle 50ms -o j
has out '"ended_by": "idle"'
expect 0 record --json --listen udp://127.0.0.1:0 --for 50ms -o j
has out '"ended_by": "time"'
rm -r j
expect 0 record --json --from hex --for 300ms -o j -- sh -c 'cat hex; exec sleep 1000'
recorded j 3000 time

# SIGHUP is a good end, as the others.
"$tool" record --json --from hex -o j pipe >out 2>err &
recorder=$!
exec 3>pipe
cat hex >&3
wait_for sh -c "[ \"\$('$tool' cat --as hex j | wc -l)\" = 3000 ]"
kill -HUP $recorder
wait $recorder || fail 'SIGHUP'
exec 3>&-
recorded j 3000 signal

# Where a journal can be.
mkdir other empty disk disk/lost+found half half/schemas half/cut
: >half/LOCK
echo mine >other/notes
expect 3 record --from hex -o other hex
has err 'other: is no journal'
has err 'notes'
expect 3 convert --journal -o other stream
has err 'notes'
[ "$(ls other)" = notes ] || fail 'something was written there'
for directory in empty/ disk half ./new new2/; do
    expect 0 record -q --from hex -o $directory hex
    expect 0 verify $directory
done
expect 3 record --from hex -o no/such hex
has err 'no/such: cannot be made'
missing no
expect 3 record --from hex -o stream hex
has err 'stream: is no directory'
expect 3 record --from hex -o stream/below hex
expect 3 convert --journal -o empty stream
has err 'empty: there is a journal already'

# Values that make no sense are refused, by the name of their option, and nothing is made.
while read -r option value; do
    expect 2 record --from hex "--$option" "$value" -o none hex
    has err "--$option"
    missing none
done <<END
segment-bytes 10
segment-bytes 0
segment-bytes 999
segment-messages 0
segment-age 0s
retain-bytes 1Mi
retain-segments 0
retain-age 0
sync every=0
sync interval=0ms
sync bytes=0
sync interval
sync often
limit 0
idle 0
for 5
report never
peers 0
END
expect 2 convert --journal --segment-bytes 10 -o none stream
missing none
expect 0 record -q --from hex --segment-bytes 1000 --retain-bytes 5000 -o small hex
expect 0 verify small
expect 0 record -q --from hex --segment-messages 100 --retain-bytes 5000 -o few hex
