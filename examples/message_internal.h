/* One message under construction: who it is about, how the sender writes, and the segments that make it up. */
#pragma once

#include "codes_internal.h"
#include "dice_internal.h"
#include "gen_internal.h"
#include "wire_internal.h"

struct message {
    struct wire wire;
    uint64_t number, dice;
    struct gen_message_facts facts;
    const char *version;
    const char *charset; /* MSH-18; "" = nothing declared */
    struct gen_record patient;
    char retired_id[24]; /* A40: MRG-1 */
    char time[24];       /* YYYYMMDDHHMMSS */
    bool clears_phone;   /* an explicit null in PID-13 */
};

/* Dice of this message; `n` from 16 on is free for segments. */
static inline uint32_t message_roll(const struct message *message, unsigned n, uint32_t sides)
{
    return gen_part(message->dice, n, sides);
}

void segment_msh(struct message *message);
void segment_evn(struct message *message);
void segment_pid(struct message *message);
void segment_nk1(struct message *message);
void segment_mrg(struct message *message);
void segment_pv1(struct message *message);
void segment_dg1(struct message *message);
void segment_al1(struct message *message);
void segment_pr1(struct message *message);
void segment_zpi(struct message *message);
void segments_result(struct message *message, unsigned observations);
void segments_order(struct message *message);
void segments_appointment(struct message *message);
void segments_vaccination(struct message *message);
void segments_document(struct message *message);
