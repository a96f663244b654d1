#!/bin/sh
# cat with --select: CSV and JSON with just some values, held against awk on the lines that the stream
# was made of.
. "$(dirname "$0")/support.sh"

schemas=${FLS_SOURCE_DIR:?}/tests/schemas
cp "$schemas/telemetry.fbs" .
flatc -b --schema telemetry.fbs || fail 'flatc'

awk 'BEGIN {
    for (i = 1; i <= 500; i++) {
        printf "{\"device_id\":1844674407370955%04d,\"sequence\":%d", i, i
        if (i % 3 == 0)
            printf ",\"channels\":[%d.25,1e%d]", i, i % 300
        print "}"
    }
}' >lines
expect 0 write --from json -s telemetry.bfbs -o stream lines

# Columns: 64-bit numbers exact, floats as in JSON, what is absent empty.
awk 'BEGIN {
    print "sequence,device_id,channels[0],channels.length,mode"
    for (i = 1; i <= 500; i++) {
        first = i % 3 == 0 ? i ".25" : ""
        printf "%d,1844674407370955%04d,%s,%s,Idle\n", i, i, first, i % 3 == 0 ? 2 : ""
    }
}' >wanted
expect 0 cat -s telemetry.bfbs --as csv --select sequence,device_id,channels[0],channels.length,mode stream
same out wanted
expect 0 cat -s telemetry.bfbs --as csv \
    --select ' sequence , device_id,channels[0] ,channels.length,mode' - <stream
same out wanted

# The same as JSON, whose nulls are the empty ones.
expect 0 cat -s telemetry.bfbs --select sequence,device_id,channels[0],channels.length,mode stream
awk -F, 'NR > 1 {
    printf "{\"sequence\":%s,\"device_id\":%s,\"channels[0]\":%s,\"channels.length\":%s,\"mode\":\"%s\"}\n",
        $1, $2, $3 == "" ? "null" : $3, $4 == "" ? "null" : $4, $5
}' wanted >wanted.json
same out wanted.json

# Quotes: a comma, a quote, line ends, blanks at an end, an empty text (which is not an absent one).
cat >texts <<'END'
{"tags":["plain","a,b","say \"x\"","two\nlines","cr\rhere"," blank","","\udcff\u0001é"]}
END
expect 0 write --from json -s telemetry.bfbs -o texts.fls texts
expect 0 cat -s telemetry.bfbs --as csv \
    --select 'tags[0],tags[1],tags[2],tags[3],tags[4],tags[5],tags[6],tags[8],sequence' texts.fls
printf 'tags[0],tags[1],tags[2],tags[3],tags[4],tags[5],tags[6],tags[8],sequence\n' >wanted
printf 'plain,"a,b","say ""x""","two\nlines","cr\rhere"," blank","",,0\n' >>wanted
same out wanted
expect 0 cat -s telemetry.bfbs --select 'tags[*]' texts.fls
printf '{"tags[*]":["plain","a,b","say \\"x\\"","two\\nlines","cr\\rhere"," blank","","\\udcff\\u0001é"]}\n' >wanted
same out wanted

# Floats that are no numbers.
printf '{"channels":["nan","inf","-inf",-0.0]}\n' >floats
expect 0 write --from json -s telemetry.bfbs -o floats.fls floats
expect 0 cat -s telemetry.bfbs --as csv --select 'channels[0],channels[1],channels[2],channels[3]' floats.fls
has out 'nan,inf,-inf,-0.0'
expect 0 cat -s telemetry.bfbs --select 'channels[*]' floats.fls
has out '{"channels[*]":["nan","inf","-inf",-0.0]}'

# Wrong usage.
expect 2 cat -s telemetry.bfbs --as csv stream
has err '--as csv needs --select'
expect 2 cat --as csv --select sequence stream
has err '--as csv needs a schema'
expect 2 cat -s telemetry.bfbs --as hex --select sequence stream
has err '--select goes with --as json and --as csv'
expect 2 cat -s telemetry.bfbs --as csv --select 'sequence,channels[*]' stream
has err "'channels[*]' has many values"
expect 2 cat -s telemetry.bfbs --as csv --select 'sequence,pose' stream
has err "'pose' is a table"
expect 2 cat -s telemetry.bfbs --select 'sequence,,mode' stream
has err "--select: a field's name belongs here"
expect 2 cat -s telemetry.bfbs --select 'sequnce' stream
has err "did you mean 'sequence'?"
expect 2 cat -s telemetry.bfbs --select sequence --typed stream
has err '--typed does not go with --select'

# Damage: what was before it is printed.
head -c $(($(size_of stream) - 1)) stream >torn
expect 1 cat -s telemetry.bfbs --as csv --select sequence torn
[ "$(wc -l <out)" -eq 500 ] || fail 'rows before the damage'
expect 1 cat -s telemetry.bfbs --as csv --select sequence -o whole torn
missing whole
