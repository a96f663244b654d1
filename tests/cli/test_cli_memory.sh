#!/bin/sh
# Streams of any length in 16 MiB of memory: every verb over 64 MiB through a pipe, under a limit.
. "$(dirname "$0")/support.sh"

limit() {
    (
        # shellcheck disable=SC3045
        ulimit -d 16384 && exec "$@"
    )
}
limit "$tool" version >out 2>err || {
    echo 'skipped: this build does not start in 16 MiB'
    exit 0
}

# A message of a million bytes, many times, and small ones between.
head -c 999990 /dev/zero | tr '\0' x >million
expect 0 write -o part million million million million
printf '616263\n' | "$tool" write --append --from hex part || fail append
i=0
while [ $i -lt 16 ]; do
    cat part
    i=$((i + 1))
done >stream

for command in 'info' 'verify' 'recover' 'ls' 'cat --as hex' 'cat --as raw' 'cat --as frames' \
    'cat --as delimited' 'convert --to crc32'; do
    # shellcheck disable=SC2086
    cat stream | limit "$tool" $command - >out 2>err || fail "$command from a pipe"
    # shellcheck disable=SC2086
    limit "$tool" $command stream >out 2>err || fail "$command of a file"
done
for form in hex delimited; do
    expect 0 cat --as $form -o form stream
    cat form | limit "$tool" write --from $form -o written 2>err || fail "write --from $form"
    same written stream
done

# A torn and a damaged one too.
bytes 00100000 >>stream
for verb in info verify recover; do
    cat stream | limit "$tool" $verb - >out 2>err
    [ $? = 1 ] || fail "$verb of a torn pipe"
    has out torn_tail
done
{
    head -c 100 stream
    echo damaged
    tail -c +109 stream
} >damaged
for verb in info verify recover; do
    cat damaged | limit "$tool" $verb -c xxh3 - >out 2>err
    [ $? = 1 ] || fail "$verb of a damaged pipe"
    has out damaged
done

# A length that claims two gigabytes in a short stream asks for nothing.
bytes ffffff7f >claim
limit "$tool" info -c none claim >out 2>err
[ $? = 1 ] || fail 'a claim'
has out torn_tail
limit "$tool" write --from delimited -o written claim >out 2>err
[ $? = 1 ] || fail 'a claim of delimited input'

# The limit is one: a message of 40 MB does not fit.
head -c 40000000 /dev/zero | tr '\0' x >large
expect 0 write -o stream large
limit "$tool" cat --as raw -c xxh3 stream >out 2>err
[ $? = 3 ] || fail 'the limit limits nothing'
has err 'out of memory'
