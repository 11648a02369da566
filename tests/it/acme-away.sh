#!/bin/sh
# shellcheck disable=SC2119,SC2154
# The CA is away at the start and back later; later still it forgets our account.
. "$(dirname "$0")/lib.sh"

free_ports http_port https_port
prepare_pebble
write_conf()
{
    cat >lintel.conf <<CONF
{
$(acme_globals)
    default_bind 127.0.0.1
}
localhost, $1 {
    respond hello
}
CONF
}
write_conf a.example.com
start_lintel lintel.conf
wait_log 60 'a.example.com: no certificate; next attempt .*could not be asked'
wait_for 20 fetch localhost / --cacert "$local_root"
assert_eq hello "$(fetch localhost / --cacert "$local_root")"
start_pebble
wait_log 60 'a.example.com: certificate obtained'
wait_for 20 fetch a.example.com / --cacert "$PEBBLE_ROOT"
assert_eq hello "$(fetch a.example.com / --cacert "$PEBBLE_ROOT")"

# Pebble keeps nothing: started again it knows neither account nor nonces.
cp "$PEBBLE_ROOT" old-root.pem
stop_pebble
start_pebble
write_conf 'a.example.com, b.example.com'
reload_lintel
wait_log 60 'b.example.com: certificate obtained'
wait_for 20 fetch b.example.com / --cacert "$PEBBLE_ROOT"
assert_eq hello "$(fetch b.example.com / --cacert "$PEBBLE_ROOT")"
wait_for 20 fetch a.example.com / --cacert old-root.pem
assert_eq hello "$(fetch a.example.com / --cacert old-root.pem)"
assert_no_log 'b.example.com: no certificate'
stop_lintel
