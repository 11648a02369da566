/* DNS messages (RFC 1035) as far as a stub resolver needs them: a question for the addresses of a
 * name, or for its SRV records (RFC 2782), and what a recursive server answers. Pure functions. */
#ifndef LINTEL_IO_DNS_H
#define LINTEL_IO_DNS_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum dns_type { DNS_A = 1, DNS_AAAA = 28, DNS_SRV = 33 };

enum {
    DNS_NAME_MAX = 253, /* bytes of a name as text, without a dot at its end */
    DNS_QUESTION_MAX = 12 + DNS_NAME_MAX + 2 + 4,
    DNS_RECORDS_MAX = 64, /* of an answer: more are passed over */
    DNS_TEXT_MAX = DNS_NAME_MAX + 1
};

struct dns_record {
    uint16_t priority, weight, port; /* of SRV */
    char target[DNS_TEXT_MAX];       /* of SRV: a name in lower case; else an address, without
                                        brackets */
};

struct dns_records {
    unsigned n;
    struct dns_record list[DNS_RECORDS_MAX];
};

enum dns_result {
    DNS_OK,        /* perhaps without records: the name has none of that type */
    DNS_NO_NAME,   /* there is no such name */
    DNS_TRUNCATED, /* ask again over TCP */
    DNS_FAILED,    /* the server says that it cannot answer */
    DNS_FOREIGN    /* no answer to that question, or none at all: await another */
};

/* Whether a question can be asked about the name: labels of letters, digits, '-' and '_'. A dot at
 * its end is allowed. */
bool dns_is_name(struct str name);

/* Writes the question; returns its length. The name must be one. */
size_t dns_question(uint8_t out[DNS_QUESTION_MAX], uint16_t id, struct str name,
                    enum dns_type type);

/* Reads an answer to it, and appends the records of the name, or of what it is an alias of. Records
 * that are malformed make it DNS_FOREIGN, and nothing is appended. */
enum dns_result dns_answer(const uint8_t *message, size_t len, uint16_t id, struct str name,
                           enum dns_type type, struct dns_records *out);

#endif
