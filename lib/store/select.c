#include "store/select.h"

#include <stdlib.h>

struct search {
    const struct sdw_selector *selector;
    size_t n;
    struct sdw_arena scratch;
    struct sdw_labels labels;
    struct sdw_selected *out;
    struct sdw_err *err;
};

static struct sdw_str keep(struct sdw_arena *memory, struct sdw_str text)
{
    char *copy = sdw_arena_alloc(memory, text.n + 1);
    if (text.n)
        memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    return (struct sdw_str){copy, text.n};
}

/* 1, 0 or an error. */
static int wanted(struct search *search, struct sdw_str name)
{
    int fits = search->n == 0;
    for (size_t i = 0; fits == 0 && i < search->n; i++)
        fits = sdw_selector_matches(&search->selector[i], name, &search->labels, search->err);
    return fits;
}

static int look(uint32_t id, struct sdw_str name, struct sdw_str labels, void *arg)
{
    struct search *search = arg;
    struct sdw_selected *out = search->out;
    sdw_arena_reset(&search->scratch);
    int code = sdw_labels_parse(labels, &search->scratch, &search->labels, NULL);
    code = code < 0 ? code : wanted(search, name);
    if (code <= 0)
        return code;
    SDW_GROW(out->series, out->cap, out->n + 1);
    out->series[out->n++] =
        (struct sdw_selected_series){id, keep(&out->memory, name), keep(&out->memory, labels)};
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const struct sdw_selected_series *x = a, *y = b;
    int order = strcmp(x->name.p, y->name.p);
    return order ? order : strcmp(x->labels.p, y->labels.p);
}

int sdw_select(struct sdw_store *store, const struct sdw_selector *selector, size_t n,
               struct sdw_selected *out, struct sdw_err *err)
{
    struct search search = {.selector = selector, .n = n, .out = out, .err = err};
    const char *name = n == 1 ? selector->name : NULL; /* the catalogue finds a name at once */
    sdw_err_set(err, SDW_EINPUT, "the labels of a series are damaged");
    int code = sdw_catalog_each(store->catalog, name, look, &search, err);
    if (out->n)
        qsort(out->series, out->n, sizeof *out->series, by_name);
    sdw_arena_release(&search.scratch);
    return code;
}

int sdw_select_texts(struct sdw_store *store, char *const *text, size_t n, struct sdw_selected *out,
                     struct sdw_err *err)
{
    struct sdw_selector *selector = sdw_arena_alloc(&out->memory, (n + 1) * sizeof *selector);
    size_t parsed = 0;
    int code = 0;
    while (code == 0 && parsed < n) {
        code = sdw_selector_parse(&selector[parsed], sdw_str_of(text[parsed]), NULL, err);
        parsed++;
    }
    if (code == 0)
        code = sdw_select(store, selector, n, out, err);
    if (code == 0 && out->n == 0)
        code = sdw_err_set(err, SDW_ENO, "no series matches");
    while (parsed > 0)
        sdw_selector_release(&selector[--parsed]);
    return code;
}

void sdw_selected_release(struct sdw_selected *selected)
{
    free(selected->series);
    sdw_arena_release(&selected->memory);
    *selected = (struct sdw_selected){0};
}
