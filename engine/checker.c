/*
 * The journal's older segments, verified behind a start that did not wait for them. What they hold is checked again
 * whenever it is read, so damage there is never served; found here it is said, and the next start, which verifies
 * everything then, is refused as it always was.
 */
#include "engine_internal.h"

#include "base/log.h"

#include <sys/resource.h>

struct checker {
    char *dir;
    pthread_t thread;
    atomic_bool stopping;
};

static void tell(struct ctx *cx, const char *dir, const struct journal_report *report)
{
    if (report->bad_seq == 0) {
        log_event(LOG_INFO, "journal.verified", LOG_NUM("entries", report->entries),
                  LOG_NUM("segments", report->segments));
        return;
    }
    log_event(LOG_ERROR, "journal.damaged", LOG_NUM("seq", report->bad_seq), LOG_NAME("segment", report->bad_segment),
              LOG_NAME("why", report->bad_why), LOG_NAME("next", "idem journal verify, then a copy of the segment"));
    journal_distrust(cx, dir);
}

static void *run(void *arg)
{
    enum { LEAST_OF_ALL = 19 };
    struct checker *checker = arg;
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena, .gone = &checker->stopping};
    struct journal_report report;
    (void)setpriority(PRIO_PROCESS, 0, LEAST_OF_ALL); /* of this thread; refused: it takes a little more */
    if (journal_verify(&cx, checker->dir, &report) == STATUS_OK)
        tell(&cx, checker->dir, &report);
    else if (cx.reason != &ctx_cancelled_reason)
        log_event(LOG_WARN, "journal.not-verified", LOG_WHY(&cx));
    arena_fini(&arena);
    return NULL;
}

struct checker *checker_start(const char *dir)
{
    struct checker *checker = mem_alloc(sizeof *checker);
    checker->dir = mem_copy(dir, strlen(dir) + 1);
    if (pthread_create(&checker->thread, NULL, run, checker) != 0)
        mem_panic("engine", "no thread");
    return checker;
}

void checker_stop(struct checker *checker)
{
    if (checker == NULL)
        return;
    atomic_store(&checker->stopping, true);
    pthread_join(checker->thread, NULL);
    mem_free(checker->dir);
    mem_free(checker);
}
