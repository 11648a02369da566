#!/bin/sh
# shellcheck disable=SC2119,SC2154,SC2094
# A name that cannot be validated hurts nobody beside it; why it failed is said in plain words; a
# restart orders nothing that is there and tries nothing sooner than scheduled.
. "$(dirname "$0")/lib.sh"

free_ports http_port https_port
start_pebble
curl -sS --noproxy '*' -d '{"host":"bad.example.com"}' "$PEBBLE_DNS_MANAGEMENT/set-servfail"
cat >lintel.conf <<CONF
{
$(acme_globals)
    default_bind 127.0.0.1
}
bad.example.com {
    respond bad
}
good.example.com {
    respond good
}
CONF
start_lintel lintel.conf
wait_log 60 'good.example.com: certificate obtained'
wait_log 60 'bad.example.com: no certificate; next attempt'
assert_log 'bad.example.com: no certificate; .*tls-alpn-01: .*http-01: '
wait_for 20 fetch good.example.com / --cacert "$PEBBLE_ROOT"
assert_eq good "$(fetch good.example.com / --cacert "$PEBBLE_ROOT")"
if fetch bad.example.com / -k 2>curl.err; then
    fail "a name without a certificate was served"
fi
"$LINTEL" certs list --config lintel.conf >list
assert_contains "$(grep '^good.example.com ' list)" Pebble
assert_contains "$(grep '^bad.example.com ' list)" 'failed, next attempt'

orders=$(grep -c 'Added order' "$work/log/pebble.log")
serial=$(served_cert good.example.com | openssl x509 -noout -serial)
stop_lintel
start_lintel lintel.conf
wait_for 20 fetch good.example.com / --cacert "$PEBBLE_ROOT"
assert_eq good "$(fetch good.example.com / --cacert "$PEBBLE_ROOT")"
assert_eq "$serial" "$(served_cert good.example.com | openssl x509 -noout -serial)" serial
stop_lintel
assert_no_log 'asking'
assert_eq "$orders" "$(grep -c 'Added order' "$work/log/pebble.log")" "orders after a restart"
