#!/bin/sh
# shellcheck disable=SC2119,SC2154
# Killed at twenty random instants of an issuance, then a good start: nothing is corrupt, there is
# one account, no lock stands in the way.
. "$(dirname "$0")/lib.sh"

free_ports http_port https_port
export PEBBLE_WFE_NONCEREJECT=30
start_pebble
cat >lintel.conf <<CONF
{
$(acme_globals)
    default_bind 127.0.0.1
}
a.example.com, b.example.com, c.example.com, localhost {
    respond hello
}
CONF
for i in $(seq 20); do
    spawn_lintel lintel.conf
    sleep "$(python3 -c 'import random; print(random.random() * random.choice([0.2, 1.2]))')"
    stop_lintel KILL
    # What is there already is started anew now and then, so that later instants are hit, too.
    [ $((i % 4)) != 0 ] || rm -rf "$XDG_DATA_HOME/lintel/certificates"
done

start_lintel lintel.conf
for name in a b c; do
    wait_for 90 fetch $name.example.com / --cacert "$PEBBLE_ROOT"
done
wait_for 20 fetch localhost / --cacert "$local_root"
assert_eq hello "$(fetch localhost / --cacert "$local_root")"
assert_no_log 'error'
assert_eq 1 "$(grep -c 'There are now . accounts' "$work/log/pebble.log")" "accounts"
assert_eq "" "$(find "$XDG_DATA_HOME/lintel" -name pending.pem)" "pairs left half stored"
for crt in "$XDG_DATA_HOME"/lintel/certificates/*/*/*.crt; do
    assert_eq "$(openssl x509 -in "$crt" -noout -pubkey)" \
        "$(openssl pkey -in "${crt%.crt}.key" -pubout)" "the key beside $crt"
done
stop_lintel
