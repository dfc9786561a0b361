#include "stored_internal.h"

#include "disk_internal.h"
#include "model_internal.h"

/* ---- keys ---- */

static void put_part(struct key *key, uint64_t value)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        key->bytes[key->len++] = (char)(value >> shift);
}

struct key key_1(uint64_t a)
{
    struct key key = {.len = 0};
    put_part(&key, a);
    return key;
}

struct key key_2(uint64_t a, uint64_t b)
{
    struct key key = key_1(a);
    put_part(&key, b);
    return key;
}

struct key key_3(uint64_t a, uint64_t b, uint64_t c)
{
    struct key key = key_2(a, b);
    put_part(&key, c);
    return key;
}

uint64_t key_part(struct str key, size_t part)
{
    struct cut cut = {.rest = str_from_at(key, part * 8)};
    uint64_t value = cut_u64(&cut);
    return cut.bad ? 0 : value;
}

status key_check(struct ctx *cx, struct str key, size_t parts, const char *table)
{
    if (key.len != parts * sizeof(uint64_t))
        return ctx_fail(cx, &mpi_reasons[MPI_ROW_BAD], "table %s: a key", table);
    return STATUS_OK;
}

/* ---- small rows ---- */

static status row_end(struct ctx *cx, const struct cut *cut, const char *table)
{
    if (cut->bad || cut->rest.len > 0)
        return ctx_fail(cx, &mpi_reasons[MPI_ROW_BAD], "table %s", table);
    return STATUS_OK;
}

/* ---- members ---- */

void encode_member(struct buf *out, const struct stored_member *member)
{
    buf_put_varint(out, member->person);
    buf_put_varint(out, member->retired_into);
}

status decode_member(struct ctx *cx, struct str row, struct stored_member *out_member)
{
    struct cut cut = {.rest = row};
    struct stored_member member = {.person = cut_varint(&cut), .retired_into = cut_varint(&cut)};
    TRY(row_end(cx, &cut, "mpi.member"));
    *out_member = member;
    return STATUS_OK;
}

/* ---- decisions ---- */

/* Numbers of the format: what kinds are called elsewhere may change. */
static const uint8_t decision_numbers[] = {
    [MPI_DECISION_SAME] = 1, [MPI_DECISION_DIFFERENT] = 2, [MPI_DECISION_MERGE] = 3,
    [MPI_DECISION_LINK] = 4, [MPI_DECISION_UNLINK] = 5,    [MPI_DECISION_UNDO] = 6,
};

static bool read_decision_kind(uint8_t number, enum mpi_decision_kind *out_kind)
{
    for (size_t kind = 1; kind < sizeof decision_numbers; kind++)
        if (decision_numbers[kind] == number) {
            *out_kind = (enum mpi_decision_kind)kind;
            return number > 0;
        }
    return false;
}

void encode_decision(struct buf *out, const struct stored_decision *decision)
{
    buf_put_byte(out, decision_numbers[decision->kind]);
    buf_put_varint(out, decision->left);
    buf_put_varint(out, decision->right);
    buf_put_varint(out, decision->undoes);
    buf_put_varint(out, decision->undone_by);
    buf_put_lstr(out, decision->note);
    buf_put_lstr(out, decision->source);
    buf_put_lstr(out, decision->by);
    buf_put_varint(out, (uint64_t)decision->time_us);
}

status decode_decision(struct ctx *cx, struct str row, struct stored_decision *out_decision)
{
    struct cut cut = {.rest = row};
    uint8_t kind = cut_u8(&cut);
    struct stored_decision decision = {0};
    decision.left = cut_varint(&cut);
    decision.right = cut_varint(&cut);
    decision.undoes = cut_varint(&cut);
    decision.undone_by = cut_varint(&cut);
    decision.note = cut_lstr(&cut);
    decision.source = cut_lstr(&cut);
    decision.by = cut_lstr(&cut);
    decision.time_us = (int64_t)cut_varint(&cut);
    TRY(row_end(cx, &cut, "mpi.decision"));
    if (!read_decision_kind(kind, &decision.kind))
        return ctx_fail(cx, &mpi_reasons[MPI_ROW_BAD], "table mpi.decision: kind %d", (int)kind);
    *out_decision = decision;
    return STATUS_OK;
}

/* ---- edges ---- */

/* Model version 1 had no score below 0 and wrote it as it is; its edges are scored again when the store is opened. */
void encode_edge(struct buf *out, int32_t score_mbit)
{
    disk_put_mbit(out, score_mbit);
}

status decode_edge(struct ctx *cx, struct str row, int32_t *out_score_mbit)
{
    struct cut cut = {.rest = row};
    int32_t score_mbit = disk_cut_mbit(&cut);
    TRY(row_end(cx, &cut, "mpi.edge"));
    *out_score_mbit = score_mbit;
    return STATUS_OK;
}

/* ---- comparisons: field and level numbers of a model version, with the weights as they were ---- */

/* Evidence lines are rows of model_fields, or what relatives share; the last one is the prior. */
enum { LINE_KIN = 0xFE };
_Static_assert((int)DISK_LINES_MAX < (int)MPI_EVIDENCE_MAX, "all lines and the prior");

static struct disk_line to_line(const struct mpi_evidence *evidence)
{
    struct disk_line line = {.weight_mbit = evidence->weight_mbit};
    while (line.field < FIELD_COUNT && model_fields[line.field].name != evidence->field)
        line.field++;
    if (line.field == FIELD_COUNT)
        return (struct disk_line){LINE_KIN, 0, evidence->weight_mbit};
    while (line.level + 1 < LEVELS_MAX && model_fields[line.field].levels[line.level] != evidence->level)
        line.level++;
    return line;
}

/* False: no such line. */
static bool from_line(const struct disk_line *line, struct mpi_evidence *out_evidence)
{
    bool kin = line->field == LINE_KIN && line->level == 0;
    if (!kin && (line->field >= FIELD_COUNT || line->level >= LEVELS_MAX ||
                 model_fields[line->field].levels[line->level] == NULL))
        return false;
    *out_evidence =
        (struct mpi_evidence){kin ? model_kin_field : model_fields[line->field].name,
                              kin ? model_kin_level : model_fields[line->field].levels[line->level], line->weight_mbit};
    return true;
}

static void put_comparison(struct buf *out, const struct mpi_comparison *from)
{
    struct disk_comparison row = {.model_version = from->model_version,
                                  .probability_ppm = from->probability_ppm,
                                  .left = from->left_record,
                                  .right = from->right_record,
                                  .score_mbit = from->score_mbit};
    while (row.line_count + 1 < from->evidence_count) {
        row.lines[row.line_count] = to_line(&from->evidence[row.line_count]);
        row.line_count++;
    }
    row.prior_mbit = from->evidence_count ? from->evidence[row.line_count].weight_mbit : 0;
    disk_put_comparison(out, &row);
}

static struct mpi_comparison cut_comparison(struct cut *cut)
{
    enum { OTHER_FIELDS_VERSION = 1 }; /* its fields and levels are not today's: only its score is still understood */
    struct disk_comparison row = disk_cut_comparison(cut);
    struct mpi_comparison made = {.left_record = row.left,
                                  .right_record = row.right,
                                  .score_mbit = row.score_mbit,
                                  .probability_ppm = row.probability_ppm,
                                  .model_version = row.model_version};
    if (row.line_count == 0 || row.model_version == OTHER_FIELDS_VERSION)
        return made;
    for (; made.evidence_count < row.line_count; made.evidence_count++)
        if (!from_line(&row.lines[made.evidence_count], &made.evidence[made.evidence_count])) {
            cut->bad = true;
            return made;
        }
    made.evidence[made.evidence_count++] = (struct mpi_evidence){model_prior_field, model_prior_level, row.prior_mbit};
    return made;
}

void encode_comparison(struct buf *out, const struct mpi_comparison *comparison)
{
    put_comparison(out, comparison);
}

status decode_comparison(struct ctx *cx, struct str row, struct mpi_comparison *out_comparison)
{
    struct cut cut = {.rest = row};
    struct mpi_comparison comparison = cut_comparison(&cut);
    TRY(row_end(cx, &cut, "mpi.link"));
    *out_comparison = comparison;
    return STATUS_OK;
}

/* ---- reviews and events ---- */

void encode_review(struct buf *out, const struct stored_review *review)
{
    buf_put_varint(out, review->left);
    buf_put_varint(out, review->right);
    buf_put_varint(out, (uint64_t)review->opened_us);
    put_comparison(out, &review->comparison);
}

status decode_review(struct ctx *cx, struct str row, struct stored_review *out_review)
{
    struct cut cut = {.rest = row};
    struct stored_review review = {.left = cut_varint(&cut), .right = cut_varint(&cut)};
    review.opened_us = (int64_t)cut_varint(&cut);
    review.comparison = cut_comparison(&cut);
    TRY(row_end(cx, &cut, "mpi.review"));
    *out_review = review;
    return STATUS_OK;
}

void encode_event(struct buf *out, const struct stored_event *event)
{
    buf_put_byte(out, event->what);
    buf_put_varint(out, (uint64_t)event->time_us);
    buf_put_varint(out, event->person);
    buf_put_varint(out, event->other);
    buf_put_lstr(out, event->by);
}

status decode_event(struct ctx *cx, struct str row, struct stored_event *out_event)
{
    struct cut cut = {.rest = row};
    struct stored_event event = {.what = cut_u8(&cut)};
    event.time_us = (int64_t)cut_varint(&cut);
    event.person = cut_varint(&cut);
    event.other = cut_varint(&cut);
    event.by = cut_lstr(&cut);
    TRY(row_end(cx, &cut, "mpi.event"));
    *out_event = event;
    return STATUS_OK;
}
