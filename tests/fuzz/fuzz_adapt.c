/* Any bytes as a configuration, formatted. What was not refused says the same in its standard form,
 * as "lintel adapt" shows it, and that form is not changed any more. Files cannot be imported: the
 * disk is never looked at. */
#include "conf/format.h"
#include "conf/import_disk.h"
#include "conf/load.h"
#include "server/adapt.h"
#include "server/directives.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* These two are linked in the place of those in conf/import_disk.c. */
int import_disk_glob(struct arena *a, const char *pattern, struct disk_paths *out, struct err *e)
{
    (void)a;
    (void)pattern;
    (void)e;
    *out = (struct disk_paths){NULL, 0};
    return 0;
}

int import_disk_read(const char *path, struct buf *out, struct err *e)
{
    (void)out;
    return err_set(e, ERR_NOT_FOUND, "open %s", path);
}

/* A value of the environment may hold anything, an empty one makes what follows it the start of a
 * word, and comments may stand in a name: tests/fuzz/fuzz_format.c tells more of that. */
static bool has_environment(struct str text)
{
    return memmem(text.p, text.len, "{$", 2) != NULL;
}

/* NULL if it is refused. */
static char *adapt(struct str text)
{
    struct language language = server_language;
    struct conf *conf;
    char *json = NULL;

    language.keep_source = true;
    conf = conf_parse("f", text, &language, NULL, NULL);
    if (conf != NULL)
        json = adapt_json(conf);
    conf_unref(conf);
    return json;
}

static struct str format(struct str text, struct buf *out)
{
    int rc = format_text(text, out);

    assert(rc == 0);
    return buf_str(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size}, once, twice;
    struct buf b1 = BUF_INIT(64 << 20), b2 = BUF_INIT(64 << 20);
    char *before = has_environment(text) ? NULL : adapt(text), *after;

    if (before == NULL)
        return 0;
    once = format(text, &b1);
    twice = format(once, &b2);
    assert(str_eq(once, twice));
    after = adapt(once);
    assert(after != NULL && strcmp(before, after) == 0);
    free(before);
    free(after);
    buf_fini(&b1);
    buf_fini(&b2);
    return 0;
}
