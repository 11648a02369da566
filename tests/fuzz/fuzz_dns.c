/* Answers of DNS servers: any bytes, as answers to each kind of question. What is taken from them
 * is fit to be an address, and appended to what is there. The first byte says how much there is. */
#include "io/dns.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct dns_record *r, enum dns_type type)
{
    const struct str target = {r->target, strnlen(r->target, sizeof r->target)};

    if (target.len == sizeof r->target || target.len == 0)
        abort();
    if (type == DNS_SRV && (!dns_is_name(target) || r->port == 0))
        abort();
    if (type != DNS_SRV && strspn(r->target, "0123456789abcdef:.") != target.len)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA, DNS_SRV};

    if (size == 0)
        return 0;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct dns_records records = {.n = data[0] % (DNS_RECORDS_MAX + 1)};
        const unsigned before = records.n;
        enum dns_result result =
            dns_answer(data + 1, size - 1, 0x1234, STR_LIT("a.test"), types[i], &records);

        if (records.n < before || records.n > DNS_RECORDS_MAX ||
            (result != DNS_OK && records.n != before))
            abort();
        for (unsigned k = before; k < records.n; k++)
            check(&records.list[k], types[i]);
    }
    return 0;
}
