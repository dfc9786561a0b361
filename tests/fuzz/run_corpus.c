/* Runs a fuzz target over files, so that the corpora are part of the ordinary tests. Folders are walked; absent ones
 * are skipped. */
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t files_run;

static int run_file(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)where;
    if (kind != FTW_F)
        return 0;
    uint8_t *bytes =
        malloc(info->st_size ? (size_t)info->st_size : 1); /* exact size: a sanitizer sees reads past the end */
    FILE *file = fopen(path, "rb");
    if (bytes == NULL || file == NULL)
        return 1;
    size_t got = fread(bytes, 1, (size_t)info->st_size, file);
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, got);
    free(bytes);
    files_run++;
    return 0;
}

int main(int argc, char **argv)
{
    uint8_t none = 0;
    LLVMFuzzerTestOneInput(&none, 0);
    for (int i = 1; i < argc; i++)
        nftw(argv[i], run_file, 16, FTW_PHYS);
    printf("%zu files\n", files_run);
    return files_run > 0 ? 0 : 1; /* an empty corpus proves nothing */
}
