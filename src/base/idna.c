#include "base/idna.h"

#ifdef HAVE_IDN2
#include <idn2.h>
#endif

enum { INPUT_MAX = 4 * IDNA_NAME_MAX }; /* a character of UTF-8 has at most four bytes */

bool idna_is_international(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.p[i] >= 0x80)
            return true;
    return false;
}

#ifdef HAVE_IDN2

int idna_to_ascii(struct str name, char out[IDNA_NAME_MAX + 1], struct err *e)
{
    char input[INPUT_MAX + 1], *ascii = NULL;
    int rc;

    if (name.len > INPUT_MAX)
        return err_set(e, ERR_INVALID, "a host name is longer than %d bytes", IDNA_NAME_MAX);
    memcpy(input, name.p, name.len);
    input[name.len] = '\0';
    rc = idn2_to_ascii_8z(input, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (rc != IDN2_OK)
        return err_set(e, ERR_INVALID, "this is no international host name: %s", idn2_strerror(rc));
    if (strlen(ascii) <= IDNA_NAME_MAX)
        memcpy(out, ascii, strlen(ascii) + 1);
    else
        rc = err_set(e, ERR_INVALID, "a host name is longer than %d bytes", IDNA_NAME_MAX);
    idn2_free(ascii);
    return rc;
}

const char *idna_version(void)
{
    return idn2_check_version(NULL);
}

#else

int idna_to_ascii(struct str name, char out[IDNA_NAME_MAX + 1], struct err *e)
{
    (void)name;
    out[0] = '\0';
    return err_set(e, ERR_INVALID,
                   "this lintel was built without libidn2: write the host name in its ASCII form "
                   "('xn--...')");
}

const char *idna_version(void)
{
    return NULL;
}

#endif
