#!/bin/sh
# send and recv between two processes, over Unix and TCP sockets, all checksums, sound and damaged.
. "$(dirname "$0")/support.sh"

i=0
line=
while [ $i -lt 200 ]; do
    line="${line}5a"
    echo "$line"
    i=$((i + 1))
done >hex
for sum in none crc16 crc32 xxh3; do
    expect 0 write --from hex -c $sum -o stream.$sum hex
done

# Both ends' exit codes in $sent and $received.
transfer() { # input, sender's options, receiver's options
    # shellcheck disable=SC2086
    "$tool" recv $3 -o result unix:socket >recv.out 2>recv.err &
    pid=$!
    # shellcheck disable=SC2086
    "$tool" send $2 "$1" unix:socket >out 2>err
    sent=$?
    wait $pid
    received=$?
}

for sum in none crc16 crc32 xxh3; do
    transfer stream.$sum '' ''
    [ $sent = 0 ] && [ $received = 0 ] || fail "$sum: sent $sent, received $received"
    empty err
    empty recv.err
    same result stream.$sum
    missing socket
    transfer stream.$sum "-c $sum" "-c $sum -v"
    [ $sent = 0 ] && [ $received = 0 ] || fail "$sum: sent $sent, received $received"
    has recv.err 'listening on unix:socket'
    same result stream.$sum
done
transfer stream.xxh3 '-n 3' ''
[ $sent = 0 ] && [ $received = 0 ] || fail 'three messages'
expect 0 info --json result
has out '"messages": 3,'

: >nothing
transfer nothing '' ''
[ $sent = 0 ] && [ $received = 0 ] || fail 'nothing'
empty result

# A stream that is not sound: what was sound before is sent, and is sound for the receiver.
cat stream.xxh3 >torn
bytes 0300 >>torn
transfer torn '' ''
[ $sent = 1 ] && [ $received = 0 ] || fail "torn: sent $sent, received $received"
same result stream.xxh3

# The receiver has another checksum in mind: nothing appears.
rm result
transfer stream.xxh3 '' '-c crc32'
[ $received = 1 ] || fail "another checksum: received $received"
missing result
missing result.partial

# A result of before stays when nothing good comes.
echo before >result
transfer stream.xxh3 '' '-c crc32'
[ "$(cat result)" = before ] || fail 'the old file is gone'
chmod 600 result
transfer stream.xxh3 '' ''
same result stream.xxh3
[ "$(ls -l result | cut -c1-10)" = -rw------- ] || fail 'the mode changed'

# Pipes at both ends.
"$tool" recv -o - unix:socket 2>recv.err | "$tool" cat - >got &
pid=$!
"$tool" cat --as frames stream.crc32 | "$tool" send - unix:socket 2>err || fail 'send -'
wait $pid
same got hex

# TCP, on a port that the system chooses.
"$tool" recv -o result tcp://127.0.0.1:0 2>recv.err &
pid=$!
tries=0
until grep -q 'listening on tcp://127.0.0.1:' recv.err; do
    tries=$((tries + 1))
    [ $tries -lt 6000 ] || fail 'recv does not say where it listens'
    sleep 0.01
done
endpoint=$(sed -n 's/^flatstream: listening on //p' recv.err)
expect 0 send stream.crc16 "$endpoint"
wait $pid || fail 'recv over TCP'
same result stream.crc16

# Nobody listens; nowhere to listen; nothing to send; nowhere to write.
expect 3 send --timeout 0 stream.xxh3 unix:nobody
has err 'unix:nobody: '
expect 3 recv -o result unix:nowhere/socket
expect 3 send nowhere unix:socket
expect 3 recv -o nowhere/result unix:socket
expect 3 recv -o . unix:socket
same result stream.crc16

# recv that is ended before anybody comes leaves nothing.
rm result
"$tool" recv -v -o result unix:socket 2>recv.err &
pid=$!
until [ -S socket ] && grep -q listening recv.err; do sleep 0.01; done
kill $pid
wait $pid
[ "$(kill -l $?)" = TERM ] || fail 'ended by SIGTERM'
only hex stream.none stream.crc16 stream.crc32 stream.xxh3 torn nothing got recv.out recv.err
