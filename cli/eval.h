/*
 * `idem eval`: how well a model tells people apart whose truth is known. Everything happens in this process; the truth
 * is used for counting only.
 */
#pragma once

#include "cli/run.h"
#include "people_map.h"

#include "base/map.h"
#include "base/vec.h"
#include "mpi/measure.h"
#include "mpi/study.h"

/* ---- everybody ---- */

struct eval_person {
    struct str id; /* as the files say it; "line 7" without one */
    uint64_t line;
    uint32_t truth;     /* the human; 0 = not known: counts nowhere */
    uint32_t household; /* 0 = not known */
    uint32_t file;
};

/* Records are numbered from 1, as in the study: record r is persons.at[r - 1]. */
struct eval_people {
    struct mpi_study *study;
    struct arena texts;
    VEC(struct eval_person) persons;
    struct map by_number; /* authority, 0x1F, id: the record */
    struct map humans;    /* what the truth says: the human, from 1 */
    struct map households;
    uint32_t files;
    uint64_t left_out; /* rows that are not sound, or name a record that is there already */
};

/* Reads the files, from argument `first` on, into a study; what is odd is said on stderr. Free with eval_people_fini().
 * base.file, cli.people-file, mpi.too-many. */
status eval_people_read(struct cli_run *run, const struct people_map *map, size_t first,
                        struct eval_people *out_people);
/* The truth from a file of its own, with the columns authority, id and `column`; household too when it is there.
 * base.file, cli.people-file. */
status eval_people_read_truth(struct cli_run *run, struct eval_people *people, const char *path, const char *column);
/* Files, map and truth as the options --map, --truth and --truth-file say. */
status eval_people_read_known(struct cli_run *run, struct people_map *out_map, struct eval_people *out_people);
void eval_people_fini(struct eval_people *people);

/* ---- what is measured ---- */

/* The clusters as the index makes them; as they would be did it link at even odds and ask nobody; as they would be had
 * somebody answered every question rightly. */
enum eval_clusters { EVAL_AUTOMATIC, EVAL_EVEN, EVAL_ANSWERED, EVAL_CLUSTERS };

/* Why a pair of records of one human is not one person. */
enum eval_cause {
    EVAL_NO_KEY,     /* alike, but nothing put them side by side */
    EVAL_TOO_LITTLE, /* below the review threshold */
    EVAL_ASKED,      /* a steward would be asked */
    EVAL_REST,       /* linked by themselves, but not with the rest of the persons */
    EVAL_CAUSES
};

/* Questions to a steward. */
struct eval_asked {
    uint64_t open;   /* as it is: different pairs of persons */
    uint64_t in_all; /* those and the ones that came up after answers, until nobody asks */
    uint32_t rounds;
};

struct eval_report {
    uint64_t records, left_out, truth_missing;
    struct mpi_agreement clusters[EVAL_CLUSTERS];
    bool has_even;
    uint64_t causes[EVAL_CAUSES]; /* of the missed pairs */
    uint64_t wrong_in_household;  /* wrong pairs of two humans who live together */
    uint64_t wrong_by_themselves; /* wrong pairs that are linked by their own evidence; the others by a third */
    uint64_t alike, alike_right;  /* pairs at or above the review threshold */
    struct eval_asked asked;
    struct mpi_calibration calibration; /* of the pairs that are alike */
    uint64_t compared;
    double read_seconds, train_seconds, link_seconds;
    uint64_t peak_bytes;
};

/* The clusters of the last mpi_study_link(). `across`: only pairs between two files count. */
void eval_measure_clusters(const struct eval_people *people, bool across, struct mpi_agreement *out_agreement);
/* Asks and answers. out_joined[person], for every record number and 0: another one that is the same person, itself when
 * there is none. */
void eval_ask(const struct eval_people *people, struct eval_asked *out_asked, uint32_t *out_joined);
/* Everything the study knows after mpi_study_link(); EVAL_EVEN and what was timed are the caller's. */
void eval_measure(const struct eval_people *people, bool across, struct eval_report *out_report);
void eval_show_report(struct cli_show *show, const struct eval_report *report);
void eval_json_report(struct json *json, const struct eval_report *report);

/* ---- what went wrong ---- */

extern const char *const eval_cause_names[EVAL_CAUSES];

/* Visits every pair of records of one human. */
typedef void eval_pair_fn(void *arg, uint32_t left, uint32_t right);
void eval_each_true_pair(const struct eval_people *people, bool across, eval_pair_fn *visit, void *arg);

/* Visits every pair that went wrong: put together though two humans (`wrong`), or missed, with its cause. */
typedef void eval_miss_fn(void *arg, bool wrong, uint32_t left, uint32_t right, enum eval_cause cause);
void eval_each_miss(const struct eval_people *people, bool across, eval_miss_fn *visit, void *arg);

/* At most `max` of them a kind, evenly taken, with their evidence and without values. */
void eval_show_misses(struct cli_show *show, const struct eval_people *people, bool across,
                      const struct eval_report *report, uint64_t max);
void eval_json_misses(struct json *json, const struct eval_people *people, bool across,
                      const struct eval_report *report, uint64_t max);

/* One pair: `what` it is about, `why`, ids, score and evidence. */
void eval_show_pair(struct cli_show *show, const struct eval_people *people, uint32_t left, uint32_t right,
                    const char *what, const char *why);
void eval_json_pair(struct json *json, const struct eval_people *people, uint32_t left, uint32_t right,
                    const char *what, const char *why);

/* ---- what the evidence is worth ---- */

/* Every level of every field: how often among pairs of one human, how often among pairs picked blindly, what that makes
 * it worth, and what the model thought. For finding weights that are wrong; from the truth, so never for making them.
 */
void eval_show_levels(struct cli_show *show, const struct eval_people *people, bool across);
void eval_json_levels(struct json *json, const struct eval_people *people, bool across);

/* ---- what blocking does ---- */

/* Of every rule, and how many pairs of one human it puts side by side. About 20 us a pair. */
void eval_show_blocking(struct cli_run *run, const struct eval_people *people, bool across);
void eval_json_blocking(struct cli_run *run, struct json *json, const struct eval_people *people, bool across);

/* ---- labelled pairs ---- */

enum eval_label { EVAL_MATCH, EVAL_POSSIBLE, EVAL_NO, EVAL_LABELS };
struct eval_judged {
    uint32_t left, right;
    enum eval_label said, got; /* by the label, by the index: linked, asked about, apart */
};
struct eval_confusion {
    VEC(struct eval_judged) judged;
    uint64_t pairs[EVAL_LABELS][EVAL_LABELS]; /* said, got */
    uint64_t left_out;                        /* a label or an id that is not known */
};
/* Free with VEC_FINI(&confusion.judged). base.file, cli.people-file. */
status eval_labels_read(struct cli_run *run, const struct people_map *map, const struct eval_people *people,
                        const char *path, struct eval_confusion *out_confusion);
/* With at most `misses_max` pairs of each cell that should be empty. */
void eval_show_confusion(struct cli_show *show, const struct eval_people *people,
                         const struct eval_confusion *confusion, uint64_t misses_max);
void eval_json_confusion(struct json *json, const struct eval_people *people, const struct eval_confusion *confusion,
                         uint64_t misses_max);
