/* Models over the wire: the active one, one made from the index, what it would change, and its activation. */
#include "model_lines.h"
#include "world.h"

#include "base/clock.h"

#include <unistd.h>

#define ADMIN "idem.admin.v1.Admin/"

enum { PEOPLE = 160, WAIT_US = 60 * 1000 * 1000 };

static char *text(const char *constant)
{
    return (char *)(uintptr_t)constant;
}

/* Pairs that are alike, but not enough for the general model. */
static void load_people_from(struct world *w, unsigned first)
{
    static const char *const families[] = {"Lindqvist", "Okonkwo", "Moreau", "Nakamura", "Petrov", "Haddad"};
    static const char *const givens[] = {"Anna", "Chidi", "Claire", "Kenta", "Olga"};
    struct mpi_identifier ids[PEOPLE];
    struct mpi_name names[PEOPLE];
    struct mpi_record_input records[PEOPLE];
    for (unsigned i = 0; i < PEOPLE; i++) {
        unsigned who = (first + i) / 2;
        ids[i] = (struct mpi_identifier){STR("NORTH"), arena_printf(&w->s.arena, "%u", first + i), STR("MR")};
        names[i] = (struct mpi_name){.family = str_from(families[who % 6]), .given = str_from(givens[who % 5])};
        records[i] = (struct mpi_record_input){
            .source = STR("north"),
            .identifiers = &ids[i],
            .identifier_count = 1,
            .demographics = {.names = &names[i],
                             .name_count = 1,
                             .birth_date = {(uint16_t)(1950 + who % 40), 3, (uint8_t)(i % 2 ? 14 : 4)},
                             .sex = 'F'}};
    }
    struct engine_people_result result;
    uint64_t seq;
    assert_ok(&w->s, engine_load_people(w->engine, &w->s.cx, records, PEOPLE, &result, &seq));
}

static void load_people(struct world *w)
{
    load_people_from(w, 0);
}

static status call(struct world *w, struct rpc_client *client, const char *method, const ProtobufCMessage *ask,
                   const ProtobufCMessageDescriptor *type, void *out_reply)
{
    return rpc_client_call(client, &w->s.cx, method, ask, type, WAIT_US, out_reply);
}

static Idem__Admin__V1__Model *get_model(struct world *w, struct rpc_client *client, uint32_t version)
{
    Idem__Admin__V1__GetModelRequest ask = IDEM__ADMIN__V1__GET_MODEL_REQUEST__INIT;
    Idem__Admin__V1__Model *model;
    ask.version = version;
    assert_ok(&w->s, call(w, client, ADMIN "GetModel", &ask.base, &idem__admin__v1__model__descriptor, &model));
    return model;
}

static status what_if(struct world *w, struct rpc_client *client, const char *model, uint32_t max,
                      Idem__Admin__V1__WhatIfModelReply **out_reply)
{
    Idem__Admin__V1__WhatIfModelRequest ask = IDEM__ADMIN__V1__WHAT_IF_MODEL_REQUEST__INIT;
    ask.text = text(model);
    ask.max = max;
    return call(w, client, ADMIN "WhatIfModel", &ask.base, &idem__admin__v1__what_if_model_reply__descriptor,
                out_reply);
}

static status activate(struct world *w, struct rpc_client *client, const char *model, const char *why,
                       Idem__Admin__V1__ActivateModelReply **out_reply)
{
    Idem__Admin__V1__ActivateModelRequest ask = IDEM__ADMIN__V1__ACTIVATE_MODEL_REQUEST__INIT;
    ask.text = text(model);
    ask.why = text(why);
    return call(w, client, ADMIN "ActivateModel", &ask.base, &idem__admin__v1__activate_model_reply__descriptor,
                out_reply);
}

static const char *bold(struct world *w)
{
    return arena_printf(&w->s.arena, "%.*s", STR_ARGS(model_bold(&w->s))).data;
}

static void test_what_if__tells_what_the_activation_then_does(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    load_people(&w);
    struct rpc_client *client = world_connect_plain(&w);
    Idem__Admin__V1__WhatIfModelReply *told, *listed, *none;
    Idem__Admin__V1__ActivateModelReply *done;
    uint64_t before = mpi_count(engine_mpi(w.engine)).persons;
    assert_ok(&w.s, what_if(&w, client, bold(&w), 0, &told));
    assert_ok(&w.s, what_if(&w, client, bold(&w), 3, &listed));
    assert_int_equal(mpi_count(engine_mpi(w.engine)).persons, before);
    assert_true(told->records == PEOPLE && told->persons_before == before && told->persons_after < before);
    assert_true(told->groups_changed > 0 && told->records_changed >= 2 * told->groups_changed);
    assert_int_equal(told->n_changed, told->records_changed < 100 ? told->records_changed : 100);
    assert_int_equal(listed->n_changed, 3);
    assert_true(listed->changed[0]->person_before != listed->changed[0]->person_after ||
                listed->changed[1]->person_before != listed->changed[1]->person_after);
    assert_ok(&w.s, activate(&w, client, bold(&w), "more is known", &done));
    assert_true(done->version == 100 && done->seq > 0 && done->records_moved > 0);
    assert_int_equal(done->persons_before, told->persons_before);
    assert_int_equal(done->persons_after, told->persons_after);
    assert_int_equal(done->reviews_after, told->questions_after);
    assert_ok(&w.s, what_if(&w, client, bold(&w), 0, &none));
    assert_true(none->groups_changed == 0 && none->n_changed == 0 && none->pairs_joined + none->pairs_parted == 0);
    rpc_client_close(client);
    world_end(&w);
}

static void test_models__are_shown_and_listed(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    load_people(&w);
    struct rpc_client *client = world_connect_plain(&w);
    Idem__Admin__V1__ActivateModelReply *done;
    Idem__Admin__V1__Model *general = get_model(&w, client, 0);
    assert_true(general->version == 2 && strcmp(general->name, "general") == 0);
    assert_true(str_is(model_general(&w.s), general->text));
    assert_ok(&w.s, activate(&w, client, bold(&w), "more is known", &done));
    assert_ok(&w.s, activate(&w, client, general->text, "not so", &done));
    assert_int_equal(done->version, 2);
    Idem__Admin__V1__ListModelsRequest ask = IDEM__ADMIN__V1__LIST_MODELS_REQUEST__INIT;
    Idem__Admin__V1__ListModelsReply *list;
    for (uint32_t max = 0; max < 3; max++) {
        ask.max = max;
        assert_ok(&w.s, call(&w, client, ADMIN "ListModels", &ask.base, &idem__admin__v1__list_models_reply__descriptor,
                             &list));
        assert_int_equal(list->n_activations, max ? max : 2);
        assert_true(list->activations[0]->version == 2 && strcmp(list->activations[0]->why, "not so") == 0);
    }
    assert_true(list->activations[1]->version == 100 && strcmp(list->activations[1]->name, "bold") == 0);
    assert_int_equal(list->next_before, 0);
    ask.max = 1;
    for (int page = 0; page < 2; page++) { /* one by one */
        assert_ok(&w.s, call(&w, client, ADMIN "ListModels", &ask.base, &idem__admin__v1__list_models_reply__descriptor,
                             &list));
        assert_int_equal(list->n_activations, 1);
        assert_int_equal(list->activations[0]->version, page ? 100 : 2);
        assert_int_equal(list->next_before, page ? 0 : list->activations[0]->seq);
        ask.before = list->next_before;
    }
    assert_string_equal(get_model(&w, client, 100)->text, bold(&w));
    Idem__Admin__V1__GetModelRequest unknown = IDEM__ADMIN__V1__GET_MODEL_REQUEST__INIT;
    void *reply;
    unknown.version = 7;
    assert_fails(&w.s, call(&w, client, ADMIN "GetModel", &unknown.base, &idem__admin__v1__model__descriptor, &reply),
                 "mpi.model-unknown");
    rpc_client_close(client);
    world_end(&w);
}

static void decide(struct world *w, struct rpc_client *client, bool same, uint64_t left, uint64_t right)
{
    Idem__Identity__V1__DecideRequest ask = IDEM__IDENTITY__V1__DECIDE_REQUEST__INIT;
    void *reply;
    ask.same = same;
    ask.left_record = left;
    ask.right_record = right;
    assert_ok(&w->s, call(w, client, "idem.identity.v1.Identity/Decide", &ask.base,
                          &idem__identity__v1__decide_reply__descriptor, &reply));
}

static void test_model_of_the_index__is_made_without_effect_and_can_be_activated(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    load_people(&w);
    struct rpc_client *client = world_connect_plain(&w);
    Idem__Admin__V1__TrainModelRequest ask = IDEM__ADMIN__V1__TRAIN_MODEL_REQUEST__INIT;
    Idem__Admin__V1__Model *made;
    Idem__Admin__V1__ActivateModelReply *done;
    uint64_t entries = journal_last_seq(engine_journal(w.engine));
    ask.name = text("no such name");
    assert_fails(&w.s, call(&w, client, ADMIN "TrainModel", &ask.base, &idem__admin__v1__model__descriptor, &made),
                 "mpi.model-bad");
    ask.name = text("here");
    assert_ok(&w.s, call(&w, client, ADMIN "TrainModel", &ask.base, &idem__admin__v1__model__descriptor, &made));
    assert_true(made->version == 0 && made->records == PEOPLE && strcmp(made->name, "here") == 0);
    assert_int_equal(journal_last_seq(engine_journal(w.engine)), entries);
    assert_true(made->training->pairs > 0 && made->training->decided_same + made->training->n_moved == 0);
    decide(&w, client, true, 1, 2);
    decide(&w, client, false, 3, 5);
    assert_ok(&w.s, call(&w, client, ADMIN "TrainModel", &ask.base, &idem__admin__v1__model__descriptor, &made));
    assert_true(made->training->decided_same == 1 && made->training->decided_different == 1);
    assert_true(made->training->n_moved > 0 &&
                made->training->surprise_after_mbit <= made->training->surprise_before_mbit);
    assert_ok(&w.s, activate(&w, client, made->text, "from here", &done));
    assert_string_equal(get_model(&w, client, 0)->text, made->text);
    rpc_client_close(client);
    world_end(&w);
}

static void test_index__is_measured_as_it_is(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    load_people(&w);
    struct rpc_client *client = world_connect_plain(&w);
    Idem__Admin__V1__GetBlockingRequest ask_blocking = IDEM__ADMIN__V1__GET_BLOCKING_REQUEST__INIT;
    Idem__Admin__V1__CalibrateModelRequest ask = IDEM__ADMIN__V1__CALIBRATE_MODEL_REQUEST__INIT;
    Idem__Admin__V1__Blocking *blocking;
    Idem__Admin__V1__Calibration *told;
    assert_ok(&w.s, call(&w, client, ADMIN "GetBlocking", &ask_blocking.base, &idem__admin__v1__blocking__descriptor,
                         &blocking));
    assert_int_equal(blocking->records, PEOPLE);
    assert_int_equal(blocking->n_rules, 17);
    uint64_t pairs = 0, found = 0;
    for (size_t i = 0; i < blocking->n_rules; i++)
        pairs += blocking->rules[i]->pairs;
    for (size_t i = 0; i < blocking->n_found_by; i++)
        found += blocking->found_by[i];
    assert_true(pairs >= PEOPLE / 2 && found == blocking->linked && blocking->recall_ppm <= 1000000);
    decide(&w, client, true, 1, 2);
    decide(&w, client, false, 3, 5);
    assert_ok(&w.s,
              call(&w, client, ADMIN "CalibrateModel", &ask.base, &idem__admin__v1__calibration__descriptor, &told));
    assert_true(told->version == 2 && told->pairs == 2 && told->right == 1 && told->n_bands == 7);
    uint64_t there = 0;
    for (size_t i = 0; i < told->n_bands; i++) {
        const Idem__Admin__V1__CalibrationBand *band = told->bands[i];
        there += band->there;
        assert_true(band->right_low_ppm <= band->right_high_ppm && band->right <= band->pairs);
        assert_true(i == 0 || band->to_ppm > told->bands[i - 1]->to_ppm);
    }
    assert_true(there >= PEOPLE / 2);
    rpc_client_close(client);
    world_end(&w);
}

static status get_proposal(struct world *w, struct rpc_client *client, Idem__Admin__V1__ModelProposal **out)
{
    Idem__Admin__V1__GetModelProposalRequest ask = IDEM__ADMIN__V1__GET_MODEL_PROPOSAL_REQUEST__INIT;
    return call(w, client, ADMIN "GetModelProposal", &ask.base, &idem__admin__v1__model_proposal__descriptor, out);
}

static Idem__Admin__V1__ModelState *model_state(struct world *w, struct rpc_client *client)
{
    Idem__Admin__V1__GetStatusRequest ask = IDEM__ADMIN__V1__GET_STATUS_REQUEST__INIT;
    Idem__Admin__V1__Status *now;
    assert_ok(&w->s, call(w, client, ADMIN "GetStatus", &ask.base, &idem__admin__v1__status__descriptor, &now));
    return now->model;
}

static void test_proposal__is_kept_and_activates_nothing(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    load_people(&w);
    struct rpc_client *client = world_connect_plain(&w);
    Idem__Admin__V1__ProposeModelRequest ask = IDEM__ADMIN__V1__PROPOSE_MODEL_REQUEST__INIT;
    Idem__Admin__V1__ModelProposal *made, *kept;
    Idem__Admin__V1__WhatIfModelReply *told;
    Idem__Admin__V1__ActivateModelReply *done;
    assert_fails(&w.s, get_proposal(&w, client, &kept), "mpi.model-unknown");
    assert_true(model_state(&w, client)->version == 2 && model_state(&w, client)->proposed_us == 0);
    uint64_t entries = journal_last_seq(engine_journal(w.engine));
    assert_ok(&w.s,
              call(&w, client, ADMIN "ProposeModel", &ask.base, &idem__admin__v1__model_proposal__descriptor, &made));
    assert_true(made->made_us > 0 && made->compared_with == 2 && made->model->records == PEOPLE);
    assert_true(made->model->training->pairs > 0);
    assert_int_equal(journal_last_seq(engine_journal(w.engine)), entries);
    assert_ok(&w.s, what_if(&w, client, made->model->text, 0, &told));
    assert_int_equal(made->changes->persons_after, told->persons_after);
    assert_int_equal(made->changes->questions_after, told->questions_after);
    assert_int_equal(made->changes->records_changed, told->records_changed);
    rpc_server_stop(w.server); /* it outlives the daemon */
    rpc_client_close(client);
    world_start(&w);
    client = world_connect_plain(&w);
    assert_ok(&w.s, get_proposal(&w, client, &kept));
    assert_string_equal(kept->model->text, made->model->text);
    assert_string_equal(kept->why, made->why);
    assert_true(!kept->outdated && kept->made_us == made->made_us);
    assert_true(model_state(&w, client)->proposed_us == made->made_us);
    assert_ok(&w.s, activate(&w, client, kept->model->text, "as proposed", &done));
    assert_int_equal(done->persons_after, made->changes->persons_after);
    assert_ok(&w.s, get_proposal(&w, client, &kept));
    assert_true(kept->outdated && model_state(&w, client)->proposed_us == 0);
    assert_int_equal(model_state(&w, client)->version, 100);
    rpc_client_close(client);
    world_end(&w);
}

/* Where it is told to, it looks by itself: enough people for a model of their own, made from nobody. */
static void test_proposal__is_made_by_itself_where_that_is_wanted(void **state)
{
    (void)state;
    enum { LOADS = 7 }; /* of PEOPLE each: more than a thousand */
    struct world w;
    world_begin(&w);
    rpc_server_stop(w.server);
    w.propose_every_us = 20 * 1000;
    world_start(&w);
    struct rpc_client *client = world_connect_plain(&w);
    Idem__Admin__V1__ModelProposal *kept;
    uint64_t entries = 0;
    load_people_from(&w, 0);
    usleep(200 * 1000); /* it has looked several times, and too few are no reason */
    assert_fails(&w.s, get_proposal(&w, client, &kept), "mpi.model-unknown");
    for (unsigned load = 1; load < LOADS; load++)
        load_people_from(&w, load * PEOPLE);
    entries = journal_last_seq(engine_journal(w.engine));
    for (int64_t until = clock_mono_us() + WAIT_US; clock_mono_us() < until && get_proposal(&w, client, &kept);)
        usleep(20 * 1000);
    assert_ok(&w.s, get_proposal(&w, client, &kept));
    assert_true(kept->model->records >= 1000 && kept->compared_with == 2);
    assert_non_null(strstr(kept->why, "made from nobody"));
    int64_t made_us = kept->made_us;
    usleep(300 * 1000); /* nobody has looked at it yet, and nothing has changed: it is not made again */
    assert_ok(&w.s, get_proposal(&w, client, &kept));
    assert_true(kept->made_us == made_us);
    assert_int_equal(journal_last_seq(engine_journal(w.engine)), entries);
    assert_int_equal(get_model(&w, client, 0)->version, 2);
    assert_true(get_model(&w, client, 0)->drifted);
    rpc_client_close(client);
    world_end(&w);
}

static void test_model__is_refused_to_who_may_not_and_when_it_is_none(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    struct rpc_client *reader = world_connect(&w, "reader-1"), *root = world_connect(&w, "root-1");
    Idem__Admin__V1__ActivateModelReply *done;
    Idem__Admin__V1__WhatIfModelReply *told;
    uint64_t entries = journal_last_seq(engine_journal(w.engine));
    assert_fails(&w.s, activate(&w, reader, bold(&w), "why", &done), "rpc.no-role");
    assert_fails(&w.s, what_if(&w, reader, bold(&w), 0, &told), "rpc.no-role");
    assert_int_equal(get_model(&w, reader, 0)->version, 2);
    assert_fails(&w.s, activate(&w, root, bold(&w), "", &done), "engine.why-missing");
    assert_fails(&w.s, activate(&w, root, "format: 1\n", "why", &done), "mpi.model-bad");
    assert_fails(&w.s, what_if(&w, root, "name,birth\nAnna,1980\n", 0, &told), "mpi.model-bad");
    assert_int_equal(journal_last_seq(engine_journal(w.engine)), entries);
    rpc_client_close(reader);
    rpc_client_close(root);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_if__tells_what_the_activation_then_does),
        cmocka_unit_test(test_models__are_shown_and_listed),
        cmocka_unit_test(test_model_of_the_index__is_made_without_effect_and_can_be_activated),
        cmocka_unit_test(test_index__is_measured_as_it_is),
        cmocka_unit_test(test_proposal__is_kept_and_activates_nothing),
        cmocka_unit_test(test_proposal__is_made_by_itself_where_that_is_wanted),
        cmocka_unit_test(test_model__is_refused_to_who_may_not_and_when_it_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
