#!/bin/sh
# shellcheck disable=SC2119,SC2154
# Fifty sites at once: one account, fifty orders side by side, not more than ten in ten seconds.
. "$(dirname "$0")/lib.sh"

free_ports http_port https_port
export PEBBLE_WFE_NONCEREJECT=50
start_pebble
{
    printf '{\n%s\n    default_bind 127.0.0.1\n}\n' "$(acme_globals)"
    for i in $(seq 50); do
        printf 's%d.example.com {\n    respond s%d\n}\n' "$i" "$i"
    done
} >lintel.conf
start_lintel lintel.conf

all_obtained()
{
    [ "$(grep -c 'certificate obtained' "$lintel_log")" = 50 ]
}
wait_for 180 all_obtained
for i in 1 25 50; do
    wait_for 20 fetch "s$i.example.com" / --cacert "$PEBBLE_ROOT"
    assert_eq "s$i" "$(fetch "s$i.example.com" / --cacert "$PEBBLE_ROOT")"
done
assert_eq 1 "$(grep -c 'There are now . accounts' "$work/log/pebble.log")" "accounts"
assert_eq 50 "$(grep -c 'Added order' "$work/log/pebble.log")" "orders"
stop_lintel
