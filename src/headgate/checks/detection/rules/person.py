"""How is a person's name told? By the words that introduce, greet, label or sign with it.

Rules miss names that nothing introduces; the optional engine reads the sentence and finds more.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from headgate.checks.detection.letters import LETTER, LOWER, UPPER
from headgate.checks.detection.rule import Rule, Words
from headgate.checks.detection.words.given_names import FAMILY_NAMES_ZH, GIVEN_NAMES
from headgate.config.detection import Language

_PART: Final = rf"[{UPPER}](?:[{LETTER}]*[{LOWER}][{LETTER}]*)?(?:['-][{UPPER}][{LOWER}]+)*"
_CAPITALS: Final = rf"[{UPPER}]{{2,20}}(?:['-][{UPPER}]{{2,20}})?"
_INITIAL: Final = rf"[{UPPER}]\."
_OF: Final = (
    r"(?:de la|de los|de las|de|del|della|di|da|dos|das|do|van der|van den|van de|van|von der|von|zu|"
    r"ter|ten|bin|ibn|al|el|le|la|Mac|Mc|St\.|y|e)"
)
_NEXT: Final = rf"(?: (?:{_OF} )?(?:{_PART}|{_INITIAL}|{_CAPITALS}))"
_ONE: Final = rf"(?:{_PART}|{_INITIAL}|[DLO]'{_PART})"
_NAME: Final = rf"({_ONE}{_NEXT}{{0,4}})"
_FULL_NAME: Final = rf"({_ONE}{_NEXT}{{1,4}})"

_TITLES: Final[Words] = {
    "en": r"Mr|Mrs|Ms|Mx|Miss|Dr|Prof|Professor|Doctor|Sir|Madam|Dame|Lady|Lord|Rev|Judge|Nurse|Officer",
    "de": r"Herrn?|Frau|Fräulein|Dr|Prof|Dipl\.-Ing|Univ\.Prof",
    "fr": r"M|Mme|Mlle|Monsieur|Madame|Mademoiselle|Me|Maître|Docteur|Dr|Pr",
    "es": r"Sr|Sra|Srta|Señora?|Señorita|Don|Doña|D|Dña|Dra?",
    "it": r"Sig|Sig\.ra|Sig\.na|Signora?|Signorina|Dott|Dott\.ssa|Dottor|Dottoressa|Avv|Ing|Prof",
    "nl": r"Dhr|Mevr|Mw|Meneer|Mevrouw|De heer|dhr|mevr|mw|meneer|mevrouw|de heer|Drs|Ir",
    "pt": r"Sr|Sra|Srta|Senhora?|Dona|D|Dra?|Exmo\. Sr|Eng",
}
_GREETINGS: Final[Words] = {
    "en": r"Dear|Hi|Hello|Hey|Good (?:morning|afternoon|evening)|Thanks|Thank you|Welcome|Cheers",
    "de": r"Hallo|Liebe[rs]?|Sehr geehrte[r]?|Guten (?:Tag|Morgen|Abend)|Servus|Grüß Gott|Moin|Danke",
    "fr": r"Bonjour|Bonsoir|Salut|Ch[eè]re?|Coucou|Merci",
    "es": r"Hola|Estimad[oa]|Querid[oa]|Buenos días|Buenas tardes|Gracias",
    "it": r"Ciao|Salve|Car[oa]|Gentile|Egregi[oa]|Gentilissim[oa]|Spettabile|Buongiorno|Buonasera|Grazie",
    "nl": r"Beste|Hallo|Hoi|Geachte|Lieve|Goedemorgen|Goedemiddag|Dag|Bedankt",
    "pt": r"Olá|Oi|Car[oa]|Prezad[oa]|Estimad[oa]|Querid[oa]|Bom dia|Boa tarde|Obrigad[oa]",
}
_INTRODUCTIONS: Final[Words] = {
    "en": r"my name is|my name's|name is|called|named|call me|this is|I am|I'm|signed by|written by|spoke (?:to|with)|"
    r"speak (?:to|with)|met (?:with)?|on behalf of|c/o|attn:?|contact|ask for|assigned to|reported by|married to|"
    r"sent by|from|cc",
    "de": r"mein Name ist|ich heiße|ich heisse|ich bin|heißt|namens|mit Namen|hier ist|hier spricht|im Auftrag von|"
    r"unterschrieben von|gesprochen mit|verheiratet mit|von|z\. ?Hd\.",
    "fr": r"je m'appelle|mon nom est|je suis|s'appelle|nomm[ée]e?|c'est|au nom de|sign[ée] par|de la part de|"
    r"ici|parl[ée] [àa]|parl[ée] avec|contacter",
    "es": r"me llamo|mi nombre es|soy|se llama|llamad[oa]|de parte de|en nombre de|firmado por|habl[ée] con|"
    r"hablar con|le habla|contactar con",
    "it": r"mi chiamo|il mio nome [èe]|sono|si chiama|di nome|da parte di|per conto di|firmato da|parlato con|"
    r"parlare con|contattare",
    "nl": r"mijn naam is|ik heet|ik ben|heet|genaamd|namens|ondertekend door|gesproken met|spreken met|t\.a\.v\.|met",
    "pt": r"meu nome [ée]|chamo-me|me chamo|eu sou|sou|chama-se|se chama|chamad[oa]|em nome d[eoa]|assinado por|"
    r"falei com|falar com|da parte de|aqui [ée]",
}
_WEAK: Final = (
    "this is|I am|I'm|from|cc|called|named|met|met with|contact|ich bin|hier ist|von|je suis|c'est|ici|soy|sono|"
    "ik ben|met|sou|eu sou|contactar con|contattare|contacter|namens"
).split("|")
"""Introduce other things as well, so only a name of two words or more is taken behind them."""

_LABELS: Final[Words] = {
    "en": r"(?:full |first |last |sur|given |family |customer |client |patient |employee |account )?name|customer|client|"
    r"patient|employee|tenant|applicant|candidate|claimant|insured|policy ?holder|card ?holder|account holder|"
    r"contact(?: person)?|author|assignee|reporter|requester|signed|signature|from|to|cc|attn|attention|recipient|"
    r"sender|guest|passenger|student|witness|manager|doctor|physician|beneficiary|next of kin|emergency contact",
    "de": r"(?:vor|nach|familien)?name|kund(?:e|in)|patient(?:in)?|mitarbeiter(?:in)?|mieter(?:in)?|bewerber(?:in)?|"
    r"versicherte[r]?|kontoinhaber(?:in)?|ansprechpartner(?:in)?|kontakt|von|an|empfänger|absender|gezeichnet|gez\.|"
    r"antragsteller(?:in)?|sachbearbeiter(?:in)?",
    "fr": r"(?:pr[ée])?nom(?: complet| et pr[ée]nom| de famille)?|client[e]?|patient[e]?|salari[ée]e?|locataire|candidat[e]?|"
    r"assur[ée]e?|titulaire|contact|de|[àa]|destinataire|exp[ée]diteur|sign[ée]|demandeur",
    "es": r"nombre(?: completo| y apellidos)?|apellidos?|client[ea]|paciente|emplead[oa]|inquilin[oa]|solicitante|titular|"
    r"asegurad[oa]|contacto|de|para|destinatari[oa]|remitente|firmado|firma",
    "it": r"(?:cog)?nome(?: e cognome| completo)?|cliente|paziente|dipendente|inquilino|candidat[oa]|intestatari[oa]|"
    r"assicurat[oa]|contatto|da|a|destinatari[oa]|mittente|firmato|firma|richiedente",
    "nl": r"(?:voor|achter)?naam|klant|pati[ëe]nt|medewerker|huurder|sollicitant|verzekerde|rekeninghouder|"
    r"contactpersoon|van|aan|ontvanger|afzender|getekend|aanvrager",
    "pt": r"(?:sobre)?nome(?: completo)?|cliente|paciente|funcion[áa]ri[oa]|inquilin[oa]|candidat[oa]|titular|segurad[oa]|"
    r"contato|contacto|de|para|destinat[áa]ri[oa]|remetente|assinado|assinatura|utente|requerente",
}
_SIGNATURES: Final[Words] = {
    "en": r"regards|sincerely|cheers|thanks(?: a lot| again| in advance| so much)?|thank you|yours(?: truly| faithfully)?|"
    r"best|best wishes|all the best|take care|respectfully|cordially|love",
    "de": rf"grüßen?|grüssen?|gruß|gruss|grüße aus [{LETTER}]+|hochachtungsvoll|danke|vielen dank|lg|vg|mfg",
    "fr": r"cordialement|salutations(?: distinguées)?|bien à vous|amicalement|merci(?: d'avance)?|bonne journée|sentiments distingués",
    "es": r"saludos(?: cordiales)?|un saludo|atentamente|gracias|cordialmente|un abrazo|abrazos",
    "it": r"saluti|cordiali saluti|distinti saluti|cordialmente|grazie(?: mille)?|a presto|un abbraccio",
    "nl": r"groeten?|vriendelijke groet|hoogachtend|bedankt|dank|groetjes|mvg",
    "pt": r"cumprimentos|atenciosamente|obrigad[oa]|abraços?|com os melhores cumprimentos|cordialmente|grat[oa]",
}
_ROLES: Final[Words] = {
    "en": r"customer|client|patient|colleague|manager|employee|tenant|neighbou?r|wife|husband|son|daughter|brother|sister|"
    r"father|mother|boss|doctor|lawyer|agent|nurse|teacher|student|friend|partner|applicant|candidate|user|witness|"
    r"cardholder|passenger|guest|resident|contractor|driver|engineer|accountant|landlord|supervisor",
    "de": r"Kunde|Kundin|Patient|Patientin|Kollege|Kollegin|Kollegen|Chef|Chefin|Mitarbeiter|Mitarbeiterin|Mieter|Mieterin|Nachbar|"
    r"Nachbarin|Mann|Sohn|Tochter|Bruder|Schwester|Vater|Mutter|Bewerber|Bewerberin|Freund|Freundin|Schüler|Schülerin",
    "fr": r"client|cliente|patient|patiente|collègue|mari|femme|épouse|fils|fille|frère|sœur|père|mère|patron|locataire|voisin|"
    r"voisine|employé|employée|salarié|salariée|ami|amie|responsable",
    "es": r"client[ea]|paciente|compañer[oa]|colega|jef[ea]|espos[oa]|marido|mujer|hij[oa]|herman[oa]|padre|madre|vecin[oa]|"
    r"emplead[oa]|inquilin[oa]|amig[oa]|alumn[oa]",
    "it": r"cliente|paziente|collega|capo|moglie|marito|figli[oa]|fratello|sorella|padre|madre|vicin[oa]|dipendente|"
    r"inquilin[oa]|amic[oa]|responsabile",
    "nl": r"klant|patiënt|collega|baas|vrouw|man|zoon|dochter|broer|zus|vader|moeder|buurman|buurvrouw|medewerker|huurder|"
    r"vriend|vriendin|leerling",
    "pt": r"client[ea]|paciente|colega|chef[ea]|espos[oa]|marido|mulher|filh[oa]|irmão|irmã|pai|mãe|vizinh[oa]|funcionári[oa]|"
    r"inquilin[oa]|amig[oa]|alun[oa]|utente",
}

_NO_NAMES: Final = frozenset(
    """
    a about account accounting admin administrator all also alle allemaal alles amigo amigos an and anfang april august
    at attention available back bank because before board bonjour both but by can chat claude client clients colleague
    colleagues collega collegas collègues community company cordialement could customer customers damen dank danke
    data day dear december department der desk die dienst do doctor due dutch easter en english equipe équipe equipo
    european everybody everyone february florida folks for france french friday friend friends from germany german
    god good google gpt gracias grazie great guys hallo have help her here herren his hola how i if in information
    internet is issue it italian januari january je july june klant kunde kunden kundin lady last let listen
    ma madam madame management manager many march marketing mein merci microsoft monday monsieur more mr mrs ms much my
    new next no north not note november obrigado october office ok on once one openai operations order our patient
    please portuguese production projekt python quick receptionist regards reply sales saturday security self
    senhores señor señores september service services sir sirs so soon south spanish staff subject sunday support
    supportteam team thank thanks that the their them there they this thursday to today tomorrow tuesday two una united
    university unknown unternehmen user users very vielen we wednesday welcome well what when why windows with world
    year yes yesterday you your zusammen stripe slack github amazon apple aws azure linux docker
    wann warum was wie wir bitte bestellung rechnung vertrag leute team kollegen kolleginnen
    quand comment pourquoi nous vous commande facture madame messieurs tous toutes
    cuando como por para pedido factura todos señora atención cliente
    quando come perché ordine fattura tutti signori spett
    wanneer hoe waarom bestelling factuur heer mevrouw iedereen team klantenservice
    encomenda fatura todos senhora senhor pessoal equipa
    """.split()
)
"""First words that make what follows no name: greetings of groups, words that begin sentences."""

_ZH_NAME: Final = rf"[{FAMILY_NAMES_ZH}]\p{{Han}}{{1,2}}"


def rules(languages: Collection[Language]) -> list[Rule]:
    """Names as each of `languages` introduces them."""
    found: list[Rule] = []
    if titles := _joined(_TITLES, languages):
        found.append(_rule(rf"\b(?:{titles})\.? (?:(?:{titles})\.? )?{_NAME}", 84))
    if greetings := _joined(_GREETINGS, languages):
        found.append(_rule(rf"(?:^|\n|[.!?] |\b)(?:{greetings}),? {_NAME}(?:[,!.:;\n]|\z| -)", 74))
    if introductions := _joined(_INTRODUCTIONS, languages):
        weak = [one for one in introductions.split("|") if one in _WEAK]
        strong = "|".join(one for one in introductions.split("|") if one not in _WEAK)
        if strong:
            found.append(_rule(rf"(?i:\b(?:{strong})):? {_NAME}", 80))
        if weak:
            found.append(_rule(rf"(?i:\b(?:{'|'.join(weak)})):? {_FULL_NAME}", 58))
    if labels := _joined(_LABELS, languages):
        found.append(_rule(rf"(?i:\b(?:{labels}))[\"']?[ \t]?[:=][ \t]?[\"']?{_NAME}", 76))
    if signatures := _joined(_SIGNATURES, languages):
        found.append(_rule(rf"(?i:\b(?:{signatures}))[,.!]?[ \t]*\n+[ \t-]*{_NAME}[ \t]*(?:,|\n|\z)", 82))
    if roles := _joined(_ROLES, languages):
        found.append(_rule(rf"\b(?:{roles}),? {_FULL_NAME}", 66))
    if any(one != "zh" for one in languages):
        names = "|".join(sorted(GIVEN_NAMES))
        found.append(_rule(rf"\b((?:{names})(?:-{_PART})?{_NEXT}{{1,3}})", 70))
        found.append(_rule(rf"\b((?:{names}))\b", 40))
        found.append(_rule(rf"\b({_CAPITALS}, (?:{names}))\b", 70))
    if "zh" in languages:
        found += [
            _rule(rf"({_ZH_NAME})(?:先生|女士|小姐|老师|经理|医生|同学|主任|总监|律师|教授)", 82, zh=True),
            _rule(
                rf"(?:我叫|我是|名叫|叫做|名字是|名字叫|姓名[:是为 ]{{0,3}}|联系人[:是为 ]{{0,3}}|客户[:]?|收件人[:是为 ]{{0,3}}|"
                rf"寄件人[:是为 ]{{0,3}}|患者[:]?|员工[:]?|同事|尊敬的|亲爱的|此致[ \n]*敬礼[ \n]*|申请人[:]?|持卡人[:]?)({_ZH_NAME})",
                78,
                zh=True,
            ),
        ]
    return found


def _joined(words: Words, languages: Collection[Language]) -> str:
    return "|".join(words[one] for one in languages if one in words)


def _rule(shape: str, score: int, *, zh: bool = False) -> Rule:
    return Rule(
        kind="person",
        shape=shape,
        accept=_chinese if zh else _name,
        score=score,
        neighbours="any" if zh else "letters",
    )


_AFTERWORD: Final = re.compile(
    r" (?:I|We|You|He|She|It|They|The|This|That|My|Our|Your|Please|Can|Could|Would|And|But|From|To|Cc|Subject|Re|"
    r"Ich|Wir|Sie|Der|Die|Das|Bitte|Je|Nous|Vous|Le|Les|Yo|El|Los|Mi|Io|Il|Ik|Wij|De|Het|Eu|Os|Meu|Minha|O|A)$"
)


def _name(value: str) -> int:
    """How much of `value` is a name: not the word that begins the next sentence."""
    first = value.partition(" ")[0].strip(".,'").lower()
    if first in _NO_NAMES or len(value) < 2:
        return 0
    words = value.split(" ")
    kept = 1
    while kept < len(words) and words[kept].strip(".,'").lower() not in _NO_NAMES:
        kept += 1
    name = " ".join(words[:kept])
    name = _AFTERWORD.sub("", name)
    while (last := name.rpartition(" ")[2]) and last.islower() and " " in name:
        name = name.rpartition(" ")[0]
    if len(name) < 2 or (len(name) == 2 and name[1] == "."):
        return 0
    return len(name)


def _chinese(value: str) -> int:
    """A third character that begins the next word is no part of the name."""
    return 2 if len(value) == 3 and value[2] in "的是在和说也先女小你您想要有," else len(value)
