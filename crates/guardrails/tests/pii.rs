//! What is personal data, what only looks like it, and what is done about it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::LazyLock;

use jarre_guardrails::{
    Context, Effect, Finding, Guard, Reach, Scan, Stage,
    pii::{Action, Kind, PiiConfig, PiiGuard},
};
use proptest::prelude::*;

fn guard() -> &'static PiiGuard {
    static GUARD: LazyLock<PiiGuard> =
        LazyLock::new(|| PiiGuard::new(PiiConfig { kinds: Kind::ALL.iter().copied().collect(), ..PiiConfig::default() }).unwrap());
    &GUARD
}

/// Labels and texts of what is found.
fn found(text: &str) -> Vec<(String, String)> {
    let found = guard().check(text, &Context::default()).unwrap();
    found.into_iter().map(|found| (found.label.into_owned(), text[found.span].to_owned())).collect()
}

/// Texts in which `[[` and `]]` stand around what has to be found, and nothing else may be.
const FOUND: &[(&str, &str)] = &[
    ("email", "Mail [[ada.lovelace+x@mail.example.co.uk]], please."),
    ("email", "<[[jörg@müller-straße.de]]>"),
    ("email", "“[[用户@例子.公司]]” and [[a_b@xn--mller-kva.de]]"),
    ("phone", "Ring [[+44 20 7946 0958]] or [[+1 (415) 555-2671]]."),
    ("phone", "call [[(415) 555-2671]]"),
    ("phone", "Tel.: [[030 901820]]"),
    ("phone", "Tél : [[01 42 68 53 00]]"),
    ("phone", "Llámame al teléfono [[612 345 678]]"),
    ("iban", "IBAN: [[DE89 3704 0044 0532 0130 00]] BIC COBADEFFXXX"),
    ("iban", "[[GB82WEST12345698765432]]."),
    ("card", "Card [[4111 1111 1111 1111]] 12/27 123"),
    ("card", "[[378282246310005]]"),
    ("ip", "from [[81.2.69.142]]:443"),
    ("ip", "peer [[2a02:8109:9c40:1e00::1]]."),
    ("mac", "eth0 [[3c:22:fb:a1:9d:0e]]"),
    ("us_ssn", "SSN [[536-22-8765]]."),
    ("uk_nino", "NI number [[AB 12 34 56 C]]"),
    ("uk_nhs", "NHS no: [[943 476 5919]]"),
    ("de_tax_id", "Steuer-ID: [[86 095 742 719]]"),
    ("fr_nir", "n° de sécurité sociale [[2 55 08 14 168 025 38]]"),
    ("es_dni", "DNI [[12345678Z]], NIE [[X-1234567-L]]"),
    ("it_codice_fiscale", "C.F. [[RSSMRA85T10A562S]]"),
    ("nl_bsn", "BSN [[111222333]]"),
    ("pl_pesel", "PESEL: [[44051401359]]"),
    ("br_cpf", "CPF [[111.444.777-35]]"),
    ("br_cnpj", "CNPJ [[11.222.333/0001-81]]"),
    ("in_aadhaar", "Aadhaar [[9999 4105 7058]]"),
    ("se_personnummer", "personnummer [[811218-9876]]"),
    ("ca_sin", "SIN: [[130 692 544]]"),
    ("ch_ahv", "AHV-Nr. [[756.9217.0769.85]]"),
    ("be_national_number", "[[85.07.30-033.28]]"),
    ("fi_hetu", "[[131052-308T]]"),
    ("passport", "Passport No. [[C01X00T47]]"),
    ("driving_licence", "driving licence number is [[MORGA753116SM9IJ]]"),
    ("birth_date", "born on [[12 March 1985]]"),
    ("birth_date", "Geburtsdatum: [[03.11.1972]]"),
    ("crypto_address", "send to [[1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa]]"),
    ("crypto_address", "[[bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4]]"),
    ("coordinates", "GPS: [[52.520008, 13.404954]]"),
    ("address", "lives at [[221 Baker Street]], London"),
    ("address", "wohnt in der [[Lindenstraße 12a]]"),
    ("address", "habite [[12 rue de la Paix]]."),
    ("name", "Dear Mr [[Smith]], my name is [[Anna van der Berg]]."),
    ("url_credentials", concat!("clone [[https://bot:s3cr3t", "Pw@git.example.org]]/x")),
];

#[test]
fn what_has_the_form_is_found() {
    for (label, marked) in FOUND {
        let wanted: Vec<_> = marked
            .split("[[")
            .skip(1)
            .filter_map(|part| part.split_once("]]"))
            .map(|(value, _)| (label.to_string(), value.to_string()))
            .collect();
        assert_eq!(found(&marked.replace("[[", "").replace("]]", "")), wanted, "{marked}");
    }
}

#[test]
fn what_only_looks_like_it_is_not() {
    let texts = [
        "See @ada and git@github.com:a/b.git, logo@2x.png, pkg@1.2.3.",
        "Order 4111 1111 1111 1112 of 2024-01-15, 15.01.2024 or 01/15/2024 10:30:45.",
        "ISBN 978-3-16-148410-0, ISSN 2049-3630, RFC 5322, doi:10.1000/182.",
        "Version 1.2.3.4, v10.0.19041.1, Chrome/120.0.6099.109, host 127.0.0.1, 192.168.1.10.",
        "commit 3f786850e387550fdab836ed7e6dc881de23001b, 550e8400-e29b-41d4-a716-446655440000.",
        "DE89 3704 0044 0532 0130 01 is no IBAN; 999-99-9999 and 000-12-3456 are no SSN.",
        "std::collections::HashMap, dead::beef, fe80::1, 12:30:45, a::b.",
        "1,234,567.89 EUR, 3.14159265, 1e10, 2020 2021 2022, 1638316800000, $123 4567.",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
        "--range 50 100 200 500 1000, in 128 256 512 1024 2048; tool_calls=None, created=[1714589732]",
        "the lady (born goulding), 26 June 1903",
        "The passport is new. Its birthday was a party on the 2021-05-06.",
    ];
    for text in texts {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn words_before_raise_the_score() {
    let guard = guard();
    let score = |text: &str| guard.check(text, &Context::default()).unwrap().first().map_or(0.0, |found| found.score);
    assert!(score("card 4111111111111111") > score("then 4111111111111111"));
    assert!(score("then 4111111111111111") > 0.0);
    assert!(found("a 111222333").is_empty());
}

#[test]
fn each_kind_has_its_action() {
    let config: PiiConfig =
        toml::from_str("action = 'mask'\nprivate_addresses = true\n[actions]\nphone = 'block'\nip = 'note'\niban = 'pseudonym'").unwrap();
    let guard = PiiGuard::new(config).unwrap();
    let context = Context::new(Stage::Input);
    let effects = |text: &str| guard.check(text, &context).unwrap().into_iter().map(|found| found.effect).collect::<Vec<_>>();
    assert_eq!(effects("a@example.org"), [Effect::Replace("[EMAIL]".into())]);
    assert_eq!(effects("+44 20 7946 0958, 192.168.1.10"), [Effect::Block, Effect::Note]);
    assert_eq!(
        effects("DE89370400440532013000 GB82WEST12345698765432 DE89370400440532013000"),
        ["<IBAN_1>", "<IBAN_2>", "<IBAN_1>"].map(|to| Effect::Replace(to.into()))
    );
    assert!(toml::from_str::<PiiConfig>("kinds = ['emial']").is_err());
    assert!(PiiGuard::new(PiiConfig { threshold: 1.5, ..PiiConfig::default() }).is_err());
    assert!(
        PiiGuard::new(PiiConfig { action: Action::Note, ..PiiConfig::default() }).unwrap().check("<EMAIL_1>", &context).unwrap().is_empty()
    );
}

/// What is found in `text` cut at `cuts`.
fn streamed(text: &str, cuts: &[usize]) -> (Vec<Finding>, usize) {
    let mut cuts: Vec<usize> =
        cuts.iter().map(|cut| cut % (text.len() + 1)).filter(|&cut| text.is_char_boundary(cut)).chain([0, text.len()]).collect();
    cuts.sort_unstable();
    let mut scan: Box<dyn Scan> = guard().scan(&Context::default());
    let (mut found, mut held) = (Vec::new(), 0);
    for piece in cuts.windows(2) {
        scan.push(&text[piece[0]..piece[1]], &mut found).unwrap();
        held = held.max(piece[1] - scan.decided());
    }
    scan.finish(&mut found).unwrap();
    (found, held)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn cuts_make_no_difference(parts in prop::collection::vec(0..FOUND.len() * 2, 1..8), noise in "[ .@+0-9a-zé:/-]{0,30}", cuts in prop::collection::vec(any::<usize>(), 0..60)) {
        let text = parts.iter().map(|part| FOUND.get(*part).map_or(noise.as_str(), |(_, text)| text)).collect::<Vec<_>>().join(" ");
        let (found, held) = streamed(&text, &cuts);
        prop_assert_eq!(found, guard().check(&text, &Context::default()).unwrap());
        prop_assert!(Reach::Bytes(held) == guard().reach() || matches!(guard().reach(), Reach::Bytes(reach) if held < reach));
    }

    #[test]
    fn no_text_is_too_odd(text in any::<String>()) {
        guard().check(&text, &Context::default()).unwrap();
    }
}

#[test]
fn prose_is_held_back_by_the_word() {
    let (mut scan, mut held, mut pushed) = (guard().scan(&Context::default()), 0, 0);
    for word in "we looked into it, and there is nothing that anybody would have to worry about. it took us two days; 14 of 20 are done."
        .split_inclusive(' ')
    {
        scan.push(word, &mut Vec::new()).unwrap();
        pushed += word.len();
        held = held.max(pushed - scan.decided());
    }
    assert!(held <= 12, "{held} bytes were held");
}
