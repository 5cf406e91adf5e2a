use std::collections::HashMap;

use crate::{Error, Result};

/// How the items of a sample came together, which decides how uncertain their mean is.
///
/// The two groupings are different things, and on the same column give answers that differ several-fold. A *cluster* is what was drawn at
/// random: the document under five questions, the conversation, the template. Its items rise and fall together, and another draw would bring
/// other clusters. A *stratum* is a fixed category, such as subject or language: another draw would bring the same ones, so what
/// differs between them is no uncertainty at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Design {
    /// Items drawn one by one.
    #[default]
    Simple,
    /// Items drawn in clusters.
    Clustered(Groups),
    /// Items drawn within fixed strata, each of which stands for its share of the sample.
    Stratified(Groups),
    /// Clusters drawn within fixed strata.
    ClusteredInStrata {
        /// What was drawn.
        clusters: Groups,
        /// Where from.
        strata: Groups,
    },
}

impl Design {
    /// Items drawn in clusters, whose id each of them gives in the order of the values.
    ///
    /// # Errors
    /// [`Error::MissingGroup`] for an item without one: to drop it, or to make it a cluster of its own, would change the figure silently.
    pub fn clustered<S: AsRef<str>>(ids: impl IntoIterator<Item = Option<S>>) -> Result<Self> {
        Groups::new(ids).map(Self::Clustered)
    }

    /// Items drawn within strata, whose id each of them gives in the order of the values.
    ///
    /// # Errors
    /// [`Error::MissingGroup`].
    pub fn stratified<S: AsRef<str>>(ids: impl IntoIterator<Item = Option<S>>) -> Result<Self> {
        Groups::new(ids).map(Self::Stratified)
    }

    /// Clusters drawn within strata, by the ids of both in the order of the values.
    ///
    /// # Errors
    /// [`Error::MissingGroup`]; [`Error::GroupCount`] where there are more ids of one kind than of the other; [`Error::Undefined`] for a
    /// cluster in two strata.
    pub fn clustered_in_strata<C: AsRef<str>, S: AsRef<str>>(
        clusters: impl IntoIterator<Item = Option<C>>,
        strata: impl IntoIterator<Item = Option<S>>,
    ) -> Result<Self> {
        let (clusters, strata) = (Groups::new(clusters)?, Groups::new(strata)?);
        strata.check(clusters.of.len())?;
        for (members, cluster) in clusters.members().iter().zip(clusters.names()) {
            if members.iter().any(|item| strata.of[*item] != strata.of[members[0]]) {
                return Err(Error::Undefined(format!("cluster `{cluster}` lies in two strata; stratify by what a cluster has in common")));
            }
        }
        Ok(Self::ClusteredInStrata { clusters, strata })
    }

    pub(crate) fn check(&self, items: usize) -> Result<()> {
        match self {
            Self::Simple => Ok(()),
            Self::Clustered(groups) | Self::Stratified(groups) | Self::ClusteredInStrata { clusters: groups, .. } => groups.check(items),
        }
    }
}

/// Which group each item stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    names: Vec<String>,
    of: Vec<usize>,
}

impl Groups {
    /// Reads an id an item.
    ///
    /// # Errors
    /// [`Error::MissingGroup`].
    pub fn new<S: AsRef<str>>(ids: impl IntoIterator<Item = Option<S>>) -> Result<Self> {
        let mut places = HashMap::new();
        let mut groups = Self { names: Vec::new(), of: Vec::new() };
        for (index, id) in ids.into_iter().enumerate() {
            let id = id.ok_or(Error::MissingGroup { index })?;
            let place = *places.entry(id.as_ref().to_owned()).or_insert_with(|| {
                groups.names.push(id.as_ref().to_owned());
                groups.names.len() - 1
            });
            groups.of.push(place);
        }
        Ok(groups)
    }

    /// How many groups there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Their ids, in the order in which they first appear.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The place of each item's group among them.
    pub(crate) fn of(&self, item: usize) -> usize {
        self.of[item]
    }

    fn check(&self, items: usize) -> Result<()> {
        if self.of.len() == items { Ok(()) } else { Err(Error::GroupCount { items, groups: self.of.len() }) }
    }

    /// The items of each, in that order.
    pub fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.names.len()];
        for (item, group) in self.of.iter().enumerate() {
            members[*group].push(item);
        }
        members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_keep_the_order_of_their_first_items() {
        let groups = Groups::new(["b", "a", "b", "c"].map(Some)).unwrap();
        assert_eq!((groups.names(), groups.len()), (&["b", "a", "c"].map(String::from)[..], 3));
        assert_eq!(groups.members(), [vec![0, 2], vec![1], vec![3]]);
    }

    #[test]
    fn an_item_without_a_group_is_refused() {
        let error = Design::clustered([Some("a"), None]).unwrap_err();
        assert!(matches!(error, Error::MissingGroup { index: 1 }), "{error}");
        let design = Design::stratified([Some("a")]).unwrap();
        assert!(matches!(design.check(2), Err(Error::GroupCount { items: 2, groups: 1 })));
    }

    #[test]
    fn a_cluster_lies_in_one_stratum() {
        let nested = |clusters: [&'static str; 3]| Design::clustered_in_strata(clusters.map(Some), ["s", "s", "t"].map(Some));
        assert!(nested(["a", "a", "b"]).is_ok());
        let error = nested(["a", "b", "a"]).unwrap_err();
        assert_eq!(error.to_string(), "cluster `a` lies in two strata; stratify by what a cluster has in common");
        let uneven = Design::clustered_in_strata([Some("a")], ["s", "s"].map(Some));
        assert!(matches!(uneven, Err(Error::GroupCount { items: 1, groups: 2 })));
    }
}
