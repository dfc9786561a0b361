#include "placeholders_internal.h"

#include "words_internal.h"

/* One row per word: where it says nothing. */
enum { NAME = PLACEHOLDER_NAME, CITY = PLACEHOLDER_CITY, STREET = PLACEHOLDER_STREET, ALL = NAME | CITY | STREET };
static const struct {
    struct str word;
    unsigned places;
} words[] = {
    {WORD("test"), ALL},
    {WORD("testing"), ALL},
    {WORD("dummy"), ALL},
    {WORD("unknown"), ALL},
    {WORD("unk"), ALL},
    {WORD("not known"), ALL},
    {WORD("not given"), ALL},
    {WORD("not stated"), ALL},
    {WORD("not provided"), ALL},
    {WORD("none"), ALL},
    {WORD("none given"), ALL},
    {WORD("null"), CITY | STREET}, /* a family name as well */
    {WORD("na"), ALL},
    {WORD("n a"), ALL},
    {WORD("refused"), ALL},
    {WORD("declined"), ALL},
    {WORD("xx"), ALL},
    {WORD("xxx"), ALL},
    {WORD("xxxx"), ALL},
    {WORD("xxxxx"), ALL},
    {WORD("zzz"), ALL},
    {WORD("inconnu"), ALL},
    {WORD("inconnue"), ALL},
    {WORD("desconocido"), ALL},
    {WORD("desconocida"), ALL},
    {WORD("desconhecido"), ALL},
    {WORD("unbekannt"), ALL},
    {WORD("onbekend"), ALL},
    {WORD("sconosciuto"), ALL},
    {WORD("no name"), NAME},
    {WORD("noname"), NAME},
    {WORD("nn"), NAME},
    {WORD("nfn"), NAME},
    {WORD("nln"), NAME},
    {WORD("nmn"), NAME},
    {WORD("doe"), NAME},
    {WORD("patient"), NAME},
    {WORD("testpatient"), NAME},
    {WORD("zztest"), NAME},
    {WORD("unnamed"), NAME},
    {WORD("unidentified"), NAME},
    {WORD("anonymous"), NAME},
    {WORD("anytown"), CITY},
    {WORD("any town"), CITY},
    {WORD("anycity"), CITY},
    {WORD("any city"), CITY},
    {WORD("no city"), CITY},
    {WORD("homeless"), CITY | STREET},
    {WORD("undomiciled"), CITY | STREET},
    {WORD("transient"), CITY | STREET},
    {WORD("nfa"), CITY | STREET},
    {WORD("no fixed abode"), CITY | STREET},
    {WORD("no fixed address"), CITY | STREET},
    {WORD("no permanent address"), CITY | STREET},
    {WORD("no address"), CITY | STREET},
    {WORD("no known address"), CITY | STREET},
    {WORD("sans domicile fixe"), CITY | STREET},
    {WORD("sdf"), CITY | STREET},
    {WORD("ohne festen wohnsitz"), CITY | STREET},
    {WORD("sin domicilio"), CITY | STREET},
    {WORD("address unknown"), STREET},
    {WORD("unknown address"), STREET},
    {WORD("any"), STREET}, /* 123 Any Street */
    {WORD("same"), STREET},
    {WORD("same as above"), STREET},
    {WORD("general delivery"), STREET}, /* held at the post office, for everybody without an address */
    {WORD("poste restante"), STREET},
    {WORD("lista de correos"), STREET},
    {WORD("postlagernd"), STREET},
};

bool is_placeholder(struct str folded, enum placeholder_place place)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_eq(folded, words[i].word))
            return words[i].places & place;
    return false;
}

/* "Baby of Maria", "Baby Boy A", "Twin B", "BB", "Infant". */
bool is_newborn_placeholder(struct str folded)
{
    static const struct str whole[] = {WORD("bb"),     WORD("bg"),    WORD("nb"),    WORD("babyboy"), WORD("babygirl"),
                                       WORD("babyof"), WORD("twina"), WORD("twinb"), WORD("newborn")};
    static const struct str first[] = {WORD("baby"), WORD("infant"), WORD("newborn"), WORD("twin"), WORD("triplet"),
                                       WORD("bb"),   WORD("bg"),     WORD("boy"),     WORD("girl")};
    static const struct str second[] = {WORD("of"), WORD("boy"),  WORD("girl"),  WORD("a"), WORD("b"),
                                        WORD("c"),  WORD("one"),  WORD("two"),   WORD("1"), WORD("2"),
                                        WORD("3"),  WORD("male"), WORD("female")};
    if (is_one_of(folded, whole, sizeof whole / sizeof whole[0]))
        return true;
    struct str rest = folded, one, two;
    if (!str_split(&rest, ' ', &one) || !is_one_of(one, first, sizeof first / sizeof first[0]))
        return false;
    return str_split(&rest, ' ', &two) ? is_one_of(two, second, sizeof second / sizeof second[0])
                                       : str_is(one, "baby") || str_is(one, "infant");
}

/* The first and last days that systems can write, and what is typed to get past a form. */
bool is_birth_placeholder(struct date date)
{
    static const struct date first_days[] = {{1, 1, 1}, {1753, 1, 1}, {1800, 1, 1}, {1900, 1, 1}};
    static const struct date days[] = {{1111, 11, 11}, {1899, 12, 30}, {1899, 12, 31}};
    for (size_t i = 0; i < sizeof first_days / sizeof first_days[0]; i++)
        if (date.year == first_days[i].year && date.month <= 1 && date.day <= 1)
            return true; /* the year alone as well */
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++)
        if (date.year == days[i].year && date.month == days[i].month && date.day == days[i].day)
            return true;
    return false;
}

bool is_number_placeholder(struct str number)
{
    static const struct str known[] = {WORD("123456789"), WORD("987654321"),  WORD("078051120"),
                                       WORD("219099999"), WORD("1234567890"), WORD("111223333")};
    if (number.len < 4)
        return true;
    size_t same = 1, last_zeros = 0;
    for (size_t i = 1; i < number.len; i++)
        same += number.data[i] == number.data[0];
    while (last_zeros < number.len && number.data[number.len - 1 - last_zeros] == '0')
        last_zeros++;
    if (same + 1 >= number.len || last_zeros + 2 >= number.len)
        return true; /* 999999999, 000000001 */
    return is_one_of(number, known, sizeof known / sizeof known[0]);
}

/* 12345 is a factory in the United States where nobody lives, and the postcode of every example; ZZ99 begins what the
 * health service of the United Kingdom writes for no fixed abode, not known and abroad. */
bool is_postcode_placeholder(struct str joined)
{
    static const struct str whole[] = {WORD("000"),   WORD("0000"),    WORD("00000"),   WORD("000000"), WORD("9999"),
                                       WORD("99999"), WORD("999999"),  WORD("12345"),   WORD("x"),      WORD("xx"),
                                       WORD("xxx"),   WORD("xxxx"),    WORD("xxxxx"),   WORD("xxxxxx"), WORD("xxxxxxx"),
                                       WORD("na"),    WORD("nfa"),     WORD("unk"),     WORD("none"),   WORD("unknown"),
                                       WORD("null"),  WORD("refused"), WORD("notknown")};
    return is_one_of(joined, whole, sizeof whole / sizeof whole[0]) || str_starts(joined, STR("zz99"));
}

/* How many of the last digits go on by the same step: 5555555, 2345678, 8765432. After 9 comes 0. */
static size_t run_at_end(struct str digits)
{
    size_t longest = 1;
    for (int step = -1; step <= 1; step++) {
        size_t run = 1;
        while (run < digits.len &&
               (digits.data[digits.len - run] - digits.data[digits.len - run - 1] + 10 - step) % 10 == 0)
            run++;
        longest = run > longest ? run : longest;
    }
    return longest;
}

bool is_phone_placeholder(struct str digits)
{
    enum { RUN = 7 }; /* a local number of nothing else */
    struct str last = digits.len > 9 ? str_from_at(digits, digits.len - 9) : digits;
    return run_at_end(digits) >= (digits.len < RUN ? digits.len : RUN) || is_number_placeholder(last);
}

bool is_email_placeholder(struct str address)
{
    static const struct str names[] = {
        WORD("none"),    WORD("no"),       WORD("noemail"),   WORD("nomail"),   WORD("noreply"),     WORD("donotreply"),
        WORD("test"),    WORD("testing"),  WORD("unknown"),   WORD("unk"),      WORD("na"),          WORD("null"),
        WORD("refused"), WORD("declined"), WORD("noaddress"), WORD("notgiven"), WORD("notprovided"), WORD("nobody"),
        WORD("x"),       WORD("xx"),       WORD("xxx"),       WORD("dummy"),    WORD("email")};
    static const struct str hosts[] = {
        WORD("none.com"), WORD("noemail.com"), WORD("nomail.com"),  WORD("no.com"),   WORD("unknown.com"),
        WORD("na.com"),   WORD("test.com"),    WORD("noemail.org"), WORD("none.org"), WORD("invalid")};
    char plain[64];
    size_t at = (size_t)str_find(address, '@');
    struct str name = {plain, text_fold_joined(str_sub(address, 0, at), plain, sizeof plain)};
    return is_one_of(name, names, sizeof names / sizeof names[0]) ||
           is_one_of(str_from_at(address, at + 1), hosts, sizeof hosts / sizeof hosts[0]);
}
