#include "http/error_page.h"

#include "base/alloc.h"
#include "http/accept.h"
#include "http/prepared.h"
#include "http/service.h"
#include "http/www_pages.h"

#include <assert.h>
#include <stdlib.h>

enum { STATUS_MIN = 400, STATUS_MAX = 599, FORMS = 4 };

/* What a client may have, the first if it has no wish. Both of JSON are RFC 9457's; most clients of
 * an API ask for the plain type. */
static const struct str media_types[FORMS] = {
    STR_LIT("text/plain"),
    STR_LIT("text/html"),
    STR_LIT("application/json"),
    STR_LIT("application/problem+json"),
};

/* Scripts, frames and whatever is not the page's own are not for it; the icon is the site's. The
 * hash is that of the style in www/error.html: test_error_page says what it has to be. */
#define POLICY                                                                                     \
    "default-src 'none'; img-src 'self'; base-uri 'none'; form-action 'none'; "                    \
    "style-src 'sha256-aR5lfY9encKlSXlvtP7Gly+2+YMU/n7G5qVgGsCIcpc='"

#define JSON "{\"title\":\"%phrase%\",\"status\":%status%}\n"

/* %status%, %phrase% and %advice% in the text stand for those. */
static const struct form {
    struct str content_type;
    struct str text; /* p == NULL: the page of www/ */
    struct str policy;
} forms[FORMS] = {
    {STR_LIT("text/plain; charset=utf-8"), STR_LIT("%status% %phrase%\n"), {NULL, 0}},
    {STR_LIT("text/html; charset=utf-8"), {NULL, 0}, STR_LIT(POLICY)},
    {STR_LIT("application/json"), STR_LIT(JSON), {NULL, 0}},
    {STR_LIT("application/problem+json"), STR_LIT(JSON), {NULL, 0}},
};

struct error_pages {
    struct prepared *ready[STATUS_MAX - STATUS_MIN + 1][FORMS]; /* NULL: not sent yet */
};

/* What a visitor can do: one plain sentence or two, as HTML. */
static const struct {
    int status;
    const char *advice;
} advices[] = {
    {400, "The server could not understand this request. Check the address, or go back."},
    {401, "This page is for those who sign in. Reload it to enter your name and password."},
    {403, "You are not allowed to see this page. If you should be, ask the owner of the site."},
    {404, "There is nothing at this address. Check it, or start from the <a href=\"/\">front "
          "page</a>."},
    {405, "This address cannot be used in that way. Go back, or start from the <a href=\"/\">front "
          "page</a>."},
    {408, "The request took too long to arrive. Check your connection and try again."},
    {410, "What was here has been removed. Start from the <a href=\"/\">front page</a>."},
    {413, "What you sent is too large for this site. Try again with less."},
    {414, "This address is too long. Try a shorter one."},
    {415, "This site cannot use that kind of file. Try another one."},
    {421, "This connection is for another site. Close the browser&rsquo;s window and try again."},
    {425, "The request came too early. Reload the page."},
    {429, "Too many requests came in a short time. Wait a moment, then try again."},
    {431, "The browser sent too much with this request. Delete the cookies of this site and try "
          "again."},
    {451, "This page may not be shown, for legal reasons."},
    {502, "The service behind this site did not answer as it should. Try again in a moment."},
    {503, "This site is busy or being looked after. Try again in a moment."},
    {504, "The service behind this site took too long to answer. Try again in a moment."},
    /* The rest of a class, last. */
    {4, "The server did not accept this request. Check the address, or go back."},
    {5, "Something went wrong on the server. Try again later; if it stays so, tell the owner of "
        "the site."},
};

static const char *advice_for(int status)
{
    for (size_t i = 0; i < ARRAY_LEN(advices); i++)
        if (advices[i].status == status || advices[i].status == status / 100)
            return advices[i].advice;
    return "";
}

static struct str fill_in(struct arena *a, struct str text, int status)
{
    const char *phrase = status_phrase(status);
    const struct {
        struct str mark;
        struct str value;
    } words[] = {
        {STR_LIT("%status%"), arena_printf(a, "%d", status)},
        {STR_LIT("%phrase%"), str_of(phrase[0] == '\0' ? "Error" : phrase)},
        {STR_LIT("%advice%"), str_of(advice_for(status))},
    };
    struct str out = {arena_bytes(a, 0), 0};

    while (text.len > 0) {
        struct str piece = {text.p, 1 + str_chr(str_from(text, 1), '%')};
        struct str value = piece;

        for (size_t i = 0; i < ARRAY_LEN(words); i++)
            if (str_starts(text, words[i].mark)) {
                piece.len = words[i].mark.len;
                value = words[i].value;
            }
        out = arena_printf(a, STR_FMT STR_FMT, STR_ARG(out), STR_ARG(value));
        text = str_from(text, piece.len);
    }
    return out;
}

static struct prepared *make(int status, const struct form *form)
{
    struct arena *scratch = arena_new();
    struct str text = form->text.p == NULL ? www_error_html : form->text;
    struct prepared *p = prepared_new(status, fill_in(scratch, text, status));

    arena_free(scratch);
    fields_add(&p->fields, p->arena, STR_LIT("Content-Type"), form->content_type);
    fields_add(&p->fields, p->arena, STR_LIT("Vary"), STR_LIT("Accept"));
    fields_add(&p->fields, p->arena, STR_LIT("X-Content-Type-Options"), STR_LIT("nosniff"));
    if (form->policy.len > 0)
        fields_add(&p->fields, p->arena, STR_LIT("Content-Security-Policy"), form->policy);
    return p;
}

struct error_pages *error_pages_new(void)
{
    return xalloc(sizeof(struct error_pages));
}

void error_pages_free(struct error_pages *pages)
{
    if (pages == NULL)
        return;
    for (size_t i = 0; i < ARRAY_LEN(pages->ready); i++)
        for (size_t k = 0; k < FORMS; k++)
            prepared_unref(pages->ready[i][k]);
    free(pages);
}

/* What handlers have said of the answer they meant is not true of this one; what it depends on may
 * still have decided that there is an error. */
static void tidy_fields(struct exchange *ex)
{
    static const struct str vary = STR_LIT("Vary"), accept = STR_LIT("Accept");
    struct str value = fields_joined(&ex->response, ex->arena, vary);

    fields_remove(&ex->response, STR_LIT("Content-Type"));
    if (value.len > 0 && !fields_has_token(&ex->response, vary, accept) &&
        !fields_has_token(&ex->response, vary, STR_LIT("*")))
        fields_set(&ex->response, ex->arena, vary,
                   arena_printf(ex->arena, STR_FMT ", Accept", STR_ARG(value)));
}

void error_page_respond(struct exchange *ex, int status)
{
    struct str accept = fields_joined(&ex->request, ex->arena, STR_LIT("Accept"));
    size_t form = accept_choose(accept, media_types, FORMS);
    struct prepared **ready;

    assert(status >= STATUS_MIN && status <= STATUS_MAX);
    ready = &service_error_pages(ex->service)->ready[status - STATUS_MIN][form];
    if (*ready == NULL)
        *ready = make(status, &forms[form]);
    tidy_fields(ex);
    exchange_respond_prepared(ex, *ready);
}
