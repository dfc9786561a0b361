/* First byte: policy and limit. The rest as one feed, byte by byte, and in uneven pieces: the same events and counts.
 */
#include "hl7v2/mllp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(struct str bytes, struct mllp_options options, size_t piece, struct buf *log)
{
    struct mllp_reader reader;
    enum mllp_event event;
    mllp_reader_init(&reader, options);
    for (size_t at = 0; at < bytes.len; at += piece) {
        size_t len = bytes.len - at < piece ? bytes.len - at : piece;
        char *copy = malloc(len); /* exact size: reads past a feed are seen */
        memcpy(copy, bytes.data + at, len);
        mllp_feed(&reader, str_make(copy, len));
        struct str frame = STR_NONE;
        while ((event = mllp_next(&reader, &frame)) != MLLP_MORE) {
            buf_put_byte(log, (uint8_t)event);
            if (event == MLLP_FRAME || event == MLLP_TOO_LONG || event == MLLP_BROKEN) {
                if (frame.len > reader.options.frame_max)
                    abort();
                buf_put_lstr(log, frame);
            }
        }
        free(copy);
    }
    struct str frame = STR_NONE;
    buf_put_byte(log, (uint8_t)mllp_idle(&reader, &frame));
    buf_put_lstr(log, frame);
    buf_put(log, &reader.counts, sizeof reader.counts);
    mllp_reader_fini(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct mllp_options options = {.fs_policy = (enum mllp_fs_policy)(data[0] % 3), .frame_max = data[0] & 4 ? 7 : 0};
    struct str bytes = str_make(data + 1, size - 1);
    struct buf whole = {0}, cut = {0};
    read_all(bytes, options, bytes.len + 1, &whole);
    for (size_t piece = 1; piece <= 5; piece += 2) {
        buf_clear(&cut);
        read_all(bytes, options, piece, &cut);
        if (!str_eq(buf_str(&whole), buf_str(&cut)))
            abort();
    }
    buf_fini(&whole);
    buf_fini(&cut);
    return 0;
}
