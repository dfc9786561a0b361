#include "base/crypto/pki.h"

#include "base/clock.h"
#include "base/crypto/random.h"
#include "base/file.h"
#include "pem_internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

static const int64_t MINUTE_US = 60ll * 1000 * 1000, DAY_US = 24ll * 3600 * 1000 * 1000;

struct spec {
    const char *common_name;
    int64_t not_before_us, not_after_us;
    const char *usage;    /* keyUsage */
    const char *extended; /* extendedKeyUsage; NULL = none */
    const char *basic;    /* basicConstraints */
    const char *const *names;
    size_t name_count;
};

static status fail(struct ctx *cx, const char *doing)
{
    return ctx_fail(cx, &crypto_reasons[CRYPTO_PKI], "%s: %s", doing, pem_last_error());
}

static bool set_time(ASN1_TIME *at, int64_t us)
{
    return ASN1_TIME_set(at, (time_t)(us / 1000000)) != NULL;
}

/* 127 random bits: unique without a counter to keep, and positive as RFC 5280 4.1.2.2 asks. */
static bool set_serial(X509 *cert)
{
    unsigned char bytes[16];
    crypto_random(bytes, sizeof bytes);
    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40);
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;
    BN_free(number);
    return set;
}

static bool add_extension(X509 *cert, X509 *issuer, int kind, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    bool added = extension && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

/* Names are set as values, not through OpenSSL's configuration language, where a comma in a name would add another. */
static GENERAL_NAME *make_name(const char *text)
{
    unsigned char bytes[16];
    int len = inet_pton(AF_INET, text, bytes) == 1 ? 4 : inet_pton(AF_INET6, text, bytes) == 1 ? 16 : 0;
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *value = len ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
    if (name == NULL || value == NULL || !ASN1_STRING_set(value, len ? (const void *)bytes : text, len ? len : -1)) {
        GENERAL_NAME_free(name);
        ASN1_STRING_free(value);
        return NULL;
    }
    GENERAL_NAME_set0_value(name, len ? GEN_IPADD : strchr(text, ':') ? GEN_URI : GEN_DNS, value);
    return name;
}

static bool add_names(X509 *cert, const char *const *names, size_t count)
{
    if (count == 0)
        return true;
    GENERAL_NAMES *list = sk_GENERAL_NAME_new_null();
    bool good = list != NULL;
    for (size_t i = 0; i < count && good; i++) {
        GENERAL_NAME *name = make_name(names[i]);
        good = name && sk_GENERAL_NAME_push(list, name) > 0;
    }
    good = good && X509_add1_ext_i2d(cert, NID_subject_alt_name, list, 0, X509V3_ADD_DEFAULT) == 1;
    GENERAL_NAMES_free(list);
    return good;
}

static bool fill(X509 *cert, const struct spec *spec, EVP_PKEY *key, X509 *issuer)
{
    X509_NAME *subject = X509_get_subject_name(cert);
    const unsigned char *name = (const unsigned char *)spec->common_name;
    return X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
           X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, (unsigned char *)name, -1, -1, 0) == 1 &&
           X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1 && X509_set_pubkey(cert, key) == 1 &&
           set_time(X509_getm_notBefore(cert), spec->not_before_us) &&
           set_time(X509_getm_notAfter(cert), spec->not_after_us) &&
           add_extension(cert, issuer, NID_basic_constraints, spec->basic) &&
           add_extension(cert, issuer, NID_key_usage, spec->usage) &&
           (spec->extended == NULL || add_extension(cert, issuer, NID_ext_key_usage, spec->extended)) &&
           add_extension(cert, issuer, NID_subject_key_identifier, "hash") &&
           add_extension(cert, issuer, NID_authority_key_identifier, "keyid") &&
           add_names(cert, spec->names, spec->name_count);
}

static status write_bio(struct ctx *cx, BIO *bio, const char *path, unsigned mode)
{
    char *bytes = NULL;
    long len = BIO_get_mem_data(bio, &bytes);
    return file_replace(cx, path, str_make(bytes, (size_t)len), mode);
}

static status write_key(struct ctx *cx, EVP_PKEY *key, const char *path)
{
    BIO *bio = BIO_new(BIO_s_secmem()); /* wiped when freed */
    status written;
    if (bio && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1)
        written = write_bio(cx, bio, path, 0600);
    else
        written = fail(cx, "write a key");
    BIO_free(bio);
    return written;
}

static status write_cert(struct ctx *cx, X509 *cert, const char *path)
{
    BIO *bio = BIO_new(BIO_s_mem());
    status written;
    if (bio && PEM_write_bio_X509(bio, cert) == 1)
        written = write_bio(cx, bio, path, 0644);
    else
        written = fail(cx, "write a certificate");
    BIO_free(bio);
    return written;
}

/* `ca` NULL: signed by itself. */
static status make(struct ctx *cx, const struct spec *spec, X509 *ca, EVP_PKEY *ca_key, const char *cert_path,
                   const char *key_path)
{
    pem_clear_errors();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    status made = STATUS_OK;
    if (key == NULL || cert == NULL)
        made = fail(cx, "make a key");
    else if (!fill(cert, spec, key, ca ? ca : cert) || X509_sign(cert, ca_key ? ca_key : key, EVP_sha256()) == 0)
        made = fail(cx, "make a certificate");
    if (made == STATUS_OK)
        made = write_key(cx, key, key_path);
    if (made == STATUS_OK)
        made = write_cert(cx, cert, cert_path);
    X509_free(cert);
    EVP_PKEY_free(key);
    return made;
}

status crypto_pki_make_ca(struct ctx *cx, const char *common_name, const char *cert_path, const char *key_path)
{
    int64_t now_us = clock_now_us();
    const struct spec spec = {.common_name = common_name,
                              .not_before_us = now_us - 5 * MINUTE_US,
                              .not_after_us = now_us + 3650 * DAY_US,
                              .usage = "critical,keyCertSign,cRLSign",
                              .basic = "critical,CA:TRUE,pathlen:0"};
    return make(cx, &spec, NULL, NULL, cert_path, key_path);
}

status crypto_pki_issue(struct ctx *cx, const char *ca_cert_path, const char *ca_key_path,
                        const struct crypto_pki_request *request, const char *cert_path, const char *key_path)
{
    int64_t now_us = clock_now_us();
    const struct spec spec = {
        .common_name = request->common_name,
        .not_before_us = request->not_before_us ? request->not_before_us : now_us - 5 * MINUTE_US,
        .not_after_us = request->not_after_us ? request->not_after_us : now_us + 825 * DAY_US,
        .usage = "critical,digitalSignature",
        .extended = request->server ? "serverAuth" : "clientAuth",
        .basic = "critical,CA:FALSE",
        .names = request->names,
        .name_count = request->name_count,
    };
    X509 *ca = NULL;
    TRY(pem_read_cert(cx, ca_cert_path, &ca));
    EVP_PKEY *ca_key = NULL;
    status made = pem_read_key(cx, ca_key_path, &ca_key);
    if (made == STATUS_OK)
        made = make(cx, &spec, ca, ca_key, cert_path, key_path);
    EVP_PKEY_free(ca_key);
    X509_free(ca);
    return made;
}

status crypto_pki_expiry(struct ctx *cx, const char *cert_path, int64_t *out_us)
{
    X509 *cert = NULL;
    TRY(pem_read_cert(cx, cert_path, &cert));
    struct tm when = {0};
    bool read = ASN1_TIME_to_tm(X509_get0_notAfter(cert), &when) == 1;
    X509_free(cert);
    if (!read)
        return ctx_fail(cx, &crypto_reasons[CRYPTO_BAD_FILE], "%s: the date of its end cannot be read", cert_path);
    *out_us = (int64_t)timegm(&when) * 1000000;
    return STATUS_OK;
}
