#include "terminology/shape.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool all_digits(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_digit(s.data[i]))
            return false;
    return s.len > 0;
}

/* Multiplication in the dihedral group of order 10, computed instead of tabled: 0..4 turn, 5..9 mirror. */
static unsigned dihedral(unsigned left, unsigned right)
{
    if (left < 5)
        return right < 5 ? (left + right) % 5 : 5 + (left + right - 5) % 5;
    return right < 5 ? 5 + (left - 5 + 5 - right) % 5 : (left - 5 + 5 - (right - 5)) % 5;
}

bool shape_is_sctid(struct str code)
{
    static const uint8_t permute[8][10] = {
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 5, 7, 6, 2, 8, 3, 0, 9, 4}, {5, 8, 0, 3, 7, 9, 6, 1, 4, 2},
        {8, 9, 1, 6, 0, 4, 3, 5, 2, 7}, {9, 4, 5, 3, 1, 2, 6, 8, 7, 0}, {4, 2, 8, 6, 5, 7, 3, 9, 0, 1},
        {2, 7, 9, 3, 8, 0, 6, 4, 1, 5}, {7, 0, 4, 6, 9, 1, 3, 2, 5, 8},
    };
    if (code.len < 6 || code.len > 18 || code.data[0] == '0' || !all_digits(code))
        return false;
    unsigned check = 0;
    for (size_t i = 0; i < code.len; i++)
        check = dihedral(check, permute[i % 8][code.data[code.len - 1 - i] - '0']);
    return check == 0;
}

bool shape_is_sctid_concept(struct str code)
{
    return shape_is_sctid(code) && code.data[code.len - 2] == '0' &&
           (code.data[code.len - 3] == '0' || code.data[code.len - 3] == '1');
}

bool shape_is_loinc(struct str code)
{
    bool prefixed = code.len > 2 && code.data[0] == 'L' && is_upper(code.data[1]);
    if (prefixed)
        code = str_from_at(code, 2);
    if (code.len < 3 || code.len > 11 || code.data[code.len - 2] != '-' || !is_digit(code.data[code.len - 1]))
        return false;
    struct str digits = str_sub(code, 0, code.len - 2);
    if (!all_digits(digits))
        return false;
    if (prefixed)
        return true; /* the published check digits of parts and answers do not follow the rule of the numbers */
    unsigned sum = 0;
    for (size_t i = 0; i < digits.len; i++) {
        unsigned digit = (unsigned)(digits.data[digits.len - 1 - i] - '0');
        if (i % 2 == 0)
            digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
        sum += digit;
    }
    return (10 - sum % 10) % 10 == (unsigned)(code.data[code.len - 1] - '0');
}

bool shape_is_icd10cm(struct str code)
{
    if (code.len < 3 || !is_upper(code.data[0]) || !is_digit(code.data[1]))
        return false;
    bool pointed = code.len > 3 && code.data[3] == '.';
    if (code.len - (pointed ? 1 : 0) > 7 || (pointed && code.len == 4))
        return false;
    for (size_t i = 2; i < code.len; i++)
        if (!(pointed && i == 3) && !is_digit(code.data[i]) && !is_upper(code.data[i]))
            return false;
    return true;
}

bool shape_is_icd10pcs(struct str code)
{
    if (code.len < 3 || code.len > 7)
        return false;
    for (size_t i = 0; i < code.len; i++) {
        char c = code.data[i];
        if (!is_digit(c) && !(is_upper(c) && c != 'I' && c != 'O'))
            return false;
    }
    return true;
}

bool shape_is_rxcui(struct str code)
{
    return code.len <= 9 && all_digits(code) && code.data[0] != '0';
}
