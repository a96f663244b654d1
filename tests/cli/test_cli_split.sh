#!/bin/sh
# split: where it cuts, that the pieces are the stream again, how they are called, and that they appear
# together or not at all.
. "$(dirname "$0")/support.sh"

schemas=${FLS_SOURCE_DIR:?}/tests/schemas
cp "$schemas/telemetry.fbs" .
flatc -b --schema telemetry.fbs || fail 'flatc'

# A message a second, but for some that are late and some without a time; sizes differ.
base=1790000000
awk -v base=$base 'BEGIN {
    for (i = 1; i <= 600; i++) {
        printf "{\"device_id\":%d,\"timestamp_ns\":%d000000000,\"sequence\":%d", i % 7, base + i - (i % 100 == 50 ? 60 : 0), i
        if (i % 3 == 0)
            printf ",\"tags\":[\"tag %d\",\"more\"]", i % 5
        print "}"
    }
}' >lines
expect 0 write --from json -s telemetry.bfbs -o stream lines
size=$(size_of stream)

# joined PREFIX: the pieces in the order of their names are the stream, and each is sound.
joined() {
    cat "$1"*.fls | cmp - stream || fail "the pieces $1 are not the stream"
    for piece in "$1"*[0369].fls; do
        case $piece in
        *00[0-9].fls | *59[0-9].fls)
            [ ! -s "$piece" ] || "$tool" verify -q -c xxh3 "$piece" >/dev/null 2>err || fail "$piece is not sound"
            ;;
        esac
    done
    rm "$1"*.fls
}
pieces() {
    set -- "$1"*.fls
    echo $#
}

# By number.
expect 0 split --messages 100 -o part- stream
empty out
has err 'stream: 6 pieces, 600 messages,'
[ "$(echo part-*)" = 'part-000000.fls part-000001.fls part-000002.fls part-000003.fls part-000004.fls part-000005.fls' ] ||
    fail "names: $(echo part-*)"
expect 0 slice --range 200..300 -o wanted stream
same part-000002.fls wanted
joined part-
for count in 7 599 600 601 100000; do
    expect 0 split --no-sync -q --messages $count -o part- stream
    empty err
    [ "$(pieces part-)" = $(((600 + count - 1) / count)) ] || fail "pieces of $count"
    joined part-
done

# By size: no piece is larger, and none could have taken the next message too; but for one too large.
for bytes in 100 1000 5k 16Ki 1Gi; do
    expect 0 split --no-sync --json --bytes $bytes -o part- stream
    sed -n 's/.*"messages": \([0-9]*\), "bytes": \([0-9]*\), "first": \([0-9]*\).*/\1 \2 \3/p' out >told
    [ "$(pieces part-)" = "$(wc -l <told | tr -d ' ')" ] || fail "the report of $bytes"
    "$tool" ls stream >frames
    awk -v limit="$(case $bytes in 5k) echo 5000 ;; 16Ki) echo 16384 ;; 1Gi) echo 1073741824 ;; *) echo $bytes ;; esac)" '
        NR == FNR { size[NR - 1] = $3 + 12; next }
        $2 > limit && $1 != 1 { exit 1 }
        $3 != next_one { exit 1 }
        { next_one = $3 + $1 }
        next_one in size && $2 + size[next_one] <= limit { exit 1 }
        END { if (next_one != 600) exit 1 }' frames told || fail "sizes of $bytes: $(cat told)"
    joined part-
done

# A size that the first messages make exactly.
exact=$(awk 'NR == 4 { print $2 }' frames)
expect 0 split --no-sync --bytes "$exact" -o part- stream
[ "$(size_of part-000000.fls)" = "$exact" ] || fail 'a piece that is full'
joined part-

# Messages that are larger than what is gathered before it is written, and smaller ones behind them.
head -c 700000 /dev/zero | tr '\0' a >large
head -c 90000 /dev/zero | tr '\0' b >middle
echo c >little
expect 0 write -o larges large little middle middle little middle middle large large little
expect 0 split --no-sync --messages 7 -o part- larges
cat part-000000.fls part-000001.fls | cmp - larges || fail 'large messages'
rm part-*
expect 0 split --no-sync --bytes 1k -o part- larges
cat part-*.fls | cmp - larges || fail 'messages larger than a piece may be'
rm part-*

# So many pieces of about one size, also of what comes through a pipe; empty ones where there is too little.
for count in 1 2 3 16 700; do
    expect 0 split --no-sync -n $count -o part- stream
    [ "$(pieces part-)" = $count ] || fail "$count pieces"
    if [ $count = 16 ]; then
        for piece in part-*.fls; do
            [ $(($(size_of "$piece") - size / 16)) -lt 300 ] && [ $((size / 16 - $(size_of "$piece"))) -lt 300 ] ||
                fail "$piece has $(size_of "$piece") bytes"
        done
    fi
    [ $count -lt 700 ] || {
        joined part-
        continue
    }
    # shellcheck disable=SC2002
    cat stream | "$tool" split --no-sync -q -n $count -o pipe- - || fail "$count pieces of a pipe"
    [ "$(pieces pipe-)" = $count ] || fail "$count pieces of a pipe"
    same part-000000.fls pipe-000000.fls
    joined pipe-
    joined part-
done
expect 0 split --no-sync --json -n 3 --to none -o part- stream
has out '{"name": "part-000000.fls", "messages": '
has out '"first": 0, "last": '
has out '"piece_count": 3,'
empty err
has out '"messages": 600,'
has out '"ok": true'
cat part-*.fls >all
expect 0 convert --to none -o wanted stream
same all wanted
rm part-*.fls

# By time: windows begin at multiples of their length; what is late or has no time stays where it is.
expect 0 split --no-sync --json --every 100s --time timestamp_ns -s telemetry.bfbs -o part- stream
has out '"late": 6,'
has out '"without_time": 0,'
sed -n 's/.*"messages": \([0-9]*\), .*"first": \([0-9]*\).*/\1 \2/p' out >told
printf '%s\n' '99 0' '100 99' '100 199' '100 299' '100 399' '100 499' '1 599' >wanted
same told wanted
joined part-
expect 0 split --no-sync -q --every 1h -s telemetry.bfbs -o part- stream
[ "$(pieces part-)" = 1 ] || fail 'an hour'
joined part-
expect 0 split --no-sync --every 10ms --time sequence --time-unit ms -s telemetry.bfbs -o part- stream
[ "$(pieces part-)" = 61 ] || fail 'steps of ten'
joined part-

# By key: the messages of a piece are those that slice finds, in their order.
expect 0 split --no-sync --key device_id -s telemetry.bfbs -o part- stream
[ "$(echo part-*)" = 'part-0.fls part-1.fls part-2.fls part-3.fls part-4.fls part-5.fls part-6.fls' ] || fail 'keys'
for key in 0 3 6; do
    expect 0 slice --where "device_id == $key" -s telemetry.bfbs -o wanted stream
    same part-$key.fls wanted
done
rm part-*.fls
mkdir by
expect 0 split --no-sync --json --key 'tags[0]' -s telemetry.bfbs -o by/ stream
[ "$(cd by && echo *)" = 'tag%200.fls tag%201.fls tag%202.fls tag%203.fls tag%204.fls ~absent.fls' ] || fail "$(ls by)"
has out '{"name": "by/tag%200.fls", "messages": 40, '
expect 0 slice --where '!has(tags)' -s telemetry.bfbs -o wanted stream
same by/~absent.fls wanted
[ -z "$(ls -A by | grep '^\.')" ] || fail 'something hidden is left'
rm by/*

# More values than files may be open, and than memory is to be taken for.
(
    ulimit -n 32
    "$tool" split --no-sync --json --no-sync --key sequence -s telemetry.bfbs -o by/ stream >out 2>err
) || fail 'more pieces than files may be open'
has out '"piece_count": 600,'
expect 0 slice --where 'sequence == 333' -s telemetry.bfbs -o wanted stream
same by/333.fls wanted
rm by/*
expect 0 slice --range ..24 -o few stream
expect 2 split --key sequence --max-pieces 23 -s telemetry.bfbs -o by/ few
has err 'more than 23 pieces; --max-pieces'
expect 0 split -q --key sequence --max-pieces 24 -s telemetry.bfbs -o by/ few
rm by/*
expect 2 split --messages 1 --max-pieces 23 -o by/ few
[ -z "$(ls -A by)" ] || fail 'pieces of a split that was refused'

# Names: safe everywhere, and no two values have one.
x64=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
for value in plain Plain AbC a/b .hidden .. con COM1.x console a~b 'a%b' '\u00e4' '' "${x64}y" "$x64$x64" "$x64${x64}y" \
    'Up' '-5' 'a.b' 'sp ace' '~absent'; do
    printf '{"tags":["%s"]}\n' "$value"
done >named
echo '{}' >>named
expect 0 write --from json -s telemetry.bfbs -o names named
expect 0 split --no-sync --key 'tags[0]' -s telemetry.bfbs -o by/ names
(cd by && ls) | sed 's/^\(x*~[0-9]*\)-[0-9a-f]\{24\}\.fls$/\1-HASH.fls/' >told
sort >wanted <<END
%2E..fls
%2Ehidden.fls
%43OM1.x.fls
%50lain.fls
%63on.fls
%7Eabsent.fls
%C3%A4.fls
-5.fls
AbC.fls
Up.fls
a%25b.fls
a%2Fb.fls
a%7Eb.fls
a.b.fls
console.fls
plain.fls
sp%20ace.fls
${x64}y.fls
${x64}~128-HASH.fls
${x64}~129-HASH.fls
~absent.fls
~empty.fls
END
sort told | diff wanted - >&2 || fail 'the names of values'
for name in by/*; do
    expect 0 ls "$name"
    [ "$(wc -l <out | tr -d ' ')" = 1 ] || fail "$name has several messages"
done
rm by/*

# Nothing, and one message.
: >nothing
expect 0 split --no-sync --messages 5 -o part- nothing
has err '0 pieces'
expect 0 split --no-sync --key device_id -s telemetry.bfbs -o part- nothing
expect 0 split --no-sync --json -n 2 -o part- nothing
has out '"messages": 0, "bytes": 0, "first": null, "last": null}'
empty part-000001.fls
rm part-*
expect 0 slice --range ..1 -o one stream
expect 0 split --no-sync --messages 5 -o part- one
same part-000000.fls one
rm part-*
"$tool" split --no-sync -q --bytes 5 -o part- - <one || fail 'standard input'
same part-000000.fls one
rm part-*
# Empty messages at an end look like a zero tail to readers.
printf '\n\n\n\n\n\n' | "$tool" write --from hex -o empties
expect 0 split --no-sync --messages 5 --to none -o part- empties
has err '1 pieces end in empty messages'
rm part-*

# What is there is not replaced, unless --force says so; then all of it or nothing.
echo before >part-000003.fls
expect 2 split --no-sync --messages 100 -o part- stream
has err 'part-000003.fls is there already; --force replaces it'
[ "$(pieces part-)" = 1 ] && [ "$(cat part-000003.fls)" = before ] || fail 'replaced without --force'
echo before >part-000000.fls
expect 2 split --no-sync --messages 100 -o part- no-such-file
has err 'part-000000.fls is there already'
echo other >part-000006.fls
expect 0 split --no-sync --force --messages 100 -o part- stream
has err 'part-000006.fls was there before'
rm part-000006.fls
joined part-
echo before >part-000000.fls
echo before >part-000003.fls
mkdir part-000004.fls
expect 3 split --no-sync --force --messages 100 -o part- stream
has err 'part-000004.fls: is there already, and no file'
[ "$(echo part-*)" = 'part-000000.fls part-000003.fls part-000004.fls' ] || fail "left: $(echo part-*)"
[ "$(cat part-000000.fls part-000003.fls)" = "before
before" ] || fail 'what was there is gone'
rmdir part-000004.fls
rm part-*
cp stream part-000002.fls
expect 2 split --no-sync --force --messages 100 -o part- part-000002.fls
has err 'is an input too'
same part-000002.fls stream
[ "$(pieces part-)" = 1 ] || fail 'pieces of a split that was refused'
rm part-*

# Damage: nothing, and exit code 1.
cp stream damaged
printf '!!!' | dd of=damaged bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
for how in '--messages 10' '--bytes 1k' '-n 3' '--key sequence -s telemetry.bfbs' '--every 1s -s telemetry.bfbs'; do
    # shellcheck disable=SC2086
    expect 1 split --no-sync --json $how -o part- damaged
    has err 'damaged: offset '
    has out '"pieces": ['
    has out '"piece_count": 0,'
    has out '"ok": false'
done

# A journal; by time of receipt as well.
expect 0 record --from frames -s telemetry.bfbs --segment-bytes 8Ki -o journal stream
for how in '--messages 77' '--bytes 3k' '-n 5' '--every 1h' '--every 1ms --max-pieces 1000000'; do
    # shellcheck disable=SC2086
    expect 0 split --no-sync -q $how -o part- journal
    joined part-
done
expect 0 split --no-sync -q -n 5 -o part- journal
expect 0 ls part-000004.fls
[ "$(wc -l <out | tr -d ' ')" = 120 ] || fail 'five pieces of a journal'
rm part-*
expect 0 split --no-sync -q --key device_id -o part- journal
expect 0 slice --where 'device_id == 3' -o wanted journal
same part-3.fls wanted
rm part-*
segment=$(ls journal/*.fls | sed -n 2p)
printf '!!!' | dd of="$segment" bs=1 seek=200 conv=notrunc 2>/dev/null
expect 1 split --no-sync --json --messages 100 -o part- journal
has err 'lost'
has out '"ok": false'
has out '"name": "part-000005.fls"'
rm part-*

# Wrong usage, and a system that refuses.
expect 2 split --no-sync -o part- stream
has err 'by what?'
expect 2 split --no-sync --messages 5 --bytes 5 -o part- stream
expect 2 split --no-sync --messages 0 -o part- stream
expect 2 split --no-sync --bytes 0 -o part- stream
expect 2 split --no-sync -n 0 -o part- stream
expect 2 split --no-sync -n 100001 -o part- stream
expect 2 split --no-sync --every x -o part- stream
expect 2 split --no-sync --every 1s -o part- stream
expect 2 split --no-sync --messages 5 stream
has err '-o PREFIX'
expect 2 split --no-sync --messages 5 -o - stream
expect 2 split --no-sync --messages 5 --time sequence -o part- stream
expect 2 split --no-sync --key sequence -o part- stream
has err 'needs a schema'
expect 2 split --no-sync --key pose -s telemetry.bfbs -o part- stream
expect 2 split --no-sync --key 'tags[*]' -s telemetry.bfbs -o part- stream
has err 'many values'
expect 2 split --no-sync --key nothing -s telemetry.bfbs -o part- stream
expect 3 split --no-sync --messages 5 -o part- no-such-file
expect 3 split --no-sync --messages 5 -o no-such-folder/part- stream
has err 'no-such-folder/'
expect 2 split --no-sync --json --messages 100 -n 3 -o part- stream
if [ "$(id -u)" != 0 ]; then
    mkdir closed && chmod 500 closed
    expect 3 split --no-sync --messages 5 -o closed/part- stream
    rmdir closed
fi

# A full disk: nothing is left on it. Only a superuser can have a small one.
mkdir small
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=16k tmpfs small 2>/dev/null; then
    for how in '--messages 100' '--key device_id -s telemetry.bfbs'; do
        # shellcheck disable=SC2086
        "$tool" split --no-sync $how -o small/part- stream >out 2>err
        code=$?
        left=$(ls -A small)
        [ $code = 3 ] && [ -z "$left" ] || {
            umount small
            fail "a full disk: exit code $code, left $left"
        }
    done
    umount small
    has err 'No space left'
fi
rmdir small

# Ended by a signal in the middle: nothing is left.
mkfifo fifo
for signal in TERM HUP; do
    for how in '--messages 1' '--key sequence -s telemetry.bfbs'; do
        # shellcheck disable=SC2086
        "$tool" split --no-sync -c xxh3 $how -o part- fifo 2>err &
        pid=$!
        exec 3>fifo
        cat stream >&3
        wait_for sh -c 'ls -A | grep -q "^\.flatstream-split"'
        kill -s $signal $pid
        wait $pid
        code=$?
        exec 3>&-
        [ "$(kill -l $code)" = $signal ] || fail "split $how by SIG$signal: $code"
        [ -z "$(ls -A | grep -e '^\.flatstream' -e '^part-')" ] || fail "left: $(ls -A)"
    done
done
