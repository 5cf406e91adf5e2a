// HumanEval_23_strlen
fn strlen(string: String) -> isize {
    string.chars().count() as isize
}

// HumanEval_64_vowels_count
fn vowels_count(s: String) -> isize {
    let lower = s.to_lowercase();
    let vowels = lower.chars().filter(|letter| "aeiou".contains(*letter)).count() as isize;
    if lower.ends_with('y') { vowels + 1 } else { vowels }
}

// HumanEval_76_is_simple_power
fn is_simple_power(x: isize, n: isize) -> bool {
    if x == 1 {
        return true;
    }
    if n <= 1 {
        return false;
    }
    let mut power = 1;
    while power < x {
        power *= n;
    }
    power == x
}

// HumanEval_11_string_xor
fn string_xor(a: String, b: String) -> String {
    a.chars().zip(b.chars()).map(|(x, y)| if x == y { '0' } else { '1' }).collect()
}

// HumanEval_33_sort_third
fn sort_third(l: Vec<isize>) -> Vec<isize> {
    let mut thirds: Vec<isize> = l.iter().copied().step_by(3).collect();
    thirds.sort();
    let mut sorted = l;
    for (place, value) in thirds.into_iter().enumerate() {
        sorted[place * 3] = value;
    }
    sorted
}

// HumanEval_5_intersperse
fn intersperse(numbers: Vec<isize>, delimeter: isize) -> Vec<isize> {
    let mut out = Vec::new();
    for (index, number) in numbers.into_iter().enumerate() {
        if index > 0 {
            out.push(delimeter);
        }
        out.push(number);
    }
    out
}

// HumanEval_143_words_in_sentence
fn words_in_sentence(sentence: String) -> String {
    fn is_prime(n: usize) -> bool {
        n >= 2 && (2..n).all(|divisor| n % divisor != 0)
    }
    let words: Vec<&str> = sentence.split_whitespace().filter(|word| is_prime(word.len())).collect();
    words.join(" ")
}

// HumanEval_160_do_algebra
fn do_algebra(operator: Vec<String>, operand: Vec<isize>) -> isize {
    fn pass(values: &mut Vec<isize>, operators: &mut Vec<String>, wanted: &[&str], from_right: bool) {
        let mut at = if from_right { operators.len() } else { 0 };
        loop {
            if from_right {
                if at == 0 {
                    return;
                }
                at -= 1;
            } else if at >= operators.len() {
                return;
            }
            if wanted.contains(&operators[at].as_str()) {
                let right = values.remove(at + 1);
                let left = values[at];
                values[at] = match operators.remove(at).as_str() {
                    "+" => left + right,
                    "-" => left - right,
                    "*" => left * right,
                    "//" => left.div_euclid(right),
                    _ => left.pow(right as u32),
                };
            } else if !from_right {
                at += 1;
            }
        }
    }
    let (mut values, mut operators) = (operand, operator);
    pass(&mut values, &mut operators, &["**"], true);
    pass(&mut values, &mut operators, &["*", "//"], false);
    pass(&mut values, &mut operators, &["+", "-"], false);
    values[0]
}

// HumanEval_135_can_arrange
fn can_arrange(arr: Vec<isize>) -> isize {
    let mut largest = -1;
    for index in 1..arr.len() {
        if arr[index] < arr[index - 1] {
            largest = index as isize;
        }
    }
    largest
}

// HumanEval_123_get_odd_collatz
fn get_odd_collatz(n: isize) -> Vec<isize> {
    let mut odd = vec![1];
    let mut term = n;
    while term > 1 {
        if term % 2 == 1 {
            odd.push(term);
            term = term * 3 + 1;
        } else {
            term = term / 2;
        }
    }
    odd.sort();
    odd
}

// HumanEval_18_how_many_times
fn how_many_times(string: String, substring: String) -> isize {
    let mut times = 0;
    for (start, _) in string.char_indices() {
        if string[start..].starts_with(&substring) {
            times += 1;
        }
    }
    times
}

// HumanEval_145_order_by_points
fn order_by_points(nums: Vec<isize>) -> Vec<isize> {
    fn points(number: isize) -> isize {
        let mut rest = number.abs();
        let mut sum = 0;
        while rest >= 10 {
            sum += rest % 10;
            rest /= 10;
        }
        if number < 0 { sum - rest } else { sum + rest }
    }
    let mut ordered = nums;
    ordered.sort_by_key(|number| points(*number));
    ordered
}

// HumanEval_69_search
fn search(lst: Vec<isize>) -> isize {
    let mut best = -1;
    for &value in &lst {
        let times = lst.iter().filter(|other| **other == value).count() as isize;
        if times >= value && value > best {
            best = value;
        }
    }
    best
}

// HumanEval_47_median
fn median(l: Vec<isize>) -> f64 {
    let mut sorted = l;
    sorted.sort();
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[middle] as f64
    } else {
        (sorted[middle - 1] + sorted[middle]) as f64 / 2.0
    }
}

// HumanEval_93_encode
fn encode(message: String) -> String {
    let swap = |letter: char| {
        if letter.is_uppercase() { letter.to_ascii_lowercase() } else { letter.to_ascii_uppercase() }
    };
    let shift = |letter: char| {
        if "aeiouAEIOU".contains(letter) { (letter as u8 + 2) as char } else { letter }
    };
    message.chars().map(|letter| shift(swap(letter))).collect()
}
