"""The words of the demo songs: seven languages, six themes, and the line templates around them.

Every entry was written for this collection. A theme holds four lists, separated by ``|``:
subjects (third person singular), verbs that agree with every subject of the theme, adverbials,
and objects in the form the templates ask for (German accusative, Hindi oblique, and so on). Hindi
verbs stand in the poetic subjunctive and Arabic subjects are masculine, because there a verb
would otherwise have to change with its subject.

The file is long because it is the data.
"""

from dataclasses import dataclass

__all__ = ["LANGUAGES", "THEMES", "Language", "Phrases"]

THEMES = ("love", "sea", "city", "harvest", "journey", "freedom")


@dataclass(frozen=True)
class Phrases:
    """Phrases of one theme in one language, by their place in a line."""

    subjects: tuple[str, ...]
    verbs: tuple[str, ...]
    adverbials: tuple[str, ...]
    objects: tuple[str, ...]


@dataclass(frozen=True)
class Language:
    """One language: its script, line templates and phrases.

    ``script`` is the set of name prefixes that :func:`unicodedata.name` gives its letters.
    Template slots are ``{s}`` subject, ``{v}`` verb, ``{a}`` adverbial, ``{o}`` object;
    ``{s2}`` and ``{v2}`` are a second, different subject and verb.
    """

    name: str
    script: tuple[str, ...]
    verse: tuple[str, ...]
    refrain: tuple[str, ...]
    themes: dict[str, Phrases]


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("|"))


def _themes(table: dict[str, tuple[str, str, str, str]]) -> dict[str, Phrases]:
    return {theme: Phrases(*(_split(cell) for cell in table[theme])) for theme in THEMES}


_ENGLISH = Language(
    name="English",
    script=("LATIN",),
    verse=(
        "{s} {v} {a}",
        "{a} {s} {v}",
        "{s} {v} and {s2} {v2}",
        "I remember {o}",
        "every night I dream of {o}",
        "and {s} still {v} {a}",
        "when {s} {v}, I think of {o}",
        "{a} I look for {o}",
    ),
    refrain=(
        "give me {o} once more",
        "I will never forget {o}",
        "let us sing together of {o}",
        "where {s} {v}, there is my home",
    ),
    themes=_themes(
        {
            "love": (
                "my heart | your smile | the first kiss | a quiet tenderness | our promise",
                "trembles | blooms | returns | burns | whispers",
                "in your arms | beside your window | all through the night | beneath the roses",
                "your gentle eyes | the warmth of your hand | the letter you wrote"
                " | our sweetest summer | the rose you gave me",
            ),
            "sea": (
                "the tide | a white sail | the lighthouse | the salt wind | the old fisherman",
                "rises | calls | drifts | waits | shimmers",
                "on the open water | beyond the harbour | along the shore | under the gulls",
                "the blue waves | the island of pearls | the song of the whales"
                " | the sand and the shells | the deep green sea",
            ),
            "city": (
                "the last tram | a neon sign | the crowded street | the saxophone"
                " | the empty station",
                "hums | flickers | wakes | glows | hurries",
                "on the corner | after midnight | between the towers | behind the glass",
                "the lights of the city | the noise of the traffic | the wet pavement"
                " | the rooftops and wires | the café that never closes",
            ),
            "harvest": (
                "the golden field | the young rain | the old mill | the orchard | the lark",
                "awakens | sings | breathes | rejoices | rests",
                "in the furrows | at the edge of the wood | in the September sun"
                " | among the ears of corn",
                "the sheaves of wheat | the smell of the soil | the apples and the honey"
                " | the plough of my father | the green meadow",
            ),
            "journey": (
                "the long road | the night train | the stranger | the caravan | the wheel",
                "wanders | disappears | goes on | turns away | keeps moving",
                "across the mountains | past the last village | without a map | toward the border",
                "the dust of the road | the bridge and the river | a suitcase of memories"
                " | the signs at the crossroads | the far horizon",
            ),
            "freedom": (
                "the crowd | our flag | the drum | the young worker | the voice of the people",
                "rises up | marches | awakens | answers | stands firm",
                "in the public square | before the walls | at the break of dawn | without fear",
                "the open gates | justice and bread | the names of the fallen"
                " | the torch of freedom | the day of peace",
            ),
        }
    ),
)

_GERMAN = Language(
    name="German",
    script=("LATIN",),
    verse=(
        "{s} {v} {a}",
        "{a} {v} {s}",
        "{s} {v} und {s2} {v2}",
        "ich erinnere mich an {o}",
        "noch heute sehe ich {o}",
        "und {s} {v} noch immer {a}",
        "wenn {s} {v}, denke ich an {o}",
        "{a} suche ich {o}",
    ),
    refrain=(
        "gib mir {o} zurück",
        "nie vergesse ich {o}",
        "wir singen noch einmal für {o}",
        "wo {s} {v}, dort bin ich zu Haus",
    ),
    themes=_themes(
        {
            "love": (
                "mein Herz | dein Lächeln | der erste Kuss | die stille Sehnsucht"
                " | unser Versprechen",
                "zittert | blüht | brennt | flüstert | wartet",
                "in deinen Armen | an deinem Fenster | die ganze Nacht | unter den Rosen",
                "deine sanften Augen | die Wärme deiner Hand | den Brief von damals"
                " | unseren schönsten Sommer | die Rose aus dem Garten",
            ),
            "sea": (
                "die Flut | ein weißes Segel | der Leuchtturm | der salzige Wind"
                " | der alte Fischer",
                "ruft | schimmert | wartet | erwacht | schweigt",
                "auf offener See | hinter dem Hafen | am Ufer | unter den Möwen",
                "die blauen Wellen | die Insel der Perlen | das Lied der Wale"
                " | den Sand und die Muscheln | das tiefe grüne Meer",
            ),
            "city": (
                "die letzte Bahn | ein Neonlicht | die volle Straße | das Saxofon"
                " | der leere Bahnhof",
                "summt | flackert | erwacht | leuchtet | träumt",
                "an der Ecke | nach Mitternacht | zwischen den Türmen | hinter dem Glas",
                "die Lichter der Stadt | den Lärm des Verkehrs | das nasse Pflaster"
                " | die Dächer und Drähte | das Café ohne Schluss",
            ),
            "harvest": (
                "das goldene Feld | der junge Regen | die alte Mühle | der Obstgarten | die Lerche",
                "erwacht | singt | atmet | ruht | lacht",
                "in den Furchen | am Waldrand | in der Septembersonne | zwischen den Ähren",
                "die Garben aus Weizen | den Duft der Erde | die Äpfel und den Honig"
                " | den Pflug meines Vaters | die grüne Wiese",
            ),
            "journey": (
                "der lange Weg | der Nachtzug | der Fremde | die Karawane | das Rad",
                "wandert | verschwindet | zögert | eilt | entschwindet",
                "über die Berge | hinter dem letzten Dorf | ohne Karte | an der Grenze",
                "den Staub der Straße | die Brücke und den Fluss"
                " | einen Koffer voller Erinnerungen | die Zeichen am Kreuzweg"
                " | den fernen Horizont",
            ),
            "freedom": (
                "die Menge | unsere Fahne | die Trommel | der junge Arbeiter"
                " | die Stimme des Volkes",
                "marschiert | erwacht | antwortet | kämpft | bleibt",
                "auf dem Marktplatz | vor den Mauern | im Morgengrauen | ohne Angst",
                "die offenen Tore | Gerechtigkeit und Brot | die Namen der Gefallenen"
                " | die Fackel der Freiheit | den Tag des Friedens",
            ),
        }
    ),
)

_SPANISH = Language(
    name="Spanish",
    script=("LATIN",),
    verse=(
        "{s} {v} {a}",
        "{a} {v} {s}",
        "{s} {v} y {s2} {v2}",
        "recuerdo {o}",
        "cada noche sueño con {o}",
        "y {s} todavía {v} {a}",
        "cuando {s} {v}, pienso en {o}",
        "{a} busco {o}",
    ),
    refrain=(
        "dame otra vez {o}",
        "nunca olvidaré {o}",
        "cantemos juntos por {o}",
        "donde {s} {v}, está mi hogar",
    ),
    themes=_themes(
        {
            "love": (
                "mi corazón | tu sonrisa | el primer beso | una dulce ternura | nuestra promesa",
                "tiembla | florece | regresa | arde | susurra",
                "entre tus brazos | junto a tu ventana | toda la noche | bajo las rosas",
                "tus ojos serenos | el calor de tu mano | la carta de ayer"
                " | nuestro verano más dulce | la rosa del jardín",
            ),
            "sea": (
                "la marea | una vela blanca | el faro | el viento salado | el viejo pescador",
                "sube | llama | espera | despierta | brilla",
                "en mar abierto | más allá del puerto | en la orilla | bajo las gaviotas",
                "las olas azules | la isla de las perlas | el canto de las ballenas"
                " | la arena y las conchas | el mar profundo",
            ),
            "city": (
                "el último tranvía | un letrero de neón | la calle llena | el saxofón"
                " | la estación vacía",
                "zumba | parpadea | despierta | resplandece | sueña",
                "en la esquina | después de medianoche | entre las torres | detrás del cristal",
                "las luces de la ciudad | el ruido del tráfico | el asfalto mojado"
                " | los tejados y los cables | el café que nunca cierra",
            ),
            "harvest": (
                "el campo dorado | la lluvia joven | el viejo molino | el huerto | la alondra",
                "despierta | canta | respira | descansa | ríe",
                "en los surcos | al borde del bosque | al sol de septiembre | entre las espigas",
                "las gavillas de trigo | el olor de la tierra | las manzanas y la miel"
                " | el arado de mi padre | la verde pradera",
            ),
            "journey": (
                "el largo camino | el tren nocturno | el forastero | la caravana | la rueda",
                "avanza | desaparece | sigue | se aleja | se pierde",
                "por las montañas | tras el último pueblo | sin mapa | hacia la frontera",
                "el polvo del camino | el puente y el río | una maleta de recuerdos"
                " | las señales del cruce | el horizonte lejano",
            ),
            "freedom": (
                "la multitud | nuestra bandera | el tambor | el joven obrero | la voz del pueblo",
                "se levanta | marcha | despierta | responde | resiste",
                "en la plaza | ante los muros | al amanecer | sin miedo",
                "las puertas abiertas | la justicia y el pan | los nombres de los caídos"
                " | la antorcha de la libertad | el día de la paz",
            ),
        }
    ),
)

_BANGLA = Language(
    name="Bangla",
    script=("BENGALI",),
    verse=(
        "{s} {a} {v}",
        "{a} {s} {v}",
        "{s} {v}, {s2} {v2}",
        "মনে পড়ে {o}",
        "স্বপ্নে আসে {o}",
        "আর {s} আবার {v}",
        "যখন {s} {v}, আমি খুঁজি {o}",
        "{a} দেখি {o}",
    ),
    refrain=(
        "ফিরিয়ে দাও {o}",
        "ভুলব না কোনোদিন {o}",
        "আমরা চাই শুধু {o}",
        "যেখানে {s} {v}, সেখানেই আমার ঘর",
    ),
    themes=_themes(
        {
            "love": (
                "আমার হৃদয় | তোমার হাসি | প্রথম প্রেম | গোপন ভালোবাসা | আমাদের স্বপ্ন",
                "কাঁপে | ফোটে | ফিরে আসে | জ্বলে ওঠে | কথা বলে",
                "তোমার বুকে | তোমার জানালায় | সারা রাত | গোলাপের ছায়ায়",
                "তোমার শান্ত চোখ | তোমার হাতের ছোঁয়া | পুরোনো চিঠি | আমাদের মধুর বসন্ত | তোমার দেওয়া গোলাপ",
            ),
            "sea": (
                "জোয়ারের জল | সাদা পাল | দূরের বাতিঘর | নোনা হাওয়া | বুড়ো জেলে",
                "ডাকে | দোলে | জেগে ওঠে | অপেক্ষা করে | ভেসে যায়",
                "অথৈ সাগরে | বন্দরের ওপারে | বালুর তীরে | গাঙচিলের নিচে",
                "নীল ঢেউ | মুক্তার দ্বীপ | মাঝির গান | বালি আর ঝিনুক | গভীর সমুদ্র",
            ),
            "city": (
                "শেষ ট্রাম | নিয়ন বাতি | ব্যস্ত রাস্তা | পুরোনো গলি | ফাঁকা স্টেশন",
                "জেগে থাকে | কাঁপে | জ্বলে | ঘুমিয়ে পড়ে | গুনগুন করে",
                "রাস্তার মোড়ে | মাঝরাতের পরে | উঁচু দালানের ফাঁকে | কাচের ওপারে",
                "শহরের আলো | গাড়ির কোলাহল | ভেজা ফুটপাত | ছাদ আর তার | রাতের চায়ের দোকান",
            ),
            "harvest": (
                "সোনালি মাঠ | নতুন বৃষ্টি | সবুজ ধানখেত | আমের বাগান | দোয়েল পাখি",
                "জেগে ওঠে | গান গায় | হাসে | নেচে ওঠে | শ্বাস নেয়",
                "লাঙলের রেখায় | বনের কিনারে | শরতের রোদে | ধানের শিষে",
                "পাকা ধানের আঁটি | মাটির গন্ধ | নতুন গুড় আর পিঠা | বাবার লাঙল | সবুজ ঘাস",
            ),
            "journey": (
                "দীর্ঘ পথ | রাতের ট্রেন | অচেনা পথিক | গরুর গাড়ি | একলা বাউল",
                "চলে যায় | হারিয়ে যায় | এগিয়ে চলে | দূরে মিলায় | ঘুরে বেড়ায়",
                "পাহাড় পেরিয়ে | শেষ গ্রামের পরে | অজানা দেশে | সীমান্তের দিকে",
                "পথের ধুলো | সেতু আর নদী | স্মৃতিভরা ঝুলি | চৌরাস্তার নিশানা | দূরের দিগন্ত",
            ),
            "freedom": (
                "জনতার ঢল | আমাদের পতাকা | রণডঙ্কা | তরুণ শ্রমিক | মানুষের কণ্ঠ",
                "জেগে ওঠে | এগিয়ে যায় | সাড়া দেয় | গর্জে ওঠে | লড়ে যায়",
                "রাজপথে | প্রাচীরের সামনে | ভোরের আলোয় | নির্ভয়ে",
                "খোলা দুয়ার | ন্যায় আর রুটি | শহীদের নাম | মুক্তির মশাল | শান্তির দিন",
            ),
        }
    ),
)

_HINDI = Language(
    name="Hindi",
    script=("DEVANAGARI",),
    verse=(
        "{s} {a} {v}",
        "{a} {s} {v}",
        "{s} {v}, {s2} {v2}",
        "{o} की याद मुझे सताए",
        "सपनों में हर रात {o}",
        "और {s} फिर {v}",
        "जब {s} {v}, मैं देखूँ {o}",
        "{a} मैं ढूँढूँ {o}",
    ),
    refrain=(
        "{o} के बिना जीना क्या",
        "भूल न पाऊँ {o}",
        "आओ मिलकर गाएँ {o} के गीत",
        "जहाँ {s} {v}, वहीं मेरा घर",
    ),
    themes=_themes(
        {
            "love": (
                "मेरा दिल | तेरी मुस्कान | पहला प्यार | मीठी चाहत | अपना वादा",
                "धड़के | खिले | लौट आए | जले | गुनगुनाए",
                "तेरी बाहों में | तेरी खिड़की पर | सारी रात | गुलाबों के नीचे",
                "तेरी नर्म आँखों | तेरे हाथ की गर्मी | पुरानी चिट्ठी | अपनी मधुर बहार | बाग की कली",
            ),
            "sea": (
                "चढ़ता ज्वार | सफ़ेद पाल | दूर का दीपस्तंभ | खारी हवा | बूढ़ा मछुआरा",
                "पुकारे | लहराए | जागे | राह देखे | चमके",
                "खुले सागर में | बंदरगाह के पार | रेत के किनारे | पंछियों के नीचे",
                "नीली लहर | मोतियों की बस्ती | माँझी की तान | रेत और सीप | गहरी जलराशि",
            ),
            "city": (
                "आख़िरी ट्राम | नियॉन की बत्ती | भरी सड़क | पुरानी गली | सूना स्टेशन",
                "जागे | टिमटिमाए | सो जाए | जगमगाए | थरथराए",
                "सड़क के मोड़ पर | आधी रात के बाद | मीनारों के बीच | शीशे के पीछे",
                "शहर की रोशनी | गाड़ियों की आवाज़ | भीगी सड़क | छत और तार | रात की चाय",
            ),
            "harvest": (
                "सुनहरा खेत | पहली बारिश | पुरानी चक्की | आम का बाग | कोयल",
                "जागे | गाए | मुस्काए | झूमे | साँस ले",
                "खेत की मेड़ पर | जंगल के किनारे | सावन की धूप में | गेहूँ की बालियों में",
                "गेहूँ की फ़सल | मिट्टी की ख़ुशबू | शहद और सेब | बाबा के हल | हरी घास",
            ),
            "journey": (
                "लंबा रास्ता | रात की रेल | अनजान मुसाफ़िर | बैलगाड़ी | कारवाँ",
                "चलता जाए | खो जाए | आगे बढ़े | ओझल हो | मुड़ जाए",
                "पहाड़ों के पार | आख़िरी गाँव के बाद | बिना नक़्शे के | सरहद की ओर",
                "राह की धूल | पुल और नदी | यादों की गठरी | चौराहे की निशानी | दूर क्षितिज",
            ),
            "freedom": (
                "उमड़ता जनसागर | अपना परचम | रण का ढोल | जवान मज़दूर | जनता का स्वर",
                "जाग उठे | आगे बढ़े | जवाब दे | गरज उठे | डटा रहे",
                "चौक में | दीवारों के सामने | भोर की किरण में | बिना डर के",
                "खुली राह | इंसाफ़ और रोटी | शहीदों की क़ुर्बानी | आज़ादी की मशाल | अमन की सुबह",
            ),
        }
    ),
)

_ARABIC = Language(
    name="Arabic",
    script=("ARABIC",),
    verse=(
        "{s} {v} {a}",
        "{a} {v} {s}",
        "{v} {s} و{v2} {s2}",
        "أتذكر {o}",
        "في كل ليلة أرى {o}",
        "وما زال {s} {v} {a}",
        "عندما {v} {s} أتذكر {o}",
        "{a} أبحث عن {o}",
    ),
    refrain=(
        "أعيدوا لي {o}",
        "لن أنسى أبدا {o}",
        "هيا نغني معا من أجل {o}",
        "حيث {v} {s} هناك بيتي",
    ),
    themes=_themes(
        {
            "love": (
                "قلبي | وجهك الجميل | الحب الأول | الشوق القديم | وعدنا",
                "يرتجف | يزهر | يعود | يحترق | يهمس",
                "بين ذراعيك | قرب نافذتك | طوال الليل | تحت الورود",
                "عينيك الهادئتين | دفء يديك | رسالة الأمس | صيفنا الجميل | وردة الحديقة",
            ),
            "sea": (
                "المد | الشراع الأبيض | الفنار البعيد | نسيم الملح | الصياد العجوز",
                "ينادي | يلمع | ينتظر | يصحو | يتمايل",
                "في عرض البحر | خلف الميناء | على الشاطئ | تحت النوارس",
                "الأمواج الزرقاء | جزيرة اللؤلؤ | أغنية الحيتان | الرمل والصدف | البحر العميق",
            ),
            "city": (
                "القطار الأخير | ضوء النيون | الشارع المزدحم | الزقاق القديم | المقهى الخالي",
                "يهمهم | يرتعش | يستيقظ | يتوهج | يحلم",
                "عند الزاوية | بعد منتصف الليل | بين الأبراج | خلف الزجاج",
                "أضواء المدينة | ضجيج السيارات | الرصيف المبلل | السطوح والأسلاك | مقهى الساهرين",
            ),
            "harvest": (
                "الحقل الذهبي | المطر الجديد | طير البستان | بستان الزيتون | القمح",
                "يصحو | يغني | يتنفس | يبتسم | يستريح",
                "بين السنابل | عند حافة الغابة | في شمس أيلول | فوق التراب",
                "حزم القمح | رائحة الأرض | التفاح والعسل | محراث أبي | المرج الأخضر",
            ),
            "journey": (
                "الطريق الطويل | قطار الليل | الغريب | المسافر | الركب",
                "يمضي | يختفي | يبتعد | يسير | يرحل",
                "عبر الجبال | بعد آخر قرية | بلا خريطة | نحو الحدود",
                "غبار الطريق | الجسر والنهر | حقيبة الذكريات | علامات المفترق | الأفق البعيد",
            ),
            "freedom": (
                "الحشد | علمنا | الطبل | العامل الشاب | صوت الشعب",
                "ينهض | يتقدم | يستجيب | يعلو | يصمد",
                "في الساحة | أمام الأسوار | عند الفجر | بلا خوف",
                "الأبواب المفتوحة | العدل والخبز | أسماء الشهداء | شعلة الحرية | يوم السلام",
            ),
        }
    ),
)

_JAPANESE = Language(
    name="Japanese",
    script=("CJK UNIFIED", "HIRAGANA", "KATAKANA"),
    verse=(
        "{s}が{a}{v}",
        "{a}{s}が{v}",
        "{s}が{v}　{s2}も{v2}",
        "{o}を思い出す",
        "夜ごと{o}を夢に見る",
        "そして{s}はまた{v}",
        "{s}が{v}とき　{o}を想う",
        "{a}{o}を探している",
    ),
    refrain=(
        "{o}をもう一度ください",
        "{o}をずっと忘れない",
        "さあ一緒に歌おう　{o}を",
        "{s}が{v}ところ　そこが私の家",
    ),
    themes=_themes(
        {
            "love": (
                "私の心 | あなたの笑顔 | 初めての恋 | 静かな想い | ふたりの約束",
                "震える | 花ひらく | 燃える | ささやく | よみがえる",
                "あなたの腕の中で | 窓辺で | 夜どおし | 薔薇の下で",
                "やさしい瞳 | その手のぬくもり | 古い手紙 | ふたりの夏 | くれた薔薇",
            ),
            "sea": (
                "満ち潮 | 白い帆 | 灯台 | 潮風 | 年老いた漁師",
                "呼んでいる | きらめく | 待っている | 目を覚ます | 揺れる",
                "沖の上で | 港の向こうで | 波打ち際で | かもめの下で",
                "青い波 | 真珠の島 | 鯨の歌 | 砂と貝殻 | 深い海",
            ),
            "city": (
                "最終電車 | ネオンの光 | 人ごみの通り | サックスの音 | 誰もいない駅",
                "唸る | またたく | 目覚める | 輝く | 眠れない",
                "街角で | 真夜中すぎに | ビルの谷間で | ガラスの奥で",
                "街の灯り | 車の騒音 | 濡れた舗道 | 屋根と電線 | 眠らない喫茶店",
            ),
            "harvest": (
                "黄金の畑 | 春の雨 | 古い水車 | りんご畑 | ひばり",
                "目を覚ます | 歌う | 息をする | 喜ぶ | 休んでいる",
                "畝の間で | 森のはずれで | 九月の陽の中で | 稲穂の中で",
                "実った稲の束 | 土の匂い | りんごと蜂蜜 | 父の鍬 | 緑の草原",
            ),
            "journey": (
                "長い道 | 夜汽車 | 旅人 | 荷馬車 | 渡り鳥",
                "消えてゆく | 遠ざかる | 続いてゆく | 曲がってゆく | 去ってゆく",
                "山を越えて | 最後の村を過ぎて | 地図もなく | 国境へ",
                "道の埃 | 橋と川 | 思い出の鞄 | 辻の道しるべ | 遠い地平線",
            ),
            "freedom": (
                "人の波 | 僕らの旗 | 太鼓 | 若い働き手 | 民の声",
                "立ち上がる | 進む | 目覚める | 答える | 負けない",
                "広場で | 壁の前で | 夜明けに | 恐れずに",
                "開かれた門 | 正義とパン | 倒れた人の名 | 自由の松明 | 平和の日",
            ),
        }
    ),
)

LANGUAGES: dict[str, Language] = {
    language.name: language
    for language in (_ENGLISH, _BANGLA, _GERMAN, _SPANISH, _HINDI, _ARABIC, _JAPANESE)
}
