/* The strict YAML reader: whatever the bytes, a tree within its bounds or a refusal; and every getter on every node. */
#include "base/yaml/yaml.h"

#include <stdlib.h>

static void try_getters(struct ctx *cx, const struct yaml_node *node)
{
    static const char *const words[] = {"name", "routes", "destinations"};
    struct str text, *texts;
    bool flag;
    int64_t number;
    uint64_t bytes;
    size_t count;
    IGNORE(yaml_text(cx, node, &text));
    IGNORE(yaml_bool(cx, node, &flag));
    IGNORE(yaml_integer(cx, node, INT64_MIN, INT64_MAX, &number));
    IGNORE(yaml_duration(cx, node, 0, INT64_MAX, &number));
    IGNORE(yaml_size(cx, node, 0, UINT64_MAX, &bytes));
    IGNORE(yaml_address(cx, node, &text));
    IGNORE(yaml_choice(cx, node, words, 3, &count));
    IGNORE(yaml_texts(cx, node, 10, &texts, &count));
    IGNORE(yaml_map_keys(cx, node, words, 3));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    arena_init(&arena, 0);
    struct ctx cx = {.arena = &arena};
    const struct yaml_node *root = NULL;
    if (yaml_parse(&cx, str_make(data, size), &root) == STATUS_OK) {
        const struct yaml_node *stack[YAML_DEPTH_MAX + 1];
        size_t depth = 0;
        stack[depth++] = root;
        for (size_t seen = 0; depth > 0; seen++) {
            const struct yaml_node *node = stack[--depth];
            if (seen > YAML_NODES_MAX)
                abort();
            try_getters(&cx, node);
            if (node->next)
                stack[depth++] = node->next;
            if (node->first)
                stack[depth++] = node->first;
        }
    } else if (cx.reason == NULL || root != NULL) {
        abort();
    }
    arena_fini(&arena);
    return 0;
}
