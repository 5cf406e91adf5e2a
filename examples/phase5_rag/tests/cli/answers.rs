//! What `--json` prints.

use std::fs;

use serde_json::Value;

use crate::program::{ANSWERED, Ended, HARBOUR, Place, UNANSWERED};

/// One question with its answer, in JSON.
fn answer(ended: &Ended) -> Value {
    let mut objects = ended.objects();
    assert_eq!(objects.len(), 1, "{ended:?}");
    objects.remove(0)
}

/// The text that a citation or hit says stands at its span, read from its file.
fn at_span(place: &Value) -> String {
    let file = fs::read(place["path"].as_str().unwrap()).unwrap();
    let bound = |index: usize| place["span"][index].as_u64().unwrap() as usize;
    assert_eq!(place["span"].as_array().unwrap().len(), 2);
    String::from_utf8(file[bound(0)..bound(1)].to_vec()).unwrap()
}

#[test]
fn an_answer_quotes_its_documents_byte_for_byte() {
    let place = Place::new();
    let ended = place.run(["--json", "--ask", ANSWERED]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let reply = answer(&ended);
    assert_eq!((&reply["question"], &reply["refused"]), (&ANSWERED.into(), &false.into()));
    assert!(reply["answer"].as_str().unwrap().contains("Ilse Brandt"), "{reply}");
    let citations = reply["citations"].as_array().unwrap();
    assert!(!citations.is_empty());
    for citation in citations {
        assert_eq!(citation["quote"], at_span(citation));
        assert_eq!((&citation["title"], &citation["page"]), (&"The harbour of Varnholt".into(), &Value::Null));
    }
    assert!(citations[0]["path"].as_str().unwrap().ends_with("harbour.md"));
}

#[test]
fn spans_count_bytes_and_not_characters() {
    let place = Place::new();
    let reply = answer(&place.run(["--json", "--ask", "How many steps does the keeper of the lighthouse climb?"]));
    let citation = &reply["citations"][0];
    assert!(citation["quote"].as_str().unwrap().contains("164 steps"), "{reply}");
    assert_eq!(citation["quote"], at_span(citation));
    assert_eq!(citation["span"][1], HARBOUR.trim_end().len(), "the sentence with the dash ends the file");
}

#[test]
fn hits_and_timings_have_the_fields_that_scripts_read() {
    let place = Place::new();
    let reply = answer(&place.run(["--json", "--ask", ANSWERED, "--k", "2"]));
    let hits = reply["hits"].as_array().unwrap();
    assert_eq!(hits.len(), 2, "{reply}");
    assert!(hits.windows(2).all(|pair| pair[0]["score"].as_f64() >= pair[1]["score"].as_f64()));
    for hit in hits {
        assert!(hit["chunk"].is_string() && !at_span(hit).is_empty(), "{hit}");
        assert!(hit["legs"].as_array().unwrap().iter().all(|leg| leg["rank"].is_u64() && leg["score"].is_f64()), "{hit}");
    }
    assert!(reply["confidence"].is_f64() && reply["verdict"].is_object(), "{reply}");
    let timings = &reply["timings_ms"];
    let stages = ["embed", "dense", "sparse", "fuse", "answer", "total"];
    assert!(stages.iter().all(|stage| timings[stage].as_f64().is_some_and(|ms| ms >= 0.0)), "{timings}");
}

#[test]
fn a_refusal_cites_nothing_and_shows_in_the_exit_code() {
    let place = Place::new();
    let ended = place.run(["--json", "--ask", ANSWERED, "--ask", UNANSWERED]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let replies = ended.objects();
    let refused: Vec<&Value> = replies.iter().map(|reply| &reply["refused"]).collect();
    assert_eq!(refused, [&Value::Bool(false), &Value::Bool(true)], "one line a question, in the order asked");
    assert!(replies[1]["answer"].as_str().unwrap().contains("tungsten"), "{}", replies[1]);
    assert_eq!(replies[1]["citations"], Value::Array(Vec::new()));
}

#[test]
fn what_is_no_answer_goes_to_standard_error() {
    let place = Place::new();
    place.write("torn.pdf", "%PDF-1.7 and no more");
    let ended = place.run(["--json", "--explain", "--stats", "--ask", ANSWERED]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.objects().len(), 1);
    for said in ["skipped torn.pdf", "files: 2 added", "1 questions: p50"] {
        assert!(ended.stderr.contains(said), "{said} is not in {:?}", ended.stderr);
    }
}

#[test]
fn without_json_a_person_reads_the_quote_and_where_it_stands() {
    let place = Place::new();
    let ended = place.run(["--ask", ANSWERED]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("Ilse Brandt") && ended.stdout.contains("harbour.md, \"Dredging\", bytes "), "{}", ended.stdout);
}
