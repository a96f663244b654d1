#!/bin/sh
# stats: held against awk's own arithmetic on the lines that the stream was made of; windows of time,
# plots, reports as JSON, and wrong usage.
. "$(dirname "$0")/support.sh"

schemas=${FLS_SOURCE_DIR:?}/tests/schemas
cp "$schemas/telemetry.fbs" .
flatc -b --schema telemetry.fbs || fail 'flatc'

# A value is i * 37 % 1000 - 250.5; a message every 10 ms, none from 5 s to 8 s.
base=1790000000
awk -v base=$base 'BEGIN {
    for (i = 1; i <= 1000; i++) {
        ms = i * 10 + (i >= 500 ? 3000 : 0)
        printf "{\"timestamp_ns\":%d%03d%06d,\"sequence\":%d", base + int(ms / 1000), ms % 1000, 17, i
        printf ",\"mode\":\"%s\"", i % 2 ? "Drive" : "Fault"
        if (i % 4 != 0)
            printf ",\"battery\":{\"cell_mv\":[%d,%d],\"current_a\":%.1f}", i, i + 5, i * 37 % 1000 - 250.5
        print "}"
    }
}' >lines
expect 0 write --from json -s telemetry.bfbs -o stream lines

# The whole, against awk.
awk 'BEGIN {
    for (i = 1; i <= 1000; i++)
        if (i % 4 != 0) {
            v = i * 37 % 1000 - 250.5
            n++; sum += v; squares += v * v
            if (n == 1 || v < min) min = v
            if (n == 1 || v > max) max = v
            seen[int(v + 250.5)]++
        }
    mean = sum / n
    for (k = 0; k < 1000; k++) {
        before = at; at += seen[k]
        if (before < n / 2 && at >= n / 2) median = k - 250.5
        if (before < n * 0.99 && at >= n * 0.99) p99 = k - 250.5
    }
    printf "%d %.1f %.1f %.1f %.1f %.4f %.4f\n", n, min, max, median, p99, mean,
        sqrt((squares - n * mean * mean) / (n - 1))
}' >wanted
expect 0 stats --json -s telemetry.bfbs --select battery.current_a stream
tr -d '\n' <out | sed 's/.*"count": \([^,]*\),.*"min": \([^,]*\), "max": \([^,]*\),.*"mean": \([^,]*\), "deviation": \([^,]*\),.*"median": \([^,]*\),.*"p99": \([^,]*\),.*/\1 \2 \3 \6 \7 \4 \5/' |
    awk '{ printf "%d %.1f %.1f %.1f %.1f %.4f %.4f\n", $1, $2, $3, $4, $5, $6, $7 }' >got
same got wanted
has out '"absent": 250,'
has out '"exact_quantiles": true'
has out '"messages": 1000,'
has out '"ok": true'

# Whole numbers: exact sums, also beyond what a double holds; [*] counts every value.
expect 0 stats --json -s telemetry.bfbs --select 'sequence,battery.cell_mv[*],timestamp_ns,mode' stream
has out '"path": "sequence", "count": 1000, "absent": 0, "nan": 0, "min": 1, "max": 1000, "sum": 500500, "mean": 500.5,'
has out '"path": "battery.cell_mv[*]", "count": 1500, "absent": 250,'
has out '"min": 1790000000010000017, "max": 1790000013000000017,'
has out '"path": "mode", "count": 1000, "absent": 0, "nan": 0, "min": 1, "max": 9,'

# As a table.
expect 0 stats -s telemetry.bfbs --select sequence,battery.current_a - <stream
has out 'path                   count   absent          min       median         mean'
has out 'sequence                1000        0            1          500        500.5'

# Windows of a second: their starts and how many messages each has, from awk.
expect 0 stats --json -s telemetry.bfbs --select sequence --every 1s stream
grep -o '"start_ns": [0-9]*, "messages": [0-9]*' out | tr -dc '0-9,\n' >got
awk -v base=$base 'BEGIN {
    for (i = 1; i <= 1000; i++)
        count[int((i * 10 + (i >= 500 ? 3000 : 0)) / 1000)]++
    for (s = 0; s < 14; s++)
        if (count[s] > 0)
            printf "%d000000000,%d\n", base + s, count[s]
}' >wanted
same got wanted
has out '"without_time": 0,'
has out '"late": 0,'
expect 0 stats -s telemetry.bfbs --select sequence --every 1s stream
has out "2026-09-21T14:13:21Z  sequence        100        0          100          149        149.5"
[ "$(grep -c '^2026' out)" -eq "$(wc -l <wanted)" ] || fail 'rows of windows'
expect 0 stats -s telemetry.bfbs --select sequence --every 250ms --where 'mode == Fault' stream
has out '2026-09-21T14:13:20.250Z  sequence'
has err '500 of 1,000 messages'

# Another field as the time, in a unit that is given: 100 messages are 100 s.
expect 0 stats -s telemetry.bfbs --select device_id --every 100s --time sequence --time-unit s stream
[ "$(grep -c 'device_id' out)" -eq 12 ] || fail 'windows by sequence'
has out '100         device_id'

# Late messages are in no window, and told.
cat lines >twice
head -n 5 lines >>twice
expect 0 write --from json -s telemetry.bfbs -o late twice
expect 0 stats -s telemetry.bfbs --select sequence --every 1s late
has err '5 messages came when a later window was open'
expect 0 stats --json -s telemetry.bfbs --select sequence --every 1s late
has out '"late": 5,'
has out '"count": 1005,'

# Plots: on request where there is no terminal, in ASCII where there is no UTF-8.
expect 0 stats --plot -s telemetry.bfbs --select sequence --every 1s stream
has out 'sequence, mean of each window'
has out '##'
COLUMNS=40 LC_ALL=C.UTF-8 "$tool" stats --plot -s telemetry.bfbs --select sequence stream >out
has out 'sequence, how often'
has out '█'
expect 0 stats -s telemetry.bfbs --select sequence stream
has_not out 'how often'

# Nothing, and nothing of a column.
: >empty
expect 0 stats --json -c xxh3 -s telemetry.bfbs --select sequence --every 1s empty
has out '"count": 0,'
has out '"mean": null,'
expect 0 stats -s telemetry.bfbs --select pose.position.x stream
has out '0     1000            -            -            -'

# Wrong usage.
expect 2 stats -s telemetry.bfbs stream
has err '--select PATHS'
expect 2 stats --select sequence stream
has err 'needs a schema'
expect 2 stats -s telemetry.bfbs --select 'tags[0]' stream
has err 'is text'
expect 2 stats -s telemetry.bfbs --select tags stream
expect 2 stats -s telemetry.bfbs --select sequence --every 1 stream
has err 'is not a time like'
expect 2 stats -s telemetry.bfbs --select sequence --every 1s --time sequence stream
has err '--time-unit'
expect 2 stats -s telemetry.bfbs --select sequence --time sequence stream
has err 'go with --every'
expect 2 stats -s telemetry.bfbs --select sequence --every 1s --time nothing_ns stream
has err 'there is no field'
expect 2 stats -s telemetry.bfbs --select sequence --plot --json stream

# Damage: what was before is reported, and the exit code is 1.
head -c $(($(size_of stream) - 1)) stream >torn
expect 1 stats --json -s telemetry.bfbs --select sequence torn
has out '"count": 999,'
has out '"ok": false'
