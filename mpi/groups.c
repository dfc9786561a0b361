#include "cluster_internal.h"

#include <stdlib.h>

/*
 * Guarded agglomeration. Per piece: first what decisions say (newest first; one that contradicts a newer one has no
 * effect), then greedily the pair of groups with the highest mean evidence, as long as one of its links is strong
 * enough, the joint evidence of all cross pairs is positive, and nothing forbids it. Weak and missing links count
 * against with what the two records really score. Every choice is by score and identifier key, so arrival order cannot
 * matter.
 */

int32_t cluster_least_tie(const struct mpi_model *model)
{
    return model->guesses ? model->auto_mbit : model->auto_mbit - model->alone_mbit;
}

enum { RIVAL_MBIT = 7000 };

struct piece {
    struct mpi *mpi;
    uint32_t *records; /* one for each node, in the order of their identifier keys */
    uint32_t count;
    const struct nodes *all; /* with those whom another stands for; each one's note tells its node */
    uint32_t *group;         /* of each record: the smallest member's place */
    uint32_t *retired;       /* record number it is retired into, 0 */
    uint8_t *apart;          /* count x count, by group */
    uint8_t *held;           /* count x count, of bodies, then by group: a strongest pair must not link by itself */
    int64_t *sum;            /* count x count, by group: evidence of all cross pairs of bodies of evidence */
    int32_t *best;           /* count x count, by group: strongest cross pair */
    int32_t *link;           /* count x count, by group: strongest cross pair that may link by itself */
    struct levels *joint;    /* count x count, by group: what all their records say together; NULL: does not count */
    int32_t *together;       /* count x count, by group: the weight of that */
    uint32_t *size;          /* bodies of evidence in the group */
    uint32_t *live;          /* the groups that there still are, ascending */
    uint32_t live_count;
};

static size_t cell(const struct piece *piece, uint32_t a, uint32_t b)
{
    return (size_t)a * piece->count + b;
}

/* Symmetric: kept once. */
static struct levels *joint_of(const struct piece *piece, uint32_t a, uint32_t b)
{
    return &piece->joint[a < b ? cell(piece, a, b) : cell(piece, b, a)];
}

static void weigh_together(struct piece *piece, uint32_t a, uint32_t b)
{
    piece->together[cell(piece, a, b)] = piece->together[cell(piece, b, a)] =
        weigh_levels(piece->mpi->model, joint_of(piece, a, b));
}

static void join_groups(struct piece *piece, uint32_t a, uint32_t b)
{
    uint32_t keep = a < b ? a : b, gone = a < b ? b : a;
    for (uint32_t i = 0; i < piece->count; i++)
        if (piece->group[i] == gone)
            piece->group[i] = keep;
    for (uint32_t i = 0; i < piece->count; i++) {
        piece->apart[cell(piece, keep, i)] |= piece->apart[cell(piece, gone, i)];
        piece->apart[cell(piece, i, keep)] |= piece->apart[cell(piece, i, gone)];
        piece->held[cell(piece, keep, i)] |= piece->held[cell(piece, gone, i)];
        piece->held[cell(piece, i, keep)] |= piece->held[cell(piece, i, gone)];
        piece->sum[cell(piece, keep, i)] += piece->sum[cell(piece, gone, i)];
        piece->sum[cell(piece, i, keep)] += piece->sum[cell(piece, i, gone)];
        int32_t best = piece->best[cell(piece, gone, i)], link = piece->link[cell(piece, gone, i)];
        if (best > piece->best[cell(piece, keep, i)])
            piece->best[cell(piece, keep, i)] = piece->best[cell(piece, i, keep)] = best;
        if (link > piece->link[cell(piece, keep, i)])
            piece->link[cell(piece, keep, i)] = piece->link[cell(piece, i, keep)] = link;
        if (piece->joint == NULL || i == keep || i == gone)
            continue;
        levels_join(piece->mpi->model, joint_of(piece, keep, i), joint_of(piece, gone, i));
        weigh_together(piece, keep, i);
    }
    piece->size[keep] += piece->size[gone];
    piece->size[gone] = 0;
}

/* After decisions have joined what they join. */
static void find_live(struct piece *piece)
{
    piece->live_count = 0;
    for (uint32_t i = 0; i < piece->count; i++)
        if (piece->size[i] > 0)
            piece->live[piece->live_count++] = i;
}

static int order_decisions(const void *left, const void *right)
{
    const struct decision *a = *(const struct decision *const *)left, *b = *(const struct decision *const *)right;
    return a->id > b->id ? -1 : a->id < b->id; /* newest first */
}

/* Merges of two into each other may both stand once what was between them is undone: the newer one holds. Who is
 * retired is tied to whom it is retired into, so all of the way is in the piece. */
static bool closes_circle(const struct piece *piece, uint32_t into, uint32_t record)
{
    while (into != 0 && into != record)
        into = piece->retired[CHUNK_AT(&piece->mpi->notes, into)->local];
    return into == record;
}

static void apply_decision(struct piece *piece, const struct decision *decision)
{
    uint32_t left = CHUNK_AT(&piece->mpi->notes, decision->left)->local;
    uint32_t right = CHUNK_AT(&piece->mpi->notes, decision->right)->local;
    uint32_t a = piece->group[left], b = piece->group[right];
    if (!decision_ties(decision->kind)) {
        if (a != b)
            piece->apart[cell(piece, a, b)] = piece->apart[cell(piece, b, a)] = 1;
        return;
    }
    if (a != b && piece->apart[cell(piece, a, b)])
        return; /* something newer says otherwise */
    if (a != b)
        join_groups(piece, a, b);
    if (decision->kind == MPI_DECISION_MERGE && piece->retired[right] == 0 &&
        !closes_circle(piece, decision->left, decision->right))
        piece->retired[right] = decision->left;
}

static void apply_decisions(struct piece *piece)
{
    struct mpi *mpi = piece->mpi;
    VEC(const struct decision *) found = {0};
    for (uint32_t i = 0; i < piece->count; i++) {
        uint32_t cursor = 0, record = piece->records[i];
        for (const struct decision *at; (at = index_next_decision(mpi, APPLIED, record, &cursor));) {
            uint32_t other = at->left == record ? at->right : at->left;
            uint32_t local = CHUNK_AT(&mpi->notes, other)->local;
            bool inside = local < piece->count && piece->records[local] == other;
            if (decision_stands(at, APPLIED) && inside && at->left == record) /* once, from its left side */
                *VEC_ADD(&found) = at;
        }
    }
    if (found.count > 1)
        qsort(found.at, found.count, sizeof found.at[0], order_decisions);
    for (size_t i = 0; i < found.count; i++)
        apply_decision(piece, found.at[i]);
    VEC_FINI(&found);
}

/*
 * No pair drowns the rest. Below the floor all pairs say the same: that nobody would ask. Records of one group repeat
 * each other's old names and addresses, so their disagreements are one disagreement many times.
 */
static int32_t clip(const struct mpi_model *model, int32_t score)
{
    return score > model->clip_mbit ? model->clip_mbit : score < model->review_mbit ? model->review_mbit : score;
}

/*
 * What decisions tied together is one body of evidence from here on: it is known under all its names, so the strongest
 * pair speaks for it and counts once. Vetoes of any of its records hold; what only holds back a pair does so when it is
 * the strongest.
 */
static void weigh_pair(struct piece *piece, uint32_t a, uint32_t b, const struct levels *levels)
{
    const struct mpi_model *model = piece->mpi->model;
    size_t at = cell(piece, a, b), mirror = cell(piece, b, a);
    int32_t score = weigh_levels(model, levels);
    if (levels_veto(levels))
        piece->apart[at] = piece->apart[mirror] = 1;
    bool held = levels_hold(model, levels);
    if (score < piece->best[at] || (score == piece->best[at] && held))
        return;
    piece->best[at] = piece->best[mirror] = score;
    piece->held[at] = piece->held[mirror] = held;
}

static void weigh_pairs(struct piece *piece)
{
    struct mpi *mpi = piece->mpi;
    for (uint32_t i = 0; i < piece->count; i++) {
        for (uint32_t k = i + 1; k < piece->count; k++) {
            uint32_t a = piece->group[i], b = piece->group[k];
            const struct mpi_row *left = entry_at(mpi, APPLIED, piece->records[i])->row,
                                 *right = entry_at(mpi, APPLIED, piece->records[k])->row;
            if (a == b || left == NULL || right == NULL)
                continue;
            struct levels levels;
            compare_rows(left, right, &levels);
            weigh_pair(piece, a, b, &levels);
            if (piece->joint)
                levels_join(mpi->model, joint_of(piece, a, b), &levels);
        }
    }
    for (uint32_t a = 0; a < piece->count; a++) {
        piece->size[a] = piece->group[a] == a;
        for (uint32_t b = 0; b < piece->count; b++) {
            size_t at = cell(piece, a, b);
            piece->sum[at] = piece->best[at] == INT32_MIN ? 0 : clip(mpi->model, piece->best[at]);
            piece->link[at] = piece->held[at] ? INT32_MIN : piece->best[at];
            piece->apart[at] |= piece->held[at] && piece->best[at] < mpi->model->auto_mbit;
            if (piece->joint && a < b)
                weigh_together(piece, a, b);
        }
    }
}

/* Does what is known of both speak for two persons? To know little of both speaks for nothing. */
static bool are_two(const struct piece *piece, uint32_t a, uint32_t b)
{
    size_t at = cell(piece, a, b);
    return piece->apart[at] || piece->best[at] < piece->mpi->model->prior_mbit;
}

/*
 * A group that fits `a` nearly as well as `b` does, and is not the same person as `b`: at most one of the two is right,
 * and nobody knows which.
 */
static bool has_rival(const struct piece *piece, uint32_t a, uint32_t b)
{
    const struct mpi_model *model = piece->mpi->model;
    int32_t strong = piece->link[cell(piece, a, b)] - RIVAL_MBIT;
    if (strong < model->auto_mbit)
        strong = model->auto_mbit;
    for (uint32_t i = 0; i < piece->live_count; i++) {
        uint32_t c = piece->live[i];
        if (c != a && c != b && piece->link[cell(piece, a, c)] >= strong && !piece->apart[cell(piece, a, c)] &&
            are_two(piece, b, c))
            return true;
    }
    return false;
}

static bool is_single(const struct piece *piece, uint32_t group)
{
    uint32_t nodes = 0;
    for (uint32_t i = 0; i < piece->count && nodes < 2; i++)
        nodes += piece->group[i] == group;
    return nodes == 1;
}

/* Of twins, or of father and son whose birth dates nobody told, one may be in the index and the other not: to stand
 * alone says nothing then. */
static bool may_be_two_of_a_family(const struct levels *levels)
{
    uint8_t given = levels->at[FIELD_GIVEN], birth = levels->at[FIELD_BIRTH];
    bool one_name = given == NAME_EXACT || given == NAME_NICKNAME || given == NAME_INITIAL || given == NAME_SWAPPED;
    return birth == BIRTH_ABSENT || (birth == BIRTH_EXACT && !one_name);
}

/*
 * Too little for one pair to link by itself, but all that is known of both says one person, one of them is a single
 * record, and no pair needs a person to decide.
 */
static bool may_fit(const struct piece *piece, uint32_t a, uint32_t b)
{
    const struct mpi_model *model = piece->mpi->model;
    size_t at = cell(piece, a, b);
    return piece->joint && !piece->held[at] && piece->link[at] >= cluster_least_tie(model) &&
           piece->together[at] >= cluster_least_tie(model) && !may_be_two_of_a_family(joint_of(piece, a, b)) &&
           (is_single(piece, a) || is_single(piece, b));
}

/* Is whoever is like a record of `mine` like `theirs` too? Who is outside of the piece fits one of the two at most. */
static bool fits_with_all(const struct piece *piece, uint32_t record, uint32_t mine, uint32_t theirs)
{
    struct mpi *mpi = piece->mpi;
    const struct entry *entry = entry_at(mpi, APPLIED, piece->records[record]);
    for (uint32_t i = 0; i < entry->edge_count; i++) {
        uint32_t other = entry->edges[i].other, local = CHUNK_AT(&mpi->notes, other)->local;
        if (local >= piece->count || piece->records[local] != other)
            return false;
        uint32_t group = piece->group[local];
        if (group != mine && group != theirs && piece->best[cell(piece, group, theirs)] < mpi->model->review_mbit)
            return false;
    }
    return true;
}

/* Nobody else fits one of them and not the other. */
static bool are_alone(const struct piece *piece, uint32_t a, uint32_t b)
{
    for (uint32_t i = 0; i < piece->count; i++) {
        uint32_t group = piece->group[i];
        if ((group == a && !fits_with_all(piece, i, a, b)) || (group == b && !fits_with_all(piece, i, b, a)))
            return false;
    }
    return true;
}

/* The two groups to join next; false when no join is left. Means are compared as fractions: exact. */
static bool find_join(const struct piece *piece, uint32_t *out_a, uint32_t *out_b)
{
    int64_t best_sum = 0, best_pairs = 0;
    for (uint32_t i = 0; i < piece->live_count; i++) {
        for (uint32_t k = i + 1; k < piece->live_count; k++) {
            uint32_t a = piece->live[i], b = piece->live[k];
            size_t at = cell(piece, a, b);
            bool strong = piece->link[at] >= piece->mpi->model->auto_mbit;
            if (piece->apart[at] || piece->sum[at] <= 0 || (!strong && !may_fit(piece, a, b)))
                continue;
            int64_t pairs = (int64_t)piece->size[a] * piece->size[b];
            if (best_pairs != 0 && piece->sum[at] * best_pairs <= best_sum * pairs)
                continue;
            bool doubtful = strong ? has_rival(piece, a, b) || has_rival(piece, b, a) : !are_alone(piece, a, b);
            if (doubtful && !piece->mpi->model->guesses)
                continue;
            best_sum = piece->sum[at];
            best_pairs = pairs;
            *out_a = a;
            *out_b = b;
        }
    }
    return best_pairs != 0;
}

/* ---- results ---- */

static uint32_t node_of(const struct piece *piece, uint32_t record)
{
    return CHUNK_AT(&piece->mpi->notes, record)->local;
}

/* The smallest active record that is not retired founds the person; else the smallest that is not retired; else the
 * smallest. */
static uint32_t founder_of(const struct piece *piece, const uint32_t *members, uint32_t count)
{
    uint32_t best = 0, best_class = 3;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t record = members[i];
        uint32_t class = piece->retired[node_of(piece, record)]               ? 2
                         : entry_at(piece->mpi, APPLIED, record)->row == NULL ? 1
                                                                              : 0;
        if (class < best_class || (class == best_class && record < best)) {
            best = record;
            best_class = class;
        }
    }
    return best;
}

static void write_group(struct piece *piece, const uint32_t *members, uint32_t count)
{
    uint32_t founder = founder_of(piece, members, count);
    for (uint32_t i = 0; i < count; i++) /* the last closes the circle */
        *VEC_ADD(&piece->mpi->outcomes) = (struct outcome){
            members[i], {founder, piece->retired[node_of(piece, members[i])], members[i + 1 < count ? i + 1 : 0]}};
}

/* Everybody, sorted by the group of their node. */
static void write_groups(struct piece *piece)
{
    size_t all = piece->all->count;
    uint32_t *from = mem_array((size_t)piece->count + 1, sizeof *from), *members = mem_array(all, sizeof *members);
    for (size_t i = 0; i < all; i++)
        from[piece->group[node_of(piece, piece->all->at[i])] + 1]++;
    for (uint32_t i = 0; i < piece->count; i++)
        from[i + 1] += from[i];
    uint32_t *next = mem_copy(from, (size_t)piece->count * sizeof *from);
    for (size_t i = 0; i < all; i++)
        members[next[piece->group[node_of(piece, piece->all->at[i])]]++] = piece->all->at[i];
    for (uint32_t i = 0; i < piece->count; i++)
        if (from[i + 1] > from[i])
            write_group(piece, members + from[i], from[i + 1] - from[i]);
    mem_free(from);
    mem_free(next);
    mem_free(members);
}

void cluster_solve_piece(struct mpi *mpi, const struct nodes *all, uint32_t *records, uint32_t count)
{
    size_t cells = (size_t)count * count;
    struct piece piece = {.mpi = mpi,
                          .records = records,
                          .count = count,
                          .all = all,
                          .group = mem_array(count, sizeof *piece.group),
                          .retired = mem_array(count, sizeof *piece.retired),
                          .size = mem_array(count, sizeof *piece.size),
                          .live = mem_array(count, sizeof *piece.live),
                          .apart = mem_array(cells, sizeof *piece.apart),
                          .held = mem_array(cells, sizeof *piece.held),
                          .sum = mem_array(cells, sizeof *piece.sum),
                          .best = mem_array(cells, sizeof *piece.best),
                          .link = mem_array(cells, sizeof *piece.link)};
    for (uint32_t i = 0; i < count; i++) {
        piece.group[i] = i;
        piece.size[i] = 1;
    }
    for (size_t i = 0; i < cells; i++)
        piece.best[i] = piece.link[i] = INT32_MIN;
    if (mpi->model->alone_mbit > 0 && !mpi->model->guesses && count > 1) {
        piece.joint = mem_array(cells, sizeof *piece.joint);
        piece.together = mem_array(cells, sizeof *piece.together);
    }
    apply_decisions(&piece);
    weigh_pairs(&piece);
    find_live(&piece);
    for (uint32_t a, b; find_join(&piece, &a, &b); find_live(&piece))
        join_groups(&piece, a, b);
    write_groups(&piece);
    mem_free(piece.group);
    mem_free(piece.retired);
    mem_free(piece.size);
    mem_free(piece.live);
    mem_free(piece.apart);
    mem_free(piece.held);
    mem_free(piece.sum);
    mem_free(piece.best);
    mem_free(piece.link);
    mem_free(piece.joint);
    mem_free(piece.together);
}
