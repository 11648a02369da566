#!/bin/sh
# shellcheck disable=SC2119,SC2154
# Two processes on one storage folder: each name is ordered once, and both serve it.
. "$(dirname "$0")/lib.sh"

free_ports http_port https_port other_http other_https
export PEBBLE_VA_ALWAYS_VALID=1
start_pebble
{
    printf '{\n%s\n    default_bind 127.0.0.1\n    admin off\n}\n' "$(acme_globals)"
    printf 'a.example.com, b.example.com, c.example.com {\n    respond hello\n}\n'
} >one.conf
sed "s/http_port $http_port/http_port $other_http/; s/https_port $https_port/https_port $other_https/" \
    one.conf >two.conf
"$LINTEL" run --config two.conf >"$work/log/two.log" 2>&1 </dev/null &
children="$children $!"
start_lintel one.conf
for https_port in "$https_port" "$other_https"; do
    for name in a b c; do
        wait_for 60 fetch $name.example.com / --cacert "$PEBBLE_ROOT"
    done
done
assert_eq 3 "$(grep -c 'Added order' "$work/log/pebble.log")" "orders"
assert_eq 1 "$(grep -c 'There are now . accounts' "$work/log/pebble.log")" "accounts"
stop_lintel
