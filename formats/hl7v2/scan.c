/* The fast scanner: field separators and line ends by vector compares, chosen once for the processor. */
#include "hl7v2/bench.h"
#include "index_internal.h"

#include "base/mem.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

struct block_masks {
    uint64_t field, cr, lf, control, high;
};

#if !defined(__x86_64__)
static inline void masks_plain(const uint8_t *at, uint8_t separator, struct block_masks *out)
{
    *out = (struct block_masks){0};
    for (unsigned i = 0; i < 64; i++) {
        uint64_t bit = UINT64_C(1) << i;
        out->field |= at[i] == separator ? bit : 0;
        out->cr |= at[i] == '\r' ? bit : 0;
        out->lf |= at[i] == '\n' ? bit : 0;
        out->control |= at[i] < 0x20 ? bit : 0;
        out->high |= at[i] >= 0x80 ? bit : 0;
    }
}

#define SCAN_NAME scan_plain
#define SCAN_TARGET
#define SCAN_MASKS masks_plain
#include "scan_loop_internal.h"

bool hl7_scan_fast(struct scan *scan)
{
    return scan_plain(scan);
}

const char *hl7_scanner_name(void)
{
    return "plain";
}

void hl7_bench_without_avx2(bool without)
{
    (void)without;
}
#else

static inline void masks_sse2(const uint8_t *at, uint8_t separator, struct block_masks *out)
{
    const __m128i field = _mm_set1_epi8((char)separator), cr = _mm_set1_epi8('\r'), lf = _mm_set1_epi8('\n'),
                  last_control = _mm_set1_epi8(0x1f);
    *out = (struct block_masks){0};
    for (unsigned i = 0; i < 4; i++) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(at + i * 16));
        unsigned shift = i * 16;
        out->field |= (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, field)) << shift;
        out->cr |= (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, cr)) << shift;
        out->lf |= (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, lf)) << shift;
        out->control |= (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(v, last_control), v))
                        << shift;
        out->high |= (uint64_t)(uint16_t)_mm_movemask_epi8(v) << shift;
    }
}

#define SCAN_NAME scan_sse2
#define SCAN_TARGET
#define SCAN_MASKS masks_sse2
#include "scan_loop_internal.h"

#define AVX2 __attribute__((target("avx2,bmi,popcnt")))

AVX2 static inline void masks_avx2(const uint8_t *at, uint8_t separator, struct block_masks *out)
{
    const __m256i field = _mm256_set1_epi8((char)separator), cr = _mm256_set1_epi8('\r'), lf = _mm256_set1_epi8('\n'),
                  last_control = _mm256_set1_epi8(0x1f);
    *out = (struct block_masks){0};
    for (unsigned i = 0; i < 2; i++) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(at + i * 32));
        unsigned shift = i * 32;
        out->field |= (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, field)) << shift;
        out->cr |= (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, cr)) << shift;
        out->lf |= (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, lf)) << shift;
        out->control |= (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(v, last_control), v))
                        << shift;
        out->high |= (uint64_t)(uint32_t)_mm256_movemask_epi8(v) << shift;
    }
}

#define SCAN_NAME   scan_avx2
#define SCAN_TARGET AVX2
#define SCAN_MASKS  masks_avx2
#include "scan_loop_internal.h"

static bool without_avx2;

void hl7_bench_without_avx2(bool without)
{
    without_avx2 = without;
}

static bool use_avx2(void)
{
    return !without_avx2 && __builtin_cpu_supports("avx2");
}

bool hl7_scan_fast(struct scan *scan)
{
    return use_avx2() ? scan_avx2(scan) : scan_sse2(scan);
}

const char *hl7_scanner_name(void)
{
    return use_avx2() ? "avx2" : "sse2";
}
#endif

void hl7_scan_grow_marks(struct hl7_index *index, size_t count)
{
    size_t cap = index->marks_cap ? index->marks_cap * 2 : 1024;
    while (cap < count)
        cap *= 2;
    index->marks = mem_grow(index->marks, cap, sizeof *index->marks);
    index->marks_cap = cap;
}

void hl7_scan_odd(struct scan *scan, size_t at, uint64_t bits)
{
    for (; bits != 0; bits &= bits - 1) {
        size_t pos = at + (size_t)__builtin_ctzll(bits);
        switch (scan->at[pos]) {
        case '\t':
            break;
        case '\n':
            scan->feed_seen = true;
            break;
        case 0:
            if (scan->nul_at == SIZE_MAX)
                scan->nul_at = pos;
            break;
        case HL7_ESC:
            scan->escape = true;
            scan->index->warnings.control_bytes++; /* unless the careful scan takes it as a shift */
            break;
        default:
            scan->index->warnings.control_bytes++;
        }
    }
}

static bool is_capital(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z';
}

bool hl7_is_name(const uint8_t *at, size_t len, uint8_t separator)
{
    return len >= 3 && is_capital(at[0]) && (is_capital(at[1]) || (at[1] >= '0' && at[1] <= '9')) &&
           (is_capital(at[2]) || (at[2] >= '0' && at[2] <= '9')) && (len == 3 || at[3] == separator);
}

static bool is_blank(const uint8_t *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (at[i] > 0x20)
            return false;
    return true;
}

static bool refuse(struct scan *scan, enum hl7_reason reason, size_t at)
{
    scan->fault = reason;
    scan->fault_at = at;
    return false;
}

static struct hl7_segment *add_segment(struct hl7_index *index)
{
    if (index->segment_count == index->segments_cap) {
        index->segments_cap = index->segments_cap ? index->segments_cap * 2 : 64;
        index->segments = mem_grow(index->segments, index->segments_cap, sizeof *index->segments);
    }
    return &index->segments[index->segment_count++];
}

bool hl7_scan_close(struct scan *scan, size_t end, size_t mark)
{
    struct hl7_index *index = scan->index;
    const uint8_t *at = scan->at;
    size_t start = scan->start, first_mark = scan->segment_mark;
    bool feed = end < scan->len && at[end] == '\n';
    scan->start = end + 1;
    scan->segment_mark = mark + 1;

    if (end == start && feed && start > 0 && at[start - 1] == '\r') {
        index->warnings.line_ends++; /* the LF of CR LF */
        return true;
    }
    if (!hl7_is_name(at + start, end - start, (uint8_t)index->delimiters.field)) {
        if (!is_blank(at + start, end - start))
            return refuse(scan, HL7_BAD_SEGMENT, start);
        index->warnings.blank_lines++;
        return true;
    }
    uint32_t name = HL7_NAME(at[start], at[start + 1], at[start + 2]);
    if (name == HL7_NAME('M', 'S', 'H') && index->segment_count > 0)
        return refuse(scan, HL7_SECOND_MSH, start);
    if (index->segment_count == scan->segments_max)
        return refuse(scan, HL7_TOO_MANY_SEGMENTS, start);
    index->warnings.line_ends += feed;
    *add_segment(index) = (struct hl7_segment){
        .at = (uint32_t)start,
        .end = (uint32_t)end,
        .name = name,
        .mark = (uint32_t)first_mark,
        .fields = (uint32_t)(mark - first_mark) + (hl7_is_header_name(name) && end - start > 3),
    };
    return true;
}

bool hl7_scan_finish(struct scan *scan)
{
    if (scan->start >= scan->len)
        return true;
    if (scan->index->marks_cap < scan->mark_count + 1)
        hl7_scan_grow_marks(scan->index, scan->mark_count + 1);
    size_t mark = scan->mark_count++;
    scan->index->marks[mark] = (uint32_t)scan->len;
    return hl7_scan_close(scan, scan->len, mark);
}
