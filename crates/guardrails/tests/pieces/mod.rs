//! A reading in pieces, held to what a `Scan` promises.

use jarre_guardrails::{Context, Finding, Guard, Reach};

/// What `guard` finds in `text` cut at `cuts` (taken modulo its length, on character boundaries).
///
/// # Panics
/// Where a finding starts before what was decided, spans are out of order or off boundaries, or more is undecided than the guard's reach.
pub(crate) fn read(guard: &dyn Guard, text: &str, context: &Context, cuts: &[usize]) -> Vec<Finding> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).filter(|&cut| text.is_char_boundary(cut)).collect();
    cuts.extend([0, text.len()]);
    cuts.sort_unstable();
    let mut scan = guard.scan(context);
    let mut found = Vec::new();
    for piece in cuts.windows(2) {
        let (decided, told) = (scan.decided(), found.len());
        scan.push(&text[piece[0]..piece[1]], &mut found).unwrap();
        assert!(found[told..].iter().all(|found: &Finding| found.span.start >= decided), "{found:?} before {decided}");
        assert!(scan.decided() >= decided, "what was decided is open again");
        if let Reach::Bytes(reach) = guard.reach() {
            assert!(piece[1] - scan.decided() <= reach, "{} bytes are undecided", piece[1] - scan.decided());
        }
    }
    let (decided, told) = (scan.decided(), found.len());
    scan.finish(&mut found).unwrap();
    assert!(found[told..].iter().all(|found| found.span.start >= decided));
    assert_eq!(scan.decided(), text.len());
    assert!(found.iter().all(|found| text.get(found.span.clone()).is_some()), "{found:?}");
    assert!(found.windows(2).all(|pair| pair[0].span.start <= pair[1].span.start), "{found:?} are out of order");
    found
}

/// Asserts that pieces make no difference.
pub(crate) fn same_in_pieces(guard: &dyn Guard, text: &str, context: &Context, cuts: &[usize]) {
    assert_eq!(read(guard, text, context, cuts), guard.check(text, context).unwrap(), "{text:?} at {cuts:?}");
}
