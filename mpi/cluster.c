#include "people_internal.h"

#include <stdlib.h>

/*
 * Guarded agglomeration. Per component: first what decisions say (newest first; one that contradicts a newer one has no
 * effect), then greedily the pair of groups with the highest mean evidence, as long as one of its links is strong
 * enough, the joint evidence of all cross pairs is positive, and nothing forbids it. Weak and missing links count
 * against with what the two records really score. Every choice is by score and identifier key, so arrival order cannot
 * matter.
 */

/* ---- components: only edges that may join matter; weaker ones are for reviews ---- */

struct nodes {
    uint32_t *at;
    size_t count, cap;
};
struct walk {
    struct nodes *nodes;
    VEC(uint64_t) bodies; /* whose members were all visited */
};

static void visit_node(struct mpi *mpi, struct nodes *nodes, uint32_t record)
{
    struct note *of = CHUNK_AT(&mpi->notes, record);
    if (of->visit == mpi->visit)
        return;
    of->visit = mpi->visit;
    *VEC_ADD(nodes) = record;
}

/* Of a body that is one, whom nothing sets apart: no decision, no identifier that only this record has in common with
 * somebody. They are one node, however many. */
static bool is_plain(const struct mpi *mpi, uint32_t record, uint32_t first)
{
    return (record == first || entry_at(mpi, APPLIED, record)->edge_count == 0) && !index_is_decided(mpi, record);
}

static bool was_walked(const struct walk *walk, uint64_t body)
{
    for (size_t i = walk->bodies.count; i-- > 0;)
        if (walk->bodies.at[i] == body)
            return true;
    return false;
}

/* Whoever says the same, where that is evidence enough. */
static void visit_body(struct mpi *mpi, struct walk *walk, uint32_t record)
{
    const struct mpi_row *row = entry_at(mpi, APPLIED, record)->row;
    uint64_t body = row ? row_body(row) : 0;
    if (body == 0 || was_walked(walk, body))
        return;
    struct holders members = holders_of(mpi, APPLIED, body_members_key(body));
    if (members.count < 2 || !body_is_one(mpi, row))
        return;
    *VEC_ADD(&walk->bodies) = body;
    struct holders_at at = {0};
    for (uint32_t member; (member = holders_next(&members, &at)) != 0;)
        visit_node(mpi, walk->nodes, member);
}

/* Everything reached from `start` by edges that may join, by bodies that are one and by standing decisions that tie. */
static void walk_component(struct mpi *mpi, uint32_t start, struct nodes *nodes)
{
    struct walk walk = {.nodes = nodes};
    visit_node(mpi, nodes, start);
    for (size_t i = 0; i < nodes->count; i++) {
        uint32_t record = nodes->at[i];
        const struct entry *entry = entry_at(mpi, APPLIED, record);
        for (uint32_t k = 0; k < entry->edge_count; k++)
            if (entry->edges[k].score_mbit >= mpi->model->auto_mbit)
                visit_node(mpi, nodes, entry->edges[k].other);
        uint32_t cursor = 0;
        for (const struct decision *at; (at = index_next_decision(mpi, APPLIED, record, &cursor));)
            if (decision_stands(at, APPLIED) && decision_ties(at->kind))
                visit_node(mpi, nodes, at->left == record ? at->right : at->left);
        visit_body(mpi, &walk, record);
    }
    VEC_FINI(&walk.bodies);
}

/* ---- one component ---- */

enum { RIVAL_MBIT = 7000 };

struct piece {
    struct mpi *mpi;
    uint32_t *records; /* one for each node, in the order of their identifier keys */
    uint32_t count;
    const struct nodes *all; /* with those whom another stands for; each one's note tells its node */
    uint32_t *group;         /* of each record: the smallest member's place */
    uint32_t *retired;       /* record number it is retired into, 0 */
    uint8_t *apart;          /* count x count, by group */
    uint8_t *held;           /* count x count, of bodies: the strongest pair must not link by itself */
    int64_t *sum;            /* count x count, by group: evidence of all cross pairs of bodies of evidence */
    int32_t *best;           /* count x count, by group: strongest cross pair */
    int32_t *link;           /* count x count, by group: strongest cross pair that may link by itself */
    uint32_t *size;          /* bodies of evidence in the group */
    uint32_t *live;          /* the groups that there still are, ascending */
    uint32_t live_count;
};

static size_t cell(const struct piece *piece, uint32_t a, uint32_t b)
{
    return (size_t)a * piece->count + b;
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
        piece->sum[cell(piece, keep, i)] += piece->sum[cell(piece, gone, i)];
        piece->sum[cell(piece, i, keep)] += piece->sum[cell(piece, i, gone)];
        int32_t best = piece->best[cell(piece, gone, i)], link = piece->link[cell(piece, gone, i)];
        if (best > piece->best[cell(piece, keep, i)])
            piece->best[cell(piece, keep, i)] = piece->best[cell(piece, i, keep)] = best;
        if (link > piece->link[cell(piece, keep, i)])
            piece->link[cell(piece, keep, i)] = piece->link[cell(piece, i, keep)] = link;
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
    if (decision->kind == MPI_DECISION_MERGE && piece->retired[right] == 0)
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
        }
    }
    for (uint32_t a = 0; a < piece->count; a++) {
        piece->size[a] = piece->group[a] == a;
        for (uint32_t b = 0; b < piece->count; b++) {
            size_t at = cell(piece, a, b);
            piece->sum[at] = piece->best[at] == INT32_MIN ? 0 : clip(mpi->model, piece->best[at]);
            piece->link[at] = piece->held[at] ? INT32_MIN : piece->best[at];
            piece->apart[at] |= piece->held[at] && piece->best[at] < mpi->model->auto_mbit;
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

/* The two groups to join next; false when no join is left. Means are compared as fractions: exact. */
static bool find_join(const struct piece *piece, uint32_t *out_a, uint32_t *out_b)
{
    int64_t best_sum = 0, best_pairs = 0;
    for (uint32_t i = 0; i < piece->live_count; i++) {
        for (uint32_t k = i + 1; k < piece->live_count; k++) {
            uint32_t a = piece->live[i], b = piece->live[k];
            size_t at = cell(piece, a, b);
            if (piece->apart[at] || piece->link[at] < piece->mpi->model->auto_mbit || piece->sum[at] <= 0)
                continue;
            int64_t pairs = (int64_t)piece->size[a] * piece->size[b];
            if (best_pairs != 0 && piece->sum[at] * best_pairs <= best_sum * pairs)
                continue;
            if (!piece->mpi->model->guesses && (has_rival(piece, a, b) || has_rival(piece, b, a)))
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

static void draft_outcomes(struct mpi *mpi)
{
    for (size_t i = 0; i < mpi->outcomes.count; i++) {
        const struct outcome *outcome = &mpi->outcomes.at[i];
        const struct entry *now = entry_at(mpi, APPLIED, outcome->record);
        bool moved = now->person != outcome->state.person || now->retired_into != outcome->state.retired_into;
        if (moved)
            *VEC_ADD(&mpi->changes) = (struct change){outcome->record, now->person, now->retired_into};
        if (moved || now->ring != outcome->state.ring)
            draft_set_cluster(mpi, outcome->record, outcome->state);
    }
    mpi->outcomes.count = 0;
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

static void solve_piece(struct mpi *mpi, const struct nodes *all, uint32_t *records, uint32_t count)
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
}

/* Records in an order that has nothing to do with arrival. */
struct sort_item {
    uint64_t key;
    uint32_t record;
};

static int order_items(const void *left, const void *right)
{
    const struct sort_item *a = left, *b = right;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->record < b->record ? -1 : a->record > b->record;
}

static void sort_nodes(struct mpi *mpi, struct nodes *nodes)
{
    struct sort_item *items = mem_array(nodes->count, sizeof *items);
    for (size_t i = 0; i < nodes->count; i++)
        items[i] = (struct sort_item){entry_at(mpi, APPLIED, nodes->at[i])->own_key, nodes->at[i]};
    qsort(items, nodes->count, sizeof items[0], order_items);
    for (size_t i = 0; i < nodes->count; i++)
        nodes->at[i] = items[i].record;
    mem_free(items);
}

/* ---- bodies that are one node ---- */

static const struct mpi_row *row_of(const struct mpi *mpi, uint32_t record)
{
    return entry_at(mpi, APPLIED, record)->row;
}

/* The places of the plain records of bodies (key: the body). */
static uint32_t find_plain(const struct mpi *mpi, const struct nodes *all, struct sort_item *out_items)
{
    uint32_t count = 0;
    for (size_t i = 0; i < all->count; i++) {
        const struct mpi_row *row = row_of(mpi, all->at[i]);
        uint64_t body = row ? row_body(row) : 0;
        if (body != 0 && holders_of(mpi, APPLIED, body_members_key(body)).count > 1 &&
            is_plain(mpi, all->at[i], body_first_of(mpi, APPLIED, body)))
            out_items[count++] = (struct sort_item){body, (uint32_t)i};
    }
    qsort(out_items, count, sizeof *out_items, order_items);
    return count;
}

/* Tells every record its node, and answers who stands for each node: of plain records of one body the first. */
static uint32_t make_nodes(struct mpi *mpi, const struct nodes *all, uint32_t *out_records)
{
    struct sort_item *plain = mem_array(all->count, sizeof *plain);
    uint32_t *stands_for = mem_array(all->count, sizeof *stands_for), count = 0;
    for (uint32_t i = 0; i < all->count; i++)
        stands_for[i] = i;
    uint32_t plain_count = all->count > 1 ? find_plain(mpi, all, plain) : 0;
    for (uint32_t i = 0, end; i < plain_count; i = end) {
        const struct mpi_row *row = row_of(mpi, all->at[plain[i].record]);
        for (end = i + 1; end < plain_count && plain[end].key == plain[i].key;)
            end++;
        bool one = end - i > 1 && body_is_one(mpi, row);
        for (uint32_t k = i + 1; k < end && one; k++)
            if (row_same_body(row, row_of(mpi, all->at[plain[k].record]))) /* a number says it, the rows decide */
                stands_for[plain[k].record] = plain[i].record;
    }
    for (uint32_t i = 0; i < all->count; i++) {
        bool stands = stands_for[i] == i;
        CHUNK_AT(&mpi->notes, all->at[i])->local =
            stands ? count : CHUNK_AT(&mpi->notes, all->at[stands_for[i]])->local;
        if (stands)
            out_records[count++] = all->at[i];
    }
    mem_free(plain);
    mem_free(stands_for);
    return count;
}

/* ---- components too large to weigh every pair ---- */

/* What ties two nodes; decisions before all evidence. */
struct tie {
    int32_t score_mbit;
    uint32_t left, right; /* nodes, left < right */
};
struct ties {
    struct tie *at;
    size_t count, cap;
};
enum { DECIDED_MBIT = INT32_MAX };

static void add_tie(struct ties *ties, int32_t score_mbit, uint32_t a, uint32_t b)
{
    if (a != b)
        *VEC_ADD(ties) = (struct tie){score_mbit, a < b ? a : b, a < b ? b : a};
}

static int order_ties(const void *left, const void *right)
{
    const struct tie *a = left, *b = right;
    if (a->score_mbit != b->score_mbit)
        return a->score_mbit > b->score_mbit ? -1 : 1;
    if (a->left != b->left)
        return a->left < b->left ? -1 : 1;
    return a->right < b->right ? -1 : a->right > b->right;
}

/* Everything that ties a record, each from the side whose node is the smaller one. */
static void add_ties_of(const struct mpi *mpi, uint32_t record, struct ties *ties)
{
    const struct entry *entry = entry_at(mpi, APPLIED, record);
    uint32_t node = CHUNK_AT(&mpi->notes, record)->local, cursor = 0;
    for (uint32_t k = 0; k < entry->edge_count; k++) {
        uint32_t other = CHUNK_AT(&mpi->notes, entry->edges[k].other)->local;
        if (entry->edges[k].score_mbit >= mpi->model->auto_mbit && node < other)
            add_tie(ties, entry->edges[k].score_mbit, node, other);
    }
    for (const struct decision *at; (at = index_next_decision(mpi, APPLIED, record, &cursor));)
        if (at->left == record && decision_stands(at, APPLIED) && decision_ties(at->kind))
            add_tie(ties, DECIDED_MBIT, node, CHUNK_AT(&mpi->notes, at->right)->local);
    uint32_t first = index_first(mpi, APPLIED, record);
    struct levels levels;
    if (first != record && body_is_one(mpi, entry->row))
        add_tie(ties, body_score(mpi, entry->row, &levels), node, CHUNK_AT(&mpi->notes, first)->local);
}

static uint32_t root_of(uint32_t *parents, uint32_t node)
{
    while (parents[node] != node)
        node = parents[node] = parents[parents[node]];
    return node;
}

/*
 * The strongest ties hold first, as long as a piece stays small enough to weigh every pair in it; so one record more
 * than fit leaves one outside, not all of them. Decisions hold whatever the size; what they alone tie together is
 * refused beyond FORCED_MAX before it gets here. Answers the piece of every node.
 */
static uint32_t *cut_component(const struct mpi *mpi, const struct nodes *all, uint32_t count)
{
    struct ties ties = {0};
    uint32_t *parents = mem_array(count, sizeof *parents), *sizes = mem_array(count, sizeof *sizes);
    for (uint32_t i = 0; i < count; i++) {
        parents[i] = i;
        sizes[i] = 1;
    }
    for (size_t i = 0; i < all->count; i++)
        add_ties_of(mpi, all->at[i], &ties);
    if (ties.count > 1)
        qsort(ties.at, ties.count, sizeof *ties.at, order_ties);
    for (size_t i = 0; i < ties.count; i++) {
        uint32_t a = root_of(parents, ties.at[i].left), b = root_of(parents, ties.at[i].right);
        if (a == b || (ties.at[i].score_mbit != DECIDED_MBIT && sizes[a] + sizes[b] > COMPONENT_MAX))
            continue;
        parents[a < b ? b : a] = a < b ? a : b;
        sizes[a < b ? a : b] += sizes[a < b ? b : a];
    }
    for (uint32_t i = 0; i < count; i++)
        parents[i] = root_of(parents, i);
    VEC_FINI(&ties);
    mem_free(sizes);
    return parents;
}

static void solve_nodes(struct mpi *mpi, const struct nodes *all)
{
    uint32_t *records = mem_array(all->count, sizeof *records);
    uint32_t count = make_nodes(mpi, all, records);
    solve_piece(mpi, all, records, count);
    mem_free(records);
}

static void solve_pieces(struct mpi *mpi, const struct nodes *all, uint32_t count)
{
    uint32_t *piece_of = cut_component(mpi, all, count);
    struct nodes *pieces = mem_array(count, sizeof *pieces);
    for (size_t i = 0; i < all->count; i++)
        *VEC_ADD(&pieces[piece_of[CHUNK_AT(&mpi->notes, all->at[i])->local]]) = all->at[i];
    for (uint32_t i = 0; i < count; i++) {
        if (pieces[i].count > 0)
            solve_nodes(mpi, &pieces[i]);
        VEC_FINI(&pieces[i]);
    }
    mem_free(pieces);
    mem_free(piece_of);
}

static void solve_component(struct mpi *mpi, struct nodes *all)
{
    sort_nodes(mpi, all);
    uint32_t *records = mem_array(all->count, sizeof *records);
    uint32_t count = make_nodes(mpi, all, records);
    if (count > COMPONENT_MAX)
        solve_pieces(mpi, all, count);
    else
        solve_piece(mpi, all, records, count);
    mem_free(records);
}

/*
 * One more of a body that is one, and nothing else: it is where the body is. The same as working the component out
 * again, since its nodes are the same; so the ten thousandth copy costs what the second does.
 */
static bool joins_body(struct mpi *mpi)
{
    uint32_t record = mpi->touched.count == 1 ? mpi->touched.at[0] : 0;
    const struct entry *entry = record ? entry_at(mpi, APPLIED, record) : NULL;
    if (entry == NULL || entry->row == NULL || entry->edge_count > 0 || entry->decision != 0 ||
        entry->person != record || entry->ring != record || entry->retired_into != 0)
        return false;
    uint32_t first = index_first(mpi, APPLIED, record);
    if (first == record || !is_plain(mpi, first, first) || !row_same_body(entry->row, row_of(mpi, first)) ||
        !body_is_one(mpi, entry->row))
        return false;
    const struct entry *body = entry_at(mpi, APPLIED, first), *founder = entry_at(mpi, APPLIED, body->person);
    if (body->person > record || founder->row == NULL || founder->retired_into != 0)
        return false; /* the person may be known by another number from here on */
    *VEC_ADD(&mpi->outcomes) = (struct outcome){record, {body->person, 0, body->ring}};
    *VEC_ADD(&mpi->outcomes) = (struct outcome){first, {body->person, body->retired_into, record}};
    draft_outcomes(mpi);
    return true;
}

bool index_recluster(struct mpi *mpi)
{
    if (joins_body(mpi))
        return false;
    index_next_round(mpi);
    for (size_t i = 0; i < mpi->touched.count; i++) {
        if (CHUNK_AT(&mpi->notes, mpi->touched.at[i])->visit == mpi->visit)
            continue;
        struct nodes nodes = {0};
        walk_component(mpi, mpi->touched.at[i], &nodes);
        solve_component(mpi, &nodes);
        VEC_FINI(&nodes);
    }
    draft_outcomes(mpi);
    return true;
}
