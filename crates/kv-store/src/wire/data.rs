use std::fmt;

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Bytes as base64. The padding may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

/// A number of 64 bits as a string, because JSON's readers may round larger ones than 2^53. It is also read as a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Number(pub(crate) u64);

const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes as base64")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Bytes, E> {
                BASE64.decode(text).map(Bytes).map_err(|error| E::custom(format_args!("this is not base64: {error}")))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl de::Visitor<'_> for Either {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number that is not negative, as a string or by itself")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map(Number).map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_base64_with_and_without_padding() {
        assert_eq!(serde_json::to_string(&Bytes(b"foo!".to_vec())).unwrap(), "\"Zm9vIQ==\"");
        for text in ["\"Zm9vIQ==\"", "\"Zm9vIQ\""] {
            assert_eq!(serde_json::from_str::<Bytes>(text).unwrap(), Bytes(b"foo!".to_vec()));
        }
        for text in ["\"Zm9vI\"", "\"?\"", "7", "[1]"] {
            assert!(serde_json::from_str::<Bytes>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_are_strings_and_are_read_as_either() {
        assert_eq!(serde_json::to_string(&Number(u64::MAX)).unwrap(), "\"18446744073709551615\"");
        for text in ["\"7\"", "7"] {
            assert_eq!(serde_json::from_str::<Number>(text).unwrap(), Number(7));
        }
        for text in ["-1", "\"-1\"", "1.5", "\"18446744073709551616\"", "true", "\"\""] {
            assert!(serde_json::from_str::<Number>(text).is_err(), "{text}");
        }
    }
}
