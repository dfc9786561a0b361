/* MLLP framing as a state machine over bytes. */
#include "hl7v2/mllp.h"

#include "base/limits.h"

enum {
    OUTSIDE, /* between frames */
    INSIDE,  /* VT was seen */
    ENDING,  /* VT content FS was seen, the next byte decides */
    WINDOW = 1024,
};

void mllp_reader_init(struct mllp_reader *reader, struct mllp_options options)
{
    *reader = (struct mllp_reader){.options = options};
    if (reader->options.frame_max == 0)
        reader->options.frame_max = LIMIT_MESSAGE_BYTES;
}

void mllp_reader_fini(struct mllp_reader *reader)
{
    if (reader == NULL)
        return;
    buf_fini(&reader->partial);
    *reader = (struct mllp_reader){0};
}

/* The buffered frame was answered and is no longer needed. */
static void forget_delivered(struct mllp_reader *reader)
{
    if (reader->deliver_partial)
        buf_clear(&reader->partial);
    reader->deliver_partial = false;
}

void mllp_feed(struct mllp_reader *reader, struct str bytes)
{
    forget_delivered(reader);
    reader->input = bytes;
}

/* First VT or FS. In windows, so that a flood of VTs does not search the same bytes for FS again and again. */
static size_t find_mark(struct str bytes)
{
    for (size_t at = 0; at < bytes.len; at += WINDOW) {
        struct str window = str_sub(bytes, at, WINDOW);
        const char *fs = memchr(window.data, MLLP_FS, window.len);
        size_t len = fs ? (size_t)(fs - window.data) : window.len;
        const char *vt = memchr(window.data, MLLP_VT, len);
        if (vt || fs)
            return at + (size_t)((vt ? vt : fs) - window.data);
    }
    return bytes.len;
}

/* What was gathered before plus the next `len` bytes of input, which are used up; copied only when it must be. */
static struct str take_content(struct mllp_reader *reader, size_t len)
{
    struct str content = str_sub(reader->input, 0, len);
    reader->input = str_from_at(reader->input, len);
    if (reader->partial.len == 0)
        return content;
    buf_put_str(&reader->partial, content);
    reader->deliver_partial = true;
    return buf_str(&reader->partial);
}

/* A frame is complete: what kind of event is it? MLLP_MORE: none, read on. */
static enum mllp_event judge(struct mllp_reader *reader, struct str content, struct str *out_frame)
{
    if (content.len == 0) {
        reader->counts.empty_frames++;
        return MLLP_MORE;
    }
    if (content.len == 1 && (content.data[0] == MLLP_ACK || content.data[0] == MLLP_NAK)) {
        bool stored = content.data[0] == MLLP_ACK;
        forget_delivered(reader);
        return stored ? MLLP_COMMIT_ACK : MLLP_COMMIT_NAK;
    }
    reader->counts.frames++;
    reader->counts.bytes += content.len;
    *out_frame = content;
    return MLLP_FRAME;
}

static enum mllp_event broken(struct mllp_reader *reader, struct str content, struct str *out_frame)
{
    reader->counts.broken_frames++;
    *out_frame = content;
    return MLLP_BROKEN;
}

static enum mllp_event too_long(struct mllp_reader *reader, struct str *out_frame)
{
    *out_frame = take_content(reader, reader->options.frame_max - reader->partial.len);
    reader->counts.long_frames++;
    reader->state = OUTSIDE; /* the rest is noise up to the next VT */
    return MLLP_TOO_LONG;
}

static enum mllp_event read_outside(struct mllp_reader *reader)
{
    const char *vt = reader->input.len ? memchr(reader->input.data, MLLP_VT, reader->input.len) : NULL;
    size_t noise = vt ? (size_t)(vt - reader->input.data) : reader->input.len;
    reader->counts.noise_bytes += noise;
    reader->input = str_from_at(reader->input, noise + (vt != NULL));
    if (vt != NULL)
        reader->state = INSIDE;
    return MLLP_MORE;
}

/* A VT ends what was open: a repeated VT is noise, content without its end is dropped as a whole. */
static enum mllp_event restart(struct mllp_reader *reader, size_t len, struct str *out_frame)
{
    struct str dropped = take_content(reader, len);
    reader->input = str_from_at(reader->input, 1);
    if (dropped.len == 0) {
        reader->counts.noise_bytes++;
        return MLLP_MORE;
    }
    return broken(reader, dropped, out_frame);
}

static enum mllp_event read_inside(struct mllp_reader *reader, struct str *out_frame)
{
    size_t len = find_mark(reader->input);
    if (len > reader->options.frame_max - reader->partial.len)
        return too_long(reader, out_frame);
    if (len == reader->input.len) {
        buf_put_str(&reader->partial, reader->input);
        reader->input = STR_NONE;
        return MLLP_MORE;
    }
    if (reader->input.data[len] == MLLP_VT)
        return restart(reader, len, out_frame);
    if (len + 1 < reader->input.len &&
        reader->input.data[len + 1] == MLLP_CR) { /* the ordinary way: whole, not copied */
        struct str content = take_content(reader, len);
        reader->input = str_from_at(reader->input, 2);
        reader->state = OUTSIDE;
        return judge(reader, content, out_frame);
    }
    buf_put_str(&reader->partial, str_sub(reader->input, 0, len));
    reader->input = str_from_at(reader->input, len + 1);
    reader->state = ENDING;
    return MLLP_MORE;
}

static enum mllp_event end_frame(struct mllp_reader *reader, struct str *out_frame)
{
    reader->state = OUTSIDE;
    return judge(reader, take_content(reader, 0), out_frame);
}

static enum mllp_event read_ending(struct mllp_reader *reader, struct str *out_frame)
{
    char next = reader->input.data[0];
    if (next == MLLP_CR) {
        reader->input = str_from_at(reader->input, 1);
        return end_frame(reader, out_frame);
    }
    if (next == MLLP_VT || reader->options.fs_policy == MLLP_FS_ENDS_FRAME) {
        reader->counts.fs_without_cr++;
        return end_frame(reader, out_frame);
    }
    if (reader->options.fs_policy == MLLP_FS_IS_ERROR) {
        reader->state = OUTSIDE;
        return broken(reader, take_content(reader, 0), out_frame);
    }
    reader->counts.fs_inside++;
    reader->state = INSIDE;
    if (reader->partial.len >= reader->options.frame_max)
        return too_long(reader, out_frame);
    buf_put_byte(&reader->partial, MLLP_FS);
    return MLLP_MORE;
}

enum mllp_event mllp_next(struct mllp_reader *reader, struct str *out_frame)
{
    forget_delivered(reader);
    while (reader->input.len > 0) {
        enum mllp_event event = reader->state == OUTSIDE  ? read_outside(reader)
                                : reader->state == INSIDE ? read_inside(reader, out_frame)
                                                          : read_ending(reader, out_frame);
        if (event != MLLP_MORE)
            return event;
        forget_delivered(reader);
    }
    return MLLP_MORE;
}

enum mllp_event mllp_idle(struct mllp_reader *reader, struct str *out_frame)
{
    forget_delivered(reader);
    if (reader->state != ENDING)
        return MLLP_MORE;
    reader->counts.fs_without_cr++;
    return end_frame(reader, out_frame);
}

size_t mllp_pending(const struct mllp_reader *reader)
{
    return reader->deliver_partial ? 0 : reader->partial.len;
}

void mllp_frame(struct buf *out, struct str message)
{
    buf_reserve(out, message.len + 3);
    buf_put_byte(out, MLLP_VT);
    buf_put_str(out, message);
    buf_put_byte(out, MLLP_FS);
    buf_put_byte(out, MLLP_CR);
}

void mllp_commit(struct buf *out, bool stored)
{
    char answer = stored ? MLLP_ACK : MLLP_NAK;
    mllp_frame(out, str_make(&answer, 1));
}
