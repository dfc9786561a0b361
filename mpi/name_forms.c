#include "name_forms_internal.h"

/* ---- words in front of a name ---- */

enum how {
    HOW_WORD,  /* a word before others */
    HOW_GLUED, /* the same, written together with the next */
    HOW_WHOLE, /* any word */
    HOW_START, /* the start of a longer word, or a word before others */
};
struct form {
    struct str from, to;
    enum how how;
};

static const struct form family_forms[] = {
    {WORD("o"), WORD("o"), HOW_GLUED},
    {WORD("d"), WORD("d"), HOW_GLUED}, /* D'Souza, D Souza */
    {WORD("l"), WORD("l"), HOW_GLUED}, /* L'Ecuyer */
    {WORD("mc"), WORD("mc"), HOW_GLUED},
    {WORD("mac"), WORD("mac"), HOW_GLUED},
    {WORD("fitz"), WORD("fitz"), HOW_GLUED},
    {WORD("vander"), WORD("van der"), HOW_START},
    {WORD("vanden"), WORD("van den"), HOW_START},
    {WORD("vande"), WORD("van de"), HOW_WORD},
    {WORD("dela"), WORD("de la"), HOW_WORD},
    {WORD("delas"), WORD("de las"), HOW_WORD},
    {WORD("delos"), WORD("de los"), HOW_WORD},
    {WORD("delacruz"), WORD("de la cruz"), HOW_WHOLE}, /* not by their start: Delaney, Deloskey */
    {WORD("delafuente"), WORD("de la fuente"), HOW_WHOLE},
    {WORD("delagarza"), WORD("de la garza"), HOW_WHOLE},
    {WORD("delapaz"), WORD("de la paz"), HOW_WHOLE},
    {WORD("delarosa"), WORD("de la rosa"), HOW_WHOLE},
    {WORD("delatorre"), WORD("de la torre"), HOW_WHOLE},
    {WORD("delavega"), WORD("de la vega"), HOW_WHOLE},
    {WORD("delosreyes"), WORD("de los reyes"), HOW_WHOLE},
    {WORD("delossantos"), WORD("de los santos"), HOW_WHOLE},
    {WORD("y"), WORD(""), HOW_WORD}, /* and: Garcia y Lopez, Costa e Silva, Puig i Ferrer */
    {WORD("e"), WORD(""), HOW_WORD},
    {WORD("i"), WORD(""), HOW_WORD},
    {WORD("ibn"), WORD("bin"), HOW_WORD},
    {WORD("ben"), WORD("bin"), HOW_WORD},
    {WORD("abou"), WORD("abu"), HOW_WORD},
    {WORD("abo"), WORD("abu"), HOW_WORD},
};
/* Of a given name the first word counts, so what only begins a name is written together with the next. */
static const struct form given_forms[] = {
    {WORD("abu"), WORD("abu"), HOW_GLUED}, {WORD("abou"), WORD("abu"), HOW_GLUED},
    {WORD("abo"), WORD("abu"), HOW_GLUED}, {WORD("umm"), WORD("umm"), HOW_GLUED},
    {WORD("um"), WORD("umm"), HOW_GLUED},  {WORD("de"), WORD("de"), HOW_GLUED},
    {WORD("la"), WORD("la"), HOW_GLUED},   {WORD("d"), WORD("d"), HOW_GLUED},
};
enum { FAMILY_FORMS = sizeof family_forms / sizeof family_forms[0] };
enum { GIVEN_FORMS = sizeof given_forms / sizeof given_forms[0] };

/* How much of the word the form takes; 0: it is not of this form. */
static size_t form_takes(const struct form *form, struct str word, bool is_last)
{
    enum { REST_MIN = 3 };
    if (form->how == HOW_START && word.len >= form->from.len + REST_MIN)
        return str_starts(word, form->from) ? form->from.len : 0;
    return str_eq(word, form->from) && (!is_last || form->how == HOW_WHOLE) ? word.len : 0;
}

static const struct form *find_form(const struct form *forms, size_t count, struct str word, bool is_last,
                                    size_t *out_takes)
{
    for (size_t i = 0; i < count; i++)
        if ((*out_takes = form_takes(&forms[i], word, is_last)) > 0)
            return &forms[i];
    return NULL;
}

/* ---- the Arabic article, and "servant of" ---- */

static bool is_vowel(char c)
{
    return c == 'a' || c == 'e' || c == 'i' || c == 'u';
}

/* The consonant at the start that the l of the article becomes: ar-Rahman, ash-Shakur. Empty: it stays an l. */
static struct str sun_letter(struct str name)
{
    static const struct str letters[] = {WORD("sh"), WORD("th"), WORD("dh"), WORD("r"), WORD("s"),
                                         WORD("z"),  WORD("n"),  WORD("t"),  WORD("d")};
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
        if (str_starts(name, letters[i]))
            return letters[i];
    return STR_NONE;
}

static bool is_article(struct str word, struct str next)
{
    if (word.len < 2 || !is_vowel(word.data[0]))
        return false;
    struct str consonant = str_from_at(word, 1);
    return str_is(consonant, "l") || str_eq(consonant, sun_letter(next));
}

/* What follows "abd" and a vowel in one word: "l", "lrahman", "r", "rrahman", "rahman". */
static struct str behind_abd(struct str word)
{
    struct str rest = str_from_at(word, 3);
    if (str_starts(rest, STR("ou")) || str_starts(rest, STR("oo")))
        return str_from_at(rest, 2);
    return rest.len > 0 && is_vowel(rest.data[0]) ? str_from_at(rest, 1) : STR_NONE;
}

/* "abd", "abdul", "abdur": the name is the next word. */
static bool is_half_servant(struct str word)
{
    if (!str_starts(word, STR("abd")))
        return false;
    struct str rest = behind_abd(word);
    return word.len == 3 || str_is(rest, "l") || (rest.len > 0 && str_eq(rest, sun_letter(rest)));
}

/* Abdulrahman, Abdurrahman, Abdirahman: the name within the word. Empty: Abdou, Abdin. */
static struct str servant_within(struct str word)
{
    struct str rest = behind_abd(word), sun = sun_letter(rest);
    if (str_starts(rest, STR("l")))
        return str_from_at(rest, 1);
    if (sun.len > 0 && str_starts(str_from_at(rest, sun.len), str_sub(sun, 0, 1)))
        return str_from_at(rest, sun.len);
    if (word.data[3] == 'i' ? rest.len >= 4 : sun.len > 0 && rest.len >= 5)
        return rest;
    return STR_NONE;
}

/* The name whose servant the words at the start of *rest speak of, which they are then taken off. */
static bool take_servant(struct str *rest, struct str *out_name)
{
    struct str after = *rest, word, name, next;
    if (!str_starts(after, STR("abd")) || !str_split(&after, ' ', &word))
        return false;
    if (is_half_servant(word)) {
        if (!str_split(&after, ' ', &name))
            return false;
        struct str further = after;
        if (word.len == 3 && str_split(&further, ' ', &next) && is_article(name, next)) {
            name = next;
            after = further;
        }
    } else {
        name = word.len > 3 ? servant_within(word) : STR_NONE;
    }
    if (str_is(name, "allah") || str_is(name, "la"))
        name = STR("lah"); /* Abd Allah, Abdulla, Abdullah */
    if (name.len < 3)
        return false;
    *rest = after;
    *out_name = name;
    return true;
}

/* ---- families ---- */

/* Behind a blank, unless it is the first or belongs to what stands before it. */
static bool put_word(struct word *out, bool *glued, struct str text)
{
    bool blank = out->len > 0 && !*glued;
    *glued = false;
    return (!blank || word_put(out, STR(" "))) && word_put(out, text);
}

static void write_in_form(struct word *name, const struct form *forms, size_t count, bool with_articles)
{
    struct word out = {.len = 0};
    struct str rest = name->len > 0 ? word_str(name) : STR_NONE, word, servant;
    bool glued = false, fits = true;
    while (fits && rest.len > 0) {
        if (take_servant(&rest, &servant)) {
            fits = put_word(&out, &glued, STR("abdul")) && word_put(&out, servant);
            continue;
        }
        size_t takes;
        (void)str_split(&rest, ' ', &word); /* there is one: rest is not empty */
        if (with_articles && rest.len > 0 && is_article(word, rest)) {
            fits = put_word(&out, &glued, STR("al"));
            continue;
        }
        const struct form *form = find_form(forms, count, word, rest.len == 0, &takes);
        if (form == NULL) {
            fits = put_word(&out, &glued, word);
            continue;
        }
        if (form->to.len > 0)
            fits = put_word(&out, &glued, form->to);
        glued = form->how == HOW_GLUED;
        if (takes < word.len)
            fits = fits && put_word(&out, &glued, str_from_at(word, takes));
    }
    if (fits) /* one that would not fit is compared as it is */
        *name = out;
}

void name_form_family(struct word *family)
{
    write_in_form(family, family_forms, FAMILY_FORMS, true);
}

/* ---- given names ---- */

static bool only_begins(struct str word)
{
    size_t takes;
    return is_half_servant(word) || find_form(given_forms, GIVEN_FORMS, word, false, &takes) != NULL;
}

void name_form_given(struct word *given, struct word *middle)
{
    struct word whole = *given;
    if (given->len > 0 && middle->len > 0) {
        struct str rest = word_str(given), last = rest;
        while (str_split(&rest, ' ', &last)) {
        }
        if (only_begins(last) && word_put(&whole, STR(" ")) && word_put(&whole, word_str(middle))) {
            *given = whole;
            middle->len = 0;
        }
    }
    write_in_form(given, given_forms, GIVEN_FORMS, false);
}

/* ---- other spellings ---- */

static bool text_put(struct spelled_text *text, struct str bytes)
{
    if (bytes.len > sizeof text->bytes - text->len)
        return false;
    memcpy(text->bytes + text->len, bytes.data, bytes.len);
    text->len += bytes.len;
    return true;
}

/* UTF-8, composed or as a letter with a mark of its own behind it. */
static const struct {
    struct str letter, spelled;
} spelled_letters[] = {
    {WORD("\xC3\xA4"), WORD("ae")},  {WORD("\xC3\x84"), WORD("ae")},  {WORD("\xC3\xB6"), WORD("oe")},
    {WORD("\xC3\x96"), WORD("oe")},  {WORD("\xC3\xBC"), WORD("ue")},  {WORD("\xC3\x9C"), WORD("ue")},
    {WORD("\xC3\xB8"), WORD("oe")},  {WORD("\xC3\x98"), WORD("oe")},  {WORD("\xC3\xA5"), WORD("aa")},
    {WORD("\xC3\x85"), WORD("aa")},  {WORD("a\xCC\x88"), WORD("ae")}, {WORD("A\xCC\x88"), WORD("ae")},
    {WORD("o\xCC\x88"), WORD("oe")}, {WORD("O\xCC\x88"), WORD("oe")}, {WORD("u\xCC\x88"), WORD("ue")},
    {WORD("U\xCC\x88"), WORD("ue")}, {WORD("a\xCC\x8A"), WORD("aa")}, {WORD("A\xCC\x8A"), WORD("aa")},
};

/* Whether the text begins with one of them, and with which. */
static bool find_letter(struct str text, size_t *out_at)
{
    for (size_t i = 0; i < sizeof spelled_letters / sizeof spelled_letters[0]; i++)
        if (str_starts(text, spelled_letters[i].letter)) {
            *out_at = i;
            return true;
        }
    return false;
}

/* *field written without such letters; false: it has none. */
static bool spell_field(struct str *field, struct spelled_text *text)
{
    bool found = false;
    text->len = 0;
    for (struct str rest = *field; rest.len > 0;) {
        size_t at;
        struct str from = str_sub(rest, 0, 1), to = from;
        if (find_letter(rest, &at)) {
            from = spelled_letters[at].letter;
            to = spelled_letters[at].spelled;
            found = true;
        }
        if (!text_put(text, to))
            break;
        rest = str_from_at(rest, from.len);
    }
    if (found)
        *field = (struct str){text->bytes, text->len};
    return found;
}

static bool is_plain(struct str text)
{
    unsigned char bits = 0;
    for (size_t i = 0; i < text.len; i++)
        bits |= (unsigned char)text.data[i];
    return bits < 0x80;
}

bool name_spell_out(const struct mpi_name *said, struct name_spelling *out)
{
    if (is_plain(said->family) && is_plain(said->given) && is_plain(said->middle))
        return false; /* nearly all are */
    out->name = *said;
    bool family = spell_field(&out->name.family, &out->family);
    bool given = spell_field(&out->name.given, &out->given);
    bool middle = spell_field(&out->name.middle, &out->middle);
    return family || given || middle;
}

/* The only hyphen of a text, of whatever kind; false: it has none, or several. */
static bool find_hyphen(struct str text, struct str *out_before, struct str *out_behind)
{
    static const struct str hyphens[] = {WORD("-"), WORD("\xE2\x80\x90"), WORD("\xE2\x80\x91"), WORD("\xE2\x80\x93")};
    size_t found = 0;
    for (size_t at = 0; at < text.len; at++)
        for (size_t i = 0; i < sizeof hyphens / sizeof hyphens[0]; i++)
            if (str_starts(str_from_at(text, at), hyphens[i])) {
                *out_before = str_trim(str_sub(text, 0, at));
                *out_behind = str_trim(str_from_at(text, at + hyphens[i].len));
                found++;
            }
    return found == 1;
}

bool name_is_particle(struct str word)
{
    static const struct str particles[] = {
        WORD("al"),  WORD("el"),  WORD("bin"), WORD("ibn"),   WORD("ben"),   WORD("abu"), WORD("abou"), WORD("van"),
        WORD("von"), WORD("der"), WORD("den"), WORD("de"),    WORD("da"),    WORD("di"),  WORD("do"),   WORD("du"),
        WORD("dos"), WORD("das"), WORD("del"), WORD("los"),   WORD("las"),   WORD("la"),  WORD("le"),   WORD("della"),
        WORD("mac"), WORD("mc"),  WORD("san"), WORD("santa"), WORD("saint"), WORD("st")};
    return is_one_of(word, particles, sizeof particles / sizeof particles[0]);
}

/* Letters that stand for one sound, each by one of them; doubled ones once. False: too long. */
static bool put_sounds(struct str name, char out[64], size_t *out_len)
{
    size_t len = 0;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool before_h = i + 1 < name.len && name.data[i + 1] == 'h';
        if (before_h && (c == 'k' || c == 'p'))
            c = c == 'k' ? 'h' : 'f'; /* kh is h, ph is f */
        else if (before_h && c != 'c' && c != 's' && c != 'z')
            before_h = false;
        i += before_h;
        c = c == 'y' || c == 'j' ? 'i' : c == 'w' ? 'v' : c;
        if (len > 0 && out[len - 1] == c)
            continue;
        if (len == 64)
            return false;
        out[len++] = c;
    }
    *out_len = len;
    return true;
}

bool name_is_other_custom(struct str left, struct str right)
{
    char a[64], b[64];
    size_t a_len, b_len;
    return put_sounds(left, a, &a_len) && put_sounds(right, b, &b_len) && a_len == b_len && memcmp(a, b, a_len) == 0;
}

/* Al-Masri, Abd-Rabbo and De-Souza are no double names. */
static bool is_name_alone(struct str said)
{
    struct word folded = fold_word(said);
    struct str rest = word_str(&folded), last = STR_NONE;
    while (str_split(&rest, ' ', &last)) {
    }
    return last.len >= 2 && !is_half_servant(last) && !name_is_particle(last);
}

bool name_turn_round(const struct mpi_name *said, struct name_spelling *out)
{
    struct str before, behind;
    if (!find_hyphen(said->family, &before, &behind) || !is_name_alone(before) || !is_name_alone(behind))
        return false;
    out->name = *said;
    out->family.len = 0;
    if (!text_put(&out->family, behind) || !text_put(&out->family, STR("-")) || !text_put(&out->family, before))
        return false;
    out->name.family = (struct str){out->family.bytes, out->family.len};
    return true;
}
