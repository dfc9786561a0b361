#include "convert.h"

#include "base/bounds.h"
#include "base/limits.h"
#include "call.h"

struct mpi_identifier convert_identifier(const Idem__Identity__V1__Identifier *identifier)
{
    return (struct mpi_identifier){.authority = str_from(identifier->authority),
                                   .value = str_from(identifier->value),
                                   .type = str_from(identifier->type)};
}

static status at_most(struct ctx *cx, size_t count, size_t max, enum bound bound, const char *what)
{
    if (count > max && bound_met(bound))
        return ctx_fail(cx, &rpc_reasons[RPC_ARGUMENT], "%zu %s, at most %zu", count, what, max);
    return STATUS_OK;
}

status convert_identifiers(struct ctx *cx, Idem__Identity__V1__Identifier *const *identifiers, size_t count,
                           struct mpi_identifier **out_identifiers)
{
    TRY(at_most(cx, count, LIMIT_IDENTIFIERS_PER_RECORD, BOUND_LIMIT_IDENTIFIERS_PER_RECORD, "identifiers"));
    struct mpi_identifier *out = arena_array(cx->arena, count, sizeof *out);
    for (size_t i = 0; i < count; i++) {
        TRY(rpc_need(cx, identifiers[i]->value[0] != 0, "identifier.value"));
        out[i] = convert_identifier(identifiers[i]);
    }
    *out_identifiers = out;
    return STATUS_OK;
}

static struct mpi_name name_in(const Idem__Identity__V1__Name *name)
{
    return (struct mpi_name){.family = str_from(name->family),
                             .given = str_from(name->given),
                             .middle = str_from(name->middle),
                             .suffix = str_from(name->suffix),
                             .prefix = str_from(name->prefix),
                             .type = str_from(name->type)};
}

static struct mpi_address address_in(const Idem__Identity__V1__Address *address)
{
    return (struct mpi_address){.line = str_from(address->line),
                                .city = str_from(address->city),
                                .state = str_from(address->state),
                                .postcode = str_from(address->postcode),
                                .country = str_from(address->country)};
}

static const struct str *texts_in(struct ctx *cx, char *const *texts, size_t count)
{
    struct str *out = arena_array(cx->arena, count, sizeof *out);
    for (size_t i = 0; i < count; i++)
        out[i] = str_from(texts[i]);
    return out;
}

status convert_demographics(struct ctx *cx, const Idem__Identity__V1__Demographics *in,
                            struct mpi_demographics *out_demographics)
{
    TRY(at_most(cx, in->n_names, LIMIT_NAMES_PER_RECORD, BOUND_LIMIT_NAMES_PER_RECORD, "names"));
    TRY(at_most(cx, in->n_phones, LIMIT_NAMES_PER_RECORD, BOUND_LIMIT_NAMES_PER_RECORD, "phones"));
    TRY(at_most(cx, in->n_emails, LIMIT_NAMES_PER_RECORD, BOUND_LIMIT_NAMES_PER_RECORD, "e-mail addresses"));
    TRY(at_most(cx, in->n_addresses, LIMIT_NAMES_PER_RECORD, BOUND_LIMIT_NAMES_PER_RECORD, "addresses"));
    struct mpi_demographics out = {.multiple_birth = in->multiple_birth, .deceased = in->deceased};
    if (in->birth_date[0] && !date_parse_as_written(str_from(in->birth_date), &out.birth_date))
        return ctx_fail(cx, &rpc_reasons[RPC_ARGUMENT], "birth_date is not YYYY, YYYY-MM or YYYY-MM-DD");
    if (in->sex[0] && in->sex[1])
        return ctx_fail(cx, &rpc_reasons[RPC_ARGUMENT], "sex is not one character of HL7 table 0001");
    if (in->birth_order > UINT8_MAX)
        return ctx_fail(cx, &rpc_reasons[RPC_ARGUMENT], "birth_order is past %d", UINT8_MAX);
    out.sex = in->sex[0];
    out.birth_order = (uint8_t)in->birth_order;

    struct mpi_name *names = arena_array(cx->arena, in->n_names, sizeof *names);
    for (size_t i = 0; i < in->n_names; i++)
        names[i] = name_in(in->names[i]);
    struct mpi_address *addresses = arena_array(cx->arena, in->n_addresses, sizeof *addresses);
    for (size_t i = 0; i < in->n_addresses; i++)
        addresses[i] = address_in(in->addresses[i]);
    out.names = names;
    out.name_count = in->n_names;
    out.phones = texts_in(cx, in->phones, in->n_phones);
    out.phone_count = in->n_phones;
    out.emails = texts_in(cx, in->emails, in->n_emails);
    out.email_count = in->n_emails;
    out.addresses = addresses;
    out.address_count = in->n_addresses;
    if (in->mother)
        out.mother = name_in(in->mother);
    out.birth_place = str_from(in->birth_place);
    *out_demographics = out;
    return STATUS_OK;
}

static void name_out(struct ctx *cx, const struct mpi_name *name, Idem__Identity__V1__Name *out)
{
    out->family = message_text(cx, name->family);
    out->given = message_text(cx, name->given);
    out->middle = message_text(cx, name->middle);
    out->suffix = message_text(cx, name->suffix);
    out->prefix = message_text(cx, name->prefix);
    out->type = message_text(cx, name->type);
}

static char *date_out(struct ctx *cx, struct date date)
{
    char text[11];
    date_format(date, text);
    return message_text(cx, str_from(text));
}

Idem__Identity__V1__Demographics *convert_demographics_out(struct ctx *cx, const struct mpi_demographics *in)
{
    Idem__Identity__V1__Demographics *out = message_new(cx, &idem__identity__v1__demographics__descriptor);
    MESSAGE_LIST(cx, out, names, &idem__identity__v1__name__descriptor, in->name_count);
    for (size_t i = 0; i < in->name_count; i++)
        name_out(cx, &in->names[i], out->names[i]);
    out->birth_date = date_out(cx, in->birth_date);
    out->sex = message_text(cx, str_make(&in->sex, in->sex != 0));
    out->phones = message_texts(cx, in->phones, in->phone_count);
    out->n_phones = in->phone_count;
    out->emails = message_texts(cx, in->emails, in->email_count);
    out->n_emails = in->email_count;
    MESSAGE_LIST(cx, out, addresses, &idem__identity__v1__address__descriptor, in->address_count);
    for (size_t i = 0; i < in->address_count; i++) {
        const struct mpi_address *address = &in->addresses[i];
        out->addresses[i]->line = message_text(cx, address->line);
        out->addresses[i]->city = message_text(cx, address->city);
        out->addresses[i]->state = message_text(cx, address->state);
        out->addresses[i]->postcode = message_text(cx, address->postcode);
        out->addresses[i]->country = message_text(cx, address->country);
    }
    if (in->mother.family.len || in->mother.given.len) {
        out->mother = message_new(cx, &idem__identity__v1__name__descriptor);
        name_out(cx, &in->mother, out->mother);
    }
    out->birth_place = message_text(cx, in->birth_place);
    out->multiple_birth = in->multiple_birth;
    out->birth_order = in->birth_order;
    out->deceased = in->deceased;
    return out;
}

Idem__Identity__V1__Comparison *convert_comparison(struct ctx *cx, const struct mpi_comparison *in)
{
    Idem__Identity__V1__Comparison *out = message_new(cx, &idem__identity__v1__comparison__descriptor);
    out->left_record = in->left_record;
    out->right_record = in->right_record;
    out->score_mbit = in->score_mbit;
    out->probability_ppm = in->probability_ppm;
    out->model_version = in->model_version;
    size_t count = in->evidence_count < MPI_EVIDENCE_MAX ? in->evidence_count : MPI_EVIDENCE_MAX;
    MESSAGE_LIST(cx, out, evidence, &idem__identity__v1__evidence__descriptor, count);
    for (size_t i = 0; i < count; i++) {
        out->evidence[i]->field = message_text(cx, str_from(in->evidence[i].field));
        out->evidence[i]->level = message_text(cx, str_from(in->evidence[i].level));
        out->evidence[i]->weight_mbit = in->evidence[i].weight_mbit;
    }
    return out;
}

void convert_record(struct ctx *cx, const struct mpi_record_view *in, Idem__Identity__V1__Record *out_record)
{
    out_record->id = in->id;
    out_record->person = in->person;
    out_record->source = message_text(cx, in->source);
    MESSAGE_LIST(cx, out_record, identifiers, &idem__identity__v1__identifier__descriptor, in->identifier_count);
    for (size_t i = 0; i < in->identifier_count; i++) {
        out_record->identifiers[i]->authority = message_text(cx, in->identifiers[i].authority);
        out_record->identifiers[i]->value = message_text(cx, in->identifiers[i].value);
        out_record->identifiers[i]->type = message_text(cx, in->identifiers[i].type);
    }
    out_record->demographics = convert_demographics_out(cx, &in->demographics);
    out_record->first_seq = in->first_seq;
    out_record->last_seq = in->last_seq;
    out_record->first_us = in->first_us;
    out_record->last_us = in->last_us;
    out_record->versions = in->versions;
    out_record->active = in->active;
    out_record->retired_into = in->retired_into;
}
