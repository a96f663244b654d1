#!/bin/sh
# verify --schema: what is refused, with offset, ordinal, path, rule and byte; checks beyond; and a
# message broken at any one byte, which may pass or be refused, but with a reason.
. "$(dirname "$0")/support.sh"

cat >shape.fbs <<'END'
table Part { id: uint (key); name: string (required); }
table Shape { parts: [Part]; text: string; }
root_type Shape;
file_identifier "SHAP";
END
flatc -b --schema shape.fbs || fail 'flatc'
cat >lines <<'END'
{"parts":[{"id":1,"name":"first"},{"id":2,"name":"second"}],"text":"some text"}
{"parts":[{"id":3,"name":"third"}]}
END
expect 0 write --from json -s shape.bfbs -c crc32 -o stream lines
expect 0 verify -s shape.bfbs stream
has out 'stream: sound: 2 messages'
expect 0 verify --schema shape.bfbs --check all --json stream
has out '"ok": true'

# hex POSITION BYTES: the first message with those bytes (as digits) at that place.
expect 0 cat stream
mv out hex
broken() {
    sed -e "1s/^\(.\{$(($1 * 2))\}\)$(echo "$2" | sed 's/././g')/\1$2/" hex
}
first() {
    "$tool" cat --as raw --range 0..1 stream
}

# The text is no UTF-8; the first name's end is missing; the identifier is another.
text=$(first | grep -a -b -o 'some text' | cut -d: -f1)
broken $((text + 5)) ff | "$tool" write --from hex -o bad - || fail 'write'
expect 0 verify -s shape.bfbs bad
expect 1 verify -s shape.bfbs --check utf8 bad
has out '           0          0  validation_failed  refused by schema: text: a string that is not UTF-8, at byte '
has out 'bad: damaged: 1 fault, 1 sound messages'
expect 1 verify -s shape.bfbs --check exact-end,utf8 --json bad
has out '"offset": 0,'
has out '"kind": "validation_failed", "detail": "refused by schema: text: a string that is not UTF-8, at byte '
has out '"fault_count": 1,'
has out '"messages": 1,'
has out '"ok": false'
name=$(first | grep -a -b -o 'first' | cut -d: -f1)
broken $((name + 5)) 41 | "$tool" write --from hex -o bad - || fail 'write'
expect 1 verify -s shape.bfbs bad
has out 'refused by schema: parts[0].name: a string without a terminating zero, or outside the message, at byte '
broken 4 4f544852 | "$tool" write --from hex -o bad - || fail 'write'
expect 1 verify -s shape.fbs bad
has out 'refused by schema: the root: another file identifier, at byte 4'
expect 1 cat -s shape.fbs bad
has err 'another file identifier'
broken 4 00000000 | "$tool" write --from hex -o bad - || fail 'write'
expect 0 verify -s shape.fbs bad
expect 1 verify -s shape.fbs --check identifier bad
has out 'refused by schema: the root: another file identifier, at byte 4'

# It goes on behind what is refused, and finds other damage too.
{
    broken $((name + 5)) 41
    cat hex
    broken 0 ffffff7f
    tail -n 1 hex
} >many
expect 0 write --from hex -o bad many
expect 1 verify -s shape.bfbs bad
[ "$(grep -c 'refused by schema' out)" -eq 2 ] || fail "of many: $(cat out)"
has out 'bad: damaged: 2 faults, 5 sound messages'
printf '\020\000\000\000abc' >>bad
expect 1 verify -s shape.bfbs --json -c xxh3 bad
has out '"kind": "torn_tail"'
[ "$(grep -c validation_failed out)" -eq 2 ] || fail "and a tail: $(cat out)"

# Bytes behind the end.
sed -e '1s/$/00000001/' hex >longer
expect 0 write --from hex -o bad longer
expect 0 verify -s shape.bfbs bad
expect 1 verify -s shape.bfbs --check exact-end bad
has out 'bytes behind the end of the message'

# Every byte of the first message, broken in three ways; each in one run.
bytes=$(first | wc -c)
for flip in 01 80 ff; do
    awk -v flip="$flip" '
        function value(digit) { return index("0123456789abcdef", digit) - 1 }
        function xored(a, b,   bit, sum) {
            sum = 0
            for (bit = 1; bit < 16; bit *= 2) {
                if (int(a / bit) % 2 != int(b / bit) % 2) sum += bit
            }
            return sum
        }
        NR == 1 {
            for (i = 1; i < length($0); i += 2) {
                high = xored(value(substr($0, i, 1)), value(substr(flip, 1, 1)))
                low = xored(value(substr($0, i + 1, 1)), value(substr(flip, 2, 1)))
                printf "%s%x%x%s\n", substr($0, 1, i - 1), high, low, substr($0, i + 2)
            }
        }' hex >all
    [ "$(wc -l <all)" -eq "$bytes" ] || fail 'not each byte'
    expect 0 write --from hex -o bad all
    "$tool" verify -s shape.bfbs --check all bad >out 2>err
    code=$?
    [ $code -eq 1 ] || fail "verify of all: exit code $code"
    empty err
    # Each line but the last has a place, a kind, a path, a rule and a byte.
    sed '$d' out | grep -v -E \
        '^ *[0-9]+ +[0-9]+  validation_failed  refused by schema: [a-z0-9_.[]+[]a-z0-9_. ]*: .*, at byte [0-9]+$' >others
    empty others
    [ "$(wc -l <out)" -gt $((bytes / 4)) ] || fail "hardly any of $bytes was refused: $(wc -l <out)"
    while read -r line; do
        echo "$line" >one
        "$tool" write --from hex one 2>/dev/null | "$tool" cat -s shape.bfbs - >out 2>err
        code=$?
        case $code in
        0) [ ! -s err ] || fail "accepted, with a message" ;;
        1) has err 'message 0: refused by schema: ' ;;
        *) fail "cat of a broken message: exit code $code" ;;
        esac
    done <<END
$(awk "NR % 9 == $((0x$flip % 9))" all)
END
done
