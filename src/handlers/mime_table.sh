#!/bin/sh
# Makes mime_table.c, what handlers/mime_table.h declares, of a mime.types and of mime.ours:
#
#   mime_table.sh mime.types mime.ours >mime_table.c
#
# All texts are in two pools, where the rows' offsets lead: no pointers, which a program that may be
# loaded anywhere would have to relocate. Needs a POSIX shell, awk and sort.
set -eu
export LC_ALL=C

# "extension type old..." for each extension. Of several types in mime.types the last is taken; a
# name with a point in it is no extension.
awk '
    function is_name(s) { return s ~ /^[a-z0-9!#$&^_+-]+$/ && length(s) <= 15 }
    { sub(/#.*/, ""); $0 = tolower($0) }
    $1 !~ /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/ { next }
    NR == FNR { for (i = 2; i <= NF; i++) if (is_name($i)) type[$i] = $1; next }
    {
        old = ""
        for (n = 2; n <= NF && $n != "<"; n++) continue
        for (i = n + 1; i <= NF; i++) old = old " " $i
        for (i = 2; i < n; i++) {
            if (($i in type) && type[$i] != $1 && index(old " ", " " type[$i] " ") == 0)
                outdated[$i] = " " type[$i]
            outdated[$i] = outdated[$i] old
            type[$i] = $1
        }
    }
    END { for (e in type) print e, type[e] outdated[e] }
' "$1" "$2" | sort | awk '
    function put(pool, s) {
        text[pool] = text[pool] "    \"" s "\\0\"\n"
        at = end[pool] + 0
        end[pool] += length(s) + 1
        return at
    }
    {
        type = $2 ~ /^text\// ? $2 "; charset=utf-8" : $2
        if (!(type in place)) place[type] = put("types", type)
        rows = rows "    {" put("extensions", $1) ", " place[type] "},\n"
        for (i = 3; i <= NF; i++) {
            if (!($i in old_place)) old_place[$i] = put("old_types", $i)
            old_rows = old_rows "    {" NR - 1 ", " old_place[$i] "},\n"
            n_old++
        }
    }
    END {
        if (n_old == 0 || end["types"] > 65536 || end["extensions"] > 65536) exit 1
        print "/* Made by mime_table.sh. */\n#include \"handlers/mime_table.h\"\n"
        n = split("extensions types old_types", pools)
        for (i = 1; i <= n; i++)
            printf "const char mime_%s[] =\n%s    ;\n", pools[i], text[pools[i]]
        printf "const struct mime_row mime_rows[] = {\n%s};\n", rows
        printf "const struct mime_old_row mime_old_rows[] = {\n%s};\n", old_rows
        printf "const size_t mime_n_rows = %d;\nconst size_t mime_n_old_rows = %d;\n", NR, n_old
    }
'
