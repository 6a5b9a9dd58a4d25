"""Markdown to safe HTML, and the cleaning of what people type."""

import re
import time
from html.parser import HTMLParser

import pytest

from kmnet.core.text import ATTRIBUTES, TAGS, Extras, clean_line, clean_text, excerpt, fold, render_markdown

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    "![x](https://tracker.example/pixel.gif)",
    "![x](javascript:alert(1))",
    '[x](https://a.example "onmouseover=alert(1)")',
    '[x](https://a.example"onmouseover="alert(1))',
    "<a href='https://a.example' onclick='x()'>x</a>",
    "<iframe src=https://a.example></iframe>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<style>body{display:none}</style>",
    "<p style='position:fixed'>x</p>",
    "<div hx-get='/accounts/logout/' hx-trigger='load'>x</div>",
    "<form action='https://a.example'><input name=password></form>",
    "<base href='https://a.example/'>",
    "<meta http-equiv=refresh content='0;url=https://a.example'>",
    "`<script>`",
    "```html\n<script>alert(1)</script>\n```",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "<<script>script>alert(1)<</script>/script>",
    "[^1]\n\n[^1]: <script>alert(1)</script>",
    "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
    "https://a.example/<script>alert(1)</script>",
    "<javascript:alert(1)>",
    "[a]: javascript:alert(1)\n\n[a]",
    "\u202egnp.exe",
    "</article></main><h1>fake</h1>",
    "x" * 10 + "\x00<scr\x00ipt>alert(1)</scr\x00ipt>",
]


class Structure(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("source", HOSTILE)
def test_render_markdown_lets_through_only_listed_tags_attributes_and_schemes(source):
    parser = Structure()
    parser.feed(render_markdown(source))
    for tag, attributes in parser.found:
        assert tag in TAGS
        assert set(attributes) <= ATTRIBUTES.get(tag, set()) | {"rel"}
        assert attributes.get("href", "https://").startswith(("https://", "http://", "mailto:"))
        if tag == "a" and "href" in attributes:
            assert attributes["rel"] == "noopener nofollow ugc"


def test_render_markdown_renders_what_people_use():
    html = render_markdown(
        "# Title\n\nA *word*, **bold**, ~~gone~~.\n\n- one\n- two\n\n> said\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nhttps://kmnet.example"
    )
    assert "<h3>Title</h3>" in html
    assert "<p>A <em>word</em>, <strong>bold</strong>, <s>gone</s>.</p>" in html
    assert "<li>one</li>" in html
    assert "<blockquote>" in html
    assert "<td>2</td>" in html
    assert '<a href="https://kmnet.example" rel="noopener nofollow ugc">https://kmnet.example</a>' in html


def test_render_markdown_shows_a_picture_as_words():
    assert (
        render_markdown("![A chart](https://a.example/x.png)") == "<p>A chart (https://a.example/x.png)</p>\n"
    )


@pytest.mark.parametrize(
    "source",
    [
        "[" * 20_000,
        "*" * 20_000,
        ">" * 20_000,
        "a\n" * 20_000,
        "`" * 20_000,
        "![" * 10_000,
        "[a](" * 10_000,
        "- " * 10_000,
    ],
)
def test_render_markdown_of_hostile_nesting_ends_soon(source):
    start = time.thread_time()  # its own work, however busy the machine is
    render_markdown(source)
    assert time.thread_time() - start < 5


@pytest.mark.parametrize("use", ["[a]", "![a]"])
def test_render_markdown_does_not_blow_up_what_is_defined_once(use):
    """50 kB of text made 140 MB of page: one long address, used seven thousand times."""
    source = f"[a]: https://a.example/{'x' * 20_000}\n\n{f'{use} ' * 5_000}"
    assert len(render_markdown(source)) < 200_000
    assert '<a href="https://a.example/"' in render_markdown("See [a].\n\n[a]: https://a.example/")


def test_clean_text_keeps_what_was_typed_but_controls():
    assert clean_text("Zoë\r\nwrote\x0b this\x00 🙂‍↔️\ttab") == "Zoë\nwrote this 🙂‍↔️\ttab"


def test_clean_line_is_one_line():
    assert clean_line("  a\nb\u2028c\u200b \x1c d\u202e ") == "a b c d"


def test_fold_compares_without_case_and_accents():
    assert fold("  Étienne  GAGNON ") == "etienne gagnon"


def test_excerpt_cuts_at_a_word():
    assert excerpt("**Knowledge** mobilisers & friends, everywhere", 22) == "Knowledge mobilisers…"
    assert excerpt("Short & <b>sweet</b>", 80) == "Short & <b>sweet</b>"


def test_excerpt_keeps_the_items_of_a_list_and_headings_apart():
    source = "I write:\n\n- who came\n- what changed\n\nAfter a year we had 46 lines."
    assert excerpt(source, 80) == "I write: who came; what changed. After a year we had 46 lines."
    assert excerpt("- Who came?\n- What *changed*", 80) == "Who came? What changed"
    assert excerpt("## What I tried\n\nLunch.", 80) == "What I tried. Lunch."


# --- what posts have beyond that ---------------------------------------------------------------------------------------
PICTURE = re.compile(r"/files/[a-z]+\.png")
EXTRAS = Extras(
    anchor="a1",
    people=lambda handles: {one: f"/members/{one}/" for one in handles & {"ada"}},
    picture=PICTURE,
)


def rich(source):
    return render_markdown(source, EXTRAS)


@pytest.mark.parametrize(
    "source",
    [
        *HOSTILE,
        "[^a]\n\n[^a]: [x](javascript:alert(1)) <img src=x onerror=alert(1)>",
        '[^"onclick="x]\n\n[^"onclick="x]: y',
        "^[<script>alert(1)</script> [x](data:text/html,x)]",
        "![x](/files/../../etc.png) ![x](//evil.example/files/a.png) ![x](/files/a.png?x=https://evil.example)",
        '![" onerror="alert(1)](/files/a.png)',
        "![x](/files/a.png \"' onload='alert(1)\")",
        '@ada"onclick=alert(1) @<script>',
        "[@ada](javascript:alert(1))",
        "| @ada | ![x](/files/a.png) [^1] |\n|---|\n| <b>x</b> |\n\n[^1]: y",
    ],
)
def test_extras_let_through_only_what_they_make(source):
    parser = Structure()
    parser.feed(rich(source))
    allowed = {
        **ATTRIBUTES,
        "a": ATTRIBUTES["a"] | {"id", "role"},
        "li": {"id"},
        "section": {"class"},
        "img": {"src", "alt", "title", "loading"},
    }
    for tag, attributes in parser.found:
        assert tag in TAGS | {"sup", "section", "img"}
        assert set(attributes) - {"rel"} <= set(allowed.get(tag, set()))
        assert PICTURE.fullmatch(attributes["src"]) if tag == "img" else True
        assert not re.match(r"(?i)\s*(javascript|data|vbscript):", attributes.get("href", ""))
        assert re.fullmatch(r"fn(ref)?-a1-\d+(-\d+)?", attributes.get("id", "fn-a1-1"))


def test_footnotes_of_two_texts_keep_apart_and_lead_to_and_fro():
    html = rich("One[^n], again[^n], two[^m].\n\n[^n]: A *note*.\n\n[^m]: More.")
    ids = re.findall(r' id="([^"]*)"', html)
    assert ids == ["fnref-a1-1", "fnref-a1-1-1", "fnref-a1-2", "fn-a1-1", "fn-a1-2"]
    assert {one for one in re.findall(r'href="#([^"]*)"', html)} == set(ids)
    other = render_markdown("x[^n]\n\n[^n]: y", Extras("b2", EXTRAS.people, PICTURE))
    assert not set(re.findall(r' id="([^"]*)"', other)) & set(ids)
    assert render_markdown("x[^n]\n\n[^n]: y") == '<p>x<a href="y" rel="noopener nofollow ugc">^n</a></p>\n'


def test_people_are_linked_where_they_are_meant():
    link = '<a href="/members/ada/" rel="noopener nofollow ugc">@ada</a>'
    assert rich("Thank you @ada, and @nobody.") == f"<p>Thank you {link}, and @nobody.</p>\n"
    assert rich("**@ada**") == f"<p><strong>{link}</strong></p>\n"
    assert link.replace("@ada", "@Ada") in rich("(@Ada)")
    for source in (
        "`@ada`",
        "x@ada.org",
        "[see @ada](/x/)",
        "@ada-",
        "https://a.example/@ada",
        "@@ada",
        "\\@adam",
    ):
        assert "/members/ada/" not in rich(source)


def test_our_own_picture_is_shown_and_others_become_words():
    assert (
        rich("![A map](/files/map.png)") == '<p><img src="/files/map.png" alt="A map" loading="lazy"></p>\n'
    )
    assert "<img" not in rich("![A map](https://tracker.example/map.png)")
    assert render_markdown("![A map](/files/map.png)") == "<p>A map</p>\n"


@pytest.mark.parametrize(
    "source",
    [
        "[^1]" * 10_000 + "\n\n[^1]: x",
        "^[" * 25_000,
        "@ada " * 10_000,
        "[^a]: " * 5_000,
        "^[x]" * 5_000,
        "|" * 20_000,
    ],
)
def test_extras_of_hostile_texts_end_soon(source):
    began = time.process_time()  # of this process alone: the machine may be busy
    rich(source)
    assert time.process_time() - began < 5
