#!/bin/sh
# JSON out and in: cat with a schema, write --from json, several types in a stream, and what is said
# about schemas that are missing, wrong, or do not fit.
. "$(dirname "$0")/support.sh"

schemas=${FLS_SOURCE_DIR:?}/tests/schemas
cp "$schemas/telemetry.fbs" .
flatc -b --schema telemetry.fbs || fail 'flatc'

cat >samples <<'END'
{"device_id":18446744073709551615,"timestamp_ns":1790000000000018668,"sequence":1,"mode":"Charge","pose":{"position":{"x":0.1,"y":-2.5,"z":1e300},"attitude":{"w":1.0,"x":0.0,"y":-0.5,"z":0.1},"covariance":[-3.0,0.5]},"battery":{"cell_mv":[3464,65535],"current_a":93.5,"soc":0.25},"channels":[],"tags":["a\"b","übung",""],"extra_type":"Alert","extra":{"code":2606283405,"text":"over temperature","severity":-6},"raw":[0,30,255]}
{"sequence":4294967295,"mode":"Fault","extra_type":"Radio","extra":{"rssi_dbm":-32768,"peer":"b"}}
{}
END

# There and back; what is not absent comes out as it went in.
expect 0 write --from json -s telemetry.bfbs -o stream samples
expect 0 cat -s telemetry.bfbs stream
same out samples
expect 0 cat --as json -s telemetry.fbs - <stream
same out samples
expect 0 cat --schema=telemetry.fbs --as json --range 1..2 stream
sed -n 2p samples >second
same out second
expect 0 cat -s telemetry.bfbs -n 2 -o result stream
head -n 2 samples >two
same result two
expect 0 write --from json -s telemetry.bfbs samples
same out stream
rm result second two

# The default of the form is hex without a schema, and other forms stay what they are with one.
expect 0 cat stream
mv out hex
expect 0 cat --as hex -s telemetry.bfbs stream
same out hex
expect 0 cat --as frames -s telemetry.bfbs stream
same out stream
rm hex

# Defaults, names of the type, numbers for names.
expect 0 cat -s telemetry.bfbs --defaults --range 2..3 stream
[ "$(cat out)" = '{"device_id":0,"timestamp_ns":0,"sequence":0,"mode":"Idle","pose":null,"battery":null,"channels":null,"tags":null,"extra_type":"NONE","extra":null,"raw":null}' ] ||
    fail "--defaults: $(cat out)"
expect 0 cat -s telemetry.bfbs --typed --range 2..3 stream
[ "$(cat out)" = '{"$type": "telemetry.Sample"}' ] || fail "--typed: $(cat out)"
expect 0 cat -s telemetry.bfbs --enum-numbers --range 1..2 stream
has out '"mode":9,'
expect 2 cat --as json stream
has err '--as json needs a schema: -s FILE.bfbs or FILE.fbs'
expect 2 cat --as hex --defaults stream
has err '--defaults goes with --as json'

# From when to when.
expect 0 info --json -s telemetry.bfbs -r Sample --time sequence --time-unit s stream
has out '"path": "sequence"'
has out '"last_ns": 4294967295000000000'
expect 2 info -s telemetry.bfbs --time sequence stream
expect 2 info --time sequence stream
has err '--time needs a schema'

# A message that is refused: what is before it is printed, and its place, path and rule told.
expect 0 cat --as delimited stream
mv out delimited
"$tool" cat --as raw --range 0..1 stream >first
position=$(grep -a -b -o 'over temp' first | cut -d: -f1)
[ -n "$position" ] || fail 'the text is not in the message'
{
    expect 0 cat --as delimited --range 1..2 stream
    cat out
    head -c 4 delimited
    head -c $((position - 4)) first
    printf '\377\377\000\000'
    tail -c +$((position + 1)) first
    cat out
} >mixed
expect 0 write --from delimited -o broken mixed
expect 1 cat -s telemetry.bfbs broken
sed -n 2p samples >second
same out second
has err 'flatstream: broken: offset '
has err 'message 1: refused by schema: extra.text: a string without a terminating zero, or outside the message, at byte '
expect 1 cat -s telemetry.bfbs -o result broken
missing result
expect 0 cat -s telemetry.bfbs --range 2..3 broken
same out second
expect 1 write -s telemetry.bfbs --from delimited -o result mixed
has err 'mixed: offset '
has err 'refused by schema: extra.text: '
missing result
for verb in "convert --to none -o result" "cat --as frames -o result"; do
    # shellcheck disable=SC2086
    expect 1 $verb -s telemetry.bfbs broken
    has err 'message 1: refused by schema: extra.text: '
    missing result
done
rm second first mixed delimited broken

# The types of a stream, told apart by their identifiers.
cat >alpha.fbs <<'END'
namespace alpha;
table A { number: int; text: string; }
root_type A;
file_identifier "ALPH";
END
cat >beta.fbs <<'END'
namespace beta;
table B { number: int; real: double; }
table C { name: string (required); }
root_type B;
file_identifier "BETA";
END
cat >typed <<'END'
{"$type": "alpha.A", "number":1,"text":"x"}
{"$type": "beta.B", "number":1,"real":0.5}
{"$type": "alpha.A"}
{"$type": "beta.B", "number":3}
END
expect 0 write --from json -s alpha.fbs -s beta.fbs -o both typed
expect 0 cat -s beta.fbs --typed -s alpha.fbs both
same out typed
expect 0 cat -s alpha.fbs -s beta.fbs both
[ "$(sed -n 2p out)" = '{"number":1,"real":0.5}' ] || fail "of two types: $(cat out)"
expect 0 verify -s alpha.fbs -s beta.fbs --check identifier both
expect 1 verify -s alpha.fbs --check identifier both
has out 'another file identifier'
expect 0 ls -s alpha.fbs -s beta.fbs both
[ "$(awk '{ print $5 }' out | tr '\n' ' ')" = 'alpha.A beta.B alpha.A beta.B ' ] || fail "ls: $(cat out)"
expect 0 ls --json -s alpha.fbs -s beta.fbs both
has out '"type": "beta.B"'
expect 0 info --json -s alpha.fbs -s beta.fbs both
has out '"type": "alpha.A"'
has out '"identifier": "BETA", "messages": 2'
has out '"refused": 0,'
expect 0 info -s alpha.fbs -s beta.fbs both
has out 'alpha.A: 2 messages'

# Without "$type" an object is of the only type that takes it.
printf '%s\n' '{"text":"only A"}' '{"real":1.5}' >untyped
expect 0 write --from json -s alpha.fbs -s beta.fbs -o result untyped
expect 0 cat -s alpha.fbs -s beta.fbs result
printf '%s\n' '{"text":"only A"}' '{"real":1.5}' >wanted
same out wanted
rm result
echo '{"number":1}' >untyped
expect 1 write --from json -s alpha.fbs -s beta.fbs -o result untyped
has err 'untyped: line 1, column 1: may be alpha.A or beta.B; a first key "$type" tells'
printf '\n{"number":1,\n "real":"x"}' >untyped
expect 1 write --from json -s alpha.fbs -s beta.fbs -o result untyped
has err 'untyped: line 3, column 9: real: '
has err 'in beta.B, which is nearest of the types'
echo '{"$type":"gamma.G"}' >untyped
expect 1 write --from json -s alpha.fbs -s beta.fbs -o result untyped
has err '"$type" is '"'gamma.G', which -s does not give"
missing result

# -r belongs to the -s before it; several make several types.
echo '{"name":"c"}' >c
expect 0 write --from json -s beta.fbs -r C -o result c
expect 0 cat -s alpha.fbs -s beta.fbs -r beta.C result
same out c
expect 1 cat -s alpha.fbs -s beta.fbs -r beta.C both # B is not among them
has err 'message 1: refused by schema: '
expect 0 cat -r C -s beta.fbs result
same out c
expect 0 write --from json -s beta.fbs -r C:CCCC -o result c
expect 0 cat -s beta.fbs -r C:CCCC -r B -s alpha.fbs --typed result
[ "$(cat out)" = '{"$type": "beta.C", "name":"c"}' ] || fail "C:CCCC: $(cat out)"
expect 1 cat -s beta.fbs -s alpha.fbs result
has err 'of none of the types given'
expect 2 cat -r C result
has err '-r C of what? -s SCHEMA'
expect 2 cat -s beta.fbs -s beta.fbs result
has err 'beta.fbs: beta.B: '
expect 2 cat -s beta.fbs -r D:LONGER result
has err "'LONGER' is not a file identifier"

# Schemas that are not there, or none.
expect 2 cat -s telemetry.bfbs -r Sampel stream
has err "telemetry.bfbs: there is no table 'Sampel'; did you mean 'Sample'?"
expect 2 cat -s telemetry.bfbs -r Nothing stream
has err "there is no table 'Nothing'; there are: "
expect 2 cat -s telemetry.bfbs -r Vec3 stream
has err 'telemetry.Vec3 is a struct; a message is a table'
expect 3 cat -s missing.bfbs stream
has err 'missing.bfbs: No such file or directory'
expect 3 cat -s missing.fbs stream
has err 'missing.fbs: '
echo 'table X { y: nothing; }' >wrong.fbs
expect 1 cat -s wrong.fbs stream
has err 'wrong.fbs: '
head -c 100 telemetry.bfbs >short.bfbs
expect 1 cat -s short.bfbs stream
has err 'short.bfbs: '
expect 1 cat -s stream stream
echo 'table X { y: int; }' >rootless.fbs
expect 2 cat -s rootless.fbs stream
has err 'rootless.fbs names no root type; which one? -r TYPE, of: X'
(
    PATH=
    expect 3 cat -s telemetry.fbs stream
) || exit 1
has err 'a .fbs needs flatc to be read'
mkdir inner
echo 'table Inner { y: int; }' >inner/inner.fbs
printf 'include "inner.fbs";\ntable Outer { i: Inner; }\nroot_type Outer;\n' >outer.fbs
expect 1 schema outer.fbs
expect 0 schema -I inner outer.fbs
rm -r inner

# A schema is never written over.
cp telemetry.fbs kept.fbs
expect 2 write --from json -s telemetry.fbs -o telemetry.fbs samples
has err 'telemetry.fbs is the input too, and would be lost'
expect 2 write --append --from json -s telemetry.fbs telemetry.fbs samples
expect 2 cat -s telemetry.fbs -o telemetry.fbs stream
expect 2 convert -s telemetry.fbs --to none -o telemetry.fbs stream
expect 2 recv -s telemetry.fbs -o telemetry.fbs unix:socket
same telemetry.fbs kept.fbs

# An empty stream is fine, and an empty message is none of a schema.
: >nothing
expect 0 cat -s telemetry.bfbs nothing
empty out
printf '\000\000\000\000' >zero
expect 0 write --from delimited -o zero.fls zero
expect 1 cat -s telemetry.bfbs zero.fls
has err 'too short for a root offset'

# Into pipes that close early.
"$tool" cat -s telemetry.bfbs stream | head -n 1 >out || fail 'head'
