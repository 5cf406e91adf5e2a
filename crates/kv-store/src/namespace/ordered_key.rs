/// A key whose bytes are in the order of its values, and of which no other begins with the bytes of one.
///
/// Integers are big-endian, signed ones with the sign turned over; texts and bytes end in `00 01`, with `00 ff` for each zero in them; the
/// fields of a tuple follow one another.
///
/// ```
/// use jarre_kv_store::namespace::OrderedKey;
///
/// let bytes = |key: i32| {
///     let mut bytes = Vec::new();
///     key.encode(&mut bytes);
///     bytes
/// };
/// assert!(bytes(-5) < bytes(-4) && bytes(-1) < bytes(0));
/// ```
#[diagnostic::on_unimplemented(note = "keys are integers, `bool`, `char`, `String`, `Vec<u8>`, byte arrays, and tuples of them")]
pub trait OrderedKey: Sized {
    /// Adds its bytes to `out`.
    fn encode(&self, out: &mut Vec<u8>);

    /// Takes a key from the front of `input`; `None` where there is none.
    fn decode(input: &mut &[u8]) -> Option<Self>;
}

macro_rules! integers {
    ($($unsigned:ident $signed:ident)*) => {
        $(impl OrderedKey for $unsigned {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend(self.to_be_bytes());
            }

            fn decode(input: &mut &[u8]) -> Option<Self> {
                let (bytes, rest) = input.split_first_chunk()?;
                *input = rest;
                Some(Self::from_be_bytes(*bytes))
            }
        }

        impl OrderedKey for $signed {
            fn encode(&self, out: &mut Vec<u8>) {
                (self.cast_unsigned() ^ (1 << ($unsigned::BITS - 1))).encode(out);
            }

            fn decode(input: &mut &[u8]) -> Option<Self> {
                Some(($unsigned::decode(input)? ^ (1 << ($unsigned::BITS - 1))).cast_signed())
            }
        })*
    };
}

integers!(u8 i8 u16 i16 u32 i32 u64 i64 u128 i128);

impl OrderedKey for bool {
    fn encode(&self, out: &mut Vec<u8>) {
        u8::from(*self).encode(out);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        match u8::decode(input)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl OrderedKey for char {
    fn encode(&self, out: &mut Vec<u8>) {
        u32::from(*self).encode(out);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        Self::from_u32(u32::decode(input)?)
    }
}

impl OrderedKey for Vec<u8> {
    fn encode(&self, out: &mut Vec<u8>) {
        escape(self, out);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        unescape(input)
    }
}

impl OrderedKey for String {
    fn encode(&self, out: &mut Vec<u8>) {
        escape(self.as_bytes(), out);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        Self::from_utf8(unescape(input)?).ok()
    }
}

impl<const N: usize> OrderedKey for [u8; N] {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        let (bytes, rest) = input.split_first_chunk()?;
        *input = rest;
        Some(*bytes)
    }
}

impl OrderedKey for () {
    fn encode(&self, _: &mut Vec<u8>) {}

    fn decode(_: &mut &[u8]) -> Option<Self> {
        Some(())
    }
}

macro_rules! tuples {
    ($($($field:ident)*;)*) => {
        $(impl<$($field: OrderedKey),*> OrderedKey for ($($field,)*) {
            #[expect(non_snake_case, reason = "the fields are named as their types")]
            fn encode(&self, out: &mut Vec<u8>) {
                let ($($field,)*) = self;
                $($field.encode(out);)*
            }

            fn decode(input: &mut &[u8]) -> Option<Self> {
                Some(($($field::decode(input)?,)*))
            }
        })*
    };
}

tuples! {
    A B;
    A B C;
    A B C D;
}

/// Adds `bytes` with an end, in their order; no escaped text begins with another.
pub(crate) fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    for &byte in bytes {
        out.push(byte);
        if byte == 0 {
            out.push(0xff);
        }
    }
    out.extend([0, 1]);
}

/// Takes what was escaped from the front of `input`.
pub(crate) fn unescape(input: &mut &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        match input.split_off_first()? {
            0 => match input.split_off_first()? {
                0xff => bytes.push(0),
                1 => return Some(bytes),
                _ => return None,
            },
            &byte => bytes.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    type Key = (i16, String, Vec<u8>, (bool, u64));

    fn bytes<K: OrderedKey>(key: &K) -> Vec<u8> {
        let mut bytes = Vec::new();
        key.encode(&mut bytes);
        bytes
    }

    fn key() -> impl Strategy<Value = Key> {
        let text = vec(prop_oneof![Just('\0'), Just('\u{1}'), Just('a'), Just('ÿ')], 0..3).prop_map(String::from_iter);
        (-2_i16..2, text, vec(prop_oneof![Just(0), Just(1), Just(255)], 0..3), (any::<bool>(), 0_u64..3))
    }

    proptest! {
        #[test]
        fn bytes_are_in_the_order_of_keys(a in key(), b in key()) {
            prop_assert_eq!(bytes(&a).cmp(&bytes(&b)), a.cmp(&b));
            prop_assert!(a == b || !bytes(&b).starts_with(&bytes(&a)));
        }

        #[test]
        fn keys_come_back(a in key(), n in any::<i128>(), c in any::<char>(), rest in vec(any::<u8>(), 0..3)) {
            let mut written = bytes(&(a.clone(), n, c));
            written.extend(&rest);
            let mut input = &*written;
            prop_assert_eq!(OrderedKey::decode(&mut input), Some((a, n, c)));
            prop_assert_eq!(input, &*rest);
        }

        #[test]
        fn what_is_no_key_is_refused(input in vec(any::<u8>(), 0..12)) {
            let mut rest = &*input;
            if let Some(key) = <(String, bool)>::decode(&mut rest) {
                prop_assert_eq!([bytes(&key), rest.to_vec()].concat(), input);
            }
        }
    }
}
