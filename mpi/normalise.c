#include "disk_internal.h"
#include "row_internal.h"

#include "base/invariant.h"
#include "base/limits.h"
#include "base/text/nickname.h"
#include "base/text/phonetic.h"
#include "common_names_internal.h"
#include "name_forms_internal.h"
#include "placeholders_internal.h"

#include <stdlib.h>

/* ---- a row being made ---- */

/* Room for all a row may hold. */
struct parts {
    struct mpi_row head;
    uint64_t shared[ROW_SHARED];
    struct mpi_row_name names[ROW_NAMES];
    struct mpi_row_address addresses[ROW_ADDRESSES];
    uint32_t phones[ROW_PHONES];
    struct mpi_row_national nationals[ROW_NATIONALS];
    uint16_t emails[ROW_EMAILS];
    char text[ROW_TEXT_MAX];
};

static uint16_t pack_text(struct parts *parts, struct str s)
{
    if (s.len == 0 || s.len > 255 || parts->head.text_len + 1 + s.len > ROW_TEXT_MAX)
        return 0;
    uint16_t at = parts->head.text_len;
    parts->text[at] = (char)s.len;
    memcpy(parts->text + at + 1, s.data, s.len);
    parts->head.text_len = (uint16_t)(at + 1 + s.len);
    return at;
}

static struct str part_text(const struct parts *parts, uint16_t at)
{
    return (struct str){parts->text + at + 1, (unsigned char)parts->text[at]};
}

static uint32_t hash_folded(struct str folded)
{
    return folded.len ? (uint32_t)str_hash(folded) | 1 : 0; /* never 0: that means absent */
}

static uint32_t hash_word(struct str text)
{
    struct word word;
    word.len = text_fold_joined(text, word.bytes, sizeof word.bytes);
    return hash_folded(word_str(&word));
}

/* ---- names ---- */

static uint8_t generation_of(struct str folded)
{
    static const struct {
        struct str word;
        uint8_t generation;
    } words[] = {{WORD("sr"), 1},     {WORD("senior"), 1}, {WORD("i"), 1},   {WORD("1st"), 1}, {WORD("jr"), 2},
                 {WORD("junior"), 2}, {WORD("ii"), 2},     {WORD("2nd"), 2}, {WORD("iii"), 3}, {WORD("3rd"), 3},
                 {WORD("iv"), 4},     {WORD("4th"), 4},    {WORD("v"), 5},   {WORD("5th"), 5}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_eq(folded, words[i].word))
            return words[i].generation;
    return 0;
}

/* Takes "jr", "iii" … off the end of a family name that was typed in one field. */
static void cut_generation(struct parts *parts, struct word *family)
{
    struct str all = word_str(family);
    for (size_t i = all.len; i-- > 0;) {
        if (all.data[i] != ' ')
            continue;
        struct str tail = str_from_at(all, i + 1);
        uint8_t generation = tail.len > 1 ? generation_of(tail) : 0; /* "i" and "v" alone are initials more often */
        if (generation == 0)
            return;
        parts->head.generation = parts->head.generation ? parts->head.generation : generation;
        family->len = i;
        return;
    }
}

/* The first word is the given name; what follows belongs to the middle name. */
static void split_given(struct word *given, struct word *middle)
{
    char *blank = memchr(given->bytes, ' ', given->len);
    if (blank == NULL)
        return;
    size_t first = (size_t)(blank - given->bytes);
    if (middle->len == 0) {
        middle->len = given->len - first - 1;
        memcpy(middle->bytes, blank + 1, middle->len);
    }
    given->len = first;
}

static bool have_name(const struct parts *parts, struct str family, struct str given, struct str middle)
{
    for (size_t i = 0; i < parts->head.name_count; i++)
        if (str_eq(part_text(parts, parts->names[i].family), family) &&
            str_eq(part_text(parts, parts->names[i].given), given) &&
            (middle.len == 0 || str_eq(part_text(parts, parts->names[i].middle), middle)))
            return true;
    return false;
}

static void add_name(struct parts *parts, const struct mpi_name *said)
{
    struct word family = fold_word(said->family), given = fold_word(said->given), middle = fold_word(said->middle);
    struct word suffix = fold_word(said->suffix);
    if (parts->head.generation == 0)
        parts->head.generation = generation_of(word_str(&suffix));
    cut_generation(parts, &family);
    if (is_newborn_placeholder(word_str(&given))) {
        parts->head.flags |= ROW_GIVEN_PLACEHOLDER;
        given.len = middle.len = 0;
    }
    if (is_placeholder(word_str(&given), PLACEHOLDER_NAME))
        given.len = 0;
    if (is_placeholder(word_str(&family), PLACEHOLDER_NAME))
        family.len = 0;
    if (is_placeholder(word_str(&middle), PLACEHOLDER_NAME))
        middle.len = 0;
    name_form_family(&family);
    name_form_given(&given, &middle);
    split_given(&given, &middle);
    if (family.len + given.len == 0 || have_name(parts, word_str(&family), word_str(&given), word_str(&middle)))
        return;
    if (parts->head.name_count == ROW_NAMES) {
        parts->head.flags |= ROW_MORE_SAID;
        return;
    }
    struct mpi_row_name *name = &parts->names[parts->head.name_count++];
    name->family = pack_text(parts, word_str(&family));
    name->given = pack_text(parts, word_str(&given));
    name->middle = pack_text(parts, word_str(&middle));
    name->family_common = common_family_name(word_str(&family));
    name->given_common = common_given_name(word_str(&given));
    name->family_sound = text_sound(word_str(&family));
    name->given_sound = text_sound(word_str(&given));
    uint16_t groups[TEXT_NICKNAME_GROUPS_MAX] = {0};
    (void)text_nickname_groups(word_str(&given), groups);
    name->nicknames[0] = groups[0];
    name->nicknames[1] = groups[1];
}

/* What a name looks like elsewhere, as far as names that are said leave room. */
static void add_spellings(struct parts *parts, const struct mpi_name *said)
{
    static bool (*const ways[])(const struct mpi_name *, struct name_spelling *) = {name_spell_out, name_turn_round};
    struct name_spelling other;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        if (parts->head.name_count < ROW_NAMES && ways[i](said, &other))
            add_name(parts, &other.name);
}

/* ---- the other fields ---- */

static void set_birth(struct parts *parts, struct date date)
{
    if (date.year == 0 || is_birth_placeholder(date))
        return; /* an impossible day counts: it is a slip of a possible one */
    parts->head.year = date.year;
    parts->head.month = date.month;
    parts->head.day = date.day;
    if (date.month == 1 && date.day == 1)
        parts->head.flags |= ROW_BIRTH_ESTIMATED;
}

/* The last nine digits: with or without country code and trunk zero they are the same. 0: nobody's. */
static uint32_t phone_of(struct str said)
{
    char digits[32];
    size_t count = 0;
    for (size_t i = 0; i < said.len && count < sizeof digits; i++)
        if (said.data[i] >= '0' && said.data[i] <= '9')
            digits[count++] = said.data[i];
    size_t from = count > 9 ? count - 9 : 0;
    if (count < 6 || is_phone_placeholder(str_make(digits, count)))
        return 0;
    uint32_t phone = 0;
    for (size_t i = from; i < count; i++)
        phone = phone * 10 + (uint32_t)(digits[i] - '0');
    return phone;
}

static void add_phone(struct parts *parts, uint32_t phone)
{
    if (phone == 0)
        return;
    for (size_t i = 0; i < parts->head.phone_count; i++)
        if (parts->phones[i] == phone)
            return;
    if (parts->head.phone_count < ROW_PHONES)
        parts->phones[parts->head.phone_count++] = phone;
    else
        parts->head.flags |= ROW_MORE_SAID;
}

enum { EMAIL_MAX = 254 }; /* [RFC 5321 4.5.3.1.3] a path has 256 at most, two of them brackets */

struct email {
    char bytes[EMAIL_MAX];
    size_t len; /* 0: no address */
};

/* An address names its owner whatever the case of its letters. Nobody's is as none. */
static struct email email_of(struct str said)
{
    struct email email = {.len = 0};
    struct str address = str_trim(said);
    const char *at = address.len ? memchr(address.data, '@', address.len) : NULL;
    if (at == NULL || at == address.data || at == address.data + address.len - 1 || address.len > sizeof email.bytes)
        return email;
    for (size_t i = 0; i < address.len; i++) {
        char c = address.data[i];
        email.bytes[email.len++] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    if (is_email_placeholder((struct str){email.bytes, email.len}))
        email.len = 0;
    return email;
}

static void add_email(struct parts *parts, const struct email *email)
{
    struct str text = {email->bytes, email->len};
    if (text.len == 0)
        return;
    for (size_t i = 0; i < parts->head.email_count; i++)
        if (str_eq(part_text(parts, parts->emails[i]), text))
            return;
    if (parts->head.email_count < ROW_EMAILS)
        parts->emails[parts->head.email_count++] = pack_text(parts, text);
    else
        parts->head.flags |= ROW_MORE_SAID;
}

static bool has_digit(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] >= '0' && s.data[i] <= '9')
            return true;
    return false;
}

/* The five (or fewer) leading digits of a numeric code ("98101-1234"), all letters and digits of others ("SW1A 1AA").
 */
static uint32_t postcode_of(struct str said)
{
    size_t digits = 0;
    while (digits < said.len && said.data[digits] >= '0' && said.data[digits] <= '9')
        digits++;
    if (digits >= 3)
        said = str_sub(said, 0, digits > 5 && digits != 6 ? 5 : digits);
    struct word code;
    code.len = text_fold_joined(said, code.bytes, sizeof code.bytes);
    return is_postcode_placeholder(word_str(&code)) ? 0 : hash_folded(word_str(&code));
}

/* What its neighbours share: three digits of a numeric one, "SW1A" of "SW1A 1AA". 0: it has no such part. */
static uint32_t area_of(struct str said)
{
    size_t digits = 0;
    while (digits < said.len && said.data[digits] >= '0' && said.data[digits] <= '9')
        digits++;
    if (digits >= 4)
        return hash_word(str_sub(said, 0, digits - 2 > 3 ? 3 : digits - 2));
    const char *blank = said.len ? memchr(said.data, ' ', said.len) : NULL;
    return digits == 0 && blank ? hash_word(str_sub(said, 0, (size_t)(blank - said.data))) : 0;
}

/* "12 Main St" → number "12", street "main": the kind of street is written too differently to count. */
static void split_line(struct str line, struct word *street, uint32_t *number)
{
    static const struct str kinds[] = {
        WORD("st"),        WORD("street"), WORD("rd"),      WORD("road"),    WORD("ave"),   WORD("avenue"),
        WORD("av"),        WORD("dr"),     WORD("drive"),   WORD("ln"),      WORD("lane"),  WORD("blvd"),
        WORD("boulevard"), WORD("ct"),     WORD("court"),   WORD("pl"),      WORD("place"), WORD("cres"),
        WORD("crescent"),  WORD("cct"),    WORD("circuit"), WORD("cl"),      WORD("close"), WORD("way"),
        WORD("pde"),       WORD("parade"), WORD("tce"),     WORD("terrace"), WORD("cir"),   WORD("circle"),
        WORD("calle"),     WORD("rue")};
    struct word folded = fold_word(line);
    struct str rest = word_str(&folded), part;
    street->len = 0;
    *number = 0;
    while (str_split(&rest, ' ', &part)) {
        if (*number == 0 && has_digit(part)) {
            *number = (uint32_t)str_hash(part) | 1;
            continue;
        }
        if (street->len > 0 && is_one_of(part, kinds, sizeof kinds / sizeof kinds[0]))
            continue;
        if (street->len + 1 + part.len > sizeof street->bytes)
            break;
        if (street->len)
            street->bytes[street->len++] = ' ';
        memcpy(street->bytes + street->len, part.data, part.len);
        street->len += part.len;
    }
}

static void add_address(struct parts *parts, const struct mpi_address *said)
{
    struct word street, city = fold_word(said->city);
    uint32_t number, postcode = postcode_of(str_trim(said->postcode));
    split_line(said->line, &street, &number);
    if (is_placeholder(word_str(&city), PLACEHOLDER_CITY))
        city.len = 0;
    if (is_placeholder(word_str(&street), PLACEHOLDER_STREET))
        street.len = number = 0;
    if (postcode == 0 && street.len == 0 && city.len == 0)
        return;
    if (parts->head.address_count == ROW_ADDRESSES) {
        parts->head.flags |= ROW_MORE_SAID;
        return;
    }
    struct mpi_row_address *address = &parts->addresses[parts->head.address_count++];
    address->postcode = postcode;
    address->number = number;
    address->area = area_of(str_trim(said->postcode));
    address->street = pack_text(parts, word_str(&street));
    address->city = pack_text(parts, word_str(&city));
}

/* Kinds of number that name a person, whoever writes them down. HL7 table 0203. */
static uint16_t national_kind(const struct mpi_identifier *identifier)
{
    struct str type = identifier->type;
    bool single = str_eq_nocase(type, STR("SS")) || str_eq_nocase(type, STR("NI")) ||
                  (type.len >= 2 && str_eq_nocase(str_sub(type, 0, 2), STR("NN")));
    if (single)
        return (uint16_t)(hash_word(type) | 1);
    static const struct str others[] = {WORD("DL"), WORD("PPN"), WORD("MA"), WORD("MC"), WORD("HC"), WORD("NH")};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (str_eq_nocase(type, others[i])) /* only unique within who gave it out */
            return (uint16_t)(((hash_word(type) ^ hash_word(identifier->authority)) & 0xFFFE) | 2);
    return 0;
}

uint64_t row_identifier_key(struct mpi_identifier identifier)
{
    uint64_t authority = str_hash(str_trim(identifier.authority));
    uint64_t value = str_hash(str_trim(identifier.value));
    uint64_t mixed = (authority ^ (value * 0x9E3779B97F4A7C15ull)) + (value << 32 | value >> 32);
    mixed = (mixed ^ mixed >> 31) * 0xBF58476D1CE4E5B9ull;
    return mixed ^ mixed >> 29;
}

uint64_t row_own_key(const struct mpi_identifier *identifiers, size_t count)
{
    return count > 0 ? row_identifier_key(identifiers[0]) : 0;
}

static void add_identifier(struct parts *parts, const struct mpi_identifier *identifier)
{
    if (identifier->value.len == 0)
        return;
    uint16_t kind = national_kind(identifier);
    struct word number;
    number.len = text_fold_joined(identifier->value, number.bytes, sizeof number.bytes);
    if (kind != 0) {
        if (is_number_placeholder(word_str(&number)))
            return;
        if (parts->head.national_count < ROW_NATIONALS)
            parts->nationals[parts->head.national_count++] =
                (struct mpi_row_national){.kind = kind, .text = pack_text(parts, word_str(&number))};
        else
            parts->head.flags |= ROW_MORE_SAID;
        return;
    }
    if (identifier->authority.len == 0)
        return; /* a bare number is nobody's */
    uint64_t key = row_identifier_key(*identifier);
    for (size_t i = 0; i < parts->head.shared_count; i++)
        if (parts->shared[i] == key)
            return;
    if (parts->head.shared_count < ROW_SHARED)
        parts->shared[parts->head.shared_count++] = key;
    else
        parts->head.flags |= ROW_MORE_SAID;
}

/* ---- what does not all fit ---- */

enum { SAID_MAX = 2 * STORED_LIST_MAX }; /* names and former names of the longest row that decodes */
_Static_assert((int)STORED_LIST_MAX >= (int)LIMIT_IDENTIFIERS_PER_RECORD, "what may be said can be stored");

struct said_item {
    uint64_t rank; /* smaller ones first */
    uint32_t at;
};

static int order_said(const void *left, const void *right)
{
    const struct said_item *a = left, *b = right;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

/*
 * A row holds only so many of each. When more are said, which ones count must not depend on the order they were said or
 * updated in: they are taken by what they are (rank), not by where they stand.
 */
static void order_when_many(struct said_item *items, size_t count, size_t room)
{
    if (count > room)
        qsort(items, count, sizeof items[0], order_said);
}

static void add_identifiers(struct parts *parts, const struct mpi_identifier *identifiers, size_t count)
{
    enum { ROOM = ROW_NATIONALS < ROW_SHARED ? ROW_NATIONALS : ROW_SHARED };
    struct said_item items[SAID_MAX];
    for (size_t i = 0; i < count; i++)
        items[i] = (struct said_item){i == 0 ? 0 : row_identifier_key(identifiers[i]) | 1, (uint32_t)i};
    order_when_many(items, count, ROOM); /* its own stays first */
    for (size_t i = 0; i < count; i++)
        add_identifier(parts, &identifiers[items[i].at]);
}

/* What is said now before what was said earlier, legal names before others. [HL7 table 0200] */
static uint64_t name_rank(const struct mpi_name *name, bool former)
{
    bool legal = name->type.len == 0 || str_is(name->type, "L") || str_is(name->type, "D");
    uint64_t text = str_hash(name->family) * 31 + str_hash(name->given) * 7 + str_hash(name->middle);
    return text >> 2 | (uint64_t)former << 63 | (uint64_t)!legal << 62;
}

static void add_names(struct parts *parts, const struct mpi_name *said, size_t said_count,
                      const struct mpi_name *former, size_t former_count)
{
    struct said_item items[SAID_MAX];
    size_t count = said_count + former_count;
    for (size_t i = 0; i < count; i++)
        items[i] = (struct said_item){
            i < said_count ? name_rank(&said[i], false) : name_rank(&former[i - said_count], true), (uint32_t)i};
    order_when_many(items, count, ROW_NAMES);
    for (size_t i = 0; i < count; i++)
        add_name(parts, items[i].at < said_count ? &said[items[i].at] : &former[items[i].at - said_count]);
    order_when_many(items, count, 0); /* nor may it decide whose other spellings find room */
    for (size_t i = 0; i < count; i++)
        add_spellings(parts, items[i].at < said_count ? &said[items[i].at] : &former[items[i].at - said_count]);
}

static void add_phones(struct parts *parts, const struct str *said, size_t count)
{
    struct said_item items[SAID_MAX];
    for (size_t i = 0; i < count; i++)
        items[i] = (struct said_item){phone_of(said[i]), (uint32_t)i};
    order_when_many(items, count, ROW_PHONES);
    for (size_t i = 0; i < count; i++)
        add_phone(parts, (uint32_t)items[i].rank);
}

static void add_emails(struct parts *parts, const struct str *said, size_t count)
{
    struct said_item items[SAID_MAX];
    for (size_t i = 0; i < count; i++) {
        struct email email = email_of(said[i]);
        items[i] =
            (struct said_item){email.len ? str_hash((struct str){email.bytes, email.len}) : UINT64_MAX, (uint32_t)i};
    }
    order_when_many(items, count, ROW_EMAILS);
    for (size_t i = 0; i < count; i++) {
        struct email email = email_of(said[items[i].at]);
        add_email(parts, &email);
    }
}

static void add_addresses(struct parts *parts, const struct mpi_address *said, size_t count)
{
    struct said_item items[SAID_MAX];
    for (size_t i = 0; i < count; i++)
        items[i] = (struct said_item){
            str_hash(said[i].line) * 31 + str_hash(said[i].postcode) * 7 + str_hash(said[i].city), (uint32_t)i};
    order_when_many(items, count, ROW_ADDRESSES);
    for (size_t i = 0; i < count; i++)
        add_address(parts, &said[items[i].at]);
}

/* ---- the row ---- */

static char *put(char *to, const void *from, size_t bytes)
{
    memcpy(to, from, bytes);
    return to + bytes;
}

static void pack_parts(const struct parts *parts, struct mpi_row *row)
{
    const struct mpi_row *head = &parts->head;
    char *to = put((char *)row, head, sizeof *head);
    to = put(to, parts->shared, head->shared_count * sizeof parts->shared[0]);
    to = put(to, parts->names, head->name_count * sizeof parts->names[0]);
    to = put(to, parts->addresses, head->address_count * sizeof parts->addresses[0]);
    to = put(to, parts->phones, head->phone_count * sizeof parts->phones[0]);
    to = put(to, parts->nationals, head->national_count * sizeof parts->nationals[0]);
    to = put(to, parts->emails, head->email_count * sizeof parts->emails[0]);
    size_t rarities = (size_t)head->phone_count + head->email_count + 1;
    memset(to, 0, rarities);
    to += rarities;
    row->text_at = (uint8_t)(to - (char *)row);
    memcpy(to, parts->text, head->text_len);
}

void row_make(const struct mpi_identifier *identifiers, size_t identifier_count, const struct mpi_demographics *said,
              const struct mpi_name *former, size_t former_count, union row_space *out_row)
{
    struct parts made, *parts = &made;
    INVARIANT(identifier_count <= SAID_MAX && said->name_count + former_count <= SAID_MAX &&
              said->phone_count <= SAID_MAX && said->email_count <= SAID_MAX && said->address_count <= SAID_MAX);
    memset(parts, 0, offsetof(struct parts, text));
    parts->text[0] = 0; /* offset 0 is the empty string */
    parts->head.text_len = 1;
    parts->head.own_bits = (uint32_t)row_own_key(identifiers, identifier_count);
    if (identifier_count > 0)
        parts->head.authority = hash_word(identifiers[0].authority);
    add_identifiers(parts, identifiers, identifier_count);
    add_names(parts, said->names, said->name_count, former, former_count);
    set_birth(parts, said->birth_date);
    char sex = (char)(said->sex & ~0x20);
    parts->head.sex = sex == 'F' || sex == 'M' ? sex : 0;
    add_phones(parts, said->phones, said->phone_count);
    add_emails(parts, said->emails, said->email_count);
    add_addresses(parts, said->addresses, said->address_count);
    struct word mother_family = fold_word(said->mother.family), mother_given = fold_word(said->mother.given);
    name_form_family(&mother_family);
    name_form_given(&mother_given, &(struct word){.len = 0});
    if (!is_placeholder(word_str(&mother_family), PLACEHOLDER_NAME))
        parts->head.mother_family = pack_text(parts, word_str(&mother_family));
    if (!is_placeholder(word_str(&mother_given), PLACEHOLDER_NAME))
        parts->head.mother_given = pack_text(parts, word_str(&mother_given));
    struct word birth_place = fold_word(said->birth_place);
    if (!is_placeholder(word_str(&birth_place), PLACEHOLDER_CITY))
        parts->head.birth_place = pack_text(parts, word_str(&birth_place));
    parts->head.birth_order = said->birth_order;
    if (said->multiple_birth)
        parts->head.flags |= ROW_MULTIPLE_BIRTH;
    pack_parts(parts, &out_row->row);
}

void row_without_shared(const struct mpi_row *row, union row_space *out_row)
{
    size_t shared = row->shared_count * sizeof(uint64_t);
    out_row->row = *row;
    out_row->row.shared_count = 0;
    out_row->row.text_at = (uint8_t)(row->text_at - shared);
    memcpy(out_row->bytes + sizeof *row, (const char *)row + sizeof *row + shared,
           row_bytes(row) - sizeof *row - shared);
}
