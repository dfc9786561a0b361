#include "writer_internal.h"

#include "base/bounds.h"
#include "base/limits.h"

/* ---- what an update leaves of what was known ---- */

static bool same_name(const struct mpi_name *left, const struct mpi_name *right)
{
    return str_eq(left->family, right->family) && str_eq(left->given, right->given) &&
           str_eq(left->middle, right->middle);
}

static bool among_names(const struct mpi_name *names, size_t count, const struct mpi_name *name)
{
    for (size_t i = 0; i < count; i++)
        if (same_name(&names[i], name))
            return true;
    return false;
}

/* What an update found no room for; it stays in the record's earlier versions. */
struct left_out {
    uint64_t identifiers, former_names;
};

/* Names no longer said go to the former ones, newest first: people keep being known by them elsewhere. */
static void update_names(struct arena *arena, const struct mpi_record_input *input, struct stored_record *stored,
                         struct left_out *left_out)
{
    const struct mpi_demographics *new = &input->demographics;
    if (new->name_count == 0) {
        if (input->cleared_fields & MPI_FIELD_NAMES)
            stored->said.name_count = stored->former_count = 0;
        return;
    }
    struct mpi_name *former = arena_array(arena, stored->said.name_count + stored->former_count, sizeof *former);
    size_t count = 0;
    for (size_t i = 0; i < stored->said.name_count; i++)
        if (!among_names(new->names, new->name_count, &stored->said.names[i]))
            former[count++] = stored->said.names[i];
    for (size_t i = 0; i < stored->former_count; i++)
        if (!among_names(new->names, new->name_count, &stored->former[i]) &&
            !among_names(former, count, &stored->former[i]))
            former[count++] = stored->former[i];
    stored->said.names = new->names;
    stored->said.name_count = new->name_count;
    stored->former = former;
    stored->former_count = BEYOND(FORMER_NAMES_MAX, count) ? FORMER_NAMES_MAX : count;
    left_out->former_names = count - stored->former_count;
}

static void update_said(struct arena *arena, const struct mpi_record_input *input, struct stored_record *stored,
                        struct left_out *left_out)
{
    const struct mpi_demographics *new = &input->demographics;
    struct mpi_demographics *said = &stored->said;
    update_names(arena, input, stored, left_out);
    if (new->birth_date.year != 0 || (input->cleared_fields & MPI_FIELD_BIRTH_DATE))
        said->birth_date = new->birth_date;
    if (new->sex != 0 || (input->cleared_fields & MPI_FIELD_SEX))
        said->sex = new->sex;
    if (new->phone_count > 0 || (input->cleared_fields & MPI_FIELD_PHONES)) {
        said->phones = new->phones;
        said->phone_count = new->phone_count;
    }
    if (new->email_count > 0 || (input->cleared_fields & MPI_FIELD_EMAILS)) {
        said->emails = new->emails;
        said->email_count = new->email_count;
    }
    if (new->address_count > 0 || (input->cleared_fields & MPI_FIELD_ADDRESSES)) {
        said->addresses = new->addresses;
        said->address_count = new->address_count;
    }
    bool mother = new->mother.family.len + new->mother.given.len > 0;
    if (mother || (input->cleared_fields & MPI_FIELD_MOTHER))
        said->mother = new->mother;
    if (new->birth_place.len > 0 || (input->cleared_fields & MPI_FIELD_BIRTH_PLACE))
        said->birth_place = new->birth_place;
    said->multiple_birth |= new->multiple_birth;
    said->birth_order = new->birth_order ? new->birth_order : said->birth_order;
    said->deceased |= new->deceased;
}

/* A number of the same authority and type takes the place of the one before; numbers not mentioned stay, as far as
 * there is room. */
static void update_identifiers(struct arena *arena, const struct mpi_record_input *input, struct stored_record *stored,
                               struct left_out *left_out)
{
    size_t max = stored->identifier_count + input->identifier_count, count = 0;
    struct mpi_identifier *kept = arena_array(arena, max, sizeof *kept);
    kept[count++] = input->identifiers[0];
    for (size_t i = 1; i < input->identifier_count; i++)
        if (input->identifiers[i].value.len > 0)
            kept[count++] = input->identifiers[i];
    size_t said = count;
    for (size_t i = 1; i < stored->identifier_count; i++) {
        const struct mpi_identifier *old = &stored->identifiers[i];
        bool replaced = false;
        for (size_t k = 0; k < said && !replaced; k++)
            replaced =
                str_eq(kept[k].authority, old->authority) &&
                (str_eq(kept[k].value, old->value) || (k > 0 && old->type.len > 0 && str_eq(kept[k].type, old->type)));
        if (replaced)
            continue;
        if (count < LIMIT_IDENTIFIERS_PER_RECORD)
            kept[count++] = *old;
        else
            left_out->identifiers++;
    }
    if (left_out->identifiers > 0)
        bound_met(BOUND_LIMIT_IDENTIFIERS_PER_RECORD);
    stored->identifiers = kept;
    stored->identifier_count = count;
}

/* ---- bounds ---- */

static bool too_long(struct str s)
{
    return s.len > LIMIT_FIELD_VALUE_BYTES;
}

static bool name_too_long(const struct mpi_name *name)
{
    return too_long(name->family) || too_long(name->given) || too_long(name->middle) || too_long(name->suffix) ||
           too_long(name->prefix) || too_long(name->type);
}

static bool has_long_value(const struct mpi_record_input *input)
{
    const struct mpi_demographics *said = &input->demographics;
    bool found = too_long(input->source) || name_too_long(&said->mother) || too_long(said->birth_place);
    for (size_t i = 0; i < input->identifier_count; i++)
        found |= too_long(input->identifiers[i].authority) || too_long(input->identifiers[i].value) ||
                 too_long(input->identifiers[i].type);
    for (size_t i = 0; i < said->name_count; i++)
        found |= name_too_long(&said->names[i]);
    for (size_t i = 0; i < said->phone_count; i++)
        found |= too_long(said->phones[i]);
    for (size_t i = 0; i < said->email_count; i++)
        found |= too_long(said->emails[i]);
    for (size_t i = 0; i < said->address_count; i++)
        found |= too_long(said->addresses[i].line) || too_long(said->addresses[i].city) ||
                 too_long(said->addresses[i].state) || too_long(said->addresses[i].postcode) ||
                 too_long(said->addresses[i].country);
    return found;
}

status said_check_lists(struct ctx *cx, const struct mpi_demographics *said)
{
    const struct {
        size_t count;
        const char *what;
    } lists[] = {{said->name_count, "names"},
                 {said->phone_count, "phones"},
                 {said->email_count, "e-mail addresses"},
                 {said->address_count, "addresses"}};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if (BEYOND(LIMIT_NAMES_PER_RECORD, lists[i].count))
            return ctx_fail(cx, &mpi_reasons[MPI_TOO_MANY], "%zu %s", lists[i].count, lists[i].what);
    return STATUS_OK;
}

status mpi_check_record(struct ctx *cx, const struct mpi_record_input *input)
{
    if (input->identifier_count == 0 || str_trim(input->identifiers[0].value).len == 0)
        return ctx_fail(cx, &mpi_reasons[MPI_IDENTIFIER_MISSING], NULL);
    const struct mpi_demographics *said = &input->demographics;
    if (BEYOND(LIMIT_IDENTIFIERS_PER_RECORD, input->identifier_count))
        return ctx_fail(cx, &mpi_reasons[MPI_TOO_MANY], "%zu identifiers", input->identifier_count);
    TRY(said_check_lists(cx, said));
    if (has_long_value(input) && bound_met(BOUND_LIMIT_FIELD_VALUE_BYTES))
        return ctx_fail(cx, &mpi_reasons[MPI_TOO_MANY], "a value of more than %d bytes", LIMIT_FIELD_VALUE_BYTES);
    return STATUS_OK;
}

/* ---- applying ---- */

/* True when the two would be stored alike, the counters and times aside. `row` is that of `old`. */
static bool says_the_same(const struct stored_record *old, struct str row, const struct stored_record *now)
{
    struct stored_record as_old = *now;
    as_old.first_seq = old->first_seq;
    as_old.last_seq = old->last_seq;
    as_old.first_us = old->first_us;
    as_old.last_us = old->last_us;
    as_old.versions = old->versions;
    SCOPED(buf_fini) struct buf now_row = {0};
    encode_record(&now_row, &as_old);
    return str_eq(row, buf_str(&now_row));
}

static void keep_version(struct writer *w, uint32_t record, uint32_t version, struct str row)
{
    struct key key = key_2(record, version);
    data_txn_put(w->txn, w->mpi->versions, key_str(&key), row);
}

static uint32_t change_index(struct writer *w, uint32_t record, const struct stored_record *before,
                             const struct stored_record *stored, struct best *best, uint32_t *out_compared)
{
    struct mpi *mpi = w->mpi;
    union row_space space;
    row_make(stored->identifiers, stored->identifier_count, &stored->said, stored->former, stored->former_count,
             &space);
    row_set_rarity(mpi->model, &space.row);
    if (record == 0)
        record = draft_add_record(mpi, row_own_key(stored->identifiers, stored->identifier_count));
    index_set_handles(mpi, record, before ? before->identifiers : NULL, before ? before->identifier_count : 0,
                      stored->identifiers, stored->identifier_count);
    *out_compared = index_set_row(mpi, record, stored->active ? &space.row : NULL, best);
    return record;
}

void writer_keep_link(struct writer *w, uint32_t record)
{
    const struct mpi *mpi = w->mpi;
    const struct entry *entry = entry_at(mpi, APPLIED, record);
    uint32_t best = 0;
    int32_t score = INT32_MIN;
    for (uint32_t i = 0; i < entry->edge_count; i++) {
        if (entry_at(mpi, APPLIED, entry->edges[i].other)->person != entry->person ||
            entry->edges[i].score_mbit <= score)
            continue;
        best = entry->edges[i].other;
        score = entry->edges[i].score_mbit;
    }
    uint32_t first = best == 0 && entry->row ? index_first(mpi, APPLIED, record) : record;
    if (first != record && entry_at(mpi, APPLIED, first)->person == entry->person)
        best = first; /* it says what the first of its body says */
    if (best == 0)
        return;
    struct mpi_comparison comparison;
    writer_explain(w, record, best, &comparison);
    writer_put_link(w, &comparison);
}

static void finish_record(struct writer *w, uint32_t record, bool is_new, const struct best *best, uint32_t compared,
                          struct mpi_result *out_result)
{
    struct mpi *mpi = w->mpi;
    writer_finish(w);
    struct mpi_result result = {.record = record, .candidates = compared};
    if (best->record)
        writer_explain(w, record, best->record, &result.best);
    result.person = entry_at(mpi, APPLIED, record)->person;
    uint32_t before = is_new ? 0 : writer_person_before(w, record);
    result.person_before = before;
    bool joined = entry_at(mpi, APPLIED, record)->ring != record;
    if (joined && (is_new || before != 0))
        writer_keep_link(w, record);
    result.review = writer_review_of(w, record);
    result.verdict = !is_new         ? MPI_VERDICT_KNOWN
                     : joined        ? MPI_VERDICT_LINKED
                     : result.review ? MPI_VERDICT_REVIEW
                                     : MPI_VERDICT_NEW;
    *out_result = result;
}

static void update_record(struct writer *w, uint32_t record, const struct stored_record *before,
                          const struct mpi_record_input *input, struct mpi_result *out_result)
{
    struct stored_record old = *before, now = old;
    struct left_out left_out = {0};
    SCOPED(buf_fini) struct buf old_row = {0};
    encode_record(&old_row, &old);
    update_said(w->cx->arena, input, &now, &left_out);
    update_identifiers(w->cx->arena, input, &now, &left_out);
    if (input->source.len > 0)
        now.source = input->source;
    now.active = !input->deactivate;
    now.person_level |= input->person_level;
    now.last_seq = w->seq;
    now.last_us = w->cx->now_us;
    struct best best = {0};
    uint32_t compared = 0;
    if (!says_the_same(&old, buf_str(&old_row), &now)) {
        keep_version(w, record, old.versions, buf_str(&old_row));
        now.versions++;
        writer_put_event(w, record, now.active ? EVENT_UPDATED : EVENT_DEACTIVATED,
                         entry_at(w->mpi, APPLIED, record)->person, now.versions);
        uint64_t person = entry_at(w->mpi, APPLIED, record)->person;
        if (left_out.identifiers > 0)
            writer_put_event(w, record, EVENT_IDENTIFIERS_LEFT_OUT, person, left_out.identifiers);
        if (left_out.former_names > 0)
            writer_put_event(w, record, EVENT_NAMES_LEFT_OUT, person, left_out.former_names);
        (void)change_index(w, record, &old, &now, &best, &compared);
    }
    if (old.last_seq != w->seq || now.versions != old.versions) /* said again in one entry: it is written already */
        writer_put_record(w, record, &now);
    finish_record(w, record, false, &best, compared, out_result);
}

static void create_record(struct writer *w, const struct mpi_record_input *input, struct mpi_result *out_result)
{
    struct stored_record stored = {.source = input->source,
                                   .first_seq = w->seq,
                                   .last_seq = w->seq,
                                   .first_us = w->cx->now_us,
                                   .last_us = w->cx->now_us,
                                   .versions = 1,
                                   .active = !input->deactivate,
                                   .person_level = input->person_level};
    struct left_out none = {0}; /* there was nothing before */
    update_said(w->cx->arena, input, &stored, &none);
    update_identifiers(w->cx->arena, input, &stored, &none);
    struct best best = {0};
    uint32_t compared;
    uint32_t record = change_index(w, 0, NULL, &stored, &best, &compared);
    writer_put_record(w, record, &stored);
    finish_record(w, record, true, &best, compared, out_result);
}

status mpi_apply_record(struct mpi *mpi, struct data_txn *txn, struct ctx *cx, uint64_t seq,
                        const struct mpi_record_input *input, struct mpi_result *out_result)
{
    TRY(mpi_check_record(cx, input));
    struct writer w = {.mpi = mpi, .txn = txn, .cx = cx, .seq = seq};
    writer_begin(&w);
    uint32_t record;
    struct stored_record stored;
    TRY(writer_find_own(&w, input->identifiers[0], &record, &stored));
    if (record == 0)
        create_record(&w, input, out_result);
    else if (input->keep_known)
        finish_record(&w, record, false, &(struct best){0}, 0, out_result);
    else
        update_record(&w, record, &stored, input, out_result);
    return STATUS_OK;
}
