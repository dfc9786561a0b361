/* Names of cultures that write Latin letters. */
#include "names_internal.h"

#include <string.h>

static const struct gen_word english_men[] = {
    {"William", "William", 0, 0},
    {"James", "James", 0, 0},
    {"Robert", "Robert", 0, 0},
    {"John", "John", 0, 0},
    {"Michael", "Michael", 0, 0},
    {"Thomas", "Thomas", 0, 0},
    {"Richard", "Richard", 0, 0},
    {"Joseph", "Joseph", 0, 0},
    {"Charles", "Charles", 0, 0},
    {"Daniel", "Daniel", 0, 0},
    {"Edward", "Edward", 0, 0},
    {"George", "George", 0, 0},
    {"Andrew", "Andrew", 0, 0},
    {"Anthony", "Anthony", 0, 0},
    {"Samuel", "Samuel", 0, 0},
    {"Benjamin", "Benjamin", 0, 0},
    {"Matthew", "Matthew", 0, 0},
    {"Stephen", "Stephen", 0, 0},
    {"Christopher", "Christopher", 0, 0},
    {"Nathaniel", "Nathaniel", 0, 0},
    {"Timothy", "Timothy", 0, 0},
    {"Gregory", "Gregory", 0, 0},
    {"Walter", "Walter", 0, 0},
    {"Frederick", "Frederick", 0, 0},
    {"Henry", "Henry", 0, 0},
    {"Oliver", "Oliver", 0, 0},
    {"Leonard", "Leonard", 0, 0},
    {"Philip", "Philip", 0, 0},
    {"Raymond", "Raymond", 0, 0},
    {"Patrick", "Patrick", 0, 0},
    {"Jonathan", "Jonathan", 0, 0},
    {"Alan", "Alan", 0, 0},
    {"Craig", "Craig", 0, 0},
    {"Dennis", "Dennis", 0, 0},
    {"Howard", "Howard", 0, 0},
    {"Ian", "Ian", 0, 0},
    {"Keith", "Keith", 0, 0},
    {"Marcus", "Marcus", 0, 0},
    {"Neil", "Neil", 0, 0},
    {"Simon", "Simon", 0, 0},
    {"Tyrone", "Tyrone", 0, 0},
    {"Vincent", "Vincent", 0, 0},
};
static const struct gen_word english_women[] = {
    {"Elizabeth", "Elizabeth", 0, 0}, {"Margaret", "Margaret", 0, 0},   {"Mary", "Mary", 0, 0},
    {"Katherine", "Katherine", 0, 0}, {"Susan", "Susan", 0, 0},         {"Patricia", "Patricia", 0, 0},
    {"Jennifer", "Jennifer", 0, 0},   {"Barbara", "Barbara", 0, 0},     {"Rebecca", "Rebecca", 0, 0},
    {"Deborah", "Deborah", 0, 0},     {"Dorothy", "Dorothy", 0, 0},     {"Victoria", "Victoria", 0, 0},
    {"Alexandra", "Alexandra", 0, 0}, {"Christina", "Christina", 0, 0}, {"Samantha", "Samantha", 0, 0},
    {"Jane", "Jane", 0, 0},           {"Emma", "Emma", 0, 0},           {"Charlotte", "Charlotte", 0, 0},
    {"Olivia", "Olivia", 0, 0},       {"Grace", "Grace", 0, 0},         {"Helen", "Helen", 0, 0},
    {"Ruth", "Ruth", 0, 0},           {"Alice", "Alice", 0, 0},         {"Frances", "Frances", 0, 0},
    {"Pamela", "Pamela", 0, 0},       {"Theresa", "Theresa", 0, 0},     {"Judith", "Judith", 0, 0},
    {"Sandra", "Sandra", 0, 0},       {"Nancy", "Nancy", 0, 0},         {"Abigail", "Abigail", 0, 0},
    {"Hannah", "Hannah", 0, 0},       {"Joan", "Joan", 0, 0},           {"Laura", "Laura", 0, 0},
    {"Megan", "Megan", 0, 0},         {"Naomi", "Naomi", 0, 0},         {"Rose", "Rose", 0, 0},
    {"Sharon", "Sharon", 0, 0},       {"Tamara", "Tamara", 0, 0},       {"Valerie", "Valerie", 0, 0},
    {"Wendy", "Wendy", 0, 0},
};
static const struct gen_word english_families[] = {
    {"Smith", "Smith", 0, 0},
    {"Johnson", "Johnson", 0, 0},
    {"Williams", "Williams", 0, 0},
    {"Brown", "Brown", 0, 0},
    {"Jones", "Jones", 0, 0},
    {"Davis", "Davis", 0, 0},
    {"Miller", "Miller", 0, 0},
    {"Wilson", "Wilson", 0, 0},
    {"Moore", "Moore", 0, 0},
    {"Taylor", "Taylor", 0, 0},
    {"Anderson", "Anderson", 0, 0},
    {"Clark", "Clark", 0, 0},
    {"Lewis", "Lewis", 0, 0},
    {"Walker", "Walker", 0, 0},
    {"Hall", "Hall", 0, 0},
    {"Young", "Young", 0, 0},
    {"King", "King", 0, 0},
    {"Wright", "Wright", 0, 0},
    {"Hill", "Hill", 0, 0},
    {"Green", "Green", 0, 0},
    {"Baker", "Baker", 0, 0},
    {"Turner", "Turner", 0, 0},
    {"Parker", "Parker", 0, 0},
    {"Cooper", "Cooper", 0, 0},
    {"O'Brien", "OBrien", 0, 0},
    {"O'Neill", "ONeill", 0, 0},
    {"McDonald", "McDonald", 0, 0},
    {"MacLeod", "MacLeod", 0, 0},
    {"Smith-Jones", "Smith Jones", 0, 0},
    {"Fitzgerald", "Fitzgerald", 0, 0},
    {"Murphy", "Murphy", 0, 0},
    {"Kelly", "Kelly", 0, 0},
    {"Evans", "Evans", 0, 0},
    {"Hughes", "Hughes", 0, 0},
    {"Price", "Price", 0, 0},
};
static const struct gen_word english_heads[] = {
    {"Ash", "Ash", 0, 0},     {"Black", "Black", 0, 0},   {"Wood", "Wood", 0, 0},     {"Brad", "Brad", 0, 0},
    {"Clay", "Clay", 0, 0},   {"Hart", "Hart", 0, 0},     {"Wick", "Wick", 0, 0},     {"Thorn", "Thorn", 0, 0},
    {"Stan", "Stan", 0, 0},   {"Lang", "Lang", 0, 0},     {"Mor", "Mor", 0, 0},       {"Hol", "Hol", 0, 0},
    {"Brack", "Brack", 0, 0}, {"Whit", "Whit", 0, 0},     {"Elling", "Elling", 0, 0}, {"Har", "Har", 0, 0},
    {"Pem", "Pem", 0, 0},     {"Kings", "Kings", 0, 0},   {"Rad", "Rad", 0, 0},       {"Shef", "Shef", 0, 0},
    {"Wal", "Wal", 0, 0},     {"Cran", "Cran", 0, 0},     {"Dun", "Dun", 0, 0},       {"Fair", "Fair", 0, 0},
    {"Gil", "Gil", 0, 0},     {"Hather", "Hather", 0, 0}, {"Ken", "Ken", 0, 0},       {"Led", "Led", 0, 0},
    {"Mar", "Mar", 0, 0},     {"Nor", "Nor", 0, 0},
};
static const struct gen_word english_tails[] = {
    {"ford", "ford", 0, 0},   {"ton", "ton", 0, 0},   {"ley", "ley", 0, 0},   {"worth", "worth", 0, 0},
    {"field", "field", 0, 0}, {"well", "well", 0, 0}, {"wood", "wood", 0, 0}, {"burn", "burn", 0, 0},
    {"dale", "dale", 0, 0},   {"shaw", "shaw", 0, 0}, {"more", "more", 0, 0}, {"ham", "ham", 0, 0},
    {"wick", "wick", 0, 0},   {"man", "man", 0, 0},   {"son", "son", 0, 0},
};

static const struct gen_word german_men[] = {
    {"Jürgen", "Juergen", 0, 0},
    {"Hans", "Hans", 0, 0},
    {"Wolfgang", "Wolfgang", 0, 0},
    {"Günter", "Guenter", 0, 0},
    {"Karl-Heinz", "Karl Heinz", 0, 0},
    {"Jörg", "Joerg", 0, 0},
    {"Uwe", "Uwe", 0, 0},
    {"Matthias", "Matthias", 0, 0},
    {"Stefan", "Stefan", 0, 0},
    {"Lukas", "Lukas", 0, 0},
    {"Dieter", "Dieter", 0, 0},
    {"Björn", "Bjoern", 0, 0},
};
static const struct gen_word german_women[] = {
    {"Käthe", "Kaethe", 0, 0},        {"Ursula", "Ursula", 0, 0},     {"Heike", "Heike", 0, 0},
    {"Anneliese", "Anneliese", 0, 0}, {"Brigitte", "Brigitte", 0, 0}, {"Bärbel", "Baerbel", 0, 0},
    {"Sabine", "Sabine", 0, 0},       {"Petra", "Petra", 0, 0},       {"Hannelore", "Hannelore", 0, 0},
    {"Jana", "Jana", 0, 0},           {"Ulrike", "Ulrike", 0, 0},     {"Anke", "Anke", 0, 0},
};
static const struct gen_word german_families[] = {
    {"Müller", "Mueller", 0, 0},  {"Schäfer", "Schaefer", 0, 0},
    {"Weiß", "Weiss", 0, 0},      {"Größmann", "Groessmann", 0, 0},
    {"Köhler", "Koehler", 0, 0},  {"Krüger", "Krueger", 0, 0},
    {"Böhm", "Boehm", 0, 0},      {"von der Heide", "vonderHeide", 0, 0},
    {"Schmidt", "Schmidt", 0, 0}, {"Becker", "Becker", 0, 0},
    {"Vogel", "Vogel", 0, 0},     {"Jäger", "Jaeger", 0, 0},
};
static const struct gen_word german_heads[] = {
    {"Berg", "Berg", 0, 0},   {"Stein", "Stein", 0, 0},  {"Hof", "Hof", 0, 0},    {"Linden", "Linden", 0, 0},
    {"Kirch", "Kirch", 0, 0}, {"Eich", "Eich", 0, 0},    {"Grün", "Gruen", 0, 0}, {"Mühl", "Muehl", 0, 0},
    {"Wald", "Wald", 0, 0},   {"Brück", "Brueck", 0, 0},
};
static const struct gen_word german_tails[] = {
    {"mann", "mann", 0, 0},   {"er", "er", 0, 0},     {"meier", "meier", 0, 0}, {"bauer", "bauer", 0, 0},
    {"hofer", "hofer", 0, 0}, {"berg", "berg", 0, 0}, {"baum", "baum", 0, 0},   {"thal", "thal", 0, 0},
};

static const struct gen_word french_men[] = {
    {"François", "Francois", 0, 0},       {"Jérôme", "Jerome", 0, 0},       {"Étienne", "Etienne", 0, 0},
    {"Jean-Pierre", "Jean Pierre", 0, 0}, {"Benoît", "Benoit", 0, 0},       {"Loïc", "Loic", 0, 0},
    {"Olivier", "Olivier", 0, 0},         {"Guillaume", "Guillaume", 0, 0}, {"René", "Rene", 0, 0},
    {"Thibault", "Thibault", 0, 0},
};
static const struct gen_word french_women[] = {
    {"Hélène", "Helene", 0, 0},
    {"Françoise", "Francoise", 0, 0},
    {"Zoé", "Zoe", 0, 0},
    {"Chloé", "Chloe", 0, 0},
    {"Geneviève", "Genevieve", 0, 0},
    {"Anaïs", "Anais", 0, 0},
    {"Marie-Thérèse", "Marie Therese", 0, 0},
    {"Océane", "Oceane", 0, 0},
    {"Sylvie", "Sylvie", 0, 0},
    {"Margaux", "Margaux", 0, 0},
};
static const struct gen_word french_families[] = {
    {"Lefèvre", "Lefevre", 0, 0},     {"Dupré", "Dupre", 0, 0},        {"Béranger", "Beranger", 0, 0},
    {"Gauthier", "Gauthier", 0, 0},   {"D'Aubigné", "DAubigne", 0, 0}, {"Le Goff", "LeGoff", 0, 0},
    {"Châtelain", "Chatelain", 0, 0}, {"Moreau", "Moreau", 0, 0},      {"Brûlé", "Brule", 0, 0},
    {"Marchand", "Marchand", 0, 0},   {"Hébert", "Hebert", 0, 0},      {"Fournier", "Fournier", 0, 0},
    {"Delacroix", "Delacroix", 0, 0}, {"Rousseau", "Rousseau", 0, 0},  {"Tessier", "Tessier", 0, 0},
    {"Côté", "Cote", 0, 0},
};

static const struct gen_word spanish_men[] = {
    {"José", "Jose", 0, 0},
    {"Jesús", "Jesus", 0, 0},
    {"Ramón", "Ramon", 0, 0},
    {"Ángel", "Angel", 0, 0},
    {"Juan Carlos", "Juan Carlos", 0, 0},
    {"Íñigo", "Inigo", 0, 0},
    {"Andrés", "Andres", 0, 0},
    {"Martín", "Martin", 0, 0},
    {"Joaquín", "Joaquin", 0, 0},
    {"Francisco", "Francisco", 0, 0},
    {"Miguel", "Miguel", 0, 0},
    {"Rubén", "Ruben", 0, 0},
};
static const struct gen_word spanish_women[] = {
    {"María", "Maria", 0, 0},           {"Inés", "Ines", 0, 0},         {"Begoña", "Begona", 0, 0},
    {"Sofía", "Sofia", 0, 0},           {"Lucía", "Lucia", 0, 0},       {"Mónica", "Monica", 0, 0},
    {"Concepción", "Concepcion", 0, 0}, {"Belén", "Belen", 0, 0},       {"Guadalupe", "Guadalupe", 0, 0},
    {"Ana Lucía", "Ana Lucia", 0, 0},   {"Verónica", "Veronica", 0, 0}, {"Pilar", "Pilar", 0, 0},
};
static const struct gen_word spanish_families[] = {
    {"García", "Garcia", 0, 0},     {"Muñoz", "Munoz", 0, 0},         {"Rodríguez", "Rodriguez", 0, 0},
    {"Ibáñez", "Ibanez", 0, 0},     {"Peña", "Pena", 0, 0},           {"Hernández", "Hernandez", 0, 0},
    {"López", "Lopez", 0, 0},       {"Pérez", "Perez", 0, 0},         {"Núñez", "Nunez", 0, 0},
    {"Castaño", "Castano", 0, 0},   {"Sáenz", "Saenz", 0, 0},         {"Ortega", "Ortega", 0, 0},
    {"Vázquez", "Vazquez", 0, 0},   {"Ríos", "Rios", 0, 0},           {"de la Cruz", "delaCruz", 0, 0},
    {"Zúñiga", "Zuniga", 0, 0},     {"Aguilar", "Aguilar", 0, 0},     {"Morales", "Morales", 0, 0},
    {"Guerrero", "Guerrero", 0, 0}, {"Domínguez", "Dominguez", 0, 0},
};

static const struct gen_word polish_men[] = {
    {"Łukasz", "Lukasz", 0, 0},     {"Paweł", "Pawel", 0, 0},   {"Michał", "Michal", 0, 0},
    {"Grzegorz", "Grzegorz", 0, 0}, {"Jiří", "Jiri", 0, 0},     {"Ondřej", "Ondrej", 0, 0},
    {"Mirosław", "Miroslaw", 0, 0}, {"Václav", "Vaclav", 0, 0},
};
static const struct gen_word polish_women[] = {
    {"Małgorzata", "Malgorzata", 0, 0}, {"Agnieszka", "Agnieszka", 0, 0}, {"Żaneta", "Zaneta", 0, 0},
    {"Lucyna", "Lucyna", 0, 0},         {"Božena", "Bozena", 0, 0},       {"Růžena", "Ruzena", 0, 0},
    {"Elżbieta", "Elzbieta", 0, 0},     {"Šárka", "Sarka", 0, 0},
};
static const struct gen_word polish_families[] = {
    {"Kowalski", "Kowalski", "Kowalska", "Kowalska"},
    {"Wiśniewski", "Wisniewski", "Wiśniewska", "Wisniewska"},
    {"Dąbrowski", "Dabrowski", "Dąbrowska", "Dabrowska"},
    {"Wójcik", "Wojcik", 0, 0},
    {"Gołąb", "Golab", 0, 0},
    {"Zieliński", "Zielinski", "Zielińska", "Zielinska"},
    {"Dvořák", "Dvorak", "Dvořáková", "Dvorakova"},
    {"Novák", "Novak", "Nováková", "Novakova"},
    {"Černý", "Cerny", "Černá", "Cerna"},
    {"Krzyżanowski", "Krzyzanowski", "Krzyżanowska", "Krzyzanowska"},
    {"Jabłoński", "Jablonski", "Jabłońska", "Jablonska"},
    {"Mazur", "Mazur", 0, 0},
};

static const struct gen_word nordic_men[] = {
    {"Søren", "Soeren", 0, 0}, {"Åke", "Aake", 0, 0},    {"Øystein", "Oeystein", 0, 0}, {"Mikkel", "Mikkel", 0, 0},
    {"Håkon", "Haakon", 0, 0}, {"Göran", "Goran", 0, 0}, {"Väinö", "Vaino", 0, 0},      {"Þór", "Thor", 0, 0},
};
static const struct gen_word nordic_women[] = {
    {"Åse", "Aase", 0, 0},    {"Ingrid", "Ingrid", 0, 0},   {"Märta", "Marta", 0, 0}, {"Sólveig", "Solveig", 0, 0},
    {"Bjørg", "Bjorg", 0, 0}, {"Kirsten", "Kirsten", 0, 0}, {"Päivi", "Paivi", 0, 0}, {"Astrid", "Astrid", 0, 0},
};
static const struct gen_word nordic_families[] = {
    {"Jørgensen", "Jorgensen", 0, 0}, {"Åkesson", "Aakesson", 0, 0},
    {"Sørensen", "Sorensen", 0, 0},   {"Lindström", "Lindstrom", 0, 0},
    {"Østby", "Ostby", 0, 0},         {"Hämäläinen", "Hamalainen", 0, 0},
    {"Mäkinen", "Makinen", 0, 0},     {"Guðmundsson", "Gudmundsson", "Guðmundsdóttir", "Gudmundsdottir"},
    {"Bergström", "Bergstrom", 0, 0}, {"Nygård", "Nygaard", 0, 0},
    {"Hansen", "Hansen", 0, 0},       {"Kjær", "Kjaer", 0, 0},
};

static const struct gen_word turkish_men[] = {
    {"Çağlar", "Caglar", 0, 0}, {"Gökhan", "Gokhan", 0, 0}, {"İbrahim", "Ibrahim", 0, 0},
    {"Işık", "Isik", 0, 0},     {"Mehmet", "Mehmet", 0, 0}, {"Uğur", "Ugur", 0, 0},
};
static const struct gen_word turkish_women[] = {
    {"Ayşe", "Ayse", 0, 0},     {"Gülşen", "Gulsen", 0, 0}, {"Işıl", "Isil", 0, 0},
    {"Çiğdem", "Cigdem", 0, 0}, {"Zeynep", "Zeynep", 0, 0}, {"Özlem", "Ozlem", 0, 0},
};
static const struct gen_word turkish_families[] = {
    {"Yıldız", "Yildiz", 0, 0}, {"Öztürk", "Ozturk", 0, 0}, {"Şahin", "Sahin", 0, 0}, {"Kılıç", "Kilic", 0, 0},
    {"Çelik", "Celik", 0, 0},   {"Aydın", "Aydin", 0, 0},   {"Güneş", "Gunes", 0, 0}, {"Demir", "Demir", 0, 0},
};

static const struct gen_word vietnamese_men[] = {
    {"Văn Hùng", "Van Hung", 0, 0},
    {"Minh Tuấn", "Minh Tuan", 0, 0},
    {"Đức", "Duc", 0, 0},
    {"Quốc Bảo", "Quoc Bao", 0, 0},
};
static const struct gen_word vietnamese_women[] = {
    {"Thị Hồng", "Thi Hong", 0, 0},
    {"Ngọc Ánh", "Ngoc Anh", 0, 0},
    {"Mỹ Linh", "My Linh", 0, 0},
    {"Phương", "Phuong", 0, 0},
};
static const struct gen_word vietnamese_families[] = {
    {"Nguyễn", "Nguyen", 0, 0}, {"Trần", "Tran", 0, 0}, {"Lê", "Le", 0, 0},   {"Phạm", "Pham", 0, 0},
    {"Đặng", "Dang", 0, 0},     {"Võ", "Vo", 0, 0},     {"Bùi", "Bui", 0, 0}, {"Hồ", "Ho", 0, 0},
};

const struct gen_culture gen_latin_cultures[GEN_LATIN_CULTURES] = {
    {"English", 430, GEN_WORDS(english_men), GEN_WORDS(english_women), GEN_WORDS(english_families),
     GEN_WORDS(english_heads), GEN_WORDS(english_tails), false, false},
    {"German", 90, GEN_WORDS(german_men), GEN_WORDS(german_women), GEN_WORDS(german_families), GEN_WORDS(german_heads),
     GEN_WORDS(german_tails), false, false},
    {"French", 60, GEN_WORDS(french_men), GEN_WORDS(french_women), GEN_WORDS(french_families), GEN_NO_WORDS,
     GEN_NO_WORDS, false, false},
    {"Spanish", 110, GEN_WORDS(spanish_men), GEN_WORDS(spanish_women), GEN_WORDS(spanish_families), GEN_NO_WORDS,
     GEN_NO_WORDS, true, true},
    {"Polish and Czech", 50, GEN_WORDS(polish_men), GEN_WORDS(polish_women), GEN_WORDS(polish_families), GEN_NO_WORDS,
     GEN_NO_WORDS, false, false},
    {"Nordic", 40, GEN_WORDS(nordic_men), GEN_WORDS(nordic_women), GEN_WORDS(nordic_families), GEN_NO_WORDS,
     GEN_NO_WORDS, false, false},
    {"Turkish", 20, GEN_WORDS(turkish_men), GEN_WORDS(turkish_women), GEN_WORDS(turkish_families), GEN_NO_WORDS,
     GEN_NO_WORDS, false, false},
    {"Vietnamese", 20, GEN_WORDS(vietnamese_men), GEN_WORDS(vietnamese_women), GEN_WORDS(vietnamese_families),
     GEN_NO_WORDS, GEN_NO_WORDS, true, false},
};

static const struct {
    const char *given, *nickname;
} nicknames[] = {
    {"William", "Bill"},   {"Robert", "Bob"},     {"Michael", "Mike"},     {"Thomas", "Tom"},
    {"Richard", "Dick"},   {"Joseph", "Joe"},     {"Charles", "Chuck"},    {"Daniel", "Dan"},
    {"Edward", "Ted"},     {"Andrew", "Andy"},    {"Anthony", "Tony"},     {"Samuel", "Sam"},
    {"Benjamin", "Ben"},   {"Matthew", "Matt"},   {"Stephen", "Steve"},    {"Christopher", "Chris"},
    {"Nathaniel", "Nate"}, {"Timothy", "Tim"},    {"Gregory", "Greg"},     {"Frederick", "Fred"},
    {"Henry", "Harry"},    {"James", "Jim"},      {"John", "Jack"},        {"Elizabeth", "Beth"},
    {"Margaret", "Peggy"}, {"Katherine", "Kate"}, {"Susan", "Sue"},        {"Patricia", "Pat"},
    {"Jennifer", "Jenny"}, {"Barbara", "Barb"},   {"Rebecca", "Becky"},    {"Deborah", "Debbie"},
    {"Dorothy", "Dot"},    {"Victoria", "Vicky"}, {"Alexandra", "Alex"},   {"Samantha", "Sam"},
    {"Francisco", "Paco"}, {"José", "Pepe"},      {"Małgorzata", "Gosia"}, {"Wolfgang", "Wolf"},
};

const char *gen_nickname(const char *given)
{
    for (size_t i = 0; i < sizeof nicknames / sizeof nicknames[0]; i++)
        if (strcmp(nicknames[i].given, given) == 0)
            return nicknames[i].nickname;
    return NULL;
}
