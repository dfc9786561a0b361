/*
 * Which model an index links by: activating another one, and what was active when.
 *
 * A version is one text for ever; comparisons name the version that made them. 2 is the general model; those of a site
 * are counted from 100. Activating an earlier text again takes back whatever came after it.
 *
 * Threads: as mpi.h: mpi_apply_model() and mpi_rescore() from the one writer, the others from any thread.
 */
#pragma once

#include "mpi/model.h"
#include "mpi/mpi.h"

struct mpi_activated {
    uint32_t version;
    uint64_t persons_before, persons_after;
    uint64_t moved;                         /* records that belong to another person now */
    uint64_t reviews_before, reviews_after; /* open ones */
};

/*
 * From here on the index links by the model of this text: every row and edge is scored anew, everybody is clustered
 * anew, open questions that are none any more are closed and new ones asked. Comparisons that were kept stay as they
 * were. mpi.model-bad; mpi.too-many when it would ask more than 16 million questions. Names and texts are copied.
 *
 * Time: as long as comparing everybody again, some 90 us a record (210,000: 19 s), and no other entry is applied
 * meanwhile; readers are kept out for the commit alone, 3 us a record. Memory: rows and edges a second time until the
 * commit, some 400 bytes a record.
 */
status mpi_apply_model(struct mpi *mpi, struct data_txn *txn, struct ctx *cx, uint64_t seq, struct str text,
                       struct str why, struct mpi_activated *out_activated);

/* True after mpi_open() when the stored edges are of another model than the active one: an idem with another general
 * model wrote them. Nothing else may be applied before mpi_rescore(). */
bool mpi_is_stale(const struct mpi *mpi);
/* Scores and clusters everybody by the active model, as mpi_apply_model() does. `seq`: the last applied entry. */
status mpi_rescore(struct mpi *mpi, struct data_txn *txn, struct ctx *cx, uint64_t seq);

struct mpi_activation_row {
    uint64_t seq; /* the entry */
    uint32_t version;
    int64_t time_us;
    struct str name, by, why;
};
/* Newest first, below entry `before` (0 = from the newest, which is the active one), at most `max`; go on with
 * *out_next_before, 0 = that was all. None at all: the general model was never replaced. */
status mpi_activations(struct mpi *mpi, struct ctx *cx, uint64_t before, size_t max,
                       struct mpi_activation_row **out_rows, size_t *out_count, uint64_t *out_next_before);
/* The text of a version, 0: of the active one, whose version it also answers. mpi.model-unknown. */
status mpi_model_text(struct mpi *mpi, struct ctx *cx, uint32_t version, struct str *out_text, uint32_t *out_version);
/* The version of the active one. Threads: any reader. */
uint32_t mpi_model_version(struct mpi *mpi);
