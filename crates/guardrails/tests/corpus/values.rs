//! What stands in the slots of templates. Labels are those of findings; a slot without a label holds what is no personal data.

use jarre_guardrails::pii::checksum as check;

use super::random::Random;

type Value = (Option<&'static str>, String);

const GIVEN: [&[&str]; 6] = [
    &["Emily", "James", "Rachel", "Thomas", "Olivia", "Kevin"],
    &["Jürgen", "Sabine", "Lukas", "Heike", "Matthias", "Ursula"],
    &["Camille", "Julien", "Aurélie", "Thierry", "Mathilde", "Pierre"],
    &["Lucía", "Javier", "Carmen", "Alejandro", "Pilar", "Diego"],
    &["Chiara", "Matteo", "Giulia", "Lorenzo", "Paola", "Stefano"],
    &["Sander", "Marieke", "Jeroen", "Femke", "Thijs", "Anneke"],
];
const FAMILY: [&[&str]; 6] = [
    &["Walker", "O'Connor", "Whitfield", "Harper", "Smith-Jones"],
    &["Müller", "Schneider", "von Berg", "Krüger", "Hoffmann"],
    &["Lefèvre", "Moreau", "de Villiers", "Girard", "Petit"],
    &["García", "Fernández", "Ortega", "de la Vega", "Ruiz"],
    &["Rossi", "Bianchi", "Di Marco", "Ferrari", "Esposito"],
    &["Jansen", "de Vries", "van den Berg", "Bakker", "Visser"],
];
const PHONES: [&[&str]; 6] = [
    &["+44 20 7946 0###", "+1 (415) 555-2###", "(212) 736-5###", "020 7946 0###", "+1-650-253-0###", "07700 900###"],
    &["+49 30 9018####", "+49 (0)89 12345##", "030/901820##", "0171 55##9##", "+4915112345###", "(0221) 47110##"],
    &["+33 1 42 68 53 ##", "01 42 68 ## ##", "06.12.34.##.##", "+33612##45##", "04-72-40-##-##"],
    &["+34 612 34# ###", "612 34# ###", "+34 91 411 1# 11", "91 411 ## ##", "+34655##34##"],
    &["+39 06 698 2####", "06 6982####", "347 12#4###", "+39 347 12#4###", "02/7202####"],
    &["+31 20 624 ####", "020-624####", "06-1234####", "+316123####5", "06 12 34 ## ##"],
];
const STREETS: [&[&str]; 6] = [
    &["## Baker Street", "1## Elm Grove Road", "# Kings Avenue", "7## Willow Lane"],
    &["Lindenstraße ##", "Goetheplatz #", "Am Mühlenweg 1#", "Hauptstr. ##a"],
    &["## rue de la République", "#, avenue Victor Hugo", "1# boulevard Voltaire", "## bis rue Lepic"],
    &["Calle de Alcalá ##", "Avenida de la Constitución, 1#", "Plaza Mayor #", "Calle Serrano, 1#"],
    &["Via Garibaldi ##", "Piazza Dante #", "Corso Vittorio Emanuele 1##", "Viale Monza, 1#"],
    &["Keizersgracht 1##", "Dorpsstraat ##", "Beatrixlaan #", "Kerkplein 1#"],
];
const IDS: [&[&str]; 6] = [&["us_ssn", "uk_nino", "uk_nhs"], &["de_tax_id"], &["fr_nir"], &["es_dni"], &["it_codice_fiscale"], &["nl_bsn"]];
const HEX: &str = "0123456789abcdef";
const WORD: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The value for `slot`, and its label where it has to be found.
pub(crate) fn value(slot: &str, language: usize, random: &mut Random) -> Value {
    match slot {
        "id" => {
            let kind = random.pick(IDS[language]);
            national(kind, random)
        }
        "email" => (Some("email"), email(language, random)),
        "phone" => (Some("phone"), shaped(PHONES[language], random)),
        "address" => (Some("address"), nonzero(STREETS[language], random)),
        "name" => (Some("name"), format!("{} {}", random.pick(GIVEN[language]), random.pick(FAMILY[language]))),
        "iban" => (Some("iban"), iban(language, random)),
        "card" => (
            Some("card"),
            shaped_fitting(
                &["4### #### #### ####", "51##########9###", "37## ###### #####", "6011-####-####-####", "5424 18## #### ####"],
                check::luhn,
                random,
            ),
        ),
        "ip" => (Some("ip"), ip(random)),
        "mac" => (Some("mac"), mac(random)),
        "crypto" => (
            Some("crypto_address"),
            random
                .pick(&[
                    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
                    "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
                    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
                ])
                .into(),
        ),
        "eth" => (Some("crypto_address"), format!("0x{}", random.text(HEX, 40))),
        "passport" => (Some("passport"), shaped(&["#########", "@########", "@0#@##@##", "##@@#####"], random)),
        "licence" => (Some("driving_licence"), shaped(&["@#######", "@######@##", "##########", "@@#######@"], random)),
        "dob" => (Some("birth_date"), birth_date(language, random)),
        "geo" => (Some("coordinates"), random.shape("4#.8###, 1#.4####")),
        "urlcred" => (
            Some("url_credentials"),
            format!("postgres://app{}:{}@db{}.example.net", random.below(9), random.text(WORD, 11), random.below(9)),
        ),
        "password" => (Some("password"), format!("{}{}!{}", random.text(WORD, 6), random.digits(2), random.text("bcdfghjkmnp", 3))),
        "apikey" => (Some("api_key"), format!("{}{}", random.text(HEX, 30), random.digits(2))),
        "aws" => (Some("aws_access_key"), format!("AKIA{}", random.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16))),
        "github" => (Some("github_token"), format!("ghp_{}", random.text(WORD, 36))),
        other => look_alike(other, random).unwrap_or_else(|| national(other, random)),
    }
}

/// What is no personal data.
fn look_alike(slot: &str, random: &mut Random) -> Option<Value> {
    let text = match slot {
        "order" => shaped(&["ORD-########", "#######", "2024-#####", "#########", "4###-####"], random),
        "version" => shaped(&["v1.##.#", "10.0.1904#.1###", "2.#.#-rc1", "1.2.#.4", "4.1#.0"], random),
        "isbn" => shaped_fitting(&["978-3-16-14####-#", "978030640####"], check::ean13, random),
        "hash" => {
            let length = random.pick(&[7, 40, 64]);
            random.text(HEX, length)
        }
        "uuid" => [8, 4, 4, 4, 12].map(|length| random.text(HEX, length)).join("-"),
        "date" => shaped(&["2024-0#-1#", "1#.0#.2023", "0#/1#/2022", "1#.03.24", "2023-1#"], random)
            .replace("-00", "-01")
            .replace(".00.", ".01.")
            .replace("00/", "01/"),
        "time" => random.shape("1#:4#:0#"),
        "amount" => shaped(&["1,2##.50", "12.###,90", "$4##.99", "99# 450,00", "1#.##"], random),
        "handle" => shaped(&["@dev_##", "@user##", "@AnnaK"], random),
        "badcard" => shaped_fitting(&["4### #### #### ####", "5###############"], |number| !check::luhn(number), random),
        "badiban" => random.fitting("DE## #### #### #### #### ##", |text| !check::mod97(text)),
        "badid" => random.fitting("##.###.###-#", |_| true),
        "private" => shaped(&["192.168.1.##", "10.0.#.1#", "127.0.0.1"], random),
        "epoch" => shaped(&["17########", "17###########"], random),
        "file" => shaped(&["icon@2x.png", "report_2024_##.pdf", "IMG_2023####.jpg"], random),
        "array" => random.shape("0.12##, 0.98##, 3.14##"),
        "placeholder" => random.pick(&["changeme", "${DB_PASSWORD}", "<your-key>", "xxxxxxxxxxxxxxxx", "********"]).into(),
        _ => return None,
    };
    Some((None, text))
}

fn shaped(shapes: &[&str], random: &mut Random) -> String {
    let shape = random.pick(shapes);
    random.shape(shape)
}

fn shaped_fitting(shapes: &[&str], fits: fn(&str) -> bool, random: &mut Random) -> String {
    let shape = random.pick(shapes);
    random.fitting(shape, fits)
}

/// As [`shaped`], without a zero at the start of the house's number.
fn nonzero(shapes: &[&str], random: &mut Random) -> String {
    let shape = random.pick(shapes);
    let first = shape.find('#').map_or(0, |at| at);
    let digit = (1 + random.below(9)).to_string();
    let shape =
        if shape[..first].ends_with(|char: char| char.is_ascii_digit()) { shape.to_owned() } else { shape.replacen('#', &digit, 1) };
    random.shape(&shape)
}

fn email(language: usize, random: &mut Random) -> String {
    let plain =
        |text: &str| text.to_lowercase().replace([' ', '\''], "").replace('ü', "ue").replace(['é', 'è'], "e").replace(['á', 'í'], "i");
    let (given, family) = (plain(random.pick(GIVEN[language])), plain(random.pick(FAMILY[language])));
    let host = random.pick(&[
        "example.org",
        "mail.example.co.uk",
        "firma-beispiel.de",
        "exemple.fr",
        "correo.example.es",
        "posta.example.it",
        "xn--mller-kva.de",
        "bücher.example",
    ]);
    match random.below(4) {
        0 => format!("{given}.{family}@{host}"),
        1 => format!("{given}{}@{host}", random.below(99)),
        2 => format!("{family}+shop@{host}"),
        _ => format!("{given}_{family}@{host}"),
    }
}

fn iban(language: usize, random: &mut Random) -> String {
    let shape = [
        "GB## WEST #### #### #### ##",
        "DE## #### #### #### #### ##",
        "FR## #### #### #### #### #### ###",
        "ES## #### #### #### #### ####",
        "IT## @### #### #### #### #### ###",
        "NL## ABNA #### #### ##",
    ][language];
    let iban = random.fitting(shape, check::mod97);
    if random.below(2) == 0 { iban.replace(' ', "") } else { iban }
}

fn ip(random: &mut Random) -> String {
    if random.below(4) == 0 {
        return format!("2a02:8109:{}:{}::{}", random.text("123456789abcdef", 4), random.text("123456789abcdef", 3), random.below(99));
    }
    let first = random.pick(&[31, 46, 81, 91, 145, 188, 203]);
    format!("{first}.{}.{}.{}", random.below(256), random.below(256), 1 + random.below(254))
}

fn mac(random: &mut Random) -> String {
    let octets: Vec<_> = (0..6).map(|_| random.text("123456789abcde", 2)).collect();
    let separator = random.pick(&[":", "-"]);
    if random.below(2) == 0 { octets.join(separator) } else { octets.join(separator).to_uppercase() }
}

fn birth_date(language: usize, random: &mut Random) -> String {
    let (day, month, year) = (1 + random.below(28), random.below(12), 1935 + random.below(70));
    let months = [
        ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"],
        ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"],
        ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"],
        ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"],
        ["gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre"],
        ["januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december"],
    ][language];
    match random.below(4) {
        0 => format!("{year}-{:02}-{day:02}", month + 1),
        1 => format!("{day:02}.{:02}.{year}", month + 1),
        2 => format!("{day}/{}/{year}", month + 1),
        _ if language == 0 => format!("{} {day}, {year}", months[month]),
        _ if language == 1 => format!("{day}. {} {year}", months[month]),
        _ if language == 3 => format!("{day} de {} de {year}", months[month]),
        _ => format!("{day} {} {year}", months[month]),
    }
}

fn national(kind: &str, random: &mut Random) -> Value {
    let mut fit = |label: &'static str, shapes: &[&str], fits: fn(&str) -> bool| (Some(label), shaped_fitting(shapes, fits, random));
    match kind {
        "us_ssn" => fit("us_ssn", &["5##-4#-6###", "21#-1#-45##"], |_| true),
        "uk_nino" => fit("uk_nino", &["AB ## ## ## C", "JM######D", "SE######A"], |_| true),
        "uk_nhs" => fit("uk_nhs", &["943 ### ####", "485#######"], check::uk_nhs),
        "de_tax_id" => fit("de_tax_id", &["86 ### ### ###", "47#########"], check::de_tax_id),
        "fr_nir" => fit("fr_nir", &["2 55 08 14 168 ### ##", "18507751#######"], check::fr_nir),
        "es_dni" => fit("es_dni", &["########@", "X#######@", "Y-#######-@", "########-@"], check::es_dni),
        "it_codice_fiscale" => {
            fit("it_codice_fiscale", &["RSSMRA85T10A562@", "BNCLRA7#D5#H501@", "FRRLNZ90A01F20#@"], check::it_codice_fiscale)
        }
        "nl_bsn" => fit("nl_bsn", &["1########", "2########"], check::nl_bsn),
        "pl_pesel" => fit("pl_pesel", &["8#0#1######", "021#2######"], check::pl_pesel),
        "br_cpf" => fit("br_cpf", &["###.###.###-##"], check::br_cpf),
        "br_cnpj" => fit("br_cnpj", &["##.###.###/0001-##"], check::br_cnpj),
        "in_aadhaar" => fit("in_aadhaar", &["2### #### ####", "7### #### ####", "9###########"], check::aadhaar),
        "se_personnummer" => {
            fit("se_personnummer", &["8#0#1#-####", "19900#1#-####"], |text| check::se_personnummer(&text[text.len() - 10..]))
        }
        "ca_sin" => fit("ca_sin", &["130 ### ###", "5##-###-###"], check::luhn),
        "ch_ahv" => fit("ch_ahv", &["756.####.####.##"], check::ch_ahv),
        "be_national_number" => fit("be_national_number", &["85.0#.1#-###.##"], check::be_national_number),
        "fi_hetu" => fit("fi_hetu", &["1#0#7#-###@", "2#057#-####"], check::fi_hetu),
        "no_fnr" => fit("no_fnr", &["1#0#7######"], check::no_fnr),
        "pt_nif" => fit("pt_nif", &["2########", "1## ### ###"], check::pt_nif),
        other => panic!("{other} is no slot"),
    }
}
