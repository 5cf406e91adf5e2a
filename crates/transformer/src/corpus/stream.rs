use super::shards::Shard;
use crate::error::{Error, Result};

/// The tokens of several shards as one sequence, from token 0 to [`len`](Self::len).
///
/// Read from any thread; holds 8 bytes of memory a document and reads tokens from disk as they are asked for.
#[derive(Debug)]
pub struct TokenStream {
    shards: Vec<Shard>,
    /// Where each shard begins, and where the last ends.
    starts: Vec<u64>,
}

impl TokenStream {
    /// The tokens of `shards` in that order.
    ///
    /// # Errors
    /// Where two shards are not of one vocabulary.
    pub fn new(shards: Vec<Shard>) -> Result<Self> {
        let mut starts = vec![0];
        for shard in &shards {
            if shard.vocabulary() != shards[0].vocabulary() {
                let (one, other) = (shards[0].path().display(), shard.path().display());
                return Err(Error::Corpus(format!("{one} and {other} are of different vocabularies; build the corpus again")));
            }
            let end = starts[starts.len() - 1] + shard.tokens();
            starts.push(end);
        }
        Ok(Self { shards, starts })
    }

    /// Tokens in memory, for tests and small experiments.
    ///
    /// # Errors
    /// Where a token is not below `vocab_size`.
    pub fn from_documents<D: AsRef<[u32]>>(vocab_size: u32, documents: impl IntoIterator<Item = D>) -> Result<Self> {
        Self::new(vec![Shard::from_documents(vocab_size, documents)?])
    }

    /// Number of tokens.
    pub fn len(&self) -> u64 {
        self.starts[self.shards.len()]
    }

    /// Whether there are no tokens.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of documents.
    pub fn documents(&self) -> u64 {
        self.shards.iter().map(Shard::documents).sum()
    }

    /// Size of the vocabulary: every token is below. 0 where there is no shard.
    pub fn vocab_size(&self) -> usize {
        self.shards.first().map_or(0, Shard::vocab_size)
    }

    /// Reads `tokens.len()` tokens from token `start` on.
    ///
    /// # Errors
    /// Where they go beyond the end, or a shard cannot be read or is damaged.
    pub fn read(&self, start: u64, tokens: &mut [u32]) -> Result<()> {
        if start.checked_add(tokens.len() as u64).is_none_or(|end| end > self.len()) {
            return Err(Error::Corpus(format!("tokens {start} and {} more are beyond the {} of the corpus", tokens.len(), self.len())));
        }
        let (mut at, mut rest) = (start, tokens);
        while !rest.is_empty() {
            let index = self.shard_at(at);
            let here = (self.starts[index + 1] - at).min(rest.len() as u64);
            let (now, later) = rest.split_at_mut(here as usize);
            self.shards[index].read(at - self.starts[index], now)?;
            (at, rest) = (at + here, later);
        }
        Ok(())
    }

    /// Reads all tokens and holds them to their checksums.
    ///
    /// # Errors
    /// Where a shard cannot be read or is damaged.
    pub fn verify(&self) -> Result<()> {
        self.shards.iter().try_for_each(Shard::verify)
    }

    /// The places in `start..start + length` where a document ends: numbers of tokens from `start` up to the end, in order.
    pub(super) fn ends_in(&self, start: u64, length: usize) -> impl Iterator<Item = usize> {
        let stop = start.saturating_add(length as u64);
        let shards = self.shard_at(start.min(self.len()))..self.shards.len();
        let ends = shards.flat_map(move |index| {
            let (first, ends) = (self.starts[index], self.shards[index].ends());
            let from = ends.partition_point(|end| first + end <= start);
            ends[from..].iter().map(move |end| first + end)
        });
        ends.take_while(move |end| *end <= stop).map(move |end| (end - start) as usize)
    }

    /// The shard that holds token `at`, passing over shards without tokens; the last where `at` is the end.
    fn shard_at(&self, at: u64) -> usize {
        (self.starts.partition_point(|start| *start <= at) - 1).min(self.shards.len().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stream(shards: &[Vec<Vec<u32>>]) -> TokenStream {
        TokenStream::new(shards.iter().map(|documents| Shard::from_documents(100, documents).unwrap()).collect()).unwrap()
    }

    #[test]
    fn no_shard_is_an_empty_stream() {
        let empty = TokenStream::new(Vec::new()).unwrap();
        assert!(empty.is_empty() && empty.documents() == 0 && empty.vocab_size() == 0);
        empty.read(0, &mut []).unwrap();
        assert!(empty.read(0, &mut [0]).is_err());
        assert_eq!(empty.ends_in(0, 5).count(), 0);
    }

    #[test]
    fn shards_of_two_vocabularies_are_refused() {
        let shards = [100, 101].map(|size| Shard::from_documents(size, [[1]]).unwrap());
        assert!(matches!(TokenStream::new(shards.into()), Err(Error::Corpus(_))));
    }

    proptest! {
        /// Against the same documents in one vector.
        #[test]
        fn reads_and_ends_are_those_of_the_concatenation(
            shards in prop::collection::vec(prop::collection::vec(prop::collection::vec(0..100_u32, 0..6), 0..4), 0..5),
            start in 0..40_usize,
            length in 0..40_usize,
        ) {
            let stream = stream(&shards);
            let documents: Vec<Vec<u32>> = shards.concat().into_iter().filter(|document| !document.is_empty()).collect();
            let all = documents.concat();
            prop_assert_eq!((stream.len(), stream.documents()), (all.len() as u64, documents.len() as u64));
            let mut read = vec![0; length];
            match all.get(start..start + length) {
                Some(expected) => {
                    stream.read(start as u64, &mut read).unwrap();
                    prop_assert_eq!(read, expected);
                }
                None => prop_assert!(stream.read(start as u64, &mut read).is_err()),
            }
            let mut end = 0;
            let ends = documents.iter().map(|document| { end += document.len(); end });
            let expected: Vec<usize> = ends.filter(|end| *end > start && *end <= start + length).map(|end| end - start).collect();
            prop_assert_eq!(stream.ends_in(start as u64, length).collect::<Vec<_>>(), expected);
        }
    }
}
