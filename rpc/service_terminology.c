/* Terminology: protos to terminology/ and back. A call works on one snapshot from beginning to end. */
#include "page.h"
#include "services.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "idem/terminology/v1/terminology.pb-c.h"
#include "loaders/codes.h"

enum { LOADS_MAX = 2, PROGRESS_EVERY_US = 100 * 1000 };

static void release_snapshot(struct codes_snapshot **snapshot)
{
    codes_snapshot_unref(*snapshot);
}
#define SNAPSHOT(call)                                                                                                 \
    SCOPED(release_snapshot) struct codes_snapshot *snapshot = codes_snapshot_ref(engine_codes((call)->server->engine))

static void convert_concept(struct ctx *cx, const struct codes_concept *concept,
                            Idem__Terminology__V1__LookupReply *answer)
{
    answer->system = message_text(cx, concept->system);
    answer->version = message_text(cx, concept->version);
    answer->code = message_text(cx, concept->code);
    answer->display = message_text(cx, concept->display);
    answer->active = concept->active;
    answer->billable = concept->billable;
}

static status add_details(const struct codes_snapshot *snapshot, struct ctx *cx,
                          const Idem__Terminology__V1__LookupRequest *asked, Idem__Terminology__V1__LookupReply *answer)
{
    struct codes_designation *designations;
    struct codes_property *properties;
    size_t designation_count, property_count;
    TRY(codes_details(snapshot, cx, str_from(asked->system), str_from(asked->code), asked->release, &designations,
                      &designation_count, &properties, &property_count));
    MESSAGE_LIST(cx, answer, designations, &idem__terminology__v1__designation__descriptor, designation_count);
    for (size_t i = 0; i < designation_count; i++) {
        answer->designations[i]->language = message_text(cx, designations[i].language);
        answer->designations[i]->use = message_text(cx, designations[i].use);
        answer->designations[i]->text = message_text(cx, designations[i].text);
    }
    MESSAGE_LIST(cx, answer, properties, &idem__terminology__v1__property__descriptor, property_count);
    for (size_t i = 0; i < property_count; i++) {
        answer->properties[i]->name = message_text(cx, properties[i].name);
        answer->properties[i]->value = message_text(cx, properties[i].value);
    }
    return STATUS_OK;
}

/* A release that is not active may have to be opened and verified: seconds for a large one. */
bool terminology_lookup_may_wait(const void *request)
{
    return ((const Idem__Terminology__V1__LookupRequest *)request)->release != 0;
}

status terminology_lookup(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Terminology__V1__LookupRequest *asked = request;
    TRY(rpc_need(cx, asked->system[0] && asked->code[0], "system and code"));
    SNAPSHOT(call);
    struct codes_concept concept;
    TRY(codes_lookup(snapshot, cx, str_from(asked->system), str_from(asked->code), asked->release, &concept));
    convert_concept(cx, &concept, reply);
    return asked->details ? add_details(snapshot, cx, asked, reply) : STATUS_OK;
}

status terminology_validate(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Terminology__V1__ValidateRequest *asked = request;
    Idem__Terminology__V1__ValidateReply *answer = reply;
    TRY(rpc_need(cx, asked->system[0] && asked->code[0], "system and code"));
    SNAPSHOT(call);
    struct codes_verdict verdict =
        codes_validate(snapshot, str_from(asked->system), str_from(asked->code), str_from(asked->display));
    answer->validity = message_text(cx, str_from(codes_validity_name(verdict.validity)));
    answer->display_differs = verdict.display_differs;
    answer->replacement = message_text(cx, verdict.replacement);
    if (verdict.validity != CODES_CODE_UNKNOWN && verdict.validity != CODES_SYSTEM_UNKNOWN) {
        answer->concept = message_new(cx, &idem__terminology__v1__lookup_reply__descriptor);
        convert_concept(cx, &verdict.concept, answer->concept);
    }
    return STATUS_OK;
}

status terminology_translate(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Terminology__V1__TranslateRequest *asked = request;
    Idem__Terminology__V1__TranslateReply *answer = reply;
    TRY(rpc_need(cx, asked->system[0] && asked->code[0], "system and code"));
    SNAPSHOT(call);
    struct codes_translation *rows;
    size_t count;
    TRY(codes_translate(snapshot, cx, str_from(asked->system), str_from(asked->code), str_from(asked->target_system),
                        &rows, &count));
    MESSAGE_LIST(cx, answer, translations, &idem__terminology__v1__translation__descriptor, count);
    for (size_t i = 0; i < count; i++) {
        Idem__Terminology__V1__Translation *row = answer->translations[i];
        row->system = message_text(cx, rows[i].system);
        row->code = message_text(cx, rows[i].code);
        row->display = message_text(cx, rows[i].display);
        row->equivalence = message_text(cx, rows[i].equivalence);
        row->map = message_text(cx, rows[i].map);
        row->map_version = message_text(cx, rows[i].map_version);
        row->map_row = rows[i].map_row;
    }
    return STATUS_OK;
}

status terminology_subsumes(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Terminology__V1__SubsumesRequest *asked = request;
    TRY(rpc_need(cx, asked->system[0] && asked->ancestor[0] && asked->code[0], "system, ancestor and code"));
    SNAPSHOT(call);
    bool subsumes;
    TRY(codes_subsumes(snapshot, cx, str_from(asked->system), str_from(asked->ancestor), str_from(asked->code),
                       &subsumes));
    ((Idem__Terminology__V1__SubsumesReply *)reply)->subsumes = subsumes;
    return STATUS_OK;
}

static void convert_release(struct ctx *cx, const struct codes_release *release, Idem__Terminology__V1__Release *answer)
{
    answer->id = release->id;
    answer->system = message_text(cx, release->system);
    answer->version = message_text(cx, release->version);
    answer->kind = message_text(cx, release->kind);
    answer->concepts = release->concepts;
    answer->registered_us = release->registered_us;
    answer->activated_us = release->activated_us;
    answer->active = release->active;
}

status terminology_list_releases(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    (void)request;
    Idem__Terminology__V1__ListReleasesReply *answer = reply;
    SNAPSHOT(call);
    size_t count = codes_release_count(snapshot);
    MESSAGE_LIST(cx, answer, releases, &idem__terminology__v1__release__descriptor, count);
    for (size_t i = 0; i < count; i++) {
        struct codes_release release = codes_release_at(snapshot, i);
        convert_release(cx, &release, answer->releases[i]);
    }
    return STATUS_OK;
}

/* The release as the registry lists it now: by number, or (0) the active one of `system`; NULL when it lists none. */
static Idem__Terminology__V1__Release *find_release(struct rpc_call *call, struct ctx *cx, uint64_t id,
                                                    struct str system)
{
    SNAPSHOT(call);
    struct str uri = codes_system_uri(snapshot, system);
    for (size_t i = 0; i < codes_release_count(snapshot); i++) {
        struct codes_release release = codes_release_at(snapshot, i);
        if (id ? release.id != id : !release.active || !(str_eq(release.system, system) || str_eq(release.system, uri)))
            continue;
        Idem__Terminology__V1__Release *answer = message_new(cx, &idem__terminology__v1__release__descriptor);
        convert_release(cx, &release, answer);
        return answer;
    }
    return NULL;
}

status terminology_activate(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Terminology__V1__ActivateRequest *asked = request;
    Idem__Terminology__V1__ActivateReply *answer = reply;
    TRY(rpc_need(cx, asked->release != 0, "release"));
    TRY(engine_activate_codes(call->server->engine, cx, asked->release, &answer->seq));
    answer->release = find_release(call, cx, asked->release, STR_NONE);
    return STATUS_OK;
}

status terminology_rollback(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Terminology__V1__RollbackRequest *asked = request;
    Idem__Terminology__V1__ActivateReply *answer = reply;
    TRY(rpc_need(cx, asked->system[0] != 0, "system"));
    TRY(engine_rollback_codes(call->server->engine, cx, str_from(asked->system), &answer->seq));
    answer->release = find_release(call, cx, 0, str_from(asked->system));
    return STATUS_OK;
}

status terminology_list_work_items(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Terminology__V1__ListWorkItemsRequest *asked = request;
    Idem__Terminology__V1__ListWorkItemsReply *answer = reply;
    size_t max = page_rows(asked->max, WORK_ITEMS_USUAL, WORK_ITEMS_MAX);
    struct codes_work_page page;
    TRY(codes_work_items(engine_codes(call->server->engine), cx, max, str_from(asked->after), &page));
    answer->next_after = message_text(cx, page.next);
    const struct codes_work_item *items = page.items;
    MESSAGE_LIST(cx, answer, items, &idem__terminology__v1__work_item__descriptor, page.count);
    for (size_t i = 0; i < page.count; i++) {
        Idem__Terminology__V1__WorkItem *item = answer->items[i];
        item->source = message_text(cx, items[i].source);
        item->path = message_text(cx, items[i].path);
        item->system = message_text(cx, items[i].system);
        item->code = message_text(cx, items[i].code);
        item->display = message_text(cx, items[i].display);
        item->outcome = message_text(cx, items[i].outcome);
        item->count = items[i].count;
        item->first_seq = items[i].first_seq;
        item->last_seq = items[i].last_seq;
        item->first_us = items[i].first_us;
        item->last_us = items[i].last_us;
    }
    return STATUS_OK;
}

/* ---- LoadRelease: on a pool thread, telling as it goes ---- */

struct load {
    struct rpc_call *call;
    const char *stage;
    int64_t told_us;
};

/* On the loading thread, often: tell at most every PROGRESS_EVERY_US, and when a new stage begins. */
static bool tell_progress(void *arg, const char *stage, uint64_t done, uint64_t total)
{
    struct load *load = arg;
    int64_t now_us = clock_mono_us();
    if (atomic_load(&load->call->gone))
        return false;
    if (load->stage && strcmp(load->stage, stage) == 0 && now_us - load->told_us < PROGRESS_EVERY_US)
        return true;
    load->stage = stage;
    load->told_us = now_us;
    Idem__Terminology__V1__LoadReleaseEvent event = IDEM__TERMINOLOGY__V1__LOAD_RELEASE_EVENT__INIT;
    event.stage = (char *)(uintptr_t)stage;
    event.done = done;
    event.total = total;
    struct arena scratch = {0};
    struct ctx cx = {.arena = &scratch};
    status told = rpc_stream_emit(load->call, &cx, &event);
    arena_fini(&scratch);
    return told == STATUS_OK;
}

static status tell_findings(struct rpc_call *call, struct ctx *cx, const struct loader_result *result)
{
    for (size_t i = 0; i < result->findings_count; i++) {
        const struct loader_finding *found = &result->findings[i];
        Idem__Terminology__V1__LoadReleaseEvent event = IDEM__TERMINOLOGY__V1__LOAD_RELEASE_EVENT__INIT;
        event.stage = (char *)(uintptr_t) "finding";
        event.findings_total = result->findings_total;
        event.finding = message_new(cx, &idem__terminology__v1__finding__descriptor);
        event.finding->file = message_text(cx, found->file);
        event.finding->line = found->line;
        event.finding->rule = message_text(cx, found->rule);
        event.finding->what = message_text(cx, found->what);
        event.finding->fatal = found->fatal;
        TRY(rpc_stream_emit(call, cx, &event));
    }
    if (result->probe.len == 0)
        return STATUS_OK;
    Idem__Terminology__V1__LoadReleaseEvent event = IDEM__TERMINOLOGY__V1__LOAD_RELEASE_EVENT__INIT;
    event.stage = (char *)(uintptr_t) "probe";
    event.probe = message_text(cx, result->probe);
    event.findings_total = result->findings_total;
    return rpc_stream_emit(call, cx, &event);
}

/* A dry run has no number: what would be registered. */
static Idem__Terminology__V1__Release *unregistered(struct ctx *cx, const struct codes_registration *registration)
{
    struct codes_release release = {.system = registration->system,
                                    .version = registration->version,
                                    .kind = registration->kind,
                                    .concepts = registration->concepts};
    Idem__Terminology__V1__Release *answer = message_new(cx, &idem__terminology__v1__release__descriptor);
    convert_release(cx, &release, answer);
    return answer;
}

static status load_release(struct rpc_call *call, struct ctx *cx,
                           const Idem__Terminology__V1__LoadReleaseRequest *asked)
{
    struct engine *engine = call->server->engine;
    struct load load = {.call = call};
    struct loader_options options = {
        .path = asked->path,
        .pack_dir = engine_packs_dir(engine),
        .system = str_from(asked->system),
        .version = str_from(asked->version),
        .dry_run = asked->dry_run,
        .progress = tell_progress,
        .arg = &load,
    };
    struct loader_result result = {0};
    status loaded = loaders_load_codes(cx, &options, &result);
    struct ctx why = *cx; /* telling the findings may fail for another reason than the load did */
    TRY(tell_findings(call, cx, &result));
    if (loaded != STATUS_OK) {
        *cx = why;
        return loaded;
    }
    Idem__Terminology__V1__LoadReleaseEvent event = IDEM__TERMINOLOGY__V1__LOAD_RELEASE_EVENT__INIT;
    event.stage = (char *)(uintptr_t) "done";
    event.done = event.total = result.rows;
    event.findings_total = result.findings_total;
    if (asked->dry_run) {
        event.release = unregistered(cx, &result.registration);
        return rpc_stream_emit(call, cx, &event);
    }
    uint64_t release, seq;
    TRY(engine_register_codes(engine, cx, &result.registration, &release));
    if (asked->activate && result.findings_total == 0)
        TRY(engine_activate_codes(engine, cx, release, &seq));
    event.release = find_release(call, cx, release, STR_NONE);
    return rpc_stream_emit(call, cx, &event);
}

status terminology_load_release(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    (void)reply;
    const Idem__Terminology__V1__LoadReleaseRequest *asked = request;
    TRY(rpc_need(cx, asked->path[0] != 0, "path"));
    status loaded = STATUS_OK;
    if (atomic_fetch_add(&call->server->loads_running, 1) >= LOADS_MAX && bound_met(BOUND_LOADS_MAX))
        loaded = ctx_fail(cx, &rpc_reasons[RPC_BUSY], "%d loads are running", LOADS_MAX);
    else
        loaded = load_release(call, cx, asked);
    atomic_fetch_sub(&call->server->loads_running, 1);
    return loaded;
}
