#include "event.h"

struct event_meaning event_meaning(struct str type, struct str trigger)
{
    static const struct {
        char trigger[4];
        struct event_meaning meaning;
    } adt[] = {
        {"A18", {IDENTITY_MERGE, false, true}}, /* merge patient information, before 2.3.1 */
        {"A24", {IDENTITY_LINK, false, true}},
        {"A28", {IDENTITY_UPDATE, true, true}},
        {"A29", {IDENTITY_DEACTIVATE, true, true}},
        {"A31", {IDENTITY_UPDATE, true, true}},
        {"A30", {IDENTITY_MERGE, false, true}}, /* merge person information, before 2.3.1 */
        {"A34", {IDENTITY_MERGE, false, true}}, /* merge patient identifiers, before 2.3.1 */
        {"A36", {IDENTITY_MERGE, false, true}}, /* patient and account number; the account is not ours */
        {"A37", {IDENTITY_UNLINK, false, true}},
        {"A39", {IDENTITY_MERGE, false, true}},
        {"A40", {IDENTITY_MERGE, false, true}},
        {"A47", {IDENTITY_MERGE, false, true}}, /* a number corrected: MRG-1 is retired into PID-3 */
        /* cancels undo a visit, never an identity; account and visit merges do not touch the person */
        {"A11", {IDENTITY_REGISTER, false, true}},
        {"A12", {IDENTITY_REGISTER, false, true}},
        {"A13", {IDENTITY_REGISTER, false, true}},
        {"A23", {IDENTITY_REGISTER, false, true}}, /* a record deleted there is not forgotten here */
        {"A35", {IDENTITY_REGISTER, false, true}},
        {"A41", {IDENTITY_REGISTER, false, true}},
        {"A42", {IDENTITY_REGISTER, false, true}},
        {"A43", {IDENTITY_REGISTER, false, true}},
        {"A44", {IDENTITY_REGISTER, false, true}},
        {"A45", {IDENTITY_REGISTER, false, true}},
        {"A46", {IDENTITY_REGISTER, false, true}},
        {"A48", {IDENTITY_REGISTER, false, true}},
        {"A49", {IDENTITY_REGISTER, false, true}},
        {"A50", {IDENTITY_REGISTER, false, true}},
        {"A51", {IDENTITY_REGISTER, false, true}},
        {"A20", {IDENTITY_NONE, false, false}}, /* bed status */
    };
    if (str_is(type, "ACK") || str_is(type, "MCF"))
        return (struct event_meaning){IDENTITY_NONE, false, false};
    if (!str_is(type, "ADT"))
        return (struct event_meaning){IDENTITY_REGISTER, false, false};
    for (size_t i = 0; i < sizeof adt / sizeof adt[0]; i++)
        if (str_is(trigger, adt[i].trigger))
            return adt[i].meaning;
    return (struct event_meaning){IDENTITY_UPDATE, false, true};
}
