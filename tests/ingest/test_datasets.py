"""Layouts of data sets, on small copies with made-up rows."""

from __future__ import annotations

import hashlib
import json
import os

import pytest

from songscape.errors import SongscapeError
from songscape.ingest import read_collection
from songscape.ingest.datasets import LAYOUTS, find_dataset, mirdata_index
from songscape.ingest.files import walk
from songscape.ingest.reading import read_batch


def read(tmp_path):
    return read_collection(tmp_path / "c", read=read_batch)


def rows(collection) -> dict[str, dict[str, str]]:
    return {track.id: dict(track.labels) for track in collection.tracks}


def tsv(*lines: str) -> str:
    return "\n".join("\t".join(line.split("|")) for line in lines) + "\n"


def fma(put) -> None:
    put(
        "fma_metadata/tracks.csv",
        ",album,album,artist,set,track,track,track\n"
        ",title,date_released,name,split,title,genre_top,language_code\n"
        "track_id,,,,,,,\n"
        '2,"AWOL, a way",2009-01-05 00:00:00,AWOL,training,Food,Hip-Hop,en\n'
        "5,AWOL,2009-01-05 00:00:00,AWOL,test,This World,Hip-Hop,\n"
        "10,Constant,,Kurt,training,Freeway,Pop,de\n",
    )
    put("fma_small/000/000002.mp3")
    put("fma_small/000/000010.mp3")


def test_fma(tmp_path, put):
    fma(put)
    collection = read(tmp_path)
    assert rows(collection) == {
        "2": {
            "title": "Food",
            "artist": "AWOL",
            "album": "AWOL, a way",
            "genre": "Hip-Hop",
            "language": "en",
            "year": "2009",
            "split": "training",
        },
        "10": {
            "title": "Freeway",
            "artist": "Kurt",
            "album": "Constant",
            "genre": "Pop",
            "language": "de",
            "split": "training",
        },
    }
    (row,) = collection.problems
    assert row.reason == "FMA (Free Music Archive): 1 of its tracks have no file here"


def test_mtg_jamendo(tmp_path, put):
    head = "TRACK_ID|ARTIST_ID|ALBUM_ID|PATH|DURATION|TAGS"
    first = "track_0000214|artist_000014|album_000031|14/214.mp3|124.6|genre---punkrock"
    second = "track_0000215|artist_000014|album_000031|15/215.mp3|151.4|genre---metal|genre---rock"
    put("data/autotagging.tsv", tsv(head, first, f"{second}|mood/theme---dark|instrument---drums"))
    names = "TRACK_ID|ARTIST_ID|ALBUM_ID|TRACK_NAME|ARTIST_NAME|ALBUM_NAME|RELEASEDATE|URL"
    meta = "track_0000214|artist_000014|album_000031|A Song|A Band|An Album|2004-12-28|http://x"
    put("data/raw.meta.tsv", tsv(names, meta))
    put("audio/14/214.low.mp3")
    put("audio/15/215.mp3")
    assert rows(read(tmp_path)) == {
        "track_0000214": {
            "title": "A Song",
            "artist": "A Band",
            "album": "An Album",
            "year": "2004",
            "genre": "punkrock",
        },
        "track_0000215": {
            "artist": "artist_000014",
            "album": "album_000031",
            "genre": "metal",
            "genres_all": "metal; rock",
            "mood": "dark",
            "instrument": "drums",
        },
    }


def test_music4all(tmp_path, put):
    put("id_information.csv", tsv("id|artist|song|album_name", "0009fFIM1eYThaPg|Ann|Sun|LP"))
    put("id_genres.csv", tsv("id|genres", "0009fFIM1eYThaPg|pop,soul"))
    put("id_lang.csv", tsv("id|lang", "0009fFIM1eYThaPg|pt"))
    put("id_metadata.csv", tsv("id|release|tempo", "0009fFIM1eYThaPg|2007|100.0"))
    put("audios/0009fFIM1eYThaPg.mp3")
    put("lyrics/0009fFIM1eYThaPg.txt", "la la la")
    collection = read(tmp_path)
    assert rows(collection) == {
        "0009fFIM1eYThaPg": {
            "title": "Sun",
            "artist": "Ann",
            "album": "LP",
            "genre": "pop",
            "genres_all": "pop; soul",
            "language": "pt",
            "year": "2007",
        }
    }
    assert collection.tracks[0].lyrics == "la la la"
    assert collection.problems == ()


def test_merge(tmp_path, put):
    root = "MERGE_Bimodal_Complete"
    head = "Audio_Song,Lyric_Song,Quadrant,Artist,Title,ActualYear\n"
    put(f"{root}/merge_bimodal_complete_metadata.csv", f"{head}A001,L007,Q3,Ann,Rain,1999\n")
    split = f"{root}/tvt_dataframes/tvt_70_15_15/tvt_70_15_15_validate_bimodal_complete.csv"
    put(split, "Song,Quadrant\nA001,Q3\n")
    put(f"{root}/audio/Q3/A001.mp3")
    put(f"{root}/lyrics/Q3/L007.txt", "rain rain")
    collection = read(tmp_path)
    expected = {"title": "Rain", "artist": "Ann", "year": "1999"}
    assert rows(collection) == {"A001": {**expected, "emotion": "Q3", "split": "validate"}}
    assert collection.tracks[0].lyrics == "rain rain"


def test_gtzan_and_its_fault_filtered_split(tmp_path, put):
    for name in ("blues/blues.00000", "blues/blues.00001", "hiphop/hiphop.00003"):
        put(f"genres/{name}.wav")
    assert rows(read(tmp_path)) == {
        "blues.00000": {"genre": "blues"},
        "blues.00001": {"genre": "blues"},
        "hiphop.00003": {"genre": "hiphop"},
    }
    put("train_filtered.txt", "blues/blues.00000.wav\n")
    put("test_filtered.txt", "hiphop/hiphop.00003.wav\n")
    collection = read(tmp_path)
    assert rows(collection) == {
        "blues.00000": {"genre": "blues", "split": "train"},
        "hiphop.00003": {"genre": "hiphop", "split": "test"},
    }
    reasons = {row.track_id: row.reason for row in collection.problems}
    assert reasons == {
        "genres/blues/blues.00001.wav": "genres/blues/blues.00001.wav: not listed in GTZAN"
    }


def test_a_folder_per_genre(tmp_path, put):
    put("Hip-Hop/one.mp3")
    put("folk/two.mp3")
    assert rows(read(tmp_path)) == {
        "Hip-Hop/one": {"genre": "Hip-Hop"},
        "folk/two": {"genre": "folk"},
    }
    put("The Band/three.mp3")
    assert rows(read(tmp_path)) == {"Hip-Hop/one": {}, "folk/two": {}, "The Band/three": {}}


def test_json_lines(tmp_path, put):
    put("a b.mp3")
    first = {"audio": "a b.mp3", "title": "Ä", "year": 1999, "genres": ["x", "y"], "more": {}}
    put("tracks.jsonl", f"{json.dumps(first)}\n\n" + json.dumps({"audio": "gone.mp3"}))
    collection = read(tmp_path)
    assert rows(collection) == {"a b": {"title": "Ä", "year": "1999", "genres": "x; y"}}
    assert [row.reason for row in collection.problems] == [
        "gone.mp3: listed in JSON lines but not there"
    ]
    put("tracks.jsonl", "[1]")
    with pytest.raises(
        SongscapeError, match=r"tracks\.jsonl line 1: not a JSON object; correct it"
    ):
        read(tmp_path)


def test_mirdata_indexes_go_out_and_come_in(tmp_path, put):
    path = put("audio/x.mp3", b"\0\1")
    put("lyrics/x.txt", "la la")
    put("audio/y.mp3")
    index = mirdata_index(read(tmp_path))
    digest = hashlib.md5(path.read_bytes()).hexdigest()
    assert index["tracks"]["audio/x"]["audio"] == ["audio/x.mp3", digest]
    assert index["tracks"]["audio/x"]["lyrics"][0] == "lyrics/x.txt"
    assert index["tracks"]["audio/y"]["lyrics"] == [None, None]
    index["tracks"]["gone"] = {"audio": ["audio/z.mp3", digest]}
    put("set_index_1.0.json", json.dumps(index))
    collection = read(tmp_path)
    assert [(t.id, t.lyrics) for t in collection.tracks] == [
        ("audio/x", "la la"),
        ("audio/y", None),
    ]
    assert [row.reason for row in collection.problems] == [
        "mirdata index: 1 of its tracks have no file here"
    ]


def test_a_table_of_the_owner_goes_first(tmp_path, put):
    fma(put)
    put("tracks.csv", "audio,genre\nfma_small/000/000002.mp3,mine\n")
    assert rows(read(tmp_path))["fma_small/000/000002"]["genre"] == "mine"


def test_usual_folders_are_of_no_layout(tmp_path, put):
    put("Ann/LP/01 a.mp3")
    put("notes.json", '{"version": 1}')
    put("big.json", "[" * 100_000)
    assert find_dataset(walk(tmp_path / "c")) is None


def test_every_layout_says_where_its_files_go_and_what_is_allowed():
    assert len({layout["name"] for layout in LAYOUTS}) == len(LAYOUTS)
    assert all(layout["licence"] and layout["files"] for layout in LAYOUTS)
    assert sum("read" not in layout for layout in LAYOUTS) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
@pytest.mark.parametrize("name", ["tracks.jsonl", "index.json", "id_information.csv"])
def test_a_pipe_is_no_table(tmp_path, put, name):
    put("a.mp3")
    os.mkfifo(tmp_path / "c" / name)  # opening it would wait for ever
    assert [track.id for track in read(tmp_path).tracks] == ["a"]


def test_a_table_that_is_a_folder_by_now_is_told_in_one_line(tmp_path, put):
    put("a.mp3")
    files = walk(put("tracks.jsonl", "{}").parent)
    (tmp_path / "c" / "tracks.jsonl").unlink()
    (tmp_path / "c" / "tracks.jsonl").mkdir()
    with pytest.raises(SongscapeError, match=r"tracks\.jsonl: cannot be read"):
        find_dataset(files)
