/* FastCGI: what is written, byte by byte, and what is read, each rule one a row, and each row cut
 * up in many ways. */
#include "fcgi_transcript.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- writing ---- */

#define BEGIN(flags) "\1\1\0\1\0\10\0\0\0\1" flags "\0\0\0\0\0"
#define END_OF_PARAMS "\1\4\0\1\0\0\0\0"

static void expect_request(const struct fcgi_param *list, size_t n, bool keep, struct str bytes)
{
    size_t size = fcgi_request_size(list, n);
    char *all = xalloc(size);

    assert_ptr_equal(fcgi_put_request(all, list, n, keep), all + size);
    assert_int_equal(size, bytes.len);
    assert_memory_equal(all, bytes.p, size);
    free(all);
}

static void writes_requests(void **state)
{
    const struct fcgi_param two[] = {{STR_LIT("AB"), STR_LIT("c")}, {STR_LIT("D"), STR_LIT("")}};

    (void)state;
    expect_request(NULL, 0, false, STR_LIT(BEGIN("\0") END_OF_PARAMS));
    expect_request(two, 2, true,
                   STR_LIT(BEGIN("\1") "\1\4\0\1\0\10\0\0"
                                       "\2\1ABc"
                                       "\1\0D" END_OF_PARAMS));
}

/* The value that a request with one parameter brings, read back. */
static void reads_back(size_t len)
{
    char *value = xalloc(len + 1);
    struct fcgi_param param = {STR_LIT("N"), {value, len}};
    size_t size = fcgi_request_size(&param, 1), n = 0, head = len < 128 ? 3 : 6;
    unsigned char *all = xalloc(size), *at = all + 16, *params = xalloc(size);

    for (size_t i = 0; i < len; i++)
        value[i] = (char)(i % 251);
    assert_ptr_equal(fcgi_put_request((char *)all, &param, 1, false), all + size);
    for (;;) {
        size_t content = (size_t)at[4] << 8 | at[5];

        assert_memory_equal(at, "\1\4\0\1", 4);
        memcpy(params + n, at + 8, content);
        n += content;
        at += 8 + content;
        if (content == 0)
            break;
    }
    assert_ptr_equal(at, all + size);
    assert_int_equal(n, head + len);
    if (len >= 128)
        assert_int_equal((params[1] & 0x7fu) << 24 | (unsigned)params[2] << 16 |
                             (unsigned)params[3] << 8 | params[4],
                         len);
    else
        assert_int_equal(params[1], len);
    assert_memory_equal(params + head, value, len);
    free(value);
    free(all);
    free(params);
}

static void cuts_long_parameters(void **state)
{
    static const size_t lengths[] = {0,     1,     127,   128,    65528,  65529,
                                     65530, 65535, 65536, 131064, 131065, 200000};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
        reads_back(lengths[i]);
}

static void frames_bodies(void **state)
{
    char out[FCGI_HEADER_SIZE];

    (void)state;
    assert_ptr_equal(fcgi_put_body(out, 0x1234), out + sizeof out);
    assert_memory_equal(out, "\1\5\0\1\x12\x34\0\0", sizeof out);
    assert_ptr_equal(fcgi_put_body(out, 0), out + sizeof out);
    assert_memory_equal(out, "\1\5\0\1\0\0\0\0", sizeof out);
}

/* ---- reading ---- */

#define OK_END                                                                                     \
    "\x1f"                                                                                         \
    "E00"
#define NEXT "\x1f"
#define OUT_OF_PLACE "!a FastCGI record is out of place"
#define NO_REQUEST "!a FastCGI record is of no request"
#define NO_HEADER "!the response has no header"
#define BAD_STATUS "!the response's Status is malformed"
#define BAD_FIELD "!the response has a malformed field"
#define BAD_BYTE "!the response has a field with a control byte"
#define BAD_LENGTH "!the response's Content-Length is malformed, or there are several"
#define CUT "!the response is cut short"

enum { HEAD = 1 };

/* Records, with NEXT between them: "o" with what comes on stdout, "e" on stderr, "O" and "F" the
 * same with padding; "E" with a digit for the protocol's status and one for the application's, "P"
 * the same with padding; "r" with bytes as they are. */
static const struct {
    const char *name;
    unsigned how;
    const char *records;
    const char *said;
} rows[] = {
    /* Records. */
    {"one record", 0, "oA: b\r\n\r\nhello" OK_END, "A=b|(200 -1)hello."},
    {"many records", 0, "oA" NEXT "o: b\r" NEXT "o\n\r\n" NEXT "oh" NEXT "oello" NEXT "o" OK_END,
     "A=b|(200 -1)hello."},
    {"padding", 0, "OA: b\r\n\r\nhello" NEXT "O" NEXT "P00", "A=b|(200 -1)hello."},
    {"no end of stdout", 0, "oA: b\r\n\r\n" OK_END, "A=b|(200 -1)."},
    {"stderr", 0, "ewarn" NEXT "oA: b\r\n\r\nx" NEXT "Fing" NEXT "oy" NEXT "e" OK_END,
     "A=b|(200 -1)xy.[warning]"},
    {"status of the application", 0, "oA: b\r\n\r\n" NEXT "E07", "A=b|(200 -1).x7"},
    {"something follows", 0, "oA: b\r\n\r\n" OK_END NEXT "rabc", "A=b|(200 -1).+3"},
    {"nothing", 0, "", "!the connection was closed before an answer"},
    {"only an end", 0, "E00", NO_HEADER},
    {"only stderr", 0, "efatal" OK_END, NO_HEADER "[fatal]"},
    {"cannot multiplex", 0, "E10", "!the FastCGI server does not take such requests"},
    {"overloaded", 0, "E20", "!the FastCGI server is overloaded!"},
    {"unknown role", 0, "E30", "!the FastCGI server does not take such requests"},
    {"unknown status", 0, "E40", "!a FastCGI record has an unknown status"},
    {"stdout after its end", 0, "oA: b\r\n\r\n" NEXT "o" NEXT "ox" OK_END,
     "A=b|(200 -1)" OUT_OF_PLACE},
    {"stdout ends twice", 0, "oA: b\r\n\r\n" NEXT "o" NEXT "o" OK_END, "A=b|(200 -1)" OUT_OF_PLACE},
    {"stderr ends twice", 0, "e" NEXT "e", OUT_OF_PLACE},
    {"HTTP", 0, "rHTTP/1.1 200 OK\r\n\r\n", "!what came is no FastCGI"},
    {"end without a body", 0, "r\1\3%\1%%%%", OUT_OF_PLACE},
    {"end with too much of a body", 0, "r\1\3%\1%\11%%", OUT_OF_PLACE},
    {"another request", 0, "r\1\6%\2%\1%%x", NO_REQUEST},
    {"another request, by the high byte", 0, "r\1\6\1\1%\1%%x", NO_REQUEST},
    {"the manager's", 0, "r\1\12%%%\1%%x", NO_REQUEST},
    {"a request's record", 0, "r\1\5%\1%\1%%x", OUT_OF_PLACE},
    {"unknown record", 0, "r\1\14%\1%\1%%x", OUT_OF_PLACE},
    {"cut in a record's header", 0, "oA: b\r\n\r\n" NEXT "r\1\6%", "A=b|(200 -1)" CUT},
    {"cut in a record", 0, "oA: b\r\n\r\n" NEXT "r\1\6%\1%\11%%x", "A=b|(200 -1)x" CUT},
    {"cut in the padding", 0, "oA: b\r\n\r\n" NEXT "r\1\6%\1%\1\2%x%", "A=b|(200 -1)x" CUT},
    {"cut before the end", 0, "oA: b\r\n\r\nabc" NEXT "o", "A=b|(200 -1)abc" CUT},
    {"cut in the end", 0, "oA: b\r\n\r\n" NEXT "r\1\3%\1%\10%%%%%%%", "A=b|(200 -1)" CUT},
    {"cut in the padding of the end", 0, "oA: b\r\n\r\n" NEXT "r\1\3%\1%\10\1%%%%%%%%%",
     "A=b|(200 -1)" CUT},

    /* What a program answers: RFC 3875 6. */
    {"status", 0, "oStatus: 404 Not Found\r\nA: b\r\n\r\nx" OK_END, "A=b|(404 -1)x."},
    {"status without a phrase", 0, "oSTATUS:404\r\n\r\n" OK_END, "(404 -1)."},
    {"status and a space", 0, "oStatus: 404 \r\n\r\n" OK_END, "(404 -1)."},
    {"largest status", 0, "oStatus: 599 x\r\n\r\n" OK_END, "(599 -1)."},
    {"status above all", 0, "oStatus: 600 x\r\n\r\n" OK_END, BAD_STATUS},
    {"interim status", 0, "oStatus: 103 Early\r\n\r\n" OK_END, BAD_STATUS},
    {"status of two digits", 0, "oStatus: 20\r\n\r\n" OK_END, BAD_STATUS},
    {"status of four digits", 0, "oStatus: 2000\r\n\r\n" OK_END, BAD_STATUS},
    {"status with a sign", 0, "oStatus: +20\r\n\r\n" OK_END, BAD_STATUS},
    {"status that is a word", 0, "oStatus: OK\r\n\r\n" OK_END, BAD_STATUS},
    {"no status", 0, "oStatus:\r\n\r\n" OK_END, BAD_STATUS},
    {"two statuses", 0, "oStatus: 200\r\nStatus: 200\r\n\r\n" OK_END, BAD_STATUS},
    {"a status line", 0, "oHTTP/1.1 200 OK\r\nA: b\r\n\r\n" OK_END, BAD_FIELD},
    {"redirect", 0, "oLocation: http://a/\r\n\r\n" OK_END, "Location=http://a/|(302 -1)."},
    {"redirect with a status", 0, "oLocation: /a\r\nStatus: 201\r\n\r\n" OK_END,
     "Location=/a|(201 -1)."},
    {"LF", 0, "oA: b\nC: d\n\nx" OK_END, "A=b|C=d|(200 -1)x."},
    {"LF and CR LF", 0, "oA: b\nC: d\r\n\nx" OK_END, "A=b|C=d|(200 -1)x."},
    {"CR alone", 0, "oA: b\rC: d\r\n\r\nx" OK_END, BAD_BYTE},
    {"two CR", 0, "oA: b\r\r\n\r\nx" OK_END, BAD_BYTE},
    {"whitespace around a value", 0, "oA: \t b c \t\r\n\r\n" OK_END, "A=b c|(200 -1)."},
    {"empty value", 0, "oA:\r\n\r\n" OK_END, "A=|(200 -1)."},
    {"other bytes in a value", 0, "oA: \x80\xff\r\n\r\n" OK_END, "A=\x80\xff|(200 -1)."},
    {"control byte in a value", 0, "oA: b\x01\r\n\r\n" OK_END, BAD_BYTE},
    {"DEL in a value", 0, "oA: b\x7f\r\n\r\n" OK_END, BAD_BYTE},
    {"no colon", 0, "oabc\r\n\r\n" OK_END, BAD_FIELD},
    {"no name", 0, "o: b\r\n\r\n" OK_END, BAD_FIELD},
    {"space before the colon", 0, "oA : b\r\n\r\n" OK_END, BAD_FIELD},
    {"folded line", 0, "oA: b\r\n c\r\n\r\n" OK_END, "A=b|" BAD_FIELD},
    {"empty header", 0, "o\r\nx" OK_END, NO_HEADER},
    {"no end of the header", 0, "oA: b\r\n" OK_END, NO_HEADER},
    {"length", 0, "oContent-Length: 3\r\n\r\nabc" OK_END, "Content-Length=3|(200 3)abc."},
    {"more than the length", 0, "oContent-Length: 2\r\n\r\nabc" NEXT "odef" OK_END,
     "Content-Length=2|(200 2)ab."},
    {"less than the length", 0, "oContent-Length: 4\r\n\r\nabc" OK_END,
     "Content-Length=4|(200 4)abc" CUT},
    {"length of 0", 0, "oContent-Length: 0\r\n\r\n" OK_END, "Content-Length=0|(200 0)."},
    {"the same length twice", 0, "oContent-Length: 1\r\nContent-Length: 1\r\n\r\na" OK_END,
     "Content-Length=1|" BAD_LENGTH},
    {"length that is no number", 0, "oContent-Length: x\r\n\r\na" OK_END, BAD_LENGTH},
    {"length beyond all measure", 0, "oContent-Length: 9223372036854775808\r\n\r\n" OK_END,
     BAD_LENGTH},
    {"HEAD", HEAD, "oContent-Length: 4\r\n\r\n" OK_END, "Content-Length=4|(200 4)."},
    {"HEAD with a body", HEAD, "oA: b\r\n\r\nabc" NEXT "od" OK_END, "A=b|(200 -1)."},
    {"204 with a body", 0, "oStatus: 204\r\n\r\nabc" OK_END, "(204 -1)."},
    {"304 with a length", 0, "oStatus: 304\r\nContent-Length: 4\r\n\r\n" OK_END,
     "Content-Length=4|(304 4)."},
};

static void put(struct buf *b, const void *p, size_t n)
{
    if (buf_append(b, p, n) != 0)
        abort();
}

static void put_record(struct buf *b, char kind, struct str content, unsigned padding)
{
    const char header[] = {
        1, kind, 0, 1, (char)(content.len >> 8), (char)content.len, (char)padding, 0};

    put(b, header, sizeof header);
    put(b, content.p, content.len);
    for (unsigned i = 0; i < padding; i++)
        put(b, "=", 1);
}

/* "%" stands for the byte 0. */
static void put_raw(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        put(b, s.p[i] == '%' ? "" : &s.p[i], 1);
}

static void put_records(struct buf *b, const char *text)
{
    struct str rest = str_of(text);

    while (rest.len > 0) {
        struct str one = str_cut(&rest, '\x1f'), content = str_from(one, 1);
        char kind = one.p[0];

        if (kind == 'r') {
            put_raw(b, content);
        } else if (kind == 'E' || kind == 'P') {
            const char body[8] = {0, 0, 0, (char)(content.p[1] - '0'), (char)(content.p[0] - '0')};

            put_record(b, 3, (struct str){body, 8}, kind == 'P' ? 255 : 0);
        } else {
            put_record(b, kind == 'o' || kind == 'O' ? 6 : 7, content,
                       kind == 'O' || kind == 'F' ? 3 : 0);
        }
    }
}

static void expect(const char *name, struct fcgi_transcript_how how, struct str message,
                   const char *said)
{
    for (how.step = 0; how.step < 12; how.step++)
        for (how.mouthful = 0; how.mouthful < 3; how.mouthful++) {
            struct buf b = BUF_INIT(1 << 22);

            fcgi_transcript(&b, message, &how);
            if (strcmp(b.p, said) != 0)
                print_error("%s, %zu at a time, %zu taken\n", name, how.step, how.mouthful);
            assert_string_equal(b.p, said);
            buf_fini(&b);
        }
}

static void keeps_each_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf message = BUF_INIT(1 << 16);

        put_records(&message, rows[i].records);
        expect(rows[i].name,
               (struct fcgi_transcript_how){.max_head = 4096, .is_head = (rows[i].how & HEAD) != 0},
               (struct str){message.len == 0 ? "" : message.p, message.len}, rows[i].said);
        buf_fini(&message);
    }
}

/* A header is as large as it may be, or one byte larger. */
static void bounds_headers(void **state)
{
    static const char records[] = "oA: 0123456789\r\nB: c\r\n\r\nx" OK_END;
    const size_t size = 23;
    struct buf message = BUF_INIT(1 << 16);

    (void)state;
    put_records(&message, records);
    expect("as large as may be", (struct fcgi_transcript_how){.max_head = size}, buf_str(&message),
           "A=0123456789|B=c|(200 -1)x.");
    expect("too large", (struct fcgi_transcript_how){.max_head = size - 1}, buf_str(&message),
           "#the response's header is too large");
    buf_fini(&message);
}

static void bounds_fields(void **state)
{
    struct buf fields = BUF_INIT(1 << 16), message = BUF_INIT(1 << 16), out = BUF_INIT(1 << 16);
    const struct fcgi_transcript_how how = {.max_head = 1 << 16};

    (void)state;
    for (int i = 0; i <= RESPONSE_FIELDS_MAX; i++)
        put(&fields, "A:b\n", 4);
    put(&fields, "\n", 1);
    put_record(&message, 6, buf_str(&fields), 0);
    fcgi_transcript(&out, buf_str(&message), &how);
    assert_true(str_ends(buf_str(&out), STR_LIT("|#the response's header has too many fields")));
    buf_fini(&fields);
    buf_fini(&message);
    buf_fini(&out);
}

/* The largest record, with the largest padding. */
static void takes_large_records(void **state)
{
    const struct fcgi_transcript_how how = {.max_head = 4096, .step = 4099};
    struct buf content = BUF_INIT(1 << 16), message = BUF_INIT(1 << 18), out = BUF_INIT(1 << 18);

    (void)state;
    put(&content, "A:b\n\n", 5);
    while (content.len < FCGI_CONTENT_MAX)
        put(&content, "x", 1);
    put_record(&message, 6, buf_str(&content), 255);
    put_record(&message, 6, buf_str(&content), 255);
    put_records(&message, "E00");
    fcgi_transcript(&out, buf_str(&message), &how);
    assert_int_equal(out.len, strlen("A=b|(200 -1).") + 2 * FCGI_CONTENT_MAX - 5);
    assert_true(str_ends(buf_str(&out), STR_LIT("xx.")));
    buf_fini(&content);
    buf_fini(&message);
    buf_fini(&out);
}

/* The head is told of as soon as it is there, and not when more comes. */
static void tells_the_head_at_once(void **state)
{
    struct buf message = BUF_INIT(1 << 16);
    struct fcgi_response f;
    struct str in;

    (void)state;
    put_records(&message, "oA: b\r\n\r\n");
    in = buf_str(&message);
    fcgi_response_init(&f, false, 4096);
    assert_int_equal(fcgi_response_next(&f, &in), RESPONSE_FIELD);
    assert_int_equal(fcgi_response_next(&f, &in), RESPONSE_HEAD);
    assert_int_equal(in.len, 0);
    assert_int_equal(fcgi_response_next(&f, &in), RESPONSE_MORE);
    fcgi_response_fini(&f);
    buf_fini(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_requests),     cmocka_unit_test(cuts_long_parameters),
        cmocka_unit_test(frames_bodies),       cmocka_unit_test(keeps_each_rule),
        cmocka_unit_test(bounds_headers),      cmocka_unit_test(bounds_fields),
        cmocka_unit_test(takes_large_records), cmocka_unit_test(tells_the_head_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
