#!/bin/sh
# shellcheck disable=SC2119,SC2154
# Issuance by tls-alpn-01 alone: the http port is somebody else's. The CA rejects every second nonce
# and takes its time to validate.
. "$(dirname "$0")/lib.sh"

free_ports http_port https_port
export PEBBLE_VA_NOSLEEP='' PEBBLE_VA_SLEEPTIME=2 PEBBLE_WFE_NONCEREJECT=50
start_pebble
spawn squatter python3 -u -c '
import socket, sys
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    c, _ = s.accept()
    print("somebody came")
    c.close()' "$http_port"
wait_for 20 listening "$http_port"

cat >lintel.conf <<CONF
{
$(acme_globals)
    default_bind 127.0.0.1
}
a.example.com, b.example.com {
    respond "hello from {host}"
}
CONF
start_lintel lintel.conf
wait_log 60 'a.example.com: certificate obtained'
wait_log 60 'b.example.com: certificate obtained'
wait_for 20 fetch a.example.com / --cacert "$PEBBLE_ROOT"
assert_eq "hello from a.example.com" "$(fetch a.example.com / --cacert "$PEBBLE_ROOT")"
wait_for 20 fetch b.example.com / --cacert "$PEBBLE_ROOT"
assert_eq "hello from b.example.com" "$(fetch b.example.com / --cacert "$PEBBLE_ROOT")"
assert_log 'warn .*'"$http_port"
assert_no_log 'another challenge'
assert_eq 1 "$(grep -c 'somebody came' "$work/log/squatter.log")" "connections to the http port"
stop_lintel
