"""Cleaning: what is not sung goes, what is sung stays, in any language and format."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from songscape.features.text import counts_view, lyrics_view, tokenize
from songscape.ingest.cleaning import clean_lyrics, without_look_alikes
from songscape.ingest.languages import language_composition

SONG = "I walk along the river\nwhen the lights go down\n\nand I will sing for you tonight"

HEADINGS = """
[Chorus] | Chorus | CHORUS: | (Chorus) | **Chorus** | Chorus x2 | Chorus (2x) | Chorus 1 & 2
[Verse 1: One Singer & Another] | Verse 2 | Verse II: | Verse One | Verse #1 | 1st Verse
[Pre-Chorus] | Pre Chorus: | Post-chorus | [Bridge] | Bridge: | Bridge 2 | [Hook x2] | Hook:
[Intro] | Intro: | Outro | [Outro: A Singer] | Interlude | Verse 1/Chorus | Final chorus x2
[Guitar Solo] | Guitar solo | (Instrumental break) | [Instrumental] | Repeat chorus | (Repeat)
Repeat to fade | (fade out) | (x2) | x2 | [x4] | 2x | [?] | [Part II] | Part 2 | Refrain x2
Refrain : | Couplet 1 | [Couplet 2 : La chanteuse] | Strophe 1 | Strophe 2: | Kehrreim
Estribillo | [Estribillo] | CORO: | Coro 1 | [Coro: Una cantante] | Verso 1 | (Estribillo x2)
Refrão | Refrão: | Ritornello | Strofa 1 | Nakarat | Nakarat: | Zwrotka 1 | Refren | Refrén:
Ref.: | Vers 1 | Vers 2: | Refräng | Omkvæd | Kertosäe | Säkeistö 1 | Versszak 2 | Refrein
Припев | Припев: | Куплет 1 | [Куплет 2] | Приспів: | Проигрыш | Ρεφρέν | Κουπλέ 1 | [Στροφή 2]
副歌 | 【副歌】 | （间奏） | 主歌 1 | サビ | [Aメロ] | 間奏 | 후렴 | [후렴] | (간주) | 1절
অন্তরা | স্থায়ী | मुखड़ा | अंतरा 1 | Điệp khúc | פזמון | لازمة
"""
SITES = """
You might also like | Embed | 12Embed | Share URL | Advertisement | Submit Corrections
Lyrics provided by LyricFind | Lyrics powered by www.musixmatch.com | Lyrics from azlyrics.com
Find more lyrics at www.example.com | https://example.com/song?id=1 | words@example.com
© 2012 A Publisher | (c) 1999 A Publisher | All rights reserved | ℗ A Label
******* This Lyrics is NOT for Commercial use ******* | (1409617652911)
Thanks to somebody for correcting these lyrics. | Subtitles by the Amara.org community
Untertitel im Auftrag des ZDF | 字幕：某某 | Read More
"""
NOTICES = """
This song is an instrumental | (Instrumental) | Instrumental music | 纯音乐，请欣赏 | 伴奏
此歌曲为没有填词的纯音乐，请您欣赏 | インストゥルメンタル | 연주곡 | Инструментал
Canción instrumental
Cette chanson est instrumentale | Dieses Lied ist instrumental | Questo brano è strumentale
Lyrics not found | No lyrics available | Lyrics not available. | Lyrics coming soon!
We do not have the lyrics for this song yet | Letra no disponible | Paroles non disponibles
Songtext nicht gefunden | Testo non disponibile | Letra não disponível | 暂无歌词 | 歌詞なし
가사 없음 | Текст не найден | Şarkı sözü bulunamadı
Lyrics for this song have yet to be released. Please check back once the song has been released.
"""
STAMPS = """
[00:12.50] | [01:02.3][02:33.1] | <00:01.20> | [1:02:03.4] | [ti:A Title] | [ar: Somebody]
[length: 03:12] | [12345,678] | (12345,200) | <0,200,0> | [00:00.00][offset:+250]
"""
MARKUP = """
<br> | <b></b> | </div><div class="lyrics"> | <!-- an advert --> | <script>var a = 1;</script>
{start_of_chorus} | {c: Chorus} | {title: A Song} | {\\an8} | &nbsp; | [b][/b] | <i>Chorus</i>
"""
CREDITS = """
Lyrics by Jane Doe | Words and Music by Jane Doe | Written by: Jane Doe | Songwriters: A / B
Writer(s): A, B | Title: A Song | Artist: Somebody | Album: A Name | Performed by Somebody
作词：某人 | 作曲 : 某人 | 词：某人 | 作詞：誰か | 작사: 누군가 | Letra: Alguien | Música: Alguien
Paroles: Quelqu'un | Musik: Jemand | Слова: Некто | Музыка: Некто | Söz: Biri
গীতিকার: কেউ | संगीत: कोई
"""


def items(table: str) -> list[str]:
    return [item.strip() for line in table.strip().splitlines() for item in line.split(" | ")]


ANYWHERE = [item for table in (HEADINGS, SITES, NOTICES, STAMPS, MARKUP) for item in items(table)]


@pytest.mark.parametrize("added", ANYWHERE)
def test_what_is_not_sung_goes_wherever_it_stands(added):
    lines = SONG.split("\n")
    for at in range(len(lines) + 1):
        text = "\n".join([*lines[:at], added, *lines[at:]])
        assert tokenize(clean_lyrics(text).text) == tokenize(SONG), text


@pytest.mark.parametrize("added", items(CREDITS))
def test_credits_go_at_the_head_and_the_foot(added):
    assert clean_lyrics(f"{added}\n{SONG}").text == SONG
    assert clean_lyrics(f"{SONG}\n{added}").text == SONG


SUNG = """
Chorus of angels singing | The bridge is burning down | Solo tú, mi amor | Solo, solo | solo
No lyrics in my head tonight | I have no words for you | Instrumental in my fall
You might also like me | Oh (oh) | (ooh ooh) | Repeat after me | Break it down | break | music
End of the line | It's 12:30 in the night | I <3 you | A B C | Do re mi | Am Ende | Drop it
Verse by verse we go | He said: I go | Written by the moon | Embed me in your heart | bis
Share my love | Bis bald | мост через реку | x | Bonnie x Clyde | 4 x 4 | 99 Luftballons | (again)
Tell me: who are you | Kein Text von mir | the key: it turns | R&B all night | a [whispered] word
"""


@pytest.mark.parametrize("line", items(SUNG))
def test_what_is_sung_stays(line):
    text = f"{SONG}\n{line}\n{SONG}"
    assert tokenize(clean_lyrics(text).text) == tokenize(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("12 ContributorsA Song Lyrics[Verse 1]\nhello sun\nbye5Embed", "hello sun\nbye"),
        ("3 ContributorsTranslationsEspañolA Song Lyrics“A Song” is… Read More \nsun", "sun"),
        ("A Song Lyrics\nhello sun", "hello sun"),
        ("sun is up\nYou might also like[Chorus]\nmoon", "sun is up\nmoon"),
        ("sun\nSee Somebody LiveGet tickets as low as $50You might also likeMoon", "sun\nMoon"),
        ("Chorus: hello sun\nVerse 2: moon", "hello sun\nmoon"),
        ("hello sun (x2)\nmoon x3\nstar (bis)", "hello sun\nmoon\nstar"),
        ("[Jane] hello [Joe:] sun", "hello sun"),
        ("hello\\nsun\\r\\nmoon", "hello\nsun\nmoon"),
        ("he\u200bllo\u00ad sun\ufeff", "hello sun"),
        ("hello\u2028sun\x85moon\x0bstar\rsky", "hello\nsun\nmoon\nstar\nsky"),
    ],
)
def test_what_sites_weave_in_is_taken_out(text, words):
    cleaned = [" ".join(line.split()) for line in clean_lyrics(text).text.split("\n")]
    assert [line for line in cleaned if line] == words.split("\n")


ULTRASTAR = """#TITLE:A Song
#ARTIST:Somebody
#BPM:240,5
: 0 4 12 Hel
: 4 4 12 lo
: 9 6 14  my
- 20
: 22 3 10 dar
: 25 3 10 ling
F 30 2 9  ~
* 34 8 12  sun
E
"""
SUBTITLES = """1
00:00:10,000 --> 00:00:12,000
<i>Hello</i> my

2
00:00:12,500 --> 00:00:14,000
{\\an8}darling sun
"""
DIALOGUE = (
    "[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,D,,0,0,0,,{\\k9}Hel{\\k9}lo my\\Ndarling sun"
)
CHORDS = (
    "Capo 2\n\nC        G\nHello my\n   Am7     F#m/E\ndarling sun\ne|--0--2--3--|\n| C | G | Am |"
)


@pytest.mark.parametrize(
    "text",
    [
        ULTRASTAR,
        SUBTITLES,
        "WEBVTT\nKind: captions\n\n00:01.000 --> 00:02.000 align:start\n<v Bob>Hello <c>my</c>\n"
        "\n00:03.000 --> 00:04.000\ndarling sun",
        DIALOGUE,
        CHORDS,
        "{title: A Song}\n{key: G}\n[Am]Hel[G]lo my\n[C]dar[F/A]ling [Bbmaj7]sun",
        "[ti:A]\n[00:01.00]Hello <00:01.5>my\n[00:02.00]darling sun\n",
        "[1000,400]Hel(1000,200)lo(1200,200) my(1400,100)\n[2000,100]darling sun(2000,100)",
        "[1000,400]<0,200,0>Hello <200,200,0>my\n[1500,400]<0,1,0>darling sun",
        '{"t":0,"c":[{"tx":"作词: "},{"tx":"某人"}]}\n[00:10.00]Hello my\n[00:11.00]darling sun',
        "<div>Hello my<br/>darling&nbsp;sun</div><script>if (a < b) { c }</script>",
        "&lt;p&gt;Hello my&lt;/p&gt;darling sun",
        "0:01\nHello my\n0:05\ndarling sun",
        "0:01 Hello my\n0:05 darling sun",
        "0:00:01.000,0:00:02.000\nHello my\n\n0:00:03.000,0:00:04.000\ndarling sun",
        '<tt xmlns="x"><body><div><p begin="1s">Hello my</p><p>darling sun</p></div></body></tt>',
        "<SAMI><HEAD><STYLE>P {a: b}</STYLE></HEAD><BODY><SYNC Start=1><P>Hello my"
        "<SYNC Start=2><P>darling sun</BODY></SAMI>",
    ],
)
def test_formats_of_players_give_their_words(text):
    assert tokenize(clean_lyrics(text).text) == ["hello", "my", "darling", "sun"]


def test_small_print_above_characters_is_not_sung_twice():
    assert clean_lyrics("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>字").text == "漢字"


@pytest.mark.parametrize("text", items(NOTICES))
def test_a_notice_alone_is_no_lyrics(text):
    for each in (text, f"[00:00.00]{text}", f"1 ContributorA Song Lyrics[{text}]1Embed"):
        cleaned = clean_lyrics(each)
        silent = items(NOTICES).index(text) < items(NOTICES).index("Lyrics not found")
        assert (cleaned.text, cleaned.silence) == ("", "instrumental" if silent else "missing")


@pytest.mark.parametrize(
    "text",
    [
        *("N/A", "nan", "None", "No lyrics.", "404"),
        "Sorry, we don't have the lyrics for A Song by Somebody yet.",
        "抱歉，暂时没有歌词",
        "歌詞が見つかりませんでした",
        "Unfortunately, we are not licensed to display the full lyrics for this song.",
    ],
)
def test_whatever_says_that_there_are_no_words_has_none(text):
    assert clean_lyrics(text).text == ""
    assert clean_lyrics(text).silence is not None


@pytest.mark.parametrize("text", ["oh no", "la la la", "I have no words", "missing you", "Yet"])
def test_a_short_song_is_a_song(text):
    assert clean_lyrics(text).text == text


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("I wandеr down thе road", "I wander down the road"),  # Cyrillic е
        ("Тhe ѕun аnd mе", "The sun and me"),
        ("ΑΒΒΑ all night long, all day long", "ABBA all night long, all day long"),
        ("привeт мир", "привет мир"),  # Latin e
        ("Москва, cлово", "Москва, слово"),
        ("καλημέρα κoσμε", "καλημέρα κοσμε"),  # Latin o
        ("the sun а new day", "the sun a new day"),  # a whole word
        ("wоrd\u0301 by wоrd", "word\u0301 by word"),
    ],
)
def test_letters_that_only_look_right_are_put_right(written, meant):
    assert written != meant
    assert without_look_alikes(written) == meant


@pytest.mark.parametrize(
    "text", ["Привет, my love", "да да oh yeah", "Ωmega λ", "東京 tokyo", "Ты и я, ok?", "α and β"]
)
def test_words_of_several_scripts_side_by_side_stay(text):
    assert without_look_alikes(text) == text


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
@example("<script><b>\n[Chorus]")
def test_cleaning_again_changes_no_word(text):
    once = clean_lyrics(text).text
    assert tokenize(clean_lyrics(once).text) == tokenize(once)


LINES = {
    "English": [
        "I walk along the river when the lights go down",
        "And I will sing for you tonight",
    ],
    "German": ["Wir gehen am Fluss entlang, wenn die Lichter ausgehen", "Heute singe ich für dich"],
    "Spanish": ["Caminé contigo y te canté esta canción", "La noche cae sobre la ciudad dormida"],
    "Russian": ["Во поле берёза стояла, во поле кудрявая стояла", "Некому берёзу заломати"],
    "Bangla": ["নদীর ধারে সন্ধ্যা নামে ধীরে", "তোমার গান আমার মনে বাজে"],
    "Japanese": ["夜の海でふたり歌っている", "見わたす限り霞か雲か"],
    "Korean": ["오늘 밤 너와 함께 걷고 싶어", "나를 버리고 가시는 님은"],
}


@st.composite
def songs(draw):
    """The lines of a song, and the same with what is not sung between them."""
    language = draw(st.sampled_from(sorted(LINES)))
    lines = draw(st.lists(st.sampled_from(LINES[language]), min_size=2, max_size=8))
    dressed = []
    for number, line in enumerate(lines):
        dressed += draw(st.lists(st.sampled_from(ANYWHERE), max_size=2))
        stamp = f"[0{number}:12.34]"
        before = draw(st.sampled_from(["", "", stamp, f"{stamp}<00:01.2>", "<00:01.2>", "<i>"]))
        after = draw(st.sampled_from(["", "", " (x2)", " [x4]", "</i>", "<br>", " x2", " (bis)"]))
        dressed.append(before + line + after)
    head = draw(st.lists(st.sampled_from(items(CREDITS)), max_size=2))
    foot = draw(st.sampled_from([[], ["5Embed"], ["You might also like"], items(CREDITS)[:1]]))
    ending = draw(st.sampled_from(["\n", "\r\n", "\r", "\u2028"]))
    return lines, ending.join([*head, *dressed, *foot])


@settings(max_examples=100, deadline=None)
@given(songs(), songs())
def test_nothing_that_is_not_sung_reaches_words_or_languages(first, second):
    plain = ["\n".join(lines) for lines, _ in (first, second)]
    cleaned = [clean_lyrics(text).text for _, text in (first, second)]
    for view in (lyrics_view, counts_view):
        expected, found = view(plain), view(cleaned)
        assert found.feature_names == expected.feature_names
        assert (found.values != expected.values).nnz == 0
    for (_, dressed), text in zip((first, second), plain):
        assert language_composition(dressed) == language_composition(text)
