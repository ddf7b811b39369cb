"""Lesson texts as HTML: readable, and unable to do harm."""

import pytest

from kourse.course.domain.markdown import asset_links, to_html


class TestAssetLinks:
    def test_finds_links_images_and_references_once(self):
        text = (
            "[a](asset:x/a.csv) ![b](asset:b.png 'title') [c][1] [a](asset:x/a.csv)\n\n[1]: asset:c"
        )
        assert asset_links(text) == ["x/a.csv", "b.png", "c"]

    def test_finds_none_in_code(self):
        assert asset_links("`[a](asset:a)`\n\n```\n[b](asset:b)\n```\n") == []


class TestToHtml:
    def test_renders_tables_emphasis_and_code(self):
        found = to_html("| a |\n|---|\n| **1** |\n\n```python\nx < 1\n```\n", {})
        assert "<td><strong>1</strong></td>" in found
        assert '<code class="language-python">x &lt; 1' in found

    def test_puts_addresses_in_place_of_assets(self):
        found = to_html("[a](asset:a.csv)", {"a.csv": "https://s3/x?a=1&b=2"})
        assert 'href="https://s3/x?a=1&amp;b=2"' in found

    def test_leads_nowhere_for_assets_that_are_not_offered(self):
        assert 'href="#"' in to_html("[a](asset:secret)", {})

    def test_keeps_an_address_from_breaking_out_of_its_place(self):
        found = to_html("[a](asset:a)", {"a": 'https://s3/"><script>'})
        assert "<script>" not in found

    @pytest.mark.parametrize(
        "text",
        [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "[x](javascript:alert(1))",
            "[x](data:text/html;base64,PHNjcmlwdD4=)",
            "![x](vbscript:msgbox)",
            "<iframe src='https://evil'></iframe>",
            '[x](<asset:"onmouseover=alert(1)>)',
        ],
    )
    def test_lets_nothing_run(self, text):
        found = to_html(text, {})
        for word in ("<script", "<img", "<iframe", 'href="javascript', 'href="data', "<svg"):
            assert word not in found
        assert " onmouseover=" not in found.replace("&quot;", "")
