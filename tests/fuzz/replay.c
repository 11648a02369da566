/* A main for a fuzz target that runs it once on each file named, for compilers without libFuzzer.
 */
#include "base/alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay(FILE *f)
{
    static uint8_t input[INPUT_MAX];
    size_t size = fread(input, 1, sizeof(input), f);
    uint8_t *exact = xalloc(size > 0 ? size : 1); /* so that a sanitizer sees a read past the end */

    memcpy(exact, input, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");

        if (f == NULL) {
            perror(argv[i]);
            return 1;
        }
        fprintf(stderr, "%s\n", argv[i]);
        replay(f);
        fclose(f);
    }
    return 0;
}
