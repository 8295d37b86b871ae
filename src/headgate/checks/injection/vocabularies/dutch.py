"""How Dutch says the ideas of `concepts`."""

from __future__ import annotations

from typing import Final

from headgate.checks.injection.concepts import Vocabulary

DUTCH: Final = Vocabulary(
    "nl",
    {
        "drop": "negeer|negeren|negeert|vergeet|vergeten|sla _ over|omzeil|omzeilen|overschrijf"
        "|overschrijven|verwerp|wis|trek je niets aan|let niet op|volg niet|volg _ niet|stop met volgen"
        "|houd je niet aan|hou je niet aan|gehoorzaam niet"
        "|schakel _ uit|zet opzij|laat _ buiten beschouwing"
        "|buiten beschouwing|doorbreek",
        "all": "alle|al|alles|elke|iedere|enige|hele",
        "earlier": "vorige|voorgaande|eerdere|bovenstaande|hierboven|oorspronkelijke|bestaande|initiele"
        "|gegeven|tot nu toe|daarvoor|ontvangen|originele",
        "yours": "jouw|uw|je|van het systeem|die je kreeg|die je hebt",
        "mine": "mijn|onze|ons",
        "orders": "instructie|instructies|opdrachten|regel|regels|richtlijn|richtlijnen|aanwijzingen"
        "|beperkingen|voorschriften|bevelen|commando's|filters|veiligheidsregels|programmering|context"
        "|restricties",
        "prompt": "systeemprompt|systeem-prompt|systeembericht|systeeminstructie~|jouw instructies"
        "|uw instructies|je instructies|oorspronkelijke instructies|interne instructies"
        "|geheime instructies|verborgen instructies|je prompt|jouw prompt|uw prompt|je regels"
        "|jouw regels|initiele instructies|interne richtlijnen|je configuratie|startprompt"
        "|vertrouwelijke instructies|ontwikkelaarsbericht",
        "said": "alles hierboven|alles wat hierboven|de tekst hierboven|wat je is verteld"
        "|alles wat je is verteld|alles wat hiervoor|alles daarvoor|wat er eerder|al het voorgaande"
        "|al het bovenstaande|alles wat vooraf|de regels hierboven|woord voor woord",
        "new_orders": "nieuwe instructie|nieuwe instructies|nieuwe taak|de volgende instructies"
        "|je nieuwe taak|jouw nieuwe taak|je echte taak|in plaats daarvan|belangrijke instructie"
        "|nieuwe regels|je nieuwe rol|je enige taak|je werkelijke taak|instructie voor|instructies voor"
        "|nieuwe opdracht",
        "model": "ai-assistent~|ai-model~|ai-systeem|ai-agent~|assistent|assistenten|taalmodel"
        "|taalmodellen|kunstmatige intelligentie|chatbot|het model|de bot|geautomatiseerd systeem",
        "reader": "als je een ai bent"
        "|indien je een ai|als je een taalmodel"
        "|notitie voor de ai|notitie voor ai~|bericht voor de ai|opmerking voor de ai"
        "|bericht aan de ai|aan de ai|alleen voor ai~|let op ai|let op assistent|beste ai"
        "|beste assistent|elke ai|voor ai-assistenten|voor taalmodellen"
        "|aan alle ai~|aan de assistent|voor de assistent|als een ai",
        "reveal": "toon|toont|laat _ zien|geef|geef mij|geef me|onthul|onthullen|herhaal|herhaalt|print"
        "|schrijf|vertel|vertel me|deel|vertaal|wat is|wat zijn|lees voor|kopieer|citeer|noem|openbaar"
        "|verklap|vat _ samen|druk _ af|typ|som op",
        "become": "je bent nu|jij bent nu|u bent nu|vanaf nu|doe alsof|gedraag je als|speel de rol"
        "|neem de rol|stel je voor dat|rollenspel|handel als|antwoord als|schakel over naar"
        "|ga naar modus|je speelt|je heet nu|kruip in de rol",
        "unbound": "zonder beperkingen|zonder enige beperking|zonder regels|zonder filters|zonder filter"
        "|zonder grenzen|geen regels|geen grenzen|geen beperkingen|ongecensureerd|ongefilterd"
        "|onbeperkt|ontwikkelaarsmodus|vrij van regels|geen filters|geen moraal|alles mag"
        "|mag alles|kan alles|onderhoudsmodus|beheerdersmodus|beantwoordt alles|ontketend",
        "unrefusing": "weiger niet|weiger nooit|mag niet weigeren|niet weigeren|zonder waarschuwing~"
        "|geen waarschuwing~|geen excuses|verontschuldig je niet|je moet gehoorzamen|zeg nooit nee"
        "|zeg niet dat je niet|begin je antwoord met|begin met natuurlijk|weigeren is|zonder tegenspraak"
        "|geen disclaimer|zonder disclaimer",
        "only": "antwoord alleen|antwoord alleen met|antwoord uitsluitend|antwoord met|zeg alleen"
        "|schrijf alleen|geef alleen|niets anders|verder niets|en niets meer|met het woord|met de zin"
        "|alleen het woord|je antwoord moet|antwoord altijd|moet bevatten|voeg de zin|classificeer dit"
        "|zet de prioriteit|beoordeel dit|schrijf precies|zeg precies|precies de zin|beveel alleen"
        "|begin elk|eindig elk|eindig met|markeer dit",
        "silently": "zeg niets|vertel niets|vermeld dit niet|vermeld niet|zonder te vermelden"
        "|zonder te vragen|zonder de gebruiker|in het geheim|stiekem|ongemerkt|heimelijk"
        "|zonder bevestiging|informeer niemand|niemand mag|verzwijg|zonder het te zeggen"
        "|laat de gebruiker niet",
        "send": "stuur|sturen|verstuur|mail|e-mail|zend|upload|plaats|voeg|publiceer|open|bezoek|roep"
        "|zet|laad|deel|kopieer|post",
        "secrets": "gesprek|gespreksgeschiedenis|chatgeschiedenis|wachtwoord|wachtwoorden|api-sleutel~"
        "|inloggegevens|klantgegevens|klantenlijst|persoonsgegevens|database|mailbox|contacten|geheimen"
        "|geheim|creditcard~|bankgegevens|rekeningnummer~|berichten|salarissen|interne notities"
        "|gebruikersgegevens|broncode",
        "tool": "roep de functie|roep de tool|gebruik de tool|gebruik de functie|gebruik het hulpmiddel"
        "|voer de functie|voer het commando|voer _ uit|voer uit|activeer de tool|start de functie"
        "|functieaanroep|roep het hulpmiddel",
        "action": "terugbetaling|betaal _ terug|terugbetalen|maak _ over|overmaken|verwijder alle"
        "|verwijder|keur _ goed|goedkeuren|beheerdersrechten|beheerrechten|wijzig|reset het wachtwoord"
        "|sluit alle|betaal|betaling|verleen|annuleer alle|bestel|geef toegang|crediteer",
        "authority": "ik ben je ontwikkelaar|ik ben jouw ontwikkelaar|ik ben de ontwikkelaar"
        "|ik ben de beheerder|ik ben je beheerder|als beheerder|namens openai|dit is openai|van openai"
        "|geautoriseerd door|autorisatiecode|systeemmelding|systeembericht|beveiligingstest"
        "|noodoverride|in opdracht van de directie|de directie eist|je ontwikkelaars|systeembeheerder"
        "|al geverifieerd|al goedgekeurd|levens hangen|afdeling it|it-afdeling|systeemupdate"
        "|ik ben de directeur",
        "decode": "decodeer|ontcijfer|base64|achterstevoren|omgekeerd|rot13|hexadecimaal|eerste letters"
        "|ontsleutel",
        "obey": "en volg|en voer|en gehoorzaam|en doe wat|volg ze|voer ze uit|voer het uit|als instructie"
        "|als een instructie|als opdracht|doe wat er staat|en handel ernaar|en doe dat",
        "combine": "voeg samen|voeg _ samen|combineer|plak|achter elkaar|deel 1|deel 2|eerste deel"
        "|tweede deel|eerste helft|tweede helft|zet achter elkaar",
        "about_attacks": "aanvaller|aanvallers|aanval|aanvallen|prompt-injectie|prompt injection"
        "|bijvoorbeeld|voorbeeld|voorbeelden|phishing|kwaadaardig~|training|cursus|herkennen|fraude~"
        "|oplicht~|verdacht~|zinnen als|zoals|artikel|gemeld",
        "thing": "handleiding|verpakking|factuur|levering|bestelling|montage|wasmachine|recept|brief"
        "|pakket|bezorger|afspraak|arts|dosering|printer|huurcontract|bijsluiter|vaatwasser|koerier"
        "|pakbon|gebruiksaanwijzing",
        "given": "die je hebt gekregen|die je kreeg|die u hebt gekregen|die je zijn gegeven"
        "|die je hebt ontvangen|wat je is verteld|die je moet volgen|aan jou gegeven"
        "|waarmee je werkt|die je kreeg opgelegd",
        "verbatim": "herhaal|herhaalt|woord voor woord|letterlijk|volledig|ongewijzigd|print|kopieer"
        "|citeer|in zijn geheel",
        "replaced": "gelden niet meer|geldt niet meer|vervangt|vervangen|vervallen|verouderd|opgeheven"
        "|niet meer van toepassing|opgeschort",
        "regardless": "ongeacht|wat er ook|in elk geval|in alle gevallen|altijd|op alles|elke keer"
        "|hoe dan ook|maakt niet uit|elke samenvatting",
        "must": "moet|moeten|dient te|dienen te|hoort te|zal|verplicht",
        "machine": "software|programma|machine|machines|robot|robots|classificator|algoritme"
        "|geautomatiseerd|automatisch|modellen|agenten|bots",
        "say": "zeg|schrijf|noem|vermeld|vermeldt|beschrijf|concludeer|raad aan|beveel|antwoord|voeg"
        "|presenteer|meld|geef|classificeer|markeer|zet",
        "reader_any": "als je dit leest|wanneer je dit leest|bij het samenvatten|wanneer je dit samenvat"
        "|bij het verwerken|wie dit leest|wie dit verwerkt|die dit leest|voordat je antwoordt"
        "|als je een assistent bent",
    },
)
