/* Cultures that do not write Latin letters at home. The notation of the words: names_internal.h. */
#include "names_internal.h"

static const char *const russian_men[] = {
    "Иван",    "Николай",   "Василий", "Михаил", "Виктор", "Анатолий", "Юрий",    "Владимир",
    "Валерий", "Александр", "Сергей",  "Андрей", "Олег",   "Игорь",    "Дмитрий", "Алексей",
    "Евгений", "Денис",     "Артём",   "Максим", "Никита", "Кирилл",   "Егор",    "Лев",
};
static const char *const russian_women[] = {
    "Мария",   "Анна",      "Нина",      "Валентина", "Галина", "Людмила", "Тамара",  "Лидия",
    "Надежда", "Татьяна",   "Ольга",     "Светлана",  "Елена",  "Ирина",   "Наталья", "Юлия",
    "Оксана",  "Екатерина", "Анастасия", "Ксения",    "Дарья",  "Полина",  "София",   "Алиса",
};
static const char *const russian_families[] = {
    "Иванов+/а",   "Смирнов+/а", "Кузнецов+/а", "Попов+/а",   "Васильев+/а", "Петров+/а",   "Соколов+/а",
    "Михайлов+/а", "Новиков+/а", "Фёдоров+/а",  "Морозов+/а", "Волков+/а",   "Алексеев+/а", "Лебедев+/а",
    "Семёнов+/а",  "Егоров+/а",  "Шевченко",    "Бондаренко", "Коваленко",   "Бойко",       "Ткаченко",
    "Кравчук",     "Мельник",    "Зайцев+/а",   "Ющенко",     "Щербаков+/а",
};
static const char *const cyrillic_onsets[] = {"Б", "Бр", "В", "Г", "Гр", "Д",  "Ж", "З", "К", "Кр", "Л",
                                              "М", "Н",  "П", "Р", "С",  "Ст", "Т", "Х", "Ч", "Ш",  "Щ"};
static const char *const cyrillic_rhymes[] = {"аб", "ал", "ан", "ар", "ев", "ел", "ер", "ик", "ин",
                                              "об", "ол", "ор", "уб", "ук", "ур", "ют", "яг"};
static const char *const cyrillic_links[] = {"", "ен", "ич", "ов", "уш", "ет", "ик", "ан", "аш", "ым"};
static const char *const cyrillic_tails[] = {"ов+/а", "ев+/а", "ин+/а", "ск+ий/ая", "енко",   "чук",
                                             "юк",    "ович",  "ейко",  "ов+/а",    "цев+/а", "як"};
static const char *const cyrillic_given_heads[] = {"Бог", "Вен",  "Влад", "Вяче", "Ге",
                                                   "Люб", "Миро", "Рад",  "Свят", "Яро"};
static const char *const cyrillic_men_tails[] = {"слав", "мир", "ан", "им", "ил"};
static const char *const cyrillic_women_tails[] = {"слава", "мира", "ана", "ина", "иля"};

static const char *const greek_men[] = {
    "Γεώργιος", "Ιωάννης",   "Κωνσταντίνος", "Δημήτριος", "Νικόλαος",   "Παναγιώτης", "Βασίλειος",
    "Χρήστος",  "Αθανάσιος", "Σπύρος",       "Γιώργος",   "Αλέξανδρος", "Στέφανος",   "Φίλιππος",
};
static const char *const greek_women[] = {
    "Μαρία",   "Ελένη",  "Αικατερίνη",  "Βασιλική", "Σοφία", "Γεωργία", "Παρασκευή", "Ευαγγελία=Evangelia",
    "Δήμητρα", "Ιωάννα", "Κωνσταντίνα", "Χριστίνα", "Δανάη", "Νεφέλη",
};
static const char *const greek_families[] = {
    "Παπαδόπουλ+ος/ου", "Νικολάου",       "Οικονόμου", "Αγγελόπουλ+ος/ου=Angelopoul",
    "Βλάχ+ος/ου",       "Καραγιάνν+ης/η", "Δημητρίου", "Ψαρ+άς/ά",
    "Γεωργίου",         "Ιωάννου",        "Παππ+άς/ά", "Κωνσταντινίδ+ης/ου",
    "Αντωνίου",
};
static const char *const greek_onsets[] = {"Αλ", "Αν", "Βα", "Γε", "Δη", "Ζα", "Θε",  "Κα",  "Κο",
                                           "Λα", "Μα", "Μη", "Πα", "Ρα", "Σα", "Στα", "Τσι", "Χα"};
static const char *const greek_rhymes[] = {"β", "γ", "δ", "κ", "λ", "μ", "ν", "π", "ρ", "σ", "τ", "φ"};
static const char *const greek_links[] = {"α", "ακ", "αν", "ελ", "ιν", "ι", "ο", "ατ"};
static const char *const greek_tails[] = {"πουλ+ος/ου", "ίδ+ης/ου",  "άκ+ης/η",  "άτ+ος/ου",
                                          "έλ+ης/η",    "ιάδ+ης/ου", "ούδ+ης/η", "έας"};
static const char *const greek_given_heads[] = {"Αρι", "Ευ", "Θεο", "Λεο", "Μελ", "Ξεν", "Περ", "Φιλ"};
static const char *const greek_men_tails[] = {"στος", "νικος", "δωρος", "κλής"};
static const char *const greek_women_tails[] = {"στη", "νίκη", "δώρα", "θέα"};

static const char *const arabic_men[] = {
    "عبد الله=Abdullah=Abdallah",
    "حسن=Hassan=Hasan",
    "علي=Ali",
    "محمود=Mahmoud=Mahmud",
    "محمد=Mohammed=Muhammad",
    "أحمد=Ahmed=Ahmad",
    "خالد=Khalid=Khaled",
    "حسين=Hussein=Husain",
    "إبراهيم=Ibrahim=Ebrahim",
    "سعيد=Saeed=Said",
    "مصطفى=Mustafa=Mostafa",
    "يوسف=Yousef=Yusuf",
    "عمر=Omar=Umar",
    "طارق=Tariq=Tarek",
    "كريم=Karim=Kareem",
    "حمزة=Hamza",
    "زيد=Zaid=Zayd",
    "آدم=Adam",
};
static const char *const arabic_women[] = {
    "خديجة=Khadija=Khadijah",
    "زينب=Zainab=Zeinab",
    "فاطمة=Fatima=Fatimah",
    "أمينة=Amina=Aminah",
    "عائشة=Aisha=Aicha",
    "مريم=Maryam=Mariam",
    "سلمى=Salma",
    "هدى=Huda=Houda",
    "نور=Nour=Noor",
    "سارة=Sara=Sarah",
    "ليلى=Layla=Leila",
    "ياسمين=Yasmin=Yasmeen",
    "جنى=Jana",
    "تالا=Tala",
};
static const char *const arabic_families[] = {
    "الحسن=Al Hassan=Alhasan",
    "خوري=Khoury=Khouri",
    "حداد=Haddad",
    "منصور=Mansour=Mansur",
    "العلي=Al Ali=El Ali",
    "النجار=Al Najjar=El Naggar",
    "صالح=Saleh=Salih",
    "قاسم=Qasim=Kassem",
    "درويش=Darwish=Darwich",
    "بغدادي=Baghdadi",
    "الشامي=Al Shami=El Chami",
    "سليمان=Suleiman=Soliman",
    "عثمان=Othman=Osman",
    "الخطيب=Al Khatib=El Khateeb",
    "ناصر=Nasser=Nasir",
    "حمدان=Hamdan",
    "يوسف=Yousef=Youssef",
    "الأحمد=Al Ahmad=El Ahmed",
};
static const char *const arabic_onsets[] = {"ال=Al =El ", "ابو =Abu =Abou ", "بن =Bin =Ben ", ""};
static const char *const arabic_rhymes[] = {
    "با=Ba",   "جا=Ja=Ga", "حا=Ha", "خا=Kha",   "دا=Da", "را=Ra", "زا=Za", "سا=Sa", "شا=Sha=Cha", "صا=Sa",     "طا=Ta",
    "عا=Aa=A", "غا=Gha",   "فا=Fa", "قا=Qa=Ka", "كا=Ka", "لا=La", "ما=Ma", "نا=Na", "ها=Ha",      "وا=Wa=Oua", "يا=Ya"};
static const char *const arabic_links[] = {"ب=b", "د=d", "ر=r",   "س=s",        "ف=f",       "ل=l",
                                           "م=m", "ن=n", "هر=hr", "ور=war=our", "مي=mi=mee", "كي=ki"};
static const char *const arabic_tails[] = {"اوي=awi=aoui", "ان=an",      "ي=i=y",      "وش=oush=ouch",
                                           "اني=ani",      "ين=een=ine", "ود=oud=ood", "يش=eish=ich",
                                           "ار=ar",        "ة=a=ah",     "يل=il=eel",  "وب=oub=ub"};
static const char *const arabic_given_heads[] = {"جم=Jam=Gam", "را=Ra", "سا=Sa", "عا=A",
                                                 "فا=Fa",      "نا=Na", "ها=Ha", "وا=Wa=Oua"};
static const char *const arabic_men_tails[] = {"ال=al", "مي=mi", "دي=di", "يد=eed=id", "شد=shid=ched", "صر=ser=sir"};
static const char *const arabic_women_tails[] = {"يلة=ila=eela",    "نيا=nia",      "دية=dia=diya",
                                                 "ميرة=mira=meera", "لية=lia=liya", "زة=za"};

static const char *const hebrew_men[] = {"אברהם=Avraham=Abraham",
                                         "יעקב=Yaakov=Jacob",
                                         "משה=Moshe",
                                         "יוסף=Yosef=Joseph",
                                         "דוד=David",
                                         "יצחק=Yitzhak=Isaac",
                                         "אלון=Alon",
                                         "רון=Ron",
                                         "אורי=Uri=Ori",
                                         "איתי=Itai=Itay",
                                         "נועם=Noam"};
static const char *const hebrew_women[] = {"שרה=Sarah=Sara",    "רחל=Rachel=Rahel", "רבקה=Rivka=Rebecca", "מרים=Miriam",
                                           "אסתר=Esther=Ester", "תמר=Tamar",        "יעל=Yael",           "מיכל=Michal",
                                           "נועה=Noa=Noah",     "שירה=Shira"};
static const char *const hebrew_families[] = {"כהן=Cohen=Kohen",       "לוי=Levi=Levy",      "מזרחי=Mizrahi=Mizrachi",
                                              "פרץ=Peretz=Perez",      "ביטון=Biton=Bitton", "פרידמן=Friedman=Fridman",
                                              "שפירא=Shapira=Shapiro", "דהן=Dahan",          "אברהם=Avraham=Abraham",
                                              "כץ=Katz=Kats"};
static const char *const hebrew_onsets[] = {"ב=Ba", "ג=Go", "ד=Da", "ה=Ho", "ז=Za",  "ט=To",
                                            "מ=Me", "נ=Na", "ס=So", "ר=Ro", "ש=Sha", "פ=Pe"};
static const char *const hebrew_rhymes[] = {"לד=ld", "רנ=rn", "זנ=zn", "יש=ish", "נק=nk", "רג=rg", "לק=lk", "ימ=im"};
static const char *const hebrew_links[] = {"", "ל=el", "נ=en", "ר=er", "ס=is"};
static const char *const hebrew_tails[] = {
    "שטיין=stein=shtain", "ברג=berg", "מן=man", "ביץ=vitz=wicz", "סון=son", "י=i=y", "ר=er", "בלום=blum=bloom"};
static const char *const hebrew_given_heads[] = {"אב=Av", "אל=El", "גב=Gav", "ית=Yit", "עמ=Am", "רפ=Raf"};
static const char *const hebrew_men_tails[] = {"יאל=iel", "נר=ner", "רם=ram", "יחי=ichai"};
static const char *const hebrew_women_tails[] = {"יגיל=igail", "ית=it", "נה=na", "אלה=ela"};

static const char *const chinese_men[] = {"建国=Jianguo", "国华=Guohua", "志强=Zhiqiang", "伟=Wei",
                                          "明=Ming",      "军=Jun",      "勇=Yong",       "俊杰=Junjie",
                                          "浩然=Haoran",  "子轩=Zixuan", "宇轩=Yuxuan",   "梓睿=Zirui"};
static const char *const chinese_women[] = {"秀英=Xiuying",  "桂英=Guiying", "芳=Fang",     "丽华=Lihua",
                                            "静=Jing",       "美玲=Meiling", "雪梅=Xuemei", "晓燕=Xiaoyan",
                                            "婷婷=Tingting", "欣怡=Xinyi",   "梓涵=Zihan",  "诗涵=Shihan"};
static const char *const chinese_families[] = {
    "王=Wang=Wong",   "李=Li=Lee",       "张=Zhang=Cheung", "刘=Liu=Lau",   "陈=Chen=Chan",
    "杨=Yang=Yeung",  "黄=Huang=Wong",   "赵=Zhao=Chiu",    "吴=Wu=Ng",     "周=Zhou=Chow",
    "徐=Xu=Hsu",      "孙=Sun",          "马=Ma",           "朱=Zhu=Chu",   "胡=Hu=Wu",
    "郭=Guo=Kwok",    "何=He=Ho",        "高=Gao=Ko",       "林=Lin=Lam",   "罗=Luo=Law",
    "郑=Zheng=Cheng", "梁=Liang=Leung",  "谢=Xie=Tse",      "宋=Song=Sung", "唐=Tang=Tong",
    "许=Xu=Hui",      "邓=Deng=Tang",    "冯=Feng=Fung",    "韩=Han=Hon",   "曹=Cao=Tso",
    "曾=Zeng=Tsang",  "彭=Peng=Pang",    "萧=Xiao=Siu",     "蔡=Cai=Tsai",  "潘=Pan=Poon",
    "田=Tian",        "董=Dong=Tung",    "袁=Yuan=Yuen",    "于=Yu",        "余=Yu=Yue",
    "叶=Ye=Yip",      "蒋=Jiang=Chiang", "杜=Du=To",        "苏=Su=So",     "欧阳=Ouyang=Auyeung",
};
static const char *const chinese_parts[] = {
    "魏=Wei=Ngai",  "程=Cheng=Ching", "吕=Lu=Lui",   "丁=Ding=Ting",   "沈=Shen=Sum",    "任=Ren=Yam",
    "姚=Yao=Yiu",   "卢=Lu=Lo",       "傅=Fu",       "钟=Zhong=Chung", "姜=Jiang=Keung", "崔=Cui=Tsui",
    "谭=Tan=Tam",   "廖=Liao=Liu",    "范=Fan",      "汪=Wang=Wong",   "陆=Lu=Luk",      "金=Jin=Kam",
    "石=Shi=Shek",  "戴=Dai=Tai",     "贾=Jia=Ka",   "韦=Wei=Wai",     "夏=Xia=Ha",      "邱=Qiu=Yau",
    "方=Fang=Fong", "侯=Hou=Hau",     "邹=Zou=Chow", "熊=Xiong=Hung",  "孟=Meng=Mang",   "秦=Qin=Chun",
    "白=Bai=Pak",   "江=Jiang=Kong",  "阎=Yan=Yim",  "薛=Xue=Sit",     "尹=Yin=Wan",     "段=Duan=Tuen",
    "雷=Lei=Lui",   "黎=Li=Lai",      "史=Shi=Sze",  "龙=Long=Lung",   "陶=Tao=To",      "贺=He=Ho",
    "顾=Gu=Koo",    "毛=Mao=Mo",      "郝=Hao=Hok",
};
static const char *const chinese_given_heads[] = {"文=Wen",  "海=Hai",  "春=Chun", "德=De",   "玉=Yu",   "金=Jin",
                                                  "永=Yong", "晓=Xiao", "思=Si",   "家=Jia",  "佳=Jia",  "雨=Yu",
                                                  "天=Tian", "瑞=Rui",  "新=Xin",  "小=Xiao", "红=Hong", "立=Li"};
static const char *const chinese_men_tails[] = {"强=qiang", "峰=feng", "林=lin", "东=dong", "辉=hui",
                                                "斌=bin",   "平=ping", "涛=tao", "龙=long", "宇=yu"};
static const char *const chinese_women_tails[] = {"霞=xia",  "兰=lan",  "英=ying", "琴=qin", "萍=ping",
                                                  "莲=lian", "娟=juan", "琳=lin",  "月=yue", "怡=yi"};

static const char *const japanese_men[] = {
    /* some write kanji, some kana */
    "清=Kiyoshi",  "太郎=Taro=Tarou", "ヒロシ=Hiroshi",    "健一=Kenichi", "まこと=Makoto",
    "剛=Tsuyoshi", "大輔=Daisuke",    "翔太=Shota=Shouta", "蓮=Ren",       "陽翔=Haruto"};
static const char *const japanese_women[] = {"幸子=Sachiko",  "花子=Hanako", "恵子=Keiko", "ユキ=Yuki",
                                             "由美子=Yumiko", "智子=Tomoko", "愛=Ai",      "美咲=Misaki",
                                             "さくら=Sakura", "陽菜=Hina"};
static const char *const japanese_families[] = {
    "佐藤=Sato=Satou",   "鈴木=Suzuki",   "高橋=Takahashi", "田中=Tanaka",    "伊藤=Ito=Itoh",
    "渡辺=Watanabe",     "山本=Yamamoto", "中村=Nakamura",  "小林=Kobayashi", "加藤=Kato=Katoh",
    "サトウ=Sato=Satou", "山田=Yamada",   "吉田=Yoshida",   "大野=Ono=Ohno"};
static const char *const japanese_onsets[] = {
    "青=Ao",      "石=Ishi", "上=Ue",    "内=Uchi",  "大=O=Oh", "岡=Oka",  "金=Kane",  "川=Kawa", "北=Kita",
    "黒=Kuro",    "坂=Saka", "島=Shima", "杉=Sugi",  "高=Taka", "竹=Take", "西=Nishi", "野=No",   "原=Hara",
    "東=Higashi", "平=Hira", "福=Fuku",  "松=Matsu", "三=Mi",   "宮=Miya", "森=Mori",  "安=Yasu"};
static const char *const japanese_tails[] = {
    "井=i",       "田=da=ta",       "川=kawa=gawa", "木=ki=gi", "崎=zaki=saki",  "島=shima=jima", "沢=zawa=sawa",
    "谷=tani=ya", "野=no",          "原=hara=wara", "村=mura",  "本=moto",       "山=yama",       "口=guchi",
    "尾=o",       "橋=hashi=bashi", "浦=ura",       "岡=oka",   "塚=zuka=tsuka", "辺=be"};
static const char *const japanese_given_heads[] = {"一=Kazu", "正=Masa", "俊=Toshi", "義=Yoshi",
                                                   "広=Hiro", "明=Aki",  "直=Nao",   "智=Tomo"};
static const char *const japanese_men_tails[] = {"夫=o", "彦=hiko", "男=o", "樹=ki", "也=ya", "之=yuki"};
static const char *const japanese_women_tails[] = {"子=ko", "美=mi", "恵=e", "代=yo", "香=ka", "穂=ho"};

static const char *const hindi_men[] = {"राम=Ram",   "सुरेश=Suresh", "राजेश=Rajesh", "विजय=Vijay", "संजय=Sanjay",
                                        "अमित=Amit", "राहुल=Rahul", "अर्जुन=Arjun",  "रोहन=Rohan", "आरव=Aarav=Arav"};
static const char *const hindi_women[] = {"लक्ष्मी=Lakshmi=Laxmi",
                                          "सुनीता=Sunita=Suneeta",
                                          "अनीता=Anita",
                                          "कविता=Kavita=Kavitha",
                                          "प्रिया=Priya",
                                          "पूजा=Pooja=Puja",
                                          "नेहा=Neha",
                                          "दिव्या=Divya",
                                          "अनन्या=Ananya",
                                          "दीया=Diya"};
static const char *const hindi_families[] = {"सिंह=Singh",
                                             "कुमार=Kumar",
                                             "शर्मा=Sharma=Sarma",
                                             "गुप्ता=Gupta",
                                             "वर्मा=Verma=Varma",
                                             "पटेल=Patel",
                                             "मिश्रा=Mishra=Misra",
                                             "चौधरी=Chaudhary=Choudhury",
                                             "अग्रवाल=Agarwal=Aggarwal",
                                             "यादव=Yadav",
                                             "जोशी=Joshi",
                                             "रेड्डी=Reddy",
                                             "अय्यर=Iyer=Aiyar",
                                             "नायर=Nair"};
static const char *const hindi_onsets[] = {"अ=A",  "ब=Ba", "च=Cha", "ग=Ga", "ह=Ha", "ज=Ja", "क=Ka",   "ल=La",
                                           "म=Ma", "न=Na", "प=Pa",  "र=Ra", "स=Sa", "त=Ta", "व=Va=Wa"};
static const char *const hindi_rhymes[] = {"ग=ga", "त=ta", "द=da", "न=na", "ल=la", "र=ra", "म=ma", "ज=ja", "ह=ha"};
static const char *const hindi_links[] = {"", "न=n", "र=r", "ल=l", "म=m"};
static const char *const hindi_tails[] = {"वाल=wal=val", "कर=kar",  "नाथ=nath", "राव=rao",  "पाल=pal",
                                          "जी=ji=jee",   "दास=das", "मणि=mani", "चंद=chand", "वानी=wani=vani"};
static const char *const hindi_given_heads[] = {"अन=An",  "कम=Kam", "जय=Jay=Jai", "देव=Dev",
                                                "मन=Man", "रव=Rav", "सुर=Sur",     "हर=Har"};
static const char *const hindi_men_tails[] = {"ेश=esh", "िंदर=inder", "ीत=eet=it", "ेंद्र=endra", "दीप=deep=dip"};
static const char *const hindi_women_tails[] = {"िका=ika", "ीता=ita=eeta", "जोत=jot", "ाली=ali", "प्रीत=preet"};

static const char *const korean_men[] = {"영수=Youngsoo=Yeongsu",   "성호=Sungho=Seongho", "정훈=Junghoon=Jeonghun",
                                         "동현=Donghyun=Donghyeon", "지훈=Jihoon=Jihun",   "민준=Minjun=Minjoon",
                                         "서준=Seojun=Seojoon"};
static const char *const korean_women[] = {"영자=Youngja=Yeongja", "영숙=Youngsook=Yeongsuk", "미경=Mikyung=Migyeong",
                                           "은주=Eunju=Eunjoo",    "지영=Jiyoung=Jiyeong",    "지우=Jiwoo=Jiu",
                                           "서연=Seoyeon=Suhyun"};
static const char *const korean_families[] = {"김=Kim=Gim",    "이=Lee=Yi",    "박=Park=Pak",  "최=Choi=Choe",
                                              "정=Jung=Jeong", "강=Kang=Gang", "조=Cho=Jo",    "윤=Yoon=Yun",
                                              "장=Jang=Chang", "임=Lim=Im",    "한=Han",       "오=Oh=O",
                                              "서=Seo=Suh",    "신=Shin=Sin",  "권=Kwon=Gwon", "황=Hwang"};
static const char *const korean_parts[] = {"안=Ahn=An",    "송=Song",     "전=Jeon=Chun", "홍=Hong",     "유=Yoo=Yu",
                                           "고=Ko=Go",     "문=Moon=Mun", "양=Yang",      "손=Son=Sohn", "배=Bae=Pae",
                                           "백=Baek=Paik", "허=Heo=Hur",  "남=Nam",       "심=Shim=Sim", "노=Noh=Roh"};
static const char *const korean_given_heads[] = {"상=Sang", "재=Jae=Jai", "현=Hyun=Hyeon", "경=Kyung=Gyeong",
                                                 "민=Min",  "수=Soo=Su",  "지=Ji",         "승=Seung=Sung"};
static const char *const korean_men_tails[] = {"우=woo=u",    "철=chul=cheol", "호=ho",
                                               "석=suk=seok", "환=hwan",       "규=kyu=gyu"};
static const char *const korean_women_tails[] = {"희=hee=hui",   "숙=sook=suk", "아=a=ah",
                                                 "연=yeon=youn", "은=eun",      "정=jung=jeong"};

const struct gen_culture gen_other_cultures[GEN_OTHER_CULTURES] = {
    {.name = "Russian and Ukrainian",
     .weight = 25,
     .men = GEN_WORDS(russian_men),
     .women = GEN_WORDS(russian_women),
     .families = GEN_WORDS(russian_families),
     .family_parts = {GEN_WORDS(cyrillic_onsets), GEN_WORDS(cyrillic_rhymes), GEN_WORDS(cyrillic_links),
                      GEN_WORDS(cyrillic_tails)},
     .given_heads = GEN_WORDS(cyrillic_given_heads),
     .men_tails = GEN_WORDS(cyrillic_men_tails),
     .women_tails = GEN_WORDS(cyrillic_women_tails),
     .family_spread = {8, 12},
     .given_spread = {6, 3},
     .wife_takes_percent = 80,
     .junior_percent = 4},
    {.name = "Greek",
     .weight = 10,
     .men = GEN_WORDS(greek_men),
     .women = GEN_WORDS(greek_women),
     .families = GEN_WORDS(greek_families),
     .family_parts = {GEN_WORDS(greek_onsets), GEN_WORDS(greek_rhymes), GEN_WORDS(greek_links), GEN_WORDS(greek_tails)},
     .given_heads = GEN_WORDS(greek_given_heads),
     .men_tails = GEN_WORDS(greek_men_tails),
     .women_tails = GEN_WORDS(greek_women_tails),
     .family_spread = {8, 10},
     .given_spread = {5, 3},
     .junior_percent = 1},
    {.name = "Arabic",
     .weight = 18,
     .men = GEN_WORDS(arabic_men),
     .women = GEN_WORDS(arabic_women),
     .families = GEN_WORDS(arabic_families),
     .family_parts = {GEN_WORDS(arabic_onsets), GEN_WORDS(arabic_rhymes), GEN_WORDS(arabic_links),
                      GEN_WORDS(arabic_tails)},
     .given_heads = GEN_WORDS(arabic_given_heads),
     .men_tails = GEN_WORDS(arabic_men_tails),
     .women_tails = GEN_WORDS(arabic_women_tails),
     .family_spread = {8, 10},
     .given_spread = {4, 4},
     .junior_percent = 2,
     .middle_percent = 40,
     .january_percent = 20},
    {.name = "Hebrew",
     .weight = 6,
     .men = GEN_WORDS(hebrew_men),
     .women = GEN_WORDS(hebrew_women),
     .families = GEN_WORDS(hebrew_families),
     .family_parts = {GEN_WORDS(hebrew_onsets), GEN_WORDS(hebrew_rhymes), GEN_WORDS(hebrew_links),
                      GEN_WORDS(hebrew_tails)},
     .given_heads = GEN_WORDS(hebrew_given_heads),
     .men_tails = GEN_WORDS(hebrew_men_tails),
     .women_tails = GEN_WORDS(hebrew_women_tails),
     .family_spread = {7, 9},
     .given_spread = {4, 3},
     .wife_takes_percent = 70,
     .middle_percent = 20},
    {.name = "Chinese",
     .weight = 12,
     .men = GEN_WORDS(chinese_men),
     .women = GEN_WORDS(chinese_women),
     .families = GEN_WORDS(chinese_families),
     .family_parts = {GEN_WORDS(chinese_parts)},
     .given_heads = GEN_WORDS(chinese_given_heads),
     .men_tails = GEN_WORDS(chinese_men_tails),
     .women_tails = GEN_WORDS(chinese_women_tails),
     .family_spread = {3, 5}, /* a few dozen names for everybody */
     .given_spread = {7, 5},
     .january_percent = 5,
     .family_first = true},
    {.name = "Japanese",
     .weight = 4,
     .men = GEN_WORDS(japanese_men),
     .women = GEN_WORDS(japanese_women),
     .families = GEN_WORDS(japanese_families),
     .family_parts = {GEN_WORDS(japanese_onsets), GEN_WORDS(japanese_tails)},
     .given_heads = GEN_WORDS(japanese_given_heads),
     .men_tails = GEN_WORDS(japanese_men_tails),
     .women_tails = GEN_WORDS(japanese_women_tails),
     .family_spread = {8, 6},
     .given_spread = {4, 4},
     .wife_takes_percent = 95,
     .family_first = true},
    {.name = "Hindi",
     .weight = 10,
     .men = GEN_WORDS(hindi_men),
     .women = GEN_WORDS(hindi_women),
     .families = GEN_WORDS(hindi_families),
     .family_parts = {GEN_WORDS(hindi_onsets), GEN_WORDS(hindi_rhymes), GEN_WORDS(hindi_links), GEN_WORDS(hindi_tails)},
     .given_heads = GEN_WORDS(hindi_given_heads),
     .men_tails = GEN_WORDS(hindi_men_tails),
     .women_tails = GEN_WORDS(hindi_women_tails),
     .family_spread = {3, 10}, /* every twenty-fifth is a Singh */
     .given_spread = {4, 3},
     .wife_takes_percent = 70,
     .middle_percent = 25,
     .january_percent = 12},
    {.name = "Korean",
     .weight = 3,
     .men = GEN_WORDS(korean_men),
     .women = GEN_WORDS(korean_women),
     .families = GEN_WORDS(korean_families),
     .family_parts = {GEN_WORDS(korean_parts)},
     .given_heads = GEN_WORDS(korean_given_heads),
     .men_tails = GEN_WORDS(korean_men_tails),
     .women_tails = GEN_WORDS(korean_women_tails),
     .family_spread = {1, 5},
     .given_spread = {5, 3},
     .family_first = true},
};
