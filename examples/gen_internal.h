/*
 * What the files of the generator share. From the bottom up: dice, names (names_internal.h), places, households, the
 * person, the habits of the sources with their placeholders and mistakes, the files, and what a reader could not
 * decide.
 */
#pragma once

#include "examples/gen.h"
#include "household_internal.h"
#include "names_internal.h"
#include "place_internal.h"

/* Identifier of human `index` at a source; slot 0 the usual one, 1 a second registration, 2 and 3 brought by messages.
 */
enum { GEN_SLOTS = 4 };
void gen_identifier(enum gen_source source, uint64_t index, unsigned slot, char out_id[24]);
/* Which sources know the human before the first message (bit per source), and which of them twice. */
uint32_t gen_known_at(const struct gen *gen, uint64_t index, uint32_t *out_twice);

/* A human as a perfect registrar would see it: the facts of the household with their names spelt. */
struct gen_human {
    uint64_t index;
    struct gen_house house;
    const struct gen_member *self; /* within `house`: the struct cannot be copied */
    struct gen_name family, second_family, married_family, given, middle, mother_family, mother_given;
};
void gen_human(const struct gen *gen, uint64_t index, struct gen_human *out_human);
/* The family name so many years ago: before marriage another one. */
const struct gen_name *gen_family_at(const struct gen_human *human, uint32_t years_ago);

/* What the source writes about the human under that slot, habits and errors included. */
void gen_record(const struct gen *gen, const struct gen_human *human, enum gen_source source, unsigned slot,
                struct gen_record *out_record);
/* All records of one human before the first message, as gen_records() answers them. */
size_t gen_records_of(const struct gen *gen, const struct gen_human *human,
                      struct gen_record out_records[GEN_RECORDS_PER_HUMAN]);
/* Does it say no more than name, birth date and sex? */
bool gen_record_is_bare(const struct gen_record *record);

/* A value that says nothing ("999-999-9999", 1900-01-01, "UNKNOWN") in place of one; `dice` decides which. */
void gen_put_placeholder(struct gen_record *record, uint64_t dice);
/* "Baby Girl", "Baby Boy of Maria": no given name yet. */
void gen_leave_unnamed(const struct gen_human *human, struct gen_record *record);

/* One mistake in the record, of a kind that its kind of value allows; `dice` decides which. */
void gen_spoil(struct gen_record *record, uint64_t dice);

/* Can Latin-1 hold this UTF-8 text? And: its bytes in Latin-1 (only then). */
bool gen_fits_latin1(const char *utf8);
void gen_put_latin1(struct buf *out, struct str utf8);
/* Letters to capitals, anything but ASCII letters, digits and a few signs dropped. */
void gen_to_capitals(char *text);

/* Streams; failures are examples.write. gen_file_put() empties `bytes`; gen_file_close() accepts a NULL file. */
#include <stdio.h>
status gen_file_open(struct ctx *cx, const char *dir, const char *name, FILE **out_file);
status gen_file_put(struct ctx *cx, FILE *file, struct buf *bytes);
status gen_file_close(struct ctx *cx, FILE **file);
