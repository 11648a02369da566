#!/bin/sh
# A file of src/ has at most 800 lines, a function at most 80 (main at most 100). Functions of more than 60
# lines are listed: they are next in line to be split.
set -eu
cd "$(dirname "$0")/../.."

# shellcheck disable=SC2016 # the $ are awk's
find src tests/unit tests/fuzz -name '*.[ch]' -exec awk '
    FNR == 1 { inside = 0; name = "" }
    FNR == 801 && FILENAME ~ /^src/ { print FILENAME ": more than 800 lines"; bad = 1 }
    /^[a-z].*\(/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
    /^\{/ { start = FNR; inside = 1 }
    /^\}/ {
        lines = FNR - start - 1
        limit = name == "main" ? 100 : 80
        if (inside && lines > limit) {
            printf "%s:%d: %s has %d lines, more than %d\n", FILENAME, start, name, lines, limit
            bad = 1
        } else if (inside && lines > 60)
            printf "%s:%d: note: %s has %d lines\n", FILENAME, start, name, lines
        inside = 0
    }
    END { exit bad }' {} +
