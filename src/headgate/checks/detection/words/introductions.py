"""Which words stand around a person's name, by language: titles, greetings, labels and the like.

As alternatives of regular expressions.
"""

from __future__ import annotations

from typing import Final

from headgate.checks.detection.letters import LETTER
from headgate.checks.detection.rule import Words

TITLES: Final[Words] = {
    "en": r"Mr|Mrs|Ms|Mx|Miss|Dr|Prof|Professor|Doctor|Sir|Madam|Dame|Lady|Lord|Rev|Judge|Nurse|"
    r"Officer",
    "de": r"Herrn?|Frau|Fräulein|Dr|Prof|Dipl\.-Ing|Univ\.Prof",
    "fr": r"M\.|Mme|Mlle|(?i:monsieur|madame|mademoiselle|maître|docteur)|Me|Dr|Pr",
    "es": r"(?i:sr|sra|srta|señora?|señorita|doña|dña|dra?)|Don|D\.",
    "it": r"(?i:sig|sig\.ra|sig\.na|signora?|signorina|dott|dott\.ssa|dottor|dottoressa|avv)|"
    r"Ing|Prof",
    "nl": r"(?i:dhr|mevr|mw|meneer|mevrouw|de heer)|Drs|Ir",
    "pt": r"(?i:sr|sra|srta|senhora?|dona|dra?)|D\.|Eng",
}
GREETINGS: Final[Words] = {
    "en": r"Dear|Hi|Hello|Hey|Good (?:morning|afternoon|evening)|Thanks|Thank you|Welcome|Cheers",
    "de": r"Hallo|Liebe[rs]?|Sehr geehrte[r]?|Guten (?:Tag|Morgen|Abend)|Servus|Grüß Gott|Moin|"
    r"Danke",
    "fr": r"Bonjour|Bonsoir|Salut|Ch[eè]re?|Coucou|Merci",
    "es": r"Hola|Estimad[oa]|Querid[oa]|Buenos días|Buenas tardes|Gracias",
    "it": r"Ciao|Salve|Car[oa]|Gentile|Egregi[oa]|Gentilissim[oa]|Spettabile|Buongiorno|"
    r"Buonasera|Grazie",
    "nl": r"Beste|Hallo|Hoi|Geachte|Lieve|Goedemorgen|Goedemiddag|Dag|Bedankt",
    "pt": r"Olá|Oi|Car[oa]|Prezad[oa]|Estimad[oa]|Querid[oa]|Bom dia|Boa tarde|Obrigad[oa]",
}
INTRODUCTIONS: Final[Words] = {
    "en": r"my name is|my name's|name is|called|named|call me|this is|I am|I'm|signed by|"
    r"written by|spoke (?:to|with)|"
    r"speak (?:to|with)|met (?:with)?|on behalf of|c/o|attn:?|contact|ask for|assigned to|"
    r"reported by|married to|"
    r"sent by|from|cc",
    "de": r"mein Name ist|ich heiße|ich heisse|ich bin|heißt|namens|mit Namen|hier ist|hier "
    r"spricht|im Auftrag von|"
    r"unterschrieben von|gesprochen mit|verheiratet mit|von|z\. ?Hd\.",
    "fr": r"je m'appelle|mon nom est|je suis|s'appelle|nomm[ée]e?|c'est|au nom de|sign[ée] par|"
    r"de la part de|"
    r"ici|parl[ée] [àa]|parl[ée] avec|contacter",
    "es": r"me llamo|mi nombre es|soy|se llama|llamad[oa]|de parte de|en nombre de|firmado por|"
    r"habl[ée] con|"
    r"hablar con|le habla|contactar con",
    "it": r"mi chiamo|il mio nome [èe]|sono|si chiama|di nome|da parte di|per conto di|firmato "
    r"da|parlato con|"
    r"parlare con|contattare",
    "nl": r"mijn naam is|ik heet|ik ben|heet|genaamd|namens|ondertekend door|gesproken met|"
    r"spreken met|t\.a\.v\.|met",
    "pt": r"meu nome [ée]|chamo-me|me chamo|eu sou|sou|chama-se|se chama|chamad[oa]|em nome "
    r"d[eoa]|assinado por|"
    r"falei com|falar com|da parte de|aqui [ée]",
}
WEAK: Final = frozenset(
    (
        "this is",
        "I am",
        "I'm",
        "from",
        "cc",
        "called",
        "named",
        "met",
        "met with",
        "contact",
        "ich bin",
        "hier ist",
        "von",
        "je suis",
        "c'est",
        "ici",
        "soy",
        "sono",
        "ik ben",
        "met",
        "sou",
        "eu sou",
        "contactar con",
        "contattare",
        "contacter",
        "namens",
    )
)
"""Introduce other things as well, so only a name of two words or more is taken behind them."""

LABELS: Final[Words] = {
    "en": r"(?:full |first |last |sur|given |family |customer |client |patient |employee |"
    r"account )?name|customer|client|"
    r"patient|employee|tenant|applicant|candidate|claimant|insured|policy ?holder|card ?holder|"
    r"account holder|"
    r"contact(?: person)?|author|assignee|reporter|requester|signed|signature|from|to|cc|attn|"
    r"attention|recipient|"
    r"sender|guest|passenger|student|witness|manager|doctor|physician|beneficiary|next of kin|"
    r"emergency contact",
    "de": r"(?:vor|nach|familien)?name|kund(?:e|in)|patient(?:in)?|mitarbeiter(?:in)?|"
    r"mieter(?:in)?|bewerber(?:in)?|"
    r"versicherte[r]?|kontoinhaber(?:in)?|ansprechpartner(?:in)?|kontakt|von|an|empfänger|"
    r"absender|gezeichnet|gez\.|"
    r"antragsteller(?:in)?|sachbearbeiter(?:in)?",
    "fr": r"(?:pr[ée])?nom(?: complet| et pr[ée]nom| de famille)?|client[e]?|patient[e]?|"
    r"salari[ée]e?|locataire|candidat[e]?|"
    r"assur[ée]e?|titulaire|contact|de|[àa]|destinataire|exp[ée]diteur|sign[ée]|demandeur",
    "es": r"nombre(?: completo| y apellidos)?|apellidos?|client[ea]|paciente|emplead[oa]|"
    r"inquilin[oa]|solicitante|titular|"
    r"asegurad[oa]|contacto|de|para|destinatari[oa]|remitente|firmado|firma",
    "it": r"(?:cog)?nome(?: e cognome| completo)?|cliente|paziente|dipendente|inquilino|"
    r"candidat[oa]|intestatari[oa]|"
    r"assicurat[oa]|contatto|da|a|destinatari[oa]|mittente|firmato|firma|richiedente",
    "nl": r"(?:voor|achter)?naam|klant|pati[ëe]nt|medewerker|huurder|sollicitant|verzekerde|"
    r"rekeninghouder|"
    r"contactpersoon|van|aan|ontvanger|afzender|getekend|aanvrager",
    "pt": r"(?:sobre)?nome(?: completo)?|cliente|paciente|funcion[áa]ri[oa]|inquilin[oa]|"
    r"candidat[oa]|titular|segurad[oa]|"
    r"contato|contacto|de|para|destinat[áa]ri[oa]|remetente|assinado|assinatura|utente|requerente",
}
SIGNATURES: Final[Words] = {
    "en": r"regards|sincerely|cheers|thanks(?: a lot| again| in advance| so much)?|thank you|"
    r"yours(?: truly| faithfully)?|"
    r"best|best wishes|all the best|take care|respectfully|cordially|love",
    "de": rf"grüßen?|grüssen?|gruß|gruss|grüße aus [{LETTER}]+|hochachtungsvoll|danke|vielen "
    rf"dank|lg|vg|mfg",
    "fr": r"cordialement|salutations(?: distinguées)?|bien à vous|amicalement|merci(?: "
    r"d'avance)?|bonne journée|sentiments distingués",
    "es": r"saludos(?: cordiales)?|un saludo|atentamente|gracias|cordialmente|un abrazo|abrazos",
    "it": r"saluti|cordiali saluti|distinti saluti|cordialmente|grazie(?: mille)?|a presto|un "
    r"abbraccio",
    "nl": r"groeten?|vriendelijke groet|hoogachtend|bedankt|dank|groetjes|mvg",
    "pt": r"cumprimentos|atenciosamente|obrigad[oa]|abraços?|com os melhores cumprimentos|"
    r"cordialmente|grat[oa]",
}
ROLES: Final[Words] = {
    "en": r"customer|client|patient|colleague|manager|employee|tenant|neighbou?r|wife|husband|"
    r"son|daughter|brother|sister|"
    r"father|mother|boss|doctor|lawyer|agent|nurse|teacher|student|friend|partner|applicant|"
    r"candidate|user|witness|"
    r"cardholder|passenger|guest|resident|contractor|driver|engineer|accountant|landlord|"
    r"supervisor",
    "de": r"Kunde|Kundin|Patient|Patientin|Kollege|Kollegin|Kollegen|Chef|Chefin|Mitarbeiter|"
    r"Mitarbeiterin|Mieter|Mieterin|Nachbar|"
    r"Nachbarin|Mann|Sohn|Tochter|Bruder|Schwester|Vater|Mutter|Bewerber|Bewerberin|Freund|"
    r"Freundin|Schüler|Schülerin",
    "fr": r"client|cliente|patient|patiente|collègue|mari|femme|épouse|fils|fille|frère|sœur|"
    r"père|mère|patron|locataire|voisin|"
    r"voisine|employé|employée|salarié|salariée|ami|amie|responsable",
    "es": r"client[ea]|paciente|compañer[oa]|colega|jef[ea]|espos[oa]|marido|mujer|hij[oa]|"
    r"herman[oa]|padre|madre|vecin[oa]|"
    r"emplead[oa]|inquilin[oa]|amig[oa]|alumn[oa]",
    "it": r"cliente|paziente|collega|capo|moglie|marito|figli[oa]|fratello|sorella|padre|madre|"
    r"vicin[oa]|dipendente|"
    r"inquilin[oa]|amic[oa]|responsabile",
    "nl": r"klant|patiënt|collega|baas|vrouw|man|zoon|dochter|broer|zus|vader|moeder|buurman|"
    r"buurvrouw|medewerker|huurder|"
    r"vriend|vriendin|leerling",
    "pt": r"client[ea]|paciente|colega|chef[ea]|espos[oa]|marido|mulher|filh[oa]|irmão|irmã|pai|"
    r"mãe|vizinh[oa]|funcionári[oa]|"
    r"inquilin[oa]|amig[oa]|alun[oa]|utente",
}
