/* Messages as files, one per feed, and the identifiers they bring. */
#include "gen_internal.h"

#include "base/mem.h"

enum { TRUTH = GEN_FEEDS, FILES };

static void put_framed(struct buf *out, struct str message, bool framed)
{
    if (framed) { /* MLLP: VT … FS CR */
        buf_put_byte(out, 0x0B);
        buf_put_str(out, message);
        buf_put(out, "\x1C\r", 2);
        return;
    }
    buf_put_str(out, message);
    buf_put_byte(out, '\n');
}

static status write_one(struct ctx *cx, FILE *files[FILES], struct buf *text, struct str message,
                        const struct gen_message_facts *facts, bool framed)
{
    put_framed(text, message, framed);
    TRY(gen_file_put(cx, files[facts->feed], text));
    if (!facts->is_new_identifier)
        return STATUS_OK;
    buf_printf(text, "%s,%s,%s,%llu\n", gen_feed_name(facts->feed), facts->authority, facts->id,
               (unsigned long long)facts->human + 1);
    return gen_file_put(cx, files[TRUTH], text);
}

static status write_all(struct ctx *cx, struct gen *gen, const char *dir, const struct gen_files_options *options,
                        FILE *files[FILES])
{
    SCOPED(buf_fini) struct buf text = {0}, message = {0};
    struct gen_message_facts facts;
    for (unsigned f = 0; f < GEN_FEEDS; f++)
        TRY(gen_file_open(cx, dir, arena_printf(cx->arena, "%s.hl7", gen_feed_name((enum gen_feed)f)).data, &files[f]));
    TRY(gen_file_open(cx, dir, "messages-truth.csv", &files[TRUTH]));
    buf_printf(&text, "source,authority,id,person\n");
    TRY(gen_file_put(cx, files[TRUTH], &text));
    uint64_t count = options->count ? options->count : GEN_MESSAGES_DEFAULT;
    for (uint64_t i = 0; i < count + options->big; i++) {
        buf_clear(&message);
        if (i < count)
            gen_message(gen, &message, &facts);
        else
            gen_message_big(gen, options->big_bytes ? options->big_bytes : 1024 * 1024, &message, &facts);
        TRY(write_one(cx, files, &text, buf_str(&message), &facts, options->framed));
    }
    return STATUS_OK;
}

status gen_write_messages(struct ctx *cx, struct gen *gen, const char *dir, const struct gen_files_options *options)
{
    FILE *files[FILES] = {0};
    status done = write_all(cx, gen, dir, options, files);
    for (size_t i = 0; i < FILES; i++) {
        status closed = gen_file_close(cx, &files[i]);
        done = done == STATUS_OK ? closed : done;
    }
    return done;
}
