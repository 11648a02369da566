#!/bin/sh
# shellcheck disable=SC2119,SC2154
# Issuance by http-01 alone: where the CA looks for tls-alpn-01 there is nobody. The next name starts
# with the challenge that worked. The plain port redirects everything but the challenges.
. "$(dirname "$0")/lib.sh"

free_ports http_port https_port real_https_port
export PEBBLE_WFE_NONCEREJECT=50
start_pebble
https_port=$real_https_port

write_conf()
{
    cat >lintel.conf <<CONF
{
$(acme_globals)
    default_bind 127.0.0.1
}
$1 {
    respond hello
}
CONF
}

write_conf a.example.com
start_lintel lintel.conf
wait_log 60 'a.example.com: certificate obtained'
assert_log 'a.example.com: trying another challenge: tls-alpn-01: '
wait_for 20 fetch a.example.com / --cacert "$PEBBLE_ROOT"
assert_eq hello "$(fetch a.example.com / --cacert "$PEBBLE_ROOT")"

write_conf 'a.example.com, b.example.com'
reload_lintel
wait_log 60 'b.example.com: certificate obtained'
assert_no_log 'b.example.com: trying another challenge'
assert_eq 1 "$(grep -c 'a.example.com: certificate obtained' "$lintel_log")" "certificates for a"

assert_eq "308 https://a.example.com:$https_port/x?y" \
    "$(fetch_plain a.example.com '/x?y' -o /dev/null -w '%{http_code} %{redirect_url}')"
assert_eq 404 "$(fetch_plain a.example.com /.well-known/acme-challenge/none -o /dev/null \
    -w '%{http_code}')"
stop_lintel
