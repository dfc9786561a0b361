/*
 * Bounds that several rooms share: what one message, one call, one configured thing may be. Those of one room stand
 * beside the code that keeps them. docs/limits.md lists all of them, says what happens at each, and which test goes
 * there. Derived bounds are checked at compile time.
 */
#pragma once

enum {
    LIMIT_MESSAGE_BYTES = 16 * 1024 * 1024,      /* one HL7 v2 message as received */
    LIMIT_MESSAGE_SEGMENTS = 100 * 1000,         /* segments of one message */
    LIMIT_BATCH_MESSAGES = 100 * 1000,           /* messages of one FHS/BHS batch */
    LIMIT_IDENTIFIERS_PER_RECORD = 256,          /* repetitions of PID-3 we keep */
    LIMIT_NAMES_PER_RECORD = 64,                 /* repetitions of PID-5 we keep */
    LIMIT_FIELD_VALUE_BYTES = 4096,              /* one demographic value as kept for matching */
    LIMIT_CONTROL_ID_BYTES = 199,                /* MSH-10: ST(199) from 2.8; longer ones are refused */
    LIMIT_MLLP_CONNECTIONS = 1024,               /* open connections of one MLLP source */
    LIMIT_GRPC_MESSAGE_BYTES = 17 * 1024 * 1024, /* one gRPC request: a message and its envelope */
    LIMIT_GRPC_ARENA_BYTES = 64 * 1024 * 1024,   /* unpacked request */
    LIMIT_GRPC_DEPTH = 32,                       /* nesting of a request on the wire */
    LIMIT_REQUEST_ARENA_BYTES = 256 * 1024 * 1024,
    LIMIT_NAME_BYTES = 72, /* a configured name: 64 characters, NUL, rounded */
    LIMIT_DESTINATIONS = 256,
    LIMIT_ROUTES = 256,
    LIMIT_CODES_PER_MESSAGE = 100 * 1000, /* coded elements looked at for all routes of one message; beyond: refused */
    LIMIT_WORK_ITEMS_PER_ENTRY = 5000, /* codes to map of one message that are told apart; beyond: counted together */
    LIMIT_CODED_BYTES = 64 * 1024 * 1024, /* of coded elements, counted for each rule of each route; beyond: refused */
    LIMIT_CHANGES_LISTED = 100 * 1000,    /* changes of one message in its trace; a last line says how many more */
    LIMIT_MADE_BYTES = 64 * 1024 * 1024,  /* bytes made of one message for all its routes; beyond: refused */
    LIMIT_REHEARSED_BYTES = 32 * 1024 * 1024, /* of messages shown by one TestRoute; the reply counts those left out */
    LIMIT_PATIENTS_PER_MESSAGE = 1000,        /* PID segments identified in one message; beyond: refused */
    LIMIT_MERGES_PER_MESSAGE = 200, /* PID + MRG groups; an entry holds 256 decisions (mpi/); beyond: refused */
    LIMIT_VALUES_PER_ENTRY =
        100 * 1000, /* identifiers, names, addresses, phones, e-mails said in one entry; beyond: refused */
    LIMIT_IDENTITY_ROWS_BYTES = 64 * 1024 * 1024, /* of records read and written for one entry; beyond: refused */
    LIMIT_PEOPLE_PER_LOAD = 1000, /* records of one LoadPeople call, journaled as one entry; beyond: refused */
    LIMIT_JOURNAL_QUEUE_BYTES = 64 * 1024 * 1024, /* waiting for the journal's next sync; beyond: senders wait */
    LIMIT_JOURNAL_QUEUE_ENTRIES = 64 * 1024,      /* the same in entries */
    LIMIT_HELD_BYTES = 128 * 1024 * 1024,         /* messages of gRPC calls held until then; beyond: rpc.busy */
    LIMIT_LANE_FEED_BYTES = 32 * 1024 * 1024,     /* committed, on its way to the lanes; beyond: read from the table */
    LIMIT_MODEL_BYTES = 16 * 1024 * 1024,         /* text of a model: some 600,000 values; beyond: refused */
    LIMIT_PERSON_BYTES = 16 * 1024 * 1024,        /* rows of one person shown at once; beyond: record by record */
};

_Static_assert((int)LIMIT_GRPC_MESSAGE_BYTES > (int)LIMIT_MESSAGE_BYTES, "a message must fit in a request");
_Static_assert((int)LIMIT_JOURNAL_QUEUE_BYTES >= 2 * (int)LIMIT_GRPC_MESSAGE_BYTES, "the largest entry fits in half");
_Static_assert((int)LIMIT_VALUES_PER_ENTRY >= 50 * (int)LIMIT_PEOPLE_PER_LOAD, "a load of people as they are fits");
_Static_assert((int)LIMIT_IDENTITY_ROWS_BYTES >= 4 * (int)LIMIT_MESSAGE_BYTES,
               "the largest message may change all that it names: rows read, kept as a version, written");
_Static_assert((int)LIMIT_CODES_PER_MESSAGE >= (int)LIMIT_MESSAGE_SEGMENTS,
               "a rule for one field of each segment fits");
_Static_assert((int)LIMIT_CODED_BYTES >= 4 * (int)LIMIT_MESSAGE_BYTES, "a few rules for all of a message fit");
_Static_assert((int)LIMIT_MADE_BYTES >= 2 * (int)LIMIT_MESSAGE_BYTES, "the largest message can be edited");
