/* One sender's connection: bytes to frames to the engine, answers back in order. */
#include "mllp_internal.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "hl7v2/ack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum {
    SILENT_FRAME_END_US = 1000 * 1000, /* a frame that lacks only its CR is taken after this silence */
    FREE_CHUNKS_MAX = 16,
    READS_PER_TURN = 4,      /* so that one fast sender does not starve the others */
    LINGER_US = 2000 * 1000, /* closing over unread input would reset the line and destroy our last answer on its way */
};

/* ---- the source's small stores ---- */

static struct mllp_chunk *chunk_take(struct mllp_source *source)
{
    struct mllp_chunk *chunk = source->free_chunks;
    if (chunk == NULL)
        return mem_grow(NULL, 1, sizeof *chunk); /* not zeroed: it is read into */
    source->free_chunks = chunk->next;
    source->free_chunk_count--;
    return chunk;
}

static void chunk_give_back(struct mllp_source *source, struct mllp_chunk *chunk)
{
    if (chunk == NULL)
        return;
    if (source->free_chunk_count == FREE_CHUNKS_MAX) {
        mem_free(chunk);
        return;
    }
    chunk->next = source->free_chunks;
    source->free_chunks = chunk;
    source->free_chunk_count++;
}

static struct mllp_turn *turn_take(struct mllp_connection *connection)
{
    struct mllp_source *source = connection->source;
    struct mllp_turn *turn = source->free_turns;
    if (turn)
        source->free_turns = turn->next;
    else
        turn = mem_alloc(sizeof *turn);
    turn->connection = connection;
    turn->next = NULL;
    turn->answered = false;
    if (connection->last)
        connection->last->next = turn;
    else
        connection->first = turn;
    connection->last = turn;
    connection->outstanding++;
    return turn;
}

static void turn_drop_first(struct mllp_connection *connection)
{
    struct mllp_turn *turn = connection->first;
    connection->first = turn->next;
    if (connection->first == NULL)
        connection->last = NULL;
    connection->outstanding--;
    buf_fini(&turn->early);
    turn->next = connection->source->free_turns;
    connection->source->free_turns = turn;
}

/* ---- ends ---- */

static void count_partial(struct mllp_connection *connection)
{
    size_t now = mllp_pending(&connection->reader);
    connection->source->partial_bytes += now - connection->partial_counted; /* wraps back when it shrank */
    connection->partial_counted = now;
}

static void add_counts(struct mllp_connection *connection)
{
    const struct mllp_counts *from = &connection->reader.counts;
    struct mllp_source_counts *to = &connection->source->counts;
    to->noise_bytes += from->noise_bytes;
    to->broken_frames += from->broken_frames;
    to->long_frames += from->long_frames;
    to->empty_frames += from->empty_frames;
}

/* Gone as soon as the socket is closed and every message has its answer: engine threads may still hold our turns. */
static void free_if_done(struct mllp_connection *connection)
{
    if (connection->watch || connection->outstanding > 0 || connection->flush_due || connection->room_due)
        return;
    struct mllp_source *source = connection->source;
    buf_fini(&connection->stream.out);
    mem_free(connection);
    source->objects--;
    mllp_source_settle(source);
}

static void release_turns(struct mllp_connection *connection);

/* Gives up the message that waits for room: it was not taken and gets no answer, so its sender still has it. */
static void drop_held(struct mllp_connection *connection)
{
    if (connection->held_turn == NULL)
        return;
    if (engine_forget(connection->source->engine, &connection->room))
        connection->room_due = false;
    connection->held_turn->answered = true;
    connection->held_turn = NULL;
    connection->held = STR_NONE;
    release_turns(connection);
}

static void close_socket(struct mllp_connection *connection)
{
    if (connection->watch == NULL)
        return;
    struct mllp_source *source = connection->source;
    drop_held(connection);
    loop_watch_remove(connection->watch);
    connection->watch = NULL;
    connection->reading_ended = true;
    connection->input_waits = false;
    if (connection->stream.tls && crypto_stream_is_open(&connection->stream)) {
        crypto_stream_goodbye(&connection->stream);
        (void)crypto_stream_flush(&connection->stream); /* best effort: nobody waits for it */
    }
    crypto_stream_fini(&connection->stream);
    connection->principal = STR_NONE;
    chunk_give_back(source, connection->chunk);
    connection->chunk = NULL;
    add_counts(connection);
    source->partial_bytes -= connection->partial_counted;
    connection->partial_counted = 0;
    mllp_reader_fini(&connection->reader);
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        source->connections = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    source->counts.connections--;
    engine_source_connections(source->engine, source->options.source, -1);
}

void mllp_connection_cut_off(struct mllp_connection *connection, const char *why)
{
    connection->source->counts.cut_off++;
    log_event(LOG_WARN, "mllp.cut-off", LOG_NAME("source", connection->source->options.source), LOG_NAME("why", why),
              LOG_NAME("peer", connection->peer), LOG_NUM("frames", connection->reader.counts.frames),
              LOG_NUM("noise_bytes", connection->reader.counts.noise_bytes));
    close_socket(connection);
}

/* What to wait for follows from the state; changed only when it differs. */
static void watch_what_matters(struct mllp_connection *connection)
{
    if (connection->watch == NULL)
        return;
    bool full = connection->input_waits || crypto_stream_waiting(&connection->stream) > MLLP_UNREAD_ANSWER_BYTES;
    bool wants_input = (!connection->reading_ended && !full) || connection->linger_since_us;
    loop_watch_change(connection->watch, (wants_input ? (uint32_t)EPOLLIN : 0) |
                                             (crypto_stream_is_sending(&connection->stream) ? (uint32_t)EPOLLOUT : 0));
}

/* ---- sending ---- */

static void flush(struct mllp_connection *connection)
{
    if (connection->watch == NULL)
        return;
    uint64_t before = connection->stream.bytes_out;
    if (!crypto_stream_flush(&connection->stream)) {
        close_socket(connection);
        return;
    }
    if (!crypto_stream_is_sending(&connection->stream))
        connection->send_since_us = 0;
    else if (connection->send_since_us == 0 || connection->stream.bytes_out != before)
        connection->send_since_us = clock_mono_us();
    if (!connection->reading_ended || connection->outstanding > 0 || crypto_stream_is_sending(&connection->stream))
        return;
    if (!connection->lingers) {
        close_socket(connection);
    } else if (connection->linger_since_us == 0) {
        connection->linger_since_us = clock_mono_us();
        shutdown(connection->stream.fd, SHUT_WR);
    }
}

/* The turns at the head that have their answers are through. */
static void release_turns(struct mllp_connection *connection)
{
    while (connection->first) {
        struct mllp_turn *turn = connection->first;
        if (turn->early.len > 0 && connection->watch)
            crypto_stream_put(&connection->stream, buf_str(&turn->early));
        buf_clear(&turn->early);
        if (!turn->answered)
            return;
        turn_drop_first(connection);
    }
}

static void take_answer(struct mllp_turn *turn, struct str framed, bool last)
{
    struct mllp_connection *connection = turn->connection;
    turn->answered = turn->answered || last;
    if (framed.len > 0)
        connection->source->counts.answers++;
    if (turn == connection->first) {
        if (framed.len > 0 && connection->watch)
            crypto_stream_put(&connection->stream, framed);
        release_turns(connection);
    } else {
        buf_put_str(&turn->early, framed);
    }
}

static void pump(struct mllp_connection *connection);

static void settle_flushes(struct mllp_connection *dirty)
{
    while (dirty) {
        struct mllp_connection *connection = dirty;
        dirty = connection->next_flush;
        if (connection->input_waits && connection->outstanding <= connection->source->options.outstanding_max / 2)
            pump(connection);
        flush(connection);
        watch_what_matters(connection);
        connection->flush_due = false;
        free_if_done(connection);
    }
}

/* On the loop: all answers that came since the last turn, then one send for each connection. */
static void open_mailbox(void *arg)
{
    struct mllp_source *source = arg;
    pthread_mutex_lock(&source->mailbox_lock);
    struct mllp_mailbox taken = source->mailbox;
    source->mailbox = source->opening;
    pthread_mutex_unlock(&source->mailbox_lock);

    struct mllp_connection *dirty = NULL;
    size_t at = 0;
    for (size_t i = 0; i < taken.letters.count; i++) {
        const struct mllp_letter *letter = &taken.letters.at[i];
        struct mllp_connection *connection = letter->turn->connection;
        take_answer(letter->turn, str_make(taken.bytes.data + at, letter->len), letter->last);
        at += letter->len;
        if (!connection->flush_due) {
            connection->flush_due = true;
            connection->next_flush = dirty;
            dirty = connection;
        }
    }
    taken.letters.count = 0;
    buf_clear(&taken.bytes);
    source->opening = taken;
    source->objects++; /* held while connections may go */
    settle_flushes(dirty);
    source->objects--;
    mllp_source_settle(source);
}

/* On an engine thread. */
static void on_answer(void *arg, const struct engine_answer *answer)
{
    struct mllp_turn *turn = arg;
    struct mllp_source *source = turn->connection->source;
    struct loop *loop = source->loop;
    pthread_mutex_lock(&source->mailbox_lock);
    size_t before = source->mailbox.bytes.len;
    bool was_empty = source->mailbox.letters.count == 0;
    if (answer->ack.len > 0)
        mllp_frame(&source->mailbox.bytes, answer->ack);
    *VEC_ADD(&source->mailbox.letters) = (struct mllp_letter){turn, source->mailbox.bytes.len - before, answer->last};
    pthread_mutex_unlock(&source->mailbox_lock);
    if (was_empty) /* the source stays: it is freed only after this letter was opened */
        loop_post(loop, open_mailbox, source);
}

/* ---- receiving ---- */

/* False: there is no room. The message is kept, and its turn, until hear_room(). */
static bool submit_turn(struct mllp_connection *connection, struct mllp_turn *turn, struct str frame)
{
    struct mllp_source *source = connection->source;
    struct engine_submission submission = {
        .source = str_from(source->options.source),
        .protocol = STR("mllp"),
        .peer = str_from(connection->peer),
        .principal = connection->principal,
        .message = frame,
        .received_us = connection->held_turn ? connection->held_received_us : clock_now_us(),
    };
    bool taken = engine_submit(source->engine, &submission, on_answer, turn, &connection->room) == ENGINE_TAKEN;
    connection->held_turn = taken ? NULL : turn;
    connection->held = taken ? STR_NONE : frame;
    connection->held_received_us = submission.received_us;
    connection->room_due = !taken;
    source->counts.messages += taken;
    return taken;
}

static bool submit(struct mllp_connection *connection, struct str frame)
{
    connection->last_frame_us = connection->last_byte_us;
    bool taken = submit_turn(connection, turn_take(connection), frame);
    if (!taken) {
        connection->input_waits = true;
        connection->source->counts.no_room++;
    }
    return taken;
}

/* On the loop: the engine has room for the message that waits, unless the connection gave it up meanwhile. */
static void hear_room(void *arg)
{
    struct mllp_connection *connection = arg;
    struct mllp_source *source = connection->source;
    source->objects++;
    connection->room_due = false;
    if (connection->held_turn && submit_turn(connection, connection->held_turn, connection->held))
        pump(connection);
    flush(connection);
    watch_what_matters(connection);
    free_if_done(connection);
    source->objects--;
    mllp_source_settle(source);
}

/* On an engine thread. */
static void on_room(void *arg)
{
    struct mllp_connection *connection = arg;
    loop_post(connection->source->loop, hear_room, connection);
}

/* Too long to take: say so when there is a header to answer, in its turn, and end the connection. */
static void refuse_long(struct mllp_connection *connection, struct str beginning)
{
    struct hl7_header header;
    hl7_header_read(beginning, &header);
    struct mllp_turn *turn = turn_take(connection);
    if (header.found) {
        char control_id[40];
        snprintf(control_id, sizeof control_id, "%" PRIx64, (uint64_t)clock_now_us());
        struct buf ack = {0}, framed = {0};
        const struct hl7_ack answer = {.to = &header,
                                       .code = HL7_AR,
                                       .control_id = str_from(control_id),
                                       .now_us = clock_now_us(),
                                       .reason = &engine_reasons[ENGINE_TOO_LARGE]};
        hl7_ack_build(&answer, &ack);
        mllp_frame(&framed, buf_str(&ack));
        take_answer(turn, buf_str(&framed), true);
        buf_fini(&ack);
        buf_fini(&framed);
    } else {
        take_answer(turn, STR_NONE, true);
    }
    connection->source->counts.cut_off++;
    bound_met(BOUND_LIMIT_MESSAGE_BYTES);
    log_event(LOG_WARN, "mllp.too-long", LOG_NAME("source", connection->source->options.source),
              LOG_NAME("peer", connection->peer), LOG_NUM("limit_bytes", connection->source->options.frame_max));
    connection->reading_ended = true;
    connection->lingers = true;
}

static void log_noise_once(struct mllp_connection *connection)
{
    const struct mllp_counts *counts = &connection->reader.counts;
    /* the line ends that some senders add after each frame are no news */
    if (connection->noise_logged || (counts->broken_frames == 0 && counts->noise_bytes <= 2 * counts->frames))
        return;
    connection->noise_logged = true;
    log_event(LOG_WARN, "mllp.noise", LOG_NAME("source", connection->source->options.source),
              LOG_NAME("peer", connection->peer), LOG_NUM("noise_bytes", counts->noise_bytes),
              LOG_NUM("broken_frames", counts->broken_frames));
}

/* A reader in state 0 is outside every frame; VT alone already opens one. */
static bool is_inside_frame(const struct mllp_connection *connection)
{
    return connection->reader.state != 0;
}

/* Frames of what was fed, as far as the engine has room. */
static void pump(struct mllp_connection *connection)
{
    if (connection->held_turn)
        return;
    connection->input_waits = false;
    while (!connection->reading_ended) {
        if (connection->outstanding >= connection->source->options.outstanding_max) {
            bound_met(BOUND_MLLP_OUTSTANDING_MAX);
            connection->input_waits = true;
            return;
        }
        struct str frame;
        enum mllp_event event = mllp_next(&connection->reader, &frame);
        if (BEYOND(MLLP_NOISE_BYTES_MAX, connection->reader.counts.noise_bytes - connection->noise_before)) {
            mllp_connection_cut_off(connection, "too much noise");
            return;
        }
        if (event == MLLP_MORE)
            break;
        connection->noise_before = connection->reader.counts.noise_bytes;
        connection->frame_since_us = 0;
        if (event == MLLP_FRAME && !submit(connection, frame))
            return;
        if (event == MLLP_TOO_LONG)
            refuse_long(connection, frame);
    }
    chunk_give_back(connection->source, connection->chunk);
    connection->chunk = NULL;
    log_noise_once(connection);
    count_partial(connection);
    if (!is_inside_frame(connection))
        connection->frame_since_us = 0;
    else if (connection->frame_since_us == 0)
        connection->frame_since_us = connection->last_byte_us;
}

static bool looks_like_tls(const struct mllp_connection *connection, struct str bytes)
{
    return connection->stream.tls == NULL && connection->stream.bytes_in == bytes.len && bytes.len >= 3 &&
           bytes.data[0] == 0x16 && bytes.data[1] == 0x03 && (uint8_t)bytes.data[2] <= 4;
}

static void take_bytes(struct mllp_connection *connection, struct str bytes)
{
    connection->last_byte_us = clock_mono_us();
    if (looks_like_tls(connection, bytes)) {
        mllp_connection_cut_off(connection, "TLS on a plain port");
        return;
    }
    mllp_feed(&connection->reader, bytes);
    pump(connection);
    if (connection->watch && BEYOND(MLLP_PARTIAL_BYTES_MAX, connection->source->partial_bytes))
        mllp_connection_cut_off(connection, "unfinished frames of all connections are too large");
}

static void take_silent_end(struct mllp_connection *connection)
{
    struct str frame;
    if (connection->input_waits || mllp_idle(&connection->reader, &frame) != MLLP_FRAME)
        return;
    connection->frame_since_us = 0;
    if (submit(connection, frame))
        count_partial(connection);
}

/* The certificate is proved; is it one we want here? */
static bool greet(struct mllp_connection *connection)
{
    if (connection->greeted)
        return true;
    if (!crypto_stream_is_open(&connection->stream))
        return false;
    const struct mllp_source_options *options = &connection->source->options;
    bool allowed = options->peers == NULL;
    for (size_t i = 0; i < options->peer_count && !allowed; i++)
        allowed = crypto_tls_peer_is(connection->stream.tls, options->peers[i]);
    if (!allowed) {
        connection->source->counts.refused++;
        mllp_connection_cut_off(connection, "the certificate is not allowed here");
        return false;
    }
    const struct str *names;
    if (crypto_tls_peer_names(connection->stream.tls, &names) > 0)
        connection->principal = names[0];
    connection->greeted = true;
    return true;
}

/* The peer will send no more; what it sent is still answered. */
static void input_over(struct mllp_connection *connection, bool failed)
{
    if (!connection->greeted || failed) {
        if (failed && !connection->greeted) {
            connection->source->counts.refused++;
            log_event(LOG_WARN, "mllp.tls-refused", LOG_NAME("source", connection->source->options.source),
                      LOG_NAME("peer", connection->peer),
                      LOG_NAME("why", connection->stream.why ? connection->stream.why : "closed"));
        }
        (void)crypto_stream_flush(&connection->stream); /* TLS's alert, best effort */
        close_socket(connection);
        return;
    }
    take_silent_end(connection);
    connection->reading_ended = true;
}

/* False when there is nothing more to read now. */
static bool read_once(struct mllp_connection *connection)
{
    if (connection->chunk == NULL)
        connection->chunk = chunk_take(connection->source);
    struct str bytes;
    bool full;
    switch (crypto_stream_read(&connection->stream, connection->chunk->bytes, MLLP_CHUNK_BYTES, &bytes, &full)) {
    case CRYPTO_STREAM_DATA:
        if (greet(connection))
            take_bytes(connection, bytes);
        break;
    case CRYPTO_STREAM_WAIT:
        (void)greet(connection);
        break;
    case CRYPTO_STREAM_END:
        input_over(connection, false);
        break;
    case CRYPTO_STREAM_FAILED:
        input_over(connection, true);
        break;
    }
    return full && connection->watch && !connection->reading_ended && !connection->input_waits;
}

/* Throws away what the peer still sends, until it has seen our end. */
static void linger(struct mllp_connection *connection)
{
    struct mllp_chunk *chunk = chunk_take(connection->source);
    ssize_t got = recv(connection->stream.fd, chunk->bytes, MLLP_CHUNK_BYTES, 0);
    chunk_give_back(connection->source, chunk);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        close_socket(connection);
}

static void ready(void *arg, uint32_t events)
{
    struct mllp_connection *connection = arg;
    struct mllp_source *source = connection->source;
    source->objects++;
    bool may_read = !connection->reading_ended && !connection->input_waits;
    if (connection->linger_since_us) {
        linger(connection);
    } else if (may_read && (events & (EPOLLIN | EPOLLHUP | EPOLLERR))) {
        for (int i = 0; i < READS_PER_TURN && read_once(connection); i++)
            ;
    } else if (events & (EPOLLHUP | EPOLLERR)) {
        close_socket(connection); /* both directions are gone: nobody is there to take answers */
    }
    if (!connection->input_waits && connection->chunk) {
        chunk_give_back(source, connection->chunk);
        connection->chunk = NULL;
    }
    flush(connection);
    watch_what_matters(connection);
    free_if_done(connection);
    source->objects--;
    mllp_source_settle(source);
}

/* ---- life ---- */

void mllp_connection_open(struct mllp_source *source, int fd, const char *peer)
{
    struct mllp_connection *connection = mem_alloc(sizeof *connection);
    connection->source = source;
    crypto_stream_init(&connection->stream, fd, source->options.tls, NULL);
    mllp_reader_init(&connection->reader, (struct mllp_options){.frame_max = source->options.frame_max});
    snprintf(connection->peer, sizeof connection->peer, "%s", peer);
    connection->opened_us = connection->last_frame_us = connection->last_byte_us = clock_mono_us();
    connection->greeted = source->options.tls == NULL;
    connection->room = (struct engine_room){.told = on_room, .arg = connection};
    connection->next = source->connections;
    if (connection->next)
        connection->next->previous = connection;
    source->connections = connection;
    source->objects++;
    source->counts.accepted++;
    source->counts.connections++;
    engine_source_connections(source->engine, source->options.source, 1);
    connection->watch = loop_watch_add(source->loop, fd, EPOLLIN, ready, connection);
}

void mllp_connection_stop_reading(struct mllp_connection *connection)
{
    drop_held(connection);
    connection->reading_ended = true;
    connection->input_waits = false;
    flush(connection);
    watch_what_matters(connection);
    free_if_done(connection);
}

static const char *broken_time(const struct mllp_connection *connection, int64_t now_us)
{
    const struct mllp_source_options *options = &connection->source->options;
    if (!connection->greeted && now_us - connection->opened_us > options->frame_us)
        return "the TLS handshake takes too long";
    if (connection->send_since_us && now_us - connection->send_since_us > options->frame_us)
        return "answers are not taken";
    if (connection->input_waits || connection->outstanding > 0 || connection->reading_ended)
        return NULL;
    if (connection->frame_since_us && now_us - connection->frame_since_us > options->frame_us)
        return "a frame takes too long";
    if (now_us - connection->last_frame_us > options->idle_us)
        return "silent too long";
    return NULL;
}

void mllp_connection_sweep(struct mllp_connection *connection, int64_t now_us)
{
    if (now_us - connection->last_byte_us > SILENT_FRAME_END_US && is_inside_frame(connection) &&
        !connection->reading_ended)
        take_silent_end(connection);
    const char *broken = broken_time(connection, now_us);
    if (connection->linger_since_us && now_us - connection->linger_since_us > LINGER_US)
        close_socket(connection);
    else if (broken)
        mllp_connection_cut_off(connection, broken);
    flush(connection);
    watch_what_matters(connection);
    free_if_done(connection);
}
