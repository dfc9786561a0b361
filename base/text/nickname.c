#include "base/text/nickname.h"

#include <pthread.h>
#include <stdlib.h>

/* One line is one group; the order numbers the groups and is part of every model built on them: append only. */
static const char *const groups_text[] = {
    "robert rob bob bobby robbie bert robb",
    "william will bill billy willie liam willy",
    "richard rich rick dick ricky richie",
    "james jim jimmy jamie jimmie",
    "john jack johnny jon johnnie",
    "jonathan jon jonny nathan johnathan",
    "michael mike mick mickey mikey micheal",
    "joseph joe joey jo",
    "thomas tom tommy thom",
    "charles charlie chuck chas chip charley",
    "christopher chris kit topher",
    "christine chris chrissy tina christina kristina kristine kris",
    "daniel dan danny",
    "matthew matt matty mathew",
    "anthony tony antony anton",
    "mark marcus marc marco",
    "donald don donnie donny",
    "steven stephen steve stevie stefan",
    "andrew andy drew",
    "kenneth ken kenny",
    "joshua josh",
    "kevin kev",
    "brian bryan",
    "george georgie",
    "edward ed eddie ted ned teddy",
    "edwin ed eddie win",
    "edmund ed eddie ned",
    "ronald ron ronnie",
    "timothy tim timmy",
    "jason jay",
    "jeffrey jeff geoff geoffrey jeffery",
    "gregory greg gregg",
    "benjamin ben benny benji",
    "samuel sam sammy",
    "samantha sam sammy",
    "patrick pat paddy",
    "patricia pat patty trish patsy tricia patti",
    "alexander alex al alec sandy xander sasha",
    "alexandra alex sandra lexi sasha alexa",
    "albert al bert bertie",
    "alfred al fred alfie freddie",
    "alan al allan allen",
    "frederick fred freddy rick fritz frederic fredrick",
    "francis frank fran frankie",
    "frances fran fanny francie",
    "franklin frank frankie",
    "lawrence larry lars laurence lonnie",
    "leonard leo len lenny leon",
    "louis lou lewis louie",
    "louise lou lulu louisa",
    "nicholas nick nicky nico nicolas klaus",
    "nicole nicky nikki cole",
    "nathaniel nathan nate nat",
    "raymond ray",
    "peter pete petey",
    "philip phil phillip pip",
    "gerald gerry jerry",
    "jerome jerry",
    "jeremy jerry jem jeremiah",
    "walter walt wally",
    "zachary zach zack zachariah",
    "jacob jake jakob",
    "theodore ted theo teddy",
    "vincent vince vinny",
    "victor vic",
    "victoria vicky tori vicki",
    "eugene gene",
    "douglas doug",
    "dennis denny dennie",
    "david dave davey davy",
    "abraham abe bram",
    "harold harry hal",
    "henry harry hank hal",
    "arthur art artie",
    "clifford cliff",
    "clinton clint",
    "calvin cal",
    "curtis curt kurt",
    "dominic dom nick",
    "elijah eli",
    "gabriel gabe",
    "isaac ike zac",
    "marvin marv",
    "maurice morris moe",
    "mitchell mitch",
    "oliver ollie",
    "randolph randy randall",
    "reginald reg reggie",
    "rodney rod",
    "rudolph rudy rolf",
    "russell russ rusty",
    "stanley stan",
    "terrence terry terence",
    "theresa terry tess tessa teresa tracy",
    "wesley wes",
    "elizabeth liz beth betty eliza lizzie betsy libby bess elisabeth elsie lisa liza",
    "margaret maggie meg peggy marge margie greta rita madge peg daisy",
    "mary molly polly mae mamie marie maria",
    "catherine kate cathy katie kathy katherine kathleen kay cat kit kitty kathryn",
    "jennifer jen jenny jenn",
    "jessica jess jessie",
    "susan sue susie suzy susanna suzanne",
    "barbara barb babs barbie bobbie",
    "deborah deb debbie debra",
    "dorothy dot dottie dolly dora",
    "rebecca becky becca",
    "rachel rae",
    "sarah sally sadie sara",
    "stephanie steph stevie",
    "kimberly kim kimmie",
    "cynthia cindy",
    "pamela pam",
    "sandra sandy",
    "amanda mandy",
    "melissa missy mel lissa",
    "melanie mel",
    "michelle shelly micki",
    "angela angie",
    "ann anne annie nan nancy anna hannah",
    "virginia ginny ginger",
    "judith judy jude",
    "jacqueline jackie",
    "janet jan",
    "jane janie jean",
    "joan joanie joanna joanne jo",
    "josephine jo josie",
    "julia julie jules",
    "eleanor ellie nell nora ella",
    "helen nell ellen lena",
    "emily em emmy",
    "emma em emmy",
    "evelyn eve evie",
    "florence flo",
    "gertrude trudy gert",
    "gwendolyn gwen",
    "harriet hattie",
    "isabella bella izzy isabel isabelle",
    "katrina kat trina",
    "lillian lily lil",
    "lucille lucy lucinda",
    "madeline maddie madelyn madeleine",
    "matilda tilly mattie",
    "mildred millie",
    "natalie nat",
    "olivia liv livvy",
    "penelope penny",
    "priscilla cilla",
    "roberta bobbie robbie",
    "rosemary rose rosie",
    "sylvia syl",
    "tamara tammy",
    "valerie val",
    "veronica ronnie vera",
    "wilhelmina mina billie",
    "winifred winnie freda",
    "abigail abby gail",
    "charlotte lottie charlie",
    "constance connie",
    "delores lola",
    "caroline carrie carol lynn carolyn",
    "beatrice bea trixie",
    "francisco paco pancho frank kiko curro",
    "jose pepe joseph chepe",
    "josefa pepa josefina fina",
    "jesus chuy chus",
    "ignacio nacho",
    "manuel manolo manny lolo",
    "manuela manola",
    "antonio tono tony antonino",
    "enrique quique kike henry",
    "guillermo memo guille william",
    "guadalupe lupe lupita",
    "concepcion concha conchita",
    "dolores lola loli",
    "rosario charo chayo",
    "consuelo chelo",
    "mercedes merche meche",
    "pilar pili",
    "maria mari mariquita",
    "isabel chabela isa",
    "eduardo lalo edu eddie",
    "gonzalo chalo",
    "gerardo gera",
    "alejandro alex jandro ale",
    "alejandra alex jandra ale",
    "roberto beto rob",
    "alberto beto al",
    "humberto beto",
    "ricardo rick cardo richi",
    "rafael rafa",
    "ramon moncho",
    "santiago santi diego yago",
    "sebastian seb bastian",
    "vicente chente",
    "salvador chava salva",
    "refugio cuca cuco",
    "graciela chela",
    "luis lucho luisito",
    "miguel migue mickey michael",
    "juan juanito john",
    "carlos charlie carlitos charles",
    "pedro perico peter",
    "pablo paul",
    "jorge george coque",
    "javier javi",
    "fernando nando fer",
    "mohammed muhammad mohamed mohammad muhammed mohamad",
    "ahmed ahmad",
    "hussein hussain husain hossein",
    "yusuf yousef youssef",
    "ibrahim ebrahim",
};
enum { GROUP_COUNT = sizeof groups_text / sizeof groups_text[0], ENTRIES_MAX = GROUP_COUNT * 12 };

struct entry {
    struct str name;
    uint16_t group;
};
static struct entry entries[ENTRIES_MAX];
static size_t entry_count;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int order_entries(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int by_name = str_cmp(a->name, b->name);
    return by_name ? by_name : (int)a->group - (int)b->group;
}

static void make_entries(void)
{
    for (uint16_t group = 0; group < GROUP_COUNT; group++) {
        struct str rest = str_from(groups_text[group]), name;
        while (str_split(&rest, ' ', &name) && entry_count < ENTRIES_MAX)
            entries[entry_count++] = (struct entry){name, (uint16_t)(group + 1)};
    }
    qsort(entries, entry_count, sizeof entries[0], order_entries);
}

size_t text_nickname_groups(struct str folded, uint16_t groups[TEXT_NICKNAME_GROUPS_MAX])
{
    (void)pthread_once(&once, make_entries);
    size_t low = 0, high = entry_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_cmp(entries[middle].name, folded) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    size_t count = 0;
    for (; low < entry_count && count < TEXT_NICKNAME_GROUPS_MAX && str_eq(entries[low].name, folded); low++)
        groups[count++] = entries[low].group;
    return count;
}

bool text_is_nickname(struct str left, struct str right)
{
    uint16_t a[TEXT_NICKNAME_GROUPS_MAX], b[TEXT_NICKNAME_GROUPS_MAX];
    size_t a_count = text_nickname_groups(left, a), b_count = text_nickname_groups(right, b);
    for (size_t i = 0; i < a_count; i++)
        for (size_t k = 0; k < b_count; k++)
            if (a[i] == b[k])
                return true;
    return false;
}
