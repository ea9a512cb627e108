"""Collections with planted traps: a library is written from features, so that no audio is needed.

`honest_songs` makes one without any trap: sound follows the genre, words the language, and the two
know nothing of each other. A test changes what it wants to plant, writes the library and compares.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from songscape.demo import plan_collection
from songscape.demo.words import write_lyrics
from songscape.experiment.experiment import ExperimentSummary, compare
from songscape.library import Analysis, Collection, FileStamp, Library, Track
from songscape.report.read import Results, read_results
from songscape.settings import FeatureSettings, Settings

GENRES = ("waltz", "blues", "raga")
SYLLABLES = {
    "German": "sch ei ung ge ver licht ich ach nd aus herz wald zeit er te",
    "English": "the ing th ow ea sh ight wh ou ly love er ed st all",
}
LANGUAGES = tuple(SYLLABLES)
SONGS_PER_ARTIST = 3
N_FRAMES = 100  # enough for a fingerprint, a third of what is stored of real songs


@dataclass(eq=False)
class Songs:
    """Everything that a library holds of some songs, to be changed by a test.

    Attributes
    ----------
    labels : DataFrame
        language, genre and artist, indexed by track id.
    lyrics : list of str or None
    timbre : ndarray of shape (n_songs, 160)
    mfcc : sequence of n_songs ndarrays of shape (40, up to N_FRAMES)
    segments : ndarray of shape (n_songs, 10, 120)
    facts : DataFrame
        As `Library.audio_facts`.
    """

    labels: pd.DataFrame
    lyrics: list[str | None]
    timbre: NDArray[np.float32]
    mfcc: Sequence[NDArray[np.float32]]
    segments: NDArray[np.float32]
    facts: pd.DataFrame

    def rows(self, column: str, value: str) -> NDArray[np.int64]:
        """Positions of the songs with that label."""
        return np.flatnonzero(self.labels[column] == value)

    def copy(self, source: int, target: int, rng: np.random.Generator) -> None:
        """Make one song the re-encoding of another, with its words and labels but the artist."""
        self.mfcc = list(self.mfcc)
        for features in (self.timbre, self.mfcc, self.segments):
            noise = rng.normal(scale=0.01, size=features[source].shape)
            features[target] = (features[source] + noise).astype(np.float32)
        self.facts.loc[self.facts.index[target], "duration_s"] = self.facts["duration_s"].iloc[
            source
        ]
        self.lyrics[target] = self.lyrics[source]
        for name in self.labels.columns.drop("artist"):
            self.labels.loc[self.labels.index[target], name] = self.labels[name].iloc[source]


def honest_songs(n_artists: int = 24, seed: int = 0) -> Songs:
    """A balanced design of genres and languages; artists keep to one of each."""
    rng = np.random.default_rng(seed)
    artist = np.repeat(np.arange(n_artists), SONGS_PER_ARTIST)
    genre, language = artist % len(GENRES), artist // len(GENRES) % len(LANGUAGES)
    labels = pd.DataFrame(
        {
            "language": np.array(LANGUAGES)[language],
            "genre": np.array(GENRES)[genre],
            "artist": [f"singer {i}" for i in artist],
        },
        index=[f"song-{i:03d}" for i in range(len(artist))],
        dtype=object,
    )
    return _sounding(labels, [words(LANGUAGES[i], rng) for i in language], rng)


def demo_songs(n_songs: int, confound: float, seed: int = 0) -> Songs:
    """The plan and the words of the demo collection, with features in place of its music."""
    rng = np.random.default_rng(seed)
    plans = plan_collection(n_songs, seed, confound)
    rows = {
        plan.id: {
            "language": "; ".join(plan.languages[:1]) or None,
            "languages": "; ".join(plan.languages) or None,
            "genre": plan.style,
            "theme": plan.theme or None,
            "artist": plan.artist_name,
        }
        for plan in plans
    }
    lyrics = [
        write_lyrics(rng, plan.languages, plan.theme).to_text() if plan.languages else None
        for plan in plans
    ]
    return _sounding(pd.DataFrame.from_dict(rows, orient="index").astype(object), lyrics, rng)


def _sounding(labels: pd.DataFrame, lyrics: list[str | None], rng: np.random.Generator) -> Songs:
    """Songs whose features follow the genre, and a little the artist, and nothing else."""
    n = len(labels)
    genre = np.unique(labels["genre"], return_inverse=True)[1]
    artist = np.unique(labels["artist"], return_inverse=True)[1]

    def features(width: int) -> NDArray[Any]:
        centres = rng.normal(size=(genre.max() + 1, width))
        voices = rng.normal(scale=0.5, size=(artist.max() + 1, width))
        return 0.7 * centres[genre] + voices[artist] + rng.normal(size=(n, width))

    course = rng.normal(size=(n, 40, N_FRAMES)) * 3
    segments = rng.normal(size=(n, 10, 120))
    return Songs(
        labels=labels,
        lyrics=lyrics,
        timbre=features(160).astype(np.float32),
        mfcc=(features(40)[:, :, None] + course).astype(np.float32),
        segments=(features(120)[:, None, :] + segments).astype(np.float32),
        facts=pd.DataFrame(
            {
                "duration_s": rng.uniform(20, 40, n),
                "sample_rate": 44_100,
                "channels": 2,
                "container": "flac",
                "codec": "flac",
                "bitrate_kbps": 800.0,
                "loudness_dbfs": -18.0,
                "peak_dbfs": -1.0,
                "size_bytes": 3_000_000,
                "digest": [f"digest of {i}" for i in labels.index],
            },
            index=labels.index,
        ),
    )


def tight_blobs(n: int, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Three tight groups that have nothing to do with anything."""
    centres = rng.normal(scale=3.0, size=(3, shape[-1]))
    place = centres[rng.permutation(np.arange(n) % 3)]
    place = place.reshape(n, *(1 for _ in shape[:-1]), shape[-1])
    return (place + rng.normal(scale=0.1, size=(n, *shape))).astype(np.float32)


def write_library(songs: Songs, folder: Path) -> Path:
    """A `songscape.db` in a new folder, as `songscape run` would have left it; returns its path."""
    folder.mkdir(parents=True)
    names = list(songs.labels.columns)
    tracks = tuple(
        Track(
            track_id,
            folder / f"{track_id}.flac",
            lyrics,
            {name: row[name] for name in names if isinstance(row[name], str)},
        )
        for (track_id, row), lyrics in zip(songs.labels.iterrows(), songs.lyrics)
    )
    path = folder / "songscape.db"
    with Library.open(path) as library:
        library.update(Collection(folder, tracks, (), tuple(names)))
        for i, track in enumerate(tracks):
            features = {
                "timbre": songs.timbre[i],
                "mfcc": songs.mfcc[i],
                "segments": songs.segments[i],
            }
            facts = songs.facts.loc[track.id].to_dict()
            library.store(
                track.id, Analysis(features, facts), stamp=FileStamp("", 1, 1, 1), recipe="made"
            )
    return path


def words(language: str, rng: np.random.Generator, n_words: int = 40) -> str:
    """Words that nobody has on a list: some come again, and about half are used once."""
    syllables = SYLLABLES[language].split()
    return " ".join("".join(rng.choice(syllables, n)) for n in rng.integers(1, 5, n_words))


@dataclass(frozen=True, eq=False)
class Compared:
    """What a comparison told its user.

    Attributes
    ----------
    summary : ExperimentSummary
    results : Results
        As the report read them back.
    page : str
        The words of the report.
    """

    summary: ExperimentSummary
    results: Results
    page: str

    @property
    def recommended(self) -> tuple[str, ...]:
        return self.results.assessment.recommendation.models

    def sentence(self, model: str) -> str:
        """The verdict on one model, as printed."""
        (found,) = [v for v in self.summary.verdicts if v.startswith(f"{model}: ")]
        return found

    def better(self, model: str) -> set[str]:
        """Labels that the model is called better on."""
        rows = self.summary.differences
        assert rows is not None
        rows = rows[(rows["model"] == model) & (rows["axis"] == "agreement")]
        return set(rows[rows["verdict"] == "better"]["column"])

    def value(self, model: str, metric: str, column: str, clusterer: str = "") -> pd.Series:
        """One row of the table: estimate, low, high, chance, null_95, p_value."""
        rows = self.summary.summary
        assert rows is not None
        rows = rows[(rows["model"] == model) & (rows["metric"] == metric)]
        (position,) = np.flatnonzero((rows["column"] == column) & (rows["clusterer"] == clusterer))
        return rows.iloc[int(position)]


def compared(songs: Songs, folder: Path, **settings: Any) -> Compared:
    """Write the library and compare on it: k-means, k as given (3) and one seed unless told."""
    chosen = Settings(
        models=("balanced-pca",),
        clusterers=("kmeans",),
        k=(3,),
        features=FeatureSettings(max_frames=N_FRAMES),
    )
    library = write_library(songs, folder)
    with ThreadPoolExecutor(1) as executor:
        summary = compare(library, settings=replace(chosen, **settings), executor=executor)
    page = " ".join(visible_words(summary.report))
    return Compared(summary, read_results(summary.report.parent), page)


def visible_words(page: Path) -> list[str]:
    """What a reader sees of a page, word by word."""
    reader = _Words()
    reader.feed(page.read_text(encoding="utf-8"))
    return reader.found


class _Words(HTMLParser):
    """Everything but styles, scripts and drawings."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._hidden += tag in ("style", "script", "svg")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "script", "svg")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.found += data.split()
