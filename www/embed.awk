# Makes a C file of pages, so that they are in the binary: awk -f embed.awk PAGE... >www_pages.c
#
# The page "error.html" becomes the string www_error_html, which src/http/www_pages.h declares. A line
# "@include FILE" stands for that file of the same folder. Left out are indentation, empty lines and
# comments that have their lines to themselves; nothing is left out between <pre> and </pre>.
# POSIX awk in the C locale: bytes are bytes.

function embed_line(line)
{
    if (!in_pre) {
        gsub(/^[ \t]+|[ \t]+$/, "", line)
        if (comment_end == "" && line ~ /^<!--/)
            comment_end = "-->"
        else if (comment_end == "" && line ~ /^\/\*/)
            comment_end = "*/"
        if (comment_end != "") {
            if (substr(line, length(line) - length(comment_end) + 1) == comment_end)
                comment_end = ""
            return
        }
        if (line == "")
            return
    }
    if (line ~ /<pre[ >]/)
        in_pre = 1
    if (line ~ /<\/pre>/)
        in_pre = 0
    gsub(/[\\"]/, "\\\\&", line)
    printf "\n    \"%s\\n\"", line
}

function embed_file(path,    folder, line, status)
{
    folder = path
    sub(/[^\/]*$/, "", folder)
    while ((status = (getline line < path)) > 0) {
        if (line ~ /^[ \t]*@include [^ \t]+[ \t]*$/) {
            sub(/^[ \t]*@include /, "", line)
            sub(/[ \t]+$/, "", line)
            embed_file(folder line)
        } else
            embed_line(line)
    }
    if (status < 0) {
        print "embed.awk: cannot read " path >"/dev/stderr"
        exit 1
    }
    close(path)
}

BEGIN {
    print "/* Made by www/embed.awk. */"
    print "#include \"http/www_pages.h\""
    for (i = 1; i < ARGC; i++) {
        name = ARGV[i]
        sub(/.*\//, "", name)
        gsub(/[^A-Za-z0-9]/, "_", name)
        printf "\nstatic const char %s[] =", name
        in_pre = 0
        comment_end = ""
        embed_file(ARGV[i])
        printf ";\nconst struct str www_%s = {%s, sizeof %s - 1};\n", name, name, name
    }
    exit 0
}
