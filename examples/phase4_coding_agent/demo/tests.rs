#![allow(warnings)]
include!("intervals.rs");

#[test]
fn none() {
    assert_eq!(merge(vec![]), vec![]);
}

#[test]
fn apart() {
    assert_eq!(merge(vec![(1, 2), (5, 6)]), vec![(1, 2), (5, 6)]);
}

#[test]
fn overlapping() {
    assert_eq!(merge(vec![(1, 4), (3, 6), (6, 8)]), vec![(1, 8)]);
}

#[test]
fn in_any_order() {
    assert_eq!(merge(vec![(5, 6), (1, 2), (2, 4)]), vec![(1, 4), (5, 6)]);
}

#[test]
fn one_within_another() {
    assert_eq!(merge(vec![(1, 9), (2, 3), (8, 10)]), vec![(1, 10)]);
}

#[test]
fn within_another_and_first_in_the_list() {
    assert_eq!(merge(vec![(4, 5), (1, 9)]), vec![(1, 9)]);
}
