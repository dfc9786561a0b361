/* Cutting an input of several messages. Lines are looked at by their first three bytes only. */
#include "hl7v2/batch.h"
#include "index_internal.h"

#include "base/limits.h"

enum line_kind { LINE_MSH, LINE_FHS, LINE_BHS, LINE_BTS, LINE_FTS, LINE_OTHER };

static enum line_kind kind_of(struct str line)
{
    static const char *const names[] = {"MSH", "FHS", "BHS", "BTS", "FTS"};
    for (int kind = LINE_MSH; kind < LINE_OTHER; kind++)
        if (str_starts(line, str_from(names[kind])) &&
            (line.len == 3 || !((uint8_t)line.data[3] >= '0' && line.data[3] <= '9')))
            return (enum line_kind)kind;
    return LINE_OTHER;
}

/* Length of the line with its end. After a lone CR as first line end, LF is data: as in hl7_index_build(). */
static size_t line_length(struct str rest, bool feeds_end, size_t *out_text)
{
    size_t end = 0;
    while (end < rest.len && rest.data[end] != '\r' && !(feeds_end && rest.data[end] == '\n'))
        end++;
    *out_text = end;
    if (end == rest.len)
        return end;
    return end + (rest.data[end] == '\r' && end + 1 < rest.len && rest.data[end + 1] == '\n' ? 2 : 1);
}

static bool first_end_feeds(struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.data[i] == '\n')
            return true;
        if (bytes.data[i] == '\r')
            return i + 1 < bytes.len && bytes.data[i + 1] == '\n';
    }
    return true;
}

static struct str skip_lead(struct str bytes)
{
    if (str_starts(bytes, STR("\xef\xbb\xbf")))
        bytes = str_from_at(bytes, 3);
    while (bytes.len > 0 && (bytes.data[0] == '\r' || bytes.data[0] == '\n'))
        bytes = str_from_at(bytes, 1);
    return bytes;
}

bool hl7_is_batch(struct str bytes)
{
    bytes = skip_lead(bytes);
    if (bytes.len == 0)
        return false;
    if (bytes.data[0] == MLLP_VT || str_starts(bytes, STR("FHS")) || str_starts(bytes, STR("BHS")))
        return true;
    bool feeds_end = first_end_feeds(bytes);
    size_t text;
    for (bytes = str_from_at(bytes, line_length(bytes, feeds_end, &text)); bytes.len > 0;
         bytes = str_from_at(bytes, line_length(bytes, feeds_end, &text)))
        if (kind_of(bytes) != LINE_OTHER)
            return true;
    return false;
}

void hl7_batch_init(struct hl7_batch *batch, struct str bytes)
{
    *batch = (struct hl7_batch){.rest = skip_lead(bytes)};
    batch->framed = batch->rest.len > 0 && batch->rest.data[0] == MLLP_VT;
    batch->feeds_end = first_end_feeds(batch->rest);
    if (batch->framed) {
        mllp_reader_init(&batch->frames, (struct mllp_options){.frame_max = SIZE_MAX});
        mllp_feed(&batch->frames, batch->rest);
    }
}

void hl7_batch_fini(struct hl7_batch *batch)
{
    if (batch != NULL)
        mllp_reader_fini(&batch->frames);
}

/* Field n of a FHS or BHS line: its own delimiters ([HL7 2.5.1 2.15.2]). Token n-1, as in MSH. */
static struct str header_field(struct str line, uint32_t n)
{
    struct str part, rest = str_from_at(line, 4);
    if (line.len < 5)
        return STR_NONE;
    for (uint32_t token = 2; str_split(&rest, line.data[3], &part); token++)
        if (token == n)
            return part;
    return STR_NONE;
}

/* BTS-1 or FTS-1 against what was seen; an empty count says nothing. */
static void check_count(struct hl7_batch *batch, struct str line, uint64_t seen, uint64_t also)
{
    uint64_t said;
    struct str part = STR_NONE, rest = str_from_at(line, 4);
    if (line.len < 5 || !str_split(&rest, line.data[3], &part) || str_trim(part).len == 0)
        return;
    if (!str_to_u64(str_trim(part), &said) || (said != seen && said != also))
        batch->count_mismatches++;
}

static status open_or_close(struct hl7_batch *batch, struct ctx *cx, enum line_kind kind, struct str line)
{
    switch (kind) {
    case LINE_FHS:
        if (batch->in_file || batch->in_batch)
            return ctx_fail(cx, &hl7_reasons[HL7_BATCH_NESTED], "FHS after message %u", batch->messages);
        batch->in_file = true;
        batch->file_id = header_field(line, 11);
        batch->file_batches = batch->file_messages = 0;
        return STATUS_OK;
    case LINE_BHS:
        if (batch->in_batch)
            return ctx_fail(cx, &hl7_reasons[HL7_BATCH_NESTED], "BHS after message %u", batch->messages);
        batch->in_batch = true;
        batch->batch_id = header_field(line, 11);
        batch->batches++;
        batch->file_batches++;
        batch->batch_messages = 0;
        return STATUS_OK;
    case LINE_BTS:
        check_count(batch, line, batch->batch_messages, batch->batch_messages);
        batch->unclosed += !batch->in_batch;
        batch->in_batch = false;
        batch->batch_id = STR_NONE;
        return STATUS_OK;
    default: /* FTS; a file without BHS counts as one batch, and some senders count its messages */
        check_count(batch, line, batch->file_batches ? batch->file_batches : 1,
                    batch->file_batches ? batch->file_batches : batch->file_messages);
        batch->unclosed += (uint32_t)!batch->in_file + (uint32_t)batch->in_batch;
        batch->in_file = batch->in_batch = false;
        batch->file_id = batch->batch_id = STR_NONE;
        return STATUS_OK;
    }
}

/* From the MSH line at the start of rest to the line before the next header or trailer. */
static struct str take_message(struct hl7_batch *batch)
{
    size_t text, len = line_length(batch->rest, batch->feeds_end, &text);
    while (len < batch->rest.len && kind_of(str_from_at(batch->rest, len)) == LINE_OTHER)
        len += line_length(str_from_at(batch->rest, len), batch->feeds_end, &text);
    struct str message = str_sub(batch->rest, 0, len);
    batch->rest = str_from_at(batch->rest, len);
    return message;
}

static status give(struct hl7_batch *batch, struct ctx *cx, struct str message, struct hl7_batch_item *out_item)
{
    if (batch->messages == LIMIT_BATCH_MESSAGES) {
        batch->rest = STR_NONE;
        return ctx_fail(cx, &hl7_reasons[HL7_BATCH_TOO_LONG], "more than %d messages", (int)LIMIT_BATCH_MESSAGES);
    }
    batch->messages++;
    batch->batch_messages++;
    batch->file_messages++;
    *out_item = (struct hl7_batch_item){
        .message = message, .file_id = batch->file_id, .batch_id = batch->batch_id, .number = batch->messages};
    return STATUS_OK;
}

static status next_framed(struct hl7_batch *batch, struct ctx *cx, struct hl7_batch_item *out_item)
{
    struct str frame = STR_NONE;
    enum mllp_event event;
    while (batch->rest.len > 0 && (event = mllp_next(&batch->frames, &frame)) != MLLP_MORE)
        if (event == MLLP_FRAME)
            return give(batch, cx, frame, out_item);
    batch->noise_bytes = batch->frames.counts.noise_bytes;
    batch->unclosed += mllp_pending(&batch->frames) > 0;
    batch->rest = STR_NONE;
    mllp_reader_fini(&batch->frames);
    return STATUS_OUT_OF_RANGE;
}

status hl7_batch_next(struct hl7_batch *batch, struct ctx *cx, struct hl7_batch_item *out_item)
{
    if (batch->framed)
        return next_framed(batch, cx, out_item);
    while (batch->rest.len > 0) {
        enum line_kind kind = kind_of(batch->rest);
        if (kind == LINE_MSH)
            return give(batch, cx, take_message(batch), out_item);
        size_t text, len = line_length(batch->rest, batch->feeds_end, &text);
        struct str line = str_sub(batch->rest, 0, text);
        batch->rest = str_from_at(batch->rest, len);
        if (kind == LINE_OTHER) {
            batch->stray_lines += str_trim(line).len > 0;
            continue;
        }
        status opened = open_or_close(batch, cx, kind, line);
        if (opened != STATUS_OK) {
            batch->rest = STR_NONE;
            return opened;
        }
    }
    batch->unclosed += (uint32_t)batch->in_file + (uint32_t)batch->in_batch;
    batch->in_file = batch->in_batch = false;
    return STATUS_OUT_OF_RANGE;
}
