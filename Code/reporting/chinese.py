"""Spaces in Chinese text: one between Chinese and Latin script, none anywhere else.

Templates put words, names and figures together, and so cannot see what stands beside them.
"""

import re

# Not touched: code, formulas, targets of links, tags
KEPT = re.compile(r"^```.*?^```$|`[^`\n]*`|\$[^$\n]*\$|\]\([^)\s]*\)|<[^>\n]*>", re.M | re.S)
# What stands in for a piece that is kept: code is like a word, all else is like nothing
CODE, OTHER = "\ue000", "\ue001"
HAN = "一-鿿"
WORD = f"A-Za-z0-9α-ωΑ-Ωβ%{CODE}"
MARKS = "，。；：、！？（）“”"
RULES = (
    (re.compile(f"(?<=[{HAN}])(?=[{WORD}])|(?<=[{WORD}])(?=[{HAN}])"), " "),
    (re.compile(f"(?<=[{HAN}]) +(?=[{HAN}])"), ""),
    (re.compile(f"(?<=[{HAN}{WORD}{MARKS}]) +(?=[{MARKS}])"), ""),
    (re.compile(f"(?<=[{MARKS}]) +(?=[{HAN}{WORD}{MARKS}])"), ""),
    # The verb of every figure stands beside what it is said of
    (re.compile(" +(?=为)"), ""),
)


def spaced(text: str) -> str:
    """Markdown in Chinese with its spaces put right."""
    kept: list[str] = []

    def away(match: re.Match) -> str:
        kept.append(match[0])
        return CODE if match[0].startswith("`") and not match[0].startswith("```") else OTHER

    text = KEPT.sub(away, text)
    for rule, by in RULES:
        text = rule.sub(by, text)
    pieces = iter(kept)
    return re.sub(f"[{CODE}{OTHER}]", lambda _: next(pieces), text)
