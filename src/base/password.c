#include "base/password.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "base/random.h"

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef HAVE_ARGON2
#include <argon2.h>
#endif

/* ---- bcrypt: "$2b$14$", 22 characters of salt, 31 of digest ---- */

enum {
    BCRYPT_PREFIX = 7,
    BCRYPT_SALT = 22,
    BCRYPT_SETTING = BCRYPT_PREFIX + BCRYPT_SALT,
    BCRYPT_LEN = BCRYPT_SETTING + 31,
    SALT_BYTES = 16
};

static const char bcrypt_digits[] =
    "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

static bool has_only(struct str s, const char *bytes)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] == '\0' || strchr(bytes, s.p[i]) == NULL)
            return false;
    return true;
}

static int bcrypt_check(struct str text, struct err *e)
{
    uint64_t cost;

    if (text.len != BCRYPT_LEN || memcmp(text.p, "$2", 2) != 0 ||
        strchr("aby", text.p[2]) == NULL || text.p[3] != '$' || text.p[6] != '$' ||
        !str_to_uint((struct str){text.p + 4, 2}, 99, &cost) ||
        !has_only(str_from(text, BCRYPT_PREFIX), bcrypt_digits))
        return err_set(e, ERR_SYNTAX, "this is no bcrypt hash");
    if (cost < PASSWORD_BCRYPT_COST_MIN || cost > PASSWORD_BCRYPT_COST_MAX)
        return err_set(e, ERR_LIMIT, "the cost of a bcrypt hash is %d to %d, not %u",
                       PASSWORD_BCRYPT_COST_MIN, PASSWORD_BCRYPT_COST_MAX, (unsigned)cost);
    return 0;
}

/* Runs crypt_r() with the setting at the start of hash. False if it cannot. $2a$ and $2b$ are
 * computed as $2y$, which is the same function: for $2a$ some libraries change the result of rare
 * passwords, and not all know $2b$. */
static bool bcrypt_run(const char *hash, struct str password, char digest[BCRYPT_LEN + 1])
{
    struct crypt_data *data = xalloc(sizeof *data);
    char key[PASSWORD_BCRYPT_MAX + 1], setting[BCRYPT_SETTING + 1];
    size_t len = password.len < PASSWORD_BCRYPT_MAX ? password.len : PASSWORD_BCRYPT_MAX;
    const char *result;
    bool ok;

    memcpy(setting, hash, BCRYPT_SETTING);
    setting[2] = 'y';
    setting[BCRYPT_SETTING] = '\0';
    memcpy(mempcpy(key, password.p, len), "", 1);
    result = crypt_r(key, setting, data);
    ok = result != NULL && strlen(result) == BCRYPT_LEN;
    if (ok)
        memcpy(digest, result, BCRYPT_LEN + 1);
    explicit_bzero(key, sizeof key);
    explicit_bzero(data, sizeof *data);
    free(data);
    return ok;
}

static enum password_answer bcrypt_answer(const char *hash, struct str password)
{
    char got[BCRYPT_LEN + 1];
    /* For crypt_r() a password ends at a NUL: one that holds it has no hash. */
    bool whole = memchr(password.p, '\0', password.len) == NULL;

    if (!bcrypt_run(hash, password, got))
        return PASSWORD_UNKNOWN;
    return str_eq_secret(str_of(got + BCRYPT_SETTING), str_of(hash + BCRYPT_SETTING)) && whole
               ? PASSWORD_RIGHT
               : PASSWORD_WRONG;
}

static void bcrypt_setting(unsigned cost, char out[BCRYPT_SETTING + 1])
{
    uint8_t salt[SALT_BYTES];
    unsigned bits = 0;
    uint32_t acc = 0;
    char *at = out + snprintf(out, BCRYPT_PREFIX + 1, "$2a$%02u$", cost);

    random_bytes(salt, sizeof salt);
    for (size_t i = 0; i < sizeof salt; i++) {
        acc = acc << 8 | salt[i];
        for (bits += 8; bits >= 6; bits -= 6)
            *at++ = bcrypt_digits[acc >> (bits - 6) & 63];
    }
    *at++ = bcrypt_digits[acc << (6 - bits) & 63];
    *at = '\0';
}

static int bcrypt_hash(struct str password, unsigned cost, char out[PASSWORD_HASH_MAX],
                       struct err *e)
{
    char setting[BCRYPT_SETTING + 1];

    if (cost < PASSWORD_BCRYPT_COST_MIN || cost > PASSWORD_BCRYPT_COST_MAX)
        return err_set(e, ERR_INVALID, "the cost of bcrypt is %d to %d", PASSWORD_BCRYPT_COST_MIN,
                       PASSWORD_BCRYPT_COST_MAX);
    if (password.len > PASSWORD_BCRYPT_MAX)
        return err_set(e, ERR_INVALID,
                       "bcrypt looks at the first %d bytes of a password only; this one is longer",
                       PASSWORD_BCRYPT_MAX);
    if (memchr(password.p, '\0', password.len) != NULL)
        return err_set(e, ERR_INVALID, "a password for bcrypt holds no NUL");
    bcrypt_setting(cost, setting);
    if (!bcrypt_run(setting, password, out))
        return err_sys(e, "crypt_r");
    out[2] = 'a'; /* what every program can read */
    return 0;
}

/* ---- argon2id: "$argon2id$v=19$m=47104,t=1,p=1$SALT$DIGEST" ---- */

#ifdef HAVE_ARGON2

enum {
    ARGON2_MEMORY = 46 * 1024, /* KiB; this and the next three as Caddy */
    ARGON2_PASSES = 1,
    ARGON2_LANES = 1,
    ARGON2_DIGEST = 32,
    ARGON2_MEMORY_MAX = 256 * 1024,
    ARGON2_LANES_MAX = 16,
    ARGON2_WORK_MAX = 1024 * 1024, /* memory times passes: KiB */
    ARGON2_BYTES_MAX = 64          /* of a salt, and of a digest */
};

static bool take_number(struct str *rest, const char *prefix, char end, uint64_t *value)
{
    struct str number = str_cut(rest, end);

    return str_starts(number, str_of(prefix)) &&
           str_to_uint(str_from(number, strlen(prefix)), UINT32_MAX, value);
}

/* Base64 without padding, as libargon2 wants it. */
static bool is_base64(struct str s, size_t min_bytes)
{
    char padded[BASE64URL_LEN(ARGON2_BYTES_MAX) + 4];
    uint8_t bytes[ARGON2_BYTES_MAX];
    size_t len = s.len;

    if (s.len > BASE64URL_LEN(ARGON2_BYTES_MAX) || s.len == 0 || memchr(s.p, '=', s.len) != NULL)
        return false;
    memcpy(padded, s.p, s.len);
    while (len % 4 != 0)
        padded[len++] = '=';
    return base64_decode((struct str){padded, len}, bytes, sizeof bytes, &len) && len >= min_bytes;
}

static int argon2id_check(struct str text, struct err *e)
{
    const struct str prefix = STR_LIT("$argon2id$v=19$");
    struct str rest = text;
    uint64_t memory, passes, lanes;

    if (text.len >= PASSWORD_HASH_MAX || !str_starts(text, prefix))
        return err_set(e, ERR_SYNTAX, "this is no argon2id hash of version 19");
    rest = str_from(rest, prefix.len);
    if (!take_number(&rest, "m=", ',', &memory) || !take_number(&rest, "t=", ',', &passes) ||
        !take_number(&rest, "p=", '$', &lanes) || rest.p == NULL ||
        !is_base64(str_cut(&rest, '$'), ARGON2_MIN_SALT_LENGTH) || rest.p == NULL ||
        !is_base64(rest, 16))
        return err_set(e, ERR_SYNTAX, "an argon2id hash is $argon2id$v=19$m=N,t=N,p=N$SALT$DIGEST");
    if (passes == 0 || lanes == 0 || lanes > ARGON2_LANES_MAX || memory < 8 * lanes ||
        memory > ARGON2_MEMORY_MAX || memory * passes > ARGON2_WORK_MAX)
        return err_set(
            e, ERR_LIMIT,
            "an argon2id hash has p from 1 to %d, m (KiB) from 8 times p to %d, and t from "
            "1 so that m times t is at most %d",
            ARGON2_LANES_MAX, ARGON2_MEMORY_MAX, ARGON2_WORK_MAX);
    return 0;
}

static enum password_answer argon2id_answer(const char *hash, struct str password)
{
    switch (argon2id_verify(hash, password.p, password.len)) {
    case ARGON2_OK:
        return PASSWORD_RIGHT;
    case ARGON2_VERIFY_MISMATCH:
        return PASSWORD_WRONG;
    default:
        return PASSWORD_UNKNOWN;
    }
}

static int argon2id_hash(struct str password, char out[PASSWORD_HASH_MAX], struct err *e)
{
    uint8_t salt[SALT_BYTES];
    int rc;

    random_bytes(salt, sizeof salt);
    rc = argon2id_hash_encoded(ARGON2_PASSES, ARGON2_MEMORY, ARGON2_LANES, password.p, password.len,
                               salt, sizeof salt, ARGON2_DIGEST, out, PASSWORD_HASH_MAX);
    return rc == ARGON2_OK ? 0 : err_set(e, ERR_IO, "argon2id: %s", argon2_error_message(rc));
}

#else

static int argon2id_check(struct str text, struct err *e)
{
    (void)text;
    return err_set(e, ERR_INVALID, "this lintel was built without libargon2: use bcrypt");
}

static enum password_answer argon2id_answer(const char *hash, struct str password)
{
    (void)hash;
    (void)password;
    return PASSWORD_UNKNOWN;
}

static int argon2id_hash(struct str password, char out[PASSWORD_HASH_MAX], struct err *e)
{
    (void)out;
    return argon2id_check(password, e);
}

#endif

/* ---- both ---- */

bool password_algorithm_of(struct str name, enum password_algorithm *a)
{
    *a = str_is(name, "argon2id") ? PASSWORD_ARGON2ID : PASSWORD_BCRYPT;
    return *a == PASSWORD_ARGON2ID || str_is(name, "bcrypt");
}

int password_check(enum password_algorithm a, struct str text, struct err *e)
{
    return a == PASSWORD_ARGON2ID ? argon2id_check(text, e) : bcrypt_check(text, e);
}

enum password_answer password_verify(const char *hash, struct str password)
{
    if (password.len == 0)
        password.p = "";
    return hash[1] == 'a' ? argon2id_answer(hash, password) : bcrypt_answer(hash, password);
}

int password_hash(enum password_algorithm a, struct str password, unsigned cost,
                  char out[PASSWORD_HASH_MAX], struct err *e)
{
    if (password.len == 0)
        return err_set(e, ERR_INVALID, "the password is empty");
    return a == PASSWORD_ARGON2ID ? argon2id_hash(password, out, e)
                                  : bcrypt_hash(password, cost, out, e);
}
