/* SipHash-2-4 (Aumasson and Bernstein, 2012): a hash under a secret key. Whoever does not know the
 * key can neither choose texts that collide nor tell a text from its hash. For tables whose keys a
 * peer chooses, and as a short MAC. Pure functions. */
#ifndef LINTEL_BASE_SIPHASH_H
#define LINTEL_BASE_SIPHASH_H

#include "base/str.h"

#include <stdint.h>

struct siphash_key {
    uint8_t bytes[16];
};

/* A key of its own, random. */
void siphash_key_init(struct siphash_key *key);

/* The 64 bits of one text. */
uint64_t siphash(const struct siphash_key *key, struct str text);

/* 128 bits of one text: the variant with two outputs. */
struct siphash128 {
    uint64_t half[2];
};

struct siphash128 siphash128(const struct siphash_key *key, struct str text);

#endif
