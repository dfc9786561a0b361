#include "disk_internal.h"

/* ---- lists ---- */

/* A list length that the remaining bytes can hold (every item takes a byte at least). */
static size_t cut_count(struct cut *cut)
{
    uint64_t count = cut_varint(cut);
    if (count > STORED_LIST_MAX || count > cut->rest.len)
        cut->bad = true;
    return cut->bad ? 0 : (size_t)count;
}

static void put_texts(struct buf *out, const struct str *texts, size_t count)
{
    buf_put_varint(out, count);
    for (size_t i = 0; i < count; i++)
        buf_put_lstr(out, texts[i]);
}

static struct str *cut_texts(struct cut *cut, struct arena *arena, size_t *out_count)
{
    size_t count = cut_count(cut);
    struct str *texts = arena_array(arena, count, sizeof *texts);
    for (size_t i = 0; i < count; i++)
        texts[i] = cut_lstr(cut);
    *out_count = count;
    return texts;
}

static void put_name(struct buf *out, const struct disk_name *name)
{
    buf_put_lstr(out, name->family);
    buf_put_lstr(out, name->given);
    buf_put_lstr(out, name->middle);
    buf_put_lstr(out, name->suffix);
    buf_put_lstr(out, name->prefix);
    buf_put_lstr(out, name->type);
}

static struct disk_name cut_name(struct cut *cut)
{
    struct disk_name name;
    name.family = cut_lstr(cut);
    name.given = cut_lstr(cut);
    name.middle = cut_lstr(cut);
    name.suffix = cut_lstr(cut);
    name.prefix = cut_lstr(cut);
    name.type = cut_lstr(cut);
    return name;
}

static void put_names(struct buf *out, const struct disk_name *names, size_t count)
{
    buf_put_varint(out, count);
    for (size_t i = 0; i < count; i++)
        put_name(out, &names[i]);
}

static struct disk_name *cut_names(struct cut *cut, struct arena *arena, size_t *out_count)
{
    size_t count = cut_count(cut);
    struct disk_name *names = arena_array(arena, count, sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = cut_name(cut);
    *out_count = count;
    return names;
}

static void put_addresses(struct buf *out, const struct disk_address *addresses, size_t count)
{
    buf_put_varint(out, count);
    for (size_t i = 0; i < count; i++) {
        buf_put_lstr(out, addresses[i].line);
        buf_put_lstr(out, addresses[i].city);
        buf_put_lstr(out, addresses[i].state);
        buf_put_lstr(out, addresses[i].postcode);
        buf_put_lstr(out, addresses[i].country);
    }
}

static struct disk_address *cut_addresses(struct cut *cut, struct arena *arena, size_t *out_count)
{
    size_t count = cut_count(cut);
    struct disk_address *addresses = arena_array(arena, count, sizeof *addresses);
    for (size_t i = 0; i < count; i++) {
        addresses[i].line = cut_lstr(cut);
        addresses[i].city = cut_lstr(cut);
        addresses[i].state = cut_lstr(cut);
        addresses[i].postcode = cut_lstr(cut);
        addresses[i].country = cut_lstr(cut);
    }
    *out_count = count;
    return addresses;
}

static void put_identifiers(struct buf *out, const struct disk_identifier *identifiers, size_t count)
{
    buf_put_varint(out, count);
    for (size_t i = 0; i < count; i++) {
        buf_put_lstr(out, identifiers[i].authority);
        buf_put_lstr(out, identifiers[i].value);
        buf_put_lstr(out, identifiers[i].type);
    }
}

static struct disk_identifier *cut_identifiers(struct cut *cut, struct arena *arena, size_t *out_count)
{
    size_t count = cut_count(cut);
    struct disk_identifier *identifiers = arena_array(arena, count, sizeof *identifiers);
    for (size_t i = 0; i < count; i++) {
        identifiers[i].authority = cut_lstr(cut);
        identifiers[i].value = cut_lstr(cut);
        identifiers[i].type = cut_lstr(cut);
    }
    *out_count = count;
    return identifiers;
}

/* ---- what a record says ---- */

/* SAID_MORE: e-mail addresses and birth place follow at the end. A row that is older, or says neither, ends before. */
enum { SAID_MULTIPLE_BIRTH = 1, SAID_DECEASED = 2, SAID_MORE = 4 };

static void put_said(struct buf *out, const struct disk_said *said)
{
    bool more = said->email_count > 0 || said->birth_place.len > 0;
    put_names(out, said->names, said->name_count);
    buf_put_varint(out, said->birth_year);
    buf_put_byte(out, said->birth_month);
    buf_put_byte(out, said->birth_day);
    buf_put_byte(out, said->sex);
    buf_put_byte(out, said->birth_order);
    buf_put_byte(out, (uint8_t)((said->multiple_birth ? SAID_MULTIPLE_BIRTH : 0) |
                                (said->deceased ? SAID_DECEASED : 0) | (more ? SAID_MORE : 0)));
    put_texts(out, said->phones, said->phone_count);
    put_addresses(out, said->addresses, said->address_count);
    put_name(out, &said->mother);
    if (!more)
        return;
    put_texts(out, said->emails, said->email_count);
    buf_put_lstr(out, said->birth_place);
}

static struct disk_said cut_said(struct cut *cut, struct arena *arena)
{
    struct disk_said said = {0};
    said.names = cut_names(cut, arena, &said.name_count);
    uint64_t year = cut_varint(cut);
    cut->bad |= year > 9999;
    said.birth_year = (uint16_t)year;
    said.birth_month = cut_u8(cut);
    said.birth_day = cut_u8(cut);
    said.sex = cut_u8(cut);
    said.birth_order = cut_u8(cut);
    uint8_t flags = cut_u8(cut);
    said.multiple_birth = flags & SAID_MULTIPLE_BIRTH;
    said.deceased = flags & SAID_DECEASED;
    said.phones = cut_texts(cut, arena, &said.phone_count);
    said.addresses = cut_addresses(cut, arena, &said.address_count);
    said.mother = cut_name(cut);
    if (flags & SAID_MORE) {
        said.emails = cut_texts(cut, arena, &said.email_count);
        said.birth_place = cut_lstr(cut);
    }
    return said;
}

/* ---- records ---- */

enum { RECORD_ACTIVE = 1, RECORD_PERSON_LEVEL = 2 };

void disk_put_record(struct buf *out, const struct disk_record *record)
{
    buf_put_lstr(out, record->source);
    put_identifiers(out, record->identifiers, record->identifier_count);
    put_said(out, &record->said);
    put_names(out, record->former, record->former_count);
    buf_put_varint(out, record->first_seq);
    buf_put_varint(out, record->last_seq);
    buf_put_varint(out, (uint64_t)record->first_us);
    buf_put_varint(out, (uint64_t)record->last_us);
    buf_put_varint(out, record->versions);
    buf_put_byte(out,
                 (uint8_t)((record->active ? RECORD_ACTIVE : 0) | (record->person_level ? RECORD_PERSON_LEVEL : 0)));
}

struct disk_record disk_cut_record(struct cut *cut, struct arena *arena)
{
    struct disk_record record = {.source = cut_lstr(cut)};
    record.identifiers = cut_identifiers(cut, arena, &record.identifier_count);
    record.said = cut_said(cut, arena);
    record.former = cut_names(cut, arena, &record.former_count);
    record.first_seq = cut_varint(cut);
    record.last_seq = cut_varint(cut);
    record.first_us = (int64_t)cut_varint(cut);
    record.last_us = (int64_t)cut_varint(cut);
    record.versions = cut_varint_u32(cut);
    uint8_t flags = cut_u8(cut);
    record.active = flags & RECORD_ACTIVE;
    record.person_level = flags & RECORD_PERSON_LEVEL;
    return record;
}

/* ---- comparisons ---- */

void disk_put_mbit(struct buf *out, int32_t mbit)
{
    buf_put_varint(out, ((uint64_t)(int64_t)mbit << 1) ^ (uint64_t)((int64_t)mbit >> 63));
}

int32_t disk_cut_mbit(struct cut *cut)
{
    uint64_t value = cut_varint(cut);
    cut->bad |= value > UINT32_MAX;
    return (int32_t)(int64_t)(value >> 1 ^ -(value & 1));
}

void disk_put_comparison(struct buf *out, const struct disk_comparison *comparison)
{
    buf_put_varint(out, comparison->model_version);
    buf_put_varint(out, comparison->left);
    buf_put_varint(out, comparison->right);
    disk_put_mbit(out, comparison->score_mbit);
    buf_put_varint(out, comparison->probability_ppm);
    buf_put_byte(out, (uint8_t)comparison->line_count);
    for (size_t i = 0; i < comparison->line_count; i++) {
        buf_put_byte(out, comparison->lines[i].field);
        buf_put_byte(out, comparison->lines[i].level);
        disk_put_mbit(out, comparison->lines[i].weight_mbit);
    }
    disk_put_mbit(out, comparison->prior_mbit);
}

struct disk_comparison disk_cut_comparison(struct cut *cut)
{
    struct disk_comparison comparison = {.model_version = cut_varint_u32(cut)};
    comparison.left = cut_varint(cut);
    comparison.right = cut_varint(cut);
    comparison.score_mbit = disk_cut_mbit(cut);
    comparison.probability_ppm = cut_varint_u32(cut);
    size_t count = cut_u8(cut);
    cut->bad |= count > DISK_LINES_MAX;
    for (size_t i = 0; i < count && !cut->bad; i++) {
        struct disk_line *line = &comparison.lines[comparison.line_count++];
        line->field = cut_u8(cut);
        line->level = cut_u8(cut);
        line->weight_mbit = disk_cut_mbit(cut);
    }
    comparison.prior_mbit = disk_cut_mbit(cut);
    return comparison;
}
