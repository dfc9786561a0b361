/* MSH, EVN, PID, NK1, MRG, PV1 and the rest that an ADT message carries. Source: [HL7 2.5.1 2.15.9, 3.4]. */
#include "message_internal.h"

#include <stdio.h>

void segment_msh(struct message *message)
{
    struct wire *wire = &message->wire;
    const struct wire_delimiters *d = &wire->delimiters;
    char type[24], delimiters[8] = {d->component, d->repetition, d->escape, d->subcomponent, d->truncation, '\0'};
    snprintf(type, sizeof type, "%s", message->facts.type);
    type[3] = '\0'; /* "ADT" and "A01" */
    wire_segment(wire, "MSH");
    wire_at(wire, 1);
    wire_raw(wire, delimiters);
    wire->field = 2; /* MSH-1 is the delimiter itself */
    wire_at(wire, 3);
    wire_text(wire, message->facts.feed == GEN_FEED_LAB ? "LIS" : "HIS");
    wire_at(wire, 4);
    wire_text(wire, gen_source_authority(message->patient.source));
    wire_at(wire, 5);
    wire_text(wire, "IDEM");
    wire_at(wire, 6);
    wire_text(wire, "REGION");
    wire_at(wire, 7);
    wire_text(wire, message->time);
    wire_at(wire, 9);
    wire_text(wire, type);
    wire_next(wire, 1);
    wire_text(wire, type + 4);
    wire_at(wire, 10);
    wire_text(wire, message->facts.control_id);
    wire_at(wire, 11);
    wire_text(wire, "P");
    wire_at(wire, 12);
    wire_text(wire, message->version);
    if (*message->charset) {
        wire_at(wire, 18);
        wire_text(wire, message->charset);
    }
    wire_end(wire);
}

void segment_evn(struct message *message)
{
    wire_segment(&message->wire, "EVN");
    wire_at(&message->wire, 1);
    wire_text(&message->wire, message->facts.type + 4);
    wire_at(&message->wire, 2);
    wire_text(&message->wire, message->time);
    wire_end(&message->wire);
}

static void put_identifier(struct wire *wire, const char *id, const char *authority, const char *type)
{
    wire_text(wire, id);
    wire_next(wire, 3);
    wire_text(wire, authority);
    wire_next(wire, 1);
    wire_text(wire, type);
}

/* XPN: family, given, middle, suffix, and the type as component 7. */
static void put_name(struct wire *wire, const char *family, const char *given, const char *middle, const char *suffix,
                     const char *type)
{
    wire_text(wire, family);
    wire_next(wire, 1);
    wire_text(wire, given);
    wire_next(wire, 1);
    wire_text(wire, middle);
    wire_next(wire, 1);
    wire_text(wire, suffix);
    wire_next(wire, 3);
    wire_text(wire, type);
}

static void put_names(struct message *message)
{
    const struct gen_record *patient = &message->patient;
    struct wire *wire = &message->wire;
    wire_at(wire, 5);
    put_name(wire, patient->family, patient->given, patient->middle, patient->suffix, "L");
    if (patient->former_family[0]) {
        wire_repeat(wire);
        put_name(wire, patient->former_family, patient->given, "", "", "M");
    }
    if (patient->mother_family[0]) {
        wire_at(wire, 6);
        put_name(wire, patient->mother_family, patient->mother_given, "", "", "M");
    }
}

static void put_birth_date(struct wire *wire, struct date date)
{
    char text[16];
    if (date.year == 0)
        return;
    snprintf(text, sizeof text, "%04u%02u%02u", date.year, date.month, date.day);
    text[date.day ? 8 : date.month ? 6 : 4] = '\0';
    wire_at(wire, 7);
    wire_text(wire, text);
}

static void put_address(struct wire *wire, const struct gen_record *patient)
{
    if (!patient->line[0])
        return;
    wire_at(wire, 11);
    wire_text(wire, patient->line);
    wire_next(wire, 2);
    wire_text(wire, patient->city);
    wire_next(wire, 1);
    wire_text(wire, patient->state);
    wire_next(wire, 1);
    wire_text(wire, patient->postcode);
    wire_next(wire, 1);
    wire_text(wire, patient->country);
}

void segment_pid(struct message *message)
{
    const struct gen_record *patient = &message->patient;
    struct wire *wire = &message->wire;
    char sex[2] = {patient->sex, '\0'};
    wire_segment(wire, "PID");
    wire_at(wire, 1);
    wire_text(wire, "1");
    wire_at(wire, 3);
    put_identifier(wire, patient->id, message->facts.authority, "MR");
    if (patient->national_id[0]) {
        wire_repeat(wire);
        put_identifier(wire, patient->national_id, "NATID", "NI");
    }
    put_names(message);
    put_birth_date(wire, patient->birth_date);
    wire_at(wire, 8);
    wire_text(wire, sex);
    put_address(wire, patient);
    if (message->clears_phone || patient->phone[0]) {
        wire_at(wire, 13);
        if (message->clears_phone)
            wire_raw(wire, "\"\""); /* not silence: "there is none any more" [HL7 2.5.1 2.5.3] */
        else
            wire_text(wire, patient->phone);
    }
    if (patient->multiple_birth) {
        char order[4];
        snprintf(order, sizeof order, "%u", patient->birth_order);
        wire_at(wire, 24);
        wire_text(wire, "Y");
        wire_at(wire, 25);
        wire_text(wire, order);
    }
    wire_end(wire);
}

void segment_nk1(struct message *message)
{
    struct wire *wire = &message->wire;
    wire_segment(wire, "NK1");
    wire_at(wire, 1);
    wire_text(wire, "1");
    wire_at(wire, 2);
    put_name(wire, message->patient.family, "Next", "Of", "", "L");
    wire_at(wire, 3);
    wire_text(wire, "SPO");
    wire_at(wire, 13);
    wire_text(wire, "Smith & Sons | Partners ^ Heirs"); /* every delimiter must be escaped */
    wire_end(wire);
}

void segment_mrg(struct message *message)
{
    struct wire *wire = &message->wire;
    wire_segment(wire, "MRG");
    wire_at(wire, 1);
    put_identifier(wire, message->retired_id, message->facts.authority, "MR");
    wire_at(wire, 7);
    put_name(wire, message->patient.family, message->patient.given, "", "", "L");
    wire_end(wire);
}

void segment_pv1(struct message *message)
{
    struct wire *wire = &message->wire;
    bool inpatient = strcmp(message->facts.type, "ADT^A01") == 0;
    bool person_level = strcmp(message->facts.type, "ADT^A28") == 0 || strcmp(message->facts.type, "ADT^A31") == 0;
    wire_segment(wire, "PV1");
    wire_at(wire, 1);
    wire_text(wire, "1");
    wire_at(wire, 2);
    wire_text(wire, person_level ? "N" : inpatient ? "I" : "O");
    if (inpatient) {
        wire_at(wire, 3);
        wire_text(wire, "WARD3");
        wire_next(wire, 1);
        wire_text(wire, "12");
        wire_next(wire, 1);
        wire_text(wire, "B");
    }
    wire_end(wire);
}

void segment_zpi(struct message *message)
{
    struct wire *wire = &message->wire;
    wire_segment(wire, "ZPI");
    wire_at(wire, 1);
    wire_text(wire, "house rule");
    wire_at(wire, 2);
    wire_text(wire, "first");
    wire_next(wire, 1);
    wire_raw(wire, "a");
    buf_put_byte(wire->out, (uint8_t)wire->delimiters.subcomponent);
    wire_raw(wire, "b");
    wire_repeat(wire);
    wire_text(wire, "second");
    wire_end(wire);
}
