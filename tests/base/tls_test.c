/* TLS between two sessions in memory, with certificates made by base/crypto/pki.h. */
#include "base/crypto/tls.h"
#include "base/file.h"
#include "base/log.h"
#include "support_tls.h"

#include <sys/stat.h>
#include <unistd.h>

struct talk {
    struct crypto_tls_session *client, *server;
    struct buf to_client, to_server, heard_by_client, heard_by_server;
};

/* Carries bytes in parts of `step` until both are silent. */
static void carry(struct talk *talk, size_t step)
{
    while (talk->to_server.len > 0 || talk->to_client.len > 0) {
        size_t len = talk->to_server.len < step ? talk->to_server.len : step;
        char part[4096];
        memcpy(part, talk->to_server.data ? talk->to_server.data : "", len);
        buf_drop_front(&talk->to_server, len);
        crypto_tls_feed(talk->server, str_make(part, len), &talk->heard_by_server, &talk->to_client);
        len = talk->to_client.len < step ? talk->to_client.len : step;
        memcpy(part, talk->to_client.data ? talk->to_client.data : "", len);
        buf_drop_front(&talk->to_client, len);
        crypto_tls_feed(talk->client, str_make(part, len), &talk->heard_by_client, &talk->to_server);
    }
}

static struct talk begin(struct crypto_tls *client, struct crypto_tls *server, const char *name)
{
    struct talk talk = {.client = crypto_tls_session_new(client, name), .server = crypto_tls_session_new(server, NULL)};
    crypto_tls_start(talk.client, &talk.to_server);
    carry(&talk, 4096);
    return talk;
}

static void end(struct talk *talk)
{
    crypto_tls_session_free(talk->client);
    crypto_tls_session_free(talk->server);
    buf_fini(&talk->to_client);
    buf_fini(&talk->to_server);
    buf_fini(&talk->heard_by_client);
    buf_fini(&talk->heard_by_server);
}

static void test_handshake__carries_bytes_and_names_both_ways(void **state)
{
    (void)state;
    struct support s;
    struct support_tls pki;
    support_init(&s);
    support_tls_init(&s, &pki);
    struct crypto_tls *server = support_tls_open(&s, &pki, true, "ca", "server");
    struct crypto_tls *client = support_tls_open(&s, &pki, false, "ca", "client");
    static const size_t steps[] = {1, 7, 4096};
    for (size_t i = 0; i < 3; i++) {
        struct talk talk = {.client = crypto_tls_session_new(client, "127.0.0.1"),
                            .server = crypto_tls_session_new(server, NULL)};
        assert_int_equal(crypto_tls_start(talk.client, &talk.to_server), CRYPTO_TLS_HANDSHAKE);
        carry(&talk, steps[i]);
        assert_int_equal(crypto_tls_state(talk.client), CRYPTO_TLS_OPEN);
        assert_int_equal(crypto_tls_state(talk.server), CRYPTO_TLS_OPEN);
        assert_true(crypto_tls_peer_is(talk.server, "adt-sender"));
        assert_true(crypto_tls_peer_is(talk.server, "urn:idem:adt"));
        assert_false(crypto_tls_peer_is(talk.server, "idemd"));
        const struct str *names;
        assert_int_equal(crypto_tls_peer_names(talk.client, &names), 3);
        assert_str(names[0], "idemd");
        assert_str(names[1], "localhost");
        assert_str(names[2], "127.0.0.1");

        struct buf big = {0};
        for (int n = 0; n < 20000; n++)
            buf_printf(&big, "line %d\r", n);
        crypto_tls_write(talk.client, buf_str(&big), &talk.to_server);
        crypto_tls_write(talk.server, STR("hello"), &talk.to_client);
        carry(&talk, steps[i]);
        assert_true(str_eq(buf_str(&talk.heard_by_server), buf_str(&big)));
        assert_str(buf_str(&talk.heard_by_client), "hello");
        buf_fini(&big);

        crypto_tls_shutdown(talk.client, &talk.to_server);
        carry(&talk, steps[i]);
        assert_int_equal(crypto_tls_state(talk.server), CRYPTO_TLS_CLOSED);
        end(&talk);
    }
    crypto_tls_close(client);
    crypto_tls_close(server);
    support_remove_dir(pki.dir);
    support_fini(&s);
}

static void test_peer__is_known_by_any_of_its_names(void **state)
{
    (void)state;
    struct support s;
    struct support_tls pki;
    support_init(&s);
    support_tls_init(&s, &pki);
    enum { NAMES = 100 };
    const char *names[NAMES];
    for (size_t i = 0; i < NAMES; i++)
        names[i] = arena_printf(&s.arena, "host-%zu.example", i).data;
    struct crypto_pki_request request = {.common_name = "adt-sender", .names = names, .name_count = NAMES};
    assert_ok(&s, crypto_pki_make_ca(&s.cx, "more", support_tls_path(&s, &pki, "more.pem"),
                                     support_tls_path(&s, &pki, "more-key.pem")));
    assert_ok(&s, crypto_pki_issue(&s.cx, support_tls_path(&s, &pki, "more.pem"),
                                   support_tls_path(&s, &pki, "more-key.pem"), &request,
                                   support_tls_path(&s, &pki, "many.pem"), support_tls_path(&s, &pki, "many-key.pem")));
    struct crypto_tls *server = support_tls_open(&s, &pki, true, "more", "server");
    struct crypto_tls *client = support_tls_open(&s, &pki, false, "ca", "many");
    struct talk talk = begin(client, server, "localhost");
    assert_int_equal(crypto_tls_state(talk.server), CRYPTO_TLS_OPEN);
    const struct str *known;
    assert_int_equal(crypto_tls_peer_names(talk.server, &known), NAMES + 1);
    for (size_t i = 0; i < NAMES; i++)
        assert_true(crypto_tls_peer_is(talk.server, names[i]));
    assert_false(crypto_tls_peer_is(talk.server, "host-100.example"));
    end(&talk);
    crypto_tls_close(client);
    crypto_tls_close(server);
    support_remove_dir(pki.dir);
    support_fini(&s);
}

static void test_handshake__refuses_whom_it_must(void **state)
{
    (void)state;
    static const struct {
        const char *server_ca, *server, *client_ca, *client, *name, *why_server, *why_client;
    } cases[] = {
        {"ca", "server", "ca", "stranger", "localhost", "unable to get local issuer certificate", NULL},
        {"ca", "server", "ca", "expired", "localhost", "certificate has expired", NULL},
        {"ca", "expired-server", "ca", "client", "localhost", NULL, "certificate has expired"},
        {"ca", "server", "other", "client", "localhost", NULL, "unable to get local issuer certificate"},
        {"ca", "server", "ca", "client", "lab.example", NULL, "hostname mismatch"},
        {"ca", "server", "ca", "client", "127.0.0.2", NULL, "IP address mismatch"},
        {"ca", "server", "ca", "server", "localhost", "unsuitable certificate purpose",
         NULL}, /* a server's, used by a client */
    };
    struct support s;
    struct support_tls pki;
    support_init(&s);
    support_tls_init(&s, &pki);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct crypto_tls *server = support_tls_open(&s, &pki, true, cases[i].server_ca, cases[i].server);
        struct crypto_tls *client = support_tls_open(&s, &pki, false, cases[i].client_ca, cases[i].client);
        struct talk talk = begin(client, server, cases[i].name);
        struct crypto_tls_session *judge = cases[i].why_server ? talk.server : talk.client;
        const char *want = cases[i].why_server ? cases[i].why_server : cases[i].why_client;
        assert_int_equal(crypto_tls_state(talk.client), CRYPTO_TLS_FAILED);
        assert_int_equal(crypto_tls_state(talk.server), CRYPTO_TLS_FAILED);
        if (crypto_tls_why(judge) == NULL || strcasecmp(crypto_tls_why(judge), want) != 0)
            fail_msg("case %zu: %s", i, crypto_tls_why(judge) ? crypto_tls_why(judge) : "no reason");
        assert_int_equal(crypto_tls_refused(talk.client), cases[i].why_server != NULL);
        end(&talk);
        crypto_tls_close(client);
        crypto_tls_close(server);
    }
    support_remove_dir(pki.dir);
    support_fini(&s);
}

static void test_open__names_the_file_at_fault(void **state)
{
    (void)state;
    struct support s;
    struct support_tls pki;
    support_init(&s);
    support_tls_init(&s, &pki);
    const char *ca = support_tls_path(&s, &pki, "ca.pem"), *cert = support_tls_path(&s, &pki, "server.pem");
    const char *key = support_tls_path(&s, &pki, "server-key.pem");
    struct crypto_tls *tls = NULL;
    struct stat info;
    assert_int_equal(stat(key, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    struct crypto_tls_options options = {.server = true, .ca_path = ca, .cert_path = cert, .key_path = key};

    chmod(key, 0640);
    assert_fails(&s, crypto_tls_open(&s.cx, &options, &tls), "crypto.key-exposed");
    assert_non_null(strstr(s.cx.detail.data, "mode 0640"));
    chmod(key, 0600);
    options.key_path = support_tls_path(&s, &pki, "client-key.pem");
    assert_fails(&s, crypto_tls_open(&s.cx, &options, &tls), "crypto.bad-file");
    options.key_path = support_tls_path(&s, &pki, "none.pem");
    assert_fails(&s, crypto_tls_open(&s.cx, &options, &tls), "base.file");
    options.key_path = key;
    options.cert_path = key;
    assert_fails(&s, crypto_tls_open(&s.cx, &options, &tls), "crypto.bad-file");
    options.cert_path = cert;
    options.ca_path = key;
    assert_fails(&s, crypto_tls_open(&s.cx, &options, &tls), "crypto.bad-file");
    assert_null(tls);
    support_remove_dir(pki.dir);
    support_fini(&s);
}

static void copy(struct support *s, const struct support_tls *pki, const char *from, const char *to)
{
    struct buf bytes = {0};
    assert_ok(s, file_read(&s->cx, support_tls_path(s, pki, from), 100000, &bytes));
    assert_ok(s, file_replace(&s->cx, support_tls_path(s, pki, to), buf_str(&bytes), 0600));
    buf_fini(&bytes);
}

static bool client_is_taken(struct crypto_tls *client, struct crypto_tls *server)
{
    struct talk talk = begin(client, server, "localhost");
    bool taken = crypto_tls_state(talk.server) == CRYPTO_TLS_OPEN;
    end(&talk);
    return taken;
}

static void test_reload__takes_new_files_and_keeps_the_old_when_they_are_bad(void **state)
{
    (void)state;
    struct support s;
    struct support_tls pki;
    support_init(&s);
    support_tls_init(&s, &pki);
    copy(&s, &pki, "ca.pem", "trusted.pem");
    struct crypto_tls *server = support_tls_open(&s, &pki, true, "trusted", "server");
    struct crypto_tls *client = support_tls_open(&s, &pki, false, "ca", "client");
    assert_true(client_is_taken(client, server));
    usleep(1100 * 1000); /* the files are looked at once a second */
    assert_ok(&s, file_replace(&s.cx, support_tls_path(&s, &pki, "trusted.pem"), STR("rubbish"), 0600));
    assert_true(client_is_taken(client, server));
    usleep(1100 * 1000);
    copy(&s, &pki, "other.pem", "trusted.pem");
    assert_false(client_is_taken(client, server));
    crypto_tls_close(client);
    crypto_tls_close(server);
    support_remove_dir(pki.dir);
    support_fini(&s);
}

static void test_expiry__reads_the_certificates_end(void **state)
{
    (void)state;
    struct support s;
    struct support_tls pki;
    support_init(&s);
    support_tls_init(&s, &pki);
    int64_t end_us = 0, now_us = clock_now_us();
    assert_ok(&s, crypto_pki_expiry(&s.cx, support_tls_path(&s, &pki, "server.pem"), &end_us));
    assert_true(end_us > now_us + 824ll * 86400 * 1000000 && end_us < now_us + 826ll * 86400 * 1000000);
    assert_ok(&s, crypto_pki_expiry(&s.cx, support_tls_path(&s, &pki, "expired.pem"), &end_us));
    assert_true(end_us < now_us);
    assert_fails(&s, crypto_pki_expiry(&s.cx, support_tls_path(&s, &pki, "server-key.pem"), &end_us),
                 "crypto.bad-file");
    support_remove_dir(pki.dir);
    support_fini(&s);
}

static void test_feed__survives_rubbish(void **state)
{
    (void)state;
    struct support s;
    struct support_tls pki;
    support_init(&s);
    support_tls_init(&s, &pki);
    struct crypto_tls *server = support_tls_open(&s, &pki, true, "ca", "server");
    struct crypto_tls_session *session = crypto_tls_session_new(server, NULL);
    struct buf plain = {0}, out = {0};
    assert_int_equal(crypto_tls_feed(session, STR("GET / HTTP/1.1\r\n\r\n"), &plain, &out), CRYPTO_TLS_FAILED);
    assert_non_null(crypto_tls_why(session));
    assert_int_equal(crypto_tls_feed(session, STR("more"), &plain, &out), CRYPTO_TLS_FAILED);
    assert_int_equal(plain.len, 0);
    crypto_tls_session_free(session);
    crypto_tls_close(server);
    buf_fini(&plain);
    buf_fini(&out);
    support_remove_dir(pki.dir);
    support_fini(&s);
}

static void test_open__takes_a_key_file_up_to_the_most_bytes(void **state)
{
    (void)state;
    enum { BOUND = 64 * 1024, MOST = BOUND - 1 };
    struct support s;
    struct support_tls pki;
    support_init(&s);
    support_tls_init(&s, &pki);
    struct buf bytes = {0};
    const char *padded = support_tls_path(&s, &pki, "padded.pem");
    struct crypto_tls_options options = {.server = true,
                                         .ca_path = support_tls_path(&s, &pki, "ca.pem"),
                                         .cert_path = support_tls_path(&s, &pki, "server.pem"),
                                         .key_path = padded};
    assert_ok(&s, file_read(&s.cx, support_tls_path(&s, &pki, "server-key.pem"), MOST, &bytes));
    while (bytes.len < MOST)
        buf_put_byte(&bytes, '\n');
    struct crypto_tls *tls = NULL;
    assert_ok(&s, file_replace(&s.cx, padded, buf_str(&bytes), 0600));
    assert_ok(&s, crypto_tls_open(&s.cx, &options, &tls));
    crypto_tls_close(tls);
    buf_put_byte(&bytes, '\n');
    assert_ok(&s, file_replace(&s.cx, padded, buf_str(&bytes), 0600));
    assert_fails(&s, crypto_tls_open(&s.cx, &options, &tls), "crypto.bad-file");
    buf_fini(&bytes);
    support_remove_dir(pki.dir);
    support_fini(&s);
}

static void test_peer__is_known_by_names_up_to_the_longest(void **state)
{
    (void)state;
    enum { LONGEST = 256 };
    struct support s;
    struct support_tls pki;
    support_init(&s);
    support_tls_init(&s, &pki);
    char longest[LONGEST + 1] = {0}, longer[LONGEST + 2] = {0};
    memset(longest, 'a', LONGEST);
    memset(longer, 'b', LONGEST + 1);
    const char *names[] = {longest, longer};
    struct crypto_pki_request request = {.common_name = "adt-sender", .names = names, .name_count = 2};
    assert_ok(&s, crypto_pki_make_ca(&s.cx, "more", support_tls_path(&s, &pki, "more.pem"),
                                     support_tls_path(&s, &pki, "more-key.pem")));
    assert_ok(&s, crypto_pki_issue(&s.cx, support_tls_path(&s, &pki, "more.pem"),
                                   support_tls_path(&s, &pki, "more-key.pem"), &request,
                                   support_tls_path(&s, &pki, "long.pem"), support_tls_path(&s, &pki, "long-key.pem")));
    struct crypto_tls *server = support_tls_open(&s, &pki, true, "more", "server");
    struct crypto_tls *client = support_tls_open(&s, &pki, false, "ca", "long");
    struct talk talk = begin(client, server, "localhost");
    assert_int_equal(crypto_tls_state(talk.server), CRYPTO_TLS_OPEN);
    assert_true(crypto_tls_peer_is(talk.server, longest));
    assert_false(crypto_tls_peer_is(talk.server, longer));
    assert_true(crypto_tls_peer_is(talk.server, "adt-sender"));
    end(&talk);
    crypto_tls_close(client);
    crypto_tls_close(server);
    support_remove_dir(pki.dir);
    support_fini(&s);
}

int main(void)
{
    log_set_level(LOG_ERROR + 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshake__carries_bytes_and_names_both_ways),
        cmocka_unit_test(test_peer__is_known_by_any_of_its_names),
        cmocka_unit_test(test_peer__is_known_by_names_up_to_the_longest),
        cmocka_unit_test(test_handshake__refuses_whom_it_must),
        cmocka_unit_test(test_open__names_the_file_at_fault),
        cmocka_unit_test(test_open__takes_a_key_file_up_to_the_most_bytes),
        cmocka_unit_test(test_reload__takes_new_files_and_keeps_the_old_when_they_are_bad),
        cmocka_unit_test(test_expiry__reads_the_certificates_end),
        cmocka_unit_test(test_feed__survives_rubbish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
