#define PCRE2_CODE_UNIT_WIDTH 8

#include "base/regex.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/log_limit.h"

#include <pcre2.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/* A match is tried at each place of the subject; PCRE2 counts the steps of each try by itself. So
 * the steps of one are what remains of a budget when it is shared out among the places, but always
 * enough to walk along the subject a few times.
 *
 * That stops what is exponential, but not what walks along a long subject again and again: such
 * walks are hardly counted. So for a subject that is not short the expression is compiled a second
 * time, with a callout before each of its items: there the clock is looked at now and then. It is
 * the thread's own, so that a busy machine changes nothing.
 *
 * One request may have many texts matched, such as a hundred lines of one field: what the matches
 * of one arena take together is bounded as well. It is measured by the clock that costs least,
 * which counts what others do on a busy machine; only once it has run out by that is the thread's
 * own looked at, for as long again. */
enum {
    STEPS = 4 * 1000 * 1000,
    STEPS_WALKS = 4,
    STEPS_LEAST = 10 * 1000,
    DEPTH_MAX = 10 * 1000,
    HEAP_MAX_KIB = 4 * 1024,
    JIT_STACK_LEAST = 32 * 1024,
    JIT_STACK_MAX = 1024 * 1024,
    PATTERN_MAX = 16 * 1024,
    SHORT = 256,           /* bytes of a subject that needs no clock */
    TIME_MAX_MS = 20,      /* of a match, or of a replacement with all its matches */
    CALLOUTS_A_LOOK = 256, /* at the clock: a power of two */
    TOGETHER_MAX_MS = 25,  /* of all matches of one arena, by each of the clocks */
};

struct regex {
    pcre2_code *code;
    _Atomic(pcre2_code *) *timed; /* with callouts; NULL in it: not compiled yet */
    struct str pattern;
    size_t n; /* groups, with the whole */
    bool anchored;
    struct str *names;
};

/* ---- compiling ---- */

static void free_codes(void *arg)
{
    struct regex *re = arg;

    pcre2_code_free(re->code);
    pcre2_code_free(atomic_load(re->timed));
}

static pcre2_code *compile(struct str pattern, uint32_t more_options, struct err *e)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    char why[128];
    int error = 0;
    size_t at = 0;
    pcre2_code *code;

    if (context == NULL)
        abort();
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    code = pcre2_compile((PCRE2_SPTR)(pattern.len > 0 ? pattern.p : ""), pattern.len,
                         PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C | more_options,
                         &error, &at, context);
    pcre2_compile_context_free(context);
    if (code != NULL) {
        /* Where it cannot be had, such as where no memory may be executable, matching is slower. */
        (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
        return code;
    }
    pcre2_get_error_message(error, (PCRE2_UCHAR *)why, sizeof why);
    err_set(e, ERR_SYNTAX, "the regular expression is not valid at its byte %zu: %s", at, why);
    err_at(e, at);
    return NULL;
}

static uint32_t info(const pcre2_code *code, uint32_t what)
{
    uint32_t value = 0;

    pcre2_pattern_info(code, what, &value);
    return value;
}

/* The table of names: each entry has two bytes of number, then the name and a NUL. */
static void take_names(struct arena *a, struct regex *re)
{
    size_t size = info(re->code, PCRE2_INFO_NAMEENTRYSIZE);
    const char *entry = NULL;

    re->names = arena_alloc(a, re->n * sizeof *re->names);
    pcre2_pattern_info(re->code, PCRE2_INFO_NAMETABLE, &entry);
    for (size_t i = info(re->code, PCRE2_INFO_NAMECOUNT); i > 0; i--, entry += size) {
        size_t group = (size_t)((unsigned char)entry[0] << 8 | (unsigned char)entry[1]);

        re->names[group] = arena_str(a, str_of(entry + 2));
    }
}

struct regex *regex_new(struct arena *a, struct str pattern, struct err *e)
{
    struct regex *re;
    pcre2_code *code;

    if (pattern.len > PATTERN_MAX) {
        err_set(e, ERR_LIMIT, "a regular expression may have %d bytes", PATTERN_MAX);
        return NULL;
    }
    if ((code = compile(pattern, 0, e)) == NULL)
        return NULL;
    re = arena_alloc(a, sizeof *re);
    re->timed = arena_alloc(a, sizeof(*re->timed));
    arena_on_free(a, free_codes, re);
    re->code = code;
    re->pattern = arena_str(a, pattern);
    re->n = (size_t)info(code, PCRE2_INFO_CAPTURECOUNT) + 1;
    re->anchored = (info(code, PCRE2_INFO_ALLOPTIONS) & PCRE2_ANCHORED) != 0;
    if (re->n > REGEX_GROUPS_MAX + 1) {
        err_set(e, ERR_LIMIT, "a regular expression may have %d groups", REGEX_GROUPS_MAX);
        return NULL;
    }
    take_names(a, re);
    return re;
}

/* For a subject of that length. A pattern of many thousand bytes can be too large with callouts:
 * then it is matched without. */
static pcre2_code *code_for(const struct regex *re, size_t len)
{
    pcre2_code *none = NULL, *code = len <= SHORT ? re->code : atomic_load(re->timed);
    struct err e;

    if (code != NULL)
        return code;
    code = compile(re->pattern, PCRE2_AUTO_CALLOUT, &e);
    if (code == NULL)
        return re->code;
    if (atomic_compare_exchange_strong(re->timed, &none, code))
        return code;
    pcre2_code_free(code); /* another thread was faster */
    return none;
}

size_t regex_groups(const struct regex *re)
{
    return re->n;
}

struct str regex_group_name(const struct regex *re, size_t group)
{
    return re->names[group];
}

/* ---- what a thread needs to match: made once, freed at its end ---- */

struct scratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    struct log_limit log;
    uint64_t deadline_ns; /* by the thread's clock */
    unsigned callouts;
    bool gave_up; /* at the subject at hand */
};

static uint64_t ns_of(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000 * 1000 * 1000 + (uint64_t)t.tv_nsec;
}

static uint64_t cpu_ns(void)
{
    return ns_of(CLOCK_THREAD_CPUTIME_ID);
}

static int on_callout(pcre2_callout_block *block, void *scratch)
{
    struct scratch *s = scratch;

    (void)block;
    if (++s->callouts % CALLOUTS_A_LOOK != 0 || cpu_ns() < s->deadline_ns)
        return 0;
    return PCRE2_ERROR_CALLOUT;
}

static pthread_key_t scratch_key;
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;

static void scratch_free(void *p)
{
    struct scratch *s = p;

    pcre2_match_data_free(s->data);
    pcre2_match_context_free(s->context);
    pcre2_jit_stack_free(s->stack);
    free(s);
}

static void make_key(void)
{
    if (pthread_key_create(&scratch_key, scratch_free) != 0)
        abort();
}

static struct scratch *scratch_of_thread(void)
{
    struct scratch *s;

    pthread_once(&scratch_once, make_key);
    if ((s = pthread_getspecific(scratch_key)) != NULL)
        return s;
    s = xalloc(sizeof *s);
    s->data = pcre2_match_data_create(REGEX_GROUPS_MAX + 1, NULL);
    s->context = pcre2_match_context_create(NULL);
    s->stack = pcre2_jit_stack_create(JIT_STACK_LEAST, JIT_STACK_MAX, NULL);
    if (s->data == NULL || s->context == NULL || pthread_setspecific(scratch_key, s) != 0)
        abort();
    pcre2_set_depth_limit(s->context, DEPTH_MAX);
    pcre2_set_heap_limit(s->context, HEAP_MAX_KIB);
    pcre2_set_callout(s->context, on_callout, s);
    if (s->stack != NULL)
        pcre2_jit_stack_assign(s->context, NULL, s->stack);
    return s;
}

static void gave_up(struct scratch *s, const struct regex *re, const char *why)
{
    struct timespec now;
    unsigned left_out;

    s->gave_up = true;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!log_limit_allows(&s->log, (uint64_t)now.tv_sec * 1000, &left_out))
        return;
    log_warn("http", "no match for the regular expression '" STR_FMT "': %s", STR_ARG(re->pattern),
             why);
}

/* ---- subjects: PCRE2 wants valid UTF-8 ---- */

struct subject {
    struct str original;
    struct str text;    /* with U+FFFD for each byte that is no UTF-8; often the same */
    size_t at, text_at; /* a place in both, before which nothing is asked for any more */
};

static bool is_ascii(struct str s)
{
    unsigned char all = 0;

    for (size_t i = 0; i < s.len; i++)
        all |= (unsigned char)s.p[i];
    return all < 0x80;
}

static struct subject subject_of(struct arena *a, struct str s)
{
    static const char unknown[] = "\xef\xbf\xbd";
    struct subject subject = {s.p == NULL ? STR_LIT("") : s, s.p == NULL ? STR_LIT("") : s, 0, 0};
    size_t bad = 0;
    char *out;

    if (is_ascii(s))
        return subject;
    for (size_t i = 0, len; i < s.len; i += len == 0 ? 1 : len) {
        len = str_utf8_len(str_from(s, i));
        bad += len == 0;
    }
    if (bad == 0)
        return subject;
    subject.text.p = out = arena_bytes(a, s.len + 2 * bad);
    for (size_t i = 0, len; i < s.len; i += len == 0 ? 1 : len) {
        len = str_utf8_len(str_from(s, i));
        out = len == 0 ? mempcpy(out, unknown, 3) : mempcpy(out, s.p + i, len);
    }
    subject.text.len = (size_t)(out - subject.text.p);
    return subject;
}

/* From a place in the text to the one in the original. */
static size_t original_at(const struct subject *s, size_t text_at)
{
    size_t i = s->at, j = s->text_at;

    if (s->text.p == s->original.p)
        return text_at;
    if (text_at < j)
        i = j = 0;
    while (j < text_at) {
        size_t len = str_utf8_len(str_from(s->original, i));

        i += len == 0 ? 1 : len;
        j += len == 0 ? 3 : len;
    }
    return i;
}

/* ---- matching ---- */

static uint32_t steps_for(const struct regex *re, size_t len)
{
    size_t steps = re->anchored ? STEPS : STEPS / (len + 1);

    if (steps < STEPS_LEAST)
        steps = STEPS_LEAST;
    return (uint32_t)(steps < STEPS_WALKS * len ? STEPS_WALKS * len : steps);
}

static void report(struct scratch *s, const struct regex *re, int rc)
{
    char why[128];

    if (rc == PCRE2_ERROR_NOMATCH)
        return;
    pcre2_get_error_message(rc, (PCRE2_UCHAR *)why, sizeof why);
    gave_up(s, re, rc == PCRE2_ERROR_CALLOUT ? "it takes too long" : why);
}

/* Before the first match of a subject: from now on the time counts. */
static void begin(size_t len)
{
    struct scratch *s = scratch_of_thread();

    s->gave_up = false;
    if (len > SHORT)
        s->deadline_ns = cpu_ns() + (uint64_t)TIME_MAX_MS * 1000 * 1000;
}

bool regex_gave_up(void)
{
    return scratch_of_thread()->gave_up;
}

/* Counts the time for the owner of a. */
static int match(const struct regex *re, struct arena *a, const struct subject *s, size_t from)
{
    struct scratch *scratch = scratch_of_thread();
    const uint64_t most = (uint64_t)TOGETHER_MAX_MS * 1000 * 1000;
    uint64_t *spent = arena_spent_ns(a), began;
    clockid_t clock = *spent < most ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID;
    int rc;

    if (*spent >= 2 * most)
        return PCRE2_ERROR_CALLOUT;
    began = ns_of(clock);
    pcre2_set_match_limit(scratch->context, steps_for(re, s->text.len));
    rc = pcre2_match(code_for(re, s->text.len), (PCRE2_SPTR)s->text.p, s->text.len, from,
                     PCRE2_NO_UTF_CHECK, scratch->data, scratch->context);
    *spent += ns_of(clock) - began;
    return rc;
}

/* Matches at text offset from or behind it. The result, if there is one, is the pairs of offsets
 * into the text: PCRE2_UNSET for a group that took no part. Valid until the thread's next one. */
static const size_t *find(const struct regex *re, struct arena *a, const struct subject *s,
                          size_t from)
{
    struct scratch *scratch = scratch_of_thread();
    size_t *at;
    int rc;

    if (s->text.len > REGEX_SUBJECT_MAX) {
        gave_up(scratch, re, "the text is too long");
        return NULL;
    }
    rc = match(re, a, s, from);
    if (rc < 0) {
        report(scratch, re, rc);
        return NULL;
    }
    at = pcre2_get_ovector_pointer(scratch->data);
    for (size_t i = (size_t)rc; i < re->n; i++)
        at[2 * i] = at[2 * i + 1] = PCRE2_UNSET;
    return at[0] <= at[1] ? at : NULL; /* "\K" can turn them round */
}

static void take_groups(const struct regex *re, const struct subject *s, const size_t *at,
                        struct regex_match *m)
{
    m->n = re->n;
    for (size_t i = 0; i < re->n; i++) {
        size_t start, end;

        m->groups[i] = (struct str){NULL, 0};
        if (at[2 * i] == PCRE2_UNSET)
            continue;
        start = original_at(s, at[2 * i]);
        end = original_at(s, at[2 * i + 1]);
        m->groups[i] = (struct str){s->original.p + start, end - start};
    }
}

bool regex_matches(const struct regex *re, struct arena *scratch, struct str text,
                   struct regex_match *m)
{
    const struct subject s = subject_of(scratch, text);
    const size_t *at;

    begin(s.text.len);
    at = find(re, scratch, &s, 0);
    if (at != NULL && m != NULL)
        take_groups(re, &s, at, m);
    return at != NULL;
}

/* ---- replacing ---- */

/* Drops what would pass the ceiling of out. */
static void put(struct buf *out, struct str s)
{
    if (s.len > out->max - out->len) {
        s.len = out->max - out->len;
        out->max = out->len + s.len;
    }
    if (buf_append(out, s.p, s.len) != 0)
        out->max = out->len;
}

static bool is_word_byte(char c)
{
    char l = ascii_lower(c);

    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static struct str group_named(const struct regex *re, const struct regex_match *m, struct str name)
{
    uint64_t number;

    if (str_to_uint(name, REGEX_GROUPS_MAX, &number))
        return number < m->n ? m->groups[number] : (struct str){NULL, 0};
    for (size_t i = 1; i < re->n; i++)
        if (re->names[i].len > 0 && str_eq(re->names[i], name))
            return m->groups[i];
    return (struct str){NULL, 0};
}

/* Takes the name behind a dollar, with its braces, off *rest; len 0 if there is none. */
static struct str take_name(struct str *rest)
{
    bool braces = str_starts(*rest, STR_LIT("{"));
    struct str name = str_from(*rest, braces ? 1 : 0);
    size_t len = 0;

    while (len < name.len && is_word_byte(name.p[len]))
        len++;
    if (braces && (len == name.len || name.p[len] != '}'))
        len = 0;
    name.len = len;
    if (len > 0)
        *rest = str_from(*rest, len + (braces ? 2 : 0));
    return name;
}

static void expand(struct buf *out, struct str with, const struct regex *re,
                   const struct regex_match *m)
{
    while (with.len > 0) {
        size_t dollar = str_chr(with, '$');
        struct str name;

        put(out, (struct str){with.p, dollar});
        if (dollar == with.len)
            return;
        with = str_from(with, dollar + 1);
        if (str_starts(with, STR_LIT("$"))) {
            put(out, STR_LIT("$"));
            with = str_from(with, 1);
        } else if ((name = take_name(&with)).len > 0) {
            put(out, group_named(re, m, name));
        } else {
            put(out, STR_LIT("$"));
        }
    }
}

struct str regex_expand(const struct regex *re, struct arena *a, struct str with,
                        const struct regex_match *m)
{
    struct buf out = BUF_INIT(REGEX_REPLACED_MAX);
    struct str result;

    expand(&out, with, re, m);
    result = out.len == 0 ? STR_LIT("") : arena_str(a, buf_str(&out));
    buf_fini(&out);
    return result;
}

/* Where to look next: behind the match, and at least one character further. */
static size_t next_place(const struct subject *s, size_t from, size_t end)
{
    size_t least = from + 1;

    if (from < s->text.len)
        least = from + str_utf8_len(str_from(s->text, from));
    return end > least ? end : least;
}

static struct str between(const struct subject *s, size_t from, size_t to)
{
    size_t start = original_at(s, from);

    return (struct str){s->original.p + start, original_at(s, to) - start};
}

/* As Go does it: an empty match right behind a match is none. */
struct str regex_replace(const struct regex *re, struct arena *a, struct str value, struct str with)
{
    struct subject s = subject_of(a, value);
    struct buf out = BUF_INIT(REGEX_REPLACED_MAX);
    size_t from = 0, done = 0;
    bool found = false;
    const size_t *at;
    struct str result;

    begin(s.text.len);
    while (from <= s.text.len && out.len < REGEX_REPLACED_MAX &&
           (at = find(re, a, &s, from)) != NULL) {
        size_t start = at[0], end = at[1];
        struct regex_match m;

        if (start < done) /* "\K" in a look behind */
            break;
        put(&out, between(&s, done, start));
        s.at = original_at(&s, start);
        s.text_at = start;
        take_groups(re, &s, at, &m);
        if (end > done || !found)
            expand(&out, with, re, &m);
        found = true;
        done = end;
        from = next_place(&s, from, end);
    }
    if (!found)
        return value;
    put(&out, between(&s, done, s.text.len));
    result = out.len == 0 ? STR_LIT("") : arena_str(a, buf_str(&out));
    buf_fini(&out);
    return result;
}

const char *regex_version(void)
{
    static char text[64]; /* it has 24 bytes and a date */

    if (pcre2_config(PCRE2_CONFIG_VERSION, NULL) > (int)sizeof text)
        return "";
    pcre2_config(PCRE2_CONFIG_VERSION, text);
    text[strcspn(text, " ")] = '\0';
    return text;
}
