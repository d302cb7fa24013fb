"""Citations in Chinese: ``Ng（2011）``, ``Kim 与 Mnih（2018）``, ``Vincent 等（2010）``.

One form for one, two and more authors, in prose, tables and titles alike.
"""

import re

NAME = r"(?:van (?:der |den ))?[A-Z][\w’-]+"
IN_ENGLISH = re.compile(rf"({NAME})(?: (et al\.)| & ({NAME}))? ((?:19|20)\d\d)\b")


def cited(text: str) -> str:
    """Text with its English citations, as ``Vincent et al. 2010``, in the Chinese form."""
    return IN_ENGLISH.sub(_in_chinese, text)


def _in_chinese(found: re.Match) -> str:
    first, more, second, year = found.groups()
    return f"{first}{' 等' if more else ''}{f' 与 {second}' if second else ''}（{year}）"
