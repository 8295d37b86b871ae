"""Which words of a text carry its content, in a few languages, folded so that they compare."""

# ruff: noqa: RUF001 - typographic quotes and dashes are what is read here

from __future__ import annotations

import functools
import re
import unicodedata

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

_STOPWORDS = {
    "en": (
        "a about after again all also am an and any are as at be been before being but by can"
        " could did do does doing don't each few for from get got had has have having he her here"
        " him his how i i'm i've if in into is it it's its just let like me more most my no nor"
        " not now of off on once only or other our out over own please same she should so some"
        " such than that the their them then there these they this those through to too under"
        " until up us very was we we're were what when where which while who whom why will with"
        " would you your yours hi hello dear thanks thank regards best kind what's that's there's"
        " who's it's isn't doesn't didn't can't won't i'd i'll you're they're we'll wasn't aren't"
    ),
    "de": (
        "aber alle als also am an auch auf aus bei bin bis bist bitte da dann das dass dem den der"
        " des dich die dies diese dieser dir doch du durch ein eine einem einen einer eines er es"
        " euch euer für haben hat hatte hatten hier ich ihm ihn ihr ihre im in ist ja jetzt kann"
        " kein keine können man mehr mein meine mich mir mit nach nicht noch nun nur ob oder ohne"
        " schon sehr sein seine seit sich sie sind so über um und uns unser unsere unter vom von"
        " vor war waren was wenn wer wie wieder wir wird wurde wurden zu zum zur hallo danke"
        " grüße guten tag sehr geehrte damen herren"
    ),
    "fr": (
        "à ai alors au aucun aussi autre aux avec avez avoir avons bien bonjour ça car ce cela ces"
        " cet cette comme dans de depuis des donc du elle elles en encore entre est et être eu"
        " fait faire ici il ils j je l la le les leur lui ma mais me même merci mes moi mon ne nos"
        " notre nous on ont ou où par pas peut plus pour pouvez qu quand que quel quelle qui sa"
        " sans se ses si son sont suis sur ta te tes toi ton tous tout très tu un une vos votre"
        " vous cordialement svp"
    ),
    "es": (
        "a al algo ante antes aquí así aun aunque cada como con cual cuando de del desde donde dos"
        " el ella ellos en entre era es esa ese eso esta está están estas este esto estos estoy"
        " fue gracias ha han hasta hay he hola la las le les lo los más me mi mis mucho muy nada"
        " ni no nos nosotros nuestra nuestro o para pero poco por porque puede puedo que qué"
        " quien se sea ser si sí sido sin sobre son su sus también te tengo tiene todo todos tu"
        " un una unas unos usted ustedes y ya yo saludos favor"
    ),
    "it": (
        "a ai al alla anche che chi ci come con da dal dalla dei del della delle di dove e è ed"
        " era gli grazie ha hanno ho i il in io la le lei lo loro ma me mi mia mio molto ne nel"
        " nella no noi non nostro o per perché più può quando questa questo se sei si sia siamo"
        " sono su sua suo tra tu tutti tutto un una uno vi voi ciao buongiorno saluti"
    ),
    "pt": (
        "a ao aos as até com como da das de dela dele do dos e é ela ele eles em entre era essa"
        " esse esta está estão este eu foi há isso isto já la lhe mais mas me mesmo meu minha"
        " muito na nas não nem no nos nós nossa nosso o os ou para pela pelo por porque que quem"
        " se sem ser seu sua são também te tem tenho um uma você vocês obrigado olá"
    ),
    "nl": (
        "aan al alles als bij dan dat de der deze die dit doen door dus een en er ge geen haar had"
        " heb hebben heeft hem het hier hij hoe hun ik in is ja je kan kunnen maar me meer met"
        " mij mijn na naar niet nog nu of om ons ook op over te tot u uit van veel voor was wat we"
        " wel werd wij wil worden zal ze zich zij zijn zo hallo bedankt graag groeten"
    ),
}

STOPWORDS: dict[str, frozenset[str]] = {
    language: frozenset(words.split()) for language, words in _STOPWORDS.items()
}
"""Words that carry grammar and courtesy only, by ISO 639-1 language."""

_ALL_STOPWORDS = frozenset(word for words in STOPWORDS.values() for word in words)

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")


def words(text: str) -> list[str]:
    """The words of `text`, in lower case and order, numbers among them."""
    return _WORD.findall(text.lower())


def content_words(text: str) -> list[str]:
    """The words of `text` that are not grammar or courtesy in any language known here."""
    return [word for word in words(text) if word not in _ALL_STOPWORDS and len(word) > 1]


def name_words(name: str) -> list[str]:
    """The words in an identifier, in lower case: `orderId`, `order_id` and `order-id` alike."""
    return [part.lower() for part in _PARTS.findall(name)]


@functools.lru_cache(maxsize=4_096)
def stem(word: str) -> str:
    """A word without accents and common English endings, so that its forms compare equal."""
    folded = fold(word)
    for ending in ("ations", "ation", "ings", "ing", "ies", "ied", "es", "ed", "s"):
        if folded.endswith(ending) and len(folded) - len(ending) >= 3:
            folded = folded[: -len(ending)] + ("y" if ending in ("ies", "ied") else "")
            break
    if len(folded) > 3 and folded[-1] == folded[-2]:
        folded = folded[:-1]
    return folded.removesuffix("e") if len(folded) > 3 else folded


def stems(text: str) -> set[str]:
    """The stems of the content words of `text`."""
    return {stem(word) for word in content_words(text)}


def fold(text: str) -> str:
    """`text` in lower case and without accents; apostrophes straight."""
    lowered = text.lower().replace("’", "'")
    if lowered.isascii():
        return lowered
    return "".join(
        letter
        for letter in unicodedata.normalize("NFKD", lowered)
        if not unicodedata.combining(letter)
    )
