/* Admin: status, routes, dead letters, the journal. */
#include "page.h"
#include "services.h"

#include "base/bounds.h"

#include "engine/engine.h"
#include "idem/admin/v1/admin.pb-c.h"
#include "proposer.h"

#include <stdio.h>
#include <unistd.h>

static uint64_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long pages = 0;
    if (file == NULL)
        return 0;
    int read = fscanf(file, "%*u %lu", &pages);
    fclose(file);
    return read == 1 ? (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static void convert_lane(struct ctx *cx, const struct engine_lane_view *lane, Idem__Admin__V1__Lane *answer)
{
    answer->destination = message_text(cx, lane->destination);
    answer->kind = message_text(cx, lane->kind);
    answer->state = message_text(cx, lane->state);
    answer->queued = lane->queued;
    answer->delivered = lane->delivered;
    answer->refused = lane->refused;
    answer->dead = lane->dead;
    answer->attempts = lane->attempts;
    answer->oldest_us = lane->oldest_us;
    answer->last_error = message_text(cx, lane->last_error);
}

static void convert_source(struct ctx *cx, const struct engine_source_view *source, Idem__Admin__V1__Source *answer)
{
    answer->name = message_text(cx, source->name);
    answer->kind = message_text(cx, source->kind);
    answer->received = source->received;
    answer->accepted = source->accepted;
    answer->refused = source->refused;
    answer->duplicates = source->duplicates;
    answer->connections = source->connections;
}

static void convert_bounds(struct ctx *cx, Idem__Admin__V1__Status *answer)
{
    size_t count = 0;
    for (enum bound bound = 0; bound < BOUND_COUNT; bound++)
        count += bound_times(bound) > 0;
    MESSAGE_LIST(cx, answer, bounds_met, &idem__admin__v1__bound_met__descriptor, count);
    for (size_t i = 0, bound = 0; bound < BOUND_COUNT && i < count; bound++) {
        uint64_t times = bound_times((enum bound)bound);
        if (times == 0)
            continue;
        answer->bounds_met[i]->name = message_text(cx, str_from(bound_name((enum bound)bound)));
        answer->bounds_met[i++]->times = times;
    }
}

static Idem__Admin__V1__CommitTimes *convert_commit_times(struct ctx *cx, struct data_store *store)
{
    struct data_stats stats;
    data_stats(store, &stats);
    Idem__Admin__V1__CommitTimes *times = message_new(cx, &idem__admin__v1__commit_times__descriptor);
    times->commits = stats.commits;
    times->n_held = times->n_waited = DATA_STATS_BUCKETS;
    times->held = arena_array(cx->arena, DATA_STATS_BUCKETS, sizeof *times->held);
    times->waited = arena_array(cx->arena, DATA_STATS_BUCKETS, sizeof *times->waited);
    memcpy(times->held, stats.held, sizeof stats.held);
    memcpy(times->waited, stats.waited, sizeof stats.waited);
    times->held_p99_us = data_stats_us(stats.held, 990);
    times->held_max_us = stats.held_max_us;
    times->waited_p99_us = data_stats_us(stats.waited, 990);
    times->waited_max_us = stats.waited_max_us;
    MESSAGE_LIST(cx, times, waits, &idem__admin__v1__commit_wait__descriptor, DATA_WAIT_COUNT);
    for (size_t i = 0; i < DATA_WAIT_COUNT; i++) {
        times->waits[i]->name = message_text(cx, str_from(data_wait_name((enum data_wait)i)));
        times->waits[i]->total_us = stats.waits_us[i];
        times->waits[i]->max_us = stats.waits_max_us[i];
    }
    return times;
}

static status tell_model(struct rpc_server *server, struct ctx *cx, Idem__Admin__V1__Status *answer)
{
    struct mpi_drift drift;
    TRY(proposer_drift(server->proposer, cx, &drift));
    Idem__Admin__V1__ModelState *state = message_new(cx, &idem__admin__v1__model_state__descriptor);
    state->version = drift.version;
    state->drifted = drift.cause != MPI_DRIFT_NONE;
    state->drift = message_text(cx, mpi_drift_text(cx, &drift));
    state->proposed_us = proposer_kept_at(server->proposer, cx, drift.version);
    answer->model = state;
    return STATUS_OK;
}

status admin_get_status(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    (void)request;
    Idem__Admin__V1__Status *answer = reply;
    struct engine_status now;
    TRY(engine_status(call->server->engine, cx, &now));
    answer->version = message_text(cx, str_from(call->server->version));
    answer->started_us = now.started_us;
    answer->journal_last_seq = now.journal_last_seq;
    answer->applied_seq = now.applied_seq;
    answer->received = now.received;
    answer->accepted = now.accepted;
    answer->refused = now.refused;
    answer->deliveries_owed = now.deliveries_owed;
    answer->deliveries_done = now.deliveries_done;
    answer->deliveries_queued = now.deliveries_queued;
    answer->deliveries_dead = now.deliveries_dead;
    answer->unaccounted = now.unaccounted;
    answer->records = now.mpi.records;
    answer->persons = now.mpi.persons;
    answer->reviews_open = now.mpi.reviews_open;
    answer->more_said = now.mpi.more_said;
    answer->work_items = now.work_items;
    answer->rss_bytes = resident_bytes();
    answer->journal_full = now.journal_full;
    MESSAGE_LIST(cx, answer, lanes, &idem__admin__v1__lane__descriptor, now.lane_count);
    for (size_t i = 0; i < now.lane_count; i++)
        convert_lane(cx, &now.lanes[i], answer->lanes[i]);
    MESSAGE_LIST(cx, answer, sources, &idem__admin__v1__source__descriptor, now.source_count);
    for (size_t i = 0; i < now.source_count; i++)
        convert_source(cx, &now.sources[i], answer->sources[i]);
    convert_bounds(cx, answer);
    answer->commit_times = convert_commit_times(cx, engine_store(call->server->engine));
    return tell_model(call->server, cx, answer);
}

status admin_list_routes(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    (void)request;
    Idem__Admin__V1__ListRoutesReply *answer = reply;
    struct engine_routes_view routes;
    TRY(engine_routes(call->server->engine, cx, &routes));
    answer->version = message_text(cx, routes.version);
    answer->seq = routes.seq;
    answer->text = message_text(cx, routes.text);
    answer->routes = message_texts(cx, routes.routes, routes.route_count);
    answer->n_routes = routes.route_count;
    answer->sources = message_texts(cx, routes.sources, routes.source_count);
    answer->n_sources = routes.source_count;
    answer->destinations = message_texts(cx, routes.destinations, routes.destination_count);
    answer->n_destinations = routes.destination_count;
    return STATUS_OK;
}

status admin_apply_routes(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Admin__V1__ApplyRoutesRequest *asked = request;
    Idem__Admin__V1__ApplyRoutesReply *answer = reply;
    TRY(rpc_need(cx, asked->text[0] != 0, "text"));
    struct engine_routes_view routes;
    TRY(engine_apply_routes(call->server->engine, cx, str_from(asked->text), asked->dry_run, &routes));
    answer->version = message_text(cx, routes.version);
    answer->seq = routes.seq;
    answer->routes = message_texts(cx, routes.routes, routes.route_count);
    answer->n_routes = routes.route_count;
    return STATUS_OK;
}

static void convert_letter(struct ctx *cx, const struct engine_dead_letter *letter, Idem__Admin__V1__DeadLetter *answer)
{
    answer->id = letter->id;
    answer->seq = letter->seq;
    answer->destination = message_text(cx, letter->destination);
    answer->reason = message_text(cx, letter->reason);
    answer->detail = message_text(cx, letter->detail);
    answer->time_us = letter->time_us;
    answer->attempts = letter->attempts;
    answer->control_id = message_text(cx, letter->control_id);
    answer->type = message_text(cx, letter->type);
}

status admin_list_dead_letters(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Admin__V1__ListDeadLettersRequest *asked = request;
    Idem__Admin__V1__ListDeadLettersReply *answer = reply;
    size_t max = page_rows(asked->max, LETTERS_USUAL, LETTERS_MAX);
    struct engine_dead_letter *letters;
    size_t count;
    TRY(engine_dead_letters(call->server->engine, cx, str_from(asked->destination), asked->after, max + 1, &letters,
                            &count, &answer->total));
    if (count > max) {
        count = max;
        answer->next_after = letters[count - 1].id;
    }
    MESSAGE_LIST(cx, answer, letters, &idem__admin__v1__dead_letter__descriptor, count);
    for (size_t i = 0; i < count; i++)
        convert_letter(cx, &letters[i], answer->letters[i]);
    return STATUS_OK;
}

status admin_get_dead_letter(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Admin__V1__GetDeadLetterRequest *asked = request;
    Idem__Admin__V1__DeadLetter *answer = reply;
    TRY(rpc_need(cx, asked->id != 0, "id"));
    struct engine_dead_letter letter;
    TRY(engine_dead_letter(call->server->engine, cx, asked->id, &letter));
    convert_letter(cx, &letter, answer);
    answer->message = message_bytes(letter.message);
    answer->answer = message_bytes(letter.answer);
    return STATUS_OK;
}

status admin_replay_dead_letter(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Admin__V1__ReplayDeadLetterRequest *asked = request;
    Idem__Admin__V1__ReplayReply *answer = reply;
    TRY(rpc_need(cx, asked->id || asked->destination[0], "id or destination"));
    uint64_t *ids;
    size_t count;
    TRY(engine_replay(call->server->engine, cx, asked->id, str_from(asked->destination), asked->dry_run, &ids, &count));
    answer->replayed = count;
    answer->ids = ids;
    answer->n_ids = count;
    answer->left = engine_dead_count(call->server->engine, str_from(asked->destination));
    if (asked->dry_run)
        answer->left -= count < answer->left ? count : answer->left;
    return STATUS_OK;
}

status admin_verify_journal(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    (void)request;
    Idem__Admin__V1__JournalReport *answer = reply;
    struct journal_report report;
    TRY(journal_verify(cx, call->server->data_dir, &report));
    answer->first_seq = report.first_seq;
    answer->last_seq = report.last_seq;
    answer->entries = report.entries;
    answer->bytes = report.bytes;
    answer->segments = report.segments;
    answer->bad_seq = report.bad_seq;
    answer->bad_segment = message_text(cx, str_from(report.bad_segment));
    answer->bad_why = message_text(cx, str_from(report.bad_why));
    answer->torn_bytes = report.torn_bytes;
    char *chain = arena_alloc(cx->arena, sizeof report.chain * 2 + 1);
    for (size_t i = 0; i < sizeof report.chain; i++)
        snprintf(chain + i * 2, 3, "%02x", report.chain[i]);
    answer->chain = chain;
    return STATUS_OK;
}

status admin_get_journal_stats(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    (void)request, (void)cx;
    Idem__Admin__V1__JournalStats *answer = reply;
    struct journal *journal = engine_journal(call->server->engine);
    struct journal_stats stats;
    journal_stats(journal, &stats);
    answer->first_seq = journal_first_seq(journal);
    answer->last_seq = journal_last_seq(journal);
    answer->appended = stats.appended;
    answer->groups = stats.groups;
    answer->bytes = stats.bytes;
    answer->full_refusals = stats.full_refusals;
    answer->sync_us_total = stats.sync_us_total;
    answer->sync_us_max = stats.sync_us_max;
    return STATUS_OK;
}
