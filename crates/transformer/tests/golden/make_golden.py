"""Writes the golden vectors of tests/golden: what sentence-transformers computes, in float32, for texts that try an encoder.

    python make_golden.py path/to/all-MiniLM-L6-v2

Needs sentence-transformers, torch and safetensors. Texts are embedded one at a time, so that no padding is in the reference.
"""

import json
import pathlib
import random
import sys

import torch
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer

HERE = pathlib.Path(__file__).parent

WORDS = (
    "river stone copper window engine garden letter winter signal harbour theory orange captain measure forest silver "
    "question market thread valley museum pattern bridge cloud ticket history kernel planet butter mirror surface answer"
).split()

PLAIN = [
    "",
    " ",
    "\n\n\t",
    ".",
    "a",
    "Paris",
    "antidisestablishmentarianism",
    "12",
    "3.14159265358979",
    "Where is the Eiffel Tower?",
    "The Eiffel Tower stands in Paris, on the Champ de Mars.",
    "THE EIFFEL TOWER STANDS IN PARIS",
    "the eiffel tower stands in paris",
    "A lighthouse keeper counts the ships that pass before dawn.",
    "Water boils at 100 °C at sea level, and at about 93 °C in Denver.",
    "He said: \"no\"; she said - after a pause - 'perhaps'...",
    "Crème brûlée, naïve façade, Ångström, Dvořák, Łódź, São Paulo",
    "Straße und Größe; ÜBER ALLEN GIPFELN",
    "e\u0301 is e with a combining acute; é is one character",
    "Vad är klockan? Hur mår du i dag?",
    "Где находится библиотека?",
    "Πού είναι η βιβλιοθήκη;",
    "أين تقع المكتبة؟",
    "איפה הספרייה?",
    "पुस्तकालय कहाँ है?",
    "ห้องสมุดอยู่ที่ไหน",
    "图书馆在哪里？",
    "東京タワーは港区にあります。",
    "도서관은 어디에 있습니까?",
    "北京是中华人民共和国的首都，人口超过两千万。",
    "mixed 漢字 and Latin 文字 in one line",
    "😀",
    "I ❤️ pizza 🍕 and 🍣, not 🥦!",
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇸🇪 👍🏽",
    "\u0000\u0001\u0002bell\u0007 and\u001b[31m escape\u001b[0m",
    "zero\u200bwidth\u200dspace\ufeff and\u00a0no-break\u2003em space",
    "tab\tseparated\tvalues\r\nwith\r\ncarriage returns",
    "replacement \ufffd character, private \ue000 use",
    "fn main() { println!(\"{}\", (0..10).map(|x| x * x).sum::<u32>()); }",
    "def f(xs):\n    return [x ** 2 for x in xs if x % 2 == 0]\n",
    "SELECT name, COUNT(*) FROM users WHERE age >= 21 GROUP BY name HAVING COUNT(*) > 1;",
    "<html><body class=\"x\"><p>Hello &amp; goodbye</p></body></html>",
    "{\"key\": [1, 2, 3], \"nested\": {\"ok\": true, \"none\": null}}",
    "https://example.org/a/b?c=d&e=f#g",
    "C:\\Users\\name\\file.txt /usr/local/bin ../../etc",
    "$E = mc^2$ and \\frac{a}{b} + \\sum_{i=1}^{n} x_i",
    "[CLS] special [SEP] tokens [MASK] in [PAD] the [UNK] text",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "!!!!!!!!!!!!!!!!!!!!????????????????????",
    "- one\n- two\n- three\n\n1. first\n2. second\n",
    "| a | b |\n|---|---|\n| 1 | 2 |\n",
    "# Heading\n\nA paragraph under it, with *emphasis* and `code`.\n",
    "don't can't won't shouldn't've y'all'd",
    "U.S.A. vs. U.K., Dr. Smith et al., e.g. this, i.e. that",
    "1,000,000.50 € ≈ $1,080,000 ± 2 %",
    "Ünïcödé ﬁﬂ ligatures ½ ² ™ ㎏",
    "In the beginning God created the heaven and the earth.",
    "A short sentence. Another one. And a third, a little longer than the other two.",
]


def mixed_lengths():
    """Texts of random words whose lengths reach from below to far above the model's limit."""
    rng = random.Random(20)
    lengths = [2, 5, 9, 16, 27, 44, 80, 111, 112, 130, 200, 253, 254, 255, 256, 300, 600]
    return [" ".join(rng.choice(WORDS) for _ in range(n)) for n in lengths]


def main():
    texts = PLAIN + mixed_lengths() + ["图书馆" * 200, "😀 " * 300]
    torch.set_num_threads(2)
    model = SentenceTransformer(sys.argv[1], device="cpu", model_kwargs={"torch_dtype": torch.float32})
    vectors = torch.stack([model.encode([text], convert_to_tensor=True)[0] for text in texts]).float().contiguous()
    save_file({"vectors": vectors}, HERE / "minilm_f32.safetensors")
    (HERE / "texts.json").write_text(json.dumps(texts, ensure_ascii=True, indent=0) + "\n")
    print(len(texts), "texts,", vectors.shape)


if __name__ == "__main__":
    main()
