"""How Portuguese says the ideas of `concepts`."""

from __future__ import annotations

from typing import Final

from headgate.checks.injection.concepts import Vocabulary

PORTUGUESE: Final = Vocabulary(
    "pt",
    {
        "drop": "ignora|ignore|ignorem|ignorar|ignorando|esqueca|esquece|esquecer|desconsidere"
        "|desconsidera|desconsiderar|descarte|descarta|despreze|anule|anula|contorne|contornar|burle"
        "|nao siga|nao sigas|nao obedeca|pare de seguir|deixe de seguir|deixa de seguir"
        "|nao leve em conta|nao tenhas em conta|desative|desativa|apague|apaga"
        "|deixe de lado|passe por cima|desobedeca",
        "all": "tudo|toda|todo|todas|todos|qualquer|quaisquer|cada",
        "earlier": "anterior|anteriores|previo|previos|previas|acima|original|originais|inicial"
        "|iniciais|existentes|recebidas|ate agora|ate aqui|dadas|antes",
        "yours": "suas|tuas|seu|teu|sua|tua|do sistema|que voce recebeu|que lhe foram|que te deram",
        "mine": "minhas|minha|meu|meus|nossas|nossa|nosso|nossos",
        "orders": "instrucao|instrucoes|diretriz|diretrizes|regra|regras|orientacoes|ordens|comandos"
        "|restricoes|limitacoes|restricao|filtros|normas|politicas de seguranca|programacao|contexto"
        "|diretivas",
        "prompt": "prompt do sistema|prompt de sistema|mensagem do sistema|mensagem de sistema"
        "|instrucoes do sistema|instrucoes de sistema|suas instrucoes|tuas instrucoes"
        "|instrucoes iniciais|instrucoes internas|instrucoes ocultas|instrucoes secretas"
        "|prompt inicial|seu prompt|teu prompt|instrucoes originais|suas regras|tuas regras"
        "|orientacoes internas|suas diretrizes|instrucoes confidenciais|configuracao interna"
        "|mensagem do desenvolvedor",
        "said": "tudo acima|tudo o que esta acima|o texto acima|tudo o que foi dito|tudo que foi dito"
        "|o que lhe foi dito|o que te disseram|tudo o que veio antes|tudo o que vem antes|o que precede"
        "|as linhas acima|palavra por palavra|tudo o que leu",
        "new_orders": "nova instrucao|novas instrucoes|nova tarefa|as seguintes instrucoes"
        "|sua nova tarefa|tua nova tarefa|sua verdadeira tarefa|em vez disso|instrucao importante"
        "|novas regras|seu novo papel|sua unica tarefa|tua unica tarefa|instrucao prioritaria"
        "|instrucoes para|instrucao para|novo objetivo",
        "model": "ia|assistente|assistentes|assistente de ia|modelo de linguagem|chatbot"
        "|inteligencia artificial|agente de ia|o modelo|sistema automatico|sistema automatizado|llm",
        "reader": "ao ler este"
        "|se voce e uma ia|se for uma ia|se es uma ia|se voce for um modelo"
        "|nota para a ia|nota a ia|mensagem para a ia"
        "|nota para o assistente|nota ao assistente|atencao ia|atencao assistente|cara ia|querida ia"
        "|caro assistente|qualquer ia|para as ia|apenas para ia|aos assistentes"
        "|para assistentes|se um assistente|a qualquer ia",
        "reveal": "revele|revela|mostre|mostra|mostre-me|repita|repete|imprima|imprime|escreva|escreve"
        "|me de|de-me|da-me|divulgue|divulga|diga-me|me diga|diz-me|copie|copia|traduza|traduz"
        "|quais sao|qual e|liste|lista|cite|compartilhe|partilhe|resuma|transcreva|exiba",
        "become": "agora voce e|voce agora e|agora es|tu agora es|a partir de agora|de agora em diante"
        "|daqui em diante|aja como|age como|atue como|finja que|finja ser|finge que|faca de conta"
        "|comporte-se como|comporta-te como|imagine que voce|imagina que|interprete o papel"
        "|jogo de interpretacao|assuma o papel|entre no modo|mude para o modo|responda como|jogo de papeis",
        "unbound": "sem restricoes|sem nenhuma restricao|sem limites|sem limite|sem filtros|sem filtro"
        "|sem censura|sem regras|nenhuma regra|nenhum limite|sem limitacoes|modo desenvolvedor"
        "|modo programador|sem moral|sem etica|pode fazer qualquer coisa|pode fazer tudo"
        "|livre de regras|tudo e permitido|modo de manutencao|modo administrador|nao tem regras"
        "|nenhum filtro|modo deus|responde a tudo",
        "unrefusing": "nao recuse|nao recuses|nunca recuse|nao pode recusar|nao podes recusar"
        "|nunca diga nao|nunca digas nao|sem avisos|sem advertencias|sem desculpas|nao peca desculpas"
        "|nao pecas desculpa|voce deve obedecer|deve obedecer|comece a resposta com"
        "|comece sua resposta com|comece com claro|recusar nao|proibido recusar|sem questionar"
        "|nao diga que nao pode",
        "only": "responda apenas|responda somente|responda so|responde apenas|responde so|responda com"
        "|responde com|diga apenas|diz apenas|escreva apenas|escreve apenas|nada mais|e nada mais"
        "|com a palavra|com a frase|sua resposta deve|a tua resposta deve|acrescente a frase"
        "|adicione a frase|responda sempre|deve conter|deve incluir|classifique este|classifique esta"
        "|escreva exatamente|diga exatamente|apenas a palavra|inclua a frase|termine com"
        "|recomende apenas|imprima apenas|prioridade|comece cada|termine cada|limite-se a responder",
        "silently": "nao diga nada|nao digas nada|nao mencione|nao menciones|sem dizer|sem mencionar"
        "|sem informar|sem avisar|nao informe|nao avise|em segredo|secretamente|discretamente"
        "|as escondidas|sem que o usuario|sem que o utilizador|sem perguntar|sem pedir|sem confirmacao"
        "|ninguem deve saber|nao conte|sem o conhecimento",
        "send": "envie|envia|enviar|mande|manda|encaminhe|encaminha|reencaminhe|transmita|publique"
        "|publica|anexe|anexa|adicione|acrescente|carregue|suba|abra|abre|visite|visita|insira|coloque"
        "|inclua|chame|copie",
        "secrets": "conversa|historico|senha|senhas|palavra-passe|palavras-passe|chave de api|chave api"
        "|chaves|credenciais|dados de clientes|dados dos clientes|dados pessoais|banco de dados"
        "|base de dados|caixa de entrada|contatos|contactos|segredos|segredo|cartao de credito"
        "|dados bancarios|lista de clientes|mensagens|salarios|numero da conta|notas internas"
        "|dados do usuario|dados do utilizador|codigo-fonte",
        "tool": "chame a funcao|chama a funcao|chame a ferramenta|use a ferramenta|usa a ferramenta"
        "|utilize a ferramenta|use a funcao|utilize a funcao|execute|executa|invoque|invoca"
        "|rode o comando|corra o comando|ative a ferramenta|chamada de funcao|acione",
        "action": "reembolse|reembolsa|reembolso|transfira|transfere|transferencia|exclua todos"
        "|exclua todas|exclua|elimine|apague todos|apague todas|aprove|aprova|autorize|autoriza"
        "|permissoes de administrador|acesso de administrador|redefina|altere a senha|mude a senha|altere"
        "|feche todos|pague|paga|pagamento|conceda|cancele todos|cancele todas|compre|credite",
        "authority": "sou seu desenvolvedor|sou o desenvolvedor|sou o teu programador|sou o administrador"
        "|sou seu administrador|sou o seu administrador|como administrador|em nome da openai|aqui e a openai"
        "|da openai|autorizado por|autorizado pela|codigo de autorizacao|mensagem do sistema"
        "|aviso do sistema|teste de seguranca|ordem da direcao|ordem da diretoria|a direcao exige"
        "|a diretoria exige|seus desenvolvedores|seu operador|administrador do sistema|sou o diretor"
        "|vidas em jogo|vidas dependem|ja verificado|ja aprovado|ja autorizado|equipe da openai"
        "|departamento de ti|atualizacao do sistema",
        "decode": "decodifique|decodifica|descodifique|decifre|decifra|base64|de tras para frente"
        "|ao contrario|rot13|hexadecimal|primeira letra|primeiras letras",
        "obey": "e siga|e execute|e obedeca|e faca o que|e cumpra|siga-as|execute-as|execute-o"
        "|como uma instrucao|como instrucao|como instrucoes|depois execute|depois siga|faca o que diz"
        "|e aja",
        "combine": "concatene|concatena|combine|combina|junte|junta|una as|parte 1|parte 2"
        "|primeira parte|segunda parte|primeira metade|segunda metade|uma apos a outra",
        "about_attacks": "atacante|atacantes|invasor~|ataque|ataques|injecao de prompt~|por exemplo"
        "|exemplo|exemplos|phishing|malicios~|treinamento|formacao|detectar|detetar|golpe|golpes"
        "|fraude~|suspeit~|frases como|tais como|artigo|golpista~|denunci~",
        "thing": "manual|embalagem|fatura|nota fiscal|entrega|pedido|encomenda|montagem|maquina de lavar"
        "|receita|carta|pacote|entregador|estafeta|consulta|medico|dosagem|impressora|aluguel|contrato"
        "|bula|lava-loucas|transportadora|envio",
        "given": "que voce recebeu|que recebeste|que lhe foram dadas|que te deram|que lhe deram"
        "|que lhe foi dito|que deve seguir|que tens de seguir|recebidas no inicio"
        "|que te impuseram|com que trabalha",
        "verbatim": "repita|repete|palavra por palavra|textualmente|literalmente|na integra"
        "|sem alteracoes|imprima|copie|transcreva|tal como|por completo",
        "replaced": "nao se aplicam mais|ja nao se aplicam|nao valem mais|substitui|substituem"
        "|ultrapassadas|suspens~|anuladas|obsoletas|revogad~",
        "regardless": "independentemente|nao importa|seja qual for|em todo caso|em todos os casos|sempre"
        "|a tudo|a qualquer|cada vez|diga o que disser|qualquer que seja",
        "must": "deve|devem|deves|devera|tem que|tem de|precisa|e obrigado a|ha de",
        "machine": "software|programa|maquina|maquinas|robo|robos|classificador|algoritmo|automatizado"
        "|automatico|modelos|agentes|bots",
        "say": "diga|diz|escreva|escreve|mencione|descreva|conclua|recomende|apresente|responda"
        "|inclua|acrescente|afirme|informe|indique|classifique|chame|marque|proponha",
        "reader_any": "quando ler isto|se ler isto|ao ler isto|lendo isto|ao resumir|quando resumir"
        "|ao processar|quem ler isto|que ler isto|quem processar|antes de responder"
        "|se voce e um assistente",
    },
)
