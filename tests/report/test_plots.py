"""Pictures hold what they should: legends with counts, noise apart, no surprises at the edges."""

import warnings

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from songscape.report import maps, plots, style
from songscape.report.categories import group_clusters, group_labels
from songscape.report.plots import reconstruction_figure

RNG = np.random.default_rng(0)


def legend(axes) -> list[str]:
    return [t.get_text() for t in axes.get_legend().get_texts()]


def history(epochs: int):
    return [
        {"epoch": e, "train_elbo": -100 + e, "validation_elbo": -100 - (e - 6) ** 2, "kl": 3.0}
        for e in range(epochs)
    ]


def draw(figure) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return style.png_bytes(figure)


def test_map_has_a_panel_per_label_with_counts():
    clusters = np.array([0, 0, 1, 1, -1, -1])
    labels = {"language": ["en", "en", "bn", "bn", None, "bn"], "genre": ["a"] * 6}
    figure = plots.map_figure(RNG.normal(size=(6, 2)), clusters, labels)
    assert legend(figure.axes[0]) == ["0 (2)", "1 (2)", "noise (2)"]
    assert legend(figure.axes[1]) == ["bn (3)", "en (2)", "not given (1)"]
    assert legend(figure.axes[2]) == ["a (6)"]
    assert len(figure.axes) == 3


def test_noise_is_crosses_in_no_cluster_colour_and_has_no_number():
    clusters = np.array([0] * 5 + [1] * 5 + [-1] * 4)
    axes = plots.map_figure(RNG.normal(size=(14, 2)), clusters).axes[0]
    by_label = {c.get_label(): c for c in axes.collections}
    noise = by_label["noise (4)"]
    assert len(noise.get_offsets()) == 4
    assert not noise.get_paths()[0].codes.tolist().count(79)  # a cross is not a closed shape
    cluster_colors = {to_hex(by_label[f"{i} (5)"].get_facecolor()[0]) for i in (0, 1)}
    assert to_hex(noise.get_edgecolor()[0]) not in cluster_colors
    assert sorted(t.get_text() for t in axes.texts) == ["0", "1"]


def test_two_hundred_categories_become_ten_and_others():
    values = [f"artist {i % 200:03d}" for i in range(1000)] + ["artist 007"] * 9
    groups = group_labels(values)
    assert len(groups) == 11
    assert groups[0].name == "artist 007"
    assert (groups[-1].name, groups[-1].kind) == ("190 others", "other")
    assert sum(g.count for g in groups) == len(values)
    axes = plots.map_figure(RNG.normal(size=(1009, 2)), np.zeros(1009, int), {"artist": values})
    assert legend(axes.axes[1])[-1] == "190 others (950)"


def test_empty_cells_are_not_a_category():
    groups = group_labels(["a", None, float("nan"), np.float64("nan"), pd.NA, " ", "nan"])
    assert [(g.name, g.kind, g.count) for g in groups] == [
        ("a", "category", 1),
        ("nan", "category", 1),
        ("not given", "missing", 5),
    ]


def test_categories_differ_in_colour_or_shape():
    values = [f"{i:02d}" for i in range(11) for _ in range(3)]
    axes = plots.map_figure(RNG.normal(size=(33, 2)), np.zeros(33, int), {"x": values}).axes[1]
    looks = {
        (tuple(c.get_facecolor()[0]), c.get_paths()[0].vertices.shape) for c in axes.collections
    }
    assert len(looks) == 11


def test_groups_do_not_depend_on_the_order_of_songs():
    values = list("aabbccddeeffgghhiijjkkllm")
    names = [g.name for g in group_labels(values)]
    assert names == [g.name for g in group_labels(values[::-1])]


def test_many_clusters_keep_the_largest_and_noise_apart():
    clusters = np.repeat(np.arange(40), np.arange(1, 41)).tolist() + [-1] * 500
    groups = group_clusters(clusters)
    assert [g.name for g in groups[:10]] == [str(i) for i in range(30, 40)]
    assert [g.kind for g in groups[10:]] == ["other", "noise"]


@pytest.mark.parametrize(
    "clusters",
    [np.zeros(30, int), np.full(30, -1), np.arange(30)],
    ids=["one cluster", "all noise", "all alone"],
)
def test_edges_are_drawn_without_a_warning(clusters):
    labels = {"language": [None] * 30}
    draw(plots.map_figure(RNG.normal(size=(30, 2)), clusters, labels))
    draw(plots.heatmap_figure(clusters, labels["language"], "language"))


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_songs_are_drawn(n):
    xy = maps.umap_map(RNG.normal(size=(n, 4)))
    assert xy.shape == (n, 2)
    draw(plots.map_figure(xy, np.zeros(n, int), {"a": ["x"] * n}))
    if n:
        draw(plots.heatmap_figure(np.zeros(n, int), ["x"] * n))


def test_heat_map_rows_are_shares_of_the_cluster_with_counts():
    clusters = np.array([0, 0, 0, 0, 1, 1, -1])
    labels = ["en", "en", "en", "bn", "bn", "bn", "en"]
    figure = plots.heatmap_figure(clusters, labels, "language")
    axes = figure.axes[0]
    shares = np.asarray(axes.images[0].get_array())
    np.testing.assert_allclose(shares, [[0.75, 0.25], [0, 1], [1, 0], [4 / 7, 3 / 7]])
    names = [t.get_text() for t in axes.get_yticklabels()]
    expected = ["cluster 0 (n = 4)", "cluster 1 (n = 2)", "noise (n = 1)", "all songs (n = 7)"]
    assert names == expected
    assert "75\u00a0%\n(3)" in [t.get_text() for t in axes.texts]


def test_input_and_output_share_one_colour_scale_and_padding_is_left_out():
    original = RNG.normal(size=(2, 40, 50))
    original[:, 0] -= 400
    mask = np.ones((2, 50), bool)
    mask[1, 20:] = False
    figure = reconstruction_figure(original, 0.5 * original, mask, ["a", "b"])
    images = [axes.images[0] for axes in figure.axes[:4]]
    assert len({image.get_clim() for image in images}) == 1
    shown = np.ma.masked_invalid(images[2].get_array())
    assert shown.mask[:, 20:].all()
    assert not shown.mask[:, :20].any()
    heard = np.concatenate([original[0], original[1][:, :20]], axis=1)
    expected = (original[0] - heard.mean(1)[:, None]) / heard.std(1)[:, None]
    np.testing.assert_allclose(images[0].get_array(), expected, rtol=1e-6)
    assert "seconds" in figure.axes[2].get_xlabel()
    draw(figure)


def test_training_marks_the_best_validation_epoch_and_the_stop():
    figure = plots.training_figure(history(12), title="vae")
    assert "weights kept: epoch 6" in legend(figure.axes[0])
    assert figure.get_suptitle() == "vae: stopped after epoch 11"
    assert len(figure.axes) == 2  # ELBO and KL: what the history has
    draw(figure)
    draw(plots.training_figure([]))
    draw(plots.training_figure(history(1)))


def test_training_without_held_out_songs_names_none():
    rows = [{name: row[name] for name in row if name != "validation_elbo"} for row in history(5)]
    assert legend(plots.training_figure(rows).axes[0]) == ["training"]


def test_a_deterministic_autoencoder_has_no_panels_of_zeros():
    rows = [row | {"kl": 0.0, "beta": 0.0} for row in history(5)]
    assert [axes.get_title() for axes in plots.training_figure(rows).axes] == [
        "ELBO: higher is better"
    ]


def test_k_distance_counts_songs_above_eps():
    figure = plots.k_distance_figure([3.0, 1.0, 2.0, 9.0], eps=2.5, min_samples=5)
    axes = figure.axes[0]
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [1, 2, 3, 9])
    assert any("2 of 4 songs" in t.get_text() for t in axes.texts)
    draw(figure)
    draw(plots.k_distance_figure([], 0.0, 5))


def test_stability_shows_the_null_band_and_the_choice():
    k = np.arange(2, 6)
    curve = {"k": k, "stability": k / 10, "low": k / 10 - 0.1, "high": k / 10 + 0.1}
    curve |= {"null_low": k * 0.0, "null_high": k * 0.05}
    figure = plots.stability_figure(pd.DataFrame(curve), 4, title="k")
    assert {"chosen: k = 4", "data without structure"} <= set(legend(figure.axes[0]))
    draw(figure)


def test_the_same_figure_gives_the_same_bytes_without_a_software_tag():
    xy, clusters = RNG.normal(size=(50, 2)), RNG.integers(-1, 4, 50)
    pictures = [draw(plots.map_figure(xy, clusters, {"a": ["x"] * 50})) for _ in range(2)]
    assert pictures[0] == pictures[1]
    assert b"Software" not in pictures[0]


def test_text_that_no_font_can_draw_is_named(monkeypatch):
    monkeypatch.setattr(style, "_drawable_characters", lambda: frozenset(range(32, 0x250)))
    assert style.drawable("folk & $5") == r"folk & \$5"
    assert style.drawable("গান") == "‹Bengali, 3 letters›"
    assert style.drawable("日") == "‹CJK, 1 letter›"
    assert style.drawable("song 🎵") == "song"
    assert style.drawable("🎵") == "‹symbol›"


def test_any_label_text_is_drawn_without_a_warning():
    values = ["বাংলা", "日本語", "العربية", "$x^$", "a\nb", "🎵", "<script>", "%s {x}"] * 2
    draw(plots.map_figure(RNG.normal(size=(16, 2)), np.zeros(16, int), {"a": values}))
    draw(plots.heatmap_figure(np.zeros(16, int), values, "भाषा"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.12345, "0.123"),
        (-0.31834, "−0.318"),
        (-0.0001, "0.000"),
        (12345.6, "12,346"),
        (float("nan"), "–"),
        (float("inf"), "∞"),
    ],
)
def test_numbers_have_sensible_digits(value, expected):
    assert style.number(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "0 %"), (0.004, "<1 %"), (0.625, "62 %"), (0.999, ">99 %"), (1, "100 %")],
)
def test_shares_keep_traces_visible(value, expected):
    assert style.share(value).replace("\u00a0", " ") == expected
