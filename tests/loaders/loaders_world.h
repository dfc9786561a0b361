/* A scratch folder for made-up release files and the packs made of them. */
#pragma once

#include "support.h"

#include "base/file.h"
#include "base/mem.h"
#include "loaders/codes.h"
#include "terminology/pack.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

struct loaders_world {
    struct support s;
    const char *dir;
    struct str packs, release; /* folders */
};

static inline int world_setup(void **state)
{
    struct loaders_world *w = calloc(1, sizeof *w);
    support_init(&w->s);
    w->s.cx.now_us = 1795000000000000; /* 2026-11-18: the made-up releases are not of the future */
    w->dir = support_make_dir(&w->s);
    w->packs = arena_printf(&w->s.arena, "%s/packs", w->dir);
    w->release = arena_printf(&w->s.arena, "%s/release", w->dir);
    assert_ok(&w->s, file_make_dirs(&w->s.cx, w->packs.data));
    assert_ok(&w->s, file_make_dirs(&w->s.cx, w->release.data));
    *state = w;
    return 0;
}

static inline int world_teardown(void **state)
{
    struct loaders_world *w = *state;
    support_remove_dir(w->dir);
    support_fini(&w->s);
    free(w);
    return 0;
}

/* A file of the made-up release; answers its path. */
static inline const char *put_bytes(struct loaders_world *w, const char *name, struct str text)
{
    struct str path = arena_printf(&w->s.arena, "%s/%s", w->release.data, name);
    assert_ok(&w->s, file_replace(&w->s.cx, path.data, text, 0600));
    return path.data;
}

static inline const char *put_file(struct loaders_world *w, const char *name, const char *text)
{
    return put_bytes(w, name, str_from(text));
}

static inline status load_path(struct loaders_world *w, const char *path, struct loader_result *out)
{
    struct loader_options options = {.path = path, .pack_dir = w->packs.data};
    ctx_clear(&w->s.cx);
    return loaders_load_codes(&w->s.cx, &options, out);
}

static inline size_t packs_seen(struct loaders_world *w)
{
    size_t count = 0;
    DIR *listing = opendir(w->packs.data);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        count += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
    closedir(listing);
    return count;
}

static inline struct pack *open_result(struct loaders_world *w, const struct loader_result *result)
{
    struct str path = arena_printf(&w->s.arena, "%s/%.*s", w->packs.data, STR_ARGS(result->registration.pack_file));
    struct pack *pack;
    assert_ok(&w->s, pack_open(&w->s.cx, path.data, result->registration.sha256, &pack));
    return pack;
}

static inline const struct loader_finding *finding(const struct loader_result *result, const char *rule)
{
    for (size_t i = 0; i < result->findings_count; i++)
        if (str_is(result->findings[i].rule, rule))
            return &result->findings[i];
    return NULL;
}

#define assert_finding(result, rule_name, line_number, is_fatal)                                                       \
    do {                                                                                                               \
        const struct loader_finding *finding_ = finding((result), (rule_name));                                        \
        if (finding_ == NULL)                                                                                          \
            fail_msg("no finding %s; first: %.*s", (rule_name),                                                        \
                     (result)->findings_count ? (int)(result)->findings[0].rule.len : 4,                               \
                     (result)->findings_count ? (result)->findings[0].rule.data : "none");                             \
        assert_int_equal(finding_->line, (line_number));                                                               \
        assert_int_equal(finding_->fatal, (is_fatal));                                                                 \
    } while (0)

/* The load is refused, for this rule on this line, and left nothing in the pack folder. */
#define assert_refused(w, path, rule_name, line_number)                                                                \
    do {                                                                                                               \
        struct loader_result refused_;                                                                                 \
        size_t before_ = packs_seen(w);                                                                                \
        status status_ = load_path((w), (path), &refused_);                                                            \
        assert_int_equal(status_, STATUS_INVALID_ARGUMENT);                                                            \
        assert_string_equal((w)->s.cx.reason->name, "loaders.faulty");                                                 \
        assert_finding(&refused_, (rule_name), (line_number), true);                                                   \
        assert_int_equal(packs_seen(w), before_);                                                                      \
    } while (0)

static inline uint32_t index_of(const struct pack *pack, const char *code)
{
    uint32_t index;
    if (!pack_find(pack, str_from(code), &index))
        fail_msg("no code %s", code);
    return index;
}

/* The value of a property that the concept has once, or "". */
static inline struct str property_of(const struct pack *pack, const char *code, const char *name)
{
    struct pack_range rows = pack_properties(pack, index_of(pack, code));
    for (uint32_t i = 0; i < rows.count; i++)
        if (str_is(pack_property_at(pack, rows.first + i).name, name))
            return pack_property_at(pack, rows.first + i).value;
    return STR("");
}
