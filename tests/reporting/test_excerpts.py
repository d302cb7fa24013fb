"""The lines that make a variant, read from its source."""

import ast
import subprocess
import sys
import textwrap

import pytest

from Code.reporting import excerpts
from Code.reporting.contents import VARIANTS, model_of
from Code.reporting.excerpts import LINES, MAKING, excerpt
from Code.reporting.templating import tidy


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_has_lines_of_its_source(root, variant):
    found = excerpt(model_of(variant))
    source = (root / found.path).read_text(encoding="utf-8")
    heads = [line for line in found.code.splitlines() if line.startswith("class ")]
    lines = [line for line in found.code.splitlines() if line not in heads]
    assert len(heads) <= 1
    assert found.code.startswith("class ") or model_of(variant) in MAKING
    assert all(head in source.replace("\n", " ").replace("( ", "(") for head in heads)
    assert all(line in source.splitlines() for line in lines)
    assert '"""' not in found.code
    assert len(found.code.splitlines()) <= LINES + 12
    ast.parse(found.code)


def test_the_loss_comes_first_where_it_is_the_variant_s_own():
    for variant, first in (
        ("vae", "loss_terms"),
        ("beta_vae", "loss_terms"),
        ("cae", "build_encoder"),
        ("tied", "build_decoder"),
        ("stacked", "build_layer"),
    ):
        assert excerpt(model_of(variant)).code.splitlines()[1].strip().startswith(f"def {first}(")


@pytest.mark.parametrize("model", MAKING)
def test_what_is_named_is_shown_whole_and_in_its_order(root, model):
    found = excerpt(model)
    starts = [found.code.index(f"def {name}(") for name in MAKING[model]]
    assert starts == sorted(starts)
    assert model in {model_of(variant) for variant in VARIANTS}


def test_a_name_that_is_not_there_is_said(monkeypatch):
    monkeypatch.setitem(MAKING, "Code.vae:VAE", ("loss_terms", "vanished"))
    excerpt.cache_clear()
    with pytest.raises(LookupError, match="vanished"):
        excerpt("Code.vae:VAE")


def test_what_the_first_method_calls_follows_it():
    vae = excerpt("Code.vae:VAE").code
    assert vae.index("def loss_terms") < vae.index("def sample") < vae.index("def build_encoder")


def test_a_class_without_methods_is_told_by_what_it_is_made_of():
    assert excerpt("Code.ae:AE").path == "Code/base.py"
    assert excerpt("Code.dae:DAE").code.startswith("class Denoising(")
    assert excerpt("Code.contractive:TiedContractive").code.startswith("class Contractive(")
    assert excerpt("Code.rbm:DeepRBM").code.startswith("class RBM(")


def test_rules_on_a_module_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(excerpts, "ROOT", tmp_path)
    (tmp_path / "one.py").write_text(
        textwrap.dedent('''
        class One(Base):
            """A class."""

            def __init__(self):
                self.x = 1

            def helper(self):
                return 1

            def unrelated(self):
                return 2

            def loss_terms(self, x):
                """What it is.

                More of it.
                """
                # Why
                return self.helper()

            def diagnostics(self):
                return 3


        class Two(One):
            """Nothing of its own."""
        '''),
        encoding="utf-8",
    )
    for name in ("one:One", "one:Two"):
        excerpt.cache_clear()
        excerpts._parsed.cache_clear()
        assert excerpt(name).code == (
            "class One(Base):\n"
            "    def loss_terms(self, x):\n        # Why\n        return self.helper()\n\n"
            "    def helper(self):\n        return 1"
        )
    assert excerpt("one:Three") is None and excerpt("two:One") is None
    excerpt.cache_clear()
    excerpts._parsed.cache_clear()


def test_nothing_is_imported():
    code = (
        "import sys; from Code.reporting.excerpts import excerpt; "
        "excerpt('Code.vae:VAE'); excerpt('Code.ae:AE'); "
        "print([m for m in sys.modules if m in ('keras', 'Code.vae', 'Code.ae', 'Code.base')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_page_keeps_the_empty_lines_of_code():
    """Two stand between functions, as the formatter wants them; around the code one is enough."""
    code = "```python\ndef f():\n    pass\n\n\ndef g():\n    pass\n```"
    assert tidy(f"a\n\n\n{code}\n\n\n\nb") == f"a\n\n{code}\n\nb\n"
