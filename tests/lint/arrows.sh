#!/bin/sh
# The folders of src/ are layers: a file includes only from its own folder or from one to the left.
# Engines are further kept from naming a handler: they know exchanges only.
set -eu
cd "$(dirname "$0")/../../src"

rc=0
seen=
for folder in base io conf cert http handlers engines server cli; do
    seen="$seen $folder"
    for included in $(cat "$folder"/*.[ch] 2>/dev/null | grep -o '^#include "[a-z0-9_]*/' |
        cut -d'"' -f2 | tr -d / | sort -u); do
        case " $seen " in
        *" $included "*) ;;
        *)
            grep -n "^#include \"$included/" "$folder"/*.[ch] /dev/null
            echo "src/$folder must not include $included/"
            rc=1
            ;;
        esac
    done
done
if grep -n '^#include "handlers/' engines/*.[ch]; then
    echo "an engine must not include handlers/"
    rc=1
fi
# An include names its folder, also the one next door: "str.h" would hide where it comes from.
if grep -n '^#include "[^/]*"' ./*/*.[ch] | grep -v '"config.h"'; then
    echo 'write "folder/file.h"'
    rc=1
fi
for folder in */; do
    case " $seen " in
    *" ${folder%/} "*) ;;
    *)
        echo "src/$folder is no layer of the house"
        rc=1
        ;;
    esac
done
exit $rc
