#include "http/error_page.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "http/www_pages.h"

/* One form of the page: its type, and a text in which %status%, %phrase% and %advice% stand for
 * those. */
struct form {
    const char *accept; /* NULL: for all others */
    struct str content_type;
    struct str text; /* p == NULL: the page of www/ */
};

static const struct form forms[] = {
    {"text/html", STR_LIT("text/html; charset=utf-8"), {NULL, 0}},
    {"application/json", STR_LIT("application/json"),
     STR_LIT("{\"status\":%status%,\"error\":\"%phrase%\"}\n")},
    {NULL, STR_LIT("text/plain; charset=utf-8"), STR_LIT("%status% %phrase%\n")},
};

/* What a visitor can do: one plain sentence or two, as HTML. */
static const struct {
    int status;
    const char *advice;
} advices[] = {
    {400, "The server could not understand this request. Check the address, or go back."},
    {401, "This page is for those who sign in. Reload it to enter your name and password."},
    {403, "You may not see this page. If you think you should, ask the owner of the site."},
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

/* The first form whose media type the client names; text for all others. */
static const struct form *form_for(const struct exchange *ex)
{
    struct str accept = fields_joined(&ex->request, ex->arena, STR_LIT("accept"));
    const struct form *form;
    struct str element;

    while (str_list_next(&accept, &element)) {
        struct str type = str_trim(str_cut(&element, ';'));

        for (form = forms; form->accept != NULL; form++)
            if (str_eq_nocase(type, str_of(form->accept)))
                return form;
    }
    return &forms[ARRAY_LEN(forms) - 1];
}

static struct str fill_in(struct arena *a, struct str text, int status)
{
    const struct {
        struct str mark;
        struct str value;
    } words[] = {
        {STR_LIT("%status%"), arena_printf(a, "%d", status)},
        {STR_LIT("%phrase%"), str_of(status_phrase(status))},
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

void error_page_respond(struct exchange *ex, int status)
{
    const struct form *form = form_for(ex);
    struct str text = form->text.p == NULL ? www_error_html : form->text;

    fields_set(&ex->response, ex->arena, STR_LIT("Content-Type"), form->content_type);
    exchange_nosniff(ex);
    exchange_respond_bytes(ex, status, fill_in(ex->arena, text, status));
}
