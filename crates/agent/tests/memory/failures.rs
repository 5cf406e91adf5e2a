//! Failures as tools tell them: what was reflected on, and how the same sort of failure looked in a later task.

pub(crate) const FAILURES: [(&str, &str); 18] = [
    (
        "test_last_page (tests.test_pager.PagerTest): IndexError: list index out of range at pager.py:31 in page",
        "FAILED test_grid.py::test_corner - IndexError: list index out of range, grid.py:88: in neighbours",
    ),
    (
        "thread 'window_sum' panicked at src/lib.rs:14:22: index out of bounds: the len is 5 but the index is 5",
        "thread 'tests::largest_triangle' panicked at src/triangle.rs:40:9: index out of bounds: the len is 12 but the index is 12",
    ),
    (
        "thread 'counts_down' panicked at src/lib.rs:9:13: attempt to subtract with overflow",
        "thread 'tests::distance_to_earlier' panicked at src/time.rs:77:5: attempt to subtract with overflow, usize",
    ),
    (
        "test_mean_of_nothing: ZeroDivisionError: division by zero in stats.py line 12",
        "ERROR test_rate - ZeroDivisionError: float division by zero (meter.py:203)",
    ),
    (
        "AttributeError: 'NoneType' object has no attribute 'strip' in test_reads_missing_header, headers.py:19",
        "tests/test_tree.py::test_left_of_leaf: AttributeError: 'NoneType' object has no attribute 'value'",
    ),
    (
        "error[E0502]: cannot borrow `scores` as mutable because it is also borrowed as immutable --> src/lib.rs:21:9",
        "error[E0502]: cannot borrow `self.cache` as mutable because it is also borrowed as immutable --> src/cache.rs:52:13",
    ),
    (
        "error[E0382]: borrow of moved value: `names`, move occurs because `names` has type `Vec<String>`, which does not implement `Copy`",
        "error[E0382]: use of moved value: `config` --> src/main.rs:30:20, value moved here in previous iteration of loop; it does not implement `Copy`",
    ),
    (
        "error[E0308]: mismatched types: expected `Option<u32>`, found `u32` --> src/parse.rs:17:5, help: try wrapping the expression in `Some`",
        "error[E0308]: mismatched types --> src/lookup.rs:8:9: expected `Option<&str>`, found `&str`; try wrapping the expression in `Some`",
    ),
    (
        "test_recursion_depth: RecursionError: maximum recursion depth exceeded while calling a Python object, flatten.py:6",
        "test_deep_list FAILED: RecursionError: maximum recursion depth exceeded in comparison (walk.py:15)",
    ),
    (
        "test large_input: timed out after 30 s: killed, no output since `running 1 test`",
        "command timed out after 60 s while running test_collatz_of_a_million; the process was killed",
    ),
    (
        "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xe9 in position 14: invalid continuation byte, test_reads_names",
        "test_import_csv: UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
    ),
    (
        "thread 'cuts_title' panicked: byte index 3 is not a char boundary; it is inside 'ü' (bytes 2..4) of `Grüße`",
        "thread 'abbreviates' panicked at src/short.rs:5: end byte index 10 is not a char boundary; it is inside '—'",
    ),
    (
        "AssertionError: 0.30000000000000004 != 0.3 in test_adds_prices",
        "test_interest: AssertionError: 110.00000000000001 != 110.0 : balance after a year",
    ),
    (
        "AssertionError: Lists differ: ['b', 'a'] != ['a', 'b'] First differing element 0, test_sorted_names, order by name",
        "test_leaderboard: AssertionError: Lists differ: ['zoe', 'ann'] != ['ann', 'zoe'], First differing element 0: order of equal scores",
    ),
    (
        "ModuleNotFoundError: No module named 'numpy' importing tests/test_matrix.py",
        "ImportError while importing test module: ModuleNotFoundError: No module named 'dateutil'",
    ),
    (
        "thread 'reads_empty' panicked: called `Result::unwrap()` on an `Err` value: ParseIntError { kind: Empty }",
        "thread 'parses_version' panicked: called `Result::unwrap()` on an `Err` value: ParseIntError { kind: InvalidDigit }",
    ),
    (
        "IndentationError: unexpected indent (solution.py, line 14) while importing test_solution",
        "IndentationError: unindent does not match any outer indentation level (answer.py, line 9)",
    ),
    ("KeyError: 'total' in test_summary_of_empty_cart, cart.py:44", "test_word_counts FAILED - KeyError: 'the' at count.py:7"),
];
