#!/bin/sh
# Our scripts pass shellcheck.
set -eu
cd "$(dirname "$0")/../.."

command -v shellcheck >/dev/null || exit 77
shellcheck autogen.sh src/handlers/mime_table.sh .ci/run contrib/quickstart tests/lint/*.sh tests/fuzz/*.sh contrib/completion/*.bash
# The tests are checked from their folder, where the library is found.
cd tests/it
# free_ports sets the variables it is told.
shellcheck -x -e SC2154 ./*.sh
