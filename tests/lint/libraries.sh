#!/bin/sh
# Each library shows in few places, so that it can be replaced and its traps are known in one place.
set -eu
cd "$(dirname "$0")/../../src"

rc=0
found=$(mktemp)
trap 'rm -f "$found"' EXIT

# only HEADER_REGEX PLACE...: no file outside of the places includes such a header.
only()
{
    regex=$1
    shift
    grep -lE "^#include <($regex)" ./*/*.[ch] | sed 's|^\./||' >"$found" || true
    while read -r file; do
        allowed=no
        for place in "$@"; do
            case $file in
            "$place"*) allowed=yes ;;
            esac
        done
        [ $allowed = yes ] && continue
        grep -nE "^#include <($regex)" "$file" | sed "s|^|src/$file:|"
        echo "that library belongs to: $*"
        rc=1
    done <"$found"
}

only 'microhttpd\.h' engines/
only 'nghttp2/' engines/
only 'gnutls/' cert/ engines/ io/direct_tls
only 'json' cert/ server/adapt server/status cli/
only 'curl/' io/fetch
only '(crypt|argon2)\.h' base/password
only 'idn2\.h' base/idna
only '(pcre2|regex)\.h' base/regex
only 'zlib\.h' handlers/encode_gzip
only 'zstd' handlers/encode_zstd
only 'brotli/' handlers/encode_br
exit $rc
