/*
 * Made-up people and messages for the demo, the tests and the benches: seeded, streaming, with the truth beside them.
 *
 * Human number i is a pure function of (seed, i), so nothing is kept in memory and a hundred million of them cost time
 * only. They live in a made-up country: names of seventeen cultures with the long tail of a census and the fashion of
 * each decade, towns from cities to hamlets, households of one to six, twins, juniors, marriages, moves.
 * Four sources write about the same humans, each with its habits: the north hospital (Unicode, native scripts), the
 * lake clinic (Latin-1), the lab (capital ASCII letters, no address) and the insurer (full legal names, maiden names).
 * Planted on purpose: nicknames, two ways of transliteration, one of two family names, old addresses, mistakes of
 * typing, hearing and reading, swapped day and month, shared and wrong telephones, missing values, placeholders, and
 * the same human registered twice in one source.
 *
 * Nothing here is about anybody real: names are common words of their languages, numbers and places are invented.
 * Threads: one thread per struct gen.
 */
#pragma once

#include "base/buf.h"
#include "base/ctx.h"
#include "base/date.h"

enum gen_source { GEN_NORTH, GEN_LAKE, GEN_LAB, GEN_INSURER, GEN_SOURCES };

/* Name of a source of people ("north", "lake", "lab", "insurer") and its assigning authority ("NORTH", …). */
const char *gen_source_name(enum gen_source source);
const char *gen_source_authority(enum gen_source source);

enum {
    GEN_PEOPLE_DEFAULT = 5000,
    GEN_MESSAGES_DEFAULT = 300,
    GEN_PEOPLE_MAX = 100 * 1000 * 1000, /* identifiers stay different up to here */
    GEN_RECORDS_PER_HUMAN = 2 * GEN_SOURCES,
    GEN_TEXT_MAX = 128, /* bytes of one value with its NUL */
};

struct gen_options {
    uint64_t seed;   /* the same seed gives the same bytes, on every machine */
    uint32_t people; /* humans; 0 = GEN_PEOPLE_DEFAULT */
};

/* What one source says about one human. Texts are NUL-ended UTF-8; empty = not said. */
struct gen_record {
    enum gen_source source;
    uint64_t human; /* the truth */
    char id[24];
    char national_id[24]; /* authority "NATID", type NI */
    char family[GEN_TEXT_MAX], given[GEN_TEXT_MAX], middle[GEN_TEXT_MAX], suffix[8];
    char former_family[GEN_TEXT_MAX]; /* name type M */
    struct date birth_date;
    char sex; /* 0 = not said */
    char phone[32];
    char line[GEN_TEXT_MAX], city[GEN_TEXT_MAX], state[8], postcode[16], country[8];
    char mother_family[GEN_TEXT_MAX], mother_given[GEN_TEXT_MAX];
    bool multiple_birth;
    uint8_t birth_order; /* 0 = not said */
};

struct gen {
    uint64_t seed;
    uint32_t people;
    uint64_t next_message; /* number of the message that gen_message() makes next, from 0 */
};

enum gen_namesake { GEN_NO_NAMESAKE, GEN_SENIOR, GEN_JUNIOR }; /* father and son of one name */

/* Ready to make people and messages; holds no memory. */
void gen_init(struct gen *gen, const struct gen_options *options);

/* Every record that exists about human `human` before the first message; answers how many (1 .. GEN_RECORDS_PER_HUMAN).
 */
size_t gen_records(const struct gen *gen, uint64_t human, struct gen_record out_records[GEN_RECORDS_PER_HUMAN]);

/* ---- messages ---- */

/* Which connection carries it; the names are those of examples/routes.yaml and idemd.yaml. */
enum gen_feed { GEN_FEED_NORTH, GEN_FEED_LAKE, GEN_FEED_LAB, GEN_FEEDS };
const char *gen_feed_name(enum gen_feed feed); /* "north", "lake", "lab-feed" */

struct gen_message_facts {
    enum gen_feed feed;
    const char *type;      /* "ADT^A01" */
    char control_id[24];   /* unique within a seed */
    const char *authority; /* of the patient's own identifier (PID-3 first repetition) */
    char id[24];
    uint64_t human;         /* the truth */
    bool is_new_identifier; /* not among the records of gen_records(): belongs into the truth file */
};

/*
 * The next message, appended to `out` without framing, segments ended by CR.
 *
 * About known and new humans; ADT A01 A04 A08 A28 A31 A40, ORU^R01, ORM^O01, OML^O21, SIU^S12, VXU^V04, MDM^T02 in
 * versions 2.3 to 2.8, with Z segments, repetitions, explicit nulls, escapes, other delimiters, UTF-8 and Latin-1.
 * `out_facts` may be NULL.
 */
void gen_message(struct gen *gen, struct buf *out, struct gen_message_facts *out_facts);

/* An ORU^R01 of at least `bytes` bytes (many observations) in place of the next message. */
void gen_message_big(struct gen *gen, size_t bytes, struct buf *out, struct gen_message_facts *out_facts);

/* ---- files ---- */

/*
 * What nobody could decide from what is written: pairs of records of one human in which a bare record (name, birth date
 * and sex, nothing else) has exactly the values of two or more humans. Names are compared as the lab writes them; whose
 * values they are is counted over everybody's true names (maiden names too, with and without the second family name,
 * the given name whole and as its first letter) and over the bare records. A reader may err on other pairs too: this is
 * a lower bound of what stays open.
 */
struct gen_ceiling {
    uint64_t bare_records, pairs_bare, pairs_undecidable;
    uint32_t sample; /* 1 = counted exactly; n = estimated from one of n values, already multiplied by n */
};

struct gen_people_options {
    bool ceiling; /* count the ceiling too: takes memory that grows with people, up to 1.7 GB */
};
struct gen_people_counts {
    uint64_t records, pairs_true; /* pairs of records of one human */
    struct gen_ceiling ceiling;   /* zeros unless asked for */
};

/* <dir>/north.csv, lake.csv, lab.csv, insurer.csv (columns: docs/loaders/people.md) and truth.csv
 * (source,authority,id,person,household,twin,namesake: twin is 1 or 2 in the order of birth, namesake "senior" or
 * "junior"). Made in a streaming way. Errors: examples.write. */
status gen_write_people(struct ctx *cx, struct gen *gen, const char *dir, const struct gen_people_options *options,
                        struct gen_people_counts *out_counts);

struct gen_files_options {
    uint64_t count;   /* 0 = GEN_MESSAGES_DEFAULT */
    bool framed;      /* MLLP frames instead of one message per line end */
    uint32_t big;     /* so many big messages more, at the end of the lab's file */
    size_t big_bytes; /* 0 = 1 MB */
};
/* <dir>/north.hl7, lake.hl7, lab-feed.hl7 and messages-truth.csv (the identifiers that messages bring).
 * Errors: examples.write. */
status gen_write_messages(struct ctx *cx, struct gen *gen, const char *dir, const struct gen_files_options *options);

/* The sample code sets in the layout of the real releases, and the local maps: <dir>/codes/… and <dir>/maps/…; what is
 * committed under examples/ is exactly this. Errors: base.file. */
status gen_write_codes(struct ctx *cx, const char *dir);

extern const struct reason gen_write_reason; /* "examples.write" */
