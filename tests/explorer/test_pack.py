"""The networks in the page are those that were trained, and the page is one small file."""

import json
import re
import shutil
import zlib
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from small import made, train

from Code.experiments.table import EXPERIMENTS
from Code.explorer import pack, page, text
from Code.figures.style import DIGIT_COLOURS
from Code.foundation import shipped
from Code.foundation.errors import UserError
from Code.parts.images import to_unit
from Code.training.trained import load_model
from tests.support import run_use

CHAINS = {
    "ae": "Code.ae:AE",
    "vae": "Code.vae:VAE",
    "tied": "Code.tied:Tied",
    "aae": "Code.aae:AAE",
}


def ignore(line):
    """Say nothing."""


# A newborn and a trained one of each are for the slow tests
SOON = ("vae trained", "tied trained")


@pytest.fixture(
    scope="module",
    params=[
        name if name in SOON else pytest.param(name, marks=pytest.mark.slow)
        for name in (f"{n} {how}" for n in CHAINS for how in ("new", "trained"))
    ],
)
def model(request, mnist):
    name, how = request.param.split()
    model = made(CHAINS[name], 2, hidden=(64, 16))
    return model if how == "new" else train(model, mnist)


@pytest.fixture(scope="module")
def images(mnist):
    """A hundred test digits as floats in [0, 1]."""
    return to_unit(mnist.x_test[:100])


class TestChains:
    def test_exact_weights_give_what_keras_gives(self, model, images):
        encoder, decoder = pack.encoder_chain(model), pack.decoder_chain(model)
        codes = model.encode(images)
        np.testing.assert_allclose(pack.run(encoder, images), codes, atol=1e-5, rtol=1e-5)
        decoded = pack.run(decoder, codes).reshape(images.shape)
        np.testing.assert_allclose(decoded, model.decode(codes), atol=1e-5)

    def test_rounded_weights_give_nearly_that(self, model, images, mnist):
        packed = pack.pack(model, images, to_unit(mnist.x_train[:500]))
        assert 0 < packed.image_error < pack.TOLERANCE
        assert 0 < packed.code_error < pack.TOLERANCE
        for d in packed.encoder + packed.decoder:
            small = d.kernel.size + d.bias.size <= pack.SMALL
            assert d.bits == pack.FINE if small else d.bits <= pack.FINEST
            for numbers in (d.kernel, d.bias):
                whole = numbers * 2.0**d.bits
                np.testing.assert_allclose(whole, np.round(whole), atol=1e-2)
        units = [d.bias.size for d in packed.encoder + packed.decoder]
        assert units == [64, 16, 2, 16, 64, 784]

    def test_a_saved_model_is_the_same_chain(self, model, images, tmp_path):
        (tmp_path / "ae-2").mkdir()
        model.save(tmp_path / "ae-2" / "model.keras")
        loaded = load_model(tmp_path / "ae-2")
        for ours, theirs in zip(pack.encoder_chain(model), pack.encoder_chain(loaded), strict=True):
            np.testing.assert_array_equal(ours.kernel, theirs.kernel)

    def test_a_wrong_weight_is_noticed(self, images):
        model = made("Code.ae:AE", 2)
        encoder, decoder = pack.encoder_chain(model), pack.decoder_chain(model)
        other = pack.Dense(decoder[-1].kernel, decoder[-1].bias + 0.1, "sigmoid")
        assert pack.differences(model, encoder, (*decoder[:-1], other), images)[0] > 0.01

    def test_activations_of_their_own_and_layers_without_a_bias(self, seeded):
        x = keras.Input((3, 4))
        h = layers.Dense(5, use_bias=False)(layers.Flatten()(x))
        h = layers.Dense(6, "softmax")(layers.Activation("tanh")(h))
        network = keras.Model(x, layers.Reshape((2, 3))(h))
        x = np.random.default_rng(0).normal(size=(7, 3, 4)).astype(np.float32)
        ours = pack.run(pack.chain_to(network.outputs[0]), x)
        np.testing.assert_allclose(ours, network(x).numpy().reshape(7, -1), atol=1e-6)

    @pytest.mark.parametrize(
        ("build", "says"),
        [
            (lambda x: layers.Dense(2)(x), "reads no vector"),
            (lambda x: layers.Dense(2, "gelu")(layers.Flatten()(x)), "activation gelu"),
            (lambda x: layers.LayerNormalization()(layers.Flatten()(x)), "LayerNormalization"),
            (lambda x: layers.Flatten()(layers.add([x, x])), "joins 2 inputs"),
            (lambda x: layers.Activation("relu")(layers.Flatten()(x)), "follows another"),
        ],
    )
    def test_what_the_page_could_not_compute_is_refused(self, build, says):
        with pytest.raises(pack.Unsupported, match=says):
            pack.chain_to(build(keras.Input((3, 4))))

    def test_a_convolution_is_refused(self):
        model = made("Code.cae:CAE", 2)
        with pytest.raises(pack.Unsupported, match="Conv2D"):
            pack.encoder_chain(model)


def test_compensation_keeps_the_outputs_closer_than_rounding():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 8)) @ rng.normal(size=(8, 40)) + 0.1 * rng.normal(size=(500, 40))
    weights = rng.normal(size=(40, 30))
    ours, plain = pack.compensated(weights, x, 6), pack.multiples(weights, 6)
    np.testing.assert_array_equal(ours, pack.multiples(ours, 6))
    assert np.abs(x @ ours - x @ weights).mean() < 0.6 * np.abs(x @ plain - x @ weights).mean()


def test_no_more_bits_than_are_needed():
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(200, 80)), rng.normal(size=(80, 60))
    chain = (pack.Dense(kernel, np.zeros(60), "linear"),)
    exact = pack.run(chain, x)

    def changes(near):
        return np.abs(pack.run(near, x) - exact).max()

    most = 0.002
    bits = pack.fewest_bits(chain, x, changes, most)[0].bits
    assert pack.COARSEST < bits < pack.FINEST
    assert changes(pack.rounded(chain, x, bits)) < most
    assert changes(pack.rounded(chain, x, bits - pack.FINER_BY)) >= most


@pytest.mark.parametrize("n", range(11, 27))
def test_text_holds_the_numbers(n):
    numbers = np.random.default_rng(n).integers(-(2**20), 2**20, n)
    packed = text.as_text(numbers[:9], numbers[9:])
    assert set(packed) <= set(text.LETTERS)
    np.testing.assert_array_equal(numbers_of(packed), numbers)


def numbers_of(packed):
    """What the page reads from a packed text, digit by digit."""
    values = [text.LETTERS.index(letter) for letter in packed]
    pairs = zip(values[1::2], values[2::2], strict=True)
    bits = "".join(f"{len(text.LETTERS) * high + low:013b}" for high, low in pairs)
    bits = bits[: len(bits) - values[0]]
    data = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
    planes = np.frombuffer(zlib.decompress(data), np.uint8).reshape(4, -1)
    folded = sum(plane.astype(np.int64) << 8 * i for i, plane in enumerate(planes))
    return np.where(folded % 2, -(folded + 1) // 2, folded // 2)


def chain_of(packed):
    """The layers of a network that a page holds."""
    numbers, chain = numbers_of(packed["weights"]), []
    for inputs, units, activation, bits in packed["layers"]:
        kernel, bias, numbers = np.split(numbers, [inputs * units, (inputs + 1) * units])
        kernel = kernel.reshape(inputs, units)
        chain.append(pack.Dense(kernel * 2.0**-bits, bias * 2.0**-bits, activation, bits))
    assert not numbers.size
    return chain


def test_a_grid_holds_codes_finely():
    codes = np.random.default_rng(0).normal(scale=30, size=(50, 2))
    packed = text.grid_data(codes)
    ours = numbers_of(packed["numbers"]).reshape(-1, 2) * packed["step"]
    assert np.abs(ours - codes).max() < 1e-4 * np.abs(codes).max()


def test_as_many_pictures_of_each_digit(mnist):
    order = page.pictured_first(mnist.y_test, 2000)
    assert sorted(order) == list(range(10_000))
    assert np.bincount(mnist.y_test[order[:2000]]).tolist() == [200] * 10


@pytest.mark.parametrize("surface", page.SURFACES.values())
def test_colours_stand_out_and_stay_apart(surface):
    shown = [page.legible(colour, surface) for colour in DIGIT_COLOURS]
    rgb = [tuple(bytes.fromhex(colour[1:])) for colour in (*shown, surface)]
    assert all(page.contrast(one, rgb[-1]) >= page.CONTRAST for one in rgb[:-1])
    assert len(set(shown)) == 10
    kept = [one for one, plain in zip(shown, DIGIT_COLOURS, strict=True) if one == plain]
    assert 0 < len(kept) < 10


def test_contrast_is_that_of_the_w3c():
    assert page.contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert page.contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.005)


class TestCommitted:
    """The page in the repository."""

    @pytest.fixture(scope="class")
    def committed(self, root):
        return (root / "report" / "explorer.html").read_text("utf-8")

    def test_is_small_and_denoises_with_a_wide_code(self, committed):
        assert len(committed.encode()) < 8e6
        data = json.loads(page.DATA.search(committed)[1])
        assert data["denoiser"] == "dae" and {"ae-2", "vae-2"} <= set(data["planes"])
        assert data["sliders"]

    def test_holds_the_committed_models(self, committed, root, images):
        """Not an earlier training of theirs."""
        models = json.loads(page.DATA.search(committed)[1])["models"]
        assert models
        for name, entry in models.items():
            model = load_model(shipped.file_of(root / "output", name))
            ours = pack.run(chain_of(entry["encoder"]), images)
            # Half precision moves a code by thousandths; another training gives other codes
            codes = model.encode(images)
            assert np.abs(ours - codes).max() < 0.01 * np.abs(codes).max(), name

    def test_has_the_present_words_and_scripts(self, committed):
        """After a change of the page: ``python -m Code.use explorer --anew``."""
        assert page.anew(committed) == committed

    @pytest.mark.parametrize("text", ["", "<html>", page.DATA.pattern.replace("(.*?)", "{}")])
    def test_another_page_is_refused(self, text):
        with pytest.raises(UserError, match="not one of the explorer's"):
            page.anew(text)


class TestWords:
    def test_both_languages_say_the_same_things(self):
        english, chinese = page.load_texts().values()
        assert list(english) == list(chinese) and len(english) > 60
        for key, words in english.items():
            places = sorted(re.findall(r"{\w+}", words))
            assert places == sorted(re.findall(r"{\w+}", chinese[key])), key

    def test_every_model_has_a_chinese_name(self):
        for name in page.WISHED:
            assert re.search(r"[\u4e00-\u9fff]|VAE", page.title(name, "zh")), name
            assert not re.search(r"[\u4e00-\u9fff]", page.title(name, "en")), name

    def test_chinese_has_its_own_punctuation(self):
        wrong = re.compile(r"[\u4e00-\u9fff][,.:;?!()]|[,:;?!][\u4e00-\u9fff]")
        for key, words in page.load_texts()["zh"].items():
            assert not wrong.search(words), key

    def test_chinese_uses_the_terms_of_the_report(self):
        words = "".join(page.load_texts()["zh"].values())
        for term in ("抽样", "您", "离散程度", "周期", "看什么"):
            assert term not in words, term
        assert "采样" in words and "重构" in words and "编码" in words

    def test_every_text_of_the_page_is_used(self):
        used = "".join((page.HERE / name).read_text("utf-8") for name in page.SCRIPTS)
        used += (page.HERE / "page.html.j2").read_text("utf-8")
        made = re.compile("step_(?:" + "|".join(page.STEPS) + ")|map_|model_|layer_|by_")
        for key in page.load_texts()["en"]:
            named = f'"{key}"' in used or f"words.{key} " in used
            assert named or key in page.LINKS["en"] or made.match(key), key

    def test_its_links_lead_to_pages_of_the_report(self, root):
        report = root / "report"
        if not (report / "en" / "variants").is_dir():
            pytest.skip("the report has no page for each variant here")
        for language, links in page.LINKS.items():
            named = {EXPERIMENTS[name].variant for name in page.WISHED}
            pages = [page.FAMILY.format(language=language, variant=one) for one in named]
            for link in [*links.values(), *pages]:
                assert (report / link).is_file(), link

    def test_the_steps_are_those_of_the_story(self):
        story = (page.HERE / "story.js").read_text("utf-8")
        assert tuple(re.findall(r'{ name: "(\w+)"', story)) == page.STEPS

    @pytest.mark.parametrize(
        ("names", "others", "units"),
        [
            (("ae-2",), False, False),
            (("ae-2", "vae-2", "vae-16", "dae"), False, True),
            (("ae-2", "vae-2", "dae-2"), True, False),
            (("ae-2", "vae-2", "dae-2", "vae-16"), True, True),
        ],
    )
    def test_the_story_offers_only_what_the_page_has(self, names, others, units):
        """No other models where both maps already show all, no view of units without any."""
        texts = page._lists(dict.fromkeys(names))["texts"]
        for language, offer in (("en", "Choose other models"), ("zh", "换别的模型")):
            told = texts[language]["step_yours_text"]
            assert (offer in told) == others and ("{view_units}" in told) == units
            assert "  " not in told and told[-1] in ".。"

    def test_opens_on_the_plain_beside_the_variational(self):
        assert page.opening(["ae-2", "dae-2", "vae-2"], ["ae-16", "vae-16"]) == {
            "first": "ae-2",
            "second": "vae-2",
            "units": "vae-16",
        }
        assert page.opening(["dae-2"], [])["first"] == page.opening(["dae-2"], [])["second"]


@pytest.mark.slow
class TestPage:
    @pytest.fixture(scope="class")
    def built(self, trained):
        said = []
        return page.build(trained[0], say=said.append), said

    @pytest.fixture(scope="class")
    def of_two(self, pair):
        return page.build(pair, say=ignore)

    @pytest.mark.slow
    def test_is_the_same_every_time(self, pair, of_two):
        assert page.build(pair, say=ignore) == of_two

    def test_is_small_and_needs_nothing_from_elsewhere(self, of_two):
        text = of_two
        assert len(text.encode()) < 1e6 * page.MEGABYTES
        own = re.sub(r'(?s)(<script [^>]*id="data">).*?</script>', "", text)
        assert not re.search(r"https?:|@import|\bsrc=|url\(", own)
        assert set(re.findall(r'href="([^"]+)"', text)) == {"data:,", *page.LINKS["en"].values()}
        assert "default-src 'none'" in text

    @pytest.mark.slow
    def test_names_come_from_the_table(self, trained, built):
        text, said = built
        titles = re.findall(r'<option value="([^"]+)"[^>]*>([^<]*)</option>', text)
        planes = [
            ("ae-2", "Plain autoencoder"),
            ("dae-2", "Denoising, Gaussian"),
            ("vae-2", "Variational"),
        ]
        units = [("ae-16", "Plain autoencoder"), ("vae-16", "Variational")]
        assert titles == [*planes, *planes, *units]
        assert 'data-model="dae"' in text, "the wide one, where there is one"
        named = [line.split(":")[0] for line in said]
        assert named == [name for name in page.WISHED if name in trained[1]]
        assert all("at most" in line for line in said)

    @pytest.mark.slow
    def test_takes_what_it_has_room_for(self, pair, of_two):
        megabytes = len(of_two.encode()) / 1e6 - 0.01
        said = []
        text = page.build(pair, megabytes, said.append)
        assert len(text.encode()) < 1e6 * megabytes
        assert said[-1].startswith("vae-16 is left out")
        assert 'value="ae-2"' in text and 'value="vae-16"' not in text

    def test_a_convolutional_model_is_left_out_with_a_line(self, pair, tmp_path):
        shutil.copytree(pair / "ae-2", tmp_path / "ae-2")
        (tmp_path / "dae-2").mkdir()
        made("Code.cae:CAE", 2).save(tmp_path / "dae-2" / "model.keras")
        said = []
        text = page.build(tmp_path, say=said.append)
        assert "dae-2 is left out: it has a layer Conv2D" in " ".join(said)
        assert 'value="ae-2"' in text and 'value="dae-2"' not in text
        assert 'id="sliders"' not in text and 'id="denoised"' not in text

    def test_nothing_but_convolutions_is_an_error(self, tmp_path):
        (tmp_path / "ae-2").mkdir()
        made("Code.cae:CAE", 2).save(tmp_path / "ae-2" / "model.keras")
        with pytest.raises(UserError, match="made of dense layers"):
            page.build(tmp_path, say=ignore)


class TestCommand:
    @pytest.fixture
    def ended(self, capsys):
        """The exit status of the command, and its one line on stderr."""

        def of(*arguments):
            with pytest.raises(SystemExit) as stopped:
                run_use("explorer", arguments)
            said = capsys.readouterr().err
            assert said.count("\n") <= 1
            return stopped.value.code, said.strip()

        return of

    def test_writes_the_page(self, pair, ended, tmp_path):
        path = tmp_path / "new" / "explorer.html"
        assert ended("--output", pair, "--page", path) == (0, "")
        assert path.read_text("utf-8").rstrip().endswith("</html>")
        assert [file.name for file in path.parent.iterdir()] == ["explorer.html"]

    def test_says_that_there_is_no_model(self, ended, tmp_path):
        status, said = ended("--output", tmp_path, "--page", tmp_path / "explorer.html")
        assert status == 2
        assert said == (
            f"error: no trained 2-D model in {tmp_path}/: run `run_all.py --only common` first"
        )
        assert not (tmp_path / "explorer.html").exists()

    @pytest.mark.slow
    def test_refuses_weights_that_rounding_spoils(self, pair, ended, tmp_path, monkeypatch):
        monkeypatch.setattr(pack, "TOLERANCE", 1e-9)
        status, said = ended("--output", pair, "--page", tmp_path / "explorer.html")
        assert status == 2
        assert "ae-2: rounded weights change what it computes" in said

    def test_writes_a_page_anew(self, root, ended, tmp_path):
        path = Path(shutil.copy(root / "report" / "explorer.html", tmp_path))
        text = path.read_text("utf-8")
        path.write_text(text.replace("<h1", "<h1 class='old'"), "utf-8")
        assert ended("--anew", "--page", path) == (0, "")
        assert path.read_text("utf-8") == text

    def test_has_no_page_to_write_anew(self, ended, tmp_path):
        status, said = ended("--anew", "--page", tmp_path / "none.html")
        assert status == 2 and "cannot be read" in said

    @pytest.mark.slow
    def test_says_that_not_one_model_finds_room(self, pair, ended, tmp_path):
        path = tmp_path / "explorer.html"
        status, said = ended("--output", pair, "--page", path, "--megabytes", 0.3)
        assert status == 2
        assert "finds room in 0.3 MB" in said
        assert not path.exists()

    def test_wants_a_page_as_its_output(self, ended):
        status, said = ended("--page", "explorer.png")
        assert status == 2
        assert ".html" in said
