"""Make ``figures-cjk.otf``: the characters of our figures, from Noto Sans CJK (SC).

Once, where a text gets a new character: ``python -m Code.figures.fonts.subset
NotoSansCJK-Regular.ttc`` (Debian's package fonts-noto-cjk has it).
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection

from Code.figures.words import ZH

TARGET = Path(__file__).with_name("figures-cjk.otf")
FAMILY = "Figures CJK"


def characters():
    """The characters that DejaVu Sans lacks, of all Chinese texts in figures."""
    return sorted({c for text in ZH.values() for c in text if ord(c) > 0x2E7F})


def make(source, target=TARGET):
    """Write the subset of the simplified Chinese font in the collection ``source``."""
    fonts = TTCollection(source).fonts
    font = next(f for f in fonts if f["name"].getDebugName(1) == "Noto Sans CJK SC")
    options = subset.Options(layout_features=[], hinting=False, desubroutinize=True)
    maker = subset.Subsetter(options)
    maker.populate(text="".join(characters()))
    maker.subset(font)
    for record in font["name"].names:
        if record.nameID in (1, 4, 16):
            record.string = FAMILY
        elif record.nameID == 6:
            record.string = FAMILY.replace(" ", "")
    font.save(target)


if __name__ == "__main__":
    make(sys.argv[1])
