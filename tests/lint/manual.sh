#!/bin/sh
# The manual pages are well formed, the sample configuration of lintel.conf(5) is valid, and what the
# binary can do is in the pages.
set -eu
cd "$(dirname "$0")/../.."
top=$(pwd)
LINTEL=${LINTEL:-$top/lintel}

rc=0
say()
{
    echo "$*"
    rc=1
}

if command -v mandoc >/dev/null; then
    # STYLE messages about names of other systems depend on the version of mandoc.
    for page in doc/lintel.1 doc/lintel.conf.5; do
        mandoc -Tlint -Wwarning "$page" || say "$page: not well formed"
    done
fi

if [ ! -x "$LINTEL" ]; then
    echo "no binary at $LINTEL"
    exit 77
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/lintel-manual.XXXXXX")
trap 'rm -rf "$work"' EXIT

# The sample stands in the page between two comment lines, as text of a .Bd -literal display: \e is a
# backslash and \& at the start of a line nothing.
sed -n '/^\.\\" sample-begin/,/^\.\\" sample-end/p' doc/lintel.conf.5 |
    sed -e '/^\./d' -e 's/^\\&//' -e 's/\\e/\\/g' >"$work/lintel.conf"
[ -s "$work/lintel.conf" ] || say "doc/lintel.conf.5: no sample configuration"
(cd "$work" && HOME=$work "$LINTEL" validate --config lintel.conf) || say "the sample is not valid"

# Every command and every option of the tables has its item.
"$LINTEL" help >"$work/help" || say "lintel help fails"
for word in $("$LINTEL" help --words | cut -f1); do
    grep -qw "$word" "$work/help" || say "lintel help does not tell of $word"
    grep -qE "^\.It Cm $word" doc/lintel.1 || say "doc/lintel.1 has no $word"
    for option in $("$LINTEL" help --words "$word" | cut -f1 | grep '^-' | sed 's/^-//'); do
        grep -qE "^\.It .*Fl $option\b" doc/lintel.1 ||
            say "doc/lintel.1 has no -$option"
    done
done
exit $rc
