#!/bin/sh
# recover: cuts a torn or zero tail and nothing else, keeps what it cuts, and can be repeated.
. "$(dirname "$0")/support.sh"

frame=0300000050392f89945faf78616263
bytes "$frame$frame$frame" >sound

# cut NAME END: --truncate leaves the three sound messages and keeps the rest.
cut_tail() {
    name=$1 end=$2
    cp "$name" whole
    expect 1 recover "$name"
    has out "end          $end at offset 45"
    same "$name" whole
    expect 0 recover --truncate --json "$name"
    cut=$(($(size_of whole) - 45))
    has out "\"end\": \"$end\","
    has out '"frames": 3,'
    has out '"last_good_offset": 45,'
    has out "\"truncated_bytes\": $cut,"
    has out "\"cut_file\": \"$name.cut-45\","
    has out '"ok": true'
    same "$name" sound
    tail -c "$cut" whole | cmp - "$name.cut-45" || fail 'what was kept'
    expect 0 recover --truncate --json "$name"
    has out '"end": "clean",'
    has out '"truncated_bytes": 0,'
    has out '"cut_file": null,'
    same "$name" sound
    expect 0 recover "$name"
    expect 0 verify "$name"

    cp whole "$name"
    expect 0 recover --truncate --discard "$name"
    has out 'not kept'
    same "$name" sound
    cp whole "$name"
    expect 0 recover --truncate "$name"
    has out "kept as $name.cut-45.1"
    cp whole "$name"
    expect 0 recover --truncate -q "$name"
    empty out
    rm "$name" "$name".cut-45*
}

for bytes in 03 0300 030000 03000000 0300000050392f89 0300000050392f89945faf7861 \
    640000005039 ffffff00; do
    cp sound torn
    bytes $bytes >>torn
    cut_tail torn torn_tail
done
for count in 16 17 4096 100000; do
    cp sound zero
    zeros $count >>zero
    cut_tail zero zero_tail
done

# Damage is never cut.
bytes "$frame${frame%63}64$frame" >mismatch
bytes "${frame}ffffffff$frame" >oversize
bytes "${frame}03004000${frame#03000000}$frame" >flipped
cp sound half && bytes "030000ff${frame#03000000}" >>half
for name in mismatch oversize flipped; do
    cp $name whole
    expect 1 recover --truncate $name
    has out 'end          damaged'
    same $name whole
    expect 1 recover --truncate --json $name
    has out '"truncated_bytes": 0,'
    has out '"ok": false'
    same $name whole
    missing $name.cut-15
done

# With the wrong checksum nothing is cut either.
cp sound torn
bytes 0300 >>torn
cp torn whole
for sum in none crc16 crc32; do
    expect 1 recover --truncate -c $sum torn
    same torn whole
done
expect 3 recover --truncate nowhere
expect 2 recover --truncate /dev/null
cat torn | "$tool" recover - >out
[ $? = 1 ] || fail 'recover -'
has out 'torn_tail'

# The stream's lock is respected.
mkfifo fifo
"$tool" write --append --from hex torn fifo &
pid=$!
exec 3>fifo
echo 616263 >&3
tries=0
until [ "$(size_of torn)" = 60 ]; do # recovered, and the message handed on
    tries=$((tries + 1))
    [ $tries -lt 6000 ] || fail 'the appending writer did not recover and go on'
    sleep 0.01
done
expect 3 recover --truncate torn
has err 'locked'
printf '616263\n' >hex
expect 3 write --append --from hex torn hex
expect 3 convert --to none -o torn sound
exec 3>&-
wait $pid || fail 'the appending writer'
expect 0 info --json torn
has out '"messages": 4,'
