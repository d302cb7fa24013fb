import numpy as np
import pytest
from PIL import Image
from scipy.special import ndtri

from Code.figures.images import grid, image_rows, manifold
from Code.figures.style import PAGE_WIDTH, save

COLOURS = np.random.default_rng(0).random((20, 9, 7, 3)).astype(np.float32)


def pixels(figure):
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., 0]


def test_rows_carry_their_labels_and_images():
    images = np.random.default_rng(0).random((10, 28, 28))
    figure = image_rows([("test digits", images), ("reconstruction", 1 - images)])
    assert [text.get_text() for text in figure.texts] == ["test digits", "reconstruction"]
    for axes, row in zip(figure.axes, (images, 1 - images), strict=True):
        shown = axes.images[0].get_array()
        np.testing.assert_allclose(shown[1:29, 1:29], row[0], rtol=1e-6)
        np.testing.assert_allclose(shown[1:29, -29:-1], row[9], rtol=1e-6)


def test_ink_is_dark_on_white():
    ink = image_rows([("x", np.ones((1, 28, 28)))])
    blank = image_rows([("x", np.zeros((1, 28, 28)))])
    middle = tuple(n // 2 for n in pixels(ink).shape)
    assert pixels(ink)[middle] == 0
    assert pixels(blank)[middle] == 255


def test_bytes_and_floats_give_one_picture():
    bytes_ = np.arange(2 * 28 * 28, dtype=np.uint8).reshape(2, 28, 28)
    whole, unit = image_rows([("x", bytes_)]), image_rows([("x", bytes_ / 255)])
    np.testing.assert_array_equal(pixels(whole), pixels(unit))


def test_values_beyond_the_unit_range_do_not_stretch_the_grey_scale():
    images = np.full((1, 28, 28), 0.5)
    images[0, 0, 0], images[0, 0, 1] = -3, 7
    plain = image_rows([("x", np.full((1, 28, 28), 0.5))])
    centre = tuple(n // 2 for n in pixels(plain).shape)
    assert pixels(image_rows([("x", images)]))[centre] == pixels(plain)[centre]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [("a", np.zeros((3, 8, 8))), ("b", np.zeros((4, 8, 8)))],
        [("a", np.zeros((8, 8)))],
        [("a", np.zeros((0, 8, 8)))],
    ],
)
def test_rows_that_do_not_fit(rows):
    with pytest.raises(ValueError):
        image_rows(rows)


def test_the_mosaic_has_row_zero_at_the_top_and_no_gaps():
    tiles = np.arange(6).reshape(2, 3)[:, :, None, None] * np.ones((4, 4)) / 6
    (image,) = manifold(tiles, [-4, 0, 4], [-1, 1], "z 1", "z 2").axes[0].images
    mosaic = np.asarray(image.get_array())
    assert image.origin == "upper" and image.axes.get_ylim()[0] < image.axes.get_ylim()[1]
    assert mosaic.shape == (8, 12)
    np.testing.assert_allclose(mosaic[::4, ::4] * 6, [[0, 1, 2], [3, 4, 5]], rtol=1e-6)


def test_tiles_are_centred_on_their_latent_points():
    points = ndtri((np.arange(30) + 0.5) / 30)
    axes = manifold(np.zeros((30, 30, 4, 4)), points, 2 * points, "z 1", "z 2").axes[0]
    assert axes.images[0].get_extent() == [0, 30, 0, 30]
    places = axes.get_xticks()
    assert places[[0, -1]].tolist() == [0.5, 29.5]
    # The numbers are those of the points, at their tiles
    for axis, values in ((axes.xaxis, points), (axes.yaxis, 2 * points)):
        for place, label in zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True):
            told = float(label.get_text().replace("−", "-"))
            assert told == pytest.approx(values[int(place)], rel=0.05)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("z 1", "z 2")
    box = axes.get_window_extent()
    assert box.width == pytest.approx(box.height)


def test_tiles_of_another_shape():
    with pytest.raises(ValueError, match="rows, columns, height, width"):
        manifold(np.zeros((9, 28, 28)), [1], [1], "", "")
    with pytest.raises(ValueError, match="2×3 tiles for 3×3 points"):
        manifold(np.zeros((2, 3, 4, 4)), [1, 2, 3], [1, 2, 3], "", "")


def test_a_grid_has_a_label_for_every_row_and_column():
    figure = grid(COLOURS, 5, ["a", "b", "c", "d"], list("12345"), "columns", "rows")
    told = {text.get_text() for text in figure.texts}
    assert told == {"a", "b", "c", "d", "1", "2", "3", "4", "5", "columns", "rows"}
    place = {text.get_text(): text.get_position() for text in figure.texts}
    assert place["a"][1] > place["b"][1] > place["d"][1]
    assert place["1"][0] < place["5"][0]


@pytest.mark.parametrize("labels", [{"rows": ["a"]}, {"heads": list("1234")}])
def test_labels_of_a_grid_that_do_not_fit(labels):
    with pytest.raises(ValueError, match="labels for"):
        grid(COLOURS, 5, **labels)


def test_thirty_rows_stand_in_two_blocks():
    figure = grid(np.zeros((300, 28, 28)), 10, [str(i) for i in range(30)], ["s"] * 10)
    left, right = figure.axes
    assert left.get_position().x1 < right.get_position().x0
    assert left.images[0].get_array().shape == right.images[0].get_array().shape
    width, height = figure.get_size_inches() * figure.dpi
    assert height < 800 and width < 1.15 * PAGE_WIDTH


@pytest.mark.parametrize("n, size", [(96, 28), (64, 28), (16, 5), (10, 28), (7, 9)])
def test_filters_are_drawn_large_without_a_gap(n, size):
    axes = grid(np.random.default_rng(0).normal(size=(n, size, size))).axes[0]
    mosaic = axes.images[0].get_array()
    across, down = (round((pixels - 1) / (size + 1) + 0.4) for pixels in mosaic.shape[::-1])
    assert axes.get_window_extent().width / across >= 56
    assert across >= down and (across * down == n or n == 7)


def test_columns_have_heads_and_equal_ones_are_written_once():
    images = np.zeros((4, 28, 28))
    figure = image_rows([("x", images)], ["normal", "normal", "", "patch"])
    place = {text.get_text(): text.get_position()[0] for text in figure.texts}
    assert set(place) == {"x", "normal", "patch"}
    left, right = figure.axes[0].get_position().x0, figure.axes[0].get_position().x1
    assert place["normal"] == pytest.approx(left + (right - left) / 4, abs=0.02)
    assert place["patch"] == pytest.approx(right - (right - left) / 8, abs=0.02)
    with pytest.raises(ValueError, match="3 heads for 4 columns"):
        image_rows([("x", images)], ["a", "b", "c"])


def test_many_rows_of_images_are_drawn_smaller():
    images = np.zeros((8, 28, 28))
    few, many = (image_rows([("x", images)] * n).get_size_inches() for n in (3, 14))
    assert many[0] < few[0]


def test_a_grid_of_images_fills_its_last_row_with_nothing(mnist):
    figure = grid(mnist.x_test[:20], columns=8)
    mosaic = figure.axes[0].images[0].get_array()
    assert mosaic.shape == (3 * 29, 8 * 29 + 1)
    assert mosaic.mask[-10, -10] and not mosaic.mask[10, 10]


def test_a_grid_of_many_rows_is_drawn_smaller(mnist):
    few, many = (grid(mnist.x_test[:n], columns=10).get_size_inches() for n in (100, 300))
    assert many[0] < few[0]
    assert many[1] < 3 * few[1]


def test_filters_have_grey_for_zero():
    filters = np.zeros((2, 4, 4))
    filters[0, 1, 1], filters[1, 2, 2] = -3.0, 0.5
    mosaic = grid(filters).axes[0].images[0].get_array()
    values = np.unique(mosaic.compressed())
    np.testing.assert_allclose(values, [0.0, 0.5, 1.0])


def test_rows_in_colour_are_red_green_and_blue():
    figure = image_rows([("x", COLOURS), ("bytes", (COLOURS * 255).astype(np.uint8))])
    for axes, tolerance in zip(figure.axes, (1e-6, 1 / 255), strict=True):
        shown = axes.images[0].get_array()
        np.testing.assert_allclose(shown[1:10, 1:8], COLOURS[0], atol=tolerance)
        np.testing.assert_allclose(shown[1:10, -8:-1], COLOURS[19], atol=tolerance)
        assert len(np.unique(shown[0])) == 1  # the frame is grey


def test_missing_values_in_colour_have_the_colour_of_the_frame():
    images = COLOURS.copy()
    images[0, 4, 4] = np.nan
    shown = image_rows([("x", images)]).axes[0].images[0].get_array()
    np.testing.assert_array_equal(shown[5, 5], shown[0, 0])


def test_a_grid_in_colour():
    mosaic = grid(COLOURS, columns=8).axes[0].images[0].get_array()
    assert mosaic.shape == (3 * 10, 8 * 8 + 1, 3)
    np.testing.assert_allclose(mosaic[11:20, 1:8], COLOURS[8], rtol=1e-6)
    np.testing.assert_array_equal(mosaic[-5, -5], mosaic[0, 0])


def test_a_coloured_filter_has_one_scale_and_grey_for_zero():
    filters = np.zeros((1, 4, 4, 3))
    filters[0, 1, 1], filters[0, 2, 2] = (-3, 0, 1.5), 3
    shown = grid(filters).axes[0].images[0].get_array()[1:5, 1:5]
    np.testing.assert_allclose(shown[1, 1], [0, 0.5, 0.75])
    np.testing.assert_allclose(shown[2, 2], 1)
    np.testing.assert_allclose(shown[0], 0.5)


def test_a_manifold_in_colour():
    tiles = COLOURS[:6].reshape(2, 3, 9, 7, 3)
    mosaic = manifold(tiles, [1, 2, 3], [1, 2], "z 1", "z 2").axes[0].images[0].get_array()
    np.testing.assert_array_equal(mosaic[9:18, 7:14], COLOURS[4])


@pytest.mark.parametrize("draw", [grid, lambda tiles: image_rows([("x", tiles[:10])])])
def test_large_images_are_shrunk_to_the_page(draw):
    for channels in ((), (3,)):
        figure = draw(np.zeros((40, 128, 96, *channels), np.float32))
        width = figure.get_size_inches()[0] * figure.dpi
        assert 0.9 * PAGE_WIDTH < width < 1.1 * PAGE_WIDTH


@pytest.mark.parametrize("shape", [(3, 8, 8, 2), (3, 8, 8, 0), (3, 0, 8, 3)])
def test_other_channels_are_refused(shape):
    for draw in (grid, lambda tiles: image_rows([("x", tiles)])):
        with pytest.raises(ValueError, match=r"\(n, height, width, 3\)"):
            draw(np.zeros(shape))


def test_colours_are_saved_as_they_are(tmp_path):
    """A palette of 256 colours would show steps in what has thousands."""
    figure = manifold(COLOURS[:6].reshape(2, 3, 9, 7, 3), [1, 2, 3], [1, 2], "z 1", "z 2")
    kept = np.asarray(Image.open(save(figure, tmp_path / "a.png")).convert("RGB"))
    figure.canvas.draw()
    np.testing.assert_array_equal(kept, np.asarray(figure.canvas.buffer_rgba())[..., :3])
