/*
 * struct mpi_row: what matching knows about one record, ready to compare: folded, packed, immutable once made.
 *
 * A row is one run of bytes: a head; what there is of identifiers, names, addresses, phones, national numbers, e-mail
 * addresses; how rare the phones and e-mail addresses are; the text. No byte is left to chance: equal rows are equal
 * bytes.
 *
 * Strings are offsets into `text`: one length byte, then the bytes; offset 0 is the empty string. Numbers that stand
 * for strings are str_hash() of the folded form. Everything is bounded: what does not fit takes no part in matching
 * (the record keeps it, ROW_MORE_SAID tells), and which values fit depends on the values, never on their order. About
 * 90 bytes and the text.
 */
#pragma once

#include "base/buf.h"
#include "mpi/mpi.h"

enum {
    ROW_NAMES = 3,
    ROW_PHONES = 3,
    ROW_EMAILS = 2,
    ROW_ADDRESSES = 2,
    ROW_NATIONALS = 3,
    ROW_SHARED = 4,
    ROW_TEXT_MAX = 1024,
    ROW_WORD_MAX = 48, /* bytes of one folded value */
};

enum row_flag {
    ROW_BIRTH_ESTIMATED = 1 << 0,   /* 1 January: only the year speaks */
    ROW_GIVEN_PLACEHOLDER = 1 << 1, /* "Baby of …": no given name, and twins may look equal */
    ROW_MULTIPLE_BIRTH = 1 << 2,
    ROW_MORE_SAID = 1 << 3, /* the record says more than the row holds */
};

struct mpi_row_name {
    uint16_t family, given, middle;                                  /* offsets */
    uint16_t nicknames[2];                                           /* groups of the given name */
    uint8_t family_common, given_common;                             /* 1 = among the names that many share */
    uint8_t family_rarity, given_rarity, full_rarity, middle_rarity; /* middle: beside this given name */
    uint32_t family_sound, given_sound;
};
struct mpi_row_address {
    uint32_t postcode, area, number; /* hashes, 0 = absent; area: the first part of a postcode */
    uint16_t street, city;
    uint8_t house_rarity, postcode_rarity, city_rarity, spare;
};
struct mpi_row_national {
    uint16_t kind; /* hash of type (and authority where numbers are only unique there) */
    uint16_t text;
    uint8_t rarity, spare;
};
/* People have one number of this kind, so two different ones speak against; of passports and licences they have many.
 */
#define ROW_KIND_IS_SINGLE(kind) (((kind)&1) != 0)

struct mpi_row {
    uint32_t authority; /* hash of who gave out the record's own identifier, 0 = unsaid */
    uint32_t own_bits;  /* the lower half of the key of the record's own identifier */
    uint16_t mother_family, mother_given;
    uint16_t birth_place;
    uint16_t year;
    uint16_t text_len;
    uint8_t text_at; /* where the text begins: bytes from here */
    uint8_t month, day;
    char sex; /* 'F', 'M' or 0: others say nothing */
    uint8_t birth_order;
    uint8_t flags;
    uint8_t birth_rarity, birth_place_rarity;
    unsigned name_count : 2, phone_count : 2, email_count : 2, address_count : 2, national_count : 2, shared_count : 3;
    unsigned generation : 3; /* 1 Sr, 2 Jr or II, 3 III … 0 unknown */
};
_Static_assert(sizeof(struct mpi_row) == 28, "no padding");
typedef uint64_t row_shared_key __attribute__((aligned(4))); /* stands right behind the head */

/* ---- the lists behind the head: where each begins, in bytes ---- */

static inline size_t row_names_at(const struct mpi_row *row)
{
    return sizeof *row + row->shared_count * sizeof(uint64_t);
}
static inline size_t row_addresses_at(const struct mpi_row *row)
{
    return row_names_at(row) + row->name_count * sizeof(struct mpi_row_name);
}
static inline size_t row_phones_at(const struct mpi_row *row)
{
    return row_addresses_at(row) + row->address_count * sizeof(struct mpi_row_address);
}
static inline size_t row_nationals_at(const struct mpi_row *row)
{
    return row_phones_at(row) + row->phone_count * sizeof(uint32_t);
}
static inline size_t row_emails_at(const struct mpi_row *row)
{
    return row_nationals_at(row) + row->national_count * sizeof(struct mpi_row_national);
}
static inline size_t row_rarities_at(const struct mpi_row *row)
{
    return row_emails_at(row) + row->email_count * sizeof(uint16_t);
}

/* Identifier keys, own first. */
static inline const row_shared_key *row_shared(const struct mpi_row *row)
{
    return (const void *)(row + 1);
}
static inline const struct mpi_row_name *row_names(const struct mpi_row *row)
{
    return (const void *)((const char *)row + row_names_at(row));
}
static inline const struct mpi_row_address *row_addresses(const struct mpi_row *row)
{
    return (const void *)((const char *)row + row_addresses_at(row));
}
static inline const uint32_t *row_phones(const struct mpi_row *row)
{
    return (const void *)((const char *)row + row_phones_at(row));
}
static inline const struct mpi_row_national *row_nationals(const struct mpi_row *row)
{
    return (const void *)((const char *)row + row_nationals_at(row));
}
static inline const uint16_t *row_emails(const struct mpi_row *row)
{
    return (const void *)((const char *)row + row_emails_at(row));
}
/* Of every phone, then of every e-mail address, then of the source. */
static inline const uint8_t *row_rarities(const struct mpi_row *row)
{
    return (const uint8_t *)row + row_rarities_at(row);
}
static inline struct str row_text(const struct mpi_row *row, uint16_t at)
{
    const char *text = (const char *)row + row->text_at + at;
    return (struct str){text + 1, (unsigned char)*text};
}
static inline size_t row_bytes(const struct mpi_row *row)
{
    return (size_t)row->text_at + row->text_len;
}

/* Room for the largest row. */
enum {
    ROW_LISTS_ROOM = ROW_SHARED * sizeof(uint64_t) + ROW_NAMES * sizeof(struct mpi_row_name) +
                     ROW_ADDRESSES * sizeof(struct mpi_row_address) + ROW_PHONES * (sizeof(uint32_t) + 1) +
                     ROW_NATIONALS * sizeof(struct mpi_row_national) + ROW_EMAILS * (sizeof(uint16_t) + 1) + 1,
};
_Static_assert(sizeof(struct mpi_row) + ROW_LISTS_ROOM <= UINT8_MAX, "text_at holds it");
union row_space {
    struct mpi_row row;
    char bytes[sizeof(struct mpi_row) + ROW_LISTS_ROOM + ROW_TEXT_MAX];
};

/*
 * The comparison row of what a record says. `former` are names it said earlier; they count as well. Identifiers: own
 * first. Placeholders (TEST, BABY OF, 999-99-9999, 1 January) become absent values. Pure; threads: any.
 */
void row_make(const struct mpi_identifier *identifiers, size_t identifier_count, const struct mpi_demographics *said,
              const struct mpi_name *former, size_t former_count, union row_space *out_row);
/* The same without identifiers. */
void row_without_shared(const struct mpi_row *row, union row_space *out_row);

/* The key of an identifier: authority and value, exact bytes, blanks around them aside. */
uint64_t row_identifier_key(struct mpi_identifier identifier);
/* That of a record's own: names the record whatever order things arrived in. 0: it has none. */
uint64_t row_own_key(const struct mpi_identifier *identifiers, size_t count);

/* ---- keys.c: by what records find each other ---- */

/* Each rule says which values two records must share to be put side by side. */
enum row_rule {
    RULE_IDENTIFIER,
    RULE_NATIONAL,
    RULE_PHONE,
    RULE_EMAIL,
    RULE_EMAIL_LOCAL,
    RULE_HOUSE,
    RULE_BIRTH,
    RULE_BOTH_NAMES,
    RULE_FAMILY_POSTCODE,
    RULE_GIVEN_POSTCODE,
    RULE_FAMILY_PLACE,
    RULE_GIVEN_PLACE,
    RULE_FAMILY_YEAR,
    RULE_GIVEN_YEAR,
    RULE_FAMILY_DAY,
    RULE_GIVEN_DAY,
    RULE_POSTCODE_YEAR,
    RULE_COUNT,
};
const char *row_rule_name(enum row_rule rule);

/* A blocking key. What else is in it than `key` follows from the way it was made: equal keys are equal in all. */
struct row_key {
    uint64_t key;     /* of BLOCK_KEY_BITS */
    uint32_t narrows; /* bit per row_field: by which values it is narrowed where too many share it */
    uint16_t rule;
    uint16_t depth; /* by how many values it was narrowed; beyond ROW_NARROW_MAX it was halved */
};
enum { ROW_KEYS_MAX = 64, ROW_TRAITS_MAX = 40, ROW_NARROW_MAX = 2, ROW_HALVINGS = 32 };
_Static_assert(ROW_HALVINGS <= 32, "own_bits has one for each");

/* The keys of a row, ascending, each once. */
size_t row_keys(const struct mpi_row *row, struct row_key out_keys[ROW_KEYS_MAX]);

/* A further value that a key can be narrowed by. Several values of one field never narrow the same key. */
enum row_field {
    ROW_FIELD_GIVEN,
    ROW_FIELD_FAMILY,
    ROW_FIELD_YEAR,
    ROW_FIELD_DAY,
    ROW_FIELD_POSTCODE,
    ROW_FIELD_STREET,
    ROW_FIELD_PHONE,
    ROW_FIELD_EMAIL,
    ROW_FIELD_NATIONAL,
    ROW_FIELD_MOTHER,
    ROW_FIELD_PLACE,
    ROW_FIELD_OWN, /* the row's own key, bit by bit: halves what no other value can tell apart */
};
struct row_trait {
    uint64_t value;
    uint8_t field; /* enum row_field */
};
/* The further values of a row, in the order of the fields, each once. */
size_t row_traits(const struct mpi_row *row, struct row_trait out_traits[ROW_TRAITS_MAX]);
/* (key, trait) as a key of its own. False: it is not narrowed by that. */
bool row_narrow_key(const struct row_key *key, const struct row_trait *trait, struct row_key *out_key);

/* ---- body.c: rows that say the same ---- */

/* Everything but identifiers and what is worked out from the rest, as one number; 0: the row says nothing. */
uint64_t row_body(const struct mpi_row *row);
bool row_same_body(const struct mpi_row *left, const struct mpi_row *right);
