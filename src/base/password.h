/* Password hashes: bcrypt by the C library's crypt_r(), argon2id by libargon2 where that was there
 * when this was built. Any thread, but not a worker's: hashing takes long on purpose. */
#ifndef LINTEL_BASE_PASSWORD_H
#define LINTEL_BASE_PASSWORD_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

enum password_algorithm { PASSWORD_BCRYPT, PASSWORD_ARGON2ID };

enum {
    PASSWORD_HASH_MAX = 256,  /* bytes of a hash as text, the NUL included */
    PASSWORD_BCRYPT_MAX = 72, /* bytes of a password that count: bcrypt ignores what follows */
    PASSWORD_BCRYPT_COST_MIN = 4,
    PASSWORD_BCRYPT_COST_DEFAULT = 14, /* as Caddy */
    PASSWORD_BCRYPT_COST_MAX = 16
};

/* "bcrypt" or "argon2id"; false if it is another word. */
bool password_algorithm_of(struct str name, enum password_algorithm *a);

/* Whether text is the hash of a password by a, whole and of a cost that a server can bear. Returns
 * 0, or -1 with *e set: ERR_SYNTAX if it is none, ERR_LIMIT if it costs too much, ERR_INVALID if a
 * is not there. The text is not repeated in the message. */
MUST_CHECK int password_check(enum password_algorithm a, struct str text, struct err *e);

enum password_answer {
    PASSWORD_WRONG,
    PASSWORD_RIGHT,
    PASSWORD_UNKNOWN /* it cannot be computed now: memory is short */
};

/* Whether password has that hash, which passed password_check(). Takes as long whatever the answer
 * is. Blocks: a tenth of a second, or seconds at the highest costs. */
enum password_answer password_verify(const char *hash, struct str password);

/* Writes a new hash, with a salt of its own. cost: of bcrypt. Returns 0, or -1 with *e set:
 * ERR_INVALID for a password or cost that the algorithm cannot take. Blocks. */
MUST_CHECK int password_hash(enum password_algorithm a, struct str password, unsigned cost,
                             char out[PASSWORD_HASH_MAX], struct err *e);

#endif
