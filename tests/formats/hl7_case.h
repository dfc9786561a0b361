/* Shared by the HL7 tests: a message built and indexed in one line, files of the shared data. */
#pragma once

#include "support.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "hl7v2/index.h"
#include "hl7v2/text.h"

#define MSH_251 "MSH|^~\\&|LAB|NORTH|IDEM|HUB|20260101120000||ADT^A01^ADT_A01|ID1|P|2.5.1\r"

struct hl7_case {
    struct support support;
    struct hl7_index index;
};

static inline void case_init(struct hl7_case *c)
{
    memset(c, 0, sizeof *c);
    support_init(&c->support);
}

static inline void case_fini(struct hl7_case *c)
{
    hl7_index_fini(&c->index);
    support_fini(&c->support);
}

static inline void case_build(struct hl7_case *c, struct str message)
{
    assert_ok(&c->support, hl7_index_build(&c->index, &c->support.cx, message, NULL));
}

static inline struct str case_text(struct hl7_case *c, const char *path)
{
    return hl7_text(&c->index, c->support.cx.arena, hl7_at(&c->index, path), NULL);
}

/* The file, in `bytes`; false (said loudly) when the shared data is absent. */
static inline bool case_read(struct hl7_case *c, const char *below, struct buf *bytes)
{
    const char *path = support_data(&c->support, below);
    buf_clear(bytes);
    if (path == NULL) {
        printf("skipped: no data (%s)\n", below);
        return false;
    }
    assert_ok(&c->support, file_read(&c->support.cx, path, 64u << 20, bytes));
    return true;
}
