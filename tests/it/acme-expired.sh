#!/bin/sh
# shellcheck disable=SC2119,SC2154
# The CA goes away for longer than a certificate lives: the expired one is served on, also after a
# restart, and the log calls for help.
. "$(dirname "$0")/lib.sh"

free_ports http_port https_port
export PEBBLE_VALIDITY_S=6
start_pebble
cat >lintel.conf <<CONF
{
$(acme_globals)
    default_bind 127.0.0.1
}
a.example.com {
    respond hello
}
CONF
start_lintel lintel.conf
wait_for 60 fetch a.example.com / --cacert "$PEBBLE_ROOT"
stop_pebble
serial=$(served_cert a.example.com | openssl x509 -noout -serial)
wait_log 60 'error cert: a.example.com: the certificate has expired; next attempt .*could not be asked'
assert_eq "$serial" "$(served_cert a.example.com | openssl x509 -noout -serial)" serial
stop_lintel
start_lintel lintel.conf
assert_eq hello "$(fetch a.example.com / -k)"
assert_eq "$serial" "$(served_cert a.example.com | openssl x509 -noout -serial)" serial
start_pebble
wait_for 60 fetch a.example.com / --cacert "$PEBBLE_ROOT"
stop_lintel
