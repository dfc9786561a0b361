/*
 * Products of limits. Each case runs in processes of its own:
 *
 *   live     everything is submitted at once; all of it must be answered
 *   again    another engine applies a copy of that journal: the same bytes in the store
 *   killed   everything is durable, nothing is applied; SIGKILL
 *   caught   the next start applies it: the same verdicts, the same counts
 *
 * Each must live within MEMORY_KB_MAX beyond the quiet engine. IDEM_LIMITS_SAY=1 prints what each took;
 * IDEM_LIMITS_ONLY=*merges* runs those only.
 */
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "loaders/codes.h"
#include "world.h"

#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1, SCALE = 10 }; /* shadow memory says nothing about ours, and everything is some times slower */
#else
enum { SANITIZED = 0, SCALE = 1 };
#endif

enum {
    MEMORY_KB_MAX = 512 * 1024,
    STORE_CACHE_BYTES = 16 * 1024 * 1024,
    SENT_MAX = 256,
    PATIENCE_S = SANITIZED ? 400 : 100, /* then the child is hung */
};

/* What a child tells its parent; shared memory. */
struct sent {
    char control_id[24], code[3], reason[40];
    bool last;
};
struct board {
    size_t quiet_kb, peak_kb;
    uint8_t digest[32];
    uint64_t owed, queued, records, persons, decisions, work_items;
    struct sent sent[SENT_MAX];
    size_t count;
};

/* One case: so many messages of this shape, for routes of that shape. Places are coded elements, counted once for each
 * route that looks at them. */
struct product {
    const char *name;
    size_t bytes, routes, places, destinations, identifiers, patients, merges;
    size_t latin;        /* bytes of PID-11 in a set of which each becomes two */
    bool one_only;       /* all merges follow one PID */
    bool same_patient;   /* all PIDs name one, of a record as large as it may be */
    bool renamed;        /* each time another name than before: a new version of it */
    size_t rules;        /* for OBX-3, of each route, beside those for places */
    unsigned latin_part; /* the component of OBX-3 that has the bytes, instead of PID-11 */
    size_t copies;
    bool killed;
    const char *reason; /* every message is refused for it; "": every one is accepted; NULL: either, with a reason */
};

/* ---- what is sent ---- */

static void put_rules(struct buf *out, size_t count)
{
    buf_put_str(out, STR("codes: [ "));
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s{ path: \"OBX(*)-3\", to: [LN] }", i ? ", " : "");
    buf_put_str(out, STR(" ], "));
}

static void put_routes(struct buf *out, const struct product *product)
{
    buf_put_str(out, STR("destinations:\n"));
    for (size_t i = 0; i < product->destinations; i++)
        buf_printf(out, "  - { name: d%zu, mllp: { connect: \"127.0.0.1:1\" }, retry: { first: 1h, most: 1h } }\n", i);
    buf_put_str(out, STR("routes:\n"));
    for (size_t i = 0; i < product->routes; i++) {
        buf_printf(out, "  - { name: r%zu, person_id: { authority: R%zu }, ", i, i);
        if (product->places)
            buf_put_str(out, STR("codes: [ { path: \"OBX(*)-3\", to: [LN] }, { path: \"OBX(*)-6\", to: [LN] } ], "));
        if (product->rules)
            put_rules(out, product->rules);
        buf_printf(out, "to: [d%zu", i % product->destinations);
        for (size_t to = i + product->routes; to < product->destinations; to += product->routes)
            buf_printf(out, ", d%zu", to);
        buf_put_str(out, STR("] }\n"));
    }
}

static void put_latin(struct buf *out, size_t bytes)
{
    buf_reserve(out, bytes);
    for (size_t i = 0; i < bytes; i++)
        buf_put_byte(out, 0xE9);
}

static void put_pid(struct buf *out, const struct product *product, size_t copy, size_t patient)
{
    buf_printf(out, "PID|%zu||", patient + 1);
    for (size_t i = 0; i < product->identifiers; i++)
        buf_printf(out, "%sC%zuP%zuI%zu^^^NORTH^MR", i ? "~" : "", copy, patient, i);
    buf_printf(out, "||Doe%zuq%zu^Anna||19%02zu%02zu%02zu|F", copy, patient, patient % 90 + 10, patient % 12 + 1,
               patient % 28 + 1);
    if (product->latin && product->latin_part == 0) {
        buf_put_str(out, STR("|||"));
        put_latin(out, product->latin);
    }
    buf_put_byte(out, '\r');
}

static void put_filler(struct buf *out, size_t bytes)
{
    static char text[4000];
    memset(text, 'x', sizeof text);
    while (out->len + 64 < bytes) {
        size_t room = bytes - out->len - 32;
        buf_printf(out, "NTE|1||%.*s\r", (int)(room < sizeof text ? room : sizeof text), text);
    }
}

static const char *event_of(const struct product *product)
{
    return product->merges ? "ADT^A40^ADT_A39" : product->renamed ? "ADT^A08^ADT_A01" : "ORU^R01^ORU_R01";
}

static void put_message(struct buf *out, const struct product *product, size_t copy)
{
    buf_printf(out, "MSH|^~\\&|HIS|NORTH|IDEM|HUB|20261121120000||%s|M%zu|P|2.5.1%s\r", event_of(product), copy,
               product->latin ? "||||||8859/1" : "");
    size_t patients = product->patients > product->merges ? product->patients : product->merges;
    for (size_t i = 0; i < patients; i++) {
        if (product->same_patient)
            buf_printf(out, "PID|%zu||LARGE^^^NORTH^MR||%s^Anna||19800101|F\r", i + 1,
                       product->renamed && i % 2 ? "Roe" : "Doe");
        else if (i == 0 || !product->one_only)
            put_pid(out, product, copy, i);
        if (i < product->merges)
            buf_printf(out, "MRG|OLD%zuP%zu^^^NORTH^MR\r", copy, i);
    }
    size_t rules = 2 * product->routes; /* each looks at one of the places */
    for (size_t i = 0; i < product->places / rules; i++)
        buf_printf(out, "OBX|%zu|NM|GLU^Glucose^L||5|GLU^mg^L\r", i + 1);
    if (product->latin_part) {
        buf_put_str(out, product->latin_part == 1 ? STR("OBX|1|NM|") : STR("OBX|1|NM|NONE^"));
        put_latin(out, product->latin);
        buf_put_str(out, product->latin_part == 1 ? STR("^Text^L\r") : STR("^L\r"));
    }
    put_filler(out, product->bytes);
}

/* A record of 2 MB. */
static void put_large_record(struct buf *out)
{
    static char text[LIMIT_FIELD_VALUE_BYTES - 8];
    memset(text, 'a', sizeof text);
    buf_put_str(out,
                STR("MSH|^~\\&|HIS|NORTH|IDEM|HUB|20261121120000||ADT^A08|LARGE|P|2.5.1\rPID|1||LARGE^^^NORTH^MR"));
    for (int i = 1; i < LIMIT_IDENTIFIERS_PER_RECORD; i++)
        buf_printf(out, "~%d%.*s^^^%.*s", i, (int)sizeof text, text, (int)sizeof text, text);
    buf_put_str(out, STR("||Doe^Anna||19800101|F\r"));
}

static void load_map(struct world *w)
{
    struct str path = arena_printf(&w->s.arena, "%s/map.csv", w->dir);
    struct str text = STR("source_system,source_code,source_display,target_system,target_code,target_display,"
                          "equivalence\nL,GLU,Glucose,LN,2345-7,Glucose [Mass/volume] in Serum or Plasma,equivalent\n");
    assert_ok(&w->s, file_replace(&w->s.cx, path.data, text, 0600));
    struct loader_options options = {
        .path = path.data, .pack_dir = engine_packs_dir(w->engine), .system = STR("map:local"), .version = STR("1")};
    struct loader_result result;
    uint64_t release, seq;
    assert_ok(&w->s, loaders_load_codes(&w->s.cx, &options, &result));
    assert_ok(&w->s, engine_register_codes(w->engine, &w->s.cx, &result.registration, &release));
    assert_ok(&w->s, engine_activate_codes(w->engine, &w->s.cx, release, &seq));
}

/* ---- memory ---- */

static size_t memory_kb(const char *what)
{
    char line[256];
    size_t kb = 0;
    FILE *file = fopen("/proc/self/status", "r");
    assert_non_null(file);
    while (kb == 0 && fgets(line, sizeof line, file))
        if (strncmp(line, what, strlen(what)) == 0)
            kb = strtoull(line + strlen(what) + 1, NULL, 10);
    fclose(file);
    assert_true(kb > 0);
    return kb;
}

/* The high-water mark begins again, where the kernel lets us; else it is what it was. */
static void forget_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (file) {
        fputs("5", file);
        fclose(file);
    }
}

/* ---- what children do ---- */

static pthread_mutex_t answers = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t answered = PTHREAD_COND_INITIALIZER;

static void hear(void *arg, const struct engine_answer *answer)
{
    struct sent *sent = arg;
    pthread_mutex_lock(&answers);
    snprintf(sent->code, sizeof sent->code, "%s", answer->code);
    snprintf(sent->reason, sizeof sent->reason, "%s", answer->reason);
    sent->last |= answer->last;
    pthread_cond_signal(&answered);
    pthread_mutex_unlock(&answers);
}

static void open_quiet(struct world *w, const char *dir, struct board *board)
{
    support_init(&w->s);
    w->dir = dir;
    struct engine_options options = {.dir = dir, .version = "test", .store_cache_bytes = STORE_CACHE_BYTES};
    assert_ok(&w->s, engine_open(&w->s.cx, &options, &w->engine));
    board->peak_kb = memory_kb("VmHWM:"); /* a start that catches up may be over by now */
}

static void prepare(struct world *w, const struct product *product, struct board *board)
{
    load_map(w);
    SCOPED(buf_fini) struct buf routes = {0};
    put_routes(&routes, product);
    world_routes(w, buf_str(&routes));
    if (product->same_patient) {
        SCOPED(buf_fini) struct buf large = {0};
        put_large_record(&large);
        assert_string_equal(world_submit(w, "north", buf_str(&large)).code[0], "AA");
    }
    forget_peak();
    board->quiet_kb = memory_kb("VmRSS:");
}

static void submit_all(struct world *w, const struct product *product, struct board *board)
{
    for (size_t i = 0; i < product->copies; i++) {
        SCOPED(buf_fini) struct buf message = {0};
        put_message(&message, product, i);
        struct sent *sent = &board->sent[i];
        snprintf(sent->control_id, sizeof sent->control_id, "M%zu", i);
        struct engine_submission submission = {.source = STR("north"),
                                               .protocol = STR("grpc"),
                                               .peer = STR("127.0.0.1:1"),
                                               .message = buf_str(&message),
                                               .received_us = clock_now_us()};
        submit_patiently(w->engine, &submission, hear, sent);
    }
    board->count = product->copies;
}

static void count_all(struct world *w, struct board *board)
{
    struct engine_status now = world_status(w);
    board->owed = now.deliveries_owed;
    board->queued = now.deliveries_queued;
    board->records = now.mpi.records;
    board->persons = now.mpi.persons;
    board->decisions = now.mpi.decisions;
    board->work_items = now.work_items;
    assert_ok(&w->s, data_digest(engine_store(w->engine), &w->s.cx, board->digest));
}

static void copy_below(const char *from, const char *below, const char *to)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", from, below);
    const char *arguments[] = {"cp", "-r", path, to, NULL};
    pid_t child = fork();
    if (child == 0) {
        execvp("cp", (char **)(void *)arguments);
        _exit(127);
    }
    int how;
    waitpid(child, &how, 0);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

static void run_live(const struct product *product, const char *dir, const char *again, struct board *board)
{
    struct world w;
    open_quiet(&w, dir, board);
    prepare(&w, product, board);
    submit_all(&w, product, board);
    pthread_mutex_lock(&answers);
    for (size_t i = 0; i < board->count; i++)
        while (!board->sent[i].last)
            pthread_cond_wait(&answered, &answers);
    pthread_mutex_unlock(&answers);
    board->peak_kb = memory_kb("VmHWM:");
    count_all(&w, board);
    copy_below(dir, "journal", again);
    copy_below(dir, "packs", again);
}

/* A reader that does not let go keeps every commit out; the journal goes on. */
static void run_killed(const struct product *product, const char *dir, const char *unused, struct board *board)
{
    (void)unused;
    struct world w;
    struct data_view view;
    open_quiet(&w, dir, board);
    prepare(&w, product, board);
    uint64_t applied = data_applied_seq(engine_store(w.engine));
    uint64_t last = journal_last_seq(engine_journal(w.engine)) + product->copies;
    data_view_begin(engine_store(w.engine), &view);
    submit_all(&w, product, board);
    while (journal_last_seq(engine_journal(w.engine)) < last)
        usleep(1000);
    board->peak_kb = memory_kb("VmHWM:");
    assert_int_equal(data_applied_seq(engine_store(w.engine)), applied);
    for (size_t i = 0; i < board->count; i++)
        assert_false(board->sent[i].last);
    kill(getpid(), SIGKILL);
}

/* What the rows say was answered. */
static void run_caught(const struct product *product, const char *dir, const char *unused, struct board *board)
{
    (void)unused;
    struct world w;
    open_quiet(&w, dir, board);
    count_all(&w, board);
    struct engine_message_line *lines;
    uint64_t next;
    assert_ok(&w.s, engine_messages(w.engine, &w.s.cx, 0, SENT_MAX, false, &lines, &board->count, &next));
    if (product->same_patient) {
        assert_str(lines[board->count - 1].control_id, "LARGE");
        board->count--;
    }
    assert_int_equal(board->count, product->copies);
    for (size_t i = 0; i < board->count; i++) {
        struct sent *sent = &board->sent[board->count - 1 - i]; /* newest first */
        snprintf(sent->control_id, sizeof sent->control_id, "%.*s", STR_ARGS(lines[i].control_id));
        snprintf(sent->code, sizeof sent->code, "%.*s", STR_ARGS(lines[i].ack_code));
        snprintf(sent->reason, sizeof sent->reason, "%.*s", STR_ARGS(lines[i].reason));
    }
}

/* ---- what parents see ---- */

typedef void child_fn(const struct product *product, const char *dir, const char *other, struct board *board);

static void in_child(child_fn *run, const struct product *product, const char *dir, const char *other,
                     struct board *board, int signal_wanted)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        setenv("CMOCKA_TEST_ABORT", "1", 1); /* what fails here must not run on as a second parent */
        alarm(PATIENCE_S);
        run(product, dir, other, board);
        _exit(0);
    }
    int how;
    waitpid(child, &how, 0);
    if (signal_wanted ? !(WIFSIGNALED(how) && WTERMSIG(how) == signal_wanted) : !(WIFEXITED(how) && how == 0))
        fail_msg("%s: the child ended with %d", product->name, how);
}

static struct board *board_new(void)
{
    void *memory = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    return memory;
}

static void check_memory(const struct product *product, const char *who, size_t peak_kb, size_t quiet_kb)
{
    size_t taken_kb = peak_kb > quiet_kb ? peak_kb - quiet_kb : 0;
    if (getenv("IDEM_LIMITS_SAY"))
        print_message("%-24s %-7s %7zu KB beyond %zu KB\n", product->name, who, taken_kb, quiet_kb);
    if (!SANITIZED && taken_kb > MEMORY_KB_MAX)
        fail_msg("%s: %s took %zu KB beyond the quiet engine", product->name, who, taken_kb);
}

static void check_answers(const struct product *product, const struct board *live)
{
    for (size_t i = 0; i < live->count; i++) {
        const struct sent *sent = &live->sent[i];
        bool accepted = strcmp(sent->code, "AA") == 0;
        if (accepted != (sent->reason[0] == 0) || sent->code[0] != 'A')
            fail_msg("%s: %s got %s %s", product->name, sent->control_id, sent->code, sent->reason);
        if (product->reason && strcmp(sent->reason, product->reason) != 0)
            fail_msg("%s: %s got %s %s, want \"%s\"", product->name, sent->control_id, sent->code, sent->reason,
                     product->reason);
    }
}

static void check_same(const struct product *product, const struct board *live, const struct board *other)
{
    assert_int_equal(other->count, live->count);
    for (size_t i = 0; i < live->count; i++) {
        const struct sent *want = &live->sent[i], *got = &other->sent[i];
        if (strcmp(got->control_id, want->control_id) || strcmp(got->code, want->code) ||
            strcmp(got->reason, want->reason))
            fail_msg("%s: %s was %s %s, became %s %s %s", product->name, want->control_id, want->code, want->reason,
                     got->control_id, got->code, got->reason);
    }
    assert_int_equal(other->owed, live->owed);
    assert_int_equal(other->queued, live->queued);
    assert_int_equal(other->records, live->records);
    assert_int_equal(other->persons, live->persons);
    assert_int_equal(other->decisions, live->decisions);
    assert_int_equal(other->work_items, live->work_items);
}

static void try_kill(const struct product *product, const char *dir, const struct board *live, struct board *other)
{
    in_child(run_killed, product, dir, NULL, other, SIGKILL);
    check_memory(product, "killed", other->peak_kb, live->quiet_kb);
    *other = (struct board){0};
    in_child(run_caught, product, dir, NULL, other, 0);
    check_memory(product, "caught", other->peak_kb, live->quiet_kb);
    check_same(product, live, other);
}

static void try_product(const struct product *product)
{
    struct support s;
    support_init(&s);
    struct board *live = board_new(), *other = board_new();
    const char *dir = support_make_dir(&s), *again = support_make_dir(&s), *killed = support_make_dir(&s);

    in_child(run_live, product, dir, again, live, 0);
    check_memory(product, "live", live->peak_kb, live->quiet_kb);
    check_answers(product, live);

    in_child(run_caught, product, again, NULL, other, 0);
    check_memory(product, "again", other->peak_kb, live->quiet_kb);
    check_same(product, live, other);
    assert_memory_equal(other->digest, live->digest, sizeof live->digest);

    if (product->killed)
        try_kill(product, killed, live, other);
    support_remove_dir(dir);
    support_remove_dir(again);
    support_remove_dir(killed);
    munmap(live, sizeof *live);
    munmap(other, sizeof *other);
    support_fini(&s);
}

/* ---- cases ---- */

/* Once: 1.2 million coded elements in one batch, an arena of 1 GiB for all, abort. */
static void test_a_burst_of_results_for_five_routes__is_answered_in_bounded_memory(void **state)
{
    (void)state;
    enum { RESULTS = SANITIZED ? 100 : 1000 }; /* two coded elements each */
    try_product(&(struct product){.name = "burst of results",
                                  .routes = 5,
                                  .places = (size_t)5 * 2 * RESULTS,
                                  .destinations = 5,
                                  .identifiers = 1,
                                  .patients = 1,
                                  .copies = SANITIZED ? 20 : 120,
                                  .killed = true,
                                  .reason = ""});
}

/* Once: abort, and again at each start, because the journal had them. */
static void test_large_messages_for_many_routes__are_refused_before_and_after_a_kill(void **state)
{
    (void)state;
    try_product(&(struct product){.name = "many routes",
                                  .bytes = 3900 * 1000,
                                  .routes = 130,
                                  .destinations = 130,
                                  .identifiers = 1,
                                  .patients = 1,
                                  .copies = 4,
                                  .killed = true,
                                  .reason = "engine.too-large"});
}

enum {
    AXIS_BYTES = 1, /* numbers of one to seven, so that any two differ in a bit of the row's number */
    AXIS_ROUTES,
    AXIS_PLACES,
    AXIS_DESTINATIONS,
    AXIS_IDENTIFIERS,
    AXIS_PATIENTS,
    AXIS_MERGES,
    ALL_HIGH = 8, /* the row after those */
};

/* Orthogonal: among the rows 0 to 7, any two axes meet in all four ways, low and high. */
static bool is_high(unsigned row, unsigned axis)
{
    return row == ALL_HIGH || __builtin_parity(row & axis) != 0;
}

static struct product product_of(unsigned row)
{
    return (struct product){.bytes = is_high(row, AXIS_BYTES) ? LIMIT_MESSAGE_BYTES / SCALE : 0,
                            .routes = is_high(row, AXIS_ROUTES) ? LIMIT_ROUTES : 1,
                            .places = is_high(row, AXIS_PLACES) ? LIMIT_CODES_PER_MESSAGE / SCALE : 0,
                            .destinations = is_high(row, AXIS_DESTINATIONS) ? LIMIT_DESTINATIONS : 1,
                            .identifiers = is_high(row, AXIS_IDENTIFIERS) ? LIMIT_IDENTIFIERS_PER_RECORD : 1,
                            .patients = is_high(row, AXIS_PATIENTS) ? LIMIT_PATIENTS_PER_MESSAGE / SCALE : 1,
                            .merges = is_high(row, AXIS_MERGES) ? LIMIT_MERGES_PER_MESSAGE / SCALE : 0,
                            .copies = 1};
}

static size_t least(size_t left, size_t right)
{
    return left < right ? left : right;
}

/* The most of it that its routes may make something of. */
static struct product fitted(struct product product)
{
    size_t room = LIMIT_MADE_BYTES / product.routes * 9 / 10;
    size_t of_patient = product.identifiers * 28 + 100;
    size_t patients = least(room / of_patient, LIMIT_VALUES_PER_ENTRY / (product.identifiers + 1 /* the name */));
    product.patients = least(product.patients, patients);
    product.merges = least(product.merges, patients);
    product.bytes = least(product.bytes, room);
    product.reason = "";
    return product;
}

static bool is_same_shape(const struct product *left, const struct product *right)
{
    return left->bytes == right->bytes && left->patients == right->patients && left->merges == right->merges;
}

static void test_products_of_limits__are_answered_in_bounded_memory(void **state)
{
    (void)state;
    for (unsigned row = 0; row <= ALL_HIGH; row++) {
        char name[2][32];
        struct product all = product_of(row), fits = fitted(all);
        snprintf(name[0], sizeof name[0], "row %u", row);
        snprintf(name[1], sizeof name[1], "row %u fitted", row);
        all.name = name[0];
        fits.name = name[1];
        fits.killed = fits.routes > 1 && fits.places == 0; /* those that are soon applied again */
        try_product(&fits);
        if (!is_same_shape(&all, &fits))
            try_product(&all);
    }
}

static void test_one_beyond_a_limit__is_refused_with_its_reason(void **state)
{
    (void)state;
    static const struct product beyond[] = {
        {.name = "places", .places = LIMIT_CODES_PER_MESSAGE + 2, .reason = "engine.too-large"},
        {.name = "patients", .patients = LIMIT_PATIENTS_PER_MESSAGE + 1, .reason = "engine.too-large"},
        {.name = "merges", .merges = LIMIT_MERGES_PER_MESSAGE + 1, .reason = "engine.too-large"},
    };
    for (size_t i = 0; i < sizeof beyond / sizeof beyond[0]; i++) {
        struct product product = beyond[i];
        product.routes = product.destinations = product.identifiers = product.copies = 1;
        try_product(&product);
    }
}

/* ---- large messages that wait ---- */

enum { WAITING = SANITIZED ? 4 : 36 }; /* destinations that are away, each with a largest message of its own */

static void use_waiting_routes(struct world *w)
{
    SCOPED(buf_fini) struct buf text = {0};
    buf_put_str(&text, STR("destinations:\n"));
    for (int i = 0; i < WAITING; i++)
        buf_printf(&text, "  - { name: d%d, mllp: { connect: \"127.0.0.1:1\" }, retry: { first: 1h, most: 1h } }\n", i);
    buf_put_str(&text, STR("routes:\n"));
    for (int i = 0; i < WAITING; i++)
        buf_printf(&text, "  - { name: r%d, when: { type: [\"ORU^Z%02d\"] }, to: [d%d] }\n", i, i, i);
    world_routes(w, buf_str(&text));
}

/* Until every lane has tried, and found nobody. */
static void wait_until_all_retry(struct world *w)
{
    size_t retrying = 0;
    while (retrying < WAITING) {
        struct arena_mark mark = arena_mark(&w->s.arena);
        struct engine_status now = world_status(w);
        retrying = 0;
        for (size_t i = 0; i < now.lane_count; i++)
            retrying += str_is(now.lanes[i].state, "retrying") && now.lanes[i].queued == 1;
        arena_rewind(&w->s.arena, mark);
        usleep(10000);
    }
}

static void run_waiting(const struct product *product, const char *dir, const char *unused, struct board *board)
{
    (void)product, (void)unused;
    struct world w;
    open_quiet(&w, dir, board);
    use_waiting_routes(&w);
    forget_peak();
    board->quiet_kb = memory_kb("VmRSS:");
    for (int i = 0; i < WAITING; i++) {
        SCOPED(buf_fini) struct buf message = {0};
        buf_printf(&message, "MSH|^~\\&|HIS|NORTH|IDEM|HUB|20261121120000||ORU^Z%02d|M%d|P|2.5.1\r", i, i);
        put_filler(&message, LIMIT_MESSAGE_BYTES);
        assert_string_equal(world_submit(&w, "north", buf_str(&message)).code[0], "AA");
    }
    wait_until_all_retry(&w);
    board->peak_kb = memory_kb("VmHWM:");
}

static void run_waiting_again(const struct product *product, const char *dir, const char *unused, struct board *board)
{
    (void)product, (void)unused;
    struct world w;
    open_quiet(&w, dir, board);
    wait_until_all_retry(&w);
    board->peak_kb = memory_kb("VmHWM:");
}

/* Once: each lane held the one it could not send. */
static void test_large_messages_that_wait__are_held_few_at_a_time(void **state)
{
    (void)state;
    static const struct product product = {.name = "waiting"};
    struct support s;
    support_init(&s);
    const char *dir = support_make_dir(&s);
    struct board *live = board_new(), *again = board_new();
    in_child(run_waiting, &product, dir, NULL, live, 0);
    check_memory(&product, "live", live->peak_kb, live->quiet_kb);
    in_child(run_waiting_again, &product, dir, NULL, again, 0);
    check_memory(&product, "again", again->peak_kb, live->quiet_kb);
    support_remove_dir(dir);
    munmap(live, sizeof *live);
    munmap(again, sizeof *again);
    support_fini(&s);
}

/* Once: the PID was decoded again for each MRG, abort, and again at each start. */
static void test_merges_into_one_with_a_long_latin_field__are_answered_in_bounded_memory(void **state)
{
    (void)state;
    try_product(&(struct product){.name = "latin merges",
                                  .routes = 1,
                                  .destinations = 1,
                                  .identifiers = 1,
                                  .patients = 1,
                                  .latin = 15 * 1000 * 1000 / SCALE,
                                  .merges = LIMIT_MERGES_PER_MESSAGE,
                                  .one_only = true,
                                  .copies = 1,
                                  .killed = true,
                                  .reason = ""});
}

/* Once: a large element was decoded again for each rule of each route, abort. */
static void test_rules_for_a_large_latin_element__are_answered_in_bounded_memory(void **state)
{
    (void)state;
    enum { LARGE = 15 * 1000 * 1000, LOOKS_MAX = LIMIT_CODED_BYTES / LARGE };
    static const struct product cases[] = {
        {.name = "codes at the limit", .routes = LOOKS_MAX, .rules = 1, .latin_part = 2, .reason = ""},
        {.name = "codes of one route", .routes = 1, .rules = LOOKS_MAX, .latin_part = 1, .reason = ""},
        {.name = "codes one beyond",
         .routes = 1,
         .rules = LOOKS_MAX + 1,
         .latin_part = 2,
         .reason = "engine.too-large"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct product product = cases[i];
        product.destinations = product.routes;
        product.identifiers = product.patients = product.copies = 1;
        product.latin = LARGE;
        product.killed = i == 0;
        try_product(&product);
    }
}

/* Once: what was read for each added up, abort. */
static void test_a_large_record_named_by_many__is_answered_in_bounded_memory(void **state)
{
    (void)state;
    static const struct product cases[] = {
        {.name = "same patient", .patients = 30},
        {.name = "same patient often", .patients = LIMIT_PATIENTS_PER_MESSAGE, .reason = "engine.too-large"},
        {.name = "renamed a little", .patients = 8, .renamed = true},
        {.name = "renamed often", .patients = 200, .renamed = true, .reason = "engine.too-large"},
        {.name = "merged often", .merges = LIMIT_MERGES_PER_MESSAGE, .reason = "engine.too-large"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct product product = cases[i];
        product.routes = product.destinations = product.identifiers = product.copies = 1;
        product.same_patient = true;
        product.reason = product.reason ? product.reason : "";
        try_product(&product);
    }
}

/* `patients` records of a load say something of the same large record. */
static void run_load(const struct product *product, const char *dir, const char *unused, struct board *board)
{
    (void)unused;
    struct world w;
    struct mpi_record_input records[LIMIT_PEOPLE_PER_LOAD];
    static const struct mpi_identifier own = {STR_INIT("NORTH"), STR_INIT("LARGE"), STR_INIT("MR")};
    static const struct mpi_name names[2] = {{.family = STR_INIT("Doe"), .given = STR_INIT("Anna")},
                                             {.family = STR_INIT("Roe"), .given = STR_INIT("Anna")}};
    open_quiet(&w, dir, board);
    prepare(&w, product, board);
    for (size_t i = 0; i < product->patients; i++) {
        records[i] = (struct mpi_record_input){.source = STR("load"), .identifiers = &own, .identifier_count = 1};
        records[i].demographics.names = &names[product->renamed && i % 2 == 0];
        records[i].demographics.name_count = 1;
    }
    struct engine_people_result result;
    uint64_t seq;
    status got = engine_load_people(w.engine, &w.s.cx, records, product->patients, &result, &seq);
    assert_string_equal(got == STATUS_OK ? "" : w.s.cx.reason->name, product->reason);
    board->peak_kb = memory_kb("VmHWM:");
    count_all(&w, board);
    assert_int_equal(board->records, 1);
}

/* The same for what is loaded: all of it or nothing, and never more than an entry may take. */
static void test_a_load_that_names_a_large_record_often__is_taken_or_refused_in_bounded_memory(void **state)
{
    (void)state;
    static const struct product cases[] = {
        {.name = "load", .patients = 8, .renamed = true, .reason = ""},
        {.name = "load of the same", .patients = LIMIT_PEOPLE_PER_LOAD, .reason = "engine.too-large"},
        {.name = "load renamed", .patients = LIMIT_PEOPLE_PER_LOAD, .renamed = true, .reason = "engine.too-large"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct support s;
        support_init(&s);
        const char *dir = support_make_dir(&s);
        struct product product = cases[i];
        struct board *board = board_new();
        product.routes = product.destinations = 1;
        product.same_patient = true;
        in_child(run_load, &product, dir, NULL, board, 0);
        check_memory(&product, "live", board->peak_kb, board->quiet_kb);
        munmap(board, sizeof *board);
        support_remove_dir(dir);
        support_fini(&s);
    }
}

/* ---- rehearsals ---- */

static void rehearse(struct world *w, struct str message, const char *reason)
{
    struct arena arena;
    arena_init(&arena, LIMIT_REQUEST_ARENA_BYTES); /* as a call has */
    struct ctx cx = {.arena = &arena, .now_us = clock_now_us()};
    struct engine_rehearsal got;
    status how = engine_rehearse(w->engine, &cx, STR_NONE, STR("north"), message, &got);
    if (reason) {
        assert_int_not_equal(how, STATUS_OK);
        assert_string_equal(cx.reason->name, reason);
    } else {
        assert_int_equal(how, STATUS_OK);
        assert_int_equal(got.output_count, 4);
        assert_true(got.outputs[3].message.len > message.len);
    }
    arena_fini(&arena);
}

static void run_rehearsal(const struct product *product, const char *dir, const char *reason, struct board *board)
{
    struct world w;
    open_quiet(&w, dir, board);
    prepare(&w, product, board);
    assert_string_equal(world_submit(&w, "north", world_adt(&w, "A04", "K1", "C0P0I0", "Doe", "")).code[0], "AA");
    SCOPED(buf_fini) struct buf message = {0};
    put_message(&message, product, 0);
    rehearse(&w, buf_str(&message), reason);
    board->peak_kb = memory_kb("VmHWM:");
    assert_string_equal(world_submit(&w, "north", world_adt(&w, "A04", "K2", "C0P0I0", "Doe", "")).code[0], "AA");
}

/* Once: one TestRoute ended the daemon. */
static void test_a_rehearsal_of_a_large_message__is_answered_or_refused(void **state)
{
    (void)state;
    enum { LARGE = 14 * 1024 * 1024 };
    static const struct {
        size_t routes, rules;
        const char *reason;
    } cases[] = {{4, 0, NULL},
                 {20, 0, "engine.too-large"},
                 {LIMIT_ROUTES, 0, "engine.too-large"},
                 {4, 1, NULL},
                 {4, 6, "engine.too-large"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct support s;
        support_init(&s);
        const char *dir = support_make_dir(&s);
        struct board *board = board_new();
        struct product product = {.name = "rehearsal", .identifiers = 1, .patients = 1, .rules = cases[i].rules};
        *(cases[i].rules ? &product.latin : &product.bytes) = LARGE;
        product.latin_part = cases[i].rules ? 2 : 0;
        product.routes = product.destinations = cases[i].routes;
        in_child(run_rehearsal, &product, dir, cases[i].reason, board, 0);
        check_memory(&product, "live", board->peak_kb, board->quiet_kb);
        munmap(board, sizeof *board);
        support_remove_dir(dir);
        support_fini(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_burst_of_results_for_five_routes__is_answered_in_bounded_memory),
        cmocka_unit_test(test_large_messages_for_many_routes__are_refused_before_and_after_a_kill),
        cmocka_unit_test(test_products_of_limits__are_answered_in_bounded_memory),
        cmocka_unit_test(test_one_beyond_a_limit__is_refused_with_its_reason),
        cmocka_unit_test(test_large_messages_that_wait__are_held_few_at_a_time),
        cmocka_unit_test(test_merges_into_one_with_a_long_latin_field__are_answered_in_bounded_memory),
        cmocka_unit_test(test_rules_for_a_large_latin_element__are_answered_in_bounded_memory),
        cmocka_unit_test(test_a_large_record_named_by_many__is_answered_in_bounded_memory),
        cmocka_unit_test(test_a_load_that_names_a_large_record_often__is_taken_or_refused_in_bounded_memory),
        cmocka_unit_test(test_a_rehearsal_of_a_large_message__is_answered_or_refused),
    };
    cmocka_set_test_filter(getenv("IDEM_LIMITS_ONLY"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
