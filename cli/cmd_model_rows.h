/* The rows of `idem model`; included by cmd_model.c alone. */
#pragma once

#define MAP_OPTION                                                                                                     \
    {                                                                                                                  \
        "map", CLI_FILE, "MAP", NULL,                                                                                  \
            "YAML that says what the columns mean; without it they have the names of people load", NULL                \
    }

#define MODEL_OPTION                                                                                                   \
    {                                                                                                                  \
        "model", CLI_FILE, "MODEL", NULL, "with files: linked by this model (YAML); the general one when left out",    \
            NULL                                                                                                       \
    }

static const struct cli_argument show_arguments[] = {
    {"VERSION", CLI_NUMBER, true, false, "which one; the active one when left out", NULL}, {0}};
static const struct cli_argument export_arguments[] = {
    {"FILE", CLI_FILE, false, false, "where it goes, - for standard output", NULL}, {0}};
static const struct cli_option export_options[] = {
    {"version", CLI_NUMBER, "N", NULL, "which one; the active one when left out", NULL}, {0}};
static const struct cli_option list_options[] = {
    {"max", CLI_NUMBER, "N", "100", "how many at most, to 1,000", NULL},
    {"before", CLI_NUMBER, "SEQ", NULL, "only those before this journal number", NULL},
    {0}};
static const struct cli_argument train_arguments[] = {
    {"FILE", CLI_FILE, true, true, "CSV of people, each file a source; the daemon's index when left out", NULL}, {0}};
static const struct cli_option train_options[] = {
    MAP_OPTION,
    {"out", CLI_FILE, "MODEL", NULL, "where the model goes, - for standard output", NULL},
    {"wrong-cost", CLI_NUMBER, "N", NULL,
     "what a wrong link costs, in questions to a person: sets from where links are made", NULL},
    {"missed-cost", CLI_NUMBER, "N", NULL,
     "what a missed link costs, in questions: with --wrong-cost, from where is asked", NULL},
    {"name", CLI_TEXT, "NAME", "trained", "how it is called: letters, digits and . : + - _", NULL},
    {0}};
static const struct cli_argument whatif_arguments[] = {
    {"MODEL", CLI_FILE, false, false, "the model to try (YAML)", NULL},
    {"FILE", CLI_FILE, true, true, "CSV of people to try it on; the daemon's index when left out", NULL},
    {0}};
static const struct cli_option whatif_options[] = {
    MAP_OPTION,
    {"against", CLI_FILE, "MODEL", NULL, "with files: the model to compare with; the general one when left out", NULL},
    {"list", CLI_NUMBER, "N", "20", "list at most N of the records whose person would change, to 10,000", NULL},
    {0}};
static const struct cli_option proposal_options[] = {
    {"out", CLI_FILE, "MODEL", NULL, "write the model there, - for standard output", NULL}, {0}};
static const struct cli_argument measured_arguments[] = {
    {"FILE", CLI_FILE, true, true, "CSV of people, each file a source; the daemon's index when left out", NULL}, {0}};
static const struct cli_option blocking_options[] = {MAP_OPTION, MODEL_OPTION, {0}};
static const struct cli_option calibrate_options[] = {
    MAP_OPTION,
    MODEL_OPTION,
    {"truth", CLI_TEXT, "COLUMN", NULL, "with files: which human a row is about", NULL},
    {"truth-file", CLI_FILE, "CSV", NULL, "the truth is there: authority, id, and the column of --truth, or person",
     NULL},
    {0}};
static const struct cli_argument activate_arguments[] = {{"MODEL", CLI_FILE, false, false, "the model (YAML)", NULL},
                                                         {0}};
static const struct cli_option activate_options[] = {
    {"why", CLI_TEXT, "TEXT", NULL, "kept in the journal and shown by idem model list", NULL}, {0}};

const struct cli_command cli_model_commands[] = {
    {.group = "model",
     .name = "show",
     .arguments = show_arguments,
     .does = "show what a model says about itself",
     .example = "idem model show",
     .needs_daemon = true,
     .run = run_show},
    {.group = "model",
     .name = "list",
     .options = list_options,
     .does = "list what was activated, when, by whom and why; the first one counts",
     .example = "idem model list",
     .needs_daemon = true,
     .run = run_list},
    {.group = "model",
     .name = "export",
     .arguments = export_arguments,
     .options = export_options,
     .does = "write a model as text",
     .more =
         "The text has every figure of the model, and values (names, towns, numbers that occur often) as hashes. Who "
         "has a list of names can find out which of them are in it: keep it as carefully as the index.",
     .example = "idem model export model.yaml",
     .needs_daemon = true,
     .run = run_export},
    {.group = "model",
     .name = "train",
     .arguments = train_arguments,
     .options = train_options,
     .does = "make a model from people, without being told who is who; changes nothing",
     .more =
         "With files it happens in this process. Without, the daemon copies its index (about 500 bytes a record) and "
         "trains on the copy, with less priority than its other work, and ends when this program is stopped. What "
         "stewards "
         "decided counts for pairs that look just alike, and what that changed is shown. Try the model with idem model "
         "whatif before it is activated.",
     .example = "idem model train north.csv lake.csv --out here.yaml",
     .takes_long = true,
     .run = run_train},
    {.group = "model",
     .name = "whatif",
     .arguments = whatif_arguments,
     .options = whatif_options,
     .does = "say what a model would change: everybody is linked by it and by the one before, without effect",
     .more = "Questions are pairs of persons that are alike and undecided. Records are listed by groups: persons "
             "before and "
             "after that share records. Without files the daemon's index is compared with its active model, decisions "
             "kept, on a copy.",
     .example = "idem model whatif here.yaml north.csv lake.csv",
     .takes_long = true,
     .run = run_whatif},
    {.group = "model",
     .name = "propose",
     .does = "make a model from the index, try it and keep both as a proposal; changes nothing",
     .more =
         "As idem model train and then whatif, on copies in the daemon. It does so by itself, every so often, where "
         "models: propose is set in its configuration and the people are no longer those that the active model was "
         "made "
         "from: half as many records more, a third less, or values that are said less often or are others. It never "
         "activates one.",
     .example = "idem model propose",
     .needs_daemon = true,
     .takes_long = true,
     .run = cli_model_propose},
    {.group = "model",
     .name = "proposal",
     .options = proposal_options,
     .does = "show the model that is proposed: why, and what it would change",
     .more = "Write it with --out and activate it with idem model activate.",
     .example = "idem model proposal --out proposed.yaml",
     .needs_daemon = true,
     .run = cli_model_proposal},
    {.group = "model",
     .name = "blocking",
     .arguments = measured_arguments,
     .options = blocking_options,
     .does = "say which records are put side by side: pairs of every rule, largest blocks, how many links it may miss",
     .more =
         "Records are compared when they share a key of one of these rules; a key that too many share is narrowed. "
         "Pairs that share several keys count under each. Linked pairs are those at or above the automatic threshold, "
         "alone those that one rule only finds. What is missed is Chao's lower bound: with known truth idem eval "
         "people --blocking counts it.",
     .example = "idem model blocking",
     .takes_long = true,
     .run = cli_model_blocking},
    {.group = "model",
     .name = "calibrate",
     .arguments = measured_arguments,
     .options = calibrate_options,
     .does = "say whether what a model calls 99 % is right 99 times of 100: band by band",
     .more =
         "Without files by what stewards decided and stands: pairs said to be the same person or different ones, "
         "weighed "
         "by the active model as their records are now. Stewards are asked about doubtful pairs, so this speaks of the "
         "bands, not of all pairs together; the second error weighs each band by how many pairs of the index are in "
         "it. "
         "With files by their truth, over all pairs at or above the review threshold.",
     .example = "idem model calibrate north.csv lake.csv --truth-file truth.csv --model here.yaml",
     .takes_long = true,
     .run = cli_model_calibrate},
    {.group = "model",
     .name = "activate",
     .arguments = activate_arguments,
     .options = activate_options,
     .does = "link by this model from now on: everybody is scored and clustered anew",
     .more =
         "Nothing else is applied meanwhile: senders that wait for an application acknowledgement wait. When this "
         "program is stopped or times out the activation goes on; idem model list says when it is done. Activating the "
         "model before takes it back.",
     .example = "idem model activate here.yaml --why retrained",
     .needs_daemon = true,
     .takes_long = true,
     .run = run_activate},
    {0}};
