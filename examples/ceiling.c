/* Whose values are whose: a hash table of every name with its birth date and sex. */
#include "ceiling_internal.h"

#include "base/hash.h"
#include "base/mem.h"

enum { SLOTS_MIN = 1024, SHARED = UINT32_MAX };

void ceiling_init(struct ceiling *ceiling, uint64_t slots_max)
{
    *ceiling = (struct ceiling){.sample = 1, .slots = SLOTS_MIN, .slots_max = slots_max};
    ceiling->value = mem_alloc(ceiling->slots * sizeof *ceiling->value);
    ceiling->owner = mem_alloc(ceiling->slots * sizeof *ceiling->owner);
}

void ceiling_fini(struct ceiling *ceiling)
{
    mem_free(ceiling->value);
    mem_free(ceiling->owner);
    VEC_FINI(&ceiling->bare);
    *ceiling = (struct ceiling){0};
}

/* ---- values ---- */

static uint64_t mix(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 0x100000001B3u; /* FNV-1a */
    return (hash ^ 0xFF) * 0x100000001B3u;
}

static uint64_t value_of(const char *family, const char *given, struct date birth, char sex)
{
    char rest[4] = {(char)(birth.year % 200 + 1), (char)(birth.month + 1), (char)(birth.day + 1), '\0'};
    uint64_t hash = mix(mix(mix(0xCBF29CE484222325u, family), given), rest) ^ (uint8_t)sex;
    hash = hash_random(&hash);
    return hash ? hash : 1;
}

/* As the lab writes it; what has no letters there stays as it is. */
static void fold(const char *text, bool german_umlauts, char out[GEN_TEXT_MAX])
{
    char latin[GEN_NAME_MAX];
    gen_romanise(text, 0, german_umlauts, latin);
    out[0] = '\0';
    gen_append(out, GEN_TEXT_MAX, str_from(latin));
    gen_to_capitals(out);
    if (!out[0])
        gen_append(out, GEN_TEXT_MAX, str_from(text));
}

static bool is_kept(const struct ceiling *ceiling, uint64_t value)
{
    return value % ceiling->sample == 0;
}

static uint64_t slot_of(const struct ceiling *ceiling, uint64_t value)
{
    uint64_t slot = value >> 20 & (ceiling->slots - 1);
    while (ceiling->value[slot] && ceiling->value[slot] != value)
        slot = (slot + 1) & (ceiling->slots - 1);
    return slot;
}

static void put(struct ceiling *ceiling, uint64_t value, uint32_t owner)
{
    uint64_t slot = slot_of(ceiling, value);
    if (!ceiling->value[slot]) {
        ceiling->value[slot] = value;
        ceiling->owner[slot] = owner;
        ceiling->used++;
    } else if (ceiling->owner[slot] != owner) {
        ceiling->owner[slot] = SHARED;
    }
}

/* Twice the room or, when that ends, half of the values. */
static void make_room(struct ceiling *ceiling)
{
    struct ceiling old = *ceiling;
    if (ceiling->slots < ceiling->slots_max)
        ceiling->slots *= 2;
    else
        ceiling->sample *= 2;
    ceiling->used = 0;
    ceiling->value = mem_alloc(ceiling->slots * sizeof *ceiling->value);
    ceiling->owner = mem_alloc(ceiling->slots * sizeof *ceiling->owner);
    for (uint64_t slot = 0; slot < old.slots; slot++)
        if (old.value[slot] && is_kept(ceiling, old.value[slot]))
            put(ceiling, old.value[slot], old.owner[slot]);
    mem_free(old.value);
    mem_free(old.owner);
    size_t kept = 0;
    for (size_t i = 0; i < ceiling->bare.count; i++)
        if (is_kept(ceiling, ceiling->bare.at[i].value))
            ceiling->bare.at[kept++] = ceiling->bare.at[i];
    ceiling->bare.count = kept;
}

static void belong(struct ceiling *ceiling, uint64_t value, uint32_t human)
{
    if (!is_kept(ceiling, value))
        return;
    put(ceiling, value, human);
    if (ceiling->used * 5 > ceiling->slots * 4)
        make_room(ceiling);
}

/* ---- one human ---- */

static void add_true_name(struct ceiling *ceiling, const struct gen_human *human, const struct gen_name *family,
                          const struct gen_name *second)
{
    char whole[GEN_TEXT_MAX] = "", given[GEN_TEXT_MAX] = "";
    gen_append(whole, sizeof whole, str_from(family->latin[0]));
    if (second) {
        gen_append(whole, sizeof whole, STR(" "));
        gen_append(whole, sizeof whole, str_from(second->latin[0]));
    }
    gen_append(given, sizeof given, str_from(human->given.latin[0]));
    gen_to_capitals(whole);
    gen_to_capitals(given);
    char sex = human->self->female ? 'F' : 'M';
    belong(ceiling, value_of(whole, given, human->self->birth, sex), (uint32_t)human->index);
    given[1] = '\0'; /* some write the first letter only */
    belong(ceiling, value_of(whole, given, human->self->birth, sex), (uint32_t)human->index);
}

void ceiling_add(struct ceiling *ceiling, const struct gen_human *human, const struct gen_record *records, size_t count)
{
    add_true_name(ceiling, human, &human->family, NULL);
    if (human->second_family.native[0])
        add_true_name(ceiling, human, &human->family, &human->second_family);
    if (human->married_family.native[0])
        add_true_name(ceiling, human, &human->married_family, NULL);
    for (size_t i = 0; i < count; i++) {
        const struct gen_record *record = &records[i];
        char family[GEN_TEXT_MAX], given[GEN_TEXT_MAX];
        if (!gen_record_is_bare(record))
            continue;
        fold(record->family, human->self->culture->german_umlauts, family);
        fold(record->given, human->self->culture->german_umlauts, given);
        uint64_t value = value_of(family, given, record->birth_date, record->sex);
        belong(ceiling, value, (uint32_t)human->index);
        if (is_kept(ceiling, value))
            *VEC_ADD(&ceiling->bare) = (struct bare){value, (uint32_t)human->index, (uint32_t)count};
    }
}

/* ---- the answer ---- */

/* Pairs of `count` records of which `some` are meant: those with at least one that is meant. */
static uint64_t pairs_with(uint64_t some, uint64_t count)
{
    return some * (count - some) + some * (some - (some > 0)) / 2;
}

struct gen_ceiling ceiling_answer(const struct ceiling *ceiling)
{
    struct gen_ceiling answer = {.sample = ceiling->sample, .bare_records = ceiling->bare.count * ceiling->sample};
    for (size_t i = 0; i < ceiling->bare.count;) {
        const struct bare *first = &ceiling->bare.at[i];
        uint64_t bare = 0, undecidable = 0;
        for (; i < ceiling->bare.count && ceiling->bare.at[i].human == first->human; i++) {
            bare++;
            undecidable += ceiling->owner[slot_of(ceiling, ceiling->bare.at[i].value)] == SHARED;
        }
        answer.pairs_bare += pairs_with(bare, first->records) * ceiling->sample;
        answer.pairs_undecidable += pairs_with(undecidable, first->records) * ceiling->sample;
    }
    return answer;
}
