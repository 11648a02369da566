#!/bin/sh
# shellcheck shell=sh disable=SC3043
# The command line: help, version, nearest words, where the configuration is looked for, what
# validate says, exit statuses.
. "$(dirname "$0")/lib.sh"

# expect STATUS ARGUMENT...: runs lintel; its output is in $out and $err.
expect()
{
    local expected="$1" status=0
    shift
    "$LINTEL" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
    out=$(cat "$work/out")
    err=$(cat "$work/err")
    assert_eq "$expected" "$status" "exit status of lintel $*"
}

# ---- help and version ----

expect 0 help
all=$out
for command in run validate reload certs hash-password version help; do
    assert_contains "$all" "  $command " "help"
    expect 0 help "$command"
    assert_contains "$out" "usage: lintel $command" "help $command"
    expect 0 "$command" --help
    assert_contains "$out" "usage: lintel $command" "$command --help"
done
expect 0 help run
assert_contains "$out" "usage: lintel run [--config FILE]" "help run"
assert_contains "$out" "  -c, --config FILE " "help run"
expect 0 help certs
assert_contains "$out" "usage: lintel certs list [--config FILE]" "help certs"
expect 0 --help
assert_eq "$all" "$out" "--help"
expect 0 -h
expect 0 version
assert_contains "$out" "lintel 0." "version"
assert_eq "1" "$(echo "$out" | wc -l)" "lines of version"
expect 0 version --verbose
for part in libmicrohttpd GnuTLS libcurl json-c PCRE2 libidn2; do
    echo "$out" | grep -qE "^$part +([0-9]+\.[0-9.]+|none)\$" || fail "version of $part: $out"
done
assert_contains "$out" "basic_auth      bcrypt" "version --verbose"
assert_contains "$out" "encode  " "version --verbose"
expect 0 --version
assert_eq "" "$err" "--version on standard error"

# ---- wrong usage ----

expect 1
assert_contains "$err" "a command is missing"
expect 1 vlaidate
assert_contains "$err" "unknown command 'vlaidate'; did you mean 'validate'?"
expect 1 frobnicate
assert_contains "$err" "unknown command 'frobnicate'; see 'lintel help'"
expect 1 help rnu
assert_contains "$err" "did you mean 'run'?"
expect 1 run --confg x
assert_contains "$err" "unknown option --confg; did you mean --config?"
expect 1 run --config
assert_contains "$err" "--config needs a file"
expect 1 version --config x
assert_contains "$err" "unknown option --config"
expect 1 validate lintel.conf
assert_contains "$err" "unexpected argument 'lintel.conf'; did you mean --config lintel.conf?"
expect 1 certs
assert_contains "$err" "lintel certs list"
expect 1 certs lst
expect 1 run -config x
assert_contains "$err" "unknown option -config; did you mean --config?"
expect 1 run -x
assert_contains "$err" "unknown option -x; see 'lintel help run'"
expect 1 run --config=
assert_contains "$err" "--config needs a file"
expect 1 run -c
assert_contains "$err" "--config needs a file"
expect 1 help --words=1
assert_contains "$err" "--words takes no value"
expect 1 run -- --config x
assert_contains "$err" "unexpected argument '--config'"
expect 1 help run reload
assert_contains "$err" "unexpected argument 'reload'"

# ---- words of other servers ----

expect 1 stop
assert_contains "$err" "there is no command 'stop': SIGTERM ends the server"
expect 1 -t
assert_contains "$err" "there is no command '-t': write 'lintel validate'"
expect 1 run --watch
assert_contains "$err" "run: there is no --watch: write 'lintel reload'"
expect 1 validate --adapter caddyfile
assert_contains "$err" "validate: there is no --adapter: leave it out"
expect 1 version --watch
assert_contains "$err" "unknown option --watch; see"

# ---- the configuration ----

if [ ! -e /etc/lintel/lintel.conf ]; then
    expect 1 validate
    assert_contains "$err" "there is no configuration: neither ./lintel.conf nor ./Caddyfile nor"
    expect 1 run
    assert_contains "$err" "there is no configuration"
fi
expect 1 validate --config missing.conf
assert_contains "$err" "missing.conf"
expect 1 run --config missing.conf

printf 'http://localhost:1 {\n\trespond ok\n}\n' >Caddyfile
expect 0 validate
assert_eq valid "$out" "validate"
assert_eq "" "$err" "validate on standard error"
printf 'http://localhost:1 {\n\trespnd ok\n\tfile_srver\n}\n' >lintel.conf
expect 1 validate
assert_contains "$err" "lintel.conf:2:2: " "first error"
assert_contains "$err" "respond" "nearest word"
assert_contains "$err" "lintel.conf:3:2: " "second error"
assert_contains "$err" "	^" "caret"
assert_eq "" "$out" "validate on standard output"
expect 0 validate -c Caddyfile
expect 0 validate --config=Caddyfile
expect 0 validate -c=Caddyfile
expect 0 validate -cCaddyfile
expect 0 validate --config missing.conf --config Caddyfile
expect 0 validate --config Caddyfile
expect 1 run
assert_contains "$err" "lintel.conf:2:2: "
expect 1 reload
assert_contains "$err" "lintel.conf:2:2: "
expect 1 certs list

# ---- nobody there ----

expect 2 reload --config Caddyfile
assert_contains "$err" "no server is running"
expect 0 certs list --config Caddyfile

# ---- a port of those that only root may have ----

if [ "$(id -u)" -eq 0 ] && [ "$(sysctl -n net.ipv4.ip_unprivileged_port_start)" -gt 1 ] &&
    command -v setpriv >/dev/null; then
    status=0
    setpriv --bounding-set -net_bind_service "$LINTEL" run --config Caddyfile 2>err || status=$?
    assert_eq 2 "$status" "exit status without the right"
    assert_contains "$(cat err)" "cannot listen on [::]:1: bind: Permission denied: a port below 1024"
fi

# ---- without standard descriptors: messages must not end up in sockets ----

free_ports bare_port
printf 'http://127.0.0.1:%s {\n\trespond ok\n}\n' "$bare_port" >bare.conf
"$LINTEL" run --config bare.conf <&- >&- 2>&- &
bare=$!
children="$children $bare"
wait_for 30 listening "$bare_port"
for number in 0 1 2; do
    assert_eq /dev/null "$(readlink "/proc/$bare/fd/$number")" "descriptor $number"
done
