"""How is a number told that a tax office knows somebody by? By its form and check digits."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from headgate.checks.detection.rule import Rule
from headgate.checks.detection.rules.numbering import Form, rules_of
from headgate.config.detection import Language


def rules(languages: Collection[Language]) -> list[Rule]:
    """Numbers of every country: a text in one language holds those of another."""
    del languages
    return rules_of("tax_id", _FORMS)


_ANY: Final = (
    r"tax(?:payer)? ?(?:id|no|num|ref|file|ident)|tin\b|vat (?:id|no|num|reg)|steuer-?(?:id|n)|"
    r"num[ée]ro fiscal|r[ée]f[ée]rence fiscale|identification fiscale|"
    r"identificaci[óo]n fiscal|codice fiscale|fiscaal nummer|n[úu]mero fiscal|纳税人识别号|税号"
)

_FORMS: Final = (
    # United States
    Form(r"9\d{2}[- ]\d{2}[- ]\d{4}", "us.itin", 88, r"itin\b|taxpayer", 97),
    Form(r"9\d{8}", "us.itin", 0, r"itin\b|individual taxpayer"),
    Form(r"\d{2}-\d{7}", "us.ein", 0, rf"f?ein\b|employer identif|federal tax|irs\b|{_ANY}"),
    # The European Union and its neighbours: VAT
    Form(
        r"(?:AT ?U|BE ?[01]|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI"
        r"|SK|XI)[ -]?[A-Z0-9]{1,2} ?\d{2,3}[ .]?\d{2,3}[ .]?\d{0,6}(?:[A-Z]\d{0,2}|[A-Z]{1,2})?",
        "eu.vat",
        86,
        r"vat\b|ust-?id|uid\b|tva\b|iva\b|btw\b|nif\b|cif\b",
        96,
    ),
    Form(r"GB ?\d{3} ?\d{4} ?\d{2}(?: ?\d{3})?", "gb.vat", 86, r"vat\b", 96),
    # United Kingdom
    Form(r"\d{10}|\d{5} \d{5}", "gb.utr", 0, r"utr\b|unique taxpayer|self.assessment"),
    # Germany
    Form(r"\d{2} \d{3} \d{3} \d{3}", "de.idnr", 85, r"steuer|idnr|tin\b", 97),
    Form(r"\d{11}", "de.idnr", 0, r"steuer|idnr|id-?nr|tin\b"),
    Form(r"\d{2,3}/\d{3,4}/\d{4,5}", "de.stnr", 60, r"steuer|st\.?-?nr|finanzamt", 95),
    # France
    Form(r"[0-3]\d ?\d{2} ?\d{3} ?\d{3} ?\d{3}", "fr.nif", 0, rf"spi\b|nif\b|{_ANY}"),
    Form(r"\d{3} ?\d{3} ?\d{3}", "fr.siren", 0, r"siren"),
    Form(r"\d{3} ?\d{3} ?\d{3} ?\d{5}", "fr.siret", 0, r"siret"),
    # Spain
    Form(r"[ABCDEFGHJNPQRSUVW]-?\d{7}-?[0-9A-J]", "es.cif", 78, r"cif\b|nif\b", 95),
    # Italy
    Form(r"\d{11}", "it.iva", 0, r"p\.? ?iva|partita iva"),
    # Portugal
    Form(r"\d{9}|\d{3} \d{3} \d{3}", "pt.nif", 0, rf"nif\b|nipc\b|contribuinte|{_ANY}"),
    # Brazil
    Form(r"\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}", "br.cnpj", 95, ""),
    Form(r"\d{14}", "br.cnpj", 0, r"cnpj"),
    # China
    Form(r"[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}", "cn.uscc", 85, "", 96),
    # Others
    Form(r"[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z]", "in_.pan", 84, r"pan\b"),
    Form(r"\d{2}[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[0-9A-Z]", "in_.gstin", 92, ""),
    Form(r"\d{3} ?\d{3} ?\d{2,3}", "au.tfn", 0, r"tfn\b|tax file"),
    Form(r"\d{2} ?\d{3} ?\d{3} ?\d{3}", "au.abn", 0, r"abn\b|australian business"),
    Form(r"\d{2}-\d{8}-\d", "ar.cuit", 88, r"cui[tl]"),
    Form(r"[A-ZÑ&]{3,4}-?\d{6}-?[A-Z0-9]{3}", "mx.rfc", 60, r"rfc\b"),
    Form(r"\d{10}|\d{3}-\d{3}-\d{2}-\d{2}", "pl.nip", 0, r"nip\b"),
    Form(r"\d[\d ./-]{6,13}\d", lambda value: 8 <= len(value) <= 14, 0, _ANY, 66),
)
