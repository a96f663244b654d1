#!/bin/sh
# Where output goes: whole or not at all, never over an input, full disks, readers that go away.
. "$(dirname "$0")/support.sh"

printf '616263\n646566\n' >hex
expect 0 write --from hex -o stream hex
cp stream copy

# The output may not be an input, by whatever name.
ln stream link
ln -s stream symlink
for out in stream link symlink ./stream; do
    expect 2 cat --as frames -o "$out" stream
    has err 'is the input too'
    expect 2 convert --to none -o "$out" stream
    "$tool" convert --to none -o "$out" - <stream 2>err
    [ $? = 2 ] || fail "convert - onto $out"
    expect 2 write -o "$out" hex stream
    has err 'is an input too'
    same stream copy
done
"$tool" cat --as frames stream >>stream 2>err
[ $? = 2 ] || fail 'cat onto its own input'
same stream copy
"$tool" write --from hex -o hex - <hex 2>err
[ $? = 2 ] || fail 'write onto its own input'
rm link symlink

# A damaged input: standard output gets what was sound before, a file does not appear.
cat stream >damaged
bytes 0300000050392f89945faf78616264 >>damaged
expect 1 cat damaged
printf '616263\n646566\n' | cmp - out || fail 'cat of a damaged stream'
for verb in 'cat --as frames' 'cat --as hex' 'convert --to crc32'; do
    # shellcheck disable=SC2086
    expect 1 $verb -o result damaged
    has err 'offset 30, message 2: checksum mismatch'
    missing result
done
echo before >result
expect 1 convert --to none -o result damaged
[ "$(cat result)" = before ] || fail 'the old file is gone'
rm result

# A folder that is not there, a folder in place of the file.
expect 3 convert --to none -o nowhere/result stream
mkdir folder
expect 3 convert --to none -o folder stream
expect 3 cat -o folder stream
rmdir folder

# What is not a file is written directly.
expect 0 cat -o /dev/null stream
expect 0 convert --to none -o /dev/stdout stream
bytes 03000000616263 >want
bytes 03000000646566 >>want
same out want
"$tool" convert --to none -o - stream | cmp - want || fail 'convert -o -'

# A full disk.
if [ -e /dev/full ]; then
    for command in 'info stream' 'info --json stream' 'verify stream' 'ls stream' 'cat stream' \
        'cat --as frames stream' 'recover stream' 'write --from hex hex' 'convert --to none stream' \
        'help' 'help --scdoc flatstream' 'version' 'info --help'; do
        # shellcheck disable=SC2086
        "$tool" $command >/dev/full 2>err
        code=$?
        [ $code = 3 ] || fail "$command on a full disk: $code"
        has err 'No space left'
    done
    expect 3 convert --to none -o /dev/full stream
fi

# A reader that goes away ends the tool quietly.
i=0
while [ $i -lt 14 ]; do
    cat hex hex >twice && mv twice hex
    i=$((i + 1))
done
expect 0 write --from hex -o long hex
for command in 'cat long' 'ls long' 'ls --json long' 'cat --as frames long' 'convert --to none long' \
    'write --from hex hex'; do
    {
        # shellcheck disable=SC2086
        "$tool" $command 2>err
        echo $? >code
    } | head -c 1 >/dev/null
    [ "$(cat code)" = 0 ] || fail "$command into a closed pipe: $(cat code)"
    empty err
done

# Ended by a signal in the middle: the exit is by that signal, and nothing is left. (SIGINT is ignored
# in what a script runs in the background.)
mkfifo fifo
for signal in TERM HUP; do
    for command in 'write --from delimited -o result fifo' 'convert -c none --to xxh3 -o result fifo'; do
        # shellcheck disable=SC2086
        "$tool" $command 2>err &
        pid=$!
        exec 3>fifo
        bytes 03000000616263 >&3
        # The unfinished file shows that the tool is at work.
        tries=0
        until ls -A | grep -q '^\.result'; do
            tries=$((tries + 1))
            [ $tries -lt 6000 ] || fail "$command did not start"
            sleep 0.01
        done
        kill -s $signal $pid
        wait $pid
        code=$?
        exec 3>&-
        [ "$(kill -l $code)" = $signal ] || fail "$command by SIG$signal: $code"
        missing result
        only hex stream copy damaged want long code fifo
    done
done
