/* The ClientHello parser: any bytes, in memory of exactly their size; a prefix of what is a hello
 * is never refused, so that the way TCP cuts it does not matter. */
#include "server/client_hello.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct client_hello hello;
    enum hello_verdict verdict = client_hello_parse(data, size, &hello);

    if (strlen(hello.sni) != hello.sni_len || (verdict != HELLO_OK && hello.max_version != 0))
        abort();
    if (verdict != HELLO_OK)
        return 0;
    for (size_t len = 0; len < size; len += 1 + len / 8) {
        verdict = client_hello_parse(data, len, &hello);
        if (verdict != HELLO_MORE && verdict != HELLO_OK)
            abort();
    }
    return 0;
}
