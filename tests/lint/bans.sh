#!/bin/sh
# What the house does not use, each for a reason written beside it.
set -eu
cd "$(dirname "$0")/../.."

rc=0
# ban REGEX REASON [EXEMPT_REGEX]: comment lines do not count.
ban()
{
    if grep -nE "$1" src/*/*.[ch] | grep -vE '^[^:]*:[0-9]+:[[:space:]]*(/?\*|//)' |
        grep -vE "${3:-^\$}"; then
        echo "banned: $2"
        rc=1
    fi
}
call() { printf '(^|[^A-Za-z0-9_.>"])(%s)[[:space:]]*\\(' "$1"; }

ban "$(call 'strcpy|strcat|sprintf|vsprintf|gets|strncpy|strncat')" \
    'unbounded or badly bounded copies: use struct str, struct buf or snprintf'
ban "$(call 'atoi|atol|atoll|atof')" 'no error reporting: use the parsers of base/str.h'
ban "$(call 'strtol|strtoul|strtoll|strtoull|strtod')" 'use the parsers of base/str.h' '^src/base/str\.c:'
ban "$(call 'strtok|strtok_r')" 'writes into its input: use struct str'
ban "$(call 'sleep|usleep|nanosleep')" 'a thread of ours waits in its loop only'
ban "$(call 'system|popen')" 'no shell'
ban "$(call 'alloca')" 'no allocation on the stack whose size is not a constant'
ban "$(call 'malloc|calloc|realloc|strdup|strndup')" \
    'xalloc for small things, struct buf for what a peer sizes' '^src/base/(alloc|arena|buf)\.[ch]:'
ban '^[[:space:]]*typedef [^(]*;' 'typedef is for function types only'
ban '(TODO|FIXME|XXX)' 'write an issue'
ban '^#include [<"]config\.h' 'config.h is included by the compiler flags'

# Preprocessor conditions stand around functions, not in them.
awk '
    FNR == 1 { inside = 0 }
    /^\{/ { inside = 1 }
    /^\}/ { inside = 0 }
    inside && /^[[:space:]]*#[[:space:]]*(if|ifdef|ifndef|else|elif)/ {
        printf "%s:%d: a preprocessor condition inside a function\n", FILENAME, FNR
        bad = 1
    }
    END { exit bad }' src/*/*.[ch] || rc=1
exit $rc
