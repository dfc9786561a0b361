/* Pages of lists, at the most rows of a reply and beyond it; with lists as long: pages_test.c. */
#include "page.h"

#include "support.h"

static void test_page_rows__are_the_usual_or_what_was_asked_up_to_the_most(void **state)
{
    (void)state;
    static const struct {
        size_t usual, most;
    } lists[] = {{MATCHES_USUAL, MATCHES_MAX}, {REVIEWS_USUAL, REVIEWS_MAX}, {WORK_ITEMS_USUAL, WORK_ITEMS_MAX},
                 {MODELS_USUAL, MODELS_MAX},   {CHANGED_USUAL, CHANGED_MAX}, {LETTERS_USUAL, LETTERS_MAX}};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        uint32_t most = (uint32_t)lists[i].most;
        assert_int_equal(page_rows(0, lists[i].usual, lists[i].most), lists[i].usual);
        assert_int_equal(page_rows(1, lists[i].usual, lists[i].most), 1);
        assert_int_equal(page_rows(most, lists[i].usual, lists[i].most), most);
        assert_int_equal(page_rows(most + 1, lists[i].usual, lists[i].most), most);
        assert_int_equal(page_rows(UINT32_MAX, lists[i].usual, lists[i].most), most);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page_rows__are_the_usual_or_what_was_asked_up_to_the_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
