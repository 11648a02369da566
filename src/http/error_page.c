#include "http/error_page.h"

/* One form of the page: its type, and a text with the status and its phrase put in twice. */
struct form {
    const char *accept;
    struct str content_type;
    const char *text;
};

static const struct form forms[] = {
    {"text/html",
     {"text/html; charset=utf-8", 24},
     "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
     "<meta name=\"viewport\" content=\"width=device-width\">"
     "<meta name=\"color-scheme\" content=\"light dark\"><title>%1$d %2$s</title></head>\n"
     "<body style=\"font-family:system-ui,sans-serif;margin:20vh auto;max-width:30em;padding:0 "
     "1em\">"
     "<h1>%1$d</h1><p>%2$s</p></body></html>\n"},
    {"application/json", {"application/json", 16}, "{\"status\":%1$d,\"error\":\"%2$s\"}\n"},
};
static const struct form plain = {NULL, {"text/plain; charset=utf-8", 25}, "%1$d %2$s\n"};

/* The first form whose media type the client names; text for all others. */
static const struct form *form_for(const struct exchange *ex)
{
    struct str accept = fields_joined(&ex->request, ex->arena, STR_LIT("accept"));
    struct str element;

    while (str_list_next(&accept, &element)) {
        struct str type = str_trim(str_cut(&element, ';'));

        for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
            if (str_eq_nocase(type, str_of(forms[i].accept)))
                return &forms[i];
    }
    return &plain;
}

void error_page_respond(struct exchange *ex, int status)
{
    const struct form *form = form_for(ex);

    fields_set(&ex->response, ex->arena, STR_LIT("Content-Type"), form->content_type);
    exchange_respond_bytes(ex, status,
                           arena_printf(ex->arena, form->text, status, status_phrase(status)));
}
