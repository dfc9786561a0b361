/*
 * Numbers concepts by a depth-first walk over a spanning tree of is-a, and lists for each concept the descendants that
 * the tree misses as runs of those numbers. Everything is a loop over arrays: chains may be as deep as there are
 * concepts, and a lattice with 2^300 paths costs its edges, because a set of descendants is made once from the sets of
 * the children.
 */
#include "pack_build.h"

#include <stdlib.h>

enum { RUN_WORK_MAX = 2000 * 1000 * 1000 }; /* runs looked at in all: a bound on hostile tangles */

struct graph {
    size_t concepts;
    uint32_t *child_start, *children; /* children of each concept */
    uint32_t *parent_start, *parents;
    uint32_t *order; /* parents before children */
};

static void graph_fini(struct graph *graph)
{
    mem_free(graph->child_start);
    mem_free(graph->children);
    mem_free(graph->parent_start);
    mem_free(graph->parents);
    mem_free(graph->order);
}

static void graph_init(struct graph *graph, const struct pack_builder *builder)
{
    size_t edges = builder->edges.count;
    *graph = (struct graph){.concepts = builder->concepts.count};
    uint32_t *key = mem_array(edges + 1, sizeof *key);
    for (size_t i = 0; i < edges; i++)
        key[i] = builder->edges.at[i].parent;
    build_group(key, edges, graph->concepts, &graph->child_start, &graph->children);
    for (size_t i = 0; i < edges; i++)
        key[i] = builder->edges.at[i].child;
    build_group(key, edges, graph->concepts, &graph->parent_start, &graph->parents);
    mem_free(key);
    for (size_t i = 0; i < edges; i++) { /* from places of edges to concepts */
        graph->children[i] = builder->edges.at[graph->children[i]].child;
        graph->parents[i] = builder->edges.at[graph->parents[i]].parent;
    }
    graph->order = mem_array(graph->concepts + 1, sizeof *graph->order);
}

/* Kahn's algorithm. Answers how many concepts could be put in order: all of them when there is no circle. */
static size_t sort_by_depth(struct graph *graph, uint32_t *waiting)
{
    size_t done = 0;
    for (uint32_t i = 0; i < graph->concepts; i++) {
        waiting[i] = graph->parent_start[i + 1] - graph->parent_start[i];
        if (waiting[i] == 0)
            graph->order[done++] = i;
    }
    for (size_t at = 0; at < done; at++) {
        uint32_t concept = graph->order[at];
        for (uint32_t c = graph->child_start[concept]; c < graph->child_start[concept + 1]; c++)
            if (--waiting[graph->children[c]] == 0)
                graph->order[done++] = graph->children[c];
    }
    return done;
}

/* Who still waits has a parent that waits: going up from any of them must come round. */
static uint32_t concept_on_circle(const struct graph *graph, const uint32_t *waiting)
{
    uint32_t at = 0;
    while (waiting[at] == 0)
        at++;
    for (size_t step = 0; step <= graph->concepts; step++) {
        uint32_t p = graph->parent_start[at];
        while (waiting[graph->parents[p]] == 0)
            p++;
        at = graph->parents[p];
    }
    return at;
}

static void number_by_walk(const struct graph *graph, struct pack_node *nodes)
{
    uint32_t *stack = mem_array(graph->concepts + 1, sizeof *stack);
    uint32_t *next =
        mem_array(graph->concepts + 1, sizeof *next); /* 0 = not visited, else 1 + next place in children */
    uint32_t number = 0;
    for (size_t r = 0; r < graph->concepts; r++) {
        uint32_t root = graph->order[r];
        if (graph->parent_start[root] != graph->parent_start[root + 1])
            break; /* roots come first in `order` */
        size_t depth = 0;
        stack[depth++] = root;
        nodes[root].first = number++;
        next[root] = graph->child_start[root] + 1;
        while (depth > 0) {
            uint32_t at = stack[depth - 1];
            uint32_t place = next[at] - 1;
            if (place == graph->child_start[at + 1]) {
                nodes[at].last = number - 1;
                depth--;
                continue;
            }
            next[at]++;
            uint32_t child = graph->children[place];
            if (next[child] != 0)
                continue;
            nodes[child].first = number++;
            next[child] = graph->child_start[child] + 1;
            stack[depth++] = child;
        }
    }
    mem_free(stack);
    mem_free(next);
}

static int by_first(const void *left, const void *right)
{
    const struct pack_run *a = left, *b = right;
    return a->first < b->first ? -1 : a->first > b->first;
}

typedef VEC(struct pack_run) run_list;

/* Adds the parts of a run that lie outside the node's own interval. */
static void add_outside(run_list *list, const struct pack_node *node, struct pack_run run)
{
    if (run.first < node->first)
        *VEC_ADD(list) = (struct pack_run){run.first, run.last < node->first ? run.last : node->first - 1};
    if (run.last > node->last)
        *VEC_ADD(list) = (struct pack_run){run.first > node->last ? run.first : node->last + 1, run.last};
}

static void coalesce(run_list *list)
{
    if (list->count < 2)
        return;
    qsort(list->at, list->count, sizeof *list->at, by_first);
    size_t kept = 0;
    for (size_t i = 1; i < list->count; i++) {
        if (list->at[i].first <= list->at[kept].last + 1) {
            if (list->at[i].last > list->at[kept].last)
                list->at[kept].last = list->at[i].last;
        } else {
            list->at[++kept] = list->at[i];
        }
    }
    list->count = kept + 1;
}

/* Children before parents: each list is made of the finished lists below it. */
static bool list_runs(struct pack_builder *builder, const struct graph *graph)
{
    struct pack_node *nodes = builder->nodes;
    run_list list = {0};
    uint64_t work = 0;
    bool fits = true;
    for (size_t at = graph->concepts; fits && at-- > 0;) {
        uint32_t concept = graph->order[at];
        list.count = 0;
        for (uint32_t c = graph->child_start[concept]; c < graph->child_start[concept + 1]; c++) {
            const struct pack_node *child = &nodes[graph->children[c]];
            add_outside(&list, &nodes[concept], (struct pack_run){child->first, child->last});
            uint32_t runs = builder->run_counts[graph->children[c]];
            for (uint32_t r = 0; r < runs; r++)
                add_outside(&list, &nodes[concept], builder->runs.at[child->runs + r]);
            work += 1 + runs;
        }
        coalesce(&list);
        nodes[concept].runs = (uint32_t)builder->runs.count;
        builder->run_counts[concept] = (uint32_t)list.count;
        for (size_t r = 0; r < list.count; r++)
            *VEC_ADD(&builder->runs) = list.at[r];
        fits = builder->runs.count <= PACK_RUNS_MAX && work <= RUN_WORK_MAX;
    }
    VEC_FINI(&list);
    return fits;
}

bool pack_builder_order(struct pack_builder *builder, uint32_t *out_concept)
{
    if (builder->edges.count == 0)
        return true;
    struct graph graph;
    graph_init(&graph, builder);
    uint32_t *waiting = mem_array(graph.concepts + 1, sizeof *waiting);
    bool ordered = sort_by_depth(&graph, waiting) == graph.concepts;
    if (ordered) {
        builder->nodes = mem_array(graph.concepts + 1, sizeof *builder->nodes);
        builder->run_counts = mem_array(graph.concepts + 1, sizeof *builder->run_counts);
        number_by_walk(&graph, builder->nodes);
        ordered = list_runs(builder, &graph);
        if (!ordered)
            *out_concept = PACK_NONE;
    } else {
        *out_concept = concept_on_circle(&graph, waiting);
    }
    mem_free(waiting);
    graph_fini(&graph);
    return ordered;
}
