#!/bin/sh
# shellcheck disable=SC2119,SC2154
# Storage that is read-only, then full: said once and clearly, everything that is there is served,
# and a certificate that is about to expire is renewed all the same, in memory.
. "$(dirname "$0")/lib.sh"

need unshare mount
data=$XDG_DATA_HOME/lintel
mkdir "$data"
unshare -m mount -t tmpfs none "$data" 2>/dev/null || skip "no right to mount anything"

free_ports http_port https_port
export PEBBLE_VALIDITY_S=30
start_pebble
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

# run_in_mounts COMMANDS: what start_lintel starts first runs the commands in a mount namespace of
# its own.
real_lintel=$LINTEL
run_in_mounts()
{
    printf '#!/bin/sh\nset -e\n%s\nexec %s "$@"\n' "$1" "$real_lintel" >in-mounts
    chmod +x in-mounts
    cat >lintel-in-mounts <<WRAP
#!/bin/sh
exec unshare -m "$work/in-mounts" "\$@"
WRAP
    chmod +x lintel-in-mounts
    LINTEL=$work/lintel-in-mounts
}

stored_serial()
{
    openssl x509 -in "$data"/certificates/*/a.example.com/a.example.com.crt -noout -serial
}

write_conf a.example.com
start_lintel lintel.conf
wait_for 60 fetch a.example.com / --cacert "$PEBBLE_ROOT"
stop_lintel
before=$(stored_serial)

# Read-only.
run_in_mounts "mount --bind '$data' '$data'; mount -o remount,bind,ro '$data'"
write_conf 'a.example.com, b.example.com'
start_lintel lintel.conf
assert_eq "$before" "$(served_cert a.example.com | openssl x509 -noout -serial)" serial
wait_for 20 fetch localhost / --cacert "$local_root"
assert_eq hello "$(fetch localhost / --cacert "$local_root")"
wait_log 30 'error store: .*nothing can be stored, certificates are kept in memory: .*Read-only'
wait_log 30 'b.example.com: no certificate; .*Read-only'
wait_log 90 'a.example.com: certificate renewed'
renewed()
{
    [ "$(served_cert a.example.com | openssl x509 -noout -serial)" != "$before" ]
}
wait_for 10 renewed
assert_eq 1 "$(grep -c 'error store' "$lintel_log")" "errors about the store"
stop_lintel
assert_eq "$before" "$(stored_serial)" "what is stored"

# Full.
run_in_mounts "cp -a '$data' '$work/copy'; mount -t tmpfs -o size=512k none '$data'
cp -a '$work/copy/.' '$data'; dd if=/dev/zero of='$data/filler' bs=4k 2>/dev/null || true"
start_lintel lintel.conf
served_cert a.example.com >/dev/null
wait_for 20 fetch localhost / --cacert "$local_root"
assert_eq hello "$(fetch localhost / --cacert "$local_root")"
wait_log 30 'error store: .*nothing can be stored, certificates are kept in memory: .*[Nn]o space'
wait_log 30 'b.example.com: no certificate; .*[Nn]o space'
stop_lintel

# Good again.
LINTEL=$real_lintel
start_lintel lintel.conf
wait_for 60 fetch b.example.com / --cacert "$PEBBLE_ROOT"
stop_lintel
