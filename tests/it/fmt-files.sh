#!/bin/sh
# shellcheck shell=sh disable=SC3043
# lintel fmt: what it prints, exit statuses, files that are overwritten. The form itself is in
# tests/unit/test_format.c.
. "$(dirname "$0")/lib.sh"

# expect STATUS ARGUMENT...: runs lintel fmt; its output is in the files out and err.
expect()
{
    local expected="$1" status=0
    shift
    "$LINTEL" fmt "$@" >"$work/out" 2>"$work/err" <"${input:-/dev/null}" || status=$?
    assert_eq "$expected" "$status" "exit status of lintel fmt $*"
}

printf 'a {\n  respond   b\n}\n' >raw
printf 'a {\n\trespond b\n}\n' >good

# ---- to standard output ----

expect 1 raw
cmp out good
assert_eq "lintel: raw:2: not formatted from here on; --overwrite formats the file" "$(cat err)"
expect 0 good
cmp out good
assert_eq "" "$(cat err)"
expect 1 --config raw
cmp out good
cp good Caddyfile
expect 0
cmp out good
cp raw lintel.conf
expect 1
assert_contains "$(cat err)" "lintel.conf:2"

input=raw
expect 0 -
cmp out good
assert_eq "" "$(cat err)"
expect 0 --overwrite --config=-
cmp out good
expect 1 -d -
assert_contains "$(cat out)" "+	respond b"
input=

if [ -e /dev/full ]; then
    status=0
    "$LINTEL" fmt good >/dev/full 2>err || status=$?
    assert_eq 2 "$status" "exit status with a full disk"
    assert_contains "$(cat err)" "cannot be written"
fi

# ---- wrong usage ----

expect 1 missing
assert_contains "$(cat err)" "missing"
expect 1 "$work"
assert_contains "$(cat err)" "not a regular file"
expect 1 raw good
assert_contains "$(cat err)" "unexpected argument 'good'"
expect 1 raw --config good
assert_contains "$(cat err)" "one file only: either 'raw' or --config 'good'"
expect 1 --owerwrite raw
assert_contains "$(cat err)" "unknown option --owerwrite; did you mean --overwrite?"
expect 1 --overwrite=yes raw
assert_contains "$(cat err)" "--overwrite takes no value"
expect 1 -wx raw
assert_contains "$(cat err)" "unknown option -x"

# ---- differences ----

for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    printf 'site%s.test {\n\troot * /srv/%s\n  file_server\n\n\n}\n' $n $n
    [ $((n % 3)) -ne 0 ] || printf '\n\n\nredir  x\n\tb\n\n'
done >long
printf 'last {\n}' >>long
expect 1 --diff long
assert_contains "$(cat out)" "--- long"
assert_contains "$(cat out)" "No newline at end of file"
cp out long.diff
expect 1 long
cp out long.good
if command -v patch >/dev/null; then
    cp long patched
    patch -s -p0 patched <long.diff
    cmp patched long.good
fi
expect 0 --diff long.good
assert_eq "" "$(cat out)" "no difference"

# ---- overwriting ----

cp raw file
chmod 640 file
expect 0 --overwrite file
cmp file good
assert_eq "" "$(cat out)"
assert_eq 640 "$(stat -c %a file)" "mode"
before=$(stat -c %i file)
expect 0 -w file
assert_eq "$before" "$(stat -c %i file)" "a formatted file is left alone"

mkdir real
cp raw real/target
ln -s real/target link
ln -s link link2
expect 0 -wd link2
cmp real/target good
assert_contains "$(cat out)" "+	respond b"
[ -L link2 ] || fail "the link is no link any more"
assert_eq "target" "$(ls real)" "what is left in the folder"

if [ "$(id -u)" -eq 0 ]; then
    cp raw owned
    chown 1:2 owned
    chmod 4750 owned
    expect 0 -w owned
    assert_eq "1:2 4750" "$(stat -c '%u:%g %a' owned)" "owner and mode"
fi

cp raw file
ln -s /nonexistent/file dangling
expect 1 -w dangling
mkdir closed
cp raw closed/file
chmod 555 closed
if [ "$(id -u)" -ne 0 ]; then
    expect 2 -w closed/file
    cmp closed/file raw
    assert_contains "$(cat err)" "closed/file"
fi
chmod 755 closed
