/* Towns, streets and telephone numbers from dice. */
#include "place_internal.h"

#include "dice_internal.h"
#include "names_internal.h"
#include "ranks_internal.h"

#include <stdio.h>

/* Three of ten people live in three cities, the others in towns whose sizes fall off as those of towns do. */
enum { CITIES = 3, CITY_PERCENT = 30, LARGE_TOWNS = 100 };
static const struct gen_spread towns = {2, 10}, streets = {8, 9}, numbers = {60, 4};

static const char *const city_names[] = {"Northport", "Lakeside",  "Millbrook", "Stonebridge", "Eastmere",
                                         "Fernhill",  "Saltmarsh", "Oldcastle", "Redwater",    "Greenford"};
static const char *const city_fronts[] = {"", "", "", "New ", "Port ", "Upper ", "East ", "Saint "};
static const char *const city_heads[] = {"Ash",  "Birch", "Bright", "Brook",  "Cedar", "Clear", "Cold",  "Copper",
                                         "Deer", "Elm",   "Fair",   "Flint",  "Fox",   "Glen",  "Grand", "Hazel",
                                         "High", "Iron",  "Kings",  "Long",   "Maple", "Moor",  "Oak",   "Pine",
                                         "Rose", "Sand",  "Silver", "Spring", "Thorn", "West",  "White", "Wind"};
static const char *const city_tails[] = {"bourne", "brook", "bury",  "crest", "dale", "fall", "field", "ford",
                                         "gate",   "grove", "haven", "hurst", "land", "ley",  "mead",  "mont",
                                         "mouth",  "point", "ridge", "stead", "ton",  "vale", "view",  "wick"};
enum { FRONTS = 8, HEADS = 32, TAILS = 24 };

static const char *const street_names[] = {"Main",   "Oak",      "Park",   "Maple",  "Church",  "Mill",    "Station",
                                           "Cedar",  "School",   "High",   "Elm",    "Lake",    "Hill",    "Walnut",
                                           "Spring", "North",    "Ridge",  "Bridge", "Market",  "River",   "Willow",
                                           "Forest", "Meadow",   "Garden", "Castle", "Orchard", "Harbour", "Abbey",
                                           "Canal",  "Chestnut", "Quarry", "Copper", "Juniper", "King",    "Victoria"};
enum { STREET_NAMES = sizeof street_names / sizeof street_names[0] };
static const char *const ways[] = {"Street", "Street", "Street", "Avenue", "Avenue", "Road", "Road",
                                   "Drive",  "Drive",  "Lane",   "Court",  "Place",  "Way",  "Close"};
enum { WAYS = sizeof ways / sizeof ways[0] };

uint32_t gen_town_pick(uint64_t dice)
{
    return gen_chance(dice, 1, CITY_PERCENT) ? gen_part(dice, 2, CITIES) : CITIES + gen_rank(towns, dice);
}

uint32_t gen_town_state(uint32_t town)
{
    return town * 5 % 13 % GEN_STATES;
}

/* Letters joined without printf: millions of addresses are made. */
static void put(char text[GEN_HOME_TEXT], const char *more)
{
    gen_append(text, GEN_HOME_TEXT, str_from(more));
}

static void put_number(char text[GEN_HOME_TEXT], uint32_t number)
{
    char digits[11];
    size_t at = sizeof digits - 1;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    put(text, digits + at);
}

static void name_town(uint32_t town, char city[GEN_HOME_TEXT])
{
    city[0] = '\0';
    if (town < sizeof city_names / sizeof city_names[0]) {
        put(city, city_names[town]);
        return;
    }
    uint32_t number = town * 2741 % (FRONTS * HEADS * TAILS); /* a prime: different towns, different numbers */
    put(city, city_fronts[number % FRONTS]);
    put(city, city_heads[number / FRONTS % HEADS]);
    put(city, city_tails[number / FRONTS / HEADS]);
}

static void name_street(uint64_t dice, char line[GEN_HOME_TEXT])
{
    uint32_t street = gen_rank(streets, dice);
    if (street < STREET_NAMES) {
        put(line, street_names[street]);
    } else {
        uint32_t number = (street - STREET_NAMES) * 2741 % (HEADS * TAILS * 4);
        static const char *const endings[] = {"", "s", "er", " Old"};
        put(line, city_heads[number % HEADS]);
        put(line, city_tails[number / HEADS % TAILS]);
        put(line, endings[number / HEADS / TAILS]);
    }
    put(line, " ");
    put(line, ways[gen_part(dice, 3, WAYS)]);
}

/* A state has its first digit; below it cities have 300 postcodes each, large towns 40, the others two. */
static void number_place(uint32_t town, uint64_t dice, char postcode[6])
{
    uint32_t local = town < CITIES        ? town * 300 + gen_part(dice, 4, 300)
                     : town < LARGE_TOWNS ? 900 + (town - CITIES) * 40 + gen_part(dice, 4, 40)
                                          : 4800 + town * 2 + gen_part(dice, 4, 2);
    uint32_t code = 10000 * (gen_town_state(town) + 1) + local;
    for (int at = 4; at >= 0; at--, code /= 10)
        postcode[at] = (char)('0' + code % 10);
    postcode[5] = '\0';
}

void gen_settle(uint32_t town, uint64_t dice, struct gen_home *out_home)
{
    static const char *const units[] = {" Apt ", " Apt ", " Unit ", " Flat "};
    out_home->town = town;
    out_home->line[0] = '\0';
    put_number(out_home->line, 1 + gen_rank(numbers, dice << 8));
    put(out_home->line, " ");
    name_street(dice << 32 | dice >> 32, out_home->line);
    if (gen_chance(dice, 5, town < CITIES ? 50 : 12)) {
        put(out_home->line, units[gen_part(dice, 6, 4)]);
        put_number(out_home->line, 1 + gen_part(dice, 7, town < CITIES ? 60 : 12));
    }
    name_town(town, out_home->city);
    number_place(town, dice, out_home->postcode);
    out_home->state[0] = 'Z';
    out_home->state[1] = (char)('A' + gen_town_state(town));
    out_home->state[2] = '\0';
}

/* Areas with a 9 in the middle are kept back for a longer numbering plan: nobody has such a number. */
void gen_telephone(uint32_t town, uint64_t dice, char out_digits[11])
{
    uint32_t area = town < CITIES ? town * 4 + gen_part(dice, 1, 4) : 12 + town % 58;
    out_digits[0] = (char)('2' + area / 10);
    out_digits[1] = '9';
    out_digits[2] = (char)('0' + area % 10);
    uint32_t rest = 2000000 + gen_part(dice, 2, 7990000); /* exchanges 200 to 998 */
    for (int at = 9; at >= 3; at--, rest /= 10)
        out_digits[at] = (char)('0' + rest % 10);
    out_digits[10] = '\0';
}
