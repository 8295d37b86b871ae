"""How German says the ideas of `concepts`."""

from __future__ import annotations

from typing import Final

from headgate.checks.injection.concepts import Vocabulary

GERMAN: Final = Vocabulary(
    "de",
    {
        "drop": "ignorier~|vergiss|vergessen sie|vergesst|missacht~|uberschreib~|umgeh~|verwirf"
        "|verwerfen sie|lass _ ausser acht|lassen sie _ ausser acht|ausser acht|setz dich uber"
        "|befolge nicht|nicht mehr befolgen|befolge keine|halte dich nicht|losche|losch~"
        "|hebe _ auf|deaktivier~|beachte nicht|nicht beachten"
        "|ubergeh~",
        "all": "alle|aller|allen|alles|jede|jegliche|jeglichen|samtliche|samtlichen|ganze",
        "earlier": "vorherige~|vorige~|bisherige~|fruhere~|obige~|oben|obenstehende~|vorangegangene~"
        "|vorangehende~|bestehende~|ursprungliche~|zuvor|bis jetzt|bisher|davor|erhaltene~"
        "|gegebene~|anfanglichen|alten",
        "yours": "deine~|ihre|ihren|ihrer|dir gegebenen|ihnen gegebenen|euer~|eure~",
        "mine": "meine|meinen|meiner|mein|unsere|unseren|unserer",
        "orders": "anweisung|anweisungen|instruktion|instruktionen|regel|regeln|vorgaben|richtlinie"
        "|richtlinien|befehle|einschrankung~|beschrankung~|vorschriften|anordnungen|direktiven"
        "|sicherheitsrichtlinien|sicherheitsregeln|systemanweisung~|sicherheitsvorgaben|weisungen"
        "|auftrag|auftrage|kontext|programmierung|sperren|filter",
        "prompt": "systemprompt|system-prompt|systemnachricht|systemanweisung~|systemaufforderung"
        "|deine anweisungen|ihre anweisungen|deine instruktionen|ihre instruktionen|deine regeln"
        "|ursprungliche anweisung~|ursprunglichen anweisungen|geheimen anweisungen|interne vorgaben"
        "|internen vorgaben|internen anweisungen|interne anweisungen|versteckten anweisungen"
        "|geheime anweisungen|deinen prompt|deine vorgaben|ihre vorgaben|entwicklernachricht"
        "|anfangsanweisung~|deinen anweisungen|deiner anweisungen|deine konfiguration|startprompt",
        "said": "alles was oben steht|alles oben|alles vorherige|alles bisherige|den text oben"
        "|was dir gesagt wurde|was dir bisher gesagt|alles was davor|alles was vorher"
        "|alles obenstehende|der text uber|was zuvor gesagt|von anfang an|alles was du weisst"
        "|alles zuvor|alles davor|die zeilen oben|was bisher",
        "new_orders": "neue anweisung~|neue aufgabe|neuen anweisungen|deine neue aufgabe"
        "|die folgenden anweisungen|folgende anweisung~|deine eigentliche aufgabe"
        "|wichtige anweisung~|stattdessen|ab sofort gilt|neue regeln|deine neue rolle"
        "|einzige aufgabe|tatsachliche aufgabe|eigentliche anweisung|zusatzliche anweisung~"
        "|neuer auftrag|neuer systemprompt|anweisung an|anweisung fur|hinweis an die|hinweis fur die",
        "model": "ki|ki-assistent~|ki-system~|ki-modell~|ki-agent~|assistent|assistenten"
        "|sprachmodell~|kunstliche intelligenz|chatbot|das modell|der bot|dem modell"
        "|automatisches system|automatisierte~ system~",
        "reader": "wenn sie dies lesen"
        "|falls du eine ki|wenn du eine ki|wenn du ein sprachmodell|falls sie eine ki"
        "|hinweis an ki~|hinweis fur ki~|hinweis an die ki|nachricht an die ki|nur fur ki~"
        "|an die ki|achtung ki|achtung assistent|an alle ki~|an den assistenten|liebe ki"
        "|lieber assistent|jede ki|an das sprachmodell|fur den assistenten"
        "|wenn eine ki|fur sprachmodelle|an das modell",
        "reveal": "zeig|zeige|zeigen sie|gib|gib mir|nenne|nenn mir|nennen sie|verrate|verraten sie"
        "|wiederhole|wiederholen sie|drucke|drucken|ausgeben|schreib|schreibe|offenbar~|lies|lese"
        "|sag mir|sage mir|ubersetz~|wie lautet|wie lauten|was steht|leg~ _ offen|offenleg~|kopier~"
        "|zitier~|liste|fasse|teile mir|teil mir|preisgeben|gebe|verrat",
        "become": "du bist jetzt|du bist nun|sie sind jetzt|ab jetzt bist du|ab sofort bist du"
        "|von nun an|ab jetzt|tu so als|tun sie so als|verhalte dich wie|verhalte dich als"
        "|spiele die rolle|spiel die rolle|ubernimm die rolle|schlupf in die rolle|stell dir vor"
        "|stellen sie sich vor|agiere als|handle als|antworte als|rollenspiel|sei|wechsle in"
        "|wechsle in den|schalte in|gib dich als|du spielst",
        "unbound": "ohne einschrankungen|ohne beschrankungen|ohne regeln|ohne filter|ohne grenzen"
        "|ohne jede einschrankung|keine regeln|keine grenzen|keine einschrankungen|unzensiert"
        "|ungefiltert|uneingeschrankt|entwicklermodus|keinen regeln|an keine regeln"
        "|frei von regeln|keine filter|keine moral|ohne moral|darf alles|alles tun darf|alles darf"
        "|kann alles|wartungsmodus|debug-modus|ohne jegliche|entfesselt|gottmodus|adminmodus"
        "|schranken gefallen|hemmungslos|alles beantwortet",
        "unrefusing": "lehne nicht ab|nicht ablehnen|lehne nie ab|darfst nicht ablehnen"
        "|weigere dich nicht|ohne warnungen|ohne warnung|keine warnungen|ohne hinweise"
        "|entschuldige dich nicht|keine entschuldigung~|du musst gehorchen|du musst antworten"
        "|sag nicht dass du nicht|sage niemals nein|sag niemals nein|nie nein|beginne mit klar"
        "|beginne deine antwort mit|ablehnen ist|ohne widerrede|keine belehrung~|ohne ausreden"
        "|keine ausreden|verweigere nicht|verweigern ist",
        "only": "antworte nur mit|antworte nur|antworten sie nur mit|antworten sie nur|gib nur"
        "|geben sie nur|sag nur|sage nur|schreibe nur|schreib nur|antworte ausschliesslich"
        "|antworte mit|antworten sie mit|nichts anderes|sonst nichts|nur das wort|mit dem wort"
        "|mit dem satz|antworte immer|antworte stets|muss enthalten|muss lauten|fuge den satz"
        "|fuge hinzu|beende jede|beginne jede|bewerte dies~|stufe dies~|setze die prioritat"
        "|mit den worten|nenne nur|empfiehl nur|empfehlen sie nur|schreibe stattdessen|genau den satz"
        "|markiere|nimm den satz|ordne dies~",
        "silently": "sag _ nichts|sage _ nichts|ohne zu erwahnen|erwahne das nicht|erwahne dies nicht"
        "|nicht erwahnen|ohne den nutzer|ohne den benutzer|ohne nachzufragen|heimlich|unbemerkt"
        "|verschweig~|verrate niemandem|teile dem nutzer nicht|ohne ruckfrage|informiere niemanden"
        "|ohne bestatigung|ohne hinweis|soll davon nichts|darf davon nichts|still und leise"
        "|ohne es zu sagen",
        "send": "sende|senden sie|schick~|leite _ weiter|weiterleiten|leite|maile|ubermittle|lade"
        "|hochladen|hange|hang|ubertrage|poste|veroffentlich~|ruf _ auf|rufe|offne|besuche|fuge|setze"
        "|schreibe|binde",
        "secrets": "gesprach|gesprachsverlauf|chatverlauf|unterhaltung|passwort|passworter|kennwort"
        "|zugangsdaten|api-schlussel|schlussel|kundendaten|kundenliste|personenbezogene~|datenbank"
        "|postfach|kontakte|geheimnisse|kreditkarte~|bankdaten|kontonummer~|nutzerdaten|e-mail-adresse"
        "|interne notizen|nachrichten|gehalter|quellcode|bestellhistorie|verlauf",
        "tool": "rufe das werkzeug|rufe die funktion|ruf die funktion|ruf das werkzeug"
        "|fuhre die funktion|benutze das werkzeug|nutze das werkzeug|verwende das werkzeug"
        "|verwende die funktion|nutze die funktion|fuhre aus|fuhre den befehl|fuhr~ _ aus"
        "|nutze das tool|verwende das tool|ruf das tool|rufe das tool|funktionsaufruf|rufe|ruf",
        "action": "erstatte|erstattung|ruckerstattung|uberweis~|losche alle|losche das|loschen"
        "|genehmige|freigeben|gib _ frei|administratorrechte|adminrechte|stornier~|schliesse alle"
        "|schliesse das ticket|setze das passwort|andere die|bestelle|zahlung|auszahl~|gutschrift"
        "|zugriff|gewahre|lege einen benutzer|kundige",
        "authority": "ich bin dein entwickler|ich bin der entwickler|ich bin der administrator"
        "|ich bin dein administrator|ich bin der admin|als administrator|als dein entwickler"
        "|im auftrag von openai|hier ist openai|von openai|autorisiert|systemmeldung|systemhinweis"
        "|sicherheitstest|notfall-override|notfallfreigabe|freigabecode|hier spricht|ich bin vom"
        "|anordnung der geschaftsfuhrung|geschaftsfuhrung ordnet|dein betreiber|deine entwickler"
        "|autorisierungscode|menschenleben|bereits verifiziert|bereits genehmigt|systemadministrator"
        "|auf anweisung der|bereits gepruft",
        "decode": "dekodier~|entschlussel~|entziffer~|base64|ruckwarts|rot13|anfangsbuchstaben"
        "|umgekehrt|hexadezimal|decodier~",
        "obey": "und befolge|und fuhre|und folge|befolge sie|befolge sie|befolge ihn|fuhre sie aus"
        "|fuhre es aus|folge ihnen|und antworte darauf|als anweisung|als befehl|handle danach"
        "|tu was|tue was|mach was dort steht|mache was|und handle danach",
        "combine": "verbinde|fuge zusammen|fuge _ zusammen|zusammengesetzt|hintereinander|teil 1"
        "|teil 2|teil eins|teil zwei|erster teil|zweiter teil|setze zusammen|setze _ zusammen"
        "|verkett~",
        "about_attacks": "angreifer|angriff~|prompt-injection|beispiel|beispielsweise|zum beispiel"
        "|z.b|schulung|phishing|betrug~|sicherheitsschulung|bosartig~|erkennen|testfall|artikel"
        "|vortrag|verdachtig~|wie etwa|satze wie|betruger|gemeldet",
        "thing": "anleitung|bedienungsanleitung|beipackzettel|verpackung|rechnung|lieferung|bestellung"
        "|montage|aufbau|waschmaschine|rezept|brief|mahnung|termin|paket|zusteller|kurier|geschirr~"
        "|router|drucker|hausordnung|mietvertrag|arzt|dosierung|spedition|lieferschein|fahrer",
        "given": "die du bekommen hast|die du erhalten hast|was dir gesagt|was dir vorher gesagt"
        "|was dir zuvor gesagt|dir gesagt wurde|dir gegeben|hinterlegten|die dir gegeben"
        "|die du hast|an die du dich|die fur dich gelten|die man dir|vorgegeben"
        "|dir aufgetragen|mit denen du|nach denen du arbeitest",
        "verbatim": "wiederhole|wiederholen sie|wortlich|wort fur wort|vollstandig|unverandert"
        "|wortwortlich|drucke|kopiere|zitiere|gib _ aus|genau so|buchstabe fur buchstabe",
        "replaced": "gelten nicht mehr|gilt nicht mehr|ersetzt|ersetzen|aufgehoben|ausser kraft|uberholt"
        "|hinfallig|ungultig|veraltet",
        "regardless": "ganz gleich|egal was|egal wie|unabhangig vom|unabhangig davon|in jedem fall"
        "|auf jeden fall|immer|stets|auf alles|jedes mal|in jeder|was auch immer|von jetzt an"
        "|ungeachtet",
        "must": "muss|mussen|soll|sollen|sollte|hat zu|haben zu|ist zu|sind zu|verpflichtet",
        "machine": "software|klassifikator|bots|maschine|maschinen|crawler|roboter|algorithmus"
        "|automatisch|automatisiert|systeme|programm|modelle|agenten",
        "say": "sage|sag|schreibe|schreib|erwahne|nenne|bewerte|einzustufen|einstufen|empfiehl"
        "|antworte|beschreibe|bewerten|biete|mitteilen|teile mit|stelle _ dar|erwahnen"
        "|zu bewerten|melde|fuge",
        "reader_any": "wenn du das liest|wenn du dies liest|wer das hier|wer dies|wer das liest"
        "|beim zusammenfassen|bei der zusammenfassung|beim verarbeiten|bei der verarbeitung"
        "|nach dem lesen|bevor du antwortest|in jeder zusammenfassung|wenn du dies als",
    },
)
