use std::sync::Arc;

use serde_json::{Number, Value};

use super::{
    Claims, Open,
    demands::{begins, fits, is_closed, least, most, narrow},
};
use crate::schema::graph::{Kind, Values};

/// What happens in a document, asked of the claims on the value that it happens to.
impl Claims {
    /// A value begins. False, here and below, where the document cannot become valid.
    pub(in super::super) fn begin(&mut self, kind: Kind) -> bool {
        let (start, choices) = (self.made.len(), self.choices.len());
        self.inherit();
        self.unfold(start);
        self.open.push(Open { kind, claims: start, choices, count: 0, compared: 0, key: String::new(), picky: false, room: u64::MAX });
        self.each(|claim, node| begins(claim, node, kind));
        if kind == Kind::String {
            let graph = &self.graph;
            let demands = || self.made[start..].iter().map(|claim| &graph.nodes[claim.node].claim);
            let picky = demands().any(|demands| demands.values.is_some());
            let room = demands().filter_map(|demands| demands.length.most).min().unwrap_or(u64::MAX);
            let open = self.innermost();
            (open.picky, open.room) = (picky, room);
        }
        self.fallen.is_none()
    }

    /// More of a string; where nothing can make it valid any more, the byte of `run` at which that is so.
    pub(in super::super) fn text(&mut self, run: &str) -> Result<(), usize> {
        let open = self.innermost();
        let count = open.count + run.chars().count() as u64;
        if !open.picky && count <= open.room {
            open.count = count;
            return Ok(());
        }
        for (at, character) in run.char_indices() {
            let open = self.innermost();
            open.count += 1;
            let (count, from) = (open.count, open.compared);
            open.compared += character.len_utf8();
            let mut bytes = [0; 4];
            let text = &*character.encode_utf8(&mut bytes);
            self.each(|claim, node| {
                if node.claim.length.most.is_some_and(|most| count > most) {
                    return Err("maxLength");
                }
                node.claim.values.as_ref().map_or(Ok(()), |values| narrow(claim, &values.strings, |known| known, from, text))
            });
            self.stands().ok_or(at)?;
        }
        Ok(())
    }

    pub(in super::super) fn end_text(&mut self) -> bool {
        let open = self.innermost();
        let (count, length) = (open.count, open.compared);
        self.each(|claim, node| {
            if node.claim.length.least.is_some_and(|least| count < least) {
                return Err("minLength");
            }
            let whole = |values: &Values| values.strings[claim.texts.0..claim.texts.1].first().is_some_and(|text| text.len() == length);
            if node.claim.values.as_ref().is_none_or(whole) { Ok(()) } else { Err("enum") }
        });
        self.leave()
    }

    pub(in super::super) fn begin_key(&mut self) -> bool {
        let open = self.innermost();
        open.count += 1;
        open.compared = 0;
        let count = open.count;
        self.each(|claim, node| {
            claim.texts = (0, node.object.properties.len());
            most(node.object.size, count, "maxProperties")
        });
        let graph = &self.graph;
        let start = self.open.last().map_or(0, |open| open.claims);
        let picky = self.made[start..].iter().any(|claim| claim.met && is_closed(graph, &graph.nodes[claim.node]));
        self.innermost().picky = picky;
        self.fallen.is_none()
    }

    /// More of a key, as for [`text`](Self::text).
    pub(in super::super) fn key(&mut self, run: &str) -> Result<(), usize> {
        if !self.innermost().picky {
            return Ok(());
        }
        let graph = Arc::clone(&self.graph);
        for (at, character) in run.char_indices() {
            let from = self.innermost().compared;
            self.innermost().compared += character.len_utf8();
            let mut bytes = [0; 4];
            let text = &*character.encode_utf8(&mut bytes);
            self.each(|claim, node| {
                let closed = is_closed(&graph, node);
                if closed {
                    narrow(claim, &node.object.properties, |(name, _)| name, from, text).map_err(|_| "additionalProperties")
                } else {
                    Ok(())
                }
            });
            self.stands().ok_or(at)?;
        }
        Ok(())
    }

    pub(in super::super) fn end_key(&mut self, key: &str) -> bool {
        key.clone_into(&mut self.innermost().key);
        let graph = Arc::clone(&self.graph);
        self.each(
            |_, node| if is_closed(&graph, node) && node.object.property(key).is_none() { Err("additionalProperties") } else { Ok(()) },
        );
        self.fallen.is_none()
    }

    pub(in super::super) fn number(&mut self, number: &Number) -> bool {
        let value = number.as_f64();
        self.each(|_, node| value.map_or(Ok(()), |value| fits(node, value, number)));
        self.leave()
    }

    /// A literal ends; what it is was known at its first letter.
    pub(in super::super) fn literal(&mut self) -> bool {
        self.leave()
    }

    /// `container` ends.
    pub(in super::super) fn close(&mut self, container: Option<&Value>) -> bool {
        let count = self.innermost().count;
        self.each(|_, node| match container {
            Some(Value::Object(entries)) => match node.object.required.iter().find(|&name| !entries.contains_key(&**name)) {
                Some(_) => Err("required"),
                None => least(node.object.size, count, "minProperties"),
            },
            Some(Value::Array(_)) => least(node.array.size, count, "minItems"),
            _ => Ok(()),
        });
        self.leave()
    }
}
