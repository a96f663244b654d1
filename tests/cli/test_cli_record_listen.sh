#!/bin/sh
# record --listen: many peers at once, of every checksum and form; peers that end badly; datagrams;
# and replay to all of these.
. "$(dirname "$0")/support.sh"

listening_on() { # KIND FILE
    wait_for grep -q "listening on $1" "$2"
    sed -n "s/^flatstream: listening on \($1.*\)/\1/p" "$2"
}

for peer in 1 2 3 4 5 6 7 8; do
    awk -v peer=$peer 'BEGIN { for (i = 0; i < 500; i++) printf "%02x%08x\n", peer, i }' >hex.$peer
    case $peer in
    1 | 5) sum=none ;;
    2 | 6) sum=crc16 ;;
    3 | 7) sum=crc32 ;;
    *) sum=xxh3 ;;
    esac
    expect 0 write --from hex -c $sum -o stream.$peer hex.$peer
done

# Eight peers at once, over two kinds of sockets, each with a checksum of its own. The order is
# that of a peer's own messages, and all are there.
rm -f told
"$tool" record --json --listen unix:socket --listen tcp://127.0.0.1:0 --peers 8 -o j >report 2>told &
pid=$!
tcp=$(listening_on tcp told)
[ -n "$tcp" ] || fail 'no endpoint told'
senders=
for peer in 1 2 3 4 5 6 7 8; do
    [ $((peer % 2)) = 0 ] && to=$tcp || to=unix:socket
    sum=auto
    case $peer in 1 | 5) sum=none ;; esac
    "$tool" send -c $sum stream.$peer "$to" 2>>send.err &
    senders="$senders $!"
done
for sender in $senders; do
    wait "$sender" || fail "a sender: $(cat send.err told)"
done
wait $pid || fail "record: $? $(cat told)"
has report '"peers": 8'
has report '"messages": 4000'
has report '"durable_ordinal": 4000'
expect 0 cat --as hex j
cp out all
for peer in 1 2 3 4 5 6 7 8; do
    grep "^0$peer" all >of.$peer
    same of.$peer hex.$peer
done
missing socket
expect 0 verify j

# A peer that sends what is not sound is let go, and told of; the others are not harmed.
rm -f told
"$tool" record --json --frames crc32 --listen unix:socket --peers 3 -o bad >report 2>told &
pid=$!
listening_on unix told >/dev/null
expect 0 send stream.3 unix:socket
"$tool" send stream.4 unix:socket 2>err
expect 0 send stream.7 unix:socket
wait $pid
[ $? = 1 ] || fail "an unsound peer: $(cat told)"
has told 'peer 2: offset 0, message 0: checksum mismatch'
has report '"peers": 3'
has report '"ok": false'
has report '"durable_ordinal": 1000'
expect 0 verify bad
expect 0 cat --as hex bad
cat hex.3 hex.7 >wanted
same out wanted

# Delimited ones, in pieces that end anywhere. A stream without checksums is such.
awk 'BEGIN { for (i = 0; i < 30000; i++) printf "%08x%0" (2 * (i % 40)) "d\n", i, 0 }' |
    sed 's/^\(........\)0$/\1/' >hex.many
expect 0 write --from hex -c none -o many hex.many
rm -f told
"$tool" record --from delimited --listen unix:socket --peers 1 -o delimited 2>told &
pid=$!
listening_on unix told >/dev/null
expect 0 send -c none many unix:socket
wait $pid || fail "delimited: $(cat told)"
expect 0 cat --as hex delimited
same out hex.many

# Datagrams, from replay, then a signal.
expect 0 record -q --from hex -o source hex.1
rm -f told
"$tool" record --json --listen udp://127.0.0.1:0 -o datagrams >report 2>told &
pid=$!
udp=$(listening_on udp told)
expect 0 replay --max --range ..50 -o "$udp" source
wait_for sh -c "'$tool' info --json datagrams | grep -q '\"messages\": 50,'"
kill -s TERM $pid
wait $pid || fail 'ended by a signal'
has report '"ended_by": "signal"'
has report '"durable_ordinal": 50'
expect 0 cat --as hex datagrams
head -50 hex.1 >first
same out first

# And replay over a connection.
"$tool" recv -o received unix:socket 2>err &
pid=$!
expect 0 replay --max -o unix:socket source
wait $pid || fail 'recv'
expect 0 cat --as hex received
same out hex.1

expect 2 record -o x --listen http://x
expect 3 replay --timeout 0 --max -o unix:nobody source
expect 2 send stream.1 udp://127.0.0.1:9

# A file that can grow no more, as on a full disk: what is told to be recorded is what is there.
awk 'BEGIN { for (i = 0; i < 12000; i++) printf "%016x\n", i }' >wide
expect 0 write --from hex -c xxh3 -o wide.fls wide
(
    trap '' XFSZ
    ulimit -f 100 && exec "$tool" record --json --listen unix:full --peers 1 -o j.full >report 2>told
) &
pid=$!
wait_for grep -q 'listening on' told
"$tool" send wide.fls unix:full 2>/dev/null # may find it gone
wait $pid
code=$?
[ $code = 3 ] || fail "a full disk: exit code $code, not 3"
has told 'are not in the journal: there was no room for them'
has report '"ok": false'
has_not report '"lost_messages": 0'
recorded=$(sed -n 's/.*"messages": \([0-9]*\).*/\1/p' report | head -1)
[ "$recorded" -gt 1000 ] || fail "$recorded recorded"
has report "\"next_ordinal\": $recorded,"
head -n "$recorded" wide >want
expect 0 cat --as hex j.full
same out want
