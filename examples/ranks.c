/* Ranks from dice, by integers only. */
#include "ranks_internal.h"

/* 2^(i/16) in 1/65536: between two steps a straight line is close enough (1/4000). */
static const uint32_t powers[17] = {65536, 68438,  71468,  74632,  77936,  81386,  84990,  88752, 92682,
                                    96785, 101070, 105545, 110218, 115098, 120194, 125515, 131072};

uint32_t gen_ranks(struct gen_spread spread)
{
    return spread.head * ((1u << spread.octaves) - 1);
}

uint32_t gen_rank(struct gen_spread spread, uint64_t dice)
{
    uint64_t place = (dice >> 40) * spread.octaves; /* 24 bits of fraction below the octave */
    uint32_t octave = (uint32_t)(place >> 24), fraction = (uint32_t)place & 0xFFFFFF;
    uint32_t step = fraction >> 20, rest = fraction & 0xFFFFF;
    uint64_t power = powers[step] + ((uint64_t)(powers[step + 1] - powers[step]) * rest >> 20);
    return (uint32_t)((spread.head * power << octave >> 16) - spread.head);
}
