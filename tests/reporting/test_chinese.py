"""Spaces in Chinese text."""

import pytest

from Code.reporting.chinese import spaced


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("测试MSE在容差之内", "测试 MSE 在容差之内"),
        ("高于 此前", "高于此前"),
        ("`ae`的损失为 0.05", "`ae` 的损失为 0.05"),
        ("`ae` 为0.05，PSNR 为 3", "`ae`为 0.05，PSNR为 3"),
        ("图 1 ：左 （右） 。", "图 1：左（右）。"),
        ("16维编码占95 % 区间", "16 维编码占 95 % 区间"),
        ("| 甲 | `b` |", "| 甲 | `b` |"),
        ("**数值。** 共八个", "**数值。** 共八个"),
        ("编码 $z$ ，`x, 为 y`与[页](a为b.md)", "编码 $z$ ，`x, 为 y` 与[页](a为b.md)"),
        ("```python\nx = '为 a'\n```\n\n甲b", "```python\nx = '为 a'\n```\n\n甲 b"),
        ("- 一\n- 二", "- 一\n- 二"),
    ],
)
def test_spaces_stand_between_scripts_and_nowhere_else(written, right):
    assert spaced(written) == right
    assert spaced(right) == right
