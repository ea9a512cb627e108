"""Names, codes and scripts of languages: the tables that language identification reads."""

__all__ = ["ALIASES", "MIXED_TAGS", "NAMES", "SCRIPTS", "UNKNOWN_TAGS"]

SCRIPTS = {
    "Hangul": "Korean",
    "Hiragana": "Japanese",
    "Katakana": "Japanese",
    "Bengali": "Bangla",
    "Gurmukhi": "Punjabi",
    "Gujarati": "Gujarati",
    "Oriya": "Odia",
    "Tamil": "Tamil",
    "Telugu": "Telugu",
    "Kannada": "Kannada",
    "Malayalam": "Malayalam",
    "Sinhala": "Sinhala",
    "Thai": "Thai",
    "Lao": "Lao",
    "Khmer": "Khmer",
    "Myanmar": "Burmese",
    "Georgian": "Georgian",
    "Armenian": "Armenian",
    "Greek": "Greek",
    "Hebrew": "Hebrew",
    "Ethiopic": "Amharic",
}
"""Scripts that one main language is written in, and that language. Han is Japanese beside kana and
else Chinese; Bengali letters that only Assamese has go to the model, as do all other scripts."""

_CODES = """
ace Acehnese, af Afrikaans, am Amharic, an Aragonese, ar Arabic, ary Arabic, arz Arabic,
as Assamese, az Azerbaijani, ba Bashkir, bcl Bikol, be Belarusian, bg Bulgarian, bn Bangla,
br Breton, bs Bosnian, ca Catalan, crh Crimean Tatar, cs Czech, cy Welsh, da Danish, de German,
dz Dzongkha, el Greek, en English, eo Esperanto, es Spanish, et Estonian, eu Basque,
ext Extremaduran, fa Persian, fi Finnish, fo Faroese, fr French, fuv Fulfulde, fy Frisian,
ga Irish, gcf Antillean Creole, gcr Guianese Creole, gd Scottish Gaelic, gl Galician, gom Konkani,
grc Greek, gu Gujarati, gug Guarani, guw Gun, ha Hausa, hbo Hebrew, he Hebrew, hi Hindi,
hr Croatian, ht Haitian Creole, hu Hungarian, hy Armenian, id Indonesian, ig Igbo, is Icelandic,
it Italian, ja Japanese, jv Javanese, ka Georgian, kab Kabyle, kik Kikuyu, kk Kazakh, km Khmer,
kn Kannada, ko Korean, ku Kurdish, ky Kyrgyz, la Latin, lb Luxembourgish, lg Luganda,
lij Ligurian, ln Lingala, lo Lao, lt Lithuanian, ltg Latgalian, lv Latvian, mg Malagasy,
mk Macedonian, ml Malayalam, mn Mongolian, mr Marathi, ms Malay, mt Maltese, my Burmese,
ne Nepali, nl Dutch, nn Norwegian, nb Norwegian, no Norwegian, nso Northern Sotho, oc Occitan,
om Oromo, or Odia, pa Punjabi, pcm Nigerian Pidgin, pl Polish, ps Pashto, pt Portuguese,
qu Quechua, ro Romanian, ru Russian, rw Kinyarwanda, sa Sanskrit, sdh Kurdish, se Northern Sami,
si Sinhala, sk Slovak, sl Slovenian, sn Shona, so Somali, sq Albanian, sr Serbian,
st Southern Sotho, sv Swedish, sw Swahili, ta Tamil, te Telugu, tg Tajik, th Thai, tk Turkmen,
tl Tagalog, tr Turkish, tt Tatar, ug Uyghur, uk Ukrainian, ur Urdu, uz Uzbek, uzs Uzbek,
vec Venetian, vi Vietnamese, vo Volapük, wa Walloon, wuu Chinese, xh Xhosa, yo Yoruba,
yue Chinese, zh Chinese, zu Zulu, yi Yiddish, haw Hawaiian, mi Maori
"""
NAMES = {
    code: name for code, _, name in (item.strip().partition(" ") for item in _CODES.split(","))
}
"""ISO 639 code -> English name. Varieties that songs mix freely share a name: spoken and written
Arabic, both Norwegians, the Chinese languages in characters."""

ALIASES = {
    "ara": "Arabic",
    "arabic": "Arabic",
    "ben": "Bangla",
    "bengali": "Bangla",
    "cantonese": "Chinese",
    "castilian": "Spanish",
    "ces": "Czech",
    "chi": "Chinese",
    "cmn": "Chinese",
    "cze": "Czech",
    "deu": "German",
    "dut": "Dutch",
    "ell": "Greek",
    "eng": "English",
    "farsi": "Persian",
    "fas": "Persian",
    "filipino": "Tagalog",
    "fin": "Finnish",
    "fra": "French",
    "fre": "French",
    "ger": "German",
    "gre": "Greek",
    "heb": "Hebrew",
    "hin": "Hindi",
    "hun": "Hungarian",
    "ind": "Indonesian",
    "ita": "Italian",
    "jpn": "Japanese",
    "kor": "Korean",
    "lat": "Latin",
    "mandarin": "Chinese",
    "mar": "Marathi",
    "nep": "Nepali",
    "nld": "Dutch",
    "nor": "Norwegian",
    "nob": "Norwegian",
    "nno": "Norwegian",
    "oriya": "Odia",
    "panjabi": "Punjabi",
    "per": "Persian",
    "pol": "Polish",
    "por": "Portuguese",
    "ron": "Romanian",
    "rum": "Romanian",
    "rus": "Russian",
    "spa": "Spanish",
    "swe": "Swedish",
    "tam": "Tamil",
    "tel": "Telugu",
    "tha": "Thai",
    "tur": "Turkish",
    "ukr": "Ukrainian",
    "urd": "Urdu",
    "vie": "Vietnamese",
    "zho": "Chinese",
}
"""Three-letter codes of widely sung languages, and other names in use."""

UNKNOWN_TAGS = frozenset(
    {
        *("", "?", "-", "–", "unknown", "und", "n/a", "na", "none", "nan", "null", "xxx", "zxx"),
        *("instrumental", "no lyrics", "no language", "no linguistic content"),
    }
)
MIXED_TAGS = frozenset(
    {
        *("mixed", "mix", "mixed languages", "multi", "mul", "multiple", "multiple languages"),
        *("multilingual", "bilingual", "several", "various", "other"),
    }
)
"""Tags that say "more than one" and leave open which."""
