"""Values of every kind are found, exactly where they stand, in the forms that people write."""

from __future__ import annotations

import pytest

from headgate.checks.detection import Detector

FOUND = {
    "email": [
        "Write to [jane.roe+shop@mail.example.co.uk], please.",
        "<[JANE@EXAMPLE.COM]>",
        "mailto:[o'neil@example.org]",
        "我的邮箱是[wang@example.cn]。",
        "jetzt an [müller@bücher.example]!",
        "reach me: [jane [at] example [dot] com]",
        "level=info user=[jane.roe@example.com] took=3",
        "https://shop.example/users/[jane@example.com]?tab=1",
        "https://shop.example/?a=1&mail=[jane%40example.com]&b=2",
        "of [bounce+jane.roe=example.com@lists.example.org]",
        "of /[G=Jane/S=Roe/@gateway.example.org]",
    ],
    "phone": [
        "Call [(212) 736-5000] after five.",
        "[+49 (0)30 2093 4567] ist besetzt",
        "Tel.: [030 20934567]",
        "mobile [07700 900123]",
        "au [06 12 34 56 78] le soir",
        "llámeme al [612 345 678]",
        "al [347 123 4567] dopo cena",
        "bel [06-12345678]",
        "ligue para [912 345 678]",
        "[(11) 98765-4321]",
        "手机[13812345678]，谢谢",
        "office [212-736-5000 ext. 12]",
        "[00 49 30 20934567]",
        "call [1-800-736-5000]",
    ],
    "payment_card": [
        "Card [4242 4242 4242 4242] was charged",
        "[4242-4242-4242-4242]",
        "[4242.4242.4242.4242]",
        "[378282246310005]",
        "[3782 822463 10005]",
        "信用卡[6011111111111117]",
        "CVV: [123]",
    ],
    "iban": [
        "to [DE89 3704 0044 0532 0130 00] BY FRIDAY",
        "[GB82WEST12345698765432]",
        "[nl91abna0417164300]",
        "IBAN:[FR1420041010050500013M02606].",
    ],
    "national_id": [
        "SSN [078-05-1121]",
        "social security number [078051121]",
        "NINO [AB 12 34 56 C]",
        "[15 070649 C 103]",
        "numéro [2 55 08 14 168 025 38] au dossier",
        "DNI [12345678Z]",
        "[X1234567L]",
        "[RSSMRA85T10A562S]",
        "BSN [111222333]",
        "CPF [390.533.447-05]",
        "身份证[11010519491231002X]",
        "[756.9217.0769.85]",
        "PESEL [44051401359]",
        '"ssn_number": [078051121],',
    ],
    "tax_id": [
        "Steuer-ID [86095742719]",
        "[86 095 742 719]",
        "VAT [DE136695976]",
        "EIN [91-1144442]",
        "[912-90-3456]",
        "CNPJ [16.727.230/0001-97]",
        "partita IVA [00743110157]",
        "NIF [501964843]",
        "[91110000600037341L]",
    ],
    "passport": [
        "passport [C01X00T47]",
        "Passport No: [123456789]",
        "passeport n° [12AB34567]",
        "护照[E12345678]",
        "pasaporte [AAA123456]",
        "passport_number=[123456789]",
        "[P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10]",
    ],
    "health_id": [
        "NHS number [943 476 5919]",
        "[1EG4-TE5-MK73]",
        "MRN: [00123456]",
        "MRN# [00482913]",
        "NPI [1234567893]",
        "Versichertennummer [A123456780]",
        "病历号[20240001]",
    ],
    "ip_address": [
        "from [203.0.113.7] port 22",
        "[2001:db8::8a2e:370:7334]",
        "http://[192.0.2.1]:8080/",
        "[fe80::1ff:fe23:4567:890a]%eth0",
    ],
    "mac_address": ["ether [00:1A:2B:3C:4D:5E] up", "[00-1a-2b-3c-4d-5e]", "[001a.2b3c.4d5e]"],
    "date_of_birth": [
        "born on [12 March 1985]",
        "DOB: [03/12/1985]",
        "geb. [12.03.1985]",
        "née le [12 mars 1985]",
        "nací el [12 de marzo de 1985]",
        "nata il [12/03/1985]",
        "geboren op [12-03-1985]",
        "nascida em [12 de março de 1985]",
        "出生日期：[1985年3月12日]",
        "[1985-03-12] (date of birth)",
        '{"date_of_birth": "[1985-03-12]"}',
    ],
    "secret": [
        "key [sk-proj-aB3dE6gH9jK2mN5pQ8sT1vW4]",
        "[sk-ant-api03-aB3dE6gH9jK2mN5pQ8sT1vW4]",
        "my key is [hg_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0dE3fG6-h_Ij7] now",
        "[AKIAIOSFODNN7EXAMPLE]",
        "token [ghp_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0dE3fG6]",
        "[xoxb-123456789012-abcdefABCDEF]",
        "[eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl]",
        "postgres://app:[s3cr3t-Pa55]@db/app",
        "password: [hunter2!]",
        '"client_secret": "[Zx81Kq0vLm3N]"',
        "Das Passwort lautet [Sommer2024]",
        "le mot de passe est [Soleil!42]",
        "密码是[Abc12345]，请修改",
        '{"password": "[sunshine]"}',
        "PGPASSWORD=[Tr0ub4dor] psql",
        "log in with password [Adm1n!2024] now",
        "curl -s -u jane:[S3cretPw] https://api.example.com",
        "Authorization: Bearer [9f86d081884c7d659a2feaa0c55ad015]",
        "[-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----]",
        "Server=db;User=sa;Password=[Tr0ub4dor];",
    ],
    "street_address": [
        "at [221 Baker Street], London",
        "[1600 Amphitheatre Parkway, Mountain View, CA 94043]",
        "in der [Hauptstraße 12a, 10115 Berlin]",
        "au [12 bis, rue de la Paix, 75002 Paris]",
        "vivo en [Calle de Alcalá 45, 28014 Madrid]",
        "abito in [Via Garibaldi 7, 20121 Milano]",
        "op de [Keizersgracht 123, 1015 CJ Amsterdam]",
        "na [Rua Augusta, 1500]",
        "住在[北京市朝阳区建国路88号]",
        "[P.O. Box 1234]",
    ],
    "person": [
        "my name is [Jane Roe] and",
        "Dear [Jane],",
        "Mr. [O'Brien] called",
        "Sehr geehrte Frau Dr. [Müller-Lüdenscheidt],",
        "je m'appelle [Chloé Dupont].",
        "me llamo [José García López] y",
        "mi chiamo [Giulia Rossi] e",
        "mijn naam is [Jan van der Berg] en",
        "meu nome é [João da Silva].",
        "我叫[王小明]，",
        "[张伟]先生来电",
        "请[陈]经理签字",
        '{"first_name": "[Jane]", "phone": null}',
        '{"name": "[Jane Roe]"}',
        "Name: [Jane Roe]",
        "Best regards,\n[Priya Patel]\nSupport",
        "From: [Maria Schmidt] <m@example.org>",
        "Patient: [John A. Smith], room 4",
        "Danke und Gruß, [Stefan]",
    ],
    "place": ["I live in [Springfield] now", "the office in [Tokyo]", "wohnhaft in [Bad Tölz]"],
    "organisation": ["a contract with [Acme Widgets Ltd]", "[Müller & Söhne GmbH] liefert"],
}

CASES = [(kind, marked) for kind, each in FOUND.items() for marked in each]


@pytest.fixture(scope="module")
def detector():
    return Detector()


@pytest.mark.parametrize(("kind", "marked"), CASES, ids=[f"{k}-{m}" for k, m in CASES])
def test_a_value_is_found_where_it_stands(detector, kind, marked):
    # The outermost brackets mark the value; an address written with [at] has its own inside.
    start, end = marked.index("["), marked.rindex("]") - 1
    text = marked[:start] + marked[start + 1 : end + 1] + marked[end + 2 :]
    found = [(one.kind, text[one.start : one.end]) for one in detector.find(text)]
    assert (kind, text[start:end]) in found
