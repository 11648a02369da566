#!/bin/sh
# shellcheck shell=sh disable=SC3043
# Completion in real shells: bash, and zsh where it is installed. What is offered is what the tables of
# the program have, since the scripts ask the program.
. "$(dirname "$0")/lib.sh"

need bash
PATH=$(dirname "$LINTEL"):$PATH
export PATH
mkdir folder
: >a.conf
: >b.conf

# offered WORD...: what bash offers for the last word, one a line, sorted.
offered()
{
    # shellcheck disable=SC2016 # the $ are bash's
    bash --norc -c '
        source "$top_srcdir/contrib/completion/lintel.bash"
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        _lintel
        printf "%s\n" "${COMPREPLY[@]}"' bash "$@" | LC_ALL=C sort
}

# words COMMAND: the options and arguments of a command, one a line, sorted.
words()
{
    "$LINTEL" help --words "$@" | cut -f1 | grep -v '^$' | LC_ALL=C sort
}

bash --norc -c '
    source "$top_srcdir/contrib/completion/lintel.bash"
    complete -p lintel' | grep -q -- '-F _lintel lintel' || fail "bash does not complete lintel"
assert_eq "$(words)" "$(offered lintel '')" "commands"
assert_eq "fmt" "$(offered lintel fm)" "commands with fm"
assert_eq "$(words | grep '^r')" "$(offered lintel r)" "commands with r"
for command in $(words); do
    assert_eq "$(words "$command" | grep '^-')" "$(offered lintel "$command" -)" "options of $command"
    assert_eq "$("$LINTEL" help "$command" | sed -n 's/^  ... --\([a-z-]*\) .*/--\1/p' | LC_ALL=C sort)" \
        "$(offered lintel "$command" --)" "options in the help of $command"
done
assert_eq list "$(offered lintel certs '')" "arguments of certs"
assert_eq "$(words)" "$(offered lintel help '')" "arguments of help"
assert_eq "a.conf" "$(offered lintel fmt a)" "files of fmt"
assert_eq "a.conf" "$(offered lintel fmt --config a)" "files of --config"
assert_eq "a.conf" "$(offered lintel run -c a)" "files of -c"
assert_eq "b.conf" "$(offered lintel run --config = b)" "files of --config="
assert_eq "a.conf
b.conf
folder" "$(offered lintel run --config = | grep -E 'conf$|folder')" "files of --config="
assert_eq "" "$(offered lintel version x)" "version takes nothing"
assert_eq "" "$(offered lintel nonesuch x)" "no such command"

if command -v zsh >/dev/null; then
    # A zsh on a terminal of its own; ^T shows the line as it is after TAB.
    cat >zsh.test <<'ZSH'
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "fpath=($top_srcdir/contrib/completion \$fpath); autoload -Uz compinit; compinit -u -D"
zpty -w shell 'show() { zle -I; print -r -- "GOT:$BUFFER:"; BUFFER= }; zle -N show; bindkey "^T" show'
zpty -w shell 'print -r -- START:UP:'
zpty -r shell seen '*START:UP:*'
for line in 'vali' 'fmt --over' 'fmt --config a.c' 'certs l' 'run --config=b.c' 'help relo'; do
    zpty -w -n shell "lintel $line"$'\t\C-t'
    zpty -r shell seen '*GOT:*:*'
    print -r -- "${${seen#*GOT:}%%:*}"
done
zpty -d shell
ZSH
    timeout 60 zsh -f zsh.test >zsh.out || fail "zsh: $(cat zsh.out)"
    assert_eq "validate
fmt --overwrite
fmt --config a.conf
certs list
run --config=b.conf
help reload" "$(sed 's/^lintel //; s/ *$//' zsh.out)" "what zsh completes"
fi
