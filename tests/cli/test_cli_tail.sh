#!/bin/sh
# tail: the last messages of streams and journals, and following them through rotation, retention
# and restarts of the writer.
. "$(dirname "$0")/support.sh"

lines() { # FILE COUNT
    [ "$(wc -l <"$1")" -ge "$2" ]
}

awk 'BEGIN { for (i = 0; i < 1000; i++) printf "%08x\n", i }' >hex
head -500 hex >first
sed 1,500d hex >second
expect 0 write --from hex -o stream hex
expect 0 record -q --from hex --segment-messages 100 -o j hex

for input in stream j; do
    for count in 1 3 99 101 1000; do
        tail -n $count hex >wanted
        expect 0 tail -n $count $input
        same out wanted
    done
    expect 0 tail -n 5000 $input
    same out hex
    expect 0 tail -n 0 $input
    empty out
    expect 0 tail $input
    lines out 10 || fail 'not ten'
    expect 0 tail --as raw -n 1 $input
    [ "$(od -An -tx1 out | tr -d ' ')" = 000003e7 ] || fail 'as raw'
done
cat stream | "$tool" tail -n 3 - >out || fail 'from a pipe'
tail -n 3 hex >wanted
same out wanted
expect 0 tail --since -1h j
same out hex

# A journal that is written meanwhile, by three writers one after the other, with rotation.
expect 0 record -q --from hex -o live first
rm -f followed
"$tool" tail -f -n 5 live >followed 2>follow.err &
pid=$!
wait_for lines followed 5
expect 0 record -q --from hex --segment-messages 50 -o live second
wait_for lines followed 505
expect 0 record -q --from hex -o live first
wait_for lines followed 1005
kill $pid
wait $pid
{ tail -n 5 first; cat second first; } >wanted
same followed wanted
empty follow.err

# Retention may take away what was to come: that is told, and it goes on.
rm -f followed
"$tool" tail -f -n 1 live >followed 2>follow.err &
pid=$!
wait_for lines followed 1
expect 0 record -q --from hex --segment-messages 50 --retain-segments 2 -o live hex
wait_for grep -q "$(tail -n 1 hex)" followed
kill $pid
wait $pid
if ! lines followed 1001; then
    has follow.err 'removed by retention'
fi

# A writer that is killed: what comes after its restart is followed.
mkfifo pipe
"$tool" record -q --from hex --sync always -o killed <pipe 2>err &
writer=$!
exec 3>pipe
cat first >&3
wait_for sh -c "'$tool' info --json killed | grep -q '\"messages\": 500,'"
rm -f followed
"$tool" tail -f -n 500 killed >followed 2>follow.err &
pid=$!
wait_for lines followed 500
kill -9 $writer
wait $writer 2>/dev/null
exec 3>&-
expect 0 record -q --from hex -o killed second
wait_for lines followed 1000
kill $pid
wait $pid
same followed hex

# A stream that grows; a message that is half there is waited for.
expect 0 write --from hex -o growing first
expect 0 write --from hex -o more second
rm -f followed
"$tool" tail -f -n 2 growing >followed 2>follow.err &
pid=$!
wait_for lines followed 2
head -c 1001 more >>growing
wait_for lines followed 60
tail -c +1002 more >>growing
wait_for lines followed 502
kill $pid
wait $pid
{ tail -n 2 first; cat second; } >wanted
same followed wanted

expect 2 tail -n x stream
expect 2 tail -n 100000000 stream
expect 2 tail --since -5m stream
expect 3 tail nothing
mkfifo other
: | "$tool" tail -f - >out 2>err
[ $? = 2 ] || fail '-f of a pipe'

# A cursor: each tail goes on where the last one ended, and retention keeps what is still to come.
seq -f %08g 1 10 >first
expect 0 record -q --from hex --segment-messages 3 -o named first
expect 0 tail --cursor up --as hex named
same out first
expect 0 journal cursors named
has out 'up                                   10'
expect 0 tail --cursor up --as hex named
empty out
seq -f %08g 11 16 >second
expect 0 record -q --from hex --segment-messages 3 -o named second
expect 0 journal prune --before 16 named
expect 0 tail --cursor up --as hex named
same out second
"$tool" tail -f --cursor up --as hex named >followed 2>follow.err &
follower=$!
seq -f %08g 17 20 >third
expect 0 record -q --from hex -o named third
wait_for cmp followed third
wait_for sh -c "'$tool' journal cursors named | grep -q ' 20  epoch'"
kill $follower
wait $follower 2>/dev/null
expect 0 tail --cursor other --as hex named
has out 00000020
expect 0 tail --cursor up --as hex named
empty out
expect 2 tail --cursor up -n 5 named
expect 2 tail --cursor up --since -5m named
expect 2 tail --cursor no/name named
has err "a cursor's name"
expect 0 write --from hex -o stream first
expect 2 tail --cursor up stream
has err 'stream is no journal'

# Who reads goes away: there is nothing to wait for.
for what in named stream; do
    { "$tool" tail -f --as hex $what; echo $? >code; } | head -n 1 >line
    wait_for test -s code
    has code 0
    rm code
done
