/* Writes every sample code set; what is committed under examples/codes and examples/maps is the output of this. */
#include "codes_internal.h"

#include "examples/gen.h"

#include "base/file.h"

status sample_write(struct ctx *cx, const char *dir, const char *path, struct buf *bytes)
{
    struct str full = arena_printf(cx->arena, "%s/%s", dir, path);
    ptrdiff_t slash = (ptrdiff_t)full.len - 1;
    while (slash > 0 && full.data[slash] != '/')
        slash--;
    struct str folder = arena_str(cx->arena, str_sub(full, 0, (size_t)slash));
    TRY(file_make_dirs(cx, folder.data));
    return file_replace(cx, full.data, buf_str(bytes), 0644);
}

status gen_write_codes(struct ctx *cx, const char *dir)
{
    TRY(sample_write_icd(cx, dir));
    TRY(sample_write_loinc(cx, dir));
    TRY(sample_write_rxnorm(cx, dir));
    TRY(sample_write_snomed(cx, dir));
    return sample_write_maps(cx, dir);
}
