#!/bin/sh
# shellcheck disable=SC2119,SC2154
# The data folder of a Caddy is taken over as it is: its certificate is served without an order, its
# account is used for the next name, its local root stays.
. "$(dirname "$0")/lib.sh"

need caddy
free_ports http_port https_port
start_pebble
cat >Caddyfile <<CONF
{
    http_port $http_port
    https_port $https_port
    acme_ca $PEBBLE_DIRECTORY
    acme_ca_root $PEBBLE_CA
    email admin@example.com
    admin off
    skip_install_trust
    storage file_system $work/caddy
}
a.example.com, localhost {
    respond hello
}
CONF
caddy_root=$work/caddy/pki/authorities/local/root.crt
spawn caddy caddy run --config Caddyfile --adapter caddyfile
caddy_pid=$spawned
wait_for 60 fetch a.example.com / --cacert "$PEBBLE_ROOT"
wait_for 60 fetch localhost / --cacert "$caddy_root"
serial=$(served_cert a.example.com | openssl x509 -noout -serial)
local_serial=$(served_cert localhost | openssl x509 -noout -serial)
end_child "$caddy_pid" TERM

cat >lintel.conf <<CONF
{
$(acme_globals)
    default_bind 127.0.0.1
    storage file_system $work/caddy
}
a.example.com, b.example.com, localhost {
    respond hello
}
CONF
start_lintel lintel.conf
assert_eq hello "$(fetch a.example.com / --cacert "$PEBBLE_ROOT")"
assert_eq "$serial" "$(served_cert a.example.com | openssl x509 -noout -serial)" "the serial of a"
assert_eq "$local_serial" "$(served_cert localhost | openssl x509 -noout -serial)" "the local serial"
wait_for 60 fetch b.example.com / --cacert "$PEBBLE_ROOT"
wait_for 60 fetch localhost / --cacert "$caddy_root"
assert_no_log 'a.example.com: asking'
assert_eq 1 "$(grep -c 'There are now . accounts' "$work/log/pebble.log")" "accounts"
stop_lintel
