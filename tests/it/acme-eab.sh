#!/bin/sh
# shellcheck disable=SC2119,SC2154
# A CA that wants an external account binding: said in plain words without one, used with one.
. "$(dirname "$0")/lib.sh"

free_ports http_port https_port
export PEBBLE_EAB=1
start_pebble
write_conf()
{
    cat >lintel.conf <<CONF
{
$(acme_globals)
    default_bind 127.0.0.1
    $1
}
a.example.com {
    respond hello
}
CONF
}
write_conf ''
start_lintel lintel.conf
wait_log 60 'a.example.com: no certificate; .*set acme_eab'
write_conf 'acme_eab kid-1 zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W'
reload_lintel
wait_log 60 'a.example.com: certificate obtained'
wait_for 20 fetch a.example.com / --cacert "$PEBBLE_ROOT"
assert_eq hello "$(fetch a.example.com / --cacert "$PEBBLE_ROOT")"
assert_no_log zWNDZM6
stop_lintel
