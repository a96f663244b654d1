#!/bin/sh
# The guide to the tool: its files are made and its commands run, in order, and print what it shows.
# With FLS_GUIDE_OUT=FILE the guide is written there with what they really print.
. "$(dirname "$0")/support.sh"

guide=${FLS_SOURCE_DIR:?}/docs/guide/TOOL.md
mkdir bin work
ln -s "$tool" bin/flatstream
PATH=$folder/bin:$PATH
cd work || exit 1

# A script of it all: files, and for each command itself, what it prints, and a text line as it is.
# Every line of the guide is printed again, those between commands as they were printed now.
awk '
    function quoted(text) { gsub(/\047/, "\047\\\047\047", text); return "\047" text "\047" }
    /^```/ && file != "" {
        print "END_OF_FILE"
        print "cat " file " >&3; echo \047```\047 >&3"
        file = ""
        next
    }
    file != "" { print; next }
    /^```[a-z]+ [a-z0-9.]+$/ {
        file = $2
        print "echo " quoted($0) " >&3"
        print "cat >" file " <<\047END_OF_FILE\047"
        next
    }
    /^```console$/ { console = 1; print "echo " quoted($0) " >&3"; next }
    /^```$/ { console = 0; print "echo " quoted($0) " >&3"; next }
    console && /^\$ / { print "echo " quoted($0) " >&3"; print "{ " substr($0, 3); print "} >&3 2>&3"; next }
    console { next }
    { print "echo " quoted($0) " >&3" }
' "$guide" >../script
sh ../script 3>../printed || fail "the guide's commands"
[ -z "${FLS_GUIDE_OUT:-}" ] || cp ../printed "$FLS_GUIDE_OUT"
diff "$guide" ../printed >&2 || fail 'the guide shows something else'
[ "$(grep -c '^[$] ' ../printed)" -gt 20 ] || fail 'hardly a command was run'
