"""The pages of runs, workflows, figures and keys show what there is, and do what they offer."""

from __future__ import annotations

import re
import time

from consoles import RunningConsole, Visitor

TICKET = '{"subject": "Printer", "body": "It prints upside down since Monday."}'


def _ran(visitor: Visitor, text: str = TICKET, **fields: str) -> str:
    page = visitor.post("/console/workflows/ticket-triage/runs", {"input": text, **fields})
    assert page.status == 303, page.text
    return page.location


def _settled(visitor: Visitor, path: str, wanted: str) -> str:
    """The page once it holds `wanted`: the ledger follows a call within a moment."""
    deadline_s = time.monotonic() + 10
    while time.monotonic() < deadline_s:
        if wanted in (text := visitor.get(path).text):
            return text
        time.sleep(0.05)
    raise AssertionError(f"{path} never shows {wanted!r}: {text}")


def test_a_run_that_is_tried_is_shown_from_its_input_to_its_output(console: RunningConsole):
    visitor = console.signed_in()
    path = _ran(visitor)
    text = _settled(visitor, path, "One attempt.")
    for wanted in (
        "It prints upside down since Monday.",
        "Model called",
        "Output checked against its schema",
        "gpt-4.1-mini",
        "written by the workflow&#39;s owner",
        "which the workflow does not trust",
        "You triage support tickets",
        "recommended_action",
    ):
        assert wanted in text, wanted


def test_a_form_that_is_sent_twice_is_run_once(console: RunningConsole):
    visitor = console.signed_in()
    nonce = re.search(
        r'name="nonce" value="([^"]+)"', visitor.get("/console/workflows/ticket-triage").text
    )
    assert nonce is not None
    assert _ran(visitor, nonce=nonce[1]) == _ran(visitor, nonce=nonce[1])


def test_an_input_that_does_not_fit_is_told_and_kept_in_the_form(console: RunningConsole):
    visitor = console.signed_in()
    for given, wanted in (('{"subject": 5}', "does not fit"), ("{", "not valid JSON")):
        page = visitor.post("/console/workflows/ticket-triage/runs", {"input": given})
        assert page.status == 400
        assert wanted in page.text
        assert given.replace('"', "&#34;") in page.text
    checked = visitor.post("/console/workflows/ticket-triage/check", {"input": '{"subject": 5}'})
    assert "<code>subject</code>" in checked.text
    assert (
        "fits the schema"
        in visitor.post("/console/workflows/ticket-triage/check", {"input": TICKET}).text
    )


def test_runs_are_filtered_and_turned_page_by_page_without_one_twice_or_lost(
    console: RunningConsole,
):
    visitor = console.signed_in()
    made = [_ran(visitor).rpartition("/")[2] for _ in range(3)]
    listed: list[str] = []
    path = "/console/runs?workflow=ticket-triage&feature=console&status=completed"
    while True:
        text = visitor.get(path).text
        listed += re.findall(r'href="/console/runs/(run_\w+)"', text)
        older = re.search(r'rel="next" href="([^"]+)"', text)
        if older is None:
            break
        path = older[1].replace("&amp;", "&")
    assert listed == sorted(set(listed), reverse=True)
    assert set(made) <= set(listed)
    assert "No run fits" in visitor.get("/console/runs?workflow=nothing").text
    assert "No run fits" in visitor.get("/console/runs?status=rejected").text
    assert visitor.get(f"/console/runs?id={made[0]}").location == f"/console/runs/{made[0]}"
    assert visitor.get("/console/runs/run_that_is_not_there").status == 404


def test_the_overview_counts_a_call_as_soon_as_the_ledger_has_it(console: RunningConsole):
    visitor = console.signed_in()

    def on_page() -> int:
        found = re.search(r"<dt>Calls</dt><dd>([\d,]+)</dd>", visitor.get("/console").text)
        assert found is not None
        return int(found[1].replace(",", ""))

    before = console.calls_in_ledger()
    _ran(visitor)
    deadline_s = time.monotonic() + 10
    while not console.calls_in_ledger() == on_page() > before:
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def test_figures_are_split_and_narrowed(console: RunningConsole):
    visitor = console.signed_in()
    _ran(visitor)
    text = _settled(visitor, "/console?by=feature", "<td ")
    assert '<a href="/console?by=feature&amp;feature=console">console</a>' in text
    assert "Only" in visitor.get("/console?by=model&feature=console").text
    assert "No calls in the last 24 hours" in visitor.get("/console?workflow=nothing").text
    assert '<path class="line c1"' in text, "a chart without a script"
    assert "ticket-triage" in visitor.get("/console/costs?by=workflow").text


def test_a_new_key_is_shown_once_and_works_until_it_is_revoked(console: RunningConsole):
    visitor = console.signed_in()
    page = visitor.post(
        "/console/keys", {"name": "ticket queue", "role": "auditor", "project": "default"}
    )
    found = re.search(r'id="secret">(hg_[\w-]+)<', page.text)
    assert found is not None
    secret = found[1]
    assert secret not in visitor.get("/console/keys").text
    owner = console.signed_in(secret)
    assert owner.get("/console/settings").status == 200
    (key,) = [k for k in console.keys.list(limit=1000) if k.name == "ticket queue"]
    assert visitor.post(f"/console/keys/{key.id}/revoke", {}).location == "/console/keys"
    assert owner.get("/console/settings").status == 303
    assert console.visitor().sign_in(key=secret).status == 401


def test_a_form_for_a_key_that_is_sent_twice_makes_one_key(console: RunningConsole):
    visitor = console.signed_in()
    once = re.search(r'name="once" value="([^"]+)"', visitor.get("/console/keys").text)
    assert once is not None
    wanted = {"name": "asked twice", "role": "auditor", "project": "default", "once": once[1]}
    first, second = visitor.post("/console/keys", wanted), visitor.post("/console/keys", wanted)
    assert (first.status, second.status) == (200, 409)
    assert "made already" in second.text
    assert 'id="secret"' not in second.text
    chosen = wanted | {"once": "key_of_my_choice." + once[1].rpartition(".")[2]}
    assert visitor.post("/console/keys", chosen).status == 200
    made = [key.id for key in console.keys.list(limit=1000) if key.name == "asked twice"]
    assert made[0] == once[1].rpartition(".")[0]
    assert "key_of_my_choice" not in made
    assert len(made) == 2


def test_a_key_that_is_asked_for_wrongly_says_which_field(console: RunningConsole):
    visitor = console.signed_in()
    for fields, wanted in (
        ({"name": "", "role": "app", "project": "default"}, "`name`"),
        ({"name": "x", "role": "app", "project": "nowhere"}, "no project"),
        ({"name": "x", "role": "app", "project": "default", "days": "x"}, "`days`"),
        ({"name": "x", "role": "app", "project": "default", "models": "a b <"}, "models[2]"),
        ({"name": "x", "role": "boss", "project": "default"}, "`role`"),
    ):
        page = visitor.post("/console/keys", fields)
        assert page.status == 400, fields
        assert wanted in page.text


def test_settings_show_the_policy_and_no_secret(console: RunningConsole):
    text = console.signed_in().get("/console/settings").text
    assert "sign_in_attempts" in text
    assert "sk-of-the-simulator" not in text
    assert "api_key" in text


def test_the_theme_is_kept_and_leads_back(console: RunningConsole):
    visitor = console.signed_in()
    page = visitor.post("/console/theme", {"theme": "dark", "next": "/console/keys"})
    assert page.location == "/console/keys"
    assert 'data-theme="dark"' in visitor.get("/console/keys").text
    visitor.post("/console/theme", {"theme": "<b>", "next": "https://evil.example"})
    assert 'data-theme="auto"' in visitor.get("/console/keys").text


def test_style_and_scripts_are_kept_by_browsers_and_nothing_else_is_served(
    console: RunningConsole,
):
    visitor = console.visitor()
    found = re.search(
        r'href="(/console/static/\w+/console\.css)"', visitor.get("/console/sign-in").text
    )
    assert found is not None
    page = visitor.get(found[1])
    assert page.status == 200
    assert "immutable" in page.headers["cache-control"]
    folder = found[1].rpartition("/")[0]
    for name in ("../rendering.py", "..%2Frendering.py", "vendor/uPlot-LICENSE.txt", "x.css"):
        assert visitor.get(f"{folder}/{name}").status == 404, name
    assert visitor.get("/console/static/000000000000/console.css").status == 404


def test_what_is_sent_to_the_wrong_place_does_nothing(console: RunningConsole):
    visitor = console.signed_in()
    csrf = visitor.csrf("/console/keys")
    assert visitor.ask("PUT", "/console/keys").status == 405
    assert visitor.get("/console/sign-out").status == 404
    json_page = visitor.ask("POST", "/console/keys", "{}", {"content-type": "application/json"})
    assert json_page.status == 400
    big = visitor.post("/console/theme", {"theme": "x" * 5_000_000}, csrf=csrf)
    assert big.status == 413
