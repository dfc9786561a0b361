#include "pack_internal.h"

uint64_t pack_mix(uint64_t key)
{
    key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9u;
    key = (key ^ key >> 27) * 0x94d049bb133111ebu;
    return key ^ key >> 31;
}

static bool key_digits(struct str code, uint64_t *out_key)
{
    if (code.len == 0 || code.len > 18 || (code.data[0] == '0' && code.len > 1))
        return false; /* a leading zero would give two texts one key */
    uint64_t key = 0;
    for (size_t i = 0; i < code.len; i++) {
        unsigned digit = (unsigned)((uint8_t)code.data[i] - '0');
        if (digit > 9)
            return false;
        key = key * 10 + digit;
    }
    *out_key = key;
    return true;
}

/* Base 37 over letters and digits (0 is "nothing", so lengths differ too); the byte at `skip` is left out. */
static bool key_base37(struct str code, size_t skip, bool fold, uint64_t *out_key)
{
    uint64_t key = 0;
    size_t used = 0;
    for (size_t i = 0; i < code.len; i++) {
        char c = code.data[i];
        if (i == skip)
            continue;
        if (fold && c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        unsigned value;
        if (c >= '0' && c <= '9')
            value = (unsigned)(c - '0') + 1;
        else if (c >= 'A' && c <= 'Z')
            value = (unsigned)(c - 'A') + 11;
        else
            return false;
        if (++used > 12) /* 37^12 < 2^63 */
            return false;
        key = key * 37 + value;
    }
    *out_key = key;
    return used > 0;
}

bool pack_key(enum pack_keys keys, struct str code, uint64_t *out_key)
{
    switch (keys) {
    case PACK_KEYS_DIGITS:
        return key_digits(code, out_key);
    case PACK_KEYS_ICD:
        if (code.len > 4 && code.data[3] == '.')
            return key_base37(code, 3, true, out_key);
        return key_base37(code, SIZE_MAX, true, out_key);
    case PACK_KEYS_LOINC:
        if (code.len < 3 || code.data[code.len - 2] != '-')
            return false;
        return key_base37(code, code.len - 2, false, out_key);
    case PACK_KEYS_TEXT:
    case PACK_KEYS_COUNT:
        break;
    }
    *out_key = str_hash(code);
    return code.len > 0;
}

uint64_t pack_map_key(struct str system, struct str code)
{
    return pack_mix(str_hash(system)) ^ str_hash(code);
}
