#!/bin/sh
# merge: held against sort of all inputs behind one another; inputs of every form, hundreds of them,
# some out of order or damaged; and nothing is left behind.
. "$(dirname "$0")/support.sh"

schema=$FLS_TEST_SCHEMA_DIR/telemetry.bfbs

# Messages at random, cut into inputs that are sorted each; device_id is the input.
awk 'BEGIN {
    srand(3)
    for (i = 1; i <= 3000; i++) {
        printf "{\"device_id\":%d,\"timestamp_ns\":%d,\"sequence\":%d,\"mode\":\"%s\"", i % 5 + 1,
            int(300 * rand()) + 1, i, (rand() < 0.5 ? "Drive" : "Fault")
        printf ",\"battery\":{\"current_a\":%d.5},\"tags\":[\"a tag %d\"]}\n", 100 * rand() - 50, 40 * rand()
    }
}' >lines
expect 0 write --from json -s "$schema" -o all lines
for i in 1 2 3 4 5; do
    grep "\"device_id\":$i," lines >part
    expect 0 write --from json -s "$schema" -o "part$i" part
done
: >part6
cat part1 part2 part3 part4 part5 >joined

# merges PATH OPTIONS...
merges() {
    path=$1
    shift
    for i in 1 2 3 4 5 6; do
        expect 0 sort --by "$path" -s "$schema" "$@" -o "in$i" "part$i"
    done
    expect 0 sort --by "$path" -s "$schema" "$@" -o wanted joined
    expect 0 merge --by "$path" -s "$schema" "$@" -o result in1 in2 in3 in4 in5 in6
    empty err
    same result wanted
    expect 0 merge --by "$path" -s "$schema" "$@" -o result in6 in1 in2 in3 in4 in5
    same result wanted
}
merges sequence
merges mode
merges mode --reverse
merges battery.current_a
merges battery.current_a --reverse
merges 'tags[0]'
merges 'tags[0]' --reverse
merges pose.position.x
merges timestamp_ns --reverse
merges timestamp_ns

# The operands' order is that of equal values.
expect 0 merge --by raw.length -s "$schema" -o result part2 part1
cat part2 part1 >turned
same result turned

# One input, none with messages, standard input, several checksums, another one out.
expect 0 merge --by timestamp_ns -s "$schema" -o result in1
same result in1
expect 0 merge --by timestamp_ns -s "$schema" -o result in6 in6
empty result
"$tool" merge --by timestamp_ns -s "$schema" -o - in1 in2 - in4 in5 <in3 >out 2>err || fail 'standard input'
same out wanted
expect 0 convert --to crc16 -o narrow in2
expect 0 convert --to none -o bare in3
expect 0 merge --by timestamp_ns -s "$schema" -o result in1 narrow bare in4 in5
same result wanted
expect 0 merge --by timestamp_ns -s "$schema" --to crc32 -o result in1 in2 in3 in4 in5
expect 0 convert --to xxh3 -c crc32 -o result2 result
same result2 wanted

# Not in order: the place and both values are told, and nothing appears.
rm -f none
expect 1 merge --by sequence -s "$schema" -o none part1 in2 part3
has err 'in2: offset'
has err 'not in order: sequence is'
has err "'flatstream sort' puts it in order"
missing none
expect 1 merge --by timestamp_ns -s "$schema" --reverse -o none in1 in2
has err 'in1: offset'
missing none
cat >two <<'END'
{"timestamp_ns":7,"mode":"Fault","tags":["one that is first"]}
{"timestamp_ns":3,"mode":"Drive","tags":["one"]}
END
expect 0 write --from json -s "$schema" -o two.fls two
expect 1 merge --by timestamp_ns -s "$schema" -o none in1 two.fls
has err 'two.fls: offset 92, message 1: not in order: timestamp_ns is 3, and was 7 before'
expect 1 merge --by 'tags[0]' -s "$schema" -o none two.fls
has err "tags[0] is one, and was one that is first before"
expect 1 merge --by mode -s "$schema" -o none two.fls
has err 'mode is 1, and was 9 before'
missing none

# Damage.
cp in3 hit
printf 'XX' | dd of=hit bs=1 seek=9000 conv=notrunc 2>dd.err
expect 1 merge --by timestamp_ns -s "$schema" -o none in1 in2 hit in4
has err 'hit: offset'
missing none
head -c 9000 in3 >hit
expect 1 merge --by timestamp_ns -s "$schema" -o none in1 hit
has err 'hit: offset'
missing none

# Hundreds of inputs; and what is said when there are too many for the system.
names=
i=0
while [ $i -lt 300 ]; do
    names="$names in1 in6"
    i=$((i + 1))
done
# shellcheck disable=SC2086
expect 0 merge --by timestamp_ns -s "$schema" -o result $names
expect 0 info --json result
has out "\"messages\": $((300 * 600)),"
(
    # shellcheck disable=SC3045
    ulimit -n 64
    # shellcheck disable=SC2086
    expect 3 merge --by timestamp_ns -s "$schema" -o none $names
    has err 'merge some of them first'
    missing none
) || exit 1

# Journals: by a value, and by the times of receipt, one of them damaged.
expect 0 cat --as delimited -o delimited in1
expect 0 record -s "$schema" -o j1 delimited
expect 0 cat --as delimited -o delimited in2
expect 0 record -s "$schema" --segment-messages 100 -o j2 delimited
expect 0 merge --by timestamp_ns -s "$schema" -o result j1 j2 in3 in4 in5
same result wanted
expect 0 merge --by timestamp_ns -s "$schema" -o wanted in1 in2
expect 0 merge --by timestamp_ns -o result j1 j2
same result wanted
expect 2 merge --by timestamp_ns -o none j1 in2
has err 'needs a schema'
expect 2 merge --by no_such_field -o none j1 j2
missing none

# Journals of which each knows another kind of number, and one that has strings there.
printf 'table A { t: ulong; }\nroot_type A;\n' >a.fbs
printf 'table B { t: double; }\nroot_type B;\n' >b.fbs
printf 'table C { t: string; }\nroot_type C;\n' >c.fbs
printf '%s\n' '{"t":1}' '{"t":9007199254740993}' '{"t":18446744073709551615}' >a.json
printf '%s\n' '{"t":0.5}' '{"t":1.0}' '{"t":9007199254740992.0}' '{"t":1e300}' '{"t":"nan"}' >b.json
printf '%s\n' '{"t":"x"}' >c.json
for type in a b c; do
    expect 0 write --from json -s $type.fbs -o $type.fls $type.json
    expect 0 convert --journal -s $type.fbs -o j$type $type.fls
done
for type in a b; do
    expect 0 cat --as hex $type.fls
    sed "s/^/$type /" out | awk '{ print $1 NR, $2 }' >$type.hex
done
for order in 'ja jb b1 a1 b2 b3 a2 a3 b4 b5' 'jb ja b1 b2 a1 b3 a2 a3 b4 b5'; do
    expect 0 merge --by t -o result ${order%% b1*}
    for message in b1 ${order#* b1}; do
        sed -n "s/^$message //p" a.hex b.hex
    done >wanted
    expect 0 cat --as hex result
    same out wanted
done
expect 2 merge --by t -o none ja jb jc
has err 'is a string in one journal and a number in another'
missing none
rm -r ja jb jc a.fls b.fls c.fls

expect 0 merge --by-time -o result j2 j1
cat in1 in2 >wanted
same result wanted
expect 2 merge --by-time -o none j1 in2
has err 'in2 is a stream'
segment=$(find j2 -name '*0300.fls')
printf 'XX' | dd of="$segment" bs=1 seek=500 conv=notrunc 2>dd.err
expect 1 merge --by-time -o result j1 j2
[ -s result ] || fail 'what is sound of a damaged journal'

# Wrong usage.
expect 2 merge -s "$schema" -o none in1 in2
has err '--by PATH'
expect 2 merge --by mode --by-time -s "$schema" -o none in1 in2
expect 2 merge --by mode -o none in1 in2
expect 2 merge --by mode -s "$schema" -o none
expect 2 merge --by mode -s "$schema" -o none - - <in1
expect 2 merge --by mode -s "$schema" --to sum -o none in1
expect 2 merge --by 'tags[*]' -s "$schema" -o none in1
expect 2 merge --by timestamp_ns -s "$schema" -o in2 in1 in2
has err 'would be lost'
expect 3 merge --by timestamp_ns -s "$schema" -o none in1 no-such
has err 'no-such'
expect 3 merge --by timestamp_ns -s "$schema" -o no-such/none in1
missing none

# Ended by a signal in the middle: nothing is left.
mkfifo fifo
"$tool" merge --by timestamp_ns -s "$schema" -c xxh3 -o none in1 fifo 2>err &
pid=$!
exec 3>fifo
cat in2 >&3
wait_for sh -c 'find . -name ".none*" | grep -q .'
kill -s TERM $pid
wait $pid
code=$?
exec 3>&-
[ "$(kill -l $code)" = TERM ] || fail "ended by SIGTERM: $code"
[ -z "$(find . -name '*none*')" ] || fail 'something is left'
exit 0
