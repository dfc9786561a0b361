#include "common_names_internal.h"

/* Sorted, for the binary search; the tests check the order. */
static const char *const families[] = {
    "adams",    "ahmed",    "ali",     "allen",   "anderson", "bah",       "baker",    "brown",    "campbell",
    "carter",   "chan",     "chen",    "clark",   "cohen",    "collins",   "cruz",     "da silva", "davies",
    "davis",    "devi",     "diaz",    "edwards", "evans",    "fernandez", "flores",   "garcia",   "gomez",
    "gonzalez", "green",    "hall",    "harris",  "hassan",   "hernandez", "hill",     "huang",    "hughes",
    "ivanov",   "jackson",  "james",   "johnson", "jones",    "khan",      "kim",      "king",     "kumar",
    "lee",      "lewis",    "li",      "lin",     "liu",      "lopez",     "martin",   "martinez", "meyer",
    "miller",   "mitchell", "mohamed", "moore",   "morales",  "morris",    "muller",   "murphy",   "nelson",
    "nguyen",   "ortiz",    "park",    "parker",  "patel",    "perez",     "pham",     "phillips", "ramirez",
    "ramos",    "reyes",    "rivera",  "roberts", "robinson", "rodriguez", "sanchez",  "sato",     "schmidt",
    "scott",    "silva",    "singh",   "smith",   "suzuki",   "tan",       "taylor",   "thomas",   "thompson",
    "torres",   "tran",     "turner",  "walker",  "wang",     "white",     "williams", "wilson",   "wong",
    "wright",   "wu",       "yang",    "young",   "zhang"};
static const char *const givens[] = {
    "ahmed",     "alexander", "ali",      "amanda",   "ana",       "andrea",  "andrew",      "anna",    "anthony",
    "antonio",   "ashley",    "barbara",  "benjamin", "carlos",    "charles", "christopher", "daniel",  "david",
    "deborah",   "dennis",    "donald",   "dorothy",  "elizabeth", "emily",   "emma",        "eric",    "fatima",
    "francisco", "george",    "jack",     "jacob",    "james",     "jason",   "jennifer",    "jessica", "john",
    "jose",      "joseph",    "joshua",   "juan",     "kevin",     "linda",   "lisa",        "luis",    "manuel",
    "margaret",  "maria",     "mark",     "mary",     "matthew",   "michael", "michelle",    "mohamed", "mohammed",
    "muhammad",  "nancy",     "nicholas", "olivia",   "patricia",  "paul",    "peter",       "richard", "robert",
    "ryan",      "samuel",    "sandra",   "sarah",    "sophia",    "stephen", "steven",      "susan",   "thomas",
    "timothy",   "william"};

static bool among(struct str folded, const char *const *names, size_t count)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = folded.len ? strncmp(names[middle], folded.data, folded.len) : 1;
        if (order == 0 && names[middle][folded.len] == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

bool common_family_name(struct str folded)
{
    return among(folded, families, sizeof families / sizeof families[0]);
}

bool common_given_name(struct str folded)
{
    return among(folded, givens, sizeof givens / sizeof givens[0]);
}
