#!/bin/sh
# write --from json: every layout that JSON objects come in, what is wrong told with its place and
# nothing left behind, appending, and lines of any length.
. "$(dirname "$0")/support.sh"

cat >shape.fbs <<'END'
namespace shape;
enum Kind : ubyte { Plain, Fancy }
struct Point { x: int; y: int; }
table Part { id: uint; name: string (required); at: Point; }
table Shape { kind: Kind; parts: [Part]; weights: [double]; text: string; big: ulong; count: ubyte = 7; }
root_type Shape;
file_identifier "SHAP";
END
flatc -b --schema shape.fbs || fail 'flatc'
json='write --from json -s shape.bfbs'

# wanted LINES...: what ./result holds, one object a line.
wanted() {
    printf '%s\n' "$@" >lines
    expect 0 cat -s shape.bfbs result
    same out lines
    expect 0 verify -s shape.bfbs --check all result
    rm result
}

# Lines, with what stands around them in practice.
printf '{"text":"a"}\n\n  {"text":"b"}  \r\n\r\n\t\n{"text":"c"}' >in
expect 0 $json -o result in
wanted '{"text":"a"}' '{"text":"b"}' '{"text":"c"}'
printf '\357\273\277{"text":"a"}\n' >in
expect 0 $json -o result in
wanted '{"text":"a"}'

# Over several lines, several in a line, in lists.
printf '{\n  "text": "a}{",\n  "parts": [\n    {\n      "name": "\\"]"\n    }\n  ]\n}\n{\n}\n' >in
expect 0 $json -o result in
wanted '{"parts":[{"name":"\"]"}],"text":"a}{"}' '{}'
printf '{"text":"a"}{"text":"b"} {"text":"c"}\n' >in
expect 0 $json -o result in
wanted '{"text":"a"}' '{"text":"b"}' '{"text":"c"}'
printf '[{"text":"a"},\n {"text":"b"}\n]\n[]' >in
expect 0 $json -o result in
wanted '{"text":"a"}' '{"text":"b"}'

# Nothing at all.
: >in
expect 0 $json -o result in
empty result
printf '\n \n' >in
expect 0 $json -o result - <in
empty result
rm result

# wrong INPUT MESSAGE: refused with that message, and no output appears.
wrong() {
    printf "$1" >in
    expect 1 $json -o result in
    has err "flatstream: in: $2"
    missing result
    expect 1 $json -o result <in
    has err "flatstream: standard input: $2"
    missing result
}
wrong '{"text":"a"}\n{"txet":"b"}\n' 'line 2, column 2: '
wrong '{"text":"a"}\n\n{"parts":[{"name":"b"},{"id":1}]}\n' 'line 3, column '
wrong '{"parts":[{"name":"b","id":-1}]}\n' 'line 1, column 28: parts[0].id: '
wrong '{\n "parts": [\n  {"name": "b",\n   "at": {"x": 1, "y": 2147483648}}]}\n' 'line 4, column 24: parts[0].at.y: '
wrong '  {"count": 256}' 'line 1, column 13: count: '
wrong '{"text":"a"}\n{"count": "1"}\n' 'line 2, column 11: count: '
wrong '{"kind": "Fancier"}\n' 'line 1, column 10: kind: '
wrong '{"text":"a"}\nnothing\n' "line 2, column 1: 'n' where '{' is expected; each message is a JSON object"
wrong '{"text":"a"},\n{"text":"b"}\n' "line 1, column 13: ',' where '{' is expected"
wrong '"text"\n' "line 1, column 1: '\"' where '{' is expected"
wrong '[{"text":"a"} {"text":"b"}]\n' "line 1, column 15: '{' where ',' or ']' is expected"
wrong '[{"text":"a"},\n' 'line 2: the input ends within a list'
wrong '{"text":"a"}\n{"text":"b"\n{"text":"c"}\n{"text":"d"}\n' 'line 3, column 1: '
wrong '{"text":"a}\n{"text":"b"}\n' 'line 1, column 12: text: '
wrong '{"weights":[1,2}\n{"text":"b"}\n' 'line 1, column 16: weights'
wrong '{"text":"a" "count":1}\n' 'line 1, column 13: '
wrong '{"text":"a"}\n{"text":' 'line 2, column 9: '
wrong '{"text":"a"}\n{"text":"b\\' 'line 2, column '
wrong '{"text":"a"}\n{"count":1,}\n' 'line 2, column 12: '
wrong '// {"text":"a"}\n' "line 1, column 1: '/' where '{' is expected"
wrong '{"count": NaN}\n' 'line 1, column 11: count: '

# What is plainly wrong is told before the input ends: nothing behind it can mend it.
mkfifo fifo
for text in '{"text":"b"\n{"text":"c"}\n' '{"text":"b\n' '{"weights":[1}' '{"text":[\n{"text":"c"},{"a" {'; do
    "$tool" $json -o result fifo 2>err &
    exec 3>fifo
    printf "$text" >&3
    wait $! && fail "accepted: $text"
    has err 'flatstream: fifo: line '
    exec 3>&-
done
rm fifo
missing result

# An existing result stays when the input is wrong.
echo before >result
cp result kept
echo '{"count": 300}' >in
expect 1 $json -o result in
same result kept
rm result kept

# Lenient: what strict refuses above.
printf '// first\n[{"txet": {"a": [1, "}"]}, "count": "1",}, /* { */ {"text":"b"},]' >in
expect 0 $json --lenient -o result in
wanted '{"count":1}' '{"text":"b"}'

# Defaults are left out, unless they are to be stored.
echo '{"kind":"Plain","count":7}' >in
expect 0 $json -o result in
wanted '{}'
expect 0 $json --defaults -o result in
wanted '{"kind":"Plain","count":7}'

# Checksums, a root that is not the schema's own, standard output.
echo '{"name":"p","at":{"x":1,"y":-2}}' >in
for sum in none crc16 crc32 xxh3; do
    expect 0 write --from json -s shape.fbs -r Part -c $sum -o result in
    expect 0 cat -s shape.fbs -r shape.Part -c $sum result
    same out in
    expect 0 info --json result
    has out "\"checksum\": \"$sum\""
done
"$tool" write --from json -s shape.fbs -r Part - <in | "$tool" cat -s shape.fbs -r Part - >out
same out in
rm result

# Appending; what came before a wrong line stays, as for other forms.
echo '{"text":"a"}' >in
expect 0 $json -o result in
echo '{"text":"b"}' | "$tool" write --append --from json -s shape.bfbs result || fail 'append'
printf '{"text":"c"}\n{"text":1}\n' >in
expect 1 $json --append result in
has err 'in: line 2, column 9: text: '
has err 'result: 1 messages were appended before that'
wanted '{"text":"a"}' '{"text":"b"}' '{"text":"c"}'

# A line of some megabytes, and one of many lines.
{
    printf '{"weights":[0.5'
    yes ',0.25' | head -n 400000 | tr -d '\n'
    printf ']}\n{"text":"'
    head -c 3000000 /dev/zero | tr '\0' x
    printf '"}\n{\n'
    yes '' | head -n 300000
    printf '"text": "end"}\n'
} >in
expect 0 $json -o result in
expect 0 cat -s shape.bfbs result
[ "$(sed -n 1p out | tr -cd , | wc -c)" -eq 400000 ] || fail 'the vector is not whole'
[ "$(sed -n 2p out | wc -c)" -eq 3000012 ] || fail 'the text is not whole'
[ "$(sed -n 3p out)" = '{"text":"end"}' ] || fail 'the last one is not there'
expect 1 $json --max-frame 2Mi -o other in
has err 'in: line 1: '
missing other

# Memory follows the largest object, not the input.
yes '{"text":"some text that is here","count":3,"parts":[{"name":"x","id":1}]}' |
    head -n 1000000 >in
limit() {
    (
        # shellcheck disable=SC3045
        ulimit -d 16384 && exec "$@"
    )
}
if limit "$tool" version >out 2>err; then
    # shellcheck disable=SC2086
    limit "$tool" $json -o result in >out 2>err || fail 'a million lines in 16 MiB'
    expect 0 info --json result
    has out '"messages": 1000000'
fi
