/* One human: the household's numbers with their names spelt. */
#include "gen_internal.h"

void gen_init(struct gen *gen, const struct gen_options *options)
{
    *gen = (struct gen){
        .seed = options->seed,
        .people = options->people ? options->people : GEN_PEOPLE_DEFAULT,
    };
    if (gen->people > GEN_PEOPLE_MAX)
        gen->people = GEN_PEOPLE_MAX;
}

static void spell_family(struct gen_family_name family, bool female, struct gen_name *out_name)
{
    if (family.culture)
        gen_family_spell(family.culture, family.number, female, out_name);
    else
        *out_name = (struct gen_name){0};
}

void gen_human(const struct gen *gen, uint64_t index, struct gen_human *out_human)
{
    out_human->index = index;
    gen_house_of(gen, index, &out_human->house);
    const struct gen_member *self = &out_human->house.members[index - out_human->house.first];
    out_human->self = self;
    spell_family(self->family, self->female, &out_human->family);
    spell_family(self->second_family, false, &out_human->second_family);
    spell_family(self->married_family, true, &out_human->married_family);
    spell_family(self->mother_family, true, &out_human->mother_family);
    gen_given_spell(self->culture, self->given, self->female, &out_human->given);
    gen_given_spell(self->mother_culture, self->mother_given, true, &out_human->mother_given);
    if (self->middle == GEN_NO_NAME)
        out_human->middle = (struct gen_name){0};
    else
        gen_given_spell(self->culture, self->middle, self->female, &out_human->middle);
}

const struct gen_name *gen_family_at(const struct gen_human *human, uint32_t years_ago)
{
    bool by_marriage = human->self->married_family.culture && years_ago < human->self->married_years;
    return by_marriage ? &human->married_family : &human->family;
}

size_t gen_records_of(const struct gen *gen, const struct gen_human *human,
                      struct gen_record out_records[GEN_RECORDS_PER_HUMAN])
{
    uint32_t twice, known = gen_known_at(gen, human->index, &twice);
    size_t count = 0;
    for (unsigned s = 0; s < GEN_SOURCES; s++)
        for (unsigned slot = 0; slot < 2; slot++)
            if ((slot == 0 ? known : twice) >> s & 1)
                gen_record(gen, human, (enum gen_source)s, slot, &out_records[count++]);
    return count;
}

size_t gen_records(const struct gen *gen, uint64_t human, struct gen_record out_records[GEN_RECORDS_PER_HUMAN])
{
    struct gen_human who;
    gen_human(gen, human, &who);
    return gen_records_of(gen, &who, out_records);
}
