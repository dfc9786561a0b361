#include "rpc/told.h"

#include "idem/admin/v1/admin.pb-c.h"
#include "message.h"
#include "mpi/blocking.h"
#include "mpi/calibrate.h"
#include "mpi/train.h"
#include "mpi/whatif.h"

static uint32_t ppm(double share)
{
    return (uint32_t)(share * 1e6 + 0.5);
}

static uint64_t *copy_counts(struct ctx *cx, const uint64_t *counts, size_t count)
{
    uint64_t *copy = arena_array(cx->arena, count, sizeof *copy);
    memcpy(copy, counts, count * sizeof *copy);
    return copy;
}

static void tell_rule(struct ctx *cx, const struct mpi_blocking_rule *rule, Idem__Admin__V1__BlockingRule *out)
{
    out->name = message_text(cx, str_from(rule->name));
    out->keys = rule->keys;
    out->over_full = rule->over_full;
    out->narrower = rule->narrower;
    out->pairs = rule->pairs;
    out->linked = rule->linked;
    out->linked_alone = rule->linked_alone;
    out->largest = arena_array(cx->arena, MPI_BLOCKING_LARGEST, sizeof *out->largest);
    for (size_t i = 0; i < MPI_BLOCKING_LARGEST && rule->largest[i]; i++)
        out->largest[out->n_largest++] = rule->largest[i];
}

void rpc_tell_blocking(struct ctx *cx, const struct mpi_blocking *blocking, void *out)
{
    Idem__Admin__V1__Blocking *told = out;
    told->records = blocking->records;
    told->bodies = blocking->bodies;
    told->cap = blocking->cap;
    told->linked = blocking->linked;
    told->missed = blocking->missed;
    told->recall_ppm = ppm(mpi_blocking_recall(blocking));
    told->n_found_by = MPI_BLOCKING_RULES + 1;
    told->found_by = copy_counts(cx, blocking->found_by, told->n_found_by);
    MESSAGE_LIST(cx, told, rules, &idem__admin__v1__blocking_rule__descriptor, MPI_BLOCKING_RULES);
    for (size_t i = 0; i < MPI_BLOCKING_RULES; i++)
        tell_rule(cx, &blocking->rules[i], told->rules[i]);
}

static void tell_band(const struct mpi_band *band, Idem__Admin__V1__CalibrationBand *out)
{
    double low, high;
    mpi_share_bounds(band->right, band->pairs, &low, &high);
    out->pairs = band->pairs;
    out->right = band->right;
    out->mean_ppm = band->pairs ? (uint32_t)(band->ppm_sum / band->pairs) : 0;
    out->right_ppm = band->pairs ? ppm(mpi_share(band->right, band->pairs)) : 0;
    out->right_low_ppm = ppm(low);
    out->right_high_ppm = ppm(high);
}

void rpc_tell_calibration(struct ctx *cx, const struct mpi_reviewed *reviewed, void *out)
{
    Idem__Admin__V1__Calibration *told = out;
    MESSAGE_LIST(cx, told, bands, &idem__admin__v1__calibration_band__descriptor, MPI_BANDS);
    for (size_t i = 0; i < MPI_BANDS; i++) {
        tell_band(&reviewed->decided.bands[i], told->bands[i]);
        told->bands[i]->to_ppm = mpi_band_ends_ppm[i];
        told->bands[i]->there = reviewed->there[i];
        told->pairs += told->bands[i]->pairs;
        told->right += told->bands[i]->right;
    }
    told->left_out = reviewed->left_out;
    told->error_ppm = ppm(mpi_calibration_error(&reviewed->decided));
    told->error_there_ppm = ppm(mpi_reviewed_error(reviewed));
}

void rpc_tell_whatif(struct ctx *cx, const struct mpi_whatif *whatif, size_t max, void *out)
{
    Idem__Admin__V1__WhatIfModelReply *told = out;
    size_t listed = whatif->line_count < max ? whatif->line_count : max;
    told->persons_before = whatif->persons_before;
    told->persons_after = whatif->persons_after;
    told->pairs_before = whatif->pairs_before;
    told->pairs_after = whatif->pairs_after;
    told->pairs_joined = whatif->pairs_joined;
    told->pairs_parted = whatif->pairs_parted;
    told->questions_before = whatif->questions_before;
    told->questions_after = whatif->questions_after;
    told->questions_opened = whatif->questions_opened;
    told->questions_closed = whatif->questions_closed;
    told->groups_changed = whatif->groups;
    told->records_changed = whatif->line_count;
    MESSAGE_LIST(cx, told, changed, &idem__admin__v1__changed_record__descriptor, listed);
    for (size_t i = 0; i < listed; i++) {
        const struct mpi_whatif_line *line = &whatif->lines[i];
        told->changed[i]->group = line->group;
        told->changed[i]->record = line->record;
        told->changed[i]->person_before = line->before;
        told->changed[i]->person_after = line->after;
    }
}

static uint64_t whole(double count)
{
    return (uint64_t)(count + 0.5);
}

void rpc_tell_training(struct ctx *cx, const struct mpi_training *training, void *out)
{
    Idem__Admin__V1__Training *told = out;
    const struct mpi_taught *taught = &training->taught;
    told->pairs = training->pairs;
    told->patterns = training->patterns;
    told->matches = whole(training->matches);
    told->relatives = whole(training->kin);
    told->decided_same = taught->same;
    told->decided_different = taught->different;
    told->surprise_before_mbit = (uint32_t)whole(taught->surprise_before * 1000);
    told->surprise_after_mbit = (uint32_t)whole(taught->surprise_after * 1000);
    told->prior_before_mbit = taught->prior_before_mbit;
    told->prior_after_mbit = taught->prior_after_mbit;
    MESSAGE_LIST(cx, told, moved, &idem__admin__v1__moved_weight__descriptor, taught->moved_count);
    for (size_t i = 0; i < taught->moved_count; i++) {
        told->moved[i]->field = message_text(cx, str_from(taught->moved[i].field));
        told->moved[i]->level = message_text(cx, str_from(taught->moved[i].level));
        told->moved[i]->before_mbit = taught->moved[i].before_mbit;
        told->moved[i]->after_mbit = taught->moved[i].after_mbit;
    }
}
