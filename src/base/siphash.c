#include "base/siphash.h"

#include "base/random.h"

struct sip {
    uint64_t v0, v1, v2, v3;
};

void siphash_key_init(struct siphash_key *key)
{
    random_bytes(key->bytes, sizeof key->bytes);
}

/* n bytes, the first one the lowest, whatever the machine's order. */
static uint64_t load(const uint8_t *p, size_t n)
{
    uint64_t x = 0;

    for (size_t i = 0; i < n; i++)
        x |= (uint64_t)p[i] << (8 * i);
    return x;
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void rounds(struct sip *s, unsigned n)
{
    while (n-- > 0) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = rotate(s->v1, 13) ^ s->v0;
        s->v3 = rotate(s->v3, 16) ^ s->v2;
        s->v0 = rotate(s->v0, 32);
        s->v2 += s->v1;
        s->v0 += s->v3;
        s->v1 = rotate(s->v1, 17) ^ s->v2;
        s->v3 = rotate(s->v3, 21) ^ s->v0;
        s->v2 = rotate(s->v2, 32);
    }
}

static void absorb(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    rounds(s, 2);
    s->v0 ^= word;
}

static void start(struct sip *s, const struct siphash_key *key)
{
    uint64_t k0 = load(key->bytes, 8), k1 = load(key->bytes + 8, 8);

    *s = (struct sip){k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
                      k1 ^ 0x7465646279746573};
}

/* The whole text, its last word with the length on top. */
static void absorb_text(struct sip *s, struct str text)
{
    const uint8_t *p = (const uint8_t *)text.p;
    size_t whole = text.len & ~(size_t)7;

    for (size_t i = 0; i < whole; i += 8)
        absorb(s, load(p + i, 8));
    absorb(s,
           (uint64_t)text.len << 56 | (whole == text.len ? 0 : load(p + whole, text.len - whole)));
}

static uint64_t output(struct sip *s)
{
    rounds(s, 4);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t siphash(const struct siphash_key *key, struct str text)
{
    struct sip s;

    start(&s, key);
    absorb_text(&s, text);
    s.v2 ^= 0xff;
    return output(&s);
}

struct siphash128 siphash128(const struct siphash_key *key, struct str text)
{
    struct siphash128 out;
    struct sip s;

    start(&s, key);
    s.v1 ^= 0xee;
    absorb_text(&s, text);
    s.v2 ^= 0xee;
    out.half[0] = output(&s);
    s.v1 ^= 0xdd;
    out.half[1] = output(&s);
    return out;
}
