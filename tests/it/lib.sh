# shellcheck shell=sh disable=SC3043,SC2034
# Library of the integration tests. A test starts with
#
#     #!/bin/sh
#     . "$(dirname "$0")/lib.sh"
#
# and then has: its own folder $work (removed at the end; HOME and XDG_DATA_HOME are in it, and it is
# the working directory), an exit trap that ends every child and dumps the logs if the test failed,
# and the functions below. A test fails by any command that fails (set -e), by fail, by a child that
# does not end cleanly and by a sanitizer's report in any log. Nothing here depends on how fast the
# machine is: every wait has a condition and a generous bound.

set -eu

it_dir=$(cd "$(dirname "$0")" && pwd)
while [ ! -f "$it_dir/lib.sh" ]; do # a test may stand in another folder of tests/
    it_dir=$(cd "$it_dir/.." && pwd)
    [ -d "$it_dir/it" ] && it_dir=$it_dir/it
    [ "$it_dir" != / ] || exit 99
done
top_srcdir=$(cd "$it_dir/../.." && pwd)
LINTEL=${LINTEL:-$top_srcdir/lintel}
test_name=$(basename "$0")
test_name=${test_name%.*}

work=$(mktemp -d "${TMPDIR:-/tmp}/lintel-$test_name.XXXXXX")
# Short of $work there is nothing of this machine that a test may read or write.
HOME=$work/home
XDG_DATA_HOME=$work/data
unset XDG_CONFIG_HOME http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy
export HOME XDG_DATA_HOME LINTEL top_srcdir
mkdir -p "$HOME" "$XDG_DATA_HOME" "$work/log"
cd "$work"

# The root certificate of the embedded local CA, once a local-CA site has been started.
local_root=$XDG_DATA_HOME/lintel/pki/authorities/local/root.crt

children=
lintel_pid=
pebble_pid=
starts=0

# ---- ends ----

fail()
{
    echo "FAIL: $*" >&2
    exit 1
}

skip()
{
    echo "SKIP: $*" >&2
    exit 77
}

# need PROGRAM...: skips the test if one is missing.
need()
{
    for program in "$@"; do
        command -v "$program" >/dev/null 2>&1 || skip "$program is not installed"
    done
}

dump_logs()
{
    for log in "$work"/log/*; do
        [ -s "$log" ] || continue
        echo "---- $(basename "$log") (last 200 lines) ----"
        tail -n 200 "$log"
    done >&2
}

# end_child PID SIGNAL: sends the signal, waits at most 20 s, sets $child_status; 137 if it had to be
# killed.
end_child()
{
    local pid="$1" ticks=0
    kill -"$2" "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null && ! is_zombie "$pid"; do
        ticks=$((ticks + 1))
        if [ "$ticks" -gt 400 ]; then
            echo "process $pid did not end after SIG$2" >&2
            kill -KILL "$pid" 2>/dev/null || true
        fi
        sleep 0.05
    done
    child_status=0
    wait "$pid" 2>/dev/null || child_status=$?
}

is_zombie()
{
    grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null
}

on_exit()
{
    local status=$? pid
    trap '' INT TERM HUP
    trap - EXIT
    set +e
    if [ -n "$lintel_pid" ]; then
        end_child "$lintel_pid" TERM
        if [ "$child_status" -ne 0 ] && [ "$status" -eq 0 ]; then
            echo "FAIL: lintel ended with status $child_status" >&2
            status=1
        fi
    fi
    for pid in $children; do
        kill -TERM "$pid" 2>/dev/null
    done
    for pid in $children; do
        end_child "$pid" TERM
    done
    if grep -lE 'ERROR: [A-Za-z]+Sanitizer|WARNING: ThreadSanitizer|runtime error:|Assertion .* failed' \
        "$work"/log/* >/dev/null 2>&1; then
        echo "FAIL: a sanitizer or an assertion spoke in a log" >&2
        status=1
    fi
    if [ "$status" -ne 0 ] && [ "$status" -ne 77 ]; then
        dump_logs
    fi
    python3 "$it_dir/free_port.py" --give-back $$
    cd /
    if [ -n "${KEEP_WORK:-}" ]; then
        echo "kept: $work" >&2
    else
        chmod -R u+rwX "$work" 2>/dev/null
        rm -rf "$work"
    fi
    exit "$status"
}
trap on_exit EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

need python3

# ---- waiting ----

# wait_for SECONDS COMMAND...: until the command succeeds; fails the test when the time is over.
wait_for()
{
    local bound="$1" end
    shift
    end=$(($(date +%s) + bound))
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -le "$end" ] || fail "waited $bound s in vain for: $*"
        sleep 0.05
    done
}

# wait_log SECONDS REGEX [LOG]: until a line of the log (default: of the running lintel) matches.
wait_log()
{
    wait_for "$1" grep -qE -- "$2" "${3:-$lintel_log}"
}

# listening PORT: does something accept connections at 127.0.0.1:PORT?
listening()
{
    python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2)' "$1"
}

# ---- ports ----

# free_port: prints a port that is free and stays this test's own until it ends.
free_port()
{
    python3 "$it_dir/free_port.py" 1 $$
}

# free_ports NAME...: sets each variable to a port of its own.
free_ports()
{
    local name port
    for port in $(python3 "$it_dir/free_port.py" $# $$); do
        name=$1
        shift
        eval "$name=$port"
    done
}

# ---- children ----

# spawn NAME COMMAND...: runs it in the background, its output in $work/log/NAME.log; sets $spawned.
spawn()
{
    local log="$work/log/$1.log"
    shift
    "$@" >>"$log" 2>&1 </dev/null &
    spawned=$!
    children="$children $spawned"
}

# start_lintel CONF [ARGUMENT...]: "lintel run --config CONF"; returns when it is ready. Sets
# $lintel_pid and $lintel_log (a new file each start). Fails the test if it ends before.
start_lintel()
{
    local conf="$1"
    shift
    spawn_lintel "$conf" "$@"
    wait_for 60 lintel_ready_or_dead
    if ! grep -q ' server: ready$' "$lintel_log"; then
        lintel_pid=
        fail "lintel did not start"
    fi
}

# The same without waiting.
spawn_lintel()
{
    local conf="$1"
    shift
    starts=$((starts + 1))
    lintel_log=$work/log/lintel-$starts.log
    "$LINTEL" run --config "$conf" "$@" >"$lintel_log" 2>&1 </dev/null &
    lintel_pid=$!
}

lintel_ready_or_dead()
{
    grep -q ' server: ready$' "$lintel_log" || ! kill -0 "$lintel_pid" 2>/dev/null || is_zombie "$lintel_pid"
}

# stop_lintel [SIGNAL]: TERM by default, and then its exit status must be 0.
stop_lintel()
{
    local pid="$lintel_pid" signal="${1:-TERM}"
    lintel_pid=
    end_child "$pid" "$signal"
    [ "$signal" != TERM ] || [ "$child_status" -eq 0 ] || fail "lintel ended with $child_status"
}

# reload_lintel: SIGHUP, and waits until the log says that the reload was done or refused.
reload_lintel()
{
    local before after
    before=$(grep -cE ' server: (reloaded|reload refused)' "$lintel_log" || true)
    kill -HUP "$lintel_pid"
    local end=$(($(date +%s) + 30))
    while :; do
        after=$(grep -cE ' server: (reloaded|reload refused)' "$lintel_log" || true)
        [ "$after" -le "$before" ] || return 0
        [ "$(date +%s)" -le "$end" ] || fail "no word about a reload in the log"
        sleep 0.05
    done
}

# ---- Pebble ----

# prepare_pebble: ports, certificate and configuration, nothing running. Pebble will validate at
# $http_port and $https_port (chosen here if unset). Sets PEBBLE_DIRECTORY (URL), PEBBLE_CA (what to
# trust for it), PEBBLE_ROOT (root of what it issues; a file once it runs; a new one each start),
# PEBBLE_MANAGEMENT and PEBBLE_DNS_MANAGEMENT (URLs).
# Knobs from the environment: see pebble.py. Unless set: no validation delays, no nonces rejected.
prepare_pebble()
{
    need pebble pebble-challtestsrv openssl
    [ -n "${http_port:-}" ] || free_ports http_port
    [ -n "${https_port:-}" ] || free_ports https_port
    export PEBBLE_VA_NOSLEEP="${PEBBLE_VA_NOSLEEP-1}"
    export PEBBLE_WFE_NONCEREJECT="${PEBBLE_WFE_NONCEREJECT-0}"
    export PEBBLE_AUTHZREUSE="${PEBBLE_AUTHZREUSE-0}"
    python3 "$it_dir/pebble.py" prepare "$work/pebble" "$http_port" "$https_port" $$
    # shellcheck source=/dev/null
    . "$work/pebble/env"
}

start_pebble()
{
    [ -f "$work/pebble/env" ] || prepare_pebble
    rm -f "$PEBBLE_ROOT"
    spawn pebble python3 "$it_dir/pebble.py" run "$work/pebble"
    pebble_pid=$spawned
    wait_for 60 pebble_ready_or_dead
    [ -f "$PEBBLE_ROOT" ] || fail "pebble did not start"
}

pebble_ready_or_dead()
{
    [ -f "$PEBBLE_ROOT" ] || ! kill -0 "$pebble_pid" 2>/dev/null || is_zombie "$pebble_pid"
}

# Pebble forgets everything: accounts, orders, its root.
stop_pebble()
{
    end_child "$pebble_pid" TERM
    pebble_pid=
}

# acme_globals: the lines of a global options block that point Lintel at this Pebble.
acme_globals()
{
    cat <<CONF
    http_port $http_port
    https_port $https_port
    acme_ca $PEBBLE_DIRECTORY
    acme_ca_root $PEBBLE_CA
    email admin@example.com
CONF
}

# ---- looking ----

# fetch HOST PATH [CURL OPTION...]: GET https://HOST:$https_port/PATH from the loopback. --cacert is
# for the caller: --cacert "$local_root" or --cacert "$PEBBLE_ROOT".
fetch()
{
    local host="$1" path="$2"
    shift 2
    curl -sS --noproxy '*' --max-time 30 --resolve "$host:$https_port:127.0.0.1" "$@" \
        "https://$host:$https_port$path"
}

# fetch_plain HOST PATH [CURL OPTION...]: the same over http at $http_port.
fetch_plain()
{
    local host="$1" path="$2"
    shift 2
    curl -sS --noproxy '*' --max-time 30 --resolve "$host:$http_port:127.0.0.1" "$@" \
        "http://$host:$http_port$path"
}

# served_cert HOST [OPENSSL S_CLIENT OPTION...]: the PEM of the leaf that is served for HOST.
served_cert()
{
    local host="$1"
    shift
    openssl s_client -connect "127.0.0.1:$https_port" -servername "$host" "$@" </dev/null 2>/dev/null |
        openssl x509
}

# assert_eq EXPECTED ACTUAL [WHAT]
assert_eq()
{
    [ "$1" = "$2" ] || fail "${3:-value}: expected '$1', got '$2'"
}

# assert_contains TEXT PART [WHAT]
assert_contains()
{
    case $1 in
    *"$2"*) ;;
    *) fail "${3:-text}: '$2' is not in: $1" ;;
    esac
}

assert_not_contains()
{
    case $1 in
    *"$2"*) fail "${3:-text}: '$2' must not be in: $1" ;;
    esac
}

# assert_status CODE HOST PATH [CURL OPTION...]: over https.
assert_status()
{
    local expected="$1"
    shift
    assert_eq "$expected" "$(fetch "$@" -o "$work/body" -w '%{http_code}')" "status of $1$2"
}

# assert_log REGEX / assert_no_log REGEX: in the log of the running (or last) lintel.
assert_log()
{
    grep -qE -- "$1" "$lintel_log" || fail "not in the log: $1"
}

assert_no_log()
{
    ! grep -E -- "$1" "$lintel_log" || fail "in the log: $1"
}
