/* For oracle_test.py: lines of "left<tab>right" in, lines of "jaro-winkler edits sound-of-left sound-of-right" out. */
#include "base/text/distance.h"
#include "base/text/phonetic.h"

#include <stdio.h>
#include <string.h>

int main(void)
{
    static char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        char *tab = strchr(line, '\t');
        if (tab == NULL)
            return 1;
        struct str left = str_make(line, (size_t)(tab - line)), right = str_from(tab + 1);
        printf("%u %u %x %x\n", text_jaro_winkler(left, right), text_edit_distance(left, right, TEXT_DISTANCE_MAX),
               text_sound(left), text_sound(right));
    }
    return 0;
}
