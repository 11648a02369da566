#!/bin/sh
# shellcheck shell=sh disable=SC3043
# www/embed.awk: pages as C strings, to the byte.
. "$(dirname "$0")/lib.sh"

embed()
{
    LC_ALL=C "${AWK:-awk}" -f "$top_srcdir/www/embed.awk" "$@"
}

mkdir pages
cat >pages/a-page.html <<'PAGE'
<p class="x">
  <!-- gone -->

	back\slash \n ' ? é
<!-- gone
  too -->
    @include part.css
<pre class="y">
  /* kept */  

  @included
    @include part.css
</pre>
   end
PAGE
printf '/* gone */\n.a::before {\n    content: "\\201c";\n}' >pages/part.css
printf 'one' >pages/b.js

cat >expected <<'C'
/* Made by www/embed.awk. */
#include "http/www_pages.h"

static const char a_page_html[] =
    "<p class=\"x\">\n"
    "back\\slash \\n ' ? é\n"
    ".a::before {\n"
    "content: \"\\201c\";\n"
    "}\n"
    "<pre class=\"y\">\n"
    "  /* kept */  \n"
    "\n"
    "  @included\n"
    "/* gone */\n"
    ".a::before {\n"
    "    content: \"\\201c\";\n"
    "}\n"
    "</pre>\n"
    "end\n";
const struct str www_a_page_html = {a_page_html, sizeof a_page_html - 1};

static const char b_js[] =
    "one\n";
const struct str www_b_js = {b_js, sizeof b_js - 1};
C
embed pages/a-page.html pages/b.js >made
diff -u expected made || fail "other C"

# A page or a part that is missing ends the build.
echo '@include nonesuch.css' >pages/c.html
for page in pages/nonesuch.html pages/c.html; do
    if embed $page >made 2>errors; then
        fail "$page: made without it"
    fi
    grep -q '^embed.awk: cannot read pages/nonesuch' errors || fail "$page: $(cat errors)"
done
