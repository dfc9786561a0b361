/* Diagnoses, orders, results, vaccinations, documents: everything that carries codes. Source: [HL7 2.5.1 4, 6, 7, 9,
 * 10]. */
#include "message_internal.h"

#include <stdio.h>

/* "E119" -> "E11.9" */
static void point_icd(const char *code, char out[16])
{
    if (strlen(code) <= 3)
        snprintf(out, 16, "%s", code);
    else
        snprintf(out, 16, "%.3s.%s", code, code + 3);
}

static const struct sample_icd *billable(uint32_t roll)
{
    for (size_t step = 0;; step++) {
        const struct sample_icd *row = &sample_icd_rows[(roll + step) % sample_icd_count];
        if (row->billable && (row->releases & SAMPLE_NOW))
            return row;
    }
}

static void put_number(struct wire *wire, unsigned field, unsigned number)
{
    char text[16];
    snprintf(text, sizeof text, "%u", number);
    wire_at(wire, field);
    wire_text(wire, text);
}

void segment_dg1(struct message *message)
{
    static const char *const local[][2] = {
        {"DX001", "Sugar, type 2"}, {"DX002", "High blood pressure"}, {"DX099", "Seen by the porter"}};
    struct wire *wire = &message->wire;
    unsigned count = 1 + message_roll(message, 21, 3);
    for (unsigned i = 0; i < count; i++) {
        uint32_t roll = message_roll(message, 30 + i, 100);
        wire_segment(wire, "DG1");
        put_number(wire, 1, i + 1);
        if (roll < 20) { /* a local code; the last of them is in no map */
            const char *const *row = local[message_roll(message, 40 + i, 3)];
            wire_coded(wire, 3, row[0], row[1], "L");
        } else if (roll < 24) {
            wire_coded(wire, 3, "E11", "Type 2 diabetes mellitus", "I10C"); /* a heading, not a code */
        } else {
            const struct sample_icd *row = billable(message_roll(message, 50 + i, 4096));
            char code[16];
            point_icd(row->code, code);
            wire_coded(wire, 3, code, row->title, "I10C");
        }
        wire_at(wire, 6);
        wire_text(wire, i == 0 ? "A" : "F");
        wire_end(wire);
    }
}

void segment_al1(struct message *message)
{
    struct wire *wire = &message->wire;
    uint32_t n = message_roll(message, 22, (uint32_t)sample_substance_count);
    char code[24];
    wire_segment(wire, "AL1");
    wire_at(wire, 1);
    wire_text(wire, "1");
    wire_at(wire, 2);
    wire_text(wire, "DA");
    if (message_roll(message, 23, 2)) {
        sample_sctid(sample_substance_item(n), "10", code);
        wire_coded(wire, 3, code, sample_substance_name(n), "SCT");
    } else {
        snprintf(code, sizeof code, "AL%02u", n + 1);
        wire_coded(wire, 3, code, sample_substance_name(n), "L");
    }
    wire_at(wire, 4);
    wire_text(wire, "MO");
    wire_end(wire);
}

void segment_pr1(struct message *message)
{
    struct wire *wire = &message->wire;
    char code[24];
    sample_sctid(sample_procedure_item(message_roll(message, 24, (uint32_t)sample_procedure_count - 1)), "10", code);
    wire_segment(wire, "PR1");
    wire_at(wire, 1);
    wire_text(wire, "1");
    wire_coded(wire, 3, code, "Sample procedure", "SCT");
    wire_at(wire, 5);
    wire_text(wire, message->time);
    wire_end(wire);
}

/* The lab's own code most of the time, declared as local, or not declared at all; now and then the standard one. */
static void put_test(struct message *message, unsigned field, size_t analyte, uint32_t roll, const char *prefix,
                     unsigned specimen)
{
    const struct sample_analyte *row = &sample_analytes[analyte];
    char code[24];
    if (roll < 20) {
        sample_loinc(analyte, specimen, 0, code);
        wire_coded(&message->wire, field, code, row->name, "LN");
        return;
    }
    snprintf(code, sizeof code, "%s%s", prefix, row->local);
    wire_coded(&message->wire, field, code, row->name, roll < 80 ? "L" : "");
}

static void put_observation(struct message *message, unsigned number)
{
    struct wire *wire = &message->wire;
    size_t analyte = (message_roll(message, 25, 4096) + number * 7u) % sample_analyte_count;
    const struct sample_analyte *row = &sample_analytes[analyte];
    uint32_t roll = gen_part(message->dice + number, 60, 100);
    double value = row->low + (row->high - row->low) * ((int)gen_part(message->dice + number, 61, 141) - 20) / 100.0;
    char text[32], range[48];
    snprintf(text, sizeof text, "%.1f", value < 0 ? 0 : value);
    snprintf(range, sizeof range, "%g-%g", row->low, row->high);
    wire_segment(wire, "OBX");
    put_number(wire, 1, number + 1);
    wire_at(wire, 2);
    wire_text(wire, roll == 7 ? "ST" : "NM");
    put_test(message, 3, analyte, roll, "", 0);
    wire_at(wire, 5);
    wire_text(wire, roll == 7 ? "see note & \"<0.1\" | haemolysed" : text);
    wire_at(wire, 6);
    wire_text(wire, row->unit);
    wire_at(wire, 7);
    wire_text(wire, range);
    wire_at(wire, 8);
    wire_text(wire, value > row->high ? "H" : value < row->low ? "L" : "N");
    wire_at(wire, 11);
    wire_text(wire, "F");
    wire_at(wire, 14);
    wire_text(wire, message->time);
    wire_end(wire);
}

void segments_result(struct message *message, unsigned observations)
{
    struct wire *wire = &message->wire;
    wire_segment(wire, "OBR");
    wire_at(wire, 1);
    wire_text(wire, "1");
    put_number(wire, 2, 100000u + (unsigned)(message->number % 800000));
    put_number(wire, 3, 900000u + (unsigned)(message->number % 90000));
    wire_coded(wire, 4, "PANEL", "Blood panel", "L");
    wire_at(wire, 7);
    wire_text(wire, message->time);
    wire_at(wire, 25);
    wire_text(wire, "F");
    wire_end(wire);
    for (unsigned i = 0; i < observations; i++)
        put_observation(message, i);
    if (message_roll(message, 26, 4) == 0) {
        char e = wire->delimiters.escape;
        wire_segment(wire, "NTE");
        wire_at(wire, 1);
        wire_text(wire, "1");
        wire_at(wire, 3);
        wire_text(wire, "Sample slightly haemolysed");
        buf_printf(wire->out, "%c.br%crepeat advised%cX0D%c", e, e, e, e); /* formatting and hex escapes */
        wire_end(wire);
    }
}

void segments_order(struct message *message)
{
    struct wire *wire = &message->wire;
    size_t analyte = message_roll(message, 25, (uint32_t)sample_analyte_count);
    wire_segment(wire, "ORC");
    wire_at(wire, 1);
    wire_text(wire, "NW");
    put_number(wire, 2, 500000u + (unsigned)(message->number % 400000));
    wire_end(wire);
    wire_segment(wire, "OBR");
    wire_at(wire, 1);
    wire_text(wire, "1");
    put_number(wire, 2, 500000u + (unsigned)(message->number % 400000));
    bool lake = message->facts.feed == GEN_FEED_LAKE;
    put_test(message, 4, analyte, message_roll(message, 27, 100), lake ? "LK-" : "", lake ? 2 : 0);
    wire_end(wire);
}

void segments_appointment(struct message *message)
{
    struct wire *wire = &message->wire;
    wire_segment(wire, "SCH");
    put_number(wire, 1, 700000u + (unsigned)(message->number % 200000));
    wire_coded(wire, 7, "CHECKUP", "Routine visit", "L");
    wire_at(wire, 25);
    wire_text(wire, "Booked");
    wire_end(wire);
    segment_pid(message);
    segment_pv1(message);
    wire_segment(wire, "RGS");
    wire_at(wire, 1);
    wire_text(wire, "1");
    wire_end(wire);
    wire_segment(wire, "AIL");
    wire_at(wire, 1);
    wire_text(wire, "1");
    wire_at(wire, 3);
    wire_text(wire, "ROOM5");
    wire_end(wire);
}

void segments_vaccination(struct message *message)
{
    struct wire *wire = &message->wire;
    size_t drug = sample_drug_count - 1 - message_roll(message, 28, 3); /* the vaccines are the last three */
    char code[24];
    wire_segment(wire, "ORC");
    wire_at(wire, 1);
    wire_text(wire, "RE");
    wire_end(wire);
    wire_segment(wire, "RXA");
    wire_at(wire, 1);
    wire_text(wire, "0");
    wire_at(wire, 2);
    wire_text(wire, "1");
    wire_at(wire, 3);
    wire_text(wire, message->time);
    if (message_roll(message, 29, 3) == 0) {
        snprintf(code, sizeof code, "%u", sample_rxcui(drug, 0));
        wire_coded(wire, 5, code, sample_drugs[drug].ingredient, "RXNORM");
    } else {
        snprintf(code, sizeof code, "RX%03zu", drug + 1);
        wire_coded(wire, 5, code, sample_drugs[drug].ingredient, "L");
    }
    wire_at(wire, 6);
    wire_text(wire, "0.5");
    wire_end(wire);
}

void segments_document(struct message *message)
{
    struct wire *wire = &message->wire;
    char e = wire->delimiters.escape;
    wire_segment(wire, "TXA");
    wire_at(wire, 1);
    wire_text(wire, "1");
    wire_at(wire, 2);
    wire_text(wire, "DS");
    wire_at(wire, 12);
    wire_text(wire, message->facts.control_id);
    wire_at(wire, 17);
    wire_text(wire, "AU");
    wire_end(wire);
    wire_segment(wire, "OBX");
    wire_at(wire, 1);
    wire_text(wire, "1");
    wire_at(wire, 2);
    wire_text(wire, "TX");
    wire_coded(wire, 3, "LETTER", "Discharge letter", "L");
    wire_at(wire, 5);
    wire_text(wire, "Dear colleague,");
    buf_printf(wire->out, "%c.br%c", e, e);
    wire_text(wire, "recovered well; follow-up in 4 weeks & blood tests.");
    wire_at(wire, 11);
    wire_text(wire, "F");
    wire_end(wire);
}
