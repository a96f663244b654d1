# Streams of telemetry for tests that read them with several threads: sound, and hit, length, torn and zero,
# which are damaged; half is the middle of sound. Needs support.sh, and telemetry.bfbs.

# Some 400 KiB: enough for threads that are asked for, in pieces of 64 KiB.
awk 'BEGIN {
    split("Idle Drive Charge Fault", modes, " ")
    for (i = 1; i <= 2500; i++) {
        printf "{\"device_id\":%d,\"timestamp_ns\":%d,\"sequence\":%d", i % 7, i * 1000003, i
        printf ",\"mode\":\"%s\"", modes[i % 4 + 1]
        printf ",\"pose\":{\"position\":{\"x\":%d.1,\"y\":-0.%d,\"z\":1e%d}}", i, i, i % 30
        if (i % 3 == 0)
            printf ",\"battery\":{\"cell_mv\":[%d,%d],\"current_a\":%d.5}", i, 2 * i, i - 1000
        if (i % 5 == 0)
            printf ",\"tags\":[\"tag%d\",\"even, \\\"odd\\\"\"]", i
        print "}"
    }
}' >lines
expect 0 write --from json -s telemetry.bfbs -o sound lines
[ "$(size_of sound)" -gt 300000 ] || fail "only $(size_of sound) bytes"
half=$(($(size_of sound) / 2))

# put FILE AT HEX: overwrites some bytes.
put() {
    bytes "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# A payload that was hit in the middle, and a length; a torn end and a tail of zeros.
cp sound hit
put hit $half 64616d616765
cp sound length
expect 0 ls --range 1500..1501 sound
at=$(awk 'NR == 1 { print $2 }' out | tr -d ,)
put length "$at" ffffffff
head -c $((half + half - 7)) sound >torn
cp sound zero
zeros 5000 >>zero
