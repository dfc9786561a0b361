/* A model's text with one of its lines changed: how tests make models that link more, or less, than the general one. */
#pragma once

#include "support.h"

#include "base/mem.h"
#include "mpi/model.h"

/* `name` begins a line, like "auto"; what follows it becomes `value`. In the arena of `s`. */
static inline struct str model_line(struct support *s, struct str text, const char *name, const char *value)
{
    struct str begins = arena_printf(s->cx.arena, "\n%s: ", name);
    size_t at = 0;
    while (at < text.len && !str_starts(str_from_at(text, at), begins))
        at++;
    assert_true(at < text.len);
    struct str rest = str_from_at(text, at + begins.len), line;
    assert_true(str_split(&rest, '\n', &line));
    return arena_printf(s->cx.arena, "%.*s%.*s%s\n%.*s", STR_ARGS(str_sub(text, 0, at)), STR_ARGS(begins), value,
                        STR_ARGS(rest));
}

/* The general model. */
static inline struct str model_general(struct support *s)
{
    SCOPED(buf_fini) struct buf text = {0};
    mpi_model_write(mpi_model_general(), &text);
    return arena_str(s->cx.arena, buf_str(&text));
}

/* One that links what the general one only asks about. */
static inline struct str model_bold(struct support *s)
{
    SCOPED(buf_fini) struct buf again = {0};
    struct mpi_model *model;
    struct str text = model_line(s, model_general(s), "prior", "-9.000");
    text = model_line(s, model_line(s, text, "auto", "2.000"), "name", "bold");
    assert_ok(s, mpi_model_read(&s->cx, text, &model));
    mpi_model_write(model, &again); /* with the probability behind */
    mpi_model_free(model);
    return arena_str(s->cx.arena, buf_str(&again));
}
