#!/bin/sh
# Runs every fuzz target once over its corpus: what a fuzzer found once stays mended.
set -eu
corpus=$(cd "$(dirname "$0")/corpus" && pwd)
programs=${top_builddir:-$corpus/../../..}/tests/fuzz

for folder in "$corpus"/*/; do
    name=$(basename "$folder")
    "$programs/fuzz_$name" "$folder"* || {
        echo "FAIL: fuzz_$name on the last file named"
        exit 1
    }
done
