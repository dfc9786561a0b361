/*
 * What every test needs: cmocka's includes in the right order, a ready ctx, the shared data folder, a scratch
 * directory.
 *
 *   struct support s; support_init(&s); … &s.cx …; support_fini(&s);
 */
#pragma once

#include "base/ctx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct support {
    struct arena arena;
    struct ctx cx;
};

void support_init(struct support *support);
void support_fini(struct support *support);

/* ctest counts this exit code as skipped. Print "skipped: no data" before using it. */
enum { SUPPORT_SKIP = 77 };

/* Path below $IDEM_DATA or ../shared/data, in the arena; NULL when the folder is absent. */
const char *support_data(struct support *support, const char *below);

/* A fresh empty directory under $TMPDIR, in the arena; remove it with support_remove_dir. */
const char *support_make_dir(struct support *support);
void support_remove_dir(const char *path);

/* Up to `len_max` bytes of any value, from a seed that the caller prints when it fails. */
struct str support_random_text(struct arena *arena, uint64_t *seed, size_t len_max);

/* assert that `call` is STATUS_OK, printing the reason when it is not */
#define assert_ok(support, call)                                                                                       \
    do {                                                                                                               \
        status assert_status_ = (call);                                                                                \
        if (assert_status_ != STATUS_OK)                                                                               \
            fail_msg("%s: %s (%.*s)", #call, (support)->cx.reason ? (support)->cx.reason->name : "?",                  \
                     STR_ARGS((support)->cx.detail));                                                                  \
    } while (0)

/* assert that `call` fails for the reason with this name */
#define assert_fails(support, call, reason_name)                                                                       \
    do {                                                                                                               \
        ctx_clear(&(support)->cx);                                                                                     \
        status assert_status_ = (call);                                                                                \
        assert_int_not_equal(assert_status_, STATUS_OK);                                                               \
        assert_non_null((support)->cx.reason);                                                                         \
        assert_string_equal((support)->cx.reason->name, (reason_name));                                                \
    } while (0)

#define assert_str(s, literal)                                                                                         \
    do {                                                                                                               \
        struct str assert_str_ = (s);                                                                                  \
        if (!str_is(assert_str_, literal))                                                                             \
            fail_msg("got \"%.*s\", want \"%s\"", STR_ARGS(assert_str_), literal);                                     \
    } while (0)
