#include "cert/store_layout.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

enum { COMPONENT_MAX = 256 }; /* NAME_MAX of every file system we know, with a NUL */

static const char *const cert_suffix[] = {
    [STORE_CERT_CHAIN] = ".crt", [STORE_CERT_KEY] = ".key", [STORE_CERT_META] = ".json"};
static const char *const account_suffix[] = {
    [STORE_ACCOUNT_JSON] = ".json", [STORE_ACCOUNT_KEY] = ".key"};

struct component {
    char text[COMPONENT_MAX - sizeof ".123456.json.lock.tmp"]; /* leaves room for suffixes */
};

/* What certmagic puts in the place of a character, or NULL. */
static const char *replacement(char c)
{
    switch (c) {
    case ' ':
        return "_";
    case '+':
        return "_plus_";
    case '*':
        return "wildcard_";
    case ':':
        return "-";
    default:
        return NULL;
    }
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '@' || c == '.' ||
           c == '-';
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct str trim(struct str s)
{
    while (s.len > 0 && is_space(s.p[0]))
        s = str_from(s, 1);
    while (s.len > 0 && is_space(s.p[s.len - 1]))
        s.len--;
    return s;
}

/* Two dots in a row can only come up when something between them was dropped ("./."), since ".."
 * itself is taken off: the second is dropped too, so that no result can climb. certmagic lets those
 * through, but no name or address that a CA would take has them. */
static void put(char *out, size_t cap, size_t *n, char c)
{
    if (*n + 1 < cap && !(c == '.' && *n > 0 && out[*n - 1] == '.'))
        out[(*n)++] = c;
}

void store_safe(struct str text, char *out, size_t cap)
{
    size_t n = 0;

    assert(cap > 0);
    text = trim(text);
    for (size_t i = 0; i < text.len; i++) {
        char c = ascii_lower(text.p[i]);
        const char *with = replacement(c);

        if (c == '.' && i + 1 < text.len && text.p[i + 1] == '.')
            i++;
        else if (with != NULL)
            for (; *with != '\0'; with++)
                put(out, cap, &n, *with);
        else if (is_word(c))
            put(out, cap, &n, c);
    }
    out[n] = '\0';
    if (str_is((struct str){out, n}, "."))
        out[0] = '\0';
}

/* A component may not be empty, or it would name its own folder. */
static struct component safe(struct str text)
{
    struct component c;

    store_safe(text, c.text, sizeof c.text);
    if (c.text[0] == '\0')
        c.text[0] = '_', c.text[1] = '\0';
    return c;
}

/* The host, port and path of a URL: https://localhost:14000/dir -> localhost:14000-dir. */
static struct component ca_key(const char *ca)
{
    struct str url = str_of(ca);
    const char *scheme_end = strstr(ca, "://");
    char flat[COMPONENT_MAX];
    size_t n = 0;

    if (scheme_end != NULL)
        url = str_from(url, (size_t)(scheme_end + 3 - ca));
    url.len = str_chr(url, '#');
    url.len = str_chr(url, '?');
    while (url.len > 0 && (url.p[url.len - 1] == '/' || url.p[url.len - 1] == '\\'))
        url.len--;
    for (size_t i = 0; i < url.len && n < sizeof flat; i++)
        flat[n++] = url.p[i] == '/' || url.p[i] == '\\' ? '-' : url.p[i];
    return safe((struct str){flat, n});
}

static struct store_key PRINTF_LIKE(1, 2) make(const char *fmt, ...)
{
    struct store_key key;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(key.text, sizeof key.text, fmt, ap);
    va_end(ap);
    assert(n > 0 && (size_t)n < sizeof key.text); /* at most 4 components of less than 256 */
    return key;
}

struct store_key store_cert_folder(const char *ca, const char *name)
{
    return make("certificates/%s/%s", ca_key(ca).text, safe(str_of(name)).text);
}

struct store_key store_cert_key(const char *ca, const char *name, enum store_cert_part part)
{
    struct component leaf = safe(str_of(name));

    return make("certificates/%s/%s/%s%s", ca_key(ca).text, leaf.text, leaf.text,
                cert_suffix[part]);
}

/* What stands before the "@"; what follows it if it comes first; else all. */
static struct str email_user(struct str email)
{
    size_t at = str_chr(email, '@');

    return at == 0 && email.len > 0 ? str_from(email, 1) : (struct str){email.p, at};
}

struct store_key store_account_key(const char *ca, const char *email, enum store_account_part part)
{
    static const char *const unnamed[] = {
        [STORE_ACCOUNT_JSON] = "registration", [STORE_ACCOUNT_KEY] = "private"};
    struct str address = str_of(email[0] == '\0' ? "default" : email);
    struct str user = email_user(address);

    if (user.len == 0)
        user = str_of(unnamed[part]);
    return make("acme/%s/users/%s/%s%s", ca_key(ca).text, safe(address).text, safe(user).text,
                account_suffix[part]);
}

struct store_key store_retry_key(const char *ca, const char *name)
{
    return make("retry/%s/%s.json", ca_key(ca).text, safe(str_of(name)).text);
}

struct store_key store_lock_issue(const char *name)
{
    return make("issue_cert_%s", safe(str_of(name)).text);
}

struct store_key store_lock_account(const char *ca, const char *email)
{
    return make("register_acme_account_%s_%s", ca_key(ca).text,
                safe(str_of(email[0] == '\0' ? "default" : email)).text);
}

struct store_key store_lock_local_ca(void)
{
    return make("local_ca");
}
