/* Cultures that write Latin letters. The notation of the words: names_internal.h. */
#include "names_internal.h"

#include <string.h>

static const char *const english_men[] = {
    "Walter",  "Harold",    "Clarence", "Earl",     "Albert",  "Arthur",   "Ralph",       "Howard",    "Raymond",
    "Eugene",  "Frederick", "Leonard",  "Donald",   "George",  "Edward",   "Charles",     "Robert",    "John",
    "William", "James",     "Richard",  "Thomas",   "David",   "Ronald",   "Gary",        "Larry",     "Dennis",
    "Kenneth", "Stephen",   "Paul",     "Mark",     "Michael", "Gregory",  "Timothy",     "Keith",     "Scott",
    "Jeffrey", "Brian",     "Kevin",    "Craig",    "Eric",    "Jason",    "Christopher", "Matthew",   "Joseph",
    "Daniel",  "Andrew",    "Anthony",  "Patrick",  "Joshua",  "Justin",   "Brandon",     "Ryan",      "Nicholas",
    "Tyler",   "Kyle",      "Zachary",  "Jonathan", "Samuel",  "Benjamin", "Nathaniel",   "Alexander", "Jacob",
    "Ethan",   "Logan",     "Dylan",    "Noah",     "Mason",   "Elijah",   "Aiden",       "Liam",      "Lucas",
    "Oliver",  "Jayden",    "Henry",    "Wyatt",    "Levi",    "Theodore",
};
static const char *const english_women[] = {
    "Mildred",   "Ethel",     "Gladys",   "Edna",      "Florence", "Thelma",   "Irene",    "Lillian",   "Ruth",
    "Frances",   "Evelyn",    "Marjorie", "Doris",     "Helen",    "Virginia", "Dorothy",  "Betty",     "Shirley",
    "Margaret",  "Joan",      "Barbara",  "Patricia",  "Mary",     "Carol",    "Judith",   "Nancy",     "Sandra",
    "Sharon",    "Donna",     "Linda",    "Susan",     "Deborah",  "Karen",    "Pamela",   "Diane",     "Cynthia",
    "Elizabeth", "Theresa",   "Lisa",     "Kimberly",  "Michelle", "Angela",   "Tammy",    "Jennifer",  "Amy",
    "Heather",   "Melissa",   "Nicole",   "Stephanie", "Jessica",  "Sarah",    "Rebecca",  "Katherine", "Amanda",
    "Ashley",    "Brittany",  "Samantha", "Megan",     "Rachel",   "Lauren",   "Victoria", "Hannah",    "Alexandra",
    "Taylor",    "Emily",     "Madison",  "Abigail",   "Olivia",   "Emma",     "Sophia",   "Isabella",  "Ava",
    "Mia",       "Charlotte", "Harper",   "Amelia",    "Eleanor",  "Hazel",
};
static const char *const english_families[] = {
    "Smith",    "Johnson",  "Williams",   "Brown",   "Jones",       "Davis",    "Miller",   "Wilson",   "Moore",
    "Taylor",   "Anderson", "Thomas",     "Jackson", "White",       "Harris",   "Martin",   "Thompson", "Robinson",
    "Clark",    "Lewis",    "Lee",        "Walker",  "Hall",        "Allen",    "Young",    "King",     "Wright",
    "Scott",    "Green",    "Baker",      "Adams",   "Nelson",      "Hill",     "Campbell", "Mitchell", "Roberts",
    "Carter",   "Phillips", "Evans",      "Turner",  "Parker",      "Collins",  "Edwards",  "Stewart",  "Morris",
    "Murphy",   "Cook",     "Rogers",     "Morgan",  "Cooper",      "Peterson", "Reed",     "Bailey",   "Bell",
    "Kelly",    "Howard",   "Ward",       "Cox",     "Richardson",  "Wood",     "Watson",   "Brooks",   "Bennett",
    "Gray",     "James",    "Hughes",     "Price",   "Myers",       "Long",     "Foster",   "Sanders",  "Ross",
    "Powell",   "Sullivan", "Russell",    "Jenkins", "Perry",       "Butler",   "Barnes",   "Fisher",   "O'Brien",
    "McDonald", "O'Neill",  "Fitzgerald", "MacLeod", "Smith-Jones", "O'Connor", "McCarthy", "Hawkins",  "Spencer",
};
static const char *const english_onsets[] = {"B", "Br", "C", "Cl", "Cr", "D",  "F",  "G", "Gr", "H", "K",  "L",
                                             "M", "N",  "P", "R",  "S",  "Sh", "St", "T", "Th", "W", "Wh", "Bl"};
static const char *const english_rhymes[] = {"all", "an",  "and", "ar",  "ark", "ath", "eck", "ed",
                                             "ell", "en",  "ern", "ick", "ill", "in",  "ing", "irk",
                                             "oad", "ock", "old", "om",  "ood", "orn", "ud",  "urt"};
static const char *const english_links[] = {"", "er", "ing", "en", "les", "el", "s", "y"};
static const char *const english_tails[] = {
    "ford",  "ton", "ley",   "worth", "field", "well", "wood",  "burn",   "dale",   "shaw",  "more", "ham",
    "wick",  "man", "son",   "by",    "combe", "gate", "stead", "thorpe", "bridge", "brook", "land", "cote",
    "hurst", "low", "ridge", "wall",  "den",   "bury", "mere",  "don",    "house",  "croft", "ward", "holm"};
static const char *const english_given_heads[] = {"Jay", "Kay", "Bray", "Tre", "Dar", "Mar", "Ken",
                                                  "Lan", "Ro",  "Sha",  "Ty",  "Em",  "Har", "Wes",
                                                  "Al",  "Cor", "Jo",   "Del", "Ray", "Ash"};
static const char *const english_men_tails[] = {"den", "lon", "vin", "ron", "ton", "ley", "son", "mond", "von", "rick"};
static const char *const english_women_tails[] = {"lynn", "lene", "nelle", "lee",  "na",
                                                  "ra",   "lyn",  "issa",  "elle", "ita"};

static const char *const german_men[] = {
    "Hermann", "Heinrich", "Wilhelm", "Otto",  "Günter",   "Helmut", "Horst", "Hans",      "Karl-Heinz", "Dieter",
    "Manfred", "Wolfgang", "Jürgen",  "Klaus", "Peter",    "Uwe",    "Bernd", "Rainer",    "Ulrich",     "Michael",
    "Thomas",  "Andreas",  "Stefan",  "Jörg",  "Matthias", "Frank",  "Björn", "Christian", "Sebastian",  "Daniel",
    "Florian", "Tobias",   "Jan",     "Lukas", "Leon",     "Finn",   "Jonas", "Paul",      "Elias",      "Emil",
};
static const char *const german_women[] = {
    "Hildegard", "Gertrud", "Ilse",     "Käthe",  "Anneliese", "Ingeborg", "Ursula",  "Helga",  "Renate",
    "Monika",    "Karin",   "Brigitte", "Gisela", "Heike",     "Sabine",   "Petra",   "Birgit", "Andrea",
    "Susanne",   "Claudia", "Anja",     "Katrin", "Nicole",    "Stefanie", "Julia",   "Jana",   "Sarah",
    "Laura",     "Lena",    "Lea",      "Hannah", "Mia",       "Emma",     "Johanna", "Clara",  "Frieda",
};
static const char *const german_families[] = {
    "Müller",  "Schmidt", "Schneider", "Fischer",  "Weber", "Meyer",   "Wagner",   "Becker",  "Schulz",  "Hoffmann",
    "Schäfer", "Koch",    "Bauer",     "Richter",  "Klein", "Wolf",    "Schröder", "Neumann", "Schwarz", "Zimmermann",
    "Braun",   "Krüger",  "Hofmann",   "Hartmann", "Lange", "Schmitt", "Werner",   "Krause",  "Meier",   "Lehmann",
    "Köhler",  "Maier",   "Groß",      "Vogel",    "Jäger", "Schütz",  "von Berg",
};
static const char *const german_onsets[] = {"B", "Br", "D", "F",   "G",  "Gr", "H", "K", "Kr",   "L", "M",
                                            "N", "R",  "S", "Sch", "St", "T",  "W", "Z", "Schw", "Pf"};
static const char *const german_rhymes[] = {"ach", "al",  "ar", "aum", "eck", "eid", "ein", "eng", "er", "ich",
                                            "im",  "off", "ol", "orn", "ott", "öh",  "uch", "üm",  "un", "and"};
static const char *const german_links[] = {"", "en", "el", "er", "ing", "s", "en", "el", "ig"};
static const char *const german_tails[] = {"mann", "bach",  "berger", "hauer", "meier", "stein", "brecht", "hardt",
                                           "feld", "hofer", "müller", "thal",  "wald",  "ner",   "inger",  "ke"};
static const char *const german_given_heads[] = {"Al",  "Bern", "Diet", "Ed",  "Ger", "Hart", "Hel", "Her",
                                                 "Ing", "Kun",  "Lut",  "Man", "Ro",  "Sieg", "Wil"};
static const char *const german_men_tails[] = {"bert", "hard", "mar", "fried", "win", "mund", "rich", "wald"};
static const char *const german_women_tails[] = {"gard", "trud", "linde", "burga", "hild", "rune", "wine", "borg"};

static const char *const french_men[] = {
    "Marcel",   "René",     "Roger",     "André",   "Raymond", "Henri",     "Jean",        "Pierre",
    "Michel",   "Jacques",  "Claude",    "Bernard", "Gérard",  "Alain",     "Jean-Pierre", "Daniel",
    "Philippe", "François", "Patrick",   "Thierry", "Éric",    "Olivier",   "Laurent",     "Stéphane",
    "Frédéric", "Nicolas",  "Sébastien", "Julien",  "Jérôme",  "Guillaume", "Benoît",      "Alexandre",
    "Thomas",   "Kévin",    "Hugo",      "Théo",    "Lucas",   "Gabriel",   "Raphaël",     "Léo",
};
static const char *const french_women[] = {
    "Yvonne",    "Germaine", "Simone",    "Denise",  "Jeanne",   "Odette",     "Monique",   "Jacqueline",
    "Françoise", "Nicole",   "Chantal",   "Martine", "Sylvie",   "Anne-Marie", "Brigitte",  "Catherine",
    "Isabelle",  "Nathalie", "Véronique", "Valérie", "Sandrine", "Céline",     "Stéphanie", "Aurélie",
    "Émilie",    "Élodie",   "Laëtitia",  "Marie",   "Camille",  "Marine",     "Léa",       "Manon",
    "Chloé",     "Inès",     "Emma",      "Jade",    "Zoé",
};
static const char *const french_families[] = {
    "Martin",  "Bernard", "Dubois",   "Thomas",  "Robert", "Richard",   "Petit",     "Durand",   "Leroy",    "Moreau",
    "Simon",   "Laurent", "Lefèvre",  "Michel",  "García", "David",     "Bertrand",  "Roux",     "Vincent",  "Fournier",
    "Morel",   "Girard",  "André",    "Mercier", "Dupont", "Lambert",   "Bonnet",    "François", "Martinez", "Legrand",
    "Garnier", "Faure",   "Rousseau", "Blanc",   "Guérin", "L'Hôpital", "d'Aubigné", "Le Goff",
};
static const char *const french_onsets[] = {"B", "Br", "C", "Ch", "D", "F", "G", "Gr",   "J",    "L",
                                            "M", "N",  "P", "R",  "S", "T", "V", "De L", "Le M", "Des R"};
static const char *const french_rhymes[] = {"a",  "am", "an", "ar", "au",  "é",  "el", "en",
                                            "er", "i",  "o",  "on", "our", "ou", "u",  "al"};
static const char *const french_links[] = {"", "ch", "d", "g", "ill", "l", "m", "n", "r", "ss", "t", "v"};
static const char *const french_tails[] = {"ard", "aud", "eau", "el", "ère",  "et",  "eux",  "ier",
                                           "in",  "ois", "on",  "ot", "ault", "oux", "elle", "ain"};
static const char *const french_given_heads[] = {"Al",  "Ben", "Cor", "Dom", "Fab",  "Ger", "Luc", "Mar",
                                                 "Max", "Noé", "Ren", "Sév", "Théo", "Val", "Yan"};
static const char *const french_men_tails[] = {"ien", "ard", "in", "ric", "os", "is", "aud", "uel"};
static const char *const french_women_tails[] = {"ine", "elle", "ette", "ane", "ie", "ise", "ène", "ia"};

static const char *const spanish_men[] = {
    "Manuel",       "Antonio",     "Francisco", "Ramón",     "Rafael",   "Pedro",    "Jesús",  "José",
    "Luis",         "Juan",        "José Luis", "Miguel",    "Ángel",    "Fernando", "Carlos", "Jorge",
    "Roberto",      "Ricardo",     "Alberto",   "Javier",    "Eduardo",  "Sergio",   "Raúl",   "Óscar",
    "Víctor",       "Juan Carlos", "Alejandro", "Daniel",    "David",    "Diego",    "Iván",   "Adrián",
    "Jesús Manuel", "Pablo",       "Andrés",    "Sebastián", "Santiago", "Mateo",    "Iker",   "Thiago",
};
static const char *const spanish_women[] = {
    "Josefa",  "Carmen",    "Dolores",  "Rosario",   "Guadalupe",        "Teresa",    "María",
    "Juana",   "Margarita", "Rosa",     "Ana María", "María del Carmen", "Martha",    "Leticia",
    "Silvia",  "Patricia",  "Gloria",   "Alicia",    "Verónica",         "Claudia",   "Mónica",
    "Laura",   "Adriana",   "Gabriela", "Alejandra", "Beatriz",          "Sofía",     "Lucía",
    "Daniela", "Paula",     "Andrea",   "Mariana",   "Fernanda",         "Valentina", "Camila",
    "Ximena",  "Regina",    "Renata",
};
static const char *const spanish_families[] = {
    "García", "Hernández",  "Martínez", "López",   "González", "Rodríguez", "Pérez",    "Sánchez", "Ramírez",
    "Torres", "Flores",     "Rivera",   "Gómez",   "Díaz",     "Cruz",      "Morales",  "Reyes",   "Gutiérrez",
    "Ortiz",  "Ramos",      "Chávez",   "Ruiz",    "Mendoza",  "Álvarez",   "Castillo", "Jiménez", "Vásquez",
    "Romero", "Moreno",     "Herrera",  "Medina",  "Aguilar",  "Vargas",    "Castro",   "Guzmán",  "Muñoz",
    "Núñez",  "de la Cruz", "Peña",     "Salazar", "Ibáñez",   "Zúñiga",
};
static const char *const spanish_onsets[] = {"B", "C", "Ch", "D",  "F", "G", "J", "L",
                                             "M", "N", "P",  "Qu", "R", "S", "T", "V"};
static const char *const spanish_rhymes[] = {"a",  "al", "an", "ar", "e",  "en", "er", "i",
                                             "in", "ie", "o",  "on", "or", "ue", "u",  "as"};
static const char *const spanish_links[] = {"b", "ch", "d", "l", "ll", "m", "n", "ñ", "r", "rr", "s", "t", "z", "g"};
static const char *const spanish_tails[] = {"ales", "ano",  "ar",   "aza", "eda",  "era", "ero",
                                            "iz",   "illo", "ondo", "osa", "uela", "ez",  "áin"};
static const char *const spanish_given_heads[] = {"Al",   "Am",  "Bel", "Cel", "Ed",  "El",  "Fab", "Gil",
                                                  "Hern", "Leo", "Mar", "Nor", "Osv", "Rom", "Vic"};
static const char *const spanish_men_tails[] = {"erto", "ino", "ando", "elio", "aldo", "án", "io", "iel"};
static const char *const spanish_women_tails[] = {"isa", "ina", "elia", "aida", "ela", "inda", "ora", "iana"};

static const char *const polish_men[] = {
    "Stanisław", "Józef",  "Jan",     "Kazimierz", "Tadeusz",  "Zbigniew", "Ryszard", "Jerzy", "Andrzej",
    "Krzysztof", "Piotr",  "Marek",   "Tomáš",     "Grzegorz", "Tomasz",   "Paweł",   "Jiří",  "Marcin",
    "Michał",    "Łukasz", "Mateusz", "Kamil",     "Jakub",    "Szymon",   "Antoni",  "Filip",
};
static const char *const polish_women[] = {
    "Stanisława", "Zofia",   "Janina",     "Maria",      "Krystyna",  "Barbara", "Teresa",    "Elżbieta",  "Ewa",
    "Jana",       "Bożena",  "Małgorzata", "Danuta",     "Agnieszka", "Joanna",  "Katarzyna", "Magdalena", "Kateřina",
    "Monika",     "Paulina", "Natalia",    "Aleksandra", "Julia",     "Zuzanna", "Hanna",     "Lena",
};
static const char *const polish_families[] = {
    "Nowak",          "Kowalsk+i/a",  "Wiśniewsk+i/a", "Wójcik",        "Kowalczyk",    "Kamińsk+i/a", "Lewandowsk+i/a",
    "Zielińsk+i/a",   "Szymańsk+i/a", "Woźniak",       "Dąbrowsk+i/a",  "Kozłowsk+i/a", "Mazur",       "Novák+/ová",
    "Svoboda",        "Dvořák+/ová",  "Krawczyk",      "Piotrowsk+i/a", "Grabowsk+i/a", "Wróbel",      "Jabłońsk+i/a",
    "Procházk+a/ová", "Król",         "Wieczorek",     "Černý",
};
static const char *const polish_onsets[] = {"B", "Br", "Ch", "D", "G", "Gr", "J", "K", "Kr", "L", "Ł",
                                            "M", "N",  "P",  "R", "S", "Sz", "T", "W", "Z",  "Ż", "Cz"};
static const char *const polish_rhymes[] = {"ab",  "al", "an", "ar", "aw", "el", "er",
                                            "ich", "ol", "or", "os", "ub", "uk", "ys"};
static const char *const polish_links[] = {"", "in", "ew", "ow", "al", "ec", "icz", "an", "oń", "it"};
static const char *const polish_tails[] = {"sk+i/a", "ck+i/a", "ak",       "ek",       "czyk", "icz", "arz",
                                           "ik",     "iec",    "ewsk+i/a", "owsk+i/a", "uk",   "yga", "oń"};
static const char *const polish_given_heads[] = {"Bog", "Bole", "Dob",  "Jaro", "Lud",
                                                 "Mie", "Rado", "Sław", "Wła",  "Zdzi"};
static const char *const polish_men_tails[] = {"sław", "mir", "dan", "wit", "mił", "bor"};
static const char *const polish_women_tails[] = {"sława", "mira", "dana", "wina", "miła", "mina"};

static const char *const nordic_men[] = {
    "Arne",   "Sven",    "Erik",   "Nils",   "Kjell",  "Lars",  "Per",     "Jan",    "Göran",
    "Bjørn",  "Søren",   "Anders", "Jørgen", "Mikael", "Håkan", "Åke",     "Thomas", "Henrik",
    "Magnus", "Fredrik", "Jonas",  "Emil",   "Oskar",  "Noah",  "William", "Elias",
};
static const char *const nordic_women[] = {
    "Ingrid",  "Astrid", "Greta", "Birgitta", "Inger", "Karin", "Kerstin", "Åse",     "Anne",
    "Solveig", "Lena",   "Bodil", "Helle",    "Maria", "Anna",  "Mette",   "Camilla", "Kristina",
    "Sara",    "Linnéa", "Emma",  "Ida",      "Maja",  "Freja", "Elsa",
};
static const char *const nordic_families[] = {
    "Andersson", "Johansen",  "Hansen",      "Nielsen",   "Jensen",    "Larsen",   "Olsen",
    "Pedersen",  "Nilsson",   "Eriksson",    "Karlsson",  "Persson",   "Svensson", "Kristiansen",
    "Sørensen",  "Rasmussen", "Jørgensen",   "Lindqvist", "Bergström", "Lundgren", "Håkansson",
    "Nyström",   "Ødegård",   "Bjerregaard", "Sjöberg",
};
static const char *const nordic_onsets[] = {"A", "B", "Bj", "D", "E", "F", "G",  "H", "Hj",
                                            "K", "L", "M",  "N", "R", "S", "St", "T", "V"};
static const char *const nordic_rhymes[] = {"al",  "and", "ar", "au",  "eg", "el", "ild",
                                            "ind", "org", "ov", "und", "ög", "øl", "ås"};
static const char *const nordic_links[] = {"", "e", "er", "en", "s", "a", "el", "inge"};
static const char *const nordic_tails[] = {"berg", "dahl", "gren", "gaard", "holm",  "lund", "mark", "qvist",
                                           "rud",  "sen",  "sson", "stad",  "ström", "vik",  "by",   "rup"};
static const char *const nordic_given_heads[] = {"Al", "As", "Ei", "Gud", "Hal", "Ing", "Rag", "Sig", "Tor", "Vil"};
static const char *const nordic_men_tails[] = {"bjørn", "mund", "var", "geir", "stein", "leif"};
static const char *const nordic_women_tails[] = {"hild", "run", "unn", "veig", "borg", "dis"};

static const char *const turkish_men[] = {
    "Mehmet",    "Mustafa", "Ahmet", "Ali",  "Hüseyin=Huseyin", "Hasan", "İbrahim", "İsmail", "Osman",
    "Ömer=Omer", "Murat",   "Fatih", "Emre", "Burak",           "Yusuf", "Çağrı",   "Eymen",  "Kerem",
};
static const char *const turkish_women[] = {
    "Fatma", "Ayşe",        "Emine", "Hatice",      "Zeynep", "Şerife", "Sevgi", "Gülay=Gulay",
    "Esra",  "Özlem=Ozlem", "Merve", "Büşra=Busra", "Elif",   "Ecrin",  "Defne",
};
static const char *const turkish_families[] = {
    "Yılmaz",          "Kaya",   "Demir", "Çelik", "Şahin", "Yıldız", "Yıldırım", "Öztürk=Ozturk", "Aydın",
    "Özdemir=Ozdemir", "Arslan", "Doğan", "Kılıç", "Aslan", "Çetin",  "Kara",     "Koç",           "Kurt",
    "Özkan=Ozkan",     "Şimşek",
};
static const char *const turkish_onsets[] = {"Ak",   "Al",  "Bay",   "Boz", "Can", "Dağ", "Er", "Gök=Gok", "Gün=Gun",
                                             "Kara", "Kor", "Öz=Oz", "Sar", "Tan", "Taş", "Uz", "Yal",     "Yur"};
static const char *const turkish_rhymes[] = {"a", "ba", "can", "de", "gen", "ka", "ma", "oğ", "sa", "ta", "ve", ""};
static const char *const turkish_links[] = {"", "l", "n", "r", "t", "k", "y", "c"};
static const char *const turkish_tails[] = {"er",  "oğlu", "türk=turk", "taş", "kan",
                                            "alp", "maz",  "man",       "su",  "demir"};
static const char *const turkish_given_heads[] = {"Al", "Ay", "Bat", "Er", "Gün=Gun", "İl", "Kor", "Sel", "Tun", "Yal"};
static const char *const turkish_men_tails[] = {"can", "han", "kan", "alp", "tan"};
static const char *const turkish_women_tails[] = {"su", "gül=gul", "nur", "ay", "da"};

static const char *const vietnamese_men[] = {
    "Văn Hùng=Van Hung", "Văn Dũng=Van Dung", "Quang=Quang",       "Tuấn=Tuan", "Đức=Duc",
    "Minh=Minh",         "Hoàng=Hoang",       "Quốc Bảo=Quoc Bao", "Khôi=Khoi", "Gia Huy=Gia Huy",
};
static const char *const vietnamese_women[] = {
    "Thị Lan=Thi Lan",   "Thị Hoa=Thi Hoa", "Hồng=Hong", "Thu Hà=Thu Ha",     "Thảo=Thao",
    "Ngọc Anh=Ngoc Anh", "Phương=Phuong",   "Linh=Linh", "Bảo Ngọc=Bao Ngoc", "An Nhiên=An Nhien",
};
static const char *const vietnamese_families[] = {
    "Nguyễn=Nguyen", "Trần=Tran", "Lê=Le",   "Phạm=Pham", "Hoàng=Hoang", "Huỳnh=Huynh", "Phan=Phan",   "Vũ=Vu",
    "Võ=Vo",         "Đặng=Dang", "Bùi=Bui", "Đỗ=Do",     "Hồ=Ho",       "Ngô=Ngo",     "Dương=Duong", "Lý=Ly",
};
static const char *const vietnamese_parts[] = {
    "Đinh=Dinh", "Mai=Mai", "Trịnh=Trinh", "Lâm=Lam", "Phùng=Phung",
    "Cao=Cao",   "Tạ=Ta",   "Châu=Chau",   "Tô=To",   "Quách=Quach",
};
static const char *const vietnamese_given_heads[] = {"Anh=Anh", "Bảo=Bao", "Chí=Chi",   "Gia=Gia",     "Hải=Hai",
                                                     "Hữu=Huu", "Kim=Kim", "Ngọc=Ngoc", "Thanh=Thanh", "Xuân=Xuan"};
static const char *const vietnamese_men_tails[] = {" Nam",        " Sơn= Son", " Long",
                                                   " Phúc= Phuc", " Trung",    " Việt= Viet"};
static const char *const vietnamese_women_tails[] = {" Mai", " Vy", " Trang", " Yến= Yen", " Nga", " Hiền= Hien"};

static const char *const african_men[] = {
    "Babatunde", "Kwame",    "Olusegun", "Chukwuemeka", "Kofi",    "Emeka",   "Ibrahim",   "Adebayo",
    "Yaw",       "Obinna",   "Mamadou",  "Ousmane",     "Tunde",   "Kwabena", "Ikechukwu", "Femi",
    "Samuel",    "Emmanuel", "Chidi",    "Daniel",      "Ayomide", "Kelechi",
};
static const char *const african_women[] = {
    "Abena",  "Folasade",  "Ngozi",     "Akosua", "Aminata",  "Fatou",   "Yewande", "Chinwe",
    "Adwoa",  "Funmilayo", "Blessing",  "Grace",  "Ifeoma",   "Mariama", "Ama",     "Temitope",
    "Chioma", "Amara",     "Oluwaseun", "Zainab", "Simisola", "Adanna",
};
static const char *const african_families[] = {
    "Mensah", "Okafor",   "Traoré", "Diallo", "Owusu",   "Okeke",   "Adeyemi", "Asante", "Ibrahim",  "Boateng",
    "Eze",    "Diop",     "Keita",  "Osei",   "Adebayo", "Okonkwo", "Appiah",  "Ndiaye", "Ogunleye", "Balogun",
    "Nwosu",  "Abubakar", "Koné",   "Sow",    "Afolabi", "Amoah",   "Bello",   "Chukwu", "Danso",    "Ojo",
};
static const char *const african_onsets[] = {"A", "Ade", "Ak",  "Am", "B",    "Chi", "D",  "E", "I",
                                             "K", "N",   "Nwa", "O",  "Ogun", "Olu", "Ow", "S", "T"};
static const char *const african_rhymes[] = {"ba", "bi", "da", "du", "fo", "ga", "ka", "ke",
                                             "la", "lo", "ma", "mo", "nu", "sa", "wu", "ya"};
static const char *const african_links[] = {"", "da", "fe", "gu", "ke", "la", "mi", "ni", "ra", "so", "ti", "wo"};
static const char *const african_tails[] = {"a",  "ade", "chukwu", "for", "ji",   "kwe",  "li", "ma",
                                            "na", "ngo", "ola",    "ye",  "wale", "tola", "mba"};
static const char *const african_given_heads[] = {"Abi", "Ade", "Ayo", "Chi", "Dami",
                                                  "Ebu", "Ife", "Ke",  "Olu", "Uche"};
static const char *const african_men_tails[] = {"kun", "tunde", "dozie", "ola", "bayo", "nedu"};
static const char *const african_women_tails[] = {"sola", "oma", "nwa", "yinka", "lola", "amaka"};

const struct gen_culture gen_latin_cultures[GEN_LATIN_CULTURES] = {
    {.name = "English",
     .weight = 590,
     .men = GEN_WORDS(english_men),
     .women = GEN_WORDS(english_women),
     .families = GEN_WORDS(english_families),
     .family_parts = {GEN_WORDS(english_onsets), GEN_WORDS(english_rhymes), GEN_WORDS(english_links),
                      GEN_WORDS(english_tails)},
     .given_heads = GEN_WORDS(english_given_heads),
     .men_tails = GEN_WORDS(english_men_tails),
     .women_tails = GEN_WORDS(english_women_tails),
     .family_spread = {10, 14},
     .given_spread = {5, 5},
     .wife_takes_percent = 75,
     .junior_percent = 28,
     .says_junior = true,
     .middle_percent = 75},
    {.name = "German",
     .weight = 50,
     .men = GEN_WORDS(german_men),
     .women = GEN_WORDS(german_women),
     .families = GEN_WORDS(german_families),
     .family_parts = {GEN_WORDS(german_onsets), GEN_WORDS(german_rhymes), GEN_WORDS(german_links),
                      GEN_WORDS(german_tails)},
     .given_heads = GEN_WORDS(german_given_heads),
     .men_tails = GEN_WORDS(german_men_tails),
     .women_tails = GEN_WORDS(german_women_tails),
     .family_spread = {11, 12},
     .given_spread = {7, 4},
     .wife_takes_percent = 75,
     .junior_percent = 3,
     .middle_percent = 45,
     .german_umlauts = true},
    {.name = "French",
     .weight = 35,
     .men = GEN_WORDS(french_men),
     .women = GEN_WORDS(french_women),
     .families = GEN_WORDS(french_families),
     .family_parts = {GEN_WORDS(french_onsets), GEN_WORDS(french_rhymes), GEN_WORDS(french_links),
                      GEN_WORDS(french_tails)},
     .given_heads = GEN_WORDS(french_given_heads),
     .men_tails = GEN_WORDS(french_men_tails),
     .women_tails = GEN_WORDS(french_women_tails),
     .family_spread = {11, 12},
     .given_spread = {7, 4},
     .wife_takes_percent = 80,
     .junior_percent = 3,
     .middle_percent = 60},
    {.name = "Spanish",
     .weight = 150,
     .men = GEN_WORDS(spanish_men),
     .women = GEN_WORDS(spanish_women),
     .families = GEN_WORDS(spanish_families),
     .family_parts = {GEN_WORDS(spanish_onsets), GEN_WORDS(spanish_rhymes), GEN_WORDS(spanish_links),
                      GEN_WORDS(spanish_tails)},
     .given_heads = GEN_WORDS(spanish_given_heads),
     .men_tails = GEN_WORDS(spanish_men_tails),
     .women_tails = GEN_WORDS(spanish_women_tails),
     .family_spread = {4, 12}, /* García has 3 % */
     .given_spread = {6, 4},
     .junior_percent = 32,
     .middle_percent = 40,
     .two_families = true},
    {.name = "Polish and Czech",
     .weight = 25,
     .men = GEN_WORDS(polish_men),
     .women = GEN_WORDS(polish_women),
     .families = GEN_WORDS(polish_families),
     .family_parts = {GEN_WORDS(polish_onsets), GEN_WORDS(polish_rhymes), GEN_WORDS(polish_links),
                      GEN_WORDS(polish_tails)},
     .given_heads = GEN_WORDS(polish_given_heads),
     .men_tails = GEN_WORDS(polish_men_tails),
     .women_tails = GEN_WORDS(polish_women_tails),
     .family_spread = {10, 12},
     .given_spread = {6, 4},
     .wife_takes_percent = 85,
     .junior_percent = 2,
     .middle_percent = 25},
    {.name = "Nordic",
     .weight = 20,
     .men = GEN_WORDS(nordic_men),
     .women = GEN_WORDS(nordic_women),
     .families = GEN_WORDS(nordic_families),
     .family_parts = {GEN_WORDS(nordic_onsets), GEN_WORDS(nordic_rhymes), GEN_WORDS(nordic_links),
                      GEN_WORDS(nordic_tails)},
     .given_heads = GEN_WORDS(nordic_given_heads),
     .men_tails = GEN_WORDS(nordic_men_tails),
     .women_tails = GEN_WORDS(nordic_women_tails),
     .family_spread = {4, 12},
     .given_spread = {6, 4},
     .wife_takes_percent = 60,
     .junior_percent = 2,
     .middle_percent = 60},
    {.name = "Turkish",
     .weight = 10,
     .men = GEN_WORDS(turkish_men),
     .women = GEN_WORDS(turkish_women),
     .families = GEN_WORDS(turkish_families),
     .family_parts = {GEN_WORDS(turkish_onsets), GEN_WORDS(turkish_rhymes), GEN_WORDS(turkish_links),
                      GEN_WORDS(turkish_tails)},
     .given_heads = GEN_WORDS(turkish_given_heads),
     .men_tails = GEN_WORDS(turkish_men_tails),
     .women_tails = GEN_WORDS(turkish_women_tails),
     .family_spread = {7, 10},
     .given_spread = {4, 4},
     .wife_takes_percent = 90,
     .junior_percent = 2,
     .middle_percent = 20,
     .january_percent = 12},
    {.name = "Vietnamese",
     .weight = 12,
     .men = GEN_WORDS(vietnamese_men),
     .women = GEN_WORDS(vietnamese_women),
     .families = GEN_WORDS(vietnamese_families),
     .family_parts = {GEN_WORDS(vietnamese_parts)},
     .given_heads = GEN_WORDS(vietnamese_given_heads),
     .men_tails = GEN_WORDS(vietnamese_men_tails),
     .women_tails = GEN_WORDS(vietnamese_women_tails),
     .family_spread = {1, 5}, /* every fifth is a Nguyễn, and that is fewer than in life */
     .given_spread = {4, 4},
     .junior_percent = 1,
     .january_percent = 10,
     .family_first = true},
    {.name = "West African",
     .weight = 20,
     .men = GEN_WORDS(african_men),
     .women = GEN_WORDS(african_women),
     .families = GEN_WORDS(african_families),
     .family_parts = {GEN_WORDS(african_onsets), GEN_WORDS(african_rhymes), GEN_WORDS(african_links),
                      GEN_WORDS(african_tails)},
     .given_heads = GEN_WORDS(african_given_heads),
     .men_tails = GEN_WORDS(african_men_tails),
     .women_tails = GEN_WORDS(african_women_tails),
     .family_spread = {8, 12},
     .given_spread = {6, 4},
     .wife_takes_percent = 60,
     .junior_percent = 4,
     .middle_percent = 55,
     .january_percent = 12},
};

static const struct {
    const char *given, *nickname;
} nicknames[] = {
    {"William", "Bill"},   {"Robert", "Bob"},       {"Michael", "Mike"},     {"Thomas", "Tom"},
    {"Richard", "Dick"},   {"Joseph", "Joe"},       {"Charles", "Chuck"},    {"Daniel", "Dan"},
    {"Edward", "Ted"},     {"Andrew", "Andy"},      {"Anthony", "Tony"},     {"Samuel", "Sam"},
    {"Benjamin", "Ben"},   {"Matthew", "Matt"},     {"Stephen", "Steve"},    {"Christopher", "Chris"},
    {"Nathaniel", "Nate"}, {"Timothy", "Tim"},      {"Gregory", "Greg"},     {"Frederick", "Fred"},
    {"Henry", "Harry"},    {"James", "Jim"},        {"John", "Jack"},        {"Elizabeth", "Beth"},
    {"Margaret", "Peggy"}, {"Katherine", "Kate"},   {"Susan", "Sue"},        {"Patricia", "Pat"},
    {"Jennifer", "Jenny"}, {"Barbara", "Barb"},     {"Rebecca", "Becky"},    {"Deborah", "Debbie"},
    {"Dorothy", "Dot"},    {"Victoria", "Vicky"},   {"Alexandra", "Alex"},   {"Samantha", "Sam"},
    {"Francisco", "Paco"}, {"José", "Pepe"},        {"Małgorzata", "Gosia"}, {"Wolfgang", "Wolf"},
    {"Donald", "Don"},     {"Ronald", "Ron"},       {"Kenneth", "Ken"},      {"Joshua", "Josh"},
    {"Nicholas", "Nick"},  {"Zachary", "Zach"},     {"Alexander", "Alex"},   {"Jacob", "Jake"},
    {"Jeffrey", "Jeff"},   {"Theodore", "Teddy"},   {"Frances", "Fran"},     {"Judith", "Judy"},
    {"Pamela", "Pam"},     {"Kimberly", "Kim"},     {"Jessica", "Jess"},     {"Abigail", "Abby"},
    {"María", "Ma."},      {"Guadalupe", "Lupe"},   {"Antonio", "Toño"},     {"Alejandro", "Alex"},
    {"Dolores", "Lola"},   {"Karl-Heinz", "Heinz"}, {"Katarzyna", "Kasia"},  {"Krzysztof", "Krzys"},
};

const char *gen_nickname(const char *given)
{
    for (size_t i = 0; i < sizeof nicknames / sizeof nicknames[0]; i++)
        if (nicknames[i].given[0] == given[0] && strcmp(nicknames[i].given, given) == 0)
            return nicknames[i].nickname;
    return NULL;
}
