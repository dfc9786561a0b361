/* Which message comes next, about whom, and how its sender writes. */
#include "message_internal.h"

#include <stdio.h>

struct feed_row {
    const char *name;
    enum gen_source source;
    char letter; /* of its control ids */
};
static const struct feed_row feeds[GEN_FEEDS] = {[GEN_FEED_NORTH] = {"north", GEN_NORTH, 'N'},
                                                 [GEN_FEED_LAKE] = {"lake", GEN_LAKE, 'L'},
                                                 [GEN_FEED_LAB] = {"lab-feed", GEN_LAB, 'R'}};

const char *gen_feed_name(enum gen_feed feed)
{
    return feeds[feed].name;
}

typedef void body_fn(struct message *message);

static void body_visit(struct message *message)
{
    segment_evn(message);
    segment_pid(message);
    if (message_roll(message, 16, 2))
        segment_nk1(message);
    segment_pv1(message);
    if (message_roll(message, 17, 3) == 0)
        segment_al1(message);
    segment_dg1(message);
    if (message_roll(message, 18, 4) == 0)
        segment_pr1(message);
    if (message_roll(message, 19, 3) == 0)
        segment_zpi(message);
}

static void body_person(struct message *message)
{
    segment_evn(message);
    segment_pid(message);
    segment_nk1(message);
    segment_pv1(message);
    if (message_roll(message, 19, 2))
        segment_zpi(message);
}

static void body_merge(struct message *message)
{
    segment_evn(message);
    segment_pid(message);
    segment_mrg(message);
}

static void body_result(struct message *message)
{
    segment_pid(message);
    segments_result(message, 1 + message_roll(message, 20, 8));
}

static void body_order(struct message *message)
{
    segment_pid(message);
    segment_pv1(message);
    segments_order(message);
}

static void body_appointment(struct message *message)
{
    segments_appointment(message);
}

static void body_vaccination(struct message *message)
{
    segment_pid(message);
    segments_vaccination(message);
}

static void body_document(struct message *message)
{
    segment_evn(message);
    segment_pid(message);
    segment_pv1(message);
    segments_document(message);
}

static const struct kind_row {
    const char *type;
    body_fn *body;
    uint8_t share[GEN_FEEDS]; /* of a hundred messages of each feed */
} kinds[] = {
    {"ADT^A01", body_visit, {20, 0, 0}},       {"ADT^A04", body_visit, {14, 24, 0}},
    {"ADT^A08", body_visit, {20, 18, 0}},      {"ADT^A28", body_person, {8, 8, 0}},
    {"ADT^A31", body_person, {8, 6, 0}},       {"ADT^A40", body_merge, {6, 0, 0}},
    {"ORM^O01", body_order, {8, 0, 0}},        {"SIU^S12", body_appointment, {8, 8, 0}},
    {"MDM^T02", body_document, {8, 0, 0}},     {"OML^O21", body_order, {0, 18, 0}},
    {"VXU^V04", body_vaccination, {0, 18, 0}}, {"ORU^R01", body_result, {0, 0, 100}},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static const struct kind_row *pick_kind(const struct message *message)
{
    uint32_t roll = message_roll(message, 2, 100);
    for (size_t i = 0; i < KINDS; i++) {
        if (roll < kinds[i].share[message->facts.feed])
            return &kinds[i];
        roll -= kinds[i].share[message->facts.feed];
    }
    return &kinds[KINDS - 1];
}

/* ---- about whom ---- */

enum { SEARCH_MAX = 400 };

/* The first human from a random place on that fits: known at the source once, twice, or not at all. */
static bool search(const struct gen *gen, uint64_t start, enum gen_source source, bool known, bool twice,
                   uint64_t *out_human)
{
    for (uint64_t step = 0; step < SEARCH_MAX; step++) {
        uint64_t human = (start + step) % gen->people;
        uint32_t doubled, all = gen_known_at(gen, human, &doubled);
        bool fits = twice ? (doubled >> source & 1) : (all >> source & 1) == known;
        if (fits) {
            *out_human = human;
            return true;
        }
    }
    return false;
}

static void write_about(const struct gen *gen, struct message *message, uint64_t human, unsigned slot, bool is_new)
{
    enum gen_source source = feeds[message->facts.feed].source;
    struct gen_human who;
    gen_human(gen, human, &who);
    gen_record(gen, &who, source, slot, &message->patient);
    message->facts.human = human;
    message->facts.is_new_identifier = is_new;
    message->facts.authority = gen_source_authority(source);
}

/* A known patient whose clerk has typed the demographics anew, with the old number. */
static void retype(const struct gen *gen, struct message *message)
{
    char id[24];
    memcpy(id, message->patient.id, sizeof id);
    write_about(gen, message, message->facts.human, 3, false);
    memcpy(message->patient.id, id, sizeof id);
}

static bool choose_merge(const struct gen *gen, struct message *message, uint64_t start)
{
    uint64_t human;
    if (!search(gen, start, GEN_NORTH, true, true, &human))
        return false;
    write_about(gen, message, human, 0, false);
    gen_identifier(GEN_NORTH, human, 1, message->retired_id);
    return true;
}

static void choose_patient(const struct gen *gen, struct message *message)
{
    enum gen_source source = feeds[message->facts.feed].source;
    uint64_t start = gen_throw(gen->seed, message->number, GEN_SALT_MESSAGE) % gen->people, human = start;
    uint32_t roll = message_roll(message, 3, 100);
    if (roll < 10) { /* nobody has seen this one before */
        write_about(gen, message, gen->people + message->number, 0, true);
    } else if (roll < 24 && search(gen, start, source, false, false, &human)) { /* known, but not here */
        write_about(gen, message, human, 2, true);
    } else if (search(gen, start, source, true, false, &human)) {
        write_about(gen, message, human, 0, false);
        if (roll < 34)
            retype(gen, message);
    } else {
        write_about(gen, message, start, 2, true);
    }
}

/* ---- how ---- */

static void choose_style(struct message *message)
{
    static const char *const versions[] = {"2.5.1", "2.5.1", "2.5.1", "2.3",   "2.4",
                                           "2.6",   "2.7",   "2.8",   "2.3.1", "2.5"};
    static const char *const old_versions[] = {"2.3", "2.3.1", "2.4", "2.4"};
    message->wire.delimiters = (struct wire_delimiters){'|', '^', '~', '\\', '&', '\0'};
    message->version = versions[message_roll(message, 4, sizeof versions / sizeof versions[0])];
    message->charset = "UNICODE UTF-8";
    if (message->facts.feed == GEN_FEED_LAKE) {
        message->version = old_versions[message_roll(message, 4, sizeof old_versions / sizeof old_versions[0])];
        message->charset = "8859/1";
        message->wire.latin1 = true;
        if (message_roll(message, 5, 12) == 0)
            message->wire.delimiters = (struct wire_delimiters){'*', '@', '!', '$', '%', '\0'};
    } else if (message->facts.feed == GEN_FEED_LAB) {
        message->charset = "";
    }
    if (strcmp(message->version, "2.7") >= 0)
        message->wire.delimiters.truncation = '#';
}

/* From the 1st of October 2026 on, half a minute apart: later than every record and never in the future of the demo's
 * clock. */
static void choose_time(struct message *message)
{
    uint64_t second = message->number * 30 % (40 * 86400);
    struct date day = date_from_days(date_to_days((struct date){2026, 10, 1}) + (int32_t)(second / 86400));
    second %= 86400;
    snprintf(message->time, sizeof message->time, "%04u%02u%02u%02u%02u%02u", day.year, day.month, day.day,
             (unsigned)(second / 3600), (unsigned)(second / 60 % 60), (unsigned)(second % 60));
}

static enum gen_feed pick_feed(uint64_t dice)
{
    uint32_t roll = gen_part(dice, 1, 100);
    return roll < 42 ? GEN_FEED_NORTH : roll < 70 ? GEN_FEED_LAKE : GEN_FEED_LAB;
}

static void begin(struct gen *gen, struct buf *out, struct message *message)
{
    *message = (struct message){.wire = {.out = out}, .number = gen->next_message++};
    message->dice = gen_throw(gen->seed, message->number, GEN_SALT_MESSAGE) ^ 0x5bd1e995u;
    message->facts.feed = pick_feed(message->dice);
    choose_time(message);
}

static void finish_facts(struct message *message, struct gen_message_facts *out_facts)
{
    memcpy(message->facts.id, message->patient.id, sizeof message->facts.id);
    if (out_facts)
        *out_facts = message->facts;
}

static void name_control_id(const struct gen *gen, struct message *message)
{
    snprintf(message->facts.control_id, sizeof message->facts.control_id, "%c%u-%08llu",
             feeds[message->facts.feed].letter, (unsigned)(gen->seed % 10000), (unsigned long long)message->number + 1);
}

void gen_message(struct gen *gen, struct buf *out, struct gen_message_facts *out_facts)
{
    struct message message;
    begin(gen, out, &message);
    const struct kind_row *kind = pick_kind(&message);
    message.facts.type = kind->type;
    name_control_id(gen, &message);
    choose_style(&message);
    bool merged = kind->body == body_merge && choose_merge(gen, &message, message.dice % gen->people);
    if (!merged)
        choose_patient(gen, &message);
    if (kind->body == body_merge && !merged) { /* nobody is there twice */
        kind = &kinds[2];
        message.facts.type = kind->type;
    }
    message.clears_phone = strcmp(kind->type, "ADT^A08") == 0 && message_roll(&message, 6, 6) == 0;
    segment_msh(&message);
    kind->body(&message);
    finish_facts(&message, out_facts);
}

void gen_message_big(struct gen *gen, size_t bytes, struct buf *out, struct gen_message_facts *out_facts)
{
    struct message message;
    begin(gen, out, &message);
    message.facts.feed = GEN_FEED_LAB;
    message.facts.type = "ORU^R01";
    name_control_id(gen, &message);
    choose_style(&message);
    choose_patient(gen, &message);
    segment_msh(&message);
    segment_pid(&message);
    segments_result(&message, 1 + (unsigned)(bytes / 60)); /* no observation is shorter than 60 bytes */
    finish_facts(&message, out_facts);
}
