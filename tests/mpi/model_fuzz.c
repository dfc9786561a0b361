/* Any bytes as a model: refused, or read to a model whose text is read to the same text. */
#include "base/mem.h"
#include "model_internal.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The general model's text with some of it replaced: what a mutation seldom reaches. */
static void read_again(struct ctx *cx, struct str text)
{
    struct mpi_model *model, *again;
    if (mpi_model_read(cx, text, &model) != STATUS_OK)
        return;
    SCOPED(buf_fini) struct buf first = {0};
    SCOPED(buf_fini) struct buf second = {0};
    mpi_model_write(model, &first);
    if (mpi_model_read(cx, buf_str(&first), &again) != STATUS_OK)
        abort();
    mpi_model_write(again, &second);
    if (!str_eq(buf_str(&first), buf_str(&second)))
        abort();
    mpi_model_free(model);
    mpi_model_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    arena_init(&arena, 64 << 20);
    struct ctx cx = {.arena = &arena};
    read_again(&cx, str_make(data, size));
    SCOPED(buf_fini) struct buf text = {0};
    mpi_model_write(mpi_model_general(), &text);
    struct cut cut = {.rest = str_make(data, size)};
    for (size_t at = 0; cut.rest.len > 0 && !cut.bad;) {
        at = (at + cut_u16(&cut)) % text.len;
        text.data[at] = (char)cut_u8(&cut);
    }
    read_again(&cx, buf_str(&text));
    arena_fini(&arena);
    return 0;
}
