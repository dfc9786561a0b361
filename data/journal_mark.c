/*
 * The mark file: two slots, written in turn, so that a write cut short leaves the other one.
 *
 * It is written after the group it speaks of was synced, so it can lag behind the journal but never run ahead of it: an
 * end of the journal below the mark is proof of loss.
 */
#include "journal_internal.h"

#include "base/hash.h"

#include <unistd.h>

enum { SLOT_STRIDE = 512, MARK_BYTES = 68 };

static const uint64_t MARK_MAGIC = 0x6964656d6d61726b; /* "idemmark" */

static bool decode(struct str bytes, struct journal_mark *out_mark)
{
    struct cut cut = {.rest = bytes};
    uint64_t magic = cut_u64(&cut);
    struct journal_mark mark = {.count = cut_u64(&cut), .seq = 0};
    mark.seq = cut_u64(&cut);
    mark.first_seq = cut_u64(&cut);
    struct str chain = cut_bytes(&cut, JOURNAL_CHAIN_BYTES);
    uint32_t crc = cut_u32(&cut);
    if (cut.bad || magic != MARK_MAGIC || crc != hash_crc32c(0, bytes.data, MARK_BYTES - 4))
        return false;
    memcpy(mark.chain, chain.data, JOURNAL_CHAIN_BYTES);
    *out_mark = mark;
    return true;
}

struct journal_mark mark_read(int fd)
{
    struct journal_mark newest = {0};
    for (int slot = 0; slot < 2; slot++) {
        char bytes[MARK_BYTES];
        struct journal_mark mark;
        if (pread(fd, bytes, sizeof bytes, slot * SLOT_STRIDE) == sizeof bytes &&
            decode(str_make(bytes, sizeof bytes), &mark) && mark.count > newest.count)
            newest = mark;
    }
    return newest;
}

bool mark_write(int fd, struct journal_mark *mark)
{
    mark->count++;
    SCOPED(buf_fini) struct buf bytes = {0};
    buf_put_u64(&bytes, MARK_MAGIC);
    buf_put_u64(&bytes, mark->count);
    buf_put_u64(&bytes, mark->seq);
    buf_put_u64(&bytes, mark->first_seq);
    buf_put(&bytes, mark->chain, JOURNAL_CHAIN_BYTES);
    buf_put_u32(&bytes, hash_crc32c(0, bytes.data, bytes.len));
    int error = journal_write_all(fd, bytes.data, bytes.len, mark->count % 2 * SLOT_STRIDE);
    if (error != 0 && !journal_is_full_error(error))
        mem_panic("journal mark", strerror(error));
    return error == 0;
}
