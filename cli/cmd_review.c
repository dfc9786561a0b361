/* idem review: the steward's queue. */
#include "commands.h"

#include "base/vec.h"

#include <inttypes.h>
#include <stdio.h>

enum { LABEL_COLUMNS = 12 };

struct side_by_side {
    struct cli_show *show;
    size_t half;
};

static bool same_text(struct str left, struct str right)
{
    return str_eq_nocase(str_trim(left), str_trim(right));
}

static void put_half(const struct side_by_side *s, enum cli_paint paint, struct str raw, bool fill)
{
    struct str safe = raw.len ? cli_safe_str(s->show->arena, raw) : STR("-");
    struct str text = cli_clip(s->show->arena, safe, s->half);
    cli_put(s->show, raw.len ? paint : CLI_DIM, text);
    for (size_t used = cli_width(text); fill && used < s->half; used++)
        buf_put_byte(s->show->out, ' ');
}

/* One row. The mark says "differs" without colour too. */
static void put_row(const struct side_by_side *s, bool differs, const char *label, struct str left, struct str right)
{
    cli_put(s->show, CLI_YELLOW, differs ? STR("\u2260 ") : STR("  "));
    cli_putf(s->show, CLI_DIM, "%-*s ", LABEL_COLUMNS, label);
    put_half(s, differs ? CLI_YELLOW : CLI_PLAIN, left, true);
    cli_put(s->show, CLI_DIM, STR(" \u2502 "));
    put_half(s, differs ? CLI_YELLOW : CLI_PLAIN, right, false);
    cli_end_line(s->show);
}

/* What one side does not say is no difference. */
static void put_pair(const struct side_by_side *s, const char *label, struct str left, struct str right)
{
    if (left.len || right.len)
        put_row(s, left.len && right.len && !same_text(left, right), label, left, right);
}

/* Telephone numbers are their digits; the shorter may lack the country and area. */
static bool same_digits(struct str left, struct str right)
{
    size_t l = left.len, r = right.len, alike = 0;
    for (;;) {
        while (l && (left.data[l - 1] < '0' || left.data[l - 1] > '9'))
            l--;
        while (r && (right.data[r - 1] < '0' || right.data[r - 1] > '9'))
            r--;
        if (l == 0 || r == 0)
            return alike >= 7 || (l == 0 && r == 0);
        if (left.data[--l] != right.data[--r])
            return false;
        alike++;
    }
}

static void put_phones(const struct side_by_side *s, const char *label, struct str left, struct str right)
{
    put_row(s, left.len && right.len && !same_digits(left, right), label, left, right);
}

static struct str name_at(struct arena *arena, const Idem__Identity__V1__Demographics *d, size_t i)
{
    return d && i < d->n_names ? cli_name_line(arena, d->names[i]) : STR_NONE;
}

static struct str phone_at(const Idem__Identity__V1__Demographics *d, size_t i)
{
    return d && i < d->n_phones ? str_from(d->phones[i]) : STR_NONE;
}

static struct str email_at(const Idem__Identity__V1__Demographics *d, size_t i)
{
    return d && i < d->n_emails ? str_from(d->emails[i]) : STR_NONE;
}

static struct str address_at(struct arena *arena, const Idem__Identity__V1__Demographics *d, size_t i)
{
    return d && i < d->n_addresses ? cli_address_line(arena, d->addresses[i]) : STR_NONE;
}

static struct str identifier_at(struct arena *arena, const Idem__Identity__V1__Record *record, size_t i)
{
    return i < record->n_identifiers ? cli_identifier_line(arena, record->identifiers[i]) : STR_NONE;
}

static size_t more_of(size_t left, size_t right)
{
    return left > right ? left : right;
}

/* Identifiers of two sources always differ: listed, not marked. */
static void put_identifiers(const struct side_by_side *s, const Idem__Identity__V1__Record *left,
                            const Idem__Identity__V1__Record *right)
{
    for (size_t i = 0; i < more_of(left->n_identifiers, right->n_identifiers); i++)
        put_row(s, false, i ? "" : "identifier", identifier_at(s->show->arena, left, i),
                identifier_at(s->show->arena, right, i));
}

static struct str twin_of(struct arena *arena, const Idem__Identity__V1__Demographics *d)
{
    if (!d || !d->multiple_birth)
        return STR_NONE;
    return d->birth_order ? arena_printf(arena, "number %" PRIu32, d->birth_order) : STR("yes");
}

static void put_records(struct cli_show *show, const Idem__Identity__V1__Record *left,
                        const Idem__Identity__V1__Record *right)
{
    struct side_by_side s = {show, (show->width - LABEL_COLUMNS - 6) / 2};
    struct arena *arena = show->arena;
    const Idem__Identity__V1__Demographics *l = left->demographics, *r = right->demographics;
    put_row(&s, false, "record", arena_printf(arena, "%" PRIu64, left->id), arena_printf(arena, "%" PRIu64, right->id));
    put_row(&s, false, "person", arena_printf(arena, "%" PRIu64, left->person),
            arena_printf(arena, "%" PRIu64, right->person));
    put_row(&s, false, "source", str_from(left->source), str_from(right->source));
    for (size_t i = 0; i < more_of(l ? l->n_names : 0, r ? r->n_names : 0); i++)
        put_pair(&s, i ? "" : "name", name_at(arena, l, i), name_at(arena, r, i));
    put_pair(&s, "born", str_from(l ? l->birth_date : ""), str_from(r ? r->birth_date : ""));
    put_pair(&s, "sex", str_from(l ? l->sex : ""), str_from(r ? r->sex : ""));
    for (size_t i = 0; i < more_of(l ? l->n_phones : 0, r ? r->n_phones : 0); i++)
        put_phones(&s, i ? "" : "phone", phone_at(l, i), phone_at(r, i));
    for (size_t i = 0; i < more_of(l ? l->n_emails : 0, r ? r->n_emails : 0); i++)
        put_pair(&s, i ? "" : "e-mail", email_at(l, i), email_at(r, i));
    for (size_t i = 0; i < more_of(l ? l->n_addresses : 0, r ? r->n_addresses : 0); i++)
        put_pair(&s, i ? "" : "address", address_at(arena, l, i), address_at(arena, r, i));
    put_pair(&s, "mother", cli_name_line(arena, l ? l->mother : NULL), cli_name_line(arena, r ? r->mother : NULL));
    put_pair(&s, "birth place", str_from(l ? l->birth_place : ""), str_from(r ? r->birth_place : ""));
    put_pair(&s, "twin", twin_of(arena, l), twin_of(arena, r));
    put_pair(&s, "deceased", l && l->deceased ? STR("yes") : STR_NONE, r && r->deceased ? STR("yes") : STR_NONE);
    put_identifiers(&s, left, right);
}

void cli_show_review(struct cli_show *show, const Idem__Identity__V1__Review *review)
{
    char opened[32];
    cli_format_time(review->opened_us, opened);
    cli_title(show, "review %" PRIu64 "  %s, opened %s UTC", review->id, review->state, opened);
    if (review->decision) {
        cli_putf(show, CLI_DIM, "decision %" PRIu64 "%s%s", review->decision, *review->decided_by ? " by " : "",
                 review->decided_by);
        cli_end_line(show);
    }
    cli_end_line(show);
    if (review->left && review->right)
        put_records(show, review->left, review->right);
    if (review->comparison) {
        cli_end_line(show);
        cli_show_comparison(show, review->comparison);
    }
    if (strcmp(review->state, "open") != 0)
        return;
    cli_end_line(show);
    cli_putf(show, CLI_DIM, "decide: idem review same %" PRIu64 "   or   idem review different %" PRIu64, review->id,
             review->id);
    cli_end_line(show);
}

/* The evidence that speaks loudest for (sign 1) or against (sign -1) one person; NULL when nothing does. */
static const Idem__Identity__V1__Evidence *loudest(const Idem__Identity__V1__Comparison *comparison, int sign)
{
    const Idem__Identity__V1__Evidence *found = NULL;
    for (size_t i = 0; comparison && i < comparison->n_evidence; i++) {
        const Idem__Identity__V1__Evidence *one = comparison->evidence[i];
        int64_t weight = (int64_t)one->weight_mbit * sign;
        if (weight <= 0 || strcmp(one->field, "prior") == 0) /* the prior is in every review */
            continue;
        if (!found || weight > (int64_t)found->weight_mbit * sign)
            found = one;
    }
    return found;
}

static void put_evidence(struct cli_table *table, const Idem__Identity__V1__Evidence *one)
{
    if (one)
        cli_cellf(table, "%s: %s", one->field, one->level);
    else
        cli_cell_text(table, "-");
}

static void put_review_row(struct cli_table *table, const Idem__Identity__V1__Review *r)
{
    char bits[24] = "";
    uint32_t ppm = r->comparison ? r->comparison->probability_ppm : 0;
    if (r->comparison)
        cli_format_bits(r->comparison->score_mbit, bits);
    cli_cellf(table, "%" PRIu64, r->id);
    cli_cell_text(table, bits);
    cli_cellf(table, "%" PRIu32 ".%02" PRIu32 " %%", ppm / 10000, ppm / 100 % 100);
    cli_cellf(table, "%" PRIu64 " %" PRIu64, r->left_record, r->right_record);
    cli_cellf(table, "%" PRIu64 " %" PRIu64, r->left_person, r->right_person);
    cli_cell_text(table, r->state);
    put_evidence(table, loudest(r->comparison, 1));
    put_evidence(table, loudest(r->comparison, -1));
}

/* As many pages as `max` needs, as one reply. */
static status gather_reviews(struct cli_run *run, uint64_t max, Idem__Identity__V1__ListReviewsReply *all)
{
    Idem__Identity__V1__ListReviewsRequest ask = IDEM__IDENTITY__V1__LIST_REVIEWS_REQUEST__INIT;
    VEC(Idem__Identity__V1__Review *) reviews = {0};
    status got;
    do {
        uint64_t wanted = max - reviews.count;
        ask.max = wanted < UINT32_MAX ? (uint32_t)wanted : UINT32_MAX;
        void *answer;
        got = cli_call(run, CLI_IDENTITY("ListReviews"), &ask.base, &idem__identity__v1__list_reviews_reply__descriptor,
                       &answer);
        if (got != STATUS_OK)
            break;
        Idem__Identity__V1__ListReviewsReply *page = answer;
        for (size_t i = 0; i < page->n_reviews; i++)
            *VEC_ADD(&reviews) = page->reviews[i];
        all->open = page->open;
        all->next_after = ask.after = page->next_after;
    } while (ask.after && reviews.count < max);
    all->n_reviews = reviews.count;
    all->reviews = arena_array(run->cx->arena, reviews.count + 1, sizeof *all->reviews);
    if (reviews.count)
        memcpy(all->reviews, reviews.at, reviews.count * sizeof *reviews.at);
    VEC_FINI(&reviews);
    return got;
}

static enum cli_exit run_list(struct cli_run *run)
{
    static const struct cli_column columns[] = {
        {"review", true, 0, true},          {"bits", true, 0, true},
        {"likely", true, 0, true},          {"records", false, 0, true},
        {"persons", false, 0, true},        {"state", false, 0, true},
        {"strongest for", false, 8, false}, {"strongest against", false, 8, false}};
    Idem__Identity__V1__ListReviewsReply reply = IDEM__IDENTITY__V1__LIST_REVIEWS_REPLY__INIT;
    uint64_t max = cli_number(run, "max");
    status got = gather_reviews(run, max ? max : UINT64_MAX, &reply);
    if (got != STATUS_OK)
        return cli_failed(run, got, NULL);
    if (run->json) {
        cli_json_reply(run, &reply.base);
        return CLI_OK;
    }
    struct cli_table table;
    cli_table_init(&table, &run->show, columns, 8);
    for (size_t i = 0; i < reply.n_reviews; i++)
        put_review_row(&table, reply.reviews[i]);
    cli_table_end(&table, 0);
    cli_say(run, "%" PRIu64 " open, %zu shown; `idem review show ID` shows both records side by side", reply.open,
            reply.n_reviews);
    return CLI_OK;
}

static const char next_review[] = "`idem review list` lists the open ones";

static enum cli_exit run_show(struct cli_run *run)
{
    Idem__Identity__V1__GetReviewRequest ask = IDEM__IDENTITY__V1__GET_REVIEW_REQUEST__INIT;
    ask.review = cli_argument_number(run, 0);
    Idem__Identity__V1__Review *review;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_IDENTITY("GetReview"), &ask.base, &idem__identity__v1__review__descriptor, next_review,
                 &review, &exit))
        return exit;
    if (!run->json)
        cli_show_review(&run->show, review);
    return CLI_OK;
}

static void show_decision(struct cli_run *run, const Idem__Identity__V1__DecideReply *reply, const char *what)
{
    if (run->json)
        return;
    cli_putf(&run->show, CLI_GREEN, "%s", what);
    cli_putf(&run->show, CLI_PLAIN, "  decision %" PRIu64 ", person %" PRIu64, reply->decision, reply->person);
    if (reply->person_before && reply->person_before != reply->person)
        cli_putf(&run->show, CLI_PLAIN, " (was %" PRIu64 ")", reply->person_before);
    cli_end_line(&run->show);
    cli_say(run, "`idem review undo %" PRIu64 "` takes it back", reply->decision);
}

static enum cli_exit decide(struct cli_run *run, bool same)
{
    Idem__Identity__V1__DecideRequest ask = IDEM__IDENTITY__V1__DECIDE_REQUEST__INIT;
    const char *note = cli_text(run, "note");
    ask.review = cli_argument_number(run, 0);
    ask.left_record = cli_number(run, "left");
    ask.right_record = cli_number(run, "right");
    ask.same = same;
    if (note)
        ask.note = (char *)note;
    bool has_records = ask.left_record && ask.right_record;
    if ((ask.review != 0) == has_records || (ask.left_record != 0) != (ask.right_record != 0))
        return cli_misused(run, next_review, "wants the number of a review, or --left RECORD and --right RECORD");
    Idem__Identity__V1__DecideReply *reply;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_IDENTITY("Decide"), &ask.base, &idem__identity__v1__decide_reply__descriptor, next_review,
                 &reply, &exit))
        return exit;
    show_decision(run, reply, same ? "one person" : "two persons");
    return CLI_OK;
}

static enum cli_exit run_same(struct cli_run *run)
{
    return decide(run, true);
}

static enum cli_exit run_different(struct cli_run *run)
{
    return decide(run, false);
}

static enum cli_exit run_undo(struct cli_run *run)
{
    Idem__Identity__V1__UndoRequest ask = IDEM__IDENTITY__V1__UNDO_REQUEST__INIT;
    const char *note = cli_text(run, "note");
    ask.decision = cli_argument_number(run, 0);
    if (note)
        ask.note = (char *)note;
    Idem__Identity__V1__DecideReply *reply;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_IDENTITY("Undo"), &ask.base, &idem__identity__v1__decide_reply__descriptor,
                 "it wants the number of the decision, as `review same` printed it; `idem person history` lists them",
                 &reply, &exit))
        return exit;
    show_decision(run, reply, "taken back");
    return CLI_OK;
}

static const struct cli_argument review_argument[] = {
    {"REVIEW", CLI_NUMBER, false, false, "number of the review", NULL}, {0}};
static const struct cli_argument decide_argument[] = {{"REVIEW", CLI_NUMBER, true, false, "number of the review", NULL},
                                                      {0}};
static const struct cli_argument decision_argument[] = {
    {"DECISION", CLI_NUMBER, false, false, "number of the decision", NULL}, {0}};
static const struct cli_option list_options[] = {{"max", CLI_NUMBER, "N", "20", "how many at most", NULL}, {0}};
static const struct cli_option note_option[] = {{"note", CLI_TEXT, "TEXT", NULL, "why, for the history", NULL}, {0}};
static const struct cli_option decide_options[] = {
    {"note", CLI_TEXT, "TEXT", NULL, "why, for the history", NULL},
    {"left", CLI_NUMBER, "RECORD", NULL, "decide about two records instead of a review: the one", NULL},
    {"right", CLI_NUMBER, "RECORD", NULL, "and the other", NULL},
    {0}};

const struct cli_command cli_review_commands[] = {
    {.group = "review",
     .name = "list",
     .options = list_options,
     .does = "list open reviews, strongest first",
     .example = "idem review list --max 5",
     .needs_daemon = true,
     .run = run_list},
    {.group = "review",
     .name = "show",
     .arguments = review_argument,
     .does = "show both records side by side, differences marked, with the evidence",
     .example = "idem review show 3",
     .needs_daemon = true,
     .run = run_show},
    {.group = "review",
     .name = "same",
     .arguments = decide_argument,
     .options = decide_options,
     .does = "decide: one person",
     .example = "idem review same 3 --note \"called the ward\"",
     .needs_daemon = true,
     .run = run_same},
    {.group = "review",
     .name = "different",
     .arguments = decide_argument,
     .options = decide_options,
     .does = "decide: two persons, whatever the evidence",
     .example = "idem review different 3 --note twins",
     .needs_daemon = true,
     .run = run_different},
    {.group = "review",
     .name = "undo",
     .arguments = decision_argument,
     .options = note_option,
     .does = "take a decision back, whatever happened since",
     .example = "idem review undo 5120",
     .needs_daemon = true,
     .run = run_undo},
    {0}};
