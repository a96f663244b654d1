# The guides and the README: every block of code is in the example that it names or compiles, and every
# command of a guide does what stands below it. Blocks are told apart by the line that opens them:
#
#   ```cpp FILE            lines of examples/FILE, as they stand there
#   ```cpp                 compiles in a function with the parameters of the comment "given" above,
#                          after the declarations of "before", or outside of one with "outside";
#                          ```c likewise
#   ```console             commands after "$ ", each with its output; "..." stands for any lines
#   ```console background  one command, whose output is compared when those of the next block are done
#
# A guide's commands run one after another in a folder with the files that it begins with.
. "$FLS_SOURCE_DIR/tests/cli/support.sh"

for program in flatc pkg-config "${CC:-cc}" "${CXX:-c++}"; do
    command -v "$program" >/dev/null || {
        echo "no $program: the guides are not tried"
        exit 0
    }
done

# What pkg-config says of the installed library, for the one in the build.
mkdir pc
cat >pc/flatstream.pc <<PC
Name: flatstream
Description: as built
Version: 0.1.0
Cflags: -I$FLS_SOURCE_DIR/include ${FLS_EXTRA_FLAGS:-}
Libs: $FLS_LIBRARY_PATH -pthread ${FLS_EXTRA_FLAGS:-}
PC
PKG_CONFIG_PATH=$folder/pc${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
PATH=$(dirname "$tool"):$PATH
export PKG_CONFIG_PATH PATH

# Puts each block of a guide into a file of its own, NUMBER.KIND, with what else its opening says in
# NUMBER.about.
split_guide() {
    awk '
        /^<!-- before: / { before = $0; sub(/^<!-- before: /, "", before); sub(/ -->$/, "", before) }
        /^<!-- given: / { given = $0; sub(/^<!-- given: /, "", given); sub(/ -->$/, "", given) }
        /^<!-- outside -->$/ { given = "outside" }
        /^```/ && !inside {
            inside = 1
            kind = substr($1, 4)
            file = sprintf("%02d.%s", ++count, kind)
            about = sprintf("%02d.about", count)
            printf "%s\n%s\n%s\n", $2, given, before >about
            printf "" >file
            close(about)
            given = before = ""
            next
        }
        /^```$/ { inside = 0; close(file); next }
        inside { print >file }' "$1"
}

# quoted FILE BLOCK: the lines of BLOCK stand in FILE, one after another.
quoted() {
    awk 'NR == FNR { want[++n] = $0; next }
         { have[++m] = $0 }
         END {
             for (i = 1; i + n - 1 <= m; i++) {
                 for (k = 1; k <= n && have[i + k - 1] == want[k]; k++)
                     ;
                 if (k > n) exit 0
             }
             exit 1
         }' "$2" "$1"
}

# headers KIND: what a program of the guides includes.
headers() {
    case $1 in
    cpp)
        printf '#include <cstdio>\n#include <iostream>\n#include <flatstream/flatstream.hpp>\n'
        printf '#include "station_generated.h"\n#include "telemetry_generated.h"\n'
        ;;
    c) printf '#include <inttypes.h>\n#include <string.h>\n#include <flatstream/flatstream.h>\n' ;;
    esac
}

# compiles FILE KIND
compiles() {
    case $2 in
    cpp) language=c++ standard=c++17 compiler=${CXX:-c++} ;;
    c) language=c standard=c11 compiler=${CC:-cc} ;;
    esac
    # What pkg-config prints is words. flatcc is not packaged: declarations stand in for it.
    # shellcheck disable=SC2046
    "$compiler" -x "$language" -std="$standard" -Wall -Wextra -Werror -Wno-unused-function \
        -fsyntax-only -I. -I"$FLS_SOURCE_DIR/examples" -I"$FLS_SOURCE_DIR/tests/support" \
        -I"$FLS_SOURCE_DIR/tests/support/flatcc" -isystem "$FLS_TEST_SCHEMA_DIR" \
        $(pkg-config --cflags flatstream) "$1"
}

# snippet BLOCK KIND GIVEN BEFORE: adds a function to all.KIND, where those of a text are compiled
# together; a block that stands outside of one is a program of its own.
snippet() {
    if [ "$3" = outside ]; then
        { headers "$2" && cat "$1"; } >alone
        compiles alone "$2"
        return
    fi
    [ -s "all.$2" ] || headers "$2" >"all.$2"
    name_of=$(basename "${1%.*}")
    {
        echo "$4"
        echo "int snippet_$name_of(${3:-void});"
        echo "int snippet_$name_of(${3:-void})"
        echo '{'
        echo "#line 1 \"block $name_of\""
        cat "$1"
        echo 'return 0; }'
    } >>"all.$2"
}

# alike WANTED GOT: equal, but for any lines where WANTED has "...".
alike() {
    awk 'NR == FNR { want[++n] = $0; next }
         { have[++m] = $0 }
         END {
             for (i = 1; i <= n && want[i] != "..."; i++)
                 if (i > m || want[i] != have[i]) exit 1
             if (i > n) exit m != n
             for (k = 0; n - k > i; k++)
                 if (m - k < i || want[n - k] != have[m - k]) exit 1
         }' "$1" "$2"
}

# matches COMMAND WANTED GOT GUIDE
matches() {
    alike "$2" "$3" || {
        diff "$2" "$3" >&2
        fail "$4: another output: $1"
    }
}

finish_background() {
    if [ -n "$background" ]; then
        wait "$background" || fail "$1: ended with $?: $(cat ../background.command)"
        background=
        matches "$(cat ../background.command)" ../background.wanted ../background.got "$1"
    fi
}

# commands BLOCK ABOUT GUIDE: runs them, in the folder "work".
commands() {
    rm -f [0-9][0-9].command [0-9][0-9].wanted
    awk '/^\$ / { n++; print substr($0, 3) >sprintf("%02d.command", n)
                  printf "" >sprintf("%02d.wanted", n); next }
         { print >sprintf("%02d.wanted", n) }' "$1"
    cd work || exit 1
    for command in ../[0-9][0-9].command; do
        wanted=${command%.command}.wanted
        if [ "$2" = background ]; then
            mv "$command" ../background.command
            mv "$wanted" ../background.wanted
            sh -c "exec $(cat ../background.command)" >../background.got 2>&1 &
            background=$!
        else
            sh -c "$(cat "$command")" >../got 2>&1 </dev/null ||
                fail "$3: ended with $?: $(cat "$command"): $(cat ../got)"
            matches "$(cat "$command")" "$wanted" ../got "$3"
        fi
    done
    [ "$2" = background ] || finish_background "$3"
    cd .. || exit 1
}

# code_block BLOCK KIND WORD GIVEN BEFORE TEXT
code_block() {
    if [ -n "$3" ]; then
        quoted "$FLS_SOURCE_DIR/examples/$3" "$1" || {
            cat "$1" >&2
            fail "$6: examples/$3 has not these lines"
        }
    else
        snippet "$1" "$2" "$4" "$5" || fail "$6: block $1 does not compile"
    fi
}

# try_text FILE BEGINNING...: tries a text in a folder with these examples. With none, its commands are
# not run.
try_text() {
    name=$1
    shift
    background=
    rm -rf work blocks all.*
    mkdir work blocks
    for file in "$@"; do
        cp "$FLS_SOURCE_DIR/examples/$file" work || exit 1
    done
    flatc --cpp "$FLS_SOURCE_DIR/examples/station.fbs"
    (cd blocks && split_guide "$FLS_SOURCE_DIR/$name")
    for about in blocks/*.about; do
        block=$(echo "${about%.about}".[!a]*)
        kind=${block##*.}
        word=$(sed -n 1p "$about")
        case $kind in
        console) [ $# -eq 0 ] || commands "$block" "$word" "$name" ;;
        c | cpp | fbs)
            code_block "$block" "$kind" "$word" "$(sed -n 2p "$about")" "$(sed -n 3p "$about")" "$name"
            ;;
        esac
    done
    for all in all.*; do
        [ ! -e "$all" ] || compiles "$all" "${all#all.}" || fail "$name: its code does not compile"
    done
}

try_text docs/guide/CPP.md station.fbs station_write.cpp station_read.cpp
try_text docs/guide/C.md station.fbs station_write.c station_read.c
try_text README.md
