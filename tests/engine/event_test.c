/* What each message type means for identity. Source: [HL7 2.5.1 3.3.x], table 0003. */
#include "event.h"

#include "support.h"

static void test_meaning__follows_the_clause_of_each_trigger(void **state)
{
    (void)state;
    static const struct {
        const char *type, *trigger;
        enum identity_action action;
        bool person_level, needs_identifier;
        const char *clause;
    } cases[] = {
        {"ADT", "A01", IDENTITY_UPDATE, false, true, "3.3.1 admit"},
        {"ADT", "A02", IDENTITY_UPDATE, false, true, "3.3.2 transfer"},
        {"ADT", "A03", IDENTITY_UPDATE, false, true, "3.3.3 discharge"},
        {"ADT", "A04", IDENTITY_UPDATE, false, true, "3.3.4 register"},
        {"ADT", "A05", IDENTITY_UPDATE, false, true, "3.3.5 pre-admit"},
        {"ADT", "A08", IDENTITY_UPDATE, false, true, "3.3.8 update"},
        {"ADT", "A11", IDENTITY_REGISTER, false, true, "3.3.11 cancel admit: a visit, not a person"},
        {"ADT", "A12", IDENTITY_REGISTER, false, true, "3.3.12 cancel transfer"},
        {"ADT", "A13", IDENTITY_REGISTER, false, true, "3.3.13 cancel discharge"},
        {"ADT", "A18", IDENTITY_MERGE, false, true, "3.3.18 merge patient information"},
        {"ADT", "A20", IDENTITY_NONE, false, false, "3.3.20 bed status: no patient"},
        {"ADT", "A23", IDENTITY_REGISTER, false, true, "3.3.23 delete: not forgotten here"},
        {"ADT", "A24", IDENTITY_LINK, false, true, "3.3.24 link"},
        {"ADT", "A28", IDENTITY_UPDATE, true, true, "3.3.28 add person"},
        {"ADT", "A29", IDENTITY_DEACTIVATE, true, true, "3.3.29 delete person"},
        {"ADT", "A30", IDENTITY_MERGE, false, true, "3.3.30 merge person information"},
        {"ADT", "A31", IDENTITY_UPDATE, true, true, "3.3.31 update person"},
        {"ADT", "A34", IDENTITY_MERGE, false, true, "3.3.34 merge patient id only"},
        {"ADT", "A35", IDENTITY_REGISTER, false, true, "3.3.35 merge account: not the person"},
        {"ADT", "A36", IDENTITY_MERGE, false, true, "3.3.36 merge patient id and account"},
        {"ADT", "A37", IDENTITY_UNLINK, false, true, "3.3.37 unlink"},
        {"ADT", "A39", IDENTITY_MERGE, false, true, "3.3.39 merge person"},
        {"ADT", "A40", IDENTITY_MERGE, false, true, "3.3.40 merge patient identifier list"},
        {"ADT", "A41", IDENTITY_REGISTER, false, true, "3.3.41 merge account"},
        {"ADT", "A42", IDENTITY_REGISTER, false, true, "3.3.42 merge visit"},
        {"ADT", "A43", IDENTITY_REGISTER, false, true, "3.3.43 move identifier list: shown, not guessed"},
        {"ADT", "A44", IDENTITY_REGISTER, false, true, "3.3.44 move account"},
        {"ADT", "A45", IDENTITY_REGISTER, false, true, "3.3.45 move visit"},
        {"ADT", "A46", IDENTITY_REGISTER, false, true, "3.3.46 change PID-2"},
        {"ADT", "A47", IDENTITY_MERGE, false, true, "3.3.47 change identifier list: old number retired"},
        {"ADT", "A49", IDENTITY_REGISTER, false, true, "3.3.49 change account number"},
        {"ADT", "A50", IDENTITY_REGISTER, false, true, "3.3.50 change visit number"},
        {"ADT", "A99", IDENTITY_UPDATE, false, true, "unknown trigger: PID says who"},
        {"ADT", "", IDENTITY_UPDATE, false, true, "no trigger"},
        {"ADT", "a40", IDENTITY_UPDATE, false, true, "codes are capitals"},
        {"ORU", "R01", IDENTITY_REGISTER, false, false, "7.3.1 results"},
        {"ORU", "A40", IDENTITY_REGISTER, false, false, "a trigger means something with its type only"},
        {"ORM", "O01", IDENTITY_REGISTER, false, false, "4.4.1 orders"},
        {"SIU", "S12", IDENTITY_REGISTER, false, false, "10.4.1 scheduling"},
        {"VXU", "V04", IDENTITY_REGISTER, false, false, "4.17.3 vaccination"},
        {"MDM", "T02", IDENTITY_REGISTER, false, false, "9.6.2 document"},
        {"ACK", "A40", IDENTITY_NONE, false, false, "2.14.1 an answer names nobody"},
        {"MCF", "", IDENTITY_NONE, false, false, "2.14.2"},
        {"", "", IDENTITY_REGISTER, false, false, "no type"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct event_meaning got = event_meaning(str_from(cases[i].type), str_from(cases[i].trigger));
        if (got.action != cases[i].action || got.person_level != cases[i].person_level ||
            got.needs_identifier != cases[i].needs_identifier)
            fail_msg("%s^%s (%s): action %d", cases[i].type, cases[i].trigger, cases[i].clause, got.action);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meaning__follows_the_clause_of_each_trigger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
