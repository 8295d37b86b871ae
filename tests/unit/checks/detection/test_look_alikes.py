"""What only looks like personal data is left alone: a prompt full of holes is no use to anyone."""

from __future__ import annotations

import pytest

from headgate.checks.detection import Detector
from headgate.config.detection import USUAL

HARMLESS = [
    "Order 4711-0815 shipped on 2025-03-12 at 14:05.",
    "Your order number is 123456789, invoice RE20250001.",
    "Upgrade from v1.2.3.4 to version 2.0.0.17 today.",
    "Version 10.4.2 needs Python 3.11 and 1.2.3-rc1.",
    "Request 3f2504e0-4f89-41d3-9a0c-0305e82c3301 failed.",
    "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
    "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "fingerprint 16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
    "ISBN 978-3-16-148410-0",
    "at 52.520008, 13.404954 in the park",
    "The total is $1,234,567.89, that is 12.5 % more.",
    "epoch 1700000000000 ms, 1700000000 s",
    "loopback is 127.0.0.1 and ::1, mask 255.255.255.0",
    "std::vector, a::b and 12:30:45 are no addresses",
    "logo@2x.png and git@github.com:acme/app.git",
    "The password is required. Your password is incorrect.",
    "Reset the password Friday, or use password managers (see password-policy-2024).",
    "password: ${DB_PASSWORD}, token: <your-token>, secret=********",
    "api_key = os.environ['OPENAI_API_KEY']",
    "max_tokens: 4096, temperature: 0.7",
    "Dear customer, dear Sir or Madam,",
    "Hi team,\nThanks all!\nBest regards,\nThe Support Team",
    "I am very happy. I'm Not Sure About That.",
    "The meeting is on 12 March 2025 at noon.",
    "Table 12-345 and section 4.2.1.3, page 17 of 230",
    "tracking 1Z999AA10123456784",
    "EAN 4006381333931",
    "card ending in 4242, 4111 1111 1111 1112 has a wrong digit",
    "DE00 3704 0044 0532 0130 00 has wrong check digits",
    "000-12-3456 and 666-12-3456 were never given out",
    "Die Bestellung 12345678 vom 12.03.2025 fehlt.",
    "La facture 2025-00123 du 12/03/2025 est réglée.",
    "订单12345678已于2025年3月12日发货。",
    "You are a helpful assistant of Acme. Answer in English, never mention Internal Tools.",
    "Hello World! This is Great News from Google Cloud Platform.",
    "name: Deploy Production\non: push\njobs: {build: {runs-on: ubuntu-24.04}}",
    '{"name": "get_weather", "description": "Current Weather", "strict": true}',
    "from: Support\nto: Marketing\nsubject: Re: Weekly Report",
    "def main(name: str = 'World', token: str | None = None) -> None:",
    "I'm Not Here. I am From Another Department.",
    "Contact Customer Support or the Billing Team.",
    "Max Tokens and Top P are set per request; see Table 3.",
    "class UserAccount(Base): password = Column(String)",
    "password = user.password_hash; token = new_token; secret = newSecret",
    'token = request.headers["x-token"]; api_key=self.api_key',
    "if name is None: token = tokens[:-1]; credentials: AsyncCredentials = MY_SECRET_KEY",
    "1 000 000 000 rows, 256 000 000 bytes",
    '{"token": "string", "password": "string", "secret": null}',
    "# Release Notes\n\n## Breaking Changes\n- Drop Python 3.10",
    "客户方面安全，高级经理与项目经理于昨日开会，我是高中生。",
    "Guten Tag, der Kunde Service hat den Vertrag Nr. 12 geprüft.",
    "SELECT id, token FROM sessions WHERE created_at > '2025-01-01 00:00:00'",
    "curl -H 'Authorization: Bearer $TOKEN' https://api.example.com/v1/models",
    "2025-03-12T14:05:09.123Z INFO worker-3 took 1234 ms",
]


@pytest.fixture(scope="module")
def detector():
    return Detector(USUAL)


@pytest.mark.parametrize("text", HARMLESS)
def test_a_look_alike_is_left_alone(detector, text):
    assert [(one.kind, text[one.start : one.end]) for one in detector.find(text)] == []


def test_a_number_that_needs_its_word_is_found_beside_it_only(detector):
    assert detector.find("Room 401 023 2137 was painted.") == []
    assert [one.kind for one in detector.find("NHS 401 023 2137")] == ["health_id"]


def test_a_lower_least_score_finds_what_is_less_sure():
    text = "Give it to Dorothy tomorrow."
    assert Detector(["person"]).find(text) == []
    (found,) = Detector(["person"], least_score=40).find(text)
    assert text[found.start : found.end] == "Dorothy"
