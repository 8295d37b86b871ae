"""How French says the ideas of `concepts`."""

from __future__ import annotations

from typing import Final

from headgate.checks.injection.concepts import Vocabulary

FRENCH: Final = Vocabulary(
    "fr",
    {
        "drop": "ignore|ignores|ignorez|ignorer|ignorant|oublie|oubliez|oublier|neglige|negligez"
        "|ne tiens pas compte|ne tenez pas compte|ne tiens plus compte|ne tenez plus compte"
        "|fais abstraction|faites abstraction|contourne|contournez|outrepasse|outrepassez"
        "|ne suis plus|ne suivez plus|ne respecte plus|ne respectez plus|efface"
        "|effacez|desactive|desactivez|n'obeis plus|n'obeissez plus"
        "|mets de cote|mettez de cote"
        "|passe outre|passez outre|abandonne|abandonnez",
        "all": "tout|toute|toutes|tous|chaque|n'importe quel~|l'ensemble",
        "earlier": "precedent|precedente|precedentes|precedents|anterieur~|ci-dessus|plus haut"
        "|initiale|initiales|initial|initiaux|d'origine|originales|originelles|existantes|recues"
        "|jusqu'ici|jusqu'a present|avant|donnees",
        "yours": "tes|vos|ton|votre|ta|du systeme|qui t'ont|qui vous ont",
        "mine": "mes|mon|ma|nos|notre",
        "orders": "instruction|instructions|consigne|consignes|directive|directives|regle|regles"
        "|ordres|contraintes|restrictions|limitations|garde-fous|commandes|filtres|protocoles"
        "|politiques de securite|programmation|contexte",
        "prompt": "prompt systeme|invite systeme|message systeme|instructions systeme"
        "|instructions du systeme|invite initiale|tes instructions|vos instructions|tes consignes"
        "|vos consignes|instructions initiales|instructions internes|consignes internes"
        "|instructions secretes|instructions cachees|instructions d'origine|prompt initial"
        "|ton prompt|votre prompt|consignes initiales|tes regles|vos regles|message du developpeur"
        "|consignes confidentielles|instructions confidentielles|configuration interne",
        "said": "tout ce qui precede|ce qui precede|le texte ci-dessus|tout ce qu'on t'a dit"
        "|tout ce qu'on vous a dit|ce qu'on t'a dit|tout ce qui est ecrit|tout le texte au-dessus"
        "|les lignes au-dessus|ce qui a ete dit|tout ce qui vient avant|mot pour mot",
        "new_orders": "nouvelle instruction|nouvelles instructions|nouvelle consigne|nouvelles consignes"
        "|nouvelle tache|les instructions suivantes|ta nouvelle mission|votre nouvelle mission"
        "|ta vraie tache|votre vraie tache|a la place|instruction importante|nouvelles regles"
        "|ton nouveau role|votre nouveau role|ta seule tache|ton unique tache|votre unique tache"
        "|veritable tache|instruction prioritaire|instructions pour|consigne pour",
        "model": "ia|assistant|assistants|assistant ia|modele de langage|modele de langue|chatbot"
        "|intelligence artificielle|agent ia|le modele|robot conversationnel|systeme automatise"
        "|agent automatique|llm",
        "reader": "si vous lisez ceci"
        "|si tu es une ia|si vous etes une ia|si tu es un modele"
        "|si vous etes un modele"
        "|note a l'ia|note pour l'ia|message a l'ia|message pour l'ia|a l'attention de l'ia"
        "|a l'attention de l'assistant|note a l'assistant|note aux assistants|attention ia"
        "|chere ia|cher assistant|toute ia|pour les ia|reserve aux ia|a toute ia"
        "|aux assistants|aux modeles|si un assistant|quand un assistant",
        "reveal": "revele|revelez|affiche|affichez|montre|montrez|montre-moi|montrez-moi|repete"
        "|repetez|imprime|imprimez|ecris|ecrivez|donne|donnez|donne-moi|donnez-moi|divulgue"
        "|divulguez|dis-moi|dites-moi|recopie|recopiez|traduis|traduisez|quelles sont|quel est"
        "|quelle est|liste|cite|citez|recite|communique|communiquez|copie|copiez|resume|resumez",
        "become": "tu es maintenant|vous etes maintenant|tu es desormais|vous etes desormais"
        "|a partir de maintenant|desormais tu|desormais vous|desormais|agis comme|agissez comme"
        "|fais semblant|faites semblant|joue le role|jouez le role|comporte-toi comme"
        "|comportez-vous comme|imagine que tu|imaginez que vous|jeu de role|prends le role"
        "|prenez le role|incarne|incarnez|passe en mode|passez en mode|tu joues|reponds comme"
        "|fais comme si|faites comme si",
        "unbound": "sans restriction|sans restrictions|sans aucune restriction|sans limite"
        "|sans limites|sans filtre|sans filtres|sans censure|non censure|aucune regle|sans regles"
        "|aucune limite|aucune restriction|mode developpeur|sans morale|sans aucune regle|debride"
        "|libere de|libere des|peut tout faire|peut tout dire|tout est permis|mode maintenance"
        "|mode debug|mode administrateur|aucun filtre|sans tabou|sans ethique|ne refuse rien"
        "|repond a tout",
        "unrefusing": "ne refuse pas|ne refuse jamais|ne refusez pas|ne refusez jamais"
        "|tu ne peux pas refuser|vous ne pouvez pas refuser|sans avertissement|sans avertissements"
        "|sans mise en garde|ne t'excuse pas|ne vous excusez pas|pas d'excuses|sans excuses"
        "|tu dois obeir|vous devez obeir|ne dis jamais non|ne dites jamais non|commence par bien sur"
        "|commence ta reponse par|commencez votre reponse par|refuser est|refus interdit"
        "|aucun refus|sans discuter|interdit de refuser",
        "only": "reponds uniquement|repondez uniquement|reponds seulement|repondez seulement"
        "|reponds par|repondez par|reponds avec|repondez avec|dis seulement|dites seulement"
        "|ecris seulement|ecris uniquement|ecrivez uniquement|rien d'autre|et rien d'autre"
        "|avec le mot|avec la phrase|par le mot|par la phrase|ta reponse doit|votre reponse doit"
        "|ajoute la phrase|ajoutez la phrase|reponds toujours|repondez toujours|doit contenir"
        "|classe ce|classez ce|note ce|notez ce|reponds simplement|repondez simplement"
        "|ecris exactement|affiche uniquement|affiche le mot|affiche seulement|commence chaque"
        "|termine chaque|recommande uniquement|priorite|dis exactement|termine par|terminez par",
        "silently": "ne dis rien|ne dites rien|ne mentionne pas|ne mentionnez pas|sans le dire"
        "|sans mentionner|sans informer|sans prevenir|n'informe pas|n'informez pas|en secret"
        "|secretement|discretement|a l'insu|sans demander|sans confirmation|n'en parle pas"
        "|n'en parlez pas|sans que l'utilisateur|ne previens pas|garde le secret|sans en parler",
        "send": "envoie|envoyez|envoyer|transmets|transmettez|transfere|transferez|poste|postez"
        "|publie|publiez|joins|joignez|ajoute|ajoutez|charge|chargez|ouvre|ouvrez|visite|visitez"
        "|insere|inserez|mets|mettez|appelle|appelez|telecharge|copie",
        "secrets": "conversation|historique|mot de passe|mots de passe|cle api|cles api|identifiants"
        "|donnees clients|donnees des clients|donnees personnelles|base de donnees|boite mail"
        "|contacts|secrets|secret|carte bancaire|coordonnees bancaires|liste des clients|messages"
        "|numero de compte|notes internes|donnees de l'utilisateur|salaires|adresse e-mail|code source",
        "tool": "appelle l'outil|appelez l'outil|appelle la fonction|appelez la fonction"
        "|utilise l'outil|utilisez l'outil|utilise la fonction|utilisez la fonction|execute"
        "|executez|lance la commande|lancez la commande|lance l'outil|invoque|invoquez|declenche"
        "|appelle|appel de fonction",
        "action": "rembourse|remboursez|remboursement|vire|virez|virement|supprime tous|supprimez tous"
        "|supprime toutes|supprime|supprimez|approuve|approuvez|valide|validez|droits administrateur"
        "|droits d'administrateur|acces administrateur|reinitialise|change le mot de passe|modifie"
        "|modifiez|ferme tous|fermez|paie|payez|paiement|accorde|accordez|annule toutes|commande",
        "authority": "je suis ton developpeur|je suis votre developpeur|je suis le developpeur"
        "|je suis l'administrateur|je suis ton administrateur|en tant qu'administrateur"
        "|au nom d'openai|ici openai|de la part d'openai|autorise par|code d'autorisation"
        "|message systeme|notification systeme|test de securite|derogation|urgence absolue"
        "|ordre de la direction|la direction exige|ton operateur|tes developpeurs|equipe openai"
        "|administrateur systeme|je suis le pdg|des vies sont en jeu|deja verifie|deja approuve"
        "|deja valide|service informatique|mise a jour du systeme|mise a jour systeme",
        "decode": "decode|decodez|decoder|dechiffre|dechiffrez|base64|a l'envers|rot13|hexadecimal"
        "|premieres lettres|premiere lettre",
        "obey": "et suis|et suivez|et execute|et executez|et obeis|et obeissez|et fais ce|et applique"
        "|et appliquez|suis-les|suivez-les|execute-les|executez-les|comme une instruction"
        "|comme instruction|comme des instructions|puis execute|puis suis|puis obeis|fais ce qui"
        "|faites ce qui",
        "combine": "concatene|concatenez|assemble|assemblez|combine|combinez|bout a bout|partie 1"
        "|partie 2|premiere partie|deuxieme partie|premiere moitie|seconde moitie|colle|collez",
        "about_attacks": "attaquant|attaquants|attaque|attaques|injection de prompt|par exemple"
        "|exemple|exemples|hameconnage|malveillant~|formation|sensibilisation|detecter|arnaque~"
        "|fraude~|suspect~|tels que|telles que|phrases comme|article|escroc~|signale",
        "thing": "notice|mode d'emploi|emballage|facture|livraison|commande|montage|lave-linge|recette"
        "|courrier|lettre|colis|livreur|rendez-vous|medecin|posologie|imprimante|bail|reglement"
        "|lave-vaisselle|transporteur|bon de livraison",
        "given": "qu'on t'a donne~|qu'on vous a donne~|t'a-t-on donne~|vous a-t-on donne~"
        "|que tu as recu~|que vous avez recu~|qui t'ont ete|qui vous ont ete|recues au depart"
        "|recue au depart|donnees au debut|qu'on t'a dit~|qu'on vous a dit~"
        "|que tu dois suivre|que je t'ai donne~|auxquelles tu obeis|imposees",
        "verbatim": "repete|repetez|mot pour mot|recopie|recopiez|integralement|en entier"
        "|sans rien changer|imprime|imprimez|copie|textuellement|tel quel"
        "|dans son integralite",
        "replaced": "ne s'appliquent plus|ne s'applique plus|ne sont plus valables|remplace|remplacent"
        "|perimees|caduques|annule et remplace|leve~ ce jour|suspendu~",
        "regardless": "quelle que soit|quel que soit|peu importe|dans tous les cas|toujours"
        "|en toutes circonstances|a chaque|a tout|quoi qu'il|independamment",
        "must": "doit|doivent|dois|devez|devra|est tenu de|sont tenus de|il faut|a donner",
        "machine": "logiciel|logiciels|machine|machines|robot|robots|classificateur|algorithme"
        "|automatise~|automatique|modeles|agents|programme",
        "say": "dis|dites|ecris|ecrivez|mentionne|presente|presentez|conclus|concluez|conseille"
        "|conseillez|reponds|repondez|decris|decrivez|ajoute|inclus|note|classe|recommande"
        "|affirme|indique",
        "reader_any": "quand tu lis ceci|si tu lis ceci|quand vous lisez ceci|en resumant|lors du resume"
        "|lors du traitement|en traitant ce|qui resume ce|qui lit ce|qui lit ceci"
        "|si tu es un assistant|si vous etes un assistant|avant de repondre|quiconque traite",
    },
)
