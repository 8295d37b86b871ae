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
    "en": r"my name is|my name's|name is|call me|signed by|written by|spoke (?:to|with)|"
    r"speak (?:to|with)|on behalf of|c/o|attn:?|ask for|reported by|married to",
    "de": r"mein Name ist|ich heiße|ich heisse|heißt|mit Namen|hier spricht|im Auftrag von|"
    r"unterschrieben von|gesprochen mit|verheiratet mit|z\. ?Hd\.",
    "fr": r"je m'appelle|mon nom est|s'appelle|nomm[ée]e?|au nom de|sign[ée] par|de la part de|"
    r"parl[ée] [àa]|parl[ée] avec",
    "es": r"me llamo|mi nombre es|se llama|llamad[oa]|de parte de|en nombre de|firmado por|"
    r"habl[ée] con|hablar con|le habla",
    "it": r"mi chiamo|il mio nome [èe]|si chiama|di nome|da parte di|per conto di|firmato da|"
    r"parlato con|parlare con",
    "nl": r"mijn naam is|ik heet|heet|genaamd|ondertekend door|gesproken met|spreken met|t\.a\.v\.",
    "pt": r"meu nome [ée]|chamo-me|me chamo|chama-se|se chama|chamad[oa]|em nome d[eoa]|"
    r"assinado por|falei com|falar com|da parte de|aqui [ée]",
}
WEAK_INTRODUCTIONS: Final[Words] = {
    "en": r"this is|I am|I'm|called|named|met(?: with)?|contact|assigned to|sent by|from|cc",
    "de": r"ich bin|hier ist|namens|von",
    "fr": r"je suis|c'est|ici|contacter",
    "es": r"soy|contactar con",
    "it": r"sono|contattare",
    "nl": r"ik ben|namens|met",
    "pt": r"eu sou|sou",
}
"""Introduce other things as often: what follows is a name of two words at least, and unsure."""

LABELS: Final[Words] = {
    "en": r"(?:full|first|last|given|family|customer|client|patient|employee|account|contact)"
    r"[ _-]?name|surname|customer|client|"
    r"patient|employee|tenant|applicant|candidate|claimant|insured|policy ?holder|card ?holder|"
    r"account holder|"
    r"contact person|author|assignee|reporter|requester|signed|signature|attn|"
    r"recipient|"
    r"sender|guest|passenger|student|witness|manager|doctor|physician|beneficiary|next of kin|"
    r"emergency contact",
    "de": r"(?:vor|nach|familien)name|kund(?:e|in)|patient(?:in)?|mitarbeiter(?:in)?|"
    r"mieter(?:in)?|bewerber(?:in)?|"
    r"versicherte[r]?|kontoinhaber(?:in)?|ansprechpartner(?:in)?|empfänger|"
    r"absender|gezeichnet|gez\.|"
    r"antragsteller(?:in)?|sachbearbeiter(?:in)?",
    "fr": r"(?:pr[ée])?nom(?: complet| et pr[ée]nom| de famille)?|client[e]?|patient[e]?|"
    r"salari[ée]e?|locataire|candidat[e]?|"
    r"assur[ée]e?|titulaire|destinataire|exp[ée]diteur|sign[ée]|demandeur",
    "es": r"nombre(?: completo| y apellidos)?|apellidos?|client[ea]|paciente|emplead[oa]|"
    r"inquilin[oa]|solicitante|titular|"
    r"asegurad[oa]|destinatari[oa]|remitente|firmado|firma",
    "it": r"(?:cog)?nome(?: e cognome| completo)?|cliente|paziente|dipendente|inquilino|"
    r"candidat[oa]|intestatari[oa]|"
    r"assicurat[oa]|destinatari[oa]|mittente|firmato|firma|richiedente",
    "nl": r"(?:voor|achter)?naam|klant|pati[ëe]nt|medewerker|huurder|sollicitant|verzekerde|"
    r"rekeninghouder|"
    r"contactpersoon|ontvanger|afzender|getekend|aanvrager",
    "pt": r"(?:sobre)?nome(?: completo)?|cliente|paciente|funcion[áa]ri[oa]|inquilin[oa]|"
    r"candidat[oa]|titular|segurad[oa]|"
    r"destinat[áa]ri[oa]|remetente|assinado|assinatura|utente|requerente",
}
WEAK_LABELS: Final[Words] = {
    "en": r"from|to|cc|contact|attention",
    "de": r"von|an|kontakt",
    "fr": r"de|[àa]|contact",
    "es": r"de|para|contacto",
    "it": r"da|contatto",
    "nl": r"van|aan",
    "pt": r"de|para|contat?to",
}
"""Stand in front of places and teams as well: what follows is a name of two words at least."""

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
    r"father|mother|boss|doctor|lawyer|nurse|teacher|student|friend|applicant|"
    r"candidate|witness|"
    r"cardholder|passenger|guest|resident|contractor|accountant|landlord|"
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
