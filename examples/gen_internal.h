/* What the files of the generator share. */
#pragma once

#include "examples/gen.h"
#include "names_internal.h"

#include "base/hash.h"

/* Dice: an even 64-bit number for (seed, subject, salt), the same every time. */
enum gen_salt {
    GEN_SALT_HOUSE = 1,
    GEN_SALT_CULTURE,
    GEN_SALT_FAMILY,
    GEN_SALT_SECOND_FAMILY,
    GEN_SALT_GIVEN,
    GEN_SALT_MIDDLE,
    GEN_SALT_SEX,
    GEN_SALT_BIRTH,
    GEN_SALT_ADDRESS,
    GEN_SALT_OLD_ADDRESS,
    GEN_SALT_PHONE,
    GEN_SALT_OLD_PHONE,
    GEN_SALT_MOTHER,
    GEN_SALT_CHANGES,
    GEN_SALT_SOURCES,
    GEN_SALT_HABIT,
    GEN_SALT_ERROR,
    GEN_SALT_MESSAGE,
};
uint64_t gen_dice(const struct gen *gen, uint64_t subject, enum gen_salt salt);
/* Part `n` of one throw, 0 .. sides-1; different n are independent enough for samples. */
static inline uint32_t gen_part(uint64_t dice, unsigned n, uint32_t sides)
{
    uint64_t state = dice + n;
    return (uint32_t)(hash_random(&state) % sides);
}

struct gen_name {
    char native[GEN_TEXT_MAX], latin[GEN_TEXT_MAX];
};

/* A human as a perfect registrar would see it. */
struct gen_human {
    uint64_t index;
    const struct gen_culture *culture;
    bool female, child, married, name_changed, moved, twin;
    uint8_t birth_order;
    struct gen_name family, maiden, given, middle, mother_family, mother_given; /* maiden: only when name_changed */
    const char *suffix;                                                         /* "", "Jr", "Sr" */
    struct date birth;
    char phone_digits[11], old_phone_digits[11]; /* ten digits */
    char line[GEN_TEXT_MAX], old_line[GEN_TEXT_MAX];
    const char *city, *old_city;
    char postcode[16], old_postcode[16];
};
void gen_human(const struct gen *gen, uint64_t index, struct gen_human *out_human);

/* Identifier of human `index` at a source; slot 0 the usual one, 1 a second registration, 2 and 3 brought by messages.
 */
enum { GEN_SLOTS = 4 };
void gen_identifier(enum gen_source source, uint64_t index, unsigned slot, char out_id[24]);
/* Which sources know the human before the first message (bit per source), and which of them twice. */
uint32_t gen_known_at(const struct gen *gen, uint64_t index, uint32_t *out_twice);
/* What the source writes about the human under that slot, habits and errors included. */
void gen_record(const struct gen *gen, const struct gen_human *human, enum gen_source source, unsigned slot,
                struct gen_record *out_record);

/* One error at the keyboard or the scanner, in place; `dice` decides which. Leaves texts under three letters alone. */
void gen_misspell(char text[GEN_TEXT_MAX], uint64_t dice);
/* Can Latin-1 hold this UTF-8 text? And: its bytes in Latin-1 (only then). */
bool gen_fits_latin1(const char *utf8);
void gen_put_latin1(struct buf *out, struct str utf8);
/* Letters to capitals, anything but ASCII letters, digits and a few signs dropped. */
void gen_to_capitals(char text[GEN_TEXT_MAX]);

/* Streams; failures are examples.write. gen_file_put() empties `bytes`; gen_file_close() accepts a NULL file. */
#include <stdio.h>
status gen_file_open(struct ctx *cx, const char *dir, const char *name, FILE **out_file);
status gen_file_put(struct ctx *cx, FILE *file, struct buf *bytes);
status gen_file_close(struct ctx *cx, FILE **file);
