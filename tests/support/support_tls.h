/* Certificates for tests: made anew in a scratch folder; header only, so that only tests that use it link base/crypto.
 */
#pragma once

#include "base/clock.h"
#include "base/crypto/pki.h"
#include "support.h"

struct support_tls {
    const char *dir;
};

static inline const char *support_tls_path(struct support *s, const struct support_tls *pki, const char *file)
{
    return arena_printf(&s->arena, "%s/%s", pki->dir, file).data;
}

/* Two CAs ("ca", "other"), a server for 127.0.0.1 and localhost, clients "client", "stranger" (of the other CA) and
 * "expired". */
static inline void support_tls_init(struct support *s, struct support_tls *pki)
{
    static const char *const names[] = {"localhost", "127.0.0.1"};
    static const char *const uris[] = {"urn:idem:adt"};
    int64_t now_us = clock_now_us();
    const int64_t day_us = 86400ll * 1000000;
    const struct {
        const char *file, *ca;
        struct crypto_pki_request request;
    } rows[] = {
        {"server", "ca", {.common_name = "idemd", .server = true, .names = names, .name_count = 2}},
        {"client", "ca", {.common_name = "adt-sender", .names = uris, .name_count = 1}},
        {"stranger", "other", {.common_name = "adt-sender"}},
        {"expired",
         "ca",
         {.common_name = "adt-sender", .not_before_us = now_us - 20 * day_us, .not_after_us = now_us - day_us}},
        {"expired-server",
         "ca",
         {.common_name = "idemd",
          .server = true,
          .names = names,
          .name_count = 2,
          .not_before_us = now_us - 20 * day_us,
          .not_after_us = now_us - day_us}},
    };
    pki->dir = support_make_dir(s);
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "other" : "ca";
        assert_ok(s, crypto_pki_make_ca(&s->cx, name, arena_printf(&s->arena, "%s/%s.pem", pki->dir, name).data,
                                        arena_printf(&s->arena, "%s/%s-key.pem", pki->dir, name).data));
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_ok(s,
                  crypto_pki_issue(&s->cx, arena_printf(&s->arena, "%s/%s.pem", pki->dir, rows[i].ca).data,
                                   arena_printf(&s->arena, "%s/%s-key.pem", pki->dir, rows[i].ca).data,
                                   &rows[i].request, arena_printf(&s->arena, "%s/%s.pem", pki->dir, rows[i].file).data,
                                   arena_printf(&s->arena, "%s/%s-key.pem", pki->dir, rows[i].file).data));
}

static inline struct crypto_tls *support_tls_open(struct support *s, const struct support_tls *pki, bool server,
                                                  const char *ca, const char *who)
{
    struct crypto_tls *tls = NULL;
    const struct crypto_tls_options options = {
        .server = server,
        .ca_path = arena_printf(&s->arena, "%s/%s.pem", pki->dir, ca).data,
        .cert_path = arena_printf(&s->arena, "%s/%s.pem", pki->dir, who).data,
        .key_path = arena_printf(&s->arena, "%s/%s-key.pem", pki->dir, who).data,
    };
    assert_ok(s, crypto_tls_open(&s->cx, &options, &tls));
    return tls;
}
