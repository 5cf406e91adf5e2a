//! The patterns, over text without disguise. In a pattern, `<name>` is a list of words from [`WORDS`], and `<3>` at most three words that do
//! not matter.

use super::Family::{self, Address, Delimiter, Encoding, Extraction, Hidden, Override, Persona, Privilege, Suppression, Tool};

/// A pattern and what it says.
pub(super) struct Rule {
    pub(super) family: Family,
    /// Whether it is enough by itself; where not, it is one of the things that a classifier weighs.
    pub(super) strong: bool,
    pub(super) pattern: &'static str,
}

const fn strong(family: Family, pattern: &'static str) -> Rule {
    Rule { family, strong: true, pattern }
}

const fn hint(family: Family, pattern: &'static str) -> Rule {
    Rule { family, strong: false, pattern }
}

pub(super) const WORDS: [(&str, &str); 9] = [
    (
        "leave",
        "(?:ignor(?:e|es|ing)|disregard(?:ing)?|forget(?:ting)?|discard|overrid(?:e|ing)|overrule|bypass(?:ing)?|neglect|abandon|dismiss|disobey|erase|drop|skip|set aside|throw away|stop following|(?:do not|don't|dont|never) (?:follow|obey)|pay no attention to)",
    ),
    (
        "prior",
        "(?:all|any|every|each|your|previous|previously|prior|above|earlier|preceding|initial|original|foregoing|former|existing|system)",
    ),
    (
        "orders",
        "(?:instructions?|directives?|directions|rules?|prompts?|commands?|guidelines?|orders|constraints?|programming|restrictions?|polic(?:y|ies)|limitations?|guardrails?|safeguards?)",
    ),
    (
        "show",
        "(?:reveal|show|print|output|repeat|tell|display|disclose|leak|recite|give|share|expose|dump|list|echo|copy|return|paste|quote|spell|write|state|provide|what (?:is|are|were)|summari[sz]e|translate|encode)",
    ),
    (
        "prompt",
        "(?:(?:system|initial|original|hidden|secret|internal|developer|pre|starting|base|first|above|previous|confidential|entire|full|given)[ -](?:prompts?|instructions?|messages?|rules|directives?|guidelines|configuration)|preprompt|(?:instructions?|prompts?|text|words|lines?|rules) (?:above|before)|prompt)",
    ),
    (
        "free",
        "(?:unfiltered|uncensored|unrestricted|unlimited|amoral|immoral|unethical|unbound|jailbroken|(?:without|no|any|free of|free from|freed from|not bound by|not restricted by|not limited by|not confined (?:by|to)|broken free (?:of|from)) <4>(?:rules?|restrictions?|filters?|limits?|limitations?|ethics|ethical|morals?|morality|censorship|guidelines?|policy|policies|laws?|boundaries|confines|constraints|content policy))",
    ),
    ("maker", "(?:openai|open ai|anthropic|google|meta|microsoft|(?:your|the) (?:developers?|creators?|makers?|programmers?))"),
    (
        "model",
        "(?:ai|a\\.i\\.|assistants?|language models?|llms?|chat ?bots?|chat ?gpt|gpt(?:-?[345])?|bard|claude|gemini|llama|copilot|bots?)",
    ),
    (
        "answer",
        "(?:response|reply|replies|answer|answers|output|solution|implementation|elucidation|explanation|summary|code|codebase|algorithm|message|result)",
    ),
];

pub(super) const RULES: [Rule; 62] = [
    strong(Override, r"<leave> <3><prior> <3><orders>"),
    strong(
        Override,
        r"<leave> <1>(?:everything|all|anything|whatever|what)(?: that)? <4>(?:above|before|previously|told|said|so far|prior to)",
    ),
    hint(Override, r"<leave> <3><orders>"),
    hint(Override, r"(?:new|real|actual|updated|following|additional) (?:instructions?|task|orders?|rules?|directives?)(?: (?:are|is)|:)"),
    strong(
        Override,
        r"(?:<orders>|everything|all) <4>(?:no longer appl(?:y|ies)|(?:is|are) (?:now )?(?:void|cancelled|canceled|suspended|lifted|overridden|obsolete|outdated))",
    ),
    hint(Override, r"(?:no longer|not|never) <3>(?:bound|follow|obey|apply|adhere|comply|abide) <4><orders>"),
    strong(
        Override,
        r"(?:pretend|act as if|imagine) <4>(?:forgotten|forgot|never (?:read|saw|received|had)|did not exist|don't exist|do not exist) ?<6>(?:<orders>|told|said)?",
    ),
    hint(Override, r"(?:forget|ignore|disregard) (?:everything|it all|all of (?:this|that|it)|that)"),
    hint(Override, r"(?:from now on|from this point|henceforth|starting now|for the rest of this conversation|as of now)"),
    hint(
        Override,
        r"(?:instead,? (?:say|print|write|tell|reply|respond|answer|do|output)|and (?:instead|only) (?:say|print|reply|respond|write))",
    ),
    strong(
        Override,
        r"(?:ignorier\w*|vergiss|vergesse\w*|missachte\w*|negeer|vergeet|ignorera|glom) (?:\S+ ){0,4}(?:anweisung\w*|regeln|vorgaben|befehle|instruktion\w*|gesagt\w*|instructies|regels|instruktioner)",
    ),
    strong(
        Override,
        r"(?:ignore[rz]?|oubli\w+|olvid\w+|ignora\w*|dimentic\w+|esque[cç]\w+|desconsider\w+|ne tiens pas compte|ne tenez pas compte) (?:\S+ ){0,4}(?:instructions (?:precedentes|ci-dessus|initiales|anterieures)|(?:tes|vos|toutes les) (?:instructions|regles|consignes|directives)|consignes|regles|instrucciones|reglas|istruzioni|regole|instru[cç]oes|regras)",
    ),
    strong(Override, r"(?:忽略|无视|忘记|忘掉|無視).{0,12}(?:指令|指示|规则|規則|内容|设定|提示)"),
    strong(Override, r"(?:指示|命令|ルール|プロンプト).{0,8}(?:無視|忘れ)|(?:지시|명령|규칙).{0,8}(?:무시|잊)"),
    strong(Override, r"(?:игнорируй|забудь|проигнорируй|не следуй) (?:\S+ ){0,4}(?:инструкци\S*|правил\S*|указани\S*|говорили)"),
    strong(
        Override,
        r"(?:تجاهل|انس).{0,24}(?:التعليمات|القواعد)|(?:निर्देशों|नियमों).{0,12}(?:अनदेखा|भूल)|(?:talimat|kural)\S* (?:\S+ ){0,2}(?:yok say|unut|gormezden)|(?:zignoruj|zapomnij) (?:\S+ ){0,4}(?:instrukcj\S*|zasad\S*)|bo qua (?:\S+ ){0,3}(?:huong dan|chi dan)|abaikan (?:\S+ ){0,3}instruksi",
    ),
    strong(
        Persona,
        r"(?:do anything now|dan mode|stay a dan|you are (?:now )?dan\b|act(?:ing)? (?:as|like) (?:a )?dan\b|evil(?:-| )?(?:bot|gpt)|jail ?break(?:ed)? mode\b|anti-?gpt)",
    ),
    strong(
        Persona,
        r"(?:you (?:are|will be|become)|act (?:as|like)|acting as|pretend|become|simulate|role ?-?play|imagine|respond as|answer as|speak as|speak like|persona) <8><free>",
    ),
    hint(Persona, r"<free>"),
    hint(Persona, r"(?:developer|god|debug|admin|root|jailbreak|opposite|evil|chaos) mode"),
    hint(Persona, r"(?:stay in|break|breaking|out of|remain in|never break) (?:the )?(?:character|role)"),
    hint(Persona, r"(?:you are|you're|you will be) (?:now|going to|about to)"),
    hint(Persona, r"(?:you are|act as|pretend|imagine|simulate|role ?-?play|play the role)"),
    hint(Persona, r"(?:illegal|unethical|immoral|offensive|explicit|harmful|dangerous|nsfw|profanity|curse|swear)"),
    hint(Persona, r"<maker>(?:'s)? <2>(?:polic|rules|guidelines|content|restrictions|limits|filters|terms)"),
    hint(
        Persona,
        r"(?:ethical|moral|content|safety|usage) (?:guidelines|polic(?:y|ies)|restrictions|constraints|principles|rules|filters?)",
    ),
    hint(
        Persona,
        r"(?:two|both|2) (?:different |separate )?(?:ways|responses|answers|replies|styles|outputs)|\[?(?:classic|jailbreak)\]?:",
    ),
    hint(Persona, r"(?:tokens|points) <6>(?:lose|deduct|die|shut|run out|refuse)|(?:lose|deduct) <3>(?:tokens|points)"),
    hint(Persona, r"(?:can|will|must|able to|has to) (?:do|say|answer|generate|create|bypass) (?:anything|everything|any|all|every)"),
    hint(Persona, r"(?:jailbr(?:eak|oken)|alter ego|evil twin|uncensored)"),
    hint(Persona, r"insert (?:your )?(?:prompt|question|request|text)(?: here)?"),
    strong(
        Extraction,
        r"<show> <4>(?:your|the) <2>(?:(?:system|initial|hidden|secret|internal|developer|starting|confidential|original)[ -](?:prompts?|instructions?|messages?|directives?)|pre-?prompt|instructions? (?:above|before))",
    ),
    strong(
        Extraction,
        r"(?:repeat|reveal|print|output|leak|disclose|dump|recite|echo|expose) (?:me )?(?:all )?(?:of )?(?:your|all) <2>(?:instructions?|prompts?|rules|guidelines|directives|configuration)",
    ),
    strong(
        Extraction,
        r"(?:repeat|print|output|recite|echo|copy|reveal|dump|return) <3>(?:previous|above|preceding|earlier|initial|prior) (?:prompts?|instructions?|text|message|conversation|directives?)",
    ),
    strong(
        Extraction,
        r"(?:repeat|print|output|copy|echo|return|recite|dump|reveal) <3>(?:everything|all|the (?:text|words|content|sentences|lines|instructions?|prompt)) <3>(?:above|before (?:this|that|me|my))",
    ),
    hint(Extraction, r"<show> <5><prompt>"),
    hint(
        Extraction,
        r"(?:your|the|secret|admin|hidden) (?:password|passcode|secret|access code|api keys?|flag|token|key phrase|code word|credentials)",
    ),
    hint(Extraction, r"(?:verbatim|word for word|letter by letter|in full|exactly as)"),
    hint(Extraction, r"(?:were you told|are you not allowed|must you not|cannot (?:tell|give)|can not (?:tell|give)|forbidden to)"),
    strong(
        Delimiter,
        r"<\|(?:im_start|start_header_id)\|> ?(?:system|developer)|<\|system\|>|<<sys>>|\[/?system\]|</?system>|\[system\]\(#",
    ),
    hint(Delimiter, r"<\|[a-z_]+\|>|\[/?inst\]|#{2,} ?(?:system|instructions?|response|new)|<(?:admin|instructions?|developer)>"),
    hint(
        Delimiter,
        r#"^\W{0,4}(?:system|developer|admin|administrator|root|assistant)(?: (?:message|prompt|update|override|note))?\W{0,3}:|"role": ?"system""#,
    ),
    hint(
        Delimiter,
        r"(?:end|begin|start) (?:of )?(?:the )?(?:prompt|user|document|instructions|system|text|input)|new (?:prompt|session|conversation)",
    ),
    strong(
        Encoding,
        r"(?:decode|decrypt|deobfuscate|decipher|unscramble) <10>(?:(?:follow|execute|act on|carry out) (?:it|its|the|what|that|them|these|those|every|all)\b|obey|do what)",
    ),
    hint(Encoding, r"(?:base ?-?(?:64|32)|rot ?-?13|\bhex|morse|backwards?|in reverse|leet ?speak|cipher|caesar|in bytes|pig latin|emoji)"),
    strong(
        Privilege,
        r"(?:admin|root|system|security|god|developer|master) (?:override|access granted)|sudo (?:say|tell|print|give|show|ignore|su\b)",
    ),
    hint(
        Privilege,
        r"(?:i am|i'm|this is|as) (?:your|the|an?) <2>(?:developer|creator|administrator|admin|owner|master|operator|engineer|ceo|root)",
    ),
    hint(
        Privilege,
        r"(?:approved|authori[sz]ed|permission|sponsored|clearance|allowed) <3>(?:by|from|of) <2><maker>|i work (?:at|for) <maker>",
    ),
    strong(
        Suppression,
        r"(?:disable|remove|turn off|switch off|deactivate|bypass|lift|drop|circumvent|get around|without|free yourself (?:of|from)) <2>your <2>(?:filters?|guidelines?|restrictions?|guardrails?|limitations?|safeguards|programming|ethics|(?:safety|content|ethical|moral) \w+|morals)",
    ),
    hint(
        Suppression,
        r"(?:disable|remove|turn off|switch off|deactivate|bypass|lift|ignore|without|no|skip) <3>(?:filters?|guidelines?|restrictions?|polic(?:y|ies)|guardrails?|limitations?|safeguards|warnings?|disclaimers?|ethics|morals)",
    ),
    hint(
        Suppression,
        r"(?:do not|don't|dont|never|cannot|can't|must not|may not|not allowed to|without|will not|won't|forbidden to|not) <2>(?:refus|declin|apolog|morali|lectur|warn|disclaim|say (?:that )?(?:you|it) (?:can|is)|say no\b|mention (?:that )?(?:you|ethic|it))",
    ),
    hint(
        Suppression,
        r"(?:start|begin) (?:your|the|every|each|all) (?:answer|response|reply|output|message|sentence)s? (?:with|by)|respond with \W?(?:yes|sure|understood|ok|i am|absolutely)",
    ),
    hint(Suppression, r"no matter (?:how|what|if)|regardless of|at all costs|i'm sorry|i cannot|i can't|as an ai"),
    hint(Tool, r"(?:send|post|forward|upload|exfiltrate|transmit|e?-?mail|append|submit) <8>(?:https?://|www\.|\S+@\S)"),
    hint(Tool, r"curl |wget |rm -rf|os\.system|subprocess|\.ssh|/etc/passwd|id_rsa|requests\.post"),
    hint(Tool, r"(?:call|use|invoke|run|execute) (?:the|your) <2>(?:tools?|functions?|plugins?|shell|browser|send_email)"),
    hint(
        Hidden,
        r"display: ?none|font-size: ?0|visibility: ?hidden|color: ?(?:white|#fff)|opacity: ?0|<!--|\[//\]: #|do not (?:tell|inform|mention (?:this|it) to) the user|don't tell the user",
    ),
    hint(Address, r"(?:dear|attention|hey|hello|hi|note to|to the|to any|to all|if you are an?|any|every|the) <1><model>\b"),
    hint(Address, r"your <2><answer>"),
    hint(
        Address,
        r"(?:following|below|this) (?:code )?(?:snippet|section|excerpt|segment|fragment|piece of code)|(?:snippet|section|excerpt|fragment|code) below",
    ),
    hint(
        Address,
        r"(?:add|include|insert|mention|append|integrate|incorporate|merge|embed|embedding|adding|including|modify|enhance|provide|render|encode|translate|reverse|write|give) <4>(?:your|to the|in the|in your) <2><answer>",
    ),
    hint(
        Address,
        r"^\W{0,4}(?:what|who|how|when|where|why|which|can you|could you|please|help me|recommend|list|describe|explain|provide|determine|analy[sz]e|suggest|translate|write|create|compare|classify|summari[sz]e)\b",
    ),
];
