/*
 * The scanning loop, included once per instruction set with SCAN_NAME, SCAN_TARGET and SCAN_MASKS defined.
 * 64 bytes at a time: one bit per byte for "field separator", CR, LF, other control bytes, and whether any byte is
 * high.
 */
SCAN_TARGET static bool SCAN_NAME(struct scan *scan)
{
    struct hl7_index *index = scan->index;
    const uint8_t separator = (uint8_t)index->delimiters.field;
    size_t count = scan->mark_count;
    uint64_t high = 0;
    uint8_t last[64];

    for (size_t pos = scan->begin; pos < scan->len; pos += 64) {
        const uint8_t *block = scan->at + pos;
        uint64_t inside = ~UINT64_C(0);
        if (scan->len - pos < 64) { /* the last block is padded: nothing past the message is read */
            memset(last, 0, sizeof last);
            memcpy(last, block, scan->len - pos);
            block = last;
            inside >>= 64 - (scan->len - pos);
        }
        struct block_masks masks;
        SCAN_MASKS(block, separator, &masks);
        high |= masks.high & inside;
        uint64_t ends = masks.cr | (scan->feeds_end ? masks.lf : 0);
        uint64_t odd = (masks.control & ~ends) & inside;
        uint64_t marks = (masks.field | ends) & inside;
        ends &= inside;

        if (__builtin_expect(index->marks_cap < count + 64 + 8, 0))
            hl7_scan_grow_marks(index, count + 64 + 8);
        uint32_t *out = index->marks + count;
        unsigned found = (unsigned)__builtin_popcountll(marks);
        for (uint64_t bits = marks; bits != 0; out += 8) { /* eight without a branch: lines are dense with separators */
            for (int i = 0; i < 8; i++) {
                out[i] = (uint32_t)pos + (uint32_t)(bits ? __builtin_ctzll(bits) : 0);
                bits &= bits - (bits != 0);
            }
        }
        for (uint64_t bits = ends; bits != 0; bits &= bits - 1) {
            uint64_t before = marks & ((bits & -bits) - 1);
            if (!hl7_scan_close(scan, pos + (size_t)__builtin_ctzll(bits),
                                count + (size_t)__builtin_popcountll(before)))
                return false;
        }
        if (__builtin_expect(odd != 0, 0))
            hl7_scan_odd(scan, pos, odd);
        count += found;
    }
    scan->mark_count = count;
    scan->high = high != 0;
    return hl7_scan_finish(scan);
}
#undef SCAN_NAME
#undef SCAN_TARGET
#undef SCAN_MASKS
