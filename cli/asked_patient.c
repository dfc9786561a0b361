#include "asked_patient.h"

#include "base/date.h"
#include "base/yaml/yaml.h"
#include "hl7v2/index.h"
#include "hl7v2/path.h"
#include "hl7v2/text.h"

const struct reason asked_no_patient = {"cli.no-patient", STATUS_INVALID_ARGUMENT, 101, "nobody is described here"};

static char *keep(struct arena *arena, struct str text)
{
    return (char *)arena_str(arena, str_trim(text)).data;
}

Idem__Identity__V1__IdentifyRequest *asked_new(struct arena *arena)
{
    Idem__Identity__V1__IdentifyRequest *ask = arena_alloc(arena, sizeof *ask);
    idem__identity__v1__identify_request__init(ask);
    ask->demographics = arena_alloc(arena, sizeof *ask->demographics);
    idem__identity__v1__demographics__init(ask->demographics);
    ask->identifiers = arena_array(arena, ASKED_IDENTIFIERS_MAX, sizeof *ask->identifiers);
    ask->demographics->names = arena_array(arena, ASKED_REPETITIONS_MAX, sizeof *ask->demographics->names);
    ask->demographics->phones = arena_array(arena, ASKED_REPETITIONS_MAX, sizeof *ask->demographics->phones);
    ask->demographics->emails = arena_array(arena, ASKED_REPETITIONS_MAX, sizeof *ask->demographics->emails);
    ask->demographics->addresses = arena_array(arena, ASKED_REPETITIONS_MAX, sizeof *ask->demographics->addresses);
    return ask;
}

bool asked_is_empty(const Idem__Identity__V1__IdentifyRequest *ask)
{
    const Idem__Identity__V1__Demographics *d = ask->demographics;
    return ask->n_identifiers + d->n_names + d->n_phones + d->n_emails + d->n_addresses == 0 && *d->birth_date == 0 &&
           *d->sex == 0 && *d->birth_place == 0 && !d->mother;
}

void asked_add_identifier(struct arena *arena, Idem__Identity__V1__IdentifyRequest *ask, struct str authority,
                          struct str value, struct str type)
{
    if (value.len == 0 || ask->n_identifiers == ASKED_IDENTIFIERS_MAX)
        return;
    Idem__Identity__V1__Identifier *id = arena_alloc(arena, sizeof *id);
    idem__identity__v1__identifier__init(id);
    id->authority = keep(arena, authority);
    id->value = keep(arena, value);
    id->type = keep(arena, type);
    ask->identifiers[ask->n_identifiers++] = id;
}

static Idem__Identity__V1__Name *new_name(struct arena *arena)
{
    Idem__Identity__V1__Name *name = arena_alloc(arena, sizeof *name);
    idem__identity__v1__name__init(name);
    return name;
}

Idem__Identity__V1__Name *asked_name(struct arena *arena, Idem__Identity__V1__IdentifyRequest *ask)
{
    Idem__Identity__V1__Demographics *d = ask->demographics;
    if (d->n_names == 0)
        d->names[d->n_names++] = new_name(arena);
    return d->names[0];
}

Idem__Identity__V1__Address *asked_address(struct arena *arena, Idem__Identity__V1__IdentifyRequest *ask)
{
    Idem__Identity__V1__Demographics *d = ask->demographics;
    if (d->n_addresses == 0) {
        d->addresses[0] = arena_alloc(arena, sizeof *d->addresses[0]);
        idem__identity__v1__address__init(d->addresses[0]);
        d->n_addresses = 1;
    }
    return d->addresses[0];
}

Idem__Identity__V1__Name *asked_mother(struct arena *arena, Idem__Identity__V1__IdentifyRequest *ask)
{
    if (!ask->demographics->mother)
        ask->demographics->mother = new_name(arena);
    return ask->demographics->mother;
}

void asked_add_phone(struct arena *arena, Idem__Identity__V1__IdentifyRequest *ask, struct str phone)
{
    Idem__Identity__V1__Demographics *d = ask->demographics;
    if (phone.len && d->n_phones < ASKED_REPETITIONS_MAX)
        d->phones[d->n_phones++] = keep(arena, phone);
}

void asked_add_email(struct arena *arena, Idem__Identity__V1__IdentifyRequest *ask, struct str email)
{
    Idem__Identity__V1__Demographics *d = ask->demographics;
    if (email.len && d->n_emails < ASKED_REPETITIONS_MAX)
        d->emails[d->n_emails++] = keep(arena, email);
}

static void ask_born(struct arena *arena, Idem__Identity__V1__IdentifyRequest *ask, struct date born)
{
    ask->demographics->birth_date = arena_alloc(arena, 11);
    date_format(born, ask->demographics->birth_date);
}

bool asked_set_birth_date(struct arena *arena, Idem__Identity__V1__IdentifyRequest *ask, struct str text)
{
    struct date born;
    if (!date_parse(str_trim(text), &born))
        return false;
    ask_born(arena, ask, born);
    return true;
}

/* ---- PID ---- */

struct pid {
    const struct hl7_index *index;
    struct arena *arena;
    Idem__Identity__V1__IdentifyRequest *ask;
};

/* Component n, first subcomponent, as text. */
static struct str part(const struct pid *pid, struct str repetition, uint32_t n)
{
    struct str raw = hl7_subcomponent(pid->index, hl7_component(pid->index, repetition, n), 1);
    return raw.data && !hl7_is_null(raw) ? hl7_text(pid->index, pid->arena, raw, NULL) : STR_NONE;
}

/* As written, like that of a message that is submitted: a day that does not exist is a slip of one that does. */
static void set_birth_date(const struct pid *pid, struct str text)
{
    struct date born;
    if (date_parse_as_written(text, &born))
        ask_born(pid->arena, pid->ask, born);
}

static void fill_name(const struct pid *pid, struct str xpn, Idem__Identity__V1__Name *name)
{
    name->family = keep(pid->arena, part(pid, xpn, 1));
    name->given = keep(pid->arena, part(pid, xpn, 2));
    name->middle = keep(pid->arena, part(pid, xpn, 3));
    name->suffix = keep(pid->arena, part(pid, xpn, 4));
    name->prefix = keep(pid->arena, part(pid, xpn, 5));
    name->type = keep(pid->arena, part(pid, xpn, 7));
}

static void take_identifier(const struct pid *pid, struct str cx)
{
    asked_add_identifier(pid->arena, pid->ask, part(pid, cx, 4), part(pid, cx, 1), part(pid, cx, 5));
}

static void take_name(const struct pid *pid, struct str xpn)
{
    Idem__Identity__V1__Demographics *d = pid->ask->demographics;
    if (d->n_names == ASKED_REPETITIONS_MAX || xpn.len == 0)
        return;
    d->names[d->n_names] = new_name(pid->arena);
    fill_name(pid, xpn, d->names[d->n_names++]);
}

static void take_mother(const struct pid *pid, struct str xpn)
{
    if (xpn.len && !pid->ask->demographics->mother)
        fill_name(pid, xpn, asked_mother(pid->arena, pid->ask));
}

static void take_address(const struct pid *pid, struct str xad)
{
    if (xad.len == 0 || pid->ask->demographics->n_addresses) /* the first is the one that counts for asking */
        return;
    Idem__Identity__V1__Address *address = asked_address(pid->arena, pid->ask);
    address->line = keep(pid->arena, part(pid, xad, 1));
    address->city = keep(pid->arena, part(pid, xad, 3));
    address->state = keep(pid->arena, part(pid, xad, 4));
    address->postcode = keep(pid->arena, part(pid, xad, 5));
    address->country = keep(pid->arena, part(pid, xad, 6));
}

/* XTN: the number in .1, or in .6 and .7, or in .12; the e-mail address in .4, or where the number belongs. */
static void take_contact(const struct pid *pid, struct str xtn)
{
    struct str number = part(pid, xtn, 1), area = part(pid, xtn, 6), local = part(pid, xtn, 7);
    if (number.len == 0 && local.len)
        number = arena_printf(pid->arena, "%.*s%.*s", STR_ARGS(area), STR_ARGS(local));
    if (number.len == 0)
        number = part(pid, xtn, 12);
    bool misplaced = str_find(number, '@') >= 0;
    asked_add_email(pid->arena, pid->ask, part(pid, xtn, 4));
    asked_add_email(pid->arena, pid->ask, misplaced ? number : STR_NONE);
    asked_add_phone(pid->arena, pid->ask, misplaced ? STR_NONE : number);
}

static void take_birth_place(const struct pid *pid, struct str place)
{
    pid->ask->demographics->birth_place = keep(pid->arena, part(pid, place, 1));
}

/* Source: [HL7 2.5.1 3.4.2] PID. */
static void take_pid(const struct pid *pid, uint32_t segment)
{
    static const struct {
        uint32_t field;
        void (*take)(const struct pid *pid, struct str repetition);
    } fields[] = {{3, take_identifier}, {5, take_name},     {6, take_mother},      {11, take_address},
                  {13, take_contact},   {14, take_contact}, {23, take_birth_place}};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        struct str rest = hl7_field(pid->index, segment, fields[i].field), repetition;
        if (!rest.data || hl7_is_null(rest))
            continue;
        while (hl7_next_repetition(pid->index, &rest, &repetition))
            fields[i].take(pid, repetition);
    }
    struct str born = hl7_field(pid->index, segment, 7), sex = hl7_field(pid->index, segment, 8);
    if (born.data)
        set_birth_date(pid, part(pid, born, 1));
    if (sex.data)
        pid->ask->demographics->sex = keep(pid->arena, part(pid, sex, 1));
}

status asked_read_hl7(struct ctx *cx, struct str message, Idem__Identity__V1__IdentifyRequest *ask)
{
    struct hl7_index index = {0};
    status got = hl7_index_build(&index, cx, message, NULL);
    if (got == STATUS_OK) {
        ptrdiff_t segment = hl7_find_segment(&index, HL7_NAME('P', 'I', 'D'), 1, 0);
        struct pid pid = {&index, cx->arena, ask};
        if (segment < 0)
            got = ctx_fail(cx, &asked_no_patient, "the message has no PID segment");
        else
            take_pid(&pid, (uint32_t)segment);
    }
    hl7_index_fini(&index);
    return got;
}

/* ---- JSON: flow YAML reads it, with the same strictness and the same places in messages ---- */

static status take_text(struct ctx *cx, const struct yaml_node *map, const char *key, char **out_text)
{
    struct str text = STR_NONE;
    TRY(yaml_text(cx, yaml_get(map, key), &text));
    if (text.len)
        *out_text = keep(cx->arena, text);
    return STATUS_OK;
}

static status take_identifiers(struct ctx *cx, const struct yaml_node *list, Idem__Identity__V1__IdentifyRequest *ask)
{
    static const char *const keys[] = {"authority", "value", "type"};
    if (!list)
        return STATUS_OK;
    TRY(yaml_list(cx, list, ASKED_IDENTIFIERS_MAX));
    for (const struct yaml_node *one = list->first; one; one = one->next) {
        char *authority = (char *)"", *value = (char *)"", *type = (char *)"";
        TRY(yaml_map_keys(cx, one, keys, 3));
        TRY(take_text(cx, one, "authority", &authority));
        TRY(take_text(cx, one, "value", &value));
        TRY(take_text(cx, one, "type", &type));
        asked_add_identifier(cx->arena, ask, str_from(authority), str_from(value), str_from(type));
    }
    return STATUS_OK;
}

static status take_person(struct ctx *cx, const struct yaml_node *root, Idem__Identity__V1__IdentifyRequest *ask)
{
    struct arena *arena = cx->arena;
    if (yaml_get(root, "family") || yaml_get(root, "given") || yaml_get(root, "middle") || yaml_get(root, "suffix")) {
        Idem__Identity__V1__Name *name = asked_name(arena, ask);
        TRY(take_text(cx, root, "family", &name->family));
        TRY(take_text(cx, root, "given", &name->given));
        TRY(take_text(cx, root, "middle", &name->middle));
        TRY(take_text(cx, root, "suffix", &name->suffix));
    }
    if (yaml_get(root, "line") || yaml_get(root, "city") || yaml_get(root, "state") || yaml_get(root, "postcode")) {
        Idem__Identity__V1__Address *address = asked_address(arena, ask);
        TRY(take_text(cx, root, "line", &address->line));
        TRY(take_text(cx, root, "city", &address->city));
        TRY(take_text(cx, root, "state", &address->state));
        TRY(take_text(cx, root, "postcode", &address->postcode));
    }
    if (yaml_get(root, "mother"))
        TRY(take_text(cx, root, "mother", &asked_mother(arena, ask)->family));
    struct str phone = STR_NONE, email = STR_NONE, born = STR_NONE;
    TRY(yaml_text(cx, yaml_get(root, "phone"), &phone));
    asked_add_phone(arena, ask, phone);
    TRY(yaml_text(cx, yaml_get(root, "email"), &email));
    asked_add_email(arena, ask, email);
    TRY(take_text(cx, root, "birth-place", &ask->demographics->birth_place));
    TRY(take_text(cx, root, "sex", &ask->demographics->sex));
    TRY(yaml_text(cx, yaml_get(root, "born"), &born));
    if (born.len && !asked_set_birth_date(arena, ask, born))
        return yaml_fail(cx, yaml_get(root, "born"), YAML_BAD_VALUE, "no such day; write 1980-02-29");
    return STATUS_OK;
}

status asked_read_json(struct ctx *cx, struct str text, Idem__Identity__V1__IdentifyRequest *ask)
{
    static const char *const keys[] = {"identifiers", "family", "given",  "middle", "suffix",
                                       "born",        "sex",    "phone",  "line",   "city",
                                       "postcode",    "state",  "mother", "email",  "birth-place"};
    const struct yaml_node *root;
    TRY(yaml_parse(cx, text, &root));
    TRY(yaml_map_keys(cx, root, keys, sizeof keys / sizeof keys[0]));
    TRY(take_identifiers(cx, yaml_get(root, "identifiers"), ask));
    return take_person(cx, root, ask);
}
