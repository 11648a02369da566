#include "conf/says.h"

#include "base/buf.h"

static int put_words(struct buf *b, const struct token *words, size_t n)
{
    int rc = 0;

    for (size_t i = 0; i < n && rc == 0; i++) {
        if (str_starts(words[i].text, STR_LIT("@")))
            return -1;
        rc = buf_printf(b, "%zu%c", words[i].text.len, words[i].quoted ? '"' : ':');
        if (rc == 0)
            rc = buf_append_str(b, words[i].text);
    }
    return rc;
}

static int put_node(struct buf *b, const struct node *node, size_t skip)
{
    int rc = put_words(b, node->words + skip, node->n_words - skip);

    if (rc != 0 || !node->has_block)
        return rc;
    rc = buf_putc(b, '{');
    for (size_t i = 0; i < node->n_children && rc == 0; i++) {
        rc = put_node(b, &node->children[i], 0);
        if (rc == 0)
            rc = buf_putc(b, ';');
    }
    return rc == 0 ? buf_putc(b, '}') : rc;
}

struct str says_node(struct arena *a, const struct node *node, size_t skip)
{
    enum { SAYS_MAX = 64 * 1024 };
    struct buf text = BUF_INIT(SAYS_MAX);
    struct str result = {NULL, 0};

    if (put_node(&text, node, skip) == 0)
        result = arena_str(a, buf_str(&text));
    buf_fini(&text);
    return result;
}
