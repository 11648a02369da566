/* Broken configurations: every message, with its line and column. */
#include "conf_fixture.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const struct {
    const char *text;
    const char *messages;
} cases[] = {
    /* structure */
    {"", "f: there is no site in this file\n"},
    {"# nothing\n", "f: there is no site in this file\n"},
    {"{\n}\n", "f: there is no site in this file\n"},
    {"a.com {\nrespond hi\n", "f:1:7: this '{' is never closed\n"},
    {"a.com {\nrespond hi {\n}\n", "f:1:7: this '{' is never closed\n"},
    {"a.com {\n}\n}\n",
     "f:3:1: unexpected '}': no block is open here, the one before was closed in line 2\n"},
    {"a.com {\n\ttls {\n\t\tprotocols tls1.3\n\t}\n\t}\n\trespond\n}\nb.com {\n}\n",
     "f:5:2: one '}' too many: by its place it is not that of the '{' in line 1, which it "
     "closes\n"},
    {"a.com{\nrespond\n}\n", "f:1:1: a blank is missing before the '{' that ends this word\n"},
    {"a.com\nrespond hi\n}\n", "f:3:1: unexpected '}': no block is open here\n"},
    {"a.com {\nrespond \"hi\n}\n", "f:2:9: this quote is never closed\n"},
    {"a.com {\nrespond `hi\n}\n", "f:2:9: this quote is never closed\n"},
    {"a.com {\nrespond\n{\nx\n}\n}\n", "f:3:1: '{' must stand at the end of the line before\n"},
    {"a.com {\nfile_server {}\n}\n", "f:2:13: write an empty block as '{', a line end and '}'\n"},
    {"a.com {\nrespond x }\n", "f:2:11: '}' must stand on a line of its own\n"},
    {"a.com {\n}\n{\ndebug\n}\n", "f:3:1: the block of global options must come first\n"},
    {"a.com, {\n}\n", "f:1:1: an address must follow the comma\n"},
    {"a.com {{\nrespond\n}}\n", "f:1:7: a block begins with one '{'\n"},
    {"a.com {{\nrespond\n}\n}\n", "f:1:7: a block begins with one '{'\n"},
    {"a.com {\nhandle {\nrespond\n}}\n", "f:4:1: each '}' stands on a line of its own\n"},
    {"a.com { respond }\n",
     "f:1:9: unexpected 'respond' after '{' on the same line: it belongs on the next\n"},
    {"a.com\nrespond\nb.com\nrespond\n", "f:3:1: 'b.com' is no directive; if it is another site, "
                                         "the site before it must have its own braces\n"},
    {"@m path /x\na.com {\n}\n", "f:1:1: a named matcher belongs in the block of a site\n"},
    {"a.com {\nRESPOND\n}\n", "f:2:1: unknown directive 'RESPOND'; did you mean 'respond'?\n"},
    {"a.com {\nrespond;\n}\n", "f:2:1: no ';' ends a line: write 'respond'\n"},
    {"a.com {\n@a not not not not not not not not not not not not not not not not not not not not "
     "not not not not not not not not not not not not not path /x\n}\n",
     "f:2:128: matchers are nested deeper than 32\n"},
    {"a.com\nb.com {\nrespond\n}\n", "f:2:1: 'b.com' is no directive; if it is another site, the "
                                     "site before it must have its own braces\n"},
    {"(s) {\ntls internal\n}\na.com {\nimport s\nimport s\n}\n",
     "f:2:1: 'tls' is imported more than once into the same block\n"},
    {"root * /srv\nfile_server\n",
     "f:1:1: 'root' is a directive, and this is the place of an address: write the address of the "
     "site first, or move it into the block of a site\n"},
    {"a.com {\nrespond\nb.com {\nrespond\n}\n}\n",
     "f:3:1: 'b.com' is no directive; if it is another site, the site before it must have its own "
     "braces\n"},
    {"(snip) {\nheader A b\n}\n", "f: there is no site in this file\n"},
    {"&(route) x {\n}\na.com\n", "f:1:1: a named route is written '&(name) {', with a block\n"},
    {"import /none/x.conf\n",
     "f:1:8: there is no snippet '/none/x.conf' and no file '/none/x.conf'\n"},
    {"(snip) {\n}\na.com {\nimport snap\n}\n",
     "f:4:8: there is no snippet 'snap' and no file 'snap'; did you mean 'snip'?\n"},
    {"(s) {\nrespond {args[0]} {args[1]}\n}\na.com {\nimport s x\n}\n",
     "f:2:19: there is no '{args[1]}': the import at f:5:1 passes 1 argument\n"},
    {"(s) {\nrespond {args[0]}\n}\na.com {\nimport s {hots}\n}\n",
     "f:5:10: '{hots}' is no placeholder; did you mean '{host}'?\n"},
    {"a.com {\nrespond <<EOF\n}\n",
     "f:2:9: this heredoc is never closed: a line that begins with 'EOF' must "
     "end it\n"},
    {"a.com\001 {\n}\n", "f:1:6: control byte 0x01\n"},
    {"example.com {\nroot /a\n} file_server\n", "f:3:3: unexpected 'file_server' after '}'\n"},
    /* addresses */
    {"a.com/x {\n}\n", "f:1:1: a site address has no path: in the block of the site, 'handle_path "
                       "/x' or a matcher does what is meant\n"},
    {"a.com,b.com {\n}\n", "f:1:1: a blank is missing after the comma between two addresses\n"},
    {"@m {\n}\n", "f:1:1: a named matcher belongs in the block of a site\n"},
    {"ftp://a.com\n", "f:1:1: unknown scheme 'ftp': use http or https\n"},
    {"a.com:99999\n", "f:1:1: '99999' is no port (1 to 65535)\n"},
    {"http://a.com:443\n", "f:1:1: http:// cannot be on the HTTPS port 443\n"},
    {"https://a.com:80\n", "f:1:1: https:// cannot be on the HTTP port 80\n"},
    {"a.com, b..com, -c {\n}\n",
     "f:1:8: a host name has no empty part between its dots\n"
     "f:1:16: a part of a host name neither begins nor ends with '-'\n"},
    {"a.com {\n}\nhttps://a.com {\n}\n",
     "f:3:1: 'https://a.com' is the same address as 'a.com' at f:1:1\n"},
    {"a.com, A.com {\n}\n", "f:1:8: 'A.com' is the same address as 'a.com' at f:1:1\n"},
    {":80 {\n}\nhttp:// {\n}\n", "f:3:1: 'http://' is the same address as ':80' at f:1:1\n"},
    {"a.com:81 {\n}\nhttp://b.com:81 {\n}\n", "f:3:1: port 81 cannot be both: 'http://b.com:81' is "
                                              "plain HTTP, and 'a.com:81' at f:1:1 is HTTPS\n"},
    {":443\n",
     "f:1:1: ':443': a site with TLS needs a host name, so that it can have a certificate\n"},
    {"https://\n",
     "f:1:1: 'https://': a site with TLS needs a host name, so that it can have a certificate\n"},
    {"*.a.com\n", "f:1:1: '*.a.com': a wildcard certificate needs the dns-01 challenge, which is "
                  "not supported yet: write tls internal, or tls with a certificate and a key\n"},
    {"a.com {\n}\na.com:8443 {\ntls internal\n}\n",
     "f:3:1: 'a.com' has other tls settings at f:1:1: one name can have only one certificate\n"},
    {"http://a.com {\ntls internal\n}\n",
     "f:2:1: 'tls' is of no use: the site has no HTTPS address\n"},
    {"192.0.2.1 {\ntls {\nca https://ca.test/\n}\n}\n",
     "f:1:1: '192.0.2.1': certificates of a CA for IP addresses are not supported yet\n"},
    {"{\nauto_https off\n}\na.com\n",
     "f:4:1: 'a.com': auto_https is off, so this site has no certificate: write http:// before the "
     "address, or tls with a certificate and a key\n"},
    {"{\nhttp_port 443\n}\nhttps://a.com\n", "f:4:1: https:// cannot be on the HTTP port 443\n"},
    /* names */
    {"a.com {\nrespnd hi\n}\n", "f:2:1: unknown directive 'respnd'; did you mean 'respond'?\n"},
    {"a.com {\nfoobarbaz\n}\n", "f:2:1: unknown directive 'foobarbaz'\n"},
    {"a.com {\ntemplates\n}\n", "f:2:1: 'templates' is not supported: serve the pages from an "
                                "application behind a 'reverse_proxy'\n"},
    {"a.com {\nimport x\n}\n", "f:2:8: there is no snippet 'x' and no file 'x'\n"},
    {"a.com {\nrespond @m hi\n}\n", "f:2:9: matcher '@m' is defined nowhere in this block\n"},
    {"a.com {\nemail a@b.c\n}\n", "f:2:1: 'email' is a global option: it belongs in a block "
                                  "without an address at the top of the file\n"},
    {"{\nemial a@b.c\n}\na.com\n", "f:2:1: unknown global option 'emial'; did you mean 'email'?\n"},
    {"{\nroot /srv\n}\na.com\n", "f:2:1: 'root' belongs in the block of a site\n"},
    {"{\norder a before b\n}\na.com\n", "f:2:7: unknown directive 'a'\n"},
    {"{\norder redir before b\n}\na.com\n", "f:2:20: unknown directive 'b'\n"},
    {"{\norder redir before redir\n}\na.com\n", "f:2:20: a directive has no place beside itself\n"},
    {"{\norder redir frist\n}\na.com\n", "f:2:13: unknown place 'frist'; did you mean 'first'?\n"},
    {"{\norder redir before\n}\na.com\n", "f:2:13: the other directive is missing\n"},
    {"{\norder redir first header\n}\na.com\n", "f:2:13: nothing follows 'first'\n"},
    {"{\norder tls first\n}\na.com\n", "f:2:7: 'tls' belongs directly in the block of a site\n"},
    {"{\nlog {\nlevel loud\n}\n}\na.com\n",
     "f:3:7: unknown level 'loud': there are DEBUG, INFO, WARN, ERROR\n"},
    {"{\nlog {\noutput file /x\n}\n}\na.com\n",
     "f:3:8: the server's own log goes to stderr; access logs are set by 'log' in the block of a "
     "site\n"},
    {"{\nlog other {\n}\n}\na.com\n", "f:2:5: there is one log of the server, 'default'\n"},
    {"{\npersist_config on\n}\na.com\n",
     "f:2:16: 'persist_config' can only be off: the file is the configuration\n"},
    {"{\npki {\n}\n}\na.com\n", "f:2:1: 'pki' is not supported: the local CA has no settings\n"},
    {"{\ncert_issuer zerossl\n}\na.com\n",
     "f:2:13: write 'acme' with the URL of its directory and an 'eab'\n"},
    {"{\ncert_issuer acme {\nprofile x\n}\n}\na.com\n", "f:3:1: 'profile' is not supported yet\n"},
    {"{\nrenewal_window_ratio 33\n}\na.com\n",
     "f:2:22: '33' is no ratio between 0 and 1, such as 0.33, with at most three digits\n"},
    {"{\nrenewal_window_ratio 0.0\n}\na.com\n",
     "f:2:22: '0.0' is no ratio between 0 and 1, such as 0.33, with at most three digits\n"},
    {"a.com {\ntls {\nalpn h2\n}\n}\n", "f:3:6: 'http/1.1' is missing: HTTP/2 is not spoken yet\n"},
    {"a.com {\ntls {\nissuer internal x\n}\n}\n", "f:3:17: nothing follows 'internal'\n"},
    {"{\nservers {\ntimeout {\n}\n}\n}\na.com\n",
     "f:3:1: unknown servers option 'timeout'; did you mean 'timeouts'?\n"},
    {"{\nservers {\nprotocols h2\n}\n}\na.com\n",
     "f:3:11: 'h1' is missing: HTTP/1.1 is all that is spoken yet\n"},
    {"{\nservers {\nstrict_sni_host maybe\n}\n}\na.com\n",
     "f:3:17: unknown strict_sni_host 'maybe': there are on, insecure_off\n"},
    {"{\nservers {\nname x\n}\n}\na.com\n",
     "f:3:1: 'name' is not supported: leave it out: listeners have no names\n"},
    {"{\nservers :443 {\n}\n}\na.com\n", "f:2:9: options for one listener only are not supported "
                                         "yet: write 'servers' without an address\n"},
    {"{\nservers {\ntrusted_proxies private_ranges x\n}\n}\na.com\n",
     "f:3:17: the ranges of the proxies follow the word 'static': trusted_proxies static "
     "private_ranges\n"},
    {"{\n@m\n}\na.com\n", "f:2:1: matchers ('@m') belong in the block of a site\n"},
    /* named matchers, nested blocks, named routes */
    {"a.com {\n@a path /a\n@a path /b\n}\n", "f:3:1: matcher '@a' was already defined in line 2\n"},
    {"a.com {\n@ab path /a\nrespond @ac hi\n}\n",
     "f:3:9: unknown matcher '@ac'; did you mean '@ab'?\n"},
    {"a.com {\n@a pth /a\n}\n", "f:2:4: unknown matcher 'pth'; did you mean 'path'?\n"},
    {"a.com {\n@a {\n}\n}\n", "f:2:1: '@a' says nothing to match\n"},
    {"a.com {\n@a path\n}\n", "f:2:4: 'path' needs at least 1 argument: path <pattern>...\n"},
    {"a.com {\n@ path /x\n}\n", "f:2:1: a matcher needs a name after its '@'\n"},
    {"a.com {\n@a path /a[b\n}\n", "f:2:9: '/a[b' matches nothing: a '[' is not closed, or a '\\' "
                                   "stands at the end\n"},
    {"a.com {\n@a host b.com c.com B.com\n}\n", "f:2:21: 'B.com' is there twice\n"},
    {"a.com {\n@a header X\n}\n", "f:2:11: a value is missing; '*' stands for any: header X *\n"},
    {"a.com {\n@a header !\n}\n", "f:2:11: the name of a field is missing behind the '!'\n"},
    {"a.com {\n@a header !X y\n}\n", "f:2:14: a field that must not be there has no value\n"},
    {"a.com {\n@a header_regexp X\n}\n", "f:2:4: 'header_regexp' needs at least 2 arguments: "
                                         "header_regexp [<name>] <field> <regexp>\n"},
    {"a.com {\n@a {\nheader_regexp X a\nheader_regexp x b\n}\n}\n",
     "f:4:15: there can be one 'header_regexp' for a field in a matcher; 'expression' has '||'\n"},
    {"a.com {\n@a path_regexp (\n}\n", "f:2:17: the regular expression is not valid at its byte 1: "
                                       "missing closing parenthesis\n"},
    {"a.com {\n@a path_regexp a.b c\n}\n",
     "f:2:16: 'a.b' is no name: it has only letters, digits, '_' and '-'\n"},
    {"a.com {\n@a {\npath_regexp a\npath_regexp b\n}\n}\n",
     "f:4:1: there can be one 'path_regexp' in a matcher; 'expression' has '||'\n"},
    {"a.com {\n@a query x\n}\n", "f:2:10: 'x' is no 'key=value'; '*' stands for any value\n"},
    {"a.com {\n@a protocol htps\n}\n", "f:2:13: unknown protocol 'htps'; did you mean 'https'?\n"},
    {"a.com {\n@a {\nprotocol http\nprotocol https\n}\n}\n",
     "f:4:1: there can be one 'protocol' in a matcher; 'expression' has '||'\n"},
    {"a.com {\n@a remote_ip 10.0.0.0/33 10.0.0.256 fe80::1%eth0\n}\n",
     "f:2:14: '10.0.0.0/33' is no IP address, no range such as 192.0.2.0/24, and not "
     "private_ranges\n"
     "f:2:26: '10.0.0.256' is no IP address, no range such as 192.0.2.0/24, and not "
     "private_ranges\n"
     "f:2:37: 'fe80::1%eth0': zones of IPv6 addresses are not supported\n"},
    {"a.com {\n@a remote_ip forwarded\n}\n",
     "f:2:14: 'forwarded' is no more: write 'client_ip', with 'trusted_proxies' in the global "
     "options\n"},
    {"a.com {\n@a vars {method}x 1\n}\n",
     "f:2:9: this is neither the name of a variable nor one placeholder\n"},
    {"a.com {\n@a not\n}\n", "f:2:4: 'not' says nothing to match\n"},
    {"a.com {\n@a not pth /x\n}\n", "f:2:8: unknown matcher 'pth'; did you mean 'path'?\n"},
    {"a.com {\nhandle {\n@a path /a\n}\nrespond @a\n}\n",
     "f:5:9: matcher '@a' is defined nowhere in this block\n"},
    {"a.com {\nhandle /a\n}\n", "f:2:1: 'handle' needs a block of directives\n"},
    {"a.com {\nhandle {\nlog\n}\n}\n", "f:3:1: 'log' belongs directly in the block of a site\n"},
    {"(s) {\n@a path /a\n}\na.com {\nimport s\nimport s\n}\n",
     "f:2:1: '@a' is imported more than once into the same block\n"},
    {"a.com {\nhandle {\ntls internal\n}\n}\n",
     "f:3:1: 'tls' belongs directly in the block of a site\n"},
    {"a.com {\nhandle {\nhandle_errors {\n}\n}\n}\n",
     "f:3:1: 'handle_errors' belongs directly in the block of a site\n"},
    {"a.com {\nhandle_errors 200 {\n}\n}\n",
     "f:2:15: '200' is no error status: 400 to 599, 4xx or 5xx\n"},
    {"a.com {\ntry_files\n}\n", "f:2:1: 'try_files' needs at least 1 argument: try_files "
                                "<files...> [{ policy }]: rewrite to the first file that is "
                                "there\n"},
    {"a.com {\ntry_files /a =404 /b\n}\n", "f:2:19: nothing is tried behind '=404'\n"},
    {"a.com {\ntry_files /a =404 /b?c\n}\n", "f:2:19: nothing is tried behind '=404'\n"},
    {"a.com {\ntry_files ?a=b\n}\n", "f:2:11: there is no file before the '?'\n"},
    {"a.com {\ntry_files /a {hots}\n}\n",
     "f:2:14: '{hots}' is no placeholder; did you mean '{host}'?\n"},
    {"a.com {\nrewrite\n}\n", "f:2:1: 'rewrite' needs 1 argument: rewrite [matcher] "
                              "<path>[?<query>]: change the URI of the request\n"},
    {"a.com {\nrewrite /a/../b\n}\n", "f:2:9: the target must not hold '..'\n"},
    {"a.com {\nrewrite \"#x\"\n}\n", "f:2:9: neither a path nor a query is left to rewrite to\n"},
    {"a.com {\nrewrite /a?b={hots}\n}\n",
     "f:2:9: '{hots}' is no placeholder; did you mean '{host}'?\n"},
    {"a.com {\nmethod \"GET /\"\n}\n", "f:2:8: 'GET /' is no method\n"},
    {"a.com {\nuri strip_prefx /a\n}\n",
     "f:2:5: unknown operation 'strip_prefx'; did you mean 'strip_prefix'?\n"},
    {"a.com {\nuri strip_prefix\n}\n",
     "f:2:5: this is written 'uri [matcher] strip_prefix PREFIX'\n"},
    {"a.com {\nuri * replace a b 3 4\n}\n", "f:2:21: 'uri' takes at most 4 arguments: uri "
                                            "[matcher] "
                                            "strip_prefix|strip_suffix|replace|path_regexp|query "
                                            "...: change parts of the URI\n"},
    {"a.com {\nuri replace a b x\n}\n", "f:2:17: 'x' is no number from 0 to 65536\n"},
    {"a.com {\nuri replace \"\" b\n}\n", "f:2:13: there is nothing to look for\n"},
    {"a.com {\nuri strip_prefix /a {\nx\n}\n}\n", "f:2:5: 'uri strip_prefix' has no block\n"},
    {"a.com {\nuri path_regexp ( b\n}\n",
     "f:2:18: the regular expression is not valid at its byte 1: missing closing parenthesis\n"},
    {"a.com {\nuri query\n}\n", "f:2:1: 'uri query' needs a key, or a block\n"},
    {"a.com {\nuri query a\n}\n", "f:2:11: this is written 'KEY VALUE'\n"},
    {"a.com {\nuri query -a b\n}\n", "f:2:11: this is written '-KEY'\n"},
    {"a.com {\nuri query a>\n}\n", "f:2:11: the key is missing: 'KEY>NEW_KEY'\n"},
    {"a.com {\nuri query a b {\n-a\n}\n}\n",
     "f:2:1: a query is changed by arguments or by a block, not by both\n"},
    {"a.com {\nuri query {\n+a\n-\n}\n}\n", "f:3:1: this is written '+KEY VALUE'\n"
                                            "f:4:1: the key is missing: '-KEY'\n"},
    {"a.com {\nhandle_path {\n}\n}\n",
     "f:2:1: 'handle_path' needs a path: 'handle_path /prefix/* {'\n"},
    {"a.com {\nhandle_path * {\n}\n}\n", "f:2:13: the path of 'handle_path' must begin with '/'\n"},
    {"a.com {\nhandle_path api {\n}\n}\n",
     "f:2:13: the path of 'handle_path' must begin with '/'\n"},
    {"a.com {\nhandle_path /a /b {\n}\n}\n", "f:2:16: 'handle_path' takes one path\n"},
    {"a.com {\nhandle_path /a\n}\n", "f:2:1: 'handle_path' needs a block of directives\n"},
    {"a.com {\nrequest_header\n}\n",
     "f:2:1: 'request_header' needs at least 1 argument: request_header [matcher] [+|-]<field> "
     "[<value>|<find> <replacement>]: request fields\n"},
    {"a.com {\nrequest_header ?A b\n}\n",
     "f:2:16: '?' is for fields of the response: use a matcher here\n"},
    {"a.com {\nrequest_header A\n}\n", "f:2:16: a value is missing\n"},
    {"a.com {\nrequest_header -A b\n}\n", "f:2:19: nothing more can stand here\n"},
    {"a.com {\nrequest_header \"a b\" c\n}\n", "f:2:16: 'a b' is no field name\n"},
    {"a.com {\nrequest_header -Content-Length\n}\n",
     "f:2:16: 'Content-Length' belongs to the protocol and cannot be changed\n"},
    {"a.com {\nrequest_header A ( b\n}\n",
     "f:2:19: the regular expression is not valid at its byte 1: missing closing parenthesis\n"},
    {"a.com {\nrequest_header A {host} b\n}\n",
     "f:2:18: an expression with placeholders is not supported yet\n"},
    {"a.com {\nrequest_body\n}\n", "f:2:1: 'request_body' needs a block: 'max_size'\n"},
    {"a.com {\nrequest_body {\nmax_size x\nset y\n}\n}\n",
     "f:3:10: 'x' is no size (like 512, 64KiB, 10MB)\n"
     "f:4:1: 'set' is not supported: a body is sent on as it comes\n"},
    {"a.com {\nlog_append a\n}\n", "f:2:1: 'log_append' needs 2 arguments: log_append [matcher] "
                                   "[<]<key> <value>: a field of the access log\n"},
    {"a.com {\nlog_append < b\n}\n", "f:2:12: the name of the field is missing\n"},
    {"a.com {\nlog_skip /a /b\n}\n", "f:2:13: 'log_skip' takes no argument\n"},
    {"a.com {\nlog_skip {\n}\n}\n", "f:2:1: 'log_skip' has no block\n"},
    {"a.com {\ninvoke x\n}\n", "f:2:8: unknown named route 'x'\n"},
    {"&(x) {\n}\n&(x) {\n}\na.com\n", "f:3:1: named route 'x' was already defined in line 1\n"},
    /* counts */
    {"a.com {\nredir\n}\n", "f:2:1: 'redir' needs at least 1 argument: redir TO [STATUS]\n"},
    {"a.com {\nrespond a b c\n}\n",
     "f:2:13: 'respond' takes at most 2 arguments: respond [BODY] [STATUS]\n"},
    {"a.com {\nroot\n}\n", "f:2:1: 'root' needs 1 argument: root PATH\n"},
    {"a.com {\nroot a b\n}\n", "f:2:8: 'root' takes at most 1 argument: root PATH\n"},
    {"a.com {\nfile_server x\n}\n", "f:2:13: 'file_server' takes no argument\n"},
    {"a.com {\nredir /a {\n}\n}\n", "f:2:1: 'redir' has no block\n"},
    {"a.com {\nbind\n}\n", "f:2:1: 'bind' needs at least 1 argument: bind IP...\n"},
    {"a.com {\nheader a b c d e\n}\n",
     "f:2:14: 'header' takes at most 3 arguments: header [FIELD [VALUE]]\n"},
    {"{\nemail\n}\na.com\n", "f:2:1: 'email' needs 1 argument: email ADDRESS\n"},
    {"{\ndebug on\n}\na.com\n", "f:2:7: 'debug' takes no argument\n"},
    {"{\nhttp_port\n}\na.com\n", "f:2:1: 'http_port' needs 1 argument: http_port PORT\n"},
    {"{\nhttp_port 80 81\n}\na.com\n",
     "f:2:14: 'http_port' takes at most 1 argument: http_port PORT\n"},
    {"{\ndebug {\n}\n}\na.com\n", "f:2:1: 'debug' has no block\n"},
    {"{\nemail a@b.c\nemail d@e.f\n}\na.com\n", "f:3:1: 'email' was already given in line 2\n"},
    {"a.com {\ntls internal\nrespond\ntls internal\n}\n",
     "f:4:1: 'tls' was already given in line 2\n"},
    /* values */
    {"{\nhttp_port 0\n}\na.com\n", "f:2:11: '0' is no port (1 to 65535)\n"},
    {"{\nhttp_port x\n}\na.com\n", "f:2:11: 'x' is no port (1 to 65535)\n"},
    {"{\nhttps_port 65536\n}\na.com\n", "f:2:12: '65536' is no port (1 to 65535)\n"},
    {"{\nemail nobody\n}\na.com\n", "f:2:7: 'nobody' is no e-mail address\n"},
    {"{\nacme_ca ca.test\n}\na.com\n",
     "f:2:9: 'ca.test' is no URL of an ACME directory (https://...)\n"},
    {"{\nauto_https of\n}\na.com\n", "f:2:12: unknown mode 'of'; did you mean 'off'?\n"},
    {"{\ngrace_period 5x\n}\na.com\n", "f:2:14: '5x' is no duration (like 30s, 5m, 12h, 7d)\n"},
    {"{\nrenew_interval 0\n}\na.com\n", "f:2:16: '0' is too short: at least 1 s\n"},
    {"{\nticket_rotation 5s\n}\na.com\n", "f:2:17: '5s' is too short: at least 60 s\n"},
    {"{\nstorage redis\n}\na.com\n",
     "f:2:9: storage 'redis' is not supported yet; there is file_system\n"},
    {"{\nstorage file_system\n}\na.com\n", "f:2:9: storage file_system needs a path\n"},
    {"{\nadmin localhost:2019\n}\na.com\n",
     "f:2:7: the admin socket is a Unix socket: write off or unix//path/of/the/socket\n"},
    {"{\nworkers many\n}\na.com\n", "f:2:9: 'many' is no number from 0 to 1024\n"},
    {"{\nkey_type rsa1024\n}\na.com\n", "f:2:10: unknown key type 'rsa1024': there are p256, p384, "
                                        "rsa2048, rsa3072, rsa4096, ed25519\n"},
    {"{\nacme_eab {\nkey_id x\n}\n}\na.com\n", "f:2:1: both key_id and mac_key are needed\n"},
    {"{\nacme_eab x\n}\na.com\n",
     "f:2:1: write the key id and the MAC key, or a block of key_id and mac_key\n"},
    {"{\nacme_eab {\nkey_id x\nmac_key a+b\n}\n}\na.com\n",
     "f:4:9: the MAC key must be base64url text\n"},
    {"{\ndefault_bind example.com\n}\na.com\n", "f:2:14: 'example.com' is no IP address\n"},
    {"{\ndefault_bind unix//x\n}\na.com\n", "f:2:14: binding to 'unix//x' is not supported yet\n"},
    {"{\nservers {\nmax_header_size 100\n}\n}\na.com\n",
     "f:3:17: '100' is out of range: 1024 to 1048576 bytes\n"},
    {"{\nservers {\nmax_connections 0\n}\n}\na.com\n",
     "f:3:17: '0' would let nobody in: leave the option out for as many as open files allow\n"},
    {"{\nservers {\nmax_connections 1e9\n}\n}\na.com\n",
     "f:3:17: '1e9' is no number from 0 to 1000000\n"},
    {"{\nservers {\nmax_header_size x\n}\n}\na.com\n",
     "f:3:17: 'x' is no size (like 512, 64KiB, 10MB)\n"},
    {"{\nservers {\ntimeouts {\nidle 0\nwrite 5s\n}\n}\n}\na.com\n",
     "f:4:6: '0' is too short: at least 1 s\n"
     "f:5:1: 'write' is not supported: 'read_body' is the time without progress of a body, either "
     "way\n"},
    {"a.com {\ntls\n}\n", "f:2:1: 'tls' needs internal, an e-mail address, CERT KEY, or a block\n"},
    {"a.com {\ntls foo\n}\n", "f:2:5: 'foo' is neither 'internal' nor an e-mail address; a "
                              "certificate needs its key beside it: 'tls CERT KEY'\n"},
    {"a.com {\ntls internal {\nca https://x/\n}\n}\n",
     "f:2:1: a CA (ca, ca_root, eab, issuer acme) is of no use beside 'internal'\n"},
    {"a.com {\ntls {\nprotocols tls1.1\n}\n}\n",
     "f:3:11: unknown TLS version 'tls1.1'; did you mean 'tls1.2'?\n"},
    {"a.com {\ntls {\nprotocols tls1.3 tls1.2\n}\n}\n",
     "f:3:11: the lowest version is above the highest\n"},
    {"a.com {\ntls {\nkey_typ p256\n}\n}\n",
     "f:3:1: unknown tls option 'key_typ'; did you mean 'key_type'?\n"},
    {"a.com {\ntls {\nciphers x\n}\n}\n",
     "f:3:1: 'ciphers' is not supported: GnuTLS chooses; Lintel's list has no weak ones\n"},
    {"a.com {\nbind 300.1.1.1\n}\n", "f:2:6: '300.1.1.1' is no IP address\n"},
    {"a.com {\nhsts\n}\n",
     "f:2:1: 'hsts' needs at least 1 argument: hsts off|MAX-AGE [includeSubDomains] [preload]\n"},
    {"a.com {\nhsts on\n}\n", "f:2:6: 'on' is no duration (like 30s, 5m, 12h, 7d)\n"},
    {"a.com {\nhsts off preload\n}\n", "f:2:10: nothing follows 'hsts off'\n"},
    {"a.com {\nhsts 1d includeSubDomain\n}\n",
     "f:2:9: unknown HSTS directive 'includeSubDomain'; did you mean 'includeSubDomains'?\n"},
    {"a.com {\nlog x y\n}\n", "f:2:7: 'log' takes at most 1 argument: log [<name>] { output, "
                              "format, level, hostnames, no_hostname }\n"},
    {"a.com {\nlog x {\nformat console\n}\nlog x\n}\n",
     "f:5:5: log 'x' was already defined in line 2\n"},
    {"a.com {\nlog {\nhostnames\n}\n}\n",
     "f:3:1: 'hostnames' needs at least 1 argument: hostnames HOST...\n"},
    {"a.com {\nlog {\nhostnames a\nno_hostname\n}\n}\n",
     "f:2:1: 'hostnames' and 'no_hostname' contradict each other\n"},
    {"a.com {\nlog_name y\nlog x\n}\n", "f:2:10: unknown log 'y'\n"},
    {"a.com {\nlog {\nlevel loud\n}\n}\n",
     "f:3:7: unknown level 'loud': there are DEBUG, INFO, WARN, ERROR\n"},
    {"a.com {\nlog {\nsampling\n}\n}\n",
     "f:3:1: 'sampling' is not supported: keep requests out of the log with 'log_skip'\n"},
    {"a.com {\nlog {\noutput file /x {\nmode 9\n}\n}\n}\n",
     "f:4:6: '9' is no file mode: one to four octal digits\n"},
    {"a.com {\nlog {\noutput file /x {\nroll_size 1MB\n}\n}\n}\n",
     "f:4:1: 'roll_size' is not supported: rename the file and run 'lintel reload', as "
     "logrotate(8) does\n"},
    {"a.com {\nlog {\noutput stdout {\n}\n}\n}\n", "f:3:8: 'output stdout' has no block\n"},
    {"a.com {\nlog {\noutput file /x\n}\nlog {\noutput file /x {\nmode 600\n}\n}\n}\n",
     "f:5:1: '/x' has another mode in line 2\n"},
    {"a.com {\nlog {\nformat\n}\n}\n", "f:3:1: 'format' needs at least 1 argument: format "
                                       "json|console|combined|filter|append\n"},
    {"a.com {\nlog {\nformat json {\ntime_format wall\n}\n}\n}\n",
     "f:4:1: 'time_format' is not supported: lines have the form that Caddy's have by default\n"},
    {"a.com {\nlog {\nformat json x\n}\n}\n", "f:3:13: nothing follows the name of a format\n"},
    {"a.com {\nlog {\nformat filter {\nwrap combined\nstatus delete\n}\n}\n}\n",
     "f:3:8: the fields of 'combined' are always the same\n"},
    {"a.com {\nlog {\nformat filter {\nts delete\nsize\nsize drop\nuri replace\n"
     "a regexp ( b\nb ip_mask 33\n}\n}\n}\n",
     "f:4:1: 'ts' is in every line as it is\n"
     "f:5:1: a filter is missing: '<field> delete'\n"
     "f:6:6: unknown filter 'drop': there are cookie, delete, hash, ip_mask, query, regexp, "
     "rename, "
     "replace\n"
     "f:7:5: 'replace' takes 1 argument, and no block\n"
     "f:8:11: the regular expression is not valid at its byte 1: missing closing parenthesis\n"
     "f:9:11: '33' is no number from 0 to 32\n"},
    {"a.com {\nlog {\nformat append {\na\nwrap xml\n}\n}\n}\n",
     "f:4:1: this is written '<field> <value>'\n"
     "f:5:6: unknown log format 'xml': there are json, console, combined, filter, append\n"},
    {"a.com {\nlog {\noutput fil\n}\n}\n", "f:3:8: unknown output 'fil'; did you mean 'file'?\n"},
    {"a.com {\nlog {\noutput file\n}\n}\n", "f:3:8: 'output file' needs a path\n"},
    {"a.com {\nlog {\noutput net x\n}\n}\n", "f:3:8: 'output net' is not supported: write to "
                                             "stdout, or to a file or FIFO that another "
                                             "program reads\n"},
    {"a.com {\nlog {\nformat jsn\n}\n}\n",
     "f:3:8: unknown log format 'jsn'; did you mean 'json'?\n"},
    {"a.com {\nlog {\noutput stdout x\n}\n}\n", "f:3:15: nothing follows 'output stdout'\n"},
    {"a.com {\nrespond {hst}\n}\n", "f:2:9: '{hst}' is no placeholder; did you mean '{host}'?\n"},
    {"a.com {\nvars\nvars a\nvars {\na b c\n}\nvars {x} y\nvars root /x\n}\n",
     "f:2:1: 'vars' needs a variable, or a block of them\n"
     "f:3:6: the value of the variable is missing\n"
     "f:5:5: nothing more can stand here: put the value in quotes\n"
     "f:7:6: '{x}' is no name of a variable\n"
     "f:8:6: the folder of a site is set by 'root'\n"},
    {"a.com {\nmap {host} x {\n}\nmap {host}\nmap {host} {path} {\n}\n}\n",
     "f:2:12: 'x' is no placeholder: write '{name}'\n"
     "f:4:1: 'map' needs at least 2 arguments: map [matcher] <source> <{destination}...> { "
     "[~]<input> <output...> }: placeholders that follow from a value\n"
     "f:5:12: '{path}' has a meaning already: choose another name\n"},
    {"a.com {\nmap {hots} {name} {\na b c\na\na\n~( b\ndefault {naem}\ndefault z\n}\nrespond "
     "{name}{mane}\n}\n",
     "f:2:5: '{hots}' is no placeholder; did you mean '{host}'?\n"
     "f:3:5: there is no destination for this output\n"
     "f:4:1: 'a' was mapped already\n"
     "f:5:1: 'a' was mapped already\n"
     "f:6:1: the regular expression is not valid at its byte 1: missing closing parenthesis\n"
     "f:7:9: '{naem}' is no placeholder; did you mean '{name}'?\n"
     "f:8:1: 'default' was already given\n"
     "f:10:15: '{mane}' is no placeholder; did you mean '{name}'?\n"},
    {"a.com {\nrespond {http.request.body}\n}\n",
     "f:2:9: '{http.request.body}' is not supported: a body may be of any size\n"},
    /* several */
    {"{\nemial x\nhttp_port x\n}\na..com {\nrespnd\nhsts x\n}\na.com {\nredir\n}\na.com {\n}\n",
     "f:2:1: unknown global option 'emial'; did you mean 'email'?\n"
     "f:3:11: 'x' is no port (1 to 65535)\n"
     "f:5:1: a host name has no empty part between its dots\n"
     "f:6:1: unknown directive 'respnd'; did you mean 'respond'?\n"
     "f:7:6: 'x' is no duration (like 30s, 5m, 12h, 7d)\n"
     "f:10:1: 'redir' needs at least 1 argument: redir TO [STATUS]\n"
     "f:12:1: 'a.com' is the same address as 'a.com' at f:9:1\n"},
};

/* The messages without the lines they show. */
static void print_messages(const struct buf *all, struct buf *out)
{
    struct str rest = buf_str(all);

    while (rest.p != NULL) {
        struct str line = str_cut(&rest, '\n');

        if (str_starts(line, STR_LIT("f:")))
            assert_int_equal(buf_printf(out, STR_FMT "\n", STR_ARG(line)), 0);
    }
    assert_int_equal(buf_puts(out, ""), 0);
}

static void reports_errors(void **state)
{
    unsigned wrong = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf errors = BUF_INIT(65536), got = BUF_INIT(65536);
        struct conf *c = conf_parse("f", str_of(cases[i].text), &fake_language, &errors, NULL);

        if (c != NULL)
            fail_msg("taken: %s", cases[i].text);
        print_messages(&errors, &got);
        if (strcmp(got.p, cases[i].messages) != 0) {
            print_error("%s\ngives\n%snot\n%s\n", cases[i].text, got.p, cases[i].messages);
            wrong++;
        }
        buf_fini(&errors);
        buf_fini(&got);
    }
    assert_int_equal(wrong, 0);
}

static void shows_lines(void **state)
{
    struct buf errors = BUF_INIT(65536);

    (void)state;
    assert_null(conf_parse("site.conf",
                           STR_LIT("a.com {\r\n\tredir \"\303\244 b\" {hots}\r\n}\r\n"
                                   "b.com {\r\n\tfile_sever\r\n}\r\n"),
                           &fake_language, &errors, NULL));
    assert_string_equal(errors.p, "site.conf:5:2: unknown directive 'file_sever'; did you mean "
                                  "'file_server'?\n"
                                  "    \tfile_sever\n"
                                  "    \t^\n");
    buf_clear(&errors);
    assert_null(conf_parse("site.conf", STR_LIT("a.com {\r\n\trespond \"\303\244 {hots}\"\r\n}"),
                           &fake_language, &errors, NULL));
    assert_string_equal(errors.p, "site.conf:2:13: '{hots}' is no placeholder; did you mean "
                                  "'{host}'?\n"
                                  "    \trespond \"\303\244 {hots}\"\n"
                                  "    \t           ^\n");
    buf_fini(&errors);
}

/* Messages end up in logs. */
static void hides_keys(void **state)
{
    struct buf errors = BUF_INIT(65536);

    (void)state;
    assert_null(conf_parse("f",
                           STR_LIT("{\nacme_eab kid sec+ret\n}\na.com {\ntls {\neab {\n"
                                   "key_id x\nmac_key sec+ret\n}\n}\n}"),
                           &fake_language, &errors, NULL));
    assert_string_equal(errors.p, "f:2:14: the MAC key must be base64url text\n"
                                  "f:8:9: the MAC key must be base64url text\n");
    buf_fini(&errors);
}

static void warns(void **state)
{
    struct buf errors = BUF_INIT(65536), warnings = BUF_INIT(65536), got = BUF_INIT(65536);
    struct conf *c = conf_parse("f", STR_LIT("http://a.com {\nhsts off\n}\n"), &fake_language,
                                &errors, &warnings);

    (void)state;
    assert_non_null(c);
    assert_int_equal(errors.len, 0);
    print_messages(&warnings, &got);
    assert_string_equal(got.p,
                        "f:2:1: warning: 'hsts' is of no use: the site has no HTTPS address, and "
                        "browsers ignore the field over plain HTTP\n");
    conf_unref(c);
    buf_fini(&warnings);
    buf_fini(&got);
}

static void reports_files(void **state)
{
    struct buf errors = BUF_INIT(65536);
    char path[] = "/tmp/lintel-test-conf-XXXXXX";
    struct conf *c;
    int fd;

    (void)state;
    assert_null(conf_load("/nonexistent/x.conf", &fake_language, &errors, NULL));
    assert_string_equal(errors.p, "open /nonexistent/x.conf: No such file or directory\n");
    buf_clear(&errors);
    assert_null(conf_load("/", &fake_language, &errors, NULL));
    assert_string_equal(errors.p, "/: not a regular file\n");
    buf_fini(&errors);
    fd = mkstemp(path);
    assert_int_equal(write(fd, "http://a.com\n", 13), 13);
    close(fd);
    c = conf_load(path, &fake_language, &errors, NULL);
    unlink(path);
    assert_non_null(c);
    assert_true(str_is(c->path, path));
    conf_unref(c);
}

/* The largest file is refused whole, and junk of that size does not take long. */
static void bounds_size(void **state)
{
    enum { SIZE = 16 * 1024 * 1024 };
    struct buf errors = BUF_INIT(65536);
    char *text = malloc(SIZE + 1);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', SIZE + 1);
    assert_null(conf_parse("f", (struct str){text, SIZE + 1}, &fake_language, &errors, NULL));
    assert_string_equal(errors.p, "f: larger than 16777216 bytes\n");
    buf_clear(&errors);
    for (size_t i = 1; i < SIZE; i += 2)
        text[i] = ' ';
    assert_null(conf_parse("f", (struct str){text, SIZE}, &fake_language, &errors, NULL));
    assert_non_null(strstr(errors.p, "f:1:4000001: more than 2000000 words in one file\n"));
    free(text);
    buf_fini(&errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_errors), cmocka_unit_test(shows_lines),
        cmocka_unit_test(hides_keys),     cmocka_unit_test(warns),
        cmocka_unit_test(reports_files),  cmocka_unit_test(bounds_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
