#!/bin/sh
# The sources are as clang-format leaves them. Versions of it differ: only version 14 decides.
set -eu
cd "$(dirname "$0")/../.."

formatter=$(command -v clang-format-14 || command -v clang-format) || exit 77
"$formatter" --version | grep -q 'version 14\.' || exit 77
find src tests/unit tests/fuzz contrib -name '*.[ch]' -exec "$formatter" --dry-run -Werror {} + || {
    echo "run clang-format -i on these files"
    exit 1
}
