"""Names, codes and scripts of languages: one English name for every way to write one down."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

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
"""ISO 639 code -> English name, as the identifier of `ingest.languages` knows them. Varieties that
songs mix freely share a name: spoken and written Arabic, both Norwegians, the Chinese languages."""

_ALSO = """
Acehnese: ace; Afrikaans: afr; Albanian: alb sqi albanisch albanais albanés shqip arnavutça;
Amharic: amh; Arabic: ara arabisch arabe árabe arabo arapça арабский عربي العربية; Aragonese: arg;
Armenian: arm hye armenisch arménien հայերեն; Assamese: asm; Asturian: ast asturianu; Aymara: ay
aym; Azerbaijani: aze aserbaidschanisch azerice azeri azərbaycanca; Bambara: bm bam; Bangla: ben
bengali bengalisch bangali বাংলা; Bashkir: bak; Basque: baq eus baskisch vasco euskara euskera;
Belarusian: bel belorussian weißrussisch; Bhojpuri: bho; Bikol: bik; Bosnian: bos bosnisch
boşnakça bosanski; Breton: bre bretonisch brezhoneg; Bulgarian: bul bulgarisch bulgare bulgarca
български; Burmese: bur mya; Catalan: cat katalanisch catalán català valencian; Cebuano: ceb
bisaya; Chichewa: ny nya; Chinese: chi zho cmn yue wuu nan hak mandarin cantonese hokkien
chinesisch chinois chino cinese chinês çince китайский 中文 汉语 漢語 普通话 國語 粤语 粵語
putonghua; Corsican: co cos corsu; Cornish: kw cor; Crimean Tatar: crh; Croatian: hrv kroatisch
croate croata hırvatça hrvatski; Czech: ces cze tschechisch tchèque checo ceco çekçe česky
čeština; Danish: dan dänisch danois danés danese danca dansk; Dutch: dut nld niederländisch
holländisch néerlandais holandés neerlandés olandese holandês hollandaca felemenkçe nederlands
flemish vls; Dzongkha: dzo; English: eng englisch anglais inglés inglese inglês ingilizce engels
engelska engelsk angličtina angielski английский английська 英语 英語 영어; Esperanto: epo;
Estonian: est estnisch estonien eesti estonca; Ewe: ee ewe; Faroese: fao föroyskt; Fijian: fj fij;
Finnish: fin finnisch finnois finés fince suomi; French: fra fre französisch francés francese
francês fransızca frans franska fransk français francais francuski французский 法语 フランス語
프랑스어; Frisian: fry frr stq friesisch frysk; Friulian: fur furlan; Fulfulde: ff ful; Galician:
glg galicisch galego gallego; Georgian: geo kat georgisch géorgien gürcüce ქართული; German: deu
ger gsw nds bar deutsch allemand alemán tedesco alemão almanca duits tyska tysk niemecki немецкий
德语 ドイツ語 독일어 plattdeutsch schwyzerdütsch; Greek: ell gre griechisch grec griego greco
grego yunanca rumca ελληνικά; Greenlandic: kl kal; Guarani: gn grn; Gujarati: guj; Haitian Creole:
hat kreyòl; Hausa: hau; Hawaiian: haw; Hebrew: heb iw hebräisch hébreu hebreo ebraico ibranice
ivrit עברית; Hindi: hin hindustani हिन्दी हिंदी; Hmong: hmn; Hungarian: hun ungarisch hongrois
húngaro ungherese macarca magyar; Icelandic: ice isl isländisch islandais íslenska izlandaca;
Igbo: ibo; Ilocano: ilo; Indonesian: ind in indonesisch indonésien bahasa indonesia endonezce;
Inuktitut: iu iku; Irish: gle gaelic gaeilge irisch irlandais; Italian: ita italienisch italien
italiano italyanca italiaans итальянский 意大利语 イタリア語; Japanese: jpn japanisch japonais
japonés giapponese japonês japonca 日本語 日语 일본어; Javanese: jav jw; Kabyle: kab; Kannada:
kan; Kashmiri: ks kas; Kazakh: kaz; Khmer: khm cambodian; Kikuyu: ki kik gikuyu; Kinyarwanda: kin;
Kongo: kg kon; Konkani: kok gom; Korean: kor koreanisch coréen coreano korece 한국어 韩语 韓国語;
Kurdish: kur kmr ckb sdh kurmanji sorani kurmanci kürtçe kurdisch kurdî; Kyrgyz: kir; Ladino: lad;
Lao: lao; Latin: lat latein lateinisch latina latino latince; Latvian: lav lettisch latviešu;
Lingala: lin; Lithuanian: lit litauisch lietuvių; Luganda: lug; Luxembourgish: ltz lëtzebuergesch;
Macedonian: mac mkd mazedonisch makedonca македонски; Maithili: mai; Malagasy: mlg; Malay: may msa
zsm malaiisch malais bahasa melayu; Malayalam: mal; Maltese: mlt; Manx: gv glv; Maori: mao mri
māori; Marathi: mar; Mongolian: mon mongolisch монгол; Nahuatl: nah nahuatl; Navajo: nv nav;
Neapolitan: nap napoletano; Nepali: nep; Nigerian Pidgin: pcm; Northern Sami: sme; Northern Sotho:
nso; Norwegian: nor nob nno bokmål nynorsk norwegisch norvégien noruego norvegese norveççe norsk;
Occitan: oci occitanisch provençal; Odia: ori oriya; Oromo: orm; Pashto: pus; Persian: per fas
farsi dari persisch persan persa farsça فارسی; Polish: pol polnisch polonais polaco polacco lehçe
polski польский; Portuguese: por portugiesisch portugais portugués portoghese português portekizce
portugees португальский; Punjabi: pan panjabi ਪੰਜਾਬੀ; Quechua: que; Romani: rom romanes; Romanian:
ron rum mo rumänisch roumain rumano rumeno romence română; Russian: rus russisch russe ruso russo
rusça rosyjski русский 俄语; Samoan: sm smo; Sango: sg sag; Sanskrit: san; Sardinian: sc srd
sardu; Scots: sco; Scottish Gaelic: gla gàidhlig; Serbian: srp scc serbisch serbe serbio sırpça
srpski српски; Serbo-Croatian: sh hbs; Shona: sna; Sicilian: scn; Sindhi: sd snd; Sinhala: sin
sinhalese; Slovak: slo slk slowakisch slovaque slovakça slovenčina; Slovenian: slv slovene
slowenisch slovenščina; Somali: som; Southern Sotho: sot; Spanish: spa castilian spanisch espagnol
spagnolo espanhol ispanyolca spaans spanska spansk español espanol castellano hiszpański испанский
西班牙语 スペイン語 스페인어; Sundanese: su sun; Swahili: swa swh kiswahili; Swedish: swe
schwedisch suédois sueco svedese isveççe svenska; Tagalog: tgl fil filipino; Tajik: tgk; Tamil:
tam தமிழ்; Tatar: tat; Telugu: tel తెలుగు; Thai: tha thailändisch thaï ไทย; Tibetan: bo bod tib;
Tigrinya: ti tir; Tongan: to ton; Tsonga: ts tso; Tswana: tn tsn; Turkish: tur türkisch turc turco
türkçe turkce turks turkiska турецкий; Turkmen: tuk; Twi: tw twi ak aka akan; Uyghur: uig uighur;
Ukrainian: ukr ukrainisch ukrainien ucraniano ucraino ukraynaca українська; Urdu: urd اردو; Uzbek:
uzb; Venetian: vec; Vietnamese: vie vietnamesisch vietnamien vietnamita tiếng việt; Volapük: vol;
Walloon: wln; Welsh: cym wel walisisch gallois galés cymraeg; Wolof: wo wol; Xhosa: xho; Yiddish:
yid ji jiddisch; Yoruba: yor; Zulu: zul
"""
"""Further codes (ISO 639-1, -2, -3), and names in other languages, of each English name."""
_PHRASES = ("bahasa indonesia", "bahasa melayu", "tiếng việt")
_VARIETIES = frozenset(
    {
        *("american", "australian", "austrian", "brazilian", "british", "canadian", "egyptian"),
        *("european", "mandarin", "mexican", "modern", "simplified", "standard", "swiss"),
        *("traditional", "us", "uk"),
    }
)
_LOCALE = re.compile(r"[a-z]{2,3}( [a-z]{4})?( [a-z]{2}| \d{3})?( x .*)?")

_UNKNOWN = frozenset(
    {
        *("", "?", "-", "–", "unknown", "und", "n/a", "na", "none", "nan", "null", "xxx", "zxx"),
        *("undefined", "undetermined", "not applicable", "unbekannt", "inconnu", "desconocido"),
        *("instrumental", "no lyrics", "no vocals", "no language", "no linguistic content"),
    }
)
_MIXED = frozenset(
    {
        *("mixed", "mix", "mixed languages", "multi", "mul", "multiple", "multiple languages"),
        *("multilingual", "bilingual", "several", "various", "other"),
    }
)
"""Tags that say "more than one" and leave open which."""


def language_name(tag: str | None) -> str | None:
    """English name of a language, from a name or a code: "de", "ger", "de-AT", "Deutsch".

    Letter case, width, underscores, regions and scripts make no difference. None where the tag says
    that the language is unknown, or that there are several. A name that is not in the table stays
    as it is.
    """
    written = " ".join(unicodedata.normalize("NFC", tag or "").split())
    return None if is_mixed(written) else _lookup(_folded(written), written)


def is_mixed(tag: str | None) -> bool:
    """Whether a tag says "several languages" without naming them."""
    return _folded(tag or "") in _MIXED


def _folded(tag: str) -> str:
    plain = unicodedata.normalize("NFKC", tag).casefold().replace("i\u0307", "i")  # Turkish I
    plain = "".join(c for c in plain if unicodedata.category(c) != "Cf")
    plain = plain.strip("[]() ").split("@")[0].removesuffix(".utf-8")
    return " ".join(re.split(r"[\s_\-‐-―]+", plain)).strip()


def _lookup(key: str, written: str) -> str | None:
    if key in _UNKNOWN:
        return None
    names = _names_by_tag()
    bare = re.sub(r"\s*[(\[].*", "", key)
    words = bare.split()
    if key in names or bare in names:
        return names.get(key) or names[bare]
    if len(words) > 1 and (len(words[0]) > 3 or _LOCALE.fullmatch(bare)) and words[0] in names:
        return names[words[0]]
    if len(words) > 1 and set(words[:-1]) <= _VARIETIES and words[-1] in names:
        return names[words[-1]]
    return written


@lru_cache(maxsize=1)
def _names_by_tag() -> dict[str, str]:
    found = {_folded(code): name for code, name in NAMES.items()}
    for item in _ALSO.split(";"):
        name, _, tags = item.partition(":")
        name = name.strip()
        rest = tags
        for phrase in _PHRASES:
            if phrase in rest:
                rest = rest.replace(phrase, "")
                found[_folded(phrase)] = name
        found |= {_folded(tag): name for tag in (name, *rest.split())}
    return found | {_folded(name): name for name in NAMES.values()}
