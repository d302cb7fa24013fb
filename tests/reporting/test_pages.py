"""The pages as they are committed: links, limits, one structure in both languages, good Chinese."""

import re
from collections import Counter
from pathlib import Path

import pytest
from pages import CODE_BLOCK, LANGUAGES, anchor, anchors, links, pictures, read_site

from Code.experiments.table import EXPERIMENTS
from Code.reporting.contents import FAMILIES, VARIANTS
from Code.reporting.links import slug
from Code.runs.pictures import IF_IT_WINS, on_a_page

NAMED = (
    "report",
    "methods",
    "claims",
    "variants/README",
    *(f"variants/{variant}" for variant in VARIANTS),
    "common",
    "uses",
    "other-papers",
    "speed",
    "runs",
    "references",
)
MOST_LINES, MOST_PICTURES = 300, 14
# Pictures whose captions the report has to have where the published one shows them
PUBLISHED_PICTURES = {
    "ae": {"structure", "loss", "reconstructions", "code"},
    "dae": {"structure", "loss", "accuracy", "reconstructions", "denoising", "code"},
    "cae": {"structure", "loss", "accuracy", "reconstructions", "denoising", "code"},
    "vae": {"structure", "loss", "reconstructions", "code", "manifold"},
}


@pytest.fixture(scope="module")
def site(root):
    return read_site(root / "report")


def every_page(site):
    return [(lang, name, text) for lang in LANGUAGES for name, text in site.pages[lang].items()]


def test_all_pages_are_there_in_both_languages(site):
    assert set(site.pages["en"]) == set(site.pages["zh"]) >= set(NAMED)


def test_every_link_leads_to_a_file_and_to_an_anchor(site):
    count = 0
    for language, name, text in every_page(site):
        page = site.path(language, name)
        for target in links(text):
            if target.startswith(("http://", "https://")):
                continue
            path, _, place = target.partition("#")
            file = (page.parent / path.replace("%20", " ")).resolve() if path else page
            assert file.is_file(), (language, name, target)
            if place:
                assert file.suffix == ".md"
                assert place in anchors(file.read_text("utf-8")), (language, name, target)
            count += 1
    assert count > 1500


@pytest.mark.parametrize(
    "heading", ["The bound, derived", "β-VAE", "论断 5：部分成立", "InfoVAE (MMD-VAE) and 2"]
)
def test_anchors_are_those_of_a_code_host(heading):
    assert slug(heading) == anchor(heading)


def test_the_main_report_keeps_its_limits(site):
    for text in site.both("report"):
        assert len(text.splitlines()) <= MOST_LINES
        assert 5 <= len(pictures(text)) <= MOST_PICTURES


def structure(text):
    """Headings by level, pictures by target, tables by their rows, code and formulas."""
    parts = []
    for line in text.splitlines():
        if line.startswith("#") and re.match("#{1,6} ", line):
            parts.append(len(line) - len(line.lstrip("#")))
        elif line.startswith("|"):
            parts.append(("row", line.replace(r"\|", "").count("|")))
        elif line.startswith(("```", "<details>", "</details>", "- ", "> ")):
            parts.append(line[:2])
        parts += [target.replace(".zh.png", ".png") for _, target in pictures(line)]
    return parts


@pytest.mark.parametrize("name", NAMED)
def test_both_languages_have_one_structure(site, name):
    english, chinese = map(structure, site.both(name))
    assert english == chinese


def test_each_page_has_its_way_back_its_contents_and_its_way_on(site):
    for language, name, text in every_page(site):
        page = site.path(language, name)
        targets = [
            (page.parent / t.partition("#")[0]).resolve() for t in links(text) if t[0] != "#"
        ]
        main = site.path(language, "report").resolve()
        other = site.path("zh" if language == "en" else "en", name).resolve()
        assert other in targets, (language, name)
        assert name == "report" or main in targets, (language, name)
        headings = re.findall("^## (.+)$", CODE_BLOCK.sub("", text), re.M)
        if len(headings) > 1:
            contents = text.split("\n## ")[0]
            assert all(f"[{h}](#{anchor(h)})" in contents for h in headings), (language, name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_way_on_leads_through_all_pages(site, language):
    seen, page = [], site.path(language, "report")
    while page is not None:
        seen.append(page.resolve())
        on = re.findall(r"\[[^\]]* →\]\(([^)]+)\)", page.read_text("utf-8"))
        page = page.parent / on[-1] if on else None
        assert page is None or page.resolve() not in seen
    assert len(seen) == len(site.pages[language])


def test_records_stand_on_the_page_of_runs_alone(site):
    for language, name, text in every_page(site):
        prose = CODE_BLOCK.sub("", text)
        record = re.search(
            r"[0-9a-f]{16}|\d{4}-\d\d-\d\dT|SHA-256|Wall time|总用时"
            r"|\b[a-z_]+ = (?:\[|\{|'|None\b|True\b|False\b)",
            prose,
        )
        if name == "runs":
            assert record
        else:
            assert not record, (language, name, record)


def test_no_paragraph_stands_twice(site):
    for language in LANGUAGES:
        least = 60 if language == "en" else 35
        found = Counter()
        for text in site.pages[language].values():
            lines = set(CODE_BLOCK.sub("", text).splitlines())
            found.update(
                line
                for line in lines
                if len(line) > least
                and not line.startswith(("|", "!", "*`", "#", "[", ">", "On this", "本页内容"))
            )
        twice = [line for line, n in found.items() if n > 1]
        assert not twice, twice[:3]


def test_every_picture_has_a_caption_in_its_language(site):
    for language, name, text in every_page(site):
        blocks = text.split("\n\n")
        for block, following in zip(blocks, [*blocks[1:], ""], strict=True):
            if block.startswith("!["):
                ((alt, target),) = pictures(block)
                if target.endswith(".svg"):
                    # What a drawing means is said by the paragraph after it
                    assert following and not following.startswith(("!", "#", "|"))
                    continue
                assert re.match(r"\*.+[.。]\*$", following), (language, name, target)
                assert ".png" not in alt + following
                assert bool(re.search("[一-鿿]", alt)) == (language == "zh"), alt
                assert bool(re.search("[一-鿿]", following)) == (language == "zh"), following


def test_every_picture_of_the_reference_is_on_a_page(root, site):
    shown = {
        (site.path(language, name).parent / target.replace("%20", " ")).resolve()
        for language, name, text in every_page(site)
        for target in links(text)
    }
    # Of a row that may win, its images are drawn before the winner is known
    candidates = {name for name, row in EXPERIMENTS.items() if on_a_page(row) == IF_IT_WINS}
    folders = {*EXPERIMENTS, "families", "uses"} - candidates
    drawn = {path for path in (root / "output").glob("*/*.png") if path.parent.name in folders}
    assert len(drawn) > 100 and drawn <= shown


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_s_page_is_whole(site, variant):
    for text in site.both(f"variants/{variant}"):
        assert "```math" in text and re.search("```python\n(class|def) ", text)
        assert re.search(r"\[tests/[\w/]+\.py\]\((../)+tests/", text)
        seen = text.split("<details>")[0]
        # A drawing of the idea beside them
        assert 1 <= sum(".svg" not in target for _, target in pictures(seen)) <= 3
        assert text.count("<details>") == text.count("</details>") <= 1


@pytest.mark.parametrize("family", FAMILIES)
def test_what_the_published_report_shows_is_on_the_family_s_page(site, family):
    for text in site.both(f"variants/{family}"):
        shown = {Path(target).stem for _, target in pictures(text)}
        assert shown >= PUBLISHED_PICTURES[family]


def test_the_bound_of_the_vae_is_derived(site):
    for text in site.both("variants/vae"):
        assert r"\log p(x) &= \log \int p(x \mid z)" in text and r"\ge \mathbb{E}" in text


# --- Chinese --------------------------------------------------------------------------------------

# Names, and what has no other name in Chinese
NAMES = """
    AE DAE CAE VAE AAE CVAE IWAE WAE SAE SDAE RBM VQ MMD GRU LSTM PCA SVM SVDD DCI FactorVAE InfoVAE
    Wasserstein Autoencoder MNIST KL MSE BCE PSNR AUROC IoU FD NN SNE dB GB MB GFLOP Adam SGD CD
    ReLU leaky tanh sigmoid softmax logistic logit log ln sg float Gram Frobenius Welch Holm Jensen
    Fr chet BERT Transformer Deep Keras TensorFlow JAX PyTorch XLA NumPy oneDNN scikit learn means
    YNNPACK
    matplotlib numpy python keras tensorflow torch cpu jax English Code tests variants test py base
    reporting rules results csv mnist SHA CC BY SA AMD EPYC Intel Xeon Processor Linux MiB CPU
    The Great Bake Off Zang Yann LeCun Corinna Cortes Krokotsch Kingma Welling Rumelhart Hinton
    Williams Geary Bourlard Kamp Vincent Masci Makhzani Frey Rifai Burda Grosse Salakhutdinov van
    der den Maaten Oord Xie Ruff Higgins Kim Mnih Rybkin Daniilidis Levine Zhao Song Ermon
    Gretton Hochreiter Schmidhuber Cho Srivastava Devlin He Bengio Ng Zeiler Sohn Lee Yan nderby
    Dhariwal Fashion Spearman Tolstikhin TSVM Baldi Hornik Olshausen Field Rol nek Ioffe Szegedy
"""
FULL_WIDTH = "，。；：、！？（）“”"
MENDED = (
    "数据从何而来",
    "读作",
    "照抄以外的本领",
    "极小的机器",
    "没有哪个权重",
    "前提是用含噪图像训练",
    "五行结论",
    "以这些随机种子",
    "上行为",
    "滑动均值",
)
# One thing, one term: these are said in another way
OTHER_TERMS = (
    "周期",
    "界限",
    "对手",
    "离散程度",
    "抽样",
    "本文",
    "我们",
    "one-hot",
    "条目",
    "批次",
    "图像块",
)


def prose(text):
    """A page without code, formulas, link targets and pictures."""
    text = re.sub(r"`[^`\n]*`", "` `", CODE_BLOCK.sub("", text))
    text = re.sub(r" ?\$[^$\n]*\$ ?", "◇", text)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"</?[a-z][^>]*>", "", text)


@pytest.fixture(scope="module")
def chinese(site):
    """The Chinese pages as prose, but for the references, whose titles are names."""
    return {name: prose(text) for name, text in site.pages["zh"].items() if name != "references"}


def test_every_item_of_a_list_has_a_line_of_its_own(site):
    for language, pages in site.pages.items():
        for name, text in pages.items():
            glued = re.search(r"[.。;；]- [`*\[].{0,40}", text)
            assert glued is None, (language, name, glued.group())


def test_chinese_has_chinese_punctuation(chinese):
    ascii_beside_chinese = re.compile(
        r"[一-鿿][,;:!?()]|[,;:!?(][一-鿿]|[一-鿿]\.(?!\d)|\([^)\n]*[一-鿿]"
    )
    around = re.compile(rf"(?<![|\-#>`]) [{FULL_WIDTH[:7]}）”]|[{FULL_WIDTH[:8]}“] (?![|→`↑↓])")
    for name, text in chinese.items():
        for found in (ascii_beside_chinese.search(text), around.search(text)):
            assert not found, (name, text[max(0, found.start() - 20) : found.end() + 20])
        # A name or a figure has a space before the next word, 为 has none: a word stands between
        bare = re.search(r"[A-Za-z0-9²)` ]为", text)
        assert not bare, (name, text[max(0, bare.start() - 20) : bare.end() + 20])
        beside = re.search(r"[一-鿿][A-Za-z0-9]|[A-Za-z0-9][一-鿿]|[一-鿿] [一-鿿]", text)
        assert not beside, (name, text[max(0, beside.start() - 20) : beside.end() + 20])


def test_chinese_has_one_term_for_one_thing(chinese):
    for name, text in chinese.items():
        for term in (*OTHER_TERMS, *MENDED):
            assert term not in text, (name, term)
        assert not re.search("(?<!随机)种子", text), name
        assert not re.search(r"\bnats?\b", text), name


def test_chinese_has_no_english_but_names(chinese):
    allowed = {part for name in EXPERIMENTS for part in name.split("-")} | {*NAMES.split()}
    for name, text in chinese.items():
        words = set(re.findall("[A-Za-z][A-Za-z]+", text))
        assert words <= allowed, (name, words - allowed)


def test_the_named_sentences_are_mended(site):
    zh = site.pages["zh"]
    assert "## 实验设置与数据来源" in zh["methods"]
    assert "风格保持且数字识别正确的比例" in zh["uses"]
    assert "极小的 RBM" in zh["variants/rbm"]
    assert "权重与行的位置无关" in zh["variants/lstm"]
    assert "基线方法" in zh["uses"] and "奈特" in zh["claims"] and "容差" in zh["methods"]
