/* Prints the journal's figures: bench_data_print [folder [threads [seconds]]]. Not a test: nothing here can fail for
 * speed. */
#include "data/bench.h"
#include "support.h"

#include <inttypes.h>

static unsigned number_or(const char *word, unsigned otherwise)
{
    uint64_t number;
    return word && str_to_u64(str_from(word), &number) && number <= 1000 ? (unsigned)number : otherwise;
}

int main(int argc, char **argv)
{
    struct support support;
    support_init(&support);
    const char *dir = argc > 1 ? argv[1] : "/tmp";
    unsigned threads = number_or(argc > 2 ? argv[2] : NULL, 32);
    unsigned seconds = number_or(argc > 3 ? argv[3] : NULL, 2);
    struct data_bench_result r;
    if (data_bench_journal(&support.cx, dir, threads, seconds, &r) != STATUS_OK) {
        struct str why = ctx_message(&support.cx);
        printf("%.*s\n", STR_ARGS(why));
        return 1;
    }
    printf("raw 1 KiB append+sync      %8" PRIu64 " /s\n", r.raw_append_per_s);
    printf("raw 1 KiB overwrite+sync   %8" PRIu64 " /s\n", r.raw_overwrite_per_s);
    printf("raw 64 KiB overwrite+sync  %8" PRIu64 " /s\n", r.raw_grouped_per_s);
    printf("journal, %3u waiting       %8" PRIu64 " /s  p50 %" PRIu64 " us  p99 %" PRIu64 " us  max %" PRIu64
           " us  %.1f a group\n",
           threads, r.appends_per_s, r.p50_us, r.p99_us, r.max_us, r.entries_per_group);
    printf("journal, %3u x 64 under way %7" PRIu64 " /s\n", threads, r.pipelined_per_s);
    printf("journal read in order      %8" PRIu64 " /s\n", r.reads_per_s);
    support_fini(&support);
    return 0;
}
