/* Names of cultures that do not write Latin letters, with the usual transliteration. */
#include "names_internal.h"

static const struct gen_word russian_men[] = {
    {"Александр", "Aleksandr", 0, 0}, {"Дмитрий", "Dmitriy", 0, 0}, {"Сергей", "Sergey", 0, 0},
    {"Михаил", "Mikhail", 0, 0},      {"Юрий", "Yuriy", 0, 0},      {"Пётр", "Petr", 0, 0},
    {"Фёдор", "Fedor", 0, 0},         {"Иван", "Ivan", 0, 0},       {"Тарас", "Taras", 0, 0},
    {"Григорий", "Grigoriy", 0, 0},
};
static const struct gen_word russian_women[] = {
    {"Екатерина", "Ekaterina", 0, 0}, {"Наталья", "Natalya", 0, 0}, {"Татьяна", "Tatyana", 0, 0},
    {"Ольга", "Olga", 0, 0},          {"Юлия", "Yuliya", 0, 0},     {"Людмила", "Lyudmila", 0, 0},
    {"Анна", "Anna", 0, 0},           {"Ксения", "Kseniya", 0, 0},  {"Оксана", "Oksana", 0, 0},
    {"Вера", "Vera", 0, 0},
};
static const struct gen_word russian_families[] = {
    {"Иванов", "Ivanov", "Иванова", "Ivanova"},
    {"Петров", "Petrov", "Петрова", "Petrova"},
    {"Смирнов", "Smirnov", "Смирнова", "Smirnova"},
    {"Кузнецов", "Kuznetsov", "Кузнецова", "Kuznetsova"},
    {"Щербаков", "Shcherbakov", "Щербакова", "Shcherbakova"},
    {"Жуков", "Zhukov", "Жукова", "Zhukova"},
    {"Чехов", "Chekhov", "Чехова", "Chekhova"},
    {"Хрущёв", "Khrushchev", "Хрущёва", "Khrushcheva"},
    {"Шевченко", "Shevchenko", 0, 0},
    {"Бондаренко", "Bondarenko", 0, 0},
    {"Зайцев", "Zaytsev", "Зайцева", "Zaytseva"},
    {"Соловьёв", "Solovyev", "Соловьёва", "Solovyeva"},
    {"Морозов", "Morozov", "Морозова", "Morozova"},
};

static const struct gen_word greek_men[] = {
    {"Γεώργιος", "Georgios", 0, 0}, {"Δημήτριος", "Dimitrios", 0, 0}, {"Ιωάννης", "Ioannis", 0, 0},
    {"Νικόλαος", "Nikolaos", 0, 0}, {"Χρήστος", "Christos", 0, 0},    {"Σπύρος", "Spyros", 0, 0},
};
static const struct gen_word greek_women[] = {
    {"Ελένη", "Eleni", 0, 0},       {"Μαρία", "Maria", 0, 0}, {"Κατερίνα", "Katerina", 0, 0},
    {"Βασιλική", "Vasiliki", 0, 0}, {"Σοφία", "Sofia", 0, 0}, {"Ευγενία", "Evgenia", 0, 0},
};
static const struct gen_word greek_families[] = {
    {"Παπαδόπουλος", "Papadopoulos", "Παπαδοπούλου", "Papadopoulou"},
    {"Νικολάου", "Nikolaou", 0, 0},
    {"Οικονόμου", "Oikonomou", 0, 0},
    {"Αγγελόπουλος", "Angelopoulos", "Αγγελοπούλου", "Angelopoulou"},
    {"Βλάχος", "Vlachos", "Βλάχου", "Vlachou"},
    {"Καραγιάννης", "Karagiannis", "Καραγιάννη", "Karagianni"},
    {"Δημητρίου", "Dimitriou", 0, 0},
    {"Ψαράς", "Psaras", "Ψαρά", "Psara"},
};

static const struct gen_word arabic_men[] = {
    {"محمد", "Mohammed", 0, 0}, {"أحمد", "Ahmed", 0, 0},   {"خالد", "Khalid", 0, 0}, {"عبد الله", "Abdullah", 0, 0},
    {"يوسف", "Yousef", 0, 0},   {"حسين", "Hussein", 0, 0}, {"عمر", "Omar", 0, 0},    {"طارق", "Tariq", 0, 0},
};
static const struct gen_word arabic_women[] = {
    {"فاطمة", "Fatima", 0, 0}, {"عائشة", "Aisha", 0, 0}, {"مريم", "Maryam", 0, 0}, {"ليلى", "Layla", 0, 0},
    {"زينب", "Zainab", 0, 0},  {"نور", "Nour", 0, 0},    {"هدى", "Huda", 0, 0},    {"سلمى", "Salma", 0, 0},
};
static const struct gen_word arabic_families[] = {
    {"الحسن", "AlHassan", 0, 0}, {"خوري", "Khoury", 0, 0},     {"حداد", "Haddad", 0, 0}, {"منصور", "Mansour", 0, 0},
    {"العلي", "AlAli", 0, 0},    {"النجار", "AlNajjar", 0, 0}, {"صالح", "Saleh", 0, 0},  {"قاسم", "Qasim", 0, 0},
    {"درويش", "Darwish", 0, 0},  {"بغدادي", "Baghdadi", 0, 0},
};

static const struct gen_word hebrew_men[] = {
    {"דוד", "David", 0, 0},     {"משה", "Moshe", 0, 0},  {"יעקב", "Yaakov", 0, 0},
    {"אברהם", "Avraham", 0, 0}, {"יוסף", "Yosef", 0, 0},
};
static const struct gen_word hebrew_women[] = {
    {"שרה", "Sarah", 0, 0}, {"רחל", "Rachel", 0, 0}, {"מרים", "Miriam", 0, 0},
    {"תמר", "Tamar", 0, 0}, {"נועה", "Noa", 0, 0},
};
static const struct gen_word hebrew_families[] = {
    {"כהן", "Cohen", 0, 0},   {"לוי", "Levi", 0, 0},        {"מזרחי", "Mizrahi", 0, 0}, {"פרץ", "Peretz", 0, 0},
    {"ביטון", "Biton", 0, 0}, {"פרידמן", "Friedman", 0, 0}, {"שפירא", "Shapira", 0, 0},
};

static const struct gen_word chinese_men[] = {
    {"伟", "Wei", 0, 0},      {"建国", "Jianguo", 0, 0}, {"志强", "Zhiqiang", 0, 0}, {"明", "Ming", 0, 0},
    {"俊杰", "Junjie", 0, 0}, {"浩然", "Haoran", 0, 0},  {"国华", "Guohua", 0, 0},   {"子轩", "Zixuan", 0, 0},
};
static const struct gen_word chinese_women[] = {
    {"芳", "Fang", 0, 0},      {"秀英", "Xiuying", 0, 0}, {"丽华", "Lihua", 0, 0},   {"静", "Jing", 0, 0},
    {"美玲", "Meiling", 0, 0}, {"雪梅", "Xuemei", 0, 0},  {"晓燕", "Xiaoyan", 0, 0}, {"婷婷", "Tingting", 0, 0},
};
static const struct gen_word chinese_families[] = {
    {"王", "Wang", 0, 0}, {"李", "Li", 0, 0},    {"张", "Zhang", 0, 0}, {"刘", "Liu", 0, 0}, {"陈", "Chen", 0, 0},
    {"杨", "Yang", 0, 0}, {"黄", "Huang", 0, 0}, {"赵", "Zhao", 0, 0},  {"吴", "Wu", 0, 0},  {"欧阳", "Ouyang", 0, 0},
};

static const struct gen_word japanese_men[] = {
    /* some write kanji, some kana */
    {"太郎", "Taro", 0, 0},  {"健一", "Kenichi", 0, 0},  {"ヒロシ", "Hiroshi", 0, 0},
    {"翔太", "Shota", 0, 0}, {"まこと", "Makoto", 0, 0},
};
static const struct gen_word japanese_women[] = {
    {"花子", "Hanako", 0, 0}, {"さくら", "Sakura", 0, 0}, {"恵子", "Keiko", 0, 0},
    {"ユキ", "Yuki", 0, 0},   {"美咲", "Misaki", 0, 0},
};
static const struct gen_word japanese_families[] = {
    {"山田", "Yamada", 0, 0},    {"佐藤", "Sato", 0, 0},      {"鈴木", "Suzuki", 0, 0},
    {"田中", "Tanaka", 0, 0},    {"渡辺", "Watanabe", 0, 0},  {"サトウ", "Sato", 0, 0},
    {"高橋", "Takahashi", 0, 0}, {"小林", "Kobayashi", 0, 0}, {"伊藤", "Ito", 0, 0},
};

static const struct gen_word hindi_men[] = {
    {"राजेश", "Rajesh", 0, 0}, {"अमित", "Amit", 0, 0},  {"विजय", "Vijay", 0, 0},
    {"सुरेश", "Suresh", 0, 0},  {"अर्जुन", "Arjun", 0, 0},
};
static const struct gen_word hindi_women[] = {
    {"सुनीता", "Sunita", 0, 0}, {"प्रिया", "Priya", 0, 0},  {"लक्ष्मी", "Lakshmi", 0, 0},
    {"अनीता", "Anita", 0, 0},  {"कविता", "Kavita", 0, 0},
};
static const struct gen_word hindi_families[] = {
    {"शर्मा", "Sharma", 0, 0}, {"गुप्ता", "Gupta", 0, 0},   {"वर्मा", "Verma", 0, 0},      {"पटेल", "Patel", 0, 0},
    {"सिंह", "Singh", 0, 0},   {"मिश्रा", "Mishra", 0, 0}, {"चौधरी", "Chaudhary", 0, 0}, {"अग्रवाल", "Agarwal", 0, 0},
};

const struct gen_culture gen_other_cultures[GEN_OTHER_CULTURES] = {
    {"Russian and Ukrainian", 50, GEN_WORDS(russian_men), GEN_WORDS(russian_women), GEN_WORDS(russian_families),
     GEN_NO_WORDS, GEN_NO_WORDS, false, false},
    {"Greek", 25, GEN_WORDS(greek_men), GEN_WORDS(greek_women), GEN_WORDS(greek_families), GEN_NO_WORDS, GEN_NO_WORDS,
     true, false},
    {"Arabic", 35, GEN_WORDS(arabic_men), GEN_WORDS(arabic_women), GEN_WORDS(arabic_families), GEN_NO_WORDS,
     GEN_NO_WORDS, true, false},
    {"Hebrew", 15, GEN_WORDS(hebrew_men), GEN_WORDS(hebrew_women), GEN_WORDS(hebrew_families), GEN_NO_WORDS,
     GEN_NO_WORDS, false, false},
    {"Chinese", 25, GEN_WORDS(chinese_men), GEN_WORDS(chinese_women), GEN_WORDS(chinese_families), GEN_NO_WORDS,
     GEN_NO_WORDS, true, false},
    {"Japanese", 15, GEN_WORDS(japanese_men), GEN_WORDS(japanese_women), GEN_WORDS(japanese_families), GEN_NO_WORDS,
     GEN_NO_WORDS, false, false},
    {"Hindi", 15, GEN_WORDS(hindi_men), GEN_WORDS(hindi_women), GEN_WORDS(hindi_families), GEN_NO_WORDS, GEN_NO_WORDS,
     false, false},
};

static uint64_t weigh(const struct gen_culture *cultures, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += cultures[i].weight;
    return sum;
}

static const struct gen_culture *find(const struct gen_culture *cultures, size_t count, uint64_t *roll)
{
    for (size_t i = 0; i < count; i++) {
        if (*roll < cultures[i].weight)
            return &cultures[i];
        *roll -= cultures[i].weight;
    }
    return NULL;
}

const struct gen_culture *gen_culture_pick(uint64_t roll)
{
    roll %= weigh(gen_latin_cultures, GEN_LATIN_CULTURES) + weigh(gen_other_cultures, GEN_OTHER_CULTURES);
    const struct gen_culture *latin = find(gen_latin_cultures, GEN_LATIN_CULTURES, &roll);
    return latin ? latin : find(gen_other_cultures, GEN_OTHER_CULTURES, &roll);
}
