/* The parser of responses: each rule, one a row, and each row cut up in many ways. */
#include "transcript.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"
#define CHUNKED_SEEN "Transfer-Encoding=chunked|(200 -1 c k)"
#define NO_HTTP "!what came is no HTTP/1.1 response"
#define BAD_STATUS "!the response's status line is malformed"
#define BAD_FIELD "!the response has a malformed field"
#define BAD_BYTE "!the response has a field with a control byte"
#define BAD_LENGTH "!the response's Content-Length is malformed, or there are several"
#define BAD_CODING "!the response's Transfer-Encoding is not 'chunked'"
#define BAD_CHUNK "!the response has a malformed chunk"
#define BAD_END "!a line of the response ends without CR"
#define CUT "!the response is cut short"
#define NONE "!the connection was closed before an answer"

enum { HEAD = 1, UPGRADE = 2 };

static const struct {
    const char *name;
    unsigned how;
    const char *message;
    const char *said;
} rows[] = {
    /* The status line. */
    {"length", 0, OK "Content-Length: 3\r\nA: 1\r\n\r\nabc", "Content-Length=3|A=1|(200 3 k)abc."},
    {"no reason", 0, "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", "Content-Length=0|(404 0 k)."},
    {"empty reason", 0, "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n",
     "Content-Length=0|(404 0 k)."},
    {"other bytes in the reason", 0, "HTTP/1.1 404 \xc3\xa4\t!\r\nContent-Length: 0\r\n\r\n",
     "Content-Length=0|(404 0 k)."},
    {"unknown status", 0, "HTTP/1.1 999 \r\nContent-Length: 0\r\n\r\n",
     "Content-Length=0|(999 0 k)."},
    {"minor version of the future", 0, "HTTP/1.9 200 OK\r\nContent-Length: 0\r\n\r\n",
     "Content-Length=0|(200 0 k)."},
    {"HTTP/2", 0, "HTTP/2.0 200 OK\r\n\r\n", NO_HTTP},
    {"HTTP/0.9", 0, "<html>", NO_HTTP},
    {"lower case", 0, "http/1.1 200 OK\r\n\r\n", NO_HTTP},
    {"something else", 0, "S", NO_HTTP},
    {"line before the status line", 0, "\r\n" OK "\r\n", NO_HTTP},
    {"space before the status line", 0, " " OK "\r\n", NO_HTTP},
    {"minor version of two digits", 0, "HTTP/1.10 200 OK\r\n\r\n", BAD_STATUS},
    {"no minor version", 0, "HTTP/1.x 200 OK\r\n\r\n", BAD_STATUS},
    {"status of four digits", 0, "HTTP/1.1 2000 OK\r\n\r\n", BAD_STATUS},
    {"status of two digits", 0, "HTTP/1.1 20 OK\r\n\r\n", BAD_STATUS},
    {"status below 100", 0, "HTTP/1.1 099 OK\r\n\r\n", BAD_STATUS},
    {"status with a sign", 0, "HTTP/1.1 +20 OK\r\n\r\n", BAD_STATUS},
    {"two spaces", 0, "HTTP/1.1  200 OK\r\n\r\n", BAD_STATUS},
    {"tab", 0, "HTTP/1.1\t200 OK\r\n\r\n", BAD_STATUS},
    {"no space after the status", 0, "HTTP/1.1 200OK\r\n\r\n", BAD_STATUS},
    {"control byte in the reason", 0, "HTTP/1.1 200 O\x01K\r\n\r\n", BAD_STATUS},
    {"CR in the reason", 0, "HTTP/1.1 200 O\rK\r\n\r\n", BAD_STATUS},
    {"LF alone after the status line", 0, "HTTP/1.1 200 OK\n\r\n", BAD_END},

    /* Fields. */
    {"whitespace around a value", 0, OK "A: \t b c \t\r\nContent-Length:0\r\n\r\n",
     "A=b c|Content-Length=0|(200 0 k)."},
    {"empty value", 0, OK "A:\r\nB: \r\nContent-Length: 0\r\n\r\n",
     "A=|B=|Content-Length=0|(200 0 k)."},
    {"colon in a value", 0, OK "A: b: c\r\nContent-Length: 0\r\n\r\n",
     "A=b: c|Content-Length=0|(200 0 k)."},
    {"space before the colon goes", 0, OK "A \t: b\r\nContent-Length : 1\r\n\r\na",
     "A=b|Content-Length=1|(200 1 k)a."},
    {"all bytes of a token", 0, OK "!#$%&'*+-.^_`|~09azAZ: b\r\nContent-Length: 0\r\n\r\n",
     "!#$%&'*+-.^_`|~09azAZ=b|Content-Length=0|(200 0 k)."},
    {"other bytes in a value", 0, OK "A: \x80\xff\r\nContent-Length: 0\r\n\r\n",
     "A=\x80\xff|Content-Length=0|(200 0 k)."},
    {"no colon", 0, OK "abc\r\n\r\n", BAD_FIELD},
    {"no name", 0, OK ": b\r\n\r\n", BAD_FIELD},
    {"only a space for a name", 0, OK " : b\r\n\r\n", BAD_FIELD},
    {"space in a name", 0, OK "A B: c\r\n\r\n", BAD_FIELD},
    {"delimiter in a name", 0, OK "A(: b\r\n\r\n", BAD_FIELD},
    {"byte above 127 in a name", 0, OK "A\xc3\xa4: b\r\n\r\n", BAD_FIELD},
    {"folded line", 0, OK "A: b\r\n c\r\n\r\n", "A=b|" BAD_FIELD},
    {"folded first line", 0, OK "\tA: b\r\n\r\n", BAD_FIELD},
    {"control byte in a value", 0, OK "A: b\x01\r\n\r\n", BAD_BYTE},
    {"DEL in a value", 0, OK "A: b\x7f\r\n\r\n", BAD_BYTE},
    {"CR in a value", 0, OK "A: b\rc\r\n\r\n", BAD_BYTE},
    {"CR in a name", 0, OK "A\r: c\r\n\r\n", BAD_FIELD},
    {"LF alone", 0, OK "A: b\nC: d\r\n\r\n", BAD_END},
    {"LF alone at the end", 0, OK "A: b\r\n\nC", "A=b|" BAD_END},
    {"cut in the header", 0, OK "Content-Le", NONE},
    {"cut before the end of the header", 0, OK "A: b\r\n\r", "A=b|" NONE},
    {"cut in the status line", 0, "HTTP/1.1 200", NONE},
    {"nothing", 0, "", NONE},

    /* The end of the body: RFC 9112 6.3. */
    {"204", 0, "HTTP/1.1 204 No Content\r\n\r\n", "(204 -1 k)."},
    {"204 with a length", 0, "HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\nabc",
     "Content-Length=3|(204 3).+3"},
    {"204 with chunks", 0, "HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "Transfer-Encoding=chunked|(204 -1 c).+5"},
    {"304 with a length", 0, "HTTP/1.1 304 Not\r\nContent-Length: 5\r\n\r\n",
     "Content-Length=5|(304 5 k)."},
    {"304 that is chunked", 0, "HTTP/1.1 304 Not\r\nTransfer-Encoding: chunked\r\n\r\n",
     "Transfer-Encoding=chunked|(304 -1 c k)."},
    {"HEAD with a length", HEAD, OK "Content-Length: 5\r\n\r\n", "Content-Length=5|(200 5 k)."},
    {"HEAD that is chunked", HEAD, CHUNKED, CHUNKED_SEEN "."},
    {"HEAD without a length", HEAD, OK "\r\n", "(200 -1 k)."},
    {"HEAD with a body", HEAD, OK "Content-Length: 3\r\n\r\nabc", "Content-Length=3|(200 3 k).+3"},
    {"until close", 0, OK "\r\nabc", "(200 -1)abc."},
    {"until close, nothing", 0, OK "\r\n", "(200 -1)."},
    {"length of 0", 0, OK "Content-Length: 0\r\n\r\nx", "Content-Length=0|(200 0 k).+1"},
    {"cut in the body", 0, OK "Content-Length: 9\r\n\r\nabc", "Content-Length=9|(200 9 k)abc" CUT},
    {"more than the length", 0, OK "Content-Length: 2\r\n\r\nabc",
     "Content-Length=2|(200 2 k)ab.+1"},
    {"the same length twice", 0, OK "Content-Length: 1, 1\r\nContent-Length: 01\r\n\r\na",
     "Content-Length=1, 1|Content-Length=01|(200 1 k)a."},
    {"lengths differ", 0, OK "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
     "Content-Length=1|" BAD_LENGTH},
    {"lengths differ in one line", 0, OK "Content-Length: 1, 2\r\n\r\nab", BAD_LENGTH},
    {"length with a sign", 0, OK "Content-Length: +1\r\n\r\na", BAD_LENGTH},
    {"negative length", 0, OK "Content-Length: -1\r\n\r\na", BAD_LENGTH},
    {"hexadecimal length", 0, OK "Content-Length: 0x1\r\n\r\na", BAD_LENGTH},
    {"length with a space", 0, OK "Content-Length: 1 1\r\n\r\na", BAD_LENGTH},
    {"no length", 0, OK "Content-Length:\r\n\r\n", BAD_LENGTH},
    {"largest length", 0, OK "Content-Length: 9223372036854775807\r\n\r\na",
     "Content-Length=9223372036854775807|(200 9223372036854775807 k)a" CUT},
    {"length beyond all measure", 0, OK "Content-Length: 9223372036854775808\r\n\r\na", BAD_LENGTH},
    {"chunked and a length", 0,
     OK "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
     "Content-Length=2|Transfer-Encoding=chunked|"
     "!the response has a Transfer-Encoding and a Content-Length"},
    {"chunked in HTTP/1.0", 0, "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "Transfer-Encoding=chunked|!the response has a Transfer-Encoding in HTTP/1.0"},
    {"chunked by another name", 0, OK "TRANSFER-encoding:\tCHUNKED\r\n\r\n0\r\n\r\n",
     "TRANSFER-encoding=CHUNKED|(200 -1 c k)."},
    {"chunked twice", 0, OK "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", BAD_CODING},
    {"chunked twice, in two lines", 0,
     OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "Transfer-Encoding=chunked|" BAD_CODING},
    {"another coding", 0, OK "Transfer-Encoding: gzip\r\n\r\n", BAD_CODING},
    {"another coding before", 0, OK "Transfer-Encoding: gzip, chunked\r\n\r\n", BAD_CODING},
    {"another coding after", 0, OK "Transfer-Encoding: chunked, gzip\r\n\r\n", BAD_CODING},
    {"identity", 0, OK "Transfer-Encoding: identity\r\n\r\n", BAD_CODING},
    {"coding with a parameter", 0, OK "Transfer-Encoding: chunked;a=b\r\n\r\n", BAD_CODING},
    {"no coding", 0, OK "Transfer-Encoding:\r\n\r\n", BAD_CODING},
    {"quoted coding", 0, OK "Transfer-Encoding: \"chunked\"\r\n\r\n", BAD_CODING},

    /* Chunks. */
    {"chunks", 0, CHUNKED "3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", CHUNKED_SEEN "abcd."},
    {"next response", 0, CHUNKED "1\r\na\r\n0\r\n\r\nHTTP", CHUNKED_SEEN "a.+4"},
    {"sizes in hexadecimal", 0, CHUNKED "0a\r\n0123456789\r\nA\r\n0123456789\r\n000\r\n\r\n",
     CHUNKED_SEEN "01234567890123456789."},
    {"extensions", 0, CHUNKED "1;a=b\r\na\r\n1 ; c=\"d;\"\r\nb\r\n0;e\r\n\r\n", CHUNKED_SEEN "ab."},
    {"trailers", 0, CHUNKED "1\r\na\r\n0\r\nX: y\r\nZ:\r\n\r\n", CHUNKED_SEEN "a~X=y|~Z=|."},
    {"no length by a trailer", 0, CHUNKED "0\r\nContent-Length: x\r\nConnection: close\r\n\r\n",
     CHUNKED_SEEN "~Content-Length=x|~Connection=close|."},
    {"malformed trailer", 0, CHUNKED "0\r\nX y: z\r\n\r\n", CHUNKED_SEEN BAD_FIELD},
    {"folded trailer", 0, CHUNKED "0\r\nX: z\r\n y\r\n\r\n", CHUNKED_SEEN "~X=z|" BAD_FIELD},
    {"no size", 0, CHUNKED "\r\nabc\r\n", CHUNKED_SEEN BAD_CHUNK},
    {"size that is no number", 0, CHUNKED "zz\r\nabc\r\n", CHUNKED_SEEN BAD_CHUNK},
    {"size with 0x", 0, CHUNKED "0x3\r\nabc\r\n", CHUNKED_SEEN BAD_CHUNK},
    {"size with a sign", 0, CHUNKED "+3\r\nabc\r\n", CHUNKED_SEEN BAD_CHUNK},
    {"space before a size", 0, CHUNKED " 3\r\nabc\r\n", CHUNKED_SEEN BAD_CHUNK},
    {"space after a size", 0, CHUNKED "3 \r\nabc\r\n", CHUNKED_SEEN BAD_CHUNK},
    {"largest size", 0, CHUNKED "7fffffffffffffff\r\na", CHUNKED_SEEN "a" CUT},
    {"size beyond all measure", 0, CHUNKED "8000000000000000\r\na", CHUNKED_SEEN BAD_CHUNK},
    {"size of twenty digits", 0, CHUNKED "00000000000000000003\r\nabc\r\n0\r\n\r\n",
     CHUNKED_SEEN "abc."},
    {"size that overflows", 0, CHUNKED "10000000000000003\r\nabc\r\n", CHUNKED_SEEN BAD_CHUNK},
    {"control byte in an extension", 0, CHUNKED "3;\x01\r\nabc\r\n", CHUNKED_SEEN BAD_CHUNK},
    {"CR in an extension", 0, CHUNKED "3;\r\r\nabc\r\n", CHUNKED_SEEN BAD_CHUNK},
    {"LF alone after a size", 0, CHUNKED "3\nabc\r\n", CHUNKED_SEEN BAD_END},
    {"chunk that is too long", 0, CHUNKED "3\r\nabcd\r\n",
     CHUNKED_SEEN "abc!a chunk of the response is longer than it says"},
    {"LF alone after a chunk", 0, CHUNKED "3\r\nabc\n0\r\n\r\n",
     CHUNKED_SEEN "abc!a chunk of the response is longer than it says"},
    {"cut in a chunk", 0, CHUNKED "9\r\nabc", CHUNKED_SEEN "abc" CUT},
    {"cut after a chunk", 0, CHUNKED "3\r\nabc\r", CHUNKED_SEEN "abc" CUT},
    {"cut between chunks", 0, CHUNKED "3\r\nabc\r\n", CHUNKED_SEEN "abc" CUT},
    {"cut in a size", 0, CHUNKED "3", CHUNKED_SEEN CUT},
    {"cut after the last chunk", 0, CHUNKED "3\r\nabc\r\n0\r\n", CHUNKED_SEEN "abc" CUT},
    {"cut in the trailer", 0, CHUNKED "0\r\nX: y\r\n", CHUNKED_SEEN "~X=y|" CUT},

    /* The connection. */
    {"close", 0, OK "Connection: close\r\nContent-Length: 0\r\n\r\n",
     "Connection=close|Content-Length=0|(200 0)."},
    {"close among others", 0, OK "Connection: a, CLOSE ,b\r\nContent-Length: 0\r\n\r\n",
     "Connection=a, CLOSE ,b|Content-Length=0|(200 0)."},
    {"close beats keep-alive", 0,
     OK "Connection: keep-alive\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
     "Connection=keep-alive|Connection=close|Content-Length=0|(200 0)."},
    {"HTTP/1.0", 0, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "Content-Length=0|(200 0)."},
    {"HTTP/1.0 keep-alive", 0,
     "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\na",
     "Connection=Keep-Alive|Content-Length=1|(200 1 k)a."},
    {"HTTP/1.0 keep-alive without a length", 0,
     "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n\r\na", "Connection=Keep-Alive|(200 -1)a."},

    /* Interim responses. */
    {"interim responses", 0,
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\nContent-Length: 9\r\n"
     "Connection: close\r\nTransfer-Encoding: x\r\n\r\n"
     "HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\na",
     "^(100)^Link=x|^Content-Length=9|^Connection=close|^Transfer-Encoding=x|^(103)"
     "Content-Length=1|(201 1 k)a."},
    {"102 and 199", 0, "HTTP/1.1 102 a\r\n\r\nHTTP/1.1 199 b\r\n\r\n" OK "\r\n",
     "^(102)^(199)(200 -1)."},
    {"only interim", 0, "HTTP/1.1 100 Continue\r\n\r\n", "^(100)" NONE},
    {"malformed interim", 0, "HTTP/1.1 103 Early\r\nLink\r\n\r\n" OK "\r\n", BAD_FIELD},
    {"101 unasked", 0, "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\nabc",
     "!the upstream switches to a protocol that it was not asked for"},
    {"101", UPGRADE, "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\nabc\r\n",
     "Upgrade=x|(101 -1 s)abc\r\n."},
    {"101 with a length", UPGRADE,
     "HTTP/1.1 101 Switching\r\nContent-Length: 1\r\nConnection: upgrade\r\n\r\nabc",
     "Content-Length=1|Connection=upgrade|(101 -1 s)abc."},
    {"101 after 100", UPGRADE, "HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 101 Switching\r\n\r\nabc",
     "^(100)(101 -1 s)abc."},
    {"101 in HTTP/1.0", UPGRADE, "HTTP/1.0 101 Switching\r\n\r\nabc",
     "!the upstream switches protocols in HTTP/1.0"},
    {"no switch although asked", UPGRADE, OK "Content-Length: 1\r\n\r\na",
     "Content-Length=1|(200 1 k)a."},
};

static void expect(const char *name, const struct transcript_how *how, struct str message,
                   const char *said)
{
    struct buf b = BUF_INIT(1 << 20);

    transcript(&b, message, how);
    if (strcmp(b.p, said) != 0)
        print_error("%s, %zu at a time, %zu taken\n", name, how->step, how->mouthful);
    assert_string_equal(b.p, said);
    buf_fini(&b);
}

static void expect_in_pieces(const char *name, struct transcript_how how, struct str message,
                             const char *said)
{
    for (how.step = 0; how.step < 12; how.step++)
        for (how.mouthful = 0; how.mouthful < 3; how.mouthful++)
            expect(name, &how, message, said);
}

static void keeps_each_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct transcript_how how = {.max_head = 4096,
                                           .is_head = (rows[i].how & HEAD) != 0,
                                           .upgrade = (rows[i].how & UPGRADE) != 0};

        expect_in_pieces(rows[i].name, how, str_of(rows[i].message), rows[i].said);
    }
}

static void refuses_nul_bytes(void **state)
{
    static const char *const messages[] = {
        "HTTP/1.1 200 O_K\r\n\r\n",       OK "A_: b\r\n\r\n",    OK "A: _b\r\n\r\n",
        OK "Content-Length: 1_\r\n\r\na", CHUNKED "1_\r\na\r\n", CHUNKED "1;_\r\na\r\n"};
    static const char *const said[] = {
        BAD_STATUS, BAD_FIELD, BAD_BYTE, BAD_BYTE, CHUNKED_SEEN BAD_CHUNK, CHUNKED_SEEN BAD_CHUNK};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        char *copy = xstrdup(messages[i]);
        size_t len = strlen(copy);

        *strchr(copy, '_') = '\0';
        expect_in_pieces(messages[i], (struct transcript_how){.max_head = 4096},
                         (struct str){copy, len}, said[i]);
        free(copy);
    }
}

/* ---- limits ---- */

static void repeat(struct buf *b, const char *text, size_t n)
{
    while (n-- > 0)
        assert_int_equal(buf_puts(b, text), 0);
}

static void limits_the_header(void **state)
{
    static const struct {
        const char *start;
        const char *rest; /* again and again */
        const char *said;
    } endless[] = {
        {"HTTP/1.1 200 ", "O", "#the response's header is too large"},
        {OK "A: ", "b", "#the response's header is too large"},
        {OK, "A: b\r\n", "#the response's header is too large"},
        {"", "HTTP/1.1 100 Continue\r\n\r\n", "!there are too many interim responses"},
        {CHUNKED, "1;aaaaaaaaaaaaaaaaaaaaaaaaaa", CHUNKED_SEEN BAD_CHUNK},
        {CHUNKED, "0", CHUNKED_SEEN BAD_CHUNK},
        {CHUNKED "0\r\nX: ", "y", CHUNKED_SEEN "#the response's header is too large"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(endless); i++)
        for (size_t step = 0; step < 3; step++) {
            const struct transcript_how how = {.max_head = 2000, .step = step};
            struct buf b = BUF_INIT(1 << 20), said = BUF_INIT(1 << 20);

            repeat(&b, endless[i].start, 1);
            repeat(&b, endless[i].rest, 3000);
            transcript(&said, buf_str(&b), &how);
            if (strstr(said.p, endless[i].said) == NULL)
                print_error("%zu: %s\n", i, said.p);
            assert_non_null(strstr(said.p, endless[i].said));
            assert_true(said.len < 2500);
            buf_fini(&b);
            buf_fini(&said);
        }
}

static void limits_are_exact(void **state)
{
    const char *message = OK "Content-Length: 0\r\n\r\n";
    struct transcript_how how = {.max_head = strlen(message)};

    (void)state;
    expect_in_pieces("fits", how, str_of(message), "Content-Length=0|(200 0 k).");
    how.max_head--;
    expect_in_pieces("one less", how, str_of(message),
                     "Content-Length=0|#the response's header is too large");
}

static void limits_the_number_of_fields(void **state)
{
    struct buf b = BUF_INIT(1 << 20), said = BUF_INIT(1 << 20);
    const struct transcript_how how = {.max_head = 1 << 20};

    (void)state;
    repeat(&b, OK, 1);
    repeat(&b, "A: b\r\n", RESPONSE_FIELDS_MAX);
    repeat(&b, "\r\n", 1);
    transcript(&said, buf_str(&b), &how);
    assert_non_null(strstr(said.p, "(200 -1)."));
    buf_clear(&b);
    buf_clear(&said);
    repeat(&b, OK, 1);
    repeat(&b, "A: b\r\n", RESPONSE_FIELDS_MAX + 1);
    transcript(&said, buf_str(&b), &how);
    assert_non_null(strstr(said.p, "#the response's header has too many fields"));
    buf_fini(&b);
    buf_fini(&said);
}

static void allows_some_interim_responses(void **state)
{
    struct buf b = BUF_INIT(1 << 20), said = BUF_INIT(1 << 20);

    (void)state;
    repeat(&b, "HTTP/1.1 103 Early\r\nLink: a\r\n\r\n", RESPONSE_INTERIM_MAX);
    repeat(&b, OK "\r\n", 1);
    repeat(&said, "^Link=a|^(103)", RESPONSE_INTERIM_MAX);
    repeat(&said, "(200 -1).", 1);
    expect_in_pieces("many", (struct transcript_how){.max_head = 8192}, buf_str(&b), said.p);
    buf_fini(&b);
    buf_fini(&said);
}

/* ---- bytes that the parser does not see ---- */

static void lets_bodies_pass_by(void **state)
{
    struct response_parser rp;
    struct str in = STR_LIT(CHUNKED "a\r\n");

    (void)state;
    response_init(&rp, false, false, 4096);
    assert_false(response_begun(&rp));
    assert_int_equal(response_room(&rp), 0);
    assert_int_equal(response_next(&rp, &in), RESPONSE_FIELD);
    assert_true(response_begun(&rp));
    assert_int_equal(response_next(&rp, &in), RESPONSE_HEAD);
    assert_int_equal(response_room(&rp), 0);
    assert_int_equal(response_next(&rp, &in), RESPONSE_MORE);
    assert_int_equal(response_room(&rp), 10);
    response_took(&rp, 4);
    response_took(&rp, 6);
    assert_int_equal(response_room(&rp), 0);
    in = STR_LIT("\r\n0\r\n\r\n");
    assert_int_equal(response_next(&rp, &in), RESPONSE_END);
    assert_int_equal(in.len, 0);
}

static void an_interim_response_is_a_beginning(void **state)
{
    struct response_parser rp;
    struct str in = STR_LIT("HTTP/1.1 100 Continue\r\n\r\nHTTP");

    (void)state;
    response_init(&rp, false, false, 4096);
    assert_int_equal(response_next(&rp, &in), RESPONSE_INTERIM);
    assert_int_equal(response_next(&rp, &in), RESPONSE_MORE);
    assert_true(response_begun(&rp));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_each_rule),
        cmocka_unit_test(refuses_nul_bytes),
        cmocka_unit_test(limits_the_header),
        cmocka_unit_test(limits_are_exact),
        cmocka_unit_test(limits_the_number_of_fields),
        cmocka_unit_test(allows_some_interim_responses),
        cmocka_unit_test(lets_bodies_pass_by),
        cmocka_unit_test(an_interim_response_is_a_beginning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
