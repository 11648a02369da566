#include "cert/jdoc.h"

#include "base/alloc.h"

#include <assert.h>
#include <limits.h>

/* Whether only white space (RFC 8259 2) follows what the parser took. */
static bool only_space(struct str rest)
{
    for (size_t i = 0; i < rest.len; i++)
        if (rest.p[i] != ' ' && rest.p[i] != '\t' && rest.p[i] != '\r' && rest.p[i] != '\n')
            return false;
    return true;
}

struct json_object *jdoc_parse(struct str text, struct err *e)
{
    struct json_tokener *tok;
    struct json_object *o;
    bool whole;

    if (text.len == 0 || text.len > INT_MAX) {
        err_set(e, ERR_SYNTAX, "no JSON text");
        return NULL;
    }
    tok = json_tokener_new_ex(JDOC_DEPTH_MAX);
    if (tok == NULL) {
        err_set(e, ERR_LIMIT, "no memory for JSON");
        return NULL;
    }
    json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
    o = json_tokener_parse_ex(tok, text.p, (int)text.len);
    if (o == NULL)
        err_set(e, ERR_SYNTAX, "not JSON: %s",
                json_tokener_error_desc(json_tokener_get_error(tok)));
    whole = o != NULL && only_space(str_from(text, json_tokener_get_parse_end(tok)));
    json_tokener_free(tok);
    if (o != NULL && (!whole || !json_object_is_type(o, json_type_object))) {
        json_object_put(o);
        err_set(e, ERR_SYNTAX, "not one JSON object");
        return NULL;
    }
    return o;
}

static struct json_object *member(struct json_object *o, const char *name, enum json_type type)
{
    struct json_object *value;

    if (!json_object_object_get_ex(o, name, &value) || !json_object_is_type(value, type))
        return NULL;
    return value;
}

static struct str text_of(struct json_object *value)
{
    if (value == NULL)
        return (struct str){NULL, 0};
    return (struct str){json_object_get_string(value), (size_t)json_object_get_string_len(value)};
}

struct str jdoc_str(struct json_object *o, const char *name)
{
    return text_of(member(o, name, json_type_string));
}

struct json_object *jdoc_object(struct json_object *o, const char *name)
{
    return member(o, name, json_type_object);
}

struct json_object *jdoc_array(struct json_object *o, const char *name)
{
    return member(o, name, json_type_array);
}

bool jdoc_bool(struct json_object *o, const char *name)
{
    struct json_object *value = member(o, name, json_type_boolean);

    return value != NULL && json_object_get_boolean(value);
}

int64_t jdoc_int(struct json_object *o, const char *name, int64_t fallback)
{
    struct json_object *value = member(o, name, json_type_int);

    return value == NULL ? fallback : json_object_get_int64(value);
}

struct str jdoc_str_at(struct json_object *array, size_t i)
{
    struct json_object *value = json_object_array_get_idx(array, i);

    return text_of(json_object_is_type(value, json_type_string) ? value : NULL);
}

int jdoc_write(struct json_object *o, struct buf *out, struct err *e)
{
    const char *text =
        json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    int rc = text == NULL ? -1 : buf_puts(out, text);

    json_object_put(o);
    return rc == 0 ? 0 : err_set(e, ERR_LIMIT, "JSON text longer than %zu bytes", out->max);
}

void jdoc_add_str(struct json_object *o, const char *name, struct str s)
{
    assert(s.len <= INT_MAX);
    json_object_object_add(o, name, json_object_new_string_len(s.len == 0 ? "" : s.p, (int)s.len));
}

const char *jdoc_version(void)
{
    return json_c_version();
}
