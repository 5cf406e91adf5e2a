"""Figures of sacreBLEU and rouge-score, for tests/text_golden.rs.

    pip install sacrebleu==2.6.0 rouge-score==0.1.2
    python golden/text.py > golden/text.json
"""
import json
import random
import sys

from nltk.stem.porter import PorterStemmer
from rouge_score import rouge_scorer
from sacrebleu.metrics import BLEU, CHRF

SENTENCES = [
    "The cat sat on the mat, and the dog lay beside it.",
    "Prices rose by 3.5% in 2023, to $1,234.56 on average; analysts had expected 2.9%.",
    "He said: \"It's a well-known, state-of-the-art approach\" (see [1], pp. 3-7).",
    "Réductions d'impôts: l'économie française croîtra de 1,5 % l'année prochaine.",
    "Der Straßenverkehr in München wächst, obwohl größere Züge fahren.",
    "这只猫坐在垫子上,狗躺在旁边。",
    "今日は天気がいいから、散歩しましょう。",
    "القط يجلس على السجادة والكلب بجانبه.",
    "Кошка сидела на коврике, а собака лежала рядом.",
    "Emoji 🎉🎊 and combining é, ﬁ ligatures & ampersands &amp; &lt;tags&gt; &quot;quoted&quot;.",
    "x",
    "a b",
    "one two three",
    "one two three four",
    "Running runners ran happily, relationally conditioned by generalizations and hopefulness.",
    "The skies were dying; the news about innings, outings and proceeding was troubling, controlling and falling.",
    "Full stop at 3. Then 4,5 and .5 and 6- and -7 and a--b; also http://example.org/a_b?c=d&e=f#g.",
    "Line one\nline two with hyphen-\nation and <skipped> parts.",
    "   leading and trailing white space \t and tabs   ",
    "UPPER CASE AND lower case and Title Case in ONE sentence.",
    "!!! ??? ... --- ''' \"\"\"",
    "Ｆｕｌｌ　ｗｉｄｔｈ text and\u00a0no-break\u2009thin spaces.",
]


def variants(sentence, rng):
    words = sentence.split()
    yield sentence
    yield " ".join(words[:-1])
    shuffled = words[:]
    rng.shuffle(shuffled)
    yield " ".join(shuffled)
    yield " ".join(word if rng.random() < 0.7 else rng.choice(["the", "of", "cat", "2023", "größere", "猫"]) for word in words)


def pairs():
    rng = random.Random(7)
    for sentence in SENTENCES:
        for variant in variants(sentence, rng):
            yield variant, [sentence]
    yield "", ["a reference"]
    yield "a hypothesis", [""]
    yield "", [""]
    yield "the the the the the the the", ["the cat is on the mat", "there is a cat on the mat"]
    yield "the cat is on the mat", ["a cat is on a mat", "the cat sat on the mat today", "cat mat"]
    long = " ".join(rng.choice(SENTENCES[0].split() + SENTENCES[1].split()) for _ in range(900))
    words = long.split()
    yield " ".join(word for word in words if rng.random() < 0.8), [long, " ".join(reversed(words))]


def rouge(hypothesis, references, stem):
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=stem)
    scores = scorer.score(references[0], hypothesis)
    return {name: list(score) for name, score in scores.items()}


def case(hypothesis, references):
    bleu = BLEU(effective_order=True).sentence_score(hypothesis, references)
    return {
        "hypothesis": hypothesis,
        "references": references,
        "bleu": bleu.score,
        "precisions": bleu.precisions,
        "brevity_penalty": bleu.bp,
        "bleu_lowercase": BLEU(effective_order=True, lowercase=True).sentence_score(hypothesis, references).score,
        "bleu_all_orders": BLEU(effective_order=False).sentence_score(hypothesis, references).score,
        "chrf": CHRF().sentence_score(hypothesis, references).score,
        "chrf_plus_plus": CHRF(word_order=2).sentence_score(hypothesis, references).score,
        "chrf_lowercase": CHRF(lowercase=True).sentence_score(hypothesis, references).score,
        "rouge": rouge(hypothesis, references, False),
        "rouge_stemmed": rouge(hypothesis, references, True),
    }


def corpus(cases):
    hypotheses = [case["hypothesis"] for case in cases]
    references = [[case["references"][0] for case in cases]]
    bleu, chrf, plus = BLEU(), CHRF(), CHRF(word_order=2)
    score = bleu.corpus_score(hypotheses, references)
    return {
        "bleu": score.score,
        "precisions": score.precisions,
        "brevity_penalty": score.bp,
        "hypothesis_length": score.sys_len,
        "reference_length": score.ref_len,
        "chrf": chrf.corpus_score(hypotheses, references).score,
        "chrf_plus_plus": plus.corpus_score(hypotheses, references).score,
        "bleu_signature": str(bleu.get_signature()),
        "chrf_signature": str(chrf.get_signature()),
        "chrf_plus_plus_signature": str(plus.get_signature()),
    }


STEMS = """caresses ponies ties caress cats feed agreed plastered bled motoring sing conflated troubled sized hopping tanned falling
hissing fizzed failing filing happy sky enjoy spy relational conditional rational valenci hesitanci digitizer conformabli radicalli
differentli vileli analogousli vietnamization predication operator feudalism decisiveness hopefulness callousness formaliti sensitiviti
sensibiliti triplicate formative formalize electriciti electrical hopeful goodness revival allowance inference airliner gyroscopic
adjustable defensible irritant replacement adjustment dependent adoption homologou communism activate angulariti homologous effective
bowdlerize probate rate cease controll roll dies tied cried dying lying skies news innings succeed succeeding exceeds geology
apology analogy usefully really finally especially yyyy syzygy toy boy plays played oed ing aing eed ied bied 2023s abc123ing
alli ally totally radically formally generally eventually possibly terribly flies flied owing showing bowed taxing boxed""".split()


def main():
    cases = [case(*pair) for pair in pairs()]
    stemmer = PorterStemmer()
    stems = [[word, stemmer.stem(word)] for word in STEMS]
    json.dump({"cases": cases, "corpus": corpus(cases), "stems": stems}, sys.stdout, ensure_ascii=True, indent=0)


main()
