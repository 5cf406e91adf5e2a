//! Check digits against published examples, and against the errors that their algorithms promise to see.

use jarre_guardrails::pii::checksum::*;

/// A check, and numbers that pass it.
type Case = (fn(&str) -> bool, &'static [&'static str]);

/// Checks that see every change of a single digit.
const STRICT: &[Case] = &[
    (luhn, &["79927398713", "4111111111111111", "378282246310005", "6011111111111117"]),
    (mod97, &["GB82WEST12345698765432", "DE89370400440532013000", "FR1420041010050500013M02606", "NL91ABNA0417164300"]),
    (iso7064_mod11_10, &["86095742719", "07945"]),
    (verhoeff, &["2363", "999941057058"]),
    (ean13, &["4006381333931", "9780306406157"]),
    (uk_nhs, &["9434765919", "9434765870"]),
    (nl_bsn, &["111222333", "123456782"]),
    (pl_pesel, &["44051401359", "02070803628"]),
    (br_cpf, &["11144477735", "52998224725"]),
    (br_cnpj, &["11222333000181", "11444777000161"]),
    (aadhaar, &["999941057058"]),
    (se_personnummer, &["8112189876", "6408233234"]),
    (ch_ahv, &["7569217076985"]),
    (be_national_number, &["85073003328"]),
    (fi_hetu, &["131052308T"]),
    (fr_nir, &["255081416802538"]),
    (es_dni, &["12345678Z", "X1234567L"]),
];

/// Checks that see most changes.
const LOOSE: &[Case] = &[
    (de_tax_id, &["86095742719", "47036892816", "65929970489"]),
    (it_codice_fiscale, &["RSSMRA85T10A562S", "MRTMTT25D09F205Z"]),
    (no_fnr, &["01010750160"]),
    (pt_nif, &["123456789"]),
    (base58check, &["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"]),
    (
        bech32,
        &[
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
            "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
        ],
    ),
];

#[test]
fn published_numbers_pass() {
    for (check, numbers) in STRICT.iter().chain(LOOSE) {
        for number in *numbers {
            assert!(check(number), "{number}");
        }
    }
}

/// Every text that differs from `number` in one digit.
fn changes(number: &str) -> Vec<String> {
    let change = |at: usize, digit: u8| format!("{}{digit}{}", &number[..at], &number[at + 1..]);
    let digits = number.char_indices().filter_map(|(at, char)| Some((at, char.to_digit(10)? as u8)));
    digits.flat_map(|(at, old)| (0..10).filter(move |&digit| digit != old).map(move |digit| change(at, digit))).collect()
}

#[test]
fn one_wrong_digit_is_seen() {
    for (check, numbers) in STRICT {
        for changed in numbers.iter().flat_map(|number| changes(number)) {
            assert!(!check(&changed), "{changed}");
        }
    }
    for (check, numbers) in LOOSE {
        let (mut seen, mut all) = (0, 0);
        for changed in numbers.iter().flat_map(|number| changes(number)) {
            all += 1;
            seen += u32::from(!check(&changed));
        }
        assert!(seen * 10 >= all * 9, "{seen} of {all} changes of {numbers:?} are seen");
    }
}

#[test]
fn verhoeff_sees_neighbours_that_changed_places() {
    let number = "999941057058";
    for at in 0..number.len() - 1 {
        let mut bytes = number.as_bytes().to_vec();
        bytes.swap(at, at + 1);
        let swapped = String::from_utf8(bytes).expect("digits are text");
        assert!(swapped == number || !verhoeff(&swapped), "{swapped}");
    }
}

#[test]
fn other_alphabets_and_lengths_fail() {
    for (check, numbers) in STRICT.iter().chain(LOOSE) {
        let longer = format!("{}é", numbers[0]);
        for text in ["", "0", "é", "١٢٣٤٥٦٧٨٩", "１２３４５６７８９", "aé😀bcdefghijklmnop", &longer] {
            assert!(!check(text), "{text}");
        }
        for length in 0..40 {
            // Whatever they say of these, they say it.
            check(&"é".repeat(length));
            check(&format!("a{}", "é".repeat(length)));
            check(&"9".repeat(length));
        }
    }
}
