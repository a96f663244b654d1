#!/bin/sh
# The guides to the tool: their files are made and their commands run, in order, and print what is
# shown. With FLS_GUIDE_OUT=DIRECTORY they are written there with what they really print.
. "$(dirname "$0")/support.sh"

mkdir bin
ln -s "$tool" bin/flatstream
PATH=$folder/bin:$PATH

try_guide() { # NAME, commands at least
    guide=${FLS_SOURCE_DIR:?}/docs/guide/$1
    mkdir "$folder/$1.work"
    cd "$folder/$1.work" || exit 1

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
    sh ../script 3>../printed || fail "$1: its commands"
    [ -z "${FLS_GUIDE_OUT:-}" ] || cp ../printed "$FLS_GUIDE_OUT/$1"
    diff "$guide" ../printed >&2 || fail "$1 shows something else"
    [ "$(grep -c '^[$] ' ../printed)" -ge "$2" ] || fail "$1: hardly a command was run"
}

try_guide TOOL.md 20
try_guide RECORDING.md 20
