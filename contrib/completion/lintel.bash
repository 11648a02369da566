# Completion of lintel's commands, options and files for bash. What there is comes from the program
# itself: "lintel help --words [COMMAND]" prints a line for each word that may come next, parted by
# tabs: the word, what it takes, what it does. A line without a word names what else may stand there.

# _lintel_value KIND: what may stand for FILE, DIR or COMMAND.
_lintel_value()
{
    local IFS=$'\n'
    case $1 in
    *FILE) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    *DIR) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
    COMMAND)
        mapfile -t COMPREPLY < <(compgen -W "$("$program" help --words 2>/dev/null | cut -f1)" -- "$cur")
        return
        ;;
    *) return ;;
    esac
    compopt -o filenames 2>/dev/null
}

_lintel()
{
    local program=${COMP_WORDS[0]/#\~/$HOME} cur=${COMP_WORDS[COMP_CWORD]}
    local prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} argument='' line word value
    local -a lines words=()

    COMPREPLY=()
    # Bash makes three words of --name=value.
    if [[ $cur == = ]]; then
        cur=
    elif [[ $prev == = ]]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    ((COMP_CWORD > 1)) || command=
    mapfile -t lines < <("$program" help --words ${command:+"$command"} 2>/dev/null)
    for line in "${lines[@]}"; do
        word=${line%%$'\t'*}
        value=${line#*$'\t'}
        value=${value%%$'\t'*}
        if [[ -z $word ]]; then
            argument=$value
        elif [[ $word == "$prev" && -n $value ]]; then
            _lintel_value "$value"
            return
        elif [[ $word == "$cur"* && ($word != -* || $cur == -*) ]]; then
            words+=("$word")
        fi
    done
    if ((${#words[@]} > 0)) || [[ $cur == -* ]]; then
        COMPREPLY=("${words[@]}")
    else
        _lintel_value "$argument"
    fi
}

complete -F _lintel lintel
