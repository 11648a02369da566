/* SipHash against the vectors of its authors. */
#include "base/alloc.h"
#include "base/siphash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* Of the texts 00 01 02 ... of so many bytes, under the key 00 01 ... 0f; bytes of the output as a
 * little-endian number. */
static const struct {
    size_t len;
    uint64_t hash;
    struct siphash128 hash128;
} vectors[] = {
    {0, 0x726fdb47dd0e0e31, {{0xe6a825ba047f81a3, 0x930255c71472f66d}}},
    {1, 0x74f839c593dc67fd, {{0x44af996bd8c187da, 0x45fc229b11597634}}},
    {7, 0xab0200f58b01d137, {{0x53c1dbd8beebf1a1, 0x3982f01fa64ab8c0}}},
    {8, 0x93f5f5799a932462, {{0x61f55862baa9623b, 0xb49714f364e2830f}}},
    {9, 0x9e0082df0ba9e4b0, {{0xabbad90a06994426, 0xed716dbb028b7fc4}}},
    {15, 0xa129ca6149be45e5, {{0x11a8b03399e99354, 0xd9c3cf970fec087e}}},
    {16, 0x3f2acc7f57c29bdb, {{0xbb54b067caa4e26e, 0x77052385bf1533fd}}},
    {63, 0x958a324ceb064572, {{0x4a83502f77d15051, 0x7cbd3f979a063e50}}},
};

static void has_the_values_of_the_reference(void **state)
{
    struct siphash_key key;
    uint8_t text[64];

    (void)state;
    for (size_t i = 0; i < sizeof key.bytes; i++)
        key.bytes[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)i;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        struct str s = {(const char *)text, vectors[i].len};
        struct siphash128 got = siphash128(&key, s);

        assert_true(siphash(&key, s) == vectors[i].hash);
        assert_true(got.half[0] == vectors[i].hash128.half[0]);
        assert_true(got.half[1] == vectors[i].hash128.half[1]);
    }
    assert_true(siphash(&key, (struct str){NULL, 0}) == vectors[0].hash);
}

static void depends_on_the_key(void **state)
{
    struct siphash_key a, b;

    (void)state;
    siphash_key_init(&a);
    siphash_key_init(&b);
    assert_true(siphash(&a, STR_LIT("text")) != siphash(&b, STR_LIT("text")));
    assert_true(siphash(&a, STR_LIT("text")) == siphash(&a, STR_LIT("text")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_values_of_the_reference),
        cmocka_unit_test(depends_on_the_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
