#include "journal_internal.h"

#include "base/crypto/digest.h"
#include "base/hash.h"
#include "base/invariant.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>

static const char MAGIC[8] = "idemjrnl";

static void set_u16(void *at, uint16_t value)
{
    value = htobe16(value);
    memcpy(at, &value, sizeof value);
}

static void set_u32(void *at, uint32_t value)
{
    value = htobe32(value);
    memcpy(at, &value, sizeof value);
}

static void set_u64(void *at, uint64_t value)
{
    value = htobe64(value);
    memcpy(at, &value, sizeof value);
}

static uint16_t get_u16(const void *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return be16toh(value);
}

static uint32_t get_u32(const void *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return be32toh(value);
}

static uint64_t get_u64(const void *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return be64toh(value);
}

void segment_head_encode(const struct segment_head *head, uint8_t out_bytes[SEGMENT_HEAD_BYTES])
{
    memcpy(out_bytes, MAGIC, sizeof MAGIC);
    set_u32(out_bytes + 8, JOURNAL_FORMAT);
    set_u32(out_bytes + 12, head->salt);
    set_u64(out_bytes + 16, head->first_seq);
    set_u64(out_bytes + 24, head->before_first_seq);
    set_u64(out_bytes + 32, (uint64_t)head->before_time_us);
    memcpy(out_bytes + 40, head->before_chain, JOURNAL_CHAIN_BYTES);
    set_u32(out_bytes + 72, hash_crc32c(0, out_bytes, 72));
}

bool segment_head_decode(const uint8_t bytes[SEGMENT_HEAD_BYTES], struct segment_head *out_head)
{
    if (memcmp(bytes, MAGIC, sizeof MAGIC) != 0 || get_u32(bytes + 72) != hash_crc32c(0, bytes, 72) ||
        get_u32(bytes + 8) != JOURNAL_FORMAT)
        return false;
    *out_head = (struct segment_head){
        .salt = get_u32(bytes + 12),
        .first_seq = get_u64(bytes + 16),
        .before_first_seq = get_u64(bytes + 24),
        .before_time_us = (int64_t)get_u64(bytes + 32),
    };
    memcpy(out_head->before_chain, bytes + 40, JOURNAL_CHAIN_BYTES);
    return true;
}

void segment_name(uint64_t first_seq, char out_name[SEGMENT_NAME_BYTES])
{
    snprintf(out_name, SEGMENT_NAME_BYTES, "%016" PRIu64 ".seg", first_seq % 10000000000000000u);
}

uint64_t segment_name_seq(const char *name)
{
    struct str text = str_from(name);
    uint64_t seq;
    if (text.len != 20 || !str_is(str_from_at(text, 16), ".seg") || !str_to_u64(str_sub(text, 0, 16), &seq))
        return 0;
    return seq;
}

void entry_put(struct buf *buf, int64_t time_us, uint16_t kind, struct str principal, struct str body)
{
    size_t length = ENTRY_BYTES_MIN + principal.len + body.len;
    INVARIANT(length <= ENTRY_BYTES_MAX);
    buf_reserve(buf, length);
    char *entry = buf->data + buf->len;
    set_u32(entry, (uint32_t)length);
    set_u64(entry + 16, (uint64_t)time_us);
    set_u16(entry + 28, kind);
    set_u16(entry + 30, (uint16_t)principal.len);
    if (principal.len)
        memcpy(entry + ENTRY_HEAD_BYTES, principal.data, principal.len);
    if (body.len)
        memcpy(entry + ENTRY_HEAD_BYTES + principal.len, body.data, body.len);
    buf->len += length;
}

uint32_t entry_length(const char *entry)
{
    return get_u32(entry);
}

int64_t entry_time_us(const char *entry)
{
    return (int64_t)get_u64(entry + 16);
}

static void next_chain(const char *entry, uint32_t length, uint8_t chain[JOURNAL_CHAIN_BYTES])
{
    struct crypto_sha256 hash;
    crypto_sha256_init(&hash);
    crypto_sha256_update(&hash, chain, JOURNAL_CHAIN_BYTES);
    crypto_sha256_update(&hash, entry + 8, length - 8 - JOURNAL_CHAIN_BYTES);
    crypto_sha256_final(&hash, chain);
}

static uint32_t checksum(const char *entry, uint32_t length, uint32_t salt)
{
    return hash_crc32c(hash_crc32c(salt, entry, 4), entry + 8, length - 8);
}

void entry_seal(char *entry, uint32_t salt, uint64_t seq, uint32_t place, int64_t *time_us,
                uint8_t chain[JOURNAL_CHAIN_BYTES])
{
    uint32_t length = entry_length(entry);
    int64_t given = (int64_t)get_u64(entry + 16);
    if (given > *time_us)
        *time_us = given;
    set_u64(entry + 8, seq);
    set_u64(entry + 16, (uint64_t)*time_us);
    set_u32(entry + 24, place);
    next_chain(entry, length, chain);
    memcpy(entry + length - JOURNAL_CHAIN_BYTES, chain, JOURNAL_CHAIN_BYTES);
    set_u32(entry + 4, checksum(entry, length, salt));
}

bool entry_decode(struct str bytes, uint32_t salt, struct raw_entry *out_entry)
{
    if (bytes.len < ENTRY_BYTES_MIN)
        return false;
    const char *entry = bytes.data;
    uint32_t length = entry_length(entry);
    if (length < ENTRY_BYTES_MIN || length > bytes.len || get_u32(entry + 4) != checksum(entry, length, salt))
        return false;
    size_t principal_len = get_u16(entry + 30);
    if (principal_len > length - ENTRY_BYTES_MIN)
        return false;
    *out_entry = (struct raw_entry){
        .entry =
            {
                .seq = get_u64(entry + 8),
                .time_us = (int64_t)get_u64(entry + 16),
                .kind = get_u16(entry + 28),
                .principal = {entry + ENTRY_HEAD_BYTES, principal_len},
                .body = {entry + ENTRY_HEAD_BYTES + principal_len, length - ENTRY_BYTES_MIN - principal_len},
            },
        .place = get_u32(entry + 24),
        .length = length,
    };
    return true;
}

bool entry_chain(const char *entry, uint8_t chain[JOURNAL_CHAIN_BYTES])
{
    uint32_t length = entry_length(entry);
    next_chain(entry, length, chain);
    return memcmp(entry + length - JOURNAL_CHAIN_BYTES, chain, JOURNAL_CHAIN_BYTES) == 0;
}
