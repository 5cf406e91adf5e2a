use std::ops::Range;

/// The first run of bytes that are `within`, at least `least` of them, from `from` on: all of it. Most of what lies before is passed over.
pub(super) fn next_run(bytes: &[u8], from: usize, least: usize, within: impl Fn(u8) -> bool) -> Option<Range<usize>> {
    let mut from = from;
    loop {
        // It holds this byte, or begins behind it.
        let probe = from + least - 1;
        let run = within(*bytes.get(probe)?);
        let start =
            if run { bytes[from..probe].iter().rposition(|byte| !within(*byte)).map_or(from, |before| from + before + 1) } else { probe };
        let end = probe + bytes[probe..].iter().take_while(|byte| within(**byte)).count();
        if end - start >= least {
            return Some(start..end);
        }
        from = end + 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::next_run;

    proptest! {
        #[test]
        fn each_long_run_is_found(text in "[ab]{0,60}", least in 1_usize..6) {
            let runs = text.split('b').map(|run| (run.as_ptr() as usize - text.as_ptr() as usize, run.len()));
            let long: Vec<_> = runs.filter(|(_, length)| *length >= least).map(|(start, length)| start..start + length).collect();
            let mut found = Vec::new();
            while let Some(run) = next_run(text.as_bytes(), found.last().map_or(0, |run: &std::ops::Range<usize>| run.end), least, |byte| byte == b'a') {
                found.push(run);
            }
            prop_assert_eq!(found, long);
        }
    }
}
