/* Any bytes as the entries of a segment: the walk ends, stays inside, and what it accepts keeps its checksum. */
#include "journal_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct raw_entry raw;
    if (entry_decode(str_make(bytes, len), 0, &raw) &&
        (raw.length > len || raw.entry.principal.len + raw.entry.body.len + ENTRY_BYTES_MIN != raw.length))
        abort();
    struct segment_head head = {.first_seq = 1};
    uint8_t head_bytes[SEGMENT_HEAD_BYTES];
    segment_head_encode(&head, head_bytes);
    int fd = memfd_create("segment", MFD_CLOEXEC);
    if (fd < 0 || journal_write_all(fd, head_bytes, sizeof head_bytes, 0) != 0 ||
        journal_write_all(fd, bytes, len, sizeof head_bytes) != 0)
        return 0;
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct segment_check check = {0};
    segment_check(path, &check);
    if (check.good_end > check.file_bytes || (check.why == NULL && check.bad_seq != 0) ||
        check.last_seq != check.entries)
        abort();
    segment_check_fini(&check);
    close(fd);
    return 0;
}
