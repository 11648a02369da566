#!/bin/sh
# shellcheck disable=SC2119,SC2154
# Certificates without a CA of others. The local CA's are renewed in their last third and live; the
# root stays. Those in files are taken up again when they change; broken ones change nothing.
. "$(dirname "$0")/lib.sh"

need openssl
free_ports http_port https_port
pki=$XDG_DATA_HOME/lintel/pki/authorities/local
local_dir=$XDG_DATA_HOME/lintel/certificates/local/localhost

# make_pair NAME: files.crt and files.key for files.test with this common name.
make_pair()
{
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$1" \
        -addext subjectAltName=DNS:files.test -keyout files.key -out files.crt 2>/dev/null
}

serial()
{
    served_cert localhost | openssl x509 -noout -serial
}

subject()
{
    served_cert files.test | openssl x509 -noout -subject
}

subject_is()
{
    subject | grep -q "CN = $1"
}

make_pair one
cat >lintel.conf <<CONF
{
    http_port $http_port
    https_port $https_port
    default_bind 127.0.0.1
}
localhost {
    respond hello
}
files.test {
    tls $work/files.crt $work/files.key
    respond files
}
CONF
start_lintel lintel.conf
wait_for 20 fetch localhost / --cacert "$local_root"
assert_contains "$(subject)" one

make_pair two
reload_lintel
wait_for 20 subject_is two
assert_eq files "$(fetch files.test / --cacert files.crt)"
echo garbage >files.key
reload_lintel
wait_log 20 'files.test: .*the old certificate stays in use'
assert_contains "$(subject)" two
rm files.crt
reload_lintel
wait_log 20 'files.test: .*files.crt: No such file'
assert_contains "$(subject)" two
stop_lintel

# A week later: the leaf has a day left of seven.
openssl req -new -key "$local_dir/localhost.key" -subj / -out old.csr
printf 'subjectAltName=DNS:localhost\n' >old.ext
valid_from=$(date -u -d '6 days ago' +%Y%m%d%H%M%SZ)
valid_to=$(date -u -d '1 day' +%Y%m%d%H%M%SZ)
mkdir ca
: >ca/index.txt
echo 1000 >ca/serial
cat >ca.conf <<CA
[ca]
default_ca = local
[local]
database = ca/index.txt
serial = ca/serial
new_certs_dir = ca
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = optional
CA
openssl ca -batch -config ca.conf -in old.csr -out old.crt -notext -extfile old.ext \
    -cert "$pki/intermediate.crt" -keyfile "$pki/intermediate.key" \
    -startdate "$valid_from" -enddate "$valid_to" 2>ca.log || fail "$(cat ca.log)"
cat old.crt "$pki/intermediate.crt" >"$local_dir/localhost.crt"
root=$(openssl x509 -in "$pki/root.crt" -noout -fingerprint)
start_lintel lintel.conf
new_serial()
{
    [ "$(serial)" != serial=1000 ] && fetch localhost / --cacert "$local_root"
}
wait_for 20 new_serial
assert_log 'localhost: certificate renewed'
assert_eq "$root" "$(openssl x509 -in "$pki/root.crt" -noout -fingerprint)" "the root"
assert_log 'files.test: .*files.crt'
if fetch files.test / -k 2>curl.err; then
    fail "a site whose files cannot be read was served"
fi
stop_lintel
