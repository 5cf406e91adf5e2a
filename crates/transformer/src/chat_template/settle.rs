//! What every value passes that a template keeps: it comes out flat, finite and of bounded size.

use minijinja::value::{DynObject, ObjectRepr, Tuple, Value};
use minijinja::{Environment, Error, ErrorKind, State};

use super::guard::{FIELD, ITEMS, SCALAR, SETTLE};

/// Containers in containers. JSON may be 128 deep.
const MAX_DEPTH: usize = 160;
/// What a value costs beside the bytes of its text.
const NODE: u64 = 64;
/// Values that are looked at for one step of the engine.
const NODES_A_STEP: u64 = 16;

/// Adds the filters that [`guard`](super::guard) inserts. A value may weigh `allowance`, in the unit of [`weight`].
pub(super) fn add_filters(environment: &mut Environment<'_>, allowance: u64) {
    let filter = move |state: &State<'_, '_>, value: &Value, is_field| -> Result<Value, Error> {
        let mut scale = Scale { left: allowance, is_field, ..Scale::new() };
        let settled = scale.settle(value, 0)?;
        state.consume_fuel(scale.nodes / NODES_A_STEP)?;
        Ok(settled.unwrap_or_else(|| value.clone()))
    };
    environment.add_filter(SETTLE, move |state: &State<'_, '_>, value: &Value| filter(state, value, false));
    environment.add_filter(FIELD, move |state: &State<'_, '_>, value: &Value| filter(state, value, true));
    environment.add_filter(SCALAR, scalar);
    environment.add_filter(ITEMS, items);
}

/// How much is in `value`: 64 for each value in it, and the bytes of the texts.
pub(super) fn weight(value: &Value) -> Result<u64, Error> {
    let mut scale = Scale::new();
    scale.settle(value, 0)?;
    Ok(u64::MAX - scale.left)
}

/// Python repeats lists too; templates repeat text at most.
fn scalar(value: &Value) -> Result<Value, Error> {
    match value.as_object() {
        Some(_) => Err(refuse("only numbers and text are multiplied here")),
        None => Ok(value.clone()),
    }
}

/// To the engine, `none` is an empty list.
fn items(value: &Value) -> Result<Value, Error> {
    if value.is_none() { Err(refuse("`none` has no items")) } else { Ok(value.clone()) }
}

fn refuse(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, what)
}

struct Scale {
    left: u64,
    nodes: u64,
    /// The value goes into a namespace.
    is_field: bool,
    /// The engine's type of plain dictionaries.
    dict: &'static str,
}

impl Scale {
    fn new() -> Self {
        let empty = Value::from_pairs([(); 0].map(|()| ("", "")));
        Self { left: u64::MAX, nodes: 0, is_field: false, dict: empty.as_object().map_or("", DynObject::type_name) }
    }

    /// Weighs `value`, and gives it anew where something in it is computed only when it is read (a slice, a sum of lists): such values
    /// hold on to what they were made from, and a chain of them is read by recursion.
    fn settle(&mut self, value: &Value, depth: usize) -> Result<Option<Value>, Error> {
        self.pay(NODE + value.as_str().map_or(0, |text| text.len() as u64))?;
        let Some(object) = value.as_object() else { return Ok(None) };
        if depth == MAX_DEPTH {
            return Err(refuse("lists and dictionaries are nested too deeply"));
        }
        match object.repr() {
            ObjectRepr::Seq | ObjectRepr::Iterable => self.items(value, object, depth),
            ObjectRepr::Map => self.pairs(object, depth),
            _ => Ok(None),
        }
    }

    fn items(&mut self, value: &Value, object: &DynObject, depth: usize) -> Result<Option<Value>, Error> {
        let is_flat = value.is_tuple() || object.is::<Vec<Value>>();
        let mut anew: Option<Vec<Value>> = (!is_flat).then(Vec::new);
        for (at, item) in value.try_iter()?.checked().enumerate() {
            let item = item?;
            match (&mut anew, self.settle(&item, depth + 1)?) {
                (Some(items), settled) => items.push(settled.unwrap_or(item)),
                (None, Some(settled)) => anew = Some(value.try_iter()?.take(at).chain([settled]).collect()),
                (None, None) => {}
            }
        }
        Ok(anew.map(|items| if value.is_tuple() { Tuple::from(items).into() } else { items.into() }))
    }

    fn pairs(&mut self, object: &DynObject, depth: usize) -> Result<Option<Value>, Error> {
        let is_plain = object.type_name() == self.dict;
        if !is_plain && self.is_field {
            // A namespace that holds itself, if only by way of a loop over it, has no end.
            return Err(refuse("a namespace cannot be kept in a namespace, and neither can a loop"));
        }
        let (mut pairs, mut changed) = (Vec::new(), false);
        for (key, item) in object.try_iter_pairs().into_iter().flatten() {
            self.settle(&key, depth + 1)?;
            let settled = self.settle(&item, depth + 1)?;
            changed |= settled.is_some();
            pairs.push((key, settled.unwrap_or(item)));
        }
        Ok((changed && is_plain).then(|| Value::from_pairs(pairs)))
    }

    fn pay(&mut self, weight: u64) -> Result<(), Error> {
        self.nodes += 1;
        self.left = self
            .left
            .checked_sub(weight)
            .ok_or_else(|| refuse("a list or a dictionary grows beyond what a conversation of this size needs"))?;
        Ok(())
    }
}
