/* An Accept-Encoding field: what is chosen must be what a slow and simple reading of RFC
 * 9110 12.5.3 finds. */
#include "base/alloc.h"
#include "http/accept_encoding.h"

#include <assert.h>
#include <regex.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CODINGS = 3 };
static const char *const names[CODINGS] = {"zstd", "br", "gzip"};

/* The weight of one element for a coding in thousandths, or -1 if it is about another one or does
 * not follow the grammar. */
static int weight_in(const char *element, const char *coding)
{
    static regex_t grammar;
    static bool compiled;
    regmatch_t m[6];
    char *name;
    bool same;

    if (!compiled)
        compiled = regcomp(&grammar,
                           "^[ \t]*([^; \t]([^;]*[^; \t])?)[ \t]*"
                           "(;[ \t]*[qQ]=((0(\\.[0-9]{0,3})?)|1(\\.0{0,3})?)[ \t]*)?$",
                           REG_EXTENDED) == 0;
    assert(compiled);
    if (regexec(&grammar, element, ARRAY_LEN(m), m, 0) != 0)
        return -1;
    name = xstrndup(element + m[1].rm_so, (size_t)(m[1].rm_eo - m[1].rm_so));
    same = strcasecmp(name, coding) == 0 ||
           (strcmp(coding, "gzip") == 0 && strcasecmp(name, "x-gzip") == 0);
    free(name);
    if (!same)
        return -1;
    return m[4].rm_so == -1 ? 1000 : (int)(strtod(element + m[4].rm_so, NULL) * 1000 + 0.5);
}

/* That of the first element about it. */
static int weight_of(char *const *elements, size_t n, const char *coding)
{
    for (size_t i = 0; i < n; i++)
        if (weight_in(elements[i], coding) >= 0)
            return weight_in(elements[i], coding);
    return -1;
}

/* Cuts a field in place at each comma that is outside of quotation marks. */
static size_t cut_list(char *field, char **elements)
{
    size_t n = 0;
    bool quoted = false;

    elements[n++] = field;
    for (char *c = field; *c != '\0'; c++) {
        if (quoted && *c == '\\' && c[1] != '\0') {
            c++;
        } else if (*c == '"') {
            quoted = !quoted;
        } else if (*c == ',' && !quoted) {
            *c = '\0';
            elements[n++] = c + 1;
        }
    }
    return n;
}

/* What a client wants that says this: CODINGS for content as it is. */
static size_t choose(char *const *elements, size_t n)
{
    const int any = weight_of(elements, n, "*");
    int weights[CODINGS + 1], best = 0;

    for (size_t i = 0; i <= CODINGS; i++) {
        weights[i] = weight_of(elements, n, i < CODINGS ? names[i] : "identity");
        if (weights[i] == -1)
            weights[i] = any == -1 ? 0 : any;
        best = weights[i] > best ? weights[i] : best;
    }
    for (size_t i = 0; i < CODINGS; i++)
        if (best > 0 && weights[i] == best)
            return i;
    return CODINGS;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct str codings[CODINGS] = {STR_LIT("zstd"), STR_LIT("br"), STR_LIT("gzip")};
    const struct str field = {(const char *)data, size};
    char *copy, **elements;

    if (size == 0 || memchr(data, '\0', size) != NULL)
        return 0; /* no field has a NUL */
    copy = xstrndup(field.p, field.len);
    elements = xrealloc_array(NULL, size + 1, sizeof *elements);
    assert(accept_encoding_choose(field, codings, CODINGS) ==
           choose(elements, cut_list(copy, elements)));
    free(elements);
    free(copy);
    return 0;
}
