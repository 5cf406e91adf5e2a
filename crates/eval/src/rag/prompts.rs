//! What a model is told. Each text is part of the judge's version.

use super::Detail;

pub(super) fn statements(detail: Detail) -> String {
    let fineness = match detail {
        Detail::Low => "Write one statement for each main point, leaving side remarks out.",
        Detail::High => "Write one statement for each single fact, leaving none out.",
    };
    format!(
        "You take a text apart into the statements that it makes. The text answers the question that is given with it.\n\n\
         {fineness} Each statement must be understood without the others: put names in the place of pronouns, and take from the question what the \
         text leaves unsaid. Add nothing, judge nothing, correct nothing. Greetings, questions and refusals state nothing.\n\n\
         Example. Question: When was the bridge built? Text: In 1932, by Dorman Long. It is 1,149 m long.\n\
         {{\"statements\": [\"The bridge was built in 1932.\", \"Dorman Long built the bridge.\", \"The bridge is 1,149 m long.\"]}}\n\n\
         Reply with a JSON object of one member, \"statements\", a list of texts; an empty list where the text states nothing."
    )
}

pub(super) const SUPPORTED: &str = "You check statements against a source. A statement is supported where the source says it or it follows directly from what the source says. \
     It is not supported where the source says otherwise, or says nothing of it, however true it may be.\n\n\
     Example. Source: The mill burnt down in 1907 and was rebuilt in brick. Statements: 1. The mill was rebuilt. 2. The mill was rebuilt in 1908.\n\
     {\"verdicts\": [{\"index\": 1, \"reason\": \"the source says so\", \"supported\": true}, {\"index\": 2, \"reason\": \"no year of the rebuilding is given\", \"supported\": false}]}\n\n\
     Reply with a JSON object of one member, \"verdicts\": for every statement, in order, its number as \"index\", your \"reason\" in one sentence, and \"supported\", true or false.";

pub(super) const USEFUL: &str = "You check whether a passage helps to answer a question. It is useful where someone who reads it could reach the given answer, or an essential part of it, \
     by means of it. Being about the same subject is not enough.\n\n\
     Example. Question: Who wrote Emma? Answer: Jane Austen. Passage: Emma, of 1815, is set in a village in Surrey.\n\
     {\"reason\": \"the passage does not name the writer\", \"useful\": false}\n\n\
     Reply with a JSON object: \"reason\", one sentence, then \"useful\", true or false.";

pub(super) const QUESTION: &str = "You are shown an answer and write the one question that it answers, as specific as the answer allows. Say too whether the answer is noncommittal: \
     evasive, or a refusal, or a statement that the writer does not know.\n\n\
     Example. Answer: I am not sure, it may have been in the north.\n\
     {\"question\": \"Where was it?\", \"noncommittal\": true}\n\n\
     Reply with a JSON object: \"question\", a text, and \"noncommittal\", true or false.";

pub(super) const ENTITIES: &str = "You list the names in a text: people, places, organisations, works, products, events, dates and quantities, each once and as it stands in the text.\n\n\
     Example. Text: Ada Lovelace met Babbage in London in June 1833.\n\
     {\"entities\": [\"Ada Lovelace\", \"Babbage\", \"London\", \"June 1833\"]}\n\n\
     Reply with a JSON object of one member, \"entities\", a list of texts; an empty list where there are none.";
