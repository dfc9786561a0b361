#include "row_internal.h"

/*
 * Blocking keys. Each is a pure function of one row, so whether two records are compared never depends on who came
 * first. Every key asks for at least two facts to agree, so that the blocks stay small; a pair is found when any one
 * key agrees.
 */
enum key_kind {
    KEY_SOUND_YEAR = 1,
    KEY_GIVEN_BIRTH,
    KEY_FAMILY_BIRTH,
    KEY_BIRTH,
    KEY_SWAPPED_DATE,
    KEY_PHONE,
    KEY_NATIONAL,
    KEY_SHARED,
    KEY_POSTCODE_SOUND,
    KEY_POSTCODE_GIVEN,
    KEY_BOTH_NAMES,
    KEY_HOUSE,
    KEY_GIVEN_YEAR,
    KEY_FAMILY_DAY,
    KEY_GIVEN_DAY,
    KEY_EMAIL,
    KEY_EMAIL_LOCAL,
    KEY_PLACE_FAMILY,
    KEY_PLACE_GIVEN,
    KEY_POSTCODE_YEAR,
};

struct keys {
    uint64_t *at;
    size_t count;
};

static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9ull;
    value = (value ^ value >> 27) * 0x94D049BB133111EBull;
    return value ^ value >> 31;
}

static void add_key(struct keys *keys, enum key_kind kind, uint64_t first, uint64_t second)
{
    if (first == 0 || second == 0 || keys->count == ROW_KEYS_MAX)
        return;
    keys->at[keys->count++] = mix(mix(first * 31 + (uint64_t)kind) + second) | 1;
}

static uint64_t text_key(const struct mpi_row *row, uint16_t at)
{
    struct str s = row_text(row, at);
    return s.len ? str_hash(s) : 0;
}

/* One number for all spellings a nickname table knows: robert and bob meet in one block. */
static uint64_t given_key(const struct mpi_row *row, const struct mpi_row_name *name)
{
    return name->nicknames[0] ? name->nicknames[0] : text_key(row, name->given);
}

static void add_name_keys(struct keys *keys, const struct mpi_row *row, const struct mpi_row_name *name)
{
    bool full = row->day != 0 && !(row->flags & ROW_BIRTH_ESTIMATED);
    uint64_t birth = full ? row->year * 10000u + row->month * 100u + row->day : 0;
    uint64_t low = row->day < row->month ? row->day : row->month, high = row->day < row->month ? row->month : row->day;
    uint64_t given = given_key(row, name), family = text_key(row, name->family);
    uint64_t family_sound = name->family_sound ? name->family_sound : family;
    uint64_t given_sound = name->nicknames[0]  ? name->nicknames[0] + (1ull << 32)
                           : name->given_sound ? name->given_sound
                                               : given;
    uint64_t day = full ? row->month * 100u + row->day : 0;
    add_key(keys, KEY_SOUND_YEAR, family_sound, row->year);
    add_key(keys, KEY_GIVEN_YEAR, given_sound, row->year);
    add_key(keys, KEY_FAMILY_DAY, family_sound, day);
    add_key(keys, KEY_GIVEN_DAY, given_sound, day);
    uint64_t place = text_key(row, row->birth_place);
    add_key(keys, KEY_PLACE_FAMILY, family_sound, place);
    add_key(keys, KEY_PLACE_GIVEN, given_sound, place);
    add_key(keys, KEY_GIVEN_BIRTH, given, birth);
    add_key(keys, KEY_FAMILY_BIRTH, family_sound, birth);
    add_key(keys, KEY_SWAPPED_DATE, given_sound, full ? row->year * 10000u + low * 100 + high : 0);
    add_key(keys, KEY_GIVEN_BIRTH, family, birth); /* meets a record whose names stand in each other's place */
    /* both names, in either order */
    uint64_t first = family_sound < given_sound ? family_sound : given_sound;
    uint64_t second = family_sound < given_sound ? given_sound : family_sound;
    if (family_sound && given_sound)
        add_key(keys, KEY_BOTH_NAMES, mix(first), second);
    for (size_t i = 0; i < row->address_count; i++) {
        add_key(keys, KEY_POSTCODE_SOUND, family_sound, row->addresses[i].postcode);
        add_key(keys, KEY_POSTCODE_GIVEN, given_sound, row->addresses[i].postcode);
    }
}

/* A dozen keys: no call per comparison. */
static void sort_keys(struct keys *keys)
{
    for (size_t i = 1; i < keys->count; i++) {
        uint64_t key = keys->at[i];
        size_t k = i;
        for (; k > 0 && keys->at[k - 1] > key; k--)
            keys->at[k] = keys->at[k - 1];
        keys->at[k] = key;
    }
}

size_t row_keys(const struct mpi_row *row, uint64_t out_keys[ROW_KEYS_MAX])
{
    struct keys keys = {.at = out_keys};
    for (size_t i = 0; i < row->shared_count; i++)
        add_key(&keys, KEY_SHARED, row->shared[i], 1);
    for (size_t i = 0; i < row->national_count; i++)
        add_key(&keys, KEY_NATIONAL, text_key(row, row->nationals[i].text), row->nationals[i].kind);
    for (size_t i = 0; i < row->phone_count; i++)
        add_key(&keys, KEY_PHONE, row->phones[i], 1);
    if (row->day != 0 && !(row->flags & ROW_BIRTH_ESTIMATED))
        add_key(&keys, KEY_BIRTH, row->year * 10000u + row->month * 100u + row->day, 1);
    for (size_t i = 0; i < row->address_count; i++) {
        add_key(&keys, KEY_HOUSE, text_key(row, row->addresses[i].street), row->addresses[i].number);
        add_key(&keys, KEY_POSTCODE_YEAR, row->addresses[i].postcode, row->year);
    }
    for (size_t i = 0; i < row->email_count; i++) {
        struct str rest = row_text(row, row->emails[i]), local;
        add_key(&keys, KEY_EMAIL, text_key(row, row->emails[i]), 1);
        if (str_split(&rest, '@', &local) && local.len >= 5)
            add_key(&keys, KEY_EMAIL_LOCAL, str_hash(local), 1);
    }
    for (size_t i = 0; i < row->name_count; i++)
        add_name_keys(&keys, row, &row->names[i]);
    sort_keys(&keys);
    size_t kept = 0;
    for (size_t i = 0; i < keys.count; i++)
        if (kept == 0 || out_keys[kept - 1] != out_keys[i])
            out_keys[kept++] = out_keys[i];
    return kept;
}

bool row_keys_hold(const uint64_t *keys, size_t count, uint64_t key)
{
    for (size_t i = 0; i < count; i++)
        if (keys[i] == key)
            return true;
    return false;
}
