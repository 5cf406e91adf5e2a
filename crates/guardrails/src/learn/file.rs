use std::sync::Arc;

use jarre_core::ClassifierInfo;

use super::{FeatureHook, NgramModel, Ngrams, model::Parts, vector::Reader};
use crate::{Error, Result};

const MAGIC: &[u8; 4] = b"JNGM";
const VERSION: u16 = 1;
/// What stands before the contents: magic, version, checksum.
const HEADER: usize = 4 + 2 + 8;
/// No number of a model is larger; so no sum of what a model says overflows.
const LARGEST: f32 = 1e6;
const MOST_BITS: u32 = 22;

impl NgramModel {
    /// The model as a file. Little-endian throughout: `JNGM`, the version (u16), the FNV-1a hash (u64) of all that follows; name and labels;
    /// the n-grams and the bits; the hook's names, means and inverse deviations; scales, plain weights, calibration; idf and weights of the
    /// buckets. Texts are UTF-8 after their length (u16), lists follow their count (u16).
    pub fn to_bytes(&self) -> Vec<u8> {
        let Parts { info, reader, roots, scales, plain, mix, offset } = &*self.0;
        let mut to = Writer(Vec::with_capacity(reader.idf.len() + roots.len() + 1024));
        to.text(&info.name);
        to.texts(info.labels.iter().map(String::as_str));
        let Ngrams { chars_from, chars_to, words_to } = reader.ngrams;
        to.0.extend([chars_from as u8, chars_to as u8, words_to as u8, reader.bits as u8]);
        to.texts(reader.hook.iter().flat_map(FeatureHook::names).map(AsRef::as_ref));
        to.numbers(reader.standard.iter().flat_map(|&(mean, inverse)| [mean, inverse]));
        for list in [scales, plain, mix, offset] {
            to.numbers(list.iter().copied());
        }
        to.0.extend(&reader.idf);
        to.0.extend(roots.iter().map(|&root| root as u8));
        [&MAGIC[..], &VERSION.to_le_bytes(), &checksum(&to.0).to_le_bytes(), &to.0].concat()
    }

    /// The model in `bytes`, which reads n-grams alone.
    ///
    /// # Errors
    /// [`Error::ModelFile`] where they are damaged, cut off or of another version, or need a hook.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::read(bytes, None)
    }

    /// The model in `bytes`, which reads what `hook` says of a text, too.
    ///
    /// # Errors
    /// As for [`from_bytes`](Self::from_bytes), and where the hook's names are not those that the model was trained with.
    pub fn with_hook(bytes: &[u8], hook: FeatureHook) -> Result<Self> {
        Self::read(bytes, Some(hook))
    }

    fn read(bytes: &[u8], hook: Option<FeatureHook>) -> Result<Self> {
        let mut from = contents(bytes)?;
        let info = ClassifierInfo { name: from.text()?, labels: from.texts()?, multi_label: true };
        let labels = info.labels.len();
        if labels == 0 {
            return Err(fail("it has no labels"));
        }
        let [chars_from, chars_to, words_to, bits] = from.bytes(4)?.try_into().expect("these are four bytes");
        let ngrams = Ngrams { chars_from: chars_from.into(), chars_to: chars_to.into(), words_to: words_to.into() };
        let ngrams = ngrams.checked().map_err(|_| fail("its n-grams cannot be"))?;
        let bits = u32::from(bits);
        if !(1..=MOST_BITS).contains(&bits) {
            return Err(fail("the number of its buckets cannot be"));
        }
        let names = from.texts()?;
        check_hook(&names, hook.as_ref())?;
        let standard = from.numbers(2 * names.len())?.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
        let scales = from.numbers(labels)?;
        let plain = from.numbers((names.len() + 1) * labels)?;
        let (mix, offset) = (from.numbers(labels * labels)?, from.numbers(labels)?);
        let idf = from.bytes(1 << bits)?.to_vec();
        let roots = from.bytes(labels << bits)?.iter().map(|&root| root as i8).collect();
        if !from.0.is_empty() {
            return Err(fail("there is something after its end"));
        }
        let reader = Reader { ngrams, bits, idf, hook, standard };
        Ok(Self(Arc::new(Parts { info, reader, roots, scales, plain, mix, offset })))
    }
}

fn contents(bytes: &[u8]) -> Result<Slice<'_>> {
    let Some((header, contents)) = bytes.split_at_checked(HEADER) else { return Err(fail("it ends too early")) };
    if header[..4] != *MAGIC {
        return Err(fail("it does not begin as a model does"));
    }
    if header[4..6] != VERSION.to_le_bytes() {
        return Err(fail("it is of another version, train it again"));
    }
    if header[6..] != checksum(contents).to_le_bytes() {
        return Err(fail("it is damaged"));
    }
    Ok(Slice(contents))
}

fn check_hook(names: &[String], hook: Option<&FeatureHook>) -> Result<()> {
    let given = hook.map_or(&[][..], FeatureHook::names);
    if names.iter().eq(given.iter()) {
        return Ok(());
    }
    Err(fail(&format!("it was trained with the features {names:?}, and the hook gives {given:?}")))
}

fn fail(reason: &str) -> Error {
    Error::ModelFile { reason: reason.to_owned() }
}

/// FNV-1a.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

struct Writer(Vec<u8>);

impl Writer {
    /// A text of at most 65,535 bytes, which training has seen to.
    fn text(&mut self, text: &str) {
        self.0.extend((text.len() as u16).to_le_bytes());
        self.0.extend(text.as_bytes());
    }

    fn texts<'a>(&mut self, texts: impl Iterator<Item = &'a str>) {
        let texts: Vec<&str> = texts.collect();
        self.0.extend((texts.len() as u16).to_le_bytes());
        for text in texts {
            self.text(text);
        }
    }

    fn numbers(&mut self, numbers: impl Iterator<Item = f32>) {
        numbers.for_each(|number| self.0.extend(number.clamp(-LARGEST, LARGEST).to_le_bytes()));
    }
}

/// What is left to read.
struct Slice<'a>(&'a [u8]);

impl<'a> Slice<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(|| fail("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn count(&mut self) -> Result<usize> {
        let bytes = self.bytes(2)?.try_into().expect("these are two bytes");
        Ok(u16::from_le_bytes(bytes).into())
    }

    fn text(&mut self) -> Result<String> {
        let length = self.count()?;
        let text = std::str::from_utf8(self.bytes(length)?).map_err(|_| fail("a name in it is no text"))?;
        Ok(text.to_owned())
    }

    fn texts(&mut self) -> Result<Vec<String>> {
        (0..self.count()?).map(|_| self.text()).collect()
    }

    fn numbers(&mut self, count: usize) -> Result<Vec<f32>> {
        let read = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().expect("these are four bytes"));
        let numbers: Vec<f32> = self.bytes(4 * count)?.chunks_exact(4).map(read).collect();
        // Not in the range is what is no number.
        let fit = numbers.iter().all(|number| (-LARGEST..=LARGEST).contains(number));
        fit.then_some(numbers).ok_or_else(|| fail("a number in it cannot be"))
    }
}
