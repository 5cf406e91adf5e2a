//! Guards of every kind of reading, which find something in short random texts.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use jarre_guardrails::{
    Basis, Context, Effect, Error, Finding, Guard, Reach, Result, Scan,
    scan::{Matcher, Pattern, Strides, Whole, Window},
};

type Make = dyn Fn(&Context) -> Box<dyn Scan> + Send + Sync;

/// A guard of a reading.
#[derive(Clone)]
pub(crate) struct Of {
    name: &'static str,
    reach: Reach,
    make: Arc<Make>,
    pub(crate) basis: Basis,
    /// How many readings were begun.
    pub(crate) begun: Arc<AtomicUsize>,
}

impl Of {
    pub(crate) fn new(name: &'static str, reach: Reach, make: impl Fn(&Context) -> Box<dyn Scan> + Send + Sync + 'static) -> Self {
        Self { name, reach, make: Arc::new(make), basis: Basis::Other, begun: Arc::default() }
    }
}

impl Guard for Of {
    fn name(&self) -> &str {
        self.name
    }

    fn reach(&self) -> Reach {
        self.reach
    }

    fn basis(&self) -> Basis {
        self.basis
    }

    fn scan(&self, context: &Context) -> Box<dyn Scan> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        (self.make)(context)
    }
}

/// Does `effect` about every match of `regex`.
pub(crate) fn pattern(name: &'static str, regex: &str, effect: Effect) -> Of {
    let pattern = Pattern::new(name, regex).unwrap().accepting(|seen| Some(if seen.text.len().is_multiple_of(2) { 0.5 } else { 1.0 }));
    let patterns: Arc<[Pattern]> = [pattern].into();
    let reach = Matcher::reach(&patterns);
    Of::new(name, reach, move |_| {
        let effect = effect.clone();
        Box::new(Matcher::new(patterns.clone(), move |_, _| effect.clone()))
    })
}

/// Does `effect` about the strides whose window holds `mark`, and fails at a window that holds `flaw`.
pub(crate) fn strides(name: &'static str, mark: char, effect: Effect, flaw: Option<char>) -> Of {
    let window = Window { length: 9, stride: 4 };
    Of::new(name, Reach::Bytes(window.stride + 3), move |_| {
        let effect = effect.clone();
        Box::new(Strides::new(window, move |text| {
            if flaw.is_some_and(|flaw| text.contains(flaw)) {
                return Err(unreadable());
            }
            Ok(text.contains(mark).then(|| (name.into(), 0.75, effect.clone())))
        }))
    })
}

/// What `find` finds in the whole text.
pub(crate) fn whole(name: &'static str, find: impl Fn(&str) -> Result<Vec<Finding>> + Clone + Send + Sync + 'static) -> Of {
    Of::new(name, Reach::Whole, move |_| Box::new(Whole::new(find.clone())))
}

pub(crate) fn unreadable() -> Error {
    Error::Pattern { label: "x".into(), reason: "cannot be read".into() }
}

/// The places of `what` in `text`, each with `effect`; with `empty`, the places before it.
pub(crate) fn places(text: &str, what: &str, effect: &Effect, empty: bool) -> Vec<Finding> {
    let find = |(start, found): (usize, &str)| {
        let end = if empty { start } else { start + found.len() };
        Finding { span: start..end, label: "place".into(), score: 0.25, effect: effect.clone() }
    };
    text.match_indices(what).map(find).collect()
}

fn put(with: &str) -> Effect {
    Effect::Replace(with.into())
}

/// How many guards [`of_kind`] knows.
pub(crate) const KINDS: usize = 14;

/// One of every kind.
pub(crate) fn of_kind(kind: usize) -> Of {
    match kind % KINDS {
        0 => pattern("digits", r"\b[0-9]{1,4}\b", put("#")),
        1 => pattern("longer", "ab{1,3}é?", put("<ABé>")),
        2 => pattern("deleted", "d{1,3}", put("")),
        3 => pattern("blocked", "x[0-9]{1,2}", Effect::Block),
        4 => pattern("noted", "é", Effect::Note),
        5 => pattern("marks", "[#<>]", put("-d7")),
        6 => strides("strides", 'q', put("[q]"), None),
        7 => strides("blocking strides", '😀', Effect::Block, None),
        8 => strides("failing strides", 'q', Effect::Note, Some('f')),
        9 => whole("whole", |text| Ok(if text.matches('z').count() % 2 == 1 { places(text, "z", &put("Z"), false) } else { Vec::new() })),
        10 => whole("blocking whole", |text| Ok(places(text, "zz", &Effect::Block, false))),
        11 => whole("inserting", |text| Ok(places(text, "a", &put("(x)"), true))),
        12 => whole("failing whole", |text| if text.contains('f') { Err(unreadable()) } else { Ok(Vec::new()) }),
        _ => pattern("line", "(?m)^[a-z]{1,5}$", put("L")),
    }
}
