#!/bin/sh
# The streams that the Rust implementation wrote, where they are there: the same messages for every
# checksum, byte-equal conversion, and the report of each damaged one.
. "$(dirname "$0")/support.sh"

streams=${FLS_INTEROP_DIR:-${FLS_SOURCE_DIR:?}/../shared/interop}
if [ ! -d "$streams/damage" ]; then
    echo 'skipped: no streams of the Rust implementation here'
    exit 0
fi

for name in edge telemetry; do
    expect 0 cat --as hex -c none "$streams/$name.none.fls"
    mv out hex
    count=$(wc -l <hex)
    for from in none crc16 crc32 xxh3; do
        stream=$streams/$name.$from.fls
        expect 0 cat --as delimited "$stream"
        same out "$streams/$name.delim"
        expect 0 cat "$stream"
        same out hex
        expect 0 cat --as frames "$stream"
        same out "$stream"
        expect 0 write --from delimited -c $from -o written "$streams/$name.delim"
        same written "$stream"
        expect 0 write --from hex -c $from -o written hex
        same written "$stream"
        expect 0 verify "$stream"
        expect 0 info --json "$stream"
        has out "\"checksum\": \"$from\","
        has out "\"messages\": $((count)),"
        has out "\"stream_bytes\": $(size_of "$stream"),"
        has out '"end": "clean",'
        for to in none crc16 crc32 xxh3; do
            expect 0 convert --to $to -o written "$stream"
            same written "$streams/$name.$to.fls"
            expect 0 convert -c $from --to $to -o written "$stream"
            same written "$streams/$name.$to.fls"
        done
    done
done
for sum in none crc16 crc32 xxh3; do
    expect 0 verify --table-root "$streams/telemetry.$sum.fls"
    expect 1 verify --table-root "$streams/edge.$sum.fls"
done

# report NAME SUM EXIT MESSAGES END: of one damaged stream; last_good_offset is where as many
# messages of the sound stream end.
report() {
    file=$streams/damage/$1.$2.fls code=$3 messages=$4 end=$5
    shift 5
    expect "$code" info --json -c $sum "$@" "$file"
    has out "\"messages\": $messages,"
    has out "\"end\": \"$end\","
    good=$(sed -n 's/.*"last_good_offset": \([0-9]*\),/\1/p' out)
    expect "$code" recover --json -c $sum "$@" "$file"
    has out "\"frames\": $messages,"
    has out "\"end\": \"$end\","
    has out "\"last_good_offset\": $good,"
    expect "$code" verify --json -c $sum "$@" "$file"
    has out "\"end\": \"$end\","
    has out "\"ok\": $([ "$code" = 0 ] && echo true || echo false)"
    expect "$code" cat --as frames -c $sum "$@" "$file"
    [ "$(size_of out)" = "$good" ] || fail "cat of $file"
    head -c "$good" "$file" | cmp - out || fail "cat of $file"
    head -c "$good" "$file" >prefix # salvage gives that at least
    "$tool" salvage -q -c $sum "$@" -o saved "$file" 2>err
    case $? in 0 | 1) ;; *) fail "salvage of $file" ;; esac
    head -c "$good" saved | cmp - prefix || fail "salvage of $file"
    [ "$code" = 1 ] || same saved "$file"

    cp "$file" work
    chmod u+w work
    if [ "$end" = damaged ]; then
        expect 1 recover --truncate -c $sum "$@" work
        same work "$file"
    else
        expect 0 recover --truncate -c $sum "$@" work
        [ "$(size_of work)" = "$good" ] || fail "cut of $file"
        expect 0 verify -c $sum work
    fi
    rm -f work work.cut-*
}

for sum in none crc16 crc32 xxh3; do
    report sound $sum 0 6 clean
    report empty $sum 0 0 clean
    report torn-length $sum 1 6 torn_tail
    report torn-payload $sum 1 5 torn_tail
    report oversize $sum 1 6 damaged
    report bounded $sum 1 2 damaged --max-frame 40
    report zero-tail $sum 1 6 zero_tail
    if [ $sum = none ]; then # without a checksum these go unseen
        report flip-payload $sum 0 6 clean
        report flip-length $sum 0 5 clean
    else
        report torn-checksum $sum 1 6 torn_tail
        report flip-payload $sum 1 2 damaged
        report flip-checksum $sum 1 2 damaged
        report flip-length $sum 1 2 damaged
    fi
done
