// mbpp_89_closest_num
fn closest_num(n: isize) -> isize {
    n - 1
}

// mbpp_245_max_sum
fn max_sum(arr: Vec<isize>) -> isize {
    let mut rising = arr.clone();
    for i in 0..arr.len() {
        for j in 0..i {
            if arr[j] < arr[i] {
                rising[i] = rising[i].max(rising[j] + arr[i]);
            }
        }
    }
    let mut falling = arr.clone();
    for i in (0..arr.len()).rev() {
        for j in i + 1..arr.len() {
            if arr[j] < arr[i] {
                falling[i] = falling[i].max(falling[j] + arr[i]);
            }
        }
    }
    (0..arr.len()).map(|i| rising[i] + falling[i] - arr[i]).max().unwrap_or(0)
}

// mbpp_123_amicable_numbers_sum
fn amicable_numbers_sum(limit: isize) -> isize {
    let mut divisors = vec![0; limit as usize + 1];
    for divisor in 1..=limit {
        let mut multiple = divisor * 2;
        while multiple <= limit {
            divisors[multiple as usize] += divisor;
            multiple += divisor;
        }
    }
    let mut sum = 0;
    for number in 1..=limit {
        let partner = divisors[number as usize];
        if partner != number && partner <= limit && partner > 0 && divisors[partner as usize] == number {
            sum += number;
        }
    }
    sum
}

// mbpp_20_is_woodall
fn is_woodall(x: isize) -> bool {
    let mut n = 1;
    while n * (1 << n) - 1 < x {
        n += 1;
    }
    n * (1 << n) - 1 == x
}

// mbpp_806_max_run_uppercase
fn max_run_uppercase(test_str: String) -> isize {
    let mut run = 0;
    let mut longest = 0;
    for letter in test_str.chars() {
        if letter.is_uppercase() {
            run += 1;
            longest = longest.max(run);
        } else {
            run = 0;
        }
    }
    longest
}

// mbpp_577_last_Digit_Factorial
fn last_Digit_Factorial(n: isize) -> isize {
    let mut digit = 1;
    for factor in 1..=n {
        digit = digit * factor % 10;
    }
    digit
}

// mbpp_12_sort_matrix
fn sort_matrix(m: Vec<Vec<isize>>) -> Vec<Vec<isize>> {
    let mut rows = m;
    rows.sort_by_key(|row| row.iter().sum::<isize>());
    rows
}

// mbpp_290_max_length
fn max_length(list1: Vec<Vec<isize>>) -> (isize, Vec<isize>) {
    let mut longest = Vec::new();
    for list in list1 {
        if list.len() > longest.len() {
            longest = list;
        }
    }
    (longest.len() as isize, longest)
}

// mbpp_286_max_sub_array_sum_repeated
fn max_sub_array_sum_repeated(a: Vec<isize>, n: isize, k: isize) -> isize {
    let mut best = a[0];
    let mut ending_here = 0;
    for index in 0..n * k {
        ending_here += a[(index % n) as usize];
        best = best.max(ending_here);
        if ending_here < 0 {
            ending_here = 0;
        }
    }
    best
}

// mbpp_444_trim_tuple
fn trim_tuple(test_list: Vec<Vec<isize>>, k: isize) -> Vec<Vec<isize>> {
    let cut = k as usize;
    test_list.into_iter().map(|list| list[cut..list.len() - cut].to_vec()).collect()
}

// mbpp_632_move_zero
fn move_zero(num_list: Vec<isize>) -> Vec<isize> {
    let length = num_list.len();
    let mut moved: Vec<isize> = num_list.into_iter().filter(|number| *number != 0).collect();
    while moved.len() < length {
        moved.push(0);
    }
    moved
}

// mbpp_97_frequency_lists
use std::collections::HashMap;

fn frequency_lists(list1: Vec<Vec<isize>>) -> HashMap<isize, isize> {
    let mut frequency = HashMap::new();
    for value in list1.into_iter().flatten() {
        *frequency.entry(value).or_insert(0) += 1;
    }
    frequency
}

// mbpp_103_eulerian_num
fn eulerian_num(n: isize, m: isize) -> isize {
    if n == 0 || m >= n {
        return 0;
    }
    if m == 0 {
        return 1;
    }
    (n - m) * eulerian_num(n - 1, m - 1) + (m + 1) * eulerian_num(n - 1, m)
}

// mbpp_782_odd_length_sum
fn odd_length_sum(arr: Vec<isize>) -> isize {
    let length = arr.len();
    let mut sum = 0;
    for (index, value) in arr.iter().enumerate() {
        let windows = (index + 1) * (length - index);
        sum += (windows as isize + 1) / 2 * value;
    }
    sum
}

// mbpp_283_validate
fn validate(n: isize) -> bool {
    let digits = n.to_string();
    (0..10).all(|digit: usize| digits.matches(&digit.to_string()).count() <= digit)
}
