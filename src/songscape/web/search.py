"""Finds songs by title, artist or words of their lyrics (SQLite FTS5, in memory)."""

from __future__ import annotations

import sqlite3
from threading import Lock

import regex

from songscape.web.atlas import Atlas

# Scripts without spaces between words: every character is a word, and a query is a phrase.
_UNSPACED = regex.compile(r"([\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}])")
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
MOST_WORDS = 12
_RARE = 0.1  # of the songs have a word that says something


class SongSearch:
    """An index over titles, artists and lyrics."""

    def __init__(self, atlas: Atlas) -> None:
        self._lock = Lock()  # one connection for all threads
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        self._db.execute(
            "CREATE VIRTUAL TABLE songs USING fts5(title, artist, lyrics, "
            "tokenize = \"unicode61 remove_diacritics 2 categories 'L* N* M*'\")"
        )
        songs = zip(atlas.titles, atlas.artists, atlas.lyrics)
        rows = ((n, *(_spaced(text) for text in song)) for n, song in enumerate(songs, 1))
        self._db.executemany(
            "INSERT INTO songs (rowid, title, artist, lyrics) VALUES (?,?,?,?)", rows
        )
        self._db.execute("CREATE VIRTUAL TABLE words USING fts5vocab(songs, col)")
        self._lyrics = atlas.lyrics

    def find(self, query: str, limit: int = 30) -> list[tuple[int, str]]:
        """Rows of the songs that have all words, titles first, and the line with the words.

        The last word may be unfinished. The line is empty where title or artist have them.
        """
        words = _WORD.findall(_spaced(query))[:MOST_WORDS]
        if not words:
            return []
        terms = " ".join(f'"{word}"' for word in words) + "*"
        statement = (
            "SELECT rowid, snippet(songs, 2, '', '', '…', 10), "
            "bm25(songs, 10.0, 6.0, 1.0) AS rank FROM songs WHERE songs MATCH ? "
            "ORDER BY rank, rowid LIMIT ?"
        )
        with self._lock:
            found = self._db.execute(statement, (terms, limit)).fetchall()
            rows = "SELECT rowid FROM songs WHERE songs MATCH ?"
            by_name = {row for (row,) in self._db.execute(rows, (f"{{title artist}} : ({terms})",))}
        lines = [(row - 1, "" if row in by_name else _joined(line)) for row, line, _ in found]
        return sorted(lines, key=lambda one: one[1] != "")

    def rare_in_both(self, row: int, other: int, limit: int = 5) -> list[str]:
        """Words that both songs sing and fewest others do, the rarest first."""
        both = [set(_WORD.findall((self._lyrics[i] or "").casefold())) for i in (row, other)]
        words = sorted(word for word in both[0] & both[1] if len(word) > 1)
        most = max(2, int(_RARE * len(self._lyrics)))
        query = "SELECT doc FROM words WHERE term = ? AND col = 'lyrics'"
        with self._lock:
            found = [(self._db.execute(query, (word,)).fetchone(), word) for word in words]
        return [word for n, word in sorted(one for one in found if one[0]) if n[0] <= most][:limit]


def _spaced(text: str | None) -> str:
    return str(_UNSPACED.sub(r" \1 ", (text or "").encode("utf-8", "replace").decode()))


def _joined(line: str) -> str:
    """The snippet as it was written: no spaces between characters that have none."""
    closed = regex.sub(rf"(?<={_UNSPACED.pattern}) +(?={_UNSPACED.pattern})", "", line or "")
    return " ".join(closed.split())
