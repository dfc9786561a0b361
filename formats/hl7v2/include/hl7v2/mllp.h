/*
 * MLLP framing: VT content FS CR, as a state over bytes that may be cut anywhere.
 *
 *   mllp_reader_init(&reader, (struct mllp_options){0});
 *   mllp_feed(&reader, bytes just read);
 *   for (;;) { struct str frame; switch (mllp_next(&reader, &frame)) { case MLLP_FRAME: … case MLLP_MORE: read again …
 * } }
 *
 * Bytes outside a frame are counted and skipped to the next VT. VT inside a frame: what came before is dropped and
 * counted, a new frame begins (two messages are never merged). FS then VT ends the frame as if CR had been there. Empty
 * frames are counted and skipped. A frame of the one byte 0x06 or 0x15 is an MLLP release 2 commit answer, not a
 * message.
 *
 * Memory:  a frame that is whole inside one feed borrows those bytes; else it is in the reader's own buffer, at most
 * frame_max. Threads: one thread. Source:  [MLLP R1] HL7 v3 transport specification, MLLP release 1; [MLLP R2] commit
 * acknowledgements.
 */
#pragma once

#include "base/buf.h"

enum { MLLP_VT = 0x0b, MLLP_FS = 0x1c, MLLP_CR = 0x0d, MLLP_ACK = 0x06, MLLP_NAK = 0x15 };

/* FS that is followed neither by CR nor by VT */
enum mllp_fs_policy {
    MLLP_FS_IS_CONTENT, /* stays in the frame; counted; the parser judges it */
    MLLP_FS_ENDS_FRAME, /* senders that never send CR */
    MLLP_FS_IS_ERROR,   /* MLLP_BROKEN, skip to the next VT */
};

struct mllp_options {
    size_t frame_max; /* bytes of content; 0 = LIMIT_MESSAGE_BYTES */
    enum mllp_fs_policy fs_policy;
};

enum mllp_event {
    MLLP_MORE,     /* all bytes used up: feed again */
    MLLP_FRAME,    /* *out_frame is one message */
    MLLP_TOO_LONG, /* longer than frame_max: *out_frame is its beginning, for a reject; the rest is skipped to the next
                      VT */
    MLLP_BROKEN,   /* *out_frame is what was dropped (VT inside, FS error); reading goes on */
    MLLP_COMMIT_ACK, /* release 2: stored safely */
    MLLP_COMMIT_NAK, /* release 2: not stored */
};

struct mllp_counts {
    uint64_t frames, bytes;
    uint64_t noise_bytes; /* outside frames; the CR LF some senders add included */
    uint64_t empty_frames, broken_frames, long_frames;
    uint64_t fs_inside;     /* FS kept as content */
    uint64_t fs_without_cr; /* frames that ended so */
};

struct mllp_reader {
    struct mllp_options options;
    struct mllp_counts counts;
    struct str input;   /* what is left of the last feed */
    struct buf partial; /* of a frame cut by a feed */
    int state;
    bool deliver_partial;
};

void mllp_reader_init(struct mllp_reader *reader, struct mllp_options options);
void mllp_reader_fini(struct mllp_reader *reader);
/* Gives the next bytes, which must stay until mllp_next() answered MLLP_MORE. Everything fed before must be used up. */
void mllp_feed(struct mllp_reader *reader, struct str bytes);
/* The next event. *out_frame is valid until the next call of mllp_next() or mllp_feed(). */
enum mllp_event mllp_next(struct mllp_reader *reader, struct str *out_frame);
/* The line went idle or closed: a frame that lacks only its CR (content and FS are there) is answered as MLLP_FRAME;
 * else MLLP_MORE. */
enum mllp_event mllp_idle(struct mllp_reader *reader, struct str *out_frame);
/* Bytes of an unfinished frame held now: "waiting for the rest", for status and time-outs. */
size_t mllp_pending(const struct mllp_reader *reader);

/* Appends VT message FS CR. */
void mllp_frame(struct buf *out, struct str message);
/* The four bytes of a release 2 commit answer. */
void mllp_commit(struct buf *out, bool stored);
