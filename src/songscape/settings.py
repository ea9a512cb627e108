"""Settings of an experiment: TOML <-> frozen dataclasses; an unknown key is an error."""

from __future__ import annotations

import codecs
import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from songscape.columns import find_roles
from songscape.errors import UsageError

DEFAULT_MODELS = ("balanced-lda", "neutral-lda", "balanced-pca")
"""The default representations, free and language-neutral, and a yardstick."""
DEFAULT_CLUSTERERS = ("kmeans",)
LANGUAGES = ("auto", "together", "ignored")
EXCERPTS = ("whole", "start", "middle", "spread")
"""What is read of a long file: all, or half a minute; "spread" is three pieces of ten seconds."""
LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True)
class FeatureSettings:
    """What is computed from audio and lyrics.

    Attributes
    ----------
    max_frames : int
        Frames of the `mfcc` view (512 samples at 22,050 Hz each, about 23 ms).
    max_words : int
        Words (columns) of the `lyrics` view, the most frequent first.
    excerpt : str
        What is read of files over a minute, one of `EXCERPTS`; "" is as the library was read
        before, and whole files in a new one. A change reads these files again, and no others.
    """

    max_frames: int = 300
    max_words: int = 5000
    excerpt: str = ""


@dataclass(frozen=True)
class Settings:
    """Everything that decides what `songscape run` and `songscape compare` compute.

    Attributes
    ----------
    title : str
        Heading of the report; empty means the name of the collection's folder.
    models, clusterers : tuple of str
        Rows of the tables in `songscape.models.presets` and `songscape.clustering.methods`.
    k : tuple of int
        Numbers of clusters; empty means chosen once for the collection, by stability.
    groups : int
        Number of groups that people meet; 0 means as many as surely come back.
    languages : str
        Whether the language counts in those groups: "together" with sound and words, "ignored", or
        "auto": ignored where songs would group by language first.
    seeds : tuple of int
        One training and clustering per seed.
    labels : tuple of str
        Label columns to compare with; empty means every column that groups tracks.
    nuisances : tuple of str
        Columns that should not decide a cluster: how far methods give them away is measured,
        besides language, artist, album, source and the properties of the audio files.
    roles : mapping of str to str
        Role (artist, language, genre, ..., see `songscape.columns.Role`) -> the column that has it,
        where its name does not say so.
    lyrics_order : tuple of str
        Which lyrics count where a track has several, see `songscape.read_collection`.
    encoders : tuple of str
        Encoders whose views models may read (`songscape.features.encoders.registry`): those of
        these names, which must be installed; ("auto",) are those that are; empty is none.
    measures : tuple of str
        What is measured only where it is asked for: ilisi, kbet.
    features : FeatureSettings
    model_options, clusterer_options : mapping of name -> mapping of argument -> value
        Arguments that differ from a preset's.
    """

    title: str = ""
    models: tuple[str, ...] = DEFAULT_MODELS
    clusterers: tuple[str, ...] = DEFAULT_CLUSTERERS
    k: tuple[int, ...] = ()
    groups: int = 0
    languages: str = "auto"
    seeds: tuple[int, ...] = (0,)
    labels: tuple[str, ...] = ()
    nuisances: tuple[str, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    lyrics_order: tuple[str, ...] = ()
    encoders: tuple[str, ...] = ("auto",)
    measures: tuple[str, ...] = ()
    features: FeatureSettings = field(default_factory=FeatureSettings)
    model_options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    clusterer_options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("models", "clusterers", "seeds"):
            if not getattr(self, name):
                raise UsageError(f"{name} is empty; name at least one")
        for name, values in vars(self).items():
            if isinstance(values, list | tuple) and len(set(values)) < len(values):
                raise UsageError(f"{name} names something twice: {', '.join(map(str, values))}")
        find_roles(self.roles.values(), self.roles)
        both = sorted(set(self.labels) & set(self.nuisances))
        if both:
            raise UsageError(
                f"{', '.join(both)}: named as a label and as a nuisance; a column is one of them"
            )
        if any(k < 2 for k in self.k):
            raise UsageError(f"k = {min(self.k)}: at least 2 clusters are needed")
        if self.groups < 0 or self.groups == 1:
            raise UsageError(f"groups = {self.groups}: at least 2, or 0 for as many as come back")
        if self.languages not in LANGUAGES:
            raise UsageError(f"languages = {self.languages!r}; one of {', '.join(LANGUAGES)}")
        for seed in self.seeds:
            if not 0 <= seed <= LARGEST_SEED:
                raise UsageError(f"seed {seed}: seeds are whole numbers from 0 to {LARGEST_SEED}")
        if self.features.excerpt not in ("", *EXCERPTS):
            one_of = ", ".join(EXCERPTS)
            raise UsageError(f"features: excerpt = {self.features.excerpt!r}; one of {one_of}")
        if self.features.max_frames < 10 or self.features.max_words < 1:
            raise UsageError("features: max_frames must be at least 10 and max_words at least 1")

    def updated(self, **changes: Any) -> Settings:
        """A copy with those fields replaced whose new value is not None."""
        return replace(
            self, **{name: value for name, value in changes.items() if value is not None}
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain types, for JSON; `settings_from` reads them back."""
        return asdict(self)


def load_settings(path: Path, base: Settings | None = None) -> Settings:
    """Read settings from a TOML file.

    Parameters
    ----------
    path : Path
        Keys at the top level are the fields of `Settings`; `k = "auto"` leaves k to the run;
        tables `[features]`, `[roles]`, `[model_options.NAME]` and `[clusterer_options.NAME]`.
        UTF-8, or UTF-16 with a byte order mark.
    base : Settings, optional
        What holds where the file is silent; default: `Settings()`.

    Raises
    ------
    UsageError
        The file is missing, not TOML, or has a key or a type that is not known.
    """
    try:
        utf_16 = path.read_bytes()[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        # Reading as text ends lines at a lone carriage return, as TOML does not.
        document = tomllib.loads(path.read_text("utf-16" if utf_16 else "utf-8-sig"))
    except FileNotFoundError:
        raise UsageError(f"{path}: no such settings file") from None
    except IsADirectoryError:
        raise UsageError(f"{path}: a folder, not a settings file") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8 text; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not valid TOML ({error})") from None
    return settings_from(document, str(path), base)


def settings_from(
    document: Mapping[str, Any], where: str, base: Settings | None = None
) -> Settings:
    """Settings from parsed TOML; `where` names the source in errors."""
    return replace(base or Settings(), **_values(document, Settings, f"{where}: "))


def _values(document: Mapping[str, Any], cls: type, where: str) -> dict[str, Any]:
    """Every value has the type of the default."""
    usual, values, known = cls(), dict[str, Any](), [f.name for f in fields(cls)]
    for key, value in _typed(document, dict, where.rstrip(": ")).items():
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
            raise UsageError(f"{where.rstrip(': ')}: unknown key {key!r}; {hint}")
        default, what = getattr(usual, key), f"{where}{key}"
        if isinstance(default, FeatureSettings):
            values[key] = FeatureSettings(**_values(value, FeatureSettings, f"{what}."))
        elif isinstance(default, str | int):
            values[key] = _typed(value, type(default), what)
        elif isinstance(default, Mapping):
            for name, item in _typed(value, dict, what).items():
                _typed(item, str if key == "roles" else dict, f"{what}.{name}")
            values[key] = value
        elif (key, value) in (("encoders", "none"), ("k", "auto")):
            values[key] = ()
        else:
            given = value if isinstance(value, list | tuple) else [value]
            kind = int if key in ("k", "seeds") else str
            values[key] = tuple(_typed(item, kind, what) for item in given)
    return values


def _typed(value: Any, kind: type, where: str) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise UsageError(f"{where}: {value!r} is not of type {kind.__name__}")
    return value
