#!/bin/sh
# Every file is listed where the build looks for it: a test that nobody runs is worse than none.
set -eu
cd "$(dirname "$0")/../.."

rc=0
# listed FILE LIST: a test's only source may go without saying.
listed()
{
    grep -qE "(^|[[:space:]])${1%.c}(\.c)?([[:space:]]|\$)" "$2" && return
    echo "$1 is not listed in $2"
    rc=1
}

for file in src/*/*.[ch]; do
    listed "$file" "$(dirname "$file")/sources.mk"
done
for file in tests/unit/*.[ch] tests/fuzz/*.c tests/diff/*.py tests/lint/*.py \
    tests/lint/*.sh; do
    [ ! -f "$file" ] || listed "$file" tests/tests.mk
done
for file in tests/it/*.py tests/it/*.sh; do
    [ ! -f "$file" ] || listed "$file" tests/it/it.mk
done
exit $rc
