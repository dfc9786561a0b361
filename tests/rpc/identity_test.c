/* What is said of a person over the wire comes back over it. */
#include "base/limits.h"
#include "world.h"

#define IDENTITY      "idem.identity.v1.Identity/"
#define TEXT(literal) ((char *)(uintptr_t)(literal))

/* Everything a record may say of somebody. */
struct said {
    Idem__Identity__V1__Name name, mother, *names[1];
    Idem__Identity__V1__Address address, *addresses[1];
    char *phones[1], *emails[LIMIT_NAMES_PER_RECORD + 1];
    Idem__Identity__V1__Demographics demographics;
};

static void say_everything(struct said *said)
{
    Idem__Identity__V1__Demographics *d = &said->demographics;
    idem__identity__v1__name__init(&said->name);
    idem__identity__v1__name__init(&said->mother);
    idem__identity__v1__address__init(&said->address);
    idem__identity__v1__demographics__init(d);
    said->name.family = TEXT("Lindqvist");
    said->name.given = TEXT("Anna");
    said->mother.family = TEXT("Berg");
    said->address.line = TEXT("12 Elm St");
    said->address.postcode = TEXT("98101");
    said->phones[0] = TEXT("5551234");
    for (size_t i = 0; i <= LIMIT_NAMES_PER_RECORD; i++)
        said->emails[i] = TEXT("a@b.c");
    said->names[0] = &said->name;
    said->addresses[0] = &said->address;
    d->names = said->names;
    d->addresses = said->addresses;
    d->phones = said->phones;
    d->emails = said->emails;
    d->n_names = d->n_addresses = d->n_phones = d->n_emails = 1;
    d->mother = &said->mother;
    d->birth_date = TEXT("1980-02-29");
    d->birth_place = TEXT("Ghent");
    d->sex = TEXT("F");
    d->multiple_birth = d->deceased = true;
    d->birth_order = 2;
}

static status load(struct world *w, struct rpc_client *client, Idem__Identity__V1__Demographics *demographics)
{
    Idem__Identity__V1__Identifier identifier = IDEM__IDENTITY__V1__IDENTIFIER__INIT, *identifiers[] = {&identifier};
    Idem__Identity__V1__PersonRecord record = IDEM__IDENTITY__V1__PERSON_RECORD__INIT, *records[] = {&record};
    Idem__Identity__V1__LoadPeopleRequest ask = IDEM__IDENTITY__V1__LOAD_PEOPLE_REQUEST__INIT;
    void *reply;
    identifier.authority = TEXT("NORTH");
    identifier.value = TEXT("7");
    record.identifiers = identifiers;
    record.n_identifiers = 1;
    record.demographics = demographics;
    ask.source = TEXT("north");
    ask.records = records;
    ask.n_records = 1;
    return rpc_client_call(client, &w->s.cx, IDENTITY "LoadPeople", &ask.base,
                           &idem__identity__v1__load_people_reply__descriptor, 0, &reply);
}

static void assert_is_what_was_said(const Idem__Identity__V1__Demographics *got)
{
    assert_string_equal(got->names[0]->family, "Lindqvist");
    assert_string_equal(got->mother->family, "Berg");
    assert_string_equal(got->addresses[0]->line, "12 Elm St");
    assert_string_equal(got->phones[0], "5551234");
    assert_int_equal(got->n_emails, 1);
    assert_string_equal(got->emails[0], "a@b.c");
    assert_string_equal(got->birth_date, "1980-02-29");
    assert_string_equal(got->birth_place, "Ghent");
    assert_string_equal(got->sex, "F");
    assert_true(got->multiple_birth && got->deceased && got->birth_order == 2);
}

static void test_person__comes_back_as_it_was_loaded(void **state)
{
    (void)state;
    struct world w;
    struct said said;
    void *reply;
    world_begin(&w);
    struct rpc_client *client = world_connect_plain(&w);
    say_everything(&said);
    assert_ok(&w.s, load(&w, client, &said.demographics));
    Idem__Identity__V1__GetPersonRequest ask = IDEM__IDENTITY__V1__GET_PERSON_REQUEST__INIT;
    ask.person = 1;
    assert_ok(&w.s, rpc_client_call(client, &w.s.cx, IDENTITY "GetPerson", &ask.base,
                                    &idem__identity__v1__person__descriptor, 0, &reply));
    const Idem__Identity__V1__Person *person = reply;
    assert_is_what_was_said(person->golden);
    assert_is_what_was_said(person->records[0]->demographics);
    rpc_client_close(client);
    world_end(&w);
}

static status ask_history(struct world *w, struct rpc_client *client, const Idem__Identity__V1__GetHistoryRequest *ask,
                          Idem__Identity__V1__History **out_history)
{
    return rpc_client_call(client, &w->s.cx, IDENTITY "GetHistory", &ask->base,
                           &idem__identity__v1__history__descriptor, 0, (void **)out_history);
}

static void test_history__goes_on_before_a_place_that_a_page_said(void **state)
{
    (void)state;
    static const struct {
        const char *before, *reason; /* NULL: answered */
    } cases[] = {{"", NULL},
                 {"99.1.0", NULL},
                 {"1.1.0", NULL},
                 {"0.1.0", "rpc.argument"},
                 {"1.1", "rpc.argument"},
                 {"1.1.x", "rpc.argument"},
                 {"1.1.0.0", "rpc.argument"},
                 {"1.1.4294967296", "rpc.argument"}};
    struct world w;
    world_begin(&w);
    struct rpc_client *client = world_connect_plain(&w);
    struct said said;
    say_everything(&said);
    assert_ok(&w.s, load(&w, client, &said.demographics));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Idem__Identity__V1__GetHistoryRequest ask = IDEM__IDENTITY__V1__GET_HISTORY_REQUEST__INIT;
        ask.person = 1;
        ask.before = (char *)(uintptr_t)cases[i].before;
        Idem__Identity__V1__History *history;
        if (cases[i].reason) {
            assert_fails(&w.s, ask_history(&w, client, &ask, &history), cases[i].reason);
            continue;
        }
        assert_ok(&w.s, ask_history(&w, client, &ask, &history));
        assert_int_equal(history->n_events, strcmp(cases[i].before, "1.1.0") == 0 ? 0 : 1);
        assert_string_equal(history->next_before, "");
    }
    rpc_client_close(client);
    world_end(&w);
}

static void test_emails_of_a_call__up_to_the_limit_and_not_one_more(void **state)
{
    (void)state;
    struct world w;
    struct said said;
    world_begin(&w);
    struct rpc_client *client = world_connect_plain(&w);
    say_everything(&said);
    said.demographics.n_emails = LIMIT_NAMES_PER_RECORD + 1;
    assert_fails(&w.s, load(&w, client, &said.demographics), "rpc.argument");
    said.demographics.n_emails = LIMIT_NAMES_PER_RECORD;
    assert_ok(&w.s, load(&w, client, &said.demographics));
    rpc_client_close(client);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_person__comes_back_as_it_was_loaded),
        cmocka_unit_test(test_history__goes_on_before_a_place_that_a_page_said),
        cmocka_unit_test(test_emails_of_a_call__up_to_the_limit_and_not_one_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
