/*
 * Every file cmd_<name>.c has one list of rows, named here; commands.c puts the lists in order. Also what several
 * commands show.
 */
#pragma once

#include "line.h"

extern const struct cli_command cli_send_commands[], cli_trace_commands[], cli_messages_commands[],
    cli_person_commands[], cli_why_commands[], cli_identify_commands[], cli_people_commands[], cli_review_commands[],
    cli_codes_commands[], cli_route_commands[], cli_dlq_commands[], cli_journal_commands[], cli_status_commands[],
    cli_pki_commands[], cli_gen_commands[], cli_eval_commands[], cli_model_commands[], cli_score_commands[],
    cli_self_commands[];
#ifdef IDEM_CLI_BENCH
extern const struct cli_command cli_bench_commands[];
#endif

/* Calls, and on success writes the reply as JSON when --json is on; *out_reply for readable output otherwise.
 * Use: if (!cli_ask(run, …, &reply, &exit)) return exit; */
bool cli_ask(struct cli_run *run, const char *method, const ProtobufCMessage *request,
             const ProtobufCMessageDescriptor *reply_type, const char *next, void *out_reply, enum cli_exit *out_exit);

/* A model's text from a file. base.file, mpi.model-bad. Free with mpi_model_free(). */
struct mpi_model;
status cli_read_model(struct ctx *cx, const char *path, struct mpi_model **out_model);

/* Screens of one reply each; tested without a daemon. */
void cli_show_trace(struct cli_show *show, const Idem__Admin__V1__Trace *trace, bool all);
void cli_show_changes(struct cli_show *show, Idem__Admin__V1__TraceChange *const *changes, size_t count, bool all);
void cli_show_codes(struct cli_show *show, Idem__Admin__V1__TraceCode *const *codes, size_t count);
void cli_show_steps(struct cli_show *show, Idem__Admin__V1__TraceStep *const *steps, size_t count);
void cli_show_status(struct cli_show *show, const Idem__Admin__V1__Status *reply, int64_t now_us);
void cli_show_status_line(struct cli_show *show, const Idem__Admin__V1__Status *reply);
void cli_show_person(struct cli_show *show, const Idem__Identity__V1__Person *person);
void cli_show_review(struct cli_show *show, const Idem__Identity__V1__Review *review);
void cli_show_why(struct cli_show *show, const Idem__Identity__V1__WhyReply *why);
void cli_show_comparison(struct cli_show *show, const Idem__Identity__V1__Comparison *comparison);

/* "note  Loinc.csv:7  loinc.check-digit: …": never cut, since it says what to do. `line` 0 = the whole file. */
void cli_show_finding(struct cli_show *show, bool fatal, struct str file, uint64_t line, struct str rule,
                      struct str what);

/* Pages of messages in a row: as many as were asked for, or all there are; `out` says where to go on, as a reply does.
 * Lines stay where the pages put them. */
typedef status cli_page_fn(void *arg, const Idem__Admin__V1__ListMessagesRequest *ask,
                           Idem__Admin__V1__ListMessagesReply **out_reply);
status cli_gather_messages(struct arena *arena, cli_page_fn *page, void *arg, uint64_t max, uint64_t before,
                           bool refused, Idem__Admin__V1__ListMessagesReply *out);

/* What each destination would get; those whose message did not fit into the reply are named. `all`: the messages too.
 */
void cli_show_outputs(struct cli_show *show, const Idem__Admin__V1__TestRouteReply *reply, bool all);

/* A message of HL7 segments, one a line, safe. */
void cli_show_message(struct cli_show *show, struct str message);

/* How people call a code system: "SCT" for http://snomed.info/sct; local ones as they are. */
const char *cli_system_name(const char *system);

/* One line each, raw (not yet safe), in the arena: for cells. */
struct str cli_name_line(struct arena *arena, const Idem__Identity__V1__Name *name);
struct str cli_address_line(struct arena *arena, const Idem__Identity__V1__Address *address);
struct str cli_identifier_line(struct arena *arena, const Idem__Identity__V1__Identifier *identifier);

static inline void cli_end_line(struct cli_show *show)
{
    buf_put_byte(show->out, '\n');
}
