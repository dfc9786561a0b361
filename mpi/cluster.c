#include "cluster_internal.h"

#include <stdlib.h>

/*
 * Who is clustered together: components, each of its bodies one node; too large ones are cut. groups.c then works out
 * the persons of each. Every choice is by score and identifier key, so arrival order cannot matter.
 */

/* ---- components: only edges that may join matter; weaker ones are for reviews ---- */

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
            if (entry->edges[k].score_mbit >= cluster_least_tie(mpi->model))
                visit_node(mpi, nodes, entry->edges[k].other);
        uint32_t cursor = 0;
        for (const struct decision *at; (at = index_next_decision(mpi, APPLIED, record, &cursor));)
            if (decision_stands(at, APPLIED) && decision_ties(at->kind))
                visit_node(mpi, nodes, at->left == record ? at->right : at->left);
        visit_body(mpi, &walk, record);
    }
    VEC_FINI(&walk.bodies);
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
        if (entry->edges[k].score_mbit >= cluster_least_tie(mpi->model) && node < other)
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
    cluster_solve_piece(mpi, all, records, count);
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
        cluster_solve_piece(mpi, all, records, count);
    mem_free(records);
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
