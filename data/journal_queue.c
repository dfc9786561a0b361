/*
 * The queue before the journal's thread: entries that wait for the next sync, and those who found no room for one.
 *
 * Room is given in the order asked, when the queue has fallen to half, and kept for those who were told until they
 * come: nobody is told in vain, and nobody new passes those who wait.
 */
#include "data/journal.h"
#include "journal_internal.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/invariant.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

/* An entry larger than the whole queue fits into an empty one. */
static bool fits(const struct journal *journal, uint64_t bytes)
{
    uint64_t entries = journal->pending.entries.count + journal->kept_entries;
    return entries == 0 ||
           (entries < journal->options.queue_entries_max &&
            journal->pending.bytes.len + journal->kept_bytes + bytes <= journal->options.queue_bytes_max);
}

bool journal_has_room_to_give(const struct journal *journal)
{
    return journal->waiters &&
           journal->pending.bytes.len + journal->kept_bytes <= journal->options.queue_bytes_max / 2 &&
           journal->pending.entries.count + journal->kept_entries <= journal->options.queue_entries_max / 2 &&
           fits(journal, journal->waiters->bytes);
}

static void keep_room(struct journal *journal, struct journal_waiter *waiter)
{
    INVARIANT(waiter->state == JOURNAL_WAITER_WAITS);
    journal->waiters = waiter->next;
    if (journal->waiters == NULL)
        journal->waiters_end = &journal->waiters;
    journal->stats.waiting--;
    waiter->state = JOURNAL_WAITER_TOLD;
    journal->kept_bytes += waiter->bytes;
    journal->kept_entries++;
}

static void end_keeping(struct journal *journal, struct journal_waiter *waiter)
{
    INVARIANT(journal->kept_entries > 0 && journal->kept_bytes >= waiter->bytes);
    journal->kept_bytes -= waiter->bytes;
    journal->kept_entries--;
    waiter->state = JOURNAL_WAITER_NONE;
}

void journal_give_room(struct journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    bool give = journal_has_room_to_give(journal);
    while (give && journal->waiters && fits(journal, journal->waiters->bytes)) {
        struct journal_waiter *waiter = journal->waiters;
        journal_room_fn *room = waiter->room;
        void *arg = waiter->arg;
        keep_room(journal, waiter);
        if (room == NULL) {
            pthread_cond_broadcast(&journal->room);
            continue;
        }
        pthread_mutex_unlock(&journal->lock);
        room(arg);
        pthread_mutex_lock(&journal->lock);
    }
    pthread_mutex_unlock(&journal->lock);
}

static void begin_waiting(struct journal *journal, struct journal_waiter *waiter, uint64_t bytes)
{
    INVARIANT(waiter->state == JOURNAL_WAITER_NONE);
    waiter->state = JOURNAL_WAITER_WAITS;
    waiter->bytes = bytes;
    waiter->next = NULL;
    *journal->waiters_end = waiter;
    journal->waiters_end = &waiter->next;
    journal->stats.waiting++;
    journal->stats.no_room++;
    bool by_entries = journal->pending.entries.count + journal->kept_entries >= journal->options.queue_entries_max;
    bound_met(by_entries ? BOUND_LIMIT_JOURNAL_QUEUE_ENTRIES : BOUND_LIMIT_JOURNAL_QUEUE_BYTES);
    if (journal->idle && journal_has_room_to_give(journal))
        pthread_cond_signal(&journal->work);
}

static void leave_waiters(struct journal *journal, struct journal_waiter *waiter)
{
    struct journal_waiter **at = &journal->waiters;
    while (*at != waiter)
        at = &(*at)->next;
    *at = waiter->next;
    if (waiter->next == NULL)
        journal->waiters_end = at;
    journal->stats.waiting--;
    waiter->state = JOURNAL_WAITER_NONE;
}

bool journal_forget(struct journal *journal, struct journal_waiter *waiter)
{
    pthread_mutex_lock(&journal->lock);
    bool waits = waiter->state == JOURNAL_WAITER_WAITS;
    if (waits)
        leave_waiters(journal, waiter);
    else if (waiter->state == JOURNAL_WAITER_TOLD)
        end_keeping(journal, waiter);
    if (journal_has_room_to_give(journal))
        pthread_cond_signal(&journal->work);
    pthread_mutex_unlock(&journal->lock);
    return waits;
}

struct arrival {
    uint16_t kind;
    struct str principal, body;
    struct waiting waiting;
    bool waits; /* in journal_append_wait() */
};

static uint64_t size_of(const struct arrival *arrival)
{
    return ENTRY_BYTES_MIN + arrival->principal.len + arrival->body.len;
}

/* Has it room, in its turn? */
static bool may_enter(struct journal *journal, const struct arrival *arrival, struct journal_waiter *waiter)
{
    if (waiter->state == JOURNAL_WAITER_TOLD) {
        end_keeping(journal, waiter);
        return fits(journal, size_of(arrival));
    }
    return journal->waiters == NULL && !waiter->in_line && fits(journal, size_of(arrival));
}

static void enter(struct journal *journal, const struct arrival *arrival)
{
    struct group *pending = &journal->pending;
    entry_put(&pending->bytes, clock_now_us(), arrival->kind, arrival->principal, arrival->body);
    *VEC_ADD(&pending->entries) = arrival->waiting;
    pending->has_waiters |= arrival->waits;
    if (journal->idle)
        pthread_cond_signal(&journal->work);
}

static status check_size(struct ctx *cx, const struct arrival *arrival)
{
    if (arrival->principal.len > JOURNAL_PRINCIPAL_BYTES_MAX || arrival->body.len > JOURNAL_BODY_BYTES_MAX)
        return ctx_fail(cx, &data_reasons[DATA_JOURNAL_TOO_LARGE], "%zu bytes, at most %d", arrival->body.len,
                        JOURNAL_BODY_BYTES_MAX);
    return STATUS_OK;
}

status journal_offer(struct journal *journal, struct ctx *cx, uint16_t kind, struct str principal, struct str body,
                     journal_done_fn *done, void *arg, struct journal_waiter *waiter, bool *out_taken)
{
    struct arrival arrival = {kind, principal, body, {done, arg}, false};
    TRY(check_size(cx, &arrival));
    pthread_mutex_lock(&journal->lock);
    bool open = !journal->closing, taken = open && may_enter(journal, &arrival, waiter);
    if (taken)
        enter(journal, &arrival);
    else if (open)
        begin_waiting(journal, waiter, size_of(&arrival));
    pthread_mutex_unlock(&journal->lock);
    if (!open)
        return ctx_fail(cx, &data_reasons[DATA_JOURNAL_CLOSED], NULL);
    *out_taken = taken;
    return STATUS_OK;
}

/* Waits for room. Answers the number of the group the entry went into; false when closing. */
static bool enter_patiently(struct journal *journal, const struct arrival *arrival, uint64_t *out_group)
{
    struct journal_waiter waiter = {.room = NULL};
    pthread_mutex_lock(&journal->lock);
    bool entered = false;
    while (!journal->closing && !entered) {
        entered = may_enter(journal, arrival, &waiter);
        if (entered)
            break;
        begin_waiting(journal, &waiter, size_of(arrival));
        while (!journal->closing && waiter.state == JOURNAL_WAITER_WAITS)
            pthread_cond_wait(&journal->room, &journal->lock);
    }
    if (entered) {
        enter(journal, arrival);
        *out_group = journal->group_count;
    } else if (waiter.state == JOURNAL_WAITER_WAITS) {
        leave_waiters(journal, &waiter);
    } else if (waiter.state == JOURNAL_WAITER_TOLD) {
        end_keeping(journal, &waiter);
    }
    pthread_mutex_unlock(&journal->lock);
    return entered;
}

status journal_append(struct journal *journal, struct ctx *cx, uint16_t kind, struct str principal, struct str body,
                      journal_done_fn *done, void *arg)
{
    struct arrival arrival = {kind, principal, body, {done, arg}, false};
    uint64_t group;
    TRY(check_size(cx, &arrival));
    if (!enter_patiently(journal, &arrival, &group))
        return ctx_fail(cx, &data_reasons[DATA_JOURNAL_CLOSED], NULL);
    return STATUS_OK;
}

struct patience {
    status result;
    uint64_t seq;
    uint32_t done;
};

static void on_done(void *arg, status result, uint64_t seq, int64_t time_us)
{
    (void)time_us;
    struct patience *patience = arg;
    patience->result = result;
    patience->seq = seq;
    __atomic_store_n(&patience->done, 1, __ATOMIC_RELEASE); /* its owner may go away from here on */
}

status journal_append_wait(struct journal *journal, struct ctx *cx, uint16_t kind, struct str principal,
                           struct str body, uint64_t *out_seq)
{
    struct patience patience = {.done = 0};
    struct arrival arrival = {kind, principal, body, {on_done, &patience}, true};
    uint64_t group;
    TRY(check_size(cx, &arrival));
    if (!enter_patiently(journal, &arrival, &group))
        return ctx_fail(cx, &data_reasons[DATA_JOURNAL_CLOSED], NULL);
    uint32_t *word = &journal->group_done[group % 2]; /* one wake for the whole group, and no lock to fight for */
    for (;;) {
        uint32_t seen = __atomic_load_n(word, __ATOMIC_ACQUIRE);
        if (__atomic_load_n(&patience.done, __ATOMIC_ACQUIRE))
            break;
        syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
    }
    if (patience.result != STATUS_OK)
        return ctx_fail(cx, &data_reasons[DATA_JOURNAL_FULL], NULL);
    *out_seq = patience.seq;
    return STATUS_OK;
}
