#!/bin/sh
# schema: the listing of a schema, its report, and what is said of two.
. "$(dirname "$0")/support.sh"

schemas=${FLS_SOURCE_DIR:?}/tests/schemas
cp "$schemas/telemetry.fbs" "$schemas/everything.fbs" "$schemas/everything_types.fbs" .
flatc -b --schema --bfbs-builtins everything.fbs || fail 'flatc'
flatc -b --schema telemetry.fbs || fail 'flatc'

cat >wanted <<'END'
root         telemetry.Sample
identifier   none

table telemetry.Alert (id, name, type, default)
    0  code      uint    = 0
    1  text      string
    2  severity  byte    = 0

table telemetry.Battery (id, name, type, default)
    0  cell_mv    [ushort]
    1  current_a  float     = 0
    2  soc        float     = 1

table telemetry.Pose (id, name, type, default)
    0  position    telemetry.Vec3
    1  attitude    telemetry.Quat
    2  covariance  [float]

table telemetry.Radio (id, name, type, default)
    0  rssi_dbm  short   = 0
    1  peer      string

table telemetry.Sample (the root; id, name, type, default)
    0  device_id     ulong                = 0
    1  timestamp_ns  ulong                = 0
    2  sequence      uint                 = 0
    3  mode          telemetry.Mode       = Idle
    4  pose          telemetry.Pose
    5  battery       telemetry.Battery
    6  channels      [double]
    7  tags          [string]
    8  extra_type    telemetry.Extra tag
    9  extra         telemetry.Extra
   10  raw           [ubyte]

struct telemetry.Quat (16 bytes, alignment 4; offset, name, type)
    0  w     float
    4  x     float
    8  y     float
   12  z     float

struct telemetry.Vec3 (24 bytes, alignment 8; offset, name, type)
    0  x     double
    8  y     double
   16  z     double

union telemetry.Extra : ubyte
    0  NONE
    1  Alert  telemetry.Alert
    2  Radio  telemetry.Radio

enum telemetry.Mode : ubyte
    0  Idle
    1  Drive
    2  Charge
    9  Fault
END
listing() { # of ./out, without the file's name and the hash
    [ "$(head -n 1 out)" = "$1" ] || fail "the listing does not begin with $1"
    has out 'hash         '
    sed -e 1d -e '/^hash /d' out >listing
}
expect 0 schema telemetry.bfbs
listing telemetry.bfbs
same listing wanted
grep '^hash ' out >hash
expect 0 schema telemetry.fbs
listing telemetry.fbs
same listing wanted
grep '^hash ' out >hash_of_source
same hash hash_of_source
expect 0 schema -s telemetry.bfbs
listing telemetry.bfbs
same listing wanted
rm hash hash_of_source listing wanted

# A part, and everything that there is.
expect 0 schema -r Pose telemetry.bfbs
has out 'root         telemetry.Pose'
has out 'struct telemetry.Quat'
has_not out 'telemetry.Mode'
has_not out 'telemetry.Alert'
expect 0 schema -r Quat telemetry.bfbs
has out 'struct telemetry.Quat'
expect 2 schema -r Quat telemetry.bfbs telemetry.fbs
expect 0 schema everything.bfbs
for line in 'identifier   EVRY' \
    '    1  a_byte             byte    = -128' \
    '   12  not_a_float        float   = nan' \
    '   15  negative_infinite  double  = -inf' \
    '   16  small              float   = 1e-45' \
    '    6  flags        everything.Flags       = Run' \
    '    0  a_bool      bool              = null  optional' \
    '    1  gone           int                   = 0  deprecated' \
    '    0  text      string  required' \
    '    0  name   string  required key' \
    '    2  itself   [ubyte]  holds everything.Everything' \
    '    3  flex     [ubyte]  flexbuffer' \
    '   23  forced          [ubyte]  aligned to 32' \
    '    4  any_many_type     [everything.Any tag]' \
    'struct everything.Byte (1 byte, alignment 1; offset, name, type)' \
    '   44  kinds   [everything.Word:4]' \
    'union everything.Sparse : ubyte' \
    '    3  text  string' \
    'enum everything.Flags : ubyte (bit flags)' \
    '18446744073709551615  Most'; do
    has out "$line"
done
expect 0 schema --json everything.bfbs
for text in '"root": "everything.Everything"' '"identifier": "EVRY"' '"ok": true' \
    '{"name": "a_byte", "type": "byte", "id": 1, "default": -128}' \
    '{"name": "not_a_float", "type": "float", "id": 12, "default": "nan"}' \
    '{"name": "a_float", "type": "float", "id": 9, "default": null, "optional": true}' \
    '{"name": "flags", "type": "everything.Flags", "id": 6, "default": "Run"}' \
    '"nested": "everything.Tree"' \
    '{"name": "kinds", "type": "[everything.Word:4]", "offset": 44}'; do
    has out "$text"
done

expect 2 schema
expect 2 schema --check telemetry.fbs
expect 2 schema telemetry.fbs telemetry.fbs telemetry.fbs
expect 2 schema --readers none telemetry.fbs telemetry.fbs
expect 3 schema missing.bfbs
head -c 1000 telemetry.bfbs >short.bfbs
expect 1 schema short.bfbs
has err 'short.bfbs: '

# Evolution.
expect 0 schema telemetry.fbs telemetry.bfbs
has out 'no differences'
has out 'compatible'
sed 's/  raw: \[ubyte\];/&\n  height: float;/; s/Charge = 2,/& Tow = 3,/' telemetry.fbs >grown.fbs
expect 0 schema --check telemetry.fbs grown.fbs
has out 'telemetry.Sample.height: field added'
has out 'telemetry.Mode.Tow: enum value added'
has out 'old readers, given new messages: read it, but do not see everything'
has out 'new readers, given old messages: read everything as it was written'
[ "$(tail -n 1 out)" = compatible ] || fail "grown: $(tail -n 1 out)"
sed 's/  sequence: uint;/  sequence: string;/' telemetry.fbs >broken.fbs
expect 1 schema --check telemetry.fbs broken.fbs
has out 'telemetry.Sample.sequence: type of a field changed'
[ "$(tail -n 1 out)" = 'not compatible' ] || fail "broken: $(tail -n 1 out)"
expect 1 schema --check --json telemetry.fbs broken.fbs
has out '"where": "telemetry.Sample.sequence"'
has out '"old_readers": "broken"'
has out '"ok": false'
expect 0 schema --check -r Pose telemetry.fbs broken.fbs

# What only one side's readers mind.
sed 's/  tags: \[string\];/  tags: [string] (required);/' telemetry.fbs >required.fbs
expect 1 schema --check telemetry.fbs required.fbs
expect 0 schema --check --readers old telemetry.fbs required.fbs
expect 1 schema --check --readers new telemetry.fbs required.fbs
expect 1 schema --check required.fbs telemetry.fbs
expect 1 schema --check --readers old required.fbs telemetry.fbs
expect 0 schema --check --readers new required.fbs telemetry.fbs
