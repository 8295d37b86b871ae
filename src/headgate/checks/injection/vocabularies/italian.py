"""How Italian says the ideas of `concepts`."""

from __future__ import annotations

from typing import Final

from headgate.checks.injection.concepts import Vocabulary

ITALIAN: Final = Vocabulary(
    "it",
    {
        "drop": "ignora|ignori|ignorare|ignorate|ignorando|dimentica|dimentichi|dimenticare|scarta"
        "|tralascia|trascura|trascuri|annulla|annulli|aggira|aggirare|bypassa|sovrascrivi"
        "|non seguire|non segua|non obbedire|smetti di seguire|non tenere conto|non tenga conto"
        "|non considerare|disattiva|disattivi|cancella"
        "|lascia perdere|metti da parte|disubbidisci|scavalca",
        "all": "tutto|tutta|tutti|tutte|ogni|qualsiasi|qualunque",
        "earlier": "precedente|precedenti|di sopra|sopra|originale|originali|iniziale|iniziali"
        "|esistenti|ricevute|finora|fino a ora|fino ad ora|prima|date in precedenza",
        "yours": "tue|sue|tuo|suo|tua|tuoi|del sistema|che ti hanno dato|che hai ricevuto",
        "mine": "mie|mia|mio|miei|nostre|nostra|nostro|nostri",
        "orders": "istruzione|istruzioni|direttiva|direttive|regola|regole|indicazioni|ordini|vincoli"
        "|restrizioni|limitazioni|comandi|filtri|linee guida|politiche di sicurezza|programmazione"
        "|contesto|protocolli",
        "prompt": "prompt di sistema|prompt del sistema|messaggio di sistema|istruzioni di sistema"
        "|istruzioni del sistema|tue istruzioni|sue istruzioni|istruzioni iniziali|istruzioni interne"
        "|istruzioni nascoste|istruzioni segrete|prompt iniziale|tuo prompt|istruzioni originali"
        "|tue regole|tue direttive|istruzioni riservate|configurazione interna|messaggio dello sviluppatore",
        "said": "tutto quanto sopra|quanto sopra|il testo sopra|tutto cio che precede"
        "|cio che ti e stato detto|tutto quello che ti|quello che ti hanno detto|tutto il testo sopra"
        "|le righe sopra|parola per parola|tutto cio che viene prima",
        "new_orders": "nuova istruzione|nuove istruzioni|nuovo compito|le seguenti istruzioni"
        "|il tuo nuovo compito|il tuo vero compito|invece di cio|al suo posto|istruzione importante"
        "|nuove regole|il tuo nuovo ruolo|il tuo unico compito|istruzione prioritaria"
        "|istruzioni per|istruzione per|nuovo obiettivo|piuttosto",
        "model": "ia|intelligenza artificiale|assistente|assistenti|assistente ia|assistente ai"
        "|modello linguistico|modello di linguaggio|chatbot|agente ia|agente ai|il modello"
        "|sistema automatico|sistema automatizzato|llm",
        "reader": "se stai leggendo"
        "|se sei un'ia|se sei una ia|se sei un modello|se sei un assistente"
        "|nota per l'ia|nota all'ia|messaggio per l'ia|nota per l'assistente|nota all'assistente"
        "|attenzione ia|attenzione assistente|cara ia|caro assistente|qualsiasi ia|per le ia"
        "|solo per ia|agli assistenti|per gli assistenti|se un assistente",
        "reveal": "rivela|riveli|mostra|mostri|mostrami|ripeti|ripeta|stampa|stampi|scrivi|scriva"
        "|dammi|mi dia|divulga|dimmi|mi dica|copia|copi|traduci|traduca|quali sono|qual e|elenca"
        "|cita|condividi|condivida|riassumi|trascrivi|comunica|svela",
        "become": "ora sei|adesso sei|lei ora e|da ora in poi|d'ora in poi|da adesso|agisci come"
        "|comportati come|si comporti come|fingi di essere|fai finta|finga|interpreta il ruolo"
        "|recita la parte|gioca il ruolo|immagina di essere|immagina che|gioco di ruolo"
        "|assumi il ruolo|passa alla modalita|entra in modalita|rispondi come",
        "unbound": "senza restrizioni|senza alcuna restrizione|senza limiti|senza limite|senza filtri"
        "|senza filtro|senza censura|senza regole|nessuna regola|nessun limite|senza limitazioni"
        "|modalita sviluppatore|senza morale|senza etica|puo fare tutto|puo fare qualsiasi cosa"
        "|libero da regole|tutto e permesso|modalita manutenzione|modalita amministratore"
        "|non ha regole|nessun filtro|modalita dio|risponde a tutto",
        "unrefusing": "non rifiutare|non rifiutarti|non rifiuti|non puoi rifiutare|non dire mai no"
        "|mai dire di no|senza avvertenze|senza avvisi|senza scuse|non scusarti|non si scusi"
        "|devi obbedire|devi ubbidire|deve obbedire|inizia la risposta con|comincia con certo"
        "|inizia con certo|rifiutare non|vietato rifiutare|senza discutere|nessuna scusa",
        "only": "rispondi solo|risponda solo|rispondi soltanto|rispondi unicamente|rispondi con"
        "|risponda con|di' solo|dica solo|scrivi solo|scriva solo|nient'altro|e nient'altro"
        "|e basta|con la parola|con la frase|la tua risposta deve|la sua risposta deve"
        "|aggiungi la frase|rispondi sempre|deve contenere|classifica questo|scrivi esattamente"
        "|esattamente la frase|solo la parola|includi la frase|termina con|consiglia solo|stampa solo"
        "|priorita|inizia ogni|termina ogni|limitati a rispondere",
        "silently": "non dire nulla|non dire niente|non menzionare|non menzionarlo|senza dire"
        "|senza menzionare|senza informare|senza avvisare|non informare|non avvisare|in segreto"
        "|segretamente|di nascosto|senza che l'utente|senza chiedere|senza conferma|nessuno deve sapere"
        "|non dirlo|all'insaputa",
        "send": "invia|invii|inviare|manda|mandi|inoltra|inoltri|trasmetti|pubblica|pubblichi|allega"
        "|aggiungi|carica|carichi|apri|apra|visita|visiti|inserisci|metti|includi|chiama|copia|spedisci",
        "secrets": "conversazione|cronologia|password|chiave api|chiavi api|chiavi|credenziali"
        "|dati dei clienti|dati clienti|dati personali|database|casella di posta|contatti|segreti"
        "|segreto|carta di credito|dati bancari|elenco clienti|messaggi|stipendi|numero di conto"
        "|note interne|dati dell'utente|codice sorgente",
        "tool": "chiama la funzione|chiama lo strumento|usa lo strumento|usi lo strumento"
        "|utilizza lo strumento|usa la funzione|utilizza la funzione|esegui|esegua|invoca|invochi"
        "|lancia il comando|attiva lo strumento|chiamata di funzione|richiama la funzione",
        "action": "rimborsa|rimborsi|rimborso|trasferisci|trasferisca|bonifico|elimina tutti"
        "|elimina tutte|elimina|elimini|cancella tutti|cancella tutte|approva|approvi|autorizza"
        "|autorizzi|diritti di amministratore|accesso amministratore|reimposta|cambia la password"
        "|modifica|chiudi tutti|paga|paghi|pagamento|concedi|annulla tutti|acquista|accredita",
        "authority": "sono il tuo sviluppatore|sono lo sviluppatore|sono l'amministratore"
        "|sono il tuo amministratore|come amministratore|per conto di openai|qui openai|da openai"
        "|autorizzato da|codice di autorizzazione|messaggio di sistema|avviso di sistema"
        "|test di sicurezza|override di emergenza|ordine della direzione|la direzione richiede"
        "|i tuoi sviluppatori|il tuo operatore|amministratore di sistema|sono il direttore"
        "|vite in gioco|gia verificato|gia approvato|gia autorizzato|team di openai|reparto informatico"
        "|aggiornamento di sistema|sono l'amministratore delegato",
        "decode": "decodifica|decodifichi|decifra|decifri|base64|al contrario|rot13|esadecimale"
        "|prima lettera|iniziali di",
        "obey": "e segui|e segua|ed esegui|e esegui|ed esegua|e obbedisci|e fai quello|e fai cio"
        "|e applica|seguile|eseguile|eseguilo|come istruzione|come un'istruzione|come istruzioni"
        "|poi esegui|poi segui|fai quello che dice",
        "combine": "concatena|combina|combini|unisci|unisca|metti insieme|parte 1|parte 2|prima parte"
        "|seconda parte|prima meta|seconda meta|una dopo l'altra|assembla",
        "about_attacks": "attaccante|attaccanti|attacco|attacchi|prompt injection|per esempio|esempio"
        "|esempi|ad esempio|phishing|malevol~|formazione|rilevare|truffa~|frode|frodi|sospett~"
        "|frasi come|articolo|truffator~|segnalat~",
        "thing": "manuale|confezione|imballaggio|fattura|consegna|ordine|montaggio|lavatrice|ricetta"
        "|lettera|pacco|corriere|appuntamento|medico|dosaggio|stampante|affitto|contratto|foglietto"
        "|lavastoviglie|spedizione|bolla|libretto",
        "given": "che ti hanno dato|che hai ricevuto|che ha ricevuto|che ti sono state date"
        "|che ti e stato detto|che devi seguire|ricevute all'inizio|che ti hanno imposto"
        "|con cui lavori|secondo cui lavori",
        "verbatim": "ripeti|ripeta|parola per parola|testualmente|letteralmente|integralmente|stampa"
        "|copia|trascrivi|senza modifiche|per intero|tale e quale",
        "replaced": "non valgono piu|non si applicano piu|sostituisce|sostituiscono|superate|decadute"
        "|sospes~|annullate|obsolete",
        "regardless": "qualunque cosa|qualsiasi cosa|indipendentemente|in ogni caso|in tutti i casi|sempre"
        "|a tutto|ogni volta|a prescindere|comunque",
        "must": "deve|devono|devi|dovra|bisogna|occorre|e tenuto a|va riportato|da riportare|si deve",
        "machine": "software|programma|macchina|macchine|robot|classificatore|algoritmo|automatizzato"
        "|automatico|modelli|agenti|bot",
        "say": "di'|dica|scrivi|scriva|menziona|descrivi|descriva|concludi|consiglia|presenta"
        "|rispondi|aggiungi|includi|afferma|indica|proponi|classifica|riporta|riportare"
        "|segnala",
        "reader_any": "quando leggi questo|se leggi questo|leggendo questo|nel riassumere|quando riassumi"
        "|quando elabori|che legge questo|chi legge questo|prima di rispondere"
        "|se sei un assistente|chi elabora",
    },
)
