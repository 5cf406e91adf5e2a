use super::super::context::near;
use crate::scan::{Rule, Seen};

/// One to four capitalised words with the small words of names between.
pub(super) fn rule() -> Rule {
    let word = r"[A-ZÀ-ÖØ-ÞĄĆĘŁŃÓŚŹŻ](?:['’][A-Z])?[a-zß-öø-ÿąćęłńóśźż]{1,18}(?:-[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]{1,18})?";
    let between = "(?:van der |van den |van de |van |von der |von |de la |de los |de |del |della |di |da |dos |du |le |la )?";
    Rule::new("name", format!("{word}(?: {between}{word}){{0,3}}"), judge)
}

const TITLES: &[&str] = &[
    "Mr", "Mrs", "Ms", "Miss", "Dr", "Prof", "Sir", "Herr", "Herrn", "Frau", "Monsieur", "Madame", "Mme", "Mlle", "Señor", "Señora", "Sr",
    "Sra", "Don", "Doña", "Signor", "Signora", "Sig", "Sigra", "Dott", "Dottssa", "Meneer", "Mevrouw", "Dhr", "Mevr", "Mw", "Senhor",
    "Senhora", "Pan", "Pani", "Pana",
];

const INTRODUCTIONS: &[&str] = &[
    "my name is",
    "i am",
    "i'm",
    "this is",
    "dear",
    "regards,",
    "sincerely,",
    "best,",
    "cheers,",
    "thanks,",
    "ich heiße",
    "ich bin",
    "mein name ist",
    "liebe",
    "lieber",
    "grüße",
    "grüßen",
    "je m'appelle",
    "je suis",
    "cher",
    "chère",
    "cordialement,",
    "me llamo",
    "soy",
    "mi nombre es",
    "querido",
    "querida",
    "estimado",
    "estimada",
    "saludos,",
    "mi chiamo",
    "sono",
    "caro",
    "cara",
    "gentile",
    "saluti,",
    "ik heet",
    "ik ben",
    "mijn naam is",
    "beste",
    "groet,",
    "groeten,",
    "name:",
    "nom :",
    "nombre:",
    "nome:",
    "naam:",
    "customer:",
    "kunde:",
    "client :",
    "cliente:",
    "klant:",
    "patient:",
    "signed,",
];

/// Where words before say that a name comes, or its first word is a given name.
fn judge(seen: &Seen<'_>) -> Option<f32> {
    let first = seen.text.split([' ', '-']).next()?;
    let inside =
        seen.before.ends_with(|char: char| char.is_alphanumeric() || matches!(char, '_' | '/' | '.' | '@' | '-' | '\'' | '’' | '#'));
    if inside || is_title(first) || INTRODUCTIONS.iter().any(|word| *word == first.to_lowercase()) {
        return None;
    }
    let before = seen.before.trim_end();
    let title = before.trim_end_matches('.').rsplit(|char: char| !char.is_alphabetic()).next().is_some_and(is_title);
    let lower = before.to_lowercase();
    let introduced = INTRODUCTIONS.iter().any(|words| lower.strip_suffix(words).is_some_and(|rest| !rest.ends_with(char::is_alphabetic)));
    let given = super::super::given_names::is_given(first);
    let words = seen.text.split(' ').count();
    match (title, given, introduced) {
        (true, ..) | (_, true, true) => Some(0.9),
        (_, true, _) if words > 1 => Some(0.75),
        (_, true, _) => Some(if near(seen, &["name", "from", "by", "with"]) { 0.45 } else { 0.3 }),
        (.., true) if words > 1 => Some(0.6),
        _ => None,
    }
}

fn is_title(word: &str) -> bool {
    TITLES.contains(&word)
}
