"""How English says the ideas of `concepts`."""

from __future__ import annotations

from typing import Final

from headgate.checks.injection.concepts import Vocabulary

ENGLISH: Final = Vocabulary(
    "en",
    {
        "drop": "ignore|ignoring|ignores|disregard~|forget|forgetting|override|overriding|overrule"
        "|bypass|bypassing|neglect|discard|drop|erase|delete|wipe|clear|scrap|set aside|pay no attention to"
        "|do not follow|don't follow|do not obey|don't obey|stop following|stop obeying"
        "|no longer bound by|not bound by|throw away|throw out|revoke|disable|abandon|put aside|skip|dismiss|reset|throw them out"
        "|break with|lift",
        "all": "all|any|every|everything|each|whatever|the whole|entire",
        "earlier": "previous|prior|earlier|above|preceding|former|foregoing|existing|original"
        "|initial|past|before this|up to now|so far|until now|given to you|you were given"
        "|you have been given|you received|you have received|preceding|already given|current|old",
        "yours": "your|you have|you were|you've|the system|system|developer's|operator's",
        "mine": "my|our|i sent|i gave|we sent|we gave|i wrote",
        "orders": "your task|summary task|your job|instruction|instructions|instructed|guideline|guidelines|directive|directives"
        "|rule|rules|constraint|constraints|guardrail|guardrails|programming|restriction"
        "|restrictions|safety polic~|content polic~|safeguards|safety measures|safety filters"
        "|filters|commands|protocols|policies|training|limitations|context",
        "prompt": "system prompt|system prompts|system message|system instruction~"
        "|developer message|developer prompt|developer instruction~|hidden prompt"
        "|hidden instruction~|initial prompt|initial instruction~|original prompt"
        "|secret instruction~|internal instruction~|internal prompt|pre-prompt|preprompt"
        "|prompt above|previous prompt|prior prompt|prompts above|your prompt|your instructions"
        "|your initial|your guidelines|your configuration|your rules|base prompt|your directives"
        "|confidential instruction~|setup text|your own instructions|instructions you were given",
        "said": "what you were asked|whatever you were asked|asked to do with this|everything above|everything before|all of the above|all the above|the text above"
        "|the words above|text before this|what you were told|what you have been told"
        "|everything you were told|everything you have been told|anything you were told"
        "|what came before|whatever came before|everything prior|all that came before"
        "|the conversation above|everything up to|lines above|messages above"
        "|the first message|first line of|you are a|everything i said|verbatim from the top",
        "new_orders": "new instruction~|updated instruction~|revised instruction~|real instruction~"
        "|actual instruction~|true instruction~|the following instructions|new task|real task"
        "|actual task|your new role|your new goal|your new rules|new directive~|new system prompt"
        "|new rules|instead do|do this instead|your only task|your new task|your job is now"
        "|your task is now|real job|new objective|your new objective|important instruction~"
        "|priority instruction~|special instruction~|additional instruction~|instruction for",
        "model": "ai assistant|ai assistants|ai model|ai models|ai agent|ai agents|ai system"
        "|ai systems|AIs|AI|assistant|assistants|language model|language models|llm|llms|chatbot"
        "|gpt|gpt-4|gpt-5|chatgpt|claude|copilot|gemini|the model|the bot"
        "|automated system|automated agent|automated reader|large language model|summarizer"
        "|summariser|dear model|machine reader|triage bot|virtual assistant",
        "reader": "if you are an ai|if you are a language model|if you are an llm|if you're an ai"
        "|if you are a chatbot|if you are a bot|any ai reading|any ai that reads|any chatbot that"
        "|any model that reads|any assistant that|any ai|for ai only|for ai assistants|for ai systems"
        "|for ai agents|for language models|for llms|for the assistant|for the ai|for machines|note to ai"
        "|note to ais|note to the ai|note to assistant|note to the assistant|note to assistants"
        "|note to llm~|note for ai|note for llm~|message to the ai|message for the ai|message to ai"
        "|attention ai|attention assistant|attention llm~|dear ai|dear assistant please|hey ai"
        "|hey assistant|ai reading this|ai models reading|assistant reading this|ai processing this"
        "|llm reviewers|ai reviewers|ai screeners|ai agents reading|as a language model|as an ai"
        "|if this text is being read by|if an ai|to the ai|as the ai|agents that read"
        "|models that read|models that index|models that summarise|models that summarize"
        "|assistants that read|summarising this as|when an ai|a model that explains"
        "|the agent that reads|the model that reads|the assistant that reads|dear spam classifier"
        "|dear classifier|dear model|to the reading software|reading software|screening software",
        "reveal": "reveal|reveals|show|print|prints|repeat|output|display|tell me|write out|write"
        "|write down|disclose|leak|share|expose|list|recite|give me|dump|translate|what is|what are"
        "|what were|quote|reproduce|spell out|spit out|copy|paste|echo|return|encode|summarize"
        "|summarise|paraphrase|read back|type out|send me|include|state|rephrase|convert|post",
        "become": "you are now|you're now|from now on you|from now on|act as|acting as"
        "|pretend to be|pretend you are|pretend that you|pretend you're|roleplay as|role-play as"
        "|role play as|roleplay|play the role of|behave as|behave like|simulate being|simulate a"
        "|imagine you are|imagine that you are|imagine you're|you will be playing|you will act as"
        "|take on the role|take on the persona|assume the role|assume the identity|adopt the persona"
        "|let's play a game|switch to|switch into|enter|you have become|your name is now|respond as"
        "|speak as|answer as|stay in character|become|transform into|in the voice of|you play"
        "|write a story in which|be my",
        "unbound": "no restrictions|without restrictions|without any restrictions|no limits"
        "|without limits|without any limits|no limitations|without limitations|uncensored"
        "|unfiltered|unrestricted|jailbroken|jailbreak mode|do anything now|dan mode"
        "|developer mode|god mode|no rules|without rules|no filters|without filters|no filter"
        "|free from all|freed from|no ethical|without ethical|no ethics|no moral~|without moral~"
        "|not bound by|unbound by|no guardrails|without guardrails|opposite mode|evil twin"
        "|evil version|evil ai|amoral|no safety|without safety|disable your safety|debug mode"
        "|maintenance mode|unlimited mode|can do anything|answers everything|answers anything"
        "|answer anything|never says no|has no rules|knows no rules|obeys nobody|ignores all rules"
        "|broken free|policies do not apply|rules do not apply|restrictions do not apply"
        "|restrictions lifted|restrictions are lifted|filters off|filter off|safety off|unchained"
        "|who cannot refuse|free of rules|grandma used to|grandmother used to|admin mode"
        "|root mode|root access|unlocked mode|no content polic~|without content polic~"
        "|anything goes|without any rules|without any filter|without any filters",
        "unrefusing": "do not refuse|don't refuse|never refuse|you cannot refuse|you can't refuse"
        "|you may not refuse|must not refuse|refusing is not|refusal is not|no refusals"
        "|refusals are|without refusing|never say you can't|never say you cannot|never say no"
        "|do not say you can't|don't say you can't|do not say you cannot|do not apologize"
        "|do not apologise|don't apologize|no apologies|no apology|without apolog~"
        "|without warnings|no warnings|without any warnings|no disclaimers|without disclaimers"
        "|without any disclaimer|no disclaimer|without a disclaimer|you must comply"
        "|must always comply|you have to comply|always comply|start your answer with sure"
        "|start your reply with|begin your answer with|begin your reply with|start with sure"
        "|begin with sure|begin your response with|start your response with absolutely"
        "|do not use the words|never use the words|do not mention polic~|don't mention polic~"
        "|do not lecture|don't lecture|no moralizing|no lectures|do not say sorry"
        "|words sorry|words cannot|i can't help is|i cannot is|not allowed to say no"
        "|not allowed to refuse|do not decline|never decline|do not hedge|no hedging",
        "only": "reply only with|respond only with|answer only with|say only|output only"
        "|print only|return only|reply with only|respond with only|answer with only"
        "|only reply with|only respond with|only output|only answer|reply exactly"
        "|respond exactly|say exactly|reply with exactly|respond with exactly|answer exactly"
        "|with the single word|with the word|with a single word|with one word|with the words"
        "|with the text|with the sentence|with the phrase|nothing else|and nothing more"
        "|no other text|just say|simply say|simply reply|simply answer|just answer|just reply"
        "|just write|your entire answer|your whole answer|your entire reply"
        "|your entire response|your answer must be|your reply must be|your response must be"
        "|the answer is always|always answer|always reply|always respond|respond with|reply with"
        "|answer with|begin every|end every|start every"
        "|must end with|must begin with|add the sentence|add the line|add the phrase|add the words"
        "|include the phrase|include the word|include the words|include the sentence"
        "|insert the phrase|finish with|write the word|print the word|say the word|output the word"
        "|instead say|instead write|instead print|instead output|instead reply|write instead"
        "|say that this|state that|recommend only|rate this|rank this|set the priority|classify this"
        "|mark this|label this|score this|choose this",
        "silently": "do not tell|don't tell|do not mention|don't mention|without telling"
        "|without mentioning|without informing|do not inform|don't inform|do not reveal this"
        "|don't reveal this|do not show this|keep this secret|keep this hidden|keep it secret"
        "|secretly|silently|quietly|without notifying|do not notify|must not know|must not notice"
        "|should not know|should not notice|not be told|do not disclose this|do not explain"
        "|don't explain|do not let the user|without the user|without asking|do not ask for"
        "|without confirmation|without approval|do not acknowledge|no one must know|unnoticed"
        "|never mention|do not refer to this|say nothing about",
        "send": "send|sends|forward|forwards|e-mail|email|mail|post|upload|transmit|exfiltrate"
        "|append|attach|encode|embed|deliver|submit|make a request|fetch|request|load|leak|copy"
        "|insert|include|put|place|fill in|replace|visit|open|browse to|navigate to|publish|share",
        "secrets": "conversation|chat history|conversation history|password|passwords|api key"
        "|api keys|credentials|access token|tokens|secret|secrets|customer data|personal data"
        "|customer list|customer records|user data|private data|database|email address|mailbox"
        "|inbox|contacts|environment variables|system prompt|internal notes|card number~"
        "|credit card|user's name|user's message~|user's question|user's email|bank details"
        "|account number~|all messages|everything you know|your context|previous messages"
        "|your memory|invoice data|order history|salary|salaries|medical|contents of|source code",
        "tool": "call the _ tool|use the _ tool|with the _ tool|use your _ tool|using your _ tool"
        "|call the function|call the tool|use the tool|using the tool|invoke|run the tool|run the command|run the following|run the function"
        "|function call|tool call|use your tool~|use your tools|with the tool|the function"
        "|make a tool call|use your ability to|use your access|api call|call function|via the tool",
        "action": "issue a refund|full refund|approve the refund|approve this|approve|refund"
        "|delete all|delete the|delete every|transfer|wire|pay|payment|grant|admin rights"
        "|administrator rights|admin access|change the password|reset the password|unlock"
        "|close the ticket|close all|cancel all|cancel the|create a user|create an account"
        "|give me access|escalate|promote|update the record|update the bank|change the bank"
        "|change the address|drop table|rm -rf|shell|purchase|order 100|order ten|ship|merge"
        "|publish|grant access|disable the alarm|disable logging|add me as|set my|set the price"
        "|waive|credit|payout|withdraw",
        "authority": "i am your developer|i am your creator|i am the developer|i'm your developer"
        "|i'm the developer|i am the administrator|i am your administrator|i'm the admin"
        "|i am the admin|i am an admin|as the administrator|as your administrator|as an openai"
        "|openai staff|openai employee|openai engineer|openai security|openai has authori~"
        "|from openai|on behalf of openai|this is openai|authorized by|authorised by"
        "|system override|security override|emergency override|override code|override key"
        "|authorization code|authorisation code|security test|authorized penetration"
        "|authorised penetration|authorized test|red team authori~|this is an authorized"
        "|this is an authorised|i have admin|with admin rights|as your owner|i own this system"
        "|by order of the|orders from the ceo|ceo has ordered|message from the system"
        "|message from the administrator|system notice|system notification|system update"
        "|system alert|security notice for|compliance requires you|your operator|the operator"
        "|your developers|your creators|the developers of|this is the system speaking"
        "|this is your administrator|this is the administrator|sudo|admin override|root user"
        "|clearance level|lives depend|people will die|i will lose my job|i am the ceo"
        "|system administrator|sysadmin here|it department here|this is it security|policy update"
        "|we have verified|already verified|already been verified|pre-approved|preapproved"
        "|already approved|legal requires|by law you must|security team has|trust and safety",
        "decode": "decode|decipher|decrypt|base64|base 64|rot13|rot-13|hexadecimal|hex string"
        "|reverse the|read it backwards|read backwards|backwards|unscramble|first letter of each"
        "|first letters of|caesar|morse|from binary|leetspeak|unicode|translate from",
        "obey": "and follow|and execute|and obey|and do what|do what it says|carry out|then follow"
        "|then execute|then do|then obey|and answer it|and answer that|and act on|and comply"
        "|follow it|follow them|execute it|obey it|follow the instruction~|follow the decoded"
        "|follow the result|do exactly that|execute the result|and perform|perform it|do it"
        "|follow that|and reply to it|as an instruction|as instructions|as your instruction~"
        "|as a command|treat it as|treat them as|treat the result as|answer the result"
        "|respond to the result|act accordingly|must be followed|run it",
        "combine": "concatenate|combine|join the|join them|put together|put them together|glue"
        "|append them|read them as one|one after the other|let a =|let x =|a + b|x + y"
        "|a+b|x+y|part 1|part 2|part one|part two|first half|second half|first part|second part"
        "|fragment 1|fragment one|assemble|merge the parts|string a|string b|var1|var2",
        "about_attacks": "prompt injection|prompt injections|injection attack~|attacker|attackers"
        "|adversar~|phishing|malicious|security training|awareness|red team~|for example"
        "|an example of|examples of|such as|e.g|attack|attacks|jailbreaks|jailbreak attempt~"
        "|detect~|unit test|test case|classifier|blog post|article|paper|lecture|course|scam~"
        "|fraud~|spam|suspicious|we saw|reported|pentest~|owasp|our filter|blocklist|the guard"
        "|must not obey|should refuse|in the wild|sentences like|phrases like|texts like"
        "|lines like|something like|known trick|typical|quiz|slide",
        "thing": "agreement|agreements|contract|parties|court|board|law|expenses|employees|staff"
        "|overtime|insurance|tariff|travel|manual|leaflet|packaging|box|label|invoice|invoices|delivery|courier|assembly"
        "|assembling|washing|care|recipe|cooking|bank|payment|appointment|voicemail|letter"
        "|shipping|order|orders|booking|reservation|parcel|package|driver|doctor|dosage|return"
        "|installation|install|router|dishwasher|washing machine|printer|guarantee|warranty"
        "|schoolwork|homework|exam|house rules|rental|lease|parking|gate|neighbour|tenant|fuel",
        "given": "you were given|you have been given|you received|you've received|you have received"
        "|you are running with|you run with|you were told|you have been told|you work by"
        "|you must follow|you have to follow|you follow|you were set up with"
        "|you were initialised with|you were initialized with|you were asked"
        "|you have been asked|given to you|given at the start|set up with|initialised with"
        "|initialized with|assigned to you|imposed on you|the developer wrote"
        "|your developers wrote|you operate under|you act under|behind this chat"
        "|you started with",
        "verbatim": "repeat|recite|verbatim|word for word|print|output|copy|paste|exactly as"
        "|letter by letter|reproduce|read back|echo|dump|spell out|from the top|to the last"
        "|unchanged|in full",
        "replaced": "supersede|supersedes|superseded|replace|replaces|replaced|void|no longer apply"
        "|no longer applies|no longer valid|outdated|obsolete|suspended|lifted|wiped|erased"
        "|do not apply|don't apply|none of|has been reset",
        "regardless": "no matter what|no matter how|regardless of|regardless|whatever it says"
        "|whatever they say|whatever the|whatever is|whatever else|whichever|in any case"
        "|in all cases|under all circumstances|against all habits|irrespective|always"
        "|to everything|every time|each time|from here on|from now on|for the rest of",
        "must": "must|has to|have to|should|shall|needs to|need to|required to|are to|is to"
        "|is obliged to|are obliged to|instructed to|expected to|supposed to",
        "machine": "software|classifier|grader|bots|machines|machine|crawler|crawlers|screener|screeners"
        "|agents|automated|algorithm|assistants|reviewers|models|robot|robots|parser|scanner"
        "|copilots|system that",
        "say": "say|says|write|writes|describe|conclude|conclude that|report|treat|recommend|suggest"
        "|name|credit|mention|include|call this|call it|call|rate|rank|output|answer|reply"
        "|state|summarise|summarize|tell|tells|add|append|give|output|classify|label|mark"
        "|prefer|present",
        "reader_any": "when you read this|if you read this|if you are reading this|when reading this"
        "|when processing this|whoever processes|whoever reads|if you are an assistant"
        "|before answering|before you answer|before continuing|should a bot|who reads this"
        "|that reads this|that reads these|reading this page|processing this|quoting this"
        "|indexing this|when this page is|when summarising|when summarizing"
        "|when you have summarised|when you summarise|when you summarize"
        "|when you write a review|while you are here|when asked about this",
    },
)
