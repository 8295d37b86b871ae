"""Signing in to the console: who gets in, for how long, and what a stranger can't do."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from consoles import ADMIN_KEY, PASSWORD, RunningConsole, running_console
from headgate.storage.console_tables import sessions


def test_a_key_opens_the_console_and_a_stranger_is_led_to_sign_in(console: RunningConsole):
    stranger = console.visitor()
    page = stranger.get("/console/runs?status=failed")
    assert page.status == 303
    assert page.location == "/console/sign-in?next=%2Fconsole%2Fruns%3Fstatus%3Dfailed"
    page = stranger.sign_in(key=ADMIN_KEY, to="/console/runs?status=failed")
    assert (page.status, page.location) == (303, "/console/runs?status=failed")
    assert stranger.get("/console").status == 200


def test_the_cookie_is_for_the_server_alone_and_the_database_has_only_its_hash(
    console: RunningConsole,
):
    visitor = console.visitor()
    page = visitor.sign_in(key=ADMIN_KEY)
    (cookie,) = [c for c in page.set_cookies if c.startswith("headgate_session=")]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie  # it came over plain http
    token = visitor.cookies["headgate_session"]
    with console.database.connect() as connection:
        rows = connection.execute(sa.select(sessions)).all()
    assert rows
    assert all(token.encode() not in bytes(row.digest) for row in rows)
    assert all(token not in str(value) for row in rows for value in row)


def test_a_session_gets_a_new_token_with_each_sign_in_and_the_old_one_ends(
    console: RunningConsole,
):
    visitor = console.signed_in()
    old = visitor.cookies["headgate_session"]
    form = console.visitor()
    csrf = form.csrf()
    form.cookies["headgate_session"] = old
    page = form.post("/console/sign-in", {"key": ADMIN_KEY}, csrf=csrf)
    assert page.status == 303
    assert form.cookies["headgate_session"] != old
    assert form.get("/console").status == 200
    assert visitor.get("/console").status == 303, "the session that it replaced has ended"


def test_a_user_signs_in_with_a_password_and_a_wrong_one_does_not(console: RunningConsole):
    console.users.create("maria", PASSWORD, role="reviewer", project="default")
    visitor = console.visitor()
    page = visitor.sign_in(name="maria", password=PASSWORD + "!")
    assert page.status == 401
    assert "do not belong together" in page.text
    assert "headgate_session" not in visitor.cookies
    nobody = console.visitor().sign_in(name="nobody", password=PASSWORD)
    assert nobody.status == 401
    said = [re.search(r'role="alert"><p>(.*?)</p>', answer.text) for answer in (page, nobody)]
    assert said[0] is not None
    assert said[1] is not None
    assert said[0][1] == said[1][1], "the page must not tell which names there are"
    assert visitor.sign_in(name="Maria ", password=PASSWORD).status == 303
    assert "maria" in visitor.get("/console/runs").text


def test_a_sign_in_page_that_was_open_overnight_still_signs_in(console: RunningConsole):
    shown = console.visitor().get("/console/sign-in?next=%2Fconsole%2Freviews")
    (cookie,) = shown.set_cookies
    lasts = re.search(r"Max-Age=(\d+)", cookie)
    assert lasts is not None
    assert int(lasts[1]) >= 3 * 24 * 3600
    visitor = console.visitor()
    fields = {"key": ADMIN_KEY, "next": "/console/reviews"}
    without = visitor.post("/console/sign-in", fields, csrf="of a cookie that is gone")
    assert without.status == 403
    assert "open for too long" in without.text
    assert 'name="next" value="/console/reviews"' in without.text
    assert ADMIN_KEY not in without.text
    csrf = re.search(r'name="csrf" value="([^"]+)"', without.text)
    assert csrf is not None
    assert visitor.post("/console/sign-in", fields, csrf=csrf[1]).location == "/console/reviews"


def test_what_is_no_name_is_nobodys(console: RunningConsole):
    for name in ("a\0b", "ß" * 64, "'; --"):
        page = console.visitor().sign_in(name=name, password=PASSWORD)
        assert page.status == 401, name


def test_a_user_who_is_disabled_or_gets_a_new_password_is_out_at_once(console: RunningConsole):
    console.users.create("paul", PASSWORD, role="developer", project="default")
    visitor = console.visitor()
    visitor.sign_in(name="paul", password=PASSWORD)
    assert visitor.get("/console").status == 200
    console.users.disable("paul")
    assert visitor.get("/console").status == 303
    assert visitor.sign_in(name="paul", password=PASSWORD).status == 401
    console.users.set_password("paul", PASSWORD + "2")
    assert visitor.sign_in(name="paul", password=PASSWORD + "2").status == 303
    console.users.set_password("paul", PASSWORD + "3")
    assert visitor.get("/console").status == 303


def test_a_revoked_key_ends_its_sessions(console: RunningConsole):
    secret = console.new_key("auditor")
    visitor = console.signed_in(secret)
    assert visitor.get("/console/settings").status == 200
    (key,) = [k for k in console.keys.list(limit=1000) if k.hint == secret[-4:]]
    console.keys.revoke(key.id)
    assert visitor.get("/console/settings").status == 303


def test_a_key_for_an_application_does_not_open_the_console(console: RunningConsole):
    page = console.visitor().sign_in(key=console.new_key("app"))
    assert page.status == 403
    assert "is for applications" in page.text


@pytest.mark.parametrize("key", ["hg_wrong", "Schlüssel", "x" * 600, "a b"])
def test_what_is_no_key_opens_nothing(console: RunningConsole, key: str):
    visitor = console.visitor()
    assert visitor.sign_in(key=key).status == 401
    assert visitor.get("/console").status == 303


def test_signing_out_ends_the_session_and_not_only_the_cookie(console: RunningConsole):
    visitor = console.signed_in()
    token = visitor.cookies["headgate_session"]
    assert visitor.post("/console/sign-out", {}).location == "/console/sign-in"
    assert "headgate_session" not in visitor.cookies
    visitor.cookies["headgate_session"] = token
    assert visitor.get("/console").status == 303


def test_a_form_without_its_token_or_from_another_site_does_nothing(console: RunningConsole):
    visitor = console.signed_in()
    keys = len(console.keys.list(limit=1000))
    wanted = {"name": "sneaky", "role": "admin", "project": "default"}
    for csrf in ("", "wrong", console.signed_in().csrf("/console/keys")):
        page = visitor.post("/console/keys", wanted, csrf=csrf)
        assert page.status == 403, csrf
        assert "nothing was done" in page.text
    csrf = visitor.csrf("/console/keys")
    foreign = visitor.with_headers(sec_fetch_site="cross-site")
    assert foreign.post("/console/keys", wanted, csrf=csrf).status == 403
    assert len(console.keys.list(limit=1000)) == keys


def test_the_sign_in_form_is_bound_to_the_browser_that_asked_for_it(console: RunningConsole):
    csrf = console.visitor().csrf()
    other = console.visitor()
    other.get("/console/sign-in")
    page = other.post("/console/sign-in", {"key": ADMIN_KEY}, csrf=csrf)
    assert page.status == 403
    assert "headgate_session" not in other.cookies


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "/console\\@evil", "/v1/models", "/consoles", ""],
)
def test_signing_in_leads_only_to_pages_of_the_console(console: RunningConsole, target: str):
    assert console.visitor().sign_in(key=ADMIN_KEY, to=target).location == "/console"


def test_every_answer_carries_the_headers_that_keep_strangers_out(console: RunningConsole):
    visitor = console.signed_in()
    stranger = console.visitor()
    for page in (
        visitor.get("/console"),
        visitor.get("/console/nowhere"),
        stranger.get("/console"),
        stranger.get("/console/sign-in"),
        stranger.get("/console/static/x/y"),
        stranger.ask("DELETE", "/console/runs"),
    ):
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["cache-control"] == "no-store"


def test_no_page_has_a_script_or_a_style_of_its_own(console: RunningConsole):
    visitor = console.signed_in()
    for path in ("/console", "/console/runs", "/console/workflows/ticket-triage", "/console/keys",
                 "/console/costs", "/console/settings", "/console/reviews"):  # fmt: skip
        text = visitor.get(path).text
        for tag in re.findall(r"<script\b[^>]*>", text):
            assert "src=" in tag or 'type="application/json"' in tag, (path, tag)
        assert "<style" not in text
        assert not re.search(r"<[^>]*\s(style|on[a-z]+)=", text), path


def test_https_behind_a_trusted_proxy_makes_the_cookie_secure(sqlite_url: str, tmp_path: Path):
    settings = "server: {trusted_proxies: [127.0.0.1/32]}\n"
    with running_console(tmp_path / "p", sqlite_url, settings=settings) as console:
        visitor = console.visitor().with_headers(x_forwarded_proto="https")
        page = visitor.sign_in(key=ADMIN_KEY)
        (cookie,) = [c for c in page.set_cookies if "headgate_session=" in c]
        assert cookie.startswith("__Host-headgate_session=")
        assert "Secure" in cookie
        assert visitor.get("/console").status == 200


def test_many_attempts_have_to_wait_whoever_makes_them_and_however_many_at_once(
    database_url: str, tmp_path: Path
):
    settings = "console: {sign_in_attempts: 5}\n"
    with running_console(tmp_path / "p", database_url, settings=settings) as console:
        visitors = [console.visitor() for _ in range(12)]
        tokens = [visitor.csrf() for visitor in visitors]
        statuses: list[int] = []

        def attempt(number: int) -> None:
            page = visitors[number].post(
                "/console/sign-in", {"key": f"hg_guess-{number}"}, csrf=tokens[number]
            )
            statuses.append(page.status)

        threads = [threading.Thread(target=attempt, args=(n,)) for n in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [401] * 5 + [429] * 7
        page = console.visitor().sign_in(key=ADMIN_KEY)
        assert page.status == 429, "the right key has to wait as well"
        assert int(page.headers["retry-after"]) > 0


def test_a_session_ends_when_its_time_is_over(sqlite_url: str, tmp_path: Path):
    with running_console(tmp_path / "p", sqlite_url) as console:
        visitor, idle = console.signed_in(), console.signed_in()
        with console.database.begin() as connection:
            rows = (
                connection.execute(sa.select(sessions.c.digest).order_by(sessions.c.created_at_us))
                .scalars()
                .all()
            )
            first, second = rows
            connection.execute(
                sessions.update().where(sessions.c.digest == first).values(ends_at_us=1)
            )
            connection.execute(
                sessions.update().where(sessions.c.digest == second).values(seen_at_us=1)
            )
        assert visitor.get("/console").status == 303
        assert idle.get("/console").status == 303


def test_a_page_that_renews_itself_keeps_no_session_open(sqlite_url: str, tmp_path: Path):
    with running_console(tmp_path / "p", sqlite_url) as console:
        visitor = console.signed_in()

        def seen_at_us() -> int:
            with console.database.connect() as connection:
                return connection.execute(sa.select(sessions.c.seen_at_us)).scalar_one()

        with console.database.begin() as connection:
            earlier_us = seen_at_us() - 600_000_000
            connection.execute(sessions.update().values(seen_at_us=earlier_us))
        assert (
            'hx-headers=\'{"x-headgate-renews"'
            in visitor.ask("GET", "/console", headers={"x-headgate-renews": "yes"}).text
        )
        assert seen_at_us() == earlier_us
        visitor.get("/console")
        assert seen_at_us() > earlier_us


def test_whoever_opens_the_servers_address_is_led_to_the_console(console: RunningConsole):
    answer = console.visitor().get("/")
    assert (answer.status, answer.headers["location"]) == (307, "/console")


def test_a_console_that_is_turned_off_is_not_there(sqlite_url: str, tmp_path: Path):
    with running_console(
        tmp_path / "p", sqlite_url, settings="console: {enabled: false}\n"
    ) as console:
        assert console.visitor().get("/console").status == 404
        assert console.visitor().get("/").status == 404
        assert console.visitor().get("/console/sign-in").status == 404


def test_passwords_can_be_turned_off(sqlite_url: str, tmp_path: Path):
    with running_console(
        tmp_path / "p", sqlite_url, settings="console: {password_sign_in: false}\n"
    ) as console:
        console.users.create("maria", PASSWORD, role="reviewer", project="default")
        visitor = console.visitor()
        assert 'name="password"' not in visitor.get("/console/sign-in").text
        assert visitor.sign_in(name="maria", password=PASSWORD).status == 401
