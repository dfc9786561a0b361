/* A record's row: between the types of the disk and what mpi/ works with. */
#include "base/mem.h"
#include "disk_internal.h"
#include "stored_internal.h"

/* ---- to the disk ---- */

static struct disk_name to_name(const struct mpi_name *name)
{
    return (struct disk_name){.family = name->family,
                              .given = name->given,
                              .middle = name->middle,
                              .suffix = name->suffix,
                              .prefix = name->prefix,
                              .type = name->type};
}

static struct disk_name *to_names(struct arena *arena, const struct mpi_name *names, size_t count)
{
    struct disk_name *made = arena_array(arena, count, sizeof *made);
    for (size_t i = 0; i < count; i++)
        made[i] = to_name(&names[i]);
    return made;
}

static struct disk_address *to_addresses(struct arena *arena, const struct mpi_address *addresses, size_t count)
{
    struct disk_address *made = arena_array(arena, count, sizeof *made);
    for (size_t i = 0; i < count; i++)
        made[i] = (struct disk_address){.line = addresses[i].line,
                                        .city = addresses[i].city,
                                        .state = addresses[i].state,
                                        .postcode = addresses[i].postcode,
                                        .country = addresses[i].country};
    return made;
}

static struct disk_identifier *to_identifiers(struct arena *arena, const struct mpi_identifier *identifiers,
                                              size_t count)
{
    struct disk_identifier *made = arena_array(arena, count, sizeof *made);
    for (size_t i = 0; i < count; i++)
        made[i] = (struct disk_identifier){
            .authority = identifiers[i].authority, .value = identifiers[i].value, .type = identifiers[i].type};
    return made;
}

static struct disk_said to_said(struct arena *arena, const struct mpi_demographics *said)
{
    return (struct disk_said){.names = to_names(arena, said->names, said->name_count),
                              .name_count = said->name_count,
                              .birth_year = said->birth_date.year,
                              .birth_month = said->birth_date.month,
                              .birth_day = said->birth_date.day,
                              .sex = (uint8_t)said->sex,
                              .birth_order = said->birth_order,
                              .multiple_birth = said->multiple_birth,
                              .deceased = said->deceased,
                              .phones = said->phones,
                              .phone_count = said->phone_count,
                              .addresses = to_addresses(arena, said->addresses, said->address_count),
                              .address_count = said->address_count,
                              .mother = to_name(&said->mother),
                              .emails = said->emails,
                              .email_count = said->email_count,
                              .birth_place = said->birth_place};
}

void encode_record(struct buf *out, const struct stored_record *record)
{
    SCOPED(arena_fini) struct arena arena = {0};
    struct disk_record row = {
        .source = record->source,
        .identifiers = to_identifiers(&arena, record->identifiers, record->identifier_count),
        .identifier_count = record->identifier_count,
        .said = to_said(&arena, &record->said),
        .former = to_names(&arena, record->former, record->former_count),
        .former_count = record->former_count,
        .first_seq = record->first_seq,
        .last_seq = record->last_seq,
        .first_us = record->first_us,
        .last_us = record->last_us,
        .versions = record->versions,
        .active = record->active,
        .person_level = record->person_level,
    };
    disk_put_record(out, &row);
}

/* ---- from the disk ---- */

static struct mpi_name from_name(const struct disk_name *name)
{
    return (struct mpi_name){.family = name->family,
                             .given = name->given,
                             .middle = name->middle,
                             .suffix = name->suffix,
                             .prefix = name->prefix,
                             .type = name->type};
}

static struct mpi_name *from_names(struct arena *arena, const struct disk_name *names, size_t count)
{
    struct mpi_name *made = arena_array(arena, count, sizeof *made);
    for (size_t i = 0; i < count; i++)
        made[i] = from_name(&names[i]);
    return made;
}

static struct mpi_address *from_addresses(struct arena *arena, const struct disk_address *addresses, size_t count)
{
    struct mpi_address *made = arena_array(arena, count, sizeof *made);
    for (size_t i = 0; i < count; i++)
        made[i] = (struct mpi_address){.line = addresses[i].line,
                                       .city = addresses[i].city,
                                       .state = addresses[i].state,
                                       .postcode = addresses[i].postcode,
                                       .country = addresses[i].country};
    return made;
}

static struct mpi_identifier *from_identifiers(struct arena *arena, const struct disk_identifier *identifiers,
                                               size_t count)
{
    struct mpi_identifier *made = arena_array(arena, count, sizeof *made);
    for (size_t i = 0; i < count; i++)
        made[i] = (struct mpi_identifier){
            .authority = identifiers[i].authority, .value = identifiers[i].value, .type = identifiers[i].type};
    return made;
}

static struct mpi_demographics from_said(struct arena *arena, const struct disk_said *said)
{
    return (struct mpi_demographics){
        .names = from_names(arena, said->names, said->name_count),
        .name_count = said->name_count,
        .birth_date = {.year = said->birth_year, .month = said->birth_month, .day = said->birth_day},
        .sex = (char)said->sex,
        .phones = said->phones,
        .phone_count = said->phone_count,
        .emails = said->emails,
        .email_count = said->email_count,
        .addresses = from_addresses(arena, said->addresses, said->address_count),
        .address_count = said->address_count,
        .mother = from_name(&said->mother),
        .birth_place = said->birth_place,
        .multiple_birth = said->multiple_birth,
        .birth_order = said->birth_order,
        .deceased = said->deceased,
    };
}

status decode_record(struct ctx *cx, struct str row, struct stored_record *out_record)
{
    struct cut cut = {.rest = row};
    struct disk_record read = disk_cut_record(&cut, cx->arena);
    if (cut.bad || cut.rest.len > 0)
        return ctx_fail(cx, &mpi_reasons[MPI_ROW_BAD], "table mpi.record");
    if (read.identifier_count == 0)
        return ctx_fail(cx, &mpi_reasons[MPI_ROW_BAD], "table mpi.record: no identifier");
    *out_record = (struct stored_record){
        .source = read.source,
        .identifiers = from_identifiers(cx->arena, read.identifiers, read.identifier_count),
        .identifier_count = read.identifier_count,
        .said = from_said(cx->arena, &read.said),
        .former = from_names(cx->arena, read.former, read.former_count),
        .former_count = read.former_count,
        .first_seq = read.first_seq,
        .last_seq = read.last_seq,
        .first_us = read.first_us,
        .last_us = read.last_us,
        .versions = read.versions,
        .active = read.active,
        .person_level = read.person_level,
    };
    return STATUS_OK;
}
